"""The access point at work: its entrance, its two queues, and what it stores when a document may go on or not."""

import contextlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from eessi_sim.access_point.channels import Channels, directed
from eessi_sim.access_point.intermediary import Intermediary, forwarded
from eessi_sim.access_point.pipeline import STANDARD_ORDER, Inspection, Pipeline, Rulebook
from eessi_sim.access_point.pulling import PullDesk
from eessi_sim.access_point.routing import Route, route
from eessi_sim.access_point.steps import STEPS, THOROUGH, refusal
from eessi_sim.access_point.transactions import NotYet
from eessi_sim.as4 import msh
from eessi_sim.as4.ebms_errors import EbmsErrorCode, EbmsFault
from eessi_sim.as4.exchange import InboundState, OutboundState
from eessi_sim.as4.model import RoutingInput, UserMessage
from eessi_sim.errors import Conflict
from eessi_sim.gateway.inbox import Inbox
from eessi_sim.gateway.outbox import Attempt, Outbox, Settlement
from eessi_sim.gateway.records import outgoing
from eessi_sim.gateway.station import Station, plain
from eessi_sim.gateway.worker import HOLDS, Worker
from eessi_sim.identifiers import MessageId, SedType
from eessi_sim.storage.base import (
    Claim,
    Direction,
    MessageKind,
    MessageQuery,
    StoredMessage,
    UnitOfWork,
)
from eessi_sim.transport.base import Request, Response

_WAITING: Final = (InboundState.RECEIVED, InboundState.PROCESSING)
_LEASE: Final = timedelta(minutes=2)
_MOST_PER_CASE: Final = 1000
"""Messages of one case that are looked at to know what was exchanged before."""


