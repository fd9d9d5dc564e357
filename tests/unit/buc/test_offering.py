"""Which actions a case offers."""

from datetime import timedelta

from tests.helpers.processes import NOW, PAIR, TRIO, case_of, offered, run, small, table

from eessi_sim.buc import engine
from eessi_sim.buc.actions import Action, ActionStatus, Category, Operation
from eessi_sim.buc.case import Case, CaseStatus

_SMALL_START = ("CO send T001",)


def _create(case: Case, sed: str) -> Action:
    return next(
        a
        for a in engine.actions(case, table(case.buc), NOW)
        if a.operation is Operation.CREATE and a.sed == sed
    )


def test_new_case_offers_the_starter_and_its_own_end() -> None:
    """Before the start: write the starter, choose others, delete the case."""
    assert offered(case_of("LA_BUC_04", "CO")) == {"Create A009", "UpdateParticipants", "DeleteCase"}


def test_case_without_counterparties_offers_to_choose_them_first() -> None:
    """The starter is offered once participants are chosen."""
    case = run(table("LA_BUC_04"), ("CO",)).cases["CO"]
    assert offered(case) == {"SelectParticipants", "DeleteCase"}


def test_draft_can_be_edited_sent_and_deleted() -> None:
    """A draft offers Update, Send and Delete; its type is not offered a second time."""
    actions = offered(case_of("LA_BUC_04", "CO", "CO draft A009"))
    assert {"Update A009", "Send A009", "Delete A009"} <= actions
    assert "Create A009" not in actions


def test_starter_sent_takes_the_preparations_away() -> None:
    """After the starter participants are no longer chosen, nor the case deleted."""
    actions = offered(case_of("LA_BUC_04", "CO", "CO send A009"))
    assert actions == {"Create A009", "Create X007", "Create X008", "Update A009"}


def test_counterparty_of_la_buc_02_may_answer_or_ask() -> None:
    """A received A003 offers both answers, further documents and the administrative SEDs of its row."""
    actions = offered(case_of("LA_BUC_02", "CP1", "CO send A003"))
    assert {
        "Create A004",
        "Create A012",
        "Create A005",
        "Create A008",
        "Create X011",
        "Create X012",
    } <= actions
    assert not {"Create A003", "Create A007", "Create X001"} & actions


def test_one_answer_takes_the_other_away() -> None:
    """A draft of one alternative hides the other; deleting it brings it back."""
    steps = ("CO send A003", "CP1 draft A004")
    assert "Create A012" not in offered(case_of("LA_BUC_02", "CP1", *steps))
    assert "Create A012" in offered(case_of("LA_BUC_02", "CP1", *steps, "CP1 delete A004"))


def test_closing_waits_and_says_until_when() -> None:
    """X001 of LA_BUC_02 is shown suspended, with the day from which it can be used."""
    case = case_of("LA_BUC_02", "CO", "CO send A003")
    action = _create(case, "X001")
    assert (action.status, action.available_from) == (ActionStatus.SUSPENDED, NOW + timedelta(days=60))


def test_closing_is_offered_when_the_delay_is_over() -> None:
    """After the delay X001 can be used."""
    case = case_of("LA_BUC_02", "CO", "CO send A003")
    assert "Create X001" in offered(case, NOW + timedelta(days=60))


def test_closing_without_a_delay_has_no_date() -> None:
    """X001 of UB_BUC_01 can be used at once."""
    case = case_of("UB_BUC_01", "CO", "CO send U001")
    assert engine.close_offered_from(case, table("UB_BUC_01")) is None
    assert _create(case, "X001").available_from is None


def test_delay_counts_from_the_opening_while_its_sed_was_not_sent() -> None:
    """A delay whose SED was never exchanged counts from the opening of the case."""
    rule = "mode: global\n  for_all: {by: [CO], after: P30D, since: T003}"
    definition = small(("mode: local\n  local: [CO, CP]", rule))
    case = run(definition, PAIR, *_SMALL_START).cases["CO"]
    assert engine.close_offered_from(case, definition) == NOW + timedelta(days=30)


def test_closed_case_can_only_be_read_or_archived() -> None:
    """In a closed case all but asking for its reopening is suspended, not gone."""
    case = case_of("UB_BUC_01", "CO", "CO send U001", "CO close")
    assert offered(case) == {"ArchiveCase", "Create X002"}
    suspended = [a for a in engine.actions(case, table(case.buc), NOW) if not a.is_active]
    assert "Create U003" in {a.text for a in suspended}


def test_copy_closed_locally_can_be_opened_again() -> None:
    """A local close is undone by LocalReopen."""
    case = case_of("P_BUC_01", "CP1", "CO send P2000", "CP1 close-locally")
    assert offered(case) == {"LocalReopen", "ArchiveCase"}


