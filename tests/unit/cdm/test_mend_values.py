"""A value is written as the schema wants it when there is one reading, and not when there are two."""

import pytest

from eessi_sim.cdm.codelists import Code, CodeList
from eessi_sim.cdm.mend_values import written
from eessi_sim.cdm.shape import Simple

LIST = CodeList("Country", (Code("NO", "Norway"), Code("01", "First"), Code("XX", "")))


def first(text: str, base: str = "date", codes: CodeList | None = None) -> str | None:
    """The best way to write a text, None when there is none."""
    return next((form for form, _ in written(text, Simple(base, code_list=codes))), None)


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("02.03.2026", "2026-03-02"),
        ("2.3.2026", "2026-03-02"),
        ("2026/03/02", "2026-03-02"),
        ("2026.03.02", "2026-03-02"),
        ("20260302", "2026-03-02"),
        ("2026-3-2", "2026-03-02"),
        (" 2026-3-2 ", "2026-03-02"),
        ("2026-03-02T08:00:00Z", "2026-03-02"),
        ("2026-03-02 08:00", "2026-03-02"),
        ("31/12/2026", "2026-12-31"),
        ("12/31/2026", "2026-12-31"),
        ("03/03/2026", "2026-03-03"),
        ("03/04/2026", None),
        ("03-04-2026", None),
        ("2026-13-01", None),
        ("2026032", None),
        ("31.02.2026", None),
        ("02.03.26", None),
        ("2026/03-02", None),
        ("tomorrow", None),
    ],
)
def test_date(text: str, date: str | None) -> None:
    """Dates are understood year first, or day first with points; with slashes only when one reading is a date."""
    assert first(text) == date


@pytest.mark.parametrize(
    ("text", "base", "form"),
    [
        ("2026-03-02", "dateTime", "2026-03-02T00:00:00Z"),
        ("02.03.2026 8:05", "dateTime", "2026-03-02T08:05:00Z"),
        ("2026-03-02 08:05:06.5+01:00", "dateTime", "2026-03-02T08:05:06.5+01:00"),
        ("soon", "dateTime", None),
        ("2026-3", "gYearMonth", "2026-03"),
        ("03/2026", "gYearMonth", "2026-03"),
        ("2026-03-02", "gYearMonth", "2026-03"),
        ("March", "gYearMonth", None),
        ("02.03.2026", "gYear", "2026"),
        ("last", "gYear", None),
    ],
)
def test_other_forms_of_time(text: str, base: str, form: str | None) -> None:
    """Times, months and years are written from what says at least as much; midnight in UTC where no time is said."""
    assert first(text, base) == form


@pytest.mark.parametrize(
    ("text", "code"), [("norway", "NO"), (" no ", "NO"), ("1", "01"), ("001", "01"), ("xx", "XX")]
)
def test_code(text: str, code: str) -> None:
    """A label, other letters, blanks and zeros lead to the code."""
    assert first(text, "string", LIST) == code


def test_code_nobody_knows_is_left() -> None:
    """Likeness alone is no proof."""
    assert first("Norge", "string", LIST) is None


def test_blanks_are_taken_away() -> None:
    """Of any other value only blanks around it are mended."""
    assert first(" 12.50", "decimal") == "12.50"
    assert first("12.50", "decimal") is None
