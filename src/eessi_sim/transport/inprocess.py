"""Joins nodes in one event loop: a request is a call, time passes on the clock handed in.

The same promises as over sockets, as far as they make sense without: who sends shows his
certificate, unknown addresses cannot be reached, large bodies are refused. Requests are handled
in the order in which they are sent. Faults live elsewhere.
"""

from collections.abc import Callable, Mapping
from http import HTTPStatus

from eessi_sim.clock import Clock
from eessi_sim.errors import ConnectFailed, EnvironmentProblem, TimedOut
from eessi_sim.spool import Spool, SpoolFile
from eessi_sim.stretch import Extent, Stretch, whole
from eessi_sim.transport.base import Handler, Request, Response, TransportLimits

Latency = Callable[[str], float]
"""Seconds that a request to a URL is on its way."""


class Switchboard:
    """Knows who listens where.

    Args:
        clock: on which requests travel.
        latency: how long each one takes; none by default.
    """

    def __init__(self, clock: Clock, *, latency: Latency | None = None) -> None:
        self._clock = clock
        self._latency = latency
        self._listeners: dict[str, InProcessListener] = {}
        self._down: set[str] = set()

    def listener(self, url: str, *, limits: TransportLimits | None = None) -> "InProcessListener":
        """Return a listener for everything below ``url``; it hears nothing before its start."""
        return InProcessListener(self, url.rstrip("/"), limits or TransportLimits())

    def transport(
        self, certificate: bytes | None = None, *, peer: str = "in-process"
    ) -> "InProcessTransport":
        """Return the sending end of the party with this certificate (DER)."""
        return InProcessTransport(self, certificate, peer)

    def take_down(self, url: str) -> None:
        """Let nobody reach the listener at ``url`` until it is brought up again."""
        self._down.add(url.rstrip("/"))

    def bring_up(self, url: str) -> None:
        """Let the listener at ``url`` be reached again."""
        self._down.discard(url.rstrip("/"))

    def connect(self, url: str, listener: "InProcessListener") -> None:
        """Let ``listener`` hear what goes to ``url``.

        Raises:
            EnvironmentProblem: another one listens there.
        """
        if url in self._listeners:
            raise EnvironmentProblem(
                f"Expected {url} to be free, found it in use", hint="Give each node its own address."
            )
        self._listeners[url] = listener

    def disconnect(self, url: str) -> None:
        """Let nobody listen at ``url``."""
        self._listeners.pop(url, None)

    async def carry(self, url: str, request: Request, within: float) -> Response:
        """Bring a request to whoever listens there, and the answer back."""
        delay = self._latency(url) if self._latency else 0.0
        if delay > within:
            await self._clock.sleep(within)
            raise TimedOut(
                f"Expected an answer from {url} within {within:g} seconds, found none",
                hint="Try again later; ask the other side whether it is up.",
                url=url,
            )
        if delay:
            await self._clock.sleep(delay)
        return await self._find(url).hear(request)

    def _find(self, url: str) -> "InProcessListener":
        # From the longest address to the shortest, at the slashes of the path.
        prefix = url.partition("?")[0].rstrip("/")
        while "//" in prefix:
            if prefix in self._listeners and prefix not in self._down:
                return self._listeners[prefix]
            prefix = prefix.rpartition("/")[0]
        raise ConnectFailed(
            f"Expected a connection to {url}, found nobody there",
            hint="Check that the other side runs and that the address is right.",
            url=url,
        )


class InProcessListener:
    """The receiving end; made by ``Switchboard.listener``."""

    def __init__(self, switchboard: Switchboard, url: str, limits: TransportLimits) -> None:
        self._switchboard = switchboard
        self._url = url
        self._limits = limits
        self._handler: Handler | None = None

    async def start(self, handler: Handler) -> str:
        """Begin to listen and return the URL.

        Raises:
            EnvironmentProblem: another one listens there.
        """
        self._switchboard.connect(self._url, self)
        self._handler = handler
        return self._url

    async def stop(self) -> None:
        """Stop listening; requests that run go on to their end."""
        if self._handler is not None:
            self._switchboard.disconnect(self._url)
            self._handler = None

    async def hear(self, request: Request) -> Response:
        """Answer one request."""
        if len(request.octets) > self._limits.max_body:
            return Response(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        assert self._handler is not None  # the switchboard knows only those that were started
        return await self._handler(request)


class InProcessTransport:
    """The sending end; made by ``Switchboard.transport``."""

    def __init__(self, switchboard: Switchboard, certificate: bytes | None, peer: str) -> None:
        self._switchboard = switchboard
        self._certificate = certificate
        self._peer = peer

    async def send(
        self,
        url: str,
        body: Extent,
        *,
        headers: Mapping[str, str],
        within: float,
        method: str = "POST",
        into: Spool | None = None,
    ) -> Response:
        """Bring a request to ``url`` and return what was answered, whatever its status.

        ``within`` counts the way; a handler takes as long as it likes.

        Raises:
            ConnectFailed: nobody listens there.
            TimedOut: the way takes longer than ``within`` seconds.
        """
        # Both ends share disk and spool: a file is handed over, not read.
        file = body.source if isinstance(body, Stretch) and isinstance(body.source, SpoolFile) else None
        request = Request(
            method=method,
            path="/" + url.partition("//")[2].partition("/")[2],
            headers={name.lower(): value for name, value in headers.items()},
            body=b"" if file else whole(body),
            spooled=file,
            peer_certificate=self._certificate,
            peer=self._peer,
        )
        answer = await self._switchboard.carry(url, request, within)
        named = {name.lower(): value for name, value in answer.headers.items()}
        if into is None:
            return Response(answer.status, named, whole(answer.octets))
        return Response(answer.status, named, answer.body, answer.spooled)

    async def close(self) -> None:
        """There is nothing to close."""
