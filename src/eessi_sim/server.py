"""One process of a network: one node or many, their store, their AS4 listener and their management interface."""

import asyncio
import logging
import signal
from collections.abc import Awaitable, Callable
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
from eessi_sim.clock import MovableClock
from eessi_sim.errors import EnvironmentProblem, StorageError
from eessi_sim.identifiers import InstitutionId, RandomIdFactory
from eessi_sim.institution.node import InstitutionNode
from eessi_sim.simulation.assembly import FORWARDING, Machinery, Node, build_node, load_library
from eessi_sim.simulation.control import LocalControl, StoreReader
from eessi_sim.simulation.credentials import Keyring, load_trust
from eessi_sim.simulation.host import Host
from eessi_sim.simulation.refresh import DirectoryFile
from eessi_sim.simulation.state import LOOPBACK, NetworkState, NodeAddress, load_state, worker_of
from eessi_sim.storage.base import Storage
from eessi_sim.storage.registry import open_storage
from eessi_sim.transport.base import TransportLimits
from eessi_sim.transport.http import HttpListener, HttpTransport

_log = logging.getLogger(__name__)
_SPARED: Final = 3600.0
"""Seconds for which a file of the spool is left alone that another process may have begun (our choice)."""
_AGAIN: Final = 1.0
"""Seconds to wait before the news are followed again when the store was away."""


async def serve(folder: Path, player: str) -> None:
    """Be one process of the network in ``folder`` until it is told to stop.

    Args:
        folder: the network.
        player: which process: a host, or the party that has a process of its own; with its number when several
            processes play the same.

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
        host = await _start_nodes(state, player, clock, stack)

        async def interface(party: InstitutionId) -> web.Application:
            node = await host.node(party)
            return make_app(_reader(node), state.token, clock, _line(node))

        first = addresses[0]
        app = (
            Front(host.party_at, interface).app()
            if first.host
            else await interface(InstitutionId(first.party))
        )
        await _start_management(state.address(first.party), first, app, stack)
        _log.info("%s is ready", player)
        await stop.wait()
        _log.info("%s stops", player)


async def _start_nodes(state: NetworkState, process: str, clock: MovableClock, stack: AsyncExitStack) -> Host:
    addresses = state.played_by(process)
    first = addresses[0]
    is_shared = state.has_peers(process)
    identity = state.tls_identity(process)
    storage = await open_storage(state.store_of(process))
    stack.push_async_callback(storage.close)
    if storage.spool is not None:
        has_peers = is_shared or bool(state.storage)
        storage.spool.sweep(await storage.spooled(), spare_seconds=_SPARED if has_peers else 0)
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
        LOOPBACK,
        first.port,
        identity=identity,
        limits=limits,
        spool=storage.spool,
        shared=is_shared,
    )
    stack.push_async_callback(host.stop)
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
    return host


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
