"""The limits of a process table as dates in one copy of a case: until when somebody should have answered.

The engine enforces none of them (bucs.md 9, documented by absence); they are for people, reminders and alarms.
"""

import calendar
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from eessi_sim.buc.case import Case, CaseStatus, Direction, Document
from eessi_sim.buc.definition import BucDefinition
from eessi_sim.buc.terms import Deadline
from eessi_sim.identifiers import InstitutionId, SedType


@dataclass(frozen=True, slots=True)
class AwaitedAnswer:
    """An answer that somebody owes this institution by a date."""

    document: Document
    """The request."""
    peer: InstitutionId
    """Who owes the answer."""
    due_at: datetime
    limit: Deadline


@dataclass(frozen=True, slots=True)
class ProcessLimit:
    """A limit of the process as a whole, in one case."""

    limit: Deadline
    since: Document | None = None
    """The document from which it counts; None when it has not begun, or the table names none."""
    due_at: datetime | None = None
    ended_by: Document | None = None
    """The document after which it counts no longer."""
    overdue: bool = False
    """Whether it is over, and nothing has ended it."""


def due_after(at: datetime, limit: Deadline) -> datetime:
    """Return when a limit ends: calendar months keep the day, or take the last one of a shorter month.

    A limit that counts from the end of a month ends with the end of one, at the same time of day.
    """
    months = at.year * 12 + at.month - 1 + limit.months
    year, month = months // 12, months % 12 + 1
    last = calendar.monthrange(year, month)[1]
    day = last if limit.from_month_end else min(at.day, last)
    return at.replace(year=year, month=month, day=day) + timedelta(days=limit.days)


def shortest(limits: Iterable[Deadline | None]) -> Deadline | None:
    """Return the shortest limit that has a length."""
    found = [each for each in limits if each and (each.months or each.days)]
    return min(found, key=lambda each: 31 * each.months + each.days, default=None)


def answer_limits(
    case: Case, process: BucDefinition | None, document: Document, peer: InstitutionId
) -> list[Deadline | None]:
    """Return the limit of every answer that may be given to a document, None for one without.

    Args:
        case: a copy of the case.
        process: its table; None when nobody defines it.
        document: the request.
        peer: the other side: who got our request, or whose request it is.
    """
    who = peer if document.direction is Direction.OUT else case.own
    role = case.role_of(who)
    steps = process.steps if process else ()
    return [step.deadline for step in steps if document.type in step.replies_to and step.sender is role]


def answer_to(
    case: Case,
    process: BucDefinition | None,
    document: Document,
    peer: InstitutionId | None,
    since: datetime | None,
) -> Document | None:
    """Return the first answer to a document that came back between the same two.

    Args:
        case: a copy of the case.
        process: its table; without one everything with this parent is an answer.
        document: the request.
        peer: the other side.
        since: when the version went out or came; nothing earlier answers it.
    """
    replies = (
        other
        for other in case.exchanged()
        if other.parent_id == document.id
        and other.direction is not document.direction
        and (other.sender == peer or peer in other.receivers)
        and _answers(process, other.type, document)
        and since is not None
        and other.exchanged_at is not None
        and other.exchanged_at >= since
    )
    return next(replies, None)


def _answers(process: BucDefinition | None, sed: SedType, document: Document) -> bool:
    if process is None:
        return True
    return any(step.sed == sed and document.type in step.replies_to for step in process.steps)


def awaited_answers(case: Case, process: BucDefinition) -> tuple[AwaitedAnswer, ...]:
    """Return what others owe this institution by a date, in the order of the requests; nothing in a closed case."""
    if case.status is not CaseStatus.OPEN:
        return ()
    present = {participant.institution for participant in case.others}
    return tuple(
        AwaitedAnswer(document, peer, due_after(sent_at, limit), limit)
        for document in case.exchanged()
        if document.direction is Direction.OUT and document.stands
        for peer in document.receivers
        if peer in present
        and (limit := shortest(answer_limits(case, process, document, peer)))
        and (sent_at := _last_sent(document))
        and answer_to(case, process, document, peer, sent_at) is None
    )


def _last_sent(document: Document) -> datetime | None:
    return max((version.sent_at for version in document.versions if version.sent_at), default=None)


def process_limits(case: Case, process: BucDefinition | None, *, now: datetime) -> tuple[ProcessLimit, ...]:
    """Return the limits of the process as a whole, with their dates where the table says from when they count.

    Args:
        case: a copy of the case.
        process: its table; None when nobody defines it.
        now: decides what is overdue, in an open case.
    """
    return tuple(_process_limit(case, limit, now) for limit in (process.limits if process else ()))


def _process_limit(case: Case, limit: Deadline, now: datetime) -> ProcessLimit:
    """Count from the latest document of the type named: a new determination begins anew (inferred)."""
    begun = [each for each in case.exchanged() if each.type == limit.since and each.stands]
    if not begun or (began_at := begun[-1].exchanged_at) is None:
        return ProcessLimit(limit)
    since, due_at = begun[-1], due_after(began_at, limit)
    ends = [each for each in case.exchanged() if each.type in limit.until and each.order > since.order]
    is_over = case.status is CaseStatus.OPEN and not ends and now > due_at
    return ProcessLimit(limit, since, due_at, ends[0] if ends else None, is_over)
