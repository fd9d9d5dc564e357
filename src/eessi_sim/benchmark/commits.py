"""What it costs to make work durable: the store of the program, and SQLite bare."""

import itertools
import sqlite3
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

from eessi_sim.benchmark.floor import Operation
from eessi_sim.benchmark.specimens import Specimens
from eessi_sim.benchmark.steps import Measured, Part, measured
from eessi_sim.benchmark.stopwatch import Reading, measure, measure_async, together
from eessi_sim.buc.case import decode, encode
from eessi_sim.identifiers import MessageId
from eessi_sim.storage.base import JournalEntry, NodeStore, StoredMessage, UnitOfWork
from eessi_sim.storage.registry import open_storage, url_of

GROUP: Final = 32
"""Units of work that wait together under load."""


def measure_bare_commits(specimens: Specimens, folder: Path, seconds: float) -> dict[Operation, Reading]:
    """Measure SQLite without the store: a row with the body of the message, durable when it returns.

    Args:
        specimens: what is stored.
        folder: where the file may lie.
        seconds: how long to measure each.
    """
    body = specimens.message.body
    with closing(sqlite3.connect(folder / "bare.db", isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("CREATE TABLE message (seq INTEGER PRIMARY KEY, body BLOB NOT NULL)")

        def commit(rows: int) -> None:
            connection.execute("BEGIN IMMEDIATE")
            for _ in range(rows):
                connection.execute("INSERT INTO message (body) VALUES (?)", (body,))
            connection.execute("COMMIT")

        return {
            Operation.COMMIT: measure(partial(commit, 1), seconds),
            Operation.COMMIT_SHARED: measure(partial(commit, GROUP), seconds).shared_by(GROUP),
        }


async def measure_commits(
    specimens: Specimens, folder: Path, floor: dict[Operation, Reading], seconds: float
) -> list[Measured]:
    """Measure the steps that only a store on disk has.

    Args:
        specimens: what is stored.
        folder: where the file may lie.
        floor: result of ``measure_bare_commits``.
        seconds: how long to measure each.
    """
    case = specimens.sent
    stored = encode(case)
    storage = await open_storage(url_of(folder / "store.db"))
    try:
        commit = _committing(storage.node(specimens.route.owner), specimens.message)
        alone = await measure_async(commit, seconds)
        group = await measure_async(lambda: together(commit, GROUP), seconds)
    finally:
        await storage.close()
    return [
        measured("write a case", Part.DISK, "SSR", measure(lambda: encode(case), seconds)),
        measured("read a case", Part.DISK, "SSS", measure(lambda: decode(stored), seconds)),
        measured("commit, alone", Part.DISK, "", alone, [floor[Operation.COMMIT]]),
        measured(
            f"commit, {GROUP} together",
            Part.DISK,
            "SSSAAAAAARRR",
            group.shared_by(GROUP),
            [floor[Operation.COMMIT_SHARED]],
        ),
    ]


def _committing(store: NodeStore, message: StoredMessage) -> Callable[[], Awaitable[None]]:
    """Return a function that commits a usual unit of work: a new message and a line of the journal."""
    ids: Iterator[MessageId] = (MessageId(f"{number}@bench.example") for number in itertools.count())

    async def commit() -> None:
        work = UnitOfWork()
        new = replace(message, message_id=next(ids))
        work.add_message(new)
        work.journal(
            JournalEntry(at=new.created_at, step="received", outcome="ok", message_id=new.message_id)
        )
        await store.commit(work)

    return commit
