"""The audit of the chaos harness: every way in which books can disagree has a name."""

import pytest

from eessi_sim.as4.exchange import OutboundState
from eessi_sim.chaos.audit import Audit, Fate, audit
from eessi_sim.chaos.books import Books, Filed, Sent
from eessi_sim.identifiers import InstitutionId

POINT = InstitutionId("EU:APSIM01")
NAV = InstitutionId("NO:NAVAT07")
ZUS = InstitutionId("PL:ZUS01")
ONE = frozenset({"m1"})
FILED = Filed("case", "document", 1, "m1")
EXPIRED = "EBMS:0101 FailedAuthentication"


def judged(
    state: OutboundState = OutboundState.DELIVERED,
    *,
    reason: str = "",
    filed: tuple[Filed, ...] = (FILED,),
    held: frozenset[str] = ONE,
    given: frozenset[str] = ONE,
    promised: tuple[str, ...] = ("m1",),
) -> Audit:
    """Norway has sent one message to Poland; what the books say of it."""
    books = [
        Books(POINT),
        Books(NAV, sent=(Sent("m1", ZUS, state, reason),), receipts_held=held),
        Books(ZUS, filed=filed, receipts_given=given),
    ]
    return audit(books, point=POINT, promised={NAV: promised}, explains=lambda text: "EBMS:0101" in text)


def fates(found: Audit) -> list[Fate]:
    """What was found."""
    return [finding.fate for finding in found.findings]


def test_message_that_all_books_agree_on_is_good() -> None:
    """Delivered, filed once and receipted on both sides: nothing is found, and the row says so."""
    found = judged()
    assert found.is_success
    [row] = found.rows
    assert (row.sent, row.filed, row.receipted, row.lost, row.duplicated, row.unaccounted) == (
        1,
        1,
        1,
        0,
        0,
        0,
    )


@pytest.mark.parametrize(
    ("fate", "found"),
    [
        (Fate.LOST, judged(filed=())),
        (Fate.STUCK, judged(OutboundState.RETRY_DUE, filed=())),
        (Fate.UNRECEIPTED, judged(OutboundState.AWAITING_RECEIPT)),
        (Fate.UNRECEIPTED, judged(OutboundState.DEAD_LETTERED, reason=EXPIRED)),
        (Fate.UNEXPLAINED, judged(OutboundState.REJECTED, reason="EBMS:0004 Other", filed=())),
        (Fate.DUPLICATED, judged(filed=(FILED, FILED))),
        (Fate.FORGED, judged(held=frozenset())),
        (Fate.FORGED, judged(given=frozenset())),
        (Fate.LOST, judged(promised=("m1", "m2"))),
        (Fate.UNSENT, judged(filed=(FILED, Filed("case", "other", 1, "m9")))),
    ],
)
def test_every_disagreement_has_a_name(fate: Fate, found: Audit) -> None:
    """Whatever sender, receiver and receipts say against each other is found under its name."""
    assert fates(found) == [fate]
    assert not found.is_success


def test_document_that_two_messages_brought_is_duplicated() -> None:
    """A second copy of the same version counts, whatever message brought it."""
    assert Fate.DUPLICATED in fates(judged(filed=(FILED, Filed("case", "document", 1, "m9"))))


def test_dead_letter_that_a_disturbance_explains_is_no_fault() -> None:
    """Its sender knows, its receiver filed nothing, and the plan says why; the row counts it."""
    found = judged(OutboundState.REJECTED, reason=EXPIRED, filed=(), held=frozenset(), given=frozenset())
    assert found.is_success
    assert found.rows[0].dead_letters == 1


def test_what_is_left_in_a_queue_or_damaged_is_found() -> None:
    """A network has failed that still works on something when all is over, or whose store is not whole."""
    books = [Books(POINT, waiting=("out user retry-due m1",), damage="row 7 missing from index")]
    found = audit(books, point=POINT, promised={}, explains=bool)
    assert [(finding.fate, finding.reference) for finding in found.findings] == [
        (Fate.WAITING, "m1"),
        (Fate.DAMAGED, ""),
    ]


def test_rows_add_up_what_was_found() -> None:
    """A row counts lost, duplicated and unaccounted messages apart."""
    assert judged(filed=()).rows[0].lost == 1
    assert judged(promised=("m1", "m2")).rows[0].lost == 1
    assert judged(filed=(FILED, FILED)).rows[0].duplicated == 1
    assert judged(held=frozenset()).rows[0].unaccounted == 1


@pytest.mark.parametrize(("case", "fate"), [("c1", None), ("c2", Fate.UNEXPLAINED)])
def test_what_follows_an_explained_dead_letter_is_explained(case: str, fate: Fate | None) -> None:
    """A document is refused for want of one before it in its case; in another case that explains nothing."""
    dead = OutboundState.REJECTED
    sent = (Sent("m1", ZUS, dead, "EBMS:0101 x", "c1"), Sent("m2", ZUS, dead, "EBMS:0004 Other", case))
    found = audit(
        [Books(NAV, sent=sent), Books(ZUS)],
        point=POINT,
        promised={},
        explains=lambda text: "EBMS:0101" in text,
    )
    assert [finding.fate for finding in found.findings] == ([fate] if fate else [])


def test_what_follows_a_dead_letter_of_the_other_side_is_explained() -> None:
    """An answer in a case lacks what the other institution could not bring through."""
    dead = OutboundState.REJECTED
    books = [
        Books(NAV, sent=(Sent("m1", ZUS, dead, "EBMS:0101 x", "c1"),)),
        Books(ZUS, sent=(Sent("m2", NAV, dead, "EBMS:0004 Other", "c1"),)),
    ]
    found = audit(books, point=POINT, promised={}, explains=lambda text: "EBMS:0101" in text)
    assert found.is_success


@pytest.mark.parametrize(
    ("case", "reason", "fate"),
    [
        ("c1", "03 Expected a known case", None),
        ("c2", "03 Expected a known case", Fate.UNEXPLAINED),
        ("c1", "01 Expected a valid A003", Fate.UNEXPLAINED),
        ("c2", "07 EBMS:0101 x", None),
        ("c1", None, Fate.LOST),
    ],
)
def test_receipted_document_that_its_receiver_refused_is_no_lost_one(
    case: str, reason: str | None, fate: Fate | None
) -> None:
    """It is a dead letter of the receiver, explained as one of the sender; without one the document is lost."""
    dead, delivered = OutboundState.REJECTED, OutboundState.DELIVERED
    sent = (Sent("m1", ZUS, dead, "EBMS:0101 x", "c1"), Sent("m2", ZUS, delivered, "", case))
    refused = {} if reason is None else {"m2": reason}
    found = audit(
        [Books(NAV, sent=sent), Books(ZUS, refused=refused)],
        point=POINT,
        promised={},
        explains=lambda text: "EBMS:0101" in text,
    )
    assert [(finding.fate, finding.detail) for finding in found.findings] == (
        [(fate, reason or "")] if fate else []
    )


def test_verdict_as_json_names_fates() -> None:
    """The JSON form has a list of rows and one of findings."""
    form = judged(filed=()).as_dict()
    assert form["findings"] == [{"fate": "lost", "party": NAV, "reference": "m1", "detail": ""}]
