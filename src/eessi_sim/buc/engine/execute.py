"""What a user does with the documents of a case: create, save, delete, send; and what became of a message."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from eessi_sim.buc.actions import Operation
from eessi_sim.buc.administration import CHANGES_PARTICIPANTS, AdministrativeRule, CaseEffect
from eessi_sim.buc.case import (
    Actor,
    Case,
    CaseAction,
    CaseStatus,
    Delivery,
    DeliveryStatus,
    Direction,
    Document,
    DocumentStatus,
    DocumentVersion,
    EventKind,
    Statement,
)
from eessi_sim.buc.definition import BucDefinition
from eessi_sim.buc.effects import Effect, Occasion, Outcome, Schedule, SendDocument
from eessi_sim.buc.engine.administrative import Deed, applied, says_yes
from eessi_sim.buc.engine.history import next_order, noted, revised, with_latest, with_version
from eessi_sim.buc.engine.offering import (
    close_offered_from,
    document_operations,
    is_usable,
    not_available,
    takes_part,
)
from eessi_sim.buc.engine.participation import completed, fault_of, handed_over
from eessi_sim.buc.engine.receivers import receivers_for
from eessi_sim.buc.offers import Offer, answers_to, own_offers
from eessi_sim.errors import CaseError
from eessi_sim.identifiers import DocumentId, InstitutionId, MessageId, SedType

SILENT = Statement()
"""A document that says nothing that its process must know."""
_SENDING = (Operation.SEND, Operation.SEND_PARTICIPANTS)


def create(
    case: Case,
    definition: BucDefinition,
    sed: SedType,
    *,
    document_id: DocumentId,
    now: datetime,
    actor: Actor,
    parent_id: DocumentId | None = None,
    says: Statement = SILENT,
) -> Outcome:
    """Start a draft of a SED that the case offers.

    Args:
        case: the copy of a case.
        definition: its table.
        sed: type of the new document.
        document_id: id of the new document.
        now: the present time.
        actor: who decides it.
        parent_id: the request to answer, or the SED that an X-SED is about; may be left out when only
            one is possible, or when the SED may be sent on its own.
        says: what its content says that the table asks for.

    Raises:
        ActionNotAvailable: the table does not offer this SED now.
        CaseError: the document id is used already, or the SED must say more than is told.
    """
    if case.find(document_id) is not None:
        raise CaseError(f'Expected a new document id, found "{document_id}" in case {case.id}', case=case.id)
    offer = _offer_for(case, definition, sed, parent_id, now)
    rule = definition.administrative.get(sed)
    if rule is not None:
        says = replace(says, change=completed(case, rule, says.change))
        _check_content(case, definition, rule, says)
    draft = Document(
        id=document_id,
        type=sed,
        direction=Direction.OUT,
        status=DocumentStatus.NEW,
        sender=case.own,
        parent_id=offer.parent_id,
        starter=offer.step.starter and not case.is_started,
        facts=says.facts,
        change=says.change,
        versions=(DocumentVersion(number=1, actor=actor, saved_at=now),),
    )
    return _outcome(case.with_document(draft), EventKind.CREATED, draft, now=now, actor=actor)


def _check_content(case: Case, definition: BucDefinition, rule: AdministrativeRule, says: Statement) -> None:
    """Some administrative SEDs do what their content says; without it they would do nothing, or harm."""
    if rule.effect in CHANGES_PARTICIPANTS:
        fault = fault_of(case, definition, rule, case.own, says.change)
        if fault is not None:
            raise CaseError(
                f"Expected a change of the participants that {rule.sed} can bring, found that {fault}",
                hint="Name an institution that can join, or one that can leave.",
                case=case.id,
            )
    if rule.facts and says.facts is None:
        raise CaseError(
            f"Expected to be told whether {rule.sed} says {' or '.join(rule.facts)}, found nothing",
            hint="Tell the facts of its content; none of them means no.",
            case=case.id,
        )
    agreed = [d for d in answers_to(case, definition, rule, case.own) if says_yes(definition, d)]
    if rule.effect is CaseEffect.REOPEN_CASE and says.facts and not agreed:
        raise CaseError(
            f"Expected a participant that agreed before {rule.sed} says {says.facts[0]}, found none",
            hint="When nobody agrees, the decision is no.",
            case=case.id,
        )


def _offer_for(
    case: Case, definition: BucDefinition, sed: SedType, parent_id: DocumentId | None, now: datetime
) -> Offer:
    offers = [
        offer
        for offer in own_offers(case, definition, sed).open.values()
        if parent_id in (None, offer.parent_id) and is_usable(case, definition, offer, now)
    ]
    if not offers:
        raise not_available(case, definition, f"{Operation.CREATE} {sed}", now)
    alone = [offer for offer in offers if offer.parent_id is None]
    if len(offers) > 1 and not alone:
        raise CaseError(
            f"Expected the SED that {sed} is about, found {len(offers)} possible ones in case {case.id}",
            hint=f"Name one of them as parent: {', '.join(str(offer.parent_id) for offer in offers)}.",
            case=case.id,
        )
    return (alone or offers)[0]


def update(
    case: Case,
    definition: BucDefinition,
    document_id: DocumentId,
    *,
    now: datetime,
    actor: Actor,
    facts: tuple[str, ...] | None = None,
) -> Outcome:
    """Save a new version: of a draft, or of a sent document, which becomes ``active`` until it is sent.

    Args:
        case: the copy of a case.
        definition: its table.
        document_id: the draft or the sent document.
        now: the present time.
        actor: who decides it.
        facts: what its content says now; None leaves what was known.

    Raises:
        DocumentNotFound: no such document in this case.
        ActionNotAvailable: the table does not let it be changed.
    """
    document = _require(case, definition, document_id, (Operation.UPDATE,), now)
    version = DocumentVersion(
        number=document.version + 1, actor=actor, saved_at=now, attachments=document.attachments
    )
    saved = with_version(document, version)
    if facts is not None:
        saved = replace(saved, facts=facts)
    if document.status is DocumentStatus.SENT:
        saved = replace(saved, status=DocumentStatus.ACTIVE)
    return _outcome(case.with_document(saved), EventKind.SAVED, saved, now=now, actor=actor)


def delete(
    case: Case, definition: BucDefinition, document_id: DocumentId, *, now: datetime, actor: Actor
) -> Outcome:
    """Delete a draft; its step is offered again, the history keeps its trace.

    Raises:
        DocumentNotFound: no such document in this case.
        ActionNotAvailable: it is no draft, or the case is not open.
    """
    draft = _require(case, definition, document_id, (Operation.DELETE,), now)
    rest = replace(case, documents=tuple(d for d in case.documents if d.id != document_id))
    return _outcome(rest, EventKind.DELETED, draft, now=now, actor=actor)


def send(
    case: Case,
    definition: BucDefinition,
    document_id: DocumentId,
    *,
    receivers: Collection[InstitutionId] | None = None,
    now: datetime,
    actor: Actor,
) -> Outcome:
    """Send a draft, or the open new version of a sent document.

    Args:
        case: the copy of a case.
        definition: its table.
        document_id: the draft or the active document.
        receivers: whom to send it to, where the table lets the sender pick; None takes its default.
        now: the present time.
        actor: who decides it.

    Raises:
        DocumentNotFound: no such document in this case.
        ActionNotAvailable: it cannot be sent now.
        CaseError: the receivers are not what the table allows, or what an X-SED says has become impossible.
    """
    document = _require(case, definition, document_id, _SENDING, now)
    rule = definition.administrative.get(document.type)
    if rule is not None:
        _check_content(case, definition, rule, Statement(document.facts, document.change))
    to = receivers_for(case, definition, document, receivers)
    is_update = document.is_exchanged
    deliveries = tuple(Delivery(receiver=r, status=DeliveryStatus.SENT, at=now) for r in to)
    latest = replace(document.versions[-1], sent_at=now, deliveries=deliveries)
    sent = replace(
        with_latest(document, latest),
        status=DocumentStatus.SENT,
        receivers=to,
        order=document.order or next_order(case),
        refused_by=(),
    )
    kind = EventKind.UPDATE_SENT if is_update else EventKind.SENT
    told = noted(case.with_document(sent), kind, now=now, actor=actor, document=sent)
    after = applied(told, definition, Deed(sent, actor, now))
    effects = (
        _message(case, sent, is_update=is_update),
        *handed_over(after, definition, rule, sent),
        *_timer(after, definition, sent, is_update=is_update),
    )
    return Outcome(revised(after), sent, effects)


def _message(
    case: Case, document: Document, *, is_update: bool, about_version: int | None = None
) -> SendDocument:
    parent = case.find(document.parent_id)
    first = CaseAction.START if document.starter else CaseAction.NEW
    return SendDocument(
        document_id=document.id,
        version=document.version,
        sed=document.type,
        receivers=document.receivers,
        case_action=CaseAction.UPDATE if is_update else first,
        parent_id=document.parent_id,
        parent_version=about_version or (parent.exchanged_version if parent else None),
    )


def _timer(
    case: Case, definition: BucDefinition, document: Document, *, is_update: bool
) -> tuple[Effect, ...]:
    rule = definition.close
    at = close_offered_from(case, definition)
    if is_update or at is None or case.role not in rule.by or document.type != rule.since:
        return ()
    return (Schedule(at, Occasion.CLOSE_OFFERED),)


def report_exception(
    case: Case,
    definition: BucDefinition,
    *,
    document_id: DocumentId,
    receiver: InstitutionId,
    about: DocumentId | None,
    about_version: int | None = None,
    now: datetime,
    actor: Actor,
) -> Outcome:
    """Send a business exception about a received message; in any state of the case but removed.

    Args:
        case: the copy of a case that the message belongs to.
        definition: its table.
        document_id: id of the new document.
        receiver: sender of the message that could not be processed.
        about: id of the refused document, also when this copy does not hold it.
        about_version: its version; the latest that this copy holds when not told.
        now: the present time.
        actor: who decides it, the node as a rule.

    Raises:
        CaseError: the case is removed, the document id is used, the message was itself an exception, or the
            tables know none.
    """
    refused = case.find(about)
    rule = definition.rule_with(CaseEffect.MARK_DELIVERY)
    if case.status is CaseStatus.REMOVED or case.find(document_id) is not None:
        raise CaseError(f"Expected a case and a new document id, found {case.status} case {case.id}")
    if rule is None or (refused is not None and refused.type == rule.sed):
        raise CaseError(f"Expected a SED that an exception may be about, found {refused and refused.type}")
    version = DocumentVersion(
        number=1,
        actor=actor,
        saved_at=now,
        sent_at=now,
        deliveries=(Delivery(receiver=receiver, status=DeliveryStatus.SENT, at=now),),
    )
    report = Document(
        id=document_id,
        type=rule.sed,
        direction=Direction.OUT,
        status=DocumentStatus.SENT,
        sender=case.own,
        parent_id=about,
        receivers=(receiver,),
        order=next_order(case),
        versions=(version,),
    )
    outcome = _outcome(case.with_document(report), EventKind.SENT, report, now=now, actor=actor)
    return replace(outcome, effects=(_message(case, report, is_update=False, about_version=about_version),))


def record_sent(
    case: Case,
    document_id: DocumentId,
    version: int,
    message_ids: Mapping[InstitutionId, MessageId],
) -> Case:
    """Return the case that knows which message carries a version to which receiver.

    Raises:
        DocumentNotFound: no such document in this case.
        CaseError: the version was not sent to one of the receivers.
    """
    document = case.get(document_id)
    sent = next((v for v in document.versions if v.number == version), None)
    known = {delivery.receiver for delivery in sent.deliveries} if sent else set()
    if sent is None or not known >= set(message_ids):
        raise CaseError(
            f"Expected receivers of version {version} of {document.type}, "
            f"found {', '.join(sorted(set(message_ids) - known)) or 'no such version'}",
            case=case.id,
            document=document_id,
        )
    deliveries = tuple(
        replace(d, message_id=message_ids.get(d.receiver, d.message_id)) for d in sent.deliveries
    )
    return _with_deliveries(case, document, {version: deliveries})


def record_handed_over(
    case: Case,
    document_id: DocumentId,
    version: int,
    message_ids: Mapping[InstitutionId, MessageId],
    *,
    at: datetime,
) -> Case:
    """Return the case that knows which message brings an exchanged document to a new participant.

    Raises:
        DocumentNotFound: no such document in this case.
    """
    document = case.get(document_id)
    known = next((v.deliveries for v in document.versions if v.number == version), ())
    more = (
        Delivery(receiver=receiver, status=DeliveryStatus.SENT, at=at, message_id=message_id)
        for receiver, message_id in message_ids.items()
    )
    return _with_deliveries(case, document, {version: (*known, *more)})


def record_delivery(
    case: Case, message_id: MessageId, status: DeliveryStatus, *, at: datetime, detail: str = ""
) -> Case:
    """Return the case that knows what became of a message: receipted, or failed for good.

    Args:
        case: the copy of a case.
        message_id: the message, as ``record_sent`` was told.
        status: what became of it.
        at: when.
        detail: sentence of the error, empty when it arrived.

    Raises:
        CaseError: no document of this case travelled in this message.
    """
    for document in case.documents:
        for version in document.versions:
            if any(delivery.message_id == message_id for delivery in version.deliveries):
                deliveries = tuple(
                    replace(d, status=status, at=at, detail=detail) if d.message_id == message_id else d
                    for d in version.deliveries
                )
                return _with_deliveries(case, document, {version.number: deliveries})
    raise CaseError(f'Expected a message of case {case.id}, found "{message_id}"', case=case.id)


def _with_deliveries(case: Case, document: Document, deliveries: Mapping[int, tuple[Delivery, ...]]) -> Case:
    versions = tuple(
        replace(version, deliveries=deliveries.get(version.number, version.deliveries))
        for version in document.versions
    )
    return revised(case.with_document(replace(document, versions=versions)))


def _require(
    case: Case,
    definition: BucDefinition,
    document_id: DocumentId,
    operations: Sequence[Operation],
    now: datetime,
) -> Document:
    document = case.get(document_id)
    possible = document_operations(case, definition, document, own_offers(case, definition, document.type))
    if takes_part(case, definition, document.type) and not possible.isdisjoint(operations):
        return document
    raise not_available(case, definition, f"{operations[0]} {document.type}", now)


def _outcome(case: Case, kind: EventKind, document: Document, *, now: datetime, actor: Actor) -> Outcome:
    return Outcome(revised(noted(case, kind, now=now, actor=actor, document=document)), document)
