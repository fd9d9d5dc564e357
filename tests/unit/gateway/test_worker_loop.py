"""The loop behind every queue, with a queue that the test holds in its hands."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import datetime, timedelta

import pytest

from eessi_sim.clock import ManualClock
from eessi_sim.errors import Conflict, Unavailable
from eessi_sim.gateway.worker import MOST_AT_ONCE, Worker


async def _done(_item: str) -> None:
    """Work that is done at once."""


class Hand:
    """A queue of texts with the time at which each is due."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self.due: dict[str, datetime] = {}
        self.claimed: list[str] = []
        self.given_up: list[tuple[str, str]] = []
        self.work: Callable[[str], Awaitable[None]] = _done
        self.claim_fault: Exception | None = None
        self.failed_fault: Exception | None = None

    def put(self, *items: str, seconds: float = 0) -> None:
        for item in items:
            self.due[item] = self.clock.now() + timedelta(seconds=seconds)

    async def claim(self, limit: int) -> Sequence[str]:
        if self.claim_fault:
            raise self.claim_fault
        ready = [item for item, due in self.due.items() if due <= self.clock.now()][:limit]
        for item in ready:
            del self.due[item]
        self.claimed.extend(ready)
        return ready

    async def process(self, item: str) -> None:
        await self.work(item)

    async def failed(self, item: str, fault: Exception) -> None:
        if self.failed_fault:
            raise self.failed_fault
        self.given_up.append((item, type(fault).__name__))

    async def next_due(self) -> datetime | None:
        return min(self.due.values(), default=None)


@pytest.fixture
def hand(clock: ManualClock) -> Hand:
    return Hand(clock)


@pytest.fixture
async def worker(clock: ManualClock, hand: Hand) -> AsyncIterator[Worker]:
    worker = Worker("test", clock, hand)
    yield worker
    await worker.stop()


async def settle() -> None:
    """Let everything run that can run."""
    for _ in range(50):
        await asyncio.sleep(0)


def blocker() -> tuple[asyncio.Event, Callable[[str], Awaitable[None]]]:
    """Work that lasts until the event."""
    gate = asyncio.Event()

    async def work(_item: str) -> None:
        await gate.wait()

    return gate, work


async def test_what_an_earlier_run_left_is_done_at_the_start(worker: Worker, hand: Hand) -> None:
    """Nobody needs to wake a worker that starts."""
    hand.put("a", "b")
    worker.start()
    await settle()
    assert hand.claimed == ["a", "b"]
    assert not worker.busy


async def test_news_wakes_a_resting_worker(worker: Worker, hand: Hand) -> None:
    """Something put into the queue later is claimed when the worker is told."""
    worker.start()
    await settle()
    hand.put("a")
    worker.wake()
    assert worker.busy
    await settle()
    assert hand.claimed == ["a"]


async def test_worker_sleeps_until_the_next_item_is_due(
    worker: Worker, hand: Hand, clock: ManualClock
) -> None:
    """An item that is due later is claimed then, without anybody's doing."""
    hand.put("a", seconds=60)
    worker.start()
    await settle()
    assert clock.next_wake() == hand.due["a"]
    clock.advance(timedelta(seconds=59))
    await settle()
    assert hand.claimed == []
    clock.advance(timedelta(seconds=1))
    await settle()
    assert hand.claimed == ["a"]


async def test_worker_without_work_wakes_nobody(worker: Worker, clock: ManualClock) -> None:
    """An empty queue sets no alarm."""
    worker.start()
    await settle()
    assert clock.next_wake() is None


async def test_items_are_worked_on_side_by_side(worker: Worker, hand: Hand) -> None:
    """One item that lasts does not stop the others."""
    gate, block = blocker()
    done: list[str] = []

    async def work(item: str) -> None:
        if item == "slow":
            await block(item)
        done.append(item)

    hand.work = work
    hand.put("slow", "a", "b")
    worker.start()
    await settle()
    assert done == ["a", "b"]
    gate.set()
    await settle()
    assert done == ["a", "b", "slow"]


