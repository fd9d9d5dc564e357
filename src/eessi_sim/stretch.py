"""Octets that lie somewhere else: read in pieces, searched in pieces, never held as a whole.

A ``Stretch`` answers the questions that are asked of ``bytes`` (how long, where is this, what stands there), so that
whoever takes a message apart need not know whether it lies in memory. Where the octets lie is known to their
``Source``; no file is opened here.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Protocol, TypeAlias

IN_MEMORY: Final = 1024 * 1024
"""Up to this size octets are simply held; beyond, they are passed around as a stretch (our choice)."""
PIECE: Final = 1024 * 1024
"""So much of a stretch is held while it is read."""


class Source(Protocol):
    """Where octets lie."""

    def read_at(self, position: int, size: int) -> bytes:
        """Return ``size`` octets from ``position`` on, fewer at the end."""
        ...


@dataclass(frozen=True, slots=True)
class Stretch:
    """Part of a source."""

    source: Source
    start: int
    size: int
    sha256: bytes | None = None
    """Digest of the octets, when it was made as they were written."""

    def __len__(self) -> int:
        """Number of octets."""
        return self.size

    def __getitem__(self, place: slice) -> bytes:
        """Return the octets of a slice without step; whoever asks holds them."""
        start, stop, _ = place.indices(self.size)
        return self.source.read_at(self.start + start, stop - start) if stop > start else b""

    def __contains__(self, wanted: bytes) -> bool:
        """Whether ``wanted`` stands anywhere."""
        return self.find(wanted) >= 0

    def startswith(self, prefix: bytes, position: int = 0) -> bool:
        """Whether ``prefix`` stands at ``position``, as ``bytes.startswith``."""
        return self[position : position + len(prefix)] == prefix

    def find(self, wanted: bytes, start: int = 0, end: int | None = None) -> int:
        """Return where ``wanted`` stands first from ``start`` on and before ``end``, -1 when nowhere."""
        stop = self.size if end is None else min(end, self.size)
        while start + len(wanted) <= stop:
            piece = self[start : min(start + PIECE + len(wanted) - 1, stop)]
            found = piece.find(wanted)
            if found >= 0:
                return start + found
            start += PIECE
        return -1

    def count(self, wanted: bytes) -> int:
        """Return how often ``wanted`` stands here, without overlaps."""
        number = start = 0
        while start + len(wanted) <= self.size:
            # Every place below PIECE is looked at, however many there are: each piece is read once.
            piece, behind = self[start : start + PIECE + len(wanted) - 1], 0
            while (position := piece.find(wanted, behind)) >= 0:
                number += 1
                behind = position + len(wanted)
            start += max(PIECE, behind)
        return number

    def cut(self, start: int, end: int) -> "bytes | Stretch":
        """Return a part of it: held when it is small, else a stretch."""
        end = min(end, self.size)
        if end - start <= IN_MEMORY:
            return self[start:end]
        return Stretch(self.source, self.start + start, end - start)

    def pieces(self) -> Iterator[bytes]:
        """Yield the octets in pieces of at most 1 MB."""
        for position in range(0, self.size, PIECE):
            yield self[position : position + PIECE]

    def read(self) -> bytes:
        """Return all octets at once."""
        return self[:]


Extent: TypeAlias = bytes | Stretch
"""Octets, wherever they lie."""


def cut(octets: Extent, start: int, end: int) -> Extent:
    """Return a part of ``octets``; of octets that lie elsewhere, only a small one is held."""
    return octets.cut(start, end) if isinstance(octets, Stretch) else octets[start:end]


def pieces_of(octets: Extent) -> Iterator[bytes]:
    """Yield ``octets`` in pieces of at most 1 MB; such as are held come as one."""
    return octets.pieces() if isinstance(octets, Stretch) else iter((octets,))


def whole(octets: Extent) -> bytes:
    """Return ``octets`` as a whole; whoever asks has looked at their size."""
    return octets.read() if isinstance(octets, Stretch) else octets
