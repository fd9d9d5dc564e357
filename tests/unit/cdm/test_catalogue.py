"""The catalogue finds definitions by their place in a folder."""

import shutil
from pathlib import Path

import pytest
from tests.helpers.definitions import A901, FOLDER, U901, V4_4, catalogue, definition

from eessi_sim.cdm.catalogue import Catalogue, SedFacts
from eessi_sim.errors import DefinitionError, UnknownSedType
from eessi_sim.identifiers import CdmVersion, SedType


def empty_schema(folder: Path, name: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("<schema/>")
    return path


def test_definitions_are_ordered_by_version_and_type() -> None:
    """Older versions come first, then prefix and number decide."""
    found = [(one.version, one.type) for one in catalogue().definitions()]
    assert found == [("4.2", "A901"), ("4.4", "A901"), ("4.4", "U901")]


def test_numbers_are_ordered_as_numbers(tmp_path: Path) -> None:
    """P2000 stands before P10000."""
    for name in ("P10000", "P2000"):
        empty_schema(tmp_path, f"4.4/P/{name}.xsd")
    assert [one.type for one in Catalogue([tmp_path]).definitions()] == ["P2000", "P10000"]


def test_versions_are_listed_once_oldest_first() -> None:
    """Every version that defines a SED is known."""
    assert catalogue().versions() == ("4.2", "4.4")


def test_files_of_a_definition_lie_beside_its_schema() -> None:
    """Rules, sample and answer are found by name."""
    found = definition("A901")
    assert (found.rules, found.sample, found.answer) == (
        FOLDER / "4.4/LA/A901.rules.yaml",
        FOLDER / "4.4/LA/A901.sample.xml",
        FOLDER / "4.4/LA/A901.answer.yaml",
    )


def test_files_that_do_not_exist_are_none() -> None:
    """A definition may have a schema only."""
    found = definition("U901")
    assert (found.rules, found.sample, found.answer) == (None, None, None)


def test_sector_is_the_folder() -> None:
    """The sector is the name of the folder of the schema."""
    assert definition("U901").sector == "U"


def test_namespace_names_version_and_type() -> None:
    """The namespace of a definition is that of its documents."""
    assert definition("A901").namespace == "http://ec.europa.eu/eessi/ns/4_4/A901"


def test_facts_are_read_from_the_schema() -> None:
    """Title, legal basis, package and confidence stand in the schema."""
    assert definition("A901").facts == SedFacts(
        title="Test of things",
        documentation="A document for tests.",
        legal_basis="Article 1",
        package="Sector Components/Test/A901",
        confidence="observed",
        names="inferred",
        source="the tests",
    )


def test_title_comes_from_the_facts() -> None:
    """The title is that of the schema."""
    assert definition("A901").title == "Test of things"


def test_title_of_a_schema_without_facts_is_the_type() -> None:
    """A foreign schema has no title; its type is shown."""
    assert definition("U901").title == "U901"


def test_find_returns_none_for_an_unknown_sed() -> None:
    """Finding does not raise."""
    assert catalogue().find(SedType("A902"), V4_4) is None


def test_get_suggests_the_nearest_types() -> None:
    """A mistyped SED leads to the one that was meant."""
    with pytest.raises(UnknownSedType) as caught:
        catalogue().get(SedType("A902"), V4_4)
    assert caught.value.hint == "Did you mean A901?"


def test_get_names_the_versions_of_a_known_type() -> None:
    """A SED in another version leads to the versions that are known."""
    with pytest.raises(UnknownSedType) as caught:
        catalogue().get(U901, CdmVersion("4.2"))
    assert caught.value.hint == "U901 is defined in version 4.4."


def test_get_names_the_known_versions_when_the_version_is_unknown() -> None:
    """Neither type nor version is known: the versions help."""
    with pytest.raises(UnknownSedType) as caught:
        catalogue().get(SedType("A902"), CdmVersion("9.9"))
    assert caught.value.hint == "Known versions: 4.2, 4.4."


def test_get_points_to_the_list_when_nothing_is_near() -> None:
    """A type that is like no other gets no suggestion."""
    with pytest.raises(UnknownSedType) as caught:
        catalogue().get(SedType("SYN001"), V4_4)
    assert caught.value.hint == "See the list of defined SEDs."


def test_empty_catalogue_says_so(tmp_path: Path) -> None:
    """Without any definition no version is known."""
    with pytest.raises(UnknownSedType) as caught:
        Catalogue([tmp_path]).get(A901, V4_4)
    assert caught.value.hint == "Known versions: none."


def test_first_folder_wins(tmp_path: Path) -> None:
    """A user's own package stands in front of ours."""
    own = empty_schema(tmp_path, "4.4/LA/A901.xsd")
    assert Catalogue([tmp_path, FOLDER]).get(A901, V4_4).xsd == own


def test_later_folders_fill_the_gaps(tmp_path: Path) -> None:
    """What the first folder does not define comes from the next."""
    empty_schema(tmp_path, "4.4/LA/A901.xsd")
    assert Catalogue([tmp_path, FOLDER]).get(U901, V4_4).xsd == FOLDER / "4.4/U/U901.xsd"


def test_folders_that_are_no_version_are_passed_over(tmp_path: Path) -> None:
    """Files and other folders beside the versions do no harm."""
    empty_schema(tmp_path, "drafts/LA/A901.xsd")
    (tmp_path / "4.3").write_text("a file")
    assert Catalogue([tmp_path]).definitions() == ()


def test_schema_not_named_after_a_sed_is_refused(tmp_path: Path) -> None:
    """A stray schema in the folder of a sector is reported, not ignored."""
    empty_schema(tmp_path, "4.4/LA/person.xsd")
    with pytest.raises(DefinitionError, match=r"person\.xsd"):
        Catalogue([tmp_path])


def test_unreadable_schema_has_no_facts(tmp_path: Path) -> None:
    """Facts of a broken schema are an error that names the file."""
    path = empty_schema(tmp_path, "4.4/LA/A901.xsd")
    path.write_text("<schema>")
    with pytest.raises(DefinitionError, match=r"A901\.xsd"):
        _ = Catalogue([tmp_path]).get(A901, V4_4).facts


def test_schema_without_the_root_element_has_no_facts(tmp_path: Path) -> None:
    """The schema must define the element of its SED."""
    empty_schema(tmp_path, "4.4/LA/A901.xsd")
    with pytest.raises(DefinitionError, match='root element "A901"'):
        _ = Catalogue([tmp_path]).get(A901, V4_4).facts


def test_root_without_annotation_has_empty_facts(tmp_path: Path) -> None:
    """A foreign schema may say nothing about its SED."""
    target = tmp_path / "4.4" / "U"
    target.mkdir(parents=True)
    shutil.copy(FOLDER / "4.4/U/U901.xsd", target)
    assert Catalogue([tmp_path]).get(U901, V4_4).facts == SedFacts()


def test_default_catalogue_is_made_once() -> None:
    """The catalogue of the program itself is read once per process."""
    assert Catalogue.default() is Catalogue.default()


def test_catalogue_says_where_it_looked() -> None:
    """The folders stand in the order of their precedence."""
    folders = Catalogue.default().folders
    assert [folder.name for folder in folders] == ["cdm"]
    assert Catalogue([*folders, *folders]).folders == (*folders, *folders)
