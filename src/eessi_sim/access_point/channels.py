"""The pull channels of the access point: what waits for institutions that fetch their messages.

The store is all there is, so that any process of the access point answers any request. How often and how far apart a
message is handed out is decided in ``as4.channels``.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from eessi_sim.access_point.routing import Route
from eessi_sim.as4.channels import OfferPolicy, channel_mpc
from eessi_sim.as4.exchange import OutboundState
from eessi_sim.gateway.station import Station
from eessi_sim.identifiers import MessageId
from eessi_sim.storage.base import Claim, Direction, MessageKind, MessageQuery, StoredMessage, UnitOfWork

OFFERS: Final = OfferPolicy(timedelta(seconds=5), most=150, multiplier=2, longest=timedelta(minutes=10))
"""About a day, as long as an access point tries to push. The first wait is shorter than an institution holds a document
that has overtaken another one, so that a message lost on the way comes in time (our choice, inferred)."""
UNCOLLECTED: Final = (OutboundState.PARKED, OutboundState.OFFERED)
"""States of what waits in a channel."""
COLLECT_WITHIN: Final = timedelta(hours=24)
"""An institution must collect its messages at least once in this time (decision E6, documented)."""
ALARM: Final = "alarm"
"""Detail of a message whose alarm was raised; a node that starts again does not raise it once more."""


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

    async def uncollected(self) -> tuple[StoredMessage, ...]:
        """Return what waits, over all channels, without octets; there is no more of it than fits into the queue."""
        store = self._station.store
        if not (await store.counts()).in_state(Direction.OUT, *UNCOLLECTED):
            return ()
        query = MessageQuery(direction=Direction.OUT, states=UNCOLLECTED)
        return await store.messages(query, limit=2 * self._station.queue)

    async def find(self, mpc: str, message_id: str | None) -> StoredMessage | None:
        """Return what waits in a channel under this id."""
        message = await self._waiting(message_id)
        return message if message is not None and channel_mpc(message.channel or "") == mpc else None

    async def _waiting(self, message_id: str | None) -> StoredMessage | None:
        """Return what waits in any channel under this id; where nobody pulls the store is asked one cheap question."""
        store = self._station.store
        if message_id is None or await store.next_due(Direction.OUT, UNCOLLECTED) is None:
            return None
        message = await store.find_message(Direction.OUT, message_id)
        return message if message is not None and message.state in UNCOLLECTED else None

    async def take(self, mpc: str) -> StoredMessage | None:
        """Take the oldest message of a channel that is due; None when there is none. ``hand_out`` or giving up follows.

        No other process gets the same one meanwhile. What was handed out in vain comes before what is new.
        """
        name = mpc.removeprefix(channel_mpc(""))
        for state in (OutboundState.OFFERED, OutboundState.PARKED):
            claim = Claim(
                direction=Direction.OUT,
                states=(state,),
                claimed_state=OutboundState.OFFERED,
                now=self._station.clock.now(),
                lease=self._policy.again_after,
                limit=1,
                channel=name,
                worker=self._station.worker,
            )
            for message in await self._station.store.claim(claim):
                return message
        return None

    def is_in_vain(self, message: StoredMessage) -> bool:
        """Whether a message that was taken was handed out as often as agreed and never receipted."""
        return message.attempts >= self._policy.most

    async def hand_out(self, message: StoredMessage, *, by: str, request: MessageId) -> None:
        """Store that a message which was taken is handed out, and when again if no receipt comes.

        Args:
            message: what was taken.
            by: who asked.
            request: id of the pull request; the journal keeps it, so that it is known again by every process.
        """
        station = self._station
        now, offers = station.clock.now(), message.attempts + 1
        is_user = message.kind is MessageKind.USER  # signals are done when they are handed out
        work = UnitOfWork()
        work.update_message(
            Direction.OUT,
            message.message_id,
            expected_states=(OutboundState.OFFERED,),
            state=OutboundState.OFFERED if is_user else OutboundState.FORWARDED,
            attempts=offers,
            due_at=now + self._policy.wait_after(offers) if is_user else None,
            updated_at=now,
            accepted_at=message.accepted_at or now,
        )
        work.journal(
            station.note(
                "offered",
                "ok" if offers == 1 else "again",
                message_id=message.message_id,
                channel=message.channel or "",
                to=by,
                kind=message.kind,
            ),
            station.note("pull-request", "ok", message_id=request, ref=message.message_id),
        )
        await station.store.commit(work)

    async def receipted(self, work: UnitOfWork, message_id: str | None, *, by: str) -> None:
        """Note in ``work`` that its reader has a message, if it waited."""
        if await self._waiting(message_id) is None or message_id is None:
            return
        now = self._station.clock.now()
        work.update_message(
            Direction.OUT,
            message_id,
            expected_states=UNCOLLECTED,
            state=OutboundState.FORWARDED,
            due_at=None,
            receipted_at=now,
            updated_at=now,
        )
        work.journal(self._station.note("collected", "ok", message_id=message_id, by=by))


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
