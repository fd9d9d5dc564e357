"""Files for tests: small contents that begin like what they are, and attachments made of them."""

from dataclasses import replace
from typing import Any, Final

from eessi_sim.as4 import msh
from eessi_sim.as4.model import MessageProperty, Payload
from eessi_sim.as4.vocabulary import ATTACHMENT_ID, ATTACHMENT_PART
from eessi_sim.attachments import NewFile, Octets
from eessi_sim.buc.engine import AttachedFile
from eessi_sim.identifiers import AttachmentId
from eessi_sim.sbdh import ListedAttachment

PDF: Final = b"%PDF-1.7\n% a scan that nobody needs\n"
PNG: Final = b"\x89PNG\r\n\x1a\n" + bytes(40)
JPEG: Final = b"\xff\xd8\xff\xe0" + bytes(40)
TIFF: Final = b"II*\x00" + bytes(40)


def new_file(file_name: str = "scan.pdf", data: bytes = PDF, **changes: Any) -> NewFile:
    """A file that somebody wants to attach."""
    fields: dict[str, Any] = {"mime_type": "application/pdf", **changes}
    return NewFile(file_name=file_name, content=Octets.of(data), **fields)


def a_file(number: int, data: bytes = PDF, **changes: Any) -> AttachedFile:
    """A file as the engine attaches it."""
    content = Octets.of(data)
    fields: dict[str, Any] = {"name": "Scan", "file_name": f"scan-{number}.pdf", **changes}
    return AttachedFile(
        id=AttachmentId(f"{number:032x}"),
        mime_type="application/pdf",
        size=content.size,
        digest=content.digest,
        **fields,
    )


def listed(number: int) -> ListedAttachment:
    """An attachment as the envelope of a forged message lists it."""
    return ListedAttachment(AttachmentId(f"{number:032x}"), f"scan-{number}.pdf", "application/pdf")


def forged_part(number: int, data: bytes = PDF, *, compressed: bool = True) -> Payload:
    """The part of such an attachment; its Content-ID is ``att-<number>@pl.example``."""
    make = msh.compressed_payload if compressed else msh.plain_payload
    part = make(f"att-{number}@pl.example", data, "application/pdf", ATTACHMENT_PART)
    return replace(part, properties=(*part.properties, MessageProperty(ATTACHMENT_ID, listed(number).id)))
