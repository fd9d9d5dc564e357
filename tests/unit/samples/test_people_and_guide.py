"""Personas come from a file, the guide says which field says what of them; both refuse what is wrong in them."""

from datetime import date
from pathlib import Path
from random import Random
from typing import Any

import pytest

from eessi_sim.cdm import national_numbers
from eessi_sim.cdm.functions import bic_ok, iban_ok
from eessi_sim.errors import DefinitionError
from eessi_sim.samples import numbers
from eessi_sim.samples.guide import Guide
from eessi_sim.samples.people import Country, Human, People, Persona

PEOPLE = People.default()
GUIDE = Guide.default()


@pytest.fixture(scope="module")
def persona() -> Persona:
    return PEOPLE.persona(Random(7))


def humans(persona: Persona) -> list[Human]:
    return [persona.person, persona.spouse, *persona.children, *persona.parents, *persona.others]


@pytest.mark.parametrize("country", PEOPLE.countries, ids=lambda country: country.code)
def test_numbers_of_a_state_are_possible(country: Country) -> None:
    """Personal numbers of men, women and children of every State have the check digits of that State."""
    for born, is_woman in ((date(1961, 2, 28), True), (date(1999, 12, 31), False), (date(2004, 2, 29), True)):
        number = numbers.personal_number(
            country.code, country.number, born=born, is_woman=is_woman, family="Ødegård", random=Random(1)
        )
        assert national_numbers.is_possible(country.code, number), number


@pytest.mark.parametrize("country", PEOPLE.countries, ids=lambda country: country.code)
def test_accounts_of_a_state_are_possible(country: Country) -> None:
    """An account number has the length and check digits that ISO 13616 gives its State, the bank a BIC."""
    assert iban_ok(numbers.bank_account(country.bank_iban, Random(2)))
    assert bic_ok(country.bank_bic)


def test_a_persona_hangs_together(persona: Persona) -> None:
    """A child is born after its parents, everybody has a number in each of the three States."""
    for child in persona.children:
        assert persona.person.born < child.born
    for parent in persona.parents:
        assert parent.born < persona.person.born
    assert {tuple(pin.country for pin in each.pins) for each in humans(persona)} == {persona.countries}
    assert persona.spouse.sex != persona.person.sex


def test_the_same_chance_is_the_same_persona(persona: Persona) -> None:
    """Nothing but the random source decides who somebody is."""
    assert PEOPLE.persona(Random(7)) == persona
    assert PEOPLE.persona(Random(8)) != persona


def test_family_names_have_two_forms() -> None:
    """A name with a slash gives men the first form and women the second."""
    names = {
        (each.sex, each.family_name) for seed in range(60) for each in humans(PEOPLE.persona(Random(seed)))
    }
    assert ("01", "Dvořák") in names
    assert ("02", "Dvořáková") in names
    assert ("02", "Dvořák") not in names


@pytest.mark.parametrize(
    ("path", "attribute"),
    [
        ("Person/PersonIdentification/familyName", "person.family_name"),
        ("Spouse/PersonIdentification/familyName", "spouse.family_name"),
        ("Children/Child#1/PersonIdentification/dateBirth", "children[1].born"),
        ("Employer#0/Address/town", "employers[0].address.town"),
        ("Employer#2/name", "employers[2].name"),
        ("Addresses/Address#0/Address/town", "home.town"),
        (
            "PersonIdentification/PINPersonInEachInstitution/PersonalIdentificationNumber#4/country/value",
            "person.pins[1].country",
        ),
        ("BankInformation/SEPAAccount/IBAN", "bank.iban"),
    ],
)
def test_guide_knows_whom_a_field_is_about(path: str, attribute: str, persona: Persona) -> None:
    """The path of a field decides whose name, address or number it says; numbers beyond the last begin again."""
    entry = GUIDE.entry(path)
    assert entry is not None
    expected: Any = persona
    for step in attribute.split("."):
        name, _, index = step.partition("[")
        expected = getattr(expected, name)
        if index:
            expected = expected[int(index.rstrip("]"))]
    assert GUIDE.value(entry, path, persona) == expected


def test_guide_is_silent_about_other_fields() -> None:
    """A field that no pattern finds keeps what the stored sample says."""
    assert GUIDE.entry("Decision/articleRegulation") is None


def test_several_numbers_take_turns_in_the_scope(persona: Persona) -> None:
    """Who is meant is decided by the first scope that is found in the path."""
    path = "ClaimantSurvivorPension/PersonIdentification/forename"
    entry = GUIDE.entry(path)
    assert entry is not None
    assert GUIDE.value(entry, path, persona) == persona.spouse.forename


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('values: [{at: "("}]', "Expected a pattern"),
        ('values: [{at: "x", is: "Who!"}]', "Expected names with dots between"),
        ('values: [{at: "x", was: y}]', "Expected a known key"),
    ],
)
def test_guide_refuses_what_is_wrong(text: str, sentence: str, tmp_path: Path) -> None:
    """A wrong entry is refused with its place in the file."""
    file = tmp_path / "fields.yaml"
    file.write_text(f"who: []\nwhere: []\nemployer: []\n{text}\n", encoding="utf-8")
    with pytest.raises(DefinitionError, match=sentence) as caught:
        Guide.load(file)
    assert "line 4" in caught.value.message
