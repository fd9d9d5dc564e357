"""Reads everything that a node keeps of one case from its store, in the order in which it happened."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import product
from typing import Final

from eessi_sim.as4 import msh
from eessi_sim.as4.msh import Packed
from eessi_sim.attachments import ending_of
from eessi_sim.buc import case as cases
from eessi_sim.buc.case import Attachment, Case, Document
from eessi_sim.casefile.chain import Record
from eessi_sim.casefile.indicators import Times
from eessi_sim.clock import iso
from eessi_sim.identifiers import MessageId
from eessi_sim.ir.repository import InstitutionRepository
from eessi_sim.security.keys import Purpose
from eessi_sim.storage.base import (
    Direction,
    JournalEntry,
    MessageKind,
    MessageQuery,
    NodeStore,
    StoredDocument,
    StoredMessage,
)
from eessi_sim.verification.evidence import MESSAGE, RECEIPT
from eessi_sim.verification.laying_out import message_files, soap_part

AUTHORITY: Final = "ca.pem"
REVOKED: Final = "ca.crl"
CASE: Final = "case.json"
MESSAGES: Final = "messages"
DOCUMENTS: Final = "documents"
ATTACHMENTS: Final = "attachments"
CERTIFICATES: Final = "certificates"
STEP: Final = "step"
DOCUMENT: Final = "document"
ATTACHMENT: Final = "attachment"
MESSAGE_RECORD: Final = "message"
PART: Final = "part"
"""What lies in a message, taken out for those who read it."""
CERTIFICATE: Final = "certificate"
CASE_RECORD: Final = "case"
NAME: Final = "name"
FILE_NAME: Final = "file_name"
"""Facts of an attachment, and members of the case, that may name a person."""
_SIGNING: Final = (Purpose.EBMS, Purpose.SEAL)
_ALL: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What belongs to a case and is not in the store of the node."""

    directory: InstitutionRepository
    """Lists the certificates of the participants."""
    authority: bytes
    """Certificate of the authority behind them, PEM."""
    revoked: bytes
    """Its revocation list, DER."""


async def gather(
    store: NodeStore, case: Case, surroundings: Surroundings, *, at: datetime
) -> tuple[Record, ...]:
    """Return everything about a case.

    Args:
        store: of the node whose copy of the case it is.
        case: the copy.
        surroundings: certificates.
        at: time of what has no time of its own.
    """
    messages = await user_messages(store, case, with_body=True)
    happened = [
        *await _steps(store, case, messages),
        *map(_document, await _exchanged(store, case)),
        *await _attachments(store, case),
    ]
    for message in messages:
        happened += await _message(store, message)
    return (*sorted(happened, key=lambda record: record.at), *_standing(case, surroundings, at))


async def _exchanged(store: NodeStore, case: Case) -> list[StoredDocument]:
    """Return what was sent or received; a draft is nobody's evidence."""
    found = await store.documents(case.id, with_content=True)
    return [each for each in found if case.has_exchanged(each.document_id, each.version)]


async def user_messages(
    store: NodeStore, case: Case, *, with_body: bool = False
) -> tuple[StoredMessage, ...]:
    """Return the messages with documents of a case, sent and received, oldest first."""
    query = MessageQuery(conversation=case.international_id.uuid, kind=MessageKind.USER)
    return tuple(reversed(await store.messages(query, limit=_ALL, with_body=with_body)))


async def times_of(store: NodeStore, case: Case) -> dict[MessageId, Times]:
    """Return when the messages of a case were accepted and receipted; ours for what we received."""
    return {message.message_id: await _times(store, message) for message in await user_messages(store, case)}


async def _times(store: NodeStore, message: StoredMessage) -> Times:
    if message.direction is Direction.OUT:
        return Times(None, message.accepted_at, message.receipted_at)
    return Times(message.created_at, None, await _receipted(store, message))


async def _receipted(store: NodeStore, message: StoredMessage) -> datetime | None:
    query = MessageQuery(ref_to=message.message_id, kind=MessageKind.RECEIPT, direction=Direction.OUT)
    return min((receipt.created_at for receipt in await store.messages(query)), default=None)


async def _steps(store: NodeStore, case: Case, messages: Iterable[StoredMessage]) -> list[Record]:
    names = (case.id, *(message.message_id for message in messages))
    found = {entry.seq: entry for name in names for entry in await store.journal_of(name)}
    return [_step(found[number]) for number in sorted(found)]


def _step(entry: JournalEntry) -> Record:
    facts = {"step": entry.step, "outcome": entry.outcome, **entry.detail}
    if entry.message_id:
        facts["message"] = entry.message_id
    return Record(at=entry.at, what=STEP, facts=facts)


