"""Answer: how a document of a case is derived from the documents that came before it.

The sample of a SED is the template; ``<SED>.answer.yaml`` says what of it is replaced by what another document
of the case says, so that a case always speaks about one person and one decision. Who answers, and when, is the
business of the institutions.
"""

import copy
import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path as FilePath
from types import MappingProxyType

from eessi_sim.cdm.examples import Edit, Operation
from eessi_sim.cdm.xpath import Path
from eessi_sim.definition_files import Node, load_yaml
from eessi_sim.identifiers import SedType
from eessi_sim.xmlsafe import Element


class IfAbsent(StrEnum):
    """What becomes of a part of the template that no source can fill."""

    KEEP = "keep"
    REMOVE = "remove"


@dataclass(frozen=True, slots=True)
class Copy:
    """One part of the template that comes from another document."""

    origin: Path
    """Where it stands in the source."""
    target: Path
    """Where it stands in the template."""
    source: SedType | None = None
    """Only from a document of this type."""
    if_absent: IfAbsent = IfAbsent.KEEP


@dataclass(frozen=True, slots=True)
class Fill:
    """One leaf of the template that comes from a fact about the case or the step."""

    fact: str
    """Name of the fact, for example ``today`` or ``cause``."""
    target: Path
    """Where it stands in the template."""


@dataclass(frozen=True, slots=True)
class Answer:
    """How one type of SED is composed."""

    answers: tuple[SedType, ...] = ()
    """Types that serve as sources, in order of preference; empty for every type."""
    copies: tuple[Copy, ...] = ()
    fills: tuple[Fill, ...] = ()
    edits: tuple[Edit, ...] = ()
    """Fixed values, set at the end."""

    @classmethod
    def load(cls, path: FilePath | None) -> "Answer":
        """Return what a file says; read once per process. Without a file the template stands for itself.

        Raises:
            DefinitionError: the file is wrong; names file, line and key.
        """
        return _load(path) if path is not None else cls()

    def compose(
        self,
        sample_root: Element,
        sources: Mapping[SedType, Sequence[Element]],
        facts: Mapping[str, str] = MappingProxyType({}),
    ) -> Element:
        """Return a new document.

        Args:
            sample_root: the template; stays as it is.
            sources: the documents of each type in the case, newest first; the first that has a part gives it.
            facts: what is known about the case and the step; a leaf whose fact is unknown stays as it is.

        Raises:
            DefinitionError: the file speaks of a part that the template does not have.
        """
        root = copy.deepcopy(sample_root)
        for path in self._targets():
            if not path.found(root):
                raise path.node.error("Expected a part of the sample, found none")
        # From here on a part may be gone together with the one around it.
        for part in self.copies:
            for target in part.target.elements(root)[:1]:
                self._copy(part, target, sources)
        for fill in self.fills:
            for target in fill.target.elements(root)[:1]:
                target.text = facts.get(fill.fact, target.text)
        for edit in self.edits:
            if edit.can_apply(root):
                edit.apply(root)
        return root

    def _targets(self) -> list[Path]:
        return [
            *(part.target for part in self.copies),
            *(fill.target for fill in self.fills),
            *(edit.path for edit in self.edits),
        ]

    def _copy(self, part: Copy, target: Element, sources: Mapping[SedType, Sequence[Element]]) -> None:
        origin = self._origin(part, sources)
        if origin is not None:
            _replace(target, origin)
        elif part.if_absent is IfAbsent.REMOVE:
            _remove(target)

    def _origin(self, part: Copy, sources: Mapping[SedType, Sequence[Element]]) -> Element | None:
        found = (part.origin.first(document) for document in self._documents(part, sources))
        return next((element for element in found if element is not None), None)

    def _documents(self, part: Copy, sources: Mapping[SedType, Sequence[Element]]) -> Iterator[Element]:
        wanted = (part.source,) if part.source is not None else self.answers or tuple(sources)
        return (document for sed_type in wanted for document in sources.get(sed_type, ()))


@functools.cache
def _load(path: FilePath) -> Answer:
    fields = load_yaml(path).mapping(required={"sed"}, allowed={"answers", "copy", "fill", "set"})
    return Answer(
        fields.each("answers", lambda node: node.parsed(SedType)),
        fields.each("copy", _copy),
        fields.each("fill", _fill_of),
        fields.each("set", _set),
    )


def _copy(node: Node) -> Copy:
    fields = node.mapping(required={"from", "to"}, allowed={"source", "if_absent"})
    return Copy(
        fields.read("from", Path),
        fields.read("to", Path),
        fields.read("source", lambda value: value.parsed(SedType), None),
        fields.read("if_absent", lambda value: value.member(IfAbsent), IfAbsent.KEEP),
    )


def _fill_of(node: Node) -> Fill:
    fields = node.mapping(required={"fact", "to"}, allowed=())
    return Fill(fields.read("fact", Node.text), fields.read("to", Path))


def _set(node: Node) -> Edit:
    fields = node.mapping(required={"path", "value"}, allowed=())
    return Edit(Operation.SET, fields.read("path", Path), fields.read("value", Node.text))


def _replace(target: Element, origin: Element) -> None:
    """Give ``target`` the content and the attributes of ``origin``; its name and place stay."""
    tail = target.tail
    target.clear()
    target.tail = tail
    target.text = origin.text
    target.attrib.update(origin.attrib)
    target.extend(copy.deepcopy(child) for child in origin)


def _remove(target: Element) -> None:
    parent = target.getparent()
    if parent is not None:
        parent.remove(target)
