"""Mends of mechanical faults: which fault can be put right without asking anybody, and how.

A table from the code of a fault to a function that plans the repair. What the repair does to the tree stands in
``mend_edits``, how values are written in ``mend_values``; the root of a document has its own faults in
``mend_root``, and ``mender`` mends a whole document.
"""

import copy
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any, Final

from lxml import etree

from eessi_sim import xmlsafe
from eessi_sim.cdm.catalogue import SedDefinition
from eessi_sim.cdm.fault import Fault, fault_of
from eessi_sim.cdm.mend_edits import (
    Drop,
    Rename,
    Reorder,
    Repair,
    SetAttribute,
    SetText,
    Wrap,
    WrapText,
    declared,
)
from eessi_sim.cdm.mend_values import written
from eessi_sim.cdm.sed import PREFIX, SIGNATURE
from eessi_sim.cdm.shape import Attribute, Field, Shape, Shapes, declaration_at
from eessi_sim.xmlsafe import Element

_FRAME_PREFIX: Final = "doc"
"""Prefix of what stands around a SED when it needs one (our choice, inferred)."""
_UNKNOWN: Final = Shape("")
_FEW: Final = 4
"""Up to so many elements are named one by one."""


@dataclass(frozen=True, slots=True)
class Place:
    """A fault, and what the schema says about the element that it lies at."""

    definition: SedDefinition
    shapes: Shapes
    fault: Fault

    @property
    def element(self) -> Element:
        """The element to look at."""
        return self.fault.at

    @property
    def parent(self) -> Element:
        """The element around it; the SED itself has no fault that asks for it."""
        parent = self.element.getparent()
        assert parent is not None  # faults of children lie at children
        return parent

    def shape(self, element: Element) -> Shape:
        """Return what the schema says about an element, nothing when it does not know it there."""
        tags = _tags(element)
        fields = self.shapes.chain(tags[1:])
        return self.shapes.of_field(fields[-1]) if len(fields) == len(tags) else _UNKNOWN

    def fields(self, element: Element) -> Mapping[str, Field]:
        """Return the children that an element may have, by tag."""
        return self.shape(element).fields or {}

    @property
    def attribute(self) -> Attribute | None:
        """The attribute in question, None when the fault is about something else or the schema does not know it."""
        attributes = self.shape(self.element).attributes or {}
        return attributes.get(self.fault.step.removeprefix("/@"))

    def accepts_text(self, text: str) -> bool:
        """Return whether the schema would take ``text`` in the element at fault."""
        candidate = copy.deepcopy(self.element)
        for child in list(candidate):
            candidate.remove(child)
        candidate.text = text
        return not self._faults(self.element, candidate)

    def accepts_order(self, parent: Element, children: Iterable[Element]) -> bool:
        """Return whether the schema would find nothing out of order if ``children`` stood so in ``parent``."""
        candidate = etree.Element(parent.tag)
        for child in children:
            etree.SubElement(candidate, child.tag)
        return not any(
            fault.code == "element-order" and fault.at.getparent() is candidate
            for fault in self._faults(parent, candidate)
        )

    def _faults(self, element: Element, candidate: Element) -> list[Fault]:
        """Return what would be wrong with ``candidate`` in place of an element that the schema knows."""
        declaration = declaration_at(self.definition, _tags(element))
        assert declaration is not None  # the shape knows the element
        judged: Any = candidate  # the library's types do not know lxml
        return [fault_of(error) for error in declaration.iter_errors(judged)]


def repair_of(place: Place) -> Repair | None:
    """Return how a fault can be put right; None when only a person can know."""
    planner = _PLANNERS.get(place.fault.code)
    return planner(place) if planner is not None else None


def _tags(element: Element) -> list[str]:
    """Return the tags from the SED down to ``element``."""
    tags: list[str] = [element.tag, *(ancestor.tag for ancestor in element.iterancestors())]
    tags.reverse()
    start = next((index for index, tag in enumerate(tags) if "/eessi/ns/" in tag), 0)
    return tags[start:]


