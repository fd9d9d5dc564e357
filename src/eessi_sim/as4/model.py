"""Units of ebMS3 messages as values: user message, receipt, error, pull request, and what they are made of.

No XML and no bytes of the wire live here, apart from the content of payloads.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

from eessi_sim.as4 import vocabulary
from eessi_sim.identifiers import MessageId
from eessi_sim.security.xmldsig import Reference
from eessi_sim.stretch import Extent, whole


class Severity(StrEnum):
    """What an ebMS error means for the message it is about (ebMS3 core 6.2)."""

    FAILURE = "failure"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class MessageInfo:
    """Identity of a message unit (ebMS3 core 5.2.2.1)."""

    message_id: MessageId
    timestamp: datetime
    ref_to_message_id: MessageId | None = None


@dataclass(frozen=True, slots=True)
class Party:
    """One side of an exchange (ebMS3 core 5.2.2.2 to 5.2.2.4); EESSI allows one PartyId each (observed)."""

    id: str
    type: str | None = vocabulary.PARTY_TYPE
    role: str = vocabulary.INSTITUTION_ROLE


@dataclass(frozen=True, slots=True)
class Agreement:
    """Agreement that a message refers to (ebMS3 core 5.2.2.7); absent in EESSI (observed)."""

    value: str
    type: str | None = None
    pmode: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CollaborationInfo:
    """What a message is for (ebMS3 core 5.2.2.6 to 5.2.2.10); by default, EESSI's business."""

    conversation_id: str
    service: str = vocabulary.BUSINESS_SERVICE
    service_type: str | None = vocabulary.SERVICE_TYPE
    action: str = vocabulary.SEND_ACTION
    agreement: Agreement | None = None


@dataclass(frozen=True, slots=True)
class MessageProperty:
    """A named value on a message or on one of its parts (ebMS3 core 5.2.2.11)."""

    name: str
    value: str
    type: str | None = None


def _value_of(properties: tuple[MessageProperty, ...], name: str) -> str | None:
    return next((entry.value for entry in properties if entry.name == name), None)


@dataclass(frozen=True, slots=True)
class PartInfo:
    """Names one payload part (ebMS3 core 5.2.2.12, 5.2.2.13)."""

    content_id: str
    """Content-ID of the MIME part without angle brackets; travels as ``cid:`` URI (RFC 2392)."""
    properties: tuple[MessageProperty, ...] = ()

    def find_property(self, name: str) -> str | None:
        """Return the value of the first property called ``name``, None when there is none."""
        return _value_of(self.properties, name)


@dataclass(frozen=True, slots=True)
class Payload:
    """One payload part exactly as it travels, compressed when its properties say so."""

    content_id: str
    octets: Extent = field(repr=False)
    """As they travel, wherever they lie."""
    content_type: str
    """Media type of the MIME part; the digest of the part depends on it (WSS SwA 5.4.2)."""
    properties: tuple[MessageProperty, ...] = ()

    @property
    def content(self) -> bytes:
        """The octets as a whole; only for who knows that they are few, or wants them all."""
        return whole(self.octets)

    @property
    def part_info(self) -> PartInfo:
        """What the header says about this part."""
        return PartInfo(self.content_id, self.properties)

    @property
    def part_type(self) -> str | None:
        """EESSI's kind of part, ``SED`` or ``Attachment`` (observed)."""
        return _value_of(self.properties, vocabulary.PART_TYPE)

    @property
    def attachment_id(self) -> str:
        """Id of an attachment: its property, else the Content-ID before the @ (inferred)."""
        stated = _value_of(self.properties, vocabulary.ATTACHMENT_ID)
        return stated or self.content_id.partition("@")[0]

    @property
    def mime_type(self) -> str:
        """Media type of the content before compression (AS4 3.1)."""
        return _value_of(self.properties, vocabulary.MIME_TYPE) or self.content_type

    @property
    def is_compressed(self) -> bool:
        """Whether the content is a gzip stream made by AS4 (AS4 3.1)."""
        return _value_of(self.properties, vocabulary.COMPRESSION_TYPE) is not None


