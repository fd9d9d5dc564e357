"""A SED goes to the JSON form of RINA and back without loss."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.helpers.definitions import catalogue, definition, document, odd

from eessi_sim import xmlsafe
from eessi_sim.cdm.codec import Codec, identify, read_json
from eessi_sim.cdm.schema import CompiledSchema
from eessi_sim.errors import DefinitionError, NotASed, SedError, UnknownSedType
from eessi_sim.identifiers import SedType
from eessi_sim.xmlsafe import Element

OURS = Codec.of(definition("A901"))
ODD = Codec.of(definition("U901"))
SAMPLE: dict[str, Any] = {
    "A901": {
        "Person": {"name": "Ada", "birthDate": "1980-02-29", "nationality": {"value": ["NO", "PL"]}},
        "Addresses": {"Address": [{"town": "Oslo", "country": {"value": ["NO"]}}]},
        "Period": {"FixedPeriod": {"startDate": "2026-01-01", "endDate": "2026-12-31"}},
        "amount": "12.50",
        "sedGVer": "4",
        "sedVer": "4",
    }
}
SIGNATURE = '<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#">sealed</ds:Signature>'


def canonical(root: Element) -> bytes:
    """The content without white space between elements."""
    for element in root.iter():
        if len(element):
            element.text = None
        element.tail = None
    return xmlsafe.exclusive_c14n(root)


def with_change(path: str, value: Any) -> dict[str, Any]:
    """The JSON form of the sample with one value changed."""
    changed: dict[str, Any] = json.loads(json.dumps(SAMPLE))
    target: Any = changed
    *groups, last = path.split(".")
    for key in groups:
        target = target[int(key)] if key.isdigit() else target[key]
    target[last] = value
    return changed


def refused(path: str, value: Any) -> SedError:
    """The error about a changed JSON form."""
    with pytest.raises(SedError) as caught:
        OURS.to_xml(with_change(path, value))
    return caught.value


def not_written(root: Element, codec: Codec = ODD) -> SedError:
    """The error about a document that has no JSON form."""
    with pytest.raises(SedError) as caught:
        codec.to_json(root)
    return caught.value


def test_json_form_is_that_of_rina() -> None:
    """Arrays for what may repeat, value arrays for codes, texts for all else, attributes beside the children."""
    assert OURS.to_json(document()) == SAMPLE


def test_xml_to_json_and_back_is_the_same_document() -> None:
    """Nothing of the content is lost."""
    assert canonical(OURS.to_xml(OURS.to_json(document()))) == canonical(document())


def test_json_to_xml_and_back_is_the_same_json() -> None:
    """Nothing of the JSON form is lost."""
    assert OURS.to_json(OURS.to_xml(SAMPLE)) == SAMPLE


def test_written_xml_is_valid() -> None:
    """What is read from JSON fits the schema."""
    assert CompiledSchema.of(definition("A901")).verdict(OURS.to_xml(SAMPLE))


def test_order_is_restored_from_the_schema() -> None:
    """The order of keys in JSON does not matter."""
    turned = {"A901": dict(reversed(SAMPLE["A901"].items()))}
    assert canonical(OURS.to_xml(turned)) == canonical(document())


def test_signature_is_no_content() -> None:
    """The JSON form is that of the unsigned document."""
    signed = document("</sed:A901>", f"{SIGNATURE}</sed:A901>")
    assert OURS.to_json(signed) == SAMPLE


def test_location_hints_are_no_content() -> None:
    """Where a schema lies is no information of the document."""
    hint = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="urn:x x.xsd"'
    assert OURS.to_json(document("<sed:A901", f"<sed:A901 {hint}")) == SAMPLE


def test_prefix_of_the_root_is_no_content() -> None:
    """Any prefix may stand for the namespace."""
    other = xmlsafe.parse(xmlsafe.serialize(document()).replace(b"sed:", b"x:").replace(b":sed=", b":x="))
    assert OURS.to_json(other) == SAMPLE


def test_empty_group_is_kept() -> None:
    """A group without content is an empty object, and the other way round."""
    empty = {"A901": {**SAMPLE["A901"], "Note": {}}}
    assert OURS.to_json(OURS.to_xml(empty)) == empty


def test_empty_text_is_kept() -> None:
    """An element without text is an empty text."""
    assert ODD.to_json(odd("<town/>")) == {"U901": {"town": [""]}}


def test_white_space_inside_a_text_is_kept() -> None:
    """The text of an element is not touched."""
    assert ODD.to_json(odd("<town> a\n b </town>")) == {"U901": {"town": [" a\n b "]}}


def test_attributes_of_groups_stand_beside_their_children() -> None:
    """Attributes of any group are fields, as those of the root are."""
    part = {"U901": {"Part": {"label": "a", "Part": [{"label": "b", "weight": "2"}]}}}
    root = odd('<Part><label>a</label><Part weight="2"><label>b</label></Part></Part>')
    assert ODD.to_json(root) == part
    assert canonical(ODD.to_xml(part)) == canonical(root)


def test_null_is_read_as_absent() -> None:
    """A field that is null is left out, at every level."""
    assert OURS.to_json(OURS.to_xml(with_change("A901.Addresses", None))) == {
        "A901": {key: value for key, value in SAMPLE["A901"].items() if key != "Addresses"}
    }


def test_attribute_that_is_null_is_read_as_absent() -> None:
    """A null attribute is left out."""
    assert OURS.to_xml(with_change("A901.sedPackage", None)).get("sedPackage") is None


texts = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"), min_size=1
).filter(str.strip)
dates = st.dates().map(str)
countries = st.lists(st.sampled_from(["NO", "PL", "EL"]), min_size=1).map(lambda codes: {"value": codes})
addresses = st.fixed_dictionaries(
    {"town": texts, "country": countries.map(lambda codes: {"value": codes["value"][:1]})},
    optional={"street": texts, "postalCode": texts},
)
documents = st.fixed_dictionaries(
    {
        "Person": st.fixed_dictionaries({"name": texts, "birthDate": dates, "nationality": countries}),
        "Period": st.fixed_dictionaries(
            {"FixedPeriod": st.fixed_dictionaries({"startDate": dates, "endDate": dates})}
        ),
        "sedGVer": st.just("4"),
        "sedVer": st.just("4"),
    },
    optional={
        "Addresses": st.fixed_dictionaries({"Address": st.lists(addresses, min_size=1, max_size=2)}),
        "amount": st.decimals(allow_nan=False, allow_infinity=False).map(str),
        "Note": st.just({}),
        "sedPackage": texts,
    },
)


@given(documents)
def test_any_document_survives_both_ways(content: dict[str, Any]) -> None:
    """JSON → XML → bytes → XML → JSON gives back what went in."""
    wire = xmlsafe.serialize(OURS.to_xml({"A901": content}))
    assert OURS.to_json(xmlsafe.parse(wire)) == {"A901": content}


def test_unknown_key_leads_to_the_nearest() -> None:
    """A mistyped key is answered with its place and the right name."""
    error = refused("A901.Person.nmae", "Ada")
    assert error.context["path"] == "$.A901.Person.nmae"
    assert error.hint == 'Did you mean "name"?'


def test_single_object_where_an_array_is_expected_is_refused() -> None:
    """What may repeat is an array even when there is one."""
    error = refused("A901.Addresses.Address", {"town": "Oslo"})
    assert error.message == "Expected an array at $.A901.Addresses.Address, found an object"


def test_code_without_array_is_refused() -> None:
    """The value of a code is an array."""
    assert (
        refused("A901.Person.nationality", {"value": "NO"}).context["path"]
        == "$.A901.Person.nationality.value"
    )


def test_text_where_an_object_is_expected_is_refused() -> None:
    """A group is an object; the hint shows how to write a code."""
    error = refused("A901.Person.nationality", "NO")
    assert (error.message, error.hint) == (
        'Expected an object at $.A901.Person.nationality, found "NO"',
        'A group is written {…}, a code {"value": ["01"]}.',
    )


@pytest.mark.parametrize(("value", "found"), [(12.5, "12.5"), (True, "true"), (["12.5"], "an array")])
def test_number_or_array_where_a_text_is_expected_is_refused(value: object, found: str) -> None:
    """Amounts, numbers and answers are texts."""
    assert refused("A901.amount", value).message == f"Expected a text at $.A901.amount, found {found}"


def test_place_inside_an_array_is_counted() -> None:
    """The position in the array is part of the place."""
    assert refused("A901.Addresses.Address.0.town", 1).context["path"] == "$.A901.Addresses.Address[0].town"


def test_attribute_must_be_a_text() -> None:
    """The version is written in quotes."""
    assert refused("A901.sedVer", 4).hint == 'Write it in quotes: "4".'


@pytest.mark.parametrize("text", ["\x00", "a\x1b[0m", "\ud800", "\uffff"])
def test_characters_that_xml_cannot_hold_are_refused(text: str) -> None:
    """Control characters and halves of characters have no XML."""
    assert "characters that XML can hold" in refused("A901.Person.name", text).message


def test_other_sed_is_refused() -> None:
    """The key names the SED of the codec."""
    with pytest.raises(SedError, match='Expected the key "A901", found "U901"'):
        OURS.to_xml({"U901": {}})


def test_unknown_element_has_no_json_form() -> None:
    """A document that does not fit its schema is not written silently."""
    error = not_written(document("<name>", "<nmae/><name>"), OURS)
    assert (error.context["path"], error.hint) == ("/A901/Person/nmae", 'Did you mean "name"?')


def test_repeated_element_has_no_json_form() -> None:
    """A second element where one is allowed would be lost."""
    assert "found it again" in not_written(document("<name>", "<name>A</name><name>"), OURS).message


@pytest.mark.parametrize(
    "content",
    [
        "<Note>free <b>text</b></Note>",
        "<Extension><x/></Extension>",
        '<price mood="good">1</price>',
        "<town><x/></town>",
        '<Part mood="good"><label/></Part>',
        "text",
        "<town/>text",
    ],
)
def test_what_only_xml_can_hold_is_refused(content: str) -> None:
    """Mixed text, wildcards and unknown attributes are named, not lost."""
    assert "has a JSON form" in not_written(odd(content)).message


def test_codec_is_made_once() -> None:
    """Two requests for one definition give the same codec."""
    assert Codec.of(definition("A901")) is OURS


def test_codec_of_a_wrong_definition_is_refused() -> None:
    """The schema must define the element."""
    with pytest.raises(DefinitionError):
        Codec.of(replace(definition("A901"), type=SedType("A998")))


def test_json_bytes_become_a_sed() -> None:
    """Type and version come from the document itself."""
    sed = read_json(json.dumps(SAMPLE).encode(), catalogue())
    assert (sed.type, sed.version, canonical(sed.root)) == ("A901", "4.4", canonical(document()))


def test_unknown_version_of_json_is_refused() -> None:
    """The catalogue must know type and version."""
    with pytest.raises(UnknownSedType, match=r"version 4\.3"):
        read_json(json.dumps(with_change("A901.sedVer", "3")).encode(), catalogue())


def test_broken_json_names_line_and_column() -> None:
    """The place of the fault is known."""
    with pytest.raises(SedError) as caught:
        read_json(b'{"A901":\n {,}}', catalogue())
    assert (caught.value.context["line"], caught.value.context["column"]) == (2, 3)


@pytest.mark.parametrize(
    "data",
    [b'{"A901": "\xff"}', b"[" * 100_000, b'{"A901": ' + b"9" * 5000 + b"}"],
    ids=["utf-8", "deep", "huge"],
)
def test_json_that_nobody_can_read_is_refused(data: bytes) -> None:
    """Wrong encoding, endless nesting and endless numbers end in an error of ours."""
    with pytest.raises(SedError, match="nobody can read"):
        read_json(data, catalogue())


def test_repeated_key_is_refused() -> None:
    """JSON parsers keep the last of two equal keys; we keep none."""
    with pytest.raises(SedError, match='found "a" again'):
        read_json(b'{"A901": {"a": "1", "b": "2", "a": "3"}}', catalogue())


@pytest.mark.parametrize("constant", [b"NaN", b"Infinity", b"-Infinity"])
def test_numbers_that_json_does_not_have_are_refused(constant: bytes) -> None:
    """Python would accept them."""
    with pytest.raises(SedError, match="Expected JSON, found"):
        read_json(b'{"A901": ' + constant + b"}", catalogue())


@pytest.mark.parametrize(
    ("wrong", "found"),
    [
        ({}, "none"),
        ([], "an array"),
        ("A901", '"A901"'),
        ({"sed": "P2000", "nav": {}}, '"sed", "nav"'),
    ],
)
def test_json_without_one_key_is_no_sed(wrong: object, found: str) -> None:
    """The JSON form has exactly one key, the SED."""
    with pytest.raises(NotASed, match=f"found {found}"):
        identify(wrong)


def test_key_that_names_no_sed_is_no_sed() -> None:
    """The only key must look like a SED."""
    with pytest.raises(NotASed):
        identify({"person": {"sedGVer": "4", "sedVer": "4"}})


@pytest.mark.parametrize("content", [{}, {"sedGVer": "4"}, [], None])
def test_json_without_version_is_refused(content: object) -> None:
    """The version is part of the document."""
    with pytest.raises(SedError) as caught:
        identify({"A901": content})
    assert not isinstance(caught.value, NotASed)