# Values and attributes.


def _value(place: Place) -> Repair | None:
    if place.attribute is not None:
        return _attribute_value(place, place.attribute)
    simple = place.shape(place.element).simple
    if simple is None:
        return None
    for text, sentence in written(place.element.text or "", simple):
        if place.accepts_text(text):
            return Repair(sentence, place.element, [SetText(place.element, text)])
    return None


def _attribute_value(place: Place, attribute: Attribute) -> Repair | None:
    found = place.element.get(attribute.name, "")
    for text, sentence in written(found, attribute.simple):
        return Repair(sentence, place.element, [SetAttribute(place.element, attribute.name, text)], depth=0)
    return None


def _fixed_attribute(place: Place) -> Repair | None:
    """Write an attribute that may have one value only."""
    attribute = place.attribute
    if attribute is None or attribute.fixed is None:
        return None
    edit = SetAttribute(place.element, attribute.name, attribute.fixed)
    return Repair(f'Write {attribute.name}="{attribute.fixed}".', place.element, [edit], depth=0)


# Children.


def _order(place: Place) -> Repair | None:
    """Sort the children as the schema lists them; what the schema does not know forbids it."""
    parent = place.parent
    ranks = {tag: rank for rank, tag in enumerate([*place.fields(parent), SIGNATURE])}
    children = list(parent)
    if not all(child.tag in ranks for child in children):
        return None
    children.sort(key=lambda child: ranks[child.tag])
    if not place.accepts_order(parent, children):  # a group of several elements that repeats
        return None
    sentence = f"Bring the elements in {_named(parent)} into the order of the schema."
    return Repair(sentence, parent, [Reorder(parent, tuple(children))])


def _repeated(place: Place) -> Repair | None:
    """Remove elements that say the same as one in front of them, if that is enough.

    All of the parent go at once, because the schema library finds one kind after the other.
    """
    copies = [each for field in place.fields(place.parent).values() for each in _copies(place.parent, field)]
    if not any(each.tag == place.element.tag for each in copies):
        return None
    sentence = f"Remove the copies of {_listed(copies)}."
    return Repair(sentence, place.parent, [Drop(each) for each in copies])


def _copies(parent: Element, field: Field) -> list[Element]:
    """Return the children of one name to remove, none when there are not too many or too many that differ."""
    children = list(parent.iterchildren(field.tag))
    firsts = {_content(child): child for child in reversed(children)}
    if field.maximum is None or not len(firsts) <= field.maximum < len(children):
        return []
    return [child for child in children if firsts[_content(child)] is not child]


def _content(element: Element) -> bytes:
    """Return what an element says, without what stands behind it."""
    return etree.tostring(element, with_tail=False)


def _code_in_group(place: Place) -> Repair | None:
    """Put the element that holds the code around a code that stands alone."""
    coded = place.shape(place.element).coded
    if coded is None or len(place.element):
        return None
    return Repair(f"Put <{coded.name}> around the code.", place.element, [WrapText(place.element, coded.tag)])


def _unexpected(place: Place) -> Repair | None:
    """Tell apart a value in an element too many, a group that was left out, and a name in other letters."""
    if place.element.tag in place.fields(place.parent):
        return _too_deep(place)
    groups = [
        field for field in place.fields(place.parent).values() if place.element.tag in _inside(place, field)
    ]
    return _left_out(place, place.parent, groups) if groups else _spelled(place, place.parent)


def _too_deep(place: Place) -> Repair | None:
    """Take the element away that stands around a value which stands alone."""
    children = list(place.element)
    text = xmlsafe.text_of(children[0])
    if len(children) != 1 or len(children[0]) or not place.accepts_text(text):
        return None
    sentence = f"Take {_named(children[0])} away from around the value."
    return Repair(sentence, place.element, [Drop(children[0]), SetText(place.element, text)])


