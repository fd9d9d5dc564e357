"""What only a real socket can show: hostile HTTP, time limits, connections, addresses."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

import pytest
from tests.integration.transport.conftest import echo, free_port

from eessi_sim.errors import ConnectFailed, EnvironmentProblem, TimedOut, TransportError
from eessi_sim.transport.base import Handler, Request, Response, TlsIdentity, TransportLimits
from eessi_sim.transport.http import HttpListener, HttpTransport
from eessi_sim.transport.tls import client_context, server_context

NO_HEADERS: dict[str, str] = {}
QUICK = TransportLimits(max_body=1000, read_seconds=0.6, request_seconds=1.8)
POST = b"POST /outbox HTTP/1.1\r\nHost: ap.example\r\nContent-Type: text/xml\r\n"

StartAt = Callable[[Handler], Awaitable[str]]


@dataclass
class Wire:
    """A connection on which octets are written as they are."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def ask(self, *octets: bytes, pause: float = 0.0) -> bytes:
        """Write octets, one piece after the other, and return the whole answer up to the end."""
        for piece in octets:
            self.writer.write(piece)
            await asyncio.sleep(pause)
        return await self.reader.read()


class Recorder:
    """A handler that remembers what it was asked."""

    def __init__(self) -> None:
        self.requests: list[Request] = []

    async def __call__(self, request: Request) -> Response:
        self.requests.append(request)
        return await echo(request)


@pytest.fixture
def recorder() -> Recorder:
    """The handler behind the wire."""
    return Recorder()


