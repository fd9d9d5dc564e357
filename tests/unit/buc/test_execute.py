"""Create, save, delete, send, and what becomes of the messages."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.helpers.processes import (
    BY,
    CLERK,
    FIRST,
    NOW,
    OWNER,
    SECOND,
    STRANGER,
    case_of,
    document_id,
    latest,
    offered,
    table,
)

from eessi_sim.buc import engine
from eessi_sim.buc.case import Case, CaseAction, DeliveryStatus, Document, DocumentStatus, EventKind
from eessi_sim.buc.effects import Occasion, Outcome, Schedule, SendDocument
from eessi_sim.errors import ActionNotAvailable, CaseError, DocumentNotFound
from eessi_sim.identifiers import InstitutionId, MessageId, SedType

MESSAGE = MessageId("1@node.example")


def _send(case: Case, document: Document, **more: Any) -> Outcome:
    return engine.send(case, table(case.buc), document.id, **BY, **more)


def test_create_makes_a_draft() -> None:
    """A new document is a draft of the given id, made by the given actor."""
    outcome = engine.create(
        case_of("LA_BUC_04", "CO"), table("LA_BUC_04"), SedType("A009"), document_id=document_id(5), **BY
    )
    draft = outcome.case.get(document_id(5))
    assert (draft.status, draft.starter, draft.versions[0].actor) == (DocumentStatus.NEW, True, CLERK)


def test_create_counts_the_revision_once() -> None:
    """Every change raises the revision by one."""
    case = case_of("LA_BUC_04", "CO")
    outcome = engine.create(case, table("LA_BUC_04"), SedType("A009"), document_id=document_id(5), **BY)
    assert outcome.case.revision == case.revision + 1


def test_refused_create_names_what_is_possible() -> None:
    """What is not offered is refused together with what is."""
    case = case_of("LA_BUC_04", "CO")
    with pytest.raises(ActionNotAvailable, match="Create A003") as caught:
        engine.create(case, table("LA_BUC_04"), SedType("A003"), document_id=document_id(5), **BY)
    assert set(caught.value.available) == offered(case)


def test_refusal_in_a_removed_case_says_so() -> None:
    """Where nothing is possible the refusal says that."""
    case = case_of("LA_BUC_04", "CO", "CO remove")
    with pytest.raises(ActionNotAvailable) as caught:
        engine.create(case, table("LA_BUC_04"), SedType("A009"), document_id=document_id(5), **BY)
    assert caught.value.hint == "Nothing is possible in this case."


def test_document_id_is_used_once() -> None:
    """A document id that the case knows is refused."""
    case = case_of("LA_BUC_04", "CO", "CO send A009")
    with pytest.raises(CaseError, match="new document id"):
        engine.create(case, table("LA_BUC_04"), SedType("A009"), document_id=case.documents[0].id, **BY)


def test_only_possible_parent_is_found() -> None:
    """The request need not be named when there is one only."""
    case = case_of("LA_BUC_02", "CP1", "CO send A003")
    outcome = engine.create(case, table("LA_BUC_02"), SedType("A012"), document_id=document_id(5), **BY)
    assert outcome.document is not None
    assert outcome.document.parent_id == latest(case, "A003").id


def test_several_possible_parents_must_be_named() -> None:
    """With two open requests the parent has to be said."""
    case = case_of("LA_BUC_02", "CP1", "CO send A003", "CO send A005 to CP1", "CO send A005 to CP1")
    with pytest.raises(CaseError, match="found 2 possible ones") as caught:
        engine.create(case, table("LA_BUC_02"), SedType("A006"), document_id=document_id(50), **BY)
    assert document_id(2) in (caught.value.hint or "")


def test_wrong_parent_is_refused() -> None:
    """A parent that is no open request makes the action unavailable."""
    case = case_of("LA_BUC_02", "CP1", "CO send A003")
    with pytest.raises(ActionNotAvailable):
        engine.create(
            case,
            table("LA_BUC_02"),
            SedType("A012"),
            document_id=document_id(5),
            parent_id=document_id(6),
            **BY,
        )


def test_every_save_is_a_version() -> None:
    """Saving a draft twice before sending makes its first sent version number 3 (documented)."""
    case = case_of("LA_BUC_04", "CO", "CO draft A009")
    for _ in range(2):
        case = engine.update(case, table("LA_BUC_04"), case.documents[0].id, **BY).case
    effect = _send(case, case.documents[0]).effects[0]
    assert isinstance(effect, SendDocument)
    assert (effect.version, effect.case_action) == (3, CaseAction.START)


def test_saved_update_makes_a_sent_document_active() -> None:
    """A sent document with an unsent newer version is active."""
    case = case_of("LA_BUC_04", "CO", "CO send A009")
    outcome = engine.update(case, table("LA_BUC_04"), case.documents[0].id, **BY)
    assert outcome.case.documents[0].status is DocumentStatus.ACTIVE


def test_update_goes_to_whom_the_earlier_version_went() -> None:
    """A new version has the receivers of the document and the action Update."""
    case = case_of("P_BUC_01", "CO", "CO send P2000", "CO send P8000 to CP2")
    document = latest(case, "P8000")
    saved = engine.update(case, table("P_BUC_01"), document.id, **BY).case
    effect = _send(saved, document).effects[0]
    assert isinstance(effect, SendDocument)
    assert (effect.receivers, effect.case_action) == ((SECOND,), CaseAction.UPDATE)


def test_received_document_cannot_be_updated() -> None:
    """Only its sender makes new versions."""
    case = case_of("LA_BUC_04", "CP", "CO send A009")
    with pytest.raises(ActionNotAvailable):
        engine.update(case, table("LA_BUC_04"), case.documents[0].id, **BY)


def test_deleted_draft_is_gone_but_remembered() -> None:
    """A deleted draft leaves the documents and stays in the history."""
    case = case_of("LA_BUC_04", "CO", "CO draft A009")
    after = engine.delete(case, table("LA_BUC_04"), case.documents[0].id, **BY).case
    assert (after.documents, after.history[-1].kind) == ((), EventKind.DELETED)
    assert "Create A009" in offered(after)


def test_sent_document_cannot_be_deleted() -> None:
    """What was sent stays."""
    case = case_of("LA_BUC_04", "CO", "CO send A009")
    with pytest.raises(ActionNotAvailable):
        engine.delete(case, table("LA_BUC_04"), case.documents[0].id, **BY)


def test_unknown_document_cannot_be_sent() -> None:
    """Sending names the document that is missing."""
    with pytest.raises(DocumentNotFound):
        engine.send(case_of("LA_BUC_04", "CO"), table("LA_BUC_04"), document_id(9), **BY)


def test_sent_document_cannot_be_sent_again_without_a_new_version() -> None:
    """Sending twice needs a new version in between."""
    case = case_of("LA_BUC_04", "CO", "CO send A009")
    with pytest.raises(ActionNotAvailable, match="Send A009"):
        _send(case, case.documents[0])


def test_send_tells_what_to_put_on_the_wire() -> None:
    """Sending yields one effect with document, version, receivers and parent."""
    case = case_of("LA_BUC_02", "CP1", "CO send A003", "CP1 draft A012")
    document = latest(case, "A012")
    assert _send(case, document).effects == (
        SendDocument(
            document_id=document.id,
            version=1,
            sed=SedType("A012"),
            receivers=(OWNER,),
            case_action=CaseAction.NEW,
            parent_id=latest(case, "A003").id,
            parent_version=1,
        ),
    )


def test_sending_the_clock_sed_schedules_the_close() -> None:
    """A new A003 tells when X001 will be offered."""
    case = case_of("LA_BUC_02", "CO", "CO draft A003")
    effects = _send(case, case.documents[0]).effects
    assert Schedule(NOW + timedelta(days=60), Occasion.CLOSE_OFFERED) in effects


def test_an_update_does_not_restart_the_clock() -> None:
    """The delay counts from documents, not from their versions."""
    case = case_of("LA_BUC_02", "CO", "CO send A003")
    saved = engine.update(case, table("LA_BUC_02"), case.documents[0].id, **BY).case
    assert not [e for e in _send(saved, case.documents[0]).effects if isinstance(e, Schedule)]


def test_recreated_starter_is_a_further_document() -> None:
    """A starter sent afresh after an X008 does not start the case again."""
    case = case_of("LA_BUC_04", "CO", "CO send A009", "CO invalidate A009", "CO draft A009")
    document = latest(case, "A009")
    effect = _send(case, document).effects[0]
    assert isinstance(effect, SendDocument)
    assert (document.starter, effect.case_action) == (False, CaseAction.NEW)


@pytest.mark.parametrize(
    ("steps", "sed", "receivers"),
    [
        (("CO draft P2000",), "P2000", (FIRST, SECOND)),
        (("CO send P2000", "CO draft P8000"), "P8000", (FIRST, SECOND)),
        (("CO send P2000", "CP1 send H020 to CO", "CO draft H021"), "H021", (FIRST, SECOND)),
        (("CO send P2000", "CO send P8000 to CP2", "CO draft X008 about P8000"), "X008", (SECOND,)),
        (("CO send P2000", "CP2 send X009 to CO", "CO draft X010"), "X010", (SECOND,)),
    ],
)
def test_table_says_who_gets_it(
    steps: tuple[str, ...], sed: str, receivers: tuple[InstitutionId, ...]
) -> None:
    """Without a choice the receivers come from the table."""
    case = case_of("P_BUC_01", "CO", *steps)
    assert _send(case, latest(case, sed)).case.get(latest(case, sed).id).receivers == receivers


def test_selected_reply_goes_to_who_asked() -> None:
    """A reply that the sender may address goes by default to who asked."""
    case = case_of("LA_BUC_02", "CO", "CO send A003", "CP2 send H001 to CO", "CO draft H002")
    assert _send(case, latest(case, "H002")).case.get(latest(case, "H002").id).receivers == (SECOND,)


def test_receivers_can_be_picked_where_the_table_says_so() -> None:
    """A selected SED goes to whom the sender picks."""
    case = case_of("P_BUC_01", "CO", "CO send P2000", "CO draft P8000")
    outcome = _send(case, latest(case, "P8000"), receivers=[SECOND])
    assert latest(outcome.case, "P8000").receivers == (SECOND,)


@pytest.mark.parametrize("chosen", [[STRANGER], [FIRST, STRANGER], [OWNER], []])
def test_receivers_outside_the_table_are_refused(chosen: list[InstitutionId]) -> None:
    """Nobody outside the case, not oneself, and not nobody."""
    case = case_of("P_BUC_01", "CO", "CO send P2000", "CO draft P8000")
    with pytest.raises(CaseError, match="Expected receivers among"):
        _send(case, latest(case, "P8000"), receivers=chosen)


def test_sed_to_all_cannot_leave_one_out() -> None:
    """A SED that goes to all goes to all."""
    case = case_of("P_BUC_01", "CO", "CO send P2000", "CO draft P6000")
    with pytest.raises(CaseError, match="Expected all of"):
        _send(case, latest(case, "P6000"), receivers=[FIRST])
    sent = _send(case, latest(case, "P6000"), receivers=[SECOND, FIRST]).case
    assert latest(sent, "P6000").receivers == (FIRST, SECOND)


def test_without_receivers_nothing_is_sent() -> None:
    """When the other side left, there is nobody to send to."""
    case = case_of("LA_BUC_04", "CO", "CO send A009", "CO draft A009")
    alone = replace(
        case, participants=tuple(replace(p, active=p.institution == OWNER) for p in case.participants)
    )
    with pytest.raises(CaseError, match="found none"):
        _send(alone, latest(case, "A009"))


def test_draft_under_the_table_of_another_process_is_not_sent() -> None:
    """A case played with the wrong table is refused, not sent somewhere."""
    case = case_of("LA_BUC_04", "CO", "CO draft A009")
    with pytest.raises(ActionNotAvailable):
        engine.send(case, table("P_BUC_01"), case.documents[0].id, **BY)


def test_messages_are_recorded_by_receiver() -> None:
    """After sending, each delivery knows its message; a receipt then finds it."""
    case = case_of("LA_BUC_04", "CO", "CO send A009")
    document = case.documents[0]
    told = engine.record_sent(case, document.id, 1, {FIRST: MESSAGE})
    later = NOW + timedelta(minutes=1)
    receipted = engine.record_delivery(told, MESSAGE, DeliveryStatus.DELIVERED, at=later)
    delivery = receipted.documents[0].versions[0].deliveries[0]
    assert (delivery.message_id, delivery.status, delivery.at) == (MESSAGE, DeliveryStatus.DELIVERED, later)
    assert receipted.revision == case.revision + 2


def test_failure_keeps_its_sentence() -> None:
    """A message that failed for good says why, at the receiver it was for."""
    case = case_of("P_BUC_01", "CO", "CO send P2000", "CO update P2000")
    told = engine.record_sent(case, case.documents[0].id, 2, {SECOND: MESSAGE})
    failed = engine.record_delivery(told, MESSAGE, DeliveryStatus.ERROR, at=NOW, detail="EBMS:0301")
    one, two = failed.documents[0].versions[1].deliveries
    assert (one.status, two.status, two.detail) == (DeliveryStatus.SENT, DeliveryStatus.ERROR, "EBMS:0301")


@pytest.mark.parametrize(("version", "receiver"), [(7, FIRST), (1, STRANGER)])
def test_message_of_nobody_is_not_recorded(version: int, receiver: InstitutionId) -> None:
    """A version that was not sent, or not to this receiver, is refused."""
    case = case_of("LA_BUC_04", "CO", "CO send A009")
    with pytest.raises(CaseError, match="Expected receivers of version"):
        engine.record_sent(case, case.documents[0].id, version, {receiver: MESSAGE})


def test_unknown_message_is_not_recorded() -> None:
    """A receipt for a message of another case is refused."""
    case = case_of("LA_BUC_04", "CO", "CO send A009")
    with pytest.raises(CaseError, match=str(MESSAGE)):
        engine.record_delivery(case, MESSAGE, DeliveryStatus.DELIVERED, at=NOW)


def test_invalidating_cancels_on_both_sides() -> None:
    """X008 cancels its target in every copy."""
    steps = ("CO send A003", "CP1 reply A004", "CP1 invalidate A004")
    statuses = {latest(case_of("LA_BUC_02", party, *steps), "A004").status for party in ("CO", "CP1", "CP2")}
    assert statuses == {DocumentStatus.CANCELLED}


def test_sed_that_may_stand_alone_does_so_without_a_parent() -> None:
    """Where a SED is offered as answer and on its own, leaving the parent out means on its own."""
    steps = ("CO send U009", "CP send U012", "CO send U013", "CO send U013 about U012")
    case = case_of("UB_BUC_02", "CO", *steps)
    request = latest(case, "U012").id
    assert [d.parent_id for d in case.documents if d.type == "U013"] == [None, request]


def test_exception_is_reported_to_the_sender() -> None:
    """The node's X050 goes to the sender of the failing document."""
    case = case_of("LA_BUC_04", "CP", "CO send A009")
    outcome = engine.report_exception(
        case, table("LA_BUC_04"), document_id=document_id(8), receiver=OWNER, about=case.documents[0].id, **BY
    )
    effect = outcome.effects[0]
    assert isinstance(effect, SendDocument)
    assert (effect.sed, effect.receivers, effect.parent_id) == ("X050", (OWNER,), case.documents[0].id)


