"""Whether a personal number can exist, per country, by its length, date part and check digits.

The algorithms are those of python-stdnum; two numbers that it lacks stand here. A country without a public
algorithm accepts every number, and a country with several kinds of number accepts each. Nothing here knows
whether a number was ever given to anybody.
"""

import functools
import re
from collections.abc import Callable, Mapping
from importlib import import_module
from types import MappingProxyType
from typing import Final

Check = Callable[[str], bool]

_MODULES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "AT": ("at.vnr",),
        "BE": ("be.ssn",),
        "BG": ("bg.egn", "bg.pnf"),
        "CH": ("ch.ssn",),
        "CZ": ("cz.rc",),
        "DE": ("de.idnr",),
        "DK": ("dk.cpr",),
        "EE": ("ee.ik",),
        "EL": ("gr.amka",),
        "ES": ("es.dni", "es.nie"),
        "FI": ("fi.hetu",),
        "FR": ("fr.nir",),
        "HR": ("hr.oib",),
        "IE": ("ie.pps",),
        "IS": ("is_.kennitala",),
        "IT": ("it.codicefiscale",),
        "LI": ("ch.ssn", "li.peid"),
        "LT": ("lt.asmens",),
        "LV": ("lv.pvn",),
        "NL": ("nl.bsn",),
        "NO": ("no.fodselsnummer",),
        "PL": ("pl.pesel",),
        "RO": ("ro.cnp",),
        "SE": ("se.personnummer",),
        "SI": ("si.emso",),
        "SK": ("sk.rc",),
    }
)
"""Modules of python-stdnum by EESSI country code; CY, HU, LU, MT, PT and UK have none for persons."""

_VSNR: Final = re.compile(r"[0-9]{8}[A-Z][0-9]{3}")
_VSNR_WEIGHTS: Final = (2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1)


def is_possible(country: str, number: str) -> bool:
    """Return whether ``number`` can be a personal number of ``country``; True where nobody can tell.

    Args:
        country: EESSI code, EL for Greece and UK for the United Kingdom.
        number: as written; spaces and the usual separators do not matter.
    """
    checks = _checks(country)
    return not checks or any(check(number) for check in checks)


@functools.cache
def _checks(country: str) -> tuple[Check, ...]:
    modules = tuple(import_module(f"stdnum.{name}").is_valid for name in _MODULES.get(country, ()))
    return modules + _OWN.get(country, ())


def _compact(number: str) -> str:
    return re.sub(r"[\s./-]", "", number).upper()


def _is_german_insurance_number(number: str) -> bool:
    """Check the Versicherungsnummer (Sozialgesetzbuch VI, section 147; Versicherungsnummern-VO, annex 1)."""
    text = _compact(number)
    if not _VSNR.fullmatch(text):
        return False
    letter = f"{ord(text[8]) - ord('A') + 1:02}"
    digits = text[:8] + letter + text[9:11]
    products = (int(digit) * weight for digit, weight in zip(digits, _VSNR_WEIGHTS, strict=True))
    return sum(product // 10 + product % 10 for product in products) % 10 == int(text[11])


def _is_spanish_insurance_number(number: str) -> bool:
    """Check the Número de Afiliación: two digits of province, eight of sequence, remainder modulo 97."""
    text = _compact(number)
    if not re.fullmatch(r"[0-9]{12}", text):
        return False
    province, sequence, check = int(text[:2]), int(text[2:10]), int(text[10:])
    short = sequence < 10_000_000
    whole = province * 10_000_000 + sequence if short else province * 100_000_000 + sequence
    return whole % 97 == check


_OWN: Final[Mapping[str, tuple[Check, ...]]] = MappingProxyType(
    {"DE": (_is_german_insurance_number,), "ES": (_is_spanish_insurance_number,)}
)
