"""Signed messages put together by hand, so that each part of the signature can be wrong on purpose."""

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from tests.helpers.as4_messages import (
    MESSAGE_ID,
    SENDER,
    attachment,
    keys_of,
    sed_payload,
    unpacked,
    user_message,
)

from eessi_sim.as4 import mime, msh, soap_writer, vocabulary
from eessi_sim.as4.model import Payload, UserMessage
from eessi_sim.security import xmldsig
from eessi_sim.security.keys import KeyPair
from eessi_sim.security.xmldsig import Reference

BST_REFERENCE = (
    '<wsse:SecurityTokenReference><wsse:Reference URI="#cert-1"'
    f' ValueType="{vocabulary.X509_V3}"/></wsse:SecurityTokenReference>'
)


def messaging(payloads: Sequence[Payload], **changes: object) -> str:
    """Return eb:Messaging of the usual message, id ``ebms-1``."""
    unit = user_message(parts=tuple(payload.part_info for payload in payloads), **changes)
    return soap_writer.write_messaging(unit, "ebms-1", has_role=True)


@dataclass(frozen=True)
class Forgery:
    """What a signed message is made of; every field can be replaced before it is signed."""

    payloads: tuple[Payload, ...] = field(default_factory=lambda: (sed_payload(), attachment()))
    keys: KeyPair = field(default_factory=lambda: keys_of(SENDER.id))
    unit: UserMessage | None = None
    """Header of the message; None: the usual one."""
    references: tuple[Reference, ...] | None = None
    """None: those that belong to the message."""
    key_info: str = BST_REFERENCE
    token: bytes | None = None
    """DER in the BinarySecurityToken; None: the certificate of ``keys``."""
    in_security: str = ""
    """Further content of the Security header, in front of the signature."""
    objects: str = ""
    """Further content of the signature, behind KeyInfo."""
    security_attributes: str = ""
    blocks: str = ""
    """Header blocks in front of eb:Messaging."""
    signed_edits: tuple[tuple[str, str], ...] = ()
    """Replacements in SignedInfo before it is signed."""
    edits: tuple[tuple[str, str], ...] = ()
    """Replacements in the envelope after it was signed."""

    @property
    def messaging(self) -> str:
        """The signed eb:Messaging."""
        if self.unit is None:
            return messaging(self.payloads)
        whole = replace(self.unit, parts=tuple(payload.part_info for payload in self.payloads))
        return soap_writer.write_messaging(whole, "ebms-1", has_role=True)

    @property
    def body(self) -> str:
        """The signed S12:Body."""
        return soap_writer.write_body("body-1")

    def usual_references(self) -> tuple[Reference, ...]:
        """Return the references that belong to the message."""
        return (
            Reference.over(self.messaging.encode(), "#ebms-1", xmldsig.EXCLUSIVE),
            Reference.over(self.body.encode(), "#body-1", xmldsig.EXCLUSIVE),
            *(
                Reference.over(payload.content, mime.href(payload.content_id), xmldsig.SWA_CONTENT)
                for payload in self.payloads
            ),
        )

    def security(self) -> str:
        """Return the Security header."""
        references = self.usual_references() if self.references is None else self.references
        info = xmldsig.signed_info(references, self.keys.signature_algorithm).decode()
        for old, new in self.signed_edits:
            assert old in info, old
            info = info.replace(old, new)
        signature = xmldsig.render_signature(
            info.encode(), self.keys.sign(info.encode()), self.key_info, objects=self.objects
        )
        der = self.keys.certificate.der if self.token is None else self.token
        return (
            f'<wsse:Security xmlns:wsse="{vocabulary.WSSE}" S12:mustUnderstand="true"{self.security_attributes}>'
            f'<wsse:BinarySecurityToken xmlns:wsu="{vocabulary.WSU}" EncodingType="{vocabulary.BASE64_BINARY}"'
            f' ValueType="{vocabulary.X509_V3}" wsu:Id="cert-1">{b64encode(der).decode()}'
            f"</wsse:BinarySecurityToken>{self.in_security}{signature}</wsse:Security>"
        )

    def packed(self) -> msh.Packed:
        """Return the message in its frame."""
        envelope = soap_writer.write_envelope((self.security(), self.blocks, self.messaging), self.body)
        text = envelope.decode()
        for old, new in self.edits:
            assert old in text, old
            text = text.replace(old, new)
        content_type, body = mime.write("=-b1", "root@pl.example", text.encode(), self.payloads)
        return msh.Packed(self.unit.info.message_id if self.unit else MESSAGE_ID, content_type, body)

    def unpacked(self) -> msh.Unpacked:
        """Return the message taken apart again."""
        return unpacked(self.packed())


def forged(**changes: object) -> msh.Unpacked:
    """Return a message that is right but for the named changes."""
    return replace(Forgery(), **changes).unpacked()  # type: ignore[arg-type] # tests name real fields
