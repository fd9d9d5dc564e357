"""Units of work: all or nothing, one after the other, many at once."""

import asyncio

import pytest
from tests.helpers.stored import a_case, a_document, a_message, an_entry, message_id

from eessi_sim.errors import Conflict, Unavailable
from eessi_sim.storage.base import Counts, Direction, NodeStore, Storage, UnitOfWork

OUT = Direction.OUT


def unit(number: int = 1) -> UnitOfWork:
    """A unit of work with one write of each kind."""
    work = UnitOfWork()
    work.add_message(a_message(number))
    work.save_case(a_case(number), None)
    work.save_document(a_document(number))
    work.journal(an_entry(message_id=message_id(number)))
    return work


async def state_of(node: NodeStore) -> tuple[object, ...]:
    """All that can be seen of a node."""
    return (
        await node.counts(),
        await node.messages(limit=1000, with_body=True),
        await node.cases(limit=1000),
        await node.documents("1001", with_content=True),
        await node.journal(limit=1000),
    )


async def test_unit_is_done_as_a_whole(node: NodeStore) -> None:
    """After a commit all writes of the unit can be seen."""
    await node.commit(unit())
    counts = await node.counts()
    assert (counts.cases, counts.documents, len(counts.messages), len(await node.journal())) == (1, 1, 1, 1)


async def test_empty_unit_does_nothing(node: NodeStore) -> None:
    """A unit without writes is committed without trace."""
    await node.commit(UnitOfWork())
    assert await node.counts() == Counts(0, 0, ())


async def test_conflict_leaves_nothing_behind(node: NodeStore) -> None:
    """When one write of a unit conflicts, none of the others is done, not even those before it."""
    await node.commit(unit(1))
    before = await state_of(node)
    work = unit(2)
    work.save_case(a_case(1, revision=2), 1)
    work.save_document(a_document(1, content=b"changed"))
    work.update_message(OUT, message_id(1), state="DELIVERED", body=b"changed")
    work.add_message(a_message(1))
    with pytest.raises(Conflict):
        await node.commit(work)
    assert await state_of(node) == before


async def test_numbers_of_an_undone_unit_are_used_by_the_next(node: NodeStore) -> None:
    """A conflict leaves no gap in the numbers of messages and journal."""
    await node.commit(unit(1))
    work = unit(2)
    work.add_message(a_message(1))
    with pytest.raises(Conflict):
        await node.commit(work)
    await node.commit(unit(3))
    assert [message.seq for message in await node.messages()] == [2, 1]
    assert [entry.seq for entry in await node.journal()] == [1, 2]


async def test_undone_answer_is_not_found_by_its_reference(node: NodeStore) -> None:
    """A conflict leaves nothing in any index."""
    await node.commit(unit(1))
    work = UnitOfWork()
    work.add_message(a_message(2, ref_to=message_id(1)))
    work.add_message(a_message(1))
    with pytest.raises(Conflict):
        await node.commit(work)
    await node.commit(unit(2))
    assert await node.find_message(OUT, message_id(2)) is not None
    assert [message.ref_to for message in await node.messages()] == [None, None]


async def test_conflict_of_one_unit_does_not_hurt_the_others(node: NodeStore) -> None:
    """Of units that are committed at the same time only the one with the conflict fails."""
    results = await asyncio.gather(
        node.commit(unit(1)), node.commit(unit(1)), node.commit(unit(2)), return_exceptions=True
    )
    assert [type(result) for result in results] == [type(None), Conflict, type(None)]
    assert (await node.counts()).cases == 2


async def test_units_are_done_in_the_order_they_came(node: NodeStore) -> None:
    """Units that wait together are done first come, first served."""
    await asyncio.gather(*(node.commit(unit(number)) for number in range(1, 31)))
    assert [message.message_id for message in reversed(await node.messages())] == [
        message_id(number) for number in range(1, 31)
    ]


async def test_many_concurrent_units_are_all_done(node: NodeStore) -> None:
    """More units at once than fit into one transaction are all done."""
    await asyncio.gather(*(node.commit(unit(number)) for number in range(1, 601)))
    assert (await node.counts()).cases == 600


async def test_unit_can_be_committed_after_reading_its_conflict(node: NodeStore) -> None:
    """Who lost a race reads again and repeats; the second try goes through."""
    await node.commit(unit(1))
    work = UnitOfWork()
    work.save_case(a_case(1, revision=2), 0)
    with pytest.raises(Conflict):
        await node.commit(work)
    known = await node.find_case("1001")
    assert known is not None
    work = UnitOfWork()
    work.save_case(a_case(1, revision=2), known.revision)
    await node.commit(work)
    assert await node.find_case("1001") == a_case(1, revision=2)


async def test_details_of_a_stored_message_do_not_follow_the_callers_dictionary(node: NodeStore) -> None:
    """The store keeps what it was given, not what the caller makes of it later."""
    details = {"sed": "A003"}
    work = UnitOfWork()
    work.add_message(a_message(details=details))
    await node.commit(work)
    details["sed"] = "A004"
    assert (await node.messages())[0].details == {"sed": "A003"}


async def test_closed_store_takes_no_writes(storage: Storage, node: NodeStore) -> None:
    """After closing, a commit says that the store is closed; closing again is harmless."""
    await storage.close()
    await storage.close()
    with pytest.raises(Unavailable, match="closed"):
        await node.commit(unit())


async def test_closing_finishes_what_waits(storage: Storage, node: NodeStore) -> None:
    """Units that were handed over before the store closes are done."""
    waiting = asyncio.create_task(node.commit(unit()))
    await asyncio.sleep(0)
    await storage.close()
    await waiting


async def test_cancelled_caller_does_not_stop_the_others(node: NodeStore) -> None:
    """A caller that gives up while its unit is written leaves the other units alone."""
    given_up = asyncio.create_task(node.commit(unit(1)))
    kept = asyncio.create_task(node.commit(unit(2)))
    await asyncio.sleep(0)
    given_up.cancel()
    await kept
    assert await node.find_message(OUT, message_id(2)) is not None


async def test_view_of_a_node_is_always_the_same(storage: Storage, node: NodeStore) -> None:
    """Asking twice for a node gives views of the same state."""
    await node.commit(unit())
    again = storage.node(a_case().own)
    assert await state_of(again) == await state_of(node)


async def test_unit_with_a_programming_error_leaves_nothing_behind(node: NodeStore) -> None:
    """When a unit raises what no store raises, its caller gets that error and none of its writes is done."""
    await node.commit(unit(1))
    before = await state_of(node)
    work = unit(2)
    work.update_message(OUT, message_id(1), details=5)  # type: ignore[arg-type] # that is the error
    with pytest.raises(TypeError):
        await node.commit(work)
    assert await state_of(node) == before


async def test_programming_error_in_one_unit_leaves_the_others_alone(node: NodeStore) -> None:
    """Units that are committed beside one that raises an unexpected error are done, and so are later ones."""
    await node.commit(unit(1))
    wrong = UnitOfWork()
    wrong.update_message(OUT, message_id(1), details=5)  # type: ignore[arg-type] # that is the error
    results = await asyncio.gather(*map(node.commit, [unit(2), wrong, unit(3)]), return_exceptions=True)
    await node.commit(unit(4))
    assert [type(result) for result in results] == [type(None), TypeError, type(None)]
    assert (await node.counts()).cases == 4
