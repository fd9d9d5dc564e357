"""The installed command as a user calls it, for everything that needs no network."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.helpers import evidence


def call(*arguments: object, folder: Path, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """Run ``eessi-sim`` in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "eessi_sim", *map(str, arguments)],
        cwd=folder,
        input=stdin,
        capture_output=True,
        timeout=120,
        env={**os.environ, "COLUMNS": "100", "PYTHONIOENCODING": "utf-8"},
    )


def succeed(*arguments: object, folder: Path) -> str:
    """Run a command that has to end with 0 and return what it printed."""
    result = call(*arguments, folder=folder)
    assert result.returncode == 0, result.stderr.decode()
    return result.stdout.decode()


def test_help_imports_nothing_heavy(tmp_path: Path) -> None:
    """--help answers at once, because no library for XML, keys, HTTP or tables is imported."""
    script = (
        "import sys\n"
        "from eessi_sim.cli.main import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit as end:\n    assert not end.code\n"
        "heavy = {'lxml', 'aiohttp', 'cryptography', 'rich', 'xmlschema', 'yaml', 'asyncio'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
    )
    result = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True)
    assert result.returncode == 0, result.stderr.decode()


def test_a_document_of_ones_own_from_sample_to_verified_signature(tmp_path: Path) -> None:
    """A newcomer takes a sample, validates, signs and verifies it."""
    succeed("sample", "A003", "-o", "a003.xml", folder=tmp_path)
    assert "A003 of CDM 4.4: valid" in succeed("validate", "a003.xml", folder=tmp_path)
    succeed("sign", "a003.xml", "-o", "signed.xml", folder=tmp_path)
    text = succeed("verify", "signed.xml", "--ca", "signed.ca.pem", folder=tmp_path)
    assert "The seal is intact, and the signer is trusted" in text


def test_keys_of_ones_own_from_making_to_revoking(tmp_path: Path) -> None:
    """Keys are made, used, shown and revoked."""
    ids = ("--institution", "NO:NAVAT07", "--algorithm", "p-256")
    succeed("pki", "init", "keys", *ids, folder=tmp_path)
    succeed("sample", "A012", "-o", "a012.xml", folder=tmp_path)
    succeed("sign", "a012.xml", "--as", "NO:NAVAT07", "--state", "keys", "-o", "s.xml", folder=tmp_path)
    succeed("verify", "s.xml", "--ca", "keys/ca.pem", folder=tmp_path)
    succeed("pki", "revoke", "keys", "NO:NAVAT07", "seal", "--at", "2020-01-01", folder=tmp_path)
    assert "revoked 2020-01-01" in succeed("pki", "show", "keys", folder=tmp_path)
    assert call("verify", "s.xml", "--ca", "keys/ca.pem", folder=tmp_path).returncode == 1


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("--version",), "eessi-sim, version"),
        (("sample", "--list"), "P2000"),
        (("sample", "U002", "--format", "json"), '"U002"'),
        (("seds", "list"), "Determination of Applicable Legislation"),
        (("seds", "show", "A012"), "Business rules"),
        (("bucs", "list"), "LA_BUC_02"),
        (("bucs", "show", "UB_BUC_01"), "A counterparty (CP) may send"),
        (("bucs", "draw", "P_BUC_01"), "flowchart LR"),
        (("bucs", "check"), "nothing found"),
        (("institutions", "list"), "NO:NAVAT07"),
        (("institutions", "show", "NO:NAVAT07"), "Competences"),
        (("doctor",), "loopback port"),
    ],
)
def test_what_there_is_can_be_looked_at(tmp_path: Path, arguments: tuple[str, ...], word: str) -> None:
    """The catalogue and the machine are shown."""
    assert word in succeed(*arguments, folder=tmp_path)


@pytest.mark.parametrize(
    "arguments",
    [
        ("sample", "--list"),
        ("seds", "list"),
        ("seds", "show", "P2000"),
        ("bucs", "list"),
        ("bucs", "show", "LA_BUC_02"),
        ("bucs", "check"),
        ("institutions", "list"),
        ("institutions", "show", "PL:ZUS01"),
        ("doctor",),
    ],
)
def test_programs_get_json(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    """--json writes JSON and nothing else on standard output."""
    json.loads(succeed(*arguments, "--json", folder=tmp_path))


@pytest.mark.parametrize(
    ("arguments", "stdin", "status", "sentence"),
    [
        (("validate", "-"), b"<A003", 1, b"Expected well-formed XML"),
        (("validate", "-"), b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>', 1, b"Expected no document type"),
        (("validate", "-"), b"<letter/>", 1, b"Expected a SED in a namespace"),
        (("validate", "-"), b'{"A003": {}}', 1, b"sedGVer"),
        (("validate", "-"), b"", 1, b"found nothing at the start"),
        (("validate", "none.xml"), b"", 3, b'Expected a file at "none.xml", found none'),
        (("validate",), b"", 2, b"Missing argument"),
        (("verify", "-"), b"hello", 1, b"found neither XML nor a message"),
        (("verify", "."), b"", 3, b"Expected messages in"),
        (("sign", "-"), b"<letter/>", 1, b"not-a-sed"),
        (("sign", "-", "--as", "NO:NAVAT07"), b"", 2, b"--as and --state together"),
        (("sample", "A0003"), b"", 2, b'Did you mean "A003"'),
        (("seds", "show", "A999"), b"", 2, b"Expected a SED that is defined"),
        (("bucs", "show", "LA_BUC_99"), b"", 2, b"Did you mean"),
        (("institutions", "show", "NO:NAVAT08"), b"", 2, b'"NO:NAVAT07"'),
        (("pki", "show", "none"), b"", 3, b"eessi-sim pki init"),
        (("doctor", "--state", "taken/state"), b"", 3, b"cannot write to"),
        (("valdate",), b"", 2, b'Did you mean "validate"'),
    ],
)
def test_bad_input_is_a_sentence_and_a_status(
    tmp_path: Path, arguments: tuple[str, ...], stdin: bytes, status: int, sentence: bytes
) -> None:
    """Whatever is wrong: one sentence that says so, the exit status that fits, no stack trace."""
    (tmp_path / "taken").write_text("a file where a folder is wanted")
    result = call(*arguments, folder=tmp_path, stdin=stdin)
    assert result.returncode == status, result.stderr.decode()
    said = b" ".join((result.stdout + result.stderr).split())
    assert sentence in said
    assert b"Traceback" not in said


def test_a_finding_in_json_is_json(tmp_path: Path) -> None:
    """An error with --json leaves JSON on standard output, too."""
    result = call("validate", "none.xml", "--json", folder=tmp_path)
    assert json.loads(result.stdout)["error"]["code"] == "environment"


def test_a_report_that_was_changed_is_found(tmp_path: Path) -> None:
    """The evidence of a run is verified without the simulator that made it."""
    place = evidence.write_run(tmp_path / "report", index=True)
    succeed("verify", "report", folder=tmp_path)
    path = place / "receipt.xml"
    path.write_bytes(path.read_bytes().replace(b"NO:NAVAT07", b"NO:NAVAT08"))
    result = call("verify", "report", "--explain", folder=tmp_path)
    assert result.returncode == 1
    assert b"receipt.xml" in result.stdout


def test_output_into_a_closed_pipe_is_no_error(tmp_path: Path) -> None:
    """Whoever pipes into head gets no stack trace."""
    command = f"{sys.executable} -m eessi_sim seds show P2000 | head -1"
    result = subprocess.run(["/bin/sh", "-c", command], cwd=tmp_path, capture_output=True)
    assert b"Traceback" not in result.stderr
    assert b"P2000" in result.stdout
