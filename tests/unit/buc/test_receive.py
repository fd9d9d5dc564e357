"""What a received document does, and why it is refused."""

from dataclasses import replace
from typing import Any

import pytest
from tests.helpers.processes import (
    BY,
    CASE,
    FIRST,
    NOW,
    OWNER,
    PAIR,
    SECOND,
    STRANGER,
    case_of,
    document_id,
    incoming,
    latest,
    offered,
    run,
    small,
    table,
)

from eessi_sim.buc import engine
from eessi_sim.buc.case import (
    Case,
    CaseAction,
    CaseRole,
    CaseStatus,
    DeliveryStatus,
    Direction,
    DocumentStatus,
    EventKind,
    Participant,
)
from eessi_sim.buc.definition import BucDefinition
from eessi_sim.buc.effects import NoticeKind, Notify, Outcome
from eessi_sim.buc.engine import IncomingDocument
from eessi_sim.errors import DocumentRefused
from eessi_sim.identifiers import CaseId, InstitutionId, InternationalId, MessageId, SedType

START: dict[str, Any] = {"case_action": CaseAction.START}
FROM_FIRST: dict[str, Any] = {"sender": FIRST, "sender_role": CaseRole.COUNTERPARTY}
TRIO_LISTED = (
    Participant(OWNER, CaseRole.CASE_OWNER),
    Participant(FIRST, CaseRole.COUNTERPARTY),
    Participant(SECOND, CaseRole.COUNTERPARTY),
)


def _receive(
    case: Case | None,
    buc: str,
    document: IncomingDocument,
    own: InstitutionId = FIRST,
    definition: BucDefinition | None = None,
) -> Outcome:
    return engine.receive(case, definition or table(buc), document, case_id=CaseId("99"), own=own, now=NOW)


def _cause(case: Case | None, buc: str, document: IncomingDocument, own: InstitutionId = FIRST) -> str:
    with pytest.raises(DocumentRefused) as caught:
        _receive(case, buc, document, own)
    return caught.value.cause


# opening


def test_starter_opens_a_case() -> None:
    """A starter of an unknown case opens a copy in the role of counterparty."""
    outcome = _receive(None, "LA_BUC_04", incoming("A009", **START, message_id=MessageId("1@a.example")))
    case, document = outcome.case, outcome.case.documents[0]
    assert (case.id, case.role, case.revision) == ("99", CaseRole.COUNTERPARTY, 1)
    assert (document.status, document.direction, document.starter) == (
        DocumentStatus.RECEIVED,
        Direction.IN,
        True,
    )
    assert document.versions[0].message_id == "1@a.example"


def test_opening_is_told_to_the_national_side() -> None:
    """Case opened and document received are told, in this order."""
    outcome = _receive(None, "LA_BUC_04", incoming("A009", **START))
    assert outcome.effects == (
        Notify(NoticeKind.CASE_OPENED),
        Notify(NoticeKind.DOCUMENT_RECEIVED, document_id(900)),
    )


def test_first_version_seen_may_be_a_later_one() -> None:
    """A starter saved twice before it was sent arrives as version 2 (observed)."""
    outcome = _receive(None, "LA_BUC_04", incoming("A009", **START, version=2))
    assert outcome.case.documents[0].version == 2


def test_listed_participants_make_the_case() -> None:
    """A multilateral starter brings all participants."""
    outcome = _receive(None, "LA_BUC_02", incoming("A003", **START, participants=TRIO_LISTED))
    assert outcome.case.participants == TRIO_LISTED


def test_starter_of_unknown_case_must_say_start() -> None:
    """A document that carries on a case we do not know is refused as unknown case."""
    assert _cause(None, "LA_BUC_04", incoming("A009")) == "03"


def test_other_sed_for_an_unknown_case_is_refused() -> None:
    """No starter, no case."""
    assert _cause(None, "LA_BUC_02", incoming("A012", **START)) == "03"


