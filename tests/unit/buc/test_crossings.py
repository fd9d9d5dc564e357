"""Messages that cross or overtake each other: the rules by which all copies come to say the same."""

from dataclasses import replace
from typing import Any

import pytest
from tests.helpers.processes import (
    FIRST,
    NOW,
    OWNER,
    SECOND,
    STRANGER,
    TRIO,
    case_of,
    document_id,
    incoming,
    latest,
    run,
    table,
)

from eessi_sim.buc import engine
from eessi_sim.buc.case import (
    Case,
    CaseRole,
    CaseStatus,
    DeliveryStatus,
    DocumentStatus,
    ParticipantChange,
)
from eessi_sim.buc.effects import Outcome, SendDocument
from eessi_sim.buc.engine import IncomingDocument
from eessi_sim.errors import DocumentRefused
from eessi_sim.identifiers import InstitutionId

_CP: dict[str, Any] = {"sender_role": CaseRole.COUNTERPARTY}
_NEW = InstitutionId("SE:WALK04")
_THIRD = InstitutionId("FR:WALK77")
_FORWARDED = ("CO send P2000", "CP1 send P5000", "CP1 send X007 joins CP3")


def _take(case: Case, document: IncomingDocument) -> Outcome:
    return engine.receive(case, table(case.buc), document, case_id=case.id, own=case.own, now=NOW)


def _refusal(case: Case, document: IncomingDocument) -> str:
    with pytest.raises(DocumentRefused) as caught:
        _take(case, document)
    return caught.value.cause


def _sent(outcome: Outcome) -> list[tuple[str, int, tuple[InstitutionId, ...], InstitutionId | None]]:
    effects = (effect for effect in outcome.effects if isinstance(effect, SendDocument))
    return [(effect.sed, effect.version, effect.receivers, effect.author) for effect in effects]


def test_repeat_is_no_news_even_when_its_sender_has_left() -> None:
    """The X007 by which an institution left comes twice; the second changes nothing and is not refused."""
    case = run(table("P_BUC_01"), TRIO, *_FORWARDED).cases["CO"]
    known = latest(case, "X007")
    again = incoming("X007", document_id=known.id, sender=FIRST, change=known.change, **_CP)
    assert not _take(case, again).changed


def test_two_occasions_allow_two_documents_in_any_order() -> None:
    """Both A007 are taken although both A004 were here before either."""
    case = run(table("LA_BUC_02"), TRIO, "CO send A003", "CP1 reply A004", "CP2 reply A004").cases["CP2"]
    first = _take(case, incoming("A007", document_id=document_id(70))).case
    second = _take(first, incoming("A007", document_id=document_id(71))).case
    assert sum(1 for d in second.documents if d.type == "A007") == 2
    assert _refusal(second, incoming("A007", document_id=document_id(72))) == "04"


def test_rejection_that_crossed_a_new_version_refuses_nothing() -> None:
    """The X011 is about version 1, version 2 has been sent."""
    case = case_of("LA_BUC_02", "CO", "CO send A003", "CO update A003")
    target = latest(case, "A003")
    late = incoming("X011", sender=FIRST, parent_id=target.id, parent_version=1, **_CP)
    assert not latest(_take(case, late).case, "A003").refused
    assert latest(_take(case, replace(late, parent_version=2)).case, "A003").refused


def test_exception_marks_the_version_that_it_is_about() -> None:
    """Version 1 failed, version 2 did not."""
    case = case_of("LA_BUC_04", "CO", "CO send A009", "CO update A009")
    target = latest(case, "A009")
    told = _take(case, incoming("X050", sender=FIRST, parent_id=target.id, parent_version=1, **_CP)).case
    statuses = [version.deliveries[0].status for version in latest(told, "A009").versions]
    assert statuses == [DeliveryStatus.ERROR, DeliveryStatus.SENT]


def test_exception_of_who_got_a_handed_over_document_is_taken() -> None:
    """The newcomer refuses what it was handed; it need not take part for that."""
    case = run(table("P_BUC_01"), TRIO, "CO send P2000", "CO send X005 joins CP3").cases["CO"]
    gone = replace(case, participants=tuple(p for p in case.participants if not p.joined))
    newcomer = next(p.institution for p in case.participants if p.joined)
    about = latest(case, "P2000").id
    assert _take(gone, incoming("X050", sender=newcomer, parent_id=about, **_CP)).changed
    assert _refusal(gone, incoming("X050", sender=STRANGER, parent_id=about, **_CP)) == "05"
    assert _refusal(gone, incoming("X050", sender=STRANGER, parent_id=document_id(99), **_CP)) == "05"


def test_same_newcomer_twice_changes_nothing() -> None:
    """Two institutions add the same one at once; the second X005 is filed, the participants stay."""
    case = run(table("P_BUC_01"), TRIO, "CO send P2000", "CO send X005 joins CP3").cases["CP2"]
    joins = latest(case, "X005").change
    after = _take(case, incoming("X005", sender=FIRST, change=joins, **_CP)).case
    assert after.participants == case.participants


