"""Hides persons in what leaves a node: each hidden text becomes a salted commitment to it.

A commitment is the SHA-256 of salt, place and text. It says nothing about the text without the salt, which is random
and kept apart in the openings; with an opening anybody sees that the text was there and was not another one. The
seal's own digests and value are hidden as well: they are computed from the hidden texts, and who knows everything
else could try names and dates until they fit. For the same reason the digest that stays, that of the packed
document in the signature of its message, tells nothing: the packed document contains the value of the seal.
"""

import functools
import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from eessi_sim import resources, xmlsafe
from eessi_sim.definition_files import Node, load_yaml
from eessi_sim.security.xmldsig import DS, SIGNATURE
from eessi_sim.xmlsafe import Element, local_name, path_of

BLOCKS: Final = "███"
"""Stands where something was hidden."""
MASKED: Final = re.compile(rf"{BLOCKS} [0-9a-f]{{64}}")
_SEAL_PARTS: Final = (
    f"{{{DS}}}SignedInfo/{{{DS}}}Reference/{{{DS}}}DigestValue",
    f"{{{DS}}}SignatureValue",
)
_TAIL: Final = "#behind"


@dataclass(frozen=True, slots=True)
class Opening:
    """What lies behind one commitment."""

    path: str
    """Where in the document, as a readable XPath."""
    salt: str
    value: str

    @property
    def commitment(self) -> str:
        """The SHA-256 that stands in the masked document, hexadecimal."""
        return commitment(self.salt, self.path, self.value)


@dataclass(frozen=True, slots=True)
class _Keep:
    """One line of what stays: where, and which texts."""

    at: re.Pattern[str]
    text: re.Pattern[str]


@dataclass(frozen=True, slots=True)
class Fields:
    """Which fields of a SED stay visible, read from ``schemas/masking/fields.yaml``."""

    hidden: tuple[re.Pattern[str], ...]
    kept: tuple[_Keep, ...]

    @classmethod
    def default(cls) -> "Fields":
        """Return those that come with the program; read once per process."""
        return _default()

    @classmethod
    def load(cls, path: Path) -> "Fields":
        """Read the file.

        Raises:
            DefinitionError: it is wrong; names file, line and key.
        """
        fields = load_yaml(path).mapping(required={"hide", "keep"}, allowed={"confidence", "source"})
        return cls(fields.each("hide", _pattern), fields.each("keep", _keep))

    def shows(self, path: str, text: str) -> bool:
        """Return whether a text may stay.

        Args:
            path: names of the elements from below the root.
            text: without blanks round it.
        """
        if any(pattern.search(path) for pattern in self.hidden):
            return False
        return any(keep.at.search(path) and keep.text.fullmatch(text) for keep in self.kept)


def commitment(salt: str, path: str, value: str) -> str:
    """Return the SHA-256 of salt, place and text, each on a line of its own, hexadecimal."""
    return hashlib.sha256(f"{salt}\n{path}\n{value}".encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class MaskedDocument:
    """A document without persons."""

    root: Element
    openings: tuple[Opening, ...]
    """What was hidden; empty when the document names nobody and stands as it was."""


def mask(sed: Element, fields: Fields, make_salt: Callable[[], str]) -> MaskedDocument:
    """Return a SED without persons.

    Args:
        sed: stays as it is.
        fields: what may be shown.
        make_salt: returns a new random text at each call.
    """
    root = xmlsafe.parse(xmlsafe.document_of(sed))
    texts = [place for place in _texts(root) if not _stays(place, fields)]
    if texts:
        texts += _seal_texts(root)
    openings = tuple(Opening(place.path, make_salt(), place.text) for place in texts)
    for place, opening in zip(texts, openings, strict=True):
        place.put(f"{BLOCKS} {opening.commitment}")
    return MaskedDocument(root, openings)


def unmask(masked: Element, openings: Mapping[str, Opening]) -> tuple[Element, tuple[str, ...]]:
    """Return a masked document with the texts of its openings, and the places whose opening does not fit.

    Args:
        masked: stays as it is.
        openings: by path; a place without one stays masked.
    """
    root = xmlsafe.parse(xmlsafe.document_of(masked))
    wrong: list[str] = []
    for place in (*_texts(root), *_seal_texts(root)):
        opening = openings.get(place.path)
        if opening is None or not MASKED.fullmatch(place.text):
            continue
        if place.text != f"{BLOCKS} {opening.commitment}":
            wrong.append(place.path)
        place.put(opening.value)
    return root, tuple(wrong)


def is_masked(sed: Element) -> bool:
    """Return whether something in a document is hidden."""
    return any(BLOCKS in place.text for place in _texts(sed))


@dataclass(frozen=True, slots=True)
class _Place:
    """A text in a document: in an element, or behind one."""

    element: Element
    is_behind: bool
    names: str
    """Names of the elements from below the root."""

    @property
    def path(self) -> str:
        return path_of(self.element) + (_TAIL if self.is_behind else "")

    @property
    def text(self) -> str:
        return (self.element.tail if self.is_behind else self.element.text) or ""

    def put(self, text: str) -> None:
        if self.is_behind:
            self.element.tail = text
        else:
            self.element.text = text


def _texts(root: Element) -> Iterator[_Place]:
    """Yield every text outside of signatures that is more than blanks."""
    waiting = [(child, local_name(child)) for child in reversed(root)]
    if root.text and root.text.strip():
        yield _Place(root, is_behind=False, names="")
    while waiting:
        element, names = waiting.pop()
        if element.tail and element.tail.strip():
            yield _Place(element, is_behind=True, names="")
        if element.tag == SIGNATURE:
            continue
        if element.text and element.text.strip():
            yield _Place(element, is_behind=False, names=names)
        waiting += [(child, f"{names}/{local_name(child)}") for child in reversed(element)]


def _seal_texts(root: Element) -> Iterator[_Place]:
    """Yield what a seal was computed to."""
    for seal in root.iter(SIGNATURE):
        for element in (found for part in _SEAL_PARTS for found in seal.findall(part)):
            yield _Place(element, is_behind=False, names="")


def _stays(place: _Place, fields: Fields) -> bool:
    return bool(place.names) and fields.shows(place.names, place.text.strip())


@functools.cache
def _default() -> Fields:
    return Fields.load(resources.schemas() / "masking" / "fields.yaml")


def _keep(node: Node) -> _Keep:
    fields = node.mapping(required={"at", "text"})
    return _Keep(fields.read("at", _pattern), fields.read("text", _pattern))


def _pattern(node: Node) -> re.Pattern[str]:
    text = node.text()
    try:
        return re.compile(text)
    except re.error as error:
        raise node.error(f'Expected a pattern, found "{text}": {error}') from error
