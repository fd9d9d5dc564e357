"""Indicators: how long receipts and answers took, what is waited for, and what is overdue by the process table."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from tests.helpers.case_archives import played
from tests.helpers.exchanges import CLERK, LA_BUC_02, LATER, MUCH_LATER, a_document, measured, received, sent
from tests.helpers.lab import NAV, ZUS
from tests.helpers.stored import NODE, NOON, OTHER_NODE, a_case

from eessi_sim.buc.case import (
    CaseStatus,
    Direction,
    DocumentStatus,
    DocumentVersion,
)
from eessi_sim.casefile.contents import times_of
from eessi_sim.casefile.indicators import Answer, Exchange, Indicators, Span, Times, indicators, relations
from eessi_sim.identifiers import InstitutionId

THIRD = InstitutionId("SE:FKSE01")


def only(found: Indicators) -> Exchange:
    (exchange, *_) = found.exchanges
    return exchange


def test_receipt_and_answer_are_timed() -> None:
    """From sending to the receipt, and to the answer of the same peer."""
    times = {1: Times(None, NOON, NOON + timedelta(seconds=2))}
    exchange = only(measured(sent(), received(), times=times))
    assert exchange.receipted_after == timedelta(seconds=2)
    assert (exchange.answered_by, exchange.answered_after) == ("A012", LATER - NOON)
    assert exchange.answer is Answer.ANSWERED


def test_what_is_under_way_has_no_times() -> None:
    """Without receipt and answer nothing is timed."""
    exchange = only(measured(sent()))
    assert (exchange.receipted_after, exchange.answered_after) == (None, None)
    assert exchange.answer is Answer.WAITING


def test_an_answer_is_overdue_after_the_limit_of_the_table() -> None:
    """A004 must come within two months; the limit names its article."""
    exchange = only(measured(sent(), now=MUCH_LATER))
    assert exchange.answer is Answer.OVERDUE
    assert exchange.due_at == datetime(2026, 5, 2, 12, 0, tzinfo=UTC)
    assert exchange.limit is not None
    assert exchange.limit.article == "Art. 16(3) Reg. 987/2009"


def test_an_answer_after_the_limit_is_late() -> None:
    """It stays told after it came."""
    assert only(measured(sent(), received(at=MUCH_LATER), now=MUCH_LATER)).answer is Answer.LATE


@pytest.mark.parametrize(
    ("start", "months", "days", "end"),
    [
        (datetime(2026, 12, 31, tzinfo=UTC), 2, 0, datetime(2027, 2, 28, tzinfo=UTC)),
        (datetime(2026, 10, 5, tzinfo=UTC), 3, 0, datetime(2027, 1, 5, tzinfo=UTC)),
        (datetime(2026, 1, 31, tzinfo=UTC), 0, 60, datetime(2026, 4, 1, tzinfo=UTC)),
    ],
)
def test_limits_count_calendar_months(start: datetime, months: int, days: int, end: datetime) -> None:
    """A limit ends on the same day of the month, or on the last one of a shorter month."""
    steps = tuple(
        replace(step, deadline=replace(step.deadline, months=months, days=days)) if step.deadline else step
        for step in LA_BUC_02.steps
    )
    assert only(measured(sent(at=start), process=replace(LA_BUC_02, steps=steps))).due_at == end


def test_a_table_without_limit_makes_nothing_overdue() -> None:
    """Waiting goes on for ever then."""
    steps = tuple(replace(step, deadline=None) for step in LA_BUC_02.steps)
    found = measured(sent(), process=replace(LA_BUC_02, steps=steps), now=MUCH_LATER)
    assert (only(found).answer, found.overdue, found.waiting) == (Answer.WAITING, 0, 1)


@pytest.mark.parametrize("status", [CaseStatus.CLOSED, CaseStatus.ARCHIVED])
def test_nobody_waits_in_a_closed_case(status: CaseStatus) -> None:
    """What is over needs no answer."""
    assert only(measured(sent(), now=MUCH_LATER, status=status)).answer is Answer.NONE


def test_nobody_waits_for_an_answer_to_an_invalidated_document() -> None:
    """It does not stand any more."""
    assert only(measured(sent(status=DocumentStatus.CANCELLED), now=MUCH_LATER)).answer is Answer.NONE


def test_what_needs_no_answer_waits_for_none() -> None:
    """Nothing in the table answers an A012."""
    assert only(measured(received())).answer is Answer.NONE


def test_what_we_have_to_answer_is_measured_too() -> None:
    """A request of the peer waits for us, in our role."""
    request = received("A003", 1, NOON, parent_id=None)
    reply = sent("A012", 2, LATER, parent_id=request.id)
    own = a_case().participants
    turned = tuple(replace(each, role=other.role) for each, other in zip(own, reversed(own), strict=True))
    waiting = measured(request, now=MUCH_LATER, participants=turned)
    answered = measured(request, reply, participants=turned)
    assert only(waiting).answer is Answer.OVERDUE
    assert (only(answered).answer, only(answered).answered_by) == (Answer.ANSWERED, "A012")
    assert answered.peers()[0].own_answers == Span(1, LATER - NOON, LATER - NOON)


def test_the_answer_of_somebody_else_is_none() -> None:
    """Each peer answers for itself."""
    assert only(measured(sent(), received(sender=THIRD, receivers=(NODE,)))).answer is Answer.WAITING


def test_an_administrative_document_about_a_request_is_no_answer() -> None:
    """An X012 asks back; it is in the table of nobody's replies."""
    assert only(measured(sent(), received("X012"))).answer is Answer.WAITING


