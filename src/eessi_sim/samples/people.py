"""Persona: one insured person with family, addresses, numbers, employers and bank, drawn from a file of names.

The same seed is the same person in every SED, so that the documents of one case fit together. Everything is
invented; the file is ``schemas/samples/people.yaml``.
"""

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Final

from eessi_sim import resources
from eessi_sim.definition_files import Node, load_yaml
from eessi_sim.samples import numbers

_GENERATION: Final = timedelta(days=27 * 365)
_YEAR: Final = timedelta(days=365)
_MOST_DAYS_EARLIER: Final = 400
_FACTORS: Final = (1, 1, 2, 3)
"""Whole numbers, so that sums stay right."""


@dataclass(frozen=True, slots=True)
class Institution:
    """An institution that a document names."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Bank:
    """An account."""

    name: str
    iban: str
    bic: str


@dataclass(frozen=True, slots=True)
class Address:
    """A postal address."""

    street: str
    town: str
    postal_code: str
    region: str
    country: str


@dataclass(frozen=True, slots=True)
class Pin:
    """A personal number in one State."""

    country: str
    number: str
    institution: Institution


@dataclass(frozen=True, slots=True)
class Employer:
    """An employer, or the business of a self-employed person."""

    name: str
    number: str
    address: Address


@dataclass(frozen=True, slots=True)
class Human:
    """A person as SEDs identify one."""

    family_name: str
    forename: str
    birth_name: str
    previous_name: str
    previous_forename: str
    born: str
    sex: str
    """``01`` male, ``02`` female (code list Sex, documented)."""
    nationality: str
    birth_place: Address
    father_name: str
    father_forename: str
    mother_name: str
    mother_forename: str
    pins: tuple[Pin, ...]


@dataclass(frozen=True, slots=True)
class Persona:
    """Who a document is about, and everybody and everything round that person."""

    person: Human
    spouse: Human
    children: tuple[Human, ...]
    parents: tuple[Human, ...]
    others: tuple[Human, ...]
    """Further persons of a document about many."""
    home: Address
    second_home: Address
    bank_address: Address
    institution_address: Address
    employers: tuple[Employer, ...]
    bank: Bank
    institution_bank: Bank
    """Of the first institution."""
    institutions: tuple[Institution, ...]
    """Of the State of work, then of residence, then of a third one."""
    countries: tuple[str, ...]
    """State of work, then of residence, then a third one."""
    currency: str
    """Of the State of work."""
    days_earlier: int
    """By how much this career lies before that of the stored samples; the same in every SED."""
    factor: int
    """By how much its amounts are greater."""
    telephone: str
    email: str
    case_number: str


@dataclass(frozen=True, slots=True)
class Country:
    """What people of one State are made of."""

    code: str
    families: tuple[str, ...]
    women: tuple[str, ...]
    men: tuple[str, ...]
    towns: tuple[tuple[str, ...], ...]
    streets: tuple[str, ...]
    employers: tuple[str, ...]
    number: str
    bank_name: str
    bank_iban: str
    bank_bic: str
    telephone: str
    institution: Institution


@dataclass(frozen=True, slots=True)
class ScriptName:
    """A name that tries the scripts of a system."""

    family: str
    forename: str
    what: str


@dataclass(frozen=True, slots=True)
class People:
    """Everything that personas are drawn from."""

    countries: tuple[Country, ...]
    scripts: tuple[ScriptName, ...]
    texts: tuple[str, ...]
    currencies: Mapping[str, str]
    """By State, where it is not ``currency``."""
    currency: str
    reference_day: date
    """The day on which all documents are written: a seed gives the same document on every day."""
    born_from: date
    born_to: date

    @classmethod
    def default(cls) -> "People":
        """Return what comes with the program; read once per process."""
        return _default()

    @classmethod
    def load(cls, path: Path) -> "People":
        """Read the file.

        Raises:
            DefinitionError: it is wrong; names file, line and key.
        """
        fields = load_yaml(path).mapping(
            required={"countries", "currencies", "currency", "scripts", "texts", "reference-day", "born"},
            allowed={"confidence", "source"},
        )
        born = fields["born"].mapping(required={"from", "to"})
        return cls(
            countries=tuple(_country(code, node) for code, node in fields["countries"].entries().items()),
            scripts=fields.each("scripts", _script),
            texts=fields.each("texts", Node.text),
            currencies={code: node.text() for code, node in fields["currencies"].entries().items()},
            currency=fields.read("currency", Node.text),
            reference_day=fields.read("reference-day", Node.date),
            born_from=born.read("from", Node.date),
            born_to=born.read("to", Node.date),
        )

    def persona(self, random: Random) -> Persona:
        """Return a person and all that belongs to it.

        Args:
            random: where chance comes from.
        """
        return _Draw(self, random.sample(self.countries, 3), random).persona()


@functools.cache
def _default() -> People:
    return People.load(resources.schemas() / "samples" / "people.yaml")


def _country(code: str, node: Node) -> Country:
    lists = ("families", "women", "men", "towns", "streets", "employers")
    fields = node.mapping(required={*lists, "number", "bank", "telephone", "institution"})
    bank = fields["bank"].mapping(required={"name", "iban", "bic"})
    institution = fields["institution"].mapping(required={"id", "name"})
    return Country(
        code=code,
        families=fields.each("families", Node.text),
        women=fields.each("women", Node.text),
        men=fields.each("men", Node.text),
        towns=fields.each("towns", lambda town: town.each(Node.text)),
        streets=fields.each("streets", Node.text),
        employers=fields.each("employers", Node.text),
        number=fields.read("number", Node.text),
        bank_name=bank.read("name", Node.text),
        bank_iban=bank.read("iban", Node.text),
        bank_bic=bank.read("bic", Node.text),
        telephone=fields.read("telephone", Node.text),
        institution=Institution(institution.read("id", Node.text), institution.read("name", Node.text)),
    )


def _script(node: Node) -> ScriptName:
    fields = node.mapping(required={"family", "forename", "what"})
    return ScriptName(*(fields.read(key, Node.text) for key in ("family", "forename", "what")))


class _Draw:
    """Draws one persona.

    Args:
        people: what there is to draw from.
        countries: State of work; State of residence, where the family comes from; a third State.
        random: where chance comes from.
    """

    def __init__(self, people: People, countries: Sequence[Country], random: Random) -> None:
        self._people = people
        self._countries = countries
        self._work, self._residence, _ = countries
        self._random = random

    def persona(self) -> Persona:
        """Return the persona."""
        random, residence = self._random, self._residence
        is_woman = random.random() < 0.5
        born = self._day(self._people.born_from, self._people.born_to)
        family = random.choice(residence.families)
        person = self._human(family, born=born, is_woman=is_woman)
        return Persona(
            person=person,
            spouse=self._human(family, born=self._near(born), is_woman=not is_woman),
            children=tuple(self._child(family, born) for _ in range(3)),
            parents=(
                self._human(family, born=born - _GENERATION, is_woman=False),
                self._human(family, born=born - _GENERATION + _YEAR, is_woman=True),
            ),
            others=tuple(self._stranger() for _ in range(3)),
            home=self._address(residence),
            second_home=self._address(residence),
            bank_address=self._address(residence),
            institution_address=self._address(self._work),
            employers=tuple(self._employer(country) for country in self._countries),
            bank=self._bank(residence),
            institution_bank=self._bank(self._work),
            institutions=tuple(country.institution for country in self._countries),
            countries=tuple(country.code for country in self._countries),
            currency=self._people.currencies.get(self._work.code, self._people.currency),
            days_earlier=random.randrange(_MOST_DAYS_EARLIER),
            factor=random.choice(_FACTORS),
            telephone=numbers.filled(residence.telephone, random),
            email=f"person{random.randrange(10_000, 100_000)}@example.{random.choice(('eu', 'org', 'net'))}",
            case_number=f"{random.randrange(2022, 2027)}/{random.randrange(10_000, 1_000_000)}",
        )

    def _human(self, family: str, *, born: date, is_woman: bool) -> Human:
        random, residence = self._random, self._residence
        father, mother, maiden = (random.choice(residence.families) for _ in range(3))
        forename = self._forename(is_woman=is_woman)
        return Human(
            family_name=_form(family, is_woman=is_woman),
            forename=forename,
            birth_name=_form(father, is_woman=is_woman),
            previous_name=_form(maiden, is_woman=is_woman),
            previous_forename=self._forename(is_woman=is_woman),
            born=born.isoformat(),
            sex="02" if is_woman else "01",
            nationality=residence.code,
            birth_place=self._address(residence),
            father_name=_form(father, is_woman=False),
            father_forename=self._forename(is_woman=False),
            mother_name=_form(mother, is_woman=True),
            mother_forename=self._forename(is_woman=True),
            pins=tuple(self._pin(country, family, born, is_woman) for country in self._countries),
        )

    def _child(self, family: str, parent: date) -> Human:
        first = min(parent + _GENERATION, self._people.reference_day - 20 * _YEAR)
        born = self._day(first, first + 15 * _YEAR)
        return self._human(family, born=born, is_woman=self._random.random() < 0.5)

    def _stranger(self) -> Human:
        born = self._day(self._people.born_from, self._people.born_to)
        family = self._random.choice(self._residence.families)
        return self._human(family, born=born, is_woman=self._random.random() < 0.5)

    def _pin(self, country: Country, family: str, born: date, is_woman: bool) -> Pin:
        number = numbers.personal_number(
            country.code, country.number, born=born, is_woman=is_woman, family=family, random=self._random
        )
        return Pin(country.code, number, country.institution)

    def _bank(self, country: Country) -> Bank:
        number = numbers.bank_account(country.bank_iban, self._random)
        return Bank(country.bank_name, number, country.bank_bic)

    def _employer(self, country: Country) -> Employer:
        name = self._random.choice(country.employers)
        return Employer(name, str(self._random.randrange(10**8, 10**9)), self._address(country))

    def _address(self, country: Country) -> Address:
        town, postal_code, region = self._random.choice(country.towns)
        street = f"{self._random.choice(country.streets)} {self._random.randrange(1, 120)}"
        return Address(street, town, postal_code, region, country.code)

    def _forename(self, *, is_woman: bool) -> str:
        return self._random.choice(self._residence.women if is_woman else self._residence.men)

    def _near(self, born: date) -> date:
        return self._day(born - 2 * _YEAR, born + 2 * _YEAR)

    def _day(self, first: date, last: date) -> date:
        return first + timedelta(days=self._random.randrange((last - first).days + 1))


def _form(name: str, *, is_woman: bool) -> str:
    """Return the form of a family name for one sex; most have one form only."""
    man, _, woman = name.partition("/")
    return (woman or man) if is_woman else man
