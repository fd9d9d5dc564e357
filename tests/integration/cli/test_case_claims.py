"""``case claims`` on the folder of a network that does not run."""

from pathlib import Path

import pytest
from tests.helpers.commands import run, run_json
from tests.helpers.stored_claims import SHARED, folder_with, samples


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A request was contested in part, and interest charged."""
    return folder_with(tmp_path_factory.mktemp("claims"), samples("U020", "U023", "U026"))


def test_every_claim_is_shown_with_the_document_that_decided(state: Path) -> None:
    """Status, document and interest stand in a row for each claim, and the sums below."""
    result = run("case", "claims", SHARED, "--state", state)
    assert result.exit_code == 0
    lines = [line.split() for line in result.stdout.splitlines()]
    assert ["1", "Brzezicki", "Mikołaj", "accepted", "U023", "2214.60", "2214.60", "EUR", "charged"] in lines
    assert ["2", "Wójcik", "Agata", "contested", "U023", "1894.20", "0.00", "EUR"] in lines
    assert "claims     1 accepted, 1 part-accepted, 1 contested" in result.stdout
    assert "requested  5216.10" in result.stdout


def test_the_case_sums_its_claims_up(state: Path) -> None:
    """A line says how they stand and where each is shown; with --json the sums."""
    shown = " ".join(run("case", "show", SHARED, "--state", state).stdout.split())
    assert "claims: 1 accepted, 1 part-accepted, 1 contested; requested 5216.10, accepted" in shown
    assert f"each: eessi-sim case claims {SHARED}" in shown
    found = run_json("case", "show", SHARED, "--state", state)["claims"]
    assert (found["counts"]["contested"], found["findings"]) == (1, 0)


def test_claims_of_one_status_are_chosen(state: Path) -> None:
    """--status leaves the others out, not their sums; amounts are texts."""
    found = run_json("case", "claims", "4711", "--state", state, "--status", "contested")
    assert [claim["number"] for claim in found["claims"]] == ["2"]
    assert (found["requested"], found["counts"]["accepted"], found["findings"]) == ("5216.10", 1, [])
    assert (found["claims"][0]["by"], found["claims"][0]["paid"]) == ("U023", "0")


def test_what_cannot_be_is_told(tmp_path: Path) -> None:
    """A claim that nobody made ends the command with status 1; long tables say how to see all."""
    request, answer = samples("U020", "U023")
    claim = answer[1].find("IndividualClaims/IndividualClaim/sequentialNumberIndividualClaim")
    assert claim is not None
    claim.text = "17"
    state = folder_with(tmp_path, [request, answer])
    result = run("case", "claims", SHARED, "--state", state)
    assert (result.exit_code, 'found number "17"' in result.stdout) == (1, True)
    assert run_json("case", "claims", SHARED, "--state", state)["findings"][0]["code"] == "unknown-claim"
    assert "claims: 1 finding\n" in run("case", "show", SHARED, "--state", state).stdout


def test_case_without_claims_says_so(tmp_path: Path) -> None:
    """No document of the case speaks of claims."""
    state = folder_with(tmp_path, samples("A003"))
    result = run("case", "claims", SHARED, "--state", state)
    assert (result.exit_code, "makes individual claims" in result.stdout) == (0, True)
    assert run_json("case", "show", SHARED, "--state", state)["claims"] is None
    assert "claims:" not in run("case", "show", SHARED, "--state", state).stdout


def test_long_table_is_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, state: Path) -> None:
    """Beyond fifty claims --all shows the rest."""
    monkeypatch.setattr("eessi_sim.cli.case_claims._SHOWN", 2)
    assert "and 1 more; --all" in run("case", "claims", SHARED, "--state", state).stdout
    assert "more" not in run("case", "claims", SHARED, "--state", state, "--all").stdout
