"""The queue: due messages are claimed by one worker at a time, in the order they are due."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest
from tests.helpers.stored import MINUTE, NOON, OTHER_NODE, a_message, message_id
from tests.integration.storage.conftest import Commit

from eessi_sim.storage.base import Claim, Direction, NodeStore, Storage

OUT = Direction.OUT


def claim(**fields: Any) -> Claim:
    """A claim of what is to be sent at noon, for a minute."""
    return Claim(
        **{
            "direction": OUT,
            "states": ("SUBMITTED", "RETRY_DUE"),
            "claimed_state": "SENDING",
            "now": NOON,
            "lease": MINUTE,
            **fields,
        }
    )


def ids(messages: Any) -> list[str]:
    """The ids of messages."""
    return [message.message_id for message in messages]


async def test_claimed_message_is_complete_and_leased(node: NodeStore, add: Commit) -> None:
    """A claim returns messages with their bodies, in the claimed state, under a lease."""
    await add(a_message())
    (claimed,) = await node.claim(claim(now=NOON + MINUTE))
    assert claimed.body == a_message().body
    assert (claimed.state, claimed.leased_until) == ("SENDING", NOON + 2 * MINUTE)
    assert claimed.updated_at == NOON + MINUTE


async def test_claim_is_stored(node: NodeStore, add: Commit) -> None:
    """What a claim returns is what the store holds from then on."""
    await add(a_message())
    (claimed,) = await node.claim(claim())
    assert await node.find_message(OUT, message_id()) == claimed
    assert (await node.counts()).in_state(OUT, "SENDING") == 1


async def test_message_is_claimed_once(node: NodeStore, add: Commit) -> None:
    """A message that somebody claimed is not given to the next one."""
    await add(a_message())
    await node.claim(claim())
    assert await node.claim(claim()) == ()


async def test_concurrent_claims_share_the_messages(node: NodeStore, add: Commit) -> None:
    """Of many claims at the same time each message goes to exactly one."""
    await add(*map(a_message, range(1, 21)))
    shares = await asyncio.gather(*(node.claim(claim(limit=3)) for _ in range(10)))
    assert sorted(id_ for share in shares for id_ in ids(share)) == sorted(
        message_id(number) for number in range(1, 21)
    )


async def test_message_is_not_claimed_before_it_is_due(node: NodeStore, add: Commit) -> None:
    """A message whose time has not come is left alone, and claimed at its time."""
    await add(a_message(due_at=NOON + MINUTE))
    assert await node.claim(claim(now=NOON + MINUTE - timedelta(microseconds=1))) == ()
    assert ids(await node.claim(claim(now=NOON + MINUTE))) == [message_id()]


async def test_claims_follow_due_date_then_arrival(node: NodeStore, add: Commit) -> None:
    """Messages due first are claimed first, whatever their state; equal ones in order of arrival."""
    await add(
        a_message(1, due_at=NOON),
        a_message(2, due_at=NOON - MINUTE, state="RETRY_DUE"),
        a_message(3),
        a_message(4, due_at=NOON - MINUTE),
        a_message(5, state="RETRY_DUE"),
    )
    assert ids(await node.claim(claim())) == [message_id(number) for number in (3, 5, 2, 4, 1)]


async def test_claim_stops_at_its_limit(node: NodeStore, add: Commit) -> None:
    """A claim takes no more than ``limit`` messages; the rest stays for others."""
    await add(*map(a_message, range(1, 6)))
    assert len(await node.claim(claim(limit=2))) == 2
    assert len(await node.claim(claim(limit=10))) == 3


@pytest.mark.parametrize("fields", [{"state": "DELIVERED"}, {"direction": Direction.IN}])
async def test_claim_takes_only_its_states_and_direction(
    node: NodeStore, add: Commit, fields: dict[str, Any]
) -> None:
    """Messages in other states or of the other direction are left alone."""
    await add(a_message(**fields))
    assert await node.claim(claim()) == ()


async def test_claim_takes_only_messages_of_its_node(storage: Storage, add: Commit) -> None:
    """A node does not claim what belongs to another one."""
    await add(a_message())
    assert await storage.node(OTHER_NODE).claim(claim()) == ()


async def test_claim_of_a_channel_takes_only_what_waits_there(node: NodeStore, add: Commit) -> None:
    """A claim for a pull channel gets the messages parked on it, the others stay."""
    await add(a_message(1, channel="a"), a_message(2, channel="b"), a_message(3))
    assert ids(await node.claim(claim(channel="b"))) == [message_id(2)]
    assert ids(await node.claim(claim())) == [message_id(1), message_id(3)]


async def test_message_of_a_crashed_worker_can_be_claimed_after_its_lease(
    node: NodeStore, add: Commit
) -> None:
    """A claim that names the claimed state too gets messages whose lease has ended."""
    await add(a_message())
    await node.claim(claim())
    again = claim(states=("SUBMITTED", "SENDING"))
    assert await node.claim(again) == ()
    assert ids(await node.claim(claim(states=("SUBMITTED", "SENDING"), now=NOON + MINUTE))) == [message_id()]


async def test_release_ends_all_leases_of_the_node(storage: Storage, node: NodeStore, add: Commit) -> None:
    """A node that starts again frees what it had claimed, and only that."""
    await add(a_message(1), a_message(2), a_message(3, due_at=NOON + MINUTE))
    await node.claim(claim())
    assert await storage.node(OTHER_NODE).release() == 0
    assert await node.release() == 2
    assert ids(await node.claim(claim(states=("SENDING",)))) == [message_id(1), message_id(2)]


async def test_release_ends_no_lease_of_a_peer(node: NodeStore, add: Commit) -> None:
    """A worker that starts again frees what it had claimed, not what another one works on."""
    await add(a_message(1), a_message(2))
    assert ids(await node.claim(claim(worker="1", limit=1))) == [message_id(1)]
    assert ids(await node.claim(claim(worker="2", limit=1))) == [message_id(2)]
    assert await node.release("1") == 1
    assert ids(await node.claim(claim(states=("SENDING",)))) == [message_id(1)]


async def test_release_leaves_states_as_they_are(node: NodeStore, add: Commit) -> None:
    """Freeing a message does not pretend that it was never claimed."""
    await add(a_message())
    await node.claim(claim())
    await node.release()
    found = await node.find_message(OUT, message_id())
    assert found is not None
    assert (found.state, found.leased_until) == ("SENDING", None)


async def test_nothing_is_due_in_an_empty_queue(node: NodeStore) -> None:
    """Without messages there is no next due date."""
    assert await node.next_due(OUT, ["SUBMITTED"]) is None


async def test_next_due_is_the_earliest_of_its_states(node: NodeStore, add: Commit) -> None:
    """The next due date is the earliest of all named states."""
    await add(
        a_message(1, due_at=NOON + 3 * MINUTE),
        a_message(2, due_at=NOON + 2 * MINUTE, state="RETRY_DUE"),
        a_message(3, due_at=NOON + MINUTE, state="DELIVERED"),
    )
    assert await node.next_due(OUT, ["SUBMITTED", "RETRY_DUE"]) == NOON + 2 * MINUTE


async def test_message_without_due_date_is_due_long_ago(node: NodeStore, add: Commit) -> None:
    """A message that is due at once shows as a time in the past."""
    await add(a_message())
    due = await node.next_due(OUT, ["SUBMITTED"])
    assert isinstance(due, datetime)
    assert due < NOON


async def test_running_lease_postpones_the_next_due_date(node: NodeStore, add: Commit) -> None:
    """A leased message is due when its lease ends."""
    await add(a_message(due_at=NOON))
    await node.claim(claim(lease=5 * MINUTE))
    assert await node.next_due(OUT, ["SENDING"]) == NOON + 5 * MINUTE
