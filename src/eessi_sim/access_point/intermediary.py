"""How the access point takes messages in: verify, store, answer 202; nothing is changed on the way.

ebMS3 Part 2 sections 2.4 to 2.6 (documented); which party may hand in what follows the public prototypes
(inferred).
"""

from dataclasses import replace
from typing import Final

from eessi_sim.access_point.channels import Channels, directed
from eessi_sim.access_point.pulling import PullDesk
from eessi_sim.access_point.routing import Route, route
from eessi_sim.as4 import hop
from eessi_sim.as4.decryption import Decryption
from eessi_sim.as4.ebms_errors import EbmsErrorCode, EbmsFault
from eessi_sim.as4.exchange import InboundState, OutboundState, is_settled
from eessi_sim.as4.model import ErrorSignal, PullRequest, UserMessage
from eessi_sim.as4.msh import Unpacked
from eessi_sim.as4.pmode import EESSI_PROFILE
from eessi_sim.errors import Conflict, RoutingError
from eessi_sim.gateway.inbox import ACCEPTED, Received, named, refused, sender_of, synchronous_error
from eessi_sim.gateway.records import incoming
from eessi_sim.gateway.station import Station
from eessi_sim.gateway.worker import Worker
from eessi_sim.identifiers import InstitutionId, InternationalId
from eessi_sim.security.keys import Certificate
from eessi_sim.storage.base import Direction, MessageKind, MessageQuery, StoredMessage, UnitOfWork
from eessi_sim.synchronisation.desk import SystemDesk, is_system, unit_of
from eessi_sim.transport.base import Response

_WAITING: Final = frozenset(
    {
        *((Direction.IN, state) for state in InboundState if not is_settled(state)),
        *((Direction.OUT, state) for state in OutboundState if not is_settled(state)),
    }
)
_SETTLED = (OutboundState.FORWARDED, OutboundState.DEAD_LETTERED, OutboundState.REJECTED)


