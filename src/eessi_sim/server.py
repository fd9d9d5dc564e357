"""One process of a network: one node or many, their store, their AS4 listener and their management interface."""

import asyncio
import logging
import signal
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from aiohttp import web

from eessi_sim import resources
from eessi_sim.access_point.central import CentralNode
from eessi_sim.access_point.line import Line
from eessi_sim.access_point.service import AccessPoint
from eessi_sim.api.front import Front
from eessi_sim.api.manage import make_app
from eessi_sim.api.operations import HostRoutes
from eessi_sim.clock import MovableClock
from eessi_sim.errors import EnvironmentProblem, StorageError
from eessi_sim.gateway.retention import Retention
from eessi_sim.identifiers import InstitutionId, RandomIdFactory
from eessi_sim.institution.node import InstitutionNode
from eessi_sim.ir.model import Keeping
from eessi_sim.simulation.assembly import FORWARDING, Machinery, Node, build_node, load_library
from eessi_sim.simulation.control import LocalControl, StoreReader
from eessi_sim.simulation.credentials import Keyring, load_trust
from eessi_sim.simulation.host import Host
from eessi_sim.simulation.logs import LogFormat
from eessi_sim.simulation.operations import SPARED, Operations, finish, sweep, sweep_today
from eessi_sim.simulation.refresh import DirectoryFile
from eessi_sim.simulation.state import LOOPBACK, NetworkState, NodeAddress, load_state, worker_of
from eessi_sim.storage.base import Storage
from eessi_sim.storage.registry import open_storage
from eessi_sim.transport.base import TransportLimits
from eessi_sim.transport.http import HttpListener, HttpTransport

_log = logging.getLogger(__name__)
_AGAIN: Final = 1.0
"""Seconds to wait before the news are followed again when the store was away."""

_STOPS: Final = (signal.SIGTERM, signal.SIGINT)
_FINISH_WITHIN: Final = 8.0
"""Seconds for what is under way when the process is told to stop: less than who started it waits (inferred)."""
_DAY: Final = 86_400.0


@dataclass(frozen=True, slots=True)
class Manner:
    """How a process plays its part, apart from what the network says."""

    form: LogFormat = LogFormat.TEXT
    """Of its log; JSON has the steps of the journal too."""
    listen: str = LOOPBACK
    """Where it takes AS4 messages; another address than that of this machine for a balancer on others."""


async def serve(folder: Path, player: str, manner: Manner = Manner()) -> None:
    """Be one process of the network in ``folder`` until it is told to stop.

    Args:
        folder: the network.
        player: which process: a host, or the party that has a process of its own; with its number when several
            processes play the same.
        manner: its log, and where it listens.

    Raises:
        EnvironmentProblem: the network, a port or the store cannot be used.
    """
    state = load_state(folder)
    addresses = state.played_by(player)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in _STOPS:
        loop.add_signal_handler(number, stop.set)
    async with AsyncExitStack() as stack:
        clock = MovableClock()
        desk = await _start_nodes(state, player, manner, clock, stack)
        host = desk.host

        async def interface(party: InstitutionId) -> web.Application:
            node = await host.node(party)
            return make_app(_reader(node), state.token, clock, _line(node), desk.operations(node))

        first = addresses[0]
        if first.host:
            app = Front(host.party_at, interface).app()
            HostRoutes(desk.all_operations, state.token).add_to(app)
        else:
            app = await interface(InstitutionId(first.party))
        await _start_management(state.address(first.party), first, app, stack)
        _log.info("%s is ready", player)
        await stop.wait()
        _log.info("%s stops", player)
        for number in _STOPS:  # the next one ends the process at once; the store bears that
            loop.remove_signal_handler(number)
        await desk.finish()


class _Desk:
    """The nodes of this process in the hands of who runs it."""

    def __init__(self, host: Host, machinery: Machinery, folder: Path, keeping: Keeping) -> None:
        self.host = host
        self.is_listening = False
        self._storage = machinery.storage
        self._clock = machinery.clock
        self._folder = folder
        self._retention = Retention(keeping.messages, keeping.journal)

    def operations(self, node: Node) -> Operations:
        """Return what may be asked of a node."""
        operations = Operations(node, self._storage, self._folder)
        operations.is_listening = self.is_listening
        return operations

    async def all_operations(self) -> list[Operations]:
        """Return what may be asked of the nodes that were made."""
        return [self.operations(node) for node in await self.host.made()]

    async def finish(self) -> None:
        """Take no new work, end what is under way within the time that there is, and stop the nodes."""
        await finish(await self.host.made(), _FINISH_WITHIN)

    async def clean_daily(self) -> None:
        """Remove what need not be kept any longer, now and then every day; ends when it is cancelled."""
        while True:
            for operations in await self.all_operations():
                await operations.clean_today(self._retention)
            await sweep_today(self._storage)
            await self._clock.sleep(_DAY)

    @property
    def has_limits(self) -> bool:
        """Whether something need not be kept for ever."""
        return self._retention != Retention()


