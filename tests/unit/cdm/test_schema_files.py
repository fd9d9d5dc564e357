"""The files of a schema are found and checked before any library opens them."""

from dataclasses import replace
from pathlib import Path

import pytest
from tests.helpers.packages import FILES, change, write_package

from eessi_sim.cdm import schema_files
from eessi_sim.cdm.schema_files import SchemaFiles, compiled
from eessi_sim.errors import DefinitionError

A001 = "la/A001-4.4.xsd"
TYPES = "common/types-4.4.xsd"
BASIC = "common/basic-4.4.xsd"
INCLUDE = '<xs:include schemaLocation="types-4.4.xsd"/>'


def refused(folder: Path, name: str, old: str, new: str) -> DefinitionError:
    """The error about the package with one text of one file replaced."""
    write_package(folder)
    change(folder, name, old, new)
    with pytest.raises(DefinitionError) as caught:
        compiled(folder / A001, folder)
    return caught.value


def test_files_are_found_through_includes_and_imports(tmp_path: Path) -> None:
    """A schema is made of all files that it wants, directly or not."""
    files = SchemaFiles.of(write_package(tmp_path) / A001, tmp_path).files
    assert {file.path.name for file in files} >= {"A001-4.4.xsd", "types-4.4.xsd", "basic-4.4.xsd"}


def test_files_that_include_each_other_are_legal(tmp_path: Path) -> None:
    """A circle of includes compiles, like in official packages."""
    assert compiled(write_package(tmp_path) / A001, tmp_path) is compiled(tmp_path / A001, tmp_path)


def test_schema_of_a_standard_by_its_address_is_taken_from_us(tmp_path: Path) -> None:
    """XML Signature is usually imported by its address at the W3C; our copy stands for it."""
    ours = SchemaFiles.of(write_package(tmp_path) / A001, tmp_path).ours
    assert [Path(path).name for path in ours.values()] == ["xmldsig.xsd"]


def test_missing_file_is_named_with_the_line_that_wants_it(tmp_path: Path) -> None:
    """The error says which file wants which file at which line."""
    error = refused(tmp_path, TYPES, "basic-4.4.xsd", "basic-4.5.xsd")
    assert '"basic-4.5.xsd" that types-4.4.xsd wants at line 3, found no such file' in error.message
    assert (error.context["line"], error.hint) == (3, f"Put it there; {tmp_path} has none of this name.")


def test_file_that_lies_elsewhere_is_pointed_out(tmp_path: Path) -> None:
    """A wrong folder, or capital letters, lead to the file that was meant."""
    error = refused(tmp_path, A001, "../common/types-4.4.xsd", "Types-4.4.xsd")
    assert error.hint == f"A file of this name lies at {tmp_path / TYPES}."


@pytest.mark.parametrize("location", ["http://localhost:9/types.xsd", "//localhost/types.xsd"])
def test_unknown_address_is_not_fetched(tmp_path: Path, location: str) -> None:
    """Nothing comes from the web."""
    assert "an address in the web" in refused(tmp_path, TYPES, "basic-4.4.xsd", location).message


@pytest.mark.parametrize("location", ["../../secret.xsd", "file:///etc/passwd"])
def test_file_outside_the_folder_is_refused(tmp_path: Path, location: str) -> None:
    """A schema cannot read what its user did not hand over."""
    assert "one outside the folder" in refused(tmp_path, TYPES, "basic-4.4.xsd", location).message


def test_names_with_blanks_are_understood(tmp_path: Path) -> None:
    """A location is an address, so that blanks may be written as %20."""
    write_package(tmp_path)
    change(tmp_path, "common/basic types.xsd", "", "", FILES[BASIC])
    change(tmp_path, TYPES, "basic-4.4.xsd", "basic%20types.xsd")
    files = SchemaFiles.of(tmp_path / A001, tmp_path).files
    assert "basic types.xsd" in {file.path.name for file in files}
    compiled(tmp_path / A001, tmp_path)


def test_document_type_in_an_included_file_is_refused(tmp_path: Path) -> None:
    """Entities of an included file could read other files, or grow without end."""
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaa">]>\n<xs:schema'
    error = refused(tmp_path, BASIC, "<xs:schema", bomb)
    assert "readable schema" in error.message
    assert str(tmp_path / BASIC) in error.message


def test_broken_file_is_named(tmp_path: Path) -> None:
    """What is not XML is reported with the file that it stands in."""
    assert "basic-4.4.xsd" in refused(tmp_path, BASIC, "</xs:schema>", "").message


def test_fault_is_told_with_file_and_line(tmp_path: Path) -> None:
    """A component that does not exist is reported where it is used."""
    error = refused(tmp_path, TYPES, "t:Names", "t:Nothing")
    assert "(types-4.4.xsd, line 5)" in error.message


def test_schema_that_only_points_elsewhere_does_not_compile(tmp_path: Path) -> None:
    """A file that is XML but no schema is a fault without a line of a schema."""
    (tmp_path / "A001-4.4.xsd").write_text("<a/>")
    with pytest.raises(DefinitionError, match="compiles"):
        compiled(tmp_path / "A001-4.4.xsd", tmp_path)


def test_second_file_of_an_imported_namespace_is_explained(tmp_path: Path) -> None:
    """Only the first imported file of a namespace counts; the error says what to do about it."""
    write_package(tmp_path)
    change(tmp_path, "common/others.xsd", "Text255", "Text99", FILES[BASIC].replace(INCLUDE, ""))
    second = '<xs:import namespace="http://ec.europa.eu/eessi/ns/4_4/common" schemaLocation="../common/others.xsd"/>'
    schema = FILES[A001].replace("t:Text255", "t:Text99")
    change(tmp_path, A001, '  <xs:element name="A001">', second + '<xs:element name="A001">', schema)
    with pytest.raises(DefinitionError) as caught:
        compiled(tmp_path / A001, tmp_path)
    assert "imports one file only" in str(caught.value.hint)


@pytest.mark.parametrize(("limit", "value"), [("_MAX_FILES", 2), ("_MAX_BYTES", 1500)])
def test_size_of_a_schema_is_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, value: int
) -> None:
    """Too many files, or too large ones, end before anything is compiled."""
    monkeypatch.setattr(schema_files, limit, value)
    write_package(tmp_path)
    with pytest.raises(DefinitionError, match="at most"):
        SchemaFiles.of(tmp_path / A001, tmp_path)


def test_only_checked_files_are_given_to_the_compiler(tmp_path: Path) -> None:
    """A file that nobody checked is refused even when the compiler finds a way to ask for it."""
    checked = SchemaFiles.of(write_package(tmp_path) / A001, tmp_path)
    guard = schema_files._OnlyChecked(replace(checked, files=()))
    with pytest.raises(DefinitionError, match="that was checked"):
        guard.resolve(str(tmp_path / TYPES), "")
