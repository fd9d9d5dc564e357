"""The documents in a message: made into payload parts, and taken out of them whole or in pieces."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from eessi_sim.as4 import compression, vocabulary
from eessi_sim.as4.ebms_errors import EbmsErrorCode, EbmsFault
from eessi_sim.as4.limits import DEFAULT_LIMITS, As4Limits
from eessi_sim.as4.model import MessageProperty, Payload
from eessi_sim.stretch import Extent, Stretch, pieces_of


def compressed_payload(
    content_id: str, content: bytes, mime_type: str, part_type: str, *, character_set: str | None = None
) -> Payload:
    """Make a payload part as EESSI sends it: gzip, and properties that say so (AS4 3.1, observed).

    Args:
        content_id: Content-ID without angle brackets.
        content: the document itself.
        mime_type: its media type, for example ``application/xml``.
        part_type: ``SED`` or ``Attachment``.
        character_set: of a text, when it is not told by the content.
    """
    properties = [
        MessageProperty(vocabulary.PART_TYPE, part_type),
        MessageProperty(vocabulary.MIME_TYPE, mime_type),
        MessageProperty(vocabulary.COMPRESSION_TYPE, vocabulary.GZIP_MEDIA_TYPE),
    ]
    if character_set is not None:
        properties.append(MessageProperty(vocabulary.CHARACTER_SET, character_set))
    octets = compression.compress(content)
    return Payload(content_id, octets, vocabulary.GZIP_MEDIA_TYPE, tuple(properties))


def plain_payload(content_id: str, content: bytes, mime_type: str, part_type: str) -> Payload:
    """Make a payload part that travels uncompressed; arguments as for ``compressed_payload``."""
    properties = (
        MessageProperty(vocabulary.PART_TYPE, part_type),
        MessageProperty(vocabulary.MIME_TYPE, mime_type),
    )
    return Payload(content_id, content, mime_type, properties)


def large_payload(content_id: str, octets: Extent, mime_type: str, part_type: str) -> Payload:
    """Make a payload part of a gzip stream that was made before; arguments as for ``compressed_payload``."""
    properties = (
        MessageProperty(vocabulary.PART_TYPE, part_type),
        MessageProperty(vocabulary.MIME_TYPE, mime_type),
        MessageProperty(vocabulary.COMPRESSION_TYPE, vocabulary.GZIP_MEDIA_TYPE),
    )
    return Payload(content_id, octets, vocabulary.GZIP_MEDIA_TYPE, properties)


def payload_content(part: Payload, limits: As4Limits = DEFAULT_LIMITS) -> bytes:
    """Return the document of a payload part, decompressed when its properties say so.

    Raises:
        EbmsFault: 0303 when it cannot be decompressed.
    """
    if part.is_compressed:
        return compression.decompress(part.octets, limits)
    return part.content


def payload_pieces(part: Payload, limits: As4Limits = DEFAULT_LIMITS) -> Iterator[bytes]:
    """Yield the document of a payload part in pieces, decompressed when its properties say so.

    Raises:
        EbmsFault: 0303 when it cannot be decompressed.
    """
    return compression.pieces(part.octets, limits) if part.is_compressed else pieces_of(part.octets)


def document_content(part: Payload, limits: As4Limits = DEFAULT_LIMITS) -> bytes:
    """Return the SED of a payload part; it stops where no SED goes, long before an attachment would.

    Raises:
        EbmsFault: 0303 when it cannot be decompressed, or is larger than a document may be.
    """
    if isinstance(part.octets, Stretch) and part.octets.size > limits.document_bytes:
        raise EbmsFault(
            EbmsErrorCode.DECOMPRESSION_FAILURE,
            f"Expected at most {limits.document_bytes} bytes in the part of the SED, found {part.octets.size}",
            hint="Send the SED first and large files behind it.",
        )
    return payload_content(part, replace(limits, part_bytes=min(limits.part_bytes, limits.document_bytes)))


def look_through(
    parts: Sequence[Payload], look: Callable[[Payload, bytes], None], limits: As4Limits = DEFAULT_LIMITS
) -> None:
    """Decompress every part and show its content in pieces of at most 1 MB; keeps nothing.

    Args:
        parts: of one message; all together stay within the limits.
        look: sees each piece with its part, in order.
        limits: how much we are willing to unpack.

    Raises:
        EbmsFault: 0303 when a part cannot be decompressed, or all of them are too large.
    """
    total = 0
    for part in parts:
        for piece in payload_pieces(part, limits):
            total += len(piece)
            if total > limits.message_bytes:
                raise EbmsFault(
                    EbmsErrorCode.DECOMPRESSION_FAILURE,
                    f"Expected at most {limits.message_bytes} bytes in all parts after decompression, found more",
                    hint="Spread the attachments over several messages.",
                )
            look(part, piece)
