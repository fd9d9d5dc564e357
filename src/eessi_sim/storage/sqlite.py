"""The default store: one SQLite file, write-ahead log, nothing acknowledged before it is on the disk.

Reads answer from their own connection in the calling thread; writes go through ``sqlite_commit``.
Several processes may write a file: their transactions follow each other. That another one has written shows in a
number that SQLite keeps in memory, which ``news`` looks at a few times a second.
"""

import asyncio
import hashlib
import sqlite3
from collections.abc import AsyncIterator, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from functools import partial
from operator import attrgetter
from pathlib import Path
from typing import Any

from eessi_sim.attachments import Content, Octets
from eessi_sim.buc.case import Case, decode
from eessi_sim.errors import Unavailable
from eessi_sim.identifiers import InstitutionId
from eessi_sim.measures import Histogram
from eessi_sim.spool import Spool, SpoolFile
from eessi_sim.storage.base import (
    ALL_MESSAGES,
    Claim,
    Counts,
    Direction,
    JournalEntry,
    MessageKind,
    MessageQuery,
    StateCount,
    StoredDocument,
    StoredMessage,
    UnitOfWork,
)
from eessi_sim.storage.bell import Bell
from eessi_sim.storage.rows import Row, document_of, entry_of, message_of, micros, time_of
from eessi_sim.storage.sql import load_queries
from eessi_sim.storage.sqlite_commit import GroupCommit
from eessi_sim.storage.sqlite_file import open_reader, open_writer, path_of, unavailable
from eessi_sim.storage.sqlite_tally import Tally
from eessi_sim.storage.sqlite_writes import SqliteWrites

BUSY_SECONDS = 5.0
"""How long to wait for another process, a backup for example (our choice, inferred)."""
LOOK_EVERY = 0.025
"""Seconds between two looks whether another process has written; a look costs some microseconds (our choice)."""
_NOTHING = hashlib.sha256().hexdigest()
"""Digest of no octets."""
_NEWEST = 2**63 - 1
"""Larger than every number that the database assigns."""


async def open_url(url: str) -> "SqliteStorage":
    """Open the file that ``url`` names: ``sqlite:///absolute/path`` or ``sqlite:relative/path``.

    Raises:
        SettingsError: the URL names no file.
        Unavailable: the file cannot be used.
        MigrationNeeded: a newer version of the program wrote it.
    """
    return SqliteStorage(path_of(url))


class SqliteStorage:
    """Storage in one file.

    Args:
        path: the file; made when absent, its folder is not.
        busy_seconds: how long to wait for another process.

    Raises:
        Unavailable: the file cannot be used.
        MigrationNeeded: a newer version of the program wrote it.
    """

    def __init__(self, path: Path, *, busy_seconds: float = BUSY_SECONDS) -> None:
        self._connection = open_writer(path, busy_seconds=busy_seconds)
        self._reads = _Reads(open_reader(path, busy_seconds=busy_seconds), path)
        self.spool = Spool(path.with_name(f"{path.name}-spool"))
        self._tally = Tally(self._connection)
        self._bell = Bell()
        self._commit = GroupCommit(
            self._connection, path, tally=self._tally, bell=self._bell, busy_seconds=busy_seconds
        )
        self._nodes: dict[str, SqliteNode] = {}

    async def nodes(self) -> tuple[str, ...]:
        """Return the nodes that keep a message, a case or a document."""
        return tuple(row[0] for row in self._reads.rows("nodes"))

    def node(self, node_id: InstitutionId) -> "SqliteNode":
        """Return the view of one node."""
        if node_id not in self._nodes:
            writes = SqliteWrites(self._connection, node_id, self._tally)
            self._nodes[node_id] = SqliteNode(
                node_id, self._reads, writes, commit=self._commit, bell=self._bell, spool=self.spool
            )
        return self._nodes[node_id]

    @property
    def group_sizes(self) -> Histogram:
        """How many units of work became durable together, for every transaction."""
        return self._commit.group_sizes

    async def spooled(self) -> frozenset[str]:
        """Return the digests of what must lie in the spool."""
        return frozenset(row[0] for row in self._reads.rows("spooled"))

    async def news(self) -> AsyncIterator[frozenset[str]]:
        """Yield the nodes about which something was journalled since the last time, by whatever process."""
        version, seen = -1, self._reads.value("last_entry")
        while True:
            await asyncio.sleep(LOOK_EVERY)
            before, version = version, self._reads.version()
            if version == before:
                continue
            with self._reads.together():
                last = self._reads.value("last_entry")
                nodes = frozenset(row[0] for row in self._reads.rows("nodes_with_entries", after=seen))
            seen = last
            self._bell.ring()
            if nodes:
                yield nodes

    async def journal(self, after: int = 0, limit: int = 100) -> tuple[JournalEntry, ...]:
        """Return the entries of all nodes that follow number ``after``, oldest first."""
        return tuple(map(entry_of, self._reads.rows("journal", after=after, limit=limit)))

    async def journal_of(self, reference: str) -> tuple[JournalEntry, ...]:
        """Return the entries of a message id or a case id on all nodes, oldest first."""
        return tuple(map(entry_of, self._reads.rows("journal_of_reference", reference=reference)))

    async def last_entry(self) -> int:
        """Return the number of the newest entry, 0 when there is none."""
        found: int = self._reads.value("last_entry")
        return found

    async def wait_for_journal(self, after: int) -> None:
        """Return as soon as an entry of any node follows number ``after``."""
        await self._bell.wait_until(lambda: self._reads.value("last_entry") > after)

    async def close(self) -> None:
        """Finish the writes that wait and close the file; closing twice is harmless."""
        await self._commit.close()
        self._reads.close()


