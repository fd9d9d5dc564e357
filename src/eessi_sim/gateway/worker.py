"""The one supervised background loop: wakes for news and for what is due, stops cleanly.

Every queue of a node is worked off by one ``Worker``. It is one of the two places of the project that
catch every exception: an item that fails unexpectedly is handed to the queue as failed, and the loop goes on.
"""

import asyncio
import logging
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol, TypeVar

from eessi_sim.clock import Clock
from eessi_sim.errors import StorageError, Unavailable

_log = logging.getLogger(__name__)

MOST_AT_ONCE: Final = 32
"""Items of one queue that are under way together. A peer that is silent holds those sent to it until the time-out."""
_PAUSE_AFTER_FAULT: Final = 1.0
"""Seconds to wait when claiming itself fails, so that a permanent fault does not spin."""
_PAUSES: Final = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0)
"""Seconds before an item is tried again whose store was away: a minute, within the lease; then the lease brings it back
(our choice, inferred)."""
_SHORTEST_REST: Final = 0.02
"""Seconds between two looks at an item that is due but still leased to somebody."""

_END_OF_TIME: Final = datetime.max.replace(tzinfo=UTC)

HOLDS: Final = (timedelta(seconds=1), timedelta(seconds=3), timedelta(seconds=9))
"""Waits for something that a message has overtaken, before it is refused (our choice, inferred)."""

Item = TypeVar("Item")


class Queue(Protocol[Item]):
    """What a worker works off."""

    async def claim(self, limit: int) -> Sequence[Item]:
        """Take at most ``limit`` due items."""
        ...

    async def process(self, item: Item) -> None:
        """Do one item to its end, the storing of the outcome included."""
        ...

    async def failed(self, item: Item, fault: Exception) -> None:
        """Store that an item failed unexpectedly."""
        ...

    async def next_due(self) -> datetime | None:
        """Return when the next item is due, None when none waits."""
        ...


class Worker:
    """Claims items and processes them side by side.

    Args:
        name: shown in logs.
        clock: tells when something is due.
        queue: where the items come from and how they are done.
    """

    def __init__(self, name: str, clock: Clock, queue: Queue[Item]) -> None:
        self._name = name
        self._clock = clock
        self._queue: Queue[object] = queue  # type: ignore[assignment] # items only travel from claim to process
        self._news = asyncio.Event()
        self._claiming = False
        self._under_way: set[asyncio.Task[None]] = set()
        self._put_off: set[asyncio.Task[None]] = set()
        """Items whose store was away, until they are tried again."""
        self._loop: asyncio.Task[None] | None = None
        self._rests_until: datetime | None = None
        """While the loop rests: when it will look again by itself."""

    @property
    def busy(self) -> bool:
        """Whether it works or is about to; news that waits for its start does not count."""
        return bool(self._under_way) or (self._loop is not None and (self._claiming or self._news.is_set()))

    @property
    def under_way(self) -> int:
        """How many items it is working on."""
        return len(self._under_way)

    def wake(self) -> None:
        """Tell it that there is news."""
        self._news.set()

    def start(self) -> None:
        """Start the loop; it looks at once for what an earlier run left over."""
        self._news.set()
        self._loop = asyncio.create_task(self._run(), name=self._name)

    async def stop(self, *, drain: bool = False) -> None:
        """Stop claiming; let what is under way end (``drain``) or abandon it to its lease."""
        if self._loop is None:
            return
        self._loop.cancel()
        await asyncio.gather(self._loop, return_exceptions=True)
        self._loop = None
        for task in (*self._put_off, *(() if drain else self._under_way)):
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            if not await self._goes_round():
                await self._clock.sleep(_PAUSE_AFTER_FAULT)
                self._news.set()

    async def _goes_round(self) -> bool:
        """Rest, then claim until nothing is due; False when the store or the queue itself fails."""
        try:
            await self._rest()
            self._news.clear()
            self._claiming = True
            await self._claim_all()
        except StorageError as fault:
            _log.warning("%s: cannot claim; trying again: %r", self._name, fault)
            return False
        except Exception:  # noqa: BLE001 - the supervisor goes on whatever happens
            _log.exception("%s: cannot claim; trying again", self._name)
            return False
        finally:
            self._claiming = False
        return True

    async def _claim_all(self) -> None:
        while True:
            while len(self._under_way) >= MOST_AT_ONCE:  # more of them while what was put off is tried again
                await asyncio.wait(self._under_way, return_when=asyncio.FIRST_COMPLETED)
            room = MOST_AT_ONCE - len(self._under_way)
            items = await self._queue.claim(room)
            for item in items:
                self._begin(item)
            if len(items) < room:
                return

    def _begin(self, item: object, tries: int = 0) -> None:
        task = asyncio.create_task(self._carry_out(item, tries))
        self._under_way.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        if not task.cancelled() and task.exception() is not None:
            _log.error("%s: the fault of an item was not stored", self._name, exc_info=task.exception())
        if not self._under_way:
            self._news.set()

    async def _is_due_earlier(self) -> bool:
        """Whether the loop would oversleep what became due again by the end of an item."""
        until = self._rests_until
        if until is None:
            return False
        try:
            due = await self._queue.next_due()
        except StorageError:
            return True  # the loop will see when the store answers again
        return due is not None and due < until  # the loop may have got up meanwhile; then news do no harm

    async def _carry_out(self, item: object, tries: int) -> None:
        try:
            await self._process(item, tries)
        finally:
            if await self._is_due_earlier():
                self._news.set()

    async def _process(self, item: object, tries: int) -> None:
        try:
            await self._queue.process(item)
        except Unavailable as fault:
            _log.warning("%s: the store is away while an item is under way: %r", self._name, fault)
            if tries < len(_PAUSES):
                put_off = asyncio.create_task(self._later(item, tries))
                self._put_off.add(put_off)
                put_off.add_done_callback(self._put_off.discard)
        except StorageError as fault:
            # Somebody was faster: another process of the node, or what came meanwhile.
            _log.warning("%s: an item waits for the end of its lease: %r", self._name, fault)
        except Exception as fault:  # noqa: BLE001 - becomes a dead letter of its queue
            _log.exception("%s: an item failed", self._name)
            await self._queue.failed(item, fault)

    async def _later(self, item: object, tries: int) -> None:
        await self._clock.sleep(_PAUSES[tries])
        self._begin(item, tries + 1)

    async def _rest(self) -> None:
        """Wait for news, or until the next item is due."""
        if self._news.is_set():
            return
        due = await self._queue.next_due()
        self._rests_until = due or _END_OF_TIME
        try:
            await self._until(due)
        finally:
            self._rests_until = None

    async def _until(self, due: datetime | None) -> None:
        if due is None:
            await self._news.wait()
            return
        seconds = max((due - self._clock.now()).total_seconds(), _SHORTEST_REST)
        alarm = asyncio.ensure_future(self._clock.sleep(seconds))
        news = asyncio.ensure_future(self._news.wait())
        try:
            await asyncio.wait((alarm, news), return_when=asyncio.FIRST_COMPLETED)
        finally:
            alarm.cancel()
            news.cancel()
