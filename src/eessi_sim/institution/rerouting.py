"""What a routing application tells: that one institution takes the place of another, in a case in which it has no part.

Only its role is observed; that it tells all participants, the one that leaves and the one that comes is inferred.
"""

from dataclasses import dataclass

from eessi_sim.buc.administration import CaseEffect
from eessi_sim.buc.case import (
    Actor,
    Case,
    CaseAction,
    CaseRole,
    Direction,
    Document,
    DocumentStatus,
    DocumentVersion,
    Participant,
    ParticipantChange,
)
from eessi_sim.buc.effects import SendDocument
from eessi_sim.buc.engine.participation import changed
from eessi_sim.errors import CaseError
from eessi_sim.identifiers import BucType, CaseId, CdmVersion, DocumentId, InstitutionId, InternationalId
from eessi_sim.institution import content
from eessi_sim.institution.dispatch import Dispatch, check_document, check_receivers, post
from eessi_sim.institution.office import Office
from eessi_sim.sbdh import ContactTypeIdentifier
from eessi_sim.storage.base import UnitOfWork
from eessi_sim.xmlsafe import Element


@dataclass(frozen=True, slots=True, kw_only=True)
class Replacement:
    """Which institution takes whose place, in which case of others."""

    international_id: InternationalId
    buc: BucType
    cdm: CdmVersion
    participants: tuple[Participant, ...]
    """Of the case, before the change."""
    joins: InstitutionId
    leaves: InstitutionId
    seen: Element
    """A document of the case that the routing application has seen; says which person it is about."""


async def announce(office: Office, item: Replacement, actor: Actor, work: UnitOfWork) -> None:
    """Queue the notice for everybody concerned.

    Args:
        office: the routing application.
        item: the replacement.
        actor: who decided.
        work: further writes of the same transaction.

    Raises:
        NotCompetent: this institution is no routing application for the process, or the new one may not take part.
        CaseError: who shall leave does not take part, or the new one does already.
        SedError: the notice is not valid.
    """
    station = office.station
    now, directory = station.clock.now(), station.directory.current
    directory.require_competent(station.party, item.buc, ContactTypeIdentifier.INTELLIGENT_RA, at=now)
    leaver = next((p for p in item.participants if p.institution == item.leaves and p.active), None)
    if leaver is None or any(each.institution == item.joins for each in item.participants):
        raise CaseError(
            f"Expected a participant that leaves and a new one that comes, found {item.leaves} and {item.joins}",
            hint="Name an institution that takes part now, and one that never did.",
        )
    case = _as_if(office, item, actor)
    (notice,) = case.documents
    receivers = (*(p.institution for p in item.participants if p.active), item.joins)
    effect = SendDocument(
        document_id=notice.id,
        version=1,
        sed=notice.type,
        receivers=receivers,
        case_action=CaseAction.NEW,
    )
    facts = content.facts_about(office, case, change=notice.change)
    root = await content.compose(office, notice.type, case, facts, received=item.seen)
    check_document(office, case, effect, root)
    check_receivers(office, case, effect, now)
    await post(office, Dispatch(case, effect, root, ContactTypeIdentifier.INTELLIGENT_RA), work)


def _as_if(office: Office, item: Replacement, actor: Actor) -> Case:
    """Return the case as it will be, with the notice in it; never stored, for it is the case of others."""
    station = office.station
    rule = office.library.processes.get(item.buc).rule_with(CaseEffect.REPLACE_PARTICIPANT)
    assert rule is not None  # the sub-processes of the program name one
    change = ParticipantChange(item.joins, item.leaves)
    now = station.clock.now()
    notice = Document(
        id=DocumentId(station.ids.hex32()),
        type=rule.sed,
        direction=Direction.OUT,
        status=DocumentStatus.SENT,
        sender=station.party,
        versions=(DocumentVersion(number=1, actor=actor, saved_at=now, sent_at=now),),
        change=change,
    )
    case = Case(
        id=CaseId(station.ids.number()),
        international_id=item.international_id,
        buc=item.buc,
        cdm=item.cdm,
        role=CaseRole.COUNTERPARTY,  # unused: the envelope says IntelligentRA
        own=station.party,
        participants=item.participants,
        created_at=now,
        documents=(notice,),
    )
    return changed(case, change)