def _document(document: StoredDocument) -> Record:
    facts = {
        "document": str(document.document_id),
        "version": str(document.version),
        "sed": str(document.sed),
        "direction": str(document.direction),
    }
    if document.message_id:
        facts["message"] = document.message_id
    file = f"{DOCUMENTS}/{document.document_id}/{document.version}/{document.sed}.xml"
    return Record(at=document.stored_at, what=DOCUMENT, file=file, content=document.content, facts=facts)


async def _attachments(store: NodeStore, case: Case) -> list[Record]:
    """Return every file that was exchanged, each version once; it has the time of the document that brought it."""
    known: dict[str, Record] = {}
    for document, version in ((d, v) for d in case.documents for v in d.versions):
        at = version.sent_at or version.received_at
        if at is None:
            continue
        for attachment in version.attachments:
            record = await _attachment(store, document, attachment, at)
            known.setdefault(
                str(record.file), replace(record, facts={**record.facts, "version": str(version.number)})
            )
    return list(known.values())


async def _attachment(store: NodeStore, document: Document, attachment: Attachment, at: datetime) -> Record:
    latest = attachment.latest
    content = await store.content(latest.digest)
    assert content is not None  # kept together with the case
    name = f"{latest.number}{ending_of(attachment.mime_type)}"
    return Record(
        at=at,
        what=ATTACHMENT,
        file=f"{ATTACHMENTS}/{document.id}/{attachment.id}/{name}",
        content=content.read(),
        facts={
            "document": str(document.id),
            "sed": str(document.type),
            "attachment": str(attachment.id),
            NAME: attachment.name,
            FILE_NAME: attachment.file_name,
            "mime_type": attachment.mime_type,
            "medical": str(attachment.medical).lower(),
        },
    )


async def _message(store: NodeStore, message: StoredMessage) -> list[Record]:
    """Return a message with what lies in it, and what was answered to it: its receipt first of all."""
    records = [*_user_message(message)]
    is_receipted = False
    query = MessageQuery(ref_to=message.message_id)
    for signal in reversed(await store.messages(query, limit=_ALL, with_body=True)):
        if signal.is_removed:
            continue
        if signal.kind is MessageKind.RECEIPT and not is_receipted:
            is_receipted = True
            records.append(_signal(signal, RECEIPT, soap_part(signal.content_type, signal.body)))
        elif signal.kind in (MessageKind.RECEIPT, MessageKind.ERROR):
            # A second receipt, or an error: a message of its own beside the one that it is about.
            own = f"{signal.kind}-{signal.message_id.file_name}.as4"
            records.append(_signal(signal, own, msh.to_file(_packed(signal))))
    return records


def _user_message(message: StoredMessage) -> Iterator[Record]:
    if message.is_removed:
        return
    facts = {**_facts(message), **message.details}
    for name, content in message_files(_packed(message)).items():
        file = f"{_folder(message.message_id)}/{name}"
        what = MESSAGE_RECORD if name == MESSAGE else PART
        own = facts if name == MESSAGE else {"message": message.message_id}
        yield Record(at=message.created_at, what=what, file=file, content=content, facts=own)


def _signal(signal: StoredMessage, name: str, content: bytes) -> Record:
    about = str(signal.ref_to)
    file = f"{_folder(about)}/{name}"
    facts = {**_facts(signal), "about": about}
    return Record(at=signal.created_at, what=str(signal.kind), file=file, content=content, facts=facts)


def _facts(message: StoredMessage) -> dict[str, str]:
    times = {"accepted": message.accepted_at, "receipted": message.receipted_at}
    return {
        "message": message.message_id,
        "direction": str(message.direction),
        "from": message.sender,
        "to": message.receiver,
        "state": message.state,
        **{name: iso(time) for name, time in times.items() if time},
    }


def _folder(message_id: str) -> str:
    return f"{MESSAGES}/{MessageId(message_id).file_name}"


def _packed(message: StoredMessage) -> Packed:
    return Packed(message.message_id, message.content_type, message.whole)


def _standing(case: Case, surroundings: Surroundings, at: datetime) -> Iterator[Record]:
    """Yield what has no time of its own: the case as it stands, and the certificates."""
    yield Record(at=at, what=CASE_RECORD, file=CASE, content=cases.encode(case), facts={"case": str(case.id)})
    for party, purpose in product((each.institution for each in case.participants), _SIGNING):
        for certificate in surroundings.directory.certificates_of(party, purpose):
            file = f"{CERTIFICATES}/{party.file_name}-{purpose}-{certificate.serial:x}.pem"
            facts = {"party": str(party), "purpose": str(purpose), "subject": certificate.subject}
            yield Record(at=at, what=CERTIFICATE, file=file, content=certificate.pem, facts=facts)
    yield Record(at=at, what=CERTIFICATE, file=AUTHORITY, content=surroundings.authority)
    yield Record(at=at, what=CERTIFICATE, file=REVOKED, content=surroundings.revoked)
