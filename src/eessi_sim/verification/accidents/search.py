"""Undoes accidents one after the other, then two at a time, until the digest fits or the effort is spent.

Effort is counted in candidates and octets, not in seconds, so that the same document always gets the same answer.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import islice
from typing import Final

from eessi_sim.errors import XmlError
from eessi_sim.verification.accidents.model import Accident, Candidate, Content
from eessi_sim.verification.accidents.table import ACCIDENTS

_MOST_FIRST: Final = 12
"""Variants of the first accident of a pair; the likely ones come first."""


@dataclass(frozen=True, slots=True)
class Effort:
    """How much work an answer is worth."""

    candidates: int
    octets: int
    """Octets of all candidates together; edits of XML take a second per 5 to 20 MB."""
    pairs: bool = False
    """Whether two accidents at a time are undone, in documents of at most 1 MB."""


QUICK: Final = Effort(candidates=300, octets=4 * 1024 * 1024)
"""For a service that explains by the way; some ten milliseconds for a SED."""
THOROUGH: Final = Effort(candidates=6_000, octets=48 * 1024 * 1024, pairs=True)
"""For somebody who asked; a second or two for a SED, some more for the largest documents."""
_LARGEST_PAIR: Final = 1024 * 1024
_PAIRS: Final = tuple(accident for accident in ACCIDENTS if accident.pairs)


@dataclass(frozen=True, slots=True)
class Step:
    """One accident that happened."""

    accident: Accident
    note: str
    """Which variant of it, empty when there is one only."""

    @property
    def sentence(self) -> str:
        """What happened, with the variant in brackets."""
        return f"{self.accident.sentence} ({self.note})" if self.note else self.accident.sentence


@dataclass(frozen=True, slots=True)
class Undone:
    """Accidents that explain a digest."""

    steps: tuple[Step, ...]
    """One, or two in the order in which they happened."""
    octets: bytes = field(repr=False)
    """What was signed."""

    @property
    def codes(self) -> tuple[str, ...]:
        """Stable names of the accidents."""
        return tuple(step.accident.code for step in self.steps)

    @property
    def sentence(self) -> str:
        """What happened."""
        if len(self.steps) == 1:
            return self.steps[0].sentence
        return "Two accidents together. " + ". ".join(step.sentence for step in self.steps)


@dataclass(frozen=True, slots=True)
class Search:
    """What came out of a search."""

    undone: Undone | None
    tried: tuple[str, ...]
    """Codes of the accidents that were tried."""
    candidates: int
    """How many forms were compared."""
    is_complete: bool
    """Whether everything was tried that we know."""


@dataclass(slots=True)
class _Meter:
    """Counts work, and remembers what was compared."""

    effort: Effort
    fits: Callable[[bytes], bool]
    candidates: int = 0
    octets: int = 0
    tried: dict[str, None] = field(default_factory=dict)

    def is_spent(self) -> bool:
        """Return whether the effort is used up."""
        return self.candidates >= self.effort.candidates or self.octets >= self.effort.octets

    def fresh(self, accident: Accident, content: Content) -> Iterator[Candidate]:
        """Yield what an accident may have started from, as long as there is effort left."""
        if self.is_spent():
            return
        self.tried[accident.code] = None
        for candidate in _undone(accident, content):
            self.candidates += 1
            self.octets += len(candidate.octets)
            if candidate.octets != content.octets:
                yield candidate
            if self.is_spent():
                return


def _undone(accident: Accident, content: Content) -> Iterator[Candidate]:
    """Yield candidates up to one that has no canonical form, because a namespace name in it is relative."""
    with suppress(XmlError):
        yield from accident.undo(content)


def search(content: Content, fits: Callable[[bytes], bool], effort: Effort) -> Search:
    """Find the accidents after which ``content`` is what it is.

    Args:
        content: octets that do not fit.
        fits: whether octets are what was signed.
        effort: when to give up.
    """
    meter = _Meter(effort, fits)
    undone = _one(content, meter)
    if undone is None and effort.pairs and len(content.octets) <= _LARGEST_PAIR:
        undone = _two(content, meter)
    return Search(undone, tuple(meter.tried), meter.candidates, is_complete=not meter.is_spent())


def _one(content: Content, meter: _Meter) -> Undone | None:
    for accident in ACCIDENTS:
        for candidate in meter.fresh(accident, content):
            if meter.fits(candidate.octets):
                return Undone((Step(accident, candidate.note),), candidate.octets)
    return None


def _two(content: Content, meter: _Meter) -> Undone | None:
    for first, before in _halves(content, meter):
        half = Content(before.octets, None, content.is_enveloped)
        for second in _PAIRS:
            if second is first:
                continue
            for candidate in meter.fresh(second, half):
                if meter.fits(candidate.octets):
                    steps = Step(second, candidate.note), Step(first, before.note)
                    return Undone(steps, candidate.octets)
    return None


def _halves(content: Content, meter: _Meter) -> Iterator[tuple[Accident, Candidate]]:
    """Yield the content with one accident undone, each form once."""
    seen: set[bytes] = set()
    for accident in _PAIRS:
        for candidate in islice(meter.fresh(accident, content), _MOST_FIRST):
            digest = sha256(candidate.octets).digest()
            if digest not in seen:
                seen.add(digest)
                yield accident, candidate
