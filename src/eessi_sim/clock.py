"""Time as an argument: the Clock protocol, the real clock and one under our control.

Every legal deadline, retry and certificate date follows the clock that is handed in. Times are
timezone-aware, UTC. Nobody else in the package reads the wall clock.
"""

import asyncio
import contextlib
import heapq
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Protocol


class Clock(Protocol):
    """Tells the time and waits."""

    def now(self) -> datetime:
        """Return the current time, UTC."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Return when ``seconds`` have passed on this clock."""
        ...


class SystemClock:
    """The time of the machine."""

    def now(self) -> datetime:
        """Return the current time, UTC."""
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        """Return when ``seconds`` have passed."""
        await asyncio.sleep(seconds)


class MovableClock:
    """The time of the machine, and whatever it was moved forward by: how months pass between real processes."""

    def __init__(self) -> None:
        self._ahead = timedelta(0)
        self._moved = asyncio.Event()

    def now(self) -> datetime:
        """Return the current time, UTC."""
        return datetime.now(UTC) + self._ahead

    def advance(self, by: timedelta) -> None:
        """Move forward by ``by``; everybody who sleeps looks again whether it is time."""
        self._ahead += by
        self._moved.set()
        self._moved = asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        """Return when ``seconds`` have passed on this clock."""
        due = self.now() + timedelta(seconds=seconds)
        while (rest := (due - self.now()).total_seconds()) > 0:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._moved.wait(), rest)
        if seconds <= 0:
            await asyncio.sleep(0)


class ManualClock:
    """A clock that moves only when told; months pass in milliseconds.

    Args:
        start: the first time it shows.
    """

    def __init__(self, start: datetime) -> None:
        self._now = start.astimezone(UTC)
        self._order: Iterator[int] = count()
        self._sleepers: list[tuple[datetime, int, asyncio.Future[None]]] = []

    def now(self) -> datetime:
        """Return the time shown."""
        return self._now

    def advance(self, by: timedelta) -> None:
        """Move forward by ``by`` and wake, in order, everybody whose time has come."""
        self._now += by
        while self._sleepers and self._sleepers[0][0] <= self._now:
            _, _, waiter = heapq.heappop(self._sleepers)
            if not waiter.done():
                waiter.set_result(None)

    def next_wake(self) -> datetime | None:
        """Return when the next sleeper wants to wake, None when nobody sleeps."""
        while self._sleepers and self._sleepers[0][2].done():
            heapq.heappop(self._sleepers)
        return self._sleepers[0][0] if self._sleepers else None

    async def sleep(self, seconds: float) -> None:
        """Wait until somebody advances the clock far enough."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        due = self._now + timedelta(seconds=seconds)
        heapq.heappush(self._sleepers, (due, next(self._order), waiter))
        await waiter


class FlowingClock:
    """A view of a manual clock on which waiting moves the time itself.

    Suits work that takes time but waits for nobody, the way of a message through a simulated wire: it
    costs no real time, and every run shows the same times.

    Args:
        clock: the clock to move.
    """

    def __init__(self, clock: ManualClock) -> None:
        self._clock = clock

    def now(self) -> datetime:
        """Return the time shown."""
        return self._clock.now()

    async def sleep(self, seconds: float) -> None:
        """Move the clock by ``seconds`` and let the others run."""
        self._clock.advance(timedelta(seconds=seconds))
        await asyncio.sleep(0)


def iso(time: datetime) -> str:
    """Return ``time`` as xs:dateTime in UTC with milliseconds and ``Z``."""
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def span(time: timedelta) -> str:
    """Return a duration as people say it: milliseconds, seconds, minutes, days."""
    seconds = time.total_seconds()
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 120:
        return f"{seconds:.1f} s"
    if seconds < 7200:
        return f"{seconds / 60:.0f} min"
    if seconds < 172_800:
        return f"{seconds / 3600:.0f} h"
    return f"{seconds / 86400:.1f} days"
