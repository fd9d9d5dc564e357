"""Columns: the leaves of a claim under names that people write into the first row of a table.

A leaf is named by the end of its path, in words: ``family name``, ``reimbursement period / start date``. The
shortest end that names one leaf only is what we write; any longer one, and the spelling of the schema, are read
as well. A number in brackets says which one of several: ``working period considered [2] / start date``.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from eessi_sim.bulk.definition import Claims
from eessi_sim.cdm.catalogue import SedDefinition
from eessi_sim.cdm.shape import Field, Shapes
from eessi_sim.definition_files import suggestion
from eessi_sim.errors import SedError

_WORDS: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_NO_LETTER: Final = re.compile(r"[^a-z0-9]+")
_STEP: Final = re.compile(r"(?P<name>[^\[\]]*?)\s*(?:\[\s*(?P<index>[0-9]{1,4})\s*\])?\s*")
_SHOWN: Final = 4


class UnknownColumn(SedError):  # noqa: N818 - says what is the matter
    """A name stands for no leaf of a claim, or for several."""

    code = "unknown-column"


@dataclass(frozen=True, slots=True)
class Step:
    """One element on the way from a claim to a leaf."""

    tag: str
    name: str
    place: int
    """Among its siblings in the schema."""
    repeats: bool


@dataclass(frozen=True, slots=True)
class Leaf:
    """A value that a claim can hold."""

    steps: tuple[Step, ...]
    coded: bool
    """Whether the last step is the ``value`` inside a coded field, which nobody writes."""
    required: bool
    """Whether every claim must have it."""
    meaning: str

    @property
    def shown(self) -> tuple[Step, ...]:
        """The steps that have a name for people."""
        return self.steps[:-1] if self.coded else self.steps

    @property
    def path(self) -> str:
        """Names from the claim to the leaf, as the definition files write them."""
        return "/".join(step.name for step in self.shown)


@dataclass(frozen=True, slots=True)
class Column:
    """One leaf, and which one where elements repeat."""

    header: str
    leaf: Leaf
    indexes: tuple[int, ...]
    """One for each step, from 1."""

    @property
    def order(self) -> tuple[tuple[int, int], ...]:
        """Sorts columns as the schema wants their elements."""
        return tuple((step.place, index) for step, index in zip(self.leaf.steps, self.indexes, strict=True))

    @property
    def place(self) -> tuple[tuple[str, int], ...]:
        """Tag and index of every step; the same for two columns that mean the same."""
        return tuple((step.tag, index) for step, index in zip(self.leaf.steps, self.indexes, strict=True))


class Columns:
    """All leaves of the claims of one SED.

    Args:
        definition: the SED.
        about: its claims.

    Raises:
        DefinitionError: the schema has no such claims, or a usual column is no leaf.
    """

    def __init__(self, definition: SedDefinition, about: Claims) -> None:
        shapes = Shapes.of(definition)
        self.leaves = tuple(_leaves(shapes, _claim_field(shapes, about), _Way()))
        self._by_last: dict[str, list[Leaf]] = {}
        for leaf in self.leaves:
            self._by_last.setdefault(_key(leaf.shown[-1].name), []).append(leaf)
        self._by_path = {leaf.path: leaf for leaf in self.leaves}
        self._headers: dict[Leaf, str] = {}
        self.usual = tuple(self.at(path) for path in about.columns)
        self._usual = frozenset(column.leaf for column in self.usual)

    def at(self, path: str) -> Column:
        """Return the column of a leaf, named by its path as definition files write it.

        Raises:
            UnknownColumn: there is none.
        """
        leaf = self._by_path.get(path)
        if leaf is None:
            raise UnknownColumn(
                f'Expected a leaf of the claim, found "{path}"', hint=suggestion(path, self._by_path)
            )
        return Column(self.header(leaf), leaf, (1,) * len(leaf.steps))

    def header(self, leaf: Leaf, indexes: Sequence[int] = ()) -> str:
        """Return the shortest name of a leaf, with the numbers of elements that are not the first."""
        if leaf not in self._headers:
            self._headers[leaf] = " / ".join(words(step.name) for step in leaf.shown[-self._length(leaf) :])
        if all(index == 1 for index in indexes):
            return self._headers[leaf]
        return self._numbered(leaf, indexes)

    def _numbered(self, leaf: Leaf, indexes: Sequence[int]) -> str:
        """Return a name that is long enough to hold every number."""
        first = next(place for place, index in enumerate(indexes) if index != 1)
        length = max(self._length(leaf), len(leaf.shown) - first)
        steps = list(zip(leaf.shown, indexes, strict=False))[-length:]
        marked = [
            f"{words(step.name)} [{index}]" if index != 1 else words(step.name) for step, index in steps
        ]
        if leaf.coded and indexes[-1] != 1:
            marked[-1] = f"{words(leaf.shown[-1].name)} [{indexes[-1]}]"
        return " / ".join(marked)

    def _length(self, leaf: Leaf) -> int:
        """Return how many steps from the end name this leaf and no other."""
        names = [_key(step.name) for step in leaf.shown]
        for length in range(1, len(names)):
            if len(self._ending(names[-length:])) == 1:
                return length
        return len(names)

    def resolve(self, header: str) -> Column:
        """Return the column that a name stands for.

        Raises:
            UnknownColumn: none, or several; names the nearest.
        """
        names, numbers = _parsed(header)
        leaf, is_inner = self._find(header, names)
        indexes = self._indexes(header, leaf, numbers, is_inner=is_inner)
        return Column(self.header(leaf, indexes), leaf, indexes)

    def _find(self, header: str, names: list[str]) -> tuple[Leaf, bool]:
        """Return the leaf, and whether the name goes down to the value inside a coded field."""
        found, is_inner = self._ending(names), False
        if not found and len(names) > 1:
            found = [
                leaf
                for leaf in self._ending(names[:-1])
                if leaf.coded and _key(leaf.steps[-1].name) == names[-1]
            ]
            is_inner = bool(found)
        if len(found) > 1:
            wanted = names[:-1] if is_inner else names
            whole = [leaf for leaf in found if len(leaf.shown) == len(wanted)]
            found = whole or [leaf for leaf in found if leaf in self._usual] or found
        if len(found) == 1:
            return found[0], is_inner
        if found:
            several = ", ".join(f'"{self.header(leaf)}"' for leaf in found[:_SHOWN])
            raise UnknownColumn(
                f'Expected a name of one field, found "{header}", which names {len(found)}',
                hint=f"Write {several}.",
            )
        known = [self.header(leaf) for leaf in self.leaves]
        raise UnknownColumn(f'Expected a field of a claim, found "{header}"', hint=_nearest(header, known))

    def _ending(self, names: Sequence[str]) -> list[Leaf]:
        return [
            leaf
            for leaf in self._by_last.get(names[-1], ())
            if [_key(step.name) for step in leaf.shown[-len(names) :]] == list(names)
        ]

    def _indexes(self, header: str, leaf: Leaf, numbers: list[int], *, is_inner: bool) -> tuple[int, ...]:
        shown = len(leaf.shown)
        own = numbers[:-1] if is_inner else numbers
        indexes = [1] * (shown - len(own)) + own
        if leaf.coded:
            inner = numbers[-1] if is_inner else 1
            if not is_inner and indexes[-1] > 1 and not leaf.shown[-1].repeats:
                inner, indexes[-1] = indexes[-1], 1
            indexes.append(inner)
        return _moved(header, leaf, indexes)


def words(name: str) -> str:
    """Return the name of an element as words: ``dateBirth`` as ``date birth``."""
    return " ".join(part if part.isupper() and len(part) > 1 else part.lower() for part in _WORDS.split(name))


def _moved(header: str, leaf: Leaf, indexes: list[int]) -> tuple[int, ...]:
    """Return the numbers, each at a step that repeats: ``start date [2]`` means that of the second period.

    Raises:
        UnknownColumn: nothing around the step repeats.
    """
    for place, index in enumerate(indexes):
        if index != 1 and not leaf.steps[place].repeats:
            around = (
                each for each in reversed(range(place)) if leaf.steps[each].repeats and indexes[each] == 1
            )
            target = next(around, None)
            if target is None:
                raise UnknownColumn(
                    f'Expected no number in "{header}", which stands once in a claim, found [{index}]',
                    hint="Leave the number out.",
                )
            indexes[target], indexes[place] = index, 1
    return tuple(indexes)


@dataclass(frozen=True, slots=True)
class _Way:
    steps: tuple[Step, ...] = ()
    required: bool = True
    around: tuple[int, ...] = ()


def _claim_field(shapes: Shapes, about: Claims) -> Field:
    field = shapes.root
    for name in about.steps:
        fields: Mapping[str, Field] = shapes.of_field(field).fields or {}
        field = next(each for each in fields.values() if each.name == name)
    return field


def _leaves(shapes: Shapes, group: Field, way: _Way) -> Iterator[Leaf]:
    fields = shapes.of_field(group).fields or {}
    for place, field in enumerate(fields.values()):
        shape = shapes.of_field(field)
        step = Step(field.tag, field.name, place, field.maximum != 1)
        steps = (*way.steps, step)
        required = way.required and field.minimum > 0
        meaning = field.documentation or shape.documentation
        if shape.simple is not None:
            yield Leaf(steps, coded=False, required=required, meaning=meaning)
        elif shape.coded is not None:
            inner = Step(shape.coded.tag, shape.coded.name, 0, shape.coded.maximum != 1)
            yield Leaf((*steps, inner), coded=True, required=required, meaning=meaning)
        elif field.type not in way.around:
            yield from _leaves(shapes, field, _Way(steps, required, (*way.around, field.type)))


def _key(name: str) -> str:
    return _NO_LETTER.sub("", name.lower())


def _parsed(header: str) -> tuple[list[str], list[int]]:
    names, numbers = [], []
    for part in header.split("/"):
        match = _STEP.fullmatch(part)
        name = _key(match.group("name")) if match is not None else ""
        index = int(match.group("index") or "1") if match is not None else 0
        if match is None or not name or index < 1:
            raise UnknownColumn(
                f'Expected a name like "family name", found "{header}"',
                hint="Write one name, or several with / between them; [2] marks the second of its kind.",
            )
        names.append(name)
        numbers.append(index)
    return names, numbers


def _nearest(header: str, known: Sequence[str]) -> str:
    return suggestion(header, known) if len(known) < 30 else _short(suggestion(header, known))


def _short(hint: str) -> str:
    return hint if hint.startswith("Did") else "The command eessi-sim bulk template --all writes every name."
