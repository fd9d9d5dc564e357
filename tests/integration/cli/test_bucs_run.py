"""``eessi-sim bucs run``: what it shows, and what it refuses before anything is started."""

from pathlib import Path

import pytest
from tests.helpers.commands import run, run_json

from eessi_sim import resources
from eessi_sim.buc.loader import Definitions
from eessi_sim.buc.terms import Walk
from eessi_sim.identifiers import BucType
from eessi_sim.simulation.walking import WalkRunner

FIVE = resources.institutions() / "networks" / "five.yaml"


def test_run_shows_steps_copies_and_messages() -> None:
    """Each sentence with the copies it led to, each message with its states, and the end."""
    result = run("bucs", "run", "p_buc_09", "--in-process", "--network", FIVE, "--name", "p14000 opens")
    assert result.exit_code == 0
    assert "CO open 1, CP1 open 1" in result.stdout
    assert "✓ valid" in result.stdout
    assert "played to its end" in result.stdout


def test_full_run_is_played_when_none_is_named(tmp_path: Path) -> None:
    """The walk with that name, with a report."""
    answer = run_json("bucs", "run", "LA_BUC_03", "--in-process", "--report", tmp_path / "report")
    assert [each["walk"] for each in answer["runs"]] == ["full run"]
    assert (tmp_path / "report" / "junit.xml").is_file()


def test_difference_ends_with_status_1(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who runs it in a pipeline sees from the status that a node does not do as the engine says."""
    monkeypatch.setattr(WalkRunner, "fault", lambda _self, _steps: "something differs")
    result = run("bucs", "run", "P_BUC_09", "--in-process", "--network", FIVE, "--name", "p14000 opens")
    assert (result.exit_code, "something differs" in result.stdout) == (1, True)


def test_institution_that_cannot_open_the_case_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """What stops a run is the reason in its report, not a failure of the command."""
    monkeypatch.setattr(
        "eessi_sim.cli.bucs_run.cast", lambda *_args, **_more: {"CO": "LV:VSAA01", "CP1": "BE:RSZ01"}
    )
    walk = Walk(name="full run", parties=("CO", "CP1"), steps=("CO send P14000",))
    monkeypatch.setattr("eessi_sim.cli.bucs_run.full_run", lambda _definition: walk)
    result = run("bucs", "run", "P_BUC_09", "--in-process")
    assert (result.exit_code, "not-competent" in result.stdout) == (1, True)


@pytest.mark.parametrize(
    "options", [[], ["LA_BUC_03", "--all"], ["--all", "--name", "x"], ["LA_BUC_99"], ["S_BUC_01"]]
)
def test_wrong_choices_are_refused(options: list[str]) -> None:
    """Neither process nor --all, both, a name for all, an unknown process, one without walks: wrong usage."""
    assert run("bucs", "run", *options).exit_code == 2


def test_walk_that_needs_a_liar_is_refused() -> None:
    """Nodes are honest; the hint names the command that plays it offline."""
    walks = Definitions.default().get(BucType("LA_BUC_02")).walks
    name = next(walk.name for walk in walks if any(" force " in step for step in walk.steps))
    result = run("bucs", "run", "LA_BUC_02", "--in-process", "--name", name)
    assert result.exit_code != 0
    assert "eessi-sim bucs walk LA_BUC_02" in result.stderr
