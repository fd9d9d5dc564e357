"""One process of a network: one node or many, their store, their AS4 listener and their management interface."""

import asyncio
import logging
import signal
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Final

from aiohttp import web

from eessi_sim import resources
from eessi_sim.access_point.line import Line
from eessi_sim.access_point.service import AccessPoint
from eessi_sim.api.front import Front
from eessi_sim.api.manage import make_app
from eessi_sim.api.operations import HostRoutes
from eessi_sim.clock import MovableClock
from eessi_sim.errors import EnvironmentProblem
from eessi_sim.gateway.retention import Retention
from eessi_sim.identifiers import InstitutionId, RandomIdFactory
from eessi_sim.institution.node import InstitutionNode
from eessi_sim.ir.model import Keeping
from eessi_sim.simulation.assembly import FORWARDING, Machinery, Node, build_node, load_library
from eessi_sim.simulation.control import LocalControl, StoreReader
from eessi_sim.simulation.credentials import Keyring, load_trust
from eessi_sim.simulation.host import Host
from eessi_sim.simulation.logs import LogFormat
from eessi_sim.simulation.operations import Operations, finish
from eessi_sim.simulation.refresh import DirectoryFile
from eessi_sim.simulation.state import LOOPBACK, NetworkState, NodeAddress, load_state
from eessi_sim.storage.registry import open_storage, url_of
from eessi_sim.transport.base import TransportLimits
from eessi_sim.transport.http import HttpListener, HttpTransport

_log = logging.getLogger(__name__)

_STOPS: Final = (signal.SIGTERM, signal.SIGINT)
_FINISH_WITHIN: Final = 8.0
"""Seconds for what is under way when the process is told to stop: less than who started it waits (inferred)."""
_DAY: Final = 86_400.0


async def serve(folder: Path, player: str, form: LogFormat = LogFormat.TEXT) -> None:
    """Be one process of the network in ``folder`` until it is told to stop.

    Args:
        folder: the network.
        player: which process: a host, or the party that has a process of its own.
        form: of its log; JSON has the steps of the journal too.

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
        desk = await _start_nodes(state, addresses, clock, stack, logs_steps=form is LogFormat.JSON)
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
        await _start_management(first, app, stack)
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
            await self._clock.sleep(_DAY)

    @property
    def has_limits(self) -> bool:
        """Whether something need not be kept for ever."""
        return self._retention != Retention()


async def _start_nodes(
    state: NetworkState,
    addresses: Sequence[NodeAddress],
    clock: MovableClock,
    stack: AsyncExitStack,
    *,
    logs_steps: bool,
) -> _Desk:
    first = addresses[0]
    identity = state.tls_identity(first.player)
    storage = await open_storage(url_of(state.database(first.player)))
    stack.push_async_callback(storage.close)
    if storage.spool is not None:
        storage.spool.sweep(await storage.spooled())
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
        logs_steps=logs_steps,
        checks=state.checks,
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
    listener = HttpListener(LOOPBACK, first.port, identity=identity, limits=limits, spool=storage.spool)
    desk = _Desk(host, machinery, state.database(first.player).parent, state.limits.keeping)
    stack.push_async_callback(desk.finish)
    await host.start()
    if first.host:
        _watch(file, None, stack)
        await listener.start(host.handle)
    else:
        node = await host.node(party)
        await _keep_up(node, party, file, state, stack)
        await listener.start(node.handle)
    stack.push_async_callback(listener.stop)
    desk.is_listening = True
    if desk.has_limits:
        cleaning = asyncio.create_task(desk.clean_daily())
        stack.callback(cleaning.cancel)
    return desk


async def _keep_up(
    node: Node, party: InstitutionId, file: DirectoryFile, state: NetworkState, stack: AsyncExitStack
) -> None:
    """Look for a newer directory from now on; tell the others of it, or ask for what was missed."""
    tells = state.synchronised and party == state.source
    _watch(file, node.synchroniser.publish if tells else None, stack)
    if state.synchronised and isinstance(node, InstitutionNode) and not file.is_first:
        await node.synchroniser.ask()


def _watch(file: DirectoryFile, tell: Callable[[], Awaitable[object]] | None, stack: AsyncExitStack) -> None:
    watch = asyncio.create_task(file.watch(tell))
    stack.callback(watch.cancel)


def _reader(node: Node) -> StoreReader:
    return LocalControl(node) if isinstance(node, InstitutionNode) else StoreReader(node.station.store)


def _line(node: Node) -> Line | None:
    return node.line if isinstance(node, AccessPoint) else None


async def _start_management(address: NodeAddress, app: web.Application, stack: AsyncExitStack) -> None:
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    try:
        await web.TCPSite(runner, LOOPBACK, address.manage_port).start()
    except OSError as error:
        raise EnvironmentProblem(
            f"Expected port {address.manage_port} of {LOOPBACK} to be free, found it in use",
            hint="Stop the other program, or make the network anew with other ports.",
        ) from error