@pytest.mark.parametrize(
    "participants",
    [
        TRIO_LISTED[1:],
        (*TRIO_LISTED, Participant(STRANGER, CaseRole.CASE_OWNER)),
        (TRIO_LISTED[0], TRIO_LISTED[2]),
        (*TRIO_LISTED, TRIO_LISTED[2]),
    ],
)
def test_list_of_participants_must_make_sense(participants: tuple[Participant, ...]) -> None:
    """One owner, who sends; ourselves among the counterparties; everybody once."""
    assert _cause(None, "LA_BUC_02", incoming("A003", **START, participants=participants)) == "01"


def test_bilateral_case_with_three_is_refused() -> None:
    """A bilateral starter with two counterparties is not valid."""
    assert _cause(None, "LA_BUC_04", incoming("A009", **START, participants=TRIO_LISTED)) == "01"


def test_counterparty_opens_no_case() -> None:
    """Only the owner sends a starter."""
    document = incoming("A009", **START, **(FROM_FIRST | {"sender": SECOND}))
    assert _cause(None, "LA_BUC_04", document) == "01"


# the right case, the right sender


def test_document_of_another_case_is_refused() -> None:
    """The international id decides."""
    case = case_of("LA_BUC_04", "CP", "CO send A009")
    assert _cause(case, "LA_BUC_04", incoming("A009", international_id=InternationalId("e" * 32))) == "03"


def test_removed_case_is_unknown() -> None:
    """A removed case takes nothing."""
    assert _cause(case_of("LA_BUC_04", "CO", "CO remove"), "LA_BUC_04", incoming("A009"), OWNER) == "03"


def test_case_does_not_change_its_process() -> None:
    """A document that names another process for the case is refused."""
    case = case_of("LA_BUC_04", "CP", "CO send A009")
    assert _cause(case, "LA_BUC_02", incoming("A003")) == "04"


@pytest.mark.parametrize(
    "sender",
    [
        {"sender": STRANGER, "sender_role": CaseRole.COUNTERPARTY},
        {"sender": OWNER, "sender_role": CaseRole.COUNTERPARTY},
        {"sender": FIRST, "sender_role": CaseRole.COUNTERPARTY},
    ],
)
def test_sender_must_take_part_in_its_role(sender: dict[str, Any]) -> None:
    """A stranger, a wrong role, and a message from ourselves are refused."""
    case = case_of("LA_BUC_04", "CP", "CO send A009")
    assert _cause(case, "LA_BUC_04", incoming("A009", **sender)) == "05"


def test_participant_who_left_sends_nothing() -> None:
    """An inactive participant is no participant."""
    case = case_of("LA_BUC_02", "CP1", "CO send A003")
    left = replace(
        case, participants=tuple(replace(p, active=p.institution != SECOND) for p in case.participants)
    )
    document = incoming("A008", sender=SECOND, sender_role=CaseRole.COUNTERPARTY)
    assert _cause(left, "LA_BUC_02", document) == "05"


# repeats and versions


def test_same_document_and_version_changes_nothing() -> None:
    """A repeat is acknowledged; case and revision stay."""
    case = case_of("LA_BUC_04", "CP", "CO send A009")
    outcome = _receive(case, "LA_BUC_04", incoming("A009", document_id=document_id(1)))
    assert (outcome.case, outcome.changed, outcome.effects) == (case, False, ())


def test_newer_version_is_stored() -> None:
    """An update adds a version and is told."""
    case = case_of("LA_BUC_04", "CP", "CO send A009")
    outcome = _receive(case, "LA_BUC_04", incoming("A009", document_id=document_id(1), version=3))
    assert [v.number for v in outcome.case.documents[0].versions] == [1, 3]
    assert outcome.effects == (Notify(NoticeKind.UPDATE_RECEIVED, document_id(1)),)


