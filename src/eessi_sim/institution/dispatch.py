"""From a SendDocument effect to queued messages: validate, seal once, envelope and pack per receiver.

What is handed over to a new participant keeps the seal of its author; it goes out as it was sent or received.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from eessi_sim import sbdh
from eessi_sim.as4 import msh
from eessi_sim.as4.model import (
    CollaborationInfo,
    MessageInfo,
    MessageProperty,
    Party,
    Payload,
    RoutingInput,
    UserMessage,
)
from eessi_sim.as4.msh import LargePacked, Packed
from eessi_sim.as4.vocabulary import SED_PART
from eessi_sim.buc import engine
from eessi_sim.buc.case import Attachment, Case
from eessi_sim.buc.definition import BucDefinition
from eessi_sim.buc.effects import SendDocument
from eessi_sim.errors import SedError, SedInvalid, UnknownSedType
from eessi_sim.gateway import properties
from eessi_sim.gateway.enclosed import discard
from eessi_sim.gateway.records import outgoing
from eessi_sim.gateway.station import Station
from eessi_sim.identifiers import InstitutionId, MessageId
from eessi_sim.institution import participants
from eessi_sim.institution.enclosing import listed, payloads
from eessi_sim.institution.office import Office
from eessi_sim.sbdh import (
    BusinessScope,
    CaseAction,
    ContactTypeIdentifier,
    DocumentIdentification,
    Partner,
    StandardBusinessDocumentHeader,
)
from eessi_sim.security import xades
from eessi_sim.spool import SpoolFile
from eessi_sim.storage.base import Direction, MessageKind, StoredDocument, UnitOfWork
from eessi_sim.stretch import IN_MEMORY
from eessi_sim.xmlsafe import Element


@dataclass(frozen=True, slots=True)
class Dispatch:
    """What is known when a document leaves: the case after the step, the effect, the content."""

    case: Case
    effect: SendDocument
    root: Element
    sender_role: ContactTypeIdentifier | None = None
    """For who is no participant, a routing application; the role in the case when None."""


@dataclass(frozen=True, slots=True)
class Posted:
    """What goes to every receiver: the envelope, the sealed document and its attachments."""

    header: StandardBusinessDocumentHeader
    signed: bytes
    files: tuple[Payload, ...]
    """Parts with the attachments."""


def require_seds(office: Office, definition: BucDefinition) -> None:
    """Check that the data model in use defines the SEDs of a process, before a case of it is opened.

    Raises:
        UnknownSedType: it does not; the process can be shown, drawn and checked, not run.
    """
    known = {each.type for each in office.library.catalogue.definitions() if each.version == office.cdm}
    missing = definition.missing(known)
    if missing:
        more = f", nor are {len(missing) - 1} more of {definition.buc}" if len(missing) > 1 else ""
        raise UnknownSedType(
            f"SED {missing[0]} is not defined in the CDM in use ({office.cdm}){more}",
            hint=f"See them with: eessi-sim bucs check {definition.buc} --schemas.",
            sed=missing[0],
            version=office.cdm,
        )


def check_document(office: Office, case: Case, effect: SendDocument, root: Element) -> None:
    """Check before the wire that the content is what the step says, and valid.

    Raises:
        SedError: it is another SED, or one of another version, than the case sends.
        SedInvalid: it has errors; its report lists all of them.
    """
    sed = office.library.catalogue.identify(root)
    if (sed.type, sed.version) != (effect.sed, case.cdm):
        raise SedError(
            f"Expected {effect.sed} of CDM {case.cdm}, found {sed.type} of CDM {sed.version}",
            hint="Send the content as the document it is, in a case of its version.",
        )
    report = office.library.validator.validate(sed)
    if not report.is_valid:
        raise SedInvalid(
            f"Expected a valid {sed.type}, found {len(report.issues)} findings",
            report=report,
            hint="See the findings; nothing was sent.",
        )


def check_receivers(office: Office, case: Case, effect: SendDocument, at: datetime) -> None:
    """Check before the wire that every receiver may get the document in its role.

    Raises:
        UnknownReceiver: the directory does not list it.
        NotCompetent: it is not competent, or not ready, for the process in its role.
    """
    repository = office.station.directory.current
    for receiver in effect.receivers:
        participant = case.find_participant(receiver)
        role = participant.role if participant else case.role
        repository.require_competent(receiver, case.buc, role, at=at)


async def dispatch(office: Office, item: Dispatch, work: UnitOfWork) -> Case:
    """Seal the document, queue one message per receiver and return the case that knows their ids."""
    case, effect = item.case, item.effect
    posted, ids = await post(office, item, work)
    work.save_document(
        StoredDocument(
            case_id=case.id,
            document_id=effect.document_id,
            version=effect.version,
            sed=effect.sed,
            content=posted.signed,
            direction=Direction.OUT,
            stored_at=office.station.clock.now(),
        )
    )
    return engine.record_sent(case, effect.document_id, effect.version, ids)


async def post(
    office: Office, item: Dispatch, work: UnitOfWork
) -> tuple[Posted, dict[InstitutionId, MessageId]]:
    """Seal the document and queue one message per receiver; no case and no document is stored.

    Returns:
        what goes to every receiver, and the message for each.
    """
    station, case, effect = office.station, item.case, item.effect
    now = station.clock.now()
    signed = xades.sign(item.root, office.seal, signing_time=now, token=station.ids.hex32())
    receivers = tuple(_partner(case, receiver) for receiver in effect.receivers)
    header = _header(office, case, effect, receivers)
    if item.sender_role is not None:
        header = replace(header, sender=replace(header.sender, role=item.sender_role))
    posted = Posted(header, signed, await _files(office, case, effect, work))
    return posted, await _post(office, case, effect, posted, work)


async def hand_over(office: Office, case: Case, effect: SendDocument, work: UnitOfWork) -> Case:
    """Queue a document for a new participant, as it was sent or received; return the case that knows its message.

    Its envelope lists the newcomer first, then who has the document now.
    """
    stored = await office.station.store.document(case.id, effect.document_id, effect.version)
    assert stored is not None  # what was exchanged is in the store
    active = {each.institution for each in case.others}
    reached = (case.now_at(each) for each in case.get(effect.document_id).receivers)
    names = dict.fromkeys((*effect.receivers, *(each for each in reached if each in active)))
    header = _header(office, case, effect, tuple(_partner(case, name) for name in names))
    posted = Posted(header, stored.content, await _files(office, case, effect, work))
    ids = await _post(office, case, effect, posted, work)
    return engine.record_handed_over(
        case, effect.document_id, effect.version, ids, at=office.station.clock.now()
    )


def _attachments(case: Case, effect: SendDocument) -> tuple[Attachment, ...]:
    """Return what travels with the version that is sent."""
    versions = case.get(effect.document_id).versions
    return next((each.attachments for each in versions if each.number == effect.version), ())


async def _files(office: Office, case: Case, effect: SendDocument, work: UnitOfWork) -> tuple[Payload, ...]:
    station = office.station
    files = _attachments(case, effect)
    return await payloads(files, work, station.store, station.party.domain, station.spool)


async def _post(
    office: Office, case: Case, effect: SendDocument, posted: Posted, work: UnitOfWork
) -> dict[InstitutionId, MessageId]:
    try:
        return {
            receiver: await _queue(
                office, case, effect, replace(posted, header=posted.header.addressed_to(receiver)), work
            )
            for receiver in effect.receivers
        }
    finally:
        discard(posted.files)


def _header(
    office: Office, case: Case, effect: SendDocument, receivers: tuple[Partner, ...]
) -> StandardBusinessDocumentHeader:
    return StandardBusinessDocumentHeader(
        sender=Partner(case.own, ContactTypeIdentifier(case.role.value)),
        receivers=receivers,
        document=DocumentIdentification(
            created_at=office.station.clock.now(),
            case_action=CaseAction(effect.case_action.value),
            type=effect.sed,
            instance_id=UUID(office.station.ids.uuid()),
            version=case.cdm,
        ),
        scope=BusinessScope(
            document_version=effect.version,
            set_id=effect.document_id,
            case_id=case.international_id,
            buc=case.buc,
            buc_version=case.cdm,
        ),
        attachments=listed(_attachments(case, effect)),
    )


def _partner(case: Case, institution: InstitutionId) -> Partner:
    role = case.role_of(institution)
    assert role is not None  # the engine names participants only
    return Partner(institution, ContactTypeIdentifier(role.value))


def _properties(case: Case, effect: SendDocument) -> tuple[MessageProperty, ...]:
    """What the envelope has no place for."""
    document = case.get(effect.document_id)
    brings = effect.author is None and document.change is not None and document.change.joins is not None
    found = {
        properties.PARENT: effect.parent_id,
        properties.PARENT_VERSION: effect.parent_version and str(effect.parent_version),
        properties.AUTHOR: effect.author,
        properties.PARTICIPANTS: participants.written(case) if brings else None,
    }
    return tuple(MessageProperty(name, value) for name, value in found.items() if value)


async def _queue(
    office: Office, case: Case, effect: SendDocument, posted: Posted, work: UnitOfWork
) -> MessageId:
    station, header = office.station, posted.header
    now, receiver = station.clock.now(), header.receivers[0].id
    message_id = station.ids.message_id(station.party)
    payload = msh.compressed_payload(
        f"sed-{effect.document_id}@{station.party.domain}",
        sbdh.wrap(header, posted.signed),
        "application/xml",
        SED_PART,
    )
    parts = [payload, *posted.files]
    message = UserMessage(
        info=MessageInfo(message_id, now),
        sender=Party(station.party),
        receiver=Party(receiver),
        collaboration=CollaborationInfo(conversation_id=case.international_id.uuid),
        properties=_properties(case, effect),
        parts=tuple(part.part_info for part in parts),
    )
    packed, spooled = await _packed(station, message, parts)
    details = {
        "sed": effect.sed,
        "cdm": case.cdm,
        "buc": case.buc,
        "case": case.international_id,
        "document": effect.document_id,
        "version": str(effect.version),
        **({"author": effect.author} if effect.author else {}),
        **({"attachments": str(len(posted.files))} if posted.files else {}),
    }
    record = outgoing(
        packed,
        kind=MessageKind.USER,
        way=RoutingInput.of(message),
        endpoint=station.directory.current.access_point_of(station.party).outbox,
        at=now,
        details=details,
        spooled=spooled,
    )
    # What is remembered does not grow with the file: a large message shall not push out all others.
    station.signed.keep(record.digest, packed.digests, min(len(record.octets), IN_MEMORY))
    work.add_message(record)
    work.journal(
        station.note(
            "sent",
            "ok",
            message_id=message_id,
            case_id=case.id,
            **{"from": station.party, "to": receiver},
            **details,
        )
    )
    return message_id


async def _packed(
    station: Station, message: UserMessage, parts: Sequence[Payload]
) -> tuple[Packed | LargePacked, SpoolFile | None]:
    """Pack a message, in memory or, when a part of it lies in the spool, there and beside the event loop."""
    token, spool = station.ids.hex32(), station.spool
    if spool is None or all(isinstance(part.octets, bytes) for part in parts):
        return msh.pack_user_message(message, parts, station.keys, token=token), None

    def pack() -> tuple[LargePacked, SpoolFile]:
        large = msh.pack_large_message(message, parts, station.keys, token=token)
        return large, spool.write(large.pieces()).keep()

    return await asyncio.to_thread(pack)
