"""One benchmark from beginning to end: plan, keys, specimens, floor, steps, runs."""

import asyncio
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from eessi_sim.benchmark.commits import measure_bare_commits, measure_commits
from eessi_sim.benchmark.endtoend import Throughput, run
from eessi_sim.benchmark.network import BenchNetwork, Route, plan
from eessi_sim.benchmark.result import BenchResult, KeyResult, Sizes
from eessi_sim.benchmark.sockets import measure_bare_requests, measure_requests
from eessi_sim.benchmark.specimens import collect
from eessi_sim.benchmark.steps import measure_core
from eessi_sim.clock import SystemClock
from eessi_sim.identifiers import SedType
from eessi_sim.institution.office import Library
from eessi_sim.security.pki import KeyAlgorithm
from eessi_sim.simulation.assembly import load_definition, load_library, parties_of
from eessi_sim.simulation.credentials import Credentials
from eessi_sim.storage.registry import open_storage, url_of

KEYS: Final = {"rsa": KeyAlgorithm.RSA_2048, "p256": KeyAlgorithm.P_256}
STORAGES: Final = ("memory", "sqlite")
_PART_OF_RUN: Final = 0.02
"""Each step is measured for this part of the time that a run may take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What to measure."""

    sed: SedType
    keys: Sequence[str] = tuple(KEYS)
    storages: Sequence[str] = STORAGES
    messages: int = 500
    """SEDs in each run."""
    seconds: float = 5.0
    """How long each run may send."""


def _say_nothing(_what: str) -> None:
    """Take the place of somebody who wants to know how far the benchmark is."""


class Session:
    """Measures what an order asks for.

    Args:
        order: what to measure.
        progress: told what is measured next.

    Raises:
        UnknownSedType: nobody defines the SED.
        SettingsError: no case begins with it.
    """

    def __init__(self, order: Order, progress: Callable[[str], None] = _say_nothing) -> None:
        self._order = order
        self._progress = progress
        self._library: Library = load_library()
        self._route: Route = plan(order.sed, load_definition(), self._library, SystemClock().now())

    def run(self) -> BenchResult:
        """Measure everything.

        Raises:
            Lost: a SED was not delivered.
        """
        results = tuple(asyncio.run(self._with_keys(keys)) for keys in self._order.keys)
        return BenchResult(self._route.sed.type, self._route.buc, results)

    async def _with_keys(self, keys: str) -> KeyResult:
        self._progress(f"making keys ({keys})")
        credentials = Credentials.make(
            parties_of(self._route.network), now=SystemClock().now(), algorithm=KEYS[keys]
        )
        with tempfile.TemporaryDirectory(prefix="eessi-sim-bench-") as name:
            folder = Path(name)
            async with await self._network(credentials, "memory:") as network:
                its = await collect(network)
                self._progress(f"step by step, and the floor ({keys})")
                floor, steps = measure_core(its, self._seconds)
                floor |= await measure_bare_requests(its, self._seconds)
                floor |= measure_bare_commits(its, folder, self._seconds)
                steps += await measure_requests(its, credentials, folder / "pki", floor, self._seconds)
                steps += await measure_commits(its, folder, floor, self._seconds)
            runs = tuple(
                [
                    await self._end_to_end(credentials, storage, folder, keys)
                    for storage in self._order.storages
                ]
            )
        sizes = Sizes(len(its.sealed), len(its.message.body), len(its.receipt.body))
        return KeyResult(keys, sizes, floor, tuple(steps), runs)

    @property
    def _seconds(self) -> float:
        return self._order.seconds * _PART_OF_RUN

    async def _network(self, credentials: Credentials, url: str) -> BenchNetwork:
        storage = await open_storage(url)
        return BenchNetwork(self._route, self._library, credentials=credentials, storage=storage)

    async def _end_to_end(
        self, credentials: Credentials, storage: str, folder: Path, keys: str
    ) -> Throughput:
        self._progress(f"end to end ({keys}, {storage})")
        url = "memory:" if storage == "memory" else url_of(folder / "nodes.db")
        async with await self._network(credentials, url) as network:
            return await run(network, storage, messages=self._order.messages, seconds=self._order.seconds)
