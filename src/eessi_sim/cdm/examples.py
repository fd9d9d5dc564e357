"""Edits that turn the sample of a SED into the good or bad example of a rule.

The same edits make the deliberately wrong documents that a user asks for. What a rule says is in ``rules``.
"""

import copy
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from eessi_sim import xmlsafe
from eessi_sim.cdm.xpath import Path
from eessi_sim.definition_files import Node
from eessi_sim.errors import XmlError
from eessi_sim.xmlsafe import Element


class Operation(StrEnum):
    """What an edit does; each is done to every node that its path finds."""

    SET = "set"
    """Replace the content by a text."""
    REMOVE = "remove"
    INSERT_AFTER = "after"
    INSERT_BEFORE = "before"
    INSERT_INTO = "into"
    """Append as last child."""


_PLACES: Final = ("after", "before", "into")


@dataclass(frozen=True, slots=True)
class Edit:
    """One change of a document."""

    operation: Operation
    path: Path
    text: str = ""
    """New content of ``set``, or the XML to insert."""

    @classmethod
    def read(cls, node: Node) -> "Edit":
        """Return the edit that stands in a definition file.

        Raises:
            DefinitionError: it is none of ``set``/``to``, ``remove``, ``insert`` with one place.
        """
        fields = node.mapping(allowed={"set", "to", "remove", "insert", *_PLACES})
        if "set" in fields:
            return cls(Operation.SET, fields.read("set", Path), fields.read("to", _content))
        if "remove" in fields:
            return cls(Operation.REMOVE, fields.read("remove", Path))
        place = next((place for place in _PLACES if place in fields), "into")
        return cls(Operation(place), fields.read(place, Path), fields.read("insert", _fragment))

    def can_apply(self, root: Element) -> bool:
        """Return whether the path finds anything in a document."""
        return bool(self.path.found(root))

    def apply(self, root: Element) -> None:
        """Change a document.

        Raises:
            DefinitionError: the path finds nothing, so that the example would say nothing.
        """
        found = self.path.found(root)
        if not found:
            raise self.path.node.error("Expected a path that finds something in the document, found nothing")
        for target in found:
            self._apply_to(target)

    def _apply_to(self, target: Any) -> None:  # an element, or an attribute as a text of lxml
        if not isinstance(target, Element):
            _set_attribute(target, self.text if self.operation is Operation.SET else None)
        elif self.operation is Operation.SET:
            for child in list(target):
                target.remove(child)
            target.text = self.text
        elif self.operation is Operation.REMOVE:
            _remove(target)
        else:
            self._insert(target)

    def _insert(self, target: Element) -> None:
        new = xmlsafe.parse(self.text.encode())
        if self.operation is Operation.INSERT_INTO:
            target.append(new)
        elif self.operation is Operation.INSERT_AFTER:
            target.addnext(new)
        else:
            target.addprevious(new)


def edited(root: Element, edits: Iterable[Edit]) -> Element:
    """Return a copy of a document with all edits done in order.

    Raises:
        DefinitionError: an edit finds nothing to change.
    """
    changed = copy.deepcopy(root)
    for edit in edits:
        edit.apply(changed)
    return changed


def _content(node: Node) -> str:
    return "" if node.is_empty else node.text()


def _fragment(node: Node) -> str:
    text = node.text()
    try:
        xmlsafe.parse(text.encode())
    except XmlError as error:
        raise node.error(f"Expected one XML element: {error.message}", hint=error.hint) from error
    return text


def _set_attribute(attribute: Any, text: str | None) -> None:
    owner, name = attribute.getparent(), attribute.attrname
    if text is None:
        del owner.attrib[name]
    else:
        owner.set(name, text)


def _remove(element: Element) -> None:
    parent = element.getparent()
    if parent is not None:
        parent.remove(element)
