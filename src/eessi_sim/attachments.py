"""What an attachment is apart from any case and any message: content, media type, file name, limits.

Which types and sizes are allowed is a setting of an installation; no fixed public values were found (documented).
A declared media type is compared with the first octets of the content. Nothing here knows who attaches what to what.
"""

import hashlib
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, Protocol

from eessi_sim.errors import AttachmentError, AttachmentTooLarge, AttachmentTypeRefused

MEGABYTE: Final = 1024 * 1024
HEAD_BYTES: Final = 8
"""So many first octets tell the type of a file."""
_PIECE: Final = MEGABYTE
_LONGEST_NAME: Final = 255
"""Longest file name of the usual file systems."""
_FOLDERS: Final = {"/": "\uff0f", "\\": "\uff3c"}
"""RINA takes both for folders; one implementation swaps them for U+FF0F and U+FF3C (observed)."""
_SIGNATURES: Final = (
    (b"%PDF-", "application/pdf", ".pdf"),
    (b"\xff\xd8\xff", "image/jpeg", ".jpg"),
    (b"\x89PNG\r\n\x1a\n", "image/png", ".png"),
    (b"II*\x00", "image/tiff", ".tif"),
    (b"MM\x00*", "image/tiff", ".tif"),
)
"""First octets, media type and usual ending, as the standards of the formats say (documented)."""
_ENDINGS: Final = {"jpeg": "image/jpeg", "tiff": "image/tiff"}
"""Further endings of the same types."""


class Content(Protocol):
    """The octets of an attachment, wherever they lie; passed around in place of the octets themselves."""

    @property
    def size(self) -> int:
        """Number of octets."""
        ...

    @property
    def digest(self) -> str:
        """SHA-256 of the octets, hexadecimal; equal contents are kept once."""
        ...

    def pieces(self) -> Iterator[bytes]:
        """Yield the octets in order."""
        ...

    def read(self) -> bytes:
        """Return all octets at once."""
        ...


@dataclass(frozen=True, slots=True)
class Octets:
    """A content that is in memory."""

    data: bytes = field(repr=False)
    digest: str

    @classmethod
    def of(cls, data: bytes) -> "Octets":
        """Return ``data`` as a content."""
        return cls(data, hashlib.sha256(data).hexdigest())

    @property
    def size(self) -> int:
        """Number of octets."""
        return len(self.data)

    def pieces(self) -> Iterator[bytes]:
        """Yield the octets in pieces of at most 1 MB."""
        for start in range(0, len(self.data), _PIECE):
            yield self.data[start : start + _PIECE]

    def read(self) -> bytes:
        """Return all octets."""
        return self.data


@dataclass(frozen=True, slots=True, kw_only=True)
class NewFile:
    """A file that somebody wants to attach."""

    file_name: str
    content: Content
    mime_type: str
    name: str = ""
    """What people call it; the file name when empty."""
    medical: bool = False


