"""Records of the store to and from rows of a database: times as whole microseconds, details as JSON.

The same for every SQL dialect; no statement and no connection here.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, cast

import msgspec

from eessi_sim.attachments import Content
from eessi_sim.identifiers import CaseId, DocumentId, MessageId, SedType
from eessi_sim.spool import SpoolFile
from eessi_sim.storage.base import (
    LONG_PAST,
    Direction,
    JournalEntry,
    MessageChanges,
    MessageKind,
    StoredDocument,
    StoredMessage,
)

# Any: the value of a column; a row carries what the schema of the store says.
Row = tuple[Any, ...]
Parameters = dict[str, Any]

_MICROSECOND = timedelta(microseconds=1)
NO_TIME = 0
"""In columns that are compared with the present: a time long past, in place of None."""
_details = msgspec.json.Decoder(dict[str, str])


_COLUMNS = [
    "seq",
    "node",
    "direction",
    "message_id",
    "kind",
    "state",
    "sender",
    "receiver",
    "conversation",
    "content_type",
    "digest",
    "created_us",
    "updated_us",
    "ref_to",
    "endpoint",
    "channel",
    "attempts",
    "due_us",
    "leased_us",
    "accepted_us",
    "receipted_us",
    "last_error",
    "details",
]
"""The view ``stored_message``, column by column."""
_CHANGEABLE = [
    "seq",
    "state",
    "content_type",
    "digest",
    "updated_us",
    "endpoint",
    "channel",
    "attempts",
    "due_us",
    "leased_us",
    "accepted_us",
    "receipted_us",
    "last_error",
    "details",
]
_POSITIONS = [_COLUMNS.index(name) for name in _CHANGEABLE]
_TIME_COLUMNS: dict[str, tuple[str, int | None]] = {
    "updated_at": ("updated_us", None),
    "due_at": ("due_us", NO_TIME),
    "leased_until": ("leased_us", NO_TIME),
    "accepted_at": ("accepted_us", None),
    "receipted_at": ("receipted_us", None),
}
"""Column of a time, and what stands there for None."""


def micros(time: datetime) -> int:
    """Return a time as whole microseconds since 1970."""
    return (time - LONG_PAST) // _MICROSECOND


def optional_micros(time: datetime | None) -> int | None:
    """Return a time as microseconds, None as None."""
    return None if time is None else micros(time)


def time_of(value: int) -> datetime:
    """Return the time of a column, UTC."""
    return LONG_PAST + timedelta(microseconds=value)


def optional_time(value: int | None) -> datetime | None:
    """Return the time of a column; NULL and 0 mean None."""
    return time_of(value) if value else None


def json_text(details: Mapping[str, str]) -> str:
    """Return details as a JSON object."""
    return msgspec.json.encode(dict(details), enc_hook=str).decode()  # identifiers are texts


def message_parameters(node: str, message: StoredMessage) -> Parameters:
    """Return the columns of a message; the body is stored apart."""
    return {
        "node": node,
        "direction": message.direction,
        "message_id": message.message_id,
        "kind": message.kind,
        "state": message.state,
        "sender": message.sender,
        "receiver": message.receiver,
        "conversation": message.conversation,
        "content_type": message.content_type,
        "digest": message.digest,
        "created_us": micros(message.created_at),
        "updated_us": micros(message.updated_at),
        "ref_to": message.ref_to,
        "endpoint": message.endpoint,
        "channel": message.channel,
        "attempts": message.attempts,
        "due_us": optional_micros(message.due_at) or NO_TIME,
        "leased_us": optional_micros(message.leased_until) or NO_TIME,
        "accepted_us": optional_micros(message.accepted_at),
        "receipted_us": optional_micros(message.receipted_at),
        "last_error": message.last_error,
        "details": json_text(message.details),
    }


def row_to_add(values: Parameters) -> Row:
    """Return a row of ``stored_message`` that has no number yet, from its columns."""
    return (0, *map(values.__getitem__, _COLUMNS[1:]))


def change_parameters(row: Row, changes: MessageChanges) -> Parameters:
    """Return the columns that may change: those of a row of ``stored_message`` with the changes put over them.

    Works on columns, because a message changes its state many times and making it a record each
    time would cost as much as the database does.
    """
    values = dict(zip(_CHANGEABLE, map(row.__getitem__, _POSITIONS), strict=True))
    for name, value in changes.items():
        if name in _TIME_COLUMNS:
            column, absent = _TIME_COLUMNS[name]
            values[column] = absent if value is None else micros(cast("datetime", value))
        elif name != "details":
            values[name] = value
    if "details" in changes:
        values["details"] = json_text({**_details.decode(values["details"]), **changes["details"]})
    return values


def changed_row(row: Row, values: Parameters) -> Row:
    """Return a row of ``stored_message`` after its columns were changed to ``values``."""
    columns = list(row)
    for name, position in zip(_CHANGEABLE, _POSITIONS, strict=True):
        columns[position] = values[name]
    return tuple(columns)


def message_of(row: Row, body: bytes = b"") -> StoredMessage:
    """Return the message of a row of the view ``stored_message``."""
    return StoredMessage(
        seq=row[0],
        direction=Direction(row[2]),
        message_id=MessageId(row[3]),
        kind=MessageKind(row[4]),
        state=row[5],
        sender=row[6],
        receiver=row[7],
        conversation=row[8],
        content_type=row[9],
        digest=row[10],
        created_at=time_of(row[11]),
        updated_at=time_of(row[12]),
        ref_to=row[13],
        endpoint=row[14],
        channel=row[15],
        attempts=row[16],
        due_at=optional_time(row[17]),
        leased_until=optional_time(row[18]),
        accepted_at=optional_time(row[19]),
        receipted_at=optional_time(row[20]),
        last_error=row[21],
        details=_details.decode(row[22]),
        body=body,
    )


def document_parameters(node: str, document: StoredDocument) -> Parameters:
    """Return the columns of a version of a document."""
    return {
        "node": node,
        "case_id": document.case_id,
        "document_id": document.document_id,
        "version": document.version,
        "sed": document.sed,
        "direction": document.direction,
        "stored_us": micros(document.stored_at),
        "message_id": document.message_id,
        "content": document.content,
    }


def document_of(row: Row) -> StoredDocument:
    """Return the document of a row."""
    return StoredDocument(
        case_id=CaseId(row[0]),
        document_id=DocumentId(row[1]),
        version=row[2],
        sed=SedType(row[3]),
        direction=Direction(row[4]),
        stored_at=time_of(row[5]),
        message_id=None if row[6] is None else MessageId(row[6]),
        content=row[7],
    )


def content_parameters(node: str, content: Content) -> Parameters:
    """Return the columns of the content of an attachment; of one in the spool, the digest is enough to find it."""
    octets = b"" if isinstance(content, SpoolFile) else content.read()
    return {"node": node, "digest": content.digest, "octets": octets}


def entry_parameters(node: str, entry: JournalEntry) -> Parameters:
    """Return the columns of a journal entry; its number is assigned by the database."""
    return {
        "node": node,
        "at_us": micros(entry.at),
        "step": entry.step,
        "outcome": entry.outcome,
        "message_id": entry.message_id,
        "case_id": entry.case_id,
        "detail": json_text(entry.detail),
    }


def entry_of(row: Row) -> JournalEntry:
    """Return the journal entry of a row."""
    return JournalEntry(
        seq=row[0],
        node=row[1],
        at=time_of(row[2]),
        step=row[3],
        outcome=row[4],
        message_id=row[5],
        case_id=row[6],
        detail=_details.decode(row[7]),
    )
