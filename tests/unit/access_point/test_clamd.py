"""clamd is asked in its own protocol, here of a stand-in that speaks it; what it says decides."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from eessi_sim.access_point.clamd import ScannerSilent, find_malware
from eessi_sim.as4 import msh
from eessi_sim.as4.limits import DEFAULT_LIMITS

PARTS = (
    msh.compressed_payload("sed@pl.example", b"<A003/>", "application/xml", "SED"),
    msh.plain_payload("att@pl.example", b"bad " * 10, "text/plain", "Attachment"),
    msh.plain_payload("none@pl.example", b"", "text/plain", "Attachment"),
)


def _verdict(data: bytes) -> bytes:
    return b"stream: Simulated.Bad FOUND\0" if b"bad" in data else b"stream: OK\0"


@asynccontextmanager
async def _clamd(path: Path, verdict: Callable[[bytes], bytes]) -> AsyncIterator[list[bytes]]:
    """A stand-in for clamd on a local socket, and what it was shown."""
    shown: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert await reader.readexactly(10) == b"zINSTREAM\0"
        data = b""
        while size := int.from_bytes(await reader.readexactly(4), "big"):
            data += await reader.readexactly(size)
        shown.append(data)
        writer.write(verdict(data))
        writer.close()

    async with await asyncio.start_unix_server(serve, path):
        yield shown


async def test_first_harmful_part_is_named(tmp_path: Path) -> None:
    """Every part is shown unpacked, until clamd finds something."""
    path = tmp_path / "clamd.sock"
    async with _clamd(path, _verdict) as shown:
        assert await find_malware(str(path), PARTS, DEFAULT_LIMITS) == ("att@pl.example", "Simulated.Bad")
    assert shown == [b"<A003/>", b"bad " * 10]


async def test_clean_parts_pass(tmp_path: Path) -> None:
    """Nothing found is nothing said; an empty part is shown, too."""
    path = tmp_path / "clamd.sock"
    async with _clamd(path, lambda _data: b"stream: OK\0") as shown:
        assert await find_malware(str(path), PARTS, DEFAULT_LIMITS) is None
    assert len(shown) == 3


async def test_no_verdict_is_no_pass(tmp_path: Path) -> None:
    """An answer that is no verdict, for example that the part is too large, is told with what to do."""
    path = tmp_path / "clamd.sock"
    async with _clamd(path, lambda _data: b"INSTREAM size limit exceeded. ERROR\0"):
        with pytest.raises(ScannerSilent, match="size limit") as caught:
            await find_malware(str(path), PARTS, DEFAULT_LIMITS)
    assert "StreamMaxLength" in (caught.value.hint or "")


async def test_scanner_that_does_not_run_is_named() -> None:
    """Where nobody listens the address is in the sentence."""
    with pytest.raises(ScannerSilent, match=r"127\.0\.0\.1:1 "):
        await find_malware("127.0.0.1:1", PARTS, DEFAULT_LIMITS)
