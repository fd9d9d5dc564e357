"""Files on their way from a person into the case, and from the case into messages."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial

from eessi_sim.as4.model import Payload
from eessi_sim.attachments import Content, NewFile, safe_file_name
from eessi_sim.buc import engine
from eessi_sim.buc.case import Actor, Attachment, Case
from eessi_sim.buc.definition import BucDefinition
from eessi_sim.buc.engine import AttachedFile
from eessi_sim.errors import Unavailable
from eessi_sim.gateway.aside import aside
from eessi_sim.gateway.enclosed import Enclosed, payload_of
from eessi_sim.gateway.station import Station
from eessi_sim.identifiers import AttachmentId, DocumentId
from eessi_sim.sbdh import ListedAttachment
from eessi_sim.spool import Spool, SpoolFile
from eessi_sim.storage.base import NodeStore, UnitOfWork


def attached(
    station: Station,
    case: Case,
    definition: BucDefinition,
    document_id: DocumentId,
    files: Sequence[NewFile],
    *,
    now: datetime,
    actor: Actor,
) -> Case:
    """Return the case with new files attached to a document.

    Args:
        station: the institution.
        case: the copy of a case.
        definition: its table.
        document_id: the document.
        files: what to attach.
        now: the present time.
        actor: who decides it.

    Raises:
        AttachmentNotAllowed: the table does not let this SED carry files.
        AttachmentError: a file may not be attached, or together with those that it has they are too large.
        ActionNotAvailable: it cannot be changed now.
    """
    for file in files:
        station.attachments.check(file)
        name = safe_file_name(file.file_name)
        new = AttachedFile(
            id=AttachmentId(station.ids.hex32()),
            name=file.name or name,
            file_name=name,
            mime_type=file.mime_type,
            size=file.content.size,
            digest=file.content.digest,
            medical=file.medical,
        )
        case = engine.attach(case, definition, document_id, new, now=now, actor=actor).case
    station.attachments.check_total(sum(each.latest.size for each in case.get(document_id).attachments))
    return case


def listed(attachments: Sequence[Attachment]) -> tuple[ListedAttachment, ...]:
    """Return attachments as the envelope lists them."""
    return tuple(
        ListedAttachment(each.id, each.file_name, each.mime_type, each.medical) for each in attachments
    )


async def payloads(
    attachments: Sequence[Attachment],
    work: UnitOfWork,
    store: NodeStore,
    domain: str,
    spool: Spool | None = None,
) -> tuple[Payload, ...]:
    """Return the parts that carry attachments.

    Args:
        attachments: of the version that is sent.
        work: keeps what is not in the store yet.
        store: has all others.
        domain: of the sender.
        spool: where the parts of large ones are written.

    Raises:
        Unavailable: a content is nowhere.
    """
    parts = []
    for entry, each in zip(listed(attachments), attachments, strict=True):
        content = await _content(each, work, store)
        parts.append(
            await aside(
                content if isinstance(content, SpoolFile) else None,
                partial(payload_of, entry, content, domain, spool),
            )
        )
    return tuple(parts)


async def _content(attachment: Attachment, work: UnitOfWork, store: NodeStore) -> Content:
    digest = attachment.latest.digest
    content = work.content(digest) or await store.content(digest)
    if content is None:
        raise Unavailable(f"Expected the content of attachment {attachment.id} in the store, found none")
    return content


def received(enclosed: Enclosed, content: Content) -> AttachedFile:
    """Return a received file as the engine takes it; only the file name travels, so it is its name too."""
    entry = enclosed.listed
    return AttachedFile(
        id=entry.id,
        name=entry.file_name,
        file_name=entry.file_name,
        mime_type=entry.media_type,
        size=content.size,
        digest=content.digest,
        medical=entry.is_medical,
    )
