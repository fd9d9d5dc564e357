"""One commit for all units of work that wait: atomic each for itself, durable together.

The statements of a batch run on the event loop, a few microseconds each; only the commit, which
waits for the disk, runs in a thread, and meanwhile the next batch gathers. Were the statements
run in the thread too, the interpreter lock would change hands with each of them, which beside a
busy event loop takes a thousand times as long as the statement. Nothing is polled: the task that
writes exists while there is something to write. What a unit writes is not known here.
"""

import asyncio
import sqlite3
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from eessi_sim.errors import StorageError, Unavailable
from eessi_sim.measures import UNITS, Histogram
from eessi_sim.storage.bell import Bell
from eessi_sim.storage.sqlite_file import unavailable
from eessi_sim.storage.sqlite_tally import Tally

MAX_BATCH = 256
"""Units in one transaction: bounds how long the event loop is held (our choice, inferred)."""

_UNWRITABLE = (sqlite3.Error, UnicodeError, OverflowError)
"""What the database raises, and what a value raises that no database can hold."""

T = TypeVar("T")


@dataclass(slots=True)
class _Waiting:
    """A unit in the queue; Any because each unit has its own kind of result."""

    unit: Callable[[], Any]
    future: asyncio.Future[Any]
    value: Any = None
    error: Exception | None = None

    def fail(self, error: StorageError, cause: Exception) -> None:
        """Note why the unit could not be written."""
        error.__cause__ = cause
        self.error = error

    def settle(self) -> None:
        """Tell the caller, unless he was cancelled."""
        if self.future.done():
            return
        if self.error is None:
            self.future.set_result(self.value)
        else:
            self.future.set_exception(self.error)


class GroupCommit:
    """The only writer of a file.

    Args:
        connection: nobody else uses it.
        path: the file, for messages.
        tally: written with each transaction.
        bell: rung after each commit, also for callers that were cancelled meanwhile.
        busy_seconds: how long to wait for another process.
    """

    def __init__(
        self, connection: sqlite3.Connection, path: Path, *, tally: Tally, bell: Bell, busy_seconds: float
    ) -> None:
        self._connection = connection
        self._path = path
        self._tally = tally
        self._bell = bell
        self._busy_milliseconds = int(busy_seconds * 1000)
        self._queue: deque[_Waiting] = deque()
        self._pump: asyncio.Task[None] | None = None
        self._closed = False
        self.group_sizes = Histogram(UNITS)
        """Units of every transaction that became durable."""
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="eessi-sim-store")
        # On the event loop nobody waits for a lock; _begin_patiently does that in the thread.
        connection.execute("PRAGMA busy_timeout = 0")

    async def submit(self, unit: Callable[[], T]) -> T:
        """Run ``unit`` within a transaction and return its result once it is durable.

        Raises:
            StorageError: raised by ``unit``, which is undone alone; so is a unit that raises anything else.
            Unavailable: the file cannot be written, or is closed.
        """
        if self._closed:
            raise Unavailable(f'Expected an open store, found "{self._path}" closed')
        waiting = _Waiting(unit, asyncio.get_running_loop().create_future())
        self._queue.append(waiting)
        if self._pump is None:
            self._pump = asyncio.create_task(self._write_all())
        result: T = await waiting.future
        return result

    async def close(self) -> None:
        """Write what waits, then close the connection."""
        if self._closed:
            return
        self._closed = True
        if self._pump is not None:
            await asyncio.wait([self._pump])
        await self._in_thread(self._connection.close)
        self._thread.shutdown()

    async def _write_all(self) -> None:
        batch: list[_Waiting] = []
        try:
            while self._queue:
                batch = [self._queue.popleft() for _ in range(min(MAX_BATCH, len(self._queue)))]
                await self._write(batch)
        finally:
            # Reached with work left only when the event loop stops: nobody will do it any more.
            self._pump = None
            for waiting in (*batch, *self._queue):
                waiting.future.cancel()
            self._queue.clear()

    async def _write(self, batch: list[_Waiting]) -> None:
        try:
            await self._begin()
            if not self._run_together(batch):
                self._undo_all()
                await self._begin()
                for waiting in batch:
                    self._run_apart(waiting)
            self._tally.write()
            await self._in_thread(self._execute, "COMMIT")
            self.group_sizes.observe(len(batch))
            self._bell.ring()
        except sqlite3.Error as error:
            self._undo_all()
            for waiting in batch:
                waiting.fail(unavailable(self._path, error), error)
        for waiting in batch:
            waiting.settle()

    async def _begin(self) -> None:
        try:
            self._execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:  # low byte: extended codes refine it
                raise
            await self._in_thread(self._begin_patiently)

    def _begin_patiently(self) -> None:
        self._execute(f"PRAGMA busy_timeout = {self._busy_milliseconds}")
        try:
            self._execute("BEGIN IMMEDIATE")
        finally:
            self._execute("PRAGMA busy_timeout = 0")

    def _run_together(self, batch: list[_Waiting]) -> bool:
        """Run all units without keeping them apart; False as soon as one of them fails.

        Conflicts are rare, and a savepoint for each unit costs as much as the unit.
        """
        try:
            for waiting in batch:
                waiting.value = waiting.unit()
        except Exception:  # noqa: BLE001 - which unit it belongs to shows when they run apart
            return False
        self._tally.keep_unit()
        return True

    def _run_apart(self, waiting: _Waiting) -> None:
        """Run one unit; what it raises undoes it alone.

        Raises:
            sqlite3.Error: the database gave up the whole transaction.
        """
        self._execute("SAVEPOINT unit")
        try:
            waiting.value = waiting.unit()
        except _UNWRITABLE as error:
            if not self._connection.in_transaction:
                raise
            waiting.fail(unavailable(self._path, error), error)
        except Exception as error:  # noqa: BLE001 - raised where the caller waits; the others shall not suffer
            waiting.error = error
        if waiting.error is None:
            self._tally.keep_unit()
        else:
            self._tally.drop_unit()
            self._execute("ROLLBACK TO unit")
        self._execute("RELEASE unit")

    def _undo_all(self) -> None:
        self._tally.drop_batch()
        if self._connection.in_transaction:
            self._execute("ROLLBACK")

    def _execute(self, statement: str) -> None:
        self._connection.execute(statement)

    async def _in_thread(self, function: Callable[..., object], *arguments: object) -> None:
        await asyncio.get_running_loop().run_in_executor(self._thread, function, *arguments)