@dataclass(frozen=True, slots=True)
class AttachmentLimits:
    """Which attachments an installation takes; a setting of the network (proposal, inferred)."""

    types: tuple[str, ...] = ("application/pdf", "image/jpeg", "image/png", "image/tiff")
    file_bytes: int = 10 * MEGABYTE
    message_bytes: int = 20 * MEGABYTE
    """All attachments of one message."""

    def check_type(self, what: str, mime_type: str) -> None:
        """Refuse a media type that is not allowed.

        Args:
            what: the attachment in words, for the sentence.
            mime_type: as declared.

        Raises:
            AttachmentTypeRefused: says which are.
        """
        if mime_type not in self.types:
            raise AttachmentTypeRefused(
                f"Expected {what} to be of an allowed type, found {mime_type}",
                hint=f"Convert it to one of {', '.join(self.types)}.",
            )

    def check_head(self, what: str, mime_type: str, head: bytes) -> None:
        """Refuse a content that begins otherwise than its declared type.

        A type whose first octets nobody knows passes, unless the content is one of those that we know.

        Args:
            what: the attachment in words, for the sentence.
            mime_type: as declared.
            head: the first octets of the content.

        Raises:
            AttachmentTypeRefused: says what the content looks like.
        """
        found = type_of_content(head)
        if found == mime_type or (found is None and mime_type not in _KNOWN):
            return
        octets = f"the octets {head[:HEAD_BYTES].hex(' ')}" if head else "nothing"
        raise AttachmentTypeRefused(
            f"Expected {what} to begin like {mime_type}, as declared, found {found or octets}",
            hint="Declare what the file really is, or attach the file that was meant.",
        )

    def check_size(self, what: str, size: int) -> None:
        """Refuse a file that is too large.

        Args:
            what: the attachment in words, for the sentence.
            size: of it, or of what was seen of it.

        Raises:
            AttachmentTooLarge: says how large it may be.
        """
        if size > self.file_bytes:
            raise AttachmentTooLarge(
                f"Expected at most {in_words(self.file_bytes)} in {what}, found more",
                hint="Scan it again with less resolution, or split it.",
            )

    def check_total(self, size: int) -> None:
        """Refuse attachments that are too large together.

        Raises:
            AttachmentTooLarge: says how large they may be.
        """
        if size > self.message_bytes:
            raise AttachmentTooLarge(
                f"Expected at most {in_words(self.message_bytes)} in all attachments of a message, found more",
                hint="Send some of them with another document.",
            )

    def check(self, file: NewFile) -> None:
        """Refuse a file that may not be attached.

        Raises:
            AttachmentError: the first reason.
        """
        what = f'"{file.file_name}"'
        self.check_size(what, file.content.size)
        self.check_type(what, file.mime_type)
        self.check_head(what, file.mime_type, next(file.content.pieces(), b"")[:HEAD_BYTES])


DEFAULT_LIMITS: Final = AttachmentLimits()
_KNOWN: Final = frozenset(mime_type for _, mime_type, _ in _SIGNATURES)


def type_of_content(head: bytes) -> str | None:
    """Return the media type that the first octets of a file tell, None when they tell none that we know."""
    return next((mime_type for start, mime_type, _ in _SIGNATURES if head.startswith(start)), None)


def type_of_name(file_name: str) -> str | None:
    """Return the media type that the ending of a file name tells, None when it tells none that we know."""
    ending = file_name.rpartition(".")[2].lower()
    usual = (mime_type for _, mime_type, end in _SIGNATURES if end == f".{ending}")
    return next(usual, _ENDINGS.get(ending))


def ending_of(mime_type: str) -> str:
    """Return the usual ending of files of a type, dot included; ``.bin`` for one that we do not know."""
    return next((end for _, known, end in _SIGNATURES if known == mime_type), ".bin")


def safe_file_name(text: str) -> str:
    """Return a file name that names no folder and steers no terminal.

    Slash and backslash become their full-width forms (observed), control and invisible characters ``_``.

    Raises:
        AttachmentError: nothing is left, or it is too long.
    """
    name = "".join(_safe(character) for character in text.strip())
    if not name.strip("."):
        raise AttachmentError(f"Expected a file name, found {text[:80]!r}", hint="Name it like scan.pdf.")
    if len(name.encode()) > _LONGEST_NAME:
        raise AttachmentError(
            f'Expected a file name of at most {_LONGEST_NAME} bytes, found "{name[:40]}…"',
            hint="Shorten the name.",
        )
    return name


def _safe(character: str) -> str:
    if character in _FOLDERS:
        return _FOLDERS[character]
    return "_" if unicodedata.category(character)[0] == "C" else character


def in_words(size: int) -> str:
    """Return a size for people: ``10 MB``, ``640 kB``, ``12 bytes``."""
    for unit, name in ((MEGABYTE, "MB"), (1024, "kB")):
        if size >= unit:
            return f"{size / unit:.1f}".removesuffix(".0") + f" {name}"
    return f"{size} bytes"
