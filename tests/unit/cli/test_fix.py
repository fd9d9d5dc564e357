"""eessi-sim validate --fix: the mended copy, the list of changes, the exit status."""

import json
import re
from pathlib import Path

import pytest
from tests.helpers import evidence
from tests.helpers.commands import run, run_json
from tests.helpers.definitions import content_of
from tests.helpers.golden import assert_golden


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in, with one document that is mechanically wrong."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sed.xml").write_bytes(wrong())
    return tmp_path


def wrong() -> bytes:
    """The sample of A003 with two mechanical faults."""
    return evidence.sample().replace(b"1988-06-17", b"17.06.1988").replace(b"<value>02</value>", b"02")


def test_copy_is_written_and_changes_are_listed(folder: Path) -> None:
    """Findings with their mends, then what was changed; the copy is valid, so the exit status is 0."""
    result = run("validate", "sed.xml", "--fix", "mended.xml")
    assert_golden("cli/fix.txt", result.stdout)
    assert result.exit_code == 0
    assert content_of((folder / "mended.xml").read_bytes()) == content_of(evidence.sample())
    assert (folder / "sed.xml").read_bytes() == wrong()


def test_what_is_left_to_a_person_is_told(folder: Path) -> None:
    """With a fault that nobody can mend the copy is not valid and the exit status is 1."""
    (folder / "sed.xml").write_bytes(wrong().replace(b"<value>03</value>", b"<value>77</value>", 1))
    result = run("validate", "sed.xml", "--fix", "mended.xml")
    assert result.exit_code == 1
    assert "mended.xml  mended copy, 2 changes: not valid" in result.stdout
    assert "1 error left that only a person can put right" in result.stdout


def test_valid_document_is_copied(folder: Path) -> None:
    """Where nothing is to be mended the copy has the same octets."""
    (folder / "sed.xml").write_bytes(evidence.sample())
    result = run("validate", "sed.xml", "--fix", "mended.xml")
    assert (result.exit_code, (folder / "mended.xml").read_bytes()) == (0, evidence.sample())
    assert "mended copy, nothing mended: valid" in result.stdout


def test_copy_on_standard_output_stands_alone() -> None:
    """The report goes to standard error, so that the copy can be piped."""
    result = run("validate", "-", "--fix", "-", stdin=wrong())
    assert content_of(result.stdout.encode()) == content_of(evidence.sample())
    assert "(standard output)  mended copy, 2 changes: valid" in result.stderr


def test_json_lists_the_changes(folder: Path) -> None:
    """With --json the mends stand in the findings, the changes in a list of their own."""
    result = run_json("validate", "sed.xml", "--fix", "mended.xml")
    assert result["valid"] is False
    mends = [issue["mend"]["after"] for issue in result["files"][0]["issues"] if "mend" in issue]
    assert sorted(mends) == ["<dateBirth>1988-06-17</dateBirth>", "<sex><value>02</value></sex>"]
    assert set(result["fix"]) == {"file", "valid", "changes", "warnings", "issues"}
    assert (result["fix"]["file"], result["fix"]["valid"]) == ("mended.xml", True)
    assert {change["code"] for change in result["fix"]["changes"]} == {"date-invalid", "text-unexpected"}
    assert set(result["fix"]["changes"][0]) == {"code", "path", "sentence", "before", "after"}


def test_signed_document_needs_a_new_signature(folder: Path) -> None:
    """A signature stays, a warning says that it does not fit, and the copy is not valid."""
    (folder / "sed.xml").write_bytes(evidence.sealed(wrong()))
    result = run("validate", "sed.xml", "--fix", "mended.xml")
    assert result.exit_code == 1
    assert "sign it again" in " ".join(result.stdout.split())
    assert b"Signature>" in (folder / "mended.xml").read_bytes()


def test_message_is_refused_with_advice(folder: Path) -> None:
    """An AS4 message has no mended copy; the user is told what to do instead."""
    (folder / "message.as4").write_bytes(evidence.files()["message.as4"])
    result = run("validate", "message.as4", "--fix", "mended.as4")
    assert result.exit_code == 1
    assert "no mended copy" in result.stdout
    assert "Unpack a message first" in " ".join(result.stdout.split())
    assert not (folder / "mended.as4").exists()
    assert run_json("validate", "message.as4", "--fix", "mended.as4")["fix"]["file"] is None


def test_what_cannot_be_read_has_no_copy(folder: Path) -> None:
    """The sentence about broken XML stands in place of the changes, with and without advice."""
    (folder / "sed.xml").write_bytes(b"<A003")
    assert run_json("validate", "sed.xml", "--fix", "mended.xml")["fix"]["warnings"][0].startswith(
        "Expected well-formed"
    )
    latin = json.dumps({"A003": "ö"}, ensure_ascii=False).encode("latin-1")
    (folder / "sed.json").write_bytes(latin)
    assert run_json("validate", "sed.json", "--fix", "mended.json")["fix"]["warnings"][0].endswith(
        "nobody can read."
    )


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("sed.xml", "sed.xml"), "Expected one document beside --fix, found 2"),
        (("sed.xml", "--format", "junit"), "Expected --format text or json beside --fix, found junit"),
    ],
)
@pytest.mark.usefixtures("folder")
def test_options_that_do_not_fit(arguments: tuple[str, ...], sentence: str) -> None:
    """One document, and a report for people or programs."""
    result = run("validate", *arguments, "--fix", "mended.xml")
    assert result.exit_code == 2
    assert sentence in result.stderr


def test_long_fragment_is_shortened(folder: Path) -> None:
    """The text report shows the beginning and the end of a long fragment."""
    swapped = re.sub(
        "(<familyName>.*?</familyName>)(.*?)(<forename>.*?</forename>)",
        r"\3\2\1",
        evidence.sample().decode(),
        count=1,
        flags=re.DOTALL,
    )
    (folder / "sed.xml").write_text(swapped)
    text = run("validate", "sed.xml").stdout
    assert "<PersonIdentification><familyName>" in text
    assert " …" in text