def test_older_version_is_dropped() -> None:
    """A version overtaken by a newer one changes nothing."""
    case = case_of("LA_BUC_04", "CP", "CO send A009", "CO update A009", "CO update A009")
    outcome = _receive(case, "LA_BUC_04", incoming("A009", document_id=document_id(1), version=2))
    assert (outcome.changed, outcome.case.documents[0].version) == (False, 3)


@pytest.mark.parametrize(
    "fields", [{"type": SedType("A005")}, {"sender": SECOND, "sender_role": CaseRole.COUNTERPARTY}]
)
def test_document_id_belongs_to_one_document(fields: dict[str, Any]) -> None:
    """The id of a known document on another SED, or from another sender, is refused."""
    case = case_of("LA_BUC_02", "CP1", "CO send A003")
    assert (
        _cause(case, "LA_BUC_02", incoming("A003", document_id=document_id(1), version=2, **fields)) == "04"
    )


def test_own_document_does_not_come_back() -> None:
    """A message with the id of a document of our own is refused."""
    case = case_of("LA_BUC_02", "CO", "CO send A003")
    document = incoming("A003", document_id=document_id(1), version=2, **FROM_FIRST)
    assert _cause(case, "LA_BUC_02", document, OWNER) == "04"


def test_sed_without_update_gets_no_new_version() -> None:
    """Administrative SEDs are never updated (documented)."""
    case = case_of("LA_BUC_02", "CP1", "CO send A003", "CO send X009 to CP1")
    assert _cause(case, "LA_BUC_02", incoming("X009", document_id=document_id(2), version=2)) == "04"


def test_new_version_overtaken_by_the_invalidation_is_kept_and_stays_invalidated() -> None:
    """A version that was sent before the X008 and comes after it changes nothing about the state."""
    case = case_of("LA_BUC_04", "CP", "CO send A009", "CO invalidate A009")
    after = _receive(case, "LA_BUC_04", incoming("A009", document_id=document_id(1), version=2))
    document = latest(after.case, "A009")
    assert (document.version, document.status) == (2, DocumentStatus.CANCELLED)


def test_closed_case_takes_no_new_version() -> None:
    """An update after X001 is refused."""
    case = case_of("UB_BUC_01", "CP", "CO send U001", "CO close")
    assert _cause(case, "UB_BUC_01", incoming("U001", document_id=document_id(1), version=2)) == "04"


# expected or not


def test_reply_without_its_request_is_refused() -> None:
    """An answer to a request that was never sent is out of order."""
    case = case_of("UB_BUC_01", "CO", "CO send U001")
    document = incoming("U017", **FROM_FIRST)
    with pytest.raises(DocumentRefused) as caught:
        _receive(case, "UB_BUC_01", document, OWNER)
    assert (caught.value.cause, caught.value.hint) == (
        "04",
        f"U017 answers U001CB; none is open for {FIRST}.",
    )


def test_sed_that_the_role_never_sends_is_refused_by_name() -> None:
    """The refusal says that the table knows no such row."""
    case = case_of("UB_BUC_01", "CO", "CO send U001")
    with pytest.raises(DocumentRefused) as caught:
        _receive(case, "UB_BUC_01", incoming("U003", **FROM_FIRST), OWNER)
    assert caught.value.hint == "The table of UB_BUC_01 lets no Counterparty send U003."


def test_second_document_of_a_single_step_is_refused() -> None:
    """A second P4000 must be an update of the first."""
    case = case_of("P_BUC_01", "CP1", "CO send P2000", "CO send P4000")
    with pytest.raises(DocumentRefused) as caught:
        _receive(case, "P_BUC_01", incoming("P4000"))
    assert (
        caught.value.hint == "Wait until the table offers it, or send a new version of the SED sent before."
    )


