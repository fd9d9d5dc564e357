"""Every rule of every SED and of the envelope can be broken alone, by a document that fits its schema.

The bad examples are what ``sample --invalid`` hands out: who tests a validator with them must get one finding each.
A rule that another one cannot help but join names it as a companion.
"""

from collections.abc import Iterator
from functools import cache

import pytest
from lxml import etree

from eessi_sim import resources, xmlsafe
from eessi_sim.cdm.catalogue import Catalogue, SedDefinition
from eessi_sim.cdm.examples import edited
from eessi_sim.cdm.rules import Rule, RuleSet
from eessi_sim.cdm.schema import CompiledSchema
from eessi_sim.xmlsafe import Element

DEFINITIONS = Catalogue.default().definitions()
ENVELOPE = resources.schemas() / "envelope"
every_sed = pytest.mark.parametrize("definition", DEFINITIONS, ids=lambda one: f"{one.type}-{one.version}")
pytestmark = pytest.mark.no_cover  # the tests of the modules measure what all these run through


@cache
def sample(definition: SedDefinition) -> Element:
    assert definition.sample is not None
    return xmlsafe.parse(definition.sample.read_bytes())


def applicable(definition: SedDefinition) -> Iterator[Rule]:
    """The rules that have something to say about the sample of a SED."""
    rules, root = RuleSet.load(definition.rules), sample(definition)
    yield from rules.own
    for rule in rules.included:
        if rule.nodes(root) and all(edit.can_apply(root) for edit in rule.bad):
            yield rule


def found(rules: RuleSet, root: Element) -> set[str]:
    return {issue.rule or "" for issue in rules.check(root)}


@every_sed
def test_bad_example_fits_the_schema(definition: SedDefinition) -> None:
    """What breaks a rule is valid by the schema, so that the rule alone has something to say."""
    schema = CompiledSchema.of(definition)
    wrong = [
        rule.id for rule in applicable(definition) if not schema.verdict(edited(sample(definition), rule.bad))
    ]
    assert wrong == []


@every_sed
def test_bad_example_breaks_one_rule(definition: SedDefinition) -> None:
    """What breaks a rule is found under the id of that rule, and breaks no other one."""
    rules = RuleSet.load(definition.rules)
    broken = {rule.id: found(rules, edited(sample(definition), rule.bad)) for rule in applicable(definition)}
    assert broken == {rule: {rule} for rule in broken}


@every_sed
def test_good_example_is_without_fault(definition: SedDefinition) -> None:
    """What keeps a rule fits the schema and keeps all other rules."""
    rules, schema = RuleSet.load(definition.rules), CompiledSchema.of(definition)
    good = {rule.id: edited(sample(definition), rule.good) for rule in applicable(definition)}
    broken = {name: found(rules, root) for name, root in good.items()}
    assert {name: rule for name, rule in broken.items() if rule} == {}
    assert [name for name, root in good.items() if not schema.verdict(root)] == []


def test_every_shared_rule_applies_somewhere() -> None:
    """A rule that several SEDs share is proved by the sample of at least one."""
    shared = {rule.id for definition in DEFINITIONS for rule in RuleSet.load(definition.rules).included}
    assert shared - {rule.id for definition in DEFINITIONS for rule in applicable(definition)} == set()


def test_envelope_rules_are_broken_alone() -> None:
    """What breaks a rule of the envelope breaks no other one."""
    rules = RuleSet.load(ENVELOPE / "sbdh.rules.yaml")
    root = xmlsafe.parse((ENVELOPE / "sbdh.sample.xml").read_bytes())
    broken = {rule.id: found(rules, edited(root, rule.bad)) - {rule.id} for rule in rules.own}
    assert {rule: others for rule, others in broken.items() if others} == {}


def test_bad_examples_of_the_envelope_fit_its_schema() -> None:
    """What breaks a rule of the envelope is a valid envelope."""
    schema = etree.XMLSchema(file=str(ENVELOPE / "sbdh-1.1.xsd"))
    root = xmlsafe.parse((ENVELOPE / "sbdh.sample.xml").read_bytes())
    rules = RuleSet.load(ENVELOPE / "sbdh.rules.yaml").own
    assert [rule.id for rule in rules if not schema.validate(edited(root, rule.bad))] == []
