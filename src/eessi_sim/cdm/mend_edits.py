"""Edits of a document tree, and the repair that is made of them.

A repair is planned on a tree without comments, because faults are found there, and done on any copy of it: of one
part, to show it before and after, or of the whole document with its comments. Hence every edit names elements of
the first tree and looks up their twins.
"""

import copy
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from lxml import etree

from eessi_sim import xmlsafe
from eessi_sim.cdm.report import Issue, Mend
from eessi_sim.xmlsafe import Element

Twins = Mapping[Element, Element]
"""Elements of the tree in which a repair was planned, and those of the copy in which it is done."""

_MAX_SHOWN: Final = 12
"""Elements of a part that is shown whole; of a larger one only the outline (our choice, inferred)."""
_LINE_END: Final = re.compile(r"\s*[\r\n]\s*")
_MAX_TEXT: Final = 120
"""Characters of a text that are shown."""


class Edit(Protocol):
    """One change of a tree."""

    def apply(self, twins: Twins) -> None:
        """Do it in the copy."""
        ...


@dataclass(frozen=True, slots=True)
class SetText:
    """Replace the text of a leaf."""

    element: Element
    text: str

    def apply(self, twins: Twins) -> None:
        """Do it in the copy; comments inside the leaf stay behind the text."""
        twin = twins[self.element]
        for comment in twin:
            comment.tail = None
        twin.text = self.text


@dataclass(frozen=True, slots=True)
class SetAttribute:
    """Write an attribute."""

    element: Element
    name: str
    value: str

    def apply(self, twins: Twins) -> None:
        """Do it in the copy."""
        twins[self.element].set(self.name, self.value)


@dataclass(frozen=True, slots=True)
class WrapText:
    """Put an element around the text of a leaf."""

    element: Element
    tag: str

    def apply(self, twins: Twins) -> None:
        """Do it in the copy."""
        twin = twins[self.element]
        for comment in twin:
            comment.tail = None
        twin.text = None
        etree.SubElement(twin, self.tag).text = xmlsafe.text_of(self.element)


@dataclass(frozen=True, slots=True)
class Reorder:
    """Bring the children of an element into another order; each takes the comments in front of it along."""

    parent: Element
    children: tuple[Element, ...]

    def apply(self, twins: Twins) -> None:
        """Do it in the copy; the white space between the children stays where it is."""
        parent = twins[self.parent]
        units, rest = _units(parent)
        spaces = [unit[-1].tail for unit in units]
        by_element = {unit[-1]: unit for unit in units}
        for child, space in zip(self.children, spaces, strict=True):
            unit = by_element[twins[child]]
            parent.extend(unit)
            unit[-1].tail = space
        parent.extend(rest)


def _units(parent: Element) -> tuple[list[list[Element]], list[Element]]:
    """Return the elements in ``parent``, each behind its comments, and the comments behind the last one."""
    units: list[list[Element]] = []
    pending: list[Element] = []
    for node in parent:
        pending.append(node)
        if isinstance(node.tag, str):
            units.append(pending)
            pending = []
    return units, pending


@dataclass(frozen=True, slots=True)
class Wrap:
    """Put a run of siblings into a new element."""

    run: tuple[Element, ...]
    tag: str

    def apply(self, twins: Twins) -> None:
        """Do it in the copy, with the comments between the siblings."""
        first, last = twins[self.run[0]], twins[self.run[-1]]
        wrapper = etree.Element(self.tag)
        first.addprevious(wrapper)
        wrapper.tail, space = last.tail, _space_before(wrapper)
        wrapper.text = space
        node: Element | None = first
        while node is not None:
            following = node.getnext() if node is not last else None
            wrapper.append(node)
            node = following
        last.tail = space


def _space_before(element: Element) -> str | None:
    previous, parent = element.getprevious(), element.getparent()
    if previous is not None:
        return previous.tail
    return parent.text if parent is not None else None


@dataclass(frozen=True, slots=True)
class Drop:
    """Remove an element."""

    element: Element

    def apply(self, twins: Twins) -> None:
        """Do it in the copy; what stands behind it moves up."""
        twin = twins[self.element]
        previous, parent = twin.getprevious(), twin.getparent()
        if previous is not None and twin.getnext() is None:
            previous.tail = twin.tail
        assert parent is not None  # a copy always stands in something
        parent.remove(twin)


