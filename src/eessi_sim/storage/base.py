"""Records of the durable store and the protocols of a back end.

A Storage holds the state of many nodes, a NodeStore is the view of one of them. Everything that
must happen together is collected in one UnitOfWork and committed at once. Reads are plain
functions (they answer from the last committed state), writes are awaited and durable when they
return. No back end and no SQL lives here; times, ids and leases are arguments.
"""

from collections.abc import AsyncIterator, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Protocol, TypedDict, Unpack

from eessi_sim.attachments import Content
from eessi_sim.buc.case import Case
from eessi_sim.identifiers import CaseId, DocumentId, InstitutionId, MessageId, SedType
from eessi_sim.measures import Histogram
from eessi_sim.spool import Spool, SpoolFile
from eessi_sim.stretch import Extent, whole

LONG_PAST = datetime(1970, 1, 1, tzinfo=UTC)
"""Stands for "at once" where a time is compared; no time of a store lies before it."""

REMOVED = "removed"
"""Detail of a message whose octets were removed after a while: the digest that they had."""


class Direction(StrEnum):
    """Which way a message or document went, seen from the node that keeps it."""

    IN = "in"
    OUT = "out"


class MessageKind(StrEnum):
    """Unit of ebMS messaging that a stored message carries (ebMS3 core 5.2.2 and 5.2.3)."""

    USER = "user"
    RECEIPT = "receipt"
    ERROR = "error"
    PULL = "pull"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredMessage:
    """One ebMS message as one node keeps it: its bytes, its state, its place in the queue."""

    message_id: MessageId
    """Unique per node and direction."""
    direction: Direction
    kind: MessageKind
    state: str
    """A state of the exchange; the store compares states, it gives them no meaning."""
    sender: str
    receiver: str
    conversation: str
    content_type: str
    """Content-Type of ``body``, boundary included, as it stood on the wire."""
    body: bytes
    """The exact octets; empty when the message was listed without bodies, or lies in the spool."""
    digest: str
    """SHA-256 of ``body``, hexadecimal; kept also when the body is not loaded."""
    created_at: datetime
    updated_at: datetime
    ref_to: str | None = None
    """RefToMessageId: the message that a signal answers."""
    endpoint: str | None = None
    """URL to push to."""
    channel: str | None = None
    """Message partition channel on which the message waits to be pulled."""
    attempts: int = 0
    due_at: datetime | None = None
    """Not claimed before; None means at once."""
    leased_until: datetime | None = None
    """Not claimed by anybody else before; None means free."""
    accepted_at: datetime | None = None
    """When the next hop said that it has the message."""
    receipted_at: datetime | None = None
    """When the receipt of the final receiver was verified."""
    last_error: str | None = None
    details: Mapping[str, str] = field(default_factory=dict)
    """Small facts for display and search: sed, buc, cdm, case, xsd_valid …; never a person's data."""
    seq: int = 0
    """Order of arrival in the store, assigned by it."""
    spooled: SpoolFile | None = None
    """Where the octets of a large message lie."""

    @property
    def octets(self) -> Extent:
        """The exact octets, wherever they lie."""
        return self.body if self.spooled is None else self.spooled.stretch

    @property
    def is_removed(self) -> bool:
        """Whether its octets were removed by a clean-up; ``digest`` is then that of nothing."""
        return REMOVED in self.details

    @property
    def whole(self) -> bytes:
        """The exact octets, however many there are."""
        return whole(self.octets)

    @property
    def ready_at(self) -> datetime:
        """When it can be claimed: its due date has come and no lease runs."""
        return max(self.due_at or LONG_PAST, self.leased_until or LONG_PAST)

    def changed(self, changes: "MessageChanges") -> "StoredMessage":
        """Return the message with some fields changed; details are merged, new values win."""
        if "details" in changes:
            changes = {**changes, "details": {**self.details, **changes["details"]}}
        return replace(self, **changes)


