"""What one sees of a node from outside: plain values that travel as JSON.

No secrets and no content of documents in them.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from eessi_sim.attachments import MEGABYTE
from eessi_sim.buc.case import Attachment, Case, Document
from eessi_sim.buc.suggestion import Suggestion
from eessi_sim.storage.base import StoredMessage

MOST_SHOWN: Final = 32 * MEGABYTE
"""Largest message that is shown and put into reports: room for what a message may carry usually (our choice)."""


@dataclass(frozen=True, slots=True)
class DeliveryView:
    """One version of a document on its way to one receiver."""

    receiver: str
    status: str
    message_id: str | None
    at: datetime
    detail: str


@dataclass(frozen=True, slots=True)
class AttachmentView:
    """A file of a document, without its content."""

    id: str
    name: str
    file_name: str
    mime_type: str
    medical: bool
    size: int
    version: int


@dataclass(frozen=True, slots=True)
class DocumentView:
    """A document of a case."""

    id: str
    type: str
    direction: str
    status: str
    sender: str
    version: int
    parent_id: str | None
    deliveries: tuple[DeliveryView, ...]
    attachments: tuple[AttachmentView, ...] = ()


@dataclass(frozen=True, slots=True)
class CaseView:
    """One institution's copy of a case."""

    case_id: str
    international_id: str
    buc: str
    cdm: str
    role: str
    status: str
    own: str
    participants: tuple[str, ...]
    documents: tuple[DocumentView, ...]


@dataclass(frozen=True, slots=True)
class SuggestionView:
    """What a rule suggests to a clerk."""

    id: str
    rule: str
    sed: str
    about: str
    """The document that the rule looked at."""
    inputs: tuple[str, ...]
    at: datetime
    parent_id: str | None
    receivers: tuple[str, ...]
    """Empty for those of the process table."""


@dataclass(frozen=True, slots=True)
class MessageView:
    """An ebMS message as a node keeps it, without its bytes."""

    message_id: str
    direction: str
    kind: str
    state: str
    sender: str
    receiver: str
    ref_to: str | None
    created_at: datetime
    accepted_at: datetime | None
    receipted_at: datetime | None
    attempts: int
    last_error: str | None
    details: dict[str, str]


@dataclass(frozen=True, slots=True)
class MessageFile:
    """A stored message with its exact bytes."""

    content_type: str
    body: bytes


@dataclass(frozen=True, slots=True)
class CheckView:
    """One thing that a node needs to take new work."""

    name: str
    ok: bool
    detail: str


@dataclass(frozen=True, slots=True)
class HealthView:
    """Whether a node takes new work, and how much old work it has."""

    node: str
    is_ready: bool
    checks: tuple[CheckView, ...]
    waiting: dict[str, int]
    """Messages that wait, by queue."""
    dead_letters: int
    alarms: dict[str, int]
    """Alarms that stand, by their name."""


def case_view(case: Case) -> CaseView:
    """Return a case without the content of its documents."""
    return CaseView(
        case_id=case.id,
        international_id=case.international_id,
        buc=case.buc,
        cdm=case.cdm,
        role=case.role,
        status=case.status,
        own=case.own,
        participants=tuple(
            participant.institution for participant in case.participants if participant.active
        ),
        documents=tuple(document_view(document) for document in case.documents),
    )


def suggestion_view(suggestion: Suggestion) -> SuggestionView:
    """Return a suggestion as a plain value."""
    return SuggestionView(
        id=suggestion.id,
        rule=suggestion.rule,
        sed=suggestion.sed,
        about=suggestion.about,
        inputs=suggestion.inputs,
        at=suggestion.at,
        parent_id=suggestion.parent_id,
        receivers=suggestion.receivers,
    )


def document_view(document: Document) -> DocumentView:
    """Return a document without its content."""
    deliveries = [delivery for version in document.versions for delivery in version.deliveries]
    return DocumentView(
        id=document.id,
        type=document.type,
        direction=document.direction,
        status=document.status,
        sender=document.sender,
        version=document.version,
        parent_id=document.parent_id,
        deliveries=tuple(
            DeliveryView(d.receiver, d.status, d.message_id, d.at, d.detail) for d in deliveries
        ),
        attachments=tuple(map(_attachment_view, document.attachments)),
    )


def _attachment_view(attachment: Attachment) -> AttachmentView:
    return AttachmentView(
        id=attachment.id,
        name=attachment.name,
        file_name=attachment.file_name,
        mime_type=attachment.mime_type,
        medical=attachment.medical,
        size=attachment.latest.size,
        version=attachment.latest.number,
    )


def message_view(message: StoredMessage) -> MessageView:
    """Return a message without its bytes."""
    return MessageView(
        message_id=message.message_id,
        direction=message.direction,
        kind=message.kind,
        state=message.state,
        sender=message.sender,
        receiver=message.receiver,
        ref_to=message.ref_to,
        created_at=message.created_at,
        accepted_at=message.accepted_at,
        receipted_at=message.receipted_at,
        attempts=message.attempts,
        last_error=message.last_error,
        details=dict(message.details),
    )
