"""Documents are built along the schema, settled until the rules are kept, and broken one requirement at a time."""

import copy
from pathlib import Path

import pytest
from lxml import etree

from eessi_sim import xmlsafe
from eessi_sim.cdm.catalogue import Catalogue, SedDefinition
from eessi_sim.cdm.shape import Shapes
from eessi_sim.errors import SedError
from eessi_sim.identifiers import CdmVersion, SedType
from eessi_sim.samples.build import BARE, FULL, LIKE_SAMPLE, TYPICAL, Taste
from eessi_sim.samples.dialects import Dialect, document
from eessi_sim.samples.generator import Generator
from eessi_sim.samples.kit import Kit
from eessi_sim.samples.mutations import mutations
from eessi_sim.samples.settle import twin_of

A003 = Catalogue.default().get(SedType("A003"), CdmVersion("4.4"))
NAMESPACE = "http://ec.europa.eu/eessi/ns/4_4/A999"
RULES = """
sed: A999
rules:
  - id: A999-R01
    context: "period"
    test: "sim:date-le(from, to)"
    message: "Expected an end after {from}"
    source: test
    confidence: inferred
    examples: {good: [], bad: [{set: "period/to", to: "1900-01-01"}]}
"""


@pytest.fixture(scope="module")
def a003() -> Generator:
    return Generator(A003)


def foreign(folder: Path, content: str, rules: str = "", sample: str = "") -> SedDefinition:
    """A definition that comes with nothing but what is given."""
    home = folder / "cdm" / "4.4" / "LA"
    home.mkdir(parents=True)
    (home / "A999.xsd").write_text(
        f'<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:t="{NAMESPACE}" targetNamespace="{NAMESPACE}">'
        f'<xs:element name="A999"><xs:complexType>{content}</xs:complexType></xs:element>'
        '<xs:complexType name="Tree"><xs:sequence>'
        '<xs:element name="name" type="xs:string"/><xs:element name="branch" type="t:Tree" minOccurs="0" maxOccurs="9"/>'
        "</xs:sequence></xs:complexType></xs:schema>",
        encoding="utf-8",
    )
    if rules:
        (home / "A999.rules.yaml").write_text(rules, encoding="utf-8")
    if sample:
        (home / "A999.sample.xml").write_text(sample, encoding="utf-8")
    return Catalogue([folder / "cdm"]).get(SedType("A999"), CdmVersion("4.4"))


def test_schema_alone_is_enough(tmp_path: Path) -> None:
    """Without sample and rules a document is made from sequence, choice, all, attributes and built-in types."""
    definition = foreign(
        tmp_path,
        '<xs:sequence><xs:choice minOccurs="0" maxOccurs="2"><xs:element name="a" type="xs:date"/>'
        '<xs:element name="b" type="xs:boolean"/></xs:choice>'
        '<xs:sequence minOccurs="0"><xs:element name="c" type="xs:decimal" maxOccurs="3"/></xs:sequence>'
        '<xs:element name="d"><xs:complexType><xs:all><xs:element name="e" type="xs:gYear"/>'
        '<xs:element name="f" type="xs:anyURI" minOccurs="0"/></xs:all>'
        '<xs:attribute name="g" type="xs:string" use="required"/></xs:complexType></xs:element>'
        "</xs:sequence>",
    )
    generator = Generator(definition)
    for seed in range(20):
        for taste in (TYPICAL, FULL, BARE):
            assert generator.judge.is_right(generator.document(seed, taste))
    full = generator.document(0, FULL)
    assert [child.tag for child in full[-1]] == ["e", "f"]
    assert [child.tag for child in generator.document(0, BARE)] == ["d"]


def test_type_that_contains_itself_ends(tmp_path: Path) -> None:
    """A document with every optional field does not go down for ever."""
    definition = foreign(tmp_path, '<xs:sequence><xs:element name="tree" type="t:Tree"/></xs:sequence>')
    root = Generator(definition).document(0, FULL)
    assert [element.tag for element in root.iterdescendants()] == ["tree", "name"]


def test_choice_inside_itself_takes_the_way_out(tmp_path: Path) -> None:
    """Of two branches the one that does not begin again is taken."""
    definition = foreign(
        tmp_path,
        '<xs:sequence><xs:element name="list" type="t:List"/></xs:sequence>',
    )
    text = definition.xsd.read_text(encoding="utf-8").replace(
        "</xs:schema>",
        '<xs:complexType name="List"><xs:choice><xs:element name="more" type="t:List"/>'
        '<xs:element name="end" type="xs:string"/></xs:choice></xs:complexType></xs:schema>',
    )
    definition.xsd.write_text(text, encoding="utf-8")
    generator = Generator(definition)
    assert all(generator.judge.is_right(generator.document(seed, FULL)) for seed in range(10))


