"""The entrance for system messages at a node: who may say what, the receipt in the answer, the queue for the work.

System messages end here, so the receipt goes back in the same connection, once message and receipt are durable
(observed in a public prototype). A SYN001 that is older than what is installed, or says no version, is refused before.
"""

from typing import Final

from eessi_sim import sbdh
from eessi_sim.as4 import msh, vocabulary
from eessi_sim.as4.ebms_errors import EbmsErrorCode, EbmsFault
from eessi_sim.as4.exchange import InboundState, OutboundState
from eessi_sim.as4.model import RoutingInput, UserMessage
from eessi_sim.as4.msh import Unpacked
from eessi_sim.as4.pmode import EESSI_PROFILE
from eessi_sim.errors import Conflict, DefinitionError, EnvelopeError, XmlError
from eessi_sim.gateway.inbox import Received
from eessi_sim.gateway.records import incoming, outgoing
from eessi_sim.gateway.station import Station
from eessi_sim.gateway.worker import Worker
from eessi_sim.identifiers import InstitutionId
from eessi_sim.ir.importing import version_key
from eessi_sim.security.keys import Certificate
from eessi_sim.storage.base import Direction, MessageKind, MessageQuery, StoredMessage, UnitOfWork
from eessi_sim.synchronisation import documents
from eessi_sim.synchronisation.documents import (
    DIRECTORY,
    DIRECTORY_REQUEST,
    KINDS,
    MODEL_REQUEST,
    MODEL_VERSIONS,
    Kind,
)
from eessi_sim.transport.base import Response

SYSTEM_TYPE: Final = "system"
"""Detail of a stored message: the type of the system message."""
_ASKING: Final = (DIRECTORY_REQUEST, MODEL_REQUEST)
"""What institutions send to their access point; the others come from above."""


def is_system(unpacked: Unpacked) -> bool:
    """Return whether a message is a system message: of that service, for the next node only."""
    unit = unpacked.unit
    return isinstance(unit, UserMessage) and unit.collaboration.service == vocabulary.SYSTEM_SERVICE


def unit_of(unpacked: Unpacked) -> UserMessage:
    """Return the header of a system message."""
    assert isinstance(unpacked.unit, UserMessage)  # asked by ``is_system``
    return unpacked.unit


