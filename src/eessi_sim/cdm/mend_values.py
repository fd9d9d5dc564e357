"""Values that say without doubt what is meant, and how they are written: codes, dates, blanks.

A text in, the text that belongs there out; None where there is more than one reading. Nothing is guessed: 03/04/2026
may be March or April, so it stays.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import Final

from eessi_sim.cdm.codelists import Code
from eessi_sim.cdm.shape import Simple

_YEAR_FIRST: Final = re.compile(r"(\d{4})([-/. ]?)(\d{1,2})\2(\d{1,2})(?:[T ].*|Z|[+-]\d\d:\d\d)?")
_YEAR_LAST: Final = re.compile(r"(\d{1,2})([-/. ])(\d{1,2})\2(\d{4})(?:[T ].*)?")
_POINT: Final = "."
"""Dates with points have the day first everywhere in Europe (our reading, inferred)."""
_MONTH: Final = re.compile(
    r"(?P<year>\d{4})[-/. ]?(?P<month>\d{1,2})|(?P<month2>\d{1,2})[-/. ](?P<year2>\d{4})"
)
_TIME: Final = re.compile(
    r"(?P<day>.*?\d)[T ]+(?P<time>\d{1,2}:\d\d(?::\d\d(?:\.\d+)?)?)(?P<zone>Z|[+-]\d\d:\d\d)?"
)


def written(text: str, simple: Simple) -> Iterator[tuple[str, str]]:
    """Yield how a text may be written to fit, best first, each with a sentence that says what is done.

    Args:
        text: what stands there.
        simple: what is wanted.
    """
    if simple.code_list is not None:
        code = simple.code_list.meant(text)
        if code is not None:
            yield code.code, f"Write {_told(code)}."
    writer = _WRITERS.get(simple.base)
    form = writer(text.strip()) if writer is not None else None
    if form is not None:
        yield form, f"Write {form}."
    if text.strip() != text:
        yield text.strip(), "Take away the blanks around the value."


def _told(code: Code) -> str:
    return f"{code.code} ({code.label})" if code.label else code.code


def _as_date(text: str) -> str | None:
    day = _day(text)
    return day.isoformat() if day else None


def _day(text: str) -> date | None:
    found = set()
    for year, month, day in _readings(text):
        try:
            found.add(date(int(year), int(month), int(day)))
        except ValueError:
            continue
    return found.pop() if len(found) == 1 else None


def _readings(text: str) -> Iterator[tuple[str, str, str]]:
    """Yield year, month and day in every way that the text can be read."""
    if match := _YEAR_FIRST.fullmatch(text):
        year, separator, month, day = match.groups()
        if separator or len(month) == len(day) == 2:
            yield year, month, day
    elif match := _YEAR_LAST.fullmatch(text):
        first, separator, second, year = match.groups()
        yield year, second, first
        if separator != _POINT:
            yield year, first, second


def _as_time(text: str) -> str | None:
    match = _TIME.fullmatch(text)
    day = _day(match["day"] if match else text)
    if day is None:
        return None
    clock = match["time"] if match else "00:00:00"
    clock = f"{clock:0>5}:00" if clock.count(":") == 1 else f"{clock:0>8}"
    return f"{day.isoformat()}T{clock}{(match and match['zone']) or 'Z'}"


def _as_month(text: str) -> str | None:
    match = _MONTH.fullmatch(text)
    if match is None:
        day = _day(text)
        return day.isoformat()[:7] if day else None
    year, month = match["year"] or match["year2"], match["month"] or match["month2"]
    return f"{year}-{month:0>2}"


def _as_year(text: str) -> str | None:
    month = _as_month(text)
    return month[:4] if month else None


_WRITERS: Final[Mapping[str, Callable[[str], str | None]]] = {
    "date": _as_date,
    "dateTime": _as_time,
    "gYearMonth": _as_month,
    "gYear": _as_year,
}
"""Built-in type of the schema to what writes a text in its form (XML Schema part 2, 3.2)."""
