"""The functions that rules may call with the prefix ``sim:``, beside those of XPath 1.0.

All are pure and total: a value that is missing or malformed makes a comparison true and a distance NaN, because
the schema has said already what is wrong with it. A node-set stands for the text of its first node (XPath 1.0,
4.2). A new function is one entry of ``FUNCTIONS``; rules find it by its name.
"""

import functools
import math
import re
from collections.abc import Callable, Mapping
from datetime import date
from types import MappingProxyType
from typing import Any, Final

from stdnum import bic, iban

from eessi_sim.cdm import national_numbers
from eessi_sim.errors import DefinitionError
from eessi_sim.xmlsafe import Element

NAMESPACE: Final = "urn:eessi-sim:rules"
"""What the prefix ``sim`` of rules stands for."""

Argument = Any  # lxml hands over lists of nodes, texts, numbers or booleans
Result = bool | float | list[Element]
"""A truth value, a number, or nodes that were handed over."""
_DATE: Final = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(T.*|Z|[+-][0-9]{2}:[0-9]{2})?")


def _text(argument: Argument) -> str:
    if isinstance(argument, list):
        argument = argument[0] if argument else ""
    if not isinstance(argument, Element):
        return str(argument).strip()
    if len(argument):
        return "".join(str(text) for text in argument.itertext()).strip()
    return (argument.text or "").strip()


def _date(argument: Argument) -> date | None:
    """Return the calendar day of an ``xs:date`` or ``xs:dateTime``, whatever its time zone."""
    match = _DATE.fullmatch(_text(argument))
    try:
        return date.fromisoformat(match.group(1)) if match else None
    except ValueError:
        return None


def date_le(first: Argument, second: Argument) -> bool:
    """``sim:date-le(a, b)``: whether ``a`` is not after ``b``."""
    one, other = _date(first), _date(second)
    return one is None or other is None or one <= other


def date_lt(first: Argument, second: Argument) -> bool:
    """``sim:date-lt(a, b)``: whether ``a`` is before ``b``."""
    one, other = _date(first), _date(second)
    return one is None or other is None or one < other


def days_between(first: Argument, second: Argument) -> float:
    """``sim:days-between(a, b)``: days from ``a`` to ``b``, negative when ``b`` is earlier."""
    one, other = _date(first), _date(second)
    return math.nan if one is None or other is None else float((other - one).days)


def months_between(first: Argument, second: Argument) -> float:
    """``sim:months-between(a, b)``: whole months from ``a`` to ``b``, negative when ``b`` is earlier."""
    one, other = _date(first), _date(second)
    if one is None or other is None:
        return math.nan
    return float(_months(one, other) if one <= other else -_months(other, one))


def age_at(birth: Argument, day: Argument) -> float:
    """``sim:age-at(birth, day)``: completed years of age on ``day``."""
    born, then = _date(birth), _date(day)
    return math.nan if born is None or then is None else float(_months(born, then) // 12)


def _months(earlier: date, later: date) -> int:
    return (later.year - earlier.year) * 12 + later.month - earlier.month - (later.day < earlier.day)


def matches(text: Argument, pattern: Argument) -> bool:
    """``sim:matches(text, regex)``: whether the regex is found in the text, as in XPath 2.0, 7.6.2.

    Write ``^…$`` to speak of the whole text.

    Raises:
        DefinitionError: the regex is malformed.
    """
    return _pattern(_text(pattern)).search(_text(text)) is not None


@functools.cache
def _pattern(pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern)
    except re.error as error:
        raise DefinitionError(f'Expected a regular expression, found "{pattern}"') from error


def national_number_ok(country: Argument, number: Argument) -> bool:
    """``sim:national-number-ok(country, number)``: whether the personal number is possible there."""
    return national_numbers.is_possible(_text(country), _text(number))


def iban_ok(number: Argument) -> bool:
    """``sim:iban-ok(number)``: whether country, length and check digits of an IBAN fit (ISO 13616)."""
    return bool(iban.is_valid(_text(number)))


def bic_ok(number: Argument) -> bool:
    """``sim:bic-ok(number)``: whether a BIC has the form of ISO 9362."""
    return bool(bic.is_valid(_text(number)))


def repeated(nodes: Argument) -> list[Element]:
    """``sim:repeated(nodes)``: the nodes whose text an earlier node of the set has already.

    Comparing with ``preceding-sibling::`` says the same, but takes a minute for some thousand nodes.
    """
    seen: set[str] = set()
    found: list[Element] = []
    for node in nodes if isinstance(nodes, list) else ():
        if isinstance(node, Element):
            text = _text(node)
            if text in seen:
                found.append(node)
            seen.add(text)
    return found


FUNCTIONS: Final[Mapping[str, Callable[..., Result]]] = MappingProxyType(
    {
        "date-le": date_le,
        "date-lt": date_lt,
        "days-between": days_between,
        "months-between": months_between,
        "age-at": age_at,
        "matches": matches,
        "national-number-ok": national_number_ok,
        "iban-ok": iban_ok,
        "bic-ok": bic_ok,
        "repeated": repeated,
    }
)
"""All functions by the name that rules use."""
