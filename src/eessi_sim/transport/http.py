"""The sending end over HTTP/1.1 with mutual TLS: pooled connections, nothing followed, nothing guessed.

No proxy settings are read, no redirect followed, no cookie kept, no header invented. The
receiving end lives in ``http_listener``.
"""

import ssl
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from urllib.parse import urlsplit

import aiohttp

from eessi_sim.errors import ConnectFailed, Refused, TimedOut, TransportError
from eessi_sim.spool import Spool, SpoolFile
from eessi_sim.stretch import Extent, Stretch
from eessi_sim.transport.base import Response, TlsIdentity, TransportLimits
from eessi_sim.transport.body import Body, pieces
from eessi_sim.transport.http_listener import HttpListener
from eessi_sim.transport.tls import client_context

__all__ = ["HttpListener", "HttpTransport"]

_AT_ONCE = 1024 * 1024
"""Octets that may be written in one go; more would hold the event loop."""
_CONNECTIONS_PER_HOST = 64
"""Requests to one host at the same time; more wait for a free connection (our choice, inferred)."""
_KEEP_SECONDS = 20.0
"""An idle connection is closed here before the listener does, so that no request meets a closing one."""
_OWN_HEADERS = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")
"""What the library would add by itself."""


class HttpTransport:
    """Sends with the certificate of one party.

    Args:
        identity: certificate shown to servers, and the authorities that servers must come from. None is for
            gateways outside of EESSI: plain HTTP is allowed then, and HTTPS without a certificate of ours.
        limits: bounds of the answers.
        listed: returns the certificates (DER) of which the server at a URL must show one; without it every
            server that the authorities vouch for will do.

    Raises:
        KeyMaterialError: a file of the identity cannot be used.
    """

    def __init__(
        self,
        identity: TlsIdentity | None,
        *,
        limits: TransportLimits | None = None,
        listed: Callable[[str], Collection[bytes]] | None = None,
    ) -> None:
        self._identity = identity
        self._any = ssl.create_default_context() if identity is None else client_context(identity)
        self._listed = listed
        self._contexts: dict[frozenset[bytes], ssl.SSLContext] = {}
        self._limits = limits or TransportLimits()
        self._session: aiohttp.ClientSession | None = None

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

        Raises:
            ConnectFailed: nobody answers there, or the connection broke.
            TimedOut: no complete answer within so many seconds.
            Refused: TLS was refused by one of the two sides.
            TransportError: the URL is not one of ours, the answer is not HTTP, or larger than the limit.
            Unavailable: the disk does not take the answer.
        """
        _check_url(url, is_plain_allowed=self._identity is None)
        if isinstance(body, Stretch):
            headers = {**headers, "content-length": str(body.size)}  # else it would be sent in chunks
        with _own_errors(url, within):
            async with self._open().request(
                method,
                url,
                data=_data(body),
                headers=headers,
                allow_redirects=False,
                ssl=self._context_for(url),
                timeout=aiohttp.ClientTimeout(total=within),
            ) as answer:
                held, spooled = await self._read(answer, url, into)
                return Response(answer.status, _joined(answer.headers), held, spooled)

    async def close(self) -> None:
        """Close all connections; closing twice is harmless."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _context_for(self, url: str) -> ssl.SSLContext:
        """Return the TLS settings for a server; the same for the same certificates, so that connections are kept."""
        if self._listed is None or self._identity is None:
            return self._any
        listed = frozenset(self._listed(url))
        if listed not in self._contexts:
            self._contexts[listed] = client_context(self._identity, listed)
        return self._contexts[listed]

    def _open(self) -> aiohttp.ClientSession:
        # Not in __init__: a session belongs to the event loop in which it is made.
        if self._session is None:
            connector = aiohttp.TCPConnector(
                limit=0,
                limit_per_host=_CONNECTIONS_PER_HOST,
                keepalive_timeout=_KEEP_SECONDS,
            )
            self._session = aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),
                skip_auto_headers=_OWN_HEADERS,
                auto_decompress=False,
                trust_env=False,
            )
        return self._session

    async def _read(
        self, answer: aiohttp.ClientResponse, url: str, into: Spool | None
    ) -> tuple[bytes, SpoolFile | None]:
        body = Body()
        try:
            async for chunk in answer.content.iter_any():
                body.append(chunk, into)
                self._check_size(body, answer, url)
            return body.take(), body.file
        except BaseException:
            body.discard()
            raise

    def _check_size(self, body: Body, answer: aiohttp.ClientResponse, url: str) -> None:
        if body.size > self._limits.max_body:
            answer.close()
            raise TransportError(
                f"Expected at most {self._limits.max_body} octets from {url}, found more",
                hint="Raise the limit if the other side is right.",
                url=url,
            )


def _data(body: Extent) -> bytes | BytesIO | AsyncIterator[bytes]:
    if isinstance(body, Stretch):
        return pieces(body)
    return body if len(body) < _AT_ONCE else BytesIO(body)


def _check_url(url: str, *, is_plain_allowed: bool) -> None:
    parts = urlsplit(url)
    schemes = ("https", "http") if is_plain_allowed else ("https",)
    if parts.scheme not in schemes or not parts.hostname:
        raise TransportError(f'Expected a URL such as "https://host:port/path", found "{url}"', url=url)


def _joined(headers: Mapping[str, str]) -> dict[str, str]:
    joined: dict[str, str] = {}
    for name, value in headers.items():
        key = name.lower()
        joined[key] = f"{joined[key]}, {value}" if key in joined else value
    return joined


@contextmanager
def _own_errors(url: str, within: float) -> Iterator[None]:
    """Turn errors of the library into ours."""
    try:
        yield
    except TimeoutError as error:
        raise TimedOut(
            f"Expected an answer from {url} within {within:g} seconds, found none",
            hint="Try again later; ask the other side whether it is up.",
            url=url,
        ) from error
    except aiohttp.ClientSSLError as error:
        raise _refused(url, error) from error
    except aiohttp.ClientConnectorError as error:
        raise ConnectFailed(
            f"Expected a connection to {url}, found none: {error}",
            hint="Check that the other side runs and that the address is right.",
            url=url,
        ) from error
    except (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError) as error:
        if isinstance(error.__cause__, ssl.SSLError):
            raise _refused(url, error) from error
        raise ConnectFailed(
            f"Expected an answer from {url}, found a broken connection: {error}",
            # With TLS 1.3 a server judges our certificate after it let us in, and many just hang up.
            hint="Try again; if it happens each time, the other side may not accept our certificate.",
            url=url,
        ) from error
    except (aiohttp.ClientError, ValueError) as error:
        raise TransportError(f"Expected an HTTP answer from {url}, found: {error}", url=url) from error


def _refused(url: str, error: Exception) -> Refused:
    return Refused(
        f"Expected {url} and us to accept each other's TLS certificates, found: {error}",
        hint="Check validity, issuer and host name of both certificates.",
        url=url,
    )
