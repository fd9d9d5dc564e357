"""``eessi-sim bulk``: from a table to a document and back."""

import json
from pathlib import Path

import pytest
from tests.helpers.commands import run, run_json


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A template, and the document made of it."""
    made = tmp_path_factory.mktemp("bulk")
    assert run("bulk", "template", "U020", "-o", made / "claims.csv").exit_code == 0
    assert run("bulk", "import", "U020", made / "claims.csv", "-o", made / "claim.xml").exit_code == 0
    return made


def test_list_names_the_bulk_seds() -> None:
    """Those of the newest version are the six of the sector."""
    found = run_json("bulk", "list")
    assert [each["sed"] for each in found if each["version"] == "4.4"] == [
        "U020",
        "U023",
        "U024",
        "U026",
        "U027",
        "U029",
    ]
    assert "U029" in run("bulk", "list").stdout


def test_table_is_checked_without_writing(folder: Path) -> None:
    """--json without a file only says whether the table is good; ids that it lacks are made."""
    assert run_json("bulk", "import", "U020", folder / "claims.csv")["valid"]
    contested = run("bulk", "template", "U023").stdout
    assert run_json("bulk", "import", "U023", "-", stdin=contested)["problems"] == []


def test_template_is_imported_as_it_is(folder: Path) -> None:
    """The document is valid, and says the same as a table again."""
    assert run("validate", folder / "claim.xml").exit_code == 0
    again = run("bulk", "show", folder / "claim.xml", "--csv").stdout
    first = (folder / "claims.csv").read_text().splitlines()[1].split(",")
    assert again.splitlines()[1].split(",")[: len(first)] == first


def test_template_tells_all_columns() -> None:
    """--json has path and meaning of each, --all those that are seldom used."""
    usual, every = run_json("bulk", "template", "U020"), run_json("bulk", "template", "U020", "--all")
    assert {each["usual"] for each in usual} == {True}
    assert len(every) > len(usual)
    birth = next(each for each in every if each["column"] == "date birth")
    assert (birth["path"], birth["required"]) == ("Person/PersonIdentification/dateBirth", True)
    assert run("bulk", "template", "U020", "--all").stdout.startswith("family name,")


def test_document_goes_to_standard_output(folder: Path) -> None:
    """Without a file standard output carries the document, and what is said goes to standard error."""
    result = run("bulk", "import", "U020", "-", stdin=(folder / "claims.csv").read_bytes())
    assert result.stdout.startswith("<?xml")
    assert "3 claims" in result.stderr
    assert "--master" in result.stderr


def test_wrong_rows_are_all_told(folder: Path, tmp_path: Path) -> None:
    """Nothing is written, and the exit status is 1."""
    bad = (folder / "claims.csv").read_text().replace("1990-10-23", "23.10.1990").replace("Nowicki", "")
    (tmp_path / "bad.csv").write_text(bad)
    result = run("bulk", "import", "U020", tmp_path / "bad.csv", "-o", tmp_path / "x.xml")
    assert (result.exit_code, (tmp_path / "x.xml").exists()) == (1, False)
    assert "23.10.1990" in result.stdout
    found = run_json("bulk", "import", "U020", tmp_path / "bad.csv")
    assert [(each["line"], each["column"]) for each in found["problems"]] == [
        (2, "date birth"),
        (4, "family name"),
    ]
    assert (found["valid"], found["file"]) == (False, None)


def test_more_rows_go_into_a_document(folder: Path, tmp_path: Path) -> None:
    """Rows are added, the master stays."""
    lines = (folder / "claims.csv").read_text().splitlines()
    (tmp_path / "more.csv").write_text("\n".join([lines[0], "4" + lines[3][1:]]))
    target = tmp_path / "four.xml"
    found = run_json(
        "bulk", "import", "U020", tmp_path / "more.csv", "--into", folder / "claim.xml", "-o", target
    )
    assert (found["claims"], found["valid"]) == (4, True)
    shown = run_json("bulk", "show", target)
    assert [claim["family name"] for claim in shown["claims"]] == [
        "Brzezicki",
        "Wójcik",
        "Nowicki",
        "Nowicki",
    ]


def test_claims_are_shown_and_removed(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A table for people; what is taken out is gone, and the sum with it."""
    target = tmp_path / "two.xml"
    assert run_json("bulk", "remove", folder / "claim.xml", "2", "-o", target) == {
        "file": str(target),
        "claims": 2,
    }
    assert "Wójcik" not in run("bulk", "show", target).stdout
    assert "<amount>3321.90</amount>" in run("bulk", "remove", folder / "claim.xml", "2").stdout
    monkeypatch.setattr("eessi_sim.cli.bulk._SHOWN", 1)
    assert "and 2 more; --all" in run("bulk", "show", folder / "claim.xml").stdout