def test_exception_may_be_about_a_document_that_was_never_taken() -> None:
    """A refused document is not in the case; the X050 names it all the same."""
    case = case_of("LA_BUC_04", "CP", "CO send A009")
    outcome = engine.report_exception(
        case, table("LA_BUC_04"), document_id=document_id(8), receiver=OWNER, about=document_id(44), **BY
    )
    assert latest(outcome.case, "X050").parent_id == document_id(44)


def test_exception_is_never_about_an_exception() -> None:
    """An X050 is not answered by an X050."""
    case = case_of("LA_BUC_04", "CO", "CO send A009", "CP report A009")
    with pytest.raises(CaseError, match="X050"):
        engine.report_exception(
            case,
            table("LA_BUC_04"),
            document_id=document_id(8),
            receiver=FIRST,
            about=latest(case, "X050").id,
            **BY,
        )


def test_removed_case_reports_nothing() -> None:
    """A removed case is skipped by all processing."""
    case = case_of("LA_BUC_04", "CO", "CO remove")
    with pytest.raises(CaseError, match="removed"):
        engine.report_exception(
            case, table("LA_BUC_04"), document_id=document_id(8), receiver=FIRST, about=None, **BY
        )


def test_exception_leaves_offers_as_they_are() -> None:
    """An X050 neither takes nor gives an action."""
    steps = ("CO send A009",)
    assert offered(case_of("LA_BUC_04", "CP", *steps, "CP report A009")) == offered(
        case_of("LA_BUC_04", "CP", *steps)
    )