def test_newcomer_gets_what_crossed_its_coming() -> None:
    """Who brought it in passes on a SED to all, its new version and its invalidation."""
    case = run(table("P_BUC_01"), TRIO, "CO send P2000", "CO send X005 joins CP3").cases["CO"]
    newcomer = next(p.institution for p in case.participants if p.joined)
    unaware: dict[str, Any] = {"sender": FIRST, "receivers": (OWNER, SECOND), **_CP}
    taken = _take(case, incoming("P5000", **unaware))
    assert _sent(taken) == [("P5000", 1, (newcomer,), FIRST)]
    newer = _take(taken.case, incoming("P5000", version=2, **unaware))
    assert _sent(newer) == [("P5000", 2, (newcomer,), FIRST)]
    void = incoming("X008", document_id=document_id(901), parent_id=document_id(900), **unaware)
    assert _sent(_take(newer.case, void)) == [("X008", 1, (newcomer,), FIRST)]
    reminder = incoming("X009", document_id=document_id(902), **unaware)
    assert _sent(_take(newer.case, reminder)) == []


def test_newcomer_learns_of_another_change_that_crossed() -> None:
    """A change of the participants that was sent without knowing the newcomer is passed on to it."""
    case = run(table("P_BUC_01"), TRIO, "CO send P2000", "CO send X005 joins CP3").cases["CO"]
    unaware = incoming(
        "X005", sender=FIRST, receivers=(OWNER, SECOND), change=ParticipantChange(joins=_THIRD), **_CP
    )
    assert [each[0] for each in _sent(_take(case, unaware))] == ["X005"]


def test_forwarded_copy_passes_on_what_crossed_and_sleeps_on() -> None:
    """What was sent to the old holder of a place reaches the new one; the copy stays archived."""
    case = run(table("P_BUC_01"), TRIO, *_FORWARDED).cases["CP1"]
    outcome = _take(case, incoming("P4000", receivers=(FIRST, SECOND)))
    assert outcome.case.status is CaseStatus.ARCHIVED
    assert _sent(outcome) == [("P4000", 1, (case.successor,), OWNER)]


def test_forwarded_copy_keeps_an_exception_for_itself() -> None:
    """An X050 is about a message of the old holder; nobody else is told."""
    case = run(table("P_BUC_01"), TRIO, *_FORWARDED).cases["CP1"]
    about = latest(case, "P5000").id
    assert _sent(_take(case, incoming("X050", receivers=(FIRST,), parent_id=about))) == []


def test_handed_over_invalidation_waits_for_its_document() -> None:
    """An X008 that is handed over before its SED is held, or the SED would stand."""
    case = run(table("P_BUC_01"), TRIO, *_FORWARDED).cases["CP3"]
    handed = incoming("X008", sender=FIRST, author=OWNER, parent_id=document_id(70), **_CP)
    assert _refusal(case, handed) == "04"


def test_documents_of_others_open_no_case() -> None:
    """Who hands over what another one has written must have let us in before."""
    case = run(table("P_BUC_01"), TRIO, *_FORWARDED).cases["CP3"]
    handed = incoming("P2000", sender=FIRST, author=OWNER, **_CP)
    with pytest.raises(DocumentRefused, match="only who let us into the case"):
        engine.receive(None, table("P_BUC_01"), handed, case_id=case.id, own=_NEW, now=NOW)


def test_handed_over_change_must_say_who() -> None:
    """A change of the participants that says nothing is refused, whoever hands it over."""
    case = run(table("P_BUC_01"), TRIO, *_FORWARDED).cases["CP3"]
    assert _refusal(case, incoming("X005", sender=FIRST, author=OWNER, **_CP)) == "99"


def test_handed_over_version_may_be_newer_than_what_came_directly() -> None:
    """The newest version counts, whichever way it came; an older one changes nothing."""
    case = run(table("P_BUC_01"), TRIO, *_FORWARDED).cases["CP3"]
    known = latest(case, "P2000")
    newer = incoming("P2000", document_id=known.id, sender=FIRST, author=OWNER, version=2, **_CP)
    after = _take(case, newer).case
    assert latest(after, "P2000").version == 2
    assert not _take(after, replace(newer, version=1)).changed


def test_answer_that_came_before_its_request_uses_it_up() -> None:
    """The new holder of a place gets its predecessor's answer first; it is not asked to answer again."""
    case = run(table("P_BUC_01"), TRIO, *_FORWARDED).cases["CP3"]
    by_hand: dict[str, Any] = {"sender": FIRST, "author": OWNER, "receivers": (FIRST,), **_CP}
    answer = incoming(
        "P9000", document_id=document_id(81), sender=FIRST, author=FIRST, parent_id=document_id(80), **_CP
    )
    with_answer = _take(case, answer).case
    with_both = _take(with_answer, incoming("P8000", document_id=document_id(80), **by_hand)).case
    offered = {
        action.sed
        for action in engine.available_actions(with_both, table("P_BUC_01"), NOW)
        if action.parent_id == document_id(80) and action.document_id is None
    }
    assert "P9000" not in offered


def test_invalidated_document_stays_so_for_what_comes_late() -> None:
    """An X008 and then an older version: nothing changes."""
    case = case_of("LA_BUC_04", "CP", "CO send A009", "CO update A009", "CO invalidate A009")
    assert not _take(case, incoming("A009", document_id=latest(case, "A009").id)).changed
    assert latest(case, "A009").status is DocumentStatus.CANCELLED
