"""What the caller must do after a change of a case: send, remember a time, tell somebody.

The engine only says it; doing it is the business of the institution node.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from eessi_sim.buc.case import Case, CaseAction, Document
from eessi_sim.identifiers import DocumentId, InstitutionId, SedType


@dataclass(frozen=True, slots=True, kw_only=True)
class SendDocument:
    """Send this version of this document, one message for each receiver."""

    document_id: DocumentId
    version: int
    sed: SedType
    receivers: tuple[InstitutionId, ...]
    case_action: CaseAction
    parent_id: DocumentId | None = None
    parent_version: int | None = None
    """Which version of the parent this copy had; an X011 and an X050 are about that one only."""
    author: InstitutionId | None = None
    """For a document handed over to a new participant: who had sent it; its content is the one that was stored."""


class Occasion(StrEnum):
    """What a scheduled time is for."""

    CLOSE_OFFERED = "close-offered"


@dataclass(frozen=True, slots=True)
class Schedule:
    """Look at the case again at this time: an action becomes available."""

    at: datetime
    what: Occasion


class NoticeKind(StrEnum):
    """What the national side is told about a case."""

    CASE_OPENED = "case-opened"
    DOCUMENT_RECEIVED = "document-received"
    UPDATE_RECEIVED = "update-received"
    DOCUMENT_INVALIDATED = "document-invalidated"
    DOCUMENT_REJECTED = "document-rejected"
    EXCEPTION_RECEIVED = "exception-received"
    CASE_CLOSED = "case-closed"
    CASE_REOPENED = "case-reopened"
    PARTICIPANTS_CHANGED = "participants-changed"


@dataclass(frozen=True, slots=True)
class Notify:
    """Tell the national side."""

    kind: NoticeKind
    document_id: DocumentId | None = None
    text: str = ""


Effect = SendDocument | Schedule | Notify


@dataclass(frozen=True, slots=True)
class Outcome:
    """A change of a case: the new case, the document it was about, what to do next."""

    case: Case
    document: Document | None = None
    effects: tuple[Effect, ...] = ()
    changed: bool = True
    """False when a repeated message changed nothing; it is acknowledged all the same."""
