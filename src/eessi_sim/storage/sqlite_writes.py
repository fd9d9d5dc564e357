"""What each write means in SQL; runs inside a transaction that somebody else opens and commits.

Reading for others is not done here, except what a write must know of the row it changes.
"""

import sqlite3
from collections.abc import Sequence
from datetime import datetime

from eessi_sim.buc.case import encode
from eessi_sim.storage import conflicts
from eessi_sim.storage.base import (
    AddMessage,
    Claim,
    MessageChanges,
    SaveCase,
    SaveContent,
    SaveDocument,
    StoredMessage,
    UpdateMessage,
    Write,
)
from eessi_sim.storage.rows import (
    Parameters,
    Row,
    change_parameters,
    content_parameters,
    document_parameters,
    entry_parameters,
    message_of,
    message_parameters,
    micros,
)
from eessi_sim.storage.sql import load_queries
from eessi_sim.storage.sqlite_tally import Tally

_SEQ, _DIRECTION, _KIND, _STATE = 0, 2, 4, 5
"""Places in a row of the view ``stored_message``."""


class SqliteWrites:
    """Turns the writes of one node into statements."""

    def __init__(self, connection: sqlite3.Connection, node: str, tally: Tally) -> None:
        self._connection = connection
        self._node = node
        self._tally = tally
        self._sql = load_queries("sqlite")

    def apply(self, writes: Sequence[Write]) -> None:
        """Do all writes in their order.

        Raises:
            Conflict: one of them meets something else than it expects.
        """
        for write in writes:
            match write:
                case AddMessage(message):
                    self._add_message(message)
                case UpdateMessage():
                    self._update_message(write)
                case SaveCase():
                    self._save_case(write)
                case SaveDocument(document):
                    self._save_document(document_parameters(self._node, document))
                case SaveContent(content):
                    self._run("add_content", content_parameters(self._node, content))
                case _:  # AddEntry is the last kind
                    self._run("add_entry", entry_parameters(self._node, write.entry))

    def claim(self, claim: Claim) -> tuple[StoredMessage, ...]:
        """Lease due messages, those due first in front."""
        due = sorted(row for state in set(claim.states) for row in self._due(claim, state))[: claim.limit]
        return tuple(self._take(claim, seq) for _, seq in due)

    def release(self, worker: str) -> int:
        """End the leases of one worker of the node."""
        return self._run("release_leases", {"node": self._node, "worker": worker}).rowcount

    def drop_journal(self, until: datetime, limit: int) -> int:
        """Remove old lines of the journal."""
        values: Parameters = {"node": self._node, "until_us": micros(until), "limit": limit}
        return self._run("drop_journal", values).rowcount

    def _add_message(self, message: StoredMessage) -> None:
        try:
            added = self._run("add_message", message_parameters(self._node, message))
        except sqlite3.IntegrityError as error:
            raise conflicts.message_exists(message) from error
        self._run("put_body", {"seq": added.lastrowid, "body": message.body})
        self._count(message.direction, message.kind, message.state, 1)

    def _update_message(self, update: UpdateMessage) -> None:
        key = {"node": self._node, "direction": update.direction, "message_id": update.message_id}
        row = self._run("message_to_change", key).fetchone()
        if row is None:
            raise conflicts.message_absent(update.direction, update.message_id)
        if update.expected_states is not None and row[_STATE] not in update.expected_states:
            raise conflicts.message_moved_on(message_of(row), update.expected_states)
        self._change(row, update.changes)
        if "body" in update.changes:
            self._run("put_body", {"seq": row[_SEQ], "body": update.changes["body"]})

    def _change(self, row: Row, changes: MessageChanges) -> None:
        values = change_parameters(row, changes)
        self._run("update_message", values)
        if values["state"] != row[_STATE]:
            self._count(row[_DIRECTION], row[_KIND], row[_STATE], -1)
            self._count(row[_DIRECTION], row[_KIND], values["state"], 1)

    def _save_case(self, save: SaveCase) -> None:
        values: Parameters = {
            "node": self._node,
            "case_id": save.case.id,
            "international_id": save.case.international_id,
            "revision": save.case.revision,
            "content": encode(save.case),
        }
        found = self._revision(values)
        if found != (save.expected_revision or None):
            raise conflicts.case_changed(save.case, save.expected_revision, found)
        try:
            self._run("update_case" if found else "add_case", values)
        except sqlite3.IntegrityError as error:
            raise conflicts.case_known_elsewhere(save.case) from error
        if not found:
            self._tally.add(self._node, "", "case", "")

    def _revision(self, key: Parameters) -> int | None:
        row = self._run("case_revision", key).fetchone()
        return None if row is None else row[0]

    def _save_document(self, values: Parameters) -> None:
        if self._run("update_document", values).rowcount == 0:
            self._run("add_document", values)
            self._tally.add(self._node, "", "document", "")

    def _due(self, claim: Claim, state: str) -> list[Row]:
        values = {
            "node": self._node,
            "direction": claim.direction,
            "channel": claim.channel,
            "state": state,
            "now_us": micros(claim.now),
            "limit": claim.limit,
        }
        name = "due_messages" if claim.channel is None else "due_messages_of_channel"
        return self._run(name, values).fetchall()

    def _take(self, claim: Claim, seq: int) -> StoredMessage:
        row = self._run("message_by_seq", {"seq": seq}).fetchone()
        body = self._run("message_body", {"seq": seq}).fetchone()[0]
        changes = MessageChanges(
            state=claim.claimed_state, leased_until=claim.now + claim.lease, updated_at=claim.now
        )
        self._change(row, changes)
        self._run("lease_to", {"seq": seq, "worker": claim.worker})
        return message_of(row, body).changed(changes)

    def _count(self, direction: str, kind: str, state: str, number: int) -> None:
        self._tally.add(self._node, direction, kind, state, number=number)

    def _run(self, name: str, values: Parameters) -> sqlite3.Cursor:
        return self._connection.execute(self._sql[name], values)
