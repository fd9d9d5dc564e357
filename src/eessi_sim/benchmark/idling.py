"""What a network of thousands of institutions costs while nothing happens, and whether everybody reaches everybody.

The figures are those of the operating system: seconds on the wall, memory and processor time of every process.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from random import Random
from time import perf_counter
from typing import Final

from eessi_sim.benchmark import gauge
from eessi_sim.benchmark.endtoend import Lost
from eessi_sim.benchmark.gauge import Reading
from eessi_sim.benchmark.network import Route
from eessi_sim.identifiers import InstitutionId
from eessi_sim.ir.loader import NetworkDefinition
from eessi_sim.security.pki import KeyAlgorithm
from eessi_sim.simulation.control import NodeControl
from eessi_sim.simulation.processes import ProcessNetwork
from eessi_sim.simulation.state import establish

IDLE_SECONDS: Final = 5.0
"""How long nothing is done."""
_SIDE_BY_SIDE: Final = 8
_RECEIPT_WITHIN: Final = 300.0
"""Seconds until a receipt must be there: those who fetch their messages do so every 25 seconds at the latest."""
_LOOK_EVERY: Final = 0.5


@dataclass(frozen=True, slots=True)
class Idle:
    """What was seen."""

    institutions: int
    establish_seconds: float
    """Keys, certificates, directory."""
    start_seconds: float
    """Until every process answered."""
    readings: dict[str, Reading]
    """By process, this one included, when all were up."""
    idle_cpu_seconds: float
    """Processor time of all started processes within ``IDLE_SECONDS``."""
    receipted: int
    """SEDs between two institutions drawn by lot that were receipted."""
    loaded: dict[str, Reading]
    """By process, after them."""

    @property
    def rss_mb(self) -> float:
        """Memory of all processes."""
        return sum(each.rss_kb for each in self.readings.values()) / 1024

    @property
    def cpu_seconds(self) -> float:
        """Processor time of all processes until all were up."""
        return sum(each.cpu_seconds for each in self.readings.values())

    @property
    def pss_mb(self) -> float:
        """The same, what they share counted once."""
        return sum(each.pss_kb for each in self.readings.values()) / 1024

    def as_dict(self) -> dict[str, object]:
        """Return what was seen as JSON has it."""
        return {
            "institutions": self.institutions,
            "establish_seconds": round(self.establish_seconds, 2),
            "start_seconds": round(self.start_seconds, 2),
            "cpu_seconds": round(self.cpu_seconds, 2),
            "rss_mb": round(self.rss_mb, 1),
            "pss_mb": round(self.pss_mb, 1),
            "idle_cpu_seconds": round(self.idle_cpu_seconds, 3),
            "receipted": self.receipted,
            "processes": [
                {
                    "name": name,
                    "rss_mb": round(each.rss_kb / 1024, 1),
                    "pss_mb": round(each.pss_kb / 1024, 1),
                    "rss_mb_after": round(self.loaded[name].rss_kb / 1024, 1),
                }
                for name, each in self.readings.items()
            ],
        }


async def idle(
    definition: NetworkDefinition,
    route: Route,
    folder: Path,
    *,
    hosts: int,
    pairs: int,
    own: int,
    say: Callable[[str], None],
) -> Idle:
    """Start a network, let it rest, and send SEDs between institutions drawn by lot.

    Args:
        definition: the network.
        route: which SED in which process.
        folder: for the network; must be empty or absent.
        hosts: processes that share the institutions.
        pairs: how many SEDs.
        own: number of this process, which counts too.
        say: told what is done.

    Raises:
        EnvironmentProblem: the network did not start.
        Lost: a receipt did not come.
    """
    say("keys and certificates")
    start = perf_counter()
    now = datetime.now(UTC)
    state = establish(definition, folder, now=now, algorithm=KeyAlgorithm.P_256, hosts=hosts)
    established = perf_counter()
    say("starting")
    async with ProcessNetwork(state) as network:
        up = perf_counter()
        pids = {process: network.pid(process) for process in state.players}
        everything = {"this process": own, **pids}
        before = {name: gauge.read(pid) for name, pid in everything.items()}
        await asyncio.sleep(IDLE_SECONDS)
        rested = sum(gauge.read(pid).cpu_seconds - before[name].cpu_seconds for name, pid in pids.items())
        say("SEDs between institutions drawn by lot")
        chosen = _drawn(definition, route, now, pairs)
        limit, controls = asyncio.Semaphore(_SIDE_BY_SIDE), network.controls

        async def send(owner: InstitutionId, other: InstitutionId) -> None:
            async with limit:
                message_id = await _sent(controls[owner], route, other)
            await _receipted(controls[owner], message_id)

        await asyncio.gather(*(send(*pair) for pair in chosen))
        after = {name: gauge.read(pid) for name, pid in everything.items()}
    return Idle(
        institutions=len(state.institutions),
        establish_seconds=established - start,
        start_seconds=up - established,
        readings=before,
        idle_cpu_seconds=rested,
        receipted=len(chosen),
        loaded=after,
    )


def _drawn(
    definition: NetworkDefinition, route: Route, at: datetime, number: int
) -> list[tuple[InstitutionId, InstitutionId]]:
    """Return pairs of institutions that may exchange the SED, always the same for the same network."""
    directory = definition.repository("1.0.0")
    owners, others = (
        [each.id for each in directory.institutions_competent(route.buc, role, at=at) if not each.external]
        for role in ("CaseOwner", "Counterparty")
    )
    every = [pair for pair in product(owners, others) if pair[0] != pair[1]]
    return Random(number).sample(every, min(number, len(every)))  # noqa: S311 - no secret


async def _sent(control: NodeControl, route: Route, other: InstitutionId) -> str:
    sample = route.sed.sample
    assert sample is not None  # the route was planned with one
    case_id = await control.open_case(route.buc, [other])
    case = await control.send(case_id, route.sed.type, content=sample.read_bytes())
    message_id = case.documents[-1].deliveries[0].message_id
    assert message_id is not None  # it was handed to the outbox
    return message_id


async def _receipted(control: NodeControl, message_id: str) -> None:
    deadline = perf_counter() + _RECEIPT_WITHIN
    while not any(each.message_id == message_id and each.receipted_at for each in await control.messages()):
        if perf_counter() > deadline:
            raise Lost(f"Expected a receipt for {message_id} within {_RECEIPT_WITHIN:g} seconds, found none")
        await asyncio.sleep(_LOOK_EVERY)
