"""Every SED under schemas/cdm is complete and right; a new one needs a new file there and no Python.

The tests find the definitions by themselves. A SED that breaks one of them is named in the test id.
"""

import copy
import json
from functools import cache
from typing import Any

import pytest
from lxml import etree

from eessi_sim import xmlsafe
from eessi_sim.cdm.answers import Answer
from eessi_sim.cdm.catalogue import Catalogue, SedDefinition
from eessi_sim.cdm.codec import Codec
from eessi_sim.cdm.dictionary import rows
from eessi_sim.cdm.examples import Edit, edited
from eessi_sim.cdm.rules import Rule, RuleSet
from eessi_sim.cdm.sed import SIGNATURE, Sed
from eessi_sim.cdm.validation import Validator
from eessi_sim.xmlsafe import Element

CATALOGUE = Catalogue.default()
DEFINITIONS = CATALOGUE.definitions()
VALIDATOR = Validator(CATALOGUE)
every_sed = pytest.mark.parametrize("definition", DEFINITIONS, ids=lambda one: f"{one.type}-{one.version}")


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


def applies(rule: Rule, edits: tuple[Edit, ...], root: Element) -> bool:
    """Whether a shared rule has anything to say about this SED."""
    return bool(rule.nodes(root)) and all(edit.can_apply(root) for edit in edits)


def findings(root: Element) -> list[str]:
    return [
        f"{issue.severity} {issue.rule} {issue.path}: {issue.message}"
        for issue in VALIDATOR.validate(Sed.of(root)).issues
    ]


def test_there_are_definitions() -> None:
    """An empty catalogue would make every other test pass."""
    assert DEFINITIONS


@every_sed
def test_sample_is_the_sed_it_is_named_after(definition: SedDefinition) -> None:
    """Type and version of the sample are those of its place."""
    sed = Sed.of(sample(definition))
    assert (sed.type, sed.version) == (definition.type, definition.version)


@every_sed
def test_sample_has_no_findings_at_all(definition: SedDefinition) -> None:
    """The sample fits the schema and breaks no rule, not even as a warning."""
    assert findings(sample(definition)) == []


@every_sed
def test_sample_is_not_signed(definition: SedDefinition) -> None:
    """The sample is a template; seals are made when a document is sent."""
    assert sample(definition).find(SIGNATURE) is None


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
def test_good_example_of_every_rule_is_accepted(definition: SedDefinition) -> None:
    """The good example keeps its rule."""
    rules, root = RuleSet.load(definition.rules), sample(definition)
    own = [rule.id for rule in rules.own if rule.issues(edited(root, rule.good))]
    shared = [
        rule.id
        for rule in rules.included
        if applies(rule, rule.good, root) and rule.issues(edited(root, rule.good))
    ]
    assert own + shared == []


@every_sed
def test_bad_example_of_every_rule_is_found(definition: SedDefinition) -> None:
    """The bad example breaks its rule, under the id of that rule."""
    rules, root = RuleSet.load(definition.rules), sample(definition)
    own = [rule.id for rule in rules.own if not rule.issues(edited(root, rule.bad))]
    shared = [
        rule.id
        for rule in rules.included
        if applies(rule, rule.bad, root) and not rule.issues(edited(root, rule.bad))
    ]
    assert own + shared == []


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
    """What is composed from each named source, and from all together, fits the schema."""
    answer = Answer.load(definition.answer)
    sources = {
        source.type: [sample(source)]
        for name in answer.answers
        if (source := CATALOGUE.find(name, definition.version)) is not None
    }
    for given in [sources, *({name: documents} for name, documents in sources.items())]:
        composed = Sed.of(answer.compose(sample(definition), given))
        report = VALIDATOR.validate(composed)
        assert [issue.message for issue in report.issues if not report.is_valid] == [], list(given)


@every_sed
def test_title_and_meaning_are_documented(definition: SedDefinition) -> None:
    """Every SED has a title, a legal or other source, and a confidence."""
    facts = definition.facts
    assert facts.title
    assert facts.documentation
    assert facts.confidence in ("documented", "observed", "inferred")


@every_sed
def test_dictionary_has_a_meaning_for_every_field(definition: SedDefinition) -> None:
    """Every field says what it means and how sure we are."""
    fields = [row for row in rows(definition) if "@" not in row.path]
    assert [row.path for row in fields if not row.meaning or not row.confidence] == []


@every_sed
def test_rule_ids_begin_with_their_sed(definition: SedDefinition) -> None:
    """An id tells where the rule stands."""
    rules = RuleSet.load(definition.rules)
    assert [rule.id for rule in rules.own if not rule.id.startswith(f"{definition.type}-")] == []
