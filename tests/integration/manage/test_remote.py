"""The interface for managing a node, asked as the command line asks it."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from tests.helpers.stored import a_message

from eessi_sim.api.manage import make_app
from eessi_sim.clock import MovableClock
from eessi_sim.identifiers import InstitutionId, MessageId
from eessi_sim.simulation.control import StoreReader
from eessi_sim.simulation.remote import RemoteControl, RemoteRefusal
from eessi_sim.simulation.state import NetworkState, NodeAddress
from eessi_sim.storage.base import NodeStore, UnitOfWork
from eessi_sim.storage.memory import MemoryStorage

NAV = InstitutionId("NO:NAVAT07")


@pytest.fixture
def store() -> NodeStore:
    """What the node keeps."""
    return MemoryStorage().node(NAV)


@pytest.fixture
async def remote(store: NodeStore, tmp_path: Path) -> AsyncIterator[RemoteControl]:
    """The node, asked over HTTP."""
    runner = web.AppRunner(make_app(StoreReader(store), "token", MovableClock()))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    nodes = (NodeAddress(NAV, 1, port),)
    state = NetworkState(str(tmp_path), "", datetime(2026, 3, 2, tzinfo=UTC), (NAV,), "token", 1.0, nodes)
    async with aiohttp.ClientSession() as session:
        yield RemoteControl(session, state, NAV)
    await runner.cleanup()


@pytest.mark.parametrize("local", ["plain", "a/b", "a?b", "a#b", "a%2Fb", "a{b}", "../../health"])
async def test_message_is_found_whatever_characters_its_id_has(
    store: NodeStore, remote: RemoteControl, local: str
) -> None:
    """Other products make ids with every character that RFC 2822 allows."""
    work = UnitOfWork()
    work.add_message(a_message(message_id=MessageId(f"{local}@other.example"), body=b"octets"))
    await store.commit(work)
    found = await remote.message("out", f"{local}@other.example")
    assert found is not None
    assert found.body == b"octets"


async def test_clock_of_a_node_is_moved_forward_only(remote: RemoteControl) -> None:
    """Months pass at once; no clock goes back."""
    before = datetime.now(UTC)
    assert await remote.advance_clock(timedelta(days=60)) >= before + timedelta(days=60)
    with pytest.raises(RemoteRefusal, match="no clock goes back"):
        await remote.advance_clock(timedelta(days=-1))
