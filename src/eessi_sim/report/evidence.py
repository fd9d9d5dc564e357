"""The messages themselves, laid out so that somebody else's tools can check them.

Per message: the bytes as the receiver got them, the envelope, the sealed SED as a document of its own, and the
receipt as the sender got it.
"""

import asyncio
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from eessi_sim.as4.msh import Packed
from eessi_sim.identifiers import InstitutionId, MessageId
from eessi_sim.report.model import Message, RunReport
from eessi_sim.simulation.control import NodeReader
from eessi_sim.simulation.views import MessageFile
from eessi_sim.verification.evidence import RECEIPT, SED
from eessi_sim.verification.laying_out import message_files, soap_part

CA_FILE: Final = "ca.pem"
"""Certificate of the authority, beside the report."""
SED_FILE: Final = SED


@dataclass(frozen=True, slots=True)
class Evidence:
    """What both ends kept of one message."""

    message_id: MessageId
    message: MessageFile | None
    """At the receiver; at the sender when it never arrived."""
    receipt: MessageFile | None
    """At the sender."""

    @property
    def folder(self) -> str:
        """Name of the folder of this message."""
        return self.message_id.file_name

    def files(self) -> dict[str, bytes]:
        """Return the files of this message by name."""
        files: dict[str, bytes] = {}
        if self.message:
            files.update(message_files(_packed(self.message_id, self.message)))
        if self.receipt:
            files[RECEIPT] = soap_part(self.receipt.content_type, self.receipt.body)
        return files


async def gather(readers: Mapping[InstitutionId, NodeReader], report: RunReport) -> tuple[Evidence, ...]:
    """Ask the nodes for the bytes of all messages of a report.

    Args:
        readers: one per node.
        report: names the messages.
    """
    receipts = await _receipts(readers, report)
    return tuple(
        await asyncio.gather(*(_evidence(readers, message, receipts) for message in report.messages))
    )


async def _receipts(readers: Mapping[InstitutionId, NodeReader], report: RunReport) -> dict[str, str]:
    """Return the ids of the receipts by the messages they are about, as their senders keep them."""
    senders = sorted({message.sender for message in report.messages})
    listed = await asyncio.gather(*(readers[InstitutionId(sender)].messages() for sender in senders))
    return {
        view.ref_to: view.message_id
        for views in listed
        for view in views
        if view.kind == "receipt" and view.direction == "in" and view.ref_to
    }


async def _evidence(
    readers: Mapping[InstitutionId, NodeReader], message: Message, receipts: Mapping[str, str]
) -> Evidence:
    sender = readers[InstitutionId(message.sender)]
    receiver = readers.get(InstitutionId(message.receiver))
    arrived = await receiver.message("in", message.message_id) if receiver else None
    receipt_id = receipts.get(message.message_id)
    return Evidence(
        MessageId(message.message_id),
        arrived or await sender.message("out", message.message_id),
        await sender.message("in", receipt_id) if receipt_id else None,
    )


def _packed(message_id: MessageId, message: MessageFile) -> Packed:
    return Packed(message_id, message.content_type, message.body)


def index(files: Mapping[str, bytes]) -> bytes:
    """Return the list of files with their SHA-256 and size, as JSON.

    Args:
        files: content by path, relative to the folder of the report.
    """
    rows = {
        path: {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
        for path, content in sorted(files.items())
    }
    return (json.dumps({"files": rows}, indent=2) + "\n").encode()


def lay_out(evidence: Sequence[Evidence]) -> dict[str, bytes]:
    """Return all files of all messages by path, relative to the folder of the report."""
    return {
        f"messages/{item.folder}/{name}": content
        for item in evidence
        for name, content in item.files().items()
    }
