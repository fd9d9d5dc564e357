"""How long everything in a case took: per document and peer when it was sent, receipted and answered, and what is late.

Limits are those of the process tables; the engine never enforces them, they are marked for people only.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from statistics import median

from eessi_sim.buc.case import (
    Case,
    CaseStatus,
    Direction,
    Document,
    DocumentStatus,
    DocumentVersion,
)
from eessi_sim.buc.deadlines import (
    ProcessLimit,
    answer_limits,
    answer_to,
    due_after,
    process_limits,
    shortest,
)
from eessi_sim.buc.definition import BucDefinition
from eessi_sim.buc.terms import Deadline
from eessi_sim.identifiers import DocumentId, InstitutionId, MessageId, SedType


class Answer(StrEnum):
    """How it stands with the answer to a document."""

    NONE = ""
    """Nobody has to answer it."""
    WAITING = "waiting"
    OVERDUE = "overdue"
    """Waiting, and the limit of the process table is over."""
    ANSWERED = "answered"
    LATE = "late"
    """Answered, after the limit."""


@dataclass(frozen=True, slots=True)
class Times:
    """When a message arrived here, was accepted by the next hop, and receipted by the final receiver.

    None for what has not happened, or not here.
    """

    arrived_at: datetime | None = None
    accepted_at: datetime | None = None
    receipted_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One version of a document between this institution and one peer; of a draft, which has no peer yet."""

    document: DocumentId
    sed: SedType
    version: int
    direction: Direction
    status: DocumentStatus
    peer: InstitutionId | None
    at: datetime | None
    """When it was sent, or received; None for a draft."""
    accepted_at: datetime | None = None
    receipted_at: datetime | None = None
    answered_at: datetime | None = None
    answered_by: SedType | None = None
    due_at: datetime | None = None
    """When the answer must be there at the latest; None where the table states no length."""
    limit: Deadline | None = None
    answer: Answer = Answer.NONE

    @property
    def receipted_after(self) -> timedelta | None:
        """How long the receipt took."""
        return self.receipted_at - self.at if self.receipted_at and self.at else None

    @property
    def answered_after(self) -> timedelta | None:
        """How long the answer took."""
        return self.answered_at - self.at if self.answered_at and self.at else None


@dataclass(frozen=True, slots=True)
class Span:
    """Durations of one kind."""

    number: int
    median: timedelta | None
    longest: timedelta | None

    @classmethod
    def of(cls, durations: list[timedelta]) -> "Span":
        """Sum durations up."""
        if not durations:
            return cls(0, None, None)
        middle = median(each.total_seconds() for each in durations)
        return cls(len(durations), timedelta(seconds=middle), max(durations))


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """What came and went between this institution and one peer in a case."""

    institution: InstitutionId
    sent: int
    """Versions of documents that we sent."""
    received: int
    receipts: Span
    """Of what we sent: how long the peer's receipts took."""
    answers: Span
    """Of what we sent: how long the peer's answers took."""
    own_answers: Span
    """Of what we received: how long our answers took."""
    waiting: int
    """Documents of either side that wait for an answer, overdue ones included."""
    overdue: int


@dataclass(frozen=True, slots=True)
class Indicators:
    """The times of one copy of a case."""

    case: Case
    exchanges: tuple[Exchange, ...]
    """In the order of the case."""
    limits: tuple[ProcessLimit, ...] = ()
    """Those of the process as a whole."""

    @property
    def overdue(self) -> int:
        """How many answers are overdue."""
        return sum(each.answer is Answer.OVERDUE for each in self.exchanges)

    @property
    def is_overdue(self) -> bool:
        """Whether an answer is overdue, or a limit of the process as a whole is over."""
        return self.overdue > 0 or any(limit.overdue for limit in self.limits)

    @property
    def waiting(self) -> int:
        """How many answers are waited for, overdue ones included."""
        return sum(each.answer in _OPEN for each in self.exchanges)

    def peers(self) -> tuple[Peer, ...]:
        """Return the sums for each institution that something was exchanged with."""
        names = dict.fromkeys(each.peer for each in self.exchanges if each.peer is not None)
        return tuple(_peer(name, [each for each in self.exchanges if each.peer == name]) for name in names)


@dataclass(frozen=True, slots=True)
class Relation:
    """What one institution and one peer exchanged in all their cases."""

    own: InstitutionId
    cases: int
    peer: Peer


