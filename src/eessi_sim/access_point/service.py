"""The access point at work: its entrance, its two queues, and what it stores when a document may go on or not."""

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from eessi_sim.access_point.alarms import Alarms
from eessi_sim.access_point.channels import Channels, directed
from eessi_sim.access_point.clamd import ScannerSilent
from eessi_sim.access_point.intermediary import Intermediary, forwarded
from eessi_sim.access_point.line import Line
from eessi_sim.access_point.pipeline import Inspection, Passed, Pipeline, Rulebook
from eessi_sim.access_point.pulling import PullDesk
from eessi_sim.access_point.routing import Route, route
from eessi_sim.access_point.steps import STEPS, THOROUGH, Malware, refusal
from eessi_sim.access_point.transactions import NotYet
from eessi_sim.as4 import hop, msh
from eessi_sim.as4.ebms_errors import EbmsErrorCode, EbmsFault
from eessi_sim.as4.encryption import Encryption
from eessi_sim.as4.exchange import InboundState, OutboundState
from eessi_sim.as4.model import RoutingInput, UserMessage
from eessi_sim.errors import Conflict
from eessi_sim.gateway.aside import aside
from eessi_sim.gateway.inbox import Inbox, refused
from eessi_sim.gateway.intake import take_received
from eessi_sim.gateway.outbox import Attempt, Outbox, Settlement
from eessi_sim.gateway.recall import recall
from eessi_sim.gateway.records import outgoing, with_octets
from eessi_sim.gateway.station import Station, plain
from eessi_sim.gateway.worker import HOLDS, Worker
from eessi_sim.identifiers import SedType
from eessi_sim.ir.checks import DEFAULT_CHECKS, Checks
from eessi_sim.storage.base import (
    Direction,
    MessageKind,
    MessageQuery,
    StoredMessage,
    UnitOfWork,
)
from eessi_sim.synchronisation.desk import SYSTEM_TYPE
from eessi_sim.synchronisation.synchroniser import Holdings, Synchroniser
from eessi_sim.transport.base import Request, Response

_WAITING: Final = (InboundState.RECEIVED, InboundState.PROCESSING)
_OURS: Final = (InboundState.PROCESSING,)
"""State of a message that is checked; in another one, somebody else was faster who found our lease ended."""
_LOST: Final = (OutboundState.DEAD_LETTERED, OutboundState.REJECTED)
_MOST_PER_CASE: Final = 1000
"""Messages of one case that are looked at to know what was exchanged before."""


