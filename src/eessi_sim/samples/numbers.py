"""Numbers after a template: personal numbers, bank accounts, telephones, with check digits that fit.

A template is drawn again until its check is content, so no algorithm of a State stands in here; the checks are
those of python-stdnum (``cdm.national_numbers``) and ISO 13616.
"""

import re
from collections.abc import Callable, Mapping
from datetime import date
from random import Random
from typing import Final

from stdnum import iban

from eessi_sim.cdm import national_numbers

_TRIES: Final = 20_000
"""The rarest form, a Norwegian number, fits about once in 120 times."""
_DIGITS: Final = "0123456789"
_LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_VOWELS: Final = "AEIOU"
_ITALIAN_MONTHS: Final = "ABCDEHLMPRST"
_NAME_LENGTH: Final = 6
_WOMAN_DAY: Final = 40
_TURN: Final = 2000
"""From this year on many States mark the century in the month or the sex digit."""


def filled(template: str, random: Random) -> str:
    """Return the template with ``#`` as digits and ``@`` as letters."""
    return "".join(_drawn(letter, random) for letter in template)


def _drawn(letter: str, random: Random) -> str:
    if letter == "#":
        return random.choice(_DIGITS)
    return random.choice(_LETTERS) if letter == "@" else letter


def personal_number(
    country: str, template: str, *, born: date, is_woman: bool, family: str, random: Random
) -> str:
    """Return a personal number that can exist in a country.

    Args:
        country: EESSI code.
        template: of the number, with the words of ``_words`` in braces.
        born: date of birth, which many numbers hold.
        is_woman: sex, which many numbers hold.
        family: family name, of which some numbers hold letters.
        random: where chance comes from.
    """
    form = template.format_map(_words(born, is_woman, family))
    return _until(lambda number: national_numbers.is_possible(country, number), form, random)


def bank_account(template: str, random: Random) -> str:
    """Return an IBAN with its check digits (ISO 13616).

    Args:
        template: country code and account; check digits included as the first two places.
        random: where chance comes from.
    """
    country, account = template[:2], template[4:]
    # Greece is EL in EESSI and GR in ISO 13616.
    country = {"EL": "GR"}.get(country, country)
    for _ in range(_TRIES):
        bare = filled(account, random)
        number = country + iban.calc_check_digits(f"{country}00{bare}") + bare
        if iban.is_valid(number):
            break
    return number


def _until(is_right: Callable[[str], bool], form: str, random: Random) -> str:
    for _ in range(_TRIES):
        number = filled(form, random)
        if is_right(number):
            break
    return number


def _words(born: date, is_woman: bool, family: str) -> Mapping[str, str]:
    """Return what the words in the braces of a template stand for, for one person."""
    late = born.year >= _TURN
    return {
        "dd": f"{born.day:02}",
        "mm": f"{born.month:02}",
        "yy": f"{born.year % 100:02}",
        "yyy": f"{born.year % 1000:03}",
        "initial": _letters(family)[0],
        "digit": "#",
        "century": "A" if late else "-",
        "sex_12": "2" if is_woman else "1",
        "sex_1256": str((5 if late else 1) + is_woman),
        "sex_3456": str((5 if late else 3) + is_woman),
        "mm_20": f"{born.month + 20 * late:02}",
        "mm_40": f"{born.month + 40 * late:02}",
        "mm_f50": f"{born.month + 50 * is_woman:02}",
        # 40 more than the month: numbers that the Norwegian register keeps for tests.
        "mm_synthetic": f"{born.month + 40:02}",
        "it_name": _italian(family),
        "it_month": _ITALIAN_MONTHS[born.month - 1],
        "it_day": f"{born.day + _WOMAN_DAY * is_woman:02}",
    }


def _letters(name: str) -> str:
    return re.sub("[^A-Z]", "", name.upper()) or "X"


def _italian(family: str) -> str:
    """Return three consonants of the family name, filled up, and three letters for the forename."""
    letters = _letters(family)
    consonants = [letter for letter in letters if letter not in _VOWELS]
    vowels = [letter for letter in letters if letter in _VOWELS]
    return ("".join(consonants + vowels)[:3] + "XXX")[:3].ljust(_NAME_LENGTH, "@")
