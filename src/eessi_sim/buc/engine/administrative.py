"""What administrative SEDs do to a case once they were sent or received; the same on both sides."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from eessi_sim.buc.administration import CHANGES_PARTICIPANTS, AdministrativeRule, CaseEffect
from eessi_sim.buc.case import (
    Actor,
    Case,
    CaseStatus,
    Delivery,
    DeliveryStatus,
    Document,
    DocumentStatus,
    EventKind,
)
from eessi_sim.buc.definition import BucDefinition
from eessi_sim.buc.engine.history import noted
from eessi_sim.buc.engine.participation import changed
from eessi_sim.buc.offers import answers_to


@dataclass(frozen=True, slots=True)
class Deed:
    """An administrative SED that was sent or received: the document, who decided it, when."""

    document: Document
    actor: Actor
    at: datetime
    text: str = ""
    """What an exception says about the problem."""
    target_version: int | None = None
    """Which version of its target the sender had, where that was told."""


def applied(case: Case, definition: BucDefinition, deed: Deed) -> Case:
    """Return the case after the effect of an X-SED.

    Args:
        case: the case that already holds the document.
        definition: its table; a SED that is not administrative has no effect.
        deed: the document, who sent it and when.
    """
    rule = definition.administrative.get(deed.document.type)
    if rule is None or rule.effect is CaseEffect.NONE:
        return case
    if rule.effect is CaseEffect.CLOSE_CASE:
        closed = replace(case, status=CaseStatus.CLOSED)
        return _noted(closed, EventKind.CLOSED, deed.document, deed)
    if rule.effect is CaseEffect.REOPEN_CASE:
        return _reopened(case, definition, rule, deed)
    if rule.effect in CHANGES_PARTICIPANTS:
        return _with_participants(case, rule, deed)
    target = case.find(deed.document.parent_id)
    if target is None:
        return case  # an exception may be about a message that never became a document here
    change, kind = _ON_TARGET[rule.effect]
    after = change(target, deed)
    return _noted(case.with_document(after), kind, after, deed)


def says_yes(definition: BucDefinition, document: Document) -> bool:
    """Return whether an answer or a decision agrees: whether it states the fact that its row names."""
    rule = definition.administrative.get(document.type)
    return rule is not None and bool(set(rule.facts) & set(document.facts or ()))


def _reopened(case: Case, definition: BucDefinition, rule: AdministrativeRule, deed: Deed) -> Case:
    """A decision to reopen opens every copy but those whose institution had refused (inferred)."""
    own_answers = [
        d for d in answers_to(case, definition, rule, deed.document.sender) if d.sender == case.own
    ]
    refused = any(not says_yes(definition, answer) for answer in own_answers)
    if not says_yes(definition, deed.document) or refused:
        return case
    return _noted(replace(case, status=CaseStatus.OPEN), EventKind.REOPENED, deed.document, deed)


def _with_participants(case: Case, rule: AdministrativeRule, deed: Deed) -> Case:
    """Who leaves keeps its copy: closed when it was removed (inferred), archived when it forwarded (documented)."""
    change = deed.document.change
    assert change is not None  # checked before the document was taken
    told = _noted(changed(case, change), EventKind.PARTICIPANTS_CHANGED, deed.document, deed)
    if change.leaves != case.own:
        return told
    if rule.effect is CaseEffect.REMOVE_PARTICIPANT:
        return _noted(replace(told, status=CaseStatus.CLOSED), EventKind.CLOSED_LOCALLY, deed.document, deed)
    return _noted(replace(told, status=CaseStatus.ARCHIVED), EventKind.ARCHIVED, deed.document, deed)


def _noted(case: Case, kind: EventKind, document: Document, deed: Deed) -> Case:
    return noted(
        case, kind, now=deed.at, actor=deed.actor, document=document, institution=deed.document.sender
    )


def _cancelled(target: Document, _deed: Deed) -> Document:
    return replace(target, status=DocumentStatus.CANCELLED)


def _refused(target: Document, deed: Deed) -> Document:
    if deed.target_version is not None and deed.target_version < target.exchanged_version:
        return target  # it crossed a newer version, which nobody refused
    return replace(target, refused_by=(*target.refused_by, deed.document.sender))


def _failed(target: Document, deed: Deed) -> Document:
    """The version stays sent, with the error shown at its receiver; the latest one, where none is named (inferred)."""
    reporter = deed.document.sender
    sent = [
        version.number
        for version in target.versions
        if deed.target_version in (None, version.number)
        and any(delivery.receiver == reporter for delivery in version.deliveries)
    ]
    versions = tuple(
        replace(version, deliveries=tuple(_marked(delivery, deed) for delivery in version.deliveries))
        if version.number in sent[-1:]
        else version
        for version in target.versions
    )
    return replace(target, versions=versions)


def _marked(delivery: Delivery, deed: Deed) -> Delivery:
    if delivery.receiver != deed.document.sender:
        return delivery
    return replace(delivery, status=DeliveryStatus.ERROR, at=deed.at, detail=deed.text)


_ON_TARGET: Final[Mapping[CaseEffect, tuple[Callable[[Document, Deed], Document], EventKind]]] = {
    CaseEffect.CANCEL_DOCUMENT: (_cancelled, EventKind.INVALIDATED),
    CaseEffect.REFUSE_DOCUMENT: (_refused, EventKind.REJECTED),
    CaseEffect.MARK_DELIVERY: (_failed, EventKind.EXCEPTION),
}
