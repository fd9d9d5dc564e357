"""What who runs a node may ask of it: is it well, how much waits, dead letters and their second chance, draining."""

import asyncio
import logging
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from eessi_sim.access_point.alarms import NOT_COLLECTED
from eessi_sim.access_point.central import CentralNode
from eessi_sim.access_point.channels import Depth, depths
from eessi_sim.access_point.service import AccessPoint
from eessi_sim.as4.exchange import InboundState, OutboundState, is_settled
from eessi_sim.errors import StorageError
from eessi_sim.gateway import dead_letters
from eessi_sim.gateway.retention import Cleaned, Retention, clean
from eessi_sim.gateway.station import Station
from eessi_sim.institution.node import InstitutionNode
from eessi_sim.institution.receiving import ANSWER_DUE
from eessi_sim.measures import Histogram, Measures
from eessi_sim.simulation.assembly import Node
from eessi_sim.simulation.views import CheckView, HealthView, MessageView, message_view
from eessi_sim.storage.base import Counts, Direction, Storage, UnitOfWork

_log = logging.getLogger(__name__)

_MOST: Final = 1000
"""Dead letters that are listed."""
OPERATOR: Final = "operator"
"""Who is meant when nobody gives a name."""
NODE_ITSELF: Final = "node"
"""Who is meant by what a node does by itself."""
DISK_FLOOR: Final = 100 * 1024 * 1024
"""Octets that must be free where the store lies: room for the messages of some minutes (our choice, inferred)."""
SPARED: Final = 3600.0
"""Seconds for which a file of the spool is left alone that somebody may have begun (our choice)."""
_QUEUES: Final = {
    "outbox": (
        Direction.OUT,
        tuple(
            state
            for state in OutboundState
            if not is_settled(state) and state not in (OutboundState.PARKED, OutboundState.OFFERED)
        ),
    ),
    "inbox": (Direction.IN, (*(state for state in InboundState if not is_settled(state)), ANSWER_DUE)),
}
"""What a node works off by itself, by direction and states; what is parked waits for others."""


@dataclass(frozen=True, slots=True)
class QueueFigure:
    """How much waits in one queue or channel."""

    name: str
    number: int
    oldest: datetime | None
    """When the oldest message was made."""

    def age(self, at: datetime) -> float:
        """Return how many seconds the oldest has waited; 0 when nothing waits."""
        return 0.0 if self.oldest is None else max((at - self.oldest).total_seconds(), 0.0)


@dataclass(frozen=True, slots=True)
class Figures:
    """The numbers of one node at one moment."""

    party: str
    at: datetime
    counts: Counts
    queues: tuple[QueueFigure, ...]
    channels: tuple[QueueFigure, ...]
    alarms: dict[str, int]
    under_way: dict[str, int]
    measures: Measures
    group_sizes: Histogram | None
    is_ready: bool

    @property
    def dead_letters(self) -> dict[str, int]:
        """How many messages could not go on, by direction."""
        return {
            str(direction): self.counts.in_state(direction, *dead_letters.DEAD) for direction in Direction
        }


