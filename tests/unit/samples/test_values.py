"""A value that is drawn for a type fits that type, whatever its facets."""

from datetime import date
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eessi_sim.cdm.codelists import Code, CodeList
from eessi_sim.cdm.shape import Simple
from eessi_sim.samples import values

DAY = date(2026, 3, 2)
TEXTS = ("A short one.", "A text that is a good deal longer than the other one.")
CODES = CodeList("Kind", (Code("01", "First"), Code("99", "Other"), Code("97", "Another reason, other")))


def drawn(simple: Simple, seed: int = 1) -> str:
    return values.drawn(simple, Random(seed), DAY, TEXTS)


@pytest.mark.parametrize(
    ("base", "expected"),
    [
        ("date", "2026-03-02"),
        ("dateTime", "2026-03-02T08:00:00Z"),
        ("time", "08:00:00"),
        ("gYear", "2026"),
        ("gYearMonth", "2026-03"),
        ("gMonth", "--03"),
        ("gDay", "---02"),
        ("gMonthDay", "--03-02"),
        ("boolean", "true"),
        ("somethingElse", "1"),
    ],
)
def test_built_in_types(base: str, expected: str) -> None:
    """Days are written in the form of their type; other types have one usual value."""
    assert drawn(Simple(base)) == expected


def test_codes_that_need_an_explanation_are_avoided() -> None:
    """The code for other is not drawn, unless the list has nothing else."""
    assert {drawn(Simple("string", code_list=CODES), seed) for seed in range(20)} == {"01"}
    only = CodeList("Kind", (Code("99", "Other"),))
    assert drawn(Simple("string", code_list=only)) == "99"


@given(seed=st.integers(0, 1000), most=st.integers(1, 60), least=st.integers(0, 1))
def test_texts_keep_their_length(seed: int, most: int, least: int) -> None:
    """A text is never longer than allowed, and never blank."""
    simple = Simple("string", max_length=most, min_length=least, patterns=(r"\s*\S[\s\S]*",))
    text = drawn(simple, seed)
    assert values.fits(simple, text)
    assert text.strip()


@given(seed=st.integers(0, 1000))
@pytest.mark.parametrize("pattern", ["[A-Z]{2}[0-9]{3}", r"\d{4}-\d{2}|none", "(NO|SE):[a-z]{4,10}"])
def test_patterns_make_their_own_texts(pattern: str, seed: int) -> None:
    """Where none of the texts has the form, one is made from the pattern."""
    simple = Simple("string", patterns=(pattern,))
    assert values.fits(simple, drawn(simple, seed))


@given(seed=st.integers(0, 1000))
def test_numbers_keep_their_limits(seed: int) -> None:
    """A number lies within its limits and has no digit too many."""
    assert 3 <= int(drawn(Simple("integer", least="3", greatest="7"), seed)) <= 7
    assert int(drawn(Simple("decimal", total_digits=3, fraction_digits=2), seed)) <= 9


def test_fits_looks_at_every_facet() -> None:
    """Length, pattern and list each refuse."""
    assert not values.fits(Simple("string", max_length=2), "abc")
    assert not values.fits(Simple("string", min_length=2), "a")
    assert not values.fits(Simple("string", patterns=("[0-9]+",)), "a")
    assert not values.fits(Simple("string", code_list=CODES), "02")
    assert values.fits(Simple("string", code_list=CODES), "01")


def test_no_text_but_what_the_shortest_length_wants() -> None:
    """Without texts and without a pattern the type still gets a text of its least length."""
    assert len(values.drawn(Simple("string", min_length=3), Random(1), DAY, ())) == 3


def test_days_are_moved_and_other_texts_kept() -> None:
    """Moving keeps the time of day and the zone; what is no day stays, and the calendar has an end."""
    assert values.shifted("2026-03-02T08:00:00Z", -1) == "2026-03-01T08:00:00Z"
    assert values.shifted("soon", -1) == "soon"
    assert values.shifted("0001-01-01", -1) == "0001-01-01"