def test_parent_is_found_when_the_envelope_leaves_it_out() -> None:
    """An answer without a parent id belongs to the latest open request."""
    case = case_of("LA_BUC_02", "CO", "CO send A003", "CO send A005 to CP1", "CO send A005 to CP1")
    outcome = _receive(case, "LA_BUC_02", incoming("A006", **FROM_FIRST), OWNER)
    assert outcome.case.get(document_id(900)).parent_id == document_id(3)


def test_target_of_an_x008_is_found_by_its_type() -> None:
    """An X008 names the type of its target in its content."""
    case = case_of("LA_BUC_02", "CP1", "CO send A003", "CO send A005 to CP1")
    outcome = _receive(case, "LA_BUC_02", incoming("X008", target_sed=SedType("A003")))
    assert latest(outcome.case, "A003").status is DocumentStatus.CANCELLED
    assert latest(outcome.case, "A005").status is DocumentStatus.RECEIVED


def test_parent_on_a_sed_that_has_none_says_nothing() -> None:
    """A parent id on a SED that answers nothing is ignored."""
    case = case_of("LA_BUC_02", "CP1", "CO send A003")
    outcome = _receive(case, "LA_BUC_02", incoming("A008", parent_id=document_id(1)))
    assert outcome.case.get(document_id(900)).parent_id is None


def test_wrong_parent_is_refused() -> None:
    """A parent that is no open request of ours is refused."""
    case = case_of("UB_BUC_01", "CO", "CO send U001")
    assert _cause(case, "UB_BUC_01", incoming("U002", parent_id=document_id(5), **FROM_FIRST), OWNER) == "04"


def test_reply_that_crossed_the_invalidation_of_its_request_is_taken() -> None:
    """Its sender could not know of our X008, and who else got it may have taken it before the X008."""
    case = case_of("UB_BUC_01", "CO", "CO send U001", "CO invalidate U001")
    assert _receive(case, "UB_BUC_01", incoming("U002", **FROM_FIRST), OWNER).changed


def test_further_document_that_crossed_an_invalidation_is_taken() -> None:
    """What is no answer is taken: its sender could not know of our X008."""
    case = case_of("P_BUC_01", "CO", "CO send P2000", "CO invalidate P2000")
    assert _receive(case, "P_BUC_01", incoming("P5000", **FROM_FIRST), OWNER).changed


def test_sed_for_the_owner_is_refused_by_a_counterparty() -> None:
    """An A012 goes to the owner only."""
    case = case_of("LA_BUC_02", "CP2", "CO send A003")
    document = incoming("A012", parent_id=document_id(1), **FROM_FIRST)
    assert _cause(case, "LA_BUC_02", document, SECOND) == "04"


def test_answer_to_who_asked_is_refused_by_others() -> None:
    """An X010 that reaches another participant than the one who reminded is refused."""
    case = case_of("LA_BUC_02", "CP2", "CO send A003", "CO send X009")
    document = incoming("X010", parent_id=document_id(2), receivers=(SECOND,), **FROM_FIRST)
    assert _cause(case, "LA_BUC_02", document, SECOND) == "04"


def test_bystander_takes_an_answer_to_a_question_it_never_saw() -> None:
    """An answer to all may follow a question to one."""
    case = case_of("P_BUC_01", "CP2", "CO send P2000", "CO send P8000 to CP1")
    document = incoming("P9000", parent_id=document_id(2), **FROM_FIRST)
    outcome = _receive(case, "P_BUC_01", document, SECOND)
    assert outcome.case.get(document_id(900)).parent_id == document_id(2)


def test_bystander_takes_one_answer_for_each_question() -> None:
    """The second answer of one participant to one question is refused."""
    case = case_of("P_BUC_01", "CP2", "CO send P2000", "CO send P8000 to CP1", "CP1 reply P9000")
    document = incoming("P9000", parent_id=document_id(2), **FROM_FIRST)
    assert _cause(case, "P_BUC_01", document, SECOND) == "04"


