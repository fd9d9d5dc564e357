"""What an institution's file makes it do: which rule, when, in which order, in whose name."""

from datetime import timedelta

import pytest
from tests.helpers.processes import case_of, latest

from eessi_sim.buc.case import ActorKind
from eessi_sim.identifiers import SedType
from eessi_sim.institution.answering import actor_of, delay_of, inputs_of, rule_for, steps_of
from eessi_sim.ir.model import BehaviourRule, Decision, Occasion

A003, A004, A012, A008, X009 = map(SedType, ("A003", "A004", "A012", "A008", "X009"))


def test_first_rule_for_a_document_wins() -> None:
    """Rules are read from the top."""
    first, second = BehaviourRule(A003, reply=A012), BehaviourRule(A003, reply=A004)
    assert rule_for((first, second), A003) is first


def test_document_without_a_rule_has_none() -> None:
    """Nothing is done about a document that no rule names."""
    assert rule_for((BehaviourRule(A003, reply=A012),), A008) is None


def test_reply_is_a_step_that_answers() -> None:
    """A reply goes to the document that arrived."""
    assert steps_of(BehaviourRule(A003, reply=A012)) == ((A012, True),)


def test_list_of_documents_is_sent_in_order_and_answers_nothing() -> None:
    """Documents to send are no replies."""
    assert steps_of(BehaviourRule(A003, send=(A008, A004))) == ((A008, False), (A004, False))


def test_reply_comes_before_further_documents() -> None:
    """A rule that replies and sends begins with the reply."""
    assert steps_of(BehaviourRule(A003, reply=A012, send=(A008,))) == ((A012, True), (A008, False))


def test_pace_is_a_factor_on_the_delay() -> None:
    """At pace 0.1 everything takes a tenth of the time; at 0 none."""
    rule = BehaviourRule(A003, reply=A012, after=timedelta(minutes=1))
    assert [delay_of(rule, pace) for pace in (1, 0.1, 0)] == [
        timedelta(minutes=1),
        timedelta(seconds=6),
        timedelta(0),
    ]


def test_rule_acts_in_its_own_name() -> None:
    """The case file shows a rule, not a clerk, and which document it answers."""
    document = latest(case_of("LA_BUC_02", "CP1", "CO send A003"), "A003")
    actor = actor_of(BehaviourRule(A003, reply=A012), inputs_of(document))
    assert (actor.kind, actor.name) == (ActorKind.RULE, "A003-A012")
    assert f"received: A003 version 1 from {document.sender}" in actor.reason


@pytest.mark.parametrize(
    ("rule", "name"),
    [
        (BehaviourRule(A003, send=(A008, A004)), "A003-A008-A004"),
        (BehaviourRule(A003, decides=Decision.MANUAL), "A003-clerk"),
        (BehaviourRule(A003, send=(X009,), occasion=Occasion.OVERDUE), "overdue-A003-X009"),
    ],
)
def test_rules_are_named_after_what_they_do(rule: BehaviourRule, name: str) -> None:
    """The name says when, about what and what it sends; nobody has to invent one."""
    assert rule.id == name


def test_a_rule_for_what_is_overdue_reacts_to_nothing_that_arrives() -> None:
    """It has its own occasion."""
    assert rule_for((BehaviourRule(A003, send=(X009,), occasion=Occasion.OVERDUE),), A003) is None
