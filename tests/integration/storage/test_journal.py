"""The journal: only added to, numbered over all nodes, with news for those who wait."""

import asyncio
from collections.abc import Iterable

import pytest
from tests.helpers.stored import MINUTE, NODE, NOON, OTHER_NODE, an_entry, message_id

from eessi_sim.storage.base import JournalEntry, NodeStore, Storage, UnitOfWork


async def note(node: NodeStore, *entries: JournalEntry) -> None:
    """Commit journal entries."""
    work = UnitOfWork()
    work.journal(*entries)
    await node.commit(work)


def steps(entries: Iterable[JournalEntry]) -> list[str]:
    """The steps of journal entries."""
    return [entry.step for entry in entries]


async def test_entry_gets_number_and_node(node: NodeStore) -> None:
    """The store gives an entry its number and the id of its node; the rest comes back as written."""
    entry = an_entry(case_id="1001", detail={"attempt": "1"})
    await note(node, entry)
    assert await node.journal() == (an_entry(case_id="1001", detail={"attempt": "1"}, seq=1, node=NODE),)


async def test_numbers_grow_over_all_nodes(storage: Storage) -> None:
    """Entries of several nodes are numbered in the order of their commits."""
    await note(storage.node(NODE), an_entry("a"), an_entry("b"))
    await note(storage.node(OTHER_NODE), an_entry("c"))
    await note(storage.node(NODE), an_entry("d"))
    assert [(entry.seq, entry.step) for entry in await storage.journal()] == [
        (1, "a"),
        (2, "b"),
        (3, "c"),
        (4, "d"),
    ]
    assert [(entry.seq, entry.step) for entry in await storage.node(NODE).journal()] == [
        (1, "a"),
        (2, "b"),
        (4, "d"),
    ]


async def test_journal_is_read_in_pages(storage: Storage, node: NodeStore) -> None:
    """Reading goes on behind a number and stops at the limit."""
    await note(node, *map(an_entry, "abcde"))
    assert steps(await node.journal(after=1, limit=2)) == ["b", "c"]
    assert steps(await storage.journal(after=3)) == ["d", "e"]


async def test_journal_of_a_message_or_case(storage: Storage, node: NodeStore) -> None:
    """The entries of a message are those with its id, those of a case those with its id."""
    await note(
        node,
        an_entry("a", message_id=message_id(1)),
        an_entry("b", message_id=message_id(2), case_id="1001"),
        an_entry("c", message_id=None, case_id="1001"),
        an_entry("d", message_id="1001", case_id="1001"),
    )
    assert steps(await node.journal_of(message_id(1))) == ["a"]
    assert steps(await node.journal_of("1001")) == ["b", "c", "d"]
    assert await storage.journal_of("unknown") == ()


async def test_trace_over_all_nodes(storage: Storage) -> None:
    """The storage shows what happened to a message on every node, a node only its own part."""
    await note(storage.node(NODE), an_entry("sent"))
    await note(storage.node(OTHER_NODE), an_entry("received"))
    assert steps(await storage.journal_of(message_id())) == ["sent", "received"]
    assert steps(await storage.node(OTHER_NODE).journal_of(message_id())) == ["received"]


async def test_waiting_ends_at_once_when_there_is_news(storage: Storage, node: NodeStore) -> None:
    """Who waits for what is already there does not wait."""
    await note(node, an_entry())
    await storage.wait_for_journal(0)
    await node.wait_for_journal(0)


@pytest.mark.parametrize("whole", [True, False])
async def test_waiting_ends_with_the_next_entry(storage: Storage, node: NodeStore, whole: bool) -> None:
    """A commit with an entry wakes those who wait for it."""
    await note(node, an_entry())
    waiter = asyncio.create_task((storage if whole else node).wait_for_journal(1))
    await asyncio.sleep(0)
    assert not waiter.done()
    await note(node, an_entry())
    await waiter


async def test_news_of_another_node_does_not_end_the_waiting(storage: Storage, node: NodeStore) -> None:
    """Who waits for one node sleeps on when another one writes."""
    waiter = asyncio.create_task(node.wait_for_journal(0))
    await note(storage.node(OTHER_NODE), an_entry())
    for _ in range(3):
        await asyncio.sleep(0)
    assert not waiter.done()
    await note(node, an_entry())
    await waiter


async def test_news_of_a_cancelled_caller_ends_the_waiting(storage: Storage, node: NodeStore) -> None:
    """An entry wakes those who wait for it even when nobody waits for its commit any more."""
    waiter = asyncio.create_task(storage.wait_for_journal(0))
    caller = asyncio.create_task(note(node, an_entry()))
    await asyncio.sleep(0)
    caller.cancel()
    await waiter
    assert len(await storage.journal()) == 1


async def test_waiting_can_be_given_up(node: NodeStore) -> None:
    """Who stops waiting is forgotten; the next entry troubles nobody."""
    waiter = asyncio.create_task(node.wait_for_journal(0))
    await asyncio.sleep(0)
    waiter.cancel()
    await note(node, an_entry())
    assert waiter.cancelling()


async def test_old_entries_are_dropped(storage: Storage, node: NodeStore) -> None:
    """Entries of one node that are older than a time go, oldest first and so many at a time; numbers are not reused."""
    late = NOON + 2 * MINUTE
    await note(node, an_entry("a", at=NOON), an_entry("b", at=late), an_entry("c", at=NOON))
    await note(storage.node(OTHER_NODE), an_entry("d", at=NOON))
    assert await node.drop_journal(NOON + MINUTE, limit=1) == 1
    assert steps(await node.journal()) == ["b", "c"]
    assert await node.drop_journal(NOON + MINUTE, limit=5) == 1
    assert await node.drop_journal(NOON + MINUTE, limit=5) == 0
    await note(node, an_entry("e", at=late))
    assert [(each.seq, each.step) for each in await storage.journal()] == [(2, "b"), (4, "d"), (5, "e")]
    assert steps(await node.journal_of(message_id())) == ["b", "e"]


async def test_news_names_the_nodes(storage: Storage) -> None:
    """Whoever follows the news hears about which nodes something was journalled since the last time."""
    news = storage.news()
    first = asyncio.ensure_future(anext(news))
    await asyncio.sleep(0)
    await note(storage.node(NODE), an_entry())
    assert await first == {NODE}
    await note(storage.node(OTHER_NODE), an_entry())
    assert await anext(news) == {OTHER_NODE}


async def test_number_of_the_newest_entry(storage: Storage, node: NodeStore) -> None:
    """Whoever wants to follow the journal asks where it ends now: of all nodes, or of one."""
    assert (await storage.last_entry(), await node.last_entry()) == (0, 0)
    await note(node, *map(an_entry, "ab"))
    await note(storage.node(OTHER_NODE), an_entry("c"))
    assert (await storage.last_entry(), await node.last_entry()) == (3, 2)
