"""What a newly added participant is sent: chosen by the institution that lets it in, told by its own words.

The public sources do not say what it receives; the default is the proposal of our process tables (inferred).
"""

from collections.abc import Iterator

from eessi_sim.buc.case import Case, Document
from eessi_sim.buc.effects import Outcome, SendDocument
from eessi_sim.errors import RoutingError
from eessi_sim.institution.dispatch import check_receivers, hand_over
from eessi_sim.institution.office import Office
from eessi_sim.ir.model import NewcomerGets
from eessi_sim.storage.base import UnitOfWork


async def handed_over(office: Office, outcome: Outcome, work: UnitOfWork) -> Case:
    """Queue what a step hands over to a newcomer, and return the case that knows the messages.

    A newcomer that may not take part gets nothing; the journal says why.

    Args:
        office: the institution that hands over.
        outcome: the step, with the case as it is now.
        work: further writes of the same transaction.
    """
    station, case = office.station, outcome.case
    for effect in _chosen(office, outcome):
        try:
            check_receivers(office, case, effect, station.clock.now())
        except RoutingError as error:
            work.journal(
                station.note("hand-over", "left-out", case_id=case.id, sed=effect.sed, reason=error.message)
            )
            continue
        case = await hand_over(office, case, effect, work)
    return case


def _chosen(office: Office, outcome: Outcome) -> Iterator[SendDocument]:
    """Who takes a place over gets all of it; for who is added the institution decides."""
    wanted = office.newcomer_gets
    if outcome.document is not None and _takes_a_place(outcome.document):
        wanted = NewcomerGets.TO_ALL
    for effect in outcome.effects:
        if not isinstance(effect, SendDocument) or effect.author is None:
            continue
        starter = outcome.case.get(effect.document_id).starter
        if wanted is NewcomerGets.TO_ALL or (wanted is NewcomerGets.STARTER and starter):
            yield effect


def _takes_a_place(document: Document) -> bool:
    return document.change is not None and document.change.leaves is not None
