"""Suggestions of rules in a copy of a case: made, taken, declined, and gone with their action."""

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.helpers.processes import BY, CLERK, NOW, case_of, document_id, latest, offered, table

from eessi_sim.buc import engine
from eessi_sim.buc.case import Case, EventKind, decode, encode
from eessi_sim.buc.suggestion import Suggestion
from eessi_sim.errors import ActionNotAvailable, SuggestionGone
from eessi_sim.identifiers import SedType

LA_BUC_02 = table("LA_BUC_02")


def proposal(case: Case, sed: str = "A012", **changes: object) -> Suggestion:
    """What a rule proposes about the A003 of a case."""
    about = latest(case, "A003").id
    plain = Suggestion(
        id="1", rule="A003-A012", sed=SedType(sed), about=about, inputs=("A003 version 1",), at=NOW
    )
    return replace(plain, **{"parent_id": about, **changes})  # type: ignore[arg-type] # tests name real fields


def with_proposal() -> Case:
    """The copy of a counterparty whose rule proposes to approve."""
    case = case_of("LA_BUC_02", "CP1", "CO send A003")
    return engine.suggest(case, LA_BUC_02, proposal(case), **BY)


def test_a_suggestion_changes_nothing_that_is_offered() -> None:
    """A clerk may do everything else as before."""
    case = case_of("LA_BUC_02", "CP1", "CO send A003")
    assert offered(with_proposal()) == offered(case)


def test_a_suggestion_stands_in_the_history_with_its_rule() -> None:
    """Who proposed what, about which document."""
    case = with_proposal()
    event = case.history[-1]
    assert (event.kind, event.sed, event.actor) == (EventKind.SUGGESTED, "A012", CLERK)
    assert event.document_id == latest(case, "A003").id


def test_a_suggestion_survives_in_the_store() -> None:
    """It is written and read with the copy of the case."""
    case = with_proposal()
    assert decode(encode(case)) == case


def test_a_copy_written_before_there_were_suggestions_is_read() -> None:
    """Files of an older version have none."""
    case = case_of("LA_BUC_02", "CP1", "CO send A003")
    assert decode(encode(case).replace(b'"suggestions":[],', b"")) == case


def test_what_is_not_possible_is_not_suggested() -> None:
    """The refusal says what is possible instead."""
    case = case_of("LA_BUC_02", "CP1", "CO send A003", "CP1 reply A012")
    with pytest.raises(ActionNotAvailable, match='found "Create A004"'):
        engine.suggest(case, LA_BUC_02, proposal(case, "A004"), **BY)


def test_a_suggestion_without_a_request_fits_any() -> None:
    """A document that is no reply needs none."""
    case = case_of("LA_BUC_02", "CP1", "CO send A003")
    assert engine.suggest(case, LA_BUC_02, proposal(case, parent_id=None), **BY).suggestions


def test_a_suggestion_that_is_accepted_is_taken_once() -> None:
    """A second clerk is told that it is gone."""
    case = engine.take(with_proposal(), "1")
    assert case.suggestions == ()
    with pytest.raises(SuggestionGone, match='found "1"'):
        engine.take(case, "1")


def test_a_suggestion_that_is_declined_leaves_its_reason() -> None:
    """The history says who did not want it, and why."""
    case = engine.decline(with_proposal(), "1", **BY)
    assert case.suggestions == ()
    assert (case.history[-1].kind, case.history[-1].actor.reason) == (EventKind.DECLINED, "she decided so")


def test_a_suggestion_goes_with_its_action() -> None:
    """After the other answer of the two, the process allows this one no longer."""
    before = with_proposal()
    created = engine.create(
        before,
        LA_BUC_02,
        SedType("A004"),
        document_id=document_id(7),
        parent_id=latest(before, "A003").id,
        **BY,
    )
    sent = engine.send(created.case, LA_BUC_02, document_id(7), **BY).case
    assert engine.without_stale(before, LA_BUC_02, NOW) == before
    assert engine.without_stale(sent, LA_BUC_02, NOW).suggestions == ()


def test_time_alone_takes_no_suggestion_away() -> None:
    """A possible answer stays possible until something happens."""
    case = with_proposal()
    assert engine.without_stale(case, LA_BUC_02, NOW + timedelta(days=400)) == case


def test_a_suggestion_says_where_it_comes_from() -> None:
    """The rule and its inputs in one sentence."""
    (suggestion,) = with_proposal().suggestions
    assert suggestion.source == "rule A003-A012, because of A003 version 1"
