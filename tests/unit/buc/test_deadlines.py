"""The limits of the tables as dates in one copy of a case: what others owe, and what ends the whole process."""

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.helpers.processes import BY, FIRST, NOW, OWNER, SECOND, TRIO, case_of, latest, run, table

from eessi_sim.buc import engine
from eessi_sim.buc.case import Case
from eessi_sim.buc.deadlines import answer_to, awaited_answers, process_limits
from eessi_sim.buc.terms import Confidence, Deadline

LA_BUC_02 = table("LA_BUC_02")
LATE = NOW + timedelta(days=400)


def owed(case: Case) -> list[tuple[str, str, str]]:
    """What others owe in a case: for which SED, who, until when."""
    return [
        (each.document.type, each.peer, f"{each.due_at:%Y-%m-%d}")
        for each in awaited_answers(case, table(case.buc))
    ]


def test_every_counterparty_owes_its_answer() -> None:
    """Two months after the A003, by the table."""
    due = f"{NOW.replace(month=NOW.month + 2):%Y-%m-%d}"
    assert owed(case_of("LA_BUC_02", "CO", "CO send A003")) == [("A003", FIRST, due), ("A003", SECOND, due)]


def test_a_limit_may_count_from_the_end_of_the_month() -> None:
    """A request of 2 March is to be paid or contested within six months after March: by 30 September."""
    assert [due for _sed, _peer, due in owed(case_of("UB_BUC_04", "CO", "CO send U020"))] == ["2026-09-30"]


@pytest.mark.parametrize(
    ("party", "steps", "peers"),
    [
        ("CO", ("CO send A003", "CP1 reply A012"), [SECOND]),
        ("CO", ("CO send A003", "CO send X006 leaves CP1"), [SECOND]),
        ("CO", ("CO send A003", "CO invalidate A003"), []),
        ("CO", ("CO draft A003",), []),
        ("CP1", ("CO send A003",), []),
        ("CO", ("CO send A003", "CP1 reply A012", "CP2 reply A012", "CO close"), []),
    ],
)
def test_nobody_owes_what_was_given_or_cannot_be_given(
    party: str, steps: tuple[str, ...], peers: list[str]
) -> None:
    """An answer, a participant who left, an invalidated request, a draft, our own debt, a closed case."""
    assert [peer for _sed, peer, _due in owed(case_of("LA_BUC_02", party, *steps))] == peers


def test_a_table_without_length_owes_nothing_by_a_date() -> None:
    """P8000 must be answered, but no table says how soon."""
    assert owed(case_of("P_BUC_01", "CO", "CO send P2000", "CO send P8000")) == []


def test_a_new_version_begins_anew() -> None:
    """The answer is due two months after the latest version."""
    later = run(LA_BUC_02, TRIO, "CO send A003", "wait P10D", "CO update A003").cases["CO"]
    first, _ = awaited_answers(later, LA_BUC_02)
    assert first.due_at > NOW + timedelta(days=65)


def test_without_a_table_everything_about_a_document_answers_it() -> None:
    """Nobody can say more."""
    case = case_of("LA_BUC_02", "CO", "CO send A003", "CP1 clarify A003")
    request, clarification = latest(case, "A003"), latest(case, "X012")
    assert answer_to(case, None, request, FIRST, NOW) == clarification
    assert answer_to(case, LA_BUC_02, request, FIRST, NOW) is None


def test_a_limit_of_the_process_counts_from_its_sed() -> None:
    """Six months of disagreement since A004, then conciliation; an approval ends it."""
    before = case_of("LA_BUC_02", "CO", "CO send A003")
    after = case_of("LA_BUC_02", "CO", "CO send A003", "CP1 reply A004")
    ended = case_of("LA_BUC_02", "CO", "CO send A003", "CP1 reply A004", "CP2 reply A012")
    [[none], [runs], [over]] = (process_limits(each, LA_BUC_02, now=LATE) for each in (before, after, ended))
    assert (none.since, none.due_at, none.overdue) == (None, None, False)
    assert runs.since == latest(after, "A004")
    assert runs.overdue
    assert (over.ended_by, over.overdue) == (latest(ended, "A012"), False)


def test_nothing_is_overdue_before_its_date_or_in_a_closed_case() -> None:
    """The date is told all the same."""
    case = case_of("LA_BUC_02", "CO", "CO send A003", "CP1 reply A004")
    [early] = process_limits(case, LA_BUC_02, now=NOW)
    assert (early.due_at is not None, early.overdue) == (True, False)
    assert process_limits(case, None, now=LATE) == ()


def test_a_limit_that_names_no_sed_has_no_date() -> None:
    """People must count it."""
    nameless = Deadline(text="7 days", days=7, source="x", confidence=Confidence.INFERRED)
    definition = replace(LA_BUC_02, limits=(nameless,))
    case = case_of("LA_BUC_02", "CO", "CO send A003")
    assert [each.due_at for each in process_limits(case, definition, now=LATE)] == [None]


def test_the_engine_enforces_no_limit() -> None:
    """Late answers are taken; limits are for people."""
    late = run(LA_BUC_02, TRIO, "CO send A003", "wait P400D", "CP1 reply A012").cases["CO"]
    assert latest(late, "A012").sender == FIRST
    assert late.own == OWNER
    assert engine.available_actions(late, LA_BUC_02, BY["now"])
