"""Payloads of a lone gateway as people see them: made into parts of a message, and taken out of one.

Large ones lie in files of a spool, before and after; they are read, compressed and decompressed in pieces.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain

from eessi_sim.as4 import compression, msh, vocabulary
from eessi_sim.as4.limits import As4Limits
from eessi_sim.as4.model import MessageProperty, Payload
from eessi_sim.spool import Spool, SpoolFile
from eessi_sim.stretch import IN_MEMORY, Extent, Stretch, pieces_of, whole

_COMPRESSED = MessageProperty(vocabulary.COMPRESSION_TYPE, vocabulary.GZIP_MEDIA_TYPE)

_HIDDEN = (vocabulary.MIME_TYPE, vocabulary.COMPRESSION_TYPE)


@dataclass(frozen=True, slots=True)
class Document:
    """One payload as people see it: decrypted and decompressed."""

    content: bytes = field(repr=False)
    mime_type: str = "application/xml"
    properties: tuple[MessageProperty, ...] = ()
    """Properties of the part besides those of AS4 compression."""
    spooled: SpoolFile | None = field(default=None, repr=False)
    """Where a large one lies; ``content`` is empty then. One that was received goes when its delivery is over."""

    @property
    def octets(self) -> Extent:
        """The content, wherever it lies."""
        return self.content if self.spooled is None else self.spooled.stretch

    def pieces(self) -> Iterator[bytes]:
        """Yield the content in pieces."""
        return pieces_of(self.octets)


def document_from(
    pieces: Iterable[bytes],
    mime_type: str,
    properties: tuple[MessageProperty, ...] = (),
    *,
    spool: Spool | None,
) -> Document:
    """Make a document of what comes in pieces.

    Args:
        pieces: the content; read until it ends.
        mime_type: its media type.
        properties: of the part.
        spool: where a content of more than 1 MB is written; without it every content is held.

    Raises:
        Unavailable: the disk does not take it.
    """
    rest, held = iter(pieces), bytearray()
    for piece in rest:
        held += piece
        if spool is not None and len(held) > IN_MEMORY:
            file = spool.write(chain((bytes(held),), rest))
            return Document(b"", mime_type, properties, file)
    return Document(bytes(held), mime_type, properties)


def received(parts: Sequence[Payload], limits: As4Limits, spool: Spool | None) -> tuple[Document, ...]:
    """Return what is in the parts of a message.

    Raises:
        EbmsFault: 0303 when one cannot be decompressed.
        Unavailable: the disk does not take it.
    """
    documents: list[Document] = []
    try:
        for part in parts:
            pieces = msh.payload_pieces(part, limits)
            own = tuple(entry for entry in part.properties if entry.name not in _HIDDEN)
            documents.append(document_from(pieces, part.mime_type, own, spool=spool))
    except BaseException:
        throw_away(documents)
        raise
    return tuple(documents)


def throw_away(documents: Iterable[Document]) -> None:
    """Throw away the files of large documents, unless somebody kept them."""
    for document in documents:
        if document.spooled is not None:
            document.spooled.discard()


def part_of(
    document: Document, content_id: str, *, is_compressed: bool, spool: Spool | None = None
) -> Payload:
    """Return the part that carries a document.

    Args:
        document: what to send.
        content_id: Content-ID without angle brackets.
        is_compressed: whether the agreement asks for gzip.
        spool: where the gzip stream of a large one is written; its file goes with ``discard``. Without it the part
            is held, however large it is.
    """
    properties = (*document.properties, MessageProperty(vocabulary.MIME_TYPE, document.mime_type))
    if not is_compressed:
        octets = document.octets if spool is not None else whole(document.octets)
        return Payload(content_id, octets, document.mime_type, properties)
    if spool is None or document.spooled is None:
        octets = compression.compress(whole(document.octets))
    else:
        octets = spool.write(compression.compressed(document.pieces())).stretch
    return Payload(content_id, octets, vocabulary.GZIP_MEDIA_TYPE, (*properties, _COMPRESSED))


def discard(parts: Sequence[Payload], documents: Sequence[Document]) -> None:
    """Throw away the files of parts that were written into their message; those of the documents stay."""
    theirs = {document.spooled.path for document in documents if document.spooled is not None}
    for part in parts:
        source = part.octets.source if isinstance(part.octets, Stretch) else None
        if isinstance(source, SpoolFile) and source.path not in theirs:
            source.discard()
