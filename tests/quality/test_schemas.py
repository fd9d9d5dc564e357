"""The schema package keeps its shape: every file compiles, is annotated and follows one pattern."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from lxml import etree

from eessi_sim import resources

XS = "{http://www.w3.org/2001/XMLSchema}"
FACT = "{urn:eessi-sim:facts}fact"
SED = "{urn:eessi-sim:facts}sed"
CONFIDENCES = {"documented", "observed", "inferred"}
SCHEMAS = resources.schemas()
CDM = sorted(SCHEMAS.glob("cdm/*/*/*.xsd"))
SHARED = sorted(SCHEMAS.glob("cdm/*/*.xsd"))
ENVELOPE = sorted([*SCHEMAS.glob("envelope/*.xsd"), *SCHEMAS.glob("system/*.xsd")])


def name_of(path: Path) -> str:
    return path.relative_to(SCHEMAS).as_posix()


@cache
def tree(path: Path) -> etree._ElementTree:
    return etree.parse(str(path))


def root_declaration(path: Path) -> etree._Element:
    (element,) = tree(path).getroot().findall(f"{XS}element")
    return element


def globals_of(path: Path) -> Iterator[etree._Element]:
    for kind in ("simpleType", "complexType", "element"):
        yield from tree(path).getroot().findall(f"{XS}{kind}")


def numbered(letter: str, numbers: str) -> set[str]:
    """Return the SEDs of one letter; ``1-12`` stands for all numbers from 1 to 12."""
    found = set()
    for part in numbers.split():
        first, _, last = part.partition("-")
        found |= {f"{letter}{number:03}" for number in range(int(first), int(last or first) + 1)}
    return found


EESSI_COUNTRIES = re.findall(
    "..",
    "ATBEBGCHCYCZDEDKEEELESFIFRHRHUIEISITLILTLULVMTNLNOPLPTROSESISKUK",
)
SCOPE = (
    numbered("A", "1-12")
    | numbered("H", "1-6 10-12 20 21 61 62 65 66 70 120 121 130 131")
    | numbered("X", "1-13 50 100")
    | numbered("U", "1-21 23-27 29")
    | {"U001CB", "P1000", "P1100", "P2000", "P2100", "P2200"}
    | {f"P{number}000" for number in range(4, 16)}
    | {f"P3000_{country}" for country in EESSI_COUNTRIES}
)


def test_newest_version_has_every_sed_in_scope() -> None:
    """All SEDs of LA, P, UB and the horizontal and administrative ones they use have a schema of their own."""
    assert len(SCOPE) == 124
    assert {path.stem for path in CDM if path.parent.parent.name == "4.4"} == SCOPE


@pytest.mark.parametrize("path", ENVELOPE, ids=name_of)
def test_schema_compiles(path: Path) -> None:
    """libxml2 accepts the schema with all it includes; those of the SEDs are compiled for their samples."""
    etree.XMLSchema(tree(path))


def test_root_has_the_namespace_of_its_sed() -> None:
    """The target namespace names version and SED, and the root element is the SED."""
    for path in CDM:
        version = path.parent.parent.name.replace(".", "_")
        schema = tree(path).getroot()
        assert schema.get("targetNamespace") == f"http://ec.europa.eu/eessi/ns/{version}/{path.stem}", (
            name_of(path)
        )
        assert root_declaration(path).get("name") == path.stem, name_of(path)


def test_children_of_the_root_are_unqualified() -> None:
    """Only the root is qualified; shared files have no namespace of their own."""
    for path in CDM:
        assert tree(path).getroot().get("elementFormDefault") == "unqualified", name_of(path)


def test_shared_file_has_no_namespace() -> None:
    """A shared file takes the namespace of the schema that includes it."""
    for path in SHARED:
        assert tree(path).getroot().get("targetNamespace") is None, name_of(path)


def test_signature_is_last_and_optional() -> None:
    """The seal is the last child and may be missing."""
    for path in CDM:
        sequence = root_declaration(path).find(f"{XS}complexType/{XS}sequence")
        assert sequence is not None, name_of(path)
        assert sequence[-1].get("ref") == "ds:Signature", name_of(path)
        assert sequence[-1].get("minOccurs") == "0", name_of(path)


def test_versions_are_required_attributes() -> None:
    """The root states the version in sedGVer and sedVer."""
    for path in CDM:
        major, minor = path.parent.parent.name.split(".")
        attributes = {
            attribute.get("name"): (attribute.get("use"), attribute.get("fixed"))
            for attribute in root_declaration(path).iterfind(f"{XS}complexType/{XS}attribute")
        }
        assert attributes == {
            "sedGVer": ("required", major),
            "sedVer": ("required", minor),
            "sedPackage": (None, None),
        }, name_of(path)


def test_sed_states_title_sector_and_confidence() -> None:
    """The root says what the document is, how sure that is and from where."""
    for path in CDM:
        fact = root_declaration(path).find(f"{XS}annotation/{XS}appinfo/{SED}")
        assert fact is not None, name_of(path)
        assert all(fact.get(key) for key in ("title", "sector", "package", "names", "source")), name_of(path)
        assert fact.get("confidence") in CONFIDENCES, name_of(path)


def test_global_definitions_state_their_confidence() -> None:
    """Every global type and element has a meaning and a mark of confidence."""
    for path in SHARED + ENVELOPE:
        for definition in globals_of(path):
            name = f"{name_of(path)}: {definition.get('name')}"
            fact = definition.find(f"{XS}annotation/{XS}appinfo/{FACT}")
            assert fact is not None, name
            assert fact.get("confidence") in CONFIDENCES, name
            assert definition.findtext(f"{XS}annotation/{XS}documentation", "").strip(), name


def test_fields_have_meaning_and_confidence() -> None:
    """Every field of a document says what it means and how sure it is."""
    for path in CDM + SHARED:
        for field in tree(path).iter(f"{XS}element"):
            if field.get("ref") is None and field.getparent() is not tree(path).getroot():
                name = f"{name_of(path)}:{field.sourceline} {field.get('name')}"
                fact = field.find(f"{XS}annotation/{XS}appinfo/{FACT}")
                assert fact is not None, name
                assert fact.get("confidence") in CONFIDENCES, name
                assert field.findtext(f"{XS}annotation/{XS}documentation"), name


def test_codes_have_labels_and_are_unique() -> None:
    """Every code has a label, and no code stands twice in a list."""
    for path in SHARED:
        for kind in tree(path).iter(f"{XS}simpleType"):
            name = f"{name_of(path)}: {kind.get('name')}"
            codes = kind.findall(f"{XS}restriction/{XS}enumeration")
            values = [code.get("value") for code in codes]
            assert len(values) == len(set(values)), name
            for code in codes:
                assert code.findtext(f"{XS}annotation/{XS}documentation"), f"{name} {code.get('value')}"


def test_schema_file_is_tidy() -> None:
    """Files are UTF-8 with two blanks per level, no tabs, no blanks at line ends."""
    for path in CDM + SHARED + ENVELOPE:
        text = path.read_text(encoding="utf-8")
        assert text.startswith('<?xml version="1.0" encoding="UTF-8"?>\n'), name_of(path)
        assert text.endswith("</xs:schema>\n"), name_of(path)
        assert "\t" not in text, name_of(path)
        assert not [line for line in text.splitlines() if line != line.rstrip()], name_of(path)


@pytest.mark.parametrize("path", CDM, ids=name_of)
def test_sample_is_valid(path: Path) -> None:
    """libxml2 accepts the schema of each SED with all it includes, and its sample document obeys it."""
    etree.XMLSchema(tree(path)).assertValid(tree(path.with_suffix(".sample.xml")))


def test_sample_names_its_package_as_the_schema_does() -> None:
    """Samples write sedPackage in the spelling that the schema states."""
    for path in sorted(SCHEMAS.glob("cdm/*/*/*.sample.xml")):
        fact = root_declaration(path.with_name(path.name.replace(".sample.xml", ".xsd"))).find(f".//{SED}")
        assert fact is not None, name_of(path)
        assert tree(path).getroot().get("sedPackage") == fact.get("package"), name_of(path)
