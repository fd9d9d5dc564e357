"""Sends SEDs through a whole network and takes the time until the sender has verified each receipt.

First some SEDs one at a time, which warms everything up and shows the latency of a quiet network; then all of them,
with a fixed number under way together.
"""

import asyncio
import contextlib
import gc
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import quantiles
from time import perf_counter, process_time
from typing import Final, Self

from eessi_sim.as4.exchange import OutboundState
from eessi_sim.benchmark.network import BenchNetwork
from eessi_sim.errors import RoutingError
from eessi_sim.identifiers import SedType
from eessi_sim.storage.base import JournalEntry, NodeStore
from eessi_sim.xmlsafe import Element

IN_FLIGHT: Final = 32
"""SEDs under way together; as many as one queue of a node processes side by side (our choice, inferred)."""
_ALONE: Final = 25
"""SEDs that are sent one at a time."""
_LOST: Final = (OutboundState.REJECTED, OutboundState.DEAD_LETTERED, "failure")


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds from the wish to send until the verified receipt."""

    p50: float
    p95: float

    @classmethod
    def of(cls, seconds: list[float]) -> "Latency":
        """Return the percentiles of some times."""
        cuts = quantiles(seconds, n=20, method="inclusive") if len(seconds) > 1 else seconds * 19
        return cls(cuts[9] * 1000, cuts[18] * 1000)


@dataclass(frozen=True, slots=True)
class Throughput:
    """What one run of the network showed."""

    storage: str
    messages: int
    """SEDs that were sent and receipted under load."""
    seconds: float
    cpu_seconds: float
    """Processor time of all nodes, which share one process."""
    alone: Latency
    """One SED at a time."""
    loaded: Latency
    """``IN_FLIGHT`` SEDs together."""

    @property
    def seds_per_second(self) -> float:
        """From the wish to send to the verified receipt."""
        return self.messages / self.seconds

    @property
    def cpu_ms_per_sed(self) -> float:
        """Processor time over all nodes."""
        return self.cpu_seconds * 1000 / self.messages


class Lost(RoutingError):  # noqa: N818 - says what happened
    """A SED of the benchmark was not delivered."""

    code = "bench-lost"


async def run(network: BenchNetwork, storage: str, *, messages: int, seconds: float) -> Throughput:
    """Send SEDs through a network that is up.

    Args:
        network: entered.
        storage: name of its store, for the result.
        messages: how many SEDs to send under load.
        seconds: stop sending after this time, with whatever number was reached.

    Raises:
        Lost: a SED was refused.
    """
    alone = min(_ALONE, messages)
    cases = iter(await network.open_cases(alone + messages))
    document = network.route.document()
    async with _Post(network, document) as post:
        quiet = [await post.send(next(cases)) for _ in range(alone)]
        await network.quiet()
        gc.collect()
        start, cpu = perf_counter(), process_time()
        busy = await _under_load(post, cases, start + seconds)
        wall = perf_counter() - start
        await network.quiet()  # receivers file their last documents after the receipt
        cpu = process_time() - cpu
    return Throughput(storage, len(busy), wall, cpu, Latency.of(quiet), Latency.of(busy))


async def deliver(network: BenchNetwork, case_id: str, document: Element) -> float:
    """Send one document in a case of the sender; return how many seconds it took until its receipt.

    Raises:
        Lost: it was refused.
    """
    async with _Post(network, document) as post:
        return await post.send(case_id)


async def _under_load(post: "_Post", cases: Iterator[str], until: float) -> list[float]:
    times: list[float] = []

    async def lane() -> None:
        for case in cases:
            times.append(await post.send(case))
            if perf_counter() >= until:
                return

    await asyncio.gather(*(lane() for _ in range(IN_FLIGHT)))
    return times


class _Post:
    """Sends one SED and waits for its receipt; follows the journal of the sender.

    Args:
        network: entered.
        document: what to send in every case.
    """

    def __init__(self, network: BenchNetwork, document: Element) -> None:
        self._node = network.sender
        self._store: NodeStore = network.store(network.route.owner)
        self._sed: SedType = network.route.sed.type
        self._document = document
        self._ends: dict[str, asyncio.Future[None]] = {}
        self._watch: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._watch = asyncio.create_task(self._follow())
        return self

    async def __aexit__(self, *exc: object) -> None:
        assert self._watch is not None  # entered
        self._watch.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._watch

    async def send(self, case_id: str) -> float:
        """Return how many seconds it took."""
        start = perf_counter()
        case = await self._node.send_document(case_id, self._sed, root=self._document)
        message_id = case.documents[-1].versions[-1].deliveries[0].message_id
        assert message_id is not None  # it was handed to the outbox
        await self._end_of(message_id)
        return perf_counter() - start

    def _end_of(self, message_id: str) -> asyncio.Future[None]:
        """Return the end of a message, which may have come before anybody asked."""
        return self._ends.setdefault(message_id, asyncio.get_running_loop().create_future())

    async def _follow(self) -> None:
        seen = 0
        while True:
            await self._store.wait_for_journal(seen)
            for entry in await self._store.journal(seen):
                seen = entry.seq
                self._read(entry)

    def _read(self, entry: JournalEntry) -> None:
        if entry.message_id is None:
            return
        end = self._end_of(entry.message_id)
        if entry.step == "receipted":
            end.set_result(None)
        elif entry.outcome in _LOST and not end.done():
            reason = entry.detail.get("reason", entry.outcome)
            end.set_exception(Lost(f"Expected a receipt for {entry.message_id}, found: {reason}"))
