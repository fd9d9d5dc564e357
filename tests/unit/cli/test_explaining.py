"""``verify --explain``: what people see of a broken signature, and what lands in files."""

import json
from pathlib import Path

import pytest
from tests.helpers import evidence
from tests.helpers.broken_seals import COMPACT, signed_info_of, with_value
from tests.helpers.commands import run
from tests.helpers.golden import assert_golden
from tests.helpers.keys import key_pair
from tests.helpers.seals import inserted, sealed
from tests.unit.verification.test_accidents_of_messages import stream, with_part

from eessi_sim.as4 import msh
from eessi_sim.security.keys import KeyPair

DAMAGED = inserted(COMPACT).replace(b"><Code>01", b">\r\n\t<Code>01")
FLIPPED = inserted(COMPACT).replace(b"Code>01", b"Code>07")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty folder, so that names are short and the same everywhere."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def written(name: str, data: bytes) -> str:
    """The name of a file with this content."""
    Path(name).write_bytes(data)
    return name


def test_a_recompressed_part_is_explained() -> None:
    """Both streams are shown up to their first difference."""
    data = msh.to_file(with_part(stream(0, 3), stream(0, 0)))
    result = run("verify", written("message.as4", data), "--explain")
    assert_golden("cli/verify-explain-gzip.txt", result.stdout)


def test_an_unknown_cause_lists_what_was_tried() -> None:
    """What no accident explains: the form that was digested, and everything that was tried."""
    result = run("verify", written("letter.xml", FLIPPED), "--explain")
    assert_golden("cli/verify-explain-unknown.txt", result.stdout)


def test_a_copy_shows_the_letter_that_was_changed() -> None:
    """--against explains without --explain."""
    result = run(
        "verify", written("letter.xml", FLIPPED), "--against", written("sent.xml", inserted(COMPACT))
    )
    assert_golden("cli/verify-against.txt", result.stdout)


def test_no_line_of_an_explanation_is_wider_than_a_hundred_columns() -> None:
    """Excerpts are cut to fit."""
    result = run("verify", written("letter.xml", DAMAGED), "--explain")
    assert max(map(len, result.stdout.splitlines())) <= 100


def test_octets_that_are_not_seen_are_escaped() -> None:
    """White space of a difference is readable."""
    result = run("verify", written("letter.xml", DAMAGED), "--explain")
    assert r"</Person>\n\t<Code>01" in result.stdout


def test_forms_are_written_to_files() -> None:
    """--canonical writes what was digested, and what was signed where it is known."""
    result = run("verify", written("damaged.xml", DAMAGED), "--explain", "--canonical", "forms")
    assert "signed form of the document (URI empty): forms/" in result.stdout
    names = sorted(path.name for path in Path("forms").iterdir())
    assert names == [
        "damaged.xml-seal-SignatureValue.received.xml",
        "damaged.xml-seal-the-document-URI-empty.received.xml",
        "damaged.xml-seal-the-document-URI-empty.signed.xml",
        "damaged.xml-seal-xades-id-0123456789abcdef0123456789abcdef.received.xml",
    ]
    assert Path("forms", names[2]).read_bytes() == COMPACT


def test_forms_of_an_intact_signature_are_written() -> None:
    """Whoever computes another form than we do compares his with ours, of parts as well."""
    name = written("message.as4", evidence.files()["message.as4"])
    assert run("verify", name, "--canonical", "forms").exit_code == 0
    assert any(path.suffix == ".gz" for path in Path("forms").iterdir())


def test_no_form_overwrites_another() -> None:
    """Two files of the same name in different folders keep their forms apart."""
    Path("a").mkdir()
    names = [written("x.xml", inserted(COMPACT)), written("a/x.xml", sealed(COMPACT))]
    run("verify", *names, "--canonical", "forms")
    assert len(list(Path("forms").iterdir())) == 6


def test_a_part_that_is_neither_xml_nor_gzip_is_written_too() -> None:
    """Any octets have a form."""
    data = msh.to_file(with_part(b"plain"))
    run("verify", written("message.as4", data), "--canonical", "forms")
    assert any(path.name.endswith(".received.bin") for path in Path("forms").iterdir())


def test_a_folder_that_cannot_be_written_is_an_error() -> None:
    """The error names the path."""
    written("forms", b"")
    result = run("verify", written("x.xml", inserted(COMPACT)), "--canonical", "forms/inner")
    assert result.exit_code != 0
    assert "Expected to write a canonical form" in result.stderr


def test_the_json_carries_everything() -> None:
    """JSON has accidents, both excerpts and the files."""
    result = run("verify", written("x.xml", DAMAGED), "--explain", "--canonical", "forms", "--json")
    [check] = json.loads(result.stdout)["subjects"][0]["checks"]
    [difference] = check["differences"]
    assert difference["accidents"] == ["pretty-printed"]
    assert difference["comparison"]["path"] == "/U018"
    assert {entry["form"] for entry in check["canonical"]} == {"received", "signed"}


def test_certificates_of_authorities_are_tried(folder: Path) -> None:
    """A value that the key of a certificate of --ca made is recognised."""
    other: KeyPair = key_pair(name="NO:OTHER1")
    data = with_value(sealed(COMPACT), other.sign(signed_info_of(sealed(COMPACT))))
    (folder / "other.pem").write_bytes(other.certificate.pem)
    result = run("verify", written("x.xml", data), "--explain", "--ca", "other.pem")
    assert "KeyInfo holds the wrong certificate" in " ".join(result.stdout.split())
