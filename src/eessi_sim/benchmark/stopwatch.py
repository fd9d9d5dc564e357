"""Measures how long functions take: processor time, and the time on the wall.

Readings are medians, so that what else the machine does in between counts little. What happens once for each SED is
measured in turn with all the rest that happens for it: called again and again by itself it would find its code and
data in the caches of the processor, and look half as expensive as it is.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Hashable, Mapping
from dataclasses import dataclass
from statistics import median
from time import perf_counter, process_time
from typing import Final, TypeVar

_BATCHES: Final = 5
_LEAST_ROUNDS: Final = 3
_MOST: Final = 100_000
"""Calls in one batch; more tell nothing new."""
_MICRO: Final = 1e6

Name = TypeVar("Name", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Reading:
    """How long one call takes, in microseconds."""

    cpu: float
    """Processor time of the whole process, threads and kernel included."""
    wall: float

    def shared_by(self, number: int) -> "Reading":
        """Return the part of each, where one call does the work for so many."""
        return Reading(self.cpu / number, self.wall / number)

    def without(self, other: "Reading") -> "Reading":
        """Return what is left when ``other`` is taken off."""
        return Reading(max(0.0, self.cpu - other.cpu), max(0.0, self.wall - other.wall))


def measure_in_turn(functions: Mapping[Name, Callable[[], object]], seconds: float) -> dict[Name, Reading]:
    """Call all functions once, then all once more, for about so many seconds each."""
    until = perf_counter() + seconds * len(functions)
    readings: defaultdict[Name, list[Reading]] = defaultdict(list)
    idle: list[Reading] = []
    while len(idle) < _LEAST_ROUNDS or perf_counter() < until:
        for name, function in functions.items():
            readings[name].append(_once(function))
        idle.append(_once(_do_nothing))
    clock = _median(idle)
    return {name: _median(found).without(clock) for name, found in readings.items()}


def _do_nothing() -> None:
    """Show how long looking at the clock takes."""


def _once(function: Callable[[], object]) -> Reading:
    wall, cpu = perf_counter(), process_time()
    function()
    return _reading(wall, cpu, 1)


def measure(function: Callable[[], object], seconds: float) -> Reading:
    """Call a function again and again for about so many seconds."""

    def batch(calls: int) -> Reading:
        wall, cpu = perf_counter(), process_time()
        for _ in range(calls):
            function()
        return _reading(wall, cpu, calls)

    calls = _calls(batch(1), seconds)
    return _median([batch(calls) for _ in range(_BATCHES)])


async def measure_async(function: Callable[[], Awaitable[object]], seconds: float) -> Reading:
    """Await a function again and again, one call after the other, for about so many seconds."""

    async def batch(calls: int) -> Reading:
        wall, cpu = perf_counter(), process_time()
        for _ in range(calls):
            await function()
        return _reading(wall, cpu, calls)

    calls = _calls(await batch(1), seconds)
    return _median([await batch(calls) for _ in range(_BATCHES)])


async def together(function: Callable[[], Awaitable[object]], number: int) -> None:
    """Await so many calls of a function side by side."""
    await asyncio.gather(*(function() for _ in range(number)))


def _reading(wall: float, cpu: float, calls: int) -> Reading:
    return Reading((process_time() - cpu) * _MICRO / calls, (perf_counter() - wall) * _MICRO / calls)


def _calls(first: Reading, seconds: float) -> int:
    """Return how many calls fill one batch, judged by the first call."""
    return max(1, min(_MOST, int(seconds * _MICRO / _BATCHES / max(first.wall, 0.1))))


def _median(readings: list[Reading]) -> Reading:
    return Reading(median(each.cpu for each in readings), median(each.wall for each in readings))
