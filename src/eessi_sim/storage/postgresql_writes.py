"""What the writes of a transaction mean in SQL; the transaction is opened and ended by somebody else.

The way to the server costs more than a statement does. So a batch of units first asks, in one statement per table,
for all rows that they will change (and locks them), then decides in memory, and sends what is alike together. What a
batch does costs a dozen round trips, whether it holds one unit or two hundred.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final, cast

import asyncpg

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
from eessi_sim.storage.postgresql_schema import Connection
from eessi_sim.storage.rows import (
    Parameters,
    Row,
    change_parameters,
    changed_row,
    content_parameters,
    document_parameters,
    entry_parameters,
    message_of,
    message_parameters,
    micros,
    row_to_add,
)
from eessi_sim.storage.sql import load_numbered

_DUE_SEQ: Final = 1
"""Place of the number in a row of ``due_messages``."""
_DOCUMENT_KEY: Final = ("node", "case_id", "document_id", "version")
_SEQ, _NODE, _DIRECTION, _MESSAGE_ID, _KIND, _STATE, _BODY = 0, 1, 2, 3, 4, 5, 23
"""Places in a row of the view ``stored_message``, and behind it."""
_ORDER: Final = ("add_case", "update_case", "add_message", "update_message", "put_body", "add_content")
"""In which order the statements of a batch go out: what is added may be changed by the same batch.

