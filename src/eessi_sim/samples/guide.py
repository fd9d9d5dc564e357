"""Guide: which field of a document says what about the persona, read from ``schemas/samples/fields.yaml``."""

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from eessi_sim import resources
from eessi_sim.definition_files import Node, load_yaml
from eessi_sim.samples.people import Persona

_STEP: Final = re.compile(r"([a-z_]+)(?:\[([0-9]+)\])?")
_SCOPES: Final = ("who", "where", "employer")


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the file: where it speaks, and what it says there."""

    pattern: re.Pattern[str]
    reference: str = ""
    """What of the persona, for example ``who.pins[0].number``."""
    texts: tuple[str, ...] = ()
    """Texts to choose from."""
    scales: bool = False
    """Whether it is an amount that grows with all others."""

    def speaks_of(self, path: str) -> re.Match[str] | None:
        """Return the match when the entry is about this path."""
        return self.pattern.search(path)


class Guide:
    """All entries of the file.

    Args:
        values: what stands where.
        scopes: what ``who``, ``where`` and ``employer`` stand for.
    """

    def __init__(self, values: tuple[Entry, ...], scopes: Mapping[str, tuple[Entry, ...]]) -> None:
        self.values = values
        self._scopes = scopes
        self._known: dict[str, Entry | None] = {}

    @classmethod
    def default(cls) -> "Guide":
        """Return the guide that comes with the program; read once per process."""
        return _default()

    @classmethod
    def load(cls, path: Path) -> "Guide":
        """Read the file.

        Raises:
            DefinitionError: it is wrong; names file, line and key.
        """
        fields = load_yaml(path).mapping(required={"values", *_SCOPES}, allowed={"confidence", "source"})
        return cls(
            values=fields.each("values", _entry),
            scopes={name: fields.each(name, _entry) for name in _SCOPES},
        )

    def entry(self, path: str) -> Entry | None:
        """Return what the guide says about a field, None when it says nothing."""
        if path not in self._known:
            self._known[path] = next((entry for entry in self.values if entry.speaks_of(path)), None)
        return self._known[path]

    def value(self, entry: Entry, path: str, persona: Persona) -> str:
        """Return what an entry takes from the persona.

        Args:
            entry: an entry with a reference that speaks of the path.
            path: of the field.
            persona: who the document is about.
        """
        return str(self._resolved(entry, path, persona))

    def _resolved(self, entry: Entry, path: str, persona: Persona) -> object:
        match = entry.speaks_of(path)
        assert match is not None  # the caller has asked
        first, *steps = match.expand(entry.reference).split(".")
        found: object
        if first in self._scopes:
            scope = next(each for each in self._scopes[first] if each.speaks_of(path))
            found = self._resolved(scope, path, persona)
        else:
            found = _step(persona, first)
        for step in steps:
            found = _step(found, step)
        return found


def _step(owner: object, step: str) -> object:
    match = _STEP.fullmatch(step)
    assert match is not None  # checked when the file was read
    found: object = getattr(owner, match.group(1))
    if match.group(2) and isinstance(found, tuple):
        return found[int(match.group(2)) % len(found)]
    return found


@functools.cache
def _default() -> Guide:
    return Guide.load(resources.schemas() / "samples" / "fields.yaml")


def _entry(node: Node) -> Entry:
    fields = node.mapping(required={"at"}, allowed={"is", "texts", "scale"})
    return Entry(
        pattern=fields.read("at", _pattern),
        reference=fields.read("is", _reference, ""),
        texts=fields.each("texts", Node.text),
        scales="scale" in fields and fields["scale"].boolean(),
    )


def _pattern(node: Node) -> re.Pattern[str]:
    try:
        return re.compile(node.value if isinstance(node.value, str) else "")
    except re.error as error:
        raise node.error(f'Expected a pattern, found "{node.value}": {error}') from error


def _reference(node: Node) -> str:
    text = node.text()
    if not all(_STEP.fullmatch(re.sub(r"\\[0-9]", "0", step)) for step in text.split(".")):
        raise node.error(
            f'Expected names with dots between, found "{text}"', hint="Write who.family_name or children[0]."
        )
    return text
