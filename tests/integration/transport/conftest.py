"""Both transports behind one face: a place to listen, senders with and without power over it."""

import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.helpers.tls import TlsFolder

from eessi_sim.clock import ManualClock
from eessi_sim.security.keys import Certificate
from eessi_sim.transport.base import (
    Handler,
    Listener,
    Request,
    Response,
    TlsIdentity,
    Transport,
    TransportLimits,
)
from eessi_sim.transport.http import HttpListener, HttpTransport
from eessi_sim.transport.inprocess import Switchboard

LIMITS = TransportLimits(max_body=100_000, read_seconds=30.0)


@dataclass
class Ends:
    """The two ends of a transport."""

    transport: Transport
    new_listener: Callable[[], Listener]
    client_certificate: bytes
    """DER of the certificate that ``transport`` shows."""
    nowhere: str
    """URL at which nobody listens."""


async def echo(request: Request) -> Response:
    """Answer with what arrived."""
    return Response(200, {"Content-Type": "text/plain", "X-Path": request.path}, request.body)


@pytest.fixture(scope="session")
def tls(tmp_path_factory: pytest.TempPathFactory) -> TlsFolder:
    """One authority for all tests of the run."""
    return TlsFolder(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="session")
def server_identity(tls: TlsFolder) -> TlsIdentity:
    """Key files of the listening party."""
    return tls.identity("server")


@pytest.fixture(scope="session")
def client_identity(tls: TlsFolder) -> TlsIdentity:
    """Key files of the sending party."""
    return tls.identity("client")


def der(path: Path) -> bytes:
    """The certificate of a PEM file."""
    return Certificate.from_pem(path.read_bytes()).der


def free_port() -> int:
    """A port at which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(params=["http", "inprocess"])
async def ends(
    request: pytest.FixtureRequest,
    server_identity: TlsIdentity,
    client_identity: TlsIdentity,
    clock: ManualClock,
) -> AsyncIterator[Ends]:
    """Both ends of each transport."""
    certificate = der(client_identity.certificate)
    if request.param == "http":
        port = free_port()
        transport: Transport = HttpTransport(client_identity, limits=LIMITS)
        yield Ends(
            transport,
            lambda: HttpListener("127.0.0.1", port, identity=server_identity, limits=LIMITS),
            certificate,
            f"https://127.0.0.1:{free_port()}",
        )
    else:
        board = Switchboard(clock)
        transport = board.transport(certificate)
        yield Ends(
            transport,
            lambda: board.listener("inprocess://server", limits=LIMITS),
            certificate,
            "inprocess://nobody",
        )
    await transport.close()


@pytest.fixture
async def listen(ends: Ends) -> AsyncIterator[Callable[[Handler], Awaitable[str]]]:
    """Starts a listener for the test and stops it afterwards."""
    started: list[Listener] = []

    async def start(handler: Handler) -> str:
        listener = ends.new_listener()
        url = await listener.start(handler)
        started.append(listener)
        return url

    yield start
    for listener in started:
        await listener.stop()
