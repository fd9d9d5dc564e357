"""The case file of one institution: participants, documents, versions, deliveries, history.

Frozen values in RINA's words; every change is a new value made by ``buc.engine``. There is no shared
case: each institution holds its own copy, changed only by messages it sends or receives (RINA,
documented). What a process allows is not decided here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec

from eessi_sim.buc.suggestion import Suggestion
from eessi_sim.errors import AttachmentNotFound, DocumentNotFound
from eessi_sim.identifiers import (
    AttachmentId,
    BucType,
    CaseId,
    CdmVersion,
    DocumentId,
    InstitutionId,
    InternationalId,
    MessageId,
    SedType,
)


class CaseStatus(StrEnum):
    """State of one copy of a case (RINA's store, documented)."""

    OPEN = "open"
    CLOSED = "closed"
    ARCHIVED = "archived"
    REMOVED = "removed"


class CaseRole(StrEnum):
    """Role of an institution in a case, as the envelope and the Institution Repository write it (observed)."""

    CASE_OWNER = "CaseOwner"
    COUNTERPARTY = "Counterparty"

    @property
    def short(self) -> str:
        """CO or CP, as the process tables write it."""
        return "CO" if self is CaseRole.CASE_OWNER else "CP"


class DocumentStatus(StrEnum):
    """State of a document in one copy of a case (RINA's store, documented; ``active`` inferred from use)."""

    EMPTY = "empty"
    NEW = "new"
    SENT = "sent"
    ACTIVE = "active"
    RECEIVED = "received"
    CANCELLED = "cancelled"


class Direction(StrEnum):
    """Whether we made the document or got it, as RINA writes it (documented)."""

    OUT = "OUT"
    IN = "IN"


class DeliveryStatus(StrEnum):
    """State of one version on its way to one receiver (RINA's user message, documented)."""

    SENT = "sent"
    DELIVERED = "delivered"
    ERROR = "error"


class CaseAction(StrEnum):
    """What a message does to the case, as the envelope says it (Start, New observed; Update documented)."""

    START = "Start"
    NEW = "New"
    UPDATE = "Update"


class ActorKind(StrEnum):
    """Who decides: a person, a rule in place of one, both together, or the node itself (our choice, inferred)."""

    CLERK = "clerk"
    RULE = "rule"
    ACCEPTED = "suggestion-accepted"
    """A clerk who accepted what a rule suggested; the reason names the rule and its inputs."""
    SYSTEM = "system"


class EventKind(StrEnum):
    """What happened to a copy of a case; the offered actions are derived from these."""

    OPENED = "opened"
    PARTICIPANTS_CHOSEN = "participants-chosen"
    CREATED = "created"
    SAVED = "saved"
    DELETED = "deleted"
    ATTACHED = "attached"
    DETACHED = "detached"
    SENT = "sent"
    UPDATE_SENT = "update-sent"
    RECEIVED = "received"
    UPDATE_RECEIVED = "update-received"
    INVALIDATED = "invalidated"
    REJECTED = "rejected"
    EXCEPTION = "exception"
    CLOSED = "closed"
    CLOSED_LOCALLY = "closed-locally"
    REOPENED = "reopened"
    ARCHIVED = "archived"
    RESTORED = "restored"
    REMOVED = "removed"
    PARTICIPANTS_CHANGED = "participants-changed"
    SUGGESTED = "suggested"
    DECLINED = "declined"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who decided a change, and why; travels into history and journal."""

    kind: ActorKind
    name: str
    """Login of the clerk, id of the rule, or name of the part of the node."""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Participant:
    """An institution that takes part in the case."""

    institution: InstitutionId
    role: CaseRole
    active: bool = True
    """False after the institution left the case; its documents stay."""
    follows: InstitutionId | None = None
    """Whose place it took, by forwarding or replacement; what that one sent counts as its own."""
    joined: bool = False
    """Whether it was added after the start; it has then got what had been sent to all."""


@dataclass(frozen=True, slots=True)
class ParticipantChange:
    """Who joins a case and who leaves it."""

    joins: InstitutionId | None = None
    leaves: InstitutionId | None = None


@dataclass(frozen=True, slots=True)
class Statement:
    """What a document says that its process must know; everything else in it stays outside."""

    facts: tuple[str, ...] | None = None
    """The names of what is so, of those that the table asks for; None when nobody looked."""
    change: ParticipantChange | None = None
    """For an X-SED about the participants: who joins and who leaves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One version of a document on its way to one receiver; technical, never a business answer."""

    receiver: InstitutionId
    status: DeliveryStatus
    at: datetime
    """Time of the latest change of ``status``."""
    message_id: MessageId | None = None
    """ebMS message that carries it; None until the message was made."""
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachmentVersion:
    """One content of an attachment; the octets lie in the store, under their digest."""

    number: int
    actor: Actor
    """Who attached it; the system for a received one."""
    at: datetime
    size: int
    digest: str
    """SHA-256 of the content, hexadecimal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file that belongs to a document and travels with it (RINA's fields, documented)."""

    id: AttachmentId
    name: str
    """What people call it; it does not travel, the receiver knows the file name only."""
    file_name: str
    mime_type: str
    medical: bool = False
    versions: tuple[AttachmentVersion, ...]
    """At least one, oldest first."""

    @property
    def latest(self) -> AttachmentVersion:
        """The version that belongs to the document now."""
        return self.versions[-1]


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentVersion:
    """One saved state of a document; ids of versions count the saves (RINA, documented)."""

    number: int
    actor: Actor
    """Who made this version; the system for a received one."""
    saved_at: datetime | None = None
    sent_at: datetime | None = None
    received_at: datetime | None = None
    message_id: MessageId | None = None
    """ebMS message that brought a received version; for a sent one see ``deliveries``."""
    deliveries: tuple[Delivery, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    """What travels, or travelled, with this version."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A document of the case: which SED, from whom, in answer to what, in which state."""

    id: DocumentId
    type: SedType
    direction: Direction
    status: DocumentStatus
    sender: InstitutionId
    versions: tuple[DocumentVersion, ...]
    """At least one, oldest first."""
    parent_id: DocumentId | None = None
    """The request this one answers, or the SED an X-SED is about."""
    receivers: tuple[InstitutionId, ...] = ()
    """Who got it, as far as this copy knows; empty for a draft."""
    order: int = 0
    """Place among the exchanged documents of this copy, from 1; 0 while it is a draft."""
    starter: bool = False
    """Whether it opened the case, or would open it when sent."""
    facts: tuple[str, ...] | None = None
    """What its content says, as far as a table asks; None when nobody looked."""
    change: ParticipantChange | None = None
    """For an X-SED about the participants: who joins and who leaves."""
    refused_by: tuple[InstitutionId, ...] = ()
    """Receivers who refused its latest version by X011; the status stays, a new version clears it (inferred)."""

    @property
    def version(self) -> int:
        """Number of the latest version."""
        return self.versions[-1].number

    @property
    def attachments(self) -> tuple[Attachment, ...]:
        """Those of the latest version."""
        return self.versions[-1].attachments

    def attachment(self, attachment_id: AttachmentId) -> Attachment:
        """Return an attachment of the latest version.

        Raises:
            AttachmentNotFound: it has none with this id.
        """
        found = next((each for each in self.attachments if each.id == attachment_id), None)
        if found is None:
            raise AttachmentNotFound(
                f'Expected an attachment of {self.type}, found "{attachment_id}"',
                hint=f"It has {', '.join(each.file_name for each in self.attachments) or 'none'}.",
                document=self.id,
            )
        return found

    @property
    def exchanged_version(self) -> int:
        """Number of the latest version that was sent or received; 0 when none was."""
        return max((v.number for v in self.versions if v.sent_at or v.received_at), default=0)

    @property
    def exchanged_at(self) -> datetime | None:
        """When the document was sent or received for the first time."""
        return next((v.sent_at or v.received_at for v in self.versions if v.sent_at or v.received_at), None)

    @property
    def is_exchanged(self) -> bool:
        """Whether it was ever sent or received."""
        return self.order > 0

    @property
    def is_draft(self) -> bool:
        """Whether it was saved and never sent."""
        return self.status is DocumentStatus.NEW

    @property
    def refused(self) -> bool:
        """Whether a receiver refused its latest version."""
        return bool(self.refused_by)

    @property
    def stands(self) -> bool:
        """Whether it was exchanged and not invalidated; an X011 asks for a new version, it does not undo."""
        return self.is_exchanged and self.status is not DocumentStatus.CANCELLED


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One entry of the history: what happened, to which document, who decided it."""

    at: datetime
    kind: EventKind
    actor: Actor
    institution: InstitutionId
    """Whose doing it is: ours, or the sender of the message that told us."""
    sed: SedType | None = None
    document_id: DocumentId | None = None
    parent_id: DocumentId | None = None
    version: int | None = None
    starter: bool = False
    """Whether the document opens the case."""


class _Indexed:
    """A place for the index that ``Case.find`` makes once; no field, so neither stored nor compared."""

    __slots__ = ("_index",)
    _index: Mapping[DocumentId, Document]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case(_Indexed):
    """One institution's copy of a case."""

    id: CaseId
    international_id: InternationalId
    """The same in all copies; the key by which incoming SEDs find their case."""
    buc: BucType
    cdm: CdmVersion
    role: CaseRole
    """Role of ``own`` in this case."""
    own: InstitutionId
    participants: tuple[Participant, ...]
    created_at: datetime
    status: CaseStatus = CaseStatus.OPEN
    documents: tuple[Document, ...] = ()
    """In the order in which this copy learned of them."""
    history: tuple[Event, ...] = ()
    suggestions: tuple[Suggestion, ...] = ()
    """What rules propose to a clerk and nobody has decided, oldest first."""
    revision: int = 1
    """Grows by one with every change; two writers notice each other by it."""

    @property
    def is_started(self) -> bool:
        """Whether the starter was sent or received, here or before this institution came in."""
        return self.came_later or self.has_starter

    @property
    def has_starter(self) -> bool:
        """Whether this copy holds the starter, sent or received."""
        return any(document.starter and document.is_exchanged for document in self.documents)

    @property
    def came_later(self) -> bool:
        """Whether this institution was let into a running case."""
        own = self.find_participant(self.own)
        return own is not None and (own.joined or own.follows is not None)

    @property
    def successor(self) -> InstitutionId | None:
        """Who has our place now, after we forwarded the case or were replaced; None while it is ours."""
        holder = self.now_at(self.own)
        return holder if holder != self.own else None

    @property
    def is_closed_for_all(self) -> bool:
        """Whether every copy was closed, by the SED that says so."""
        return self.status is CaseStatus.CLOSED and not self.is_closed_locally

    @property
    def is_closed_locally(self) -> bool:
        """Whether only this copy was closed; the other participants were not told."""
        kinds = [event.kind for event in self.history if event.kind in _CLOSINGS]
        return self.status is CaseStatus.CLOSED and kinds[-1:] == [EventKind.CLOSED_LOCALLY]

    @property
    def counterparties(self) -> tuple[InstitutionId, ...]:
        """Active participants in the role of counterparty, this institution included when it is one."""
        return tuple(p.institution for p in self.participants if p.active and p.role is CaseRole.COUNTERPARTY)

    @property
    def others(self) -> tuple[Participant, ...]:
        """Active participants but this institution."""
        return tuple(p for p in self.participants if p.active and p.institution != self.own)

    def find_participant(self, institution: InstitutionId) -> Participant | None:
        """Return the participant, None when the institution never took part."""
        return next((p for p in self.participants if p.institution == institution), None)

    def role_of(self, institution: InstitutionId) -> CaseRole | None:
        """Return the role of an institution, None when it never took part."""
        participant = self.find_participant(institution)
        return participant.role if participant else None

    def find(self, document_id: DocumentId | None) -> Document | None:
        """Return the document, None when this copy does not have it."""
        if document_id is None:
            return None
        try:
            return self._index.get(document_id)
        except AttributeError:  # asked for the first time
            object.__setattr__(self, "_index", {document.id: document for document in self.documents})
            return self._index.get(document_id)

    def places_of(self, institution: InstitutionId) -> frozenset[InstitutionId]:
        """Return the institution and all those whose place it took; their doings count as its own."""
        participant = self.find_participant(institution)
        places = {institution}
        while participant is not None and participant.follows and participant.follows not in places:
            places.add(participant.follows)
            participant = self.find_participant(participant.follows)
        return frozenset(places)

    def now_at(self, institution: InstitutionId) -> InstitutionId:
        """Return who has the place of an institution now: itself, or the one that took it over."""
        return next(
            (
                p.institution
                for p in self.participants
                if p.active and institution in self.places_of(p.institution)
            ),
            institution,
        )

    def get(self, document_id: DocumentId) -> Document:
        """Return the document.

        Raises:
            DocumentNotFound: this copy does not have it.
        """
        document = self.find(document_id)
        if document is None:
            raise DocumentNotFound(
                f'Expected a document of case {self.id}, found "{document_id}"',
                hint="List the documents of the case; ids of deleted drafts are gone.",
                case=self.id,
                document=document_id,
            )
        return document

    def has_exchanged(self, document_id: DocumentId, version: int) -> bool:
        """Return whether this version of a document was sent or received, and is no draft."""
        document = self.find(document_id)
        return document is not None and any(
            v.number == version and (v.sent_at or v.received_at) for v in document.versions
        )

    def exchanged(self) -> tuple[Document, ...]:
        """Return the documents that were sent or received, in the order of their exchange."""
        return tuple(sorted((d for d in self.documents if d.is_exchanged), key=lambda d: d.order))

    def with_document(self, document: Document) -> "Case":
        """Return the case with the document added, or put in the place of the one with its id."""
        if self.find(document.id) is None:
            return replace(self, documents=(*self.documents, document))
        return replace(
            self, documents=tuple(document if known.id == document.id else known for known in self.documents)
        )


_CLOSINGS = frozenset({EventKind.CLOSED, EventKind.CLOSED_LOCALLY})


def encode(case: Case) -> bytes:
    """Return the case as JSON; identifiers are texts, times RFC 3339."""
    return msgspec.json.encode(case, enc_hook=str)


def decode(data: bytes) -> Case:
    """Return the case that ``encode`` wrote.

    Raises:
        msgspec.ValidationError: the JSON is no case.
    """
    return _DECODER.decode(data)


def _identifier(kind: type[Any], text: object) -> object:  # Any: msgspec hands over the annotated class
    return kind(text)


_DECODER = msgspec.json.Decoder(Case, dec_hook=_identifier)