def _spelled(place: Place, parent: Element) -> Repair | None:
    name = xmlsafe.local_name(place.element).casefold()
    known = [field for field in place.fields(parent).values() if field.name.casefold() == name]
    if len(known) != 1:
        return None
    edit = Rename(place.element, known[0].tag)
    return Repair(f"Write the name as <{known[0].name}>.", place.element, [edit])


def _left_out(place: Place, parent: Element, groups: Sequence[Field]) -> Repair | None:
    """Put a group around elements that only this group can hold."""
    if len(groups) != 1:
        return None
    [group] = groups
    known = place.fields(parent)

    def is_left_out(sibling: Element) -> bool:
        return sibling.tag not in known and sibling.tag in _inside(place, group)

    in_front = takewhile(is_left_out, place.element.itersiblings(preceding=True))
    run = [*reversed(list(in_front)), place.element, *takewhile(is_left_out, place.element.itersiblings())]
    if group.maximum is not None and len(parent.findall(group.tag)) >= group.maximum:
        return None
    sentence = f"Put <{group.name}> around {_listed(run)}."
    return Repair(sentence, parent, [Wrap(tuple(run), group.tag)])


def _inside(place: Place, field: Field) -> Mapping[str, Field]:
    return place.shapes.of_field(field).fields or {}


def _namespace(place: Place) -> Repair | None:
    """Give an element, and what stands in it, the namespace that the schema gives them."""
    parent = place.parent
    names = {field.name: field for field in place.fields(parent).values()}
    known = names.get(xmlsafe.local_name(place.element))
    assert known is not None  # otherwise the element would be called unexpected
    if parent.nsmap.get(None):
        return _default_namespace(place, parent)
    edits = list(_renames(place, place.element, known))
    return Repair(f"Take the namespace off {_named(place.element)}.", place.element, edits)


def _default_namespace(place: Place, parent: Element) -> Repair:
    """Give a prefix to every default namespace that spills over the elements of the SED."""
    around = [parent, *parent.iterancestors()]
    owners = [each for each in around if declared(each).get(None)]
    sed = next(each for each in around if each.tag == place.shapes.root.tag)
    prefixed = [
        Rename(owner, owner.tag, PREFIX if owner is sed else _FRAME_PREFIX) for owner in reversed(owners)
    ]
    below = [
        edit
        for child in sed
        if (field := _by_name(place, place.shapes.root).get(xmlsafe.local_name(child))) is not None
        for edit in _renames(place, child, field)
    ]
    outermost = owners[-1]
    sentence = f'Give the namespace of {_named(outermost)} a prefix; xmlns="…" reaches everything in it.'
    return Repair(sentence, outermost, [*prefixed, *below])


def _by_name(place: Place, field: Field) -> Mapping[str, Field]:
    return {each.name: each for each in _inside(place, field).values()}


def _renames(place: Place, element: Element, field: Field) -> Iterator[Rename]:
    if element.tag != field.tag or element.nsmap.get(None):
        yield Rename(element, field.tag)
    for child in element:
        known = _by_name(place, field).get(xmlsafe.local_name(child))
        if known is not None:
            yield from _renames(place, child, known)


_PLANNERS: Final[Mapping[str, Callable[[Place], Repair | None]]] = {
    "attribute-missing": _fixed_attribute,
    "attribute-value": _fixed_attribute,
    "date-invalid": _value,
    "element-namespace": _namespace,
    "element-order": _order,
    "element-repeated": _repeated,
    "element-unexpected": _unexpected,
    "number-invalid": _value,
    "text-unexpected": _code_in_group,
    "value-not-in-code-list": _value,
    "value-pattern": _value,
    "value-too-long": _value,
    "value-type": _value,
}
"""Code of a fault to what plans its repair; every other fault needs a person."""


def _named(element: Element) -> str:
    return f"<{xmlsafe.local_name(element)}>"


def _listed(elements: list[Element]) -> str:
    names = list(dict.fromkeys(_named(element) for element in elements))
    return ", ".join(names[:_FEW]) + (" …" if len(names) > _FEW else "")
