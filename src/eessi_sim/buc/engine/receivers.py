"""Whom a document goes to: the receivers that the table allows, and the choice among them."""

from collections.abc import Collection

from eessi_sim.buc.case import Case, Document
from eessi_sim.buc.definition import BucDefinition, Step
from eessi_sim.buc.offers import went_to_all
from eessi_sim.buc.terms import Addressing
from eessi_sim.errors import CaseError
from eessi_sim.identifiers import InstitutionId


def receivers_for(
    case: Case, definition: BucDefinition, document: Document, chosen: Collection[InstitutionId] | None
) -> tuple[InstitutionId, ...]:
    """Return the receivers of a document that is about to be sent.

    Args:
        case: the copy of a case.
        definition: its table.
        document: an own draft, or a sent document with a new version.
        chosen: what the sender picked; None takes what the table says.

    Raises:
        CaseError: nobody is left to receive it, or the choice is not what the table allows.
    """
    reply = document.parent_id is not None
    step = definition.tables[case.role].step_for(document.type, starter=document.starter, reply=reply)
    allowed = (
        _reached(case, definition, document)
        if document.is_exchanged
        else _allowed(case, definition, step, document)
    )
    if not allowed:
        raise CaseError(
            f"Expected a participant that may receive {document.type}, found none in case {case.id}",
            hint="Choose participants first.",
            case=case.id,
        )
    if chosen is None:
        return _default(case, step, document, allowed)
    return _checked(step, document, allowed, chosen)


def _reached(case: Case, definition: BucDefinition, document: Document) -> tuple[InstitutionId, ...]:
    """Who has a document now: who got it or took such a place, and who joined later and was given it.

    A new version goes to whom the earlier one went to (AD_BUC_10, documented), an invalidation too.
    """
    reached = dict.fromkeys(case.now_at(receiver) for receiver in document.receivers)
    if went_to_all(case, definition, document):
        reached.update(dict.fromkeys(p.institution for p in case.others if p.joined))
    active = {participant.institution for participant in case.others}
    return tuple(receiver for receiver in reached if receiver in active)


def _allowed(
    case: Case, definition: BucDefinition, step: Step | None, document: Document
) -> tuple[InstitutionId, ...]:
    parent = case.find(document.parent_id)
    everybody = tuple(p.institution for p in case.others if step is None or p.role in step.to)
    if document.change is not None and document.change.joins is not None:
        everybody = (*everybody, document.change.joins)
    if step is None or parent is None:
        return everybody
    if step.addressing is Addressing.PARENT_SENDER:
        return tuple(institution for institution in everybody if institution == case.now_at(parent.sender))
    if step.addressing is Addressing.PARENT_RECEIVERS:
        reached = _reached(case, definition, parent)
        return tuple(institution for institution in everybody if institution in reached)
    return everybody


def _default(
    case: Case, step: Step | None, document: Document, allowed: tuple[InstitutionId, ...]
) -> tuple[InstitutionId, ...]:
    """A reply that the sender may address goes to who asked; everything else to everybody allowed (inferred)."""
    parent = case.find(document.parent_id)
    picks = step is not None and step.addressing is Addressing.SELECTED
    asker = case.now_at(parent.sender) if parent else None
    if picks and not document.is_exchanged and asker in allowed:
        return (asker,)
    return allowed


def _checked(
    step: Step | None,
    document: Document,
    allowed: tuple[InstitutionId, ...],
    chosen: Collection[InstitutionId],
) -> tuple[InstitutionId, ...]:
    strangers = [institution for institution in chosen if institution not in allowed]
    if strangers or not chosen:
        raise CaseError(
            f"Expected receivers among {', '.join(allowed)} for {document.type}, "
            f'found "{", ".join(strangers)}"',
            hint="Name only participants to whom the table sends this SED.",
        )
    picks = step is not None and step.addressing is Addressing.SELECTED and not document.is_exchanged
    if not picks and set(chosen) != set(allowed):
        raise CaseError(
            f"Expected all of {', '.join(allowed)} for {document.type}, found only {', '.join(chosen)}",
            hint="This SED goes to all of them; leave the receivers out.",
        )
    return tuple(institution for institution in allowed if institution in chosen)
