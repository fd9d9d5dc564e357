"""The shape of a SED, read from its schema."""

from dataclasses import replace
from itertools import pairwise

import pytest
from tests.helpers.definitions import definition
from xmlschema import XMLSchemaException

from eessi_sim.cdm.annotation import Fact
from eessi_sim.cdm.shape import Field, Shape, Shapes, component_model
from eessi_sim.errors import DefinitionError
from eessi_sim.identifiers import SedType

OURS = Shapes.of(definition("A901"))
ODD = Shapes.of(definition("U901"))


def field(shapes: Shapes, path: str) -> Field:
    return shapes.chain(path.split("/"))[-1]


def shape(shapes: Shapes, path: str) -> Shape:
    return shapes.of_field(field(shapes, path))


def test_fields_stand_in_the_order_of_the_schema() -> None:
    """The order of the fields is the order that documents must keep; the signature is no content."""
    fields = OURS.of_field(OURS.root).fields or {}
    assert list(fields) == ["Person", "Addresses", "Period", "kind", "amount", "Note"]


def test_optional_field_has_minimum_zero() -> None:
    """minOccurs and maxOccurs are kept."""
    addresses = field(OURS, "Addresses")
    assert (addresses.minimum, addresses.maximum) == (0, 1)


def test_repeating_field_is_an_array() -> None:
    """What may occur more than once is an array in JSON."""
    address = field(OURS, "Addresses/Address")
    assert (address.minimum, address.maximum, address.is_array) == (1, 2, True)


def test_unbounded_field_has_no_maximum() -> None:
    """No limit is None."""
    assert field(OURS, "Person/nationality/value").maximum is None


def test_value_of_a_coded_leaf_is_an_array_even_alone() -> None:
    """RINA writes {"value": ["NO"]} although there is only one."""
    value = field(OURS, "Addresses/Address/country/value")
    assert (value.maximum, value.is_array) == (1, True)


def test_coded_leaf_is_recognised() -> None:
    """A group with nothing but ``value`` is a coded leaf."""
    assert shape(OURS, "Addresses/Address/country").coded == field(OURS, "Addresses/Address/country/value")


@pytest.mark.parametrize("path", ["Addresses", "Person", "Person/name"])
def test_other_fields_are_no_coded_leaf(path: str) -> None:
    """Texts and groups with other fields are not coded."""
    assert shape(OURS, path).coded is None


def test_branch_of_a_choice_is_optional() -> None:
    """One branch of a choice need not be there."""
    assert field(OURS, "Period/FixedPeriod").minimum == 0


def test_only_branch_of_a_choice_keeps_its_minimum() -> None:
    """A choice without alternatives is no choice; the choice itself is optional here."""
    assert field(ODD, "only").minimum == 0


def test_members_of_a_repeating_group_repeat() -> None:
    """A repeating group around an element makes the element repeat."""
    assert (field(ODD, "from").minimum, field(ODD, "from").maximum) == (0, None)


def test_field_has_meaning_and_mark() -> None:
    """Documentation and confidence of the element are kept."""
    person = field(OURS, "Person")
    assert (person.documentation, person.fact) == (
        "Whom it is about.",
        Fact("documented", "Reg. 883/2004 art. 1"),
    )


def test_text_has_its_limits() -> None:
    """Length and the name of the built-in type are known."""
    simple = shape(OURS, "Person/name").simple
    assert simple is not None
    assert (simple.base, simple.max_length, simple.code_list) == ("string", 10, None)


def test_pattern_is_known() -> None:
    """The patterns of a text are kept."""
    simple = shape(OURS, "Addresses/Address/postalCode").simple
    assert simple is not None
    assert simple.patterns == ("[0-9]+",)


def test_code_list_is_known_with_labels() -> None:
    """The codes of a coded leaf are kept with their labels."""
    simple = shape(OURS, "Person/nationality/value").simple
    assert simple is not None
    assert simple.code_list is not None
    assert (simple.code_list.name, simple.code_list.label("PL")) == ("Country", "Poland")


def test_restricted_integer_stays_an_integer() -> None:
    """The nearest built-in type counts, not the primitive one."""
    simple = shape(ODD, "number").simple
    assert simple is not None
    assert simple.base == "integer"


def test_union_counts_as_string() -> None:
    """A type that is none of the built-in ones is a text; what it may say is known by its first alternative."""
    simple = shape(ODD, "dateOrNumber").simple
    assert simple is not None
    assert simple.base == "string"
    assert simple.member is not None
    assert simple.member.base == "date"


def test_attributes_of_the_root_are_known() -> None:
    """Attributes keep whether they are required, and their meaning."""
    attributes = OURS.of_field(OURS.root).attributes or {}
    assert [(name, one.required) for name, one in attributes.items()] == [
        ("sedGVer", True),
        ("sedVer", True),
        ("sedPackage", False),
    ]
    assert attributes["sedGVer"].documentation == "Major version."


def test_wildcard_attributes_are_no_fields() -> None:
    """Attributes that a wildcard would allow have no name to list."""
    assert list(shape(ODD, "Part").attributes or {}) == ["weight"]


def test_type_that_contains_itself_is_read_once() -> None:
    """A part of a part has the same shape as the part."""
    assert field(ODD, "Part/Part").type == field(ODD, "Part").type


@pytest.mark.parametrize("path", ["Note", "Extension"])
def test_mixed_text_and_wildcards_have_no_fields(path: str) -> None:
    """What only XML can hold is neither text nor group."""
    found = shape(ODD, path)
    assert (found.simple, found.fields) == (None, None)


def test_text_with_attributes_is_a_text() -> None:
    """Simple content keeps its built-in type and its attributes."""
    found = shape(ODD, "price")
    assert found.simple is not None
    assert (found.simple.base, list(found.attributes or {})) == ("decimal", ["currency"])


def test_empty_type_has_no_fields_at_all() -> None:
    """An element that must be empty is a group of nothing."""
    assert shape(OURS, "Note").fields == {}


def test_chain_stops_where_the_schema_stops() -> None:
    """A path that the schema does not know leads to its last known element."""
    assert [one.name for one in OURS.chain(["Person", "nickname", "x"])] == ["A901", "Person"]


def test_chain_of_nothing_is_the_root() -> None:
    """The root is always part of the chain."""
    assert OURS.chain([]) == [OURS.root]


def test_shapes_and_models_are_made_once() -> None:
    """Reading a schema is expensive; it is done once per process."""
    assert Shapes.of(definition("A901")) is OURS
    assert component_model(definition("A901")) is component_model(definition("A901"))


@pytest.mark.parametrize("error", [XMLSchemaException("too strange"), RecursionError("too deep")])
def test_schema_that_the_library_cannot_hold_is_a_wrong_definition(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """What libxml2 accepts may still be too much for the schema library."""

    def give_up(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("eessi_sim.cdm.shape.XMLSchema10", give_up)
    with pytest.raises(DefinitionError, match="found: too"):
        component_model(replace(definition("A901"), sector="of this test"))


def test_schema_of_another_sed_is_refused() -> None:
    """A schema that does not define the element of its SED is a wrong definition."""
    other = replace(definition("A901"), type=SedType("A999"))
    with pytest.raises(DefinitionError, match="A999"):
        Shapes.of(other)


def test_keys_of_types_are_distinct() -> None:
    """Every field leads to a shape of its own type."""
    fields = list((OURS.of_field(OURS.root).fields or {}).values())
    assert all(one.type != other.type for one, other in pairwise(fields))
