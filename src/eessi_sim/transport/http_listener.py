"""The receiving end over HTTP/1.1 with mutual TLS: bounded in size and time, silent about itself.

Answered here, before any handler: 400 for what is not clean HTTP, 408 for slow senders, 413 for
large bodies, 415 for content encodings, 503 for too much at the same time (RFC 9110 15.5, 15.6). What a
request means is not known here.
"""

import asyncio
import errno
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus

from aiohttp import hdrs, web

from eessi_sim.errors import EnvironmentProblem, Unavailable
from eessi_sim.spool import Spool
from eessi_sim.transport.base import Handler, Request, Response, TlsIdentity, TransportLimits
from eessi_sim.transport.body import Body, pieces
from eessi_sim.transport.tls import server_context

_log = logging.getLogger("eessi_sim.transport")
_PRODUCT = "eessi-sim"
"""Value of the Server header: no versions, they help only attackers."""
_BACKLOG = 1024
"""Connections that may wait to be accepted: a whole network starts at once."""
_LINGER_SECONDS = 5.0
"""How long the rest of a refused body is thrown away, so that the sender sees the answer."""
_RETRY_AFTER = "30"
"""Seconds after which a sender that met too much at the same time may come again (our choice, inferred)."""
_STOP_SECONDS = 10.0
"""How long running requests may take to end when the listener stops."""
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"

_Answer = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


