"""What events do to offers: the effects of a table, played on small processes."""

from tests.helpers.processes import FIRST, PAIR, TRIO, offered, run, small, table

from eessi_sim.buc.case import CaseRole
from eessi_sim.buc.definition import BucDefinition
from eessi_sim.buc.offers import offers_of, own_offers

_EFFECT = """
    effects:
      source: OWN
      confidence: inferred
      rows:
        - {{{row}}}
"""


def _with(row: str, *changes: tuple[str, str]) -> BucDefinition:
    return small(*changes, more=_EFFECT.format(row=row))


def _offered(definition: BucDefinition, party: str, *steps: str) -> set[str]:
    case = run(definition, PAIR, *steps).cases[party]
    return offered(case, definition=definition)


def test_withdrawn_step_is_not_offered() -> None:
    """Sending one SED can take another away."""
    definition = _with(
        "by: CP, on: send, of: [T002], effect: withdraw, seds: [X009]", ("T003, from: CO", "T003, from: CO")
    )
    row = _with("by: CO, on: receive, of: [T002], effect: withdraw, seds: [T003]")
    assert "Create T003" in _offered(definition, "CO", "CO send T001", "CP reply T002")
    assert "Create T003" not in _offered(row, "CO", "CO send T001", "CP reply T002")


def test_draft_of_a_withdrawn_step_can_be_deleted_not_sent() -> None:
    """A draft made before its step was withdrawn stays, but cannot be sent."""
    definition = _with("by: CO, on: receive, of: [T002], effect: withdraw, seds: [T003]")
    actions = _offered(definition, "CO", "CO send T001", "CO draft T003", "CP reply T002")
    assert "Delete T003" in actions
    assert "Send T003" not in actions


def test_suspended_step_returns_when_it_is_resumed() -> None:
    """Suspend and resume leave the step where it was."""
    suspend = "by: CO, on: receive, of: [T002], effect: suspend, seds: [T003]}"
    resume = "{by: CO, on: receive_invalidate, of: [T002], effect: resume, seds: [T003]"
    definition = _with(f"{suspend}\n        - {resume}")
    steps = ("CO send T001", "CP reply T002")
    assert "Create T003" not in _offered(definition, "CO", *steps)
    assert "Create T003" in _offered(definition, "CO", *steps, "CP invalidate T002")


def test_update_can_be_withdrawn() -> None:
    """An effect on updates freezes the document in its version."""
    definition = _with("by: CO, on: receive, of: [T002], effect: withdraw, action: update, seds: [T001]")
    assert "Update T001" in _offered(definition, "CO", "CO send T001")
    assert "Update T001" not in _offered(definition, "CO", "CO send T001", "CP reply T002")


def test_update_can_be_given_back() -> None:
    """Resuming updates thaws the document."""
    freeze = "by: CO, on: receive, of: [T002], effect: suspend, action: update, seds: [T001]}"
    thaw = "{by: CO, on: receive_update, of: [T002], effect: resume, action: update, seds: [T001]"
    definition = _with(f"{freeze}\n        - {thaw}")
    steps = ("CO send T001", "CP reply T002", "CP update T002")
    assert "Update T001" in _offered(definition, "CO", *steps)


def test_effect_on_any_action_takes_creation_and_update() -> None:
    """An effect on any action withdraws both."""
    definition = _with("by: CO, on: receive, of: [T002], effect: withdraw, action: any, seds: [T001, T003]")
    actions = _offered(definition, "CO", "CO send T001", "CO send T003", "CP reply T002")
    assert not {"Create T003", "Update T003", "Update T001"} & actions


def test_effect_limited_to_a_parent_spares_other_children() -> None:
    """With a parent given, only actions about a document of that type are concerned."""
    definition = _with("by: CP, on: send, of: [T002], effect: withdraw, seds: [X012], parent: T001")
    steps = ("CO send T001", "CO invalidate T001")
    case = run(definition, PAIR, "CO send T001", "CP reply T002").cases["CP"]
    assert "Create X012" not in offered(case, definition=definition)
    other = _with("by: CP, on: send, of: [T002], effect: withdraw, seds: [X012], parent: T003")
    assert "Create X012" in _offered(other, "CP", "CO send T001", "CP reply T002")
    assert "Create X012" in _offered(definition, "CP", *steps[:1])


def test_step_is_offered_again_for_the_same_parent() -> None:
    """An invalidated answer can offer another SED about the same request again."""
    withdraw = "by: CP, on: send, of: [T002], effect: withdraw, seds: [X011], parent: T001}"
    again = "{by: CP, on: invalidate, of: [T002], effect: offer_again, seds: [X011], parent: T001"
    definition = _with(f"{withdraw}\n        - {again}")
    steps = ("CO send T001", "CP reply T002")
    assert "Create X011" not in _offered(definition, "CP", *steps)
    assert "Create X011" in _offered(definition, "CP", *steps, "CP invalidate T002")


def test_sed_that_the_role_never_sends_is_not_offered_again() -> None:
    """An effect about a SED without a row for the role changes nothing."""
    definition = _with("by: CP, on: send, of: [T002], effect: offer_again, seds: [T003]")
    assert "Create T003" not in _offered(definition, "CP", "CO send T001", "CP reply T002")


def test_starters_suspend_each_other_until_the_draft_is_deleted() -> None:
    """While one starter is drafted the others are suspended; they return when it is deleted."""
    ub = table("UB_BUC_01")
    assert "Create U003" not in _offered(ub, "CO", "CO draft U001")
    assert "Create U003" in _offered(ub, "CO", "CO draft U001", "CO delete U001")


def test_repeatable_step_is_offered_again_after_each_sending() -> None:
    """A repeatable SED can be sent again and again."""
    assert "Create T003" in _offered(small(), "CO", "CO send T001", "CO send T003", "CO send T003")


def test_second_event_does_not_double_an_open_draft() -> None:
    """An event that offers what is already drafted adds no second draft."""
    actions = _offered(table("UB_BUC_01"), "CO", "CO send U001", "CO draft U003", "CO send U005")
    assert "Create U003" not in actions


def test_invalidation_of_a_step_that_is_not_recreated_offers_nothing() -> None:
    """Without recreate_after_invalidate an invalidated answer is not offered again."""
    actions = _offered(small(), "CP", "CO send T001", "CP reply T002", "CP invalidate T002")
    assert "Create T002" not in actions


def test_offers_can_be_asked_for_one_sed() -> None:
    """Who needs one SED only is answered about that one."""
    case = run(small(), PAIR, "CO send T001").cases["CP"]
    assert {sed for sed, _ in own_offers(case, small(), case.documents[0].type).open} == set()
    assert {sed for sed, _ in own_offers(case, small()).open} >= {"T002", "X011", "X012"}


def test_offers_of_another_participant_are_seen_from_here() -> None:
    """The owner knows what its counterparty may send."""
    case = run(table("LA_BUC_02"), TRIO, "CO send A003", "CP1 reply A012").cases["CO"]
    theirs = offers_of(case, table("LA_BUC_02"), FIRST, CaseRole.COUNTERPARTY).open
    assert {"A005", "A008"} <= {sed for sed, _ in theirs}
    assert not {"A012", "A004"} & {sed for sed, _ in theirs}
