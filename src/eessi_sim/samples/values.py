"""Values that a simple type allows: what to write into a field of which only the type is known.

The facets are those of XML Schema 1.0 part 2, 4.3.
"""

import functools
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from random import Random
from types import MappingProxyType
from typing import Final

from elementpath.regex import translate_pattern
from rstr import Rstr

from eessi_sim.cdm.codelists import Code, CodeList
from eessi_sim.cdm.shape import Simple

_OTHER: Final = re.compile(r"(?i)\bother\b")
_LAST_CODE: Final = "99"
_USUAL_GREATEST: Final = 1000
_TRIES: Final = 50
_TEXT_BASES: Final = frozenset({"string", "normalizedString", "token"})
_WHOLE: Final = frozenset(
    (
        "integer",
        "nonNegativeInteger",
        "positiveInteger",
        "long",
        "int",
        "short",
        "byte",
        "unsignedLong",
        "unsignedInt",
        "unsignedShort",
        "unsignedByte",
        "nonPositiveInteger",
        "negativeInteger",
    )
)
_NUMBERS: Final = _WHOLE | {"decimal", "double", "float"}
_FORMS: Final[Mapping[str, Callable[[date], str]]] = MappingProxyType(
    {
        "date": date.isoformat,
        "dateTime": lambda day: f"{day.isoformat()}T08:00:00Z",
        "time": lambda _: "08:00:00",
        "gYear": lambda day: f"{day:%Y}",
        "gYearMonth": lambda day: f"{day:%Y-%m}",
        "gMonth": lambda day: f"--{day:%m}",
        "gDay": lambda day: f"---{day:%d}",
        "gMonthDay": lambda day: f"--{day:%m-%d}",
    }
)
_FIXED: Final = MappingProxyType(
    {
        "boolean": "true",
        "anyURI": "https://example.eu/",
        "base64Binary": "RUVTU0k=",
        "hexBinary": "EE551A",
        "language": "en",
        "duration": "P30D",
        "QName": "example",
        "ID": "id-1",
        "IDREF": "id-1",
        "NCName": "name",
        "Name": "name",
        "NMTOKEN": "name",
    }
)


def is_date(simple: Simple) -> bool:
    """Return whether values of the type are days or times."""
    return simple.base in _FORMS


def is_number(simple: Simple) -> bool:
    """Return whether values of the type are numbers."""
    return simple.base in _NUMBERS


def is_text(simple: Simple) -> bool:
    """Return whether values of the type are free text."""
    return simple.base in _TEXT_BASES and simple.code_list is None and simple.member is None


def written(simple: Simple, day: date) -> str:
    """Return a day as the type writes it."""
    return _FORMS[simple.base](day)


def fits(simple: Simple, text: str) -> bool:
    """Return whether a text keeps length, patterns and code list of a type."""
    if simple.code_list is not None:
        return simple.code_list.find(text) is not None
    if simple.max_length is not None and len(text) > simple.max_length:
        return False
    if simple.min_length is not None and len(text) < simple.min_length:
        return False
    return matches(simple, text)


def matches(simple: Simple, text: str) -> bool:
    """Return whether a text has the form that the patterns of a type demand."""
    return not simple.patterns or any(_compiled(each).fullmatch(text) for each in simple.patterns)


def drawn(simple: Simple, random: Random, day: date, texts: Sequence[str]) -> str:
    """Return a value that a type allows.

    Args:
        simple: the type.
        random: where chance comes from.
        day: what to write where a day is wanted.
        texts: what to write where any text is allowed.
    """
    if simple.member is not None:
        return drawn(simple.member, random, day, texts)
    if simple.code_list is not None:
        return random.choice(usual_codes(simple.code_list)).code
    if is_date(simple):
        return written(simple, day)
    if is_number(simple):
        return _number(simple, random)
    if is_text(simple):
        return _text(simple, random, texts)
    return _FIXED.get(simple.base, "1")


def usual_codes(codes: CodeList) -> Sequence[Code]:
    """Return the codes that need no further explanation; all, when every one does."""
    usual = [code for code in codes.values if code.code != _LAST_CODE and not _OTHER.search(code.label)]
    return usual or codes.values


def _number(simple: Simple, random: Random) -> str:
    least = int(float(simple.least)) if simple.least is not None else 1
    digits = (simple.total_digits or 5) - (simple.fraction_digits or 0)
    greatest = int(float(simple.greatest)) if simple.greatest is not None else max(least, _USUAL_GREATEST)
    whole = random.randint(least, max(least, min(greatest, 10**digits - 1)))
    return str(whole)


def _text(simple: Simple, random: Random, texts: Sequence[str]) -> str:
    """Return one of the texts that fits, a piece of one, or else something that the pattern makes."""
    some = random.sample(texts, len(texts))
    pieces = [text[: simple.max_length].strip() for text in some]
    for text in (*some, *pieces):
        if fits(simple, text):
            return text
    return _patterned(simple, random)


def _patterned(simple: Simple, random: Random) -> str:
    maker = Rstr(random)
    pattern = (
        _compiled(simple.patterns[0]).pattern if simple.patterns else f"[a-z]{{{simple.min_length or 1}}}"
    )
    for _ in range(_TRIES):
        text = str(maker.xeger(pattern))
        if fits(simple, text):
            break
    return text


@functools.cache
def _compiled(pattern: str) -> re.Pattern[str]:
    """Return a pattern of XML Schema as one of Python."""
    return re.compile(
        translate_pattern(pattern, back_references=False, lazy_quantifiers=False, anchors=False)
    )


def shifted(text: str, days: int) -> str:
    """Return a date or time moved by days; as it was when it is no calendar day."""
    try:
        return (date.fromisoformat(text[:10]) + timedelta(days=days)).isoformat() + text[10:]
    except (ValueError, OverflowError):
        return text
