"""Every SED under schemas/cdm is complete and right; a new one needs a new file there and no Python.

The tests find the definitions by themselves. A SED that breaks one of them is named in the test id or in what the test says.
What the rules of the SEDs find is checked by ``test_every_rule``.
"""

import copy
import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from lxml import etree

from eessi_sim import xmlsafe
from eessi_sim.cdm.answers import Answer
from eessi_sim.cdm.catalogue import Catalogue, SedDefinition
from eessi_sim.cdm.codec import Codec
from eessi_sim.cdm.dictionary import rows
from eessi_sim.cdm.examples import edited
from eessi_sim.cdm.rules import RuleSet
from eessi_sim.cdm.sed import SIGNATURE, Sed
from eessi_sim.cdm.validation import Validator
from eessi_sim.identifiers import SedType
from eessi_sim.xmlsafe import Element

CATALOGUE = Catalogue.default()
DEFINITIONS = CATALOGUE.definitions()
VALIDATOR = Validator(CATALOGUE)


def named(definition: SedDefinition) -> str:
    return f"{definition.type}-{definition.version}"


every_sed = pytest.mark.parametrize("definition", DEFINITIONS, ids=named)
pytestmark = pytest.mark.no_cover  # the tests of the modules measure what all these run through


@cache
def sample_bytes(definition: SedDefinition) -> bytes:
    assert definition.sample is not None, f"{definition.type} has no sample"
    return definition.sample.read_bytes()


def sample(definition: SedDefinition) -> Element:
    return xmlsafe.parse(sample_bytes(definition))


def canonical(root: Element) -> bytes:
    """The content, without white space between elements and under one prefix for the root."""
    again = etree.Element(root.tag, nsmap={"sed": xmlsafe.namespace(root)})
    again.attrib.update(root.attrib)
    again.extend(copy.deepcopy(child) for child in root)
    for element in again.iter():
        if len(element):
            element.text = None
        element.tail = None
    return xmlsafe.exclusive_c14n(again)


def sources_of(answer: Answer, wanted: SedDefinition) -> Iterator[dict[SedType, list[Element]]]:
    """Yield the named sources together, then one case per sample of any version that may serve as source."""
    together = (CATALOGUE.find(name, wanted.version) for name in answer.answers)
    yield {source.type: [sample(source)] for source in together if source is not None}
    for source in DEFINITIONS:
        if source.type in answer.answers or (
            wanted.answer is not None and not answer.answers and source.type != wanted.type
        ):
            yield {source.type: [sample(source)]}


def findings(root: Element) -> list[str]:
    return [
        f"{issue.severity} {issue.rule} {issue.path}: {issue.message}"
        for issue in VALIDATOR.validate(Sed.of(root)).issues
    ]


def test_every_definition_has_sample_and_rules() -> None:
    """Each SED comes with a sample document and a file of rules; an empty catalogue would make all tests pass."""
    assert DEFINITIONS
    assert [named(each) for each in DEFINITIONS if each.sample is None or each.rules is None] == []


def test_sample_is_the_sed_it_is_named_after() -> None:
    """Type and version of each sample are those of its place."""
    read = {named(each): Sed.of(sample(each)) for each in DEFINITIONS}
    assert {name: f"{sed.type}-{sed.version}" for name, sed in read.items()} == {name: name for name in read}


@every_sed
def test_sample_has_no_findings_at_all(definition: SedDefinition) -> None:
    """The sample fits the schema and breaks no rule, not even as a warning."""
    assert findings(sample(definition)) == []


def test_samples_are_not_signed() -> None:
    """A sample is a template; seals are made when a document is sent."""
    assert [named(each) for each in DEFINITIONS if sample(each).find(SIGNATURE) is not None] == []


@every_sed
def test_sample_goes_to_json_and_back(definition: SedDefinition) -> None:
    """XML → JSON → XML gives the same canonical form."""
    codec = Codec.of(definition)
    root = sample(definition)
    document: dict[str, Any] = json.loads(json.dumps(codec.to_json(root)))
    assert canonical(codec.to_xml(document)) == canonical(root)


@every_sed
def test_json_goes_to_xml_and_back(definition: SedDefinition) -> None:
    """JSON → XML → JSON gives the same document."""
    codec = Codec.of(definition)
    document = codec.to_json(sample(definition))
    assert codec.to_json(xmlsafe.parse(xmlsafe.serialize(codec.to_xml(document)))) == document


@every_sed
def test_every_finding_of_a_bad_example_teaches(definition: SedDefinition) -> None:
    """A finding has a sentence of bearable length without full stop, a hint and a source."""
    rules, root = RuleSet.load(definition.rules), sample(definition)
    for rule in rules.own:
        assert not rule.message.template.endswith("."), rule.id
        for issue in rule.issues(edited(root, rule.bad)):
            assert issue.hint, rule.id
            assert issue.source, rule.id
            assert len(issue.message) <= 255, rule.id


@every_sed
def test_answer_without_case_is_valid(definition: SedDefinition) -> None:
    """What is composed from nothing is a valid document."""
    assert findings(Answer.load(definition.answer).compose(sample(definition), {})) == []


@every_sed
def test_answer_to_every_source_is_valid(definition: SedDefinition) -> None:
    """What is composed from any document it may draw on, and from all of its version together, fits the schema."""
    answer = Answer.load(definition.answer)
    for given in sources_of(answer, definition):
        composed = Sed.of(answer.compose(sample(definition), given))
        report = VALIDATOR.validate(composed)
        assert [issue.message for issue in report.issues if not report.is_valid] == [], list(given)


def test_title_and_meaning_are_documented() -> None:
    """Every SED has a title, a legal or other source, and a confidence."""
    for definition in DEFINITIONS:
        facts = definition.facts
        assert facts.title, named(definition)
        assert facts.documentation, named(definition)
        assert facts.confidence in ("documented", "observed", "inferred"), named(definition)


@every_sed
def test_dictionary_has_a_meaning_for_every_field(definition: SedDefinition) -> None:
    """Every field says what it means and how sure we are."""
    fields = [row for row in rows(definition) if "@" not in row.path]
    assert [row.path for row in fields if not row.meaning or not row.confidence] == []


def test_rule_ids_begin_with_their_sed() -> None:
    """An id tells where the rule stands."""
    own = [(each.type, rule.id) for each in DEFINITIONS for rule in RuleSet.load(each.rules).own]
    assert [rule for sed_type, rule in own if not rule.startswith(f"{sed_type}-")] == []