@dataclass(frozen=True, slots=True)
class UserMessage:
    """A business message (ebMS3 core 5.2.2)."""

    info: MessageInfo
    sender: Party
    receiver: Party
    collaboration: CollaborationInfo
    properties: tuple[MessageProperty, ...] = ()
    parts: tuple[PartInfo, ...] = ()
    mpc: str | None = vocabulary.DEFAULT_MPC
    """Message partition channel; None leaves it out, which means the default one."""

    @property
    def is_ping(self) -> bool:
        """Whether this is the test message that is receipted and never delivered (ebMS3 core 5.2.2)."""
        work = self.collaboration
        return work.service == vocabulary.TEST_SERVICE and work.action == vocabulary.TEST_ACTION


@dataclass(frozen=True, slots=True)
class Receipt:
    """Acknowledgement of a user message (ebMS3 core 5.2.3.3, AS4 5.1.8)."""

    info: MessageInfo
    references: tuple[Reference, ...] = ()
    """What the receiver says it received, in the words of the signature; empty without non-repudiation."""
    copied: UserMessage | None = None
    """Header of an unsigned user message, given back in place of references."""


@dataclass(frozen=True, slots=True)
class EbmsError:
    """One ``eb:Error`` (ebMS3 core 6.2). Codes nobody knows are kept and judged by their severity."""

    code: str
    severity: Severity
    short_description: str | None = None
    description: str | None = None
    detail: str | None = None
    """Free text of ``ErrorDetail``: the findings, for people."""
    ref: str | None = None
    """``refToMessageInError``."""
    category: str | None = None
    origin: str | None = None


@dataclass(frozen=True, slots=True)
class ErrorSignal:
    """Errors about one message (ebMS3 core 5.2.3.4)."""

    info: MessageInfo
    errors: tuple[EbmsError, ...]

    @property
    def is_failure(self) -> bool:
        """Whether the message in question will not be delivered (ebMS3 core 6.2.5)."""
        return any(error.severity is Severity.FAILURE for error in self.errors)


@dataclass(frozen=True, slots=True)
class PullRequest:
    """Asks for the next message of one channel (ebMS3 core 5.2.3.2)."""

    info: MessageInfo
    mpc: str = vocabulary.DEFAULT_MPC
    receipts: tuple[Receipt, ...] = ()
    """Receipts of earlier messages of the channel that travel along (AS4 5.1.2)."""


MessageUnit: TypeAlias = UserMessage | Receipt | ErrorSignal | PullRequest


_SUFFIXES = (".response", ".receipt", ".error")


def _without_suffix(text: str) -> str:
    for suffix in _SUFFIXES:
        if text.endswith(suffix):
            return text.removesuffix(suffix)
    return text


@dataclass(frozen=True, slots=True)
class RoutingInput:
    """What intermediaries route on (ebMS3 part 2, 2.6.2): a signal's own header, else the user message."""

    sender: Party
    receiver: Party
    collaboration: CollaborationInfo
    mpc: str = vocabulary.DEFAULT_MPC

    @property
    def plain(self) -> "RoutingInput":
        """The same without ``.response``, ``.receipt`` or ``.error`` behind action and channel.

        Products differ in what they append, so routing must not depend on it (AS4 4.4 documented; observed).
        """
        work = replace(self.collaboration, action=_without_suffix(self.collaboration.action))
        return replace(self, collaboration=work, mpc=_without_suffix(self.mpc))

    @classmethod
    def of(cls, message: UserMessage) -> "RoutingInput":
        """Return what intermediaries route ``message`` on."""
        return cls(
            message.sender, message.receiver, message.collaboration, message.mpc or vocabulary.DEFAULT_MPC
        )

    @classmethod
    def back_to_sender_of(cls, message: UserMessage) -> "RoutingInput":
        """Return the way back to the sender of ``message``: parties swapped (ebMS3 part 2, 2.6.2)."""
        ahead = cls.of(message)
        return replace(ahead, sender=ahead.receiver, receiver=ahead.sender)
