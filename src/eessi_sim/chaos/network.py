"""The network that is disturbed: real processes, each behind a proxy, and whoever is ended is started again.

Nodes talk to each other through the proxies, because the directory names those; the harness itself asks the nodes over
their interface for managing them, past the proxies.
"""

import asyncio
import os
import signal
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, Self

from eessi_sim.chaos.model import Plan
from eessi_sim.chaos.proxy import Proxy
from eessi_sim.errors import EnvironmentProblem
from eessi_sim.identifiers import InstitutionId
from eessi_sim.ir import snapshot
from eessi_sim.ir.loader import NetworkDefinition
from eessi_sim.ir.model import AccessPointEntry, Certificates, Endpoint, Institution
from eessi_sim.ir.repository import InstitutionRepository
from eessi_sim.security.keys import KeyPair, Purpose
from eessi_sim.security.pki import LEAF_DAYS, CertificateAuthority, KeyAlgorithm
from eessi_sim.simulation.credentials import FILES, HOSTS
from eessi_sim.simulation.processes import ProcessNetwork
from eessi_sim.simulation.remote import RemoteControl
from eessi_sim.simulation.state import NetworkState, Sharing, establish
from eessi_sim.storage.base import NodeStore
from eessi_sim.storage.care import find_care
from eessi_sim.storage.local_server import LocalServer
from eessi_sim.storage.registry import open_storage

_EXPIRED: Final = (Purpose.TLS, Purpose.EBMS)
_AGO: Final = timedelta(days=LEAF_DAYS + 10)
"""When the expired certificates were issued."""


def reduced(definition: NetworkDefinition, plan: Plan) -> NetworkDefinition:
    """Return only the institutions of a plan, of which none answers by itself: one SED is one SED."""
    parties = {each.id: each for each in definition.institutions}
    chosen = tuple(replace(parties[party], behaviours=()) for party in plan.institutions)
    point = replace(definition.access_points[0], linked=plan.institutions, via=None)
    return replace(definition, institutions=chosen, access_points=(point,), central=None)


def prepare(
    definition: NetworkDefinition, folder: Path, algorithm: KeyAlgorithm, sharing: Sharing
) -> NetworkState:
    """Make keys, expired certificates, directory and addresses; the directory does not know the proxies yet."""
    now = datetime.now(UTC)
    state = establish(definition, folder, now=now, algorithm=algorithm, sharing=sharing)
    authority = CertificateAuthority.load(state.pki)
    for node in state.nodes:
        party = InstitutionId(node.party)
        for purpose in _EXPIRED:
            hosts = HOSTS if purpose is Purpose.TLS else ()
            pair = authority.issue(party, purpose, country=party.country, now=now - _AGO, hosts=hosts)
            pair.save(_expired(state, party, purpose))
    return state


def _expired(state: NetworkState, party: InstitutionId, purpose: Purpose) -> Path:
    return state.pki / party.file_name / f"expired-{FILES[purpose]}"


