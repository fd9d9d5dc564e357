"""Small valid records for tests of the store and of those who use it; every field can be named."""

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from eessi_sim.buc.case import Case, CaseRole, Participant
from eessi_sim.identifiers import (
    BucType,
    CaseId,
    CdmVersion,
    DocumentId,
    InstitutionId,
    InternationalId,
    MessageId,
    SedType,
)
from eessi_sim.storage.base import Direction, JournalEntry, MessageKind, StoredDocument, StoredMessage

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
NODE = InstitutionId("NO:NAVAT07")
OTHER_NODE = InstitutionId("PL:ZUS001")


def message_id(number: int = 1) -> MessageId:
    """A message id that shows its number."""
    return MessageId(f"m{number}@navat07.no.eessi-sim.example")


def a_message(number: int = 1, **fields: Any) -> StoredMessage:
    """An outgoing user message that waits to be sent."""
    body = fields.pop("body", f"body of message {number}".encode())
    return StoredMessage(
        **{
            "message_id": message_id(number),
            "direction": Direction.OUT,
            "kind": MessageKind.USER,
            "state": "SUBMITTED",
            "sender": NODE,
            "receiver": OTHER_NODE,
            "conversation": "conversation-1",
            "content_type": "application/soap+xml",
            "body": body,
            "digest": sha256(body).hexdigest(),
            "created_at": NOON,
            "updated_at": NOON,
            **fields,
        }
    )


def a_case(number: int = 1, **fields: Any) -> Case:
    """A case of Norway with Poland."""
    return Case(
        **{
            "id": CaseId(str(1000 + number)),
            "international_id": InternationalId(f"{number:032x}"),
            "buc": BucType("LA_BUC_02"),
            "cdm": CdmVersion("4.4"),
            "role": CaseRole.CASE_OWNER,
            "own": NODE,
            "participants": (
                Participant(NODE, CaseRole.CASE_OWNER),
                Participant(OTHER_NODE, CaseRole.COUNTERPARTY),
            ),
            "created_at": NOON,
            **fields,
        }
    )


def a_document(number: int = 1, **fields: Any) -> StoredDocument:
    """The first version of an A003 of case 1."""
    return StoredDocument(
        **{
            "case_id": CaseId("1001"),
            "document_id": DocumentId(f"{number:032x}"),
            "version": 1,
            "sed": SedType("A003"),
            "content": b"<A003/>",
            "direction": Direction.OUT,
            "stored_at": NOON,
            **fields,
        }
    )


def an_entry(step: str = "packed", **fields: Any) -> JournalEntry:
    """A journal entry about message 1."""
    return JournalEntry(**{"at": NOON, "step": step, "outcome": "ok", "message_id": message_id(), **fields})