class Operations:
    """A node of this process in the hands of who runs it.

    Args:
        node: the institution or access point.
        storage: where its store lies; None leaves out what only that knows.
        folder: a folder on the disk of the store; None asks for no free space.
    """

    def __init__(self, node: Node, storage: Storage | None = None, folder: Path | None = None) -> None:
        self.node = node
        """The node itself."""
        self._storage = storage
        self._folder = folder
        self.is_listening = False
        """Whether the AS4 listener is up; who starts it says so."""

    @property
    def station(self) -> Station:
        """Identity, seams and limits of the node."""
        return station_of(self.node)

    # Dead letters.

    async def dead_letters(self) -> Sequence[MessageView]:
        """Return the messages that could not go on, newest first."""
        found = await self.station.store.messages(dead_letters.ALL_DEAD, limit=_MOST)
        return [message_view(message) for message in found]

    async def resend(
        self, direction: Direction, message_id: str, *, actor: str = OPERATOR, force: bool = False
    ) -> MessageView:
        """Put a dead letter back into its queue and wake who works that off.

        Raises:
            MessageNotFound: there is no such dead letter.
            ResendUseless: the same bytes can only be refused again, and nobody forces it.
            Conflict: something happened to it meanwhile.
        """
        station = self.station
        now = station.clock.now()
        message = await dead_letters.resend(
            station.store, direction, message_id, actor=actor, at=now, force=force
        )
        self.node.take_up(message)
        return message_view(message)

    async def clean_up(
        self, retention: Retention, *, actor: str = OPERATOR, dry_run: bool = False
    ) -> Cleaned:
        """Remove what need not be kept any longer, or only count it.

        Raises:
            Unavailable: the store cannot be written.
        """
        now = self.station.clock.now()
        return await clean(self.station.store, retention, now, actor=actor, dry_run=dry_run)

    async def clean_today(self, retention: Retention) -> None:
        """Remove what need not be kept any longer; a store that fails costs one day."""
        try:
            await self.clean_up(retention, actor=NODE_ITSELF)
        except StorageError as error:
            _log.warning("%s: no clean-up today: %s", self.station.party, error.code)

    # Draining.

    @property
    def is_drained(self) -> bool:
        """Whether the node takes no new work."""
        return not self.station.gate.is_open

    async def drain(self, actor: str = OPERATOR) -> HealthView:
        """Take no new work; what is there is worked off, and receipts and errors still come in."""
        return await self._turn("drained", actor, is_open=False)

    async def undrain(self, actor: str = OPERATOR) -> HealthView:
        """Take new work again."""
        return await self._turn("undrained", actor, is_open=True)

    async def _turn(self, step: str, actor: str, *, is_open: bool) -> HealthView:
        station = self.station
        if station.gate.is_open is not is_open:
            station.gate.is_open = is_open
            _log.info("%s is %s", station.party, step)
            work = UnitOfWork()
            work.journal(station.note(step, "ok", actor=actor))
            await station.store.commit(work)
        return await self.health()

    # Health.

    async def health(self) -> HealthView:
        """Return whether the node takes new work, and what keeps it from that."""
        checks = {
            "store": await self._store_trouble(),
            "listener": None if self.is_listening else "does not listen",
            "directory": self._directory_trouble(),
            "drain": None if self.station.gate.is_open else "is being drained",
            "disk": await asyncio.to_thread(self._disk_trouble),
        }
        found = tuple(CheckView(name, trouble is None, trouble or "ok") for name, trouble in checks.items())
        figures = await self._queue_figures()
        counts = await self.station.store.counts()
        return HealthView(
            node=self.station.party,
            is_ready=all(check.ok for check in found),
            checks=found,
            waiting={each.name: each.number for each in figures},
            dead_letters=sum(counts.in_state(each, *dead_letters.DEAD) for each in Direction),
            alarms=self._alarms(await self._depths()),
        )

    async def _store_trouble(self) -> str | None:
        """Return why the store cannot be written; an empty transaction shows a lock, the last message a full disk."""
        try:
            await self.station.store.commit(UnitOfWork())
        except StorageError as error:
            return f"{error.code}: {error.message}"
        return self.station.gate.trouble

    def _directory_trouble(self) -> str | None:
        directory, party = self.station.directory.current, self.station.party
        if isinstance(self.node, CentralNode):
            return None if directory.access_points else "the directory lists no access point"
        is_listed = directory.find(party) is not None or directory.find_access_point(party) is not None
        return None if is_listed else f"the directory does not list {party}"

    def _disk_trouble(self) -> str | None:
        if self._folder is None:
            return None
        free = shutil.disk_usage(self._folder).free
        return None if free >= DISK_FLOOR else f"{free} octets are free, {DISK_FLOOR} are needed"

    # Numbers.

    async def figures(self) -> Figures:
        """Return the numbers of this moment."""
        node, station, found = self.node, self.station, await self._depths()
        return Figures(
            party=station.party,
            at=station.clock.now(),
            counts=await station.store.counts(),
            queues=await self._queue_figures(),
            channels=tuple(QueueFigure(each.channel, each.waiting, each.oldest) for each in found),
            alarms=self._alarms(found),
            under_way={name: worker.under_way for name, worker in node.workers.items()},
            measures=station.measures,
            group_sizes=self._storage.group_sizes if self._storage else None,
            is_ready=(await self.health()).is_ready,
        )

    async def _queue_figures(self) -> tuple[QueueFigure, ...]:
        store = self.station.store
        counts = await store.counts()
        return tuple(
            [
                QueueFigure(name, counts.in_state(direction, *states), await store.oldest(direction, states))
                for name, (direction, states) in _QUEUES.items()
            ]
        )

    async def _depths(self) -> tuple[Depth, ...]:
        node = self.node
        return depths(await node.channels.uncollected()) if isinstance(node, AccessPoint) else ()

    def _alarms(self, found: Sequence[Depth]) -> dict[str, int]:
        if not isinstance(self.node, AccessPoint):
            return {}
        now = self.station.clock.now()
        return {NOT_COLLECTED: sum(depth.is_late(now) for depth in found)}


def station_of(node: Node) -> Station:
    """Return identity, seams and limits of a node."""
    return node.office.station if isinstance(node, InstitutionNode) else node.station


async def finish(nodes: Sequence[Node], within: float) -> bool:
    """Let nodes take no new work, end what is under way and stop; the rest waits in the store.

    Args:
        nodes: of this process.
        within: seconds after which what is still under way is abandoned to its leases.

    Returns:
        Whether everything came to its end.
    """
    gates = [station_of(node).gate for node in nodes]
    for gate in gates:
        gate.is_open = False
    try:
        async with asyncio.timeout(within):
            await asyncio.gather(*(gate.until_idle() for gate in gates))
            await asyncio.gather(*(node.stop() for node in nodes))
    except TimeoutError:
        _log.warning("What is still under way is abandoned; its leases bring it back")
        return False
    return True


async def sweep(storage: Storage, spare_seconds: float) -> None:
    """Remove the files of the spool that no message and no content of the store names.

    Args:
        storage: whose spool it is.
        spare_seconds: leave alone what was written in so many seconds before.

    Raises:
        Unavailable: the store or the folder cannot be used.
    """
    if storage.spool is not None:
        storage.spool.sweep(await storage.spooled(), spare_seconds=spare_seconds)


async def sweep_today(storage: Storage) -> None:
    """Remove the files that the clean-up of the day left without a message; a store that fails costs one day."""
    try:
        await sweep(storage, SPARED)
    except StorageError as error:
        _log.warning("the spool is not swept today: %s", error.code)
