"""The proxy of the chaos harness: it carries octets, and is a bad line when told so."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest

from eessi_sim.chaos.proxy import Proxy
from eessi_sim.simulation.state import LOOPBACK

WORDS = b"some words that come back"


@pytest.fixture
async def proxy() -> AsyncIterator[tuple[Proxy, int]]:
    """A proxy before a server that gives back what it gets, and its port."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while piece := await reader.read(1000):
                writer.write(piece)
        writer.close()

    server = await asyncio.start_server(echo, LOOPBACK, 0)
    proxy = Proxy(server.sockets[0].getsockname()[1], seed=1)
    yield proxy, await proxy.start()
    await proxy.stop()
    server.close()


async def said(port: int) -> bytes:
    """What comes back for some words; nothing when the connection breaks."""
    reader, writer = await asyncio.open_connection(LOOPBACK, port)
    try:
        writer.write(WORDS)
        writer.write_eof()
        return await reader.read()
    except ConnectionError:
        return b""
    finally:
        writer.close()


async def test_good_line_changes_nothing(proxy: tuple[Proxy, int]) -> None:
    """Octets come through as they are, both ways."""
    assert await said(proxy[1]) == WORDS


async def test_slow_line_changes_nothing_either(proxy: tuple[Proxy, int]) -> None:
    """A delay makes nothing else of the octets."""
    proxy[0].line.delay = 0.01
    assert await said(proxy[1]) == WORDS


async def test_corrupt_line_changes_octets(proxy: tuple[Proxy, int]) -> None:
    """As many octets come back, and not the same ones."""
    proxy[0].line.corrupt = 1.0
    answer = await said(proxy[1])
    assert len(answer) == len(WORDS)
    assert answer != WORDS


async def test_line_that_is_down_takes_no_connection(proxy: tuple[Proxy, int]) -> None:
    """Whoever connects is cut off; afterwards all is well."""
    proxy[0].line.is_down = True
    assert await said(proxy[1]) == b""
    proxy[0].line.is_down = False
    assert await said(proxy[1]) == WORDS


async def test_stalled_line_carries_on_when_it_is_over(proxy: tuple[Proxy, int]) -> None:
    """Two disturbances stall it; nothing comes before both are over."""
    proxy[0].stall()
    proxy[0].stall()
    waiting = asyncio.create_task(said(proxy[1]))
    proxy[0].resume()
    assert not (await asyncio.wait([waiting], timeout=0.1))[0]
    proxy[0].resume()
    assert await waiting == WORDS


async def test_broken_connections_end(proxy: tuple[Proxy, int]) -> None:
    """Who waits for octets on a connection that is broken waits no longer."""
    reader, writer = await asyncio.open_connection(LOOPBACK, proxy[1])
    writer.write(WORDS)
    assert await reader.read(len(WORDS)) == WORDS
    proxy[0].break_all()
    with suppress(ConnectionError):
        assert await reader.read() == b""
    writer.close()


async def test_node_that_is_not_there_is_a_broken_connection(proxy: tuple[Proxy, int]) -> None:
    """Nobody listens behind the proxy: the connection ends."""
    other = Proxy(proxy[1], seed=1)
    await proxy[0].stop()
    port = await other.start()
    assert await said(port) == b""
    await other.stop()