async def test_no_more_than_so_many_items_are_under_way(worker: Worker, hand: Hand) -> None:
    """The others wait in the store until one is done."""
    gate, hand.work = blocker()
    hand.put(*(str(number) for number in range(MOST_AT_ONCE + 5)))
    worker.start()
    await settle()
    assert len(hand.claimed) == MOST_AT_ONCE
    gate.set()
    await settle()
    assert len(hand.claimed) == MOST_AT_ONCE + 5


async def test_item_that_comes_back_soon_does_not_wait_for_a_slow_one(
    worker: Worker, hand: Hand, clock: ManualClock
) -> None:
    """A retry in a second is made in a second, though another item is under way for long."""
    gate, block = blocker()

    async def work(item: str) -> None:
        if item == "slow":
            await block(item)
        elif hand.claimed.count("again") == 1:
            hand.put("again", seconds=1)

    hand.work = work
    hand.put("slow", "again")
    worker.start()
    await settle()
    clock.advance(timedelta(seconds=1))
    await settle()
    assert hand.claimed == ["slow", "again", "again"]
    gate.set()


async def test_item_that_fails_is_given_up_and_the_next_one_is_done(worker: Worker, hand: Hand) -> None:
    """An unexpected fault is told to the queue; the loop goes on."""

    async def work(item: str) -> None:
        if item == "bad":
            raise ZeroDivisionError

    hand.work = work
    hand.put("bad", "good")
    worker.start()
    await settle()
    hand.put("later")
    worker.wake()
    await settle()
    assert hand.given_up == [("bad", "ZeroDivisionError")]
    assert hand.claimed == ["bad", "good", "later"]


async def test_fault_of_the_store_gives_no_item_up(worker: Worker, hand: Hand) -> None:
    """Somebody was faster, or the disk is full for a while: the item is left to its lease."""

    async def work(_item: str) -> None:
        raise Conflict("Expected another state")

    hand.work = work
    hand.put("a")
    worker.start()
    await settle()
    assert hand.given_up == []
    assert not worker.busy


async def test_item_whose_store_is_away_is_tried_again(
    worker: Worker, hand: Hand, clock: ManualClock
) -> None:
    """A database that starts again stops nothing for good: what was under way is done a moment later."""
    faults = [Unavailable("away"), Unavailable("away")]

    async def work(item: str) -> None:
        if faults:
            raise faults.pop()
        done.append(item)

    done: list[str] = []
    hand.work = work
    hand.put("a")
    worker.start()
    for _ in range(3):
        await settle()
        clock.advance(timedelta(seconds=1))
    assert (done, hand.claimed, hand.given_up) == (["a"], ["a"], [])


async def test_store_that_stays_away_leaves_the_item_to_its_lease(
    worker: Worker, hand: Hand, clock: ManualClock
) -> None:
    """After a minute the item is left to its lease; a queue that cannot say what is due is asked again."""

    async def work(_item: str) -> None:
        raise Unavailable("away")

    async def nothing_known() -> datetime | None:
        raise Unavailable("away")

    hand.work = work
    hand.put("a")
    worker.start()
    await settle()
    hand.next_due = nothing_known  # type: ignore[method-assign]
    for _ in range(70):
        await settle()
        clock.advance(timedelta(seconds=1))
    await settle()
    assert (hand.claimed, hand.given_up, bool(worker._put_off)) == (["a"], [], False)


async def test_items_that_were_put_off_take_the_room_of_new_ones(
    worker: Worker, hand: Hand, clock: ManualClock
) -> None:
    """Beside as many as fit come those whose store was away: no more are claimed until there is room for one."""
    gates = {str(number): asyncio.Event() for number in range(2 * MOST_AT_ONCE)}
    limits: list[int] = []
    claim = hand.claim

    async def noting(limit: int) -> Sequence[str]:
        limits.append(limit)
        return await claim(limit)

    async def work(item: str) -> None:
        if int(item) < MOST_AT_ONCE and item not in seen:
            seen.add(item)
            raise Unavailable("Expected an answer, found none")
        await gates[item].wait()

    seen: set[str] = set()
    hand.claim, hand.work = noting, work  # type: ignore[method-assign]
    hand.put(*gates)
    worker.start()
    await settle()
    clock.advance(timedelta(seconds=1))
    await settle()
    assert worker.under_way == 2 * MOST_AT_ONCE
    for item in reversed(gates):
        gates[item].set()
        await settle()
    assert min(limits) == 1


