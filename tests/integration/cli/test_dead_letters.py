"""``dead-letters``: the list, one with its steps, and another try, in a network that stands still."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.helpers.commands import run, run_json
from tests.helpers.process_networks import NORWAY, dead_store, small_network
from tests.helpers.reports import CASE
from tests.helpers.stored import a_message, an_entry, message_id

from eessi_sim.simulation.state import NetworkState
from eessi_sim.storage.base import Direction, JournalEntry, StoredMessage, UnitOfWork

LOST = a_message(
    2,
    state="dead-lettered",
    last_error="connect-failed: nobody there",
    attempts=5,
    created_at=datetime.now(UTC),
    endpoint="https://localhost:1/",
    details={"sed": "A003", "case": CASE},
)
REFUSED = a_message(
    3,
    state="rejected",
    last_error="EBMS:0004 Other not valid",
    endpoint="https://localhost:1/",
    created_at=datetime.now(UTC),
)


async def keep(state: NetworkState, *messages: StoredMessage) -> None:
    """Write into the store of Norway, as the node would."""
    work = UnitOfWork()
    work.journal(an_entry("attempted", message_id=str(message_id(2))))
    for message in messages:
        work.add_message(message)
    async with dead_store(state, NORWAY) as store:
        await store.commit(work)


async def kept(state: NetworkState, number: int) -> tuple[StoredMessage | None, JournalEntry]:
    """A message of Norway, and the last line of its journal."""
    async with dead_store(state, NORWAY) as store:
        return await store.find_message(Direction.OUT, message_id(number)), (await store.journal())[-1]


@pytest.fixture
def network(tmp_path: Path) -> NetworkState:
    """A small network in which two messages of Norway could not go on."""
    network = small_network(tmp_path)
    asyncio.run(keep(network, LOST, REFUSED))
    return network


def test_dead_letter_says_what_to_do(network: NetworkState) -> None:
    """A message that could not go on is shown with its reason, advice, and whether another try may help."""
    letters = {each["message_id"]: each for each in run_json("dead-letters", "--state", network.path)}
    lost, refused = letters[message_id(2)], letters[message_id(3)]
    assert (lost["node"], lost["reason"]) == (NORWAY, "connect-failed: nobody there")
    assert lost["advice"].startswith("Start the access point")
    assert (lost["can_be_resent"], refused["can_be_resent"]) == (True, False)


def test_dead_letters_are_readable(network: NetworkState) -> None:
    """Without --json the same appears as names and values; show adds the steps."""
    assert "nobody there" in run("dead-letters", "--state", network.path).stdout
    shown = run("dead-letters", "show", message_id(2)[:8], "--state", network.path).stdout
    assert "attempted" in shown
    (found,) = run_json("dead-letters", "show", message_id(2), "--state", network.path)
    assert [step["step"] for step in found["steps"]] == ["attempted"]


def test_no_dead_letters_is_good_news(tmp_path: Path) -> None:
    """A network without dead letters says so, and has none to show."""
    network = small_network(tmp_path)
    asyncio.run(keep(network))
    assert "none" in run("dead-letters", "--state", network.path).stdout
    assert run("dead-letters", "show", "nothing", "--state", network.path).exit_code == 1


def test_all_that_may_pass_is_resent(network: NetworkState) -> None:
    """--all puts back what another try can help, leaves the rest with a reason, and the journal says who asked."""
    result = run("dead-letters", "resend", "--all", "--by", "anna", "--state", network.path)
    assert (result.exit_code, "resend-useless" in result.stdout) == (1, True)
    message, entry = asyncio.run(kept(network, 2))
    assert message is not None
    assert (message.state, message.attempts, message.body) == ("submitted", 0, LOST.body)
    assert (entry.step, entry.message_id, entry.detail["actor"]) == ("resent", LOST.message_id, "anna")


def test_refused_letter_is_resent_by_force_only(network: NetworkState) -> None:
    """What was refused for its content goes out again only when somebody insists; the journal says so."""
    path = network.path
    assert run("dead-letters", "resend", message_id(3), "--state", path).exit_code == 1
    found = run_json("dead-letters", "resend", "--reason", "EBMS:0004", "--force", "--state", path)
    assert [each["message_id"] for each in found["resent"]] == [message_id(3)]
    assert asyncio.run(kept(network, 3))[1].detail["forced"] == "true"


def test_resend_wants_to_know_which(network: NetworkState) -> None:
    """Neither nothing nor two ways of choosing are understood."""
    assert run("dead-letters", "resend", "--state", network.path).exit_code == 2
    assert run("dead-letters", "resend", "x", "--all", "--state", network.path).exit_code == 2
    assert run("dead-letters", "resend", "nothing", "--state", network.path).exit_code == 1
