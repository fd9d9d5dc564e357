"""Several processes work on one store at the same time, as the workers of a node do."""

import asyncio
import sys
from collections import Counter
from pathlib import Path

import pytest
from tests.helpers.postgresql import Server, empty_store
from tests.helpers.stored import NODE, a_case, a_message, message_id

from eessi_sim.storage.base import Direction, JournalEntry, Storage, UnitOfWork
from eessi_sim.storage.registry import open_storage

ROOT = Path(__file__).parents[3]
MESSAGES = 48
WORKER = """
import asyncio, sys
from dataclasses import replace
from eessi_sim.errors import Conflict
from eessi_sim.storage.base import Claim, Direction, UnitOfWork
from eessi_sim.storage.registry import open_storage
from tests.helpers.stored import MINUTE, NODE, NOON, a_case, an_entry

CLAIM = Claim(direction=Direction.OUT, states=("SUBMITTED",), claimed_state="SENDING", now=NOON, lease=MINUTE,
              limit=4, worker=sys.argv[2])

async def deliver(node, message):
    while True:
        case = await node.find_case(a_case().id)
        work = UnitOfWork()
        work.update_message(Direction.OUT, message.message_id, expected_states=["SENDING"], state="DELIVERED")
        work.save_case(replace(case, revision=case.revision + 1), case.revision)
        work.journal(an_entry("delivered", message_id=message.message_id))
        try:
            return await node.commit(work)
        except Conflict as conflict:
            assert "of case" in conflict.message, conflict.message

async def main():
    storage = await open_storage(sys.argv[1])
    node = storage.node(NODE)
    while await node.next_due(Direction.OUT, ["SUBMITTED"]) is not None:
        await asyncio.gather(*(deliver(node, message) for message in await node.claim(CLAIM)))
    await storage.close()

asyncio.run(main())
"""


async def follow(storage: Storage, number: int) -> list[JournalEntry]:
    """The entries as a reader sees them who remembers the last number only, until there are so many."""
    seen: list[JournalEntry] = []
    while len(seen) < number:
        after = seen[-1].seq if seen else 0
        await storage.wait_for_journal(after)
        seen += await storage.journal(after)
    return seen


async def work(url: str, name: str) -> int:
    """Let a process deliver messages until none is left; the status with which it ends."""
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", WORKER, url, name, cwd=ROOT)
    return await process.wait()


@pytest.mark.process
async def test_processes_share_the_queue_and_the_journal(postgresql: Server) -> None:
    """Each message is delivered once, no update of a case is lost, and no entry appears behind a reader."""
    async with empty_store(postgresql) as url:
        storage = await open_storage(url)
        node = storage.node(NODE)
        first = UnitOfWork()
        first.save_case(a_case(revision=1), None)
        for number in range(MESSAGES):
            first.add_message(a_message(number))
        await node.commit(first)
        reader = asyncio.create_task(follow(storage, MESSAGES))
        assert await asyncio.gather(*(work(url, f"worker-{number}") for number in range(3))) == [0, 0, 0]
        seen = await asyncio.wait_for(reader, 30)
        assert seen == list(await storage.journal(limit=2 * MESSAGES))
        assert Counter(entry.message_id for entry in seen) == Counter(map(message_id, range(MESSAGES)))
        case = await node.find_case(a_case().id)
        assert case is not None
        assert case.revision == MESSAGES + 1
        assert (await node.counts()).in_state(Direction.OUT, "DELIVERED") == MESSAGES
        await storage.close()
