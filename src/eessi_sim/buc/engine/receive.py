"""A received document finds its case, or opens one; what does not fit is refused with a cause.

The caller has verified the message: signature, schema, competence. Here only the process is judged.
"""

from collections import Counter
from dataclasses import replace
from datetime import datetime

from eessi_sim.buc.administration import CHANGES_PARTICIPANTS, AdministrativeRule, CaseEffect
from eessi_sim.buc.case import (
    Attachment,
    Case,
    CaseAction,
    CaseRole,
    CaseStatus,
    Direction,
    Document,
    DocumentStatus,
    DocumentVersion,
    EventKind,
    Participant,
)
from eessi_sim.buc.definition import BucDefinition
from eessi_sim.buc.effects import Effect, NoticeKind, Notify, Outcome
from eessi_sim.buc.engine.administrative import Deed, applied
from eessi_sim.buc.engine.attaching import grown
from eessi_sim.buc.engine.expectation import check_content, expected_parent
from eessi_sim.buc.engine.history import next_order, noted, revised, system, with_version
from eessi_sim.buc.engine.incoming import IncomingDocument
from eessi_sim.buc.engine.participation import handed_over, passed_on, was_let_in_by
from eessi_sim.buc.offers import permissions_of
from eessi_sim.buc.refusal import ExceptionCause, refused
from eessi_sim.buc.terms import Addressing, Permission
from eessi_sim.errors import DocumentRefused
from eessi_sim.identifiers import CaseId, DocumentId, InstitutionId

_NOTICES = {
    CaseEffect.CLOSE_CASE: NoticeKind.CASE_CLOSED,
    CaseEffect.CANCEL_DOCUMENT: NoticeKind.DOCUMENT_INVALIDATED,
    CaseEffect.REFUSE_DOCUMENT: NoticeKind.DOCUMENT_REJECTED,
    CaseEffect.MARK_DELIVERY: NoticeKind.EXCEPTION_RECEIVED,
    CaseEffect.REOPEN_CASE: NoticeKind.CASE_REOPENED,
    **dict.fromkeys(CHANGES_PARTICIPANTS, NoticeKind.PARTICIPANTS_CHANGED),
}


def receive(
    case: Case | None,
    definition: BucDefinition,
    incoming: IncomingDocument,
    *,
    case_id: CaseId,
    own: InstitutionId,
    now: datetime,
) -> Outcome:
    """Take a received document into its case.

    Args:
        case: the copy with the international id of the document; None when there is none.
        definition: the table of the process that the envelope names.
        incoming: the document.
        case_id: number for our copy, should the document open a case.
        own: this institution.
        now: the present time.

    Raises:
        DocumentRefused: the document does not fit; its ``cause`` is the code for the X050.
    """
    if case is None and incoming.author is not None:
        raise _foreign(incoming, ExceptionCause.CASE_UNKNOWN)
    if case is None:
        return _opened(definition, incoming, case_id=case_id, own=own, now=now)
    known = case.find(incoming.document_id)
    if known is not None and _is_repeat(case, known, incoming):
        return Outcome(case, known, changed=False)
    if incoming.author is not None:
        return _handed_over(case, definition, incoming, incoming.author, now)
    _check_case(case, definition, incoming)
    if known is not None:
        return _repeated(case, definition, known, incoming, now)
    rule = definition.administrative.get(incoming.type)
    _check_open(case, rule, incoming)
    parent_id = expected_parent(case, definition, incoming)
    return _taken(case, definition, incoming, parent_id, now)


def _is_repeat(case: Case, known: Document, incoming: IncomingDocument) -> bool:
    """Whether we have it, or something newer: it changes nothing, whatever has become of case and sender since."""
    return (
        case.status is not CaseStatus.REMOVED
        and incoming.international_id == case.international_id
        and known.type == incoming.type
        and known.sender == (incoming.author or incoming.sender)
        and incoming.version <= known.version
    )


