"""One AS4 gateway under test, point to point: at a URL, seen through the wire alone, or one of our own on loopback."""

import ssl
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ed25519

from eessi_sim.as4 import msh, soap_writer, vocabulary
from eessi_sim.as4.encryption import Encryption
from eessi_sim.as4.model import Party, Payload, UserMessage
from eessi_sim.as4.modes import PRESETS, ProcessingMode, ProfileName
from eessi_sim.as4.msh import Packed
from eessi_sim.clock import SystemClock
from eessi_sim.conformance.bench import Bench
from eessi_sim.conformance.forgery import Forgery
from eessi_sim.conformance.model import Exchange, NotApplicable, Result, expect
from eessi_sim.conformance.wire import Answer, Door, Shot
from eessi_sim.errors import EessiSimError, SettingsError
from eessi_sim.gateway.lone import Delivery, Identity, LoneGateway, header_of
from eessi_sim.identifiers import InstitutionId
from eessi_sim.ir.repository import InstitutionRepository
from eessi_sim.security.keys import HeldKey, KeyPair, Purpose
from eessi_sim.security.pki import CertificateAuthority, KeyAlgorithm
from eessi_sim.security.trust import TrustStore
from eessi_sim.transport.base import Handler, Response
from eessi_sim.transport.http import HttpListener

PROFILES: Final = (ProfileName.EDELIVERY_1, ProfileName.EDELIVERY_2, ProfileName.EDELIVERY_2_EC)
DOCUMENT: Final = (
    b'<?xml version="1.0" encoding="UTF-8"?>\n<order xmlns="urn:eessi-sim:conformance"><item>1</item></order>'
)
"""What is sent when nobody names a document."""
_LOOPBACK: Final = "127.0.0.1"
_TYPE: Final = "urn:oasis:names:tc:ebcore:partyid-type:unregistered"


@dataclass
class Own:
    """What is known of a gateway of our own beyond the wire."""

    identity: Identity
    authority: CertificateAuthority
    others: dict[str, KeyPair] = field(default_factory=dict)
    """Further parties that rows have made up."""
    deliveries: list[Delivery] = field(default_factory=list)
    opened: AsyncExitStack = field(default_factory=AsyncExitStack)
    """Listeners that rows have started."""

    async def deliver(self, delivery: Delivery) -> None:
        """Remember what was delivered."""
        self.deliveries.append(delivery)

    async def listen(self, handler: Handler) -> str:
        """Serve something else on loopback, until the run ends; return its URL."""
        listener = HttpListener(_LOOPBACK, 0, identity=None)
        url = await listener.start(handler)
        self.opened.push_async_callback(listener.stop)
        return f"{url}/"


@dataclass
class Point(Bench):
    """A gateway at the address of the mode."""

    identity: Identity
    """Our keys, and whom we believe."""
    mode: ProcessingMode
    context: ssl.SSLContext | None = None
    """Our TLS settings; None for plain HTTP, or for TLS without a certificate of ours."""
    document: bytes = field(default=DOCUMENT, repr=False)
    known: Own | None = None
    exchanges: list[Exchange] = field(default_factory=list)

    @property
    def gateway(self) -> LoneGateway:
        """Our side."""
        return LoneGateway(self.identity)

    @property
    def own(self) -> Own:
        """The other side, when it is ours.

        Raises:
            NotApplicable: it is somebody else's.
        """
        if self.known is None:
            raise NotApplicable(
                "Expected a gateway of our own, found one that is seen through the wire alone"
            )
        return self.known

    @property
    def encryption(self) -> Encryption | None:
        """For whom messages are encrypted."""
        if self.mode.security.encrypts_for is None or self.identity.recipient is None:
            return None
        return Encryption(self.identity.recipient, self.mode.security.recipient_reference)

    def header(self) -> UserMessage:
        """Return the header of a message that nobody has seen before."""
        return header_of(self.mode, self.gateway.stamp())

    def payloads(self) -> tuple[Payload, ...]:
        """Return a document and an attachment."""
        pack = msh.compressed_payload if self.mode.is_compressed else msh.plain_payload
        return (
            pack("sed-1@pl.example", self.document, "application/xml", "SED"),
            pack("att-1@pl.example", b"%PDF-1.7 ...", "application/pdf", "Attachment"),
        )

    def forgery(self) -> Forgery:
        """Return a good message put together by hand."""
        return Forgery(
            self.payloads(),
            self.identity.keys,
            self.header(),
            is_multihop=self.mode.is_multihop,
            encryption=self.encryption,
        )

    def packed(
        self,
        change: Callable[[UserMessage], UserMessage] = lambda unit: unit,
        parts: Callable[[bytes], Sequence[Payload]] | None = None,
        files: int = 0,  # noqa: ARG002 - its documents list nothing
    ) -> Packed:
        """Return a message as our own code packs it."""
        payloads = self.payloads() if parts is None else tuple(parts(self.document))
        return msh.pack_user_message(
            change(self.header()),
            payloads,
            self.identity.keys,
            token=self.gateway.stamp().token,
            multihop=self.mode.is_multihop,
            key_reference=self.mode.security.key_reference,
            encryption=self.encryption,
        )

    def edited(self, *edits: tuple[str, str]) -> Packed:
        """Return a message whose header was changed before it was signed, and the rest of the envelope afterwards."""
        made = self.forgery()
        frame = soap_writer.write_envelope((), made.body).decode()
        header = tuple(edit for edit in edits if edit[0] in made.messaging and edit[0] not in frame)
        rest = tuple(edit for edit in edits if edit not in header)
        return replace(made, header_edits=header, edits=rest).packed()

    def plain(self) -> Packed:
        """Return a good message: the frame is under no signature."""
        return self.forgery().packed()

    async def fire(self, shot: Shot) -> Answer:
        """Send and return what came back."""
        door = Door.of(self.mode.address or "")
        request, answer = await door.fire(shot, shot.context or self.context)
        self.exchanges.append(Exchange.of(request, answer.head + answer.body))
        return answer

    async def submit(self, shot: Shot) -> Result:
        """Send and return what the answer says."""
        answer = await self.fire(shot)
        return Result(answer.outcome, answer.milliseconds, shot.message_id)

    async def deliver(self, packed: Packed) -> Result:
        """Send a message and check its receipt against it."""
        answer = await self.fire(Shot.of(packed))
        headers: Mapping[str, str] = {"content-type": answer.content_type}
        try:
            outcome = self.gateway.judge(self.mode, packed, Response(answer.status, headers, answer.body))
        except EessiSimError as error:
            return Result(f"{answer.outcome}, {error.message}", answer.milliseconds)
        return Result("202" if outcome.is_accepted else answer.outcome, answer.milliseconds)

    async def good_message(self) -> None:
        """Send a good message and check its receipt; 202 means that the receipt comes by another way."""
        result = await self.deliver(self.packed())
        expect(
            result.outcome in ("Receipt", "202"),
            f"Expected a receipt for a good message, found {result.outcome or 'no answer'}",
        )


