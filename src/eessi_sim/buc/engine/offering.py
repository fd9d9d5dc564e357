"""The actions of a case: derived from its history and its table, each time anew."""

from dataclasses import replace
from datetime import datetime

from eessi_sim.buc.actions import Action, ActionStatus, Category, Operation, action_id
from eessi_sim.buc.administration import CaseEffect
from eessi_sim.buc.case import Case, CaseStatus, Document, DocumentStatus
from eessi_sim.buc.definition import BucDefinition, Step
from eessi_sim.buc.offers import Offer, Offers, own_offers, parent_stands, permissions_of, picks_receivers
from eessi_sim.buc.terms import Addressing, Permission, StepKind
from eessi_sim.errors import ActionNotAvailable
from eessi_sim.identifiers import SedType

_READING = frozenset(
    {
        Operation.READ,
        Operation.READ_PARTICIPANTS,
        Operation.LOCAL_REOPEN,
        Operation.ARCHIVE_CASE,
        Operation.RESTORE_CASE,
    }
)
"""What remains of a case that is not open; everything else is suspended (documented for attachments)."""


def actions(case: Case, definition: BucDefinition, now: datetime) -> tuple[Action, ...]:
    """Return every action of the case, suspended ones included.

    Args:
        case: the copy of a case.
        definition: its table.
        now: the present time; delayed actions depend on it.
    """
    if case.status is CaseStatus.REMOVED:
        return ()
    offers = own_offers(case, definition)
    found = [
        *_case_actions(case, definition),
        *(_create(case, definition, offer, now) for offer in offers.open.values()),
    ]
    for document in case.documents:
        found += _document_actions(case, definition, document, offers)
    return tuple(each if _is_usable(case, definition, each) else _suspended(each) for each in found)


def _is_usable(case: Case, definition: BucDefinition, action: Action) -> bool:
    """Whether an action can be used in a case of this status, apart from what its step says."""
    if not action.is_active or action.operation in _READING:
        return action.is_active
    if action.sed is None:
        return case.status is CaseStatus.OPEN
    return takes_part(case, definition, action.sed)


def available_actions(case: Case, definition: BucDefinition, now: datetime) -> tuple[Action, ...]:
    """Return the actions that can be used now."""
    return tuple(action for action in actions(case, definition, now) if action.is_active)


def find_action(case: Case, definition: BucDefinition, now: datetime, action_id: str) -> Action | None:
    """Return the action with this id, suspended or not; None when it is not offered."""
    return next((action for action in actions(case, definition, now) if action.id == action_id), None)


def is_usable(case: Case, definition: BucDefinition, offer: Offer, now: datetime) -> bool:
    """Return whether a document of this offer can be created now."""
    if not takes_part(case, definition, offer.step.sed) or offer.suspended:
        return False
    from_time = _waits_until(case, definition, offer)
    return from_time is None or now >= from_time


def takes_part(case: Case, definition: BucDefinition, sed: SedType) -> bool:
    """Return whether documents of this type can be made now: an open case all, a closed one those that reopen it."""
    if sed in definition.reopening:
        return case.is_closed_for_all
    return case.status is CaseStatus.OPEN


def _waits_until(case: Case, definition: BucDefinition, offer: Offer) -> datetime | None:
    rule = definition.administrative.get(offer.step.sed)
    closes = rule is not None and rule.effect is CaseEffect.CLOSE_CASE
    return close_offered_from(case, definition) if closes else None


def close_offered_from(case: Case, definition: BucDefinition) -> datetime | None:
    """Return when X001 can first be sent; None means no delay holds it back.

    The delay counts from the latest SED that the table names; in LA_BUC_02 it ends early when every
    counterparty has approved (RINA, documented).
    """
    rule = definition.close
    if rule.after is None or (rule.at_once_if and definition.all_hold((rule.at_once_if,), case)):
        return None
    times = [document.exchanged_at for document in case.exchanged() if document.type == rule.since]
    return (times[-1] if times and times[-1] else case.created_at) + rule.after


def not_available(case: Case, definition: BucDefinition, wanted: str, now: datetime) -> ActionNotAvailable:
    """Return the error that refuses an action and names what is possible instead."""
    possible = tuple(dict.fromkeys(action.text for action in available_actions(case, definition, now)))
    return ActionNotAvailable(
        f'Expected an action that case {case.id} offers now, found "{wanted}"',
        available=possible,
        hint=f"Possible now: {', '.join(possible)}." if possible else "Nothing is possible in this case.",
        case=case.id,
        buc=case.buc,
        status=case.status,
    )


