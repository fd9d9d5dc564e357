"""``case`` and ``verify`` on the folder of a network that was played and does not run."""

import asyncio
from pathlib import Path

import pytest
from tests.helpers.case_archives import spoiled, state_folder
from tests.helpers.commands import run, run_json
from tests.helpers.process_networks import NORWAY, POLAND

from eessi_sim.storage.sqlite import SqliteStorage
from eessi_sim.zipsafe import is_zip


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the network."""
    return state_folder(tmp_path_factory.mktemp("case")).path


@pytest.fixture(scope="module")
def case(state: Path) -> str:
    """The id that both copies of the only case share."""
    return asyncio.run(_only_case(state))


async def _only_case(state: Path) -> str:
    storage = SqliteStorage(state / "nodes" / f"{NORWAY.file_name}.sqlite")
    (found,) = await storage.node(NORWAY).cases()
    await storage.close()
    return str(found.international_id)


@pytest.fixture(scope="module")
def exported(state: Path, case: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The archive of the case owner."""
    target = tmp_path_factory.mktemp("archive") / "case.zip"
    assert run("case", "export", case, "--state", state, "-o", target).exit_code == 0
    return target


def test_an_exported_case_is_proved_without_the_network(exported: Path) -> None:
    """What export writes verify believes, by the authority in the archive."""
    result = run("verify", exported)
    assert result.exit_code == 0
    assert "all passed" in result.stdout
    assert "by the authority in the archive itself" in result.stdout.replace("\n", " ")


def test_an_authority_of_ones_own_is_believed(exported: Path, state: Path) -> None:
    """--ca stands above the authority in the archive."""
    result = run("verify", exported, "--ca", state / "pki" / "ca.pem")
    assert "by the authority named with --ca" in result.stdout


def test_a_spoiled_archive_is_a_finding(exported: Path, tmp_path: Path) -> None:
    """What was changed is named, with exit status 1."""
    target = tmp_path / "spoiled.zip"
    target.write_bytes(spoiled(lambda files: files.pop("case.json"), exported.read_bytes()))
    result = run("verify", target)
    assert "case.json" in result.stdout
    assert result.exit_code == 1


def test_export_says_what_it_wrote(state: Path, case: str, tmp_path: Path) -> None:
    """The copy of the case owner is taken when nobody is named."""
    target = tmp_path / "case.zip"
    said = run_json("case", "export", case, "--state", state, "-o", target)
    assert (said["case"], said["node"]) == (case, NORWAY)
    assert is_zip(target.read_bytes())


def test_the_copy_of_another_institution_is_exported_by_name(state: Path, case: str, tmp_path: Path) -> None:
    """--node names whose copy."""
    said = run_json("case", "export", case, "--state", state, "--node", POLAND, "-o", tmp_path / "case.zip")
    assert said["node"] == POLAND


def test_an_unknown_case_is_told(state: Path, tmp_path: Path) -> None:
    """Nothing is written for a case that there is not."""
    result = run("case", "export", "77", "--state", state, "-o", tmp_path / "case.zip")
    assert 'found none with id "77"' in result.stderr
    assert not (tmp_path / "case.zip").exists()


def test_an_unknown_node_is_told(state: Path, case: str, tmp_path: Path) -> None:
    """The nearest name is offered."""
    result = run("case", "export", case, "--state", state, "--node", "NO:NAVAT", "-o", tmp_path / "case.zip")
    assert NORWAY in result.stderr


def test_a_folder_without_authority_proves_nothing(state: Path, case: str, tmp_path: Path) -> None:
    """Export needs the authority that the folder of a network has."""
    hidden = state / "pki" / "ca.crl"
    content = hidden.read_bytes()
    hidden.unlink()
    try:
        result = run("case", "export", case, "--state", state, "-o", tmp_path / "case.zip")
    finally:
        hidden.write_bytes(content)
    assert "Expected the authority of the network" in result.stderr


def test_a_masked_case_is_proved_but_for_what_is_hidden(state: Path, case: str, tmp_path: Path) -> None:
    """What cannot be verified is said, and with the openings the seals can be."""
    target, secret = tmp_path / "masked.zip", tmp_path / "secret.json"
    said = run_json("case", "export", case, "--state", state, "--mask", "-o", target, "--openings", secret)
    assert said["masked"] is True
    masked, opened = run("verify", target), run("verify", target, "--openings", secret)
    assert (masked.exit_code, opened.exit_code) == (0, 0)
    assert "The seal of the document cannot be verified (masked)" in masked.stdout
    assert "cannot be verified (masked)" in masked.stdout.splitlines()[-2]
    assert "The seal of the document cannot be verified" not in opened.stdout


def test_openings_without_mask_are_wrong_usage(state: Path, case: str, tmp_path: Path) -> None:
    """Nothing is hidden then."""
    result = run(
        "case", "export", case, "--state", state, "-o", tmp_path / "a.zip", "--openings", tmp_path / "b"
    )
    assert "Expected --mask beside --openings" in result.stderr
    assert result.exit_code == 2


def test_list_shows_each_case_once(state: Path, case: str) -> None:
    """The copy of the case owner stands for all."""
    assert [
        (each["case"], each["node"], each["peers"]) for each in run_json("case", "list", "--state", state)
    ] == [(case, NORWAY, [POLAND])]
    assert case in run("case", "list", "--state", state).stdout


def test_list_shows_the_copies_of_one_institution(state: Path) -> None:
    """--node chooses whose."""
    (found,) = run_json("case", "list", "--state", state, "--node", POLAND)
    assert (found["node"], found["role"]) == (POLAND, "CP")


def test_show_tells_times_per_document_and_peer(state: Path, case: str) -> None:
    """Sent, receipted, answered and by what; sums per peer."""
    found = run_json("case", "show", case, "--state", state)
    request, reply = found["exchanges"]
    assert (request["sed"], request["peer"], request["answered_by"]) == ("A003", POLAND, "A012")
    assert request["receipted_at"] is not None
    assert (reply["direction"], reply["answer"]) == ("IN", "")
    assert found["by_peer"][0]["receipts"]["number"] == 1


def test_show_prints_a_table(state: Path, case: str) -> None:
    """A person reads who answered what."""
    result = run("case", "show", case, "--state", state)
    assert result.exit_code == 0
    assert f"→ {POLAND}" in result.stdout
    assert "A012" in result.stdout


def test_peers_are_summed_up_over_all_cases(state: Path) -> None:
    """From both sides: Norway's answers come from Poland, Poland's receipts from Norway."""
    found = run_json("case", "peers", "--state", state)
    assert (NORWAY, POLAND, 1) in [(each["node"], each["peer"], each["cases"]) for each in found]
    assert POLAND in run("case", "peers", "--state", state, "--node", NORWAY).stdout


def test_nothing_is_overdue_when_everything_was_answered(state: Path) -> None:
    """The exit status is 0, also long after."""
    assert run_json("case", "overdue", "--state", state, "--at", "2036-01-01") == []
    assert run("case", "overdue", "--state", state).exit_code == 0


def test_show_tells_what_can_be_done_in_rinas_words(state: Path, case: str) -> None:
    """With --json: every action that can be used now, and open suggestions."""
    found = run_json("case", "show", case, "--state", state)
    names = {each["text"]: each["rina"]["display_name"] for each in found["actions"]}
    assert (names["Create X009"], names["Update A003"]) == ("Create Reminder", "Update")
    assert found["suggestions"] == []
    assert [each["article"] for each in found["limits"]] == ["Decision A1"]
