"""Reads canonical XML, changes it, writes it in canonical form again: what all accidents of XML share."""

from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias

from lxml import etree

from eessi_sim import xmlsafe
from eessi_sim.errors import XmlError
from eessi_sim.verification.accidents.model import Candidate, Content
from eessi_sim.xmlsafe import Element


def tree_of(octets: bytes) -> Element | None:
    """Return the root of a document, None when it is none that we are willing to read."""
    if not octets.lstrip().startswith(b"<"):
        return None
    try:
        return xmlsafe.parse(octets)
    except XmlError:
        return None


def canonical(root: Element) -> bytes:
    """Return a document in canonical form, with every declaration where it stood.

    What was in exclusive canonical form stays in it: its declarations stand where names use them.
    """
    return xmlsafe.inclusive_c14n(root)


def edited(content: Content, edit: Callable[[Element], object], note: str = "") -> Iterator[Candidate]:
    """Yield the content after ``edit`` changed its tree; nothing when it is no XML, or nothing was to be changed."""
    root = tree_of(content.octets)
    if root is None:
        return
    before = canonical(root)
    edit(root)
    after = canonical(root)
    if after != before:  # the canonical form alone would be another accident
        yield Candidate(after, note)


Rename: TypeAlias = Callable[[str, str | None], str | None]
"""Gives the new prefix for a namespace and its old prefix; None is the default namespace."""


def rebuilt(root: Element, rename: Rename, more: Mapping[str, str] | None = None) -> Element:
    """Return a copy of a tree with other prefixes.

    Args:
        root: stays as it is.
        rename: gives the new prefixes.
        more: declarations to put on the root besides.
    """
    return _copied(root, None, rename, more or {})


def _copied(element: Element, parent: Element | None, rename: Rename, more: Mapping[str, str]) -> Element:
    nsmap = _declared(element, rename)
    nsmap.update(more)
    copy = (
        etree.Element(element.tag, nsmap=nsmap)  # type: ignore[arg-type] # None is the default namespace
        if parent is None
        else etree.SubElement(parent, element.tag, nsmap=nsmap)  # type: ignore[arg-type] # as above
    )
    for name, value in element.attrib.items():
        copy.set(name, value)
    copy.text, copy.tail = element.text, element.tail
    for child in element:
        _copied(child, copy, rename, {})
    return copy


def _declared(element: Element, rename: Rename) -> dict[str | None, str]:
    """Return the declarations that stand at an element itself, renamed."""
    parent = element.getparent()
    around = {} if parent is None else parent.nsmap
    return {rename(uri, prefix): uri for prefix, uri in element.nsmap.items() if around.get(prefix) != uri}