def test_answer_is_made_from_the_request(folder: Path, tmp_path: Path) -> None:
    """Rows for a contestation come from the request, its ids too; only reasons are left to fill in."""
    request = (folder / "claim.xml").read_text().replace("2026041700031", "4711")
    (tmp_path / "request.xml").write_text(request)
    rows = run("bulk", "template", "U023", "--from", tmp_path / "request.xml").stdout.splitlines()
    assert len(rows) == 4
    cells = rows[2].split(",")
    cells[rows[0].split(",").index("reason for contestation")] = "02"
    (tmp_path / "contested.csv").write_text("\n".join([rows[0], ",".join(cells)]))
    target = tmp_path / "u023.xml"
    found = run_json(
        "bulk",
        "import",
        "U023",
        tmp_path / "contested.csv",
        "--about",
        tmp_path / "request.xml",
        "-o",
        target,
    )
    assert (found["problems"], found["claims"]) == ([], 1)
    assert run_json("bulk", "show", target)["request"] == "4711"


def test_json_form_is_read_too(tmp_path: Path) -> None:
    """A bulk SED in RINA's JSON form is shown like one in XML."""
    form = run("sample", "U026", "--format", "json").stdout
    (tmp_path / "u026.json").write_text(form)
    assert [claim["family name"] for claim in run_json("bulk", "show", tmp_path / "u026.json")["claims"]]


def test_parts_are_joined(folder: Path, tmp_path: Path) -> None:
    """What split wrote join puts together, without the parts that were taken away."""
    parts = tmp_path / "parts"
    assert run_json("bulk", "split", folder / "claim.xml", "-o", parts)["claims"] == 3
    assert "3 claims" in run("bulk", "split", folder / "claim.xml", "-o", tmp_path / "other").stdout
    (parts / "claims" / "2.json").unlink()
    assert run_json("bulk", "join", parts, "-o", tmp_path / "joined.xml")["claims"] == 2
    assert run("validate", tmp_path / "joined.xml").exit_code == 0
    assert run("bulk", "join", parts).stdout.startswith("<?xml")
    assert run_json("bulk", "join", parts) == {"file": None, "claims": 2}
    assert (
        "joined.xml  U020 with 2 claims" in run("bulk", "join", parts, "-o", tmp_path / "joined.xml").stdout
    )
    assert run("bulk", "split", folder / "claim.xml", "-o", parts).exit_code == 3
    (parts / "master.json").write_text("{")
    assert run("bulk", "join", parts).exit_code == 1


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["template", "A003"], 1, "bulk list"),
        (["template", "U0200"], 2, "U020"),
        (["import", "U023", "claims.csv", "--master", "claim.xml"], 1, "Expected U023"),
        (["import", "U020", "claims.csv", "--master", "claim.xml", "--into", "claim.xml"], 2, "found more"),
        (["import", "U020", "claims.csv", "--about", "claim.xml"], 1, "U020 answers nothing"),
        (["show", "claims.csv"], 1, "claims.csv"),
        (["remove", "claim.xml", "17"], 1, "It has 3 claims"),
    ],
)
def test_wrong_use_is_answered_with_advice(
    folder: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], status: int, said: str
) -> None:
    """Each has its exit status, and says what to do."""
    monkeypatch.chdir(folder)
    result = run("bulk", *arguments)
    assert (result.exit_code, said in result.stderr) == (status, True), result.stderr


def test_document_that_no_node_would_read_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A document above the limit of nodes is not written; its problems are capped with a number."""
    monkeypatch.setattr("eessi_sim.cli.bulk_import.DOCUMENT_LIMITS", type("Small", (), {"max_bytes": 100}))
    found = run_json("bulk", "import", "U020", folder / "claims.csv")
    assert "no node would read it" in found["problems"][0]["message"]
    monkeypatch.setattr("eessi_sim.bulk.importing.MAX_PROBLEMS", 1)
    bad = (folder / "claims.csv").read_text().replace("-", "/")
    assert "more." in run("bulk", "import", "U020", "-", stdin=bad).stderr


def test_sample_is_needed_for_a_master(folder: Path, tmp_path: Path) -> None:
    """Definitions of others without a sample want --master."""
    from eessi_sim import resources

    ours = resources.schemas()
    for file in (*ours.glob("cdm/4.4/*.*"), *ours.glob("cdm/4.4/U/U020.[xb]*"), *ours.glob("envelope/*.xsd")):
        target = tmp_path / file.relative_to(ours)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(file.read_bytes())
    result = run("bulk", "import", "U020", folder / "claims.csv", "--cdm", tmp_path / "cdm")
    assert (result.exit_code, "--master" in result.stderr) == (1, True)
    data = json.loads(run("bulk", "list", "--cdm", tmp_path / "cdm", "--json").stdout)
    assert [each["sed"] for each in data] == ["U020"]
