"""Bodies of HTTP messages that may be large: while they are read, and piece by piece while they are sent."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from eessi_sim.spool import Spool, SpoolFile, SpoolWriter
from eessi_sim.stretch import IN_MEMORY, Stretch


@dataclass(slots=True)
class Body:
    """The body of one request, or of one answer, while it is read."""

    octets: bytearray = field(default_factory=bytearray)
    size: int = 0
    """Octets read; they count until the request is answered."""
    writer: SpoolWriter | None = None
    """Once it is too large to be held."""
    file: SpoolFile | None = None

    def take(self) -> bytes:
        """Return the body and keep no second copy of it; nothing when it was written to the spool."""
        if self.writer is not None:
            self.file = self.writer.finish()
        taken = bytes(self.octets)
        self.octets.clear()
        return taken

    def append(self, more: bytes, spool: Spool | None) -> None:
        """Hold more, or write it down with what was held before."""
        self.size += len(more)
        if self.writer is None and spool is not None and self.size > IN_MEMORY:
            self.writer = spool.begin()
            self.writer.append(self.octets)
            self.octets.clear()
        if self.writer is None:
            self.octets += more
        else:
            self.writer.append(more)

    def discard(self) -> None:
        """Throw away what was written, unless somebody kept it."""
        if self.file is not None:
            self.file.discard()
        elif self.writer is not None:
            self.writer.discard()


async def pieces(body: Stretch) -> AsyncIterator[bytes]:
    """Yield a body that lies elsewhere in pieces of at most 1 MB."""
    for piece in body.pieces():
        yield piece
