"""Mutations: the smallest changes that break one requirement of a schema, each with the finding it must cause.

The codes of findings are those of ``cdm.fault``; the requirements are the particles of XML Schema 1.0 part 1, 3.8
and 3.9, and the facets of part 2, 4.3. A mutation works on a small valid document in which its target stands.
"""

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from lxml import etree

from eessi_sim import xmlsafe
from eessi_sim.cdm.shape import Field, Group, Order, Place, Shape, Shapes, Simple
from eessi_sim.samples import values
from eessi_sim.samples.build import tags_of
from eessi_sim.xmlsafe import Element

_FOREIGN: Final = "notInTheSchema"
_NO_CODE: Final = "no-such-code"
_WRONG_DATE: Final = "02.03.2026"
_WRONG_NUMBER: Final = "many"


@dataclass(frozen=True, slots=True)
class Expected:
    """The finding that a wrong document must cause."""

    code: str
    path: str
    """As ``Issue.path``."""
    rule: str | None = None
    """Id of the business rule, None for the schema."""
    severity: str = "error"


@dataclass(frozen=True, slots=True)
class Mutation:
    """One way to break the schema at one place."""

    kind: str
    """Name of what is broken: ``element-missing``, ``value-too-long`` …"""
    target: tuple[str, ...]
    """Tags from below the root to the element that it needs in the document."""
    what: str
    """A sentence about the change."""
    change: Callable[[Element], Expected | None]
    """Changes the target in its document; None when the document gives no occasion."""


def mutations(shapes: Shapes) -> Iterator[Mutation]:
    """Yield all mutations of a schema, by place; every type is broken where it is met first.

    Args:
        shapes: of the SED.
    """
    seen: set[int] = set()
    waiting: list[tuple[Field, tuple[str, ...]]] = [(shapes.root, ())]
    yield from _attribute_mutations(shapes.of_field(shapes.root), ())
    while waiting:
        owner, target = waiting.pop(0)
        if owner.type in seen:
            continue
        seen.add(owner.type)
        shape = shapes.of_field(owner)
        yield from _group_mutations(shape, target)
        for place, in_choice in _places(shape.model):
            field = place.field
            below = (*target, field.tag)
            yield from _field_mutations(place, below, in_choice=in_choice)
            yield from _value_mutations(shapes.of_field(field).simple, field, below)
            yield from _attribute_mutations(shapes.of_field(field), below)
            waiting.append((field, below))


def _places(group: Group | None, *, in_choice: bool = False) -> Iterator[tuple[Place, bool]]:
    """Yield the places of a content model, and whether something around makes one of them free to miss."""
    if group is None:
        return
    free = in_choice or group.minimum == 0 or (group.order is Order.CHOICE and len(group.parts) > 1)
    for part in group.parts:
        if isinstance(part, Place):
            yield part, free
        else:
            yield from _places(part, in_choice=free)


# Fields: how often they stand.


def _field_mutations(place: Place, target: tuple[str, ...], *, in_choice: bool) -> Iterator[Mutation]:
    name = place.field.name
    if place.minimum and not in_choice:
        yield Mutation("element-missing", target, f"{name} is left out", _leave_out)
    if place.maximum is not None and place.field.maximum == place.maximum:
        most = place.maximum
        yield Mutation(
            "element-repeated", target, f"{name} stands {most + 1} times", lambda at: _repeat(at, most)
        )


def _leave_out(element: Element) -> Expected | None:
    parent = element.getparent()
    assert parent is not None  # the root is no target
    for each in parent.findall(element.tag):
        parent.remove(each)
    return Expected("element-missing", f"{xmlsafe.path_of(parent)}/{xmlsafe.local_name(element)}")


def _repeat(element: Element, most: int) -> Expected | None:
    parent = element.getparent()
    assert parent is not None  # the root is no target
    last = parent.findall(element.tag)[-1]
    for _ in range(most + 1 - len(parent.findall(element.tag))):
        again = copy.deepcopy(element)
        last.addnext(again)
    return Expected("element-repeated", xmlsafe.path_of(parent.findall(element.tag)[most]))


# Groups: what stands between and beside the fields.


def _group_mutations(shape: Shape, target: tuple[str, ...]) -> Iterator[Mutation]:
    if shape.fields is None:
        return
    if shape.coded is not None:
        yield Mutation("text-unexpected", target, "The code stands without its wrapper", _unwrap)
        return
    yield Mutation("element-unexpected", target, "An element that nobody defines is added", _add_foreign)
    yield Mutation("text-unexpected", target, "A text stands between the elements", _add_text)
    if not target:
        return
    model = shape.model
    if model is not None and model.order is Order.SEQUENCE:
        yield Mutation(
            "element-order", target, "The last element stands first", lambda at: _disorder(at, model)
        )


def _unwrap(element: Element) -> Expected | None:
    text = "".join(str(part) for part in element.itertext())
    for child in list(element):
        element.remove(child)
    element.text = text
    return Expected("text-unexpected", xmlsafe.path_of(element))


