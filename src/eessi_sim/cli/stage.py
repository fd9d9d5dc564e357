"""A network to act on, whichever way it runs: in processes of its own, in this one, or started by somebody else.

Commands get a ``Stage`` and need not know which of the three it is.
"""

import asyncio
import secrets
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final, TypeVar

import aiohttp

from eessi_sim.cdm.catalogue import Catalogue
from eessi_sim.clock import Clock, ManualClock
from eessi_sim.errors import EessiSimError, EnvironmentProblem
from eessi_sim.identifiers import InstitutionId
from eessi_sim.ir import snapshot
from eessi_sim.ir.loader import NetworkDefinition
from eessi_sim.ir.model import AccessPointEntry
from eessi_sim.report.evidence import CA_FILE
from eessi_sim.security.pki import KeyAlgorithm
from eessi_sim.simulation.assembly import parties_of
from eessi_sim.simulation.control import NodeControl, NodeReader
from eessi_sim.simulation.credentials import Credentials
from eessi_sim.simulation.inprocess import START, InProcessNetwork
from eessi_sim.simulation.lines import Lines
from eessi_sim.simulation.processes import ProcessNetwork, controls_of
from eessi_sim.simulation.remote import RemoteControl
from eessi_sim.simulation.state import NetworkState, load_state

T = TypeVar("T")
STATE_FOLDER: Final = Path(".eessi-sim")
"""Where ``run`` keeps its network, and where the other commands look for one."""
CRL_FILE: Final = "ca.crl"
_AFTER_A_LEAP: Final = 1.0
"""Seconds in which separate nodes begin what became due because their clocks were moved."""
_SEEDS: Final = 10_000
"""How many seeds to choose from when none is given: few, so that the number can be read out."""


@dataclass(frozen=True, slots=True)
class Stage:
    """A running network."""

    readers: Mapping[InstitutionId, NodeReader]
    """All nodes."""
    controls: Mapping[InstitutionId, NodeControl]
    """The institutions."""
    clock: Clock
    pause: Callable[[], Awaitable[None]]
    """Lets the network work for a moment."""
    advance: Callable[[timedelta], Awaitable[None]]
    """Lets time pass on the clocks of all nodes."""
    let_pass: Callable[[timedelta], Awaitable[None]]
    """The same, but what is due meanwhile happens at its time where time is simulated."""
    lines: Lines
    """Between the access points."""
    mode: str
    """``processes`` or ``in-process``."""
    seed: int | None
    authority: Mapping[str, bytes]
    """Public files of the authority, by the names they have in a report."""


@asynccontextmanager
async def in_process(
    definition: NetworkDefinition,
    *,
    seed: int | None = None,
    algorithm: KeyAlgorithm = KeyAlgorithm.P_256,
    pace: float = 1.0,
    catalogue: Catalogue | None = None,
) -> AsyncIterator[Stage]:
    """Run a network in this process, on simulated time.

    Args:
        definition: the network.
        seed: decides ids and delays; one is chosen when None.
        algorithm: kind of keys; it does not change what is exchanged.
        pace: factor on the time institutions take to answer.
        catalogue: the SEDs; those that come with the program when None.
    """
    chosen = secrets.randbelow(_SEEDS) if seed is None else seed
    clock = ManualClock(START)
    credentials = Credentials.make(parties_of(definition), now=clock.now(), algorithm=algorithm)
    async with InProcessNetwork(
        definition, seed=chosen, credentials=credentials, clock=clock, pace=pace, catalogue=catalogue
    ) as network:
        authority = credentials.authority
        yield Stage(
            readers=network.readers,
            controls=network.controls,
            clock=clock,
            pause=network.pause,
            advance=network.advance,
            let_pass=network.let_pass,
            lines=network.lines,
            mode="in-process",
            seed=chosen,
            authority={CA_FILE: authority.certificate.pem, CRL_FILE: authority.crl(credentials.made_at)},
        )


def run_async(work: Coroutine[object, object, T]) -> T:
    """Run ``work`` to its end; a polite request to end the process stops it like Ctrl-C, cleaning up behind it.

    Raises:
        KeyboardInterrupt: it was stopped.
    """
    try:
        return asyncio.run(_until_told(work))
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None


async def _until_told(work: Coroutine[object, object, T]) -> T:
    task = asyncio.current_task()
    assert task is not None  # we run in one
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    return await work


@asynccontextmanager
async def processes(
    state: NetworkState, on_ready: Callable[[str], None] = lambda _party: None
) -> AsyncIterator[Stage]:
    """Run an established network, every node as a process of its own.

    Args:
        state: the network.
        on_ready: told about each node that is up.
    """
    async with ProcessNetwork(state, on_ready) as network:
        yield _stage(network, network.readers)


@asynccontextmanager
async def running(state: NetworkState) -> AsyncIterator[Stage | None]:
    """Use a network that somebody else runs; None when nobody does."""
    async with aiohttp.ClientSession(trust_env=False) as session:
        network = ProcessNetwork(state)
        nodes = controls_of(session, state)
        up = await _answers(nodes[InstitutionId(state.access_points[0])])
        yield _stage(network, nodes) if up else None


async def is_running(state: NetworkState) -> bool:
    """Return whether the access point of a network answers."""
    async with running(state) as stage:
        return stage is not None


def find_state(folder: Path) -> NetworkState | None:
    """Return the network that was established in a folder, None when there is none.

    Raises:
        EnvironmentProblem: there is something, but it cannot be read.
    """
    return load_state(folder) if (folder / "network.json").exists() else None


def require_new(folder: Path) -> None:
    """Refuse a folder in which a network was established before.

    Raises:
        EnvironmentProblem: there is one.
    """
    if find_state(folder) is not None:
        raise EnvironmentProblem(
            f'Expected a folder without a network, found one in "{folder}"',
            hint="Name another folder with --state, or remove this one.",
        )


def _stage(network: ProcessNetwork, nodes: Mapping[InstitutionId, RemoteControl]) -> Stage:
    state = network.state

    async def advance(by: timedelta) -> None:
        """A node that starts again later begins at the time of the machine."""
        clocks = {node.player: nodes[InstitutionId(node.party)] for node in state.nodes}  # one per process
        await asyncio.gather(*(node.advance_clock(by) for node in clocks.values()))
        network.clock.advance(by)

    async def let_pass(by: timedelta) -> None:
        await advance(by)
        await asyncio.sleep(_AFTER_A_LEAP)

    async def switch(point: InstitutionId, is_up: bool) -> None:
        await nodes[point].set_line(is_up=is_up)

    async def is_up(point: InstitutionId) -> bool:
        return await nodes[point].has_line()

    files = {name: state.pki / name for name in (CA_FILE, CRL_FILE)}
    return Stage(
        readers=nodes,
        controls={party: nodes[party] for party in state.institutions},
        clock=network.clock,
        pause=network.pause,
        advance=advance,
        let_pass=let_pass,
        lines=Lines(_points(state), switch, is_up, nodes),
        mode="processes",
        seed=None,
        authority={name: path.read_bytes() for name, path in files.items() if path.exists()},
    )


def _points(state: NetworkState) -> tuple[AccessPointEntry, ...]:
    """Return the access points with whom they serve; where one serves all, the whole directory is not read for that."""
    if len(state.access_points) > 1:
        return snapshot.load(state.directory_file).access_points
    return tuple(AccessPointEntry(InstitutionId(party), party, "EU") for party in state.access_points)


async def _answers(point: RemoteControl) -> bool:
    try:
        return await point.is_ready()
    except EessiSimError:  # something else listens there
        return False
