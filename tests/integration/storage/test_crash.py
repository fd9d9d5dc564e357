"""A process that is killed while it writes loses nothing that it acknowledged."""

import subprocess
import sys
from pathlib import Path

import pytest
from tests.helpers.stored import NODE

from eessi_sim.storage.base import Direction, NodeStore
from eessi_sim.storage.sqlite import SqliteStorage

ROOT = Path(__file__).parents[3]
WRITER = """
import asyncio, sys
from pathlib import Path
from eessi_sim.storage.base import UnitOfWork
from eessi_sim.storage.sqlite import SqliteStorage
from tests.helpers.stored import NODE, a_document, a_message, an_entry, message_id

async def write(node, number):
    work = UnitOfWork()
    work.journal(an_entry("begun", message_id=message_id(number)))
    work.add_message(a_message(number, body=bytes(20_000)))
    work.save_document(a_document(number))
    work.journal(an_entry("done", message_id=message_id(number)))
    await node.commit(work)
    print(message_id(number), flush=True)

async def main():
    node = SqliteStorage(Path(sys.argv[1])).node(NODE)
    async def worker(first):
        for number in range(first, 1_000_000, 8):
            await write(node, number)
    await asyncio.gather(*(worker(first) for first in range(8)))

asyncio.run(main())
"""


def kill_while_writing(path: Path, acknowledged: int) -> list[str]:
    """Let a process write until it has acknowledged so many units, kill it, return all acknowledged ids."""
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(acknowledged)]
        process.kill()
        lines += process.stdout.readlines()
    # The last line may have been cut by the kill.
    return [line.strip() for line in lines if line.endswith("\n")]


async def is_whole(node: NodeStore, message_id: str) -> bool:
    """Whether all writes of a unit are there."""
    message = await node.find_message(Direction.OUT, message_id)
    steps = [entry.step for entry in await node.journal_of(message_id)]
    return message is not None and len(message.body) == 20_000 and steps == ["begun", "done"]


@pytest.mark.process
@pytest.mark.parametrize("acknowledged", [1, 57, 200])
async def test_killed_process_loses_nothing_it_acknowledged(tmp_path: Path, acknowledged: int) -> None:
    """After SIGKILL every acknowledged unit is there as a whole, and no unit is there in half."""
    path = tmp_path / "store.db"
    ids = kill_while_writing(path, acknowledged)
    storage = SqliteStorage(path)
    node = storage.node(NODE)
    stored = {message.message_id for message in await node.messages(limit=1_000_000)}
    begun = {entry.message_id for entry in await node.journal(limit=1_000_000)}
    assert len(ids) >= acknowledged
    assert set(ids) <= stored
    assert begun == stored
    assert all([await is_whole(node, message_id) for message_id in stored])
    counts = await node.counts()
    assert counts.documents == counts.in_state(Direction.OUT, "SUBMITTED") == len(stored)
    await storage.close()
