"""The plan of the chaos harness: data that is checked, and a schedule that a seed decides."""

from pathlib import Path

import pytest

from eessi_sim.chaos.model import Kind, Plan
from eessi_sim.chaos.plan import load_plan, schedule
from eessi_sim.errors import DefinitionError
from eessi_sim.identifiers import InstitutionId

POINT = InstitutionId("EU:APSIM01")
SMALL = """
title: Small
institutions: [NO:NAVAT07, PL:ZUS01]
load: {buc: LA_BUC_04, seds: [A009], lanes: 1, under_way: 4}
disturbances:
  - {kind: kill, every: PT10S, lasts: [PT1S, PT2S], at: point}
  - {kind: expired-ebms, every: PT60S, at: institutions, explains: ["EBMS:0101"]}
"""


def plan(folder: Path, old: str = "", new: str = "") -> Plan:
    """The small plan, with one text in place of another one."""
    file = folder / "plan.yaml"
    assert old in SMALL
    file.write_text(SMALL.replace(old, new))
    return load_plan(file)


def test_shipped_plan_has_every_kind_and_fifty_kills_in_ten_minutes() -> None:
    """Everything that the harness can do is done by the plan that comes with it."""
    shipped = load_plan()
    planned = schedule(shipped, point=POINT, seconds=600, seed=1)
    assert {each.kind for each in planned} == set(Kind)
    assert sum(each.kind is Kind.KILL for each in planned) >= 50


def test_same_seed_gives_the_same_schedule(tmp_path: Path) -> None:
    """A run can be repeated: times, nodes and strengths follow from the seed."""
    small = plan(tmp_path)
    first, again, other = (schedule(small, point=POINT, seconds=60, seed=seed) for seed in (7, 7, 8))
    assert first == again != other


def test_everything_happens_within_the_time_and_where_it_may(tmp_path: Path) -> None:
    """Nothing begins before the first or ends after the last moment; kinds meet the nodes that they are meant for."""
    planned = schedule(plan(tmp_path), point=POINT, seconds=60, seed=7)
    assert len(planned) == 7
    assert all(each.at >= 1 and each.at + each.seconds <= 59.01 for each in planned)
    assert {(each.kind, each.party == POINT) for each in planned} == {
        (Kind.KILL, True),
        (Kind.EXPIRED_EBMS, False),
    }


def test_schedule_can_be_limited_to_kinds(tmp_path: Path) -> None:
    """What is left out changes nothing of the rest."""
    kills = frozenset({Kind.KILL})
    small = plan(tmp_path)
    everything = schedule(small, point=POINT, seconds=60, seed=7)
    limited = schedule(small, point=POINT, seconds=60, seed=7, kinds=kills)
    assert limited == tuple(each for each in everything if each.kind in kills)


def test_plan_explains_the_dead_letters_of_its_disturbances(tmp_path: Path) -> None:
    """A reason is explained when it has a text that a kind of the plan names."""
    small = plan(tmp_path)
    assert small.explains("EBMS:0101 FailedAuthentication")
    assert not small.explains("EBMS:0004 Other")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("[NO:NAVAT07, PL:ZUS01]", "[NO:NAVAT07]", "two institutions"),
        ("[A009]", "[]", "a SED to send"),
        ("lanes: 1", "lanes: 0", "1 or more"),
        ("PT10S", "PT0S", "more than no time"),
        ("[PT1S, PT2S]", "[PT2S, PT1S]", "the least and the most"),
        ("kind: kill", "kind: flood", "flood"),
        ("at: point", "when: never", "known key"),
    ],
)
def test_wrong_plan_is_refused_with_its_place(tmp_path: Path, old: str, new: str, words: str) -> None:
    """The error names the file and the line, and says what was expected."""
    with pytest.raises(DefinitionError, match=words) as caught:
        plan(tmp_path, old, new)
    assert "plan.yaml, line" in str(caught.value)
