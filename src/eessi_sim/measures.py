"""Numbers that a node counts while it works, cheap enough for every message; who shows them is not known here."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

SECONDS: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 3600.0, 86_400.0)
"""Upper ends of the classes of a time: from one turn on one machine to the day in which a message is collected
(our choice, inferred)."""
UNITS: Final = (1, 2, 4, 8, 16, 32, 64, 128, 256)
"""Upper ends of the classes of a number of units in one transaction."""


class Histogram:
    """How many observed values lie in which class.

    Args:
        bounds: upper ends of the classes, ascending; one more class takes what is larger.
    """

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = tuple(bounds)
        self._numbers = [0] * (len(self.bounds) + 1)
        self.sum = 0.0
        """Of all values."""

    def observe(self, value: float) -> None:
        """Count one value."""
        self._numbers[bisect_left(self.bounds, value)] += 1
        self.sum += value

    @property
    def numbers(self) -> tuple[int, ...]:
        """How many values lie in each class, the one without an end last."""
        return tuple(self._numbers)


@dataclass(slots=True)
class Measures:
    """What one node counts since its process began."""

    answers: Counter[int] = field(default_factory=Counter)
    """Answers to AS4 requests, by HTTP status."""
    attempts: Counter[str] = field(default_factory=Counter)
    """Attempts to send, by how they ended."""
    receipt_seconds: Histogram = field(default_factory=lambda: Histogram(SECONDS))
    """From the acceptance of a sent message by the next hop to the receipt of its receiver."""