def relations(found: Iterable[Indicators]) -> tuple[Relation, ...]:
    """Return the sums over all cases, for each institution and each of its peers.

    Args:
        found: the copies of the cases, of one institution or of several.
    """
    pairs: defaultdict[tuple[InstitutionId, InstitutionId], list[list[Exchange]]] = defaultdict(list)
    for each in found:
        for name in dict.fromkeys(exchange.peer for exchange in each.exchanges if exchange.peer is not None):
            pairs[each.case.own, name].append([e for e in each.exchanges if e.peer == name])
    return tuple(
        Relation(own, len(cases), _peer(name, [exchange for case in cases for exchange in case]))
        for (own, name), cases in sorted(pairs.items())
    )


_OPEN = (Answer.WAITING, Answer.OVERDUE)


def indicators(
    case: Case, times: Mapping[MessageId, Times], process: BucDefinition | None, *, now: datetime
) -> Indicators:
    """Return the times of a copy of a case.

    Args:
        case: the copy.
        times: of its messages, by id.
        process: says what has to be answered, and how soon; None when nobody defines it.
        now: decides what is overdue.
    """
    measure = _Measure(case, times, process, now)
    return Indicators(
        case,
        tuple(each for document in case.documents for each in measure.exchanges(document)),
        process_limits(case, process, now=now),
    )


@dataclass(frozen=True, slots=True)
class _Measure:
    case: Case
    times: Mapping[MessageId, Times]
    process: BucDefinition | None
    now: datetime

    def exchanges(self, document: Document) -> Iterator[Exchange]:
        """Yield every version of a document with every peer."""
        for version in document.versions:
            if version.received_at is not None:
                yield self._exchange(
                    document, version, document.sender, version.received_at, version.message_id
                )
            elif version.sent_at is not None:
                for delivery in version.deliveries:
                    yield self._exchange(
                        document, version, delivery.receiver, version.sent_at, delivery.message_id
                    )
            else:
                yield self._exchange(document, version, None, None, None)

    def _exchange(
        self,
        document: Document,
        version: DocumentVersion,
        peer: InstitutionId | None,
        at: datetime | None,
        message_id: MessageId | None,
    ) -> Exchange:
        times = self.times.get(message_id, Times()) if message_id else Times()
        at = times.arrived_at or at
        reply = answer_to(self.case, self.process, document, peer, at)
        limit = shortest(answer_limits(self.case, self.process, document, peer)) if at and peer else None
        due_at = due_after(at, limit) if at and limit else None
        answered_at = reply.exchanged_at if reply else None
        return Exchange(
            document=document.id,
            sed=document.type,
            version=version.number,
            direction=document.direction,
            status=document.status,
            peer=peer,
            at=at,
            accepted_at=times.accepted_at,
            receipted_at=times.receipted_at,
            answered_at=answered_at,
            answered_by=reply.type if reply else None,
            due_at=due_at,
            limit=limit,
            answer=self._answer(document, peer, answered_at, due_at),
        )

    def _answer(
        self,
        document: Document,
        peer: InstitutionId | None,
        answered_at: datetime | None,
        due_at: datetime | None,
    ) -> Answer:
        if answered_at is not None:
            return Answer.LATE if due_at is not None and answered_at > due_at else Answer.ANSWERED
        is_open = self.case.status is CaseStatus.OPEN and document.stands
        if peer is None or not is_open or not answer_limits(self.case, self.process, document, peer):
            return Answer.NONE
        return Answer.OVERDUE if due_at is not None and self.now > due_at else Answer.WAITING


def _peer(name: InstitutionId, exchanges: list[Exchange]) -> Peer:
    sent = [each for each in exchanges if each.direction is Direction.OUT]
    received = [each for each in exchanges if each.direction is Direction.IN]
    return Peer(
        institution=name,
        sent=len(sent),
        received=len(received),
        receipts=Span.of([each.receipted_after for each in sent if each.receipted_after is not None]),
        answers=Span.of([each.answered_after for each in sent if each.answered_after is not None]),
        own_answers=Span.of([each.answered_after for each in received if each.answered_after is not None]),
        waiting=sum(each.answer in _OPEN for each in exchanges),
        overdue=sum(each.answer is Answer.OVERDUE for each in exchanges),
    )