def _opened(
    definition: BucDefinition,
    incoming: IncomingDocument,
    *,
    case_id: CaseId,
    own: InstitutionId,
    now: datetime,
) -> Outcome:
    joins = _joins(definition, incoming, own)
    opens = incoming.type in definition.starters and incoming.case_action is CaseAction.START
    if not opens and not joins:
        raise refused(
            ExceptionCause.CASE_UNKNOWN,
            f"Expected a document of a known case, or a starter of {definition.buc}, "
            f"found {incoming.type} as {incoming.case_action} for case {incoming.international_id}",
            hint=f"Starters: {', '.join(definition.starters)}.",
            sed=incoming.type,
        )
    case = Case(
        id=case_id,
        international_id=incoming.international_id,
        buc=definition.buc,
        cdm=incoming.cdm,
        role=_role_in(incoming, own),
        own=own,
        participants=incoming.participants if joins else _participants(definition, incoming, own),
        created_at=now,
    )
    opened = noted(
        case,
        EventKind.OPENED,
        now=now,
        actor=system(f"{incoming.type} arrived"),
        institution=incoming.sender,
    )
    outcome = _taken(opened, definition, incoming, None, now)
    first = replace(outcome.case, revision=1)
    return replace(outcome, case=first, effects=(Notify(NoticeKind.CASE_OPENED), *outcome.effects))


def _joins(definition: BucDefinition, incoming: IncomingDocument, own: InstitutionId) -> bool:
    """Whether this document lets us into a running case; its envelope lists us among the participants."""
    rule = definition.administrative.get(incoming.type)
    change = incoming.change
    listed = any(p.institution == own for p in incoming.participants)
    return rule is not None and change is not None and change.joins == own and listed


def _role_in(incoming: IncomingDocument, own: InstitutionId) -> CaseRole:
    listed = (p.role for p in incoming.participants if p.institution == own)
    return next(listed, CaseRole.COUNTERPARTY)


def _handed_over(
    case: Case, definition: BucDefinition, incoming: IncomingDocument, author: InstitutionId, now: datetime
) -> Outcome:
    """A document from before our time; who let us in answers for it, we cannot judge it (inferred).

    Nobody else may bring what another one has written.
    """
    if not was_let_in_by(case, incoming.sender):
        raise _foreign(incoming, ExceptionCause.NOT_EXPECTED)
    rule = definition.administrative.get(incoming.type)
    if rule is not None and rule.effect in CHANGES_PARTICIPANTS:
        check_content(case, definition, rule, replace(incoming, sender=author))
    acts = rule is not None and rule.effect in (CaseEffect.CANCEL_DOCUMENT, CaseEffect.REFUSE_DOCUMENT)
    if acts and case.find(incoming.parent_id) is None:
        raise refused(
            ExceptionCause.NOT_EXPECTED,
            f"Expected the SED that {incoming.type} is about before it, found {incoming.type}",
            hint="Hand over documents in the order in which they were exchanged.",
            sed=incoming.type,
        )
    told = replace(incoming, sender=author)
    known = case.find(incoming.document_id)
    if known is not None:
        return _repeated(case, definition, known, told, now)
    return _taken(case, definition, told, incoming.parent_id, now)


def _foreign(incoming: IncomingDocument, cause: ExceptionCause) -> DocumentRefused:
    return refused(
        cause,
        f"Expected only who let us into the case to hand over documents of others, "
        f"found {incoming.type} of {incoming.author} from {incoming.sender}",
        hint="Send documents of your own; the SED that brings a participant in comes first.",
        sed=incoming.type,
    )


def _participants(
    definition: BucDefinition, incoming: IncomingDocument, own: InstitutionId
) -> tuple[Participant, ...]:
    listed = incoming.participants or (
        Participant(incoming.sender, incoming.sender_role),
        Participant(own, CaseRole.COUNTERPARTY),
    )
    owners = [p.institution for p in listed if p.role is CaseRole.CASE_OWNER]
    others = [p.institution for p in listed if p.role is CaseRole.COUNTERPARTY]
    once = max(Counter(owners + others).values()) == 1
    fits = len(others) == 1 or not definition.is_bilateral
    if owners != [incoming.sender] or own not in others or not once or not fits:
        raise refused(
            ExceptionCause.NOT_VALID,
            f"Expected {incoming.sender} as the one case owner and {own} as counterparty of a "
            f"{definition.participation} case, found owner {', '.join(owners) or 'none'} and "
            f"counterparties {', '.join(others) or 'none'}",
            hint="List every participant once, with the role it has in the case.",
            sed=incoming.type,
        )
    return listed


