"""Samples, rules and answers of every document: samples are faultless, examples prove their rules, answers fit."""

from collections.abc import Iterator
from functools import cache

import pytest

from eessi_sim import xmlsafe
from eessi_sim.cdm.answers import Answer
from eessi_sim.cdm.catalogue import Catalogue, SedDefinition
from eessi_sim.cdm.examples import edited
from eessi_sim.cdm.rules import Rule, RuleSet
from eessi_sim.cdm.sed import Sed
from eessi_sim.cdm.validation import Validator
from eessi_sim.identifiers import SedType
from eessi_sim.xmlsafe import Element

CATALOGUE = Catalogue.default()
VALIDATOR = Validator(CATALOGUE)
DEFINITIONS = CATALOGUE.definitions()
ANSWERS = [definition for definition in DEFINITIONS if definition.answer is not None]


def type_of(definition: SedDefinition) -> str:
    return definition.type


@cache
def sample(definition: SedDefinition) -> Element:
    assert definition.sample is not None
    return xmlsafe.parse(definition.sample.read_bytes())


def speaks_of(rule: Rule, root: Element) -> bool:
    """Return whether a shared rule has anything to say about a sample."""
    return bool(rule.nodes(root)) and all(edit.can_apply(root) for edit in rule.bad)


def rules() -> Iterator[tuple[SedDefinition, Rule]]:
    for definition in DEFINITIONS:
        rule_set = RuleSet.load(definition.rules)
        yield from ((definition, rule) for rule in rule_set.own)
        yield from ((definition, rule) for rule in rule_set.included if speaks_of(rule, sample(definition)))


RULES = [pytest.param(definition, rule, id=f"{definition.type}-{rule.id}") for definition, rule in rules()]


def sources_of(answer: Answer, wanted: SedDefinition) -> Iterator[dict[SedType, list[Element]]]:
    """Yield one case per sample that may serve as source."""
    for definition in DEFINITIONS:
        if definition.type in answer.answers or (not answer.answers and definition.type != wanted.type):
            yield {definition.type: [sample(definition)]}


@pytest.mark.parametrize("definition", DEFINITIONS, ids=type_of)
def test_document_has_sample_and_rules(definition: SedDefinition) -> None:
    """Each SED comes with a sample document and a file of rules."""
    assert definition.sample is not None
    assert definition.rules is not None


@pytest.mark.parametrize("definition", DEFINITIONS, ids=type_of)
def test_sample_is_without_findings(definition: SedDefinition) -> None:
    """Neither schema nor rules find anything in a sample, not even a warning."""
    report = VALIDATOR.validate(Sed.of(sample(definition)))
    assert [issue.message for issue in report.issues] == []


@pytest.mark.parametrize(("definition", "rule"), RULES)
def test_good_example_keeps_the_rule(definition: SedDefinition, rule: Rule) -> None:
    """The good example of a rule keeps it."""
    assert [issue.message for issue in rule.issues(edited(sample(definition), rule.good))] == []


@pytest.mark.parametrize(("definition", "rule"), RULES)
def test_bad_example_breaks_the_rule(definition: SedDefinition, rule: Rule) -> None:
    """The bad example of a rule breaks it."""
    assert rule.issues(edited(sample(definition), rule.bad))


@pytest.mark.parametrize("definition", ANSWERS, ids=type_of)
def test_answer_to_any_source_is_valid(definition: SedDefinition) -> None:
    """A document composed from any document it may draw on has no error."""
    answer = Answer.load(definition.answer)
    for sources in sources_of(answer, definition):
        report = VALIDATOR.validate(Sed.of(answer.compose(sample(definition), sources)))
        assert report.is_valid, (sorted(sources), [issue.message for issue in report.issues])


@pytest.mark.parametrize("definition", ANSWERS, ids=type_of)
def test_answer_without_source_is_the_sample(definition: SedDefinition) -> None:
    """With nothing to draw on, a composed document still has no error."""
    composed = Answer.load(definition.answer).compose(sample(definition), {})
    assert VALIDATOR.validate(Sed.of(composed)).is_valid
