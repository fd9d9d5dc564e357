"""One transaction for all units of work that wait, as with SQLite; what a unit writes is not known here.

Order of the journal. Readers remember the last number that they saw, so no entry may ever appear behind it: numbers
have to grow in the order in which transactions become visible. A sequence alone does not do that, because a
transaction may take a number, and another one a later number and be committed first. Reading only what lies before the
oldest open transaction would help, but then an author could not read his own entry as soon as it is committed. So a
transaction takes an advisory lock before it numbers its entries, last of all, and the server gives it back after the
commit is visible. Processes wait for each other there as long as one writes to the disk, and then bring whatever
gathered meanwhile, up to 256 units. The counts are written under the same lock: they cost no further waiting.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import asyncpg

from eessi_sim.errors import StorageError, Unavailable
from eessi_sim.measures import UNITS, Histogram
from eessi_sim.storage.base import Write
from eessi_sim.storage.postgresql_schema import Connection
from eessi_sim.storage.postgresql_server import CONNECT_SECONDS, FOREIGN_ERRORS, LOST, Address, cut, is_lost
from eessi_sim.storage.postgresql_writes import Batch, News
from eessi_sim.storage.rows import Parameters
from eessi_sim.storage.sql import load_numbered

_log = logging.getLogger(__name__)

MAX_BATCH: Final = 256
"""Units in one transaction (our choice, inferred; as with SQLite)."""
_ATTEMPTS: Final = 5
"""So often a unit is tried that meets another transaction which waits for it (our choice, inferred)."""
_PAYLOAD_BYTES: Final = 7900
"""A notification carries less than 8000 (PostgreSQL manual, NOTIFY)."""
_ASK_SECONDS: Final = 15.0
"""So long it is asked for the fate of a commit whose answer was lost (our choice, inferred)."""
_ANALYSES: Final = frozenset(4**power for power in range(2, 9))
"""After so many transactions of a process the server takes stock of the tables (our choice, inferred)."""
_SELF_MADE: Final = (asyncpg.DeadlockDetectedError, asyncpg.SerializationError)
"""Nobody is wrong, two transactions met; each goes through by itself."""

T = TypeVar("T")
Action = Callable[[Batch], Awaitable[T]]


def channel_of(address: Address) -> str:
    """Return the channel on which commits of a store are announced; the text is the nodes, one a line."""
    return f"eessi_sim_{address.schema}"


@dataclass(frozen=True, slots=True)
class _Trace:
    """By what a transaction is recognised when nobody heard whether it was committed.

    A server that crashed gives the numbers of transactions that it lost to new ones, so that the number alone may be
    that of another one, which was committed. What a transaction wrote in the journal is its own.
    """

    transaction: str
    entry: Parameters | None = None
    """Its first entry, with ``before``: a number of the journal that all its entries are behind."""
    is_harmless: bool = False
    """Whether the number alone is believed: nothing but leases changed, and whoever holds one is checked again when he
    commits."""


@dataclass(slots=True)
class _Waiting:
    """A unit in the queue; Any because each unit has its own kind of result."""

    node: str
    writes: Sequence[Write]
    action: Action[Any]
    future: asyncio.Future[Any]
    value: Any = None
    error: Exception | None = None

    def settle(self) -> None:
        """Tell the caller, unless he was cancelled."""
        if self.future.done():
            return
        if self.error is None:
            self.future.set_result(self.value)
        else:
            self.future.set_exception(self.error)


class GroupCommit:
    """Writes for all nodes of this process, one transaction at a time.

    Args:
        address: of the store.
        ring: called after each commit, also for callers that were cancelled meanwhile.
    """

    def __init__(self, address: Address, ring: Callable[[], None]) -> None:
        self._address = address
        self._ring = ring
        self._pool = address.pool(1)
        self._sql = load_numbered("postgresql")
        self._queue: deque[_Waiting] = deque()
        self._pump: asyncio.Task[None] | None = None
        self._closed = False
        self._transactions = 0
        self.group_sizes = Histogram(UNITS)
        """Units of every transaction that became durable."""

    async def open(self) -> None:
        """Make the pool ready; nothing is connected yet."""
        await self._pool

    async def submit(self, node: str, action: Action[T], writes: Sequence[Write] = ()) -> T:
        """Run ``action`` within a transaction and return its result once it is durable.

        Args:
            node: whose unit it is.
            action: may run more than once; only the last run counts.
            writes: what it will change, so that it can be read and locked beforehand.

        Raises:
            StorageError: raised by ``action``, which is undone alone; so is an action that raises anything else.
            Unavailable: the server cannot be used, or the store is closed.
        """
        if self._closed:
            raise Unavailable(f'Expected an open store, found "{self._address.name}" closed')
        waiting = _Waiting(node, writes, action, asyncio.get_running_loop().create_future())
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
        await close_pool(self._pool)

    async def _write_all(self) -> None:
        units: list[_Waiting] = []
        try:
            while self._queue:
                units = [self._queue.popleft() for _ in range(min(MAX_BATCH, len(self._queue)))]
                await self._write(units)
        finally:
            # Reached with work left only when the event loop stops: nobody will do it any more.
            self._pump = None
            for waiting in (*units, *self._queue):
                waiting.future.cancel()
            self._queue.clear()

    async def _write(self, units: list[_Waiting]) -> None:
        try:
            await self._write_once(units)
        except _SELF_MADE:
            for waiting in units:
                await self._write_alone(waiting)
        except Exception as error:  # noqa: BLE001 - whatever it is, those who wait must hear of it
            self._fail(units, error)
        for waiting in units:
            waiting.settle()

    async def _write_alone(self, waiting: _Waiting) -> None:
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                await self._write_once([waiting])
            except _SELF_MADE as error:
                if attempt == _ATTEMPTS:
                    self._fail([waiting], error)
            except Exception as error:  # noqa: BLE001 - as above
                return self._fail([waiting], error)
            else:
                return None
        return None

    def _fail(self, units: Sequence[_Waiting], error: Exception) -> None:
        for waiting in units:
            waiting.error = self._address.unavailable(error)
            waiting.error.__cause__ = error

    async def _write_once(self, units: list[_Waiting]) -> None:
        """Do the units in one transaction; each of them has a value or an error afterwards.

        Raises:
            Exception: one of ``FOREIGN_ERRORS``; nothing of any unit was done.
        """
        async with self._pool.acquire(timeout=CONNECT_SECONDS) as connection:
            try:
                news, trace = await self._prepare(connection, units)
            except BaseException:
                await _undo(connection)
                raise
            await self._commit(connection, trace)
            self._transactions += 1
            if self._transactions in _ANALYSES:
                await self._analyze(connection)
        self.group_sizes.observe(len(units))
        if news.entries:
            self._ring()

    async def _prepare(self, connection: Connection, units: list[_Waiting]) -> tuple[News, _Trace | None]:
        """Do everything but the commit; return the news and the trace of the transaction, None when it wrote nothing."""
        await connection.execute("BEGIN")
        for waiting in units:
            waiting.value = waiting.error = None
        news = await self._run_together(connection, units)
        if news is None:
            await connection.execute("ROLLBACK")
            await connection.execute("BEGIN")
            news = News()
            for waiting in units:
                await self._run_apart(connection, waiting, news)
        is_harmless = not any(waiting.writes for waiting in units)
        return news, await self._write_news(connection, news, is_harmless=is_harmless)

    async def _run_together(self, connection: Connection, units: list[_Waiting]) -> News | None:
        """Run all units without keeping them apart; None as soon as one of them fails.

        Conflicts are rare, and a savepoint for each unit costs two round trips.
        """
        batch = Batch(connection)
        try:
            await batch.prepare((waiting.node, waiting.writes) for waiting in units)
            for waiting in units:
                waiting.value = await waiting.action(batch)
            await batch.flush()
        except (*_SELF_MADE, *LOST) as error:
            if not isinstance(error, asyncpg.InterfaceError) or is_lost(connection):
                raise
            return None  # a value that no database can hold
        except Exception:  # noqa: BLE001 - which unit it belongs to shows when they run apart
            return None
        return batch.news

    async def _run_apart(self, connection: Connection, waiting: _Waiting, news: News) -> None:
        """Run one unit; what it raises undoes it alone.

        Raises:
            Exception: one of ``_SELF_MADE``, or the connection is lost; the whole transaction is undone.
        """
        await connection.execute("SAVEPOINT unit")
        for at_once in (False, True):
            batch = Batch(connection, at_once=at_once)
            try:
                await batch.prepare([(waiting.node, waiting.writes)])
                waiting.value = await waiting.action(batch)
                await batch.flush()
            except Exception as error:
                if isinstance(error, _SELF_MADE) or is_lost(connection):
                    raise
                await connection.execute("ROLLBACK TO unit")
                if at_once or not isinstance(error, asyncpg.UniqueViolationError):
                    self._note(waiting, error)
                    break
            else:
                news.add(batch.news)
                break
        await connection.execute("RELEASE unit")

    def _note(self, waiting: _Waiting, error: Exception) -> None:
        if isinstance(error, StorageError):
            waiting.error = error
        elif isinstance(error, FOREIGN_ERRORS):
            self._fail([waiting], error)
        else:
            waiting.error = error

    async def _write_news(self, connection: Connection, news: News, *, is_harmless: bool) -> _Trace | None:
        if not news.entries and not news.tally:
            name: str | None = await connection.fetchval(self._sql["transaction"].sql)
            return None if name is None else _Trace(name, is_harmless=is_harmless)
        nodes = "\n".join(sorted(news.nodes))
        lock = self._sql["lock_journal"]
        values = {
            "schema": self._address.schema,
            "channel": channel_of(self._address),
            "nodes": nodes if len(nodes.encode()) <= _PAYLOAD_BYTES else "",
        }
        transaction, _, _, before = await connection.fetchrow(lock.sql, *lock.values(values))
        add_tally, add_entry = self._sql["add_tally"], self._sql["add_entry"]
        changes = [add_tally.values(_tally(*key, number)) for key, number in news.tally.items() if number]
        if changes:
            await connection.executemany(add_tally.sql, changes)
        if news.entries:
            await connection.executemany(add_entry.sql, map(add_entry.values, news.entries))
            return _Trace(transaction, {**news.entries[0], "before": before})
        return _Trace(transaction, is_harmless=is_harmless)

    async def _commit(self, connection: Connection, trace: _Trace | None) -> None:
        try:
            await connection.execute("COMMIT")
        except FOREIGN_ERRORS:  # a server that stops may say so after it has committed
            cut(connection)
            if trace is not None and not await self._was_committed(trace):
                raise

    async def _analyze(self, connection: Connection) -> None:
        """Let the server find out how the tables look; plans that it made when they were small are dropped."""
        try:
            await connection.execute(self._sql["analyze"].sql)
        except FOREIGN_ERRORS as error:
            _log.debug("%s: not analysed: %r", self._address.name, error)

    async def _was_committed(self, trace: _Trace) -> bool:
        """Ask for the fate of a transaction whose commit was not answered, as soon as the server answers again.

        Raises:
            Exception: one of ``FOREIGN_ERRORS``; it cannot be found out in time.
        """
        async with asyncio.timeout(_ASK_SECONDS):
            while True:
                try:
                    connection = await self._address.connect()
                    try:
                        fate = await connection.fetchval(self._sql["fate"].sql, trace.transaction)
                        if fate == "committed":
                            return trace.is_harmless or await self._is_written(connection, trace)
                    finally:
                        connection.terminate()
                except asyncpg.InvalidParameterValueError:
                    return False  # a number that a crash made free, and nobody has taken since
                except (Unavailable, *FOREIGN_ERRORS):
                    fate = None
                if fate == "aborted":
                    return False
                await asyncio.sleep(0.1)  # the server is starting, or ends the transaction right now

    async def _is_written(self, connection: Connection, trace: _Trace) -> bool:
        """Return whether the journal proves it; without an entry there is no proof, and the caller tries again."""
        if trace.entry is None:
            return False
        written = self._sql["is_written"]
        return bool(await connection.fetchval(written.sql, *written.values(trace.entry)))


def _tally(node: str, direction: str, kind: str, state: str, number: int) -> dict[str, object]:
    return {"node": node, "direction": direction, "kind": kind, "state": state, "number": number}


async def _undo(connection: Connection) -> None:
    try:
        await connection.execute("ROLLBACK")
    except FOREIGN_ERRORS:
        cut(connection)


async def close_pool(pool: "asyncpg.Pool[asyncpg.Record]") -> None:
    """Close the connections of a pool, in good order when the server answers in time."""
    try:
        await asyncio.wait_for(pool.close(), CONNECT_SECONDS)
    except FOREIGN_ERRORS:
        pool.terminate()
