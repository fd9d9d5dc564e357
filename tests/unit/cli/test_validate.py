"""eessi-sim validate: what is wrong, where, why, and what to change."""

from pathlib import Path

import pytest
from lxml import etree
from tests.helpers import definitions, evidence
from tests.helpers.commands import run, run_json
from tests.helpers.golden import assert_golden

from eessi_sim import zipsafe

CDM = definitions.FOLDER


def write(folder: Path, data: bytes, name: str = "sed.xml") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def broken_sample() -> bytes:
    """The sample of A901 with one fault of each kind."""
    return (
        definitions.sample()
        .replace(b"<town>Oslo</town>", b"<city>Oslo</city>")
        .replace(b"<value>PL</value>", b"<value>POL</value>")
        .replace(b"2026-12-31", b"2025-12-31")
    )


def test_a_valid_sed_passes() -> None:
    """A valid SED is one line and exit status 0."""
    result = run("validate", "-", stdin=evidence.sample())
    assert result.stdout == "✓ (standard input)  A003 of CDM 4.4: valid\n"
    assert result.exit_code == 0


def test_findings_show_line_rule_hint_and_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every finding shows its line with a caret, rule, hint and source."""
    monkeypatch.chdir(tmp_path)
    write(tmp_path, broken_sample())
    result = run("validate", "sed.xml", "--cdm", CDM)
    assert result.exit_code == 1
    assert_golden("cli/validate.txt", result.stdout)


def test_findings_in_a_document_of_one_line_have_their_own_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a document without line ends the caret stands under the element in question."""
    monkeypatch.chdir(tmp_path)
    one_line = b"".join(line.strip() for line in broken_sample().splitlines())
    write(tmp_path, one_line)
    assert_golden("cli/validate-one-line.txt", run("validate", "sed.xml", "--cdm", CDM).stdout)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"<A003", "xml"),
        (b"<!DOCTYPE a []><a/>", "xml-forbidden"),
        (b'<a:A999 xmlns:a="http://ec.europa.eu/eessi/ns/4_4/A999"/>', "sed-unknown"),
        (b"<letter/>", "not-a-sed"),
        (b'{"A003": ', "sed"),
        (b"hello", "sed"),
        (b"", "sed"),
        (b"--x\r\n\r\nhello\r\n--x--", "ebms"),
    ],
)
def test_bad_input_is_a_finding(data: bytes, code: str) -> None:
    """Whatever is given, the answer is a finding with a code and exit status 1."""
    result = run_json("validate", "-", stdin=data)
    assert result["valid"] is False
    assert [issue["code"] for issue in result["files"][0]["issues"]] == [code]


def test_bad_input_ends_with_1() -> None:
    """A finding is exit status 1."""
    assert run("validate", "-", stdin=b"<A003").exit_code == 1


def test_a_fault_of_the_syntax_is_marked(tmp_path: Path) -> None:
    """A caret marks the column that the parser names."""
    result = run("validate", write(tmp_path, b"<A003>\n  <b></c>\n</A003>"))
    lines = result.stdout.splitlines()
    at = next(number for number, line in enumerate(lines) if "<b></c>" in line)
    assert lines[at + 1].strip().strip("| ") == "^"


def test_an_oversized_file_is_a_finding_and_is_not_read(tmp_path: Path) -> None:
    """A file beyond the limit is refused by its size."""
    path = tmp_path / "big.xml"
    with path.open("wb") as file:
        file.truncate(201 * 1024 * 1024)
    result = run("validate", path)
    assert result.exit_code == 1
    assert "xml-too-large" in result.stdout


def test_a_missing_file_is_one_sentence(tmp_path: Path) -> None:
    """A file that is not there is exit status 3, before any other is examined."""
    valid = write(tmp_path, evidence.sample())
    result = run("validate", valid, tmp_path / "none.xml")
    assert (result.exit_code, result.stdout) == (3, "")
    assert result.stderr.startswith("environment: Expected a file at")


def test_several_files_are_counted(tmp_path: Path) -> None:
    """Of several files, the last line says how many are not valid."""
    good, bad = write(tmp_path, evidence.sample()), write(tmp_path, b"<a/>", "bad.xml")
    assert run("validate", good, bad).stdout.endswith("\n\n2 files, 1 not valid\n")
    assert run("validate", good, good).stdout.endswith("\n\n2 files, all valid\n")


def test_a_signature_that_is_intact_is_told(tmp_path: Path) -> None:
    """A signature is checked where there is one; trust only when asked for."""
    text = " ".join(run("validate", write(tmp_path, evidence.sealed())).stdout.split())
    assert "✓ The seal is intact; signed by CN=PL:ZUS001 seal" in text
    assert "whether to trust the signer was not asked (--ca)" in text


def test_a_signer_is_trusted_by_an_authority_that_is_named(tmp_path: Path) -> None:
    """With --ca the certificate is judged, too."""
    evidence.belief(tmp_path)
    path = write(tmp_path, evidence.sealed())
    result = run_json("validate", path, "--ca", tmp_path / "ca.pem")
    assert result["files"][0]["signatures"][0]["trusted"] is True


def test_a_signer_may_be_judged_at_another_time(tmp_path: Path) -> None:
    """With --at an expired certificate is a finding."""
    evidence.belief(tmp_path)
    path = write(tmp_path, evidence.sealed())
    result = run_json("validate", path, "--ca", tmp_path / "ca.pem", "--at", "2035-01-01")
    assert [issue["rule"] for issue in result["files"][0]["issues"]] == ["EXPIRED"]


def test_a_broken_signature_is_a_finding(tmp_path: Path) -> None:
    """A SED that was changed after signing is not valid."""
    result = run("validate", write(tmp_path, evidence.sealed().replace(b"Halina", b"Helina")))
    assert result.exit_code == 1
    assert "✗ seal is broken, see below" in result.stdout
    assert "HASH_FAILURE (seal)" in result.stdout


