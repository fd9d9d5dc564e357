"""The life of a case as a whole."""

import pytest
from tests.helpers.processes import BY, CASE, CLERK, FIRST, OWNER, SECOND, case_of, table

from eessi_sim.buc import engine
from eessi_sim.buc.case import Case, CaseRole, CaseStatus, EventKind
from eessi_sim.buc.effects import NoticeKind, Notify
from eessi_sim.errors import ActionNotAvailable, CaseError
from eessi_sim.identifiers import CaseId, CdmVersion, InstitutionId


def _open(buc: str, *counterparties: InstitutionId) -> Case:
    return engine.open_case(
        table(buc),
        case_id=CaseId("7"),
        international_id=CASE,
        cdm=CdmVersion("4.4"),
        own=OWNER,
        counterparties=counterparties,
        **BY,
    )


def test_new_case_is_open_and_owned() -> None:
    """Who opens a case owns it."""
    case = _open("P_BUC_01", FIRST, SECOND)
    assert (case.role, case.status, case.revision) == (CaseRole.CASE_OWNER, CaseStatus.OPEN, 1)
    assert (case.history[0].kind, case.history[0].actor) == (EventKind.OPENED, CLERK)


def test_bilateral_case_has_one_counterparty() -> None:
    """A second counterparty is refused in a bilateral process."""
    with pytest.raises(CaseError, match="one counterparty"):
        _open("LA_BUC_04", FIRST, SECOND)


@pytest.mark.parametrize("counterparties", [(OWNER,), (FIRST, FIRST)])
def test_every_institution_takes_part_once(counterparties: tuple[InstitutionId, ...]) -> None:
    """The owner is no counterparty, and nobody is one twice."""
    with pytest.raises(CaseError, match="every institution once"):
        _open("P_BUC_01", *counterparties)


def test_participants_are_chosen_until_the_start() -> None:
    """Before the starter is sent the owner may choose others."""
    case = _open("LA_BUC_04")
    chosen = engine.set_participants(case, table("LA_BUC_04"), [FIRST], **BY).case
    again = engine.set_participants(chosen, table("LA_BUC_04"), [SECOND], **BY).case
    assert again.counterparties == (SECOND,)


def test_participants_stay_after_the_start() -> None:
    """After the starter participants change only by X-SEDs."""
    case = case_of("LA_BUC_04", "CO", "CO send A009")
    with pytest.raises(ActionNotAvailable):
        engine.set_participants(case, table("LA_BUC_04"), [SECOND], **BY)


def test_local_close_closes_one_copy_and_tells_the_national_side() -> None:
    """A local close changes the own copy only."""
    case = case_of("P_BUC_01", "CO", "CO send P2000")
    outcome = engine.local_close(case, table("P_BUC_01"), **BY)
    assert (outcome.case.status, outcome.effects) == (CaseStatus.CLOSED, (Notify(NoticeKind.CASE_CLOSED),))


def test_local_reopen_undoes_a_local_close() -> None:
    """The own copy is opened again."""
    case = case_of("P_BUC_01", "CO", "CO send P2000", "CO close-locally")
    outcome = engine.local_reopen(case, table("P_BUC_01"), **BY)
    assert (outcome.case.status, outcome.effects) == (CaseStatus.OPEN, (Notify(NoticeKind.CASE_REOPENED),))


def test_case_closed_for_everybody_is_not_reopened_locally() -> None:
    """What X001 closed stays closed."""
    case = case_of("UB_BUC_01", "CO", "CO send U001", "CO close")
    with pytest.raises(ActionNotAvailable):
        engine.local_reopen(case, table("UB_BUC_01"), **BY)


def test_archive_and_back() -> None:
    """A restored case is closed, as it was."""
    case = case_of("UB_BUC_01", "CO", "CO send U001", "CO close")
    archived = engine.archive(case, table("UB_BUC_01"), **BY).case
    restored = engine.restore(archived, table("UB_BUC_01"), **BY).case
    assert (archived.status, restored.status) == (CaseStatus.ARCHIVED, CaseStatus.CLOSED)


def test_open_case_is_not_archived() -> None:
    """Only closed cases go to the archive."""
    with pytest.raises(ActionNotAvailable):
        engine.archive(case_of("UB_BUC_01", "CO", "CO send U001"), table("UB_BUC_01"), **BY)


def test_case_never_started_is_removed() -> None:
    """Before the start the owner may delete the case."""
    outcome = engine.remove_case(case_of("UB_BUC_01", "CO"), table("UB_BUC_01"), **BY)
    assert outcome.case.status is CaseStatus.REMOVED
