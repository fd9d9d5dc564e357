"""Messages of a node: kept, found, listed, changed; the same on every back end."""

from collections.abc import Iterable
from dataclasses import replace

import pytest
from tests.helpers.stored import MINUTE, NOON, OTHER_NODE, a_message, message_id
from tests.integration.storage.conftest import Commit

from eessi_sim.errors import Conflict
from eessi_sim.storage.base import (
    Counts,
    Direction,
    MessageKind,
    MessageQuery,
    NodeStore,
    StateCount,
    Storage,
    StoredMessage,
    UnitOfWork,
)

OUT = Direction.OUT
IN = Direction.IN


def numbers(messages: Iterable[StoredMessage]) -> list[int]:
    """The numbers of messages in the order of the list."""
    return [int(message.message_id.split("@")[0][1:]) for message in messages]


async def test_message_comes_back_as_it_was_stored(node: NodeStore, add: Commit) -> None:
    """Every field of a stored message comes back, the body included; only its number is new."""
    message = a_message(
        ref_to=message_id(9),
        endpoint="https://ap.example/outbox",
        channel="urn:channel",
        attempts=2,
        due_at=NOON + MINUTE,
        leased_until=NOON + 2 * MINUTE,
        accepted_at=NOON + 3 * MINUTE,
        receipted_at=NOON + 4 * MINUTE,
        last_error="EBMS:0005",
        details={"sed": "A003", "buc": "LA_BUC_02"},
    )
    await add(message)
    assert await node.find_message(OUT, message_id()) == replace(message, seq=1)


async def test_message_with_defaults_comes_back_as_it_was_stored(node: NodeStore, add: Commit) -> None:
    """A field that was not given is None when it comes back."""
    await add(a_message())
    assert await node.find_message(OUT, message_id()) == replace(a_message(), seq=1)


async def test_times_keep_their_microseconds(node: NodeStore, add: Commit) -> None:
    """A time comes back exactly."""
    exact = NOON.replace(microsecond=123_457)
    await add(a_message(created_at=exact))
    found = await node.find_message(OUT, message_id())
    assert found is not None
    assert found.created_at == exact


async def test_unknown_message_is_none(node: NodeStore) -> None:
    """Looking for a message that was never stored returns None."""
    assert await node.find_message(OUT, message_id()) is None


async def test_direction_is_part_of_the_key(node: NodeStore, add: Commit) -> None:
    """A node may both send and receive a message of the same id, for example one to itself."""
    await add(a_message(direction=OUT), a_message(direction=IN))
    assert (await node.counts()).messages == (
        StateCount(IN, MessageKind.USER, "SUBMITTED", 1),
        StateCount(OUT, MessageKind.USER, "SUBMITTED", 1),
    )


async def test_same_message_twice_is_a_conflict(node: NodeStore, add: Commit) -> None:
    """A second message of the same direction and id is refused, with its id in the error."""
    await add(a_message())
    with pytest.raises(Conflict, match="m1@navat07") as caught:
        await add(a_message(body=b"other"))
    assert caught.value.context["message_id"] == message_id()


async def test_nodes_do_not_see_each_other(storage: Storage, add: Commit) -> None:
    """The messages of one node are not those of another."""
    await add(a_message())
    assert await storage.node(OTHER_NODE).messages() == ()
    assert await storage.node(OTHER_NODE).find_message(OUT, message_id()) is None


async def test_list_is_newest_first_without_bodies(node: NodeStore, add: Commit) -> None:
    """A list shows the newest message first and loads no body, but keeps its digest."""
    await add(a_message(1), a_message(2))
    listed = await node.messages()
    assert numbers(listed) == [2, 1]
    assert listed[0] == replace(a_message(2), seq=2, body=b"")


