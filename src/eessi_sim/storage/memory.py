"""The store that forgets: dictionaries; for tests and for networks that live in one process.

Same promises as the durable back ends, except durability: atomic units, conflicts, order. Each
write notes how to undo itself; a conflict undoes the unit from its end.
"""

from collections.abc import AsyncIterator, Collection, Iterable
from dataclasses import replace
from datetime import datetime
from heapq import nlargest, nsmallest
from itertools import dropwhile, islice
from operator import attrgetter

from eessi_sim.attachments import Content
from eessi_sim.buc.case import Case
from eessi_sim.errors import SettingsError, Unavailable
from eessi_sim.identifiers import InstitutionId
from eessi_sim.measures import UNITS, Histogram
from eessi_sim.spool import Spool
from eessi_sim.storage import conflicts
from eessi_sim.storage.base import (
    ALL_MESSAGES,
    AddEntry,
    AddMessage,
    Claim,
    Counts,
    Direction,
    JournalEntry,
    MessageChanges,
    MessageQuery,
    SaveCase,
    SaveContent,
    SaveDocument,
    StateCount,
    StoredDocument,
    StoredMessage,
    UnitOfWork,
    UpdateMessage,
    Write,
)
from eessi_sim.storage.bell import Bell
from eessi_sim.storage.memory_tables import CaseTable, JournalTable, MessageTable, Sequence, Undo

_ALL = 2**63 - 1


async def open_url(url: str) -> "MemoryStorage":
    """Open an empty store; the URL is ``memory:``.

    Raises:
        SettingsError: something follows the scheme.
    """
    if url != "memory:":
        raise SettingsError(f'Expected "memory:", found "{url}"', hint="The store that forgets has no name.")
    return MemoryStorage()


class MemoryStorage:
    """Storage in dictionaries."""

    def __init__(self) -> None:
        self.messages = Sequence()
        self.entries = Sequence()
        self.all_entries = JournalTable()
        self.bell = Bell()
        self._nodes: dict[str, MemoryNode] = {}
        self.is_open = True
        self.spool: Spool | None = None
        self.group_sizes = Histogram(UNITS)

    async def spooled(self) -> frozenset[str]:
        """Return nothing: everything is held."""
        return frozenset()

    async def nodes(self) -> tuple[str, ...]:
        """Return the nodes that keep a message, a case or a document."""
        counted = [(node, await kept.counts()) for node, kept in sorted(self._nodes.items())]
        return tuple(node for node, counts in counted if counts.cases or counts.documents or counts.messages)

    def node(self, node_id: InstitutionId) -> "MemoryNode":
        """Return the view of one node."""
        if node_id not in self._nodes:
            self._nodes[node_id] = MemoryNode(node_id, self)
        return self._nodes[node_id]

    async def news(self) -> AsyncIterator[frozenset[str]]:
        """Yield the nodes about which something was journalled since the last time."""
        seen = self.all_entries.last()
        while True:
            await self.wait_for_journal(seen)
            entries = self.all_entries.after(seen, _ALL)
            seen = entries[-1].seq
            yield frozenset(entry.node for entry in entries)

    async def journal(self, after: int = 0, limit: int = 100) -> tuple[JournalEntry, ...]:
        """Return the entries of all nodes that follow number ``after``, oldest first."""
        return self.all_entries.after(after, limit)

    async def journal_of(self, reference: str) -> tuple[JournalEntry, ...]:
        """Return the entries of a message id or a case id on all nodes, oldest first."""
        return self.all_entries.of(reference)

    async def last_entry(self) -> int:
        """Return the number of the newest entry, 0 when there is none."""
        return self.all_entries.last()

    async def wait_for_journal(self, after: int) -> None:
        """Return as soon as an entry of any node follows number ``after``."""
        await self.bell.wait_until(lambda: self.all_entries.last() > after)

    async def close(self) -> None:
        """Take no more writes; closing twice is harmless."""
        self.is_open = False

    def check_open(self) -> None:
        """Raise Unavailable when the store was closed."""
        if not self.is_open:
            raise Unavailable('Expected an open store, found "memory:" closed')


