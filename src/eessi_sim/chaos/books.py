"""What one node has in its books when all is over: read from its store, without the node."""

from collections import Counter
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field

from eessi_sim.as4.exchange import InboundState, OutboundState, is_settled
from eessi_sim.buc.case import Case
from eessi_sim.buc.case import Direction as DocumentDirection
from eessi_sim.identifiers import InstitutionId
from eessi_sim.storage.base import Direction, MessageKind, MessageQuery, NodeStore, StoredMessage

_PAGE = 500
_REFUSED = frozenset({InboundState.REJECTED, InboundState.DEAD_LETTERED})


@dataclass(frozen=True, slots=True)
class Sent:
    """A user message of an institution, as its sender believes it to be."""

    message_id: str
    receiver: str
    state: OutboundState
    reason: str = ""
    """Why it could not go on."""
    case: str = ""
    """What it belongs to, as all copies call it."""


@dataclass(frozen=True, slots=True)
class Filed:
    """A version of a document in the case file of its receiver."""

    case: str
    """Id that all copies of the case share."""
    document: str
    version: int
    message_id: str


@dataclass(frozen=True, slots=True)
class Books:
    """What one node keeps."""

    party: InstitutionId
    sent: tuple[Sent, ...] = ()
    """User messages that it made or forwarded."""
    filed: tuple[Filed, ...] = ()
    receipts_given: frozenset[str] = frozenset()
    """Ids of the messages that it has made a receipt for, or forwarded one."""
    receipts_held: frozenset[str] = frozenset()
    """Ids of the messages for which it got one."""
    refused: Mapping[str, str] = field(default_factory=dict)
    """Messages that it took and receipted, and could not file as documents: its own dead letters, with their reasons."""
    waiting: tuple[str, ...] = ()
    """Messages that are still to be worked on: direction, kind, state and id."""
    damage: str = ""
    """What is wrong with the store itself."""
    copies: Mapping[str, int] = field(init=False, repr=False)
    """How often each message was filed; a second copy of its document counts, whatever message brought it."""

    def __post_init__(self) -> None:
        versions = Counter((each.case, each.document, each.version) for each in self.filed)
        copies = {each.message_id: versions[each.case, each.document, each.version] for each in self.filed}
        object.__setattr__(self, "copies", copies)


async def read_books(party: InstitutionId, store: NodeStore, damage: str = "") -> Books:
    """Read what a node keeps.

    Args:
        party: the node.
        store: its store; nobody writes to it meanwhile.
        damage: what was found wrong with the store before.
    """
    messages = [message async for message in _messages(store)]
    users = [each for each in messages if each.kind is MessageKind.USER]
    receipts = [each for each in messages if each.kind is MessageKind.RECEIPT]
    return Books(
        party=party,
        sent=tuple(_sent(each) for each in users if each.direction is Direction.OUT),
        filed=tuple([filed async for case in _cases(store) for filed in _filed(case)]),
        refused={
            str(each.message_id): each.last_error or ""
            for each in users
            if each.direction is Direction.IN and each.state in _REFUSED
        },
        receipts_given=frozenset(str(each.ref_to) for each in receipts if each.direction is Direction.OUT),
        receipts_held=frozenset(str(each.ref_to) for each in receipts if each.direction is Direction.IN),
        waiting=tuple(
            f"{each.direction} {each.kind} {each.state} {each.message_id}"
            for each in messages
            if not is_settled(_state(each))
        ),
        damage=damage,
    )


def _state(message: StoredMessage) -> OutboundState | InboundState:
    if message.direction is Direction.OUT:
        return OutboundState(message.state)
    # An institution has a state of its own for what waits for an answer; it is as good as delivered here.
    return InboundState(message.state) if message.state in frozenset(InboundState) else InboundState.DELIVERED


def _sent(message: StoredMessage) -> Sent:
    state, reason = OutboundState(message.state), message.last_error or ""
    return Sent(message.message_id, message.receiver, state, reason, message.conversation)


def _filed(case: Case) -> tuple[Filed, ...]:
    return tuple(
        Filed(case.international_id, document.id, version.number, str(version.message_id))
        for document in case.documents
        if document.direction is DocumentDirection.IN
        for version in document.versions
    )


async def _messages(store: NodeStore) -> AsyncIterator[StoredMessage]:
    before: int | None = None
    while page := await store.messages(MessageQuery(before=before), limit=_PAGE):
        for message in page:
            yield message
        before = page[-1].seq


async def _cases(store: NodeStore) -> AsyncIterator[Case]:
    after: str | None = None
    while page := await store.cases(limit=_PAGE, after=after):
        for case in page:
            yield case
        after = page[-1].id