class AccessPoint:
    """The access point as one object: handle requests, start, stop.

    Args:
        station: its identity, seams and limits.
        rulebook: what documents are checked against.
        order: names of the checks, in order.
    """

    def __init__(self, station: Station, rulebook: Rulebook, order: Sequence[str] = STANDARD_ORDER) -> None:
        self._station = station
        self._rulebook = rulebook
        self._pipeline = Pipeline(order, STEPS, THOROUGH)
        self._outbox = Worker(f"outbox {station.party}", station.clock, Outbox(station, self, forwards=True))
        self._inspection = Worker(f"inspection {station.party}", station.clock, self)
        self._channels = Channels(station)
        self._desk = PullDesk(station, self._channels, self._not_collected)
        self._inbox = Inbox(
            station, Intermediary(station, self._inspection, self._outbox, self._channels, self._desk)
        )

    @property
    def station(self) -> Station:
        """Identity, seams and limits."""
        return self._station

    @property
    def busy(self) -> bool:
        """Whether something is under way."""
        return self._outbox.busy or self._inspection.busy

    @property
    def workers(self) -> dict[str, Worker]:
        """Who works its queues off, by what they do."""
        return {"outbox": self._outbox, "inspection": self._inspection}

    @property
    def channels(self) -> Channels:
        """What waits for institutions that pull."""
        return self._channels

    async def handle(self, request: Request) -> Response:
        """Answer one AS4 request."""
        return await self._inbox.handle(request)

    async def start(self) -> None:
        """Take up what an earlier run left and begin to work."""
        await self._station.store.release()
        await self._channels.read_all()
        self._inspection.start()
        self._outbox.start()

    async def stop(self) -> None:
        """Finish what is under way and stop; the rest waits in the store."""
        await self._inspection.stop(drain=True)
        await self._outbox.stop(drain=True)

    def take_up(self, message: StoredMessage) -> None:
        """Work on a message that was put back into its queue or its channel."""
        if message.direction is Direction.IN:
            self._inspection.wake()
            return
        self._channels.put(message)
        self._outbox.wake()

    # What the inspection worker works off.

    async def claim(self, limit: int) -> Sequence[StoredMessage]:
        """Take messages that were taken in and not yet sent on."""
        return await self._station.store.claim(
            Claim(
                direction=Direction.IN,
                states=_WAITING,
                claimed_state=InboundState.PROCESSING,
                now=self._station.clock.now(),
                lease=_LEASE,
                limit=limit,
            )
        )

    async def next_due(self) -> datetime | None:
        """Return when the next one can be taken."""
        return await self._station.store.next_due(Direction.IN, _WAITING)

    async def process(self, message: StoredMessage) -> None:
        """Check one message and send it on, or answer its sender why not."""
        facts: dict[str, str] = {}
        try:
            if message.kind is MessageKind.USER:
                facts = await self._inspect(message)
            way = route(message.receiver, self._station.directory.current, self._station.clock.now())
        except NotYet as early:
            await self._hold(message, early)
            return
        except EbmsFault as fault:
            await self._reject(message, fault)
            return
        work = UnitOfWork()
        outgoing_copy = forwarded(message, way, facts)
        work.add_message(outgoing_copy)
        work.update_message(Direction.IN, message.message_id, state=InboundState.FORWARDED, details=facts)
        work.journal(self._station.note("checked", "ok", message_id=message.message_id, **facts))
        self._note_parked(work, outgoing_copy)
        with contextlib.suppress(Conflict):  # queued before, by a worker whose lease had ended
            await self._station.store.commit(work)
            self._channels.put(outgoing_copy)
        self._outbox.wake()

    def _note_parked(self, work: UnitOfWork, message: StoredMessage) -> None:
        if message.state == OutboundState.PARKED:
            work.journal(
                self._station.note(
                    "parked",
                    "ok",
                    message_id=message.message_id,
                    channel=message.channel or "",
                    to=message.receiver,
                    kind=message.kind,
                )
            )

    async def failed(self, message: StoredMessage, fault: Exception) -> None:
        """Answer the sender of a message that our own code cannot process."""
        await self._reject(
            message, EbmsFault(EbmsErrorCode.OTHER, f"The access point failed: {type(fault).__name__}")
        )

    async def _inspect(self, message: StoredMessage) -> dict[str, str]:
        unpacked = self._station.unpack(message)
        assert isinstance(unpacked.unit, UserMessage)  # the kind says so
        if unpacked.unit.is_ping:
            return {}
        inspection = Inspection(
            message=unpacked.unit,
            unpacked=unpacked,
            repository=self._station.directory.current,
            rulebook=self._rulebook,
            at=self._station.clock.now(),
            exchanged=self._exchanged,
            attachments=self._station.attachments,
            limits=self._station.limits,
        )
        if message.spooled is None:
            await self._pipeline.run(inspection)
        else:
            await self._pipeline.run_large(inspection, message.spooled)
        return plain(inspection.facts)

    async def _hold(self, message: StoredMessage, early: NotYet) -> None:
        """Wait for a document that this one has overtaken; refuse it when that does not come."""
        if message.attempts >= len(HOLDS):
            await self._reject(message, refusal(early))
            return
        now = self._station.clock.now()
        work = UnitOfWork()
        work.update_message(
            Direction.IN,
            message.message_id,
            state=InboundState.RECEIVED,
            attempts=message.attempts + 1,
            due_at=now + HOLDS[message.attempts],
            updated_at=now,
        )
        work.journal(
            self._station.note("checked", "held", message_id=message.message_id, reason=early.message)
        )
        await self._station.store.commit(work)

    async def _exchanged(self, case: str) -> frozenset[SedType]:
        passed = await self._station.store.messages(
            MessageQuery(direction=Direction.OUT, kind=MessageKind.USER, conversation=case),
            limit=_MOST_PER_CASE,
        )
        return frozenset(SedType(message.details["sed"]) for message in passed if "sed" in message.details)

    async def _reject(self, message: StoredMessage, fault: EbmsFault) -> None:
        """Keep the message as a dead letter and tell its sender; never an error about a signal."""
        station = self._station
        work = UnitOfWork()
        work.update_message(
            Direction.IN,
            message.message_id,
            state=InboundState.REJECTED,
            last_error=f"{fault.error_code.code} {fault.message}",
        )
        work.journal(
            station.note(
                "checked", fault.error_code.code, message_id=message.message_id, reason=fault.message
            )
        )
        await self._commit_with(work, self._answer(message, fault))

    async def _commit_with(self, work: UnitOfWork, answer: StoredMessage | None) -> None:
        """Store ``work`` together with the error that goes to a sender, if there is one."""
        if answer is not None:
            work.add_message(answer)
            self._note_parked(work, answer)
        await self._station.store.commit(work)
        if answer is not None:
            self._channels.put(answer)
            self._outbox.wake()

    def _answer(self, message: StoredMessage, fault: EbmsFault) -> StoredMessage | None:
        """Return a signed multi-hop error to the sender of ``message``; there is none about a signal."""
        if message.kind is not MessageKind.USER:
            return None
        station = self._station
        unpacked = msh.unpack(message.content_type, message.octets, station.limits)
        assert isinstance(unpacked.unit, UserMessage)  # the kind says so
        error = fault.about(message.message_id).as_error()
        packed = msh.pack_error([error], station.keys, about=unpacked, stamp=station.stamp())
        answer = outgoing(
            packed,
            kind=MessageKind.ERROR,
            way=RoutingInput.back_to_sender_of(unpacked.unit),
            endpoint=None,
            at=station.clock.now(),
            ref_to=message.message_id,
            details={"made_by": station.party},
        )
        return directed(answer, self._way_to(message.sender))

    def _way_to(self, party: str) -> Route | None:
        try:
            return route(party, self._station.directory.current, self._station.clock.now())
        except EbmsFault:
            return None

    async def _not_collected(self, message_id: MessageId) -> None:
        """Give up a message that was handed out as often as agreed and never receipted, and tell its sender."""
        station = self._station
        message = await station.store.find_message(Direction.OUT, message_id)
        assert message is not None  # what waited is stored
        fault = EbmsFault(
            EbmsErrorCode.MESSAGE_PERSISTENCE_TIMEOUT,
            f"Not collected by {message.receiver}: handed out {message.attempts} times, never receipted",
        )
        work = UnitOfWork()
        work.update_message(
            Direction.OUT, message_id, state=OutboundState.DEAD_LETTERED, last_error=fault.message
        )
        work.journal(
            station.note("offered", "dead-lettered", message_id=message_id, channel=message.channel or "")
        )
        await self._commit_with(work, self._answer(message, fault))

    # What the outbox worker asks of its owner.

    async def settle(self, message: StoredMessage, attempt: Attempt, settlement: Settlement) -> None:
        """Store what an attempt to send on means; the sender of a dead letter is told."""
        station = self._station
        work = UnitOfWork()
        work.update_message(
            Direction.OUT,
            message.message_id,
            expected_states=(OutboundState.SENDING,),
            **settlement.changes,
        )
        work.journal(
            station.note(
                "forwarded",
                settlement.state,
                message_id=message.message_id,
                to=message.receiver,
                kind=message.kind,
                **({"reason": attempt.reason} if attempt.reason else {}),
            )
        )
        answer = None
        if settlement.is_dead_letter:
            reason = (
                f"Not brought to {message.receiver} after {message.attempts + 1} attempts: {attempt.reason}"
            )
            answer = self._answer(message, EbmsFault(EbmsErrorCode.CONNECTION_FAILURE, reason))
        await self._commit_with(work, answer)
