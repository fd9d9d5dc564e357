"""A receiver that fetches its messages, and its access point, are killed on the way: nothing is lost, nothing doubled.

Real processes, real sockets, mutual TLS; the victims end by SIGKILL and come back with the stores they left.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from tests.helpers.commands import run_json
from tests.helpers.process_networks import NORWAY, POINT, POLAND, patiently, small_network, until

from eessi_sim.identifiers import BucType, SedType
from eessi_sim.simulation.processes import ProcessNetwork
from eessi_sim.simulation.views import MessageView

pytestmark = pytest.mark.process

TOTAL = 30
POSTING = BucType("LA_BUC_04")
NOTICE = SedType("A009")


@pytest.fixture
async def network(tmp_path: Path) -> AsyncIterator[ProcessNetwork]:
    """The access point, Norway, which sends, and Poland, which pulls; each in its own process."""
    async with ProcessNetwork(small_network(tmp_path, "pull: {PL-QUEUE: [PL:ZUS01]}\n")) as network:
        yield network


async def channels(network: ProcessNetwork) -> list[dict[str, Any]]:
    """What the command line says about the channels; it has an event loop of its own."""
    found: list[dict[str, Any]] = await asyncio.to_thread(
        run_json, "channels", "--state", str(network.state.path)
    )
    return found


async def test_killed_puller_and_access_point_lose_and_double_nothing(network: ProcessNetwork) -> None:
    """Thirty notices wait, are fetched, and filed once each, though both sides of the channel are killed meanwhile."""
    sender, receiver = network.controls[NORWAY], network.controls[POLAND]
    await network.kill(POLAND)
    for _ in range(TOTAL):
        await sender.send(await sender.open_case(POSTING, [POLAND]), NOTICE)

    async def out(*states: str) -> list[MessageView]:
        found = await patiently(network.readers[POINT].messages)
        return [m for m in found if (m.direction, m.kind) == ("out", "user") and m.state in states]

    async def all_parked() -> bool:
        return len(await out("parked")) == TOTAL

    async def some_fetched() -> bool:
        return len(await out("parked")) < TOTAL - 5

    async def all_receipted() -> bool:
        sent = await patiently(sender.messages)
        return sum(m.receipted_at is not None for m in sent if m.direction == "out") == TOTAL

    await until(all_parked, "all messages parked")
    [waiting] = await channels(network)
    assert (waiting["channel"], waiting["waiting"], waiting["late"]) == ("PL-QUEUE", TOTAL, False)
    await network.start(POLAND)
    await until(some_fetched, "some messages fetched")
    await network.kill(POINT)
    await network.kill(POLAND)
    for victim in (POINT, POLAND):
        await network.start(victim)
        await network.ready(victim)
    await until(all_receipted, "all messages receipted", within=100)
    cases = await receiver.cases()
    assert Counter(document.type for case in cases for document in case.documents) == {NOTICE: TOTAL}
    assert not await out("parked", "offered", "dead-lettered")
    assert [each["waiting"] for each in await channels(network)] == [0]
