"""The smallest network that a SED can cross: two institutions and their access point on one event loop.

The nodes are those of the simulator, put together as everywhere; only their clock is that of the machine, messages
travel without delay, and nobody answers by itself, so that one SED is one SED.
"""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Self

from eessi_sim import resources, xmlsafe
from eessi_sim.access_point.service import AccessPoint
from eessi_sim.cdm.catalogue import SedDefinition
from eessi_sim.clock import SystemClock
from eessi_sim.errors import SettingsError
from eessi_sim.gateway.station import Directory
from eessi_sim.identifiers import BucType, InstitutionId, RandomIdFactory, SedType
from eessi_sim.institution.node import InstitutionNode
from eessi_sim.institution.office import Library
from eessi_sim.ir.loader import NetworkDefinition
from eessi_sim.simulation.assembly import (
    DEFAULT_CDM,
    Machinery,
    Node,
    build_node,
    parties_of,
    repository,
)
from eessi_sim.simulation.credentials import Credentials
from eessi_sim.storage.base import NodeStore, Storage
from eessi_sim.transport.inprocess import Switchboard
from eessi_sim.xmlsafe import Element

_ROLES: Final = ("CaseOwner", "Counterparty")
_LOOK_AGAIN: Final = 0.001
"""Seconds between two looks whether the nodes still work."""


@dataclass(frozen=True, slots=True)
class Route:
    """Which SED goes from whom to whom, in which process, and through which network."""

    sed: SedDefinition
    buc: BucType
    owner: InstitutionId
    counterparty: InstitutionId
    network: NetworkDefinition
    """Only the two institutions and the access point."""

    def document(self) -> Element:
        """Return the sample that is sent, parsed."""
        assert self.sed.sample is not None  # plan asked for it
        return xmlsafe.parse(self.sed.sample.read_bytes())


def plan(sed: SedType, definition: NetworkDefinition, library: Library, at: datetime) -> Route:
    """Find two institutions between which a case can begin with this SED.

    Args:
        sed: the SED to send.
        definition: a network with institutions to choose from.
        library: definitions of SEDs and processes.
        at: time at which the institutions must be competent.

    Raises:
        UnknownSedType: nobody defines the SED.
        SettingsError: no process begins with it, or nobody in the network handles that process.
    """
    found = library.catalogue.get(sed, DEFAULT_CDM)
    bucs = [each.buc for each in library.processes.all() if sed in each.starters]
    pair = next((pair for buc in bucs if (pair := _pair(definition, buc, at))), None)
    if pair is None or found.sample is None:
        starters = sorted({starter for each in library.processes.all() for starter in each.starters})
        raise SettingsError(
            f"Expected a SED with which a case begins, found {sed}",
            hint=f"Cases begin with {', '.join(starters)}; it also needs a sample and institutions.",
        )
    buc, owner, counterparty = pair
    return Route(found, buc, owner, counterparty, _reduced(definition, (owner, counterparty)))


def _pair(
    definition: NetworkDefinition, buc: BucType, at: datetime
) -> tuple[BucType, InstitutionId, InstitutionId] | None:
    """Return the process and its first two competent institutions, in both roles."""
    directory = definition.repository("")
    owners, counterparties = (
        [each.id for each in directory.institutions_competent(buc, role, at=at) if not each.external]
        for role in _ROLES
    )
    pairs = ((buc, one, other) for one in owners for other in counterparties if one != other)
    return next(pairs, None)


def _reduced(definition: NetworkDefinition, parties: Sequence[InstitutionId]) -> NetworkDefinition:
    chosen = tuple(replace(each, behaviours=()) for each in definition.institutions if each.id in parties)
    # One access point serves both, also where the network has one per country: its steps are what is measured.
    point = replace(definition.access_points[0], linked=tuple(each.id for each in chosen), via=None)
    return replace(definition, institutions=chosen, access_points=(point,), central=None)


class BenchNetwork:
    """A network that runs while it is entered; closes its storage at the end.

    Args:
        route: who takes part.
        library: definitions, compiled once per process.
        credentials: keys of all three parties.
        storage: where the nodes keep their state.
    """

    def __init__(self, route: Route, library: Library, *, credentials: Credentials, storage: Storage) -> None:
        self.route = route
        self._storage = storage
        parties = parties_of(route.network)
        urls = {party: f"https://{party.file_name.lower()}.example" for party in parties}
        clock = SystemClock()
        switchboard = Switchboard(clock)
        machinery = Machinery(
            library=library,
            clock=clock,
            ids=RandomIdFactory(),
            storage=storage,
            trust=credentials.trust,
            directory=Directory(repository(route.network, credentials, urls)),
            templates=resources.institutions(),
        )
        self._nodes: dict[InstitutionId, Node] = {}
        for party in parties:
            keys = credentials.parties[party]
            transport = switchboard.transport(keys.tls.certificate.der)
            self._nodes[party] = build_node(party, keys, transport, machinery)
        self._listeners = {party: switchboard.listener(url) for party, url in urls.items()}
        self._stack = AsyncExitStack()

    @property
    def sender(self) -> InstitutionNode:
        """The case owner."""
        return self._institution(self.route.owner)

    @property
    def receiver(self) -> InstitutionNode:
        """The counterparty."""
        return self._institution(self.route.counterparty)

    @property
    def access_point(self) -> AccessPoint:
        """The access point."""
        node = self._nodes[self.route.network.access_points[0].id]
        assert isinstance(node, AccessPoint)  # it is built from the entry of the access point
        return node

    def store(self, party: InstitutionId) -> NodeStore:
        """Return what a party keeps."""
        return self._storage.node(party)

    def _institution(self, party: InstitutionId) -> InstitutionNode:
        node = self._nodes[party]
        assert isinstance(node, InstitutionNode)  # both are listed as institutions
        return node

    async def open_cases(self, number: int) -> list[str]:
        """Open so many cases at the sender; return their ids."""
        cases = [
            await self.sender.open_case(self.route.buc, [self.route.counterparty]) for _ in range(number)
        ]
        return [case.id for case in cases]

    async def quiet(self) -> None:
        """Return when no node has anything under way."""
        while any(node.busy for node in self._nodes.values()):  # noqa: ASYNC110 - workers tell nobody that they rest
            await asyncio.sleep(_LOOK_AGAIN)

    async def __aenter__(self) -> Self:
        self._stack.push_async_callback(self._storage.close)
        for party, node in self._nodes.items():
            await self._listeners[party].start(node.handle)
            self._stack.push_async_callback(self._listeners[party].stop)
            await node.start()
            self._stack.push_async_callback(node.stop)
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._stack.aclose()
