"""``eessi-sim bucs run``: plays a walk of a process on real nodes, and checks every copy against the engine."""

import asyncio
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.text import Text

from eessi_sim import resources
from eessi_sim.buc.definition import BucDefinition
from eessi_sim.buc.loader import Definitions
from eessi_sim.buc.terms import Walk
from eessi_sim.cdm.catalogue import Catalogue
from eessi_sim.cli import failures, output
from eessi_sim.cli.live import Screen
from eessi_sim.cli.playing import Follower
from eessi_sim.cli.run import summarise
from eessi_sim.cli.stage import Stage, in_process, processes, run_async
from eessi_sim.errors import EessiSimError
from eessi_sim.ir.loader import NetworkDefinition
from eessi_sim.report import evidence, folder, json_form
from eessi_sim.report.collect import Scene, StoryResult, collect
from eessi_sim.report.evidence import Evidence
from eessi_sim.report.model import RunReport
from eessi_sim.security.pki import KeyAlgorithm
from eessi_sim.simulation.assembly import load_definition
from eessi_sim.simulation.casting import OWNER, cast, silent
from eessi_sim.simulation.inprocess import START
from eessi_sim.simulation.state import establish
from eessi_sim.simulation.views import CaseView
from eessi_sim.simulation.walking import (
    FULL_RUN,
    Part,
    Step,
    Venue,
    WalkRunner,
    as_story,
    full_run,
    moves_time,
    require_playable,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """How walks are to be played: options of the command."""

    tables: Definitions
    network: Path | None
    is_in_process: bool
    seed: int
    report: Path | None
    as_json: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """A walk that was played, as far as it went."""

    part: Part
    steps: tuple[Step, ...]
    case: CaseView | None
    """The case at its owner; None when it was not even opened."""
    reason: str | None
    """Why it is not as it must be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outcome:
    runs: tuple[_Run, ...]
    report: RunReport
    evidence: tuple[Evidence, ...]
    authority: Mapping[str, bytes]


def full_runs(definitions: Sequence[BucDefinition]) -> Iterator[tuple[BucDefinition, Walk]]:
    """Yield the processes whose file has a full run, with it."""
    for definition in definitions:
        for walk in definition.walks:
            if walk.name == FULL_RUN:
                yield definition, walk


def longest(definition: BucDefinition) -> Walk:
    """Return the walk that is played when none is named.

    Raises:
        click.UsageError: the process has none.
    """
    walk = full_run(definition)
    if walk is None:
        raise failures.usage(
            f"Expected a walk of {definition.buc} that nodes can play, found none. "
            f"Play those that there are offline: eessi-sim bucs walk {definition.buc}"
        )
    return walk


def play(wanted: Sequence[tuple[BucDefinition, Walk]], choices: Choices) -> None:
    """Play walks in one network and show how they go; exit status 1 when one goes otherwise than it must.

    Raises:
        DefinitionError: a walk cannot be played on nodes, or nobody in the network is competent for it.
    """
    network = load_definition(choices.network or resources.institutions() / "networks" / "europe.yaml")
    for each, walk in wanted:
        require_playable(each, walk)
    at = START if choices.is_in_process else datetime.now(UTC)
    parts = [
        Part(definition=each, walk=walk, cast=cast(network, each, walk, at=at, seed=choices.seed))
        for each, walk in wanted
    ]
    small = silent(network, {institution for part in parts for institution in part.cast.values()})
    if choices.report:
        folder.prepare(choices.report)
    console = output.error_console() if choices.as_json else output.console()
    with Screen(console) as screen:
        outcome = run_async(_perform(parts, small, choices, screen))
    if choices.report:
        folder.write(choices.report, outcome.report, outcome.evidence, outcome.authority)
    if choices.as_json:
        runs = [_as_json(run) for run in outcome.runs]
        output.show_json({"runs": runs, "report": json_form.as_dict(outcome.report)})
    else:
        summarise(outcome.report, choices.report, None)
    if not outcome.report.summary.is_success:
        click.get_current_context().exit(failures.FINDING)


async def _perform(
    parts: Sequence[Part], network: NetworkDefinition, choices: Choices, screen: Screen
) -> _Outcome:
    if choices.is_in_process:
        screen.phase(f"Setting up {len(network.institutions) + 1} nodes in this process …")
        async with in_process(network, seed=choices.seed) as stage:
            return await _play_all(parts, network, choices, stage, screen)
    screen.phase(f"Starting {len(network.institutions) + 1} processes …")
    with tempfile.TemporaryDirectory(prefix="eessi-sim-") as place:
        # In a thread: the display goes on meanwhile. Elliptic keys: they are made at once.
        state = await asyncio.to_thread(
            establish, network, Path(place), now=datetime.now(UTC), algorithm=KeyAlgorithm.P_256
        )
        async with processes(state) as stage:
            outcome = await _play_all(parts, network, choices, stage, screen)
            screen.phase("Stopping the nodes …")
        return outcome


async def _play_all(
    parts: Sequence[Part], network: NetworkDefinition, choices: Choices, stage: Stage, screen: Screen
) -> _Outcome:
    follower = Follower(stage, screen)
    venue = Venue(controls=stage.controls, clock=stage.clock, pause=follower.pause, advance=stage.advance)
    runs = {}
    for group in _groups(parts, side_by_side=stage.mode == "processes"):
        played = await asyncio.gather(*(_play(part, venue, follower, screen) for part in group))
        runs.update({id(run.part): run for run in played})
    await follower.settle()
    ordered = tuple(runs[id(part)] for part in parts)
    scene = Scene(network, Catalogue.default(), choices.tables, stage.mode, stage.seed)
    results = [StoryResult(as_story(run.part), run.case, run.reason) for run in ordered]
    report = await collect(stage.readers, results, scene)
    found = await evidence.gather(stage.readers, report)
    return _Outcome(runs=ordered, report=report, evidence=found, authority=stage.authority)


def _groups(parts: Sequence[Part], *, side_by_side: bool) -> Iterator[Sequence[Part]]:
    """Yield what is played at once: walks that move no clock, where nothing must repeat itself; each other by itself."""
    together = [part for part in parts if side_by_side and not moves_time(part.walk)]
    if together:
        yield together
    yield from ([part] for part in parts if part not in together)


async def _play(part: Part, venue: Venue, follower: Follower, screen: Screen) -> _Run:
    runner = WalkRunner(part, venue)
    screen.phase(f"{part.definition.buc} {part.walk.name}: {_who(part)}")
    steps: list[Step] = []
    reason = None
    try:
        async with aclosing(runner.play()) as played:
            async for step in played:
                steps.append(step)
                screen.show(await follower.watch.look())
                screen.say(_line(part, step))
        reason = runner.fault(steps)
    except EessiSimError as error:
        reason = f"{error.code}: {error.message}"
    opened = runner.international_id
    case = await venue.controls[part.cast[OWNER]].find_case(opened) if opened else None
    return _Run(part=part, steps=tuple(steps), case=case, reason=reason)


def _who(part: Part) -> str:
    return ", ".join(f"{name} is {institution}" for name, institution in part.cast.items())


def _line(part: Part, step: Step) -> Text:
    """Return a step with the copies it led to; a line for each difference."""
    copies = ", ".join(f"{name} {case.status} {len(case.documents)}" for name, case in step.copies.items())
    text = Text.assemble(
        output.mark(passed=not step.differences),
        f"{part.definition.buc}",
        (f"{step.number:>3}  {step.sentence:<28}", "bold"),
        f" {copies}",
    )
    if step.refusal:
        text.append(f"  refused as {step.refusal}")
    for difference in step.differences:
        text.append(f"\n       {difference}", style=output.BAD)
    return text


def _as_json(run: _Run) -> dict[str, object]:
    return {
        "buc": run.part.definition.buc,
        "walk": run.part.walk.name,
        "cast": run.part.cast,
        "fault": run.reason,
        "steps": [
            {
                "step": step.number,
                "at": step.at,
                "sentence": step.sentence,
                "refused": step.refusal,
                "differences": step.differences,
                "copies": {
                    name: {
                        "institution": case.own,
                        "case": case.case_id,
                        "status": case.status,
                        "documents": [f"{each.type} {each.status}" for each in case.documents],
                    }
                    for name, case in step.copies.items()
                },
            }
            for step in run.steps
        ],
    }
