"""The functions of rules are pure and total."""

import math
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eessi_sim import xmlsafe
from eessi_sim.cdm import functions
from eessi_sim.errors import DefinitionError

DATES = st.dates()


def test_dates_are_compared_as_days() -> None:
    """The same day is not after itself, but not before itself either."""
    assert functions.date_le("2026-01-01", "2026-01-01")
    assert not functions.date_lt("2026-01-01", "2026-01-01")


@given(DATES, DATES)
def test_order_of_dates_is_that_of_the_calendar(one: date, other: date) -> None:
    """Comparison and distance agree with the calendar."""
    assert functions.date_le(str(one), str(other)) == (one <= other)
    assert functions.date_lt(str(one), str(other)) == (one < other)
    assert functions.days_between(str(one), str(other)) == (other - one).days


@pytest.mark.parametrize("text", ["2026-03-02Z", "2026-03-02+01:00", "2026-03-02T08:00:00Z", " 2026-03-02 "])
def test_time_and_zone_do_not_matter(text: str) -> None:
    """The day counts, whatever is written behind it."""
    assert functions.days_between("2026-03-01", text) == 1


@pytest.mark.parametrize("text", ["", "2026-13-01", "1 March", "2026-03"])
def test_malformed_date_makes_comparisons_true(text: str) -> None:
    """The schema has said already what is wrong with it."""
    assert functions.date_le(text, "2026-01-01")
    assert functions.date_le("2026-01-01", text)
    assert functions.date_lt(text, "2026-01-01")
    assert functions.date_lt("2026-01-01", text)


@pytest.mark.parametrize("function", [functions.days_between, functions.months_between, functions.age_at])
@pytest.mark.parametrize("pair", [("", "2026-01-01"), ("2026-01-01", "")])
def test_malformed_date_makes_distances_not_a_number(function: object, pair: tuple[str, str]) -> None:
    """A distance that nobody knows is NaN."""
    assert callable(function)
    assert math.isnan(function(*pair))


@pytest.mark.parametrize(
    ("one", "other", "months"),
    [
        ("2026-01-15", "2026-03-15", 2),
        ("2026-01-15", "2026-03-14", 1),
        ("2026-03-15", "2026-01-15", -2),
        ("2026-01-15", "2026-01-15", 0),
        ("2025-12-31", "2026-02-28", 1),
    ],
)
def test_only_whole_months_count(one: str, other: str, months: int) -> None:
    """A month is whole when the day is reached again."""
    assert functions.months_between(one, other) == months


@given(DATES, DATES)
def test_months_backwards_are_negative(one: date, other: date) -> None:
    """Turning the arguments turns the sign."""
    forwards = functions.months_between(str(one), str(other))
    assert functions.months_between(str(other), str(one)) == -forwards


@pytest.mark.parametrize(
    ("day", "age"), [("2026-02-28", 45), ("2026-03-01", 46), ("1980-02-29", 0), ("1979-02-28", -2)]
)
def test_age_is_completed_years(day: str, age: int) -> None:
    """Who is born on 29 February completes a year on 1 March."""
    assert functions.age_at("1980-02-29", day) == age


def test_pattern_is_searched_in_the_text() -> None:
    """Without anchors a part of the text is enough."""
    assert functions.matches("N-0155 Oslo", "[0-9]{4}")
    assert not functions.matches("N-0155 Oslo", "^[0-9]{4}$")


def test_malformed_pattern_is_a_definition_error() -> None:
    """A rule with a broken pattern is a broken rule."""
    with pytest.raises(DefinitionError, match="regular expression"):
        functions.matches("x", "[")


def test_first_node_of_a_node_set_counts() -> None:
    """A node-set stands for the text of its first node."""
    nodes = list(xmlsafe.parse(b"<r><d>2026-01-01</d><d>2027-01-01</d></r>"))
    assert functions.days_between(nodes, "2026-01-02") == 1


def test_text_of_a_group_is_all_its_text() -> None:
    """The text of a coded leaf is that of its value."""
    nodes = [xmlsafe.parse(b"<country>\n <value>NO</value>\n</country>")]
    assert functions.matches(nodes, "^NO$")


def test_empty_element_and_empty_node_set_are_empty_texts() -> None:
    """Nothing is the empty text."""
    assert functions.matches([], "^$")
    assert functions.matches([xmlsafe.parse(b"<a/>")], "^$")


def test_numbers_of_xpath_are_texts_too() -> None:
    """A function may be given the result of a calculation."""
    assert functions.matches(12.0, "^12")


def test_national_number_is_judged_by_its_country() -> None:
    """The rule gives the country code and the number."""
    assert functions.national_number_ok("PL", "44051401359")
    assert not functions.national_number_ok("PL", "44051401358")


def test_iban_has_check_digits() -> None:
    """Two digits of an IBAN check the others."""
    assert functions.iban_ok("NO93 8601 1117 947")
    assert not functions.iban_ok("NO94 8601 1117 947")


def test_bic_has_a_form() -> None:
    """A BIC has eight or eleven characters."""
    assert functions.bic_ok("DNBANOKKXXX")
    assert not functions.bic_ok("DNBANOK")


def test_every_function_is_documented_under_its_name() -> None:
    """The docstring of a function begins with the way that rules call it."""
    for name, function in functions.FUNCTIONS.items():
        assert (function.__doc__ or "").startswith(f"``sim:{name}(")


def test_repeated_finds_every_node_whose_text_came_before() -> None:
    """The second and third of a kind are found, in the order of the document; what is no node is left out."""
    root = xmlsafe.parse(b"<r><a>1</a><a>2</a><a> 1 </a><a>1</a></r>")
    assert functions.repeated(list(root)) == [root[2], root[3]]
    assert functions.repeated("1") == functions.repeated(["1", "1"]) == []