class SqliteNode:
    """The state of one node in the file."""

    def __init__(
        self,
        node: str,
        reads: "_Reads",
        writes: SqliteWrites,
        *,
        commit: GroupCommit,
        bell: Bell,
        spool: Spool,
    ) -> None:
        self._node = node
        self._reads = reads
        self._writes = writes
        self._commit = commit
        self._bell = bell
        self._spool = spool

    async def commit(self, work: UnitOfWork) -> None:
        """Do all writes of ``work`` or none; they are durable when this returns.

        Raises:
            Conflict: somebody else was faster; nothing of this work was done.
            Unavailable: the store cannot be written; nothing of this work was done.
        """
        if work.writes:
            await self._commit.submit(partial(self._writes.apply, work.writes))

    async def claim(self, claim: Claim) -> tuple[StoredMessage, ...]:
        """Take due messages, each for one claimant only, those due first in front; with bodies."""
        if not await self._finds(claim):  # as most looks do; to write that down would cost a commit
            return ()
        claimed = await self._commit.submit(partial(self._writes.claim, claim))
        return tuple(map(self._from_spool, claimed))

    async def _finds(self, claim: Claim) -> bool:
        if claim.channel is None:
            due = await self.next_due(claim.direction, claim.states)
            return due is not None and due <= claim.now
        return any(
            self._rows(
                "due_messages_of_channel",
                direction=claim.direction,
                channel=claim.channel,
                state=state,
                now_us=micros(claim.now),
                limit=1,
            )
            for state in claim.states
        )

    async def release(self, worker: str = "") -> int:
        """End the leases of one worker of the node; return how many there were."""
        return await self._commit.submit(partial(self._writes.release, worker))

    async def drop_journal(self, until: datetime, *, limit: int) -> int:
        """Remove lines of the journal that were written before ``until``, at most so many."""
        return await self._commit.submit(partial(self._writes.drop_journal, until, limit))

    async def next_due(self, direction: Direction, states: Collection[str]) -> datetime | None:
        """Return when the next message in one of ``states`` can be claimed."""
        with self._reads.together():
            due = [
                row[0] for state in states for row in self._rows("next_due", direction=direction, state=state)
            ]
        return time_of(min(due)) if due else None

    async def oldest(self, direction: Direction, states: Collection[str]) -> datetime | None:
        """Return when the first of the messages in one of ``states`` was made."""
        with self._reads.together():
            first = [
                row
                for kind in MessageKind
                for state in states
                for row in self._rows("oldest", direction=direction, kind=kind, state=state)
            ]
        return time_of(min(first)[1]) if first else None

    async def find_message(self, direction: Direction, message_id: str) -> StoredMessage | None:
        """Return a message with its body."""
        rows = self._rows("find_message", direction=direction, message_id=message_id)
        return self._with_body(message_of(rows[0])) if rows else None

    async def messages(
        self, query: MessageQuery = ALL_MESSAGES, *, limit: int = 100, with_body: bool = False
    ) -> tuple[StoredMessage, ...]:
        """Return messages, newest first."""
        with self._reads.together():
            rows = await self._candidates(query, limit)
        found = [message for message in map(message_of, rows) if query.accepts(message)]
        found.sort(key=attrgetter("seq"), reverse=True)
        return tuple(self._with_body(message) if with_body else message for message in found[:limit])

    async def find_case(self, case_id: str) -> Case | None:
        """Return a case by its id at this node."""
        rows = self._rows("find_case", case_id=case_id)
        return decode(rows[0][0]) if rows else None

    async def find_case_by_international(self, international_id: str) -> Case | None:
        """Return a case by the id that all its copies share."""
        rows = self._rows("find_case_by_international", international_id=international_id)
        return decode(rows[0][0]) if rows else None

    async def cases(self, *, limit: int = 100, after: str | None = None) -> tuple[Case, ...]:
        """Return cases, newest first, beginning behind case ``after``."""
        before = _NEWEST
        if after is not None:
            rows = self._rows("case_seq", case_id=after)
            before = rows[0][0] if rows else 0
        return tuple(decode(row[0]) for row in self._rows("cases", before=before, limit=limit))

    async def document(
        self, case_id: str, document_id: str, version: int | None = None
    ) -> StoredDocument | None:
        """Return a version of a document, the newest when no version is named."""
        name = "newest_document" if version is None else "document"
        rows = self._rows(name, case_id=case_id, document_id=document_id, version=version)
        return document_of(rows[0]) if rows else None

    async def documents(self, case_id: str, *, with_content: bool = False) -> tuple[StoredDocument, ...]:
        """Return all versions of all documents of a case, in the order of their first saving."""
        name = "documents_with_content" if with_content else "documents"
        return tuple(map(document_of, self._rows(name, case_id=case_id)))

    async def content(self, digest: str) -> Content | None:
        """Return the content of an attachment by its digest."""
        rows = self._rows("content", digest=digest)
        if not rows:
            return None
        return Octets(rows[0][0], digest) if rows[0][0] or digest == _NOTHING else self._lying(digest)

    async def journal(self, after: int = 0, limit: int = 100) -> tuple[JournalEntry, ...]:
        """Return the entries that follow number ``after``, oldest first."""
        return tuple(map(entry_of, self._rows("journal_of_node", after=after, limit=limit)))

    async def journal_of(self, reference: str) -> tuple[JournalEntry, ...]:
        """Return the entries of a message id or a case id, oldest first."""
        entries = map(entry_of, self._rows("journal_of_reference", reference=reference))
        return tuple(entry for entry in entries if entry.node == self._node)

    async def last_entry(self) -> int:
        """Return the number of the newest entry, 0 when there is none."""
        found: int = self._rows("last_entry_of_node")[0][0]
        return found

    async def wait_for_journal(self, after: int) -> None:
        """Return as soon as an entry follows number ``after``."""
        await self._bell.wait_until(lambda: self._rows("last_entry_of_node")[0][0] > after)

    async def counts(self) -> Counts:
        """Return how much the node keeps."""
        numbers = {(row[0], row[1], row[2]): row[3] for row in self._rows("tallies")}
        cases = numbers.pop(("", "case", ""), 0)
        documents = numbers.pop(("", "document", ""), 0)
        messages = tuple(
            StateCount(Direction(direction), MessageKind(kind), state, number)
            for (direction, kind, state), number in numbers.items()
        )
        return Counts(cases, documents, messages)

    async def _candidates(self, query: MessageQuery, limit: int) -> list[Row]:
        before = _NEWEST if query.before is None else query.before
        if query.ref_to is not None:
            return self._rows("messages_by_ref", reference=query.ref_to, before=before)
        if query.conversation is not None:
            return self._rows("messages_by_conversation", reference=query.conversation, before=before)
        return [
            row
            for lane in (await self.counts()).messages
            if query.accepts_lane(lane.direction, lane.kind, lane.state)
            for row in self._lane(lane, before, limit)
        ]

    def _lane(self, lane: StateCount, before: int, limit: int) -> list[Row]:
        return self._rows(
            "messages_of_lane",
            direction=lane.direction,
            kind=lane.kind,
            state=lane.state,
            before=before,
            limit=limit,
        )

    def _with_body(self, message: StoredMessage) -> StoredMessage:
        return self._from_spool(replace(message, body=self._reads.value("message_body", seq=message.seq)))

    def _from_spool(self, message: StoredMessage) -> StoredMessage:
        """Return a message that was read; no octets whose digest is that of some lie in the spool."""
        if message.body or message.digest == _NOTHING:
            return message
        return replace(message, spooled=self._lying(message.digest))

    def _lying(self, digest: str) -> SpoolFile:
        file = self._spool.find(digest)
        if file is None:
            raise Unavailable(
                f"Expected the file {digest} in the spool of the store, found none",
                hint="The spool folder beside the store belongs to it; bring it back from the backup.",
            )
        return file

    def _rows(self, name: str, **values: Any) -> list[Row]:  # Any: values of columns
        return self._reads.rows(name, node=self._node, **values)


class _Reads:
    """Runs named queries on the reading connection."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path
        self._sql = load_queries("sqlite")

    def rows(self, name: str, **values: Any) -> list[Row]:  # Any: values of columns
        return self._execute(self._sql[name], values)

    @contextmanager
    def together(self) -> Iterator[None]:
        """Let several queries see the same state, whatever the thread of the writer commits meanwhile."""
        self._execute("BEGIN")
        try:
            yield
        finally:
            self._connection.rollback()  # nothing was written

    def version(self) -> int:
        """Return a number that changes when somebody has written to the file."""
        found: int = self._execute("PRAGMA data_version")[0][0]
        return found

    def _execute(self, statement: str, values: Mapping[str, Any] | None = None) -> list[Row]:
        try:
            return self._connection.execute(statement, values or {}).fetchall()
        except sqlite3.Error as error:
            raise unavailable(self._path, error) from error

    def value(self, name: str, **values: Any) -> Any:  # Any: the query says what it returns
        return self.rows(name, **values)[0][0]

    def close(self) -> None:
        self._connection.close()
