"""The pull channels of the access point: what waits for institutions that fetch their messages.

The store is the truth; the order in which messages are handed out is kept in memory and read again at a start.
What is offered next and when again is decided in ``as4.channels``.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from eessi_sim.access_point.routing import Route
from eessi_sim.as4.channels import OfferPolicy, OfferState, Waiting, channel_mpc, next_offer
from eessi_sim.as4.exchange import OutboundState
from eessi_sim.gateway.station import Station
from eessi_sim.identifiers import MessageId
from eessi_sim.storage.base import Direction, MessageKind, MessageQuery, StoredMessage, UnitOfWork

OFFERS: Final = OfferPolicy(timedelta(seconds=5), most=150, multiplier=2, longest=timedelta(minutes=10))
"""About a day, as long as an access point tries to push. The first wait is shorter than an institution holds a document
that has overtaken another one, so that a message lost on the way comes in time (our choice, inferred)."""
UNCOLLECTED: Final = (OutboundState.PARKED, OutboundState.OFFERED)
"""States of what waits in a channel."""
COLLECT_WITHIN: Final = timedelta(hours=24)
"""An institution must collect its messages at least once in this time (decision E6, documented)."""
ALARM: Final = "alarm"
"""Detail of a message whose alarm was raised; a node that starts again does not raise it once more."""
_OLD: Final = timedelta(minutes=1)
"""What is put into a channel at this age has waited there before."""
_STATES: Final = {OutboundState.PARKED: OfferState.READY, OutboundState.OFFERED: OfferState.OFFERED}


@dataclass(frozen=True, slots=True)
class Depth:
    """How much waits in one channel."""

    channel: str
    waiting: int
    """Messages that were not receipted, signals included."""
    offered: int
    """Those of them that were handed out."""
    oldest: datetime
    """When the oldest of them was taken in."""

    has_alarm: bool = False
    """Whether the access point has raised the alarm about one of them, by its own clock."""

    def is_late(self, now: datetime) -> bool:
        """Whether the oldest should have been collected by now."""
        return self.has_alarm or now - self.oldest > COLLECT_WITHIN


class Channels:
    """What waits in the channels of one access point.

    Args:
        station: its identity and store.
        policy: how often a message without receipt is handed out.
    """

    def __init__(self, station: Station, policy: OfferPolicy = OFFERS) -> None:
        self._station = station
        self._policy = policy
        self._waiting: dict[str, dict[str, Waiting]] = {}
        """By MPC."""
        self._on_waiting: Callable[[], None] = lambda: None

    def tell(self, on_waiting: Callable[[], None]) -> None:
        """Call ``on_waiting`` when something waits where nothing waited, or something that is old comes back."""
        self._on_waiting = on_waiting

    async def read_all(self) -> None:
        """Take up what an earlier run left."""
        query = MessageQuery(direction=Direction.OUT, states=UNCOLLECTED)
        for message in reversed(await self._station.store.messages(query, limit=self._station.queue * 2)):
            self._keep(message)

    def put(self, message: StoredMessage) -> None:
        """Let a message that is stored as parked wait; one whose way is another is none of ours."""
        if message.state == OutboundState.PARKED:
            is_news = not any(self._waiting.values()) or message.created_at < self._station.clock.now() - _OLD
            self._keep(message)
            if is_news:
                self._on_waiting()

    def _keep(self, message: StoredMessage) -> None:
        state = _STATES[OutboundState(message.state)]
        entry = Waiting(
            message.message_id,
            channel_mpc(message.channel or ""),
            message.created_at,
            needs_receipt=message.kind is MessageKind.USER,
            state=state,
            offers=message.attempts,
            offered_at=message.updated_at if state is OfferState.OFFERED else None,
        )
        self._waiting.setdefault(entry.mpc, {})[entry.message_id] = entry

    def entries(self) -> list[Waiting]:
        """Return what waits, over all channels."""
        return [entry for entries in self._waiting.values() for entry in entries.values()]

    def depths(self) -> tuple[Depth, ...]:
        """Return how much waits in every channel that is not empty."""
        return tuple(
            Depth(
                mpc.removeprefix(channel_mpc("")),
                len(entries),
                sum(entry.state is OfferState.OFFERED for entry in entries.values()),
                min(entry.since for entry in entries.values()),
            )
            for mpc, entries in sorted(self._waiting.items())
            if entries
        )

    async def find(self, mpc: str, message_id: str | None) -> StoredMessage | None:
        """Return what waits in a channel under this id."""
        if message_id not in self._waiting.get(mpc, {}):
            return None
        return await self._station.store.find_message(Direction.OUT, message_id)

    async def offer(self, mpc: str, *, by: str, request: MessageId) -> StoredMessage | None:
        """Hand out the oldest message of a channel; None when nothing waits that is due.

        Args:
            mpc: the channel.
            by: who asked.
            request: id of the pull request; the journal keeps it, so that it is known again after a restart.
        """
        now = self._station.clock.now()
        entries = self._waiting.get(mpc, {})
        entry = next_offer(entries.values(), mpc, now, self._policy)
        if entry is None:
            return None
        # Before anything is awaited: another request must not get the same message.
        offered = entry.offered(now)
        entries[entry.message_id] = offered
        try:
            message = await self._store_offer(offered, by, request)
        except BaseException:
            entries[entry.message_id] = entry
            raise
        if offered.state is OfferState.ACKNOWLEDGED:
            entries.pop(entry.message_id, None)
        return message

    async def _store_offer(self, entry: Waiting, by: str, request: MessageId) -> StoredMessage:
        station = self._station
        now = station.clock.now()
        message = await station.store.find_message(Direction.OUT, entry.message_id)
        assert message is not None  # what waits is stored
        is_done = entry.state is OfferState.ACKNOWLEDGED
        work = UnitOfWork()
        work.update_message(
            Direction.OUT,
            entry.message_id,
            expected_states=UNCOLLECTED,
            state=OutboundState.FORWARDED if is_done else OutboundState.OFFERED,
            attempts=entry.offers,
            updated_at=now,
            accepted_at=message.accepted_at or now,
        )
        outcome = "ok" if entry.offers == 1 else "again"
        work.journal(
            station.note(
                "offered",
                outcome,
                message_id=entry.message_id,
                channel=message.channel or "",
                to=by,
                kind=message.kind,
            ),
            station.note("pull-request", "ok", message_id=request, ref=entry.message_id),
        )
        await station.store.commit(work)
        return message

    def receipted(self, work: UnitOfWork, message_id: str | None, *, by: str) -> bool:
        """Note in ``work`` that its reader has a message; return whether it waited. ``forget`` follows the commit."""
        mine = next((each for each in self._waiting.values() if message_id in each), None)
        if mine is None or message_id is None:
            return False
        now = self._station.clock.now()
        work.update_message(
            Direction.OUT, message_id, state=OutboundState.FORWARDED, receipted_at=now, updated_at=now
        )
        work.journal(self._station.note("collected", "ok", message_id=message_id, by=by))
        return True

    def forget(self, message_id: str | None) -> None:
        """Take a message out of its channel; the store keeps it."""
        if message_id is not None:
            for entries in self._waiting.values():
                entries.pop(message_id, None)

    def given_up(self, mpc: str) -> tuple[MessageId, ...]:
        """Take out what was handed out as often as agreed and never receipted."""
        now = self._station.clock.now()
        entries = self._waiting.get(mpc, {})
        failed = [
            entry.message_id
            for entry in entries.values()
            if entry.settled(now, self._policy).state is OfferState.FAILED
        ]
        for message_id in failed:
            del entries[message_id]
        return tuple(failed)


def depths(messages: Iterable[StoredMessage]) -> tuple[Depth, ...]:
    """Return how much of ``messages`` waits in every channel that is not empty."""
    waiting: defaultdict[str, list[StoredMessage]] = defaultdict(list)
    for message in messages:
        if message.channel is not None and message.state in UNCOLLECTED:
            waiting[message.channel].append(message)
    return tuple(
        Depth(
            channel,
            len(entries),
            sum(entry.state == OutboundState.OFFERED for entry in entries),
            min(entry.created_at for entry in entries),
            any(ALARM in entry.details for entry in entries),
        )
        for channel, entries in sorted(waiting.items())
    )


def directed(message: StoredMessage, way: Route | None) -> StoredMessage:
    """Return an outgoing message that begins the way it has to go: pushed, or parked in a channel."""
    if way is None or way.channel is None:
        return replace(message, endpoint=way.endpoint if way else None, state=OutboundState.SUBMITTED)
    return replace(message, endpoint=None, channel=way.channel, state=OutboundState.PARKED)
