"""The worker: how often it asks its queue, and for how much."""

import asyncio
from collections.abc import Sequence
from datetime import datetime

from eessi_sim.clock import ManualClock
from eessi_sim.gateway.worker import MOST_AT_ONCE, Worker


class Numbers:
    """A queue of numbers that are done as soon as somebody takes them."""

    def __init__(self, number: int) -> None:
        self.waiting = list(range(number))
        self.done: list[int] = []
        self.claims = 0

    async def claim(self, limit: int) -> Sequence[int]:
        self.claims += 1
        taken, self.waiting = self.waiting[:limit], self.waiting[limit:]
        return taken

    async def process(self, item: int) -> None:
        self.done.append(item)

    async def failed(self, item: int, fault: Exception) -> None:
        raise AssertionError(item) from fault

    async def next_due(self) -> datetime | None:
        return None


async def worked_off(queue: Numbers, clock: ManualClock) -> None:
    """Let a worker run until it rests."""
    worker = Worker("numbers", clock, queue)
    worker.start()
    while worker.busy:  # noqa: ASYNC110 - a worker tells nobody that it rests
        await asyncio.sleep(0)
    await worker.stop()


async def test_everything_that_waits_is_done(clock: ManualClock) -> None:
    """More items than fit side by side are done one lot after the other."""
    queue = Numbers(2 * MOST_AT_ONCE + 1)
    await worked_off(queue, clock)
    assert sorted(queue.done) == list(range(2 * MOST_AT_ONCE + 1))


async def test_claim_that_brings_less_than_asked_is_the_last(clock: ManualClock) -> None:
    """A queue that gives less has no more: it is asked again only when the work is done."""
    queue = Numbers(1)
    await worked_off(queue, clock)
    assert queue.claims == 2
