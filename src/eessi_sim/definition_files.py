"""Reads definition files (YAML) so that every error names file, line and key.

The mechanism only: a loader of BUCs, institutions or rules says which keys it knows and what stands behind
them. Scalars stay the text that was written until a loader asks for a type, so ``country: NO`` is Norway and
not a boolean. What a key means is never decided here.
"""

import difflib
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import Enum
from pathlib import Path
from typing import Final, TypeVar, overload

import yaml

from eessi_sim.errors import DefinitionError, EessiSimError

Plain = str | list["Plain"] | dict[str, "Plain"] | None
"""What ``Node.plain`` returns: YAML without types."""

_T = TypeVar("_T")
_D = TypeVar("_D")
_E = TypeVar("_E", bound=Enum)

# libyaml where the wheel has it: ten times faster.
_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_EMPTY: Final = ("", "~", "null")
_MAX_DEPTH: Final = 64
_TOO_DEEP: Final = f"Expected at most {_MAX_DEPTH} levels, found more"
_FEW: Final = 4
_INTEGER: Final = re.compile(r"[+-]?[0-9]{1,18}")
_BOOLEANS: Final = {"true": True, "false": False}
_DURATION: Final = re.compile(
    r"P(?=.)(?:(?P<weeks>[0-9]{1,4})W)?(?:(?P<days>[0-9]{1,5})D)?"
    r"(?:T(?=.)(?:(?P<hours>[0-9]{1,6})H)?(?:(?P<minutes>[0-9]{1,8})M)?(?:(?P<seconds>[0-9]{1,8}(?:\.[0-9]{1,6})?)S)?)?"
)


