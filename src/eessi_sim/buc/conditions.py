"""Named conditions on the state of a case that a process table may refer to.

Each is one function of the case alone, true or false; a table names it by its slug. Conditions on the
content of a SED are not possible here: the engine does not see contents.
"""

from collections.abc import Callable, Mapping
from typing import Final

from eessi_sim.buc.case import Case, Document
from eessi_sim.identifiers import SedType

Condition = Callable[[Case], bool]
"""What a name stands for."""

_DETERMINATION: Final = SedType("A003")
_DISAGREEMENT: Final = SedType("A004")
_APPROVAL: Final = SedType("A012")


def disagreement_concerns_determination_in_force(case: Case) -> bool:
    """Return whether an A004 that stands answers the latest A003 (RINA, LA_BUC_02, documented)."""
    latest = _latest(case, _DETERMINATION)
    return latest is not None and bool(_answers(case, _DISAGREEMENT, latest))


def every_counterparty_approved_determination(case: Case) -> bool:
    """Return whether an A012 stands from every counterparty for the latest A003 (RINA, LA_BUC_02, documented)."""
    latest = _latest(case, _DETERMINATION)
    if latest is None or not case.counterparties:
        return False
    return {answer.sender for answer in _answers(case, _APPROVAL, latest)} >= set(case.counterparties)


CONDITIONS: Final[Mapping[str, Condition]] = {
    "disagreement-concerns-determination-in-force": disagreement_concerns_determination_in_force,
    "every-counterparty-approved-determination": every_counterparty_approved_determination,
}
"""Every name that a table may use."""


def _latest(case: Case, sed: SedType) -> Document | None:
    return next((d for d in reversed(case.exchanged()) if d.type == sed and d.stands), None)


def _answers(case: Case, sed: SedType, request: Document) -> list[Document]:
    return [d for d in case.documents if d.type == sed and d.stands and d.parent_id == request.id]
