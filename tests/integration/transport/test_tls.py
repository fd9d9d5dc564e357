"""Mutual TLS: who is let in, who is turned away, and what the sender is told."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from tests.helpers.tls import DAY, TlsFolder
from tests.integration.transport.conftest import echo

from eessi_sim.errors import KeyMaterialError, Refused, TransportError
from eessi_sim.security.keys import Certificate
from eessi_sim.transport.base import TlsIdentity
from eessi_sim.transport.http import HttpListener, HttpTransport
from eessi_sim.transport.tls import client_context, server_context

NO_HEADERS: dict[str, str] = {}


@pytest.fixture
async def url(server_identity: TlsIdentity) -> AsyncIterator[str]:
    """A listener that lets in whom the authority of the tests vouches for."""
    listener = HttpListener("127.0.0.1", 0, identity=server_identity)
    yield await listener.start(echo)
    await listener.stop()


@pytest.fixture(scope="session")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> TlsFolder:
    """An authority that nobody in the network knows."""
    return TlsFolder(tmp_path_factory.mktemp("stranger"))


async def send(identity: TlsIdentity, url: str) -> None:
    """Send one request and close."""
    transport = HttpTransport(identity)
    try:
        await transport.send(url, b"", headers=NO_HEADERS, within=30)
    finally:
        await transport.close()


async def send_to(server: TlsIdentity, client: TlsIdentity) -> None:
    """Send one request to a listener with another identity."""
    listener = HttpListener("127.0.0.1", 0, identity=server)
    try:
        await send(client, await listener.start(echo))
    finally:
        await listener.stop()


async def test_client_of_an_unknown_authority_is_turned_away(
    url: str, stranger: TlsFolder, client_identity: TlsIdentity
) -> None:
    """A client certificate of an authority that the listener does not trust is refused."""
    identity = replace(stranger.identity("client"), authorities=client_identity.authorities)
    with pytest.raises(TransportError):
        await send(identity, url)


async def test_client_with_an_expired_certificate_is_turned_away(url: str, tls: TlsFolder) -> None:
    """A client certificate that is no longer valid is refused."""
    with pytest.raises(TransportError):
        await send(tls.identity("expired-client", since=10 * DAY, days=5), url)


async def test_client_that_hears_why_is_told(
    server_identity: TlsIdentity, stranger: TlsFolder, client_identity: TlsIdentity
) -> None:
    """When the server says that it does not like the certificate, the sender says so too."""
    identity = replace(stranger.identity("client"), authorities=client_identity.authorities)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"https://127.0.0.1:{listening.getsockname()[1]}"
        refusing = asyncio.to_thread(_refuse_aloud, listening, server_identity)
        with pytest.raises(Refused, match="ALERT_UNKNOWN_CA"):
            await asyncio.gather(refusing, send(identity, url))


async def test_client_without_a_certificate_is_turned_away(url: str, client_identity: TlsIdentity) -> None:
    """Without a client certificate no answer is given."""
    context = ssl.create_default_context(cafile=client_identity.authorities)
    with pytest.raises((ssl.SSLError, ConnectionError)):
        await _ask(url, context)


async def test_server_of_an_unknown_authority_is_refused(
    stranger: TlsFolder, client_identity: TlsIdentity
) -> None:
    """A sender does not talk to a server that its authority does not vouch for."""
    server = replace(stranger.identity("server"), authorities=client_identity.authorities)
    with pytest.raises(Refused, match="CERTIFICATE_VERIFY_FAILED"):
        await send_to(server, client_identity)


async def test_server_with_another_name_is_refused(tls: TlsFolder, client_identity: TlsIdentity) -> None:
    """A sender does not talk to a server whose certificate lacks the name in the URL."""
    with pytest.raises(Refused) as caught:
        await send_to(tls.identity("elsewhere", hosts=("elsewhere.example",)), client_identity)
    assert caught.value.hint


async def test_server_with_an_expired_certificate_is_refused(
    tls: TlsFolder, client_identity: TlsIdentity
) -> None:
    """A sender does not talk to a server whose certificate is no longer valid."""
    with pytest.raises(Refused, match="expired"):
        await send_to(tls.identity("expired-server", since=10 * DAY, days=5), client_identity)


async def test_server_whose_certificate_begins_tomorrow_is_refused(
    tls: TlsFolder, client_identity: TlsIdentity
) -> None:
    """A sender does not talk to a server whose certificate is not yet valid."""
    with pytest.raises(Refused, match="not yet valid"):
        await send_to(tls.identity("early-server", since=timedelta(days=-1)), client_identity)


async def test_server_with_the_certificate_of_somebody_else_is_refused(
    url: str, tls: TlsFolder, client_identity: TlsIdentity
) -> None:
    """Right authority, right name, wrong party: nothing is sent to whom the directory does not list at the URL."""
    other = Certificate.from_pem(tls.identity("other").certificate.read_bytes()).der
    transport = HttpTransport(client_identity, listed=lambda _url: [other])
    with pytest.raises(Refused, match="another certificate"):
        await transport.send(url, b"", headers=NO_HEADERS, within=30)
    await transport.close()


async def test_server_is_refused_where_the_directory_lists_nobody(
    url: str, client_identity: TlsIdentity
) -> None:
    """An address that nobody has is an address of somebody else."""
    transport = HttpTransport(client_identity, listed=lambda _url: [])
    with pytest.raises(Refused, match="another certificate"):
        await transport.send(url, b"", headers=NO_HEADERS, within=30)
    await transport.close()


async def test_server_with_a_listed_certificate_is_served(
    url: str, client_identity: TlsIdentity, server_identity: TlsIdentity
) -> None:
    """The transport asks for the URL, and goes on with the party that is listed there; again and again."""
    asked = []

    def listed(place: str) -> list[bytes]:
        asked.append(place)
        return [Certificate.from_pem(server_identity.certificate.read_bytes()).der]

    transport = HttpTransport(client_identity, listed=listed)
    for _ in range(2):
        assert (await transport.send(url, b"", headers=NO_HEADERS, within=30)).status == 200
    await transport.close()
    assert asked == [url, url]


async def test_old_tls_is_turned_away(url: str, client_identity: TlsIdentity) -> None:
    """A client that knows only TLS 1.1 is refused (TA40, TA41)."""
    context = client_context(client_identity)
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.minimum_version = ssl.TLSVersion.TLSv1_1
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises(OSError, match=r"TLSV1_ALERT|reset|^$"):
        await _ask(url, context)


async def test_tls_1_2_is_let_in(url: str, client_identity: TlsIdentity) -> None:
    """A client that knows TLS 1.2 but not 1.3 is served."""
    context = client_context(client_identity)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    assert b" 200 OK" in await _ask(url, context)


@pytest.mark.parametrize("missing", ["certificate", "key", "authorities"])
def test_missing_file_is_named(client_identity: TlsIdentity, missing: str) -> None:
    """A key file that is not there is an error that names it."""
    identity = replace(client_identity, **{missing: Path("/nowhere/file.pem")})
    with pytest.raises(KeyMaterialError, match=r"/nowhere/file\.pem"):
        HttpTransport(identity)


def test_key_of_another_certificate_is_an_error(
    client_identity: TlsIdentity, server_identity: TlsIdentity
) -> None:
    """Certificate and key must belong together."""
    with pytest.raises(KeyMaterialError, match="for TLS"):
        HttpListener("127.0.0.1", 0, identity=replace(client_identity, key=server_identity.key))


def _refuse_aloud(listening: socket.socket, identity: TlsIdentity) -> None:
    """Let TLS send its alert before the connection is closed, as most servers do."""
    connection, _ = listening.accept()
    with (
        connection,
        server_context(identity).wrap_socket(
            connection, server_side=True, do_handshake_on_connect=False
        ) as secure,
    ):
        with pytest.raises(ssl.SSLError):
            secure.do_handshake()
        plain = socket.socket(fileno=secure.detach())
    with plain:
        plain.shutdown(socket.SHUT_WR)
        while plain.recv(65536):
            pass


async def _ask(url: str, context: ssl.SSLContext) -> bytes:
    port = int(url.rpartition(":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
    try:
        writer.write(b"GET / HTTP/1.1\r\nHost: ap.example\r\nConnection: close\r\n\r\n")
        answer = await reader.read()
    finally:
        writer.close()
    if not answer:
        raise ConnectionError("closed without an answer")
    return answer