def test_who_asked_is_no_bystander() -> None:
    """A second answer to our own question is refused."""
    case = case_of("P_BUC_01", "CO", "CO send P2000", "CO send P8000 to CP1", "CP1 reply P9000")
    document = incoming("P9000", parent_id=document_id(2), **FROM_FIRST)
    assert _cause(case, "P_BUC_01", document, OWNER) == "04"


def test_sed_about_participants_must_say_who_they_are() -> None:
    """An X005 of which nobody told the content is refused with the cause "other"."""
    case = case_of("LA_BUC_02", "CP1", "CO send A003")
    with pytest.raises(DocumentRefused, match="who joins and who leaves is not said") as caught:
        _receive(case, "LA_BUC_02", incoming("X005"))
    assert caught.value.cause == "99"


# receivers


def test_listed_receivers_are_kept() -> None:
    """The envelope may list who else got the document."""
    case = case_of("P_BUC_01", "CP1", "CO send P2000")
    outcome = _receive(case, "P_BUC_01", incoming("P8000", receivers=(FIRST, SECOND)))
    assert outcome.document is not None
    assert outcome.document.receivers == (FIRST, SECOND)


def test_receivers_of_a_sed_to_all_are_concluded() -> None:
    """A SED to all went to all; a selected one at least to us."""
    case = case_of("P_BUC_01", "CP1", "CO send P2000", "CO send P8000 to CP1")
    assert (latest(case, "P2000").receivers, latest(case, "P8000").receivers) == ((FIRST, SECOND), (FIRST,))


# closed and archived copies


def test_copy_closed_locally_opens_again() -> None:
    """The others were not told and go on; the copy opens, decided by the node."""
    case = case_of("P_BUC_01", "CP1", "CO send P2000", "CP1 close-locally")
    outcome = _receive(case, "P_BUC_01", incoming("P4000"))
    event = next(e for e in outcome.case.history if e.kind is EventKind.REOPENED)
    assert (outcome.case.status, event.actor.kind) == (CaseStatus.OPEN, "system")


def test_update_opens_a_copy_closed_locally_too() -> None:
    """A new version carries the case on as well."""
    case = case_of("P_BUC_01", "CP1", "CO send P2000", "CP1 close-locally")
    outcome = _receive(case, "P_BUC_01", incoming("P2000", document_id=document_id(1), version=2))
    assert outcome.case.status is CaseStatus.OPEN


def test_x001_closes_a_copy_closed_locally_for_good() -> None:
    """X001 does not open the copy; afterwards it is closed for everybody."""
    case = case_of("UB_BUC_01", "CP", "CO send U001", "CP close-locally")
    outcome = _receive(case, "UB_BUC_01", incoming("X001"))
    kinds = [event.kind for event in outcome.case.history]
    assert (outcome.case.is_closed_locally, EventKind.REOPENED in kinds) == (False, False)


def test_closed_case_takes_nothing_but_exceptions() -> None:
    """After X001 only an X050 is taken."""
    case = case_of("UB_BUC_01", "CO", "CO send U001", "CO close")
    assert _cause(case, "UB_BUC_01", incoming("H001", **FROM_FIRST), OWNER) == "04"
    taken = _receive(case, "UB_BUC_01", incoming("X050", parent_id=document_id(1), **FROM_FIRST), OWNER)
    assert (taken.changed, taken.case.status) == (True, CaseStatus.CLOSED)


def test_archived_copy_takes_nothing() -> None:
    """A copy in the archive must be restored first."""
    case = case_of("P_BUC_01", "CP1", "CO send P2000", "CP1 close-locally", "CP1 archive")
    assert _cause(case, "P_BUC_01", incoming("P4000")) == "04"


# administrative SEDs


def test_x001_closes_and_is_told() -> None:
    """A received X001 closes the copy."""
    case = case_of("UB_BUC_01", "CP", "CO send U001")
    outcome = _receive(case, "UB_BUC_01", incoming("X001"))
    assert outcome.case.status is CaseStatus.CLOSED
    assert Notify(NoticeKind.CASE_CLOSED) in outcome.effects


