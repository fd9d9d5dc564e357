"""From a SendDocument effect to queued messages: validate, seal once, envelope and pack per receiver."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
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
from eessi_sim.as4.vocabulary import SED_PART
from eessi_sim.attachments import Content
from eessi_sim.buc import engine
from eessi_sim.buc.case import Attachment, Case
from eessi_sim.buc.definition import BucDefinition
from eessi_sim.buc.effects import SendDocument
from eessi_sim.errors import SedError, SedInvalid, UnknownSedType
from eessi_sim.gateway.records import outgoing
from eessi_sim.identifiers import InstitutionId, MessageId
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
from eessi_sim.storage.base import Direction, MessageKind, StoredDocument, UnitOfWork
from eessi_sim.xmlsafe import Element

PARENT_PROPERTY: Final = "ParentDocumentId"
"""ebMS message property with the document that this one answers; the public samples show no place for it, so
this is our choice (inferred)."""


@dataclass(frozen=True, slots=True)
class Dispatch:
    """What is known when a document leaves: the case after the step, the effect, the content."""

    case: Case
    effect: SendDocument
    root: Element
    contents: Mapping[str, Content] = field(default_factory=dict)
    """Of attachments that are not in the store yet, by digest."""

    @property
    def attachments(self) -> tuple[Attachment, ...]:
        """What travels with the version that is sent."""
        versions = self.case.get(self.effect.document_id).versions
        return next((v.attachments for v in versions if v.number == self.effect.version), ())


@dataclass(frozen=True, slots=True)
class _Sealed:
    """What is the same for all receivers."""

    sed: bytes
    files: tuple[Payload, ...]


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


def dispatch(office: Office, item: Dispatch, work: UnitOfWork) -> Case:
    """Seal the document, queue one message per receiver and return the case that knows their ids."""
    station = office.station
    now = station.clock.now()
    signed = xades.sign(item.root, office.seal, signing_time=now, token=station.ids.hex32())
    header = _header(office, item, now)
    files = payloads(item.attachments, item.contents, station.store, station.party.domain)
    sealed = _Sealed(signed, files)
    message_ids: dict[InstitutionId, MessageId] = {}
    for receiver in item.effect.receivers:
        message_ids[receiver] = _queue(office, item, header.addressed_to(receiver), sealed, work)
    case = engine.record_sent(item.case, item.effect.document_id, item.effect.version, message_ids)
    work.save_document(
        StoredDocument(
            case_id=case.id,
            document_id=item.effect.document_id,
            version=item.effect.version,
            sed=item.effect.sed,
            content=signed,
            direction=Direction.OUT,
            stored_at=now,
        )
    )
    return case


def _header(office: Office, item: Dispatch, now: datetime) -> StandardBusinessDocumentHeader:
    case, effect = item.case, item.effect
    return StandardBusinessDocumentHeader(
        sender=Partner(case.own, ContactTypeIdentifier(case.role.value)),
        receivers=tuple(_partner(case, receiver) for receiver in effect.receivers),
        document=DocumentIdentification(
            created_at=now,
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
        attachments=listed(item.attachments),
    )


def _partner(case: Case, institution: InstitutionId) -> Partner:
    role = case.role_of(institution)
    assert role is not None  # the engine names participants only
    return Partner(institution, ContactTypeIdentifier(role.value))


def _queue(
    office: Office, item: Dispatch, header: StandardBusinessDocumentHeader, sealed: _Sealed, work: UnitOfWork
) -> MessageId:
    station, case, effect = office.station, item.case, item.effect
    now, receiver = station.clock.now(), header.receivers[0].id
    message_id = station.ids.message_id(station.party)
    payload = msh.compressed_payload(
        f"sed-{effect.document_id}@{station.party.domain}",
        sbdh.wrap(header, sealed.sed),
        "application/xml",
        SED_PART,
    )
    parts = [payload, *sealed.files]
    message = UserMessage(
        info=MessageInfo(message_id, now),
        sender=Party(station.party),
        receiver=Party(receiver),
        collaboration=CollaborationInfo(conversation_id=case.international_id.uuid),
        properties=(MessageProperty(PARENT_PROPERTY, effect.parent_id),) if effect.parent_id else (),
        parts=tuple(part.part_info for part in parts),
    )
    packed = msh.pack_user_message(message, parts, station.keys, token=station.ids.hex32())
    details = {
        "sed": effect.sed,
        "cdm": case.cdm,
        "buc": case.buc,
        "case": case.international_id,
        "document": effect.document_id,
        "version": str(effect.version),
        **({"attachments": str(len(sealed.files))} if sealed.files else {}),
    }
    record = outgoing(
        packed,
        kind=MessageKind.USER,
        way=RoutingInput.of(message),
        endpoint=station.directory.current.access_point_of(station.party).outbox,
        at=now,
        details=details,
    )
    station.signed.keep(record.digest, packed.digests, len(record.body))
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
