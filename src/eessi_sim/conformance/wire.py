"""One connection and octets written to it as they are; nothing here corrects what an attack does wrong."""

import asyncio
import ssl
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import urlsplit

from eessi_sim.as4 import msh
from eessi_sim.as4.ebms_errors import EbmsFault, NotAs4
from eessi_sim.as4.model import ErrorSignal
from eessi_sim.as4.msh import Packed
from eessi_sim.conformance.setting import NAV, POINT
from eessi_sim.errors import SettingsError, XmlError
from eessi_sim.identifiers import InstitutionId

PATIENCE: Final = 90.0
"""Seconds after which an answer or a receipt counts as missing: more than a party may wait for a slow sender."""
SOAP: Final = "application/soap+xml; charset=utf-8"
_MOST: Final = 16 * 1024 * 1024
"""Octets of an answer that are read (our choice)."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back on the connection; status 0 when nothing did."""

    status: int = 0
    is_late: bool = False
    """Whether we gave up waiting for it."""
    head: bytes = b""
    body: bytes = b""
    milliseconds: float = 0.0

    @property
    def content_type(self) -> str:
        """Content-Type of the answer."""
        lines = (line.partition(b":") for line in self.head.split(b"\r\n"))
        return next(
            (value.strip().decode("latin-1") for name, _, value in lines if name.lower() == b"content-type"),
            "",
        )

    @property
    def outcome(self) -> str:
        """Error codes of the signal in the answer, else the kind of message, the HTTP status, ``closed``, ``no answer``."""
        if not self.status:
            return "no answer" if self.is_late else "closed"
        try:
            unit = msh.unpack(self.content_type, self.body).unit if self.body else None
        except (NotAs4, XmlError, EbmsFault):
            unit = None
        if isinstance(unit, ErrorSignal):
            return " ".join(error.code for error in unit.errors)
        return type(unit).__name__ if unit is not None else str(self.status)


@dataclass(frozen=True, slots=True)
class Shot:
    """What is sent: to whom, as whom, and which message id must not be found anywhere afterwards."""

    octets: bytes | None = None
    """Everything behind the request line; made of the next two when None."""
    content_type: str = SOAP
    body: bytes = b""
    to: InstitutionId = POINT
    client: InstitutionId = NAV
    message_id: str = ""
    pieces: Sequence[bytes] = ()
    """Sent behind the octets, one after the other, until the other side closes."""
    context: ssl.SSLContext | None = None
    """TLS settings in place of those of the client."""
    path: str = ""
    """Where it is posted to; the place for business messages when empty."""

    @classmethod
    def of(cls, packed: Packed, **changes: object) -> "Shot":
        """Send a packed message."""
        shot = cls(content_type=packed.content_type, body=packed.body, message_id=packed.message_id)
        return replace(shot, **changes)  # type: ignore[arg-type] # callers name real fields

    def headers(self, **headers: str) -> bytes:
        """Return the HTTP headers; a name given here, with an underline, replaces the usual value."""
        usual = {
            "Host": "localhost",
            "Content_Type": self.content_type,
            "Content_Length": str(len(self.body)),
        }
        lines = [f"{name.replace('_', '-')}: {value}" for name, value in {**usual, **headers}.items()]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")

    @property
    def request(self) -> bytes:
        """Everything that goes on the wire behind the request line."""
        return self.headers(Connection="close") + self.body if self.octets is None else self.octets


@dataclass(frozen=True, slots=True)
class Door:
    """Where a node listens."""

    host: str
    port: int
    path: str
    name: str | None = None
    """Name in its TLS certificate; None for plain HTTP."""

    @classmethod
    def of(cls, url: str) -> "Door":
        """Take a URL apart.

        Raises:
            SettingsError: it is no http or https URL.
        """
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise SettingsError(f'Expected a URL that begins with http:// or https://, found "{url}"')
        is_tls = parts.scheme == "https"
        port = parts.port or (443 if is_tls else 80)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        return cls(parts.hostname, port, path, parts.hostname if is_tls else None)

    async def connect(
        self, context: ssl.SSLContext | None
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Open a connection."""
        if self.name is None:
            return await asyncio.open_connection(self.host, self.port)
        return await asyncio.open_connection(
            self.host, self.port, ssl=context or True, server_hostname=self.name
        )

    async def fire(self, shot: Shot, context: ssl.SSLContext | None) -> tuple[bytes, Answer]:
        """Send and return what was sent and what came back."""
        start = time.perf_counter()
        request = f"POST {self.path} HTTP/1.1\r\n".encode("latin-1") + self._hosted(shot.request)
        try:
            async with asyncio.timeout(PATIENCE):
                reader, writer = await self.connect(context)
                try:
                    sending = asyncio.create_task(_write(writer, (request, *shot.pieces)))
                    answer = await _read(reader)
                    sending.cancel()
                finally:
                    writer.close()
        except TimeoutError:
            answer = Answer(is_late=True)
        except (ConnectionError, ssl.SSLError):
            answer = Answer()
        milliseconds = (time.perf_counter() - start) * 1000
        return request, replace(answer, milliseconds=milliseconds)

    def _hosted(self, octets: bytes) -> bytes:
        return octets.replace(b"Host: localhost\r\n", f"Host: {self.host}:{self.port}\r\n".encode(), 1)


async def _write(writer: asyncio.StreamWriter, pieces: Sequence[bytes]) -> None:
    for piece in pieces:
        writer.write(piece)
        await writer.drain()


async def _read(reader: asyncio.StreamReader) -> Answer:
    """Read one answer; the other side closes behind it, or says how long it is."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        lines = (line.partition(b":") for line in head.split(b"\r\n")[1:])
        fields = {name.strip().lower(): value.strip() for name, _, value in lines}
        if fields.get(b"transfer-encoding", b"").lower() == b"chunked":
            body = await _chunks(reader)
        elif b"content-length" in fields:
            body = await reader.readexactly(min(int(fields[b"content-length"]), _MOST))
        else:
            body = await reader.read(_MOST)
        return Answer(int(head.split(b" ", 2)[1]), head=head, body=body)
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError, IndexError):
        return Answer()


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    body = b""
    while len(body) < _MOST:
        size = int((await reader.readuntil(b"\r\n")).partition(b";")[0], 16)
        if not size:
            break
        body += (await reader.readexactly(size + 2))[:-2]
    return body
