"""The AS4 entrance of an institution: the end of the way.

A user message is verified, stored together with its receipt, and answered 202; the receipt travels back through
the outbox of the own access point (callback, observed). Receipts and errors find the message they are about.
What the document means is decided later, by ``receiving``.
"""

from typing import Final

from eessi_sim.as4 import confirmation, msh
from eessi_sim.as4.ebms_errors import EbmsErrorCode, EbmsFault
from eessi_sim.as4.exchange import InboundState, OutboundState
from eessi_sim.as4.model import ErrorSignal, Payload, PullRequest, Receipt, RoutingInput, UserMessage
from eessi_sim.as4.msh import Packed, Unpacked
from eessi_sim.as4.pmode import EESSI_PROFILE
from eessi_sim.errors import Conflict
from eessi_sim.gateway.aside import aside
from eessi_sim.gateway.inbox import ACCEPTED, Received, named, synchronous_error
from eessi_sim.gateway.records import incoming, outgoing
from eessi_sim.gateway.station import Station
from eessi_sim.gateway.worker import Worker
from eessi_sim.identifiers import InstitutionId, MessageId
from eessi_sim.institution.delivery import Deliveries
from eessi_sim.security.keys import Certificate
from eessi_sim.storage.base import (
    Direction,
    MessageKind,
    MessageQuery,
    StoredMessage,
    UnitOfWork,
)
from eessi_sim.synchronisation.desk import SystemDesk, is_system, unit_of
from eessi_sim.transport.base import Response

_SENT: Final = (OutboundState.FORWARDED, OutboundState.REJECTED, OutboundState.DEAD_LETTERED)


