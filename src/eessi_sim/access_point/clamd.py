"""Asks a running clamd about the parts of a message: its stream command over TCP or a local socket.

Protocol: ``zINSTREAM``, pieces with their length before them, an empty piece, one line as answer (manual of clamd,
documented). Nothing is written to disk and no file name is told.
"""

import asyncio
from collections.abc import Sequence
from typing import Final

from eessi_sim.as4 import msh
from eessi_sim.as4.limits import As4Limits
from eessi_sim.as4.model import Payload
from eessi_sim.errors import EessiSimError

_WAIT: Final = 30.0
"""Seconds for the verdict on one part (our choice, inferred)."""
_LONGEST_ANSWER: Final = 4096
_FOUND: Final = " FOUND"
_CLEAN: Final = " OK"


class ScannerSilent(EessiSimError):  # noqa: N818 - says what happened
    """The scanner cannot be reached, or gives no verdict."""

    code = "scanner-silent"


async def find_malware(address: str, parts: Sequence[Payload], limits: As4Limits) -> tuple[str, str] | None:
    """Return the id of the first part that clamd finds harmful, with what it calls it; None when all are clean.

    Args:
        address: ``host:port``, or the path of a socket.
        parts: of one message, already known to stay within the limits.
        limits: how much of a part is unpacked.

    Raises:
        ScannerSilent: clamd cannot be reached, or refuses to judge.
    """
    for part in parts:
        try:
            async with asyncio.timeout(_WAIT):
                answer = await _ask(address, part, limits)
        except (OSError, TimeoutError) as error:
            raise ScannerSilent(
                f"Expected clamd at {address} to answer, found {type(error).__name__}",
                hint="Start clamd, or let messages pass meanwhile: when_silent: pass in the network file.",
            ) from error
        if answer.endswith(_FOUND):
            return part.content_id, answer.removesuffix(_FOUND).rpartition(": ")[2]
        if not answer.endswith(_CLEAN):
            raise ScannerSilent(
                f"Expected a verdict of clamd at {address}, found {answer[:200]!r}",
                hint="Compare StreamMaxLength of clamd with the size of attachments that the network allows.",
            )
    return None


async def _ask(address: str, part: Payload, limits: As4Limits) -> str:
    reader, writer = await _connect(address)
    try:
        writer.write(b"zINSTREAM\0")
        for piece in msh.payload_pieces(part, limits):
            if piece:
                writer.write(len(piece).to_bytes(4, "big") + piece)
                await writer.drain()
        writer.write(bytes(4))
        await writer.drain()
        return (await reader.read(_LONGEST_ANSWER)).rstrip(b"\0\n").decode("utf-8", "replace")
    finally:
        writer.close()


async def _connect(address: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    if address.startswith("/"):
        return await asyncio.open_unix_connection(address)
    host, _, port = address.rpartition(":")
    return await asyncio.open_connection(host, int(port))