@dataclass(frozen=True, slots=True)
class Node:
    """One value of a definition file, with the place where it stands."""

    file: str
    """Name of the file, as the loader was given it."""
    path: str
    """Keys from the top of the file, for example ``competences[2].roles``; empty at the top."""
    line: int
    """Line of the value, or of its key where it has one; counted from 1."""
    value: "str | tuple[Node, ...] | dict[str, Node] | None"
    """What stands here: a scalar as written, a list, keys, or nothing."""

    @property
    def is_mapping(self) -> bool:
        """Whether keys stand here."""
        return isinstance(self.value, dict)

    @property
    def is_sequence(self) -> bool:
        """Whether a list stands here."""
        return isinstance(self.value, tuple)

    @property
    def is_empty(self) -> bool:
        """Whether nothing stands here: ``key:``, ``key: ~`` or ``key: null``."""
        return self.value is None

    def error(self, message: str, *, hint: str | None = None) -> DefinitionError:
        """Return an error that points at this place.

        Args:
            message: what was expected and what was found, without the place.
            hint: what to change, as a sentence.
        """
        where = f" at {self.path}" if self.path else ""
        return DefinitionError(
            f"{message}{where} ({self.file}, line {self.line})",
            hint=hint,
            file=self.file,
            line=self.line,
            key=self.path,
        )

    def text(self) -> str:
        """Return the scalar exactly as written, without the spaces around it.

        Raises:
            DefinitionError: nothing, a list or keys stand here.
        """
        if not isinstance(self.value, str):
            raise self.error(f"Expected a text, found {self._found()}")
        return self.value.strip()

    def integer(self) -> int:
        """Return a whole number, written in decimal digits.

        Raises:
            DefinitionError: something else stands here.
        """
        text = self.text()
        if not _INTEGER.fullmatch(text):
            raise self.error(f'Expected a whole number, found "{text}"')
        return int(text)

    def boolean(self) -> bool:
        """Return ``true`` or ``false``; nothing else is a boolean, not even ``yes`` or ``NO``.

        Raises:
            DefinitionError: something else stands here.
        """
        text = self.text()
        if text not in _BOOLEANS:
            raise self.error(f'Expected true or false, found "{text}"')
        return _BOOLEANS[text]

    def date(self) -> date:
        """Return a calendar date, written ``2026-03-02``.

        Raises:
            DefinitionError: something else stands here.
        """
        text = self.text()
        try:
            return date.fromisoformat(text)
        except ValueError as error:
            raise self.error(
                f'Expected a date, found "{text}"', hint="Write dates like 2026-03-02."
            ) from error

    def duration(self) -> timedelta:
        """Return a duration in ISO 8601 form with weeks, days, hours, minutes, seconds.

        Years and months are refused, because their length depends on the day they start.

        Raises:
            DefinitionError: something else stands here.
        """
        text = self.text()
        match = _DURATION.fullmatch(text)
        if match is None:
            raise self.error(
                f'Expected a duration, found "{text}"', hint="Write durations like PT5M, P2D or P1DT12H."
            )
        return timedelta(**{unit: float(count) for unit, count in match.groupdict().items() if count})

    def one_of(self, choices: Collection[str]) -> str:
        """Return the text when it is one of ``choices``.

        Raises:
            DefinitionError: another text stands here; suggests the nearest choice.
        """
        text = self.text()
        if text not in choices:
            few = len(choices) <= _FEW
            expected = " or ".join(choices) if few else f"one of {len(choices)} known words"
            raise self.error(f'Expected {expected}, found "{text}"', hint=suggestion(text, choices))
        return text

    def member(self, choices: type[_E]) -> _E:
        """Return the member of the enumeration ``choices`` whose value is the text here.

        Raises:
            DefinitionError: no member has this value; suggests the nearest one.
        """
        return choices(self.one_of([str(choice.value) for choice in choices]))

    def parsed(self, parse: Callable[[str], _T]) -> _T:
        """Return ``parse(text)``, where ``parse`` is an identifier class such as ``SedType``.

        Raises:
            DefinitionError: ``parse`` refused the text; its sentence and hint are kept.
        """
        try:
            return parse(self.text())
        except DefinitionError:
            raise
        except EessiSimError as error:
            raise self.error(error.message, hint=error.hint) from error

    def sequence(self) -> tuple["Node", ...]:
        """Return the values of a list.

        Raises:
            DefinitionError: no list stands here.
        """
        if not isinstance(self.value, tuple):
            raise self.error(f"Expected a list, found {self._found()}")
        return self.value

    def each(self, read: Callable[["Node"], _T]) -> tuple[_T, ...]:
        """Return ``read(value)`` for every value of a list.

        Raises:
            DefinitionError: no list stands here, or ``read`` refused a value.
        """
        return tuple(read(node) for node in self.sequence())

    def entries(self) -> "Fields":
        """Return the keys that stand here, whatever their names.

        Raises:
            DefinitionError: no keys stand here.
        """
        if not isinstance(self.value, dict):
            raise self.error(f"Expected keys and values, found {self._found()}")
        return Fields(self, self.value)

    def mapping(self, *, required: Collection[str] = (), allowed: Collection[str] = ()) -> "Fields":
        """Return the keys that stand here, none but the named ones.

        Args:
            required: keys that must be there.
            allowed: further keys that may be there.

        Raises:
            DefinitionError: no keys stand here, one is unknown (suggests the nearest), or one is missing.
        """
        fields = self.entries()
        known = {*allowed, *required}
        for key, node in fields.items():
            if key not in known:
                raise node.error(f'Expected a known key, found "{key}"', hint=suggestion(key, known))
        for key in required:
            fields[key]
        return fields

    def plain(self) -> Plain:
        """Return texts, lists and dictionaries; nothing becomes None, every other scalar stays text."""
        if isinstance(self.value, dict):
            return {key: node.plain() for key, node in self.value.items()}
        if isinstance(self.value, tuple):
            return [node.plain() for node in self.value]
        return self.value

    def _found(self) -> str:
        if isinstance(self.value, str):
            return f'"{self.value}"'
        return "nothing" if self.value is None else "keys and values" if self.is_mapping else "a list"


class _Required(Enum):
    """The one default that means: there is none."""

    REQUIRED = "required"


class Fields(Mapping[str, Node]):
    """The keys of one mapping, in the order of the file.

    Args:
        node: where the mapping stands.
        entries: its values by key.
    """

    __slots__ = ("_entries", "node")

    def __init__(self, node: Node, entries: Mapping[str, Node]) -> None:
        self.node = node
        self._entries = entries

    def __getitem__(self, key: str) -> Node:
        """Return the value of ``key``; a DefinitionError, not a KeyError, when it is missing."""
        if key not in self._entries:
            raise self.node.error(f'Expected the key "{key}", found none', hint=f'Add "{key}:" here.')
        return self._entries[key]

    def __contains__(self, key: object) -> bool:
        return key in self._entries

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    @overload
    def read(self, key: str, read: Callable[[Node], _T]) -> _T: ...

    @overload
    def read(self, key: str, read: Callable[[Node], _T], default: _D) -> _T | _D: ...

    def read(
        self, key: str, read: Callable[[Node], _T], default: _D | _Required = _Required.REQUIRED
    ) -> _T | _D:
        """Return ``read(value of key)``, or the default when the key is absent.

        Args:
            key: name of the key.
            read: ``Node.text``, ``Node.boolean`` … or the loader's own function.
            default: what an absent key means; without it the key is required.

        Raises:
            DefinitionError: the key is required and absent, or ``read`` refused the value.
        """
        if default is _Required.REQUIRED or key in self._entries:
            return read(self[key])
        return default

    def each(self, key: str, read: Callable[[Node], _T]) -> tuple[_T, ...]:
        """Return ``read(value)`` for every value of the list at ``key``; nothing when the key is absent.

        Raises:
            DefinitionError: no list stands there, or ``read`` refused a value.
        """
        return self._entries[key].each(read) if key in self._entries else ()


