"""The dictionary of a SED: one row per field, for people who read and for tools that list.

Rows follow the order of the schema. A coded leaf is one row that names its code list.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from eessi_sim.cdm.annotation import Fact
from eessi_sim.cdm.catalogue import SedDefinition
from eessi_sim.cdm.codelists import CodeList
from eessi_sim.cdm.shape import Attribute, Field, Shape, Shapes, Simple


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One field of a SED."""

    path: str
    """From below the root: ``Person/PersonIdentification/dateBirth``; attributes with ``@``."""
    type: str
    """group, code, codes, text, date, decimal …, with the greatest length in brackets."""
    occurrence: str
    """``1``, ``0..1``, ``0..*`` …"""
    code_list: str | None
    meaning: str
    confidence: str | None
    """documented, observed or inferred; inherited from the group around it when it has no own mark."""
    source: str | None


def rows(definition: SedDefinition) -> tuple[Row, ...]:
    """Return the dictionary of a SED.

    Raises:
        DefinitionError: the schema does not define the element of the SED.
    """
    shapes = Shapes.of(definition)
    facts = definition.facts
    inherited = Fact(facts.confidence or "inferred", facts.source or None)
    return tuple(_walk(shapes, shapes.root, _Place("", inherited, ())))


def code_lists(definition: SedDefinition) -> dict[str, CodeList]:
    """Return the code lists that a SED uses, by name."""
    simples = (shape.simple for shape in Shapes.of(definition).types)
    lists = (simple.code_list for simple in simples if simple is not None)
    return {codes.name: codes for codes in lists if codes is not None}


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the walk is: path, the mark to inherit, and the types around, because types may contain themselves."""

    path: str
    fact: Fact
    around: tuple[int, ...]

    def below(self, name: str, field: Field, fact: Fact) -> "_Place":
        return _Place(f"{self.path}{name}/", fact, (*self.around, field.type))


def _walk(shapes: Shapes, group: Field, place: _Place) -> Iterator[Row]:
    shape = shapes.of_field(group)
    yield from _attribute_rows(shape, place)
    for field in (shape.fields or {}).values():
        fact = _fact(field.fact, shapes.of_field(field).fact, place.fact)
        yield _row(shapes, field, place, fact)
        below = place.below(field.name, field, fact)
        if _is_leaf(shapes, field):
            yield from _attribute_rows(shapes.of_field(field), below)
        elif field.type not in place.around:
            yield from _walk(shapes, field, below)


def _is_leaf(shapes: Shapes, field: Field) -> bool:
    shape = shapes.of_field(field)
    return shape.simple is not None or shape.coded is not None


def _row(shapes: Shapes, field: Field, place: _Place, fact: Fact) -> Row:
    shape = shapes.of_field(field)
    coded = shape.coded
    simple = shapes.of_field(coded).simple if coded is not None else shape.simple
    return Row(
        path=place.path + field.name,
        type=_type(shape, simple),
        occurrence=_occurrence(field.minimum, field.maximum),
        code_list=simple.code_list.name if simple is not None and simple.code_list is not None else None,
        meaning=field.documentation or shape.documentation,
        confidence=fact.confidence,
        source=fact.source,
    )


def _attribute_rows(shape: Shape, place: _Place) -> Iterator[Row]:
    for attribute in (shape.attributes or {}).values():
        yield _attribute_row(attribute, place)


def _attribute_row(attribute: Attribute, place: _Place) -> Row:
    fact = _fact(attribute.fact, None, place.fact)
    return Row(
        path=f"{place.path}@{attribute.name}",
        type=_text_type(attribute.simple),
        occurrence="1" if attribute.required else "0..1",
        code_list=None,
        meaning=attribute.documentation,
        confidence=fact.confidence,
        source=fact.source,
    )


def _fact(own: Fact | None, of_type: Fact | None, inherited: Fact) -> Fact:
    marks = [fact for fact in (own, of_type, inherited) if fact is not None]
    return Fact(marks[0].confidence, next((fact.source for fact in marks if fact.source), None))


def _type(shape: Shape, simple: Simple | None) -> str:
    if shape.coded is not None:
        return "code" if shape.coded.maximum == 1 else "codes"
    if simple is not None:
        return _text_type(simple)
    return "group" if shape.fields is not None else "any"


def _text_type(simple: Simple) -> str:
    base = "text" if simple.base == "string" else simple.base
    return f"{base} ({simple.max_length})" if simple.max_length is not None else base


def _occurrence(minimum: int, maximum: int | None) -> str:
    if minimum == maximum:
        return str(minimum)
    return f"{minimum}..{'*' if maximum is None else maximum}"