async def test_list_loads_bodies_when_asked(node: NodeStore, add: Commit) -> None:
    """With ``with_body`` the messages of a list are complete."""
    await add(a_message(1))
    assert await node.messages(with_body=True) == (replace(a_message(1), seq=1),)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (MessageQuery(direction=IN), [4]),
        (MessageQuery(kind=MessageKind.RECEIPT), [4, 3]),
        (MessageQuery(states={"SUBMITTED"}), [2, 1]),
        (MessageQuery(states=("SUBMITTED", "DELIVERED")), [3, 2, 1]),
        (MessageQuery(states=()), []),
        (MessageQuery(ref_to=message_id(1)), [4, 3]),
        (MessageQuery(ref_to=message_id(1), direction=OUT), [3]),
        (MessageQuery(ref_to=message_id(1), before=4), [3]),
        (MessageQuery(conversation="conversation-2"), [4, 2]),
        (MessageQuery(conversation="conversation-2", kind=MessageKind.USER), [2]),
        (MessageQuery(conversation="conversation-2", ref_to=message_id(1)), [4]),
        (MessageQuery(conversation="none"), []),
        (MessageQuery(before=3), [2, 1]),
    ],
)
async def test_list_can_be_restricted(
    node: NodeStore, add: Commit, query: MessageQuery, expected: list[int]
) -> None:
    """Each field of a query restricts the list; several restrict it together."""
    answer = {"kind": MessageKind.RECEIPT, "ref_to": message_id(1)}
    await add(
        a_message(1),
        a_message(2, conversation="conversation-2"),
        a_message(3, state="DELIVERED", **answer),
        a_message(4, state="RECEIVED", direction=IN, conversation="conversation-2", **answer),
    )
    assert numbers(await node.messages(query)) == expected


async def test_list_stops_at_its_limit(node: NodeStore, add: Commit) -> None:
    """A list holds no more than ``limit`` messages, the newest of all states."""
    await add(a_message(1), a_message(2, state="DELIVERED"), a_message(3))
    assert numbers(await node.messages(limit=2)) == [3, 2]


async def test_pages_join_without_gap(node: NodeStore, add: Commit) -> None:
    """Asking for messages before the last one of a page gives the next page."""
    await add(*(a_message(number, state=f"STATE{number % 2}") for number in range(1, 8)))
    seen: list[int] = []
    page = await node.messages(limit=3)
    while page:
        seen += numbers(page)
        page = await node.messages(MessageQuery(before=page[-1].seq), limit=3)
    assert seen == [7, 6, 5, 4, 3, 2, 1]


async def test_change_touches_only_the_fields_named(node: NodeStore, add: Commit, update: Commit) -> None:
    """Fields that a change does not name stay as they are."""
    await add(a_message())
    await update(OUT, message_id(), attempts=3, last_error="timed out", updated_at=NOON + MINUTE)
    assert await node.find_message(OUT, message_id()) == replace(
        a_message(), seq=1, attempts=3, last_error="timed out", updated_at=NOON + MINUTE
    )


async def test_body_can_be_replaced(node: NodeStore, add: Commit, update: Commit) -> None:
    """The octets of a message can be set later, when it is packed for the wire."""
    await add(a_message(body=b""))
    await update(OUT, message_id(), body=b"packed", content_type="multipart/related", digest="00")
    found = await node.find_message(OUT, message_id())
    assert found is not None
    assert (found.body, found.content_type, found.digest) == (b"packed", "multipart/related", "00")


async def test_details_are_merged(node: NodeStore, add: Commit, update: Commit) -> None:
    """A change adds details to those stored; of two values for one key the new one stays."""
    await add(a_message(details={"sed": "A003", "xsd_valid": "unknown"}))
    await update(OUT, message_id(), details={"xsd_valid": "yes", "case": "1001"})
    found = await node.find_message(OUT, message_id())
    assert found is not None
    assert found.details == {"sed": "A003", "xsd_valid": "yes", "case": "1001"}


async def test_change_in_expected_state_is_done(node: NodeStore, add: Commit, update: Commit) -> None:
    """A change that expects the state the message is in goes through."""
    await add(a_message(state="SENDING"))
    await update(OUT, message_id(), expected_states={"SENDING", "RETRY_DUE"}, state="DELIVERED")
    assert (await node.counts()).in_state(OUT, "DELIVERED") == 1


