"""Several processes play the access point, and the receiver, at one address and on one store; one of them is killed.

Real processes, real sockets, mutual TLS; the victim ends by SIGKILL and does not come back before everything else is done.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests.helpers.postgresql import Server, empty_store
from tests.helpers.process_networks import NORWAY, POINT, POLAND, patiently, small_network, until

from eessi_sim.identifiers import BucType, SedType
from eessi_sim.simulation.processes import ProcessNetwork
from eessi_sim.simulation.state import Sharing
from eessi_sim.simulation.views import MessageView

pytestmark = pytest.mark.process

TOTAL = 60
AT_ONCE = 16
POSTING = BucType("LA_BUC_04")
NOTICE = SedType("A009")
DEAD_LETTERS = {"rejected", "dead-lettered"}


@asynccontextmanager
async def store(kind: str, folder: Path, request: pytest.FixtureRequest) -> AsyncIterator[str]:
    """The URL of one empty store for all nodes."""
    if kind == "sqlite":
        yield f"sqlite://{folder}/store.db"
        return
    server: Server = request.getfixturevalue("postgresql")
    async with empty_store(server) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
async def network(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[ProcessNetwork]:
    """Two processes play the access point, two each institution."""
    async with store(request.param, tmp_path, request) as url:
        state = small_network(tmp_path, sharing=Sharing(2, 2, url))
        async with ProcessNetwork(state) as network:
            yield network


async def notify_all(network: ProcessNetwork) -> None:
    """Norway tells Poland of so many postings, one case each; whoever gets no answer asks again."""
    sender, gate = network.controls[NORWAY], asyncio.Semaphore(AT_ONCE)

    async def notify() -> None:
        async with gate:
            case_id = await patiently(lambda: sender.open_case(POSTING, [POLAND]))
            await patiently(lambda: sender.send(case_id, NOTICE))

    await asyncio.gather(*(notify() for _ in range(TOTAL)))


async def sent(network: ProcessNetwork) -> list[MessageView]:
    """What Norway has sent or wants to send."""
    messages = await patiently(network.controls[NORWAY].messages)
    return [message for message in messages if (message.direction, message.kind) == ("out", "user")]


@pytest.mark.timeout(400)
async def test_killed_worker_loses_and_doubles_nothing(network: ProcessNetwork) -> None:
    """One process of the access point and one of the receiver are killed: everything arrives once, receipts are complete."""
    sending = asyncio.create_task(notify_all(network))

    async def third_accepted() -> bool:
        return sum(each.accepted_at is not None for each in await sent(network)) >= TOTAL // 3

    async def all_receipted() -> bool:
        return sum(each.receipted_at is not None for each in await sent(network)) >= TOTAL

    await until(third_accepted, "a third of the messages accepted")
    await asyncio.gather(network.kill(f"{POINT}.2"), network.kill(POLAND))
    await sending
    await asyncio.gather(network.start(f"{POINT}.2"), network.start(POLAND))
    await until(all_receipted, "all messages receipted", within=180)
    cases = await network.controls[NORWAY].cases()
    received = await network.controls[POLAND].cases()
    assert Counter(each.state for each in await sent(network)) == {"delivered": TOTAL}
    assert sorted(c.international_id for c in received) == sorted(c.international_id for c in cases)
    assert [[document.type for document in case.documents] for case in received] == [[NOTICE]] * TOTAL
    for reader in network.readers.values():
        assert not [m for m in await reader.messages() if m.state in DEAD_LETTERS]
