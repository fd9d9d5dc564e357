"""A TCP proxy on loopback before one node, that can be told to be a bad line.

It carries TLS that it cannot read: what it breaks, delays or changes is what a network can break, delay or change.
"""

import asyncio
import contextlib
from dataclasses import dataclass
from random import Random
from typing import Final

from eessi_sim.simulation.state import LOOPBACK

_PIECE: Final = 16 * 1024


@dataclass(slots=True)
class Line:
    """How bad the line is at the moment."""

    is_down: bool = False
    """Connections are closed, old and new ones."""
    stalled: int = 0
    """How many disturbances let nothing through."""
    delay: float = 0.0
    """Seconds by which every piece comes later."""
    corrupt: float = 0.0
    """Share of the pieces in which an octet is changed."""


class Proxy:
    """The line to one node.

    Args:
        target: port of the node.
        seed: decides which octets are changed.
    """

    def __init__(self, target: int, seed: int) -> None:
        self.line = Line()
        self._target = target
        self._dice = Random(seed)  # noqa: S311 - repeats itself on purpose
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._flows: set[asyncio.Task[None]] = set()
        self._open = asyncio.Event()
        self._open.set()

    async def start(self, port: int = 0) -> int:
        """Begin to listen; return the port."""
        self._server = await asyncio.start_server(self._accept, LOOPBACK, port, limit=_PIECE)
        found: int = self._server.sockets[0].getsockname()[1]
        return found

    async def stop(self) -> None:
        """Close everything."""
        if self._server is not None:
            self._server.close()
        self.break_all()
        self._open.set()
        for flow in self._flows:
            flow.cancel()
        await asyncio.gather(*self._flows, return_exceptions=True)

    def break_all(self) -> None:
        """End all connections at once, in the middle of whatever they carry."""
        for writer in self._writers:
            writer.transport.abort()

    def stall(self) -> None:
        """Let nothing through until ``resume``."""
        self.line.stalled += 1
        self._open.clear()

    def resume(self) -> None:
        """End one ``stall``."""
        self.line.stalled -= 1
        if not self.line.stalled:
            self._open.set()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # the server made it
        self._flows.add(task)
        self._writers.add(writer)
        try:
            await self._connect(reader, writer)
        except OSError:  # the node is not there, or somebody ended the connection
            writer.transport.abort()
        finally:
            self._writers.discard(writer)
            self._flows.discard(task)

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.line.is_down:
            writer.transport.abort()
            return
        there, back = await asyncio.open_connection(LOOPBACK, self._target, limit=_PIECE)
        self._writers.add(back)
        try:
            await asyncio.gather(self._carry(reader, back), self._carry(there, writer))
        finally:
            self._writers.discard(back)
            back.transport.abort()
            writer.transport.abort()

    async def _carry(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while piece := await source.read(_PIECE):
            if self.line.delay:
                await asyncio.sleep(self.line.delay)
            await self._open.wait()
            sink.write(self._damaged(piece))
            await sink.drain()
        with contextlib.suppress(OSError):
            sink.write_eof()

    def _damaged(self, piece: bytes) -> bytes:
        if not self.line.corrupt or self._dice.random() >= self.line.corrupt:
            return piece
        damaged = bytearray(piece)
        damaged[self._dice.randrange(len(damaged))] ^= 1 << self._dice.randrange(8)
        return bytes(damaged)