class AccessPoint:
    """The access point as one object: handle requests, start, stop.

    Args:
        station: its identity, seams and limits.
        rulebook: what documents are checked against.
        holdings: what it synchronises with others.
        checks: which checks it makes, in which order.
    """

    def __init__(
        self, station: Station, rulebook: Rulebook, holdings: Holdings, checks: Checks = DEFAULT_CHECKS
    ) -> None:
        self.line = Line(station.transport, self._is_far)
        station = replace(station, transport=self.line)
        self._station = station
        self._rulebook = rulebook
        self._checks = checks
        self._pipeline = Pipeline(checks.order, STEPS, THOROUGH)
        self._from_abroad = Pipeline(checks.order_from_abroad, STEPS, THOROUGH)
        self._outbox = Worker(f"outbox {station.party}", station.clock, Outbox(station, self, forwards=True))
        self._inspection = Worker(f"inspection {station.party}", station.clock, self)
        self.synchroniser = Synchroniser(station, holdings, self._outbox.wake)
        """Keeps the directory, and gives it on."""
        self._channels = Channels(station)
        self._late = Alarms(station, self._channels)
        self._alarms = Worker(f"alarms {station.party}", station.clock, self._late)
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
        return self._outbox.busy or self._inspection.busy or self._alarms.busy

    @property
    def workers(self) -> dict[str, Worker]:
        """Who works its queues off, by what they do."""
        return {"outbox": self._outbox, "inspection": self._inspection, "alarms": self._alarms}

    @property
    def channels(self) -> Channels:
        """What waits for institutions that pull."""
        return self._channels

    async def handle(self, request: Request) -> Response:
        """Answer one AS4 request."""
        if not self.line.is_up and self._is_from_afar(request):
            return refused(503, "The line to other access points is cut")
        return await self._inbox.handle(request)

    def _is_far(self, url: str) -> bool:
        points = self._station.directory.current.access_points
        return any(point.inbound == url for point in points if point.id != self._station.party)

    def _is_from_afar(self, request: Request) -> bool:
        directory = self._station.directory.current
        client = directory.parties_of_tls(request.peer_certificate or b"")
        return any(directory.find_access_point(party) for party in client)

    async def start(self) -> None:
        """Take up what an earlier run left and begin to work."""
        await self._station.store.release(self._station.worker)
        await recall(self._station, _WAITING)
        self._inspection.start()
        self._outbox.start()
        self._alarms.start()

    def wake(self) -> None:
        """Look for work: another process that plays this access point has written something."""
        self._inspection.wake()
        self._outbox.wake()

    async def stop(self) -> None:
        """Finish what is under way and stop; the rest waits in the store."""
        await self._inspection.stop(drain=True)
        await self._outbox.stop(drain=True)
        await self._alarms.stop(drain=True)

    def take_up(self, message: StoredMessage) -> None:
        """Work on a message that was put back into its queue or its channel."""
        if message.direction is Direction.IN:
            self._inspection.wake()
            return
        self._outbox.wake()
        self._alarms.wake()

    # What the inspection worker works off.

    async def claim(self, limit: int) -> Sequence[StoredMessage]:
        """Take messages that were taken in and not yet sent on."""
        return await take_received(self._station, _WAITING, limit)

    async def next_due(self) -> datetime | None:
        """Return when the next one can be taken."""
        return await self._station.store.next_due(Direction.IN, _WAITING)

    async def process(self, message: StoredMessage) -> None:
        """Check one message and send it on, or answer its sender why not."""
        if SYSTEM_TYPE in message.details:
            await self.synchroniser.process(message)
            return
        inspection: Inspection | None = None
        try:
            inspection = self._inspection_of(message)
            if inspection is not None:
                await self._run(inspection, message)
            way = await self._way_of(message, inspection)
            sealed = await self._sealed(message, inspection, way)
        except NotYet as early:
            await self._hold(message, early)
            return
        except ScannerSilent as silent:
            await self._wait(message, silent.message, HOLDS[-1], attempts=message.attempts)
            return
        except EbmsFault as fault:
            await self._reject(message, fault, inspection)
            return
        facts = plain(inspection.facts) if inspection is not None else {}
        notes = inspection.notes if inspection is not None else {}
        work = UnitOfWork()
        onward = {"next": way.access_point} if way.access_point is not None else {}
        outgoing_copy = forwarded(sealed, way, {**facts, **onward})
        work.add_message(outgoing_copy)
        work.update_message(
            Direction.IN,
            message.message_id,
            expected_states=_OURS,
            state=InboundState.FORWARDED,
            details=facts,
        )
        work.journal(self._station.note("checked", "ok", message_id=message.message_id, **facts, **notes))
        self._note_parked(work, outgoing_copy)
        with contextlib.suppress(Conflict):  # queued before, by a worker whose lease had ended
            await self._station.store.commit(work)
        self._wake_for(outgoing_copy)

    def _wake_for(self, message: StoredMessage) -> None:
        """Wake who works on a message that goes out, or watches it wait."""
        self._outbox.wake()
        if message.state == OutboundState.PARKED and not self._late.is_watching:
            self._alarms.wake()

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

    async def _way_of(self, message: StoredMessage, inspection: Inspection | None) -> Route:
        """Return where a message goes; a signal goes to the system that sent the document it is about."""
        if inspection is not None:
            return self._route(message.receiver, inspection.facts)
        store = self._station.store
        original = await store.find_message(Direction.IN, message.ref_to) if message.ref_to else None
        return self._route(message.receiver, original.details if original is not None else {})

    def _route(self, receiver: str, facts: Mapping[str, str]) -> Route:
        station = self._station
        return route(
            receiver,
            station.party,
            station.directory.current,
            station.clock.now(),
            buc=facts.get("buc", ""),
            sed=facts.get("sed", ""),
        )

    async def _sealed(
        self, message: StoredMessage, inspection: Inspection | None, way: Route
    ) -> StoredMessage:
        """Return a message as it goes on: as it is, or encrypted for the next access point; retries send these octets.

        Raises:
            EbmsFault: 0020 when the directory lists no key of that access point.
        """
        station = self._station
        if way.access_point is None or message.kind is not MessageKind.USER:
            return message
        now = station.clock.now()
        listed = [each for each in station.ebms_certificates(way.access_point) if each.is_valid_at(now)]
        if not listed:
            raise EbmsFault(
                EbmsErrorCode.ROUTING_FAILURE,
                f"Expected an ebMS certificate of {way.access_point} that is valid now, found none",
                hint="The directory must list the key for which the message is encrypted.",
            )
        unpacked = inspection.unpacked if inspection is not None else station.unpack(message)
        how, token = Encryption(listed[0]), station.ids.hex32()
        return await aside(
            message.spooled, lambda: with_octets(message, hop.encrypt(unpacked, how, token), station.spool)
        )

    def _inspection_of(self, message: StoredMessage) -> Inspection | None:
        """Return what is to be looked at; signals and pings have no document."""
        if message.kind is not MessageKind.USER:
            return None
        unpacked = self._station.unpack(message)
        assert isinstance(unpacked.unit, UserMessage)  # the kind says so
        if unpacked.unit.is_ping:
            return None
        return Inspection(
            message=unpacked.unit,
            unpacked=unpacked,
            repository=self._station.directory.current,
            rulebook=self._rulebook,
            at=self._station.clock.now(),
            passed=self._passed,
            checks=self._checks,
            attachments=self._station.attachments,
            limits=self._station.limits,
        )

    async def _run(self, inspection: Inspection, message: StoredMessage) -> None:
        is_own = self._station.directory.current.serves(self._station.party, message.sender)
        pipeline = self._pipeline if is_own else self._from_abroad
        if message.spooled is None:
            await pipeline.run(inspection)
        else:
            await pipeline.run_large(inspection, message.spooled)

    async def _hold(self, message: StoredMessage, early: NotYet) -> None:
        """Wait for a document that this one has overtaken; refuse it when that does not come."""
        if message.attempts >= len(HOLDS):
            await self._reject(message, refusal(early))
            return
        await self._wait(message, early.message, HOLDS[message.attempts], attempts=message.attempts + 1)

    async def _wait(self, message: StoredMessage, reason: str, delay: timedelta, *, attempts: int) -> None:
        now = self._station.clock.now()
        work = UnitOfWork()
        work.update_message(
            Direction.IN,
            message.message_id,
            expected_states=_OURS,
            state=InboundState.RECEIVED,
            attempts=attempts,
            due_at=now + delay,
            updated_at=now,
        )
        work.journal(self._station.note("checked", "held", message_id=message.message_id, reason=reason))
        await self._station.store.commit(work)

    async def _passed(self, case: str) -> tuple[Passed, ...]:
        passed = await self._station.store.messages(
            MessageQuery(direction=Direction.OUT, kind=MessageKind.USER, conversation=case),
            limit=_MOST_PER_CASE,
        )
        return tuple(
            Passed(
                each.message_id,
                SedType(each.details["sed"]),
                each.details.get("document", ""),
                each.sender,
                each.receiver,
                is_lost=each.state in _LOST,
            )
            for each in passed
            if "sed" in each.details
        )

    async def _reject(
        self, message: StoredMessage, fault: EbmsFault, inspection: Inspection | None = None
    ) -> None:
        """Keep the message as a dead letter, a harmful one apart, and tell its sender; never an error about a signal."""
        station = self._station
        state = InboundState.QUARANTINED if isinstance(fault, Malware) else InboundState.REJECTED
        notes = inspection.notes if inspection is not None else {}
        work = UnitOfWork()
        work.update_message(
            Direction.IN,
            message.message_id,
            state=state,
            last_error=f"{fault.error_code.code} {fault.message}",
        )
        code = fault.error_code.code
        work.journal(
            station.note("checked", code, message_id=message.message_id, reason=fault.message, **notes)
        )
        await self._commit_with(work, self._answer(message, fault))

    async def _commit_with(self, work: UnitOfWork, answer: StoredMessage | None) -> None:
        """Store ``work`` together with the error that goes to a sender, if there is one."""
        if answer is not None:
            work.add_message(answer)
            self._note_parked(work, answer)
        await self._station.store.commit(work)
        if answer is not None:
            self._wake_for(answer)

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
        return directed(answer, self._way_to(message.sender, message.details))

    def _way_to(self, party: str, facts: Mapping[str, str]) -> Route | None:
        try:
            return self._route(party, facts)
        except EbmsFault:
            return None

    async def _not_collected(self, message: StoredMessage) -> None:
        """Give up a message that was handed out as often as agreed and never receipted, and tell its sender."""
        station, message_id = self._station, message.message_id
        fault = EbmsFault(
            EbmsErrorCode.MESSAGE_PERSISTENCE_TIMEOUT,
            f"Not collected by {message.receiver}: handed out {message.attempts} times, never receipted",
        )
        work = UnitOfWork()
        work.update_message(
            Direction.OUT,
            message_id,
            expected_states=(OutboundState.OFFERED,),
            state=OutboundState.DEAD_LETTERED,
            due_at=None,
            last_error=fault.message,
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
                **({"next": message.details["next"]} if "next" in message.details else {}),
                **({"reason": attempt.reason} if attempt.reason else {}),
            )
        )
        if attempt.receipt is not None:
            work.add_message(attempt.receipt)
        answer = None
        if settlement.is_dead_letter and message.sender != station.party:
            reason = (
                f"Not brought to {message.receiver} after {message.attempts + 1} attempts: {attempt.reason}"
            )
            answer = self._answer(message, EbmsFault(EbmsErrorCode.CONNECTION_FAILURE, reason))
        await self._commit_with(work, answer)