def _add_foreign(element: Element) -> Expected | None:
    return Expected("element-unexpected", xmlsafe.path_of(etree.SubElement(element, _FOREIGN)))


def _add_text(element: Element) -> Expected | None:
    if not len(element):
        return None
    element[-1].tail = "not here"
    return Expected("text-unexpected", xmlsafe.path_of(element))


def _disorder(element: Element, model: Group) -> Expected | None:
    if len(element) < 2 or element[0].tag == element[-1].tag or element[-1].tag == element[-2].tag:
        return None
    moved = element[-1]
    element.insert(0, moved)
    # Where all before it may be missing, it may stand first, and its old neighbours are too late.
    at_fault = element[1] if _may_stand_first(model, str(moved.tag)) else moved
    return Expected("element-order", xmlsafe.path_of(at_fault))


def _may_stand_first(model: Group, tag: str) -> bool:
    for part in model.parts:
        if tag in tags_of(part):
            return True
        if part.minimum:
            return False
    return False


# Values.


def _value_mutations(simple: Simple | None, field: Field, target: tuple[str, ...]) -> Iterator[Mutation]:
    if simple is None:
        return
    name = field.name
    if simple.code_list is not None:
        yield _value(target, "value-not-in-code-list", f"{name} has a code that is not in its list", _NO_CODE)
        return
    if values.is_date(simple):
        yield _value(target, "date-invalid", f"{name} is not written as a date", _WRONG_DATE)
        yield _value(target, "date-invalid", f"{name} is a day that no calendar has", _no_such_day(simple))
    elif values.is_number(simple):
        yield _value(target, "number-invalid", f"{name} is no number", _WRONG_NUMBER)
        yield from _number_mutations(simple, name, target)
    elif values.is_text(simple):
        yield from _text_mutations(simple, name, target)


def _no_such_day(simple: Simple) -> str:
    return {"date": "2026-02-30", "dateTime": "2026-02-30T08:00:00Z"}.get(simple.base, "2026-13")


def _number_mutations(simple: Simple, name: str, target: tuple[str, ...]) -> Iterator[Mutation]:
    if simple.fraction_digits is not None:
        text = f"1.{'1' * (simple.fraction_digits + 1)}"
        yield _value(target, "schema", f"{name} has a decimal too many", text)
    if simple.total_digits is not None:
        yield _value(target, "schema", f"{name} has a digit too many", "1" * (simple.total_digits + 1))
    if simple.patterns and not values.fits(simple, "01"):
        yield _value(target, "value-pattern", f"{name} begins with a zero", "01")
    if simple.least is not None:
        yield _value(
            target, "schema", f"{name} is less than {simple.least}", str(int(float(simple.least)) - 1)
        )
    if simple.greatest is not None:
        text = str(int(float(simple.greatest)) + 1)
        yield _value(target, "schema", f"{name} is greater than {simple.greatest}", text)


def _text_mutations(simple: Simple, name: str, target: tuple[str, ...]) -> Iterator[Mutation]:
    if simple.patterns and not values.fits(simple, ""):
        yield _value(target, "value-empty", f"{name} is empty", "")
    if simple.patterns and not values.fits(simple, "?"):
        yield _value(target, "value-pattern", f"{name} has not the form it must have", "?")
    if simple.max_length is not None and (text := _too_long(simple)) is not None:
        yield _value(target, "value-too-long", f"{name} is one character too long", text)


def _too_long(simple: Simple) -> str | None:
    """Return a text that is too long and nothing else; None when the pattern limits the length too."""
    assert simple.max_length is not None  # the caller has asked
    text = "x" * (simple.max_length + 1)
    return text if not simple.patterns or values.matches(simple, text) else None


def _value(target: tuple[str, ...], code: str, what: str, text: str) -> Mutation:
    def change(element: Element) -> Expected:
        element.text = text
        return Expected(code, xmlsafe.path_of(element))

    return Mutation(code, target, what, change)


# Attributes.


def _attribute_mutations(shape: Shape, target: tuple[str, ...]) -> Iterator[Mutation]:
    for name, attribute in (shape.attributes or {}).items():
        if attribute.required:
            yield Mutation("attribute-missing", target, f"{name} is left out", _without_attribute(name))
    if not target:
        yield Mutation(
            "attribute-unexpected", target, "An attribute that nobody defines is added", _add_attribute
        )


def _without_attribute(name: str) -> Callable[[Element], Expected | None]:
    def change(element: Element) -> Expected | None:
        del element.attrib[name]
        return Expected("attribute-missing", f"{xmlsafe.path_of(element)}/@{name}")

    return change


def _add_attribute(element: Element) -> Expected | None:
    element.set(_FOREIGN, "1")
    return Expected("attribute-unexpected", f"{xmlsafe.path_of(element)}/@{_FOREIGN}")
