"""What one SED leaves behind on its way: the real messages, documents and cases that the steps are measured on."""

from dataclasses import dataclass
from datetime import datetime

from eessi_sim import sbdh
from eessi_sim.as4 import msh
from eessi_sim.as4.model import Payload, UserMessage
from eessi_sim.as4.msh import Unpacked
from eessi_sim.benchmark.endtoend import deliver
from eessi_sim.benchmark.network import BenchNetwork, Route
from eessi_sim.buc.case import Case
from eessi_sim.buc.definition import BucDefinition
from eessi_sim.buc.engine import IncomingDocument
from eessi_sim.identifiers import InstitutionId
from eessi_sim.institution.office import Library, Office
from eessi_sim.institution.receiving import incoming_document
from eessi_sim.sbdh import StandardBusinessDocument
from eessi_sim.storage.base import Direction, MessageKind, MessageQuery, StoredMessage
from eessi_sim.xmlsafe import Element


@dataclass(frozen=True, slots=True)
class Specimens:
    """One SED and everything made of it; the nodes are up as long as their network is entered."""

    network: BenchNetwork
    route: Route
    at: datetime
    """When the signatures are to be checked."""
    opened: Case
    """The case at the sender before the document."""
    sent: Case
    """The case at the sender, receipt included."""
    root: Element
    """The document before it is sealed."""
    sealed: bytes
    message: StoredMessage
    """As the access point took it in."""
    unpacked: Unpacked
    document: StandardBusinessDocument
    incoming: IncomingDocument
    receipt: StoredMessage
    """As the sender took it in."""
    unpacked_receipt: Unpacked

    @property
    def sender(self) -> Office:
        """What the sender works with."""
        return self.network.sender.office

    @property
    def receiver(self) -> Office:
        """What the receiver works with."""
        return self.network.receiver.office

    @property
    def library(self) -> Library:
        """Definitions."""
        return self.sender.library

    @property
    def process(self) -> BucDefinition:
        """Definition of the process of the case."""
        return self.library.processes.get(self.route.buc)

    @property
    def user_message(self) -> UserMessage:
        """The header of the message."""
        assert isinstance(self.unpacked.unit, UserMessage)  # collect took the user message
        return self.unpacked.unit

    @property
    def payload(self) -> Payload:
        """The compressed part."""
        return self.unpacked.parts[0]


async def collect(network: BenchNetwork) -> Specimens:
    """Send one SED through a network that is up, and gather what it left.

    Raises:
        Lost: it was refused.
    """
    route = network.route
    (case_id,) = await network.open_cases(1)
    opened = await network.sender.case(case_id)
    root = route.document()
    await deliver(network, case_id, root)
    sent = await network.sender.case(case_id)
    message = await _arrived(network, network.access_point.station.party, MessageKind.USER)
    receipt = await _arrived(network, route.owner, MessageKind.RECEIPT)
    unpacked = msh.unpack(message.content_type, message.body)
    document = sbdh.read(msh.payload_content(unpacked.parts[0]))
    assert isinstance(unpacked.unit, UserMessage)  # it was looked for by its kind
    stored = await network.store(route.owner).document(case_id, sent.documents[0].id)
    assert stored is not None  # it was sent
    return Specimens(
        network=network,
        route=route,
        at=network.sender.office.station.clock.now(),
        opened=opened,
        sent=sent,
        root=root,
        sealed=stored.content,
        message=message,
        unpacked=unpacked,
        document=document,
        incoming=incoming_document(document, unpacked.unit, message),
        receipt=receipt,
        unpacked_receipt=msh.unpack(receipt.content_type, receipt.body),
    )


async def _arrived(network: BenchNetwork, party: InstitutionId, kind: MessageKind) -> StoredMessage:
    query = MessageQuery(direction=Direction.IN, kind=kind)
    return (await network.store(party).messages(query, limit=1, with_body=True))[0]
