"""eessi-sim pki and doctor: keys on the disk, and what the machine lacks."""

import socket
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.helpers.commands import run, run_json

from eessi_sim.cli import doctor
from eessi_sim.cli.doctor import Health
from eessi_sim.errors import DefinitionError

IDS = ("--institution", "NO:NAVAT07", "--institution", "PL:ZUS01", "--algorithm", "p-256")


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    """A folder with keys of two institutions."""
    folder = tmp_path / "keys"
    assert run("pki", "init", folder, *IDS).exit_code == 0
    return folder


def test_keys_are_readable_by_their_owner_only(keys: Path) -> None:
    """Private keys are nobody else's business."""
    assert {path.stat().st_mode & 0o777 for path in keys.rglob("*.key")} == {0o600}


def test_every_party_has_three_certificates(keys: Path) -> None:
    """TLS, messages and seal have a key each."""
    names = sorted(path.relative_to(keys).as_posix() for path in keys.rglob("*.pem"))
    assert names[:3] == ["NO_NAVAT07/ebms.pem", "NO_NAVAT07/seal.pem", "NO_NAVAT07/tls.pem"]


def test_keys_are_never_overwritten(keys: Path) -> None:
    """A folder that has an authority is left alone."""
    result = run("pki", "init", keys, *IDS)
    assert result.exit_code == 3
    assert "its keys would be lost" in result.stderr


def test_without_names_the_demo_network_gets_keys(tmp_path: Path) -> None:
    """Access point and institutions of the demo network are the default."""
    result = run_json("pki", "init", tmp_path / "keys", "--algorithm", "p-256")
    assert "NO:NAVAT07" in result["parties"]


def test_a_party_that_is_none_is_a_usage_error(tmp_path: Path) -> None:
    """Keys are for institutions."""
    assert run("pki", "init", tmp_path / "keys", "--institution", "NAV").exit_code == 2


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    """A folder that cannot be made is exit status 3."""
    (tmp_path / "file").write_text("")
    assert run("pki", "init", tmp_path / "file" / "keys", *IDS).exit_code == 3


def test_certificates_are_shown_with_their_state(keys: Path) -> None:
    """Each certificate is valid when it was just made."""
    result = run_json("pki", "show", keys)
    assert {each["state"] for each in result["certificates"]} == {"valid"}
    assert len(result["certificates"]) == 6
    assert result["authority"]["key"] == "EC 256"


@pytest.mark.parametrize(("at", "state"), [("2010-01-01", "not yet valid"), ("2090-01-01", "expired")])
def test_certificates_are_judged_at_a_time(keys: Path, at: str, state: str) -> None:
    """--at shows the past and the future."""
    assert {each["state"] for each in run_json("pki", "show", keys, "--at", at)["certificates"]} == {state}


def test_certificates_are_a_table(keys: Path) -> None:
    """For people there is one line for each certificate."""
    text = run("pki", "show", keys).stdout
    assert text.count("NO:NAVAT07") == 3
    assert "CN=EESSI simulator CA" in text


def test_the_folder_of_a_network_is_shown(keys: Path) -> None:
    """A network keeps its keys in pki."""
    keys.rename(keys.with_name("pki"))
    assert run("pki", "show", keys.parent).exit_code == 0


def test_a_folder_without_authority_says_how_to_make_one(tmp_path: Path) -> None:
    """An empty folder is exit status 3."""
    result = run("pki", "show", tmp_path)
    assert result.exit_code == 3
    assert "eessi-sim pki init" in result.stderr


def test_a_certificate_is_revoked(keys: Path) -> None:
    """A revocation is in the list and in the state."""
    result = run("pki", "revoke", keys, "NO:NAVAT07", "seal", "--at", "2026-05-01")
    assert "since 2026-05-01 00:00 UTC" in result.stdout
    states = {
        (each["party"], each["purpose"]): each["state"]
        for each in run_json("pki", "show", keys)["certificates"]
    }
    assert states["NO:NAVAT07", "seal"] == "revoked 2026-05-01"
    assert states["NO:NAVAT07", "ebms"] == "valid"