@dataclass(frozen=True, slots=True)
class Rename:
    """Give an element another name or namespace; the default namespace that it declares goes."""

    element: Element
    tag: str
    prefix: str | None = None
    """Prefix for its namespace, None when the new name has none."""

    def apply(self, twins: Twins) -> None:
        """Do it in the copy: a new element takes everything over."""
        old = twins[self.element]
        own = {
            prefix: uri
            for prefix, uri in declared(old).items()
            if prefix not in (None, self.prefix) and uri != xmlsafe.namespace(old)
        }
        if self.prefix is not None:
            own[self.prefix] = self.tag[1:].partition("}")[0]
        new = etree.Element(self.tag, nsmap=own)
        for name, value in old.attrib.items():
            new.set(name, value)
        new.text, new.tail = old.text, old.tail
        parent = old.getparent()
        assert parent is not None  # a copy always stands in something
        parent.replace(old, new)
        new.extend(list(old))


def declared(element: Element) -> dict[str | None, str]:
    """Return the namespaces that an element declares itself."""
    parent = element.getparent()
    inherited = parent.nsmap if parent is not None else {}
    return {prefix: uri for prefix, uri in element.nsmap.items() if inherited.get(prefix) != uri}


@dataclass(frozen=True, slots=True)
class Repair:
    """How one fault can be put right."""

    sentence: str
    part: Element
    """The smallest part of the document that contains all edits."""
    edits: Sequence[Edit]
    depth: int = 1
    """How many levels of a large part are shown."""

    def apply(self, twins: Twins) -> None:
        """Do all edits in a copy of the tree, whose root must have a parent."""
        for edit in self.edits:
            edit.apply(twins)

    def shown(self) -> Mend:
        """Return the part before and after."""
        frame = etree.Element("frame")
        frame.append(copy.deepcopy(self.part))
        self.apply(dict(zip(self.part.iter(), frame[0].iter(), strict=True)))
        return Mend(self.sentence, fragment(self.part, self.depth), fragment(frame[0], self.depth))


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """A finding about a tree, and how that tree is put right."""

    issue: Issue
    repair: Repair | None
    """None when only a person can know what is right."""


def fragment(element: Element, depth: int = 1) -> str:
    """Return an element as XML on one line; of a large one only ``depth`` levels of children, long texts cut."""
    is_small = sum(1 for _ in zip(element.iter(), range(_MAX_SHOWN + 1), strict=False)) <= _MAX_SHOWN
    return _written(element, _MAX_SHOWN if is_small else depth, {})


def _written(element: Element, depth: int, known: Mapping[str | None, str]) -> str:
    prefix = f"{element.prefix}:" if element.prefix else ""
    name = prefix + xmlsafe.local_name(element)
    used = {
        key: uri for key, uri in element.nsmap.items() if known.get(key) != uri and _is_used(element, key)
    }
    declared = "".join(
        f' xmlns{f":{key}" if key else ""}="{xmlsafe.escape_attribute(uri)}"' for key, uri in used.items()
    )
    attributes = "".join(
        f' {key}="{xmlsafe.escape_attribute(_cut(value))}"' for key, value in _attributes(element)
    )
    text = xmlsafe.escape_text(_cut(_on_one_line(element)))
    if len(element) and not depth:
        inside = "…"
    else:
        inside = text + "".join(_written(child, depth - 1, {**known, **used}) for child in element)
    return (
        f"<{name}{declared}{attributes}>{inside}</{name}>" if inside else f"<{name}{declared}{attributes}/>"
    )


def _on_one_line(element: Element) -> str:
    text = element.text or ""
    return text.strip() if len(element) else _LINE_END.sub(" ", text)


def _is_used(element: Element, prefix: str | None) -> bool:
    return element.prefix == prefix or any(
        element.nsmap[prefix] == str(name)[1:].partition("}")[0]
        for name in element.attrib
        if "}" in str(name)
    )


def _attributes(element: Element) -> Iterator[tuple[str, str]]:
    names = {uri: prefix for prefix, uri in element.nsmap.items() if prefix}
    for key, value in element.attrib.items():
        uri, _, local = str(key).rpartition("}")
        yield f"{names.get(uri[1:], 'xml')}:{local}" if uri else local, str(value)


def _cut(text: str) -> str:
    return text if len(text) <= _MAX_TEXT else f"{text[: _MAX_TEXT - 1]}…"