def _check_case(case: Case, definition: BucDefinition, incoming: IncomingDocument) -> None:
    if case.status is CaseStatus.REMOVED or incoming.international_id != case.international_id:
        raise refused(
            ExceptionCause.CASE_UNKNOWN,
            f"Expected a document of case {case.international_id}, found {incoming.international_id}",
            sed=incoming.type,
        )
    if definition.buc != case.buc:
        raise refused(
            ExceptionCause.NOT_EXPECTED,
            f"Expected {case.buc} in case {case.international_id}, found {definition.buc}",
            hint="The process of a case never changes; open another case.",
            sed=incoming.type,
        )
    rule = definition.administrative.get(incoming.type)
    if rule is not None and rule.effect is CaseEffect.REPLACE_PARTICIPANT:
        return  # told by a routing application, which is no participant
    if rule is not None and rule.effect is CaseEffect.MARK_DELIVERY and _was_sent_to(case, incoming):
        return  # whoever got a message may say that it failed, also who takes no part here any more, or not yet
    sender = case.find_participant(incoming.sender)
    reports = rule is not None and rule.effect is CaseEffect.MARK_DELIVERY  # also who has left may fail
    active = sender is not None and (sender.active or reports)
    taking_part = active and sender is not None and sender.role is incoming.sender_role
    if not taking_part or incoming.sender == case.own:
        known = ", ".join(f"{p.institution} ({p.role})" for p in case.others)
        raise refused(
            ExceptionCause.NO_PARTICIPANT,
            f"Expected a sender among {known or 'no other participant'}, "
            f"found {incoming.sender} ({incoming.sender_role})",
            hint="Only active participants send, in the role they have in the case.",
            sed=incoming.type,
        )


def _was_sent_to(case: Case, incoming: IncomingDocument) -> bool:
    """Whether the document that an exception is about went from us to its sender, by itself or handed over."""
    about = case.find(incoming.parent_id)
    if about is None:
        return False
    deliveries = (delivery for version in about.versions for delivery in version.deliveries)
    brought_in = (d.change for d in case.documents if d.change is not None and d.sender == case.own)
    return any(delivery.receiver == incoming.sender for delivery in deliveries) or any(
        change.joins == incoming.sender for change in brought_in
    )


def _check_open(case: Case, rule: AdministrativeRule | None, incoming: IncomingDocument) -> None:
    late = rule is not None and rule.receivable_when_closed
    if case.status is CaseStatus.OPEN or case.is_closed_locally or late or case.successor:
        return
    raise refused(
        ExceptionCause.NOT_EXPECTED,
        f"Expected an open case, found case {case.international_id} {case.status}",
        hint="A case closed for everybody takes nothing more; open a new one.",
        sed=incoming.type,
    )


def _repeated(
    case: Case, definition: BucDefinition, known: Document, incoming: IncomingDocument, now: datetime
) -> Outcome:
    """A document that we have, in a version that we have not: it is stored."""
    if known.sender != incoming.sender or known.type != incoming.type:
        raise refused(
            ExceptionCause.NOT_EXPECTED,
            f"Expected document {known.id} to be {known.type} from {known.sender}, "
            f"found {incoming.type} from {incoming.sender}",
            hint="Every document has an id of its own.",
            sed=incoming.type,
        )
    _check_open(case, None, incoming)
    if Permission.UPDATE not in permissions_of(case, definition, known):
        raise refused(
            ExceptionCause.NOT_EXPECTED,
            f"Expected no new version of {known.type}, found version {incoming.version}",
            hint="The table does not let this SED be updated.",
            sed=incoming.type,
        )
    facts = known.facts if incoming.facts is None else incoming.facts
    newer = replace(
        with_version(known, _version(incoming, now, known.attachments)), refused_by=(), facts=facts
    )
    actor = system(f"version {incoming.version} of {incoming.type} arrived")
    told = noted(
        _reopened(case, incoming, now).with_document(newer),
        EventKind.UPDATE_RECEIVED,
        now=now,
        actor=actor,
        document=newer,
        institution=incoming.sender,
    )
    late = passed_on(
        told, definition, replace(newer, receivers=_receivers(case, definition, incoming)), incoming.version
    )
    return Outcome(revised(told), newer, (Notify(NoticeKind.UPDATE_RECEIVED, newer.id), *late))


