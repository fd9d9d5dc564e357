"""Plays rows one after the other, a good message behind each, and says what came of them."""

import tempfile
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from eessi_sim.as4.modes import ProfileName
from eessi_sim.conformance.bench import Bench
from eessi_sim.conformance.judging import judge
from eessi_sim.conformance.model import Case, Finding, Judged, NotApplicable, Result, Row, Verdict
from eessi_sim.conformance.network import Range, live_range
from eessi_sim.conformance.plays import AtPoint, Stimulus, Wire
from eessi_sim.conformance.point import PROFILES, Point, own_point
from eessi_sim.conformance.setting import ZUS
from eessi_sim.conformance.stimuli import STIMULI
from eessi_sim.definition_files import suggestion
from eessi_sim.errors import EessiSimError, SettingsError

_USUAL: Final = ProfileName.EDELIVERY_1
"""Profile of the rows that make sense under all."""
_INSIGHT: Final = "needs insight into the nodes, or keys that only our own network has"
_SILENT: Final = "nothing that is seen on the wire"


@dataclass(frozen=True, slots=True)
class Benches:
    """What rows can be played on."""

    network: Range | None = None
    points: Mapping[ProfileName, Point] = field(default_factory=dict)
    """Lone gateways of our own, by profile."""
    party: Point | None = None
    """Somebody else's gateway; then the others are not asked."""
    is_strict: bool = False


def select(rows: Sequence[Row], only: Sequence[str]) -> tuple[Row, ...]:
    """Return the rows with these ids, all of them without any.

    Raises:
        SettingsError: no row has this id.
    """
    known = {row.id: row for row in rows}
    unknown = [each for each in only if each not in known]
    if unknown:
        raise SettingsError(
            f'Expected the id of a row of these lists, found "{unknown[0]}"',
            hint=suggestion(unknown[0], known),
        )
    return tuple(row for row in rows if not only or row.id in only)


def cases_of(row: Row, everything: Sequence[Row]) -> tuple[Case, ...]:
    """Return the cases of a row, and those of the rows that prove it as well."""
    others = {each.id: each for each in everything}
    return (*row.cases, *(case for name in row.also if name in others for case in others[name].cases))


@asynccontextmanager
async def own_benches(cases: Sequence[Case]) -> AsyncIterator[Benches]:
    """Start what these cases need, and end it.

    Args:
        cases: nothing is started that none of them needs.
    """
    stimuli = [STIMULI[case.row, case.name] for case in cases]
    profiles = {
        case.profile or _USUAL
        for case, stimulus in zip(cases, stimuli, strict=True)
        if isinstance(stimulus, AtPoint)
    }
    async with AsyncExitStack() as stack:
        points: dict[ProfileName, Point] = {
            name: await stack.enter_async_context(own_point(name)) for name in PROFILES if name in profiles
        }
        network = None
        if any(not isinstance(each, AtPoint) for each in stimuli):
            place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="eessi-sim-conformance-")))
            network = await stack.enter_async_context(live_range(place))
        yield Benches(network, points)


async def run(
    rows: Sequence[Row],
    everything: Sequence[Row],
    benches: Benches,
    note: Callable[[Finding], None] = lambda _: None,
) -> tuple[Finding, ...]:
    """Play rows.

    Args:
        rows: those to play.
        everything: all rows of all lists; some prove others.
        benches: what to play on.
        note: told about each finding at once.

    Returns:
        A finding for each case of each row; one for a row that has none.
    """
    played: dict[tuple[str, str], Finding] = {}
    found: list[Finding] = []
    for row in rows:
        cases = cases_of(row, everything)
        if not cases:
            reason = row.note or _SILENT
            found.append(Finding(row=row, case=None, verdict=Verdict.NOT_APPLICABLE, remark=reason))
            note(found[-1])
        for case in cases:
            key = (case.row, case.name)
            if key not in played:
                played[key] = await play(row, case, benches)
            found.append(replace(played[key], row=row))
            note(found[-1])
    return tuple(found)


async def play(row: Row, case: Case, benches: Benches) -> Finding:
    """Play one case, and a good message behind it."""
    finding = Finding(row=row, case=case, verdict=Verdict.NOT_APPLICABLE)
    stimulus = STIMULI[case.row, case.name]
    try:
        bench = _bench(case, stimulus, benches)
        return await _played(finding, case, stimulus, bench, benches)
    except NotApplicable as reason:
        return replace(finding, remark=reason.message)
    except (EessiSimError, OSError, AssertionError) as error:
        return replace(finding, verdict=Verdict.FAILED, remark=str(error) or type(error).__name__)


def _bench(case: Case, stimulus: Stimulus | Wire | AtPoint, benches: Benches) -> Bench:
    party = benches.party
    if party is not None:
        if case.judged is not Judged.ANSWER:
            raise NotApplicable(_INSIGHT)
        if case.profile not in (None, party.mode.id):
            raise NotApplicable(f"belongs to the profile {case.profile}, agreed is {party.mode.id}")
        return party
    if isinstance(stimulus, AtPoint):
        return benches.points[case.profile or _USUAL]
    if benches.network is None:
        raise NotApplicable(_INSIGHT)
    return benches.network


async def _played(
    finding: Finding, case: Case, stimulus: Stimulus | Wire | AtPoint, bench: Bench, benches: Benches
) -> Finding:
    bench.take_exchanges()
    network = bench if isinstance(bench, Range) and not isinstance(stimulus, AtPoint) else None
    target = ZUS if isinstance(stimulus, AtPoint) else stimulus.target
    before = network.rewind(target) if network else 0.0
    try:
        result = await stimulus.play(bench)  # type: ignore[arg-type] # _bench chose one of the kind it plays on
        megabytes = network.peak(target) if network else None
        verdict, remark = judge(
            case.expect, result.outcome, is_party=bench is benches.party, is_strict=benches.is_strict
        )
        if network and await _is_delivered(network, result):
            verdict, remark = Verdict.FAILED, "Expected no delivery of the refused message, found one"
        if megabytes is not None and megabytes - before >= case.megabytes:
            verdict = Verdict.FAILED
            remark = f"Expected at most {case.megabytes:.0f} MB more, found {megabytes - before:.0f} MB"
        finding = replace(
            finding,
            verdict=verdict,
            outcome=result.outcome,
            remark=remark,
            milliseconds=result.milliseconds,
            megabytes=megabytes,
        )
    finally:
        exchanges = bench.take_exchanges()
    await bench.good_message()
    return replace(finding, exchanges=exchanges)


async def _is_delivered(network: Range, result: Result) -> bool:
    return bool(result.refused) and await network.holds(ZUS, result.refused)
