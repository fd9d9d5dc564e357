"""A whole network on one event loop: no sockets, a clock under control, repeatable from a seed."""

import asyncio
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final, Self

from eessi_sim import resources
from eessi_sim.access_point.line import Line
from eessi_sim.access_point.service import AccessPoint
from eessi_sim.as4.pmode import ReceptionAwareness
from eessi_sim.cdm.catalogue import Catalogue
from eessi_sim.clock import FlowingClock, ManualClock
from eessi_sim.errors import EessiSimError
from eessi_sim.gateway.station import Directory
from eessi_sim.identifiers import InstitutionId, RandomIdFactory
from eessi_sim.institution.node import InstitutionNode
from eessi_sim.ir.loader import NetworkDefinition
from eessi_sim.security.pki import KeyAlgorithm
from eessi_sim.simulation.assembly import (
    FORWARDING,
    Machinery,
    Node,
    build_node,
    load_library,
    parties_of,
    repository,
)
from eessi_sim.simulation.control import LocalControl, StoreReader
from eessi_sim.simulation.credentials import Credentials
from eessi_sim.simulation.lines import Lines
from eessi_sim.storage.base import Storage
from eessi_sim.storage.memory import MemoryStorage
from eessi_sim.transport.inprocess import Switchboard

START: Final = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
"""Where the simulated time of a seeded run begins."""
_QUIET_TURNS: Final = 5
"""Turns of the event loop without work after which the network counts as quiet."""
_MOST_TURNS: Final = 2_000_000
"""Turns of the event loop after which a network that is still busy counts as stuck."""
_SHORTEST_HOP: Final = 0.004
_LONGEST_HOP: Final = 0.040
"""Seconds of simulated time a message needs for one hop."""


class NeverQuiet(EessiSimError):  # noqa: N818 - says what happened
    """A network in one process does not come to rest."""

    code = "never-quiet"


class InProcessNetwork:
    """A network whose nodes talk through a switchboard.

    Args:
        definition: the network.
        seed: decides ids and delays; the same seed gives the same run.
        storage: where the nodes keep their state; in memory by default.
        credentials: keys; made with P-256 when None, because they do not change what is exchanged.
        clock: begins at a fixed time by default.
        pace: factor on the delays of all behaviours.
        forwarding: when the access point tries again to bring a message on.
        catalogue: the SEDs; those that come with the program when None.
    """

    def __init__(
        self,
        definition: NetworkDefinition,
        *,
        seed: int = 0,
        storage: Storage | None = None,
        credentials: Credentials | None = None,
        clock: ManualClock | None = None,
        pace: float = 1.0,
        forwarding: ReceptionAwareness = FORWARDING,
        catalogue: Catalogue | None = None,
    ) -> None:
        self.clock = clock or ManualClock(START)
        self.definition = definition
        parties = parties_of(definition)
        self.credentials = credentials or Credentials.make(
            parties, now=self.clock.now(), algorithm=KeyAlgorithm.P_256
        )
        # Not a secret: the generator makes a run repeatable.
        chance = random.Random(seed)  # noqa: S311
        urls = {party: f"https://{party.file_name.lower()}.example" for party in parties}
        self.switchboard = Switchboard(FlowingClock(self.clock), latency=_latency(random.Random(seed + 1)))  # noqa: S311
        self._machinery = Machinery(
            library=load_library(catalogue),
            clock=self.clock,
            ids=RandomIdFactory(chance.getrandbits),
            storage=storage or MemoryStorage(),
            trust=self.credentials.trust,
            directory=Directory(repository(definition, self.credentials, urls)),
            templates=resources.institutions(),
            pace=pace,
            forwarding=forwarding,
            attachments=definition.attachments,
            checks=definition.checks,
            synchronised=definition.synchronised,
        )
        self.nodes: dict[InstitutionId, Node] = {party: self._node(party) for party in parties}
        self._listeners = {party: self.switchboard.listener(url) for party, url in urls.items()}

    def _node(self, party: InstitutionId) -> Node:
        keys = self.credentials.parties[party]
        return build_node(party, keys, self.switchboard.transport(keys.tls.certificate.der), self._machinery)

    @property
    def controls(self) -> dict[InstitutionId, LocalControl]:
        """One control per institution."""
        return {
            party: LocalControl(node)
            for party, node in self.nodes.items()
            if isinstance(node, InstitutionNode)
        }

    @property
    def readers(self) -> dict[InstitutionId, StoreReader]:
        """One reader per node, the access point included."""
        return {party: StoreReader(self._machinery.storage.node(party)) for party in self.nodes}

    async def __aenter__(self) -> Self:
        for party, node in self.nodes.items():
            await self._listeners[party].start(node.handle)
            await node.start()
        return self

    async def __aexit__(self, *exc: object) -> None:
        for party, node in self.nodes.items():
            await node.stop()
            await self._listeners[party].stop()
        await self._machinery.storage.close()

    async def restart(self, party: InstitutionId) -> None:
        """Stop a node and put another one in its place that has only what the first one stored."""
        await self.nodes[party].stop()
        await self._listeners[party].stop()
        self.nodes[party] = self._node(party)
        await self._listeners[party].start(self.nodes[party].handle)
        await self.nodes[party].start()

    async def quiet(self, most_turns: int = _MOST_TURNS) -> None:
        """Return when no node has anything under way; time does not move meanwhile.

        Args:
            most_turns: how many turns of the event loop that may take.

        Raises:
            NeverQuiet: something waits for the clock while it counts as under way.
        """
        turns = 0
        for _ in range(most_turns):
            await asyncio.sleep(0)
            turns = 0 if any(node.busy for node in self.nodes.values()) else turns + 1
            if turns == _QUIET_TURNS:
                return
        raise NeverQuiet(
            f"Expected the network to come to rest within {most_turns} turns of the event loop, it did not",
            busy=", ".join(party for party, node in self.nodes.items() if node.busy),
        )

    async def advance(self, by: timedelta) -> None:
        """Let time pass, and everything happen that is due then."""
        self.clock.advance(by)
        await self.quiet()

    async def let_pass(self, by: timedelta) -> None:
        """Let time pass, from one thing that is due to the next."""
        end = self.clock.now() + by
        await self.quiet()
        while (wake := self.clock.next_wake()) is not None and wake <= end:
            self.clock.advance(max(wake - self.clock.now(), timedelta(0)))
            await self.quiet()
        self.clock.advance(max(end - self.clock.now(), timedelta(0)))
        await self.quiet()

    @property
    def lines(self) -> Lines:
        """The lines between the access points."""
        return Lines(self.definition.access_points, self._switch, self._is_up, self.readers)

    async def _switch(self, point: InstitutionId, is_up: bool) -> None:
        self._line(point).is_up = is_up

    async def _is_up(self, point: InstitutionId) -> bool:
        return self._line(point).is_up

    def _line(self, point: InstitutionId) -> Line:
        node = self.nodes[point]
        assert isinstance(node, AccessPoint)  # listed as one
        return node.line

    async def pause(self) -> None:
        """Let everything happen that can happen now; if nothing can, move the clock to the next thing that is due."""
        if any(node.busy for node in self.nodes.values()):
            await self.quiet()
            return
        wake = self.clock.next_wake()
        if wake is not None:
            self.clock.advance(max(wake - self.clock.now(), timedelta(0)))
            await self.quiet()
        else:
            self.clock.advance(timedelta(seconds=1))


def _latency(chance: random.Random) -> Callable[[str], float]:
    return lambda _url: chance.uniform(_SHORTEST_HOP, _LONGEST_HOP)
