"""What a user may do with a case now: actions in RINA's words.

Actions are derived from the case and its process table by ``buc.engine``; they are never stored.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from eessi_sim.identifiers import CaseId, DocumentId, SedType


class Operation(StrEnum):
    """Kinds of action, spelled as RINA's JSON spells them (observed; AddAttachment … and LocalReopen … documented)."""

    CREATE = "Create"
    UPDATE = "Update"
    SEND = "Send"
    SEND_PARTICIPANTS = "SendParticipants"
    DELETE = "Delete"
    ADD_ATTACHMENT = "AddAttachment"
    REMOVE_ATTACHMENT = "RemoveAttachment"
    READ = "Read"
    READ_PARTICIPANTS = "ReadParticipants"
    SELECT_PARTICIPANTS = "SelectParticipants"
    UPDATE_PARTICIPANTS = "UpdateParticipants"
    DELETE_CASE = "DeleteCase"
    LOCAL_CLOSE = "LocalClose"
    LOCAL_REOPEN = "LocalReopen"
    ARCHIVE_CASE = "ArchiveCase"
    RESTORE_CASE = "RestoreCase"


class ActionStatus(StrEnum):
    """Whether the action can be used now (RINA's store, documented; executed ones are not kept)."""

    ACTIVE = "ACTIVE"
    SUSPENDED = "SUSPENDED"


class Category(StrEnum):
    """Group under which RINA shows the action (observed)."""

    DOCUMENTS = "Documents"
    HORIZONTAL = "Horizontal Documents"
    CASE_ACTIONS = "Case Actions"
    PARTICIPANTS = "Participants"


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One thing a user may do."""

    id: str
    """``<case id>_<32 hex>``; the same for the same action as long as it is offered (our choice, inferred)."""
    operation: Operation
    category: Category = Category.DOCUMENTS
    status: ActionStatus = ActionStatus.ACTIVE
    sed: SedType | None = None
    """Type of the document that it makes or concerns; None for actions on the case."""
    document_id: DocumentId | None = None
    """The document it concerns; None when it makes a new one or concerns the case."""
    parent_id: DocumentId | None = None
    """For a new reply or X-SED: the document it answers or is about."""
    available_from: datetime | None = None
    """When a delayed action can first be used; set also when that time has passed."""

    @property
    def is_active(self) -> bool:
        """Whether it can be used now."""
        return self.status is ActionStatus.ACTIVE

    @property
    def text(self) -> str:
        """The action in a word or two: ``Create A012``, ``Send A003``, ``LocalClose``."""
        return f"{self.operation} {self.sed}" if self.sed else str(self.operation)


def action_id(
    case_id: CaseId,
    operation: Operation,
    sed: SedType | None = None,
    *,
    document_id: DocumentId | None = None,
    parent_id: DocumentId | None = None,
) -> str:
    """Return the id of an action: the same inputs give the same id, on every machine."""
    key = "|".join((operation, sed or "", document_id or "", parent_id or ""))
    return f"{case_id}_{hashlib.blake2s(key.encode(), digest_size=16).hexdigest()}"
