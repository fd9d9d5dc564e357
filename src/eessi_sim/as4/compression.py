"""AS4 compression: one gzip stream per payload part (AS4 3.1, RFC 1952). No other coding lives here."""

import struct
import zlib
from collections.abc import Iterable, Iterator
from typing import Final

from eessi_sim.as4.ebms_errors import EbmsErrorCode, EbmsFault
from eessi_sim.as4.limits import DEFAULT_LIMITS, As4Limits
from eessi_sim.stretch import Extent

_HEADER: Final = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
"""No name, no time, unknown system: equal content gives equal octets, which retries and receipts rely on."""
_LEVEL: Final = 3
"""SEDs grow by 7 % against level 6, and take half its time (measured; our choice)."""
_FASTEST: Final = 1
_STORED: Final = 0
_WORTHWHILE: Final = 0.95
"""What must remain at most of the first piece of a large content, so that compressing all of it is worth the time."""
_CHUNK: Final = 64 * 1024
_PIECE: Final = 1024 * 1024
"""Octets that come out in one go; so much is held of a content that is only looked at."""
_GZIP_WINDOW: Final = 31
"""zlib's way to say: 32 KB window with gzip header, checksum and size checked."""


def compress(content: bytes) -> bytes:
    """Return ``content`` as a gzip stream that depends on nothing but the content."""
    deflate = zlib.compressobj(_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    body = deflate.compress(content) + deflate.flush()
    return b"".join((_HEADER, body, struct.pack("<LL", zlib.crc32(content), len(content) & 0xFFFFFFFF)))


def compressed(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the gzip stream of a large content, whose pieces say where it may be cut and how hard to try.

    Pictures and scans are compressed already: a content whose first piece does not shrink is stored as it is, which
    takes a twentieth of the time (measured; our choice).
    """
    yield _HEADER
    deflate, checksum, size = None, 0, 0
    for piece in pieces:
        deflate = deflate or zlib.compressobj(_level_for(piece), zlib.DEFLATED, -zlib.MAX_WBITS)
        checksum, size = zlib.crc32(piece, checksum), size + len(piece)
        yield deflate.compress(piece)
    deflate = deflate or zlib.compressobj(_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    yield deflate.flush()
    yield struct.pack("<LL", checksum, size & 0xFFFFFFFF)


def _level_for(piece: bytes) -> int:
    shrunk = len(zlib.compress(piece, _FASTEST))
    return _FASTEST if shrunk < _WORTHWHILE * len(piece) else _STORED


def decompress(data: Extent, limits: As4Limits = DEFAULT_LIMITS) -> bytes:
    """Return the content of a gzip stream of one or more members.

    Args:
        data: the octets of the payload part.
        limits: size and ratio at which reading stops.

    Raises:
        EbmsFault: 0303 when the stream is damaged, truncated, too large or followed by something else.
    """
    output = bytearray()
    for piece in pieces(data, limits):
        output += piece
    return bytes(output)


def pieces(data: Extent, limits: As4Limits = DEFAULT_LIMITS) -> Iterator[bytes]:
    """Yield the content of a gzip stream in pieces of at most 1 MB; arguments and errors as ``decompress``."""
    allowed = min(limits.part_bytes, max(limits.gzip_floor_bytes, limits.gzip_ratio * len(data)))
    size = position = members = 0
    while not members or position < len(data):
        members += 1
        if members > limits.gzip_members:
            raise _failure(f"Expected at most {limits.gzip_members} gzip members, found more")
        inflate = zlib.decompressobj(_GZIP_WINDOW)
        while not inflate.eof:
            piece, used = _next_piece(inflate, data, position, allowed - size + 1)
            position += used
            size += len(piece)
            if size > allowed:
                raise _failure(f"Expected at most {allowed} bytes after decompression, found more")
            yield piece


def _next_piece(inflate: "zlib._Decompress", data: Extent, position: int, room: int) -> tuple[bytes, int]:
    """Return the next piece of content, and how many octets of ``data`` it took."""
    chunk = data[position : position + _CHUNK]
    try:
        piece = inflate.decompress(chunk, min(room, _PIECE))
    except zlib.error as error:
        raise _failure(f"Expected a gzip stream, found at byte {position}: {error}") from error
    if not chunk and not piece and not inflate.eof:
        raise _failure(f"Expected the end of the gzip stream, found only {len(data)} bytes of it")
    return piece, len(chunk) - len(inflate.unconsumed_tail) - len(inflate.unused_data)


def _failure(message: str) -> EbmsFault:
    return EbmsFault(
        EbmsErrorCode.DECOMPRESSION_FAILURE,
        message,
        hint="Compress the part with gzip, once, before signing; raise the limit if the size is meant.",
    )
