"""What a transport moves, and the protocols of its two ends.

Header names are lower case on both sides; a header that came several times is joined with a
comma (RFC 9110 5.3). Statuses are not errors: whatever the other side answered is a Response.
No socket lives here.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from eessi_sim.spool import Spool, SpoolFile
from eessi_sim.stretch import Extent


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What arrived at a listener."""

    method: str
    path: str
    """Path with its query, as it stood on the request line, always beginning with a slash."""
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    peer_certificate: bytes | None = field(default=None, repr=False)
    """Certificate of the client in DER form; its chain was checked by TLS, its meaning was not."""
    peer: str = ""
    """Address of the client, for the journal."""
    spooled: SpoolFile | None = None
    """Where a large body lies, from a listener that has a spool; ``body`` is empty then. It goes with the request,
    unless somebody keeps it."""

    @property
    def octets(self) -> Extent:
        """The body, wherever it lies."""
        return self.body if self.spooled is None else self.spooled.stretch


@dataclass(frozen=True, slots=True)
class Response:
    """What a handler answers, or what came back."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = field(default=b"", repr=False)
    spooled: SpoolFile | None = None
    """Where a large body lies; ``body`` is empty then. Who got it throws it away, unless somebody keeps it."""

    @property
    def octets(self) -> Extent:
        """The body, wherever it lies."""
        return self.body if self.spooled is None else self.spooled.stretch


Handler = Callable[[Request], Awaitable[Response]]
"""Answers one request; must not raise for what the request contains."""


@dataclass(frozen=True, slots=True)
class TlsIdentity:
    """PEM files of one party for mutual TLS."""

    certificate: Path
    """Leaf certificate, intermediate ones behind it."""
    key: Path
    authorities: Path
    """Certificate authorities whose certificates the other side may show; no others are trusted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TransportLimits:
    """What one side gives the other at most (standard limits of the simulator, inferred)."""

    max_body: int = 100 * 1024 * 1024
    """Octets of a request or response body; a larger request is answered 413."""
    read_seconds: float = 60.0
    """Longest silence while a request is read; then 408."""
    request_seconds: float = 600.0
    """Longest time until a request is read as a whole; then 408."""
    requests_per_client: int = 128
    """Requests with one TLS certificate at the same time; one more is answered 503 (twice what a sender opens)."""
    held_bytes: int = 512 * 1024 * 1024
    """Octets of request bodies that all connections hold at the same time; a request beyond is answered 503."""
    spooled_bytes: int = 8 * 1024 * 1024 * 1024
    """The same for the bodies that lie in a spool."""


class Transport(Protocol):
    """The sending end, with the identity of one party."""

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

        Args:
            url: where to; redirects are not followed.
            body: the octets to send; such as lie elsewhere are read piece by piece.
            headers: sent as they are; Host and Content-Length are added.
            within: seconds for the whole exchange.
            method: HTTP method.
            into: where an answer of more than 1 MB is written while it comes; without it every answer is held.

        Raises:
            ConnectFailed: nobody answers there, or the connection broke.
            TimedOut: no complete answer in time.
            Refused: TLS was refused by one of the two sides.
            TransportError: the answer is not HTTP, or larger than the limit.
        """
        ...

    async def close(self) -> None:
        """Close all connections; closing twice is harmless."""
        ...


class Listener(Protocol):
    """The receiving end."""

    async def start(self, handler: Handler) -> str:
        """Begin to listen and return the URL, without a slash at the end.

        Raises:
            EnvironmentProblem: the address cannot be used.
        """
        ...

    async def stop(self) -> None:
        """Stop listening, let running requests end and close; stopping twice is harmless."""
        ...