PERIOD = (
    '<xs:sequence><xs:element name="period" maxOccurs="2"><xs:complexType><xs:sequence>'
    '<xs:element name="from" type="xs:date"/><xs:element name="to" type="xs:date"/>'
    "</xs:sequence></xs:complexType></xs:element></xs:sequence>"
)


def test_rules_are_kept(tmp_path: Path) -> None:
    """What breaks a rule is written anew until it keeps it."""
    generator = Generator(foreign(tmp_path, PERIOD, RULES))
    for seed in range(10):
        period = generator.document(seed).find("period")
        assert period is not None
        assert period.findtext("from", "") <= period.findtext("to", "")


def test_rule_that_nothing_keeps_is_said(tmp_path: Path) -> None:
    """When schema and rule contradict each other nothing is made up; the error says where to look."""
    rules = RULES.replace('"sim:date-le(from, to)"', '"false()"')
    with pytest.raises(SedError, match="A999, found none") as caught:
        Generator(foreign(tmp_path, PERIOD, rules)).document(0)
    assert "rule contradicts" in str(caught.value.hint)


def test_stored_sample_is_the_last_resort(tmp_path: Path) -> None:
    """Where only the hand-made sample keeps the rules, that is what one gets."""
    rules = RULES.replace('"sim:date-le(from, to)"', "\"from = '2026-01-01' and to = '2026-01-01'\"").replace(
        'context: "period"', 'context: "/*/period[1]"'
    )
    sample = (
        f'<t:A999 xmlns:t="{NAMESPACE}"><period><from>2026-01-01</from><to>2026-01-01</to></period></t:A999>'
    )
    generator = Generator(foreign(tmp_path, PERIOD, rules, sample))
    assert generator.document(3).findtext("period/from") == "2026-01-01"


def test_same_seed_same_document(a003: Generator) -> None:
    """Chance comes from the seed alone."""
    one, other = a003.document(5), Generator(A003).document(5)
    assert xmlsafe.serialize(one) == xmlsafe.serialize(other)
    assert xmlsafe.serialize(a003.document(6)) != xmlsafe.serialize(one)


def test_target_is_written(a003: Generator) -> None:
    """A bare document has the place that was asked for, and not its neighbours."""
    target = ("SelfEmployment", "SelfEmployment", "Address", "street")
    root = a003.attempt(0, Taste(0, 0, target, a003.needed))
    assert root is not None
    assert root.find("/".join(target)) is not None
    assert root.find("SelfEmployment/SelfEmployment/Address/region") is None


def test_twin_is_the_counterpart(a003: Generator) -> None:
    """An element finds its counterpart in the stored sample by path and number, the last one when there are fewer."""
    root = copy.deepcopy(a003.stored)
    assert root is not None
    numbers = root.findall(".//PersonalIdentificationNumber")
    numbers[-1].addnext(copy.deepcopy(numbers[0]))
    again = root.findall(".//PersonalIdentificationNumber")
    twins = [twin_of(each, a003.stored) for each in again]
    assert twins[0] is not None
    assert twins[-1] is not None
    assert twins[0].findtext("country/value") == numbers[0].findtext("country/value")
    assert twins[-1].findtext("country/value") == numbers[-1].findtext("country/value")
    assert twin_of(etree.SubElement(root, "nothing"), a003.stored) is None


@pytest.mark.parametrize("dialect", list(Dialect))
def test_dialects_are_valid(dialect: Dialect, a003: Generator) -> None:
    """Every dialect keeps schema and rules."""
    assert a003.judge.is_right(document(a003, 2, dialect))


def test_dialects_differ_as_they_say(a003: Generator) -> None:
    """Minimal is shorter than full, longest longer than typical, scripts has letters beyond Latin."""
    size = {dialect: len(xmlsafe.serialize(document(a003, 1, dialect))) for dialect in Dialect}
    assert size[Dialect.MINIMAL] < size[Dialect.TYPICAL] < size[Dialect.FULL]
    assert size[Dialect.TYPICAL] < size[Dialect.LONGEST]
    names = {
        document(a003, seed, Dialect.SCRIPTS).findtext("Person/PersonIdentification/familyName")
        for seed in range(len(a003.people.scripts))
    }
    assert names == {each.family for each in a003.people.scripts}


def test_minimal_has_nothing_to_spare(a003: Generator) -> None:
    """Leaving out any element of a minimal document breaks schema or rules."""
    root = document(a003, 1, Dialect.MINIMAL)
    for number, _ in enumerate(root.iterdescendants()):
        shorter = copy.deepcopy(root)
        element = list(shorter.iterdescendants())[number]
        parent = element.getparent()
        assert parent is not None
        parent.remove(element)
        assert not a003.judge.is_right(shorter), element.tag


