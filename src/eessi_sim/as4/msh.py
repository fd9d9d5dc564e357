"""The message service handler: whole messages from values, and values from whole messages.

Everything that travels is made here once, as bytes; a retry sends the same bytes again (AS4 3.2).
What to send, when and where to is decided elsewhere.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from eessi_sim.as4 import encryption, mime, soap, soap_writer, vocabulary, wss
from eessi_sim.as4.ebms_errors import EbmsErrorCode, EbmsFault
from eessi_sim.as4.encryption import Encryption
from eessi_sim.as4.header_structure import invalid
from eessi_sim.as4.key_references import KeyReference
from eessi_sim.as4.limits import DEFAULT_LIMITS, As4Limits
from eessi_sim.as4.mime_headers import read_headers
from eessi_sim.as4.model import (
    EbmsError,
    ErrorSignal,
    MessageInfo,
    MessageUnit,
    Payload,
    PullRequest,
    Receipt,
    RoutingInput,
    UserMessage,
)
from eessi_sim.as4.payloads import (
    compressed_payload,
    document_content,
    large_payload,
    look_through,
    payload_content,
    payload_pieces,
    plain_payload,
)
from eessi_sim.as4.pmode import EESSI_SIGNALS, SignalStyle
from eessi_sim.identifiers import MessageId
from eessi_sim.security.keys import Certificate, KeyPair, Purpose
from eessi_sim.security.policy import DEFAULT as DEFAULT_POLICY
from eessi_sim.security.policy import SignaturePolicy
from eessi_sim.security.trust import TrustStore
from eessi_sim.security.xmldsig import Reference
from eessi_sim.stretch import Extent, cut, pieces_of, whole

__all__ = [
    "LargePacked",
    "Packed",
    "Stamp",
    "Unpacked",
    "compressed_payload",
    "document_content",
    "from_file",
    "large_payload",
    "look_through",
    "pack_error",
    "pack_large_message",
    "pack_pull_request",
    "pack_receipt",
    "pack_user_message",
    "payload_content",
    "payload_pieces",
    "plain_payload",
    "signed_references",
    "to_file",
    "unpack",
    "unpack_file",
    "unpack_soap",
    "verify",
]

_TOKEN: Final = re.compile("[0-9a-f]{32}")
_HEADER_START: Final = re.compile(rb"[A-Za-z][A-Za-z0-9-]*:")
_HEADER_END: Final = (b"\r\n\r\n", b"\n\n")


@dataclass(frozen=True, slots=True)
class Packed:
    """A message ready to be sent: these bytes and no others."""

    message_id: MessageId
    content_type: str
    body: bytes = field(repr=False)
    digests: tuple[Reference, ...] = ()
    """What was signed; the receipt must repeat it. Empty for an unsigned message."""


@dataclass(frozen=True, slots=True)
class LargePacked:
    """A message ready to be written down and sent, which is too large to be held."""

    message_id: MessageId
    content_type: str
    extents: Sequence[Extent] = field(repr=False)
    """Its octets, one behind the other."""
    digests: tuple[Reference, ...]
    """As of ``Packed``."""

    def pieces(self) -> Iterator[bytes]:
        """Yield the octets in pieces."""
        for extent in self.extents:
            yield from pieces_of(extent)


@dataclass(frozen=True, slots=True)
class Stamp:
    """What makes a signal unlike any other."""

    message_id: MessageId
    timestamp: datetime
    token: str
    """32 hexadecimal digits; the ids inside the envelope are made of it."""


@dataclass(frozen=True, slots=True)
class Unpacked:
    """A message taken apart; structure is checked, nothing is verified."""

    unit: MessageUnit
    parts: tuple[Payload, ...]
    """Payloads in the order of the header, as they travelled."""
    envelope: soap.Envelope = field(repr=False)
    content_type: str
    octets: Extent = field(repr=False)
    """The whole message as it was received, wherever it lies."""

    @property
    def body(self) -> bytes:
        """The whole message."""
        return whole(self.octets)

    @property
    def held(self) -> int:
        """How many octets of the message are in memory."""
        extents = (self.octets, *(part.octets for part in self.parts))
        if isinstance(self.octets, bytes):
            return len(self.octets)
        return sum(len(extent) for extent in extents if isinstance(extent, bytes))

    @property
    def message_id(self) -> MessageId:
        """Id of the message."""
        return self.unit.info.message_id

    @property
    def is_multihop(self) -> bool:
        """Whether intermediaries may forward the message (ebMS3 part 2, 2.4)."""
        return self.envelope.is_multihop

    @property
    def is_signed(self) -> bool:
        """Whether a Security header is there; says nothing about what it is worth."""
        return self.envelope.security is not None

    @property
    def routing(self) -> RoutingInput | None:
        """What to route on: the routing header, else the user message; None for other signals."""
        if self.envelope.routing is None and isinstance(self.unit, UserMessage):
            return RoutingInput.of(self.unit)
        return self.envelope.routing


def pack_user_message(
    message: UserMessage,
    payloads: Sequence[Payload],
    keys: KeyPair | None,
    *,
    token: str,
    multihop: bool = True,
    key_reference: KeyReference = KeyReference.TOKEN,
    encryption: Encryption | None = None,
) -> Packed:
    """Pack a user message.

    Args:
        message: the header; its parts are replaced by those of ``payloads``.
        payloads: in the order of the header, the SED first.
        keys: ebMS key pair of the sender; None sends without signature, which EESSI does not allow.
        token: 32 hexadecimal digits that occur nowhere else; ids and boundary are made of it.
        multihop: whether intermediaries may forward it.
        key_reference: how the signature names its certificate.
        encryption: for whom the parts are encrypted; None leaves them readable, as EESSI's institutions do.

    Raises:
        EbmsFault: a value cannot be written.
        EncryptionError: nobody can encrypt for this receiver.
        KeyMaterialError: a certificate cannot be named in the wanted way.
        XmlError: an uncompressed XML part is not well-formed, so that it cannot be signed.
    """
    whole = replace(message, parts=tuple(payload.part_info for payload in payloads))
    draft = _Draft(
        whole,
        token,
        tuple(payloads),
        has_role=multihop,
        key_reference=key_reference,
        encryption=encryption,
    )
    return _pack(draft, keys)


def pack_large_message(
    message: UserMessage,
    payloads: Sequence[Payload],
    keys: KeyPair,
    *,
    token: str,
    multihop: bool = True,
    key_reference: KeyReference = KeyReference.TOKEN,
) -> LargePacked:
    """Pack a user message of parts that lie elsewhere, readable; arguments and errors as ``pack_user_message``."""
    content = replace(message, parts=tuple(payload.part_info for payload in payloads))
    draft = _Draft(content, token, tuple(payloads), has_role=multihop, key_reference=key_reference)
    return _framed(draft, keys)


def pack_receipt(
    received: Unpacked,
    keys: KeyPair | None,
    *,
    stamp: Stamp,
    references: tuple[Reference, ...] | None = None,
    style: SignalStyle = EESSI_SIGNALS,
    key_reference: KeyReference = KeyReference.TOKEN,
) -> Packed:
    """Pack the receipt of a user message; multi-hop when the message was.

    Signed messages get their references back, every one of them (AS4 5.1.8); unsigned ones their header.

    Args:
        received: the user message, verified.
        keys: ebMS key pair of the receiver.
        stamp: identity of the receipt.
        references: what ``verify`` returned; read from the message when None.
        style: form of the multi-hop frame.
        key_reference: how the signature names its certificate.

    Raises:
        EbmsFault: 0003 when it is no user message; receipts and errors get no receipt.
    """
    message = received.unit
    if not isinstance(message, UserMessage):
        raise EbmsFault(
            EbmsErrorCode.VALUE_INCONSISTENT,
            f'Expected a user message to receipt, found a signal "{received.message_id}"',
        )
    if references is None:
        references = wss.signed_references(received.envelope)
    receipt = Receipt(
        _reply_info(stamp, message.info.message_id), references, None if references else message
    )
    draft = _Draft(receipt, stamp.token, key_reference=key_reference)
    if received.is_multihop:
        blocks = routing_blocks(message, vocabulary.RECEIPT_ACTION, style.receipt_suffix, style)
        draft = replace(draft, blocks=blocks, has_role=style.has_messaging_role)
    return _pack(draft, keys)


def pack_error(
    errors: Sequence[EbmsError],
    keys: KeyPair | None,
    *,
    about: Unpacked | MessageId | None,
    stamp: Stamp,
    style: SignalStyle = EESSI_SIGNALS,
    fault: str | None = None,
    key_reference: KeyReference = KeyReference.TOKEN,
) -> Packed:
    """Pack an error signal; multi-hop when it is about a multi-hop user message.

    Args:
        errors: what is wrong, at least one.
        keys: ebMS key pair of whoever reports; None for an unsigned answer in the same connection.
        about: message in error, its id when no more of it could be read, or None.
        stamp: identity of the error signal.
        style: form of the multi-hop frame.
        fault: reason of a SOAP Fault to go along (ebMS3 core 6.6).
        key_reference: how the signature names its certificate.

    Raises:
        EbmsFault: 0003 for an error about an error, which is never sent (ebMS3 core 6.2).
    """
    received = about if isinstance(about, Unpacked) else None
    if received and isinstance(received.unit, ErrorSignal):
        raise EbmsFault(
            EbmsErrorCode.VALUE_INCONSISTENT, f'Expected no error about the error "{received.message_id}"'
        )
    ref = about.message_id if isinstance(about, Unpacked) else about
    named = tuple(error if error.ref else replace(error, ref=ref) for error in errors)
    signal = ErrorSignal(_reply_info(stamp, ref), named)
    draft = _Draft(signal, stamp.token, key_reference=key_reference, fault=fault)
    if received and received.is_multihop and isinstance(received.unit, UserMessage):
        blocks = routing_blocks(received.unit, vocabulary.ERROR_ACTION, style.error_suffix, style)
        draft = replace(draft, blocks=blocks, has_role=style.has_messaging_role)
    return _pack(draft, keys)


def pack_pull_request(
    mpc: str, keys: KeyPair | None, *, stamp: Stamp, receipts: tuple[Receipt, ...] = ()
) -> Packed:
    """Pack a request for the next message of channel ``mpc``; never multi-hop (ebMS3 part 2, 2.5).

    Args:
        mpc: the channel.
        keys: ebMS key pair of whoever pulls.
        stamp: identity of the request.
        receipts: of earlier messages of the channel, to travel along (AS4 5.1.2); one is what AS4 speaks of.
    """
    return _pack(_Draft(PullRequest(_reply_info(stamp, None), mpc, receipts), stamp.token), keys)


@dataclass(frozen=True, slots=True)
class _Draft:
    """Everything a message is made of, before it is signed and framed."""

    unit: MessageUnit
    token: str
    payloads: tuple[Payload, ...] = ()
    blocks: str = ""
    """Header blocks that are not signed."""
    has_role: bool = False
    key_reference: KeyReference = KeyReference.TOKEN
    encryption: Encryption | None = None
    fault: str | None = None


def _reply_info(stamp: Stamp, ref: MessageId | None) -> MessageInfo:
    return MessageInfo(stamp.message_id, stamp.timestamp, ref)


def routing_blocks(message: UserMessage, action: str, suffix: str, style: SignalStyle) -> str:
    """Write the way back to the sender of ``message`` (AS4 4.4)."""
    back = RoutingInput.back_to_sender_of(message)
    work = replace(back.collaboration, action=back.collaboration.action + suffix)
    mpc = back.mpc + (suffix if style.has_mpc_suffix else "")
    return soap_writer.write_routing(action, replace(back, collaboration=work, mpc=mpc))


def _pack(draft: _Draft, keys: KeyPair | None) -> Packed:
    made = _framed(draft, keys)
    return Packed(made.message_id, made.content_type, b"".join(map(whole, made.extents)), made.digests)


def _framed(draft: _Draft, keys: KeyPair | None) -> LargePacked:
    message_id, token = draft.unit.info.message_id, draft.token
    if not _TOKEN.fullmatch(token):
        raise invalid(f"Expected a token of 32 hexadecimal digits, found {token[:40]!r}")
    messaging_id, body_id = f"ebms-{token}", f"body-{token}"
    messaging = soap_writer.write_messaging(
        draft.unit, messaging_id if keys else None, has_role=draft.has_role
    )
    body = soap_writer.write_body(body_id if keys else None, draft.fault)
    digests: tuple[Reference, ...] = ()
    signature, encrypted, payloads = "", "", draft.payloads
    if keys:
        parts = wss.SignedParts(messaging_id, messaging.encode(), body_id, body.encode(), payloads)
        signature, digests = wss.sign(parts, keys, token_id=f"cert-{token}", reference=draft.key_reference)
    if draft.encryption:
        result = encryption.encrypt(payloads, draft.encryption, token)
        encrypted, payloads = result.blocks, result.payloads
    content = encrypted + signature
    security = soap_writer.write_security(content) if content else ""
    envelope = soap_writer.write_envelope((security, draft.blocks, messaging), body)
    root_id = f"root-{token}@{message_id.partition('@')[2]}"
    content_type, extents = mime.frame(f"=-{token}", root_id, envelope, payloads)
    return LargePacked(message_id, content_type, extents, digests)


def unpack(
    content_type: str, body: Extent, limits: As4Limits = DEFAULT_LIMITS, *, lenient: bool = False
) -> Unpacked:
    """Take a message apart and check its structure.

    Args:
        content_type: HTTP header of the message.
        body: the octets as received; of a stretch, large parts stay where they lie.
        limits: how much we are willing to read.
        lenient: accept a multipart without ``type``, and a pull request with a RefToMessageId (observed).

    Raises:
        NotAs4: no ebMS message at all; answer HTTP 400.
        XmlError: the SOAP part is not XML that we are willing to read; answer HTTP 400.
        EbmsFault: the message is wrong; knows the message id when it can be read.
    """
    package = mime.read(content_type, body, limits, lenient=lenient)
    # One octet more than is allowed is enough to be refused.
    root = whole(cut(package.root.octets, 0, limits.envelope_bytes + 1))
    envelope = soap.read_envelope(root, limits, lenient=lenient)
    try:
        parts = _payloads(envelope.unit, package.parts)
    except EbmsFault as fault:
        fault.about(envelope.unit.info.message_id)
        raise
    return Unpacked(envelope.unit, parts, envelope, content_type, body)


def unpack_soap(octets: bytes, limits: As4Limits = DEFAULT_LIMITS) -> Unpacked:
    """Take the SOAP part of a message apart whose other parts were taken away; raises as ``unpack``."""
    envelope = soap.read_envelope(octets, limits, lenient=True)
    return Unpacked(envelope.unit, (), envelope, vocabulary.SOAP_CONTENT_TYPE, octets)


def _payloads(unit: MessageUnit, parts: Sequence[mime.Part]) -> tuple[Payload, ...]:
    """Bring header and MIME parts together: each names the other, exactly once (ebMS3 core 5.2.2.12)."""
    infos = unit.parts if isinstance(unit, UserMessage) else ()
    by_id = {part.content_id: part for part in parts}
    missing = [info.content_id for info in infos if info.content_id not in by_id]
    if missing:
        raise invalid(f"Expected a MIME part for each PartInfo, found none for {missing[0][:80]!r}")
    if len(parts) > len(infos):
        listed = {info.content_id for info in infos}
        extra = [part.content_id or "" for part in parts if part.content_id not in listed]
        raise EbmsFault(
            EbmsErrorCode.MIME_INCONSISTENCY,
            f"Expected only parts that the header names, found {extra[0][:80]!r} besides",
            hint="List every part in PayloadInfo.",
        )
    return tuple(
        Payload(info.content_id, part.octets, part.content_type, info.properties)
        for info in infos
        for part in (by_id[info.content_id],)
    )


def signed_references(message: Unpacked) -> tuple[Reference, ...]:
    """Return what a receipt of ``message`` must repeat, empty when it is not signed; verifies nothing.

    Raises:
        EbmsFault: 0103 when the signature cannot be read.
    """
    return wss.signed_references(message.envelope)


def verify(
    message: Unpacked,
    *,
    candidates: Collection[Certificate] | None,
    trust: TrustStore | None,
    at: datetime,
    policy: SignaturePolicy = DEFAULT_POLICY,
    purpose: Purpose = Purpose.EBMS,
    withheld: Collection[str] = (),
) -> wss.Verified:
    """Verify the signature of a message; the fields are those of ``wss.Expectation``.

    Raises:
        EbmsFault: 0101, 0103 or 0009 about this message; its ``verdict`` is a VerificationResult.
    """
    expected = wss.Expectation(
        candidates=candidates, trust=trust, at=at, policy=policy, purpose=purpose, withheld=withheld
    )
    try:
        return wss.verify(message.envelope, message.parts, expected)
    except EbmsFault as fault:
        fault.about(message.message_id)
        raise


def to_file(packed: Packed) -> bytes:
    """Return a message as a file that explains itself: Content-Type, blank line, body."""
    return f"Content-Type: {packed.content_type}\r\n\r\n".encode() + packed.body


def from_file(data: bytes) -> tuple[str, bytes]:
    """Return Content-Type and body of a stored message, with or without its header block.

    Raises:
        EbmsFault: 0007 when neither a header block nor a boundary nor XML is at its start.
    """
    for blank in _HEADER_END:
        block, end, body = data.partition(blank)
        if end and _HEADER_START.match(block):
            headers = read_headers(block, blank[: len(blank) // 2])
            return headers.get("content-type", vocabulary.SOAP_CONTENT_TYPE), body
    return mime.sniff(data)


def unpack_file(data: bytes, limits: As4Limits = DEFAULT_LIMITS) -> Unpacked:
    """Take a stored message apart, leniently, as found; raises as ``unpack``."""
    content_type, body = from_file(data)
    return unpack(content_type, body, limits, lenient=True)
