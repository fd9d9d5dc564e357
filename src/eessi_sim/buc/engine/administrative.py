"""What administrative SEDs do to a case once they were sent or received; the same on both sides."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

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
from eessi_sim.buc.definition import AdministrativeRule, CaseEffect
from eessi_sim.buc.engine.history import noted


@dataclass(frozen=True, slots=True)
class Deed:
    """An administrative SED that was sent or received: the document, who decided it, when."""

    document: Document
    actor: Actor
    at: datetime
    text: str = ""
    """What an X050 says about the problem."""


def applied(case: Case, rule: AdministrativeRule | None, deed: Deed) -> Case:
    """Return the case after the effect of an X-SED.

    Args:
        case: the case that already holds the X-SED.
        rule: its row in ``AD.yaml``; None for a SED that is not administrative.
        deed: the X-SED, who sent it and when.
    """
    if rule is None or rule.effect is CaseEffect.NONE:
        return case
    if rule.effect is CaseEffect.CLOSE_CASE:
        closed = replace(case, status=CaseStatus.CLOSED)
        return _noted(closed, EventKind.CLOSED, deed.document, deed)
    target = case.find(deed.document.parent_id)
    if target is None:
        return case  # an X050 may be about a message that never became a document here
    change, kind = _ON_TARGET[rule.effect]
    changed = change(target, deed)
    return _noted(case.with_document(changed), kind, changed, deed)


def _noted(case: Case, kind: EventKind, document: Document, deed: Deed) -> Case:
    return noted(
        case, kind, now=deed.at, actor=deed.actor, document=document, institution=deed.document.sender
    )


def _cancelled(target: Document, _deed: Deed) -> Document:
    return replace(target, status=DocumentStatus.CANCELLED)


def _refused(target: Document, deed: Deed) -> Document:
    return replace(target, refused_by=(*target.refused_by, deed.document.sender))


def _failed(target: Document, deed: Deed) -> Document:
    """The failing message stays sent, with the error shown at its receiver (X050, inferred)."""
    versions = tuple(
        replace(version, deliveries=tuple(_marked(delivery, deed) for delivery in version.deliveries))
        if version.number == target.exchanged_version
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
