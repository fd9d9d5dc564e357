"""Shape: what may stand where in a SED, as plain values read from the component model of its schema.

The JSON form, the dictionary of fields and the explanation of faults all read a document along this shape, so
that only this module and ``explanation`` know the schema library. No element name of a SED stands in here but
the names of the signature, which is not content, and of ``value`` inside a coded leaf (RINA templates, observed).
"""

import functools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from xmlschema import XMLSchema10
from xmlschema.validators import (
    XsdAtomicRestriction,
    XsdAttribute,
    XsdComplexType,
    XsdElement,
    XsdEnumerationFacets,
    XsdGroup,
    XsdPatternFacets,
    XsdSimpleType,
    XsdType,
)
from xmlschema.validators.xsdbase import XsdAnnotation

from eessi_sim.cdm.annotation import Fact, SchemaElement, documentation_of, fact_of
from eessi_sim.cdm.catalogue import SedDefinition
from eessi_sim.cdm.codelists import CodeList, code_list_of
from eessi_sim.cdm.sed import SIGNATURE
from eessi_sim.errors import DefinitionError

_VALUE: Final = "value"


@dataclass(frozen=True, slots=True)
class Simple:
    """A text with restrictions."""

    base: str
    """Name of the built-in type it comes from: string, date, decimal …"""
    max_length: int | None = None
    patterns: tuple[str, ...] = ()
    code_list: CodeList | None = None


@dataclass(frozen=True, slots=True)
class Attribute:
    """An attribute of an element."""

    name: str
    required: bool
    simple: Simple
    documentation: str = ""
    fact: Fact | None = None
    fixed: str | None = None
    """The only value that it may have."""


@dataclass(frozen=True, slots=True)
class Field:
    """A child that a group may have."""

    tag: str
    """Name with namespace, as in the tree."""
    name: str
    minimum: int
    """0 also for one branch of a choice."""
    maximum: int | None
    """None for as many as wanted."""
    is_array: bool
    """Whether RINA's JSON form writes it as an array, even when there is one."""
    type: int
    """Key of its shape in ``Shapes``; an index and not the shape, because types may contain themselves."""
    documentation: str = ""
    fact: Fact | None = None


@dataclass(frozen=True, slots=True)
class Shape:
    """Content of an element: a text, a group of fields, or something that only XML can hold."""

    name: str
    """Name of the type in the schema, empty when it has none."""
    simple: Simple | None = None
    """Set for a text."""
    fields: Mapping[str, Field] | None = None
    """Set for a group: the fields by tag, in the order that the schema demands."""
    attributes: Mapping[str, Attribute] | None = None
    documentation: str = ""
    fact: Fact | None = None

    @property
    def coded(self) -> Field | None:
        """The field ``value`` when this is a coded leaf, that is when the group has nothing else."""
        fields = tuple((self.fields or {}).values())
        return fields[0] if len(fields) == 1 and fields[0].name == _VALUE else None


@dataclass(frozen=True, slots=True)
class Shapes:
    """All shapes of one SED."""

    root: Field
    types: tuple[Shape, ...]

    @classmethod
    def of(cls, definition: SedDefinition) -> "Shapes":
        """Return the shapes of a definition; read once per process.

        Raises:
            DefinitionError: the schema does not define the element of the SED.
        """
        return _shapes(definition.xsd, f"{{{definition.namespace}}}{definition.type}")

    def of_field(self, field: Field) -> Shape:
        """Return the content of a field."""
        return self.types[field.type]

    def chain(self, tags: Iterable[str]) -> list[Field]:
        """Return the fields along a path of tags below the root, the root first, as far as they are known."""
        found = [self.root]
        for tag in tags:
            child = (self.of_field(found[-1]).fields or {}).get(tag)
            if child is None:
                break
            found.append(child)
        return found


@functools.cache
def component_model(xsd: Path) -> XMLSchema10:
    """Return the component model of a schema that libxml2 has accepted; built once per process.

    Only local files are read and a document type is refused. The check of the schema against the schema of
    schemas is left to libxml2, which takes a hundredth of the time.
    """
    return XMLSchema10(str(xsd), allow="local", defuse="always", validation="skip")


def declaration_at(xsd: Path, tags: Iterable[str]) -> XsdElement | None:
    """Return the declaration of an element, None when the schema does not know it there.

    Args:
        xsd: the schema.
        tags: from the root down to the element.
    """
    root, *below = tags
    found = component_model(xsd).maps.elements.get(root)
    declaration = found if isinstance(found, XsdElement) else None
    for tag in below:
        content = getattr(declaration.type, "content", None) if declaration is not None else None
        particles = particles_of(content) if isinstance(content, XsdGroup) else ()
        children = (particle for particle, _, _ in particles if isinstance(particle, XsdElement))
        declaration = next((child for child in children if child.name == tag), None)
    return declaration


@functools.cache
def _shapes(xsd: Path, tag: str) -> Shapes:
    element = component_model(xsd).maps.elements.get(tag)
    if not isinstance(element, XsdElement):
        raise DefinitionError(f'Expected a root element "{tag}" ({xsd})', file=xsd)
    reader = _Reader()
    root = reader.field(element, 1, 1)
    return Shapes(root, reader.finish())