def test_archived_case_can_only_come_back() -> None:
    """An archived case offers RestoreCase."""
    case = case_of("P_BUC_01", "CP1", "CO send P2000", "CP1 close-locally", "CP1 archive")
    assert offered(case) == {"RestoreCase"}


def test_removed_case_offers_nothing() -> None:
    """A removed case is skipped."""
    case = case_of("LA_BUC_04", "CO", "CO remove")
    assert (case.status, engine.actions(case, table("LA_BUC_04"), NOW)) == (CaseStatus.REMOVED, ())


def test_action_is_found_by_its_id() -> None:
    """An id that was offered leads back to its action, another one to nothing."""
    case = case_of("LA_BUC_04", "CO")
    action = engine.available_actions(case, table("LA_BUC_04"), NOW)[0]
    assert engine.find_action(case, table("LA_BUC_04"), NOW, action.id) == action
    assert engine.find_action(case, table("LA_BUC_04"), NOW, "1_0") is None


def test_sender_picks_receivers_only_where_there_are_several() -> None:
    """A selected SED is sent by SendParticipants in a multilateral case, by Send in a bilateral one."""
    many = case_of("P_BUC_01", "CO", "CO send P2000", "CO draft P8000")
    two = case_of("UB_BUC_01", "CO", "CO send U001", "CO draft X009")
    assert "SendParticipants P8000" in offered(many)
    assert "Send X009" in offered(two)


def test_actions_are_grouped_as_rina_groups_them() -> None:
    """Documents, horizontal documents and case actions are told apart."""
    case = case_of("UB_BUC_01", "CO", "CO send U001")
    groups = [_create(case, sed).category for sed in ("U003", "H001", "X001", "X008")]
    assert groups == [Category.DOCUMENTS, Category.HORIZONTAL, Category.CASE_ACTIONS, Category.DOCUMENTS]


def test_sent_document_with_an_open_update_is_active_and_can_be_sent() -> None:
    """An active document offers Send; X008 stays possible."""
    case = case_of("LA_BUC_04", "CO", "CO send A009")
    active = engine.update(
        case, table("LA_BUC_04"), case.documents[0].id, now=NOW, actor=case.history[0].actor
    ).case
    assert {"Send A009", "Update A009", "Create X008"} <= offered(active)


def test_counterparty_has_no_say_before_the_start() -> None:
    """A counterparty's copy starts with the starter; it never offers to delete the case."""
    assert "DeleteCase" not in offered(case_of("LA_BUC_04", "CP", "CO send A009"))


def test_invalidated_ground_takes_its_steps_away() -> None:
    """With the claim invalidated, nothing that comes after it is offered until it is sent again."""
    steps = ("CO send P2000", "CO invalidate P2000")
    assert "Create P6000" not in offered(case_of("P_BUC_01", "CP1", *steps))
    assert "Create P6000" in offered(case_of("P_BUC_01", "CP1", *steps, "CO send P2000"))


def test_refused_request_is_answered_only_after_a_new_version() -> None:
    """Who rejected an A003 answers it no more, until a new version arrives."""
    steps = ("CO send A003", "CP1 reject A003")
    assert not {"Create A004", "Create A012", "Create X012"} & offered(case_of("LA_BUC_02", "CP1", *steps))
    assert "Create A012" in offered(case_of("LA_BUC_02", "CP1", *steps, "CO update A003"))


def test_rejection_by_one_does_not_bind_the_others() -> None:
    """Another counterparty still answers what one rejected."""
    case = case_of("LA_BUC_02", "CP2", "CO send A003", "CP1 reject A003")
    assert "Create A012" in offered(case)


def test_answered_request_is_not_rejected_any_more() -> None:
    """An answer withdraws X011, also when a draft of it exists."""
    run(table("UB_BUC_01"), PAIR, "CO send U001", "CP draft X011", "CP draft U002", "CP post U002")
    case = case_of("UB_BUC_01", "CP", "CO send U001", "CP draft X011", "CP reply U002")
    assert not {"Create X011", "Send X011"} & offered(case)


def test_three_parties_see_each_others_documents() -> None:
    """In a multilateral case a counterparty's SED reaches the other one."""
    played = run(table("P_BUC_01"), TRIO, "CO send P2000", "CP1 send P6000")
    assert [d.type for d in played.cases["CP2"].documents] == ["P2000", "P6000"]


def test_disagreement_with_an_outdated_determination_offers_no_provisional_one() -> None:
    """A late A004 about the earlier A003 does not offer A007 to the owner (documented)."""
    steps = ("CO send A003", "CP1 draft A004", "CP2 reply A004", "CO send A003", "CP1 post A004")
    assert "Create A007" not in offered(case_of("LA_BUC_02", "CO", *steps))