def test_a_revoked_seal_is_not_believed_any_more(keys: Path, tmp_path: Path) -> None:
    """verify reads the revocation list beside the authority."""
    signed = tmp_path / "signed.xml"
    sample = run("sample", "A003").stdout_bytes
    run("sign", "-", "--as", "NO:NAVAT07", "--state", keys, "-o", signed, stdin=sample)
    assert run("verify", signed, "--ca", keys / "ca.pem").exit_code == 0
    run("pki", "revoke", keys, "NO:NAVAT07", "seal", "--at", "2020-01-01")
    assert "REVOKED" in run("verify", signed, "--ca", keys / "ca.pem").stdout


def test_a_revocation_as_json_has_its_time(keys: Path) -> None:
    """The first revocation stays."""
    run("pki", "revoke", keys, "NO:NAVAT07", "tls", "--at", "2026-05-01")
    result = run_json("pki", "revoke", keys, "NO:NAVAT07", "tls", "--at", "2026-06-01")
    assert result["revoked_at"] == "2026-05-01T00:00:00.000Z"


def test_a_party_without_keys_names_the_nearest(keys: Path) -> None:
    """Only who has keys can lose them."""
    result = run("pki", "revoke", keys, "NO:NAVAT70", "seal")
    assert result.exit_code == 2
    assert 'Did you mean "NO:NAVAT07"?' in result.stderr


def test_a_certificate_that_was_removed_is_one_sentence(keys: Path) -> None:
    """A file that is gone is exit status 3."""
    (keys / "NO_NAVAT07" / "seal.pem").unlink()
    assert run("pki", "revoke", keys, "NO:NAVAT07", "seal").exit_code == 3
    assert len(run_json("pki", "show", keys)["certificates"]) == 5


def test_this_machine_is_healthy(tmp_path: Path) -> None:
    """Where the tests run, nothing that is needed is missing."""
    result = run("doctor", "--state", tmp_path / "not" / "yet")
    assert result.exit_code == 0
    assert "SED definitions" in result.stdout


def test_health_as_json_has_the_documented_shape() -> None:
    """The JSON form is stable."""
    result = run_json("doctor")
    assert result["healthy"] is True
    assert set(result["findings"][0]) == {"what", "health", "detail", "hint"}


def test_a_machine_that_lacks_something_ends_with_3(tmp_path: Path) -> None:
    """A state folder that cannot be made is a failure."""
    (tmp_path / "file").write_text("")
    result = run("doctor", "--state", tmp_path / "file" / "state")
    assert result.exit_code == 3
    assert "cannot write to" in result.stdout


def test_an_old_python_fails() -> None:
    """Python has to be new enough."""
    assert doctor.python((3, 9, 1)).health is Health.FAIL


def test_a_library_that_is_missing_fails() -> None:
    """A library that is needed fails; an optional one warns."""
    assert doctor.library("eessi-no-such-library").health is Health.FAIL
    assert doctor.library("eessi-no-such-library", "faster").health is Health.WARN


def test_definitions_that_are_missing_fail(tmp_path: Path) -> None:
    """No definitions, or none that can be read, are a failure."""

    def broken() -> int:
        raise DefinitionError("Expected a file", hint="Make one.")

    assert doctor.definitions("SEDs", lambda: 0, lambda: tmp_path).health is Health.FAIL
    assert doctor.definitions("SEDs", broken, lambda: tmp_path).hint == "Make one."


def test_a_program_that_is_missing_warns() -> None:
    """Programs of others are optional."""
    assert doctor.program("eessi-no-such-program", "helps").health is Health.WARN


@pytest.mark.parametrize(("year", "health"), [(1970, Health.FAIL), (2026, Health.OK), (2999, Health.FAIL)])
def test_a_clock_that_cannot_be_right_fails(year: int, health: Health) -> None:
    """Certificates depend on the clock."""
    assert doctor.clock(datetime(year, 3, 2, tzinfo=UTC)).health is health


def test_a_disk_that_is_nearly_full_warns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run needs some room."""
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": 10})())
    assert doctor.folder(tmp_path).health is Health.WARN


def test_a_loopback_that_is_closed_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nodes listen on the loopback interface."""

    def refuse(*_: object) -> None:
        raise OSError(13, "Permission denied")

    monkeypatch.setattr(socket.socket, "bind", refuse)
    assert doctor.port().health is Health.FAIL
