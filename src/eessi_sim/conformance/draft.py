"""A business message taken apart: replace what shall be wrong, then pack it; everything else stays right."""

import hashlib
import re
from dataclasses import dataclass, replace
from typing import Final

from eessi_sim import sbdh, xmlsafe
from eessi_sim.as4 import msh
from eessi_sim.as4.model import MessageProperty, Party, Payload, UserMessage
from eessi_sim.as4.msh import Packed
from eessi_sim.as4.vocabulary import ATTACHMENT_ID, ATTACHMENT_PART
from eessi_sim.identifiers import AttachmentId, MessageId
from eessi_sim.sbdh import (
    BusinessScope,
    ContactTypeIdentifier,
    DocumentIdentification,
    ListedAttachment,
    Partner,
    StandardBusinessDocumentHeader,
)
from eessi_sim.security import xades
from eessi_sim.security.keys import KeyPair
from eessi_sim.storage.base import StoredMessage

PDF: Final = b"%PDF-1.7\n% a scan that nobody needs\n"
_SIGNATURE = re.compile(rb"<ds:Signature .*</ds:Signature>", re.DOTALL)


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
        parts = msh.unpack(message.content_type, message.body)
        assert isinstance(parts.unit, UserMessage)
        document = sbdh.read(msh.payload_content(parts.parts[0]))
        return cls(parts.unit, document.header, xmlsafe.exclusive_c14n(document.sed))

    def named(self, message_id: str) -> "Draft":
        """The same under another message id."""
        info = replace(self.unit.info, message_id=MessageId(message_id))
        return self.with_unit(info=info)

    def with_unit(self, **changes: object) -> "Draft":
        """The same with other fields in the ebMS header."""
        return replace(self, unit=replace(self.unit, **changes))  # type: ignore[arg-type] # callers name real fields

    def addressed(self, sender: str | None = None, receiver: str | None = None) -> "Draft":
        """The same with other parties in the ebMS header; the envelope stays."""
        unit = self.unit
        return self.with_unit(
            sender=Party(sender or unit.sender.id), receiver=Party(receiver or unit.receiver.id)
        )

    def with_header(self, **changes: object) -> "Draft":
        """The same with other fields in the envelope."""
        return replace(self, header=replace(self.header, **changes))  # type: ignore[arg-type] # callers name real fields

    def with_roles(self, sender: ContactTypeIdentifier, receiver: ContactTypeIdentifier) -> "Draft":
        """The same parties in other roles."""
        header = self.header
        return self.with_header(
            sender=Partner(header.sender.id, sender),
            receivers=tuple(Partner(each.id, receiver) for each in header.receivers),
        )

    def with_document(self, **changes: object) -> "Draft":
        """The same with another identification of the document."""
        document: DocumentIdentification = replace(self.header.document, **changes)  # type: ignore[arg-type] # as above
        return self.with_header(document=document)

    def with_scope(self, **changes: object) -> "Draft":
        """The same with another business scope."""
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


def listed(number: int) -> ListedAttachment:
    """Return an attachment as the envelope of a made-up message lists it."""
    return ListedAttachment(AttachmentId(f"{number:032x}"), f"scan-{number}.pdf", "application/pdf")


def forged_part(number: int, data: bytes = PDF, *, compressed: bool = True) -> Payload:
    """Return the part of such an attachment; its Content-ID is ``att-<number>@pl.example``."""
    make = msh.compressed_payload if compressed else msh.plain_payload
    part = make(f"att-{number}@pl.example", data, "application/pdf", ATTACHMENT_PART)
    return replace(part, properties=(*part.properties, MessageProperty(ATTACHMENT_ID, listed(number).id)))
