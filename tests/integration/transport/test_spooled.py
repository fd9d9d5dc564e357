"""Large bodies: read from a file, sent in pieces over mutual TLS, and written to a file as they come."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator
from pathlib import Path
from unittest.mock import patch

import pytest

from eessi_sim.errors import ConnectFailed, TransportError, Unavailable
from eessi_sim.spool import Spool, SpoolFile, SpoolWriter
from eessi_sim.stretch import Stretch
from eessi_sim.transport.base import Request, Response, TlsIdentity, TransportLimits
from eessi_sim.transport.http import HttpListener, HttpTransport
from eessi_sim.transport.tls import client_context

LARGE = random.Random(2).randbytes(3 * 1024 * 1024)
LIMITS = TransportLimits(max_body=4 * 1024 * 1024, held_bytes=2 * 1024 * 1024, read_seconds=2.0)


class Receiver:
    """A handler that keeps bodies when it is told to."""

    def __init__(self) -> None:
        self.kept: list[SpoolFile] = []
        self.keeps = True
        self.headers: list[str | None] = []
        self.held: list[bytes] = []
        self.answer = Response(202)

    async def __call__(self, request: Request) -> Response:
        self.headers.append(request.headers.get("content-length"))
        self.held.append(request.body)
        if self.keeps and request.spooled is not None:
            self.kept.append(request.spooled.keep())
        return self.answer


class Ends:
    """A listener with a spool, a sender, and what is between them."""

    def __init__(self, folder: Path, url: str, receiver: Receiver, transport: HttpTransport) -> None:
        self.spool = Spool(folder / "sent")
        self.folder = folder / "received"
        self.url = url
        self.receiver = receiver
        self.transport = transport

    async def send(self, data: bytes) -> int:
        """Send octets from a file; return the status of the answer."""
        return await self.post(self.spool.write([data]).keep().stretch)

    async def post(self, body: Stretch) -> int:
        """Send what lies in a file."""
        return (await self.transport.send(self.url, body, headers={}, within=30)).status

    @property
    def files(self) -> list[str]:
        """What lies in the spool of the listener."""
        return [path.name for path in self.folder.iterdir()]


@pytest.fixture
async def ends(
    tmp_path: Path, server_identity: TlsIdentity, client_identity: TlsIdentity
) -> AsyncIterator[Ends]:
    """Both ends on loopback."""
    receiver, transport = Receiver(), HttpTransport(client_identity, limits=LIMITS)
    listener = HttpListener(
        "127.0.0.1", 0, identity=server_identity, limits=LIMITS, spool=Spool(tmp_path / "received")
    )
    yield Ends(tmp_path, await listener.start(receiver), receiver, transport)
    await transport.close()
    await listener.stop()


async def test_large_body_is_never_held(ends: Ends) -> None:
    """It arrives with its length, lies in a file under its digest, and counts as no memory: it may be larger."""
    assert await ends.send(LARGE) == 202
    (file,) = ends.receiver.kept
    assert file.read() == LARGE
    assert ends.files == [file.digest]
    assert (ends.receiver.headers, ends.receiver.held) == ([str(len(LARGE))], [b""])


async def test_small_body_is_held(ends: Ends) -> None:
    """Up to a megabyte nothing is written."""
    assert await ends.send(LARGE[: 1024 * 1024]) == 202
    assert ends.receiver.held == [LARGE[: 1024 * 1024]]
    assert not ends.folder.exists()


async def test_body_that_nobody_keeps_goes_with_its_request(ends: Ends) -> None:
    """A message that is refused leaves nothing on the disk."""
    ends.receiver.keeps = False
    assert await ends.send(LARGE) == 202
    assert ends.files == []


async def test_large_answer_is_never_held(ends: Ends, tmp_path: Path) -> None:
    """An answer that lies in a file is sent in pieces with its length, and written to a file by who wants that."""
    ends.receiver.answer = Response(200, spooled=ends.spool.write([LARGE]).keep())
    spool = Spool(tmp_path / "answers")
    answer = await ends.transport.send(ends.url, b"", headers={}, within=30, into=spool)
    assert answer.spooled is not None
    assert (answer.body, answer.spooled.read()) == (b"", LARGE)
    assert answer.headers["content-length"] == str(len(LARGE))
    answer.spooled.discard()
    assert (await ends.transport.send(ends.url, b"", headers={}, within=30)).octets == LARGE
    ends.receiver.answer = Response(200, spooled=ends.spool.write([LARGE, LARGE]).keep())
    with pytest.raises(TransportError, match="at most 4194304 octets"):
        await ends.transport.send(ends.url, b"", headers={}, within=30, into=spool)
    assert not list((tmp_path / "answers").iterdir())


async def test_body_that_breaks_off_leaves_nothing(ends: Ends, client_identity: TlsIdentity) -> None:
    """A sender that falls silent in the middle is answered 408, and what came of its body goes."""
    port = int(ends.url.rpartition(":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=client_context(client_identity))
    writer.write(
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2097152\r\n\r\n" + LARGE[: 2 * 1024 * 1024 - 1]
    )
    answer = await reader.read()
    writer.close()
    assert answer.startswith(b"HTTP/1.1 408")
    assert ends.files == []


async def test_full_disk_is_answered_503(ends: Ends) -> None:
    """The sender is told to come again; nothing is half taken in."""
    body = ends.spool.write([LARGE]).keep().stretch
    full = Unavailable("Expected to use the spool file, found: No space left on device")
    # The answer may come while the body is still being written: then the sender sees a broken connection.
    with patch.object(SpoolWriter, "append", side_effect=full), contextlib.suppress(ConnectFailed):
        assert await ends.post(body) == 503
    assert await ends.send(LARGE) == 202
    assert len(ends.files) == 1
