"""Dialects: valid documents that few systems expect, to try what a receiver can take.

Each change is kept only if the document stays right, so a dialect is as far as schema and rules let it go.
"""

import dataclasses
from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import Final

from eessi_sim.cdm.shape import Shapes, Simple
from eessi_sim.samples import values
from eessi_sim.samples.build import BARE, FULL, TYPICAL
from eessi_sim.samples.generator import Generator
from eessi_sim.samples.people import Human, Persona, ScriptName
from eessi_sim.samples.settle import Judge, leaf_type, prune
from eessi_sim.xmlsafe import Element

_DATES: Final = (
    "1900-01-01", "2000-02-29", "9999-12-31", "2026-03-02Z", "2026-03-02+14:00", "1999-12-31-12:00", "0001-01-01",
)  # fmt: skip
_TIMES: Final = ("1999-12-31T23:59:60Z", "2026-03-02T24:00:00", "2026-03-02T08:00:00.123456789+14:00")
_LONGEST: Final = 2_500
"""Where a type sets no limit."""
_FILLING: Final = "Lorem Ærøskøbing Łódź naïveté 'quoted' & <marked> "
"""With the characters that XML must escape."""


class Dialect(StrEnum):
    """What is unusual about a valid document."""

    TYPICAL = "typical"
    """Nothing."""
    MINIMAL = "minimal"
    """Only what schema and rules demand."""
    FULL = "full"
    """All optional fields."""
    LONGEST = "longest"
    """Every text as long as it may be."""
    SCRIPTS = "scripts"
    """Names in every script of Europe, another one for each seed."""
    DATES = "dates"
    """Days at the ends of the calendar, with and without time zone."""


def document(generator: Generator, seed: int, dialect: Dialect) -> Element:
    """Return a valid document in a dialect.

    Args:
        generator: of the SED.
        seed: the same one gives the same document.
        dialect: what shall be unusual.

    Raises:
        SedError: the SED has no valid document that we can make.
    """
    return _MAKERS[dialect](generator, seed)


def _typical(generator: Generator, seed: int) -> Element:
    return generator.document(seed, TYPICAL)


def _minimal(generator: Generator, seed: int) -> Element:
    root = generator.document(seed, BARE)
    prune(root, generator.judge)
    return root


def _full(generator: Generator, seed: int) -> Element:
    return generator.document(seed, FULL)


def _longest(generator: Generator, seed: int) -> Element:
    root = generator.document(seed, TYPICAL)
    for element, simple in _leaves(generator, root):
        if values.is_text(simple) and simple.patterns:
            most = simple.max_length or _LONGEST
            _try(generator.judge, root, element, [(_FILLING * (most // len(_FILLING) + 1))[: most - 1] + "."])
    return root


def _dates(generator: Generator, seed: int) -> Element:
    root = generator.document(seed, TYPICAL)
    for number, (element, simple) in enumerate(_leaves(generator, root), seed):
        if values.is_date(simple):
            forms = _TIMES if simple.base == "dateTime" else _DATES
            turn = number % len(forms)
            _try(generator.judge, root, element, (*forms[turn:], *forms[:turn]))
    return root


def _scripts(generator: Generator, seed: int) -> Element:
    names = generator.people.scripts
    persona = _renamed(generator.persona(seed), names, seed)
    return generator.document(seed, TYPICAL, persona)


def _renamed(persona: Persona, names: tuple[ScriptName, ...], seed: int) -> Persona:
    def human(person: Human, number: int) -> Human:
        name, other = names[(seed + number) % len(names)], names[(seed + number + 1) % len(names)]
        return dataclasses.replace(
            person,
            family_name=name.family,
            forename=name.forename,
            birth_name=other.family,
            previous_name=other.family,
            previous_forename=other.forename,
            father_name=other.family,
            father_forename=other.forename,
            mother_name=name.family,
            mother_forename=name.forename,
        )

    return dataclasses.replace(
        persona,
        person=human(persona.person, 0),
        spouse=human(persona.spouse, 1),
        children=tuple(human(child, 2 + number) for number, child in enumerate(persona.children)),
        parents=tuple(human(parent, 5 + number) for number, parent in enumerate(persona.parents)),
    )


def _leaves(generator: Generator, root: Element) -> Iterator[tuple[Element, Simple]]:
    """Yield the leaves of a document with their types."""
    shapes = Shapes.of(generator.definition)
    for element in root.iterdescendants():
        simple = leaf_type(shapes, element) if not len(element) else None
        if simple is not None:
            yield element, simple


def _try(judge: Judge, root: Element, element: Element, texts: list[str] | tuple[str, ...]) -> None:
    """Write the first of the texts with which the document stays right; else leave it as it is."""
    before = element.text
    for text in texts:
        element.text = text
        if judge.is_right(root):
            return
    element.text = before


_MAKERS: Final[dict[Dialect, Callable[[Generator, int], Element]]] = {
    Dialect.TYPICAL: _typical,
    Dialect.MINIMAL: _minimal,
    Dialect.FULL: _full,
    Dialect.LONGEST: _longest,
    Dialect.SCRIPTS: _scripts,
    Dialect.DATES: _dates,
}