def test_kit_names_what_it_breaks(a003: Generator) -> None:
    """A wrong document says kind, place and finding, for its file name and for the manifest."""
    kit = Kit(a003, 0)
    wrong = next(each for each in kit.documents("element-missing") if each.name.endswith("familyName"))
    assert wrong.name == "element-missing-familyName"
    assert wrong.as_dict() == {
        "kind": "element-missing",
        "what": "familyName is left out",
        "expects": {
            "code": "element-missing",
            "path": "/A003/Person/PersonIdentification/familyName",
            "severity": "error",
        },
    }
    assert b"familyName>" not in wrong.data()


def test_kit_breaks_one_rule(a003: Generator) -> None:
    """The document of a rule is its failing example."""
    (wrong,) = Kit(a003, 0).documents("A003-R04")
    assert (wrong.name, wrong.expected.rule) == ("rule-A003-R04", "A003-R04")
    assert wrong.as_dict()["kind"] == "rule"


def test_kit_knows_its_words(a003: Generator) -> None:
    """The kinds of fault and the rules that one may ask for are listed."""
    kit = Kit(a003, 0)
    assert {"element-missing", "value-too-long", "date-invalid"} <= set(kit.kinds())
    assert "A003-R01" in kit.rules()
    assert list(kit.documents("no-such-kind")) == []


def test_all_facets_are_broken(tmp_path: Path) -> None:
    """Every facet of a simple type, and every kind of particle, has a mutation."""
    definition = foreign(
        tmp_path,
        '<xs:sequence><xs:element name="n"><xs:simpleType><xs:restriction base="xs:integer">'
        '<xs:minInclusive value="2"/><xs:maxInclusive value="9"/></xs:restriction></xs:simpleType></xs:element>'
        '<xs:element name="m"><xs:simpleType><xs:restriction base="xs:decimal"><xs:totalDigits value="4"/>'
        '<xs:fractionDigits value="1"/><xs:pattern value="[1-9][0-9.]*"/></xs:restriction></xs:simpleType></xs:element>'
        '<xs:element name="t" type="xs:dateTime"/><xs:element name="y" type="xs:gYear"/>'
        '<xs:element name="d"><xs:complexType><xs:sequence><xs:element name="e" type="xs:string" maxOccurs="2"/>'
        '<xs:element name="f" type="xs:string" minOccurs="0"/></xs:sequence>'
        '<xs:attribute name="g" type="xs:string" use="required"/></xs:complexType></xs:element></xs:sequence>',
    )
    kit = Kit(Generator(definition), 0)
    found = [(each.kind, each.expected.path.rpartition("/")[2]) for each in kit.documents()]
    assert [kind for kind, leaf in found if leaf == "n"].count("schema") == 2
    assert [kind for kind, leaf in found if leaf == "m"].count("schema") == 2
    assert ("value-pattern", "m") in found
    assert [kind for kind, leaf in found if leaf in ("t", "y")].count("date-invalid") == 4
    assert ("attribute-missing", "@g") in found
    assert ("element-repeated", "e[3]") in found
    assert ("element-order", "f") in found or ("element-order", "e[1]") in found
    assert kit.unreached == []


def test_place_that_no_valid_document_has_is_told(tmp_path: Path) -> None:
    """What a rule forbids cannot be broken by the schema; the kit says so instead of leaving it out silently."""
    rules = RULES.replace('context: "period"', 'context: "/*"').replace(
        '"sim:date-le(from, to)"', '"not(never)"'
    )
    rules = rules.replace('{set: "period/to", to: "1900-01-01"}', '{insert: "<never/>", into: "/*"}')
    content = '<xs:sequence><xs:element name="never" type="xs:date" minOccurs="0"/></xs:sequence>'
    kit = Kit(Generator(foreign(tmp_path, content, rules)), 0)
    kinds = {each.kind for each in kit.documents()}
    assert "date-invalid" not in kinds
    assert "date-invalid never" in kit.unreached


def test_mutations_are_many() -> None:
    """Each type is broken where it is met first, in every way."""
    kinds = {mutation.kind for mutation in mutations(Shapes.of(A003))}
    assert len(kinds) > 10


def test_like_sample_writes_what_the_sample_has(a003: Generator) -> None:
    """A document like the sample has the same paths."""
    root = a003.attempt(1, LIKE_SAMPLE)
    assert root is not None
    assert a003.stored is not None
    assert {each.tag for each in a003.stored.iter()} <= {each.tag for each in root.iter()}


def test_list_and_union_are_known_by_their_first_member(tmp_path: Path) -> None:
    """A list says one item, a union its first alternative; both are valid."""
    definition = foreign(
        tmp_path,
        '<xs:sequence><xs:element name="l"><xs:simpleType><xs:list itemType="xs:date"/></xs:simpleType></xs:element>'
        '<xs:element name="u"><xs:simpleType><xs:union memberTypes="xs:gYear xs:date"/></xs:simpleType></xs:element>'
        "</xs:sequence>",
    )
    generator = Generator(definition)
    root = generator.document(1, FULL)
    assert generator.judge.is_right(root)
    assert (len(root.findtext("l", "")), len(root.findtext("u", ""))) == (10, 4)