class _Reader:
    """Turns components into shapes, each type once, without recursion into types that contain themselves."""

    def __init__(self) -> None:
        self._keys: dict[int, int] = {}
        self._types: list[XsdType] = []

    def finish(self) -> tuple[Shape, ...]:
        """Return the shapes of all types that were met, and of those that they mention."""
        shapes: list[Shape] = []
        while len(shapes) < len(self._types):
            shapes.append(self._shape(self._types[len(shapes)]))
        return tuple(shapes)

    def field(self, element: XsdElement, minimum: int, maximum: int | None, *, alone: bool = False) -> Field:
        """Return the field of an element declaration.

        Args:
            element: the declaration.
            minimum: how often the groups around it make it necessary.
            maximum: how often they allow it, None for no limit.
            alone: whether its group has no other field.
        """
        return Field(
            tag=element.name,
            name=element.local_name,
            minimum=minimum,
            maximum=maximum,
            is_array=maximum != 1 or (alone and element.local_name == _VALUE),
            type=self._key(element.type),
            documentation=documentation_of(_annotation(element.annotation)),
            fact=fact_of(_annotation(element.annotation)),
        )

    def _key(self, component: XsdType) -> int:
        key = self._keys.setdefault(id(component), len(self._types))
        if key == len(self._types):
            self._types.append(component)
        return key

    def _shape(self, component: XsdType) -> Shape:
        annotation = _annotation(component.annotation)
        name = component.local_name or ""
        documentation, fact = documentation_of(annotation), fact_of(annotation)
        if isinstance(component, XsdSimpleType):
            return Shape(name, simple=_simple(component), documentation=documentation, fact=fact)
        assert isinstance(component, XsdComplexType)  # a type is one or the other
        content = component.content
        attributes = _attributes(component)
        if isinstance(content, XsdSimpleType):
            return Shape(name, _simple(content), None, attributes, documentation, fact)
        return Shape(name, None, self._fields(component, content), attributes, documentation, fact)

    def _fields(self, component: XsdComplexType, content: XsdGroup) -> Mapping[str, Field] | None:
        found = list(particles_of(content))
        if component.mixed or not all(isinstance(particle, XsdElement) for particle, _, _ in found):
            return None  # free text between elements, or a wildcard
        elements = [
            (particle, least, most)
            for particle, least, most in found
            if isinstance(particle, XsdElement) and particle.name != SIGNATURE
        ]
        alone = len(elements) == 1
        return {
            particle.name: self.field(particle, least, most, alone=alone)
            for particle, least, most in elements
        }


def particles_of(
    group: XsdGroup, least: int = 1, most: int | None = 1
) -> Iterator[tuple[object, int, int | None]]:
    """Yield the elements and wildcards of a group, with how often the groups around them want and allow them.

    Args:
        group: content of a type; groups inside it are walked through.
        least: how often the group itself must occur.
        most: how often it may, None for no limit.
    """
    least = 0 if group.model == "choice" and len(group) > 1 else least * group.min_occurs
    most = _product(most, group.max_occurs)
    for particle in group:
        if isinstance(particle, XsdGroup):
            yield from particles_of(particle, least, most)
        else:
            yield particle, least * particle.min_occurs, _product(most, particle.max_occurs)


def _product(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else one * other


def _attributes(component: XsdComplexType) -> Mapping[str, Attribute]:
    return {
        name: _attribute(name, attribute)
        for name, attribute in component.attributes.items()
        if isinstance(name, str) and isinstance(attribute, XsdAttribute) and attribute.use != "prohibited"
    }


def _attribute(name: str, attribute: XsdAttribute) -> Attribute:
    annotation = _annotation(attribute.annotation)
    return Attribute(
        name,
        attribute.use == "required",
        _simple(attribute.type),
        documentation_of(annotation),
        fact_of(annotation),
        attribute.fixed,
    )


def _simple(component: XsdSimpleType) -> Simple:
    if not isinstance(component, XsdAtomicRestriction):
        return Simple(component.local_name or "string")
    return Simple(
        base=_base(component),
        max_length=component.max_length,
        patterns=tuple(_patterns(component)),
        code_list=_code_list(component),
    )


def _base(component: XsdType) -> str:
    """Return the nearest built-in type; ``root_type`` of the library skips integer in favour of decimal."""
    current: XsdType | None = component
    while isinstance(current, XsdAtomicRestriction):
        current = current.base_type
    return (current.local_name if current is not None else None) or "string"


def _patterns(component: XsdAtomicRestriction) -> Iterator[str]:
    patterns = component.patterns
    if isinstance(patterns, XsdPatternFacets):
        yield from patterns.regexps


def _code_list(component: XsdAtomicRestriction) -> CodeList | None:
    for facet in component.facets.values():
        if isinstance(facet, XsdEnumerationFacets):
            return code_list_of(component.local_name or "", facet, _annotation(component.annotation))
    return None


def _annotation(annotation: XsdAnnotation | None) -> SchemaElement | None:
    return annotation.elem if annotation is not None else None