@pytest.fixture
async def wire(
    server_identity: TlsIdentity, client_identity: TlsIdentity, recorder: Recorder
) -> AsyncIterator[Wire]:
    """A connection to a listener with small limits."""
    listener = HttpListener("127.0.0.1", 0, identity=server_identity, limits=QUICK)
    url = await listener.start(recorder)
    port = int(url.rpartition(":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=client_context(client_identity))
    yield Wire(reader, writer)
    writer.close()
    await listener.stop()


@pytest.fixture
async def transport(client_identity: TlsIdentity) -> AsyncIterator[HttpTransport]:
    """A sender that reads at most 1000 octets."""
    transport = HttpTransport(client_identity, limits=QUICK)
    yield transport
    await transport.close()


@pytest.fixture
async def url_of(server_identity: TlsIdentity) -> AsyncIterator[StartAt]:
    """Starts a listener with the usual limits and returns its URL."""
    listeners: list[HttpListener] = []

    async def start(handler: Handler) -> str:
        listeners.append(HttpListener("127.0.0.1", 0, identity=server_identity))
        return await listeners[-1].start(handler)

    yield start
    for listener in listeners:
        await listener.stop()


def status(answer: bytes) -> int:
    """The status of a raw answer."""
    return int(answer.split(b" ", 2)[1])


def chunk(octets: bytes) -> bytes:
    """One chunk of a chunked body (RFC 9112 7.1)."""
    return f"{len(octets):x}\r\n".encode() + octets + b"\r\n"


async def test_length_over_the_limit_is_refused_before_the_body(wire: Wire, recorder: Recorder) -> None:
    """A Content-Length over the limit is answered 413 although no octet of the body was sent (SZ-1)."""
    wire.writer.write(POST + b"Content-Length: 1001\r\n\r\n")
    head = await wire.reader.readuntil(b"\r\n\r\n")
    assert status(head) == 413
    assert recorder.requests == []


async def test_endless_chunks_are_cut_at_the_limit(wire: Wire, recorder: Recorder) -> None:
    """A chunked body is answered 413 as soon as it is over the limit (SZ-2)."""
    wire.writer.write(POST + b"Transfer-Encoding: chunked\r\n\r\n" + chunk(b"x" * 600) * 2)
    head = await wire.reader.readuntil(b"\r\n\r\n")
    assert status(head) == 413
    assert recorder.requests == []


async def test_chunked_body_arrives_joined(wire: Wire, recorder: Recorder) -> None:
    """A handler sees the body of a chunked request without its chunks."""
    chunks = chunk(b"ab") + chunk(b"cd") + chunk(b"")
    await wire.ask(POST + b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks)
    assert recorder.requests[0].body == b"abcd"


async def test_slow_sender_is_answered_408(wire: Wire, recorder: Recorder) -> None:
    """A body that stops coming is answered 408 and the connection closed (SZ-4)."""
    answer = await wire.ask(POST + b"Content-Length: 10\r\n\r\n123")
    assert status(answer) == 408
    assert b"connection: close" in answer.lower()
    assert recorder.requests == []


async def test_trickling_sender_is_answered_408(wire: Wire) -> None:
    """A body that comes octet by octet must be complete within the time for the whole request (SZ-4)."""
    pieces = [b"x"] * 12
    answer = await wire.ask(POST + b"Content-Length: 100\r\n\r\n", *pieces, pause=0.08)
    assert status(answer) == 408


async def test_connection_without_a_request_is_closed(wire: Wire, recorder: Recorder) -> None:
    """Who connects and sends only half a header is cut off (SZ-4)."""
    assert await wire.ask(POST) == b""
    assert recorder.requests == []


@pytest.mark.parametrize(
    "request_",
    [
        b"nonsense\r\n\r\n",
        POST + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk(b"abc") + chunk(b""),
        POST + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
        POST + b"Content-Length: -3\r\n\r\n",
        POST + b"Content-Type: text/plain\r\nContent-Length: 0\r\n\r\n",
        POST + b"X-Folded: a\r\n b\r\nContent-Length: 0\r\n\r\n",
        POST + b"X-Eight: \xe9\r\nContent-Length: 0\r\n\r\n",
        POST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n",
    ],
    ids=[
        "not-http",
        "length-and-chunked",
        "two-lengths",
        "negative-length",
        "two-content-types",
        "folded-header",
        "eight-bit-header",
        "broken-chunk",
    ],
)
async def test_unclean_http_is_answered_400(wire: Wire, recorder: Recorder, request_: bytes) -> None:
    """What could be read in two ways is refused with a reason and the connection closed (MI-7, MI-18, MI-19)."""
    answer = await wire.ask(request_)
    assert status(answer) == 400
    assert b"text/plain" in answer
    assert recorder.requests == []


async def test_compressed_body_is_answered_415(wire: Wire, recorder: Recorder) -> None:
    """A content encoding is refused: its size could not be judged by the octets on the wire."""
    answer = await wire.ask(POST + b"Content-Encoding: gzip\r\nContent-Length: 0\r\n\r\n")
    assert status(answer) == 415
    assert recorder.requests == []


async def test_sender_that_asks_first_is_told_to_go_on(wire: Wire) -> None:
    """Expect: 100-continue is answered before the body comes (RFC 9110 10.1.1)."""
    wire.writer.write(POST + b"Connection: close\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
    assert status(await wire.reader.readuntil(b"\r\n\r\n")) == 100
    assert (await wire.ask(b"ab")).endswith(b"\r\n\r\nab")


async def test_sender_that_asks_first_is_spared_a_large_body(wire: Wire) -> None:
    """A body over the limit is refused instead of being asked for."""
    wire.writer.write(POST + b"Expect: 100-continue\r\nContent-Length: 1001\r\n\r\n")
    assert status(await wire.reader.readuntil(b"\r\n\r\n")) == 413


@pytest.mark.parametrize(
    "request_",
    [
        POST + b"Connection: close\r\nContent-Length: 0\r\n\r\n",
        b"nonsense\r\n\r\n",
        POST + b"Content-Encoding: gzip\r\nContent-Length: 0\r\n\r\n",
    ],
    ids=["answered", "malformed", "refused"],
)
async def test_no_answer_tells_what_runs_here(wire: Wire, request_: bytes) -> None:
    """The Server header names no library and no version."""
    head = (await wire.ask(request_)).partition(b"\r\n\r\n")[0].lower()
    assert b"\r\nserver: eessi-sim\r\n" in head + b"\r\n"
    assert b"aiohttp" not in head


async def test_several_headers_of_one_name_are_joined(wire: Wire, recorder: Recorder) -> None:
    """A header that comes twice is one list (RFC 9110 5.3)."""
    await wire.ask(POST + b"Connection: close\r\nX-A: 1\r\nx-a: 2\r\nContent-Length: 0\r\n\r\n")
    assert recorder.requests[0].headers["x-a"] == "1, 2"


async def test_vanished_sender_is_not_handled(wire: Wire, recorder: Recorder) -> None:
    """A connection that breaks in the middle of a body leaves nothing to handle."""
    wire.writer.write(POST + b"Content-Length: 10\r\n\r\n123")
    await wire.writer.drain()
    wire.writer.close()
    await wire.writer.wait_closed()
    assert recorder.requests == []


async def test_failing_handler_is_answered_500(url_of: StartAt, transport: HttpTransport) -> None:
    """A handler that fails is answered 500, without a word about the failure."""

    async def fail(_: Request) -> Response:
        raise RuntimeError("secret")

    answer = await transport.send(await url_of(fail), b"", headers=NO_HEADERS, within=30)
    assert answer.status == 500
    assert b"secret" not in answer.body
    assert answer.headers["server"] == "eessi-sim"


async def test_slow_answer_is_a_timeout(url_of: StartAt, transport: HttpTransport) -> None:
    """Without an answer in time the sender gives up, and says after how long."""
    never = asyncio.Event()

    async def hang(request: Request) -> Response:
        await never.wait()
        return await echo(request)

    url = await url_of(hang)
    with pytest.raises(TimedOut, match=r"within 0\.1 seconds"):
        await transport.send(url, b"", headers=NO_HEADERS, within=0.1)
    never.set()


async def test_large_body_arrives(url_of: StartAt, transport: HttpTransport) -> None:
    """A body of several megabytes is sent piece by piece and arrives whole."""
    recorder = Recorder()
    body = bytes(range(256)) * 16_384

    async def count(request: Request) -> Response:
        await recorder(request)
        return Response(202)

    await transport.send(await url_of(count), body, headers=NO_HEADERS, within=30)
    assert recorder.requests[0].body == body


async def test_answer_over_the_limit_is_an_error(url_of: StartAt, transport: HttpTransport) -> None:
    """A sender does not read more than it may."""
    with pytest.raises(TransportError, match="at most 1000 octets"):
        await transport.send(await url_of(echo), b"x" * 1001, headers=NO_HEADERS, within=30)


async def test_connection_is_used_again(
    server_identity: TlsIdentity, transport: HttpTransport, client_identity: TlsIdentity
) -> None:
    """Requests one after the other share one connection and its handshake."""
    listener = HttpListener("127.0.0.1", 0, identity=server_identity)
    url = await listener.start(echo)
    for _ in range(3):
        await transport.send(url, b"", headers=NO_HEADERS, within=30)
    assert listener._server is not None
    assert len(listener._server.connections) == 1
    await listener.stop()


async def test_nothing_is_added_to_the_headers(url_of: StartAt, transport: HttpTransport) -> None:
    """Only Host and Content-Length come with the headers that were given."""
    recorder = Recorder()
    url = await url_of(recorder)
    await transport.send(url, b"", headers={"Content-Type": "text/xml"}, within=30)
    assert sorted(recorder.requests[0].headers) == ["content-length", "content-type", "host"]


async def test_proxies_of_the_environment_are_ignored(
    url_of: StartAt, transport: HttpTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy in the environment is not used; messages go where they are sent."""
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{free_port()}")
    answer = await transport.send(await url_of(echo), b"direct", headers=NO_HEADERS, within=30)
    assert answer.body == b"direct"


@pytest.mark.parametrize("url", ["http://127.0.0.1/", "https:///path", "outbox"])
async def test_only_https_is_sent_to(transport: HttpTransport, url: str) -> None:
    """Anything but an HTTPS URL is refused before a connection is opened."""
    with pytest.raises(TransportError, match="Expected a URL such as"):
        await transport.send(url, b"", headers=NO_HEADERS, within=30)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"SSH-2.0-Server\r\n\r\n", TransportError),
        (b"", ConnectFailed),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", ConnectFailed),
    ],
    ids=["not-http", "nothing", "half"],
)
async def test_broken_answer_is_an_error(
    server_identity: TlsIdentity, transport: HttpTransport, answer: bytes, error: type[TransportError]
) -> None:
    """What is not a whole HTTP answer is an error of the transport, not an answer."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=server_context(server_identity))
    url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    with pytest.raises(TransportError) as caught:
        await transport.send(url, b"", headers=NO_HEADERS, within=30)
    server.close()
    assert caught.type is error


async def test_url_names_the_host_that_others_use(
    server_identity: TlsIdentity, transport: HttpTransport
) -> None:
    """A listener can bind to an address and be known by a name."""
    listener = HttpListener("127.0.0.1", 0, identity=server_identity, name="localhost")
    url = await listener.start(echo)
    answer = await transport.send(url, b"", headers=NO_HEADERS, within=30)
    await listener.stop()
    assert url.startswith("https://localhost:")
    assert answer.status == 200


@pytest.mark.skipif(not socket.has_ipv6, reason="this machine has no IPv6")
async def test_url_of_an_ipv6_address_has_brackets(server_identity: TlsIdentity) -> None:
    """An IPv6 address stands in brackets in a URL (RFC 3986 3.2.2)."""
    listener = HttpListener("127.0.0.1", 0, identity=server_identity, name="::1")
    url = await listener.start(echo)
    await listener.stop()
    assert url.startswith("https://[::1]:")


async def test_address_of_another_machine_is_a_problem_of_the_environment(
    server_identity: TlsIdentity,
) -> None:
    """Binding to an address that this machine does not have says so in one sentence."""
    with pytest.raises(EnvironmentProblem, match=r"Expected to listen on port 0 of 192\.0\.2\.1, found: "):
        await HttpListener("192.0.2.1", 0, identity=server_identity).start(echo)


async def test_without_an_identity_http_is_spoken() -> None:
    """A gateway outside of EESSI may listen and send without TLS; the URL says so."""
    listener, transport = HttpListener("127.0.0.1", 0, identity=None), HttpTransport(None)
    url = await listener.start(echo)
    try:
        assert url.startswith("http://")
        answer = await transport.send(url + "/x", b"octets", headers=NO_HEADERS, within=5)
        assert (answer.status, answer.body) == (200, b"octets")
        with pytest.raises(TransportError, match="URL"):
            await transport.send("ftp://127.0.0.1/", b"", headers=NO_HEADERS, within=5)
    finally:
        await transport.close()
        await listener.stop()


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        (TransportLimits(requests_per_client=1), b"Too many requests"),
        (TransportLimits(held_bytes=5), b"Too many large requests"),
    ],
)
async def test_too_much_at_the_same_time_is_answered_503(
    server_identity: TlsIdentity, client_identity: TlsIdentity, limits: TransportLimits, reason: bytes
) -> None:
    """A second request is told to come again while the first one is under way, and served afterwards (SZ-5)."""
    arrived, go = asyncio.Event(), asyncio.Event()

    async def slow(_: Request) -> Response:
        arrived.set()
        await go.wait()
        return Response(202)

    listener = HttpListener("127.0.0.1", 0, identity=server_identity, limits=limits)
    url = await listener.start(slow)
    transport = HttpTransport(client_identity)

    async def send() -> Response:
        return await transport.send(url, b"abc", headers=NO_HEADERS, within=30)

    first = asyncio.create_task(send())
    await arrived.wait()
    second = await send()
    go.set()
    statuses = ((await first).status, second.status, (await send()).status)
    await transport.close()
    await listener.stop()
    assert statuses == (202, 503, 202)
    assert second.body.startswith(reason)
