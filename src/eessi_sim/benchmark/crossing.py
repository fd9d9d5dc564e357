"""Sends SEDs through a network of separate processes, over HTTPS, for as long as one likes, and looks for what wears out.

The load comes from outside, through the management interface, as from a national application: a case is opened, a document
is sent in it, and its receipt is awaited in the journal of the sender. Throughput and memory are taken per tenth of the run.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from time import perf_counter
from typing import Final

from eessi_sim.benchmark import gauge
from eessi_sim.benchmark.endtoend import Latency, Lost
from eessi_sim.benchmark.gauge import Reading
from eessi_sim.benchmark.network import Route
from eessi_sim.simulation.control import NodeControl
from eessi_sim.storage.base import JournalEntry

PARTS: Final = 10
IN_FLIGHT: Final = 64
"""SEDs under way together (our choice, inferred)."""
WARM_UP: Final = 3.0
"""Seconds of load before the time is taken: connections are made, schemas compiled."""
_FIRST_WITHIN: Final = 60.0
"""Seconds until the first receipt must have come."""
_LOOK_EVERY: Final = 0.1
"""Seconds between two looks into the journal of the sender."""
_LOST: Final = ("rejected", "dead-lettered", "failure")
_SAMPLE: Final = 20_000
"""Latencies that are kept: those of the newest SEDs."""


@dataclass(frozen=True, slots=True)
class Part:
    """One tenth of a run."""

    seds: int
    """Receipted in it."""
    seconds: float
    readings: dict[str, Reading]
    """By process, at its end."""
    cpu_seconds: float = 0.0
    """Processor time of all processes in it."""

    @property
    def cpu_ms_per_sed(self) -> float:
        """Processor time of all processes; unlike throughput it hardly suffers from what else the machine does."""
        return self.cpu_seconds * 1000 / max(self.seds, 1)

    @property
    def seds_per_second(self) -> float:
        """Throughput."""
        return self.seds / self.seconds


@dataclass(frozen=True, slots=True)
class Crossing:
    """What one run showed."""

    storage: str
    workers: int
    parts: tuple[Part, ...]
    before: dict[str, Reading]
    """By process, when the time began."""
    latency: Latency

    @property
    def seds(self) -> int:
        """Receipted while the time was taken."""
        return sum(part.seds for part in self.parts)

    @property
    def seds_per_second(self) -> float:
        """Throughput of the whole run."""
        return self.seds / sum(part.seconds for part in self.parts)

    @property
    def steadiness(self) -> float:
        """Throughput of the last tenth, as a part of that of the first."""
        first = self.parts[0].seds_per_second
        return self.parts[-1].seds_per_second / first if first else 0.0

    @property
    def cpu_ms_per_sed(self) -> dict[str, float]:
        """Processor time by process."""
        last = self.parts[-1].readings
        return {
            name: (last[name].cpu_seconds - self.before[name].cpu_seconds) * 1000 / max(self.seds, 1)
            for name in last
        }

    def as_dict(self) -> dict[str, object]:
        """Return the run as JSON has it."""
        return {
            "storage": self.storage,
            "workers": self.workers,
            "seds": self.seds,
            "seds_per_second": round(self.seds_per_second, 1),
            "latency_ms": {"p50": round(self.latency.p50, 1), "p95": round(self.latency.p95, 1)},
            "last_to_first_tenth": round(self.steadiness, 3),
            "cpu_ms_per_sed": {name: round(cost, 2) for name, cost in self.cpu_ms_per_sed.items()},
            "tenths": [
                {
                    "seds": part.seds,
                    "seconds": round(part.seconds, 2),
                    "seds_per_second": round(part.seds_per_second, 1),
                    "cpu_ms_per_sed": round(part.cpu_ms_per_sed, 2),
                    "rss_mb": {name: round(each.rss_kb / 1024, 1) for name, each in part.readings.items()},
                    "pss_mb": {name: round(each.pss_kb / 1024, 1) for name, each in part.readings.items()},
                }
                for part in self.parts
            ],
        }


@dataclass(slots=True)
class Load:
    """Keeps a number of SEDs under way between two institutions of a running network.

    Args:
        route: who sends what to whom.
        sender: the case owner, asked as from outside.
    """

    route: Route
    sender: NodeControl
    receipted: int = 0
    latencies: deque[float] = field(default_factory=lambda: deque(maxlen=_SAMPLE))
    """Milliseconds."""
    _sent: dict[str, datetime] = field(default_factory=dict)
    _room: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(IN_FLIGHT))
    _content: bytes = b""

    async def keep_up(self) -> None:
        """Send and follow until cancelled.

        Raises:
            Lost: a SED was refused.
        """
        sample = self.route.sed.sample
        assert sample is not None  # the route was planned with one
        self._content = sample.read_bytes()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._follow())
            for _ in range(IN_FLIGHT // 4):
                group.create_task(self._send())

    async def _send(self) -> None:
        route = self.route
        while True:
            await self._room.acquire()
            case_id = await self.sender.open_case(route.buc, [route.counterparty])
            await self.sender.send(case_id, route.sed.type, content=self._content)

    async def _follow(self) -> None:
        seen = 0
        while True:
            page = await self.sender.journal(seen)
            for entry in page:
                seen = entry.seq
                self._read(entry)
            if not page:
                await asyncio.sleep(_LOOK_EVERY)

    def _read(self, entry: JournalEntry) -> None:
        if entry.message_id is None:
            return
        if entry.step == "sent":
            self._sent[entry.message_id] = entry.at
        elif entry.outcome in _LOST:
            reason = entry.detail.get("reason", entry.outcome)
            raise Lost(f"Expected a receipt for {entry.message_id}, found: {reason}")
        elif entry.step == "receipted" and (began := self._sent.pop(entry.message_id, None)):
            self.latencies.append((entry.at - began).total_seconds() * 1000)
            self.receipted += 1
            self._room.release()


async def cross(
    load: Load,
    pids: Mapping[str, int],
    *,
    seconds: float,
    on_part: Callable[[Part], None] = lambda _part: None,
) -> tuple[dict[str, Reading], Sequence[Part]]:
    """Put load on a network for some time; return what its processes cost before, and every tenth.

    Args:
        load: not begun.
        pids: the processes by name.
        seconds: how long the time is taken, after the warm-up.
        on_part: told about each tenth when it is over.

    Raises:
        Lost: a SED was refused.
        ConnectFailed, RemoteRefusal: a node answers no more, or not as it should.
    """
    work = asyncio.create_task(load.keep_up())
    try:
        await _or_fail(work, min(WARM_UP, seconds))
        await _first_receipt(load, work)
        load.latencies.clear()
        before = _readings(pids)
        parts: list[Part] = []
        spent = _spent(before)
        start = perf_counter()
        for number in range(1, PARTS + 1):
            began, count = perf_counter(), load.receipted
            await _or_fail(work, start + seconds * number / PARTS - began)
            readings = _readings(pids)
            cpu = _spent(readings) - spent
            spent += cpu
            parts.append(Part(load.receipted - count, perf_counter() - began, readings, cpu))
            on_part(parts[-1])
    finally:
        work.cancel()
        await asyncio.wait([work])
    return before, parts


async def _first_receipt(load: Load, work: asyncio.Task[None]) -> None:
    deadline = perf_counter() + _FIRST_WITHIN
    while not load.receipted:
        if perf_counter() > deadline:
            raise Lost(f"Expected a first receipt within {_FIRST_WITHIN:g} seconds, found none")
        await _or_fail(work, _LOOK_EVERY)


async def _or_fail(work: asyncio.Task[None], seconds: float) -> None:
    """Wait for some time, or raise what ended the load."""
    await asyncio.wait([work], timeout=max(seconds, 0.0))
    if work.done():
        try:
            work.result()
        except ExceptionGroup as group:
            raise group.exceptions[0] from group


def _readings(pids: Mapping[str, int]) -> dict[str, Reading]:
    return {name: gauge.read_tree(pid) for name, pid in pids.items()}


def _spent(readings: Mapping[str, Reading]) -> float:
    return sum(each.cpu_seconds for each in readings.values())


def latency_of(milliseconds: Sequence[float]) -> Latency:
    """Return the percentiles of some times in milliseconds; zeros when there are none."""
    if not milliseconds:
        return Latency(0.0, 0.0)
    return Latency.of([each / 1000 for each in milliseconds])