class ChaosNetwork:
    """The processes, and a proxy before each.

    Args:
        state: a network that was prepared.
        seed: decides what the proxies change.
        server: the database server of the network, where the harness has started it.
    """

    def __init__(self, state: NetworkState, seed: int, server: LocalServer | None = None) -> None:
        self.state = state
        self._server = server
        self.processes = ProcessNetwork(state)
        self.proxies = {
            InstitutionId(node.party): Proxy(node.port, seed + number)
            for number, node in enumerate(state.nodes)
        }
        self.locks = {party: asyncio.Lock() for party in self.proxies}
        """One disturbance of a process at a time."""
        self.database_lock = asyncio.Lock()
        self.kills = 0
        self._stack = AsyncExitStack()

    @property
    def parties(self) -> tuple[InstitutionId, ...]:
        """The access point and the institutions."""
        return self.processes.parties

    @property
    def point(self) -> InstitutionId:
        """The access point."""
        return InstitutionId(self.state.access_points[0])

    def control(self, party: InstitutionId) -> RemoteControl:
        """Return the interface of one node."""
        return self.processes.readers[party]

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            ports = {}
            for party, proxy in self.proxies.items():
                ports[self.state.address(party).port] = await proxy.start()
                stack.push_async_callback(proxy.stop)
            self._direct(ports)
            await stack.enter_async_context(self.processes)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._stack.aclose()

    async def advance(self, by: timedelta) -> None:
        """Let time pass on the clocks of all nodes."""
        await asyncio.gather(*(self.control(party).advance_clock(by) for party in self.parties))

    def processes_of(self, party: InstitutionId) -> tuple[str, ...]:
        """Return the names of the processes that play a node."""
        return tuple(each for each in self.state.processes if self.state.played_by(each)[0].party == party)

    async def kill(self, process: str) -> None:
        """End a process as a power cut would."""
        await self.processes.kill(process)
        self.kills += 1

    async def revive(self, process: str) -> None:
        """Start a process again and wait until it answers."""
        await self.processes.start(process)
        await self.processes.ready(process)

    async def restart(self, party: InstitutionId) -> None:
        """Kill all processes of a node and start them again."""
        for process in self.processes_of(party):
            await self.kill(process)
        await asyncio.gather(*(self.revive(process) for process in self.processes_of(party)))

    @contextmanager
    def frozen(self, process: str) -> Iterator[None]:
        """Let a process stand still."""
        pid = self.processes.pid(process)
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)

    @contextmanager
    def with_expired(self, party: InstitutionId, purpose: Purpose) -> Iterator[None]:
        """Let the files of a node hold an expired certificate; a process takes up what is there when it starts."""
        file = self.state.pki / party.file_name / FILES[purpose]
        good = KeyPair.load(file)
        KeyPair.load(_expired(self.state, party, purpose)).save(file)
        try:
            yield
        finally:
            good.save(file)

    async def disturb_database(self, party: InstitutionId, seconds: float) -> None:
        """Kill the database server and start it again later; a file is held as a backup holds it that takes its time.

        Raises:
            EnvironmentProblem: the server is somebody else's.
        """
        if not self.state.storage:
            with closing(sqlite3.connect(self.state.database(party), isolation_level=None)) as other:
                other.execute("BEGIN IMMEDIATE")
                await asyncio.sleep(seconds)
                other.execute("ROLLBACK")
        elif self._server is not None:
            async with self.database_lock:
                await asyncio.to_thread(self._server.kill)
                await asyncio.sleep(seconds)
                await asyncio.to_thread(self._server.start)
        else:
            raise EnvironmentProblem("Expected a database server of our own, found somebody else's")

    @asynccontextmanager
    async def store(self, party: InstitutionId) -> AsyncIterator[NodeStore]:
        """Look into the store of a node."""
        storage = await open_storage(self.state.store_of(party))
        try:
            yield storage.node(party)
        finally:
            await storage.close()

    async def damage(self) -> dict[InstitutionId, str]:
        """Return what is wrong with the stores themselves, by the first node that uses each."""
        users = {self.state.store_of(party): party for party in reversed(self.parties)}
        conditions = {party: await find_care(url).inspect(url) for url, party in users.items()}
        return {party: "; ".join(condition.problems) for party, condition in conditions.items()}

    def _direct(self, ports: dict[int, int]) -> None:
        """Write a directory that names the proxies, and lists the expired certificates beside the good ones."""
        directory = snapshot.load(self.state.directory_file)
        points = tuple(self._point(entry, ports) for entry in directory.access_points)
        institutions = tuple(self._institution(entry, ports) for entry in directory.institutions)
        changed = InstitutionRepository(directory.version, institutions, points, directory.central)
        snapshot.save(changed, self.state.directory_file)

    def _point(self, entry: AccessPointEntry, ports: dict[int, int]) -> AccessPointEntry:
        return replace(
            entry,
            outbox=_moved(entry.outbox, ports),
            inbox=_moved(entry.inbox, ports),
            inbound=_moved(entry.inbound, ports),
            certificates=self._all_of(entry.id, entry.certificates),
        )

    def _institution(self, entry: Institution, ports: dict[int, int]) -> Institution:
        endpoint = Endpoint(entry.endpoint.exchange, _moved(entry.endpoint.channel, ports))
        return replace(entry, endpoint=endpoint, certificates=self._all_of(entry.id, entry.certificates))

    def _all_of(self, party: InstitutionId, good: Certificates) -> Certificates:
        tls, ebms = (KeyPair.load(_expired(self.state, party, each)).certificate for each in _EXPIRED)
        return good.joined(Certificates(ebms=(ebms,), tls=(tls,)))


def _moved(url: str, ports: dict[int, int]) -> str:
    """Return a URL with the port of the proxy in place of that of the node."""
    for port, proxy in ports.items():
        url = url.replace(f":{port}/", f":{proxy}/")
    return url
