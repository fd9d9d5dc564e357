"""Content: what a leaf of a generated document says.

First what the guide takes from the persona; then what the stored sample says there, moved to the persona's days,
countries and amounts; else anything that the type allows.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from random import Random
from typing import Final

from eessi_sim.cdm.shape import Simple
from eessi_sim.samples import values
from eessi_sim.samples.guide import Entry, Guide
from eessi_sim.samples.people import People, Persona

_KEEPS_CODE: Final = 0.75
"""How often a code of the stored sample stays."""
_FIRST_DAY: Final = timedelta(days=1500)
_LONGEST_STEP: Final = 45


class Content:
    """What one document says.

    Args:
        persona: who it is about.
        people: texts, countries and the reference day.
        guide: which field says what of the persona.
        random: where chance comes from.
    """

    def __init__(self, persona: Persona, people: People, guide: Guide, random: Random) -> None:
        self._persona = persona
        self._people = people
        self._guide = guide
        self._random = random
        self._next_day = people.reference_day - _FIRST_DAY
        self._countries: dict[str, str] = {}

    def text(self, simple: Simple, path: str, stored: str | None) -> str:
        """Return what to write.

        Args:
            simple: what is allowed.
            path: of the leaf, as the guide speaks of it.
            stored: what the stored sample says there, None when it says nothing.
        """
        entry = self._guide.entry(path)
        if entry is not None and not entry.scales:
            text = self._guided(entry, path)[: simple.max_length]
            if values.fits(simple, text):
                return text
        if stored is not None:
            return self._moved(simple, stored, entry)
        return values.drawn(simple, self._random, self._day(), self._people.texts)

    def _guided(self, entry: Entry, path: str) -> str:
        if entry.texts:
            return self._random.choice(entry.texts)
        return self._guide.value(entry, path, self._persona)

    def _moved(self, simple: Simple, stored: str, entry: Entry | None) -> str:
        if simple.code_list is not None:
            return self._code(simple, stored)
        if values.is_date(simple):
            return values.shifted(stored, -self._persona.days_earlier)
        if entry is not None and values.is_number(simple):
            return self._scaled(simple, stored)
        return stored

    def _code(self, simple: Simple, stored: str) -> str:
        assert simple.code_list is not None  # the caller has asked
        if all(simple.code_list.find(country) for country in (*self._persona.countries, stored)):
            return self._country(stored, simple)
        usual = [code.code for code in values.usual_codes(simple.code_list)]
        if stored not in usual or self._random.random() < _KEEPS_CODE:
            return stored
        return self._random.choice(usual)

    def _country(self, stored: str, simple: Simple) -> str:
        """Return the State that stands for another one throughout this document."""
        if stored not in self._countries:
            self._countries[stored] = next(
                (country for country in self._order(simple) if country not in self._countries.values()),
                stored,
            )
        return self._countries[stored]

    def _order(self, simple: Simple) -> Sequence[str]:
        known = (country.code for country in self._people.countries)
        work, residence, third = self._persona.countries
        others = [code for code in known if code not in self._persona.countries]
        return [
            code
            for code in (residence, work, third, *others)
            if simple.code_list is not None and simple.code_list.find(code)
        ]

    def _scaled(self, simple: Simple, stored: str) -> str:
        whole, point, rest = stored.partition(".")
        if not whole.isdigit() or not (not rest or set(rest) <= {"0"}):
            return stored
        scaled = f"{int(whole) * self._persona.factor}{point}{rest}"
        return scaled if values.fits(simple, scaled) else stored

    def _day(self) -> date:
        """Return a day after the last one, so that what begins first ends last."""
        self._next_day += timedelta(days=self._random.randrange(1, _LONGEST_STEP))
        return self._next_day
