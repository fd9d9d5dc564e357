"""The store that many processes share, on one machine or several: a schema of a PostgreSQL database.

Reads take a connection from a pool and answer from the last committed state; writes go through ``postgresql_commit``.
A lost connection is Unavailable for those who used it; the next call connects again.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import replace
from datetime import datetime
from operator import attrgetter
from typing import Any, Final, cast

from eessi_sim.attachments import Content, Octets
from eessi_sim.buc.case import Case, decode
from eessi_sim.errors import Unavailable
from eessi_sim.identifiers import InstitutionId
from eessi_sim.measures import Histogram
from eessi_sim.spool import Spool, SpoolFile
from eessi_sim.storage.base import (
    ALL_MESSAGES,
    AddMessage,
    Claim,
    Counts,
    Direction,
    JournalEntry,
    MessageKind,
    MessageQuery,
    SaveContent,
    StateCount,
    StoredDocument,
    StoredMessage,
    UnitOfWork,
    Write,
)
from eessi_sim.storage.bell import Bell
from eessi_sim.storage.postgresql_commit import GroupCommit, close_pool
from eessi_sim.storage.postgresql_ear import Ear
from eessi_sim.storage.postgresql_schema import migrate
from eessi_sim.storage.postgresql_server import STATEMENT_SECONDS, Address
from eessi_sim.storage.postgresql_spool import Pieces
from eessi_sim.storage.postgresql_writes import Batch
from eessi_sim.storage.rows import Row, document_of, entry_of, message_of, micros, time_of
from eessi_sim.storage.sql import load_numbered

_NOTHING: Final = hashlib.sha256().hexdigest()
"""Digest of no octets."""
_NEWEST: Final = 2**63 - 1
"""Larger than every number that the database assigns."""
_BODY: Final = 23
"""Place of the body behind the columns of the view ``stored_message``."""

_GATHER: Final = 0.05
"""Seconds between two looks for news, so that many commits wake a node once (our choice, inferred; SQLite: 0.025)."""
_PAUSE: Final = 0.5
"""Seconds between two questions to a server that is away (our choice, inferred)."""


async def open_url(url: str) -> "PostgresqlStorage":
    """Open the store that ``url`` names, ``postgresql://user:password@host:port/database``, making its tables.

    Raises:
        SettingsError: the URL names no database.
        Unavailable: the server cannot be used.
        MigrationNeeded: a newer version of the program wrote the store.
    """
    address = Address.parse(url)
    connection = await address.connect()
    try:
        await migrate(connection, address)
    finally:
        connection.terminate()
    storage = PostgresqlStorage(address)
    await storage.open()
    return storage


class PostgresqlStorage:
    """Storage in one schema; ``open_url`` makes it.

    Args:
        address: of the store; its tables are there.
    """

    def __init__(self, address: Address) -> None:
        self._bell = Bell()
        self._reads = _Reads(address)
        self._commit = GroupCommit(address, self._bell.ring)
        self._pieces = Pieces(address, self._reads.pool)
        self._ear = Ear(address, self._bell)
        self._nodes: dict[str, PostgresqlNode] = {}
        self._closed = False

    async def open(self) -> None:
        """Make it ready.

        Raises:
            Unavailable: the server cannot be used.
        """
        try:
            await self._reads.open()
            await self._commit.open()
            await self._pieces.sweep()
        except BaseException:
            await self.close()
            raise

    @property
    def spool(self) -> Spool:
        """The folder of this process for large messages and contents that it works on."""
        return self._pieces.spool

    @property
    def group_sizes(self) -> Histogram:
        """How many units of work became durable together, for every transaction of this process."""
        return self._commit.group_sizes

    async def nodes(self) -> tuple[str, ...]:
        """Return the nodes that keep a message, a case or a document."""
        return tuple(row[0] for row in await self._reads.rows("nodes"))

    def node(self, node_id: InstitutionId) -> "PostgresqlNode":
        """Return the view of one node."""
        if node_id not in self._nodes:
            self._nodes[node_id] = PostgresqlNode(
                node_id, self._reads, commit=self._commit, bell=self._bell, pieces=self._pieces
            )
        return self._nodes[node_id]

    async def spooled(self) -> frozenset[str]:
        """Return the digests of what is kept in pieces."""
        return frozenset(row[0] for row in await self._reads.rows("spooled"))

    async def journal(self, after: int = 0, limit: int = 100) -> tuple[JournalEntry, ...]:
        """Return the entries of all nodes that follow number ``after``, oldest first."""
        return tuple(map(entry_of, await self._reads.rows("journal", after=after, limit=limit)))

    async def journal_of(self, reference: str) -> tuple[JournalEntry, ...]:
        """Return the entries of a message id or a case id on all nodes, oldest first."""
        return tuple(map(entry_of, await self._reads.rows("journal_of_reference", reference=reference)))

    async def last_entry(self) -> int:
        """Return the number of the newest entry, 0 when there is none."""
        found: int = (await self._reads.rows("last_entry"))[0][0]
        return found

    async def wait_for_journal(self, after: int) -> None:
        """Return as soon as an entry of any node follows number ``after``, whichever process committed it."""
        await self._reads.wait(self._bell, after, "last_entry")

    async def news(self) -> AsyncIterator[frozenset[str]]:
        """Yield the nodes about which something was journalled since the last time, by whatever process."""
        seen: int | None = None
        while True:
            rings = self._bell.rings
            try:
                if seen is None:
                    seen = (await self._reads.rows("last_entry"))[0][0]
                news = await self._reads.rows("nodes_with_entries", after=seen)
            except Unavailable:
                await asyncio.sleep(_PAUSE)  # the server is away; whoever works for the node waits with us
                continue
            if news:
                seen = max(last for _, last in news)
                yield frozenset(node for node, _ in news)
                await asyncio.sleep(_GATHER)
            else:
                await self._bell.wait_until(lambda rings=rings: self._bell.rings > rings)  # type: ignore[misc]

    async def close(self) -> None:
        """Finish the writes that wait and close all connections; closing twice is harmless."""
        if self._closed:
            return
        self._closed = True
        await self._commit.close()
        await self._ear.close()
        await self._reads.close()
        self._pieces.close()


class PostgresqlNode:
    """The state of one node in the database."""

    def __init__(
        self, node: str, reads: "_Reads", *, commit: GroupCommit, bell: Bell, pieces: Pieces
    ) -> None:
        self._node = node
        self._reads = reads
        self._commit = commit
        self._bell = bell
        self._pieces = pieces

    async def commit(self, work: UnitOfWork) -> None:
        """Do all writes of ``work`` or none; they are durable when this returns.

        Raises:
            Conflict: somebody else was faster; nothing of this work was done.
            Unavailable: the store cannot be written; nothing of this work was done, unless the connection was lost
                during the commit, and the server did not come back in time to tell or the work has no entry for the
                journal, which would prove it.
        """
        writes = work.writes
        for write in writes:
            if (file := _file_of(write)) is not None:
                await self._pieces.send(file)
        if writes:

            async def action(batch: Batch) -> None:
                await batch.apply(self._node, writes)

            await self._commit.submit(self._node, action, writes)

    async def claim(self, claim: Claim) -> tuple[StoredMessage, ...]:
        """Take due messages, each for one claimant only, those due first in front; with bodies."""
        if not await self._finds(claim):  # as most looks do; to write that down would cost a commit
            return ()

        async def action(batch: Batch) -> tuple[StoredMessage, ...]:
            return await batch.claim(self._node, claim)

        claimed = await self._commit.submit(self._node, action)
        return tuple([await self._from_spool(message) for message in claimed])

    async def _finds(self, claim: Claim) -> bool:
        if claim.channel is None:
            due = await self.next_due(claim.direction, claim.states)
            return due is not None and due <= claim.now
        waiting = await self._rows(
            "anything_due_in_channel",
            direction=claim.direction,
            channel=claim.channel,
            states=list(set(claim.states)),
            now_us=micros(claim.now),
        )
        return bool(waiting)

    async def release(self, worker: str = "") -> int:
        """End the leases of one worker of the node; return how many there were."""

        async def action(batch: Batch) -> int:
            return await batch.release(self._node, worker)

        return await self._commit.submit(self._node, action)

    async def drop_journal(self, until: datetime, *, limit: int) -> int:
        """Remove lines of the journal that were written before ``until``, at most so many."""

        async def action(batch: Batch) -> int:
            return await batch.drop_journal(self._node, until, limit)

        return await self._commit.submit(self._node, action)

    async def oldest(self, direction: Direction, states: Collection[str]) -> datetime | None:
        """Return when the first of the messages in one of ``states`` was made."""
        rows = await self._rows("oldest", direction=direction, states=list(states), kinds=list(MessageKind))
        return time_of(rows[0][0]) if rows else None

    async def next_due(self, direction: Direction, states: Collection[str]) -> datetime | None:
        """Return when the next message in one of ``states`` can be claimed."""
        rows = await self._rows("next_due", direction=direction, states=list(states))
        return time_of(rows[0][0]) if rows else None

    async def find_message(self, direction: Direction, message_id: str) -> StoredMessage | None:
        """Return a message with its body."""
        rows = await self._rows("find_message", direction=direction, message_id=message_id)
        return await self._from_spool(message_of(rows[0], rows[0][_BODY])) if rows else None

    async def messages(
        self, query: MessageQuery = ALL_MESSAGES, *, limit: int = 100, with_body: bool = False
    ) -> tuple[StoredMessage, ...]:
        """Return messages, newest first."""
        if with_body:
            return await self._messages_with_body(query, limit)
        return await self._messages(query, limit)

    async def find_case(self, case_id: str) -> Case | None:
        """Return a case by its id at this node."""
        rows = await self._rows("find_case", case_id=case_id)
        return decode(rows[0][0]) if rows else None

    async def find_case_by_international(self, international_id: str) -> Case | None:
        """Return a case by the id that all its copies share."""
        rows = await self._rows("find_case_by_international", international_id=international_id)
        return decode(rows[0][0]) if rows else None

    async def cases(self, *, limit: int = 100, after: str | None = None) -> tuple[Case, ...]:
        """Return cases, newest first, beginning behind case ``after``."""
        before = _NEWEST
        if after is not None:
            rows = await self._rows("case_seq", case_id=after)
            before = rows[0][0] if rows else 0
        return tuple(decode(row[0]) for row in await self._rows("cases", before=before, limit=limit))

    async def document(
        self, case_id: str, document_id: str, version: int | None = None
    ) -> StoredDocument | None:
        """Return a version of a document, the newest when no version is named."""
        name = "newest_document" if version is None else "document"
        rows = await self._rows(name, case_id=case_id, document_id=document_id, version=version)
        return document_of(rows[0]) if rows else None

    async def documents(self, case_id: str, *, with_content: bool = False) -> tuple[StoredDocument, ...]:
        """Return all versions of all documents of a case, in the order of their first saving."""
        name = "documents_with_content" if with_content else "documents"
        return tuple(map(document_of, await self._rows(name, case_id=case_id)))

    async def content(self, digest: str) -> Content | None:
        """Return the content of an attachment by its digest."""
        rows = await self._rows("content", digest=digest)
        if not rows:
            return None
        octets = rows[0][0]
        return Octets(octets, digest) if octets or digest == _NOTHING else await self._pieces.fetch(digest)

    async def journal(self, after: int = 0, limit: int = 100) -> tuple[JournalEntry, ...]:
        """Return the entries that follow number ``after``, oldest first."""
        return tuple(map(entry_of, await self._rows("journal_of_node", after=after, limit=limit)))

    async def journal_of(self, reference: str) -> tuple[JournalEntry, ...]:
        """Return the entries of a message id or a case id, oldest first."""
        entries = map(entry_of, await self._rows("journal_of_reference", reference=reference))
        return tuple(entry for entry in entries if entry.node == self._node)

    async def last_entry(self) -> int:
        """Return the number of the newest entry, 0 when there is none."""
        found: int = (await self._rows("last_entry_of_node"))[0][0]
        return found

    async def wait_for_journal(self, after: int) -> None:
        """Return as soon as an entry follows number ``after``, whichever process committed it."""
        await self._reads.wait(self._bell, after, "last_entry_of_node", node=self._node)

    async def counts(self) -> Counts:
        """Return how much the node keeps."""
        numbers = {(row[0], row[1], row[2]): row[3] for row in await self._rows("tallies")}
        cases = numbers.pop(("", "case", ""), 0)
        documents = numbers.pop(("", "document", ""), 0)
        messages = tuple(
            StateCount(Direction(direction), MessageKind(kind), state, number)
            for (direction, kind, state), number in numbers.items()
        )
        return Counts(cases, documents, messages)

    async def _messages(self, query: MessageQuery, limit: int) -> tuple[StoredMessage, ...]:
        rows = await self._candidates(query, limit)
        found = [message for message in map(message_of, rows) if query.accepts(message)]
        found.sort(key=attrgetter("seq"), reverse=True)
        return tuple(found[:limit])

    async def _messages_with_body(self, query: MessageQuery, limit: int) -> tuple[StoredMessage, ...]:
        found = await self._messages(query, limit)
        bodies = {row[0]: row[1] for row in await self._rows("message_body", seqs=[m.seq for m in found])}
        return tuple([await self._from_spool(replace(m, body=bodies[m.seq])) for m in found])

    async def _candidates(self, query: MessageQuery, limit: int) -> Sequence[Row]:
        before = _NEWEST if query.before is None else query.before
        if query.ref_to is not None:
            return await self._rows("messages_by_ref", reference=query.ref_to, before=before)
        if query.conversation is not None:
            return await self._rows("messages_by_conversation", reference=query.conversation, before=before)
        return await self._rows(
            "messages_of_lane",
            direction=query.direction,
            kind=query.kind,
            states=None if query.states is None else list(query.states),
            before=before,
            limit=limit,
        )

    async def _from_spool(self, message: StoredMessage) -> StoredMessage:
        """Return a message that was read; no octets whose digest is that of some are kept in pieces."""
        if message.body or message.digest == _NOTHING:
            return message
        return replace(message, spooled=await self._pieces.fetch(message.digest))

    async def _rows(self, name: str, **values: Any) -> Sequence[Row]:  # Any: values of columns
        return await self._reads.rows(name, node=self._node, **values)


class _Reads:
    """Runs named queries on a pool of connections."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self.pool = address.pool(address.connections)
        self._sql = load_numbered("postgresql")

    async def open(self) -> None:
        """Make the pool ready; nothing is connected yet."""
        await self.pool

    async def rows(self, name: str, **values: Any) -> Sequence[Row]:  # Any: values of columns
        statement = self._sql[name]
        with self._address.own_errors():
            async with self.pool.acquire(timeout=STATEMENT_SECONDS) as connection:
                rows: Any = await connection.fetch(statement.sql, *statement.values(values))
        return cast("Sequence[Row]", rows)

    async def wait(self, bell: Bell, after: int, name: str, **values: Any) -> None:  # Any: values of columns
        """Return as soon as the query ``name`` answers more than ``after``; it is asked after each ring."""
        while True:
            seen = bell.rings
            if (await self.rows(name, **values))[0][0] > after:
                return
            await bell.wait_until(lambda seen=seen: bell.rings > seen)  # type: ignore[misc]

    async def close(self) -> None:
        await close_pool(self.pool)


def _file_of(write: Write) -> SpoolFile | None:
    """Return the file of the spool that a write names."""
    if isinstance(write, AddMessage):
        return write.message.spooled
    if isinstance(write, SaveContent) and isinstance(write.content, SpoolFile):
        return write.content
    return None