Cases first: a message that is undone leaves a gap in the numbers. Conflicts are found before anything is sent, unless
another process adds the same at the same moment.
"""

MessageKey = tuple[str, str, str]
"""Node, direction, message id."""
CaseKey = tuple[str, str]
"""Node, case id."""
TallyKey = tuple[str, str, str, str]
"""Node, direction, kind, state; direction and state are empty for cases and documents."""


class News:
    """What a transaction writes last, under the lock of the journal: entries and counts."""

    def __init__(self) -> None:
        self.entries: list[Parameters] = []
        self.tally: Counter[TallyKey] = Counter()

    def add(self, other: "News") -> None:
        """Take over what a unit has."""
        self.entries += other.entries
        self.tally.update(other.tally)

    @property
    def nodes(self) -> frozenset[str]:
        """The nodes with new entries."""
        return frozenset(entry["node"] for entry in self.entries)


class Batch:
    """Units of work that run one after the other in one transaction, and stand or fall together.

    Args:
        connection: in a transaction.
        at_once: send each write by itself, so that an error of the database tells which one it was.
    """

    def __init__(self, connection: Connection, *, at_once: bool = False) -> None:
        self._connection = connection
        self._at_once = at_once
        self._sql = load_numbered("postgresql")
        self._waiting: dict[str, list[Parameters]] = {name: [] for name in _ORDER}
        self._documents: list[Parameters] = []
        self._messages: dict[MessageKey, Row] = {}
        self._added = set[MessageKey]()
        self._to_add: dict[MessageKey, Parameters] = {}
        """Of those added, the ones that are not sent."""
        self._forgot = False
        """Whether ``_messages`` no longer holds all that ``prepare`` has read."""
        self._cases: dict[CaseKey, tuple[int, str]] = {}
        self._holders: dict[tuple[str, str], str] = {}
        self.news = News()

    async def prepare(self, units: Iterable[tuple[str, Sequence[Write]]]) -> None:
        """Read and lock what the writes of the nodes will change."""
        messages, cases = set[MessageKey](), set[tuple[str, str, str]]()
        for node, writes in units:
            for write in writes:
                if isinstance(write, AddMessage):
                    messages.add((node, write.message.direction, write.message.message_id))
                elif isinstance(write, UpdateMessage):
                    messages.add((node, write.direction, write.message_id))
                elif isinstance(write, SaveCase):
                    cases.add((node, write.case.id, write.case.international_id))
        if messages:
            await self._read_messages(messages)
        if cases:
            nodes, case_ids, international_ids = zip(*cases, strict=True)
            for node, case_id, revision, international_id in await self._fetch(
                "case_revision", nodes=nodes, case_ids=case_ids, international_ids=international_ids
            ):
                self._cases[node, case_id] = (revision, international_id)
                self._holders[node, international_id] = case_id

    async def apply(self, node: str, writes: Sequence[Write]) -> None:
        """Do all writes in their order; ``prepare`` has seen them.

        Raises:
            Conflict: one of them meets something else than it expects.
        """
        for write in writes:
            await self._apply(node, write)
            if self._at_once:
                await self.flush()

    async def _apply(self, node: str, write: Write) -> None:
        match write:
            case AddMessage(message):
                self._add_message(node, message)
            case UpdateMessage():
                await self._update_message(node, write)
            case SaveCase():
                self._save_case(node, write)
            case SaveDocument(document):
                self._documents.append(document_parameters(node, document))
            case SaveContent(content):
                self._later("add_content", content_parameters(node, content))
            case _:  # AddEntry is the last kind
                self.news.entries.append(entry_parameters(node, write.entry))

    async def claim(self, node: str, claim: Claim) -> tuple[StoredMessage, ...]:
        """Lease due messages, those due first in front."""
        await self._flush_messages()
        due = await self._fetch(
            "due_messages" if claim.channel is None else "due_messages_of_channel",
            node=node,
            direction=claim.direction,
            channel=claim.channel,
            states=list(set(claim.states)),
            now_us=micros(claim.now),
            limit=claim.limit,
        )
        seqs = [row[_DUE_SEQ] for row in due[: claim.limit]]
        if not seqs:
            return ()
        rows = {row[_SEQ]: row for row in await self._fetch("message_by_seq", seqs=seqs)}
        changes = MessageChanges(
            state=claim.claimed_state, leased_until=claim.now + claim.lease, updated_at=claim.now
        )
        values: Parameters = {
            "seqs": seqs,
            "state": claim.claimed_state,
            "leased_us": micros(claim.now + claim.lease),
            "updated_us": micros(claim.now),
            "worker": claim.worker,
        }
        lease = self._sql["lease_to"]
        await self._connection.execute(lease.sql, *lease.values(values))
        for seq in seqs:
            self._note_change(rows[seq], change_parameters(rows[seq], changes))
        return tuple(message_of(rows[seq], rows[seq][_BODY]).changed(changes) for seq in seqs)

    async def release(self, node: str, worker: str) -> int:
        """End the leases of one worker of the node."""
        await self._flush_messages()
        self._messages.clear()
        self._forgot = True
        statement = self._sql["release_leases"]
        done = await self._connection.execute(
            statement.sql, *statement.values({"node": node, "worker": worker})
        )
        return int(done.rpartition(" ")[2])

    async def drop_journal(self, node: str, until: datetime, limit: int) -> int:
        """Remove old lines of the journal."""
        statement = self._sql["drop_journal"]
        values = {"node": node, "until_us": micros(until), "limit": limit}
        done = await self._connection.execute(statement.sql, *statement.values(values))
        return int(done.rpartition(" ")[2])

    async def flush(self) -> None:
        """Send everything but the news.

        Raises:
            Conflict: another process was faster.
            UniqueViolationError: the same, when it is not known whom it hits; run the units apart and at once.
        """
        for name in _ORDER:
            await self._send(name)
        await self._flush_documents()

    def _add_message(self, node: str, message: StoredMessage) -> None:
        key = (node, str(message.direction), str(message.message_id))
        if key in self._messages or key in self._added:
            raise conflicts.message_exists(message)
        self._added.add(key)
        added = {**message_parameters(node, message), "body": message.body, "message": message}
        self._to_add[key] = added
        self._later("add_message", added)
        self._count(node, message.direction, message.kind, message.state, 1)

    async def _update_message(self, node: str, update: UpdateMessage) -> None:
        key = (node, str(update.direction), str(update.message_id))
        if (added := self._to_add.get(key)) is not None:
            return self._update_added(added, update)
        if key not in self._messages and (key in self._added or self._forgot):
            await self._flush_messages()
            await self._read_messages({key})
        row = self._messages.get(key)
        if row is None:
            raise conflicts.message_absent(update.direction, update.message_id)
        _expect_state(row, update)
        values = change_parameters(row, update.changes)
        self._later("update_message", values)
        self._note_change(row, values)
        if "body" in update.changes:
            self._later("put_body", {"seq": row[_SEQ], "body": update.changes["body"]})
        return None

    def _update_added(self, added: Parameters, update: UpdateMessage) -> None:
        """Change a message before it is sent; a conflict then leaves no gap in the numbers."""
        row = row_to_add(added)
        _expect_state(row, update)
        values = change_parameters(row, update.changes)
        del values["seq"]
        added |= values
        self._count_move(row, values["state"])

    def _note_change(self, row: Row, values: Parameters) -> None:
        self._messages[row[_NODE], row[_DIRECTION], row[_MESSAGE_ID]] = changed_row(row, values)
        self._count_move(row, values["state"])

    def _save_case(self, node: str, save: SaveCase) -> None:
        key, international_id = (node, str(save.case.id)), str(save.case.international_id)
        found, before = self._cases.get(key, (None, ""))
        if found != (save.expected_revision or None):
            raise conflicts.case_changed(save.case, save.expected_revision, found)
        if self._holders.get((node, international_id), save.case.id) != save.case.id:
            raise conflicts.case_known_elsewhere(save.case)
        self._later(
            "update_case" if found else "add_case",
            {
                "node": node,
                "case_id": save.case.id,
                "international_id": save.case.international_id,
                "revision": save.case.revision,
                "content": encode(save.case),
                "case": save.case,
            },
        )
        self._holders.pop((node, before), None)
        self._holders[node, international_id] = save.case.id
        self._cases[key] = (save.case.revision, international_id)
        if not found:
            self._count(node, "", "case", "", 1)

    async def _read_messages(self, keys: Iterable[MessageKey]) -> None:
        nodes, directions, message_ids = zip(*keys, strict=True)
        rows = await self._fetch(
            "message_to_change", nodes=nodes, directions=directions, message_ids=message_ids
        )
        self._messages.update({(row[_NODE], row[_DIRECTION], row[_MESSAGE_ID]): tuple(row) for row in rows})

    async def _flush_messages(self) -> None:
        await self._send("add_message")
        await self._send("update_message")
        await self._send("put_body")

    async def _flush_documents(self) -> None:
        """Add the documents that are new, and put the others in the place of what is there."""
        documents, self._documents = self._documents, []
        if not documents:
            return
        newest = {tuple(map(document.__getitem__, _DOCUMENT_KEY)): document for document in documents}
        add, update = self._sql["add_document"], self._sql["update_document"]
        added = {
            tuple(row) for row in await self._connection.fetchmany(add.sql, map(add.values, newest.values()))
        }
        for node, *_ in added:
            self._count(node, "", "document", "", 1)
        known = [document for key, document in newest.items() if key not in added]
        if known:
            await self._connection.executemany(update.sql, map(update.values, known))

    async def _send(self, name: str) -> None:
        waiting, self._waiting[name] = self._waiting[name], []
        if name == "add_message":
            self._to_add.clear()
        if not waiting:
            return
        statement = self._sql[name]
        try:
            await self._connection.executemany(statement.sql, map(statement.values, waiting))
        except asyncpg.UniqueViolationError as error:
            if not self._at_once:
                raise
            raise _conflict(waiting[0], error) from error

    async def _fetch(self, name: str, **values: Any) -> Sequence[Row]:  # Any: values of columns
        statement = self._sql[name]
        rows: Any = await self._connection.fetch(statement.sql, *statement.values(values))
        return cast("Sequence[Row]", rows)

    def _later(self, name: str, values: Parameters) -> None:
        self._waiting[name].append(values)

    def _count_move(self, row: Row, state: str) -> None:
        if state != row[_STATE]:
            self._count(row[_NODE], row[_DIRECTION], row[_KIND], row[_STATE], -1)
            self._count(row[_NODE], row[_DIRECTION], row[_KIND], state, 1)

    def _count(self, node: str, direction: str, kind: str, state: str, number: int) -> None:
        self.news.tally[node, direction, kind, state] += number


def _expect_state(row: Row, update: UpdateMessage) -> None:
    if update.expected_states is not None and row[_STATE] not in update.expected_states:
        raise conflicts.message_moved_on(message_of(row), update.expected_states)


def _conflict(values: Parameters, error: asyncpg.UniqueViolationError) -> Exception:
    """Return our error for a row that is there already, which another process put there meanwhile."""
    if "message" in values:
        return conflicts.message_exists(values["message"])
    if "international" in str(error.constraint_name):
        return conflicts.case_known_elsewhere(values["case"])
    return asyncpg.SerializationError(str(error))