class Intermediary:
    """Acceptor of the access point.

    Args:
        station: the access point's identity, seams and limits.
        inspection: worker that processes what was taken in.
        outbox: worker that forwards.
        channels: what waits for institutions that pull.
        desk: answers them.
    """

    def __init__(
        self, station: Station, inspection: Worker, outbox: Worker, channels: Channels, desk: PullDesk
    ) -> None:
        self._station = station
        self._inspection = inspection
        self._outbox = outbox
        self._channels = channels
        self._desk = desk
        self._system = SystemDesk(station, inspection)

    def allow(self, client: frozenset[InstitutionId], unpacked: Unpacked) -> None:
        """Let an institution hand in only what is from itself, and pull only from its own channel."""
        if isinstance(unpacked.unit, PullRequest):
            self._desk.allow(client, unpacked.unit)
            return
        if is_system(unpacked):
            self._system.allow(client, unit_of(unpacked))
            return
        sender = sender_of(unpacked)
        if sender is None:
            raise EbmsFault(
                EbmsErrorCode.ROUTING_FAILURE,
                "Expected a user message or a signal with routing input",
                hint="Signals to another institution carry wsa:To and RoutingInput.",
            )
        if self._hands_in(sender) not in client:
            raise EbmsFault(
                EbmsErrorCode.FAILED_AUTHENTICATION,
                f"Expected the TLS certificate of {self._hands_in(sender)}, found one of {named(client)}",
                hint="Connect with the certificate that the directory lists for the From party; "
                "its own access point takes its messages, and the others get them from there.",
            )

    def _hands_in(self, sender: str) -> str:
        """Return who brings what is from ``sender``: itself, or the access point that is the last hop before."""
        directory = self._station.directory.current
        try:
            point = directory.next_access_point(self._station.party, sender)
        except RoutingError:
            return sender  # nobody serves it; whether it may send is decided later
        return point.id if point else sender

    def opened(self, client: frozenset[InstitutionId], unpacked: Unpacked) -> Unpacked:
        """Take off what another access point has encrypted for this one; institutions encrypt nothing (observed)."""
        directory = self._station.directory.current
        if not any(directory.find_access_point(each) for each in client):
            return unpacked
        return hop.decrypt(unpacked, Decryption([self._station.keys], is_required=True))

    async def candidates(self, unpacked: Unpacked) -> tuple[Certificate, ...]:
        """Only the sending institution may have signed; one whose entry has ended still signs receipts and errors.

        An error may also be from an access point on the way, which could not bring the message on.
        """
        if isinstance(unpacked.unit, PullRequest):
            return self._desk.candidates(unpacked.unit)
        if is_system(unpacked):
            return self._system.candidates(unit_of(unpacked))
        sender = sender_of(unpacked)
        if isinstance(unpacked.unit, UserMessage):
            return self._station.sender_certificates(unpacked.unit.sender.id)
        signers = [sender] if sender else []
        if isinstance(unpacked.unit, ErrorSignal) and unpacked.routing is not None:
            signers += self._others_between(unpacked.routing.sender.id, unpacked.routing.receiver.id)
        return tuple(found for each in signers for found in self._station.ebms_certificates(each))

    def _others_between(self, sender: str, receiver: str) -> list[str]:
        try:
            way = self._station.directory.current.way(sender, receiver)
        except RoutingError:
            return []
        return [point.id for point in way if point.id != self._station.party]

    async def accept(self, received: Received) -> Response:
        """Store the message and answer 202; a repetition is forwarded once more, other content is refused."""
        unpacked = received.unpacked
        if isinstance(unpacked.unit, PullRequest):
            return await self._desk.answer(received, unpacked.unit)
        if is_system(unpacked):
            return await self._system.accept(received, unit_of(unpacked))
        await self._check(unpacked)
        message = incoming(received, state=InboundState.RECEIVED, at=self._station.clock.now())
        store = self._station.store
        known = await store.find_message(Direction.IN, message.message_id)
        if known is not None:
            return await self._again(known, message)
        if await store.find_message(Direction.OUT, message.message_id) is not None:
            # By an error of this access point: the two would share a place in the queue.
            raise _used_before(message)
        if message.kind is MessageKind.USER:
            await self._require_room()
        work = UnitOfWork()
        work.add_message(message)
        work.journal(self._station.note("received", "ok", message_id=message.message_id, kind=message.kind))
        await self._note_answer(work, message)
        if message.kind is MessageKind.USER:
            self._station.taken_in.keep(message.digest, unpacked, unpacked.held)
        try:
            await store.commit(work)
        except Conflict:  # two with one id came at the same moment; the other one is stored
            known = await store.find_message(Direction.IN, message.message_id)
            if known is None:
                raise
            return await self._again(known, message)
        self._inspection.wake()
        return ACCEPTED

    async def _note_answer(self, work: UnitOfWork, message: StoredMessage) -> None:
        """A receipt, or an error, shows that whoever pulls has the message that it is about."""
        await self._channels.receipted(work, message.ref_to, by=message.sender)

    async def refuse(
        self,
        unpacked: Unpacked,
        fault: EbmsFault,
        client: frozenset[InstitutionId],
        *,
        verified: bool,  # noqa: ARG002 - of Acceptor; who hands in is told either way
    ) -> Response:
        """Answer at once with a signed error; the TLS client is known, so it may learn the reason."""
        fault.about(unpacked.unit.info.message_id)
        work = UnitOfWork()
        work.journal(
            self._station.note(
                "refused",
                fault.error_code.code,
                message_id=unpacked.unit.info.message_id,
                reason=fault.message,
                client=named(client),
            )
        )
        await self._station.store.commit(work)
        if isinstance(unpacked.unit, PullRequest) and fault.error_code is EbmsErrorCode.FAILED_AUTHENTICATION:
            return Response(403)  # the answer of AS4.NET (observed)
        if isinstance(unpacked.unit, ErrorSignal):  # there are no errors about errors (ebMS3 core 6.2)
            return refused(400, f"{fault.error_code.code}: {fault.description}")
        return synchronous_error(self._station, fault)

    async def _check(self, unpacked: Unpacked) -> None:
        """Check what an intermediary must know before it takes responsibility."""
        now = self._station.clock.now()
        unit = unpacked.unit
        EESSI_PROFILE.check_time(unit.info, now)
        if not unpacked.is_multihop:
            raise EbmsFault(
                EbmsErrorCode.PROCESSING_MODE_MISMATCH,
                "Expected a multi-hop message with the role nextmsh, found a point-to-point one",
                hint="Set S12:role nextmsh on eb:Messaging; signals also need wsa:To icloud.",
            )
        if isinstance(unit, UserMessage):
            EESSI_PROFILE.check(unit)
            route(unit.receiver.id, self._station.party, self._station.directory.current, now)
            return
        await self._check_signal(unpacked)

    async def _check_signal(self, unpacked: Unpacked) -> None:
        """Check the unsigned routing input against the user message that the signal answers."""
        routing, ref = unpacked.routing, unpacked.unit.info.ref_to_message_id
        original = await self._station.store.find_message(Direction.IN, ref) if ref else None
        if routing is None or original is None or original.kind is not MessageKind.USER:
            raise EbmsFault(
                EbmsErrorCode.ROUTING_FAILURE,
                f'Expected a signal about a user message that passed here, found RefToMessageId "{ref}"',
                hint="RefToMessageId names the user message that is answered.",
            )
        if (original.sender, original.receiver) != (routing.receiver.id, routing.sender.id):
            raise EbmsFault(
                EbmsErrorCode.ROUTING_FAILURE,
                f"Expected routing from {original.receiver} to {original.sender}, "
                f"found from {routing.sender.id} to {routing.receiver.id}",
                hint="RoutingInput has the parties of the user message swapped.",
            )

    async def _require_room(self) -> None:
        """Refuse a message when too many wait already (ebMS3 part 2, 2.7.4: 0021)."""
        waiting = sum(
            each.number
            for each in (await self._station.store.counts()).messages
            if each.kind is MessageKind.USER and (each.direction, each.state) in _WAITING
        )
        if waiting >= self._station.queue:
            raise EbmsFault(
                EbmsErrorCode.MPC_CAPACITY_EXCEEDED,
                f"Expected fewer than {self._station.queue} messages waiting here, found {waiting}",
                hint="Send it again later; a receiver may be out of reach.",
            )

    async def _again(self, known: StoredMessage, message: StoredMessage) -> Response:
        if known.digest != message.digest:
            raise _used_before(message)
        work = UnitOfWork()
        work.journal(self._station.note("received", "duplicate", message_id=message.message_id))
        await self._note_answer(work, message)
        for sent in await self._outcome_of(known):
            state = OutboundState.PARKED if sent.channel else OutboundState.SUBMITTED
            work.update_message(Direction.OUT, sent.message_id, state=state, attempts=0, due_at=None)
        await self._station.store.commit(work)
        self._outbox.wake()
        return ACCEPTED

    async def _outcome_of(self, known: StoredMessage) -> list[StoredMessage]:
        """Return what was already sent on because of ``known``: its copy, or the error that answered it.

        When there is a copy it is tried again, and an error that said it could not be brought is not repeated.
        """
        store = self._station.store
        copy = await store.find_message(Direction.OUT, known.message_id)
        if copy is not None:
            return [copy] if copy.state in _SETTLED else []
        answers = await store.messages(
            MessageQuery(direction=Direction.OUT, ref_to=known.message_id, states=_SETTLED)
        )
        return [answer for answer in answers if answer.details.get("made_by") == self._station.party]


def _used_before(message: StoredMessage) -> EbmsFault:
    return EbmsFault(
        EbmsErrorCode.VALUE_INCONSISTENT,
        f"Expected new content under a new message id, found {message.message_id} used before",
        hint="Make a new MessageId for new content; a retry sends the same bytes.",
    )


def forwarded(message: StoredMessage, way: Route, facts: dict[str, str]) -> StoredMessage:
    """Return the outgoing copy of a message taken in: the same bytes, a new queue.

    It is filed under the case that the envelope names, by which later documents of the case find it; the
    ConversationId of the message may be another one (observed).
    """
    conversation = InternationalId(facts["case"]).uuid if "case" in facts else message.conversation
    copy = replace(
        message,
        conversation=conversation,
        direction=Direction.OUT,
        attempts=0,
        due_at=None,
        leased_until=None,
        details={**message.details, **facts},
    )
    return directed(copy, way)