def _suspended(action: Action) -> Action:
    return replace(action, status=ActionStatus.SUSPENDED)


def _case_actions(case: Case, definition: BucDefinition) -> list[Action]:
    if case.status is CaseStatus.ARCHIVED:
        return [_on_case(case, Operation.RESTORE_CASE)]
    if case.status is CaseStatus.CLOSED:
        own = case.find_participant(case.own)
        takes_part = case.is_closed_locally and own is not None and own.active
        reopen = [_on_case(case, Operation.LOCAL_REOPEN)] if takes_part else []
        return [*reopen, _on_case(case, Operation.ARCHIVE_CASE)]
    if case.is_started:
        return [_on_case(case, Operation.LOCAL_CLOSE)] if case.role in definition.close.local else []
    # Only an owner has a case that is not started: every other copy begins with the starter.
    choose = Operation.UPDATE_PARTICIPANTS if case.counterparties else Operation.SELECT_PARTICIPANTS
    return [_on_case(case, choose, Category.PARTICIPANTS), _on_case(case, Operation.DELETE_CASE)]


def _on_case(case: Case, operation: Operation, category: Category = Category.CASE_ACTIONS) -> Action:
    return Action(id=action_id(case.id, operation), operation=operation, category=category)


def _create(case: Case, definition: BucDefinition, offer: Offer, now: datetime) -> Action:
    sed = offer.step.sed
    usable = is_usable(case, definition, offer, now)
    return Action(
        id=action_id(case.id, Operation.CREATE, sed, parent_id=offer.parent_id),
        operation=Operation.CREATE,
        category=_category(offer),
        status=ActionStatus.ACTIVE if usable else ActionStatus.SUSPENDED,
        sed=sed,
        parent_id=offer.parent_id,
        available_from=_waits_until(case, definition, offer),
    )


def _category(offer: Offer) -> Category:
    step = offer.step
    if step.kind is StepKind.HORIZONTAL:
        return Category.HORIZONTAL
    if step.kind is StepKind.ADMINISTRATIVE and offer.parent_id is None:
        return Category.CASE_ACTIONS
    return Category.DOCUMENTS


def _document_actions(
    case: Case, definition: BucDefinition, document: Document, offers: Offers
) -> list[Action]:
    return [
        Action(
            id=action_id(case.id, operation, document.type, document_id=document.id),
            operation=operation,
            sed=document.type,
            document_id=document.id,
            parent_id=document.parent_id,
        )
        for operation in sorted(document_operations(case, definition, document, offers))
    ]


def document_operations(
    case: Case, definition: BucDefinition, document: Document, offers: Offers
) -> set[Operation]:
    """Return what can be done with a document while the case is open (RINA's samples, observed)."""
    operations = {Operation.READ}
    if document.is_exchanged and picks_receivers(case, definition, document):
        operations.add(Operation.READ_PARTICIPANTS)
    if document.is_draft:
        operations |= {Operation.UPDATE, Operation.DELETE}
        offer = offers.drafts.get(document.id)
        if offer is not None and parent_stands(case, offer, case.own):
            operations.add(_send_operation(definition, offer.step))
    elif _may_update(case, definition, document, offers):
        operations.add(Operation.UPDATE)
        if document.status is DocumentStatus.ACTIVE:
            operations.add(Operation.SEND)
    if Operation.UPDATE in operations and Permission.ATTACH in permissions_of(case, definition, document):
        operations.add(Operation.ADD_ATTACHMENT)
        if document.attachments:
            operations.add(Operation.REMOVE_ATTACHMENT)
    return operations


def _may_update(case: Case, definition: BucDefinition, document: Document, offers: Offers) -> bool:
    return (
        document.sender == case.own
        and document.stands
        and document.type not in offers.frozen
        and Permission.UPDATE in permissions_of(case, definition, document)
    )


def _send_operation(definition: BucDefinition, step: Step) -> Operation:
    """SendParticipants replaces Send where the sender picks the receivers (observed)."""
    picks = step.addressing is Addressing.SELECTED and not definition.is_bilateral
    return Operation.SEND_PARTICIPANTS if picks else Operation.SEND
