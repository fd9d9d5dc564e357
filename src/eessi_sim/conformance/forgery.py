"""Signed messages put together by hand, so that each part of the signature can be wrong on purpose."""

from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, replace
from uuid import uuid4

from eessi_sim.as4 import encryption, mime, msh, soap_writer, vocabulary
from eessi_sim.as4.encryption import Encryption
from eessi_sim.as4.model import Payload, UserMessage
from eessi_sim.conformance.model import NotApplicable
from eessi_sim.security import xmldsig
from eessi_sim.security.keys import KeyPair
from eessi_sim.security.xmldsig import Reference

BST_REFERENCE = (
    '<wsse:SecurityTokenReference><wsse:Reference URI="#cert-1"'
    f' ValueType="{vocabulary.X509_V3}"/></wsse:SecurityTokenReference>'
)


@dataclass(frozen=True)
class Forgery:
    """What a signed message is made of; every field can be replaced before it is signed."""

    payloads: tuple[Payload, ...]
    keys: KeyPair
    unit: UserMessage
    """Header of the message; its parts are replaced by those of the payloads."""
    is_multihop: bool = True
    encryption: Encryption | None = None
    """For whom the parts are encrypted, after the signature."""
    in_encryption: Callable[[str], str] = str
    """Changes the elements of the encryption."""
    ciphertext: Callable[[bytes], bytes] = bytes
    """Changes each encrypted part."""
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
    header_edits: tuple[tuple[str, str], ...] = ()
    """Replacements in eb:Messaging before it is signed."""
    signed_edits: tuple[tuple[str, str], ...] = ()
    """Replacements in SignedInfo before it is signed."""
    edits: tuple[tuple[str, str], ...] = ()
    """Replacements in the envelope after it was signed."""

    @property
    def messaging(self) -> str:
        """The signed eb:Messaging."""
        whole = replace(self.unit, parts=tuple(payload.part_info for payload in self.payloads))
        text = soap_writer.write_messaging(whole, "ebms-1", has_role=self.is_multihop)
        return _edited(text, self.header_edits)

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

    def security(self, encrypted: str = "") -> str:
        """Return the Security header; ``encrypted`` stands at its start."""
        references = self.usual_references() if self.references is None else self.references
        info = xmldsig.signed_info(references, self.keys.signature_algorithm).decode()
        info = _edited(info, self.signed_edits)
        signature = xmldsig.render_signature(
            info.encode(), self.keys.sign(info.encode()), self.key_info, objects=self.objects
        )
        der = self.keys.certificate.der if self.token is None else self.token
        return (
            f'<wsse:Security xmlns:wsse="{vocabulary.WSSE}" S12:mustUnderstand="true"{self.security_attributes}>{encrypted}'
            f'<wsse:BinarySecurityToken xmlns:wsu="{vocabulary.WSU}" EncodingType="{vocabulary.BASE64_BINARY}"'
            f' ValueType="{vocabulary.X509_V3}" wsu:Id="cert-1">{b64encode(der).decode()}'
            f"</wsse:BinarySecurityToken>{self.in_security}{signature}</wsse:Security>"
        )

    def packed(self) -> msh.Packed:
        """Return the message in its frame.

        Raises:
            NotApplicable: a text that an edit replaces is not in this message.
        """
        blocks, payloads = "", self.payloads
        if self.encryption is not None:
            result = encryption.encrypt(self.payloads, self.encryption, uuid4().hex)
            blocks = self.in_encryption(result.blocks)
            payloads = tuple(replace(each, octets=self.ciphertext(each.content)) for each in result.payloads)
        envelope = soap_writer.write_envelope((self.security(blocks), self.blocks, self.messaging), self.body)
        text = _edited(envelope.decode(), self.edits)
        content_type, body = mime.write("=-b1", "root@pl.example", text.encode(), payloads)
        return msh.Packed(self.unit.info.message_id, content_type, body)


def _edited(text: str, edits: tuple[tuple[str, str], ...]) -> str:
    for old, new in edits:
        if old not in text:
            raise NotApplicable(f'Expected "{old[:60]}" in the message agreed with this party, found none')
        text = text.replace(old, new)
    return text
