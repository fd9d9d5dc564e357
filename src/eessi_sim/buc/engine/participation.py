"""Who takes part in a running case: one more, one less, one in the place of another; the same on every side."""

from dataclasses import replace

from eessi_sim.buc.administration import CHANGES_PARTICIPANTS, AdministrativeRule, CaseEffect
from eessi_sim.buc.case import (
    Case,
    CaseAction,
    CaseRole,
    Document,
    Participant,
    ParticipantChange,
)
from eessi_sim.buc.definition import BucDefinition
from eessi_sim.buc.effects import SendDocument
from eessi_sim.buc.offers import went_to_all
from eessi_sim.identifiers import InstitutionId

_TOLD_AGAIN = frozenset({CaseEffect.NONE, CaseEffect.CANCEL_DOCUMENT, CaseEffect.REFUSE_DOCUMENT})
_JOINS = CHANGES_PARTICIPANTS - {CaseEffect.REMOVE_PARTICIPANT}
_LEAVES = CHANGES_PARTICIPANTS - {CaseEffect.ADD_PARTICIPANT}


def completed(
    case: Case, rule: AdministrativeRule, change: ParticipantChange | None
) -> ParticipantChange | None:
    """Return the change with what goes without saying: who forwards a case leaves it."""
    if change is not None and rule.effect is CaseEffect.FORWARD_CASE and change.leaves is None:
        return replace(change, leaves=case.own)
    return change


def fault_of(
    case: Case,
    definition: BucDefinition,
    rule: AdministrativeRule,
    sender: InstitutionId,
    change: ParticipantChange | None,
) -> str | None:
    """Return why a change of the participants is not possible, None when it is.

    Args:
        case: the copy before the change.
        definition: its table.
        rule: the administrative SED that brings it.
        sender: who sends it.
        change: who joins and who leaves.
    """
    if change is None:
        return "who joins and who leaves is not said"
    joins = rule.effect in _JOINS
    leaves = rule.effect in _LEAVES
    if (change.joins is not None) is not joins or (change.leaves is not None) is not leaves:
        return "somebody joins or leaves who should not, or nobody does"
    if change.joins is not None and case.find_participant(change.joins) is not None:
        return f"{change.joins} takes part already, or did before"
    return _fault_of_leaver(case, definition, rule, sender, change.leaves) if change.leaves else None


def _fault_of_leaver(
    case: Case,
    definition: BucDefinition,
    rule: AdministrativeRule,
    sender: InstitutionId,
    leaves: InstitutionId,
) -> str | None:
    leaver = case.find_participant(leaves)
    if leaver is None or not leaver.active:
        return f"{leaves} does not take part"
    if rule.effect is CaseEffect.FORWARD_CASE and leaves != sender:
        return f"{sender} forwards the place of {leaves}"
    if rule.effect is not CaseEffect.REMOVE_PARTICIPANT:
        return None
    if leaver.role is CaseRole.CASE_OWNER or case.counterparties == (leaves,):
        return f"without {leaves} there is no case"
    only_itself = definition.cp_removes_only_itself and case.role_of(sender) is CaseRole.COUNTERPARTY
    return f"{sender} may remove only itself" if only_itself and sender != leaves else None


def was_added_before(case: Case, rule: AdministrativeRule, change: ParticipantChange | None) -> bool:
    """Return whether two institutions added the same one at once: the second time changes nothing (inferred)."""
    known = case.find_participant(change.joins) if change is not None and change.joins else None
    return rule.effect is CaseEffect.ADD_PARTICIPANT and known is not None and known.active and known.joined


def changed(case: Case, change: ParticipantChange) -> Case:
    """Return the case with the participants after a change; who left stays known, so do its documents."""
    kept = tuple(replace(p, active=False) if p.institution == change.leaves else p for p in case.participants)
    if change.joins is None or case.find_participant(change.joins) is not None:
        return replace(case, participants=kept)
    leaver = case.find_participant(change.leaves) if change.leaves else None
    new = Participant(
        change.joins,
        leaver.role if leaver else CaseRole.COUNTERPARTY,
        follows=change.leaves,
        joined=leaver is None,
    )
    return replace(case, participants=(*kept, new))