class Terminal:
    """Acceptor of an institution.

    Args:
        station: the institution's identity, seams and limits.
        deliveries: stores what receipts and errors mean for sent documents.
        receiving: worker that files received documents.
        outbox: worker that sends receipts and errors.
    """

    def __init__(self, station: Station, deliveries: Deliveries, receiving: Worker, outbox: Worker) -> None:
        self._system = SystemDesk(station, receiving)
        self._station = station
        self._deliveries = deliveries
        self._receiving = receiving
        self._outbox = outbox

    def allow(self, client: frozenset[InstitutionId], unpacked: Unpacked) -> None:
        """Let only its access point deliver, and who fetched a message from the channel of this institution."""
        if is_system(unpacked):
            self._system.allow(client, unit_of(unpacked))
            return
        directory, own = self._station.directory.current, self._station.party
        is_own_point = any(directory.serves(each, own) for each in client)
        if not is_own_point and not client & self._sharing():
            raise EbmsFault(
                EbmsErrorCode.FAILED_AUTHENTICATION,
                f"Expected the access point of {own} as TLS client, found {named(client)}",
                hint="Send to the outbox of your own access point.",
            )
        if isinstance(unpacked.unit, PullRequest):
            raise EbmsFault(
                EbmsErrorCode.FEATURE_NOT_SUPPORTED,
                "Expected a message for this institution, found a PullRequest",
                hint="Pull from the access point.",
            )

    def _sharing(self) -> set[InstitutionId]:
        """Return who fetches from the same channel as this institution."""
        station = self._station
        entry = station.directory.current.find(station.party)
        directory, now = station.directory.current, station.clock.now()
        channels = entry.channels if entry is not None else ()
        return {each.id for channel in channels for each in directory.sharing(channel, now)}

    def opened(self, client: frozenset[InstitutionId], unpacked: Unpacked) -> Unpacked:  # noqa: ARG002 - of Acceptor
        """Nothing is encrypted between an institution and its access point (observed)."""
        return unpacked

    async def candidates(self, unpacked: Unpacked) -> tuple[Certificate, ...]:
        """Return who may have signed: the sender; for a receipt only the receiver of the original."""
        station, unit = self._station, unpacked.unit
        if is_system(unpacked):
            return self._system.candidates(unit_of(unpacked))
        if isinstance(unit, UserMessage):
            return station.sender_certificates(unit.sender.id)
        original = await self._original(unpacked)
        receiver = station.ebms_certificates(original.receiver) if original else ()
        if isinstance(unit, ErrorSignal):
            points = station.directory.current.access_points
            return (*receiver, *(c for point in points for c in station.ebms_certificates(point.id)))
        return receiver

    async def accept(self, received: Received) -> Response:
        """Make the message durable and answer 202."""
        if is_system(received.unpacked):
            return await self._system.accept(received, unit_of(received.unpacked))
        unit = received.unpacked.unit
        EESSI_PROFILE.check_time(unit.info, self._station.clock.now())
        if isinstance(unit, UserMessage):
            return await self._user_message(received, unit)
        assert not isinstance(unit, PullRequest)  # not allowed
        return await self._signal(received, unit)

    async def refuse(
        self, unpacked: Unpacked, fault: EbmsFault, client: frozenset[InstitutionId], *, verified: bool
    ) -> Response:
        """Refuse a message: an error by callback for a user message, silence about a receipt or an error.

        The error goes to the endpoint of the party in the directory, never to an address from the message; and
        only when that party sent the message: else anybody could make us sign an error about somebody's message.
        Who hands in a message of unproven origin gets the error himself.
        """
        unit = unpacked.unit
        fault.about(unit.info.message_id)
        work = UnitOfWork()
        work.journal(
            self._station.note(
                "refused",
                fault.error_code.code,
                message_id=unit.info.message_id,
                reason=fault.message,
                client=named(client),
            )
        )
        if isinstance(unit, Receipt | ErrorSignal):
            await self._station.store.commit(work)
            return ACCEPTED
        if isinstance(unit, PullRequest) or not verified or not unpacked.is_multihop:
            await self._station.store.commit(work)
            return synchronous_error(self._station, fault)
        self._queue_error(work, unpacked, unit, fault)
        await self._station.store.commit(work)
        self._outbox.wake()
        return ACCEPTED

    async def _original(self, unpacked: Unpacked) -> StoredMessage | None:
        """Return the user message that a signal is about; there are no receipts and errors about signals."""
        ref = unpacked.unit.info.ref_to_message_id
        found = await self._station.store.find_message(Direction.OUT, ref) if ref else None
        is_known = found is not None and found.kind is MessageKind.USER and not found.is_removed
        return found if is_known else None

    async def _user_message(self, received: Received, unit: UserMessage) -> Response:
        station = self._station
        EESSI_PROFILE.check(unit)
        if unit.receiver.id != station.party:
            raise EbmsFault(
                EbmsErrorCode.VALUE_INCONSISTENT,
                f"Expected a message to {station.party}, found one to {unit.receiver.id}",
                hint="Check the routing of the access point.",
            )
        await aside(
            received.request.spooled,
            lambda: msh.look_through(
                received.unpacked.parts, _only_whether_it_can_be_unpacked, station.limits
            ),
        )
        state = InboundState.DELIVERED if unit.is_ping else InboundState.RECEIVED
        message = incoming(received, state=state, at=station.clock.now())
        known = await station.store.find_message(Direction.IN, message.message_id)
        if known is not None:
            return await self._again(known, message, received, unit)
        work = UnitOfWork()
        work.add_message(message)
        self._queue_receipt(work, received, unit)
        if not unit.is_ping:
            station.taken_in.keep(message.digest, received.unpacked, received.unpacked.held)
        work.journal(
            station.note("received", "ok", message_id=message.message_id, **{"from": unit.sender.id})
        )
        try:
            await station.store.commit(work)
        except Conflict:  # two with one id came at the same moment; the other one is stored
            known = await station.store.find_message(Direction.IN, message.message_id)
            if known is None:
                raise
            return await self._again(known, message, received, unit)
        self._receiving.wake()
        self._outbox.wake()
        return ACCEPTED

    async def _again(
        self, known: StoredMessage, message: StoredMessage, received: Received, unit: UserMessage
    ) -> Response:
        """Answer a repeated message with the same receipt; other content under its id is refused.

        A receipt that the next hop refused, because our clock was wrong or our certificate had expired when it was
        made, would be refused again: a new one takes its place.
        """
        if known.digest != message.digest:
            raise EbmsFault(
                EbmsErrorCode.VALUE_INCONSISTENT,
                f"Expected new content under a new message id, found {message.message_id} used before",
                hint="Make a new MessageId for new content; a retry sends the same bytes.",
            )
        work = UnitOfWork()
        work.journal(self._station.note("received", "duplicate", message_id=message.message_id))
        repeats = int(known.details.get("duplicates", "0")) + 1
        work.update_message(Direction.IN, known.message_id, details={"duplicates": str(repeats)})
        query = MessageQuery(direction=Direction.OUT, ref_to=known.message_id)
        answers = await self._station.store.messages(query)
        refused = [each for each in answers if _is_refused_receipt(each)]
        if refused and len(refused) == sum(each.kind is MessageKind.RECEIPT for each in answers):
            self._queue_receipt(work, received, unit)
        for answer in answers:
            if answer.state in _SENT and answer not in refused:
                work.update_message(
                    Direction.OUT, answer.message_id, state=OutboundState.SUBMITTED, attempts=0, due_at=None
                )
        await self._station.store.commit(work)
        self._outbox.wake()
        return ACCEPTED

    async def _signal(self, received: Received, unit: Receipt | ErrorSignal) -> Response:
        station = self._station
        message = incoming(received, state=InboundState.DELIVERED, at=station.clock.now())
        original = await self._original(received.unpacked)
        if original is None or await self._is_known(message, original):
            work = UnitOfWork()
            outcome = "duplicate" if original else "unknown-message"
            work.journal(station.note("signal-ignored", outcome, message_id=message.message_id))
            await station.store.commit(work)
            return ACCEPTED
        if isinstance(unit, Receipt):
            confirmation.check_receipt(received.unpacked, station.references_of(original))
            await self._deliveries.receipted(original, message)
        else:
            await self._deliveries.error_arrived(original, message, unit)
        return ACCEPTED

    async def _is_known(self, signal: StoredMessage, original: StoredMessage) -> bool:
        """Whether a signal says nothing new: the same one again, or a receipt after the first receipt."""
        if signal.kind is MessageKind.RECEIPT and original.receipted_at is not None:
            return True
        return await self._station.store.find_message(Direction.IN, signal.message_id) is not None

    def _queue_receipt(self, work: UnitOfWork, received: Received, unit: UserMessage) -> None:
        station = self._station
        way = RoutingInput.back_to_sender_of(unit)
        packed = msh.pack_receipt(
            received.unpacked, station.keys, stamp=station.stamp(), references=received.references
        )
        self._queue(work, packed, MessageKind.RECEIPT, way, unit.info.message_id)

    def _queue_error(self, work: UnitOfWork, unpacked: Unpacked, unit: UserMessage, fault: EbmsFault) -> None:
        station = self._station
        way = RoutingInput.back_to_sender_of(unit)
        packed = msh.pack_error([fault.as_error()], station.keys, about=unpacked, stamp=station.stamp())
        self._queue(work, packed, MessageKind.ERROR, way, unit.info.message_id)

    def _queue(
        self, work: UnitOfWork, packed: Packed, kind: MessageKind, way: RoutingInput, ref: MessageId
    ) -> None:
        station = self._station
        work.add_message(
            outgoing(
                packed,
                kind=kind,
                way=way,
                endpoint=station.directory.current.access_point_of(station.party).outbox,
                at=station.clock.now(),
                ref_to=ref,
            )
        )


def _is_refused_receipt(answer: StoredMessage) -> bool:
    return answer.kind is MessageKind.RECEIPT and answer.state == OutboundState.REJECTED


def _only_whether_it_can_be_unpacked(_part: Payload, _piece: bytes) -> None:
    """Attachments are not opened here."""
