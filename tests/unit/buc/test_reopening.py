"""A case that was closed for all is opened again: who asks, who answers, who decides."""

import pytest
from tests.helpers.processes import (
    BY,
    FIRST,
    NOW,
    PAIR,
    TRIO,
    case_of,
    document_id,
    incoming,
    latest,
    offered,
    run,
    table,
)

from eessi_sim.buc import engine
from eessi_sim.buc.case import CaseRole, CaseStatus, Statement
from eessi_sim.errors import CaseError, DocumentRefused
from eessi_sim.identifiers import CaseId, SedType

_CLOSED = ("CO send A001", "CO close")
_ASKED = (*_CLOSED, "CO send X002")
_ANSWERED = (*_ASKED, "CP1 reply X003 saying agreed", "CP2 reply X003 saying nothing")


def test_closed_case_offers_the_request() -> None:
    """Where the table names roles under reopen, they may ask; elsewhere nobody."""
    assert "Create X002" in offered(case_of("LA_BUC_01", "CP1", *_CLOSED))
    closed = run(table("LA_BUC_02"), TRIO, "CO send A003", "wait P60D", "CO close").cases["CP1"]
    assert "Create X002" not in offered(closed)


def test_request_offers_the_answer_to_everybody_else() -> None:
    """Each other participant answers once, the answer goes to who asked."""
    case = case_of("LA_BUC_01", "CP1", *_ASKED)
    assert "Create X003" in offered(case)
    assert "Create X003" not in offered(case_of("LA_BUC_01", "CO", *_ASKED))
    answered = case_of("LA_BUC_01", "CP1", *_ASKED, "CP1 reply X003 saying agreed")
    assert latest(answered, "X003").receivers == (answered.participants[0].institution,)


def test_decision_waits_for_all_answers() -> None:
    """The decision is offered to who asked, when the last answer has come."""
    one = case_of("LA_BUC_01", "CO", *_ASKED, "CP1 reply X003 saying agreed")
    assert (
        "Create X004" in offered(one),
        "Create X004" in offered(case_of("LA_BUC_01", "CO", *_ANSWERED)),
    ) == (
        False,
        True,
    )


def test_decision_opens_the_copies_of_those_who_agreed() -> None:
    """Who refused stays closed; the actions of the others are back."""
    cases = run(table("LA_BUC_01"), TRIO, *_ANSWERED, "CO reply X004 saying reopened").cases
    assert [case.status for case in cases.values()] == [CaseStatus.OPEN, CaseStatus.OPEN, CaseStatus.CLOSED]
    assert "Create A011" in offered(cases["CP1"])
    assert "Create X002" not in offered(cases["CP2"])


def test_negative_decision_leaves_the_case_closed() -> None:
    """A decision that says no changes nothing; somebody else may ask."""
    cases = run(table("LA_BUC_01"), TRIO, *_ANSWERED, "CO reply X004 saying nothing").cases
    assert {case.status for case in cases.values()} == {CaseStatus.CLOSED}
    assert "Create X002" in offered(cases["CP1"])


def test_parent_of_the_decision_depends_on_the_number_of_parties() -> None:
    """In a bilateral case the decision answers the answer, in a multilateral one nothing."""
    steps = ("CO send U001", "CO close", "CO send X002", "CP reply X003 saying agreed")
    two = run(table("UB_BUC_01"), PAIR, *steps, "CO reply X004 saying reopened").cases["CP"]
    many = case_of("LA_BUC_01", "CP1", *_ANSWERED, "CO reply X004 saying reopened")
    assert (latest(two, "X004").parent_id, latest(many, "X004").parent_id) == (latest(two, "X003").id, None)


def test_reopened_case_can_be_closed_again() -> None:
    """After the decision the owner may close once more, and others ask again."""
    agreed = ("CP1 reply X003 saying agreed", "CP2 reply X003 saying agreed")
    steps = (*_ASKED, *agreed, "CO reply X004 saying reopened", "CO close")
    assert "Create X002" in offered(case_of("LA_BUC_01", "CP1", *steps))


def test_draft_of_an_answer_is_not_sent_once_the_case_is_open() -> None:
    """What belongs to reopening is suspended in an open case."""
    late = ("CP2 draft X003 saying agreed", "CP2 send X002", "CO reply X003 saying agreed")
    steps = (*_ASKED, *late, "CP1 reply X003 saying agreed about X002", "CP2 reply X004 saying reopened")
    assert "Send X003" in offered(case_of("LA_BUC_01", "CP2", *_ASKED, *late))
    assert "Send X003" not in offered(case_of("LA_BUC_01", "CP2", *steps))


def test_answer_must_say_yes_or_no() -> None:
    """An answer of which nobody told the content is not made, and not taken."""
    case = case_of("LA_BUC_01", "CP1", *_ASKED)
    with pytest.raises(CaseError, match="whether X003 says agreed"):
        engine.create(case, table("LA_BUC_01"), SedType("X003"), document_id=document_id(70), **BY)
    owner = case_of("LA_BUC_01", "CO", *_ASKED)
    answer = incoming(
        "X003", sender=FIRST, sender_role=CaseRole.COUNTERPARTY, parent_id=latest(owner, "X002").id
    )
    with pytest.raises(DocumentRefused, match="it is not told whether it says agreed") as caught:
        engine.receive(owner, table("LA_BUC_01"), answer, case_id=CaseId("1"), own=owner.own, now=NOW)
    assert caught.value.cause == "99"


def test_decision_needs_somebody_who_agreed() -> None:
    """Yes is not said when all said no."""
    steps = (*_ASKED, "CP1 reply X003 saying nothing", "CP2 reply X003 saying nothing")
    case = case_of("LA_BUC_01", "CO", *steps)
    with pytest.raises(CaseError, match="Expected a participant that agreed"):
        engine.create(
            case,
            table("LA_BUC_01"),
            SedType("X004"),
            document_id=document_id(70),
            says=Statement(facts=("reopened",)),
            **BY,
        )
