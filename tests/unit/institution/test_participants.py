"""The participants of a case as one line of text."""

import pytest

from eessi_sim.buc.case import CaseRole, Participant
from eessi_sim.errors import IdentifierError
from eessi_sim.identifiers import InstitutionId
from eessi_sim.institution import participants

LINE = (
    "NO:NAVPE01 CaseOwner; SE:PMSE01 Counterparty left; "
    "PL:ZUS01 Counterparty for SE:PMSE01; ES:INSS01 Counterparty joined"
)


def test_line_is_read() -> None:
    """Every word about a participant is understood."""
    owner, left, follower, joined = participants.read(LINE)
    other = CaseRole.COUNTERPARTY
    assert owner == Participant(InstitutionId("NO:NAVPE01"), CaseRole.CASE_OWNER)
    assert left == Participant(InstitutionId("SE:PMSE01"), other, active=False)
    assert follower == Participant(InstitutionId("PL:ZUS01"), other, follows=InstitutionId("SE:PMSE01"))
    assert joined == Participant(InstitutionId("ES:INSS01"), other, joined=True)


@pytest.mark.parametrize(
    "text", ["", "PL:ZUS01", "PL:ZUS01 Boss", "somebody CaseOwner", "PL:ZUS01 CaseOwner for"]
)
def test_what_is_no_line_is_refused(text: str) -> None:
    """A text of another shape names nobody."""
    with pytest.raises((ValueError, IdentifierError)):
        participants.read(text)
