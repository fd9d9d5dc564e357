"""Shape: what may stand where in a SED, as plain values read from the component model of its schema.

The JSON form, the dictionary of fields and the explanation of faults all read a document along this shape, so
that only this module and ``explanation`` know the schema library. No element name of a SED stands in here but
the names of the signature, which is not content, and of ``value`` inside a coded leaf (RINA templates, observed).
"""

import functools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from xmlschema import XMLSchema10, XMLSchemaException
from xmlschema.validators import (
    XsdAtomicRestriction,
    XsdAttribute,
    XsdComplexType,
    XsdElement,
    XsdEnumerationFacets,
    XsdFacet,
    XsdGroup,
    XsdList,
    XsdPatternFacets,
    XsdSimpleType,
    XsdType,
    XsdUnion,
)
from xmlschema.validators.xsdbase import XsdAnnotation

from eessi_sim.cdm import schema_files
from eessi_sim.cdm.annotation import XSD, Fact, SchemaElement, documentation_of, fact_of
from eessi_sim.cdm.catalogue import SedDefinition
from eessi_sim.cdm.codelists import CodeList, code_list_of
from eessi_sim.cdm.schema_files import SchemaFiles
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
    """Alternatives; a value fits one of them."""
    code_list: CodeList | None = None
    min_length: int | None = None
    total_digits: int | None = None
    fraction_digits: int | None = None
    least: str | None = None
    """Smallest value, inclusive, as written."""
    greatest: str | None = None
    """Greatest value, inclusive, as written."""
    member: "Simple | None" = None
    """What a value may be: the first alternative of a union, an item of a list."""


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
    default: str | None = None
    """What a schema-aware reader takes for it when it is absent."""


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


class Order(StrEnum):
    """How the parts of a group stand beside each other (XML Schema 1.0 part 1, 3.8)."""

    SEQUENCE = "sequence"
    CHOICE = "choice"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Place:
    """Where one field stands in a group, with how often it may stand just there."""

    field: Field
    minimum: int
    maximum: int | None


@dataclass(frozen=True, slots=True)
class Group:
    """A content model, or a part of one: what ``fields`` of a shape says, with its choices."""

    order: Order
    minimum: int
    maximum: int | None
    parts: "tuple[Group | Place, ...]"


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
    model: Group | None = None
    """Set for a group: the same fields, with the choices among them."""

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
        return _shapes(definition)

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
def component_model(definition: SedDefinition) -> XMLSchema10:
    """Return the component model of a schema that libxml2 has accepted; built once per process.

    Only local files are read and a document type is refused. The check of the schema against the schema of
    schemas is left to libxml2, which takes a hundredth of the time.

    Raises:
        DefinitionError: libxml2 does not accept it, or the schema library cannot hold it.
    """
    xsd, root = definition.xsd, definition.root
    schema_files.compiled(xsd, root)
    ours = dict(SchemaFiles.of(xsd, root).ours)
    try:
        return XMLSchema10(str(xsd), allow="local", defuse="always", validation="skip", uri_mapper=ours)
    except (XMLSchemaException, RecursionError) as error:
        raise DefinitionError(
            f"Expected a schema that can be read, found: {error} ({xsd})", file=xsd
        ) from error


def declaration_at(definition: SedDefinition, tags: Iterable[str]) -> XsdElement | None:
    """Return the declaration of an element, None when the schema does not know it there.

    Args:
        definition: names the schema.
        tags: from the root down to the element.
    """
    root, *below = tags
    found = component_model(definition).maps.elements.get(root)
    declaration = found if isinstance(found, XsdElement) else None
    for tag in below:
        content = getattr(declaration.type, "content", None) if declaration is not None else None
        particles = particles_of(content) if isinstance(content, XsdGroup) else ()
        children = (particle for particle, _, _ in particles if isinstance(particle, XsdElement))
        declaration = next((child for child in children if child.name == tag), None)
    return declaration


@functools.cache
def _shapes(definition: SedDefinition) -> Shapes:
    tag, xsd = definition.tag, definition.xsd
    element = component_model(definition).maps.elements.get(tag)
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
        fields = self._fields(component, content)
        model = self._group(content, fields) if fields is not None else None
        return Shape(name, None, fields, attributes, documentation, fact, model)

    def _group(self, group: XsdGroup, fields: Mapping[str, Field]) -> Group:
        parts = (self._part(particle, fields) for particle in group)
        return Group(
            Order(group.model), group.min_occurs, group.max_occurs, tuple(part for part in parts if part)
        )

    def _part(self, particle: object, fields: Mapping[str, Field]) -> Group | Place | None:
        if isinstance(particle, XsdGroup):
            return self._group(particle, fields)
        assert isinstance(particle, XsdElement)  # a wildcard would have left no fields
        field = fields.get(particle.name)
        return Place(field, particle.min_occurs, particle.max_occurs) if field is not None else None

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
        attribute.default,
    )


def _simple(component: XsdSimpleType) -> Simple:
    if isinstance(component, XsdUnion):
        return Simple("string", member=_simple(component.member_types[0]))
    if isinstance(component, XsdList):
        return Simple("string", member=_simple(component.item_type))
    if not isinstance(component, XsdAtomicRestriction):
        return Simple(component.local_name or "string")
    return Simple(
        base=_base(component),
        max_length=component.max_length,
        patterns=tuple(_patterns(component)),
        code_list=_code_list(component),
        min_length=component.min_length,
        total_digits=_number(component, "totalDigits"),
        fraction_digits=_number(component, "fractionDigits"),
        least=_limit(component, "minInclusive"),
        greatest=_limit(component, "maxInclusive"),
    )


def _limit(component: XsdAtomicRestriction, name: str) -> str | None:
    facet = component.get_facet(f"{XSD}{name}")
    value = facet.elem.get("value") if isinstance(facet, XsdFacet) and facet.elem is not None else None
    return value if isinstance(value, str) else None


def _number(component: XsdAtomicRestriction, name: str) -> int | None:
    value = _limit(component, name)
    return int(value) if value is not None else None


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
