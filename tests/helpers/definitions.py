"""The tiny definitions of tests/data/definitions, and documents made from them."""

from functools import cache
from pathlib import Path

from lxml import etree

from eessi_sim import xmlsafe
from eessi_sim.cdm.catalogue import Catalogue, SedDefinition
from eessi_sim.definition_files import Node, read_yaml
from eessi_sim.identifiers import CdmVersion, SedType
from eessi_sim.xmlsafe import Element

FOLDER = Path(__file__).resolve().parent.parent / "data" / "definitions" / "cdm"
V4_4 = CdmVersion("4.4")
A901 = SedType("A901")
U901 = SedType("U901")


@cache
def catalogue() -> Catalogue:
    """The catalogue of the tiny definitions."""
    return Catalogue([FOLDER])


def definition(sed_type: str) -> SedDefinition:
    """One of the tiny definitions in version 4.4."""
    return catalogue().get(SedType(sed_type), V4_4)


def sample() -> bytes:
    """The sample of A901."""
    path = definition("A901").sample
    assert path is not None
    return path.read_bytes()


def document(old: str = "", new: str = "") -> Element:
    """The sample of A901 with the first ``old`` replaced by ``new``."""
    assert old in sample().decode()
    return xmlsafe.parse(sample().replace(old.encode(), new.encode(), 1))


def odd(content: str = "", attributes: str = "") -> Element:
    """A U901 with this content."""
    text = f'<sed:U901 xmlns:sed="http://ec.europa.eu/eessi/ns/4_4/U901" {attributes}>{content}</sed:U901>'
    return xmlsafe.parse(text.encode())


def node(yaml: str) -> Node:
    """A piece of a definition file."""
    return read_yaml(yaml, "test.yaml")


def yaml_file(folder: Path, text: str, name: str = "A901.rules.yaml") -> Path:
    """A definition file with this text."""
    path = folder / name
    path.write_text(text)
    return path


def content_of(data: bytes) -> str:
    """What a document says: no white space between elements, prefixes of no importance."""
    root = xmlsafe.parse(data)
    for element in root.iter():
        if len(element):
            element.text = None
        element.tail = None
    text: str = etree.canonicalize(xmlsafe.serialize(root, declaration=False).decode(), rewrite_prefixes=True)
    return text
