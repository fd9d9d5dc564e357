"""Files of a document: attached and removed while it is a draft, sent or open again; with versions of their own.

A sent document opens again when its files change, because the receivers get them only with a new version (inferred).
What is in a file, and whether an installation takes it, is not judged here.
"""

from dataclasses import replace
from datetime import datetime
from typing import Final

from eessi_sim.buc.actions import Operation
from eessi_sim.buc.case import (
    Actor,
    Attachment,
    AttachmentVersion,
    Case,
    CaseRole,
    Document,
    DocumentStatus,
    DocumentVersion,
    EventKind,
)
from eessi_sim.buc.definition import BucDefinition
from eessi_sim.buc.effects import Outcome
from eessi_sim.buc.engine.history import noted, revised, with_latest, with_version
from eessi_sim.buc.engine.incoming import AttachedFile
from eessi_sim.buc.engine.offering import document_operations, not_available, takes_part
from eessi_sim.buc.offers import own_offers, permissions_of
from eessi_sim.buc.terms import Permission
from eessi_sim.errors import AttachmentNotAllowed
from eessi_sim.identifiers import AttachmentId, DocumentId, SedType

_OWN: Final = (DocumentStatus.NEW, DocumentStatus.SENT, DocumentStatus.ACTIVE)


def may_carry(definition: BucDefinition, role: CaseRole, sed: SedType) -> bool:
    """Return whether the table lets this role attach files to this SED."""
    steps = definition.tables[role].by_sed.get(sed, ())
    return any(Permission.ATTACH in step.permissions for step in steps)


def require_may_carry(definition: BucDefinition, role: CaseRole, sed: SedType) -> None:
    """Refuse attachments of a SED that has none.

    Raises:
        AttachmentNotAllowed: the table does not let this role attach files to this SED.
    """
    if not may_carry(definition, role, sed):
        able = sorted(each for each in definition.tables[role].by_sed if may_carry(definition, role, each))
        raise AttachmentNotAllowed(
            f"Expected {sed} of the {role} without attachments, as {definition.buc} says, found some",
            hint=f"With attachments: {', '.join(able) or 'no SED of this role'}.",
            sed=sed,
        )


def attach(
    case: Case,
    definition: BucDefinition,
    document_id: DocumentId,
    file: AttachedFile,
    *,
    now: datetime,
    actor: Actor,
) -> Outcome:
    """Attach a file to a document; one with the id of a known attachment becomes its next version.

    Args:
        case: the copy of a case.
        definition: its table.
        document_id: a draft, a sent or an active document.
        file: what is attached.
        now: the present time.
        actor: who decides it.

    Raises:
        DocumentNotFound: no such document in this case.
        AttachmentNotAllowed: the table does not let this SED carry files.
        ActionNotAvailable: it cannot be changed now.
    """
    document = _document(case, definition, document_id, Operation.ADD_ATTACHMENT, now)
    grew = grown(document.attachments, file, actor=actor, at=now)
    if any(each.id == file.id for each in document.attachments):
        files = tuple(grew if each.id == file.id else each for each in document.attachments)
    else:
        files = (*document.attachments, grew)
    return _outcome(case, _with_files(document, files, now, actor), EventKind.ATTACHED, now, actor)


def detach(
    case: Case,
    definition: BucDefinition,
    document_id: DocumentId,
    attachment_id: AttachmentId,
    *,
    now: datetime,
    actor: Actor,
) -> Outcome:
    """Remove a file from a document; versions that were sent keep it.

    Args:
        case: the copy of a case.
        definition: its table.
        document_id: a draft, a sent or an active document.
        attachment_id: the file.
        now: the present time.
        actor: who decides it.

    Raises:
        DocumentNotFound, AttachmentNotFound: no such document in this case, or no such file of it.
        ActionNotAvailable: it cannot be changed now.
    """
    gone = case.get(document_id).attachment(attachment_id)
    document = _document(case, definition, document_id, Operation.REMOVE_ATTACHMENT, now)
    files = tuple(each for each in document.attachments if each.id != gone.id)
    return _outcome(case, _with_files(document, files, now, actor), EventKind.DETACHED, now, actor)


def grown(known: tuple[Attachment, ...], file: AttachedFile, *, actor: Actor, at: datetime) -> Attachment:
    """Return a file with its older versions, should it be known; the same content again is no new version."""
    before = next((each.versions for each in known if each.id == file.id), ())
    version = AttachmentVersion(
        number=len(before) + 1, actor=actor, at=at, size=file.size, digest=file.digest
    )
    is_same = bool(before) and before[-1].digest == file.digest
    return Attachment(
        id=file.id,
        name=file.name,
        file_name=file.file_name,
        mime_type=file.mime_type,
        medical=file.medical,
        versions=before if is_same else (*before, version),
    )


def _document(
    case: Case, definition: BucDefinition, document_id: DocumentId, operation: Operation, now: datetime
) -> Document:
    document = case.get(document_id)
    is_own = document.sender == case.own and document.status in _OWN
    if is_own and Permission.ATTACH not in permissions_of(case, definition, document):
        require_may_carry(definition, case.role, document.type)
    offers = own_offers(case, definition, document.type)
    if takes_part(case, definition, document.type) and operation in document_operations(
        case, definition, document, offers
    ):
        return document
    raise not_available(case, definition, f"{operation} {document.type}", now)


def _with_files(document: Document, files: tuple[Attachment, ...], now: datetime, actor: Actor) -> Document:
    if document.status is not DocumentStatus.SENT:
        return with_latest(document, replace(document.versions[-1], attachments=files))
    version = DocumentVersion(number=document.version + 1, actor=actor, saved_at=now, attachments=files)
    return replace(with_version(document, version), status=DocumentStatus.ACTIVE)


def _outcome(case: Case, document: Document, kind: EventKind, now: datetime, actor: Actor) -> Outcome:
    return Outcome(
        revised(noted(case.with_document(document), kind, now=now, actor=actor, document=document)), document
    )