@pytest.mark.parametrize(
    ("name", "what"),
    [("sbdh.xml", "envelope with A003 of CDM 4.4"), ("message.as4", "AS4 message with A003 of CDM 4.4")],
)
def test_the_frame_of_a_sed_is_named(tmp_path: Path, name: str, what: str) -> None:
    """The first line says what the file is."""
    path = write(tmp_path, evidence.files()[name], name)
    assert f"{what}: valid" in run("validate", path).stdout


def test_a_rule_may_be_left_out(tmp_path: Path) -> None:
    """--disable leaves a business rule out."""
    path = write(tmp_path, definitions.sample().replace(b"2026-12-31", b"2025-12-31"))
    assert run("validate", path, "--cdm", CDM).exit_code == 1
    assert run("validate", path, "--cdm", CDM, "--disable", "A901-R01").exit_code == 0


def test_a_folder_without_definitions_is_a_usage_error(tmp_path: Path) -> None:
    """--cdm has to name a folder of definitions."""
    result = run("validate", "-", "--cdm", tmp_path, stdin=b"")
    assert result.exit_code == 2
    assert "Expected schemas like A003-4.4.xsd or 4.4/LA/A003.xsd" in result.stderr


def test_a_time_that_is_none_is_a_usage_error() -> None:
    """--at has to be a time."""
    result = run("validate", "-", "--at", "tomorrow", stdin=b"")
    assert result.exit_code == 2
    assert 'found "tomorrow"' in result.stderr


def test_findings_beyond_the_limit_are_counted(tmp_path: Path) -> None:
    """A document with very many faults says how many are not shown."""
    many = definitions.sample().replace(b"<amount>", b"<bad/>" * 130 + b"<amount>")
    assert "and 30 further findings" in run("validate", write(tmp_path, many), "--cdm", CDM).stdout


def test_json_has_the_documented_shape(tmp_path: Path) -> None:
    """The JSON form is stable."""
    result = run_json("validate", write(tmp_path, broken_sample()), "--cdm", CDM)
    assert set(result) == {"valid", "files"}
    assert set(result["files"][0]["issues"][0]) <= {
        "severity",
        "code",
        "path",
        "message",
        "line",
        "column",
        "hint",
        "rule",
        "source",
        "confidence",
        "expected",
        "found",
        "mend",
    }


@pytest.mark.parametrize(
    ("form", "root"), [("junit", "testsuites"), ("svrl", "schematron-output"), ("trl", "TestStepReport")]
)
def test_report_for_another_tool_is_written(form: str, root: str, tmp_path: Path) -> None:
    """--format and -o write the report of another tool, and the exit status stays."""
    target = tmp_path / "report.xml"
    file = write(tmp_path, broken_sample())
    result = run("validate", file, "--cdm", CDM, "--format", form, "-o", target)
    assert (result.exit_code, result.stdout) == (1, "")
    assert etree.QName(etree.parse(str(target)).getroot()).localname == root


def test_folder_stands_for_its_documents(tmp_path: Path) -> None:
    """All documents below a folder are examined, other files are not."""
    write(tmp_path, evidence.sample())
    (tmp_path / "sub").mkdir()
    write(tmp_path / "sub", evidence.sample(), "b.xml")
    write(tmp_path, b"no document", "notes.txt")
    document = run_json("validate", tmp_path)
    assert sorted(Path(each["file"]).name for each in document["files"]) == ["b.xml", "sed.xml"]
    assert document["valid"]


def test_folder_without_documents_is_a_usage_error(tmp_path: Path) -> None:
    """An empty folder would otherwise pass as valid."""
    result = run("validate", tmp_path)
    assert result.exit_code == 2
    assert "found none" in result.stderr


def test_output_without_a_report_format_is_a_usage_error(tmp_path: Path) -> None:
    """Text and JSON go to standard output."""
    result = run("validate", write(tmp_path, evidence.sample()), "-o", tmp_path / "x")
    assert result.exit_code == 2
    assert "junit" in result.stderr


def test_unknown_rule_cannot_be_switched_off() -> None:
    """A misspelt id would leave the rule on without a word; it is a usage error that names the nearest."""
    result = run("validate", "-", "--disable", "A003-R0l", stdin=evidence.sample())
    assert result.exit_code == 2
    assert "Did you mean A003-R0" in result.stderr
    lost = run("validate", "-", "--disable", "%", stdin=evidence.sample())
    assert "seds show" in lost.stderr


def test_a_zip_stands_for_its_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each document of an archive is examined under its own name."""
    monkeypatch.chdir(tmp_path)
    write(tmp_path, zipsafe.write({"a.xml": evidence.sample(), "b/c.xml": b"<A003"}), "all.zip")
    result = run_json("validate", "all.zip")
    assert [(each["file"], each["valid"]) for each in result["files"]] == [
        ("all.zip/a.xml", True),
        ("all.zip/b/c.xml", False),
    ]


def test_a_zip_may_come_from_standard_input() -> None:
    """The first octets say that it is an archive."""
    result = run_json("validate", "-", stdin=zipsafe.write({"a.xml": evidence.sample()}))
    assert [each["file"] for each in result["files"]] == ["(standard input)/a.xml"]


def test_a_zip_of_several_is_not_mended(tmp_path: Path) -> None:
    """One document is mended at a time, also out of an archive."""
    archive = write(tmp_path, zipsafe.write({"a.xml": evidence.sample(), "b.xml": b"<A003"}), "all.zip")
    result = run("validate", archive, "--fix", tmp_path / "out.xml")
    assert "Expected one document beside --fix, found 2." in result.stderr
    assert result.exit_code == 2
