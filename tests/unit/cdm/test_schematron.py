"""Rules as Schematron: somebody else's processor finds the same."""

import dataclasses
from functools import cache

import pytest
from lxml import etree, isoschematron  # type: ignore[attr-defined] # the stubs lack it

from eessi_sim import xmlsafe
from eessi_sim.cdm import schematron
from eessi_sim.cdm.catalogue import Catalogue, SedDefinition
from eessi_sim.cdm.examples import edited
from eessi_sim.cdm.rules import Message, Rule, RuleSet
from eessi_sim.definition_files import Node
from eessi_sim.identifiers import CdmVersion, SedType
from eessi_sim.xmlsafe import Element

NEWEST = CdmVersion("4.4")
SOME = ("A001", "A003", "P2000", "U008", "U020", "U029")


def definition(sed: str) -> SedDefinition:
    return Catalogue.default().get(SedType(sed), NEWEST)


def plain(sed: str) -> list[Rule]:
    """The rules that XPath alone can say, without functions of ours."""
    return [
        rule
        for rule in RuleSet.load(definition(sed).rules).own
        if "sim:" not in rule.test + rule.context.text
    ]


@cache
def processor(sed: str) -> isoschematron.Schematron:
    written = schematron.write(definition(sed), plain(sed))
    return isoschematron.Schematron(etree.fromstring(written), store_report=True)


def failed(sed: str, document: Element) -> set[str]:
    """Ids of the rules that the processor finds broken."""
    processor(sed).validate(document)
    found = processor(sed).validation_report.iter("{http://purl.oclc.org/dsdl/svrl}failed-assert")
    return {(each.get("id") or "").removesuffix("-assert") for each in found}


def sample(sed: str) -> Element:
    path = definition(sed).sample
    assert path is not None
    return xmlsafe.parse(path.read_bytes())


@pytest.mark.parametrize("sed", SOME)
def test_processor_accepts_the_sample(sed: str) -> None:
    """A Schematron processor finds nothing in the sample."""
    assert plain(sed)
    assert failed(sed, sample(sed)) == set()


@pytest.mark.parametrize("sed", SOME)
def test_processor_finds_what_we_find(sed: str) -> None:
    """For the bad example of every rule the processor names the rules that we name."""
    for rule in plain(sed):
        document = edited(sample(sed), rule.bad)
        assert failed(sed, document) == {each.id for each in plain(sed) if each.issues(document)}


def test_message_shows_values_of_the_document() -> None:
    """A placeholder that is a path becomes a value-of; another one an ellipsis."""
    (first, *_) = [rule for rule in plain("U020") if rule.id == "U020-R01"]
    root = etree.fromstring(schematron.write(definition("U020"), [first]))
    (wanted,) = root.iter(f"{{{schematron.SCHEMATRON}}}assert")
    assert [child.get("select", "").rpartition("/")[2] for child in wanted] == ["numberIndividualClaims"]
    (third,) = [rule for rule in plain("U020") if rule.id == "U020-R03"]
    root = etree.fromstring(schematron.write(definition("U020"), [third]))
    (wanted,) = root.iter(f"{{{schematron.SCHEMATRON}}}assert")
    assert (wanted.text or "").startswith("Expected the request … in every claim")


def test_text_between_and_behind_values_keeps_its_place() -> None:
    """What no path can say is an ellipsis, in front of a value and behind it."""
    (rule, *_) = plain("U020")
    message = Message(Node("f.yaml", "", 1, "a {../x} b {y} c {../z} d"))
    written = schematron.write(definition("U020"), [dataclasses.replace(rule, message=message)])
    (wanted,) = etree.fromstring(written).iter(f"{{{schematron.SCHEMATRON}}}assert")
    assert (wanted.text, wanted[0].tail) == ("a … b ", " c … d")


def test_rules_with_functions_of_ours_name_their_namespace() -> None:
    """The prefix of our functions is declared, so that a processor can bind them."""
    root = etree.fromstring(schematron.write(definition("U008"), RuleSet.load(definition("U008").rules).own))
    (declared,) = root.iter(f"{{{schematron.SCHEMATRON}}}ns")
    assert (declared.get("prefix"), declared.get("uri")) == ("sim", "urn:eessi-sim:rules")
