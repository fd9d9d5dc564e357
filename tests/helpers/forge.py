"""Messages of the network made anew with something wrong in them; everything else about them stays right.

``held_back`` lets an institution send while the access point cannot be reached, ``let_go`` sends other bytes in
place of what waits: so the sender has a case and an outbox like anybody who sends something wrong.
"""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from tests.helpers.lab import A003, LA_BUC_02, NAV, POINT, ZUS, Lab

from eessi_sim import sbdh, xmlsafe
from eessi_sim.as4 import msh, vocabulary
from eessi_sim.as4.model import CollaborationInfo, ErrorSignal, MessageInfo, Party, Payload, UserMessage
from eessi_sim.as4.msh import Packed, Stamp, Unpacked
from eessi_sim.identifiers import BucType, InstitutionId, MessageId, SedType
from eessi_sim.sbdh import (
    BusinessScope,
    ContactTypeIdentifier,
    DocumentIdentification,
    Partner,
    StandardBusinessDocumentHeader,
)
from eessi_sim.security import xades
from eessi_sim.security.keys import KeyPair
from eessi_sim.storage.base import Direction, StoredMessage, UnitOfWork
from eessi_sim.transport.base import Response

_SIGNATURE = re.compile(rb"<ds:Signature .*</ds:Signature>", re.DOTALL)


def unpacked(message: StoredMessage) -> Unpacked:
    """Take a stored message apart."""
    return msh.unpack(message.content_type, message.body)


def token_for(text: str) -> str:
    """32 hexadecimal digits that depend on the text."""
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


@dataclass(frozen=True)
class Draft:
    """A business message taken apart; replace what shall be wrong, then pack it."""

    unit: UserMessage
    header: StandardBusinessDocumentHeader
    sed: bytes
    """Sealed octets."""
    attachments: tuple[Payload, ...] = ()

    @classmethod
    def of(cls, message: StoredMessage) -> "Draft":
        """Take a message of the network apart."""
        parts = unpacked(message)
        assert isinstance(parts.unit, UserMessage)
        document = sbdh.read(msh.payload_content(parts.parts[0]))
        return cls(parts.unit, document.header, xmlsafe.exclusive_c14n(document.sed))

    def named(self, message_id: str) -> "Draft":
        """The same under another message id."""
        info = replace(self.unit.info, message_id=MessageId(message_id))
        return self.with_unit(info=info)

    def with_unit(self, **changes: object) -> "Draft":
        return replace(self, unit=replace(self.unit, **changes))  # type: ignore[arg-type] # tests name real fields

    def addressed(self, sender: str | None = None, receiver: str | None = None) -> "Draft":
        """The same with other parties in the ebMS header; the envelope stays."""
        unit = self.unit
        return self.with_unit(
            sender=Party(sender or unit.sender.id), receiver=Party(receiver or unit.receiver.id)
        )

    def with_header(self, **changes: object) -> "Draft":
        return replace(self, header=replace(self.header, **changes))  # type: ignore[arg-type] # tests name real fields

    def with_roles(self, sender: ContactTypeIdentifier, receiver: ContactTypeIdentifier) -> "Draft":
        """The same parties in other roles."""
        header = self.header
        return self.with_header(
            sender=Partner(header.sender.id, sender),
            receivers=tuple(Partner(each.id, receiver) for each in header.receivers),
        )

    def with_document(self, **changes: object) -> "Draft":
        document: DocumentIdentification = replace(self.header.document, **changes)  # type: ignore[arg-type] # as above
        return self.with_header(document=document)

    def with_scope(self, **changes: object) -> "Draft":
        scope: BusinessScope = replace(self.header.scope, **changes)  # type: ignore[arg-type] # as above
        return self.with_header(scope=scope)

    def with_sed(self, root: xmlsafe.Element, seal: KeyPair) -> "Draft":
        """Another document, sealed."""
        sed = xades.sign(root, seal, signing_time=self.header.document.created_at, token=token_for("seal"))
        return replace(self, sed=sed)

    def edited(self, pattern: bytes, replacement: bytes, seal: KeyPair | None = None) -> "Draft":
        """The document with a change; sealed again when ``seal`` is given, else the seal is broken."""
        sed, number = re.subn(pattern, replacement, self.sed, count=1, flags=re.DOTALL)
        assert number, pattern
        if seal is None:
            return replace(self, sed=sed)
        return self.with_sed(xmlsafe.parse(_SIGNATURE.sub(b"", sed)), seal)

    def packed(
        self, keys: KeyPair | None, *, multihop: bool = True, payloads: tuple[Payload, ...] | None = None
    ) -> Packed:
        """The message, signed with ``keys``, or not at all."""
        if payloads is None:
            wrapped = sbdh.wrap(self.header, self.sed)
            sed = msh.compressed_payload("sed@forged.example", wrapped, "application/xml", "SED")
            payloads = (sed, *self.attachments)
        token = token_for(self.unit.info.message_id)
        return msh.pack_user_message(self.unit, payloads, keys, token=token, multihop=multihop)


