"""Counts what the store keeps while it is written, so that nobody ever has to count rows.

Changes gather per unit of work and per transaction; one statement per changed number, however
many messages a batch moved from one state to another.
"""

import sqlite3
from collections import Counter

from eessi_sim.storage.sql import load_queries

TallyKey = tuple[str, str, str, str]
"""Node, direction, kind, state; direction and state are empty for cases and documents."""


class Tally:
    """Differences that the transaction has still to write."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._add = load_queries("sqlite")["add_tally"]
        self._unit: Counter[TallyKey] = Counter()
        self._batch: Counter[TallyKey] = Counter()

    def add(self, node: str, direction: str, kind: str, state: str, *, number: int = 1) -> None:
        """Note that there is one more, or one less, of something."""
        self._unit[node, direction, kind, state] += number

    def keep_unit(self) -> None:
        """The unit of work stands."""
        self._batch.update(self._unit)
        self._unit.clear()

    def drop_unit(self) -> None:
        """The unit of work was undone."""
        self._unit.clear()

    def drop_batch(self) -> None:
        """The transaction was undone."""
        self._unit.clear()
        self._batch.clear()

    def write(self) -> None:
        """Write the differences; last thing before the commit."""
        for (node, direction, kind, state), number in self._batch.items():
            if number:
                values = {
                    "node": node,
                    "direction": direction,
                    "kind": kind,
                    "state": state,
                    "number": number,
                }
                self._connection.execute(self._add, values)
        self._batch.clear()