def _taken(
    case: Case,
    definition: BucDefinition,
    incoming: IncomingDocument,
    parent_id: DocumentId | None,
    now: datetime,
) -> Outcome:
    rule = definition.administrative.get(incoming.type)
    document = Document(
        id=incoming.document_id,
        type=incoming.type,
        direction=Direction.IN,
        status=DocumentStatus.RECEIVED,
        sender=incoming.sender,
        parent_id=parent_id,
        receivers=_receivers(case, definition, incoming),
        order=next_order(case),
        starter=incoming.type in definition.starters and not case.has_starter,
        facts=incoming.facts,
        change=incoming.change,
        versions=(_version(incoming, now),),
    )
    actor = system(f"{incoming.type} arrived")
    open_again = _reopened(case, incoming, now) if _goes_on(rule) else case
    told = noted(
        open_again.with_document(document),
        EventKind.RECEIVED,
        now=now,
        actor=actor,
        document=document,
        institution=incoming.sender,
    )
    after = applied(told, definition, Deed(document, actor, now, incoming.text, incoming.parent_version))
    handed = handed_over(after, definition, rule, document)
    late = passed_on(after, definition, document, incoming.version)
    return Outcome(revised(after), document, (*_notices(rule, document, incoming), *handed, *late))


def _version(
    incoming: IncomingDocument, now: datetime, known: tuple[Attachment, ...] = ()
) -> DocumentVersion:
    actor = system(f"sent by {incoming.sender}")
    return DocumentVersion(
        number=incoming.version,
        actor=actor,
        attachments=tuple(grown(known, file, actor=actor, at=now) for file in incoming.attachments),
        received_at=now,
        message_id=incoming.message_id,
    )


def _receivers(
    case: Case, definition: BucDefinition, incoming: IncomingDocument
) -> tuple[InstitutionId, ...]:
    """Everybody who got it: listed, or concluded when the table sends it to all; at least ourselves."""
    if incoming.receivers:
        return incoming.receivers
    reply = incoming.parent_id is not None
    step = definition.tables[incoming.sender_role].step_for(incoming.type, reply=reply)
    if step is None or step.addressing is not Addressing.ALL:
        return (case.own,)
    return tuple(
        p.institution
        for p in case.participants
        if p.active and p.institution != incoming.sender and p.role in step.to
    )


def _reopened(case: Case, incoming: IncomingDocument, now: datetime) -> Case:
    """A copy closed only here opens again: the others were not told and go on (inferred)."""
    if not case.is_closed_locally or case.successor:
        return case
    actor = system(f"{incoming.type} arrived after the local close")
    return noted(replace(case, status=CaseStatus.OPEN), EventKind.REOPENED, now=now, actor=actor)


def _goes_on(rule: AdministrativeRule | None) -> bool:
    """Whether a document carries the case on; a closing SED and a late one do not."""
    return rule is None or not (rule.receivable_when_closed or rule.effect is CaseEffect.CLOSE_CASE)


def _notices(
    rule: AdministrativeRule | None, document: Document, incoming: IncomingDocument
) -> tuple[Effect, ...]:
    received = Notify(NoticeKind.DOCUMENT_RECEIVED, document.id)
    special = _NOTICES.get(rule.effect) if rule else None
    if special is None:
        return (received,)
    return (received, Notify(special, document.parent_id, incoming.text))
