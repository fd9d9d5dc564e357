"""One process of a network: one node, its store, its AS4 listener and its management interface."""

import asyncio
import logging
import signal
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Final

from aiohttp import web

from eessi_sim import resources
from eessi_sim.access_point.line import Line
from eessi_sim.access_point.service import AccessPoint
from eessi_sim.api.manage import make_app
from eessi_sim.clock import MovableClock
from eessi_sim.errors import EnvironmentProblem
from eessi_sim.gateway.retention import Retention
from eessi_sim.identifiers import InstitutionId, RandomIdFactory
from eessi_sim.institution.node import InstitutionNode
from eessi_sim.simulation.assembly import FORWARDING, Machinery, Node, build_node, load_library
from eessi_sim.simulation.control import LocalControl, StoreReader
from eessi_sim.simulation.credentials import PartyKeys, load_trust
from eessi_sim.simulation.logs import LogFormat
from eessi_sim.simulation.operations import Operations
from eessi_sim.simulation.refresh import DirectoryFile
from eessi_sim.simulation.state import LOOPBACK, NetworkState, NodeAddress, load_state
from eessi_sim.storage.registry import open_storage, url_of
from eessi_sim.transport.base import TransportLimits
from eessi_sim.transport.http import HttpListener, HttpTransport

_log = logging.getLogger(__name__)

_STOPS: Final = (signal.SIGTERM, signal.SIGINT)
_FINISH_WITHIN: Final = 8.0
"""Seconds for what is under way when the process is told to stop: less than who started it waits (inferred)."""


async def serve(folder: Path, party: InstitutionId, form: LogFormat = LogFormat.TEXT) -> None:
    """Play one node of the network in ``folder`` until the process is told to stop.

    Args:
        folder: the network.
        party: which node.
        form: of its log; JSON has the steps of the journal too.

    Raises:
        EnvironmentProblem: the network, a port or the store cannot be used.
    """
    state = load_state(folder)
    address = state.address(party)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in _STOPS:
        loop.add_signal_handler(number, stop.set)
    async with AsyncExitStack() as stack:
        clock = MovableClock()
        operations = await _start_node(state, address, clock, stack, logs_steps=form is LogFormat.JSON)
        node = operations.node
        app = make_app(_reader(node), state.token, clock, line=_line(node), operations=operations)
        await _start_management(address, app, stack)
        _log.info("%s is ready", party)
        await stop.wait()
        _log.info("%s stops", party)
        for number in _STOPS:  # the next one ends the process at once; the store bears that
            loop.remove_signal_handler(number)
        await operations.finish(_FINISH_WITHIN)


async def _start_node(
    state: NetworkState,
    address: NodeAddress,
    clock: MovableClock,
    stack: AsyncExitStack,
    *,
    logs_steps: bool,
) -> Operations:
    party = InstitutionId(address.party)
    identity = state.tls_identity(party)
    storage = await open_storage(url_of(state.database(party)))
    stack.push_async_callback(storage.close)
    if storage.spool is not None:
        storage.spool.sweep(await storage.spooled())
    file = DirectoryFile(state.directory_of(party), state.directory_file)
    directory = file.directory
    transport = HttpTransport(
        identity, listed=lambda url: [each.der for each in directory.current.certificates_at(url).tls]
    )
    stack.push_async_callback(transport.close)
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
    node = build_node(party, PartyKeys.load(state.pki / party.file_name), transport, machinery)
    limits = TransportLimits(
        max_body=machinery.limits.body_bytes,
        read_seconds=state.limits.read_seconds,
        requests_per_client=state.limits.requests_per_client,
    )
    listener = HttpListener(LOOPBACK, address.port, identity=identity, limits=limits, spool=storage.spool)
    operations = Operations(node, storage, state.database(party).parent)
    await node.start()
    stack.push_async_callback(operations.finish, _FINISH_WITHIN)
    keeping = Retention(state.limits.keeping.messages, state.limits.keeping.journal)
    if keeping != Retention():
        cleaning = asyncio.create_task(operations.clean_daily(keeping))
        stack.callback(cleaning.cancel)
    await _keep_up(node, party, file, state, stack)
    await listener.start(node.handle)
    operations.is_listening = True
    stack.push_async_callback(listener.stop)
    return operations


async def _keep_up(
    node: Node, party: InstitutionId, file: DirectoryFile, state: NetworkState, stack: AsyncExitStack
) -> None:
    """Look for a newer directory from now on; tell the others of it, or ask for what was missed."""
    tells = state.synchronised and party == state.source
    watch = asyncio.create_task(file.watch(node.synchroniser.publish if tells else None))
    stack.callback(watch.cancel)
    if state.synchronised and isinstance(node, InstitutionNode) and not file.is_first:
        await node.synchroniser.ask()


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