def handed_over(
    case: Case, definition: BucDefinition, rule: AdministrativeRule | None, document: Document
) -> tuple[SendDocument, ...]:
    """Return what a new participant is sent after the SED that brings it in.

    Who is added gets the latest version of every SED that the table addresses to all; who takes over a place
    gets everything that place sent or received. Both from the institution that lets it in, in the order of
    the exchange (inferred, bucs.md 7).

    Args:
        case: the copy of a case after the change.
        definition: its table.
        rule: the row of the SED, None for one that is not administrative.
        document: the SED that was sent or received.
    """
    change = document.change
    if rule is None or change is None or change.joins is None:
        return ()
    hands_over = change.leaves == case.own if change.leaves else document.sender == case.own
    if not hands_over:
        return ()
    return tuple(
        _copy_of(known, known.exchanged_version, (change.joins,))
        for known in case.exchanged()
        if known.id != document.id
        and (
            _belongs_to_the_place(case, definition, known)
            if change.leaves is not None
            else _belongs_to_all(case, definition, known)
        )
    )


def passed_on(
    case: Case, definition: BucDefinition, document: Document, version: int
) -> tuple[SendDocument, ...]:
    """Return what those are sent whom we brought in, or who took our place, when a sender did not know of them yet.

    A SED that crossed the one that brings somebody in has gone to all but the newcomer (inferred).

    Args:
        case: the copy of a case after the document was taken.
        definition: its table.
        document: what was received, with the receivers of this version.
        version: its version.
    """
    known = {document.sender, *document.receivers}
    rule = definition.administrative.get(document.type)
    if case.successor is not None:
        ends_here = rule is not None and rule.effect is CaseEffect.MARK_DELIVERY
        return (
            () if ends_here or case.successor in known else (_copy_of(document, version, (case.successor,)),)
        )
    ours = {d.change.joins for d in case.documents if d.change and d.sender == case.own and d.is_exchanged}
    missed = tuple(p.institution for p in case.others if p.joined and p.institution in ours - known)
    if not missed or not _concerns_all(case, definition, document):
        return ()
    return (_copy_of(document, version, missed),)


def _concerns_all(case: Case, definition: BucDefinition, document: Document) -> bool:
    rule = definition.administrative.get(document.type)
    if rule is None:
        return went_to_all(case, definition, document)
    target = case.find(document.parent_id)
    if rule.effect is CaseEffect.CANCEL_DOCUMENT:
        return target is not None and (target.starter or went_to_all(case, definition, target))
    return rule.effect in CHANGES_PARTICIPANTS or rule.effect in (
        CaseEffect.CLOSE_CASE,
        CaseEffect.REOPEN_CASE,
    )


def _copy_of(document: Document, version: int, receivers: tuple[InstitutionId, ...]) -> SendDocument:
    return SendDocument(
        document_id=document.id,
        version=version,
        sed=document.type,
        receivers=receivers,
        case_action=CaseAction.NEW,
        parent_id=document.parent_id,
        author=document.sender,
    )


def _belongs_to_all(case: Case, definition: BucDefinition, document: Document) -> bool:
    """What stands and went to all; and the starter, even invalidated, without which there is no case."""
    rule = definition.administrative.get(document.type)
    if rule is not None and rule.effect is CaseEffect.CANCEL_DOCUMENT:
        target = case.find(document.parent_id)
        return target is not None and target.starter
    return (document.stands or document.starter) and went_to_all(case, definition, document)


def _belongs_to_the_place(case: Case, definition: BucDefinition, document: Document) -> bool:
    """What has had its effect on the whole case, or on nothing any more, need not be told again."""
    rule = definition.administrative.get(document.type)
    if rule is None:
        return True
    if rule.effect is CaseEffect.REFUSE_DOCUMENT:
        target = case.find(document.parent_id)
        return target is not None and document.sender in target.refused_by
    return rule.sed not in definition.reopening and rule.effect in _TOLD_AGAIN


def was_let_in_by(case: Case, sender: InstitutionId) -> bool:
    """Return whether an institution may hand documents over to us: it let us in, or we took its place."""
    return any(
        document.change is not None
        and document.change.joins == case.own
        and sender in (document.sender, document.change.leaves)
        for document in case.documents
    )