class HttpListener:
    """Listens for one party.

    Args:
        host: name or address to bind to; the loopback address keeps strangers out.
        port: 0 takes a free one.
        identity: certificate shown to clients, and the authorities that clients must come from. None listens
            without TLS, behind a proxy or for gateways outside of EESSI.
        limits: bounds of the requests.
        name: host in the URL that others use; must stand in the certificate. The same as
            ``host`` by default.
        shared: let other processes of the same user listen at the same port; the system spreads connections over them.
        spool: where bodies of more than 1 MB are written to while they come; without it they are held.

    Raises:
        KeyMaterialError: a file of the identity cannot be used.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        identity: TlsIdentity | None,
        limits: TransportLimits | None = None,
        name: str | None = None,
        spool: Spool | None = None,
        shared: bool = False,
    ) -> None:
        self._shared = shared
        self._host = host
        self._port = port
        self._name = name or host
        self._context = None if identity is None else server_context(identity)
        self._limits = limits or TransportLimits()
        self._spool = spool
        self._server: web.Server | None = None
        self._sockets: asyncio.Server | None = None

    async def start(self, handler: Handler) -> str:
        """Begin to listen and return the URL, without a slash at the end.

        Raises:
            EnvironmentProblem: the address is taken, forbidden or not of this machine.
        """
        front = _Front(handler, self._limits, self._spool)
        self._server = _Server(
            front.answer,
            access_log=None,
            logger=_log,
            auto_decompress=False,  # a compressed body would grow behind the limit
            keepalive_timeout=self._limits.read_seconds,
            lingering_time=min(_LINGER_SECONDS, self._limits.read_seconds),
        )
        try:
            self._sockets = await asyncio.get_running_loop().create_server(
                self._server,
                self._host,
                self._port,
                ssl=self._context,
                ssl_handshake_timeout=self._limits.read_seconds if self._context else None,
                backlog=_BACKLOG,
                reuse_port=self._shared or None,
            )
        except OSError as error:
            raise self._unusable(error) from error
        port = self._sockets.sockets[0].getsockname()[1]
        host = f"[{self._name}]" if ":" in self._name else self._name
        return f"{'https' if self._context else 'http'}://{host}:{port}"

    async def stop(self) -> None:
        """Stop listening, let running requests end and close; stopping twice is harmless."""
        if self._sockets is None or self._server is None:
            return
        self._sockets.close()
        self._server.pre_shutdown()
        await self._server.shutdown(_STOP_SECONDS)
        await self._sockets.wait_closed()
        self._sockets = None

    def _unusable(self, error: OSError) -> EnvironmentProblem:
        place = f"port {self._port} of {self._host}"
        if error.errno == errno.EADDRINUSE:
            return EnvironmentProblem(
                f"Expected {place} to be free, found it in use",
                hint="Stop the other program, or choose another port.",
            )
        return EnvironmentProblem(
            f"Expected to listen on {place}, found: {error.strerror}",
            hint="Choose an address of this machine and a port that you may use.",
        )


class _RefusalError(Exception):
    """A request that no handler shall see."""

    def __init__(self, status: HTTPStatus, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


@dataclass(slots=True)
class _Load:
    """What all connections of a listener hold at the moment."""

    limits: TransportLimits
    spool: Spool | None
    requests: Counter[bytes | None] = field(default_factory=Counter)
    """Requests under way, by the certificate of the client."""
    held: int = 0
    """Octets of bodies in memory whose requests are not answered yet."""
    spooled: int = 0
    """Octets of those in the spool."""

    @contextmanager
    def request_of(self, client: bytes | None) -> Iterator[Body]:
        """Count a request, and its body, while it is handled."""
        if self.requests[client] >= self.limits.requests_per_client:
            raise _busy("Too many requests with this certificate at the same time")
        self.requests[client] += 1
        body = Body()
        try:
            yield body
        finally:
            self._count(body, -1)
            body.discard()
            self.requests[client] -= 1
            if not self.requests[client]:
                del self.requests[client]  # certificates of the past are not kept

    def hold(self, body: Body, more: bytes) -> None:
        """Append what was read."""
        if body.size + len(more) > self.limits.max_body:
            raise _too_large(self.limits)
        self._count(body, -1)
        try:
            body.append(more, self.spool)
        except Unavailable as error:
            raise _busy("No room for large requests") from error
        finally:
            self._count(body, 1)
        if self.held > self.limits.held_bytes or self.spooled > self.limits.spooled_bytes:
            raise _busy("Too many large requests at the same time")

    def _count(self, body: Body, sign: int) -> None:
        if body.writer is None:
            self.held += sign * body.size
        else:
            self.spooled += sign * body.size


class _Front:
    """Makes a Request of what the library read, and its answer of our Response."""

    def __init__(self, handler: Handler, limits: TransportLimits, spool: Spool | None) -> None:
        self._handler = handler
        self._limits = limits
        self._load = _Load(limits, spool)

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        client = _certificate(request)
        try:
            with self._load.request_of(client) as body:
                headers = _headers(request)
                await self._fill(body, request)
                arrived = Request(
                    method=request.method,
                    path=request.rel_url.raw_path_qs or "/",
                    headers=headers,
                    body=body.take(),
                    peer_certificate=client,
                    peer=request.remote or "",
                    spooled=body.file,
                )
                return _written(await self._handler(arrived))
        except _RefusalError as refusal:
            return _refuse(refusal.status, refusal.reason)

    async def _fill(self, body: Body, request: web.BaseRequest) -> None:
        if (request.content_length or 0) > self._limits.max_body:
            raise _too_large(self._limits)
        if request.headers.get(hdrs.EXPECT, "").lower() == "100-continue":
            await request.writer.write(_CONTINUE)
        try:
            await self._read(body, request)
        except TimeoutError as error:
            raise _RefusalError(HTTPStatus.REQUEST_TIMEOUT, "The request took too long") from error
        except (web.RequestPayloadError, ConnectionError) as error:
            raise _RefusalError(HTTPStatus.BAD_REQUEST, "The body is not as announced") from error

    async def _read(self, body: Body, request: web.BaseRequest) -> None:
        now = asyncio.get_running_loop().time
        last = now() + self._limits.request_seconds
        async with asyncio.timeout_at(None) as guard:
            while not request.content.at_eof():
                guard.reschedule(min(now() + self._limits.read_seconds, last))
                self._load.hold(body, await request.content.readany())


def _too_large(limits: TransportLimits) -> _RefusalError:
    return _RefusalError(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"The body is larger than {limits.max_body} octets"
    )


def _busy(reason: str) -> _RefusalError:
    return _RefusalError(HTTPStatus.SERVICE_UNAVAILABLE, f"{reason}; send it again later")


class _Connection(web.RequestHandler):
    """Answers in our own words what the library refuses by itself."""

    __slots__ = ()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        if status == HTTPStatus.BAD_REQUEST:
            _log.info("Refused a request from %s that is not HTTP", request.remote)
            # Only the first line: the others repeat octets of the request.
            return _refuse(HTTPStatus.BAD_REQUEST, (message or "").split("\n")[0].rstrip(" :"))
        _log.error("A handler failed", exc_info=exc)
        return _refuse(HTTPStatus.INTERNAL_SERVER_ERROR, "The request could not be handled")


class _Server(web.Server):
    def __call__(self) -> web.RequestHandler:
        return _Connection(self, loop=self._loop, **self._kwargs)


def _headers(request: web.BaseRequest) -> dict[str, str]:
    headers: dict[str, str] = {}
    for name, value in request.headers.items():
        key = name.lower()
        if not value.isascii():
            raise _RefusalError(HTTPStatus.BAD_REQUEST, "A header is not ASCII")
        headers[key] = f"{headers[key]}, {value}" if key in headers else value
    if headers.get("content-encoding", "identity").lower() != "identity":
        raise _RefusalError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Content encodings are not supported")
    return headers


def _certificate(request: web.BaseRequest) -> bytes | None:
    connection = request.get_extra_info("ssl_object")
    return None if connection is None else connection.getpeercert(binary_form=True)


def _refuse(status: HTTPStatus, reason: str) -> web.Response:
    response = _written(Response(status, {"content-type": "text/plain; charset=utf-8"}, reason.encode()))
    if status is HTTPStatus.SERVICE_UNAVAILABLE:
        response.headers[hdrs.RETRY_AFTER] = _RETRY_AFTER
    response.force_close()  # what follows on this connection cannot be trusted
    return response


def _written(response: Response) -> web.Response:
    headers = dict(response.headers)
    if response.spooled is None:
        written = web.Response(status=response.status, body=response.body, headers=headers)
    else:
        headers[hdrs.CONTENT_LENGTH] = str(response.spooled.size)  # else it would be sent in chunks
        written = web.Response(status=response.status, body=pieces(response.spooled.stretch), headers=headers)
    written.headers[hdrs.SERVER] = _PRODUCT
    return written