def at_party(
    repository: InstitutionRepository,
    party: InstitutionId,
    identity: Identity,
    mode: ProcessingMode,
    context: ssl.SSLContext | None,
    document: bytes = DOCUMENT,
) -> Point:
    """Return a participant of an EESSI network, with the address and certificates of the directory; receipts by callback.

    Args:
        repository: the directory.
        party: an institution, or an access point, which is sent messages for the receiver of the mode.
        identity: keys of an institution of the network; whom it believes is taken from the directory when it says nobody.
        mode: says who sends and, to an access point, who receives.
        context: TLS settings of the sender.
        document: what good messages carry.

    Raises:
        IrError: nobody has this id.
        SettingsError: the mode names no parties.
    """
    points = {point.id: point for point in repository.access_points}
    point = points.get(party)
    if mode.sender is None or mode.receiver is None:
        raise SettingsError("Expected a sender and a receiver in the agreement, found none")
    listed = repository.get(party) if point is None else point
    agreed = replace(
        PRESETS[ProfileName.EESSI],
        sender=Party(mode.sender.id),
        receiver=Party(party if point is None else mode.receiver.id),
        address=repository.get(party).endpoint.channel if point is None else point.outbox,
    )
    if not identity.partners:
        # Being listed is enough to be believed, as between nodes of a network.
        identity = replace(identity, partners=listed.certificates.ebms)
    return Point(identity, agreed, context, document)


def issue(authority: CertificateAuthority, profile: ProfileName, name: str) -> tuple[KeyPair, HeldKey]:
    """Make the keys that a profile asks for: what signs, and what others encrypt for."""
    now = SystemClock().now()
    if profile is ProfileName.EDELIVERY_2:
        own = ed25519.Ed25519PrivateKey.generate()
        signing = authority.issue(name, Purpose.EBMS, country="EU", now=now, key=own)
        return signing, authority.issue_agreement(name, country="EU", now=now)
    signing = authority.issue(name, Purpose.EBMS, country="EU", now=now)
    return signing, HeldKey(signing.private_key, signing.certificate)


@asynccontextmanager
async def own_point(profile: ProfileName) -> AsyncIterator[Point]:
    """Start a lone gateway of our own on loopback, and end it."""
    kind = KeyAlgorithm.RSA_2048 if profile is ProfileName.EDELIVERY_1 else KeyAlgorithm.P_256
    authority = CertificateAuthority.create("Conformance authority", SystemClock().now(), kind)
    ours, theirs = (issue(authority, profile, name) for name in ("sender", "receiver"))
    trust = TrustStore.of([authority.certificate])
    here, there = (
        Identity(
            keys=me[0],
            decryption=(me[1],),
            partners=(other[0].certificate,),
            trust=trust,
            recipient=other[1].certificate,
        )
        for me, other in ((ours, theirs), (theirs, ours))
    )
    mode = replace(
        PRESETS[profile],
        sender=Party("sender", _TYPE, vocabulary.INITIATOR_ROLE),
        receiver=Party("receiver", _TYPE, vocabulary.RESPONDER_ROLE),
        service="urn:eessi-sim:service",
        action="Send",
    )
    own = Own(there, authority)
    async with own.opened:
        url = await own.listen(LoneGateway(there).serve([mode], own.deliver))
        yield Point(here, replace(mode, address=url), known=own)
