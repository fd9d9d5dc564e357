"""Personal numbers are judged by the rules of their country."""

import pytest

from eessi_sim.cdm.national_numbers import _MODULES, is_possible
from eessi_sim.identifiers import COUNTRIES

# Numbers of the documentation of the algorithms, or of nobody: none belongs to a person.
POSSIBLE = [
    ("NO", "15108695088"),
    ("PL", "44051401359"),
    ("SE", "880320-0016"),
    ("NL", "111222333"),
    ("FI", "131052-308T"),
    ("IT", "RCCMNL83S18D969H"),
    ("DE", "36 574 261 809"),
    ("DE", "15 070649 C 103"),
    ("ES", "54362315K"),
    ("ES", "x-2482300w"),
    ("ES", "281234567840"),
    ("ES", "280123456742"),
    ("CH", "756.9217.0769.85"),
    ("LI", "756.9217.0769.85"),
    ("EL", "01013099997"),
]


@pytest.mark.parametrize(("country", "number"), POSSIBLE)
def test_number_with_right_check_digits_is_possible(country: str, number: str) -> None:
    """Each kind of number that a country uses is accepted, with or without separators."""
    assert is_possible(country, number)


@pytest.mark.parametrize(
    ("country", "number"),
    [
        ("NO", "15108695089"),
        ("PL", "44051401358"),
        ("DE", "15070649C104"),
        ("DE", "15070649"),
        ("ES", "281234567841"),
        ("ES", "2812345678"),
        ("IT", "RCCMNL83S18D969X"),
        ("SE", ""),
    ],
)
def test_number_with_wrong_check_digits_is_impossible(country: str, number: str) -> None:
    """A wrong length or check digit is found."""
    assert not is_possible(country, number)


@pytest.mark.parametrize("country", ["PT", "UK", "XX", ""])
def test_country_without_algorithm_accepts_everything(country: str) -> None:
    """Where nobody can tell, nothing is wrong."""
    assert is_possible(country, "anything")


@pytest.mark.parametrize("country", _MODULES)
def test_every_module_can_be_loaded(country: str) -> None:
    """All named algorithms exist, for countries of EESSI, and refuse nonsense."""
    assert country in COUNTRIES
    assert not is_possible(country, "?")