def test_x001_from_a_counterparty_is_refused() -> None:
    """Only the roles that the table names close the case."""
    case = case_of("UB_BUC_01", "CO", "CO send U001")
    assert _cause(case, "UB_BUC_01", incoming("X001", **FROM_FIRST), OWNER) == "04"


def test_x008_of_another_sender_is_refused() -> None:
    """Only the sender of a SED invalidates it."""
    case = case_of("LA_BUC_02", "CP1", "CO send A003")
    document = incoming("X008", parent_id=document_id(1), sender=SECOND, sender_role=CaseRole.COUNTERPARTY)
    assert _cause(case, "LA_BUC_02", document) == "04"


def test_x011_marks_the_document_as_refused() -> None:
    """The target keeps its status and shows who refused it; the national side is told."""
    case = case_of("LA_BUC_02", "CO", "CO send A003")
    outcome = _receive(case, "LA_BUC_02", incoming("X011", parent_id=document_id(1), **FROM_FIRST), OWNER)
    target = outcome.case.get(document_id(1))
    assert (target.status, target.refused, target.refused_by) == (DocumentStatus.SENT, True, (FIRST,))
    assert Notify(NoticeKind.DOCUMENT_REJECTED, document_id(1)) in outcome.effects


def test_x050_shows_the_error_at_its_receiver() -> None:
    """The failing document stays sent; the delivery to who reported shows the sentence."""
    case = case_of("P_BUC_01", "CO", "CO send P2000", "CO update P2000")
    document = incoming("X050", parent_id=document_id(1), text="schema", **FROM_FIRST)
    outcome = _receive(case, "P_BUC_01", document, OWNER)
    one, two = outcome.case.documents[0].versions[1].deliveries
    assert (one.status, one.detail, two.status) == (DeliveryStatus.ERROR, "schema", DeliveryStatus.SENT)
    assert outcome.case.documents[0].versions[0].deliveries[0].status is DeliveryStatus.SENT


def test_x050_about_something_unknown_is_kept() -> None:
    """An exception about a message that is no document here changes nothing else."""
    case = case_of("P_BUC_01", "CO", "CO send P2000")
    outcome = _receive(case, "P_BUC_01", incoming("X050", **FROM_FIRST), OWNER)
    assert outcome.case.documents[0] == case.documents[0]
    assert outcome.document is not None
    assert Notify(NoticeKind.EXCEPTION_RECEIVED) in outcome.effects


def test_x009_offers_its_answer() -> None:
    """A reminder changes nothing and offers X010."""
    case = case_of("LA_BUC_02", "CP1", "CO send A003", "CO send X009 to CP1")
    assert "Create X010" in offered(case)


# tables that changed under a running case


def test_draft_of_a_row_that_is_gone_can_only_be_deleted() -> None:
    """A newer table without the row keeps the draft from being sent, and deleting it offers nothing."""
    case = run(small(), PAIR, "CO send T001", "CO draft T003").cases["CO"]
    newer = small(("sed: T003, from: CO, after: [T001]", "sed: T004, from: CO, after: [T001]"))
    assert {"Delete T003", "Update T003"} <= offered(case, definition=newer)
    assert "Send T003" not in offered(case, definition=newer)
    after = engine.delete(case, newer, latest(case, "T003").id, **BY).case
    assert "Create T003" not in offered(after, definition=newer)


def test_case_with_a_deleted_draft_still_receives() -> None:
    """What happened to our drafts says nothing about the other side."""
    case = run(small(), PAIR, "CO send T001", "CO draft T003", "CO delete T003").cases["CO"]
    outcome = _receive(case, "", incoming("T002", **FROM_FIRST), OWNER, small())
    assert outcome.case.international_id == CASE
