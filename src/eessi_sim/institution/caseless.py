"""What an institution sends about a case of which it holds no copy: an exception about what it could not take.

The sender of a starter that is refused, or of a document of an unknown case, would otherwise learn nothing but that its
message arrived. No copy is opened by it.
"""

from eessi_sim.buc import engine
from eessi_sim.buc.administration import CaseEffect
from eessi_sim.buc.case import Case, CaseRole, Participant
from eessi_sim.buc.definition import BucDefinition
from eessi_sim.buc.effects import SendDocument
from eessi_sim.buc.engine.history import system
from eessi_sim.identifiers import CaseId, DocumentId
from eessi_sim.institution import content
from eessi_sim.institution.dispatch import Dispatch, check_document, check_receivers, post
from eessi_sim.institution.office import Office
from eessi_sim.institution.receiving import NotFiled
from eessi_sim.sbdh import Partner, StandardBusinessDocument


async def report(office: Office, refusal: NotFiled) -> None:
    """Add to the work of a refusal the exception to the sender, if the document says who and where it is.

    Args:
        office: the institution.
        refusal: a refused document of a case that this institution does not know.

    Raises:
        CaseError, DefinitionError, RoutingError, SedError: the exception cannot be made, or not sent to that sender.
    """
    document = refusal.document
    process = office.library.processes.find(document.header.scope.buc) if document else None
    case = _as_if(office, document) if document else None
    rule = process.rule_with(CaseEffect.MARK_DELIVERY) if process else None
    if document is None or process is None or case is None or rule is None:
        return
    if document.header.sender.id != refusal.message.sender:
        return  # whom the envelope names did not send it
    if document.header.document.type == rule.sed:
        return  # two nodes that refuse each other's exceptions would go on for ever
    await _send(office, refusal, document, case, process)


async def _send(
    office: Office,
    refusal: NotFiled,
    document: StandardBusinessDocument,
    case: Case,
    process: BucDefinition,
) -> None:
    station = office.station
    outcome = engine.report_exception(
        case,
        process,
        document_id=DocumentId(station.ids.hex32()),
        receiver=document.header.sender.id,
        about=refusal.document_id,
        now=station.clock.now(),
        actor=system("refused"),
    )
    facts = {
        **content.facts_about(office, case),
        **refusal.facts,
        **content.exception_facts(refusal.cause, refusal.sentence),
    }
    for effect in outcome.effects:
        assert isinstance(effect, SendDocument)  # an exception does nothing else
        root = await content.compose(office, effect.sed, case, facts, received=document.sed)
        check_document(office, outcome.case, effect, root)
        check_receivers(office, outcome.case, effect, station.clock.now())
        await post(office, Dispatch(outcome.case, effect, root), refusal.work)


def _as_if(office: Office, document: StandardBusinessDocument) -> Case | None:
    """Return the case as the envelope shows it; never stored. None when the roles are not those of a case."""
    header, own = document.header, office.station.party
    try:
        parties = tuple(_participant(partner) for partner in (header.sender, *header.receivers))
    except ValueError:
        return None
    role = next((each.role for each in parties if each.institution == own), CaseRole.COUNTERPARTY)
    return Case(
        id=CaseId(office.station.ids.number()),
        international_id=header.scope.case_id,
        buc=header.scope.buc,
        cdm=header.document.version,
        role=role,
        own=own,
        participants=parties,
        created_at=office.station.clock.now(),
    )


def _participant(partner: Partner) -> Participant:
    return Participant(partner.id, CaseRole(partner.role.value))
