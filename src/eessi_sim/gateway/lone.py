"""A gateway of its own, without network, directory or store: sends and answers AS4 messages point to point.

For other people's gateways and for tests of them. Receipts and errors travel in the HTTP response (eDelivery AS4
1.15 and 2.0, documented). What becomes of a received message is decided by the function that is handed in.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from eessi_sim.as4 import confirmation, layer, mode_matching, msh, vocabulary
from eessi_sim.as4.decryption import Decryption
from eessi_sim.as4.ebms_errors import EbmsErrorCode, EbmsFault, NotAs4
from eessi_sim.as4.encryption import Encryption
from eessi_sim.as4.encryption_reader import is_encrypted, noncompliant
from eessi_sim.as4.exchange import wait_after
from eessi_sim.as4.limits import DEFAULT_LIMITS, As4Limits
from eessi_sim.as4.model import (
    CollaborationInfo,
    EbmsError,
    ErrorSignal,
    MessageInfo,
    Party,
    Payload,
    Receipt,
    UserMessage,
)
from eessi_sim.as4.modes import ProcessingMode
from eessi_sim.as4.msh import LargePacked, Packed, Stamp, Unpacked
from eessi_sim.as4.pmode import TimeWindow
from eessi_sim.as4.wss import Verified
from eessi_sim.clock import Clock, SystemClock
from eessi_sim.errors import ConnectFailed, SettingsError, TimedOut, TransportError, XmlError
from eessi_sim.gateway.aside import aside
from eessi_sim.gateway.document import Document, discard, part_of, received, throw_away
from eessi_sim.identifiers import IdFactory, MessageId, RandomIdFactory
from eessi_sim.security.keys import Certificate, HeldKey, KeyPair
from eessi_sim.security.trust import TrustStore
from eessi_sim.security.xmldsig import Reference
from eessi_sim.spool import Spool, SpoolFile
from eessi_sim.stretch import Extent
from eessi_sim.transport.base import Handler, Request, Response, Transport

_WITHIN: Final = 60.0
"""Seconds for one HTTP exchange (our choice)."""
_OCTETS_PER_SECOND: Final = 10 * 1024 * 1024
"""A large message has as much more time (our choice)."""
_REMEMBERED: Final = 10_000
"""Receipts kept for duplicates (our choice)."""
_WINDOW: Final = TimeWindow()
_DOMAIN: Final = "as4.eessi-sim.example"


@dataclass(frozen=True, slots=True)
class Delivery:
    """One received message that passed every check."""

    message: UserMessage
    documents: tuple[Document, ...]
    mode: ProcessingMode
    signer: Certificate

    def discard(self) -> None:
        """Throw away the files of large documents, unless somebody kept them."""
        throw_away(self.documents)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a message that was sent."""

    sent: Packed | LargePacked
    answer: Response
    receipt: Unpacked | None = None
    """The receipt, checked against the message; None without one."""
    errors: tuple[EbmsError, ...] = ()

    @property
    def is_delivered(self) -> bool:
        """Whether the receiver confirmed every part of the message."""
        return self.receipt is not None

    @property
    def is_accepted(self) -> bool:
        """Whether the receiver took the message and will answer later, by a request of its own."""
        return not self.errors and not self.is_delivered


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Keys of ours, and whom we believe."""

    keys: KeyPair
    """What we sign with."""
    decryption: tuple[HeldKey, ...] = ()
    """What others may encrypt for."""
    partners: tuple[Certificate, ...] | None = None
    """Certificates that may sign messages to us; None believes everybody that ``trust`` vouches for."""
    trust: TrustStore | None = None
    recipient: Certificate | None = None
    """Whom we encrypt for."""


@dataclass(frozen=True, slots=True)
class _Answered:
    """A receipt that was sent, and what it confirms."""

    receipt: Packed
    references: tuple[Reference, ...]


class LoneGateway:
    """One AS4 gateway.

    Args:
        identity: keys of ours, and whom we believe.
        transport: sends; None for a gateway that only receives.
        clock: the time.
        ids: makes message ids.
        limits: how much of a message we are willing to read.
        spool: where large documents are packed and unpacked, beside the event loop; without it everything is held.
            Encryption holds a message all the same: AES-GCM gives nothing away before its end.
        times: which Timestamps are accepted in messages and pull requests; None accepts any.
    """

    def __init__(
        self,
        identity: Identity,
        transport: Transport | None = None,
        *,
        clock: Clock | None = None,
        ids: IdFactory | None = None,
        limits: As4Limits = DEFAULT_LIMITS,
        spool: Spool | None = None,
        times: TimeWindow | None = _WINDOW,
    ) -> None:
        self._spool = spool
        self._times = times
        self._identity = identity
        self._transport = transport
        self._clock = clock or SystemClock()
        self._ids = ids or RandomIdFactory()
        self._limits = limits

    # Sending

    async def ping(self, mode: ProcessingMode) -> Outcome:
        """Send the test message of ebMS: the receiver checks and receipts it, and delivers nothing."""
        test = replace(
            mode, service=vocabulary.TEST_SERVICE, service_type=None, action=vocabulary.TEST_ACTION
        )
        return await self.send(test, ())

    async def send(self, mode: ProcessingMode, documents: Sequence[Document]) -> Outcome:
        """Send a message and return what the receiver says.

        Connections that fail are tried again with the same octets, as the mode says.

        Raises:
            SettingsError: the mode lacks a party, a service or the address, or the keys do not fit it.
            EbmsFault: 0302 for a receipt that does not confirm the message; 0101 or 0103 for one whose signature
                is not good; 0301 when nobody answered any attempt.
            TransportError: the answer is neither AS4 nor an acceptance.
        """
        is_large = any(document.spooled is not None for document in documents)
        if self._spool is None or mode.security.encrypts_for is not None or not is_large:
            packed = self.pack(mode, documents)
            return self.judge(mode, packed, await self._exchange(mode, packed, packed.body))
        large, file = await asyncio.to_thread(self.pack_large, mode, documents, self._spool)
        try:
            return self.judge(mode, large, await self._exchange(mode, large, file.stretch))
        finally:
            file.discard()

    def pack_large(
        self, mode: ProcessingMode, documents: Sequence[Document], spool: Spool
    ) -> tuple[LargePacked, SpoolFile]:
        """Pack a message that is not encrypted into a file, which takes seconds; raises as ``send``.

        Returns:
            The message, and its octets; whoever gets the file throws it away.
        """
        mode.check_keys(self._identity.keys, self._identity.recipient)
        stamp = self.stamp()
        parts = _parts(mode, documents, stamp, spool)
        try:
            packed = msh.pack_large_message(
                header_of(mode, stamp),
                parts,
                self._identity.keys,
                token=stamp.token,
                multihop=mode.is_multihop,
                key_reference=mode.security.key_reference,
            )
            return packed, spool.write(packed.pieces())
        finally:
            discard(parts, documents)

    def pack(self, mode: ProcessingMode, documents: Sequence[Document]) -> Packed:
        """Return the message as it would be sent; raises as ``send``."""
        security, identity = mode.security, self._identity
        mode.check_keys(identity.keys, identity.recipient)
        encryption = None
        if security.encrypts_for is not None and identity.recipient is not None:
            encryption = Encryption(identity.recipient, security.recipient_reference)
        stamp = self.stamp()
        return msh.pack_user_message(
            header_of(mode, stamp),
            _parts(mode, documents, stamp),
            identity.keys,
            token=stamp.token,
            multihop=mode.is_multihop,
            key_reference=security.key_reference,
            encryption=encryption,
        )

    async def _exchange(self, mode: ProcessingMode, packed: Packed | LargePacked, octets: Extent) -> Response:
        if self._transport is None or mode.address is None:
            raise SettingsError(f'Expected a transport and the receiver\'s URL in the P-Mode "{mode.id}"')
        attempt = 0
        while True:
            attempt += 1
            try:
                return await self._transport.send(
                    mode.address,
                    octets,
                    headers={"content-type": packed.content_type},
                    within=_WITHIN + len(octets) / _OCTETS_PER_SECOND,
                )
            except (ConnectFailed, TimedOut) as error:
                if attempt > mode.awareness.retries:
                    raise _unanswered(packed, attempt, error) from error
            await self._clock.sleep(wait_after(mode.awareness, attempt).total_seconds())

    def judge(self, mode: ProcessingMode, packed: Packed | LargePacked, answer: Response) -> Outcome:
        """Return what an answer says about a message that was sent.

        Args:
            mode: under which it was sent.
            packed: the message.
            answer: what came back in the HTTP response.

        Raises:
            EbmsFault: as ``send``, about a receipt.
            TransportError: the answer is neither AS4 nor an acceptance.
        """
        if answer.status in (202, 204) and not answer.body:
            return Outcome(packed, answer)
        try:
            message = msh.unpack(answer.headers.get("content-type", ""), answer.body, self._limits)
        except (NotAs4, XmlError) as error:
            raise TransportError(
                f"Expected a receipt or an ebMS error from {mode.address}, found HTTP {answer.status}: "
                f"{_beginning(answer.body)}",
                hint="Check that an AS4 endpoint answers at this address.",
            ) from error
        if isinstance(message.unit, ErrorSignal):
            return Outcome(packed, answer, errors=message.unit.errors)
        if not isinstance(message.unit, Receipt):
            raise TransportError(f"Expected a receipt from {mode.address}, found another message")
        self._verify(message, mode)
        confirmation.check_receipt(message, packed.digests)
        return Outcome(packed, answer, message)

    def _verify(self, message: Unpacked, mode: ProcessingMode) -> Verified:
        identity = self._identity
        return msh.verify(
            message,
            candidates=identity.partners,
            trust=identity.trust,
            at=self._clock.now(),
            policy=mode.security.signatures,
        )

    def stamp(self) -> Stamp:
        """Return the identity of the next message of this gateway."""
        return Stamp(MessageId(f"{self._ids.uuid()}@{_DOMAIN}"), self._clock.now(), self._ids.hex32())

    # Receiving

    def serve(
        self,
        modes: Sequence[ProcessingMode],
        deliver: Callable[[Delivery], Awaitable[None]],
        note_refusal: Callable[[EbmsFault], None] = lambda _: None,
    ) -> Handler:
        """Return the handler for a listener.

        Args:
            modes: what was agreed; a message that fits none is answered with the nearest one.
            deliver: makes a message durable; the receipt is sent when it returns. An EbmsFault it raises is the
                answer to the sender. Not called for pings and duplicates.
            note_refusal: learns why a message was refused, in words that the sender does not get.
        """
        receipts: OrderedDict[MessageId, _Answered] = OrderedDict()

        async def handle(request: Request) -> Response:
            if request.method != "POST":
                return _plain(405, "AS4 messages are sent by POST")
            try:
                receipt = await self._receipt(request, modes, deliver, receipts)
            except (NotAs4, XmlError) as error:
                return _plain(400, f"{error.code}: {error.message}")
            except EbmsFault as fault:
                note_refusal(fault)
                return self.refusal(fault)
            return Response(200, {"content-type": receipt.content_type}, receipt.body)

        return handle

    async def _receipt(
        self,
        request: Request,
        modes: Sequence[ProcessingMode],
        deliver: Callable[[Delivery], Awaitable[None]],
        receipts: OrderedDict[MessageId, _Answered],
    ) -> Packed:
        content_type = request.headers.get("content-type", "")
        unpacked = await aside(
            request.spooled, lambda: msh.unpack(content_type, request.octets, self._limits)
        )
        try:
            delivery, references = await aside(request.spooled, lambda: self.check(unpacked, modes))
            try:
                known = receipts.get(unpacked.message_id)
                if known is not None:
                    return _again(known, references, unpacked)
                if not delivery.message.is_ping:
                    await deliver(delivery)
            finally:
                delivery.discard()
        except EbmsFault as fault:
            fault.about(unpacked.message_id)
            raise
        receipt = msh.pack_receipt(
            unpacked,
            self._identity.keys,
            stamp=self.stamp(),
            references=references,
            key_reference=delivery.mode.security.key_reference,
        )
        receipts[unpacked.message_id] = _Answered(receipt, references)
        if len(receipts) > _REMEMBERED:
            receipts.popitem(last=False)
        return receipt

    def check(
        self, unpacked: Unpacked, modes: Sequence[ProcessingMode]
    ) -> tuple[Delivery, tuple[Reference, ...]]:
        """Check a message in the order that leaves no gap: agreement, decryption, signature, compression.

        Args:
            unpacked: as received.
            modes: what was agreed.

        Returns:
            The message as people see it, and what a receipt must repeat.

        Raises:
            EbmsFault: it does not fit, or is not what it says.
        """
        message = unpacked.unit
        if not isinstance(message, UserMessage):
            raise EbmsFault(
                EbmsErrorCode.FEATURE_NOT_SUPPORTED,
                "Expected a user message, found a signal; this gateway answers in the response",
            )
        mode = mode_matching.select(message, [_tested(mode, message) for mode in modes])
        plain = self._decrypted(unpacked, mode)
        verified = self._verify(plain, mode)
        self.check_time(message.info)
        documents = received(plain.parts, self._limits, self._spool)
        return Delivery(message, documents, mode, verified.certificate), verified.references

    def check_time(self, info: MessageInfo) -> None:
        """Refuse a message that was made too long ago, or in the future, with EBMS:0003."""
        if self._times is not None:
            self._times.check(info, self._clock.now())

    def _decrypted(self, unpacked: Unpacked, mode: ProcessingMode) -> Unpacked:
        security = mode.security
        if security.encrypts_for is None:
            if is_encrypted(unpacked.envelope.security):
                raise noncompliant(f'Expected readable parts in the P-Mode "{mode.id}", found encryption')
            return unpacked
        how = Decryption(self._identity.decryption, security.encryption, is_required=True)
        return layer.decrypt(unpacked, how)

    def refusal(self, fault: EbmsFault) -> Response:
        """Return the answer that carries ``fault`` as a signed error signal."""
        about = MessageId(fault.ref) if fault.ref else None
        packed = msh.pack_error([fault.as_error()], self._identity.keys, about=about, stamp=self.stamp())
        return Response(200, {"content-type": packed.content_type}, packed.body)


def _tested(mode: ProcessingMode, message: UserMessage) -> ProcessingMode:
    """Return the mode as it applies to the test message: every agreement covers it (ebMS3 core 5.2.2)."""
    if not message.is_ping:
        return mode
    return replace(mode, service=None, action=None)


def header_of(mode: ProcessingMode, stamp: Stamp) -> UserMessage:
    """Return the header of a message under a mode, without parts.

    Raises:
        SettingsError: the mode lacks a party, a service or an action.
    """
    sender = _given(mode.sender, "a sender", mode)
    receiver = _given(mode.receiver, "a receiver", mode)
    work = CollaborationInfo(
        conversation_id=str(stamp.message_id),
        service=_text(mode.service, "a service", mode),
        service_type=mode.service_type,
        action=_text(mode.action, "an action", mode),
        agreement=mode.agreement,
    )
    return UserMessage(MessageInfo(stamp.message_id, stamp.timestamp), sender, receiver, work, mpc=mode.mpc)


def _given(party: Party | None, what: str, mode: ProcessingMode) -> Party:
    if party is None:
        raise SettingsError(f'Expected {what} in the P-Mode "{mode.id}", found none')
    return party


def _text(value: str | None, what: str, mode: ProcessingMode) -> str:
    if value is None:
        raise SettingsError(f'Expected {what} in the P-Mode "{mode.id}", found none')
    return value


def _parts(
    mode: ProcessingMode, documents: Sequence[Document], stamp: Stamp, spool: Spool | None = None
) -> list[Payload]:
    return [
        part_of(
            document,
            f"part-{number}-{stamp.token}@{_DOMAIN}",
            is_compressed=mode.is_compressed,
            spool=spool,
        )
        for number, document in enumerate(documents, 1)
    ]


def _again(known: _Answered, references: tuple[Reference, ...], unpacked: Unpacked) -> Packed:
    """Return the receipt of a message that came before (AS4 3.2); other content under its id is no duplicate."""
    if known.references != references:
        raise EbmsFault(
            EbmsErrorCode.VALUE_INCONSISTENT,
            f'Expected the message "{unpacked.message_id}" as it came before, found other content under its id',
            hint="Give every message an id of its own; a retry sends the same octets.",
        )
    return known.receipt


def _unanswered(packed: Packed | LargePacked, attempts: int, error: TransportError) -> EbmsFault:
    return EbmsFault(
        EbmsErrorCode.MISSING_RECEIPT,
        f"Expected a receipt after {attempts} attempts, found none: {error.message}",
        hint=error.hint,
        ref=packed.message_id,
    )


def _beginning(body: bytes) -> str:
    return repr(body[:80].decode("utf-8", "replace"))


def _plain(status: int, reason: str) -> Response:
    return Response(status, {"content-type": "text/plain; charset=utf-8"}, reason.encode())
