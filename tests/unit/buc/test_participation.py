"""Who takes part in a running case: one more, one less, one in the place of another."""

from dataclasses import replace

import pytest
from tests.helpers.processes import (
    BY,
    NOW,
    OWNER,
    PAIR,
    STRANGER,
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
from eessi_sim.buc.case import Case, CaseRole, CaseStatus, Participant, ParticipantChange, Statement
from eessi_sim.errors import CaseError, DocumentRefused
from eessi_sim.identifiers import CaseId, InstitutionId, SedType

_START = ("CO send P2000", "CO send P4000", "CP1 send P5000", "CO send P8000 to CP1")
_ADDED = (*_START, "CO send X005 joins CP3")
_FORWARDED = (*_START, "CP1 send X007 joins CP3")


def _create(case: Case, sed: str, change: ParticipantChange | None) -> None:
    engine.create(
        case, table(case.buc), SedType(sed), document_id=document_id(70), says=Statement(change=change), **BY
    )


def test_added_participant_gets_what_went_to_all() -> None:
    """The newcomer has the starter and all SEDs addressed to all, from their senders; not what went to some."""
    case = case_of("P_BUC_01", "CP3", *_ADDED)
    assert [(d.type, d.sender[:2]) for d in case.documents] == [
        ("X005", "PL"),
        ("P2000", "PL"),
        ("P4000", "PL"),
        ("P5000", "NO"),
    ]
    assert case.is_started


def test_added_participant_may_do_what_the_table_says() -> None:
    """Its actions are those of a counterparty."""
    actions = offered(case_of("P_BUC_01", "CP3", *_ADDED))
    assert {"Create P5000", "Create P6000", "Create X009", "LocalClose"} <= actions
    assert "Create P7000" not in actions


def test_everybody_knows_the_new_participant() -> None:
    """All copies list the same participants after the change."""
    cases = run(table("P_BUC_01"), TRIO, *_ADDED).cases
    assert len({frozenset(case.participants) for case in cases.values()}) == 1
    assert len(cases["CO"].participants) == 4


def test_documents_of_a_newcomer_reach_the_others() -> None:
    """Who joined takes part like the rest."""
    cases = run(table("P_BUC_01"), TRIO, *_ADDED, "CP3 send P6000").cases
    assert all(latest(case, "P6000").sender == cases["CP3"].own for case in cases.values())


def test_new_version_and_invalidation_reach_who_joined_later() -> None:
    """What the newcomer was given by another goes on to reach it from its sender."""
    cases = run(table("P_BUC_01"), TRIO, *_ADDED, "CP1 update P5000", "CP1 invalidate P5000").cases
    document = latest(cases["CP3"], "P5000")
    assert (document.version, document.status) == (2, "cancelled")


def test_newcomer_learns_that_the_starter_was_invalidated() -> None:
    """The starter is handed over in any state, because a case rests on it."""
    steps = ("CO send P2000", "CO send P4000", "CO invalidate P2000", "CO invalidate P4000")
    case = case_of("P_BUC_01", "CP3", *steps, "CO send X005 joins CP3")
    assert [(d.type, d.status) for d in case.documents[1:]] == [("P2000", "cancelled"), ("X008", "received")]
    next_one = case_of("P_BUC_01", "CP4", *steps, "CO send X005 joins CP3", "CP3 send X005 joins CP4")
    assert latest(next_one, "P2000").starter


def test_document_handed_over_twice_changes_nothing() -> None:
    """A repeated hand-over is dropped."""
    case = case_of("P_BUC_01", "CP3", *_ADDED)
    again = incoming("P2000", document_id=latest(case, "P2000").id, author=OWNER)
    outcome = engine.receive(case, table("P_BUC_01"), again, case_id=case.id, own=case.own, now=NOW)
    assert (outcome.changed, outcome.case) == (False, case)


def test_only_who_let_us_in_hands_documents_over() -> None:
    """From anybody else a document of a third institution is refused."""
    case = case_of("P_BUC_01", "CP1", *_START)
    foreign = incoming("P6000", author=STRANGER)
    with pytest.raises(DocumentRefused):
        engine.receive(
            case,
            table("P_BUC_01"),
            replace(foreign, sender_role=CaseRole.COUNTERPARTY),
            case_id=case.id,
            own=case.own,
            now=NOW,
        )


def test_newcomer_must_be_listed() -> None:
    """An X005 that does not list the receiver among the participants opens no case."""
    newcomer = InstitutionId("FR:NEW01")
    invitation = incoming("X005", change=ParticipantChange(joins=newcomer))
    with pytest.raises(DocumentRefused, match="Expected a document of a known case"):
        engine.receive(None, table("P_BUC_01"), invitation, case_id=CaseId("1"), own=newcomer, now=NOW)


def test_removed_participant_keeps_a_closed_copy() -> None:
    """Its copy is closed and cannot be opened again; the others go on without it."""
    cases = run(table("LA_BUC_02"), TRIO, "CO send A003", "CO send X006 leaves CP2").cases
    assert cases["CP2"].status is CaseStatus.CLOSED
    assert offered(cases["CP2"]) == {"ArchiveCase"}
    assert [p.institution for p in cases["CP1"].others] == [OWNER]


def test_forwarding_archives_the_own_copy() -> None:
    """Who forwards goes to the archive at once; the new one has the place and all that belonged to it."""
    cases = run(table("P_BUC_01"), TRIO, *_FORWARDED).cases
    assert cases["CP1"].status is CaseStatus.ARCHIVED
    new = cases["CP3"]
    assert [d.type for d in new.documents] == ["X007", "P2000", "P4000", "P5000", "P8000"]
    assert new.role is CaseRole.COUNTERPARTY
    assert "Create P9000" in offered(new)


def test_answer_goes_to_who_has_the_place_now() -> None:
    """A reply to the old institution is addressed to the new one; a new version too."""
    steps = ("CO send A003", "CP1 reply A012", "CO send X007 joins NEW", "CP2 reply A012", "CP1 update A012")
    case = run(table("LA_BUC_02"), TRIO, *steps).cases["CP2"]
    new = next(p.institution for p in case.participants if p.follows == OWNER)
    assert latest(case, "A012").receivers == (new,)
    assert case.now_at(OWNER) == new
    assert case.places_of(new) == {new, OWNER}


def test_invalidation_goes_to_who_has_the_place_now() -> None:
    """An X008 about a document that the old institution got reaches the new one."""
    steps = ("CO send A003", "CP1 send X007 joins CP3", "CO invalidate A003")
    assert latest(run(table("LA_BUC_02"), TRIO, *steps).cases["CP3"], "A003").status == "cancelled"


def test_new_owner_goes_on_where_the_old_one_was() -> None:
    """What the place had sent once is not sent again; what it may close it may close."""
    case = run(table("LA_BUC_01"), TRIO, "CO send A001", "CO send X007 joins NEW").cases["NEW"]
    actions = offered(case)
    assert (case.role, "Create A001" in actions, "Create X001" in actions) == (
        CaseRole.CASE_OWNER,
        False,
        True,
    )


def test_void_and_refused_documents_are_told_as_they_are() -> None:
    """What belongs to a place comes with its X008 and X011, an X011 only while it holds."""
    steps = ("CO send A003", "CP1 send A008", "CP1 invalidate A008", "CP1 reject A003")
    new = run(table("LA_BUC_02"), TRIO, *steps, "CP1 send X007 joins CP3").cases["CP3"]
    assert (latest(new, "A008").status, latest(new, "A003").refused) == ("cancelled", True)
    mended = run(table("LA_BUC_02"), TRIO, *steps, "CO update A003", "CP1 send X007 joins CP3").cases["CP3"]
    assert "X011" not in {d.type for d in mended.documents}


def test_replaced_institution_hands_over() -> None:
    """After an X100 of the routing application the new institution has what the old one had."""
    cases = run(table("P_BUC_01"), TRIO, *_START, "router send X100 leaves CP1 joins CP3").cases
    assert cases["CP1"].status is CaseStatus.ARCHIVED
    assert [d.type for d in cases["CP3"].documents] == ["X100", "P2000", "P4000", "P5000", "P8000"]
    assert "Create P7000" in offered(cases["CO"])


def test_who_has_left_may_still_report() -> None:
    """A business exception of a former participant is taken."""
    steps = ("CO send U001", "CP send X007 joins CP2", "CP report U001")
    assert latest(run(table("UB_BUC_01"), PAIR, *steps).cases["CO"], "X050").sender.startswith("NO")


_JOINS = ParticipantChange(joins=InstitutionId("FR:NEW01"))
_LEAVES = ParticipantChange(leaves=InstitutionId("DE:WALK01"))


@pytest.mark.parametrize(
    ("party", "sed", "change", "reason"),
    [
        ("CO", "X005", None, "who joins and who leaves is not said"),
        ("CO", "X005", _LEAVES, "somebody joins or leaves who should not"),
        ("CO", "X006", _JOINS, "somebody joins or leaves who should not"),
        ("CO", "X005", ParticipantChange(joins=InstitutionId("DE:WALK01")), "takes part already"),
        ("CO", "X006", ParticipantChange(leaves=STRANGER), "does not take part"),
        ("CO", "X006", ParticipantChange(leaves=OWNER), "without PL:WALK01 there is no case"),
        ("CP1", "X006", _LEAVES, "may remove only itself"),
        ("CP1", "X007", replace(_JOINS, leaves=OWNER), "forwards the place of PL:WALK01"),
    ],
)
def test_impossible_change_is_refused(
    party: str, sed: str, change: ParticipantChange | None, reason: str
) -> None:
    """Each reason why participants cannot change so is told."""
    with pytest.raises(CaseError, match=reason):
        _create(case_of("P_BUC_01", party, *_START), sed, change)


def test_change_that_has_become_impossible_is_not_sent() -> None:
    """A draft whose newcomer has come by another way meanwhile is refused when it is sent."""
    steps = (*_START, "CO draft X005 joins CP3", "CP1 send X005 joins CP3")
    case = case_of("P_BUC_01", "CO", *steps)
    draft = next(d for d in case.documents if d.is_draft)
    with pytest.raises(CaseError, match="takes part already"):
        engine.send(case, table("P_BUC_01"), draft.id, **BY)


def test_places_are_followed_without_end() -> None:
    """Participants that follow each other in a ring, which no message can bring about, end the search."""
    case = case_of("P_BUC_01", "CO", *_START)
    one, two = InstitutionId("FR:ONE01"), InstitutionId("FR:TWO01")
    ring = (
        Participant(one, CaseRole.COUNTERPARTY, follows=two),
        Participant(two, CaseRole.COUNTERPARTY, follows=one),
    )
    assert replace(case, participants=(*case.participants, *ring)).places_of(one) == {one, two}


def test_step_that_rests_on_what_went_to_one_is_taken_by_all() -> None:
    """Who did not get the P12000 of another takes the P13000 that comes after it."""
    case = case_of("P_BUC_07", "CP2", "CO send P11000", "CP1 reply P12000", "CO send P13000")
    assert latest(case, "P13000").sender == OWNER