async def held_back(
    lab: Lab,
    sed: SedType = A003,
    *,
    owner: InstitutionId = NAV,
    others: Iterable[InstitutionId] = (ZUS,),
    buc: BucType = LA_BUC_02,
) -> Draft:
    """Let an institution open a case while the access point cannot be reached; return what waits."""
    lab.take_down(POINT)
    await lab.open(sed, owner=owner, others=others, buc=buc)
    return Draft.of(lab.sent(owner))


async def reply_held_back(lab: Lab, party: InstitutionId, sed: SedType, to: SedType) -> Draft:
    """Let an institution reply while the access point cannot be reached; return what waits."""
    lab.take_down(POINT)
    await lab.reply(party, sed, to)
    return Draft.of(lab.sent(party))


async def let_go(lab: Lab, packed: Packed, owner: InstitutionId = NAV, seconds: float = 30) -> None:
    """Send these bytes in place of the message that waits, and let the network work.

    The sender starts anew, so that it knows nothing but what is stored.
    """
    work = UnitOfWork()
    work.update_message(
        Direction.OUT,
        packed.message_id,
        body=packed.body,
        content_type=packed.content_type,
        digest=hashlib.sha256(packed.body).hexdigest(),
    )
    await lab.store(owner).commit(work)
    await lab.network.restart(owner)
    lab.bring_up(POINT)
    await lab.work(seconds)


async def post(
    lab: Lab, packed: Packed, *, client: InstitutionId = NAV, to: InstitutionId = POINT
) -> Response:
    """Hand in a message with the TLS certificate of a party and let the network work."""
    certificate = lab.keys(client).tls.certificate.der
    answer = await lab.post(to, packed.body, content_type=packed.content_type, client=certificate)
    await lab.network.quiet()
    return answer


def codes(response: Response) -> list[str]:
    """The ebMS errors in an answer."""
    unit = msh.unpack(response.headers["content-type"], response.body).unit
    assert isinstance(unit, ErrorSignal)
    return [error.code for error in unit.errors]


def stamp(lab: Lab, party: InstitutionId, name: str = "signal") -> Stamp:
    """Identity of a forged signal."""
    return Stamp(MessageId(f"{name}@{party.domain}"), lab.clock.now(), token_for(name))


def routed(message: StoredMessage, sender: str, receiver: str, *, message_id: str | None = None) -> Unpacked:
    """The user message as if it had gone from ``sender`` to ``receiver``: its signals are routed back that way."""
    original = unpacked(message)
    unit = original.unit
    assert isinstance(unit, UserMessage)
    info = replace(unit.info, message_id=MessageId(message_id or unit.info.message_id))
    return replace(original, unit=replace(unit, info=info, sender=Party(sender), receiver=Party(receiver)))


def ping(lab: Lab, sender: InstitutionId, receiver: InstitutionId) -> UserMessage:
    """A test message (ebMS3 core 5.2.2)."""
    return UserMessage(
        MessageInfo(MessageId(f"ping@{sender.domain}"), lab.clock.now()),
        Party(sender),
        Party(receiver),
        CollaborationInfo(
            conversation_id="ping",
            service=vocabulary.TEST_SERVICE,
            service_type=None,
            action=vocabulary.TEST_ACTION,
        ),
    )