async def test_change_in_another_state_is_a_conflict(node: NodeStore, add: Commit, update: Commit) -> None:
    """A change that expects another state is refused and names both states."""
    await add(a_message(state="DELIVERED"))
    with pytest.raises(Conflict, match="in state RETRY_DUE or SENDING, found DELIVERED"):
        await update(OUT, message_id(), expected_states={"SENDING", "RETRY_DUE"}, state="DEAD_LETTERED")
    assert (await node.counts()).in_state(OUT, "DELIVERED") == 1


async def test_change_of_an_unknown_message_is_a_conflict(update: Commit) -> None:
    """A change of a message that is not there is refused."""
    with pytest.raises(Conflict, match="found none"):
        await update(OUT, message_id(), attempts=1)


async def test_change_of_state_ends_the_lease(node: NodeStore, add: Commit, update: Commit) -> None:
    """Whoever moves a message on is done with it, so its lease ends."""
    await add(a_message(leased_until=NOON + MINUTE))
    await update(OUT, message_id(), state="RETRY_DUE")
    found = await node.find_message(OUT, message_id())
    assert found is not None
    assert found.leased_until is None


async def test_lease_can_be_kept_on_a_change_of_state(node: NodeStore, add: Commit, update: Commit) -> None:
    """A lease that is named together with the new state stays."""
    await add(a_message())
    await update(OUT, message_id(), state="SENDING", leased_until=NOON + MINUTE)
    found = await node.find_message(OUT, message_id())
    assert found is not None
    assert found.leased_until == NOON + MINUTE


async def test_counts_follow_the_states(node: NodeStore, add: Commit, update: Commit) -> None:
    """The counts show how many messages of each direction and kind are in each state."""
    await add(a_message(1), a_message(2), a_message(3, kind=MessageKind.RECEIPT))
    await update(OUT, message_id(1), state="DELIVERED")
    assert await node.counts() == Counts(
        0,
        0,
        (
            StateCount(OUT, MessageKind.RECEIPT, "SUBMITTED", 1),
            StateCount(OUT, MessageKind.USER, "DELIVERED", 1),
            StateCount(OUT, MessageKind.USER, "SUBMITTED", 1),
        ),
    )


async def test_states_that_are_empty_again_are_not_counted(
    node: NodeStore, add: Commit, update: Commit
) -> None:
    """A state that the last message has left is not shown with a zero."""
    await add(a_message())
    await update(OUT, message_id(), state="SENDING")
    await update(OUT, message_id(), state="DELIVERED")
    assert (await node.counts()).messages == (StateCount(OUT, MessageKind.USER, "DELIVERED", 1),)


async def test_two_changes_in_one_unit_build_on_each_other(node: NodeStore, add: Commit) -> None:
    """Within a unit of work a later write sees what an earlier one did."""
    work = UnitOfWork()
    work.add_message(a_message())
    work.update_message(OUT, message_id(), expected_states={"SUBMITTED"}, state="SENDING")
    work.update_message(OUT, message_id(), expected_states={"SENDING"}, state="DELIVERED")
    await node.commit(work)
    assert (await node.counts()).in_state(OUT, "SENDING", "DELIVERED") == 1


async def test_oldest_message_of_some_states_is_known(node: NodeStore, add: Commit) -> None:
    """The first message of any kind in one of the states tells its age; none is told where none stands."""
    await add(a_message(1, state="gone"))
    await add(a_message(2, state="due", kind=MessageKind.RECEIPT, created_at=NOON + MINUTE))
    await add(a_message(3, state="new", created_at=NOON + 2 * MINUTE))
    assert await node.oldest(OUT, ("new", "due")) == NOON + MINUTE
    assert await node.oldest(OUT, ("new",)) == NOON + 2 * MINUTE
    assert await node.oldest(IN, ("new", "due")) is None


async def test_sizes_of_transactions_are_counted(storage: Storage, add: Commit) -> None:
    """Every transaction that became durable is counted with its units."""
    await add(a_message(1))
    assert sum(storage.group_sizes.numbers) == storage.group_sizes.sum == 1
