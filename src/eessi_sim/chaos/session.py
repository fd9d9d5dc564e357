"""One experiment from beginning to end: network, load and disturbances, rest, audit."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from eessi_sim.as4.exchange import InboundState, OutboundState
from eessi_sim.chaos.act import Actor
from eessi_sim.chaos.audit import Audit, audit
from eessi_sim.chaos.books import Books, read_books
from eessi_sim.chaos.drive import Drive
from eessi_sim.chaos.model import Done, Kind, Plan
from eessi_sim.chaos.network import ChaosNetwork, prepare
from eessi_sim.chaos.plan import schedule
from eessi_sim.chaos.post import Poster
from eessi_sim.gateway.outbox import WAITING
from eessi_sim.identifiers import InstitutionId
from eessi_sim.ir.loader import NetworkDefinition
from eessi_sim.security.pki import KeyAlgorithm
from eessi_sim.simulation.state import Sharing
from eessi_sim.storage.base import Direction
from eessi_sim.storage.local_server import LocalServer

OWN_SERVER: Final = "postgresql:"
"""Instead of the URL of a store: a server of our own, which the disturbances may end."""
_LOOK_AGAIN: Final = 1.0
_UNDONE: Final = (InboundState.RECEIVED, InboundState.PROCESSING)
_PATIENT: Final = (OutboundState.AWAITING_RECEIPT, OutboundState.RETRY_DUE)
_STEPS: Final = (timedelta(minutes=2), timedelta(minutes=10), timedelta(hours=1), timedelta(hours=12))
"""By how much time goes on when nothing else happens; the last one again and again."""


@dataclass(frozen=True, slots=True)
class Order:
    """What to do."""

    plan: Plan
    definition: NetworkDefinition
    """A network that has the institutions of the plan, and only those."""
    folder: Path
    """Where the network lives."""
    seconds: float
    seed: int
    settle: float = 400.0
    """Seconds that the network has to finish when the disturbances are over."""
    keys: KeyAlgorithm = KeyAlgorithm.P_256
    kinds: frozenset[Kind] = frozenset(Kind)
    storage: str = ""
    """URL of one store for all nodes; ``postgresql:`` starts a server for the experiment, empty means files."""
    workers: int = 1
    """Processes that play the access point together."""


@dataclass(frozen=True, slots=True)
class Result:
    """What was done and what came of it."""

    title: str
    seed: int
    seconds: float
    settled_after: float | None
    """Seconds until all queues were empty; None when they were not in time."""
    done: tuple[Done, ...]
    kills: int
    unknown: int
    """Requests to send whose outcome the harness never heard."""
    refused: dict[str, int]
    """Requests to send that a node refused, by code."""
    audit: Audit

    @property
    def is_success(self) -> bool:
        """Whether nothing is wrong."""
        return self.audit.is_success and not self.wrong_answers

    @property
    def sent(self) -> int:
        """SEDs that senders took upon themselves."""
        return sum(row.sent for row in self.audit.rows)

    @property
    def wrong_answers(self) -> tuple[str, ...]:
        """What a node with a full disk answered, other than that it is full or has the message."""
        return tuple(
            answer
            for done in self.done
            if done.disturbance.kind is Kind.FULL_DISK
            for answer in done.answers
            if answer[:3].isdigit() and answer[:3] != "202" and not answer.startswith("503 EBMS:")
        )

    def as_dict(self) -> dict[str, object]:
        """Return the result as JSON."""
        return {
            "title": self.title,
            "seed": self.seed,
            "seconds": self.seconds,
            "settled_after": self.settled_after,
            "success": self.is_success,
            "sent": self.sent,
            "kills": self.kills,
            "unknown_requests": self.unknown,
            "refused_requests": self.refused,
            "audit": self.audit.as_dict(),
            "disturbances": [asdict(done) for done in self.done],
        }


async def run(order: Order, tell: Callable[[str], None] = lambda _words: None) -> Result:
    """Do the whole experiment.

    Args:
        order: what to do.
        tell: told what happens, as it happens.

    Raises:
        EnvironmentProblem: a process does not start.
    """
    async with _server_for(order) as server:
        tell("making keys and certificates")
        sharing = Sharing(access_points=order.workers, storage=server.url if server else order.storage)
        state = await asyncio.to_thread(prepare, order.definition, order.folder, order.keys, sharing)
        network = ChaosNetwork(state, order.seed, server)
        async with network:
            controls = {party: network.control(party) for party in network.parties if party != network.point}
            drive = Drive(controls, order.plan.load)
            done = await _disturb(order, network, drive, tell)
            tell("disturbances are over; waiting until all queues are empty")
            settled = await _settle(network, order.settle)
        tell("reading the books")
        damage = await network.damage()
        books = [await _books(network, party, damage.get(party, "")) for party in network.parties]
    promises = drive.promises
    return Result(
        title=order.plan.title,
        seed=order.seed,
        seconds=order.seconds,
        settled_after=settled,
        done=tuple(done),
        kills=network.kills,
        unknown=sum(each.unknown for each in promises.values()),
        refused=dict(sum((each.refused for each in promises.values()), Counter())),
        audit=audit(
            books,
            point=network.point,
            promised={party: each.confirmed for party, each in promises.items()},
            explains=order.plan.explains,
        ),
    )


@asynccontextmanager
async def _server_for(order: Order) -> AsyncIterator[LocalServer | None]:
    """Run a database server for the experiment, where one is asked for; its data go with it."""
    if order.storage != OWN_SERVER:
        yield None
        return
    # Not in the folder of the network: root's server runs as nobody, who may not look into that.
    with TemporaryDirectory(prefix="eessi-sim-chaos-", ignore_cleanup_errors=True) as folder:
        server = LocalServer(Path(folder))
        await asyncio.to_thread(server.start)
        try:
            yield server
        finally:
            await asyncio.to_thread(server.stop)


async def _disturb(
    order: Order, network: ChaosNetwork, drive: Drive, tell: Callable[[str], None]
) -> list[Done]:
    """Send and disturb at the same time; return when the last disturbance has ended."""
    planned = schedule(
        order.plan, point=network.point, seconds=order.seconds, seed=order.seed, kinds=order.kinds
    )

    def said(done: Done) -> None:
        it = done.disturbance
        tell(
            f"{done.began:6.1f} s  {it.kind} {it.party} {it.seconds:.1f} s {done.skipped or dict(done.answers) or ''}"
        )

    async with Poster(network, drive, order.seed) as poster:
        sending = asyncio.create_task(drive.run())
        acting = asyncio.create_task(Actor(network, poster, said).run(planned, order.seconds))
        await asyncio.wait([sending], timeout=order.seconds)
        drive.stop()
        done = await acting
        await sending
    return done


async def _settle(network: ChaosNetwork, within: float) -> float | None:
    """Wait until no node has anything left to do; return how long that took, None when it took too long.

    Schedules go on for a day and longer. When all that is left waits for its time, the clocks of all nodes are moved.
    """
    loop = asyncio.get_running_loop()
    start, steps = loop.time(), iter(_STEPS)
    while loop.time() - start < within:
        busy, waiting = await _left(network)
        if not busy and not waiting:
            return round(loop.time() - start, 1)
        if not busy:
            await network.advance(next(steps, _STEPS[-1]))
        await asyncio.sleep(_LOOK_AGAIN)
    return None


async def _left(network: ChaosNetwork) -> tuple[int, int]:
    """Return how many messages are under way, and how many wait for their time."""
    busy = waiting = 0
    for party in network.parties:
        async with network.store(party) as store:
            counts = await store.counts()
        waits = counts.in_state(Direction.OUT, *_PATIENT)
        waiting += waits
        busy += counts.in_state(Direction.OUT, *WAITING) - waits + counts.in_state(Direction.IN, *_UNDONE)
    return busy, waiting


async def _books(network: ChaosNetwork, party: InstitutionId, damage: str) -> Books:
    async with network.store(party) as store:
        return await read_books(party, store, damage)