async def _start_nodes(
    state: NetworkState, process: str, manner: Manner, clock: MovableClock, stack: AsyncExitStack
) -> _Desk:
    addresses = state.played_by(process)
    first = addresses[0]
    is_shared = state.has_peers(process)
    identity = state.tls_identity(process)
    storage = await open_storage(state.store_of(process))
    stack.push_async_callback(storage.close)
    has_peers = is_shared or bool(state.storage)
    await sweep(storage, SPARED if has_peers else 0)
    party = InstitutionId(first.party)
    file = DirectoryFile(state.directory_of(party), state.directory_file)
    directory = file.directory
    machinery = Machinery(
        library=load_library(state.catalogue),
        clock=clock,
        ids=RandomIdFactory(),
        storage=storage,
        trust=load_trust(state.pki),
        directory=directory,
        templates=resources.institutions(),
        pace=state.pace,
        queue=state.limits.queue,
        forwarding=replace(FORWARDING, retries=state.limits.forwarding_retries),
        attachments=state.limits.attachments,
        logs_steps=manner.form is LogFormat.JSON,
        checks=state.checks,
        worker=worker_of(process),
    )
    transport = HttpTransport(
        identity,
        limits=TransportLimits(max_body=machinery.limits.body_bytes),
        listed=lambda url: [each.der for each in directory.current.certificates_at(url).tls],
    )
    stack.push_async_callback(transport.close)
    keyring = Keyring(state.pki, first.player)
    host = Host(
        [InstitutionId(address.party) for address in addresses],
        lambda party: build_node(party, keyring.keys_of(party), transport, machinery),
        machinery,
    )
    limits = TransportLimits(
        max_body=machinery.limits.body_bytes,
        read_seconds=state.limits.read_seconds,
        requests_per_client=state.limits.requests_per_client,
    )
    listener = HttpListener(
        manner.listen,
        first.port,
        identity=identity,
        limits=limits,
        spool=storage.spool,
        shared=is_shared,
    )
    desk = _Desk(host, machinery, state.database(first.player).parent, state.limits.keeping)
    stack.push_async_callback(desk.finish)
    if is_shared:
        peers = asyncio.create_task(_follow_peers(storage, host))
        stack.callback(peers.cancel)
    await host.start()
    if first.host:
        _watch(file, None, stack)
        await listener.start(host.handle)
    else:
        node = await host.node(party)
        await _keep_up(node, (party, worker_of(process)), file, state, stack)
        await listener.start(node.handle)
    stack.push_async_callback(listener.stop)
    desk.is_listening = True
    if desk.has_limits:
        cleaning = asyncio.create_task(desk.clean_daily())
        stack.callback(cleaning.cancel)
    return desk


async def _keep_up(
    node: Node,
    own: tuple[InstitutionId, str],
    file: DirectoryFile,
    state: NetworkState,
    stack: AsyncExitStack,
) -> None:
    """Look for a newer directory from now on; tell the others of it, or ask for what was missed; one of several does."""
    tells = state.synchronised and own == (state.source, "1")
    _watch(file, node.synchroniser.publish if tells else None, stack)
    if state.synchronised and isinstance(node, InstitutionNode) and not file.is_first:
        await node.synchroniser.ask()
    if isinstance(node, CentralNode):
        await node.synchroniser.ask_versions()


def _watch(file: DirectoryFile, tell: Callable[[], Awaitable[object]] | None, stack: AsyncExitStack) -> None:
    watch = asyncio.create_task(file.watch(tell))
    stack.callback(watch.cancel)


def _reader(node: Node) -> StoreReader:
    return LocalControl(node) if isinstance(node, InstitutionNode) else StoreReader(node.station.store)


def _line(node: Node) -> Line | None:
    return node.line if isinstance(node, AccessPoint) else None


async def _follow_peers(storage: Storage, host: Host) -> None:
    """Wake the nodes whenever another process that plays them has written something."""
    while True:
        try:
            async for parties in storage.news():
                await host.wake(parties)
        except StorageError as error:
            _log.warning("news of the other processes will be late: %r", error)
        await asyncio.sleep(_AGAIN)


async def _start_management(
    shared: NodeAddress, own: NodeAddress, app: web.Application, stack: AsyncExitStack
) -> None:
    """Answer at the port of this process, and at the one that all share who play the same: any of them will do."""
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    port = own.manage_port
    try:
        await web.TCPSite(runner, LOOPBACK, port).start()
        if shared.workers:
            port = shared.manage_port
            await web.TCPSite(runner, LOOPBACK, port, reuse_port=True).start()
    except OSError as error:
        raise EnvironmentProblem(
            f"Expected port {port} of {LOOPBACK} to be free, found it in use",
            hint="Stop the other program, or make the network anew with other ports.",
        ) from error
