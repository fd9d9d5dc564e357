"""``eessi-sim sample`` writes valid and wrong documents, ``mutation-test`` scores somebody with them."""

import json
import sys
from pathlib import Path

import pytest
from tests.helpers.commands import run, run_json

from eessi_sim import resources
from eessi_sim.cdm.sed import Sed

VALIDATE = f"{sys.executable} -m eessi_sim validate {{}}"


def test_seed_makes_a_person_up() -> None:
    """A seed is a document of its own, the same one each time, and valid."""
    one = run("sample", "A004", "--seed", "3").stdout
    assert one == run("sample", "A004", "--seed", "3").stdout
    assert one != run("sample", "A004", "--seed", "4").stdout
    assert run("validate", "-", stdin=one).exit_code == 0


def test_dialects_in_json() -> None:
    """Every form knows every dialect."""
    written = run("sample", "A004", "--seed", "1", "--dialect", "full", "--format", "json")
    assert run("validate", "-", stdin=written.stdout).exit_code == 0


def test_many_documents_go_to_a_folder(tmp_path: Path) -> None:
    """One file for each seed, from the first on."""
    run("sample", "A004", "--seed", "5", "--count", "3", "-o", tmp_path / "many")
    assert sorted(path.name for path in (tmp_path / "many").iterdir()) == [
        "A004-0005.xml",
        "A004-0006.xml",
        "A004-0007.xml",
    ]


def test_kit_has_a_manifest(tmp_path: Path) -> None:
    """Every wrong document has its row with the finding that it must cause."""
    result = run("sample", "X100", "--invalid", "all", "-o", tmp_path)
    assert result.exit_code == 0
    manifest = json.loads((tmp_path / "manifest.json").read_text(encoding="utf-8"))
    files = {path.name for path in tmp_path.glob("*.xml")}
    assert {row["file"] for row in manifest["documents"]} == files
    assert {"kind", "what", "expects"} <= set(manifest["documents"][0])
    assert Sed.read((tmp_path / manifest["documents"][0]["file"]).read_bytes()).type == "X100"


def test_one_wrong_document_comes_at_once() -> None:
    """A single document needs no folder; what is wrong with it is said beside."""
    result = run("sample", "A003", "--invalid", "A003-R04")
    assert Sed.read(result.stdout.encode()).type == "A003"
    assert "business-rule" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("A003", "--invalid", "A003-R94"), "Did you mean"),
        (("A003", "--invalid", "all"), "Expected a folder"),
        (("A003", "--count", "2"), "Expected a folder"),
        (("A003", "--invalid", "all", "--format", "json"), "wrong documents are XML"),
        (("A003", "--invalid", "all", "--dialect", "full"), "wrong documents are XML"),
    ],
)
def test_wrong_wishes_are_explained(arguments: tuple[str, ...], sentence: str) -> None:
    """What cannot be done is a usage error that says what can."""
    result = run("sample", *arguments)
    assert result.exit_code == 2
    assert sentence in result.stderr


def test_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    """Several documents do not overwrite a file."""
    file = tmp_path / "file"
    file.write_text("x", encoding="utf-8")
    assert run("sample", "A003", "--count", "2", "-o", file).exit_code == 3


def test_xmllint_is_scored(tmp_path: Path) -> None:
    """A schema validator finds the faults of the schema, and not those of the rules."""
    del tmp_path
    schema = resources.schemas() / "cdm" / "4.4" / "X" / "X010.xsd"
    command = f"xmllint --noout --schema {schema} {{}}"
    found = run_json("mutation-test", "X010", "--command", command, "--sample", "2")
    rows = {row["kind"]: row for row in found["rows"]}
    assert rows["valid"]["right"] == rows["valid"]["documents"] == 6
    assert all(row["right"] == row["documents"] for kind, row in rows.items() if kind != "rule")
    assert rows["rule"]["right"] == 0
    assert {row["kind"] for row in found["wrong"]} == {"rule"}


def test_score_is_a_table() -> None:
    """People get a table, the documents that were judged wrongly, and exit status 1."""
    result = run("mutation-test", "X010", "--command", f"{sys.executable} -c pass", "--sample", "1")
    assert result.exit_code == 1
    assert "Kind of fault" in result.stdout
    assert "documents judged rightly" in result.stdout
    assert "X010 element-missing" in result.stdout


def test_own_validator_finds_everything() -> None:
    """Our own command scores all points."""
    found = run_json("mutation-test", "X100", "--command", VALIDATE, "--sample", "1")
    assert found["wrong"] == []


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("A003",), "--endpoint or --command"),
        (("--command", "x"), "one SED or more"),
        (("A003", "--command", "x", "--refused-if", "("), "regular expression"),
        (("A003", "--command", "x 'y"), "No closing quotation"),
        (("A003", "--command", ""), "my-validator"),
    ],
)
def test_orders_that_say_too_little(arguments: tuple[str, ...], sentence: str) -> None:
    """Whom to ask, and about what, must be said."""
    result = run("mutation-test", *arguments)
    assert result.exit_code == 2
    assert sentence in result.stderr


def test_no_answer_says_why() -> None:
    """Somebody who is not there is told from somebody who accepts everything."""
    result = run("mutation-test", "X010", "--command", "no-such-program {}", "--sample", "1")
    assert "no answer ([Errno 2]" in result.stdout
