"""One process of a network: one node or many, their store, their AS4 listener and their management interface."""

import asyncio
import logging
import signal
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

from aiohttp import web

from eessi_sim import resources
from eessi_sim.access_point.line import Line
from eessi_sim.access_point.service import AccessPoint
from eessi_sim.api.front import Front
from eessi_sim.api.manage import make_app
from eessi_sim.clock import MovableClock
from eessi_sim.errors import EnvironmentProblem
from eessi_sim.identifiers import InstitutionId, RandomIdFactory
from eessi_sim.institution.node import InstitutionNode
from eessi_sim.simulation.assembly import FORWARDING, Machinery, Node, build_node, load_library
from eessi_sim.simulation.control import LocalControl, StoreReader
from eessi_sim.simulation.credentials import Keyring, load_trust
from eessi_sim.simulation.host import Host
from eessi_sim.simulation.refresh import DirectoryFile
from eessi_sim.simulation.state import LOOPBACK, NetworkState, NodeAddress, load_state
from eessi_sim.storage.registry import open_storage, url_of
from eessi_sim.transport.base import TransportLimits
from eessi_sim.transport.http import HttpListener, HttpTransport

_log = logging.getLogger(__name__)


async def serve(folder: Path, player: str) -> None:
    """Be one process of the network in ``folder`` until it is told to stop.

    Args:
        folder: the network.
        player: which process: a host, or the party that has a process of its own.

    Raises:
        EnvironmentProblem: the network, a port or the store cannot be used.
    """
    state = load_state(folder)
    addresses = state.played_by(player)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with AsyncExitStack() as stack:
        clock = MovableClock()
        host = await _start_nodes(state, addresses, clock, stack)

        async def interface(party: InstitutionId) -> web.Application:
            node = await host.node(party)
            return make_app(_reader(node), state.token, clock, _line(node))

        first = addresses[0]
        app = (
            Front(host.party_at, interface).app()
            if first.host
            else await interface(InstitutionId(first.party))
        )
        await _start_management(first, app, stack)
        _log.info("%s is ready", player)
        await stop.wait()
        _log.info("%s stops", player)


async def _start_nodes(
    state: NetworkState, addresses: Sequence[NodeAddress], clock: MovableClock, stack: AsyncExitStack
) -> Host:
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
    stack.push_async_callback(host.stop)
    await host.start()
    if first.host:
        _watch(file, None, stack)
        await listener.start(host.handle)
    else:
        node = await host.node(party)
        await _keep_up(node, party, file, state, stack)
        await listener.start(node.handle)
    stack.push_async_callback(listener.stop)
    return host


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