class SystemDesk:
    """Takes system messages in.

    Args:
        station: identity and seams of the node.
        work: the worker that processes what was taken in.
    """

    def __init__(self, station: Station, work: Worker) -> None:
        self._station = station
        self._work = work

    def allow(self, client: frozenset[InstitutionId], unit: UserMessage) -> None:
        """Let in who speaks for itself.

        Raises:
            EbmsFault: 0101 when the TLS client is somebody else than the sender.
        """
        if unit.sender.id not in client:
            raise EbmsFault(
                EbmsErrorCode.FAILED_AUTHENTICATION,
                f"Expected {unit.sender.id} itself as TLS client, found {', '.join(sorted(client))}",
                hint="System messages go from one node to the next; nobody passes them on.",
            )

    def candidates(self, unit: UserMessage) -> tuple[Certificate, ...]:
        """Return with which certificates the sender may sign."""
        return self._station.ebms_certificates(unit.sender.id)

    async def accept(self, received: Received, unit: UserMessage) -> Response:
        """Store a message together with its receipt, and answer with the receipt.

        Raises:
            EbmsFault: it is not for this node, not from whom such a message comes, or older than what is installed.
        """
        station = self._station
        EESSI_PROFILE.check_time(unit.info, station.clock.now())
        EESSI_PROFILE.check(unit)
        message = incoming(received, state=InboundState.RECEIVED, at=station.clock.now())
        known = await station.store.find_message(Direction.IN, message.message_id)
        if known is not None:
            return await self._again(known, message)
        kind = self._kind_of(received.unpacked, unit)
        packed = msh.pack_receipt(
            received.unpacked, station.keys, stamp=station.stamp(), references=received.references
        )
        receipt = outgoing(
            packed,
            kind=MessageKind.RECEIPT,
            way=RoutingInput.back_to_sender_of(unit),
            endpoint=None,
            at=station.clock.now(),
            ref_to=unit.info.message_id,
        )
        work = UnitOfWork()
        work.add_message(message.changed({"details": {SYSTEM_TYPE: str(kind.type)}}))
        work.add_message(receipt.changed({"state": OutboundState.FORWARDED}))
        work.journal(
            station.note(
                "received", "ok", message_id=message.message_id, system=kind.type, **{"from": unit.sender.id}
            )
        )
        try:
            await station.store.commit(work)
        except Conflict:  # two with one id came at the same moment; the other one is stored
            known = await station.store.find_message(Direction.IN, unit.info.message_id)
            if known is None:
                raise
            return await self._again(known, message)
        self._work.wake()
        return Response(200, {"content-type": packed.content_type}, packed.body)

    async def _again(self, known: StoredMessage, message: StoredMessage) -> Response:
        """Answer a repeated message with the same receipt; other content under its id is refused."""
        if known.digest != message.digest:
            raise EbmsFault(
                EbmsErrorCode.VALUE_INCONSISTENT,
                f"Expected new content under a new message id, found {known.message_id} used before",
                hint="Make a new MessageId for new content; a retry sends the same bytes.",
            )
        query = MessageQuery(direction=Direction.OUT, kind=MessageKind.RECEIPT, ref_to=known.message_id)
        (receipt,) = await self._station.store.messages(query, with_body=True, limit=1)
        work = UnitOfWork()
        work.journal(self._station.note("received", "duplicate", message_id=known.message_id))
        await self._station.store.commit(work)
        return Response(200, {"content-type": receipt.content_type}, receipt.body)

    def _kind_of(self, unpacked: Unpacked, unit: UserMessage) -> Kind:
        """Return what the message is, once it is clear that its sender may say that to this node."""
        if unit.receiver.id != self._station.party:
            raise EbmsFault(
                EbmsErrorCode.VALUE_INCONSISTENT,
                f"Expected a system message to {self._station.party}, found one to {unit.receiver.id}",
                hint="System messages end at the next node.",
            )
        document = _read(unpacked)
        kind = KINDS.get(document.header.document.type)
        if kind is None:
            raise _refused(
                f"Expected one of {', '.join(sorted(KINDS))}, found {document.header.document.type}",
                "Business documents use the service BusinessMessaging.",
            )
        self._check_sender(kind, unit)
        stated = (document.header.sender.id, document.header.receivers[0].id)
        if stated != (unit.sender.id, unit.receiver.id):
            raise _refused(
                f"Expected {unit.sender.id} and {unit.receiver.id} in the envelope, found {' and '.join(stated)}",
                "Envelope and ebMS header name the same parties.",
            )
        if kind is DIRECTORY:
            self._check_version(documents.stated_version(document.sed))
        return kind

    def _check_sender(self, kind: Kind, unit: UserMessage) -> None:
        """Refuse who may not send such a message to this node (BU-10: a SYN001 comes from above only)."""
        sender, station = unit.sender.id, self._station
        current = station.directory.current
        entry = current.find_access_point(station.party)
        if kind in _ASKING:
            may, expected = (
                entry is not None and sender in entry.linked,
                "an institution of this access point",
            )
        elif kind is MODEL_VERSIONS and current.central is not None and current.central.id == station.party:
            may, expected = current.find_access_point(sender) is not None, "an access point"
        else:
            may, expected = sender in self._above(), " or ".join(sorted(self._above())) or "nobody"
        if not may:
            raise EbmsFault(
                EbmsErrorCode.FAILED_AUTHENTICATION,
                f"Expected {kind.type} from {expected}, found it from {sender}",
                hint="The directory comes from the central service node, then from the access point.",
            )

    def _above(self) -> set[str]:
        """Return from whom this node learns: an access point from the central node, an institution from its access point."""
        current, party = self._station.directory.current, self._station.party
        if current.find_access_point(party):
            return {current.central.id} if current.central else set()
        if current.find(party):
            return {current.access_point_of(party).id}
        return set()

    def _check_version(self, version: str) -> None:
        installed = self._station.directory.current.version
        try:
            is_older = version_key(version) < version_key(installed)
        except DefinitionError as error:
            raise _refused(error.message, error.hint or "") from error
        if is_older:
            raise _refused(
                f"Expected version {installed}, which is installed, or a newer one, found {version}",
                "Going back is done by a newer version with the old content.",
            )


def _read(unpacked: Unpacked) -> sbdh.StandardBusinessDocument:
    if not unpacked.parts:
        raise _refused("Expected a system document in the first part, found no part", "Attach the document.")
    try:
        return documents.read(unpacked.parts[0])
    except (EnvelopeError, XmlError) as error:
        raise _refused(error.message, error.hint or "") from error


def _refused(message: str, hint: str) -> EbmsFault:
    return EbmsFault(EbmsErrorCode.OTHER, message, hint=hint or None, detail=f"{message}. {hint}")
