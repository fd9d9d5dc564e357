"""Accidents of compressed parts: compressed again, by another program, decompressed on the way, signed too early.

A gzip stream says little about who made it: level, time and system in ten octets (RFC 1952). Those that programs
write are few, so that a stream of equal content can be made again.
"""

import struct
import zlib
from collections.abc import Iterator
from itertools import product
from typing import Final

from eessi_sim import xmlsafe
from eessi_sim.as4 import compression
from eessi_sim.as4.ebms_errors import EbmsFault
from eessi_sim.verification.accidents.model import Candidate, Content
from eessi_sim.verification.accidents.xml_edit import tree_of

_MAGIC: Final = b"\x1f\x8b"
_HEADER: Final = 10
_TRAILER: Final = 8
_LARGEST: Final = 1024 * 1024
"""Content that is compressed again in twenty ways; a second per megabyte is enough."""
_LEVELS: Final = (6, 9, 1, 3, 5, 2, 4, 7, 8, 0)
"""The usual ones first: 6 is everybody's default, 9 Python's, 1 "fast"."""
_MEMORY: Final = (8, 9)
"""zlib's memLevel: 8 by default, 9 in gzip(1), pigz and some Java wrappers."""
_SYSTEMS: Final = {
    0: "Java before 16, .NET Framework",
    255: "Java 16 and later, Python, Go",
    3: "zlib on Unix",
    10: ".NET, zlib on Windows",
    11: "zlib on Windows (NTFS)",
    7: "zlib on macOS (Macintosh)",
    19: "zlib on macOS (Darwin)",
}
"""Octet OS of the header, and who writes it (RFC 1952 section 2.3.1; observed)."""
_EXTRA: Final = (0, 2, 4)
"""Octet XFL: nothing, slowest, fastest."""
_SECONDS: Final = 5
"""How long before the time in the message the part may have been compressed."""


def signed_before_compression(content: Content) -> Iterator[Candidate]:
    """Yield the content of a compressed part, and its canonical form."""
    plain = _decompressed(content.octets)
    if plain is None:
        return
    root = tree_of(plain)
    yield Candidate(plain, "the octets of the document")
    if root is not None:
        yield Candidate(xmlsafe.exclusive_c14n(root), "the document in exclusive canonical form")
        yield Candidate(xmlsafe.inclusive_c14n(root), "the document in inclusive canonical form")


def recompressed(content: Content) -> Iterator[Candidate]:
    """Yield gzip streams of the same content with other levels, times and systems."""
    plain = _decompressed(content.octets)
    if plain is None or len(plain) > _LARGEST:
        return
    own = content.octets[_HEADER:-_TRAILER] if not content.octets[3] else None
    yield from _streams(plain, own, _times(content))


def decompressed_on_the_way(content: Content) -> Iterator[Candidate]:
    """Yield gzip streams of a part that should be compressed and is not."""
    scene = content.scene
    if scene is None or not scene.was_compressed or content.octets.startswith(_MAGIC):
        return
    if len(content.octets) <= _LARGEST:
        yield from _streams(scene.raw, None, _times(content))


def compressed_twice(content: Content) -> Iterator[Candidate]:
    """Yield the stream in a stream."""
    inner = _decompressed(content.octets)
    if inner is not None and inner.startswith(_MAGIC):
        yield Candidate(inner)


def _decompressed(octets: bytes) -> bytes | None:
    if not octets.startswith(_MAGIC):
        return None
    try:
        return compression.decompress(octets)
    except EbmsFault:
        return None


def _times(content: Content) -> tuple[int, ...]:
    """Return the times that a header may state: none, its own, or the seconds before the message was made."""
    own = struct.unpack("<L", content.octets[4:8])[0] if content.octets.startswith(_MAGIC) else 0
    times = dict.fromkeys((0, own))
    if content.scene is not None and content.scene.sent_at is not None:
        sent = int(content.scene.sent_at.timestamp())
        times.update(dict.fromkeys(max(0, sent - second) for second in range(-1, _SECONDS + 1)))
    return tuple(times)


def _streams(plain: bytes, own: bytes | None, times: tuple[int, ...]) -> Iterator[Candidate]:
    trailer = struct.pack("<LL", zlib.crc32(plain), len(plain) & 0xFFFFFFFF)
    for body, how in _bodies(plain, own):
        for time, extra, system in product(times, _EXTRA, _SYSTEMS):
            header = struct.pack("<2sBBLBB", _MAGIC, 8, 0, time, extra, system)
            stated = f"time {time}" if time else "no time"
            note = f"{how}; header: {stated}, XFL {extra}, OS {system} ({_SYSTEMS[system]})"
            yield Candidate(header + body + trailer, note)


def _bodies(plain: bytes, own: bytes | None) -> Iterator[tuple[bytes, str]]:
    seen: set[bytes] = set()
    if own is not None:
        seen.add(own)
        yield own, "the same deflate stream under another header"
    for memory in _MEMORY:
        for level in _LEVELS:
            deflate = zlib.compressobj(level, zlib.DEFLATED, -zlib.MAX_WBITS, memory)
            body = deflate.compress(plain) + deflate.flush()
            if body not in seen:
                seen.add(body)
                yield body, f"zlib level {level}" + (f", memLevel {memory}" if memory != _MEMORY[0] else "")
