"""Files for tests: small contents that begin like what they are, and attachments made of them."""

from typing import Any, Final

from eessi_sim.attachments import NewFile, Octets
from eessi_sim.buc.engine import AttachedFile
from eessi_sim.conformance.draft import PDF, forged_part, listed
from eessi_sim.identifiers import AttachmentId

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


__all__ = ["JPEG", "PDF", "PNG", "TIFF", "a_file", "forged_part", "listed", "new_file"]
