"""Faults of a document in plain English: one function per kind of fault that the schema library tells apart.

Each says what was expected, what was found and what to change; the codes are stable (kebab-case). The vocabulary
of faults is that of XML Schema 1.0 part 1, appendix C and part 2, 4.3. Places, sources and rule ids are added by
``explanation``.
"""

import re
from dataclasses import dataclass
from typing import Final, cast

from xmlschema import XMLSchemaChildrenValidationError, XMLSchemaValidationError
from xmlschema.validators import (
    XsdAtomicBuiltin,
    XsdAttribute,
    XsdAttributeGroup,
    XsdElement,
    XsdEnumerationFacets,
    XsdFacet,
    XsdGroup,
    XsdMaxLengthFacet,
    XsdPatternFacets,
    XsdSimpleType,
)

from eessi_sim import xmlsafe
from eessi_sim.cdm.annotation import documentation_of
from eessi_sim.cdm.codelists import CodeList, code_list_of
from eessi_sim.cdm.shape import particles_of
from eessi_sim.definition_files import suggestion
from eessi_sim.xmlsafe import Element

_SHOWN: Final = 60
"""How much of a wrong value a finding repeats."""
_FEW: Final = 12
"""Up to so many codes of a list are named one by one."""
_DATE_FORMS: Final = {
    "date": "a date like 2026-03-02",
    "dateTime": "a time like 2026-03-02T08:00:00Z",
    "gYearMonth": "a month like 2026-03",
    "gYear": "a year like 2026",
}
_CALENDAR: Final = {
    "month must be": "Months go from 01 to 12.",
    "day is out of range": "The month does not have this day.",
    "year '0000'": "There is no year 0000.",
}
"""What the library says about a date that has the right form, and what we advise."""
_NUMBERS: Final = frozenset({"decimal", "integer", "nonNegativeInteger", "positiveInteger", "int", "long"})
_OF_ATTRIBUTE: Final = re.compile(r"attribute ([^=' ]+)=")
_CLAUSE: Final = re.compile(r"; |\. ")
_QUOTED: Final = re.compile(r"'([^']*)'")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What is wrong with one element."""

    at: Element
    """The element to look at."""
    code: str
    message: str
    hint: str | None = None
    expected: str | None = None
    found: str | None = None
    step: str = ""
    """What the path needs below that element, for an attribute or an element that is missing."""


def fault_of(error: XMLSchemaValidationError) -> Fault:
    """Return the fault that an error of the schema library stands for."""
    if isinstance(error, XMLSchemaChildrenValidationError):
        return _child_fault(error)
    if isinstance(error.validator, XsdGroup):
        return _text_between_elements(_element_of(error), error.validator)
    if isinstance(error.validator, XsdAttributeGroup | XsdAttribute):
        return _attribute_fault(error)
    if isinstance(error.validator, XsdElement):
        return _element_fault(error, error.validator)
    if isinstance(error.validator, XsdFacet | XsdSimpleType):
        return _value_fault(error)
    return _other(error, _name(_element_of(error)))


def _element_of(error: XMLSchemaValidationError) -> Element:
    return cast("Element", error.elem)  # only trees of lxml are given to the library


# Children: which elements stand where.


def _child_fault(error: XMLSchemaChildrenValidationError) -> Fault:
    parent = _element_of(error)
    group = error.validator
    assert isinstance(group, XsdGroup)  # children are always judged by the group of their parent
    child = parent[error.index] if error.index < len(parent) else None
    expected = [particle for particle in error.expected or () if isinstance(particle, XsdElement)]
    if child is None:
        return _missing(parent, expected)
    limits = {
        particle.name: most for particle, _, most in particles_of(group) if isinstance(particle, XsdElement)
    }
    if child.tag not in limits:
        return _unknown(parent, child, [tag.rpartition("}")[2] for tag in limits])
    limit = limits[child.tag]
    if limit is not None and sum(1 for _ in child.itersiblings(child.tag, preceding=True)) >= limit:
        return _repeated(parent, child, limit)
    return _misplaced(parent, child, group, expected)


def _missing(parent: Element, expected: list[XsdElement], before: Element | None = None) -> Fault:
    names = _names([element.local_name for element in expected])
    first = expected[0]
    meaning = documentation_of(first.annotation.elem if first.annotation else None).rstrip(".")
    place = f" before <{xmlsafe.local_name(before)}>" if before is not None else ""
    return Fault(
        at=parent,
        code="element-missing",
        message=f"Expected {names} in {_name(parent)}{place}, found none",
        hint=f"Add <{first.local_name}>{place}{f': {meaning}' if meaning else ''}.",
        expected=first.local_name,
        step=f"/{first.local_name}",
    )


def _unknown(parent: Element, child: Element, known: list[str]) -> Fault:
    name, namespace = xmlsafe.local_name(child), xmlsafe.namespace(child)
    if namespace and name in known:
        return Fault(
            at=child,
            code="element-namespace",
            message=f'Expected "{name}" without namespace, found it in "{namespace}"',
            hint='Only the root of a SED has a namespace: take the prefix away, or write xmlns="" here.',
            expected=name,
            found=child.tag,
        )
    return Fault(
        at=child,
        code="element-unexpected",
        message=f'Expected no element "{name}" in {_name(parent)}',
        hint=suggestion(name, known) if known else f"Leave {_name(parent)} empty.",
        found=name,
    )


def _misplaced(parent: Element, child: Element, group: XsdGroup, expected: list[XsdElement]) -> Fault:
    """Tell apart: beside an alternative, after a gap, or simply in the wrong order."""
    before = [sibling.tag for sibling in child.itersiblings(preceding=True)]
    behind = [sibling.tag for sibling in child.itersiblings()]
    rivals = [tag for tag in before if tag in _rivals(group, child.tag)]
    needed = [element for element in expected if element.min_occurs and element.name not in behind]
    if rivals:
        return _alternative(parent, child, rivals[0])
    if needed:
        return _missing(parent, needed, child)
    return _order(child, expected, before)


def _repeated(parent: Element, child: Element, limit: int) -> Fault:
    name = xmlsafe.local_name(child)
    return Fault(
        at=child,
        code="element-repeated",
        message=f'Expected "{name}" at most {_times(limit)} in {_name(parent)}, found one more',
        hint=f"Keep {limit} and remove the others.",
        expected=str(limit),
        found=str(limit + 1),
    )


def _alternative(parent: Element, child: Element, rival: str) -> Fault:
    names = _names([rival.rpartition("}")[2], xmlsafe.local_name(child)])
    return Fault(
        at=child,
        code="element-alternative",
        message=f"Expected only one of {names} in {_name(parent)}, found both",
        hint="Keep the one that applies.",
        found=xmlsafe.local_name(child),
    )


def _order(child: Element, expected: list[XsdElement], before: list[str]) -> Fault:
    name = xmlsafe.local_name(child)
    if expected:
        place = f"after {_names([element.local_name for element in expected])}"
    else:
        place = f'before "{before[0].rpartition("}")[2]}"'
    return Fault(
        at=child,
        code="element-order",
        message=f'Expected "{name}" {place}',
        hint="The schema fixes the order of the elements; move this one.",
        found=name,
    )


def _rivals(group: XsdGroup, tag: str) -> set[str]:
    """Return the tags that a choice offers instead of ``tag``."""
    found: set[str] = set()
    for particle in group:
        names = _tags(particle)
        if isinstance(particle, XsdGroup) and tag in names:
            found |= _rivals(particle, tag)
        elif group.model == "choice" and group.max_occurs == 1 and tag not in names:
            found |= names
    return found


def _tags(particle: object) -> set[str]:
    if isinstance(particle, XsdGroup):
        return {element.name for element in particle.iter_elements() if isinstance(element, XsdElement)}
    return {particle.name} if isinstance(particle, XsdElement) else set()


def _text_between_elements(element: Element, group: XsdGroup) -> Fault:
    texts = [element.text, *(child.tail for child in element)]
    text = _shown(next((text.strip() for text in texts if text and text.strip()), ""))
    first = next((child.local_name for child in group.iter_elements() if isinstance(child, XsdElement)), None)
    name = xmlsafe.local_name(element)
    return Fault(
        at=element,
        code="text-unexpected",
        message=f'Expected only elements in "{name}", found the text "{text}"',
        hint=f"Write <{name}><{first}>{text}</{first}></{name}>." if first == "value" else "Remove the text.",
        found=text,
    )


def _element_fault(error: XMLSchemaValidationError, declaration: XsdElement) -> Fault:
    element = _element_of(error)
    if len(element) and declaration.type.has_simple_content():
        child = xmlsafe.local_name(element[0])
        return Fault(
            at=element,
            code="element-unexpected",
            message=f'Expected a text in {_name(element)}, found the element "{child}"',
            hint="Write the value itself between the tags.",
            found=child,
        )
    return _other(error, _name(element))


# Attributes.


def _attribute_fault(error: XMLSchemaValidationError) -> Fault:
    element = _element_of(error)
    quoted = _QUOTED.search(error.reason or "")
    name = quoted.group(1) if quoted else ""
    validator = error.validator
    if isinstance(validator, XsdAttribute):
        found = element.get(name, "")
        return Fault(
            at=element,
            code="attribute-value",
            message=f'Expected {name}="{validator.fixed}" in {_name(element)}, found "{_shown(found)}"',
            hint=f'Write {name}="{validator.fixed}".',
            expected=validator.fixed,
            found=_shown(found),
            step=f"/@{name}",
        )
    assert isinstance(validator, XsdAttributeGroup)  # the caller has told the kinds apart
    if name in element.attrib:
        return Fault(
            at=element,
            code="attribute-unexpected",
            message=f'Expected no attribute "{name}" in {_name(element)}',
            hint="Remove it." if not validator else suggestion(name, [key for key in validator if key]),
            found=name,
            step=f"/@{name}",
        )
    return Fault(
        at=element,
        code="attribute-missing",
        message=f'Expected the attribute "{name}" in {_name(element)}, found none',
        hint=f'Add {name}="…".',
        expected=name,
        step=f"/@{name}",
    )


# Values.


@dataclass(frozen=True, slots=True)
class _Value:
    """A text that does not fit its type, of an element or an attribute."""

    at: Element
    step: str
    label: str
    """How a sentence names it."""
    text: str

    def fault(self, code: str, expected: str, hint: str | None) -> Fault:
        """Return the fault that ``expected`` was expected instead."""
        shown = f'"{_shown(self.text)}"' if self.text.strip() else "nothing"
        return Fault(
            at=self.at,
            step=self.step,
            code=code,
            message=f"Expected {expected} in {self.label}, found {shown}",
            hint=hint,
            expected=expected,
            found=_shown(self.text),
        )


def _value_of(error: XMLSchemaValidationError) -> _Value:
    element = _element_of(error)
    attribute = _OF_ATTRIBUTE.match(error.reason or "")
    if attribute:
        name = attribute.group(1)
        return _Value(element, f"/@{name}", f'the attribute "{name}"', element.get(name, ""))
    parent = element.getparent()
    named = parent if xmlsafe.local_name(element) == "value" and parent is not None else element
    return _Value(element, "", _name(named), element.text or "")


def _value_fault(error: XMLSchemaValidationError) -> Fault:
    value = _value_of(error)
    if not value.text.strip():
        return value.fault(
            "value-empty", "a value", "Fill it in, or leave the element out where it is optional."
        )
    validator = error.validator
    if isinstance(validator, XsdEnumerationFacets):
        return _not_in_list(value, validator)
    if isinstance(validator, XsdMaxLengthFacet):
        return _too_long(value, validator)
    if isinstance(validator, XsdPatternFacets):
        return _pattern(value, validator)
    if isinstance(validator, XsdAtomicBuiltin):
        return _built_in(value, validator.local_name or "", error.reason or "")
    return _other(error, value.label, value.step)


def _not_in_list(value: _Value, facet: XsdEnumerationFacets) -> Fault:
    parent = facet.parent
    assert parent is not None  # enumerations stand in a type
    annotation = parent.annotation
    codes = code_list_of(parent.local_name or "", facet, annotation.elem if annotation else None)
    expected = f"a code of the list {codes.name}" if codes.name else "one of the listed codes"
    return value.fault("value-not-in-code-list", expected, _code_hint(codes, value.text))


def _code_hint(codes: CodeList, text: str) -> str:
    near = codes.nearest(text)
    if near is not None:
        return f'Write "{near.code}"{f" ({near.label})" if near.label else ""}.'
    if len(codes.values) <= _FEW:
        return f"Write one of: {', '.join(str(code) for code in codes.values)}."
    about = _CLAUSE.split(codes.documentation, maxsplit=1)[0].rstrip(".")
    return f"Write one of the {len(codes.values)} codes of the list{f': {about}' if about else ''}."


def _too_long(value: _Value, facet: XsdMaxLengthFacet) -> Fault:
    length = len(value.text)
    most = int(str(facet.value))
    return value.fault(
        "value-too-long", f"at most {most} characters", f"Shorten it from {length} to {most} characters."
    )


def _pattern(value: _Value, facet: XsdPatternFacets) -> Fault:
    parent = facet.parent
    meaning = documentation_of(parent.annotation.elem) if parent is not None and parent.annotation else ""
    pattern = " or ".join(facet.regexps)
    return value.fault("value-pattern", f"the form {pattern}", meaning or "Write it in the form expected.")


def _built_in(value: _Value, base: str, reason: str) -> Fault:
    if base in _DATE_FORMS:
        otherwise = "Write the year first, and two digits for month and day."
        hint = next((advice for cause, advice in _CALENDAR.items() if cause in reason), otherwise)
        return value.fault("date-invalid", _DATE_FORMS[base], hint)
    if base in _NUMBERS:
        return value.fault(
            "number-invalid", f"a number ({base})", "Write digits only, with a point for decimals."
        )
    return value.fault("value-type", f"a value of type {base}", None)


def _other(error: XMLSchemaValidationError, label: str, step: str = "") -> Fault:
    element = _element_of(error)
    reason = (error.reason or "does not fit the schema").rstrip(".")
    return Fault(
        at=element,
        step=step,
        code="schema",
        message=f"{label[:1].upper()}{label[1:]}: {reason}",
        found=_shown(element.text or "") or None,
    )


def _name(element: Element) -> str:
    return f'"{xmlsafe.local_name(element)}"'


def _names(names: list[str]) -> str:
    return " or ".join(f'"{name}"' for name in dict.fromkeys(names))


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _shown(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