def load_yaml(path: Path) -> Node:
    """Read one definition file.

    Raises:
        DefinitionError: the file cannot be read, or is not one YAML document without aliases and with
            every key once.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DefinitionError(
            f"Expected a readable file, found {error.strerror} ({path})", file=str(path)
        ) from error
    return read_yaml(data, str(path))


def read_yaml(data: bytes | str, file: str) -> Node:
    """Read one YAML document.

    Args:
        data: the document.
        file: name to show in errors.

    Raises:
        DefinitionError: not one YAML document without aliases and with every key once.
    """
    try:
        return _Composer(file, yaml.parse(data, Loader=_LOADER)).document()
    except yaml.YAMLError as error:
        raise _not_yaml(error, file) from error


def suggestion(found: str, known: Collection[str]) -> str:
    """Return a hint that names the nearest of ``known``, or all of them when none is near."""
    near = difflib.get_close_matches(found, known, n=1)
    return f'Did you mean "{near[0]}"?' if near else f"Known here: {', '.join(sorted(known))}."


def _not_yaml(error: yaml.YAMLError, file: str) -> DefinitionError:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or getattr(error, "reason", None) or str(error)
    line = mark.line + 1 if mark else 1
    if "maximum nesting depth" in problem:
        # PyYAML from 6.0.4 on counts brackets itself and is first.
        return Node(file, "", line, None).error(_TOO_DEEP)
    return DefinitionError(
        f"Expected well-formed YAML, found: {problem} ({file}, line {line})",
        hint="Check indentation, colons and quotes of this line and the one above.",
        file=file,
        line=line,
    )


class _Composer:
    """Builds nodes from the events of the YAML parser; the event reader itself never recurses.

    Args:
        file: name to show in errors.
        events: what ``yaml.parse`` yields.
    """

    def __init__(self, file: str, events: Iterator[yaml.Event]) -> None:
        self._file = file
        self._events = events

    def document(self) -> Node:
        """Return the one document of the stream."""
        next(self._events)  # start of the stream
        if isinstance(next(self._events), yaml.StreamEndEvent):
            raise DefinitionError(
                f"Expected a definition, found an empty file ({self._file})", file=self._file
            )
        first = next(self._events)
        root = self._node(first, "", _line(first), 0)
        next(self._events)  # end of the document
        after = next(self._events)
        if not isinstance(after, yaml.StreamEndEvent):
            raise self._at("", _line(after)).error('Expected one document, found a second after "---"')
        return root

    def _at(self, path: str, line: int) -> Node:
        return Node(self._file, path, line, None)

    def _node(self, event: yaml.Event, path: str, line: int, depth: int) -> Node:
        if depth > _MAX_DEPTH:
            raise self._at(path, line).error(_TOO_DEEP)
        if isinstance(event, yaml.ScalarEvent):
            # Only a scalar without quotes can mean "nothing"; implicit[0] says it has none.
            empty = event.implicit[0] and event.value in _EMPTY
            return Node(self._file, path, line, None if empty else event.value)
        if isinstance(event, yaml.SequenceStartEvent):
            return Node(self._file, path, line, self._items(path, depth + 1))
        if isinstance(event, yaml.MappingStartEvent):
            return Node(self._file, path, line, self._entries(path, depth + 1))
        # An alias could nest without end; definition files are short enough to say things twice.
        raise self._at(path, line).error("Expected no alias, found one", hint="Repeat the text instead.")

    def _items(self, path: str, depth: int) -> tuple[Node, ...]:
        items: list[Node] = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            items.append(self._node(event, f"{path}[{len(items) + 1}]", _line(event), depth))
        return tuple(items)

    def _entries(self, path: str, depth: int) -> dict[str, Node]:
        entries: dict[str, Node] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            line = _line(event)
            if not isinstance(event, yaml.ScalarEvent) or event.value == "<<":
                raise self._at(path, line).error("Expected a plain word as key, found something else")
            key = event.value
            if key in entries:
                raise self._at(path, line).error(f'Expected every key once, found "{key}" again')
            entries[key] = self._node(next(self._events), f"{path}.{key}" if path else key, line, depth)
        return entries


def _line(event: yaml.Event) -> int:
    mark = event.start_mark
    assert mark is not None  # parsers set it always
    return mark.line + 1