async def test_item_that_cannot_even_be_given_up_is_logged(
    worker: Worker, hand: Hand, caplog: pytest.LogCaptureFixture
) -> None:
    """A fault on top of a fault ends nothing and is not silent."""

    async def work(_item: str) -> None:
        raise ZeroDivisionError

    hand.work, hand.failed_fault = work, Conflict("Expected another state")
    hand.put("a")
    worker.start()
    with caplog.at_level(logging.ERROR):
        await settle()
    hand.work = _done
    hand.put("b")
    worker.wake()
    await settle()
    assert hand.claimed == ["a", "b"]
    assert "was not stored" in caplog.text


async def test_worker_that_cannot_claim_tries_again_after_a_pause(
    worker: Worker, hand: Hand, clock: ManualClock
) -> None:
    """A store that is away for a moment does not end the queue, and is not asked without pause."""
    hand.claim_fault = OSError("gone")
    hand.put("a")
    worker.start()
    await settle()
    hand.claim_fault = None
    await settle()
    assert hand.claimed == []
    clock.advance(timedelta(seconds=1))
    await settle()
    assert hand.claimed == ["a"]


async def test_item_that_is_due_but_held_by_somebody_is_not_asked_for_without_pause(
    worker: Worker, hand: Hand, clock: ManualClock
) -> None:
    """When nothing can be claimed though something is due, the worker rests for a moment."""

    class Held(Hand):
        async def claim(self, limit: int) -> Sequence[str]:
            self.claimed.append("asked")
            return []

    held = Held(clock)
    held.put("a")
    other = Worker("held", clock, held)
    other.start()
    await settle()
    asked = len(held.claimed)
    await settle()
    assert len(held.claimed) == asked
    clock.advance(timedelta(seconds=0.1))
    await settle()
    assert len(held.claimed) > asked
    await other.stop()


async def test_worker_that_drains_ends_what_is_under_way(worker: Worker, hand: Hand) -> None:
    """A stop that drains waits for the items, and claims no new ones."""
    gate, hand.work = blocker()
    hand.put("a")
    worker.start()
    await settle()
    hand.put("b")
    stopping = asyncio.create_task(worker.stop(drain=True))
    await settle()
    assert not stopping.done()
    gate.set()
    await stopping
    assert hand.claimed == ["a"]
    assert hand.given_up == []


async def test_worker_that_does_not_drain_leaves_items_to_their_lease(worker: Worker, hand: Hand) -> None:
    """A stop without draining abandons what is under way; nothing is given up."""
    _, hand.work = blocker()
    hand.put("a")
    worker.start()
    await settle()
    await worker.stop()
    assert hand.given_up == []
    assert not worker.busy


async def test_stopped_worker_is_not_busy_whatever_it_is_told(worker: Worker) -> None:
    """News for a worker that does not run waits for its start."""
    worker.wake()
    assert not worker.busy
    await worker.stop()


async def test_loop_that_gets_up_while_an_item_ends_is_no_fault(
    clock: ManualClock, hand: Hand, worker: Worker, caplog: pytest.LogCaptureFixture
) -> None:
    """A store over a network takes its time to say what is due next; the loop may have stopped resting by then."""
    slow = asyncio.Event()
    first = hand.next_due

    async def next_due() -> datetime | None:
        await slow.wait()
        return await first()

    gate = asyncio.Event()

    async def work(_item: str) -> None:
        await gate.wait()

    hand.work = work
    hand.put("early")
    hand.put("late", seconds=10)
    worker.start()
    await settle()
    hand.next_due = next_due  # type: ignore[method-assign] # of this queue alone
    gate.set()
    await settle()
    worker.wake()
    await settle()
    slow.set()
    await settle()
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]