class MemoryNode:
    """The state of one node in dictionaries."""

    def __init__(self, node: str, storage: MemoryStorage) -> None:
        self._node = node
        self._storage = storage
        self._messages = MessageTable(storage.messages)
        self._cases = CaseTable()
        self._entries = JournalTable()
        self._contents: dict[str, Content] = {}
        self._leased_to: dict[int, str] = {}

    async def commit(self, work: UnitOfWork) -> None:
        """Do all writes of ``work`` or none.

        Raises:
            Conflict: somebody else was faster; nothing of this work was done.
            Unavailable: the store was closed.
        """
        self._storage.check_open()
        undo: list[Undo] = []
        try:
            for write in work.writes:
                undo.append(self._apply(write))  # noqa: PERF401 - what was done before an error must be known
        except Exception:
            for step in reversed(undo):
                step()
            raise
        self._storage.group_sizes.observe(1)
        if any(isinstance(write, AddEntry) for write in work.writes):
            self._storage.bell.ring()

    async def claim(self, claim: Claim) -> tuple[StoredMessage, ...]:
        """Take due messages, each for one claimant only, those due first in front; with bodies."""
        self._storage.check_open()
        due = (
            message
            for message in self._messages.in_states(claim.direction, claim.states)
            if message.ready_at <= claim.now and claim.channel in (None, message.channel)
        )
        changes = MessageChanges(
            state=claim.claimed_state, leased_until=claim.now + claim.lease, updated_at=claim.now
        )
        taken = nsmallest(claim.limit, due, key=attrgetter("ready_at", "seq"))
        self._leased_to.update((message.seq, claim.worker) for message in taken)
        return tuple(self._change(message, changes) for message in taken)

    async def release(self, worker: str = "") -> int:
        """End the leases of one worker of the node; return how many there were."""
        self._storage.check_open()
        leased = [
            message
            for lane in self._messages.lanes().values()
            for message in lane.values()
            if message.leased_until is not None and self._leased_to.get(message.seq, "") == worker
        ]
        for message in leased:
            self._change(message, MessageChanges(leased_until=None))
        return len(leased)

    async def drop_journal(self, until: datetime, *, limit: int) -> int:
        """Remove lines of the journal that were written before ``until``, at most so many."""
        self._storage.check_open()
        old = self._entries.written_before(until, limit)
        for table in (self._entries, self._storage.all_entries):
            table.drop(old)
        return len(old)

    async def next_due(self, direction: Direction, states: Collection[str]) -> datetime | None:
        """Return when the next message in one of ``states`` can be claimed."""
        return min(
            (message.ready_at for message in self._messages.in_states(direction, states)), default=None
        )

    async def oldest(self, direction: Direction, states: Collection[str]) -> datetime | None:
        """Return when the first of the messages in one of ``states`` was made."""
        first = min(self._messages.in_states(direction, states), key=attrgetter("seq"), default=None)
        return None if first is None else first.created_at

    async def find_message(self, direction: Direction, message_id: str) -> StoredMessage | None:
        """Return a message with its body."""
        return self._messages.find(direction, message_id)

    async def messages(
        self, query: MessageQuery = ALL_MESSAGES, *, limit: int = 100, with_body: bool = False
    ) -> tuple[StoredMessage, ...]:
        """Return messages, newest first."""
        found = (message for message in self._candidates(query) if query.accepts(message))
        newest = nlargest(limit, found, key=attrgetter("seq"))
        return tuple(message if with_body else replace(message, body=b"") for message in newest)

    async def find_case(self, case_id: str) -> Case | None:
        """Return a case by its id at this node."""
        return self._cases.find(case_id)

    async def find_case_by_international(self, international_id: str) -> Case | None:
        """Return a case by the id that all its copies share."""
        return self._cases.find_by_international(international_id)

    async def cases(self, *, limit: int = 100, after: str | None = None) -> tuple[Case, ...]:
        """Return cases, newest first, beginning behind case ``after``."""
        cases = self._cases.newest_first()
        if after is not None:
            cases = islice(dropwhile(lambda case: case.id != after, cases), 1, None)
        return tuple(islice(cases, limit))

    async def document(
        self, case_id: str, document_id: str, version: int | None = None
    ) -> StoredDocument | None:
        """Return a version of a document, the newest when no version is named."""
        versions = (
            document
            for document in self._cases.documents(case_id)
            if document.document_id == document_id and version in (None, document.version)
        )
        return max(versions, key=attrgetter("version"), default=None)

    async def documents(self, case_id: str, *, with_content: bool = False) -> tuple[StoredDocument, ...]:
        """Return all versions of all documents of a case, in the order of their first saving."""
        found = self._cases.documents(case_id)
        return tuple(document if with_content else replace(document, content=b"") for document in found)

    async def journal(self, after: int = 0, limit: int = 100) -> tuple[JournalEntry, ...]:
        """Return the entries that follow number ``after``, oldest first."""
        return self._entries.after(after, limit)

    async def journal_of(self, reference: str) -> tuple[JournalEntry, ...]:
        """Return the entries of a message id or a case id, oldest first."""
        return self._entries.of(reference)

    async def last_entry(self) -> int:
        """Return the number of the newest entry, 0 when there is none."""
        return self._entries.last()

    async def wait_for_journal(self, after: int) -> None:
        """Return as soon as an entry follows number ``after``."""
        await self._storage.bell.wait_until(lambda: self._entries.last() > after)

    async def content(self, digest: str) -> Content | None:
        """Return the content of an attachment by its digest."""
        return self._contents.get(digest)

    async def counts(self) -> Counts:
        """Return how much the node keeps."""
        states = tuple(StateCount(*lane, len(messages)) for lane, messages in self._messages.lanes().items())
        return Counts(*self._cases.numbers(), states)

    def _candidates(self, query: MessageQuery) -> Iterable[StoredMessage]:
        if query.ref_to is not None:
            return self._messages.by_ref(query.ref_to)
        if query.conversation is not None:
            return self._messages.by_conversation(query.conversation)
        return (
            message
            for lane, messages in self._messages.lanes().items()
            if query.accepts_lane(*lane)
            for message in messages.values()
        )

    def _apply(self, write: Write) -> Undo:
        match write:
            case AddMessage(message):
                return self._add_message(message)
            case UpdateMessage():
                return self._update_message(write)
            case SaveCase():
                return self._save_case(write)
            case SaveDocument(document):
                return self._cases.save_document(document)
            case SaveContent(content):
                return self._save_content(content)
            case _:  # AddEntry is the last kind
                return self._append(write.entry)

    def _add_message(self, message: StoredMessage) -> Undo:
        if self._messages.find(message.direction, message.message_id) is not None:
            raise conflicts.message_exists(message)
        return self._messages.add(message)

    def _update_message(self, update: UpdateMessage) -> Undo:
        old = self._messages.find(update.direction, update.message_id)
        if old is None:
            raise conflicts.message_absent(update.direction, update.message_id)
        if update.expected_states is not None and old.state not in update.expected_states:
            raise conflicts.message_moved_on(old, update.expected_states)
        return self._messages.change(old, old.changed(update.changes))

    def _change(self, message: StoredMessage, changes: MessageChanges) -> StoredMessage:
        changed = message.changed(changes)
        self._messages.change(message, changed)
        return changed

    def _save_case(self, save: SaveCase) -> Undo:
        known = self._cases.find(save.case.id)
        found = None if known is None else known.revision
        if found != (save.expected_revision or None):
            raise conflicts.case_changed(save.case, save.expected_revision, found)
        twin = self._cases.find_by_international(save.case.international_id)
        if twin is not None and twin.id != save.case.id:
            raise conflicts.case_known_elsewhere(save.case)
        return self._cases.save(save.case)

    def _save_content(self, content: Content) -> Undo:
        if content.digest in self._contents:
            return lambda: None
        self._contents[content.digest] = content
        return lambda: self._contents.pop(content.digest)

    def _append(self, entry: JournalEntry) -> Undo:
        entry = replace(entry, node=self._node, seq=self._storage.entries.take(), detail=dict(entry.detail))
        steps = (self._storage.all_entries.append(entry), self._entries.append(entry))
        return lambda: [step() for step in (*steps, self._storage.entries.give_back)]