class MessageChanges(TypedDict, total=False):
    """Fields of a stored message that may change; ``details`` are merged into those stored."""

    state: str
    content_type: str
    body: bytes
    digest: str
    updated_at: datetime
    endpoint: str | None
    channel: str | None
    attempts: int
    due_at: datetime | None
    leased_until: datetime | None
    accepted_at: datetime | None
    receipted_at: datetime | None
    last_error: str | None
    details: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredDocument:
    """One version of a document of a case, as the signed octets that were sent or verified."""

    case_id: CaseId
    document_id: DocumentId
    version: int
    sed: SedType
    content: bytes
    """Empty when the documents of a case were listed without content."""
    direction: Direction
    stored_at: datetime
    message_id: MessageId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalEntry:
    """One step of one message or case on one node; entries are only ever added."""

    at: datetime
    step: str
    outcome: str
    message_id: str | None = None
    case_id: str | None = None
    detail: Mapping[str, str] = field(default_factory=dict)
    node: str = ""
    """Assigned by the store: the node whose view committed the entry."""
    seq: int = 0
    """Assigned by the store: grows over all nodes, in the order of commits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageQuery:
    """Which messages to list; None does not restrict."""

    direction: Direction | None = None
    kind: MessageKind | None = None
    states: Collection[str] | None = None
    ref_to: str | None = None
    conversation: str | None = None
    before: int | None = None
    """Only messages with a smaller ``seq``: the last one of the page before."""

    def accepts(self, message: StoredMessage) -> bool:
        """Return whether a message fulfils every restriction."""
        return (
            self.accepts_lane(message.direction, message.kind, message.state)
            and self.ref_to in (None, message.ref_to)
            and self.conversation in (None, message.conversation)
            and (self.before is None or message.seq < self.before)
        )

    def accepts_lane(self, direction: Direction, kind: MessageKind, state: str) -> bool:
        """Return whether messages of this direction, kind and state may be wanted."""
        return (
            self.direction in (None, direction)
            and self.kind in (None, kind)
            and (self.states is None or state in self.states)
        )


ALL_MESSAGES = MessageQuery()


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """Which due messages somebody wants to work on, and for how long they are his.

    A message is due when its state is one of ``states``, ``due_at`` has come and no lease of
    somebody else runs. Naming ``claimed_state`` among ``states`` picks up what a crashed worker
    left behind as soon as its lease has ended.
    """

    direction: Direction
    states: Collection[str]
    claimed_state: str
    now: datetime
    lease: timedelta
    limit: int = 16
    channel: str | None = None
    """Only messages that wait on this channel; None does not restrict."""
    worker: str = ""
    """Name of the process that claims, among those that play the node."""


@dataclass(frozen=True, slots=True)
class StateCount:
    """How many messages of one kind stand in one state."""

    direction: Direction
    kind: MessageKind
    state: str
    number: int


@dataclass(frozen=True, slots=True)
class Counts:
    """How much one node keeps; costs the same however much it is."""

    cases: int
    documents: int
    messages: tuple[StateCount, ...]
    """Only states that occur, in the order of direction, kind, state."""

    def in_state(self, direction: Direction, *states: str) -> int:
        """Return how many messages of any kind stand in one of ``states``."""
        return sum(c.number for c in self.messages if c.direction == direction and c.state in states)


@dataclass(frozen=True, slots=True)
class AddMessage:
    """Write: keep a new message."""

    message: StoredMessage


@dataclass(frozen=True, slots=True)
class UpdateMessage:
    """Write: change fields of a message that stands in one of the expected states."""

    direction: Direction
    message_id: str
    expected_states: frozenset[str] | None
    changes: MessageChanges


@dataclass(frozen=True, slots=True)
class SaveCase:
    """Write: keep a case if nobody else changed it since it was read."""

    case: Case
    expected_revision: int


@dataclass(frozen=True, slots=True)
class SaveDocument:
    """Write: keep a version of a document, instead of the same version if there is one."""

    document: StoredDocument


@dataclass(frozen=True, slots=True)
class SaveContent:
    """Write: keep the content of an attachment under its digest, once."""

    content: Content


@dataclass(frozen=True, slots=True)
class AddEntry:
    """Write: append to the journal."""

    entry: JournalEntry


Write = AddMessage | UpdateMessage | SaveCase | SaveDocument | SaveContent | AddEntry


class UnitOfWork:
    """Collects writes in their order; ``NodeStore.commit`` does all of them or none."""

    def __init__(self, writes: Iterable[Write] = ()) -> None:
        self._writes: list[Write] = list(writes)

    def copy(self) -> "UnitOfWork":
        """Return another unit that begins with the same writes."""
        return UnitOfWork(self._writes)

    @property
    def writes(self) -> tuple[Write, ...]:
        """What was collected so far."""
        return tuple(self._writes)

    def add_message(self, message: StoredMessage) -> None:
        """Keep a new message; Conflict at commit when direction and message id exist already."""
        self._writes.append(AddMessage(message))

    def update_message(
        self,
        direction: Direction,
        message_id: str,
        *,
        expected_states: Collection[str] | None = None,
        **changes: Unpack[MessageChanges],
    ) -> None:
        """Change fields of a message; Conflict at commit when it is absent or in another state.

        A change of state ends the lease, because whoever moves the message on is done with it;
        give ``leased_until`` as well to keep it.
        """
        if "state" in changes:
            changes.setdefault("leased_until", None)
        expected = None if expected_states is None else frozenset(expected_states)
        self._writes.append(UpdateMessage(direction, message_id, expected, changes))

    def save_case(self, case: Case, expected_revision: int | None) -> None:
        """Keep a case; Conflict at commit when the stored one has another revision.

        Args:
            case: the new state; its own ``revision`` is what the next writer must expect.
            expected_revision: revision that was read; 0 or None when the case must be new.
        """
        self._writes.append(SaveCase(case, expected_revision or 0))

    def save_document(self, document: StoredDocument) -> None:
        """Keep a version of a document; the same version saved again replaces it."""
        self._writes.append(SaveDocument(document))

    def save_content(self, content: Content) -> None:
        """Keep the content of an attachment; one that is kept already is kept once."""
        self._writes.append(SaveContent(content))

    def content(self, digest: str) -> Content | None:
        """Return a content that this unit keeps, None when it does not."""
        kept = (write.content for write in self._writes if isinstance(write, SaveContent))
        return next((content for content in kept if content.digest == digest), None)

    def journal(self, *entries: JournalEntry) -> None:
        """Append to the journal of the node."""
        self._writes.extend(AddEntry(entry) for entry in entries)


class JournalReader(Protocol):
    """Reads the journal, of one node or of all."""

    async def journal(self, after: int = 0, limit: int = 100) -> tuple[JournalEntry, ...]:
        """Return the entries that follow number ``after``, oldest first."""
        ...

    async def journal_of(self, reference: str) -> tuple[JournalEntry, ...]:
        """Return the entries of a message id or a case id, oldest first."""
        ...

    async def last_entry(self) -> int:
        """Return the number of the newest entry, 0 when there is none."""
        ...

    async def wait_for_journal(self, after: int) -> None:
        """Return as soon as an entry follows number ``after``; nothing is polled."""
        ...


class NodeStore(JournalReader, Protocol):
    """The state of one node."""

    async def commit(self, work: UnitOfWork) -> None:
        """Do all writes of ``work`` or none; they are durable when this returns.

        A cancelled caller does not know whether its work was done.

        Raises:
            Conflict: somebody else was faster; nothing of this work was done.
            Unavailable: the store cannot be written; nothing of this work was done.
        """
        ...

    async def claim(self, claim: Claim) -> tuple[StoredMessage, ...]:
        """Take due messages, each for one claimant only, those due first in front; with bodies."""
        ...

    async def release(self, worker: str = "") -> int:
        """End the leases of one worker of the node, as it does when it starts; return how many there were.

        Those of its peers go on, who may be alive; of one that does not come back they expire. States stay as
        they are.
        """
        ...

    async def drop_journal(self, until: datetime, *, limit: int) -> int:
        """Remove lines of the journal that were written before ``until``, at most so many; return how many."""
        ...

    async def next_due(self, direction: Direction, states: Collection[str]) -> datetime | None:
        """Return when the next message in one of ``states`` can be claimed, None when there is none.

        Running leases count. A message that is due at once shows as a time in the past.
        """
        ...

    async def oldest(self, direction: Direction, states: Collection[str]) -> datetime | None:
        """Return when the first of the messages in one of ``states`` was made, None when there is none.

        Costs the same however many there are.
        """
        ...

    async def find_message(self, direction: Direction, message_id: str) -> StoredMessage | None:
        """Return a message with its body."""
        ...

    async def messages(
        self, query: MessageQuery = ALL_MESSAGES, *, limit: int = 100, with_body: bool = False
    ) -> tuple[StoredMessage, ...]:
        """Return messages, newest first."""
        ...

    async def find_case(self, case_id: str) -> Case | None:
        """Return a case by its id at this node."""
        ...

    async def find_case_by_international(self, international_id: str) -> Case | None:
        """Return a case by the id that all its copies share."""
        ...

    async def cases(self, *, limit: int = 100, after: str | None = None) -> tuple[Case, ...]:
        """Return cases, newest first, beginning behind case ``after``."""
        ...

    async def document(
        self, case_id: str, document_id: str, version: int | None = None
    ) -> StoredDocument | None:
        """Return a version of a document, the newest when no version is named."""
        ...

    async def documents(self, case_id: str, *, with_content: bool = False) -> tuple[StoredDocument, ...]:
        """Return all versions of all documents of a case, in the order of their first saving."""
        ...

    async def content(self, digest: str) -> Content | None:
        """Return the content of an attachment by its SHA-256, hexadecimal."""
        ...

    async def counts(self) -> Counts:
        """Return how much the node keeps."""
        ...


class Storage(JournalReader, Protocol):
    """The state of all nodes of one process, which it may share with others; used from one event loop."""

    @property
    def spool(self) -> Spool | None:
        """Where large messages and contents lie; None when everything is held."""
        ...

    @property
    def group_sizes(self) -> Histogram:
        """How many units of work became durable together, for every transaction of this process."""
        ...

    async def spooled(self) -> frozenset[str]:
        """Return the digests of what must lie in the spool; everything else in it is left over."""
        ...

    async def nodes(self) -> tuple[str, ...]:
        """Return the nodes that keep a message, a case or a document."""
        ...

    def node(self, node_id: InstitutionId) -> NodeStore:
        """Return the view of one node; it exists as soon as something is written to it."""
        ...

    def news(self) -> AsyncIterator[frozenset[str]]:
        """Yield the nodes about which something was journalled since the last time, by whatever process.

        Once somebody iterates, ``wait_for_journal`` hears of other processes too. It never ends by itself.
        """
        ...

    async def close(self) -> None:
        """Finish the writes that wait and close the store; closing twice is harmless."""
        ...