def test_without_a_table_whatever_names_the_request_answers_it() -> None:
    """A process that nobody defines has no requests that wait, but answers are timed."""
    assert only(measured(sent(), process=None)).answer is Answer.NONE
    assert only(measured(sent(), received("X012"), process=None)).answered_by == "X012"


def test_a_new_version_waits_for_its_own_answer() -> None:
    """An answer from before an update answers the old version only."""
    request = sent()
    update = replace(request.versions[0], number=2, sent_at=MUCH_LATER)
    first, second, _ = measured(
        replace(request, versions=(*request.versions, update)), received(), now=MUCH_LATER
    ).exchanges
    assert (first.answer, second.answer) == (Answer.ANSWERED, Answer.WAITING)


def test_a_draft_has_a_status_and_nothing_else() -> None:
    """It was sent to nobody."""
    version = DocumentVersion(number=1, actor=CLERK, saved_at=NOON)
    draft = a_document("A003", 1, (version,), direction=Direction.OUT, status=DocumentStatus.NEW, order=0)
    found = measured(draft)
    exchange = only(found)
    assert (exchange.status, exchange.peer, exchange.at, exchange.answer) == (
        DocumentStatus.NEW,
        None,
        None,
        Answer.NONE,
    )
    assert found.peers() == ()


def test_what_came_is_timed_from_its_arrival() -> None:
    """A document is filed some time after its message arrived and was receipted."""
    times = {2: Times(LATER - timedelta(seconds=5), None, LATER - timedelta(seconds=4))}
    exchange = only(measured(received(), times=times))
    assert exchange.receipted_after == timedelta(seconds=1)


def test_sums_are_made_per_peer() -> None:
    """Number, median and longest of what came back; what is overdue is part of what waits."""
    times = {number: Times(None, None, NOON + timedelta(seconds=number)) for number in (1, 3, 4)}
    found = measured(sent(), sent(number=3), sent(number=4), received(), times=times, now=MUCH_LATER)
    (peer,) = found.peers()
    assert (peer.institution, peer.sent, peer.received) == (OTHER_NODE, 3, 1)
    assert peer.receipts == Span(3, timedelta(seconds=3), timedelta(seconds=4))
    assert peer.answers == Span(1, LATER - NOON, LATER - NOON)
    assert (peer.waiting, peer.overdue) == (2, 2)


async def test_times_are_read_from_the_store() -> None:
    """Of a played case every message has its receipt, ours for what came."""
    case = played().case
    found = indicators(case, await times_of(played().store, case), LA_BUC_02, now=NOON)
    assert [(each.sed, each.peer, each.answered_by) for each in found.exchanges] == [
        ("A003", ZUS, "A012"),
        ("A012", ZUS, None),
    ]
    assert all(each.receipted_at is not None for each in found.exchanges)
    assert case.own == NAV


def test_relations_sum_up_all_cases_with_a_peer() -> None:
    """Per institution and peer: how many cases, and the times of all of them together."""
    (relation,) = relations([measured(sent(), received()), measured(sent(), now=MUCH_LATER)])
    assert (relation.own, relation.peer.institution, relation.cases) == (NODE, OTHER_NODE, 2)
    assert (relation.peer.sent, relation.peer.received, relation.peer.overdue) == (2, 1, 1)
    assert relation.peer.answers == Span(1, LATER - NOON, LATER - NOON)


def test_a_case_is_overdue_by_an_answer_or_by_the_whole_process() -> None:
    """A004 was given in time, but the disagreement lasts longer than six months."""
    dispute = (sent(), received("A004"))
    assert measured(sent(), now=MUCH_LATER).is_overdue
    assert not measured(*dispute, now=MUCH_LATER).is_overdue
    assert measured(*dispute, now=NOON + timedelta(days=250)).is_overdue
