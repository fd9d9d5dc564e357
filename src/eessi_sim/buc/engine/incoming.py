"""A document as a verified message brings it, before any case has taken it."""

from dataclasses import dataclass

from eessi_sim.buc.case import CaseAction, CaseRole, Participant, ParticipantChange
from eessi_sim.identifiers import (
    AttachmentId,
    CdmVersion,
    DocumentId,
    InstitutionId,
    InternationalId,
    MessageId,
    SedType,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachedFile:
    """A file as it is attached to a document, here or by its sender; its content stays outside."""

    id: AttachmentId
    name: str
    file_name: str
    mime_type: str
    size: int
    digest: str
    """SHA-256 of the content, hexadecimal."""
    medical: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class IncomingDocument:
    """What envelope and SED say about one received document; contents stay outside."""

    type: SedType
    document_id: DocumentId
    version: int
    international_id: InternationalId
    cdm: CdmVersion
    sender: InstitutionId
    sender_role: CaseRole
    case_action: CaseAction
    participants: tuple[Participant, ...] = ()
    """All participants of the case, when the envelope lists them; else sender and receiver make the case."""
    receivers: tuple[InstitutionId, ...] = ()
    """Everybody this document went to, when the envelope lists them."""
    parent_id: DocumentId | None = None
    """The document it answers or is about; concluded from the case when the envelope does not say it."""
    parent_version: int | None = None
    """Which version of it the sender had; the latest when the envelope does not say it."""
    target_sed: SedType | None = None
    """Type of the SED that an X-SED names in its content; helps to find the target without a parent id."""
    facts: tuple[str, ...] | None = None
    """What its content says, as far as the table asks; None when nobody looked."""
    change: ParticipantChange | None = None
    """For an X-SED about the participants: who joins and who leaves."""
    author: InstitutionId | None = None
    """For a document that is handed over to a new participant: who had sent it."""
    message_id: MessageId | None = None
    attachments: tuple[AttachedFile, ...] = ()
    """What the envelope lists and the message carries."""
    text: str = ""
    """For an X050: its sentence about the problem."""
