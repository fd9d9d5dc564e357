"""``cleanup`` in a network that stands still."""

import asyncio
from pathlib import Path

import pytest
from tests.helpers.commands import run, run_json
from tests.helpers.process_networks import NORWAY, dead_store, small_network
from tests.helpers.stored import a_message, an_entry, message_id

from eessi_sim.simulation.state import NetworkState
from eessi_sim.storage.base import Direction, UnitOfWork


@pytest.fixture
def network(tmp_path: Path) -> NetworkState:
    """A small network in which Norway keeps an old message, one that waits, and an old line of the journal."""
    state = small_network(tmp_path)

    async def keep() -> None:
        work = UnitOfWork()
        work.add_message(a_message(1, state="delivered"))
        work.add_message(a_message(2, state="submitted"))
        work.journal(an_entry("sent"))
        async with dead_store(state, NORWAY) as store:
            await store.commit(work)

    asyncio.run(keep())
    return state


async def body(network: NetworkState, number: int) -> bytes:
    """The octets of a message of Norway."""
    async with dead_store(network, NORWAY) as store:
        message = await store.find_message(Direction.OUT, message_id(number))
        assert message is not None
        return message.body


def test_cleanup_says_what_it_removes(network: NetworkState) -> None:
    """A dry run counts, the real one removes as much, and what waits is left alone."""
    options = ("--older-than", "90d", "--journal-older-than", "P90D", "--state", network.path)
    counted = {"node": NORWAY, "messages": 1, "journal": 1}
    assert run_json("cleanup", "--dry-run", *options) == {"dry_run": True, "nodes": [counted]}
    assert asyncio.run(body(network, 1))
    assert "What was removed" in run("cleanup", *options).stdout
    assert [asyncio.run(body(network, number)) for number in (1, 2)] == [b"", b"body of message 2"]


def test_cleanup_wants_to_know_what_is_old(network: NetworkState) -> None:
    """Nothing named, a strange word, and less than 30 days are wrong usage."""
    for options in ((), ("--older-than", "soon"), ("--older-than", "29d")):
        assert run("cleanup", *options, "--state", network.path).exit_code == 2
