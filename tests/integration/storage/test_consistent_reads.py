"""A read that needs several queries sees one state, though the writer commits in its own thread meanwhile."""

import sqlite3
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from tests.helpers.stored import NODE, a_message, message_id

from eessi_sim.storage.base import Direction, MessageQuery, UnitOfWork
from eessi_sim.storage.sqlite import SqliteNode, SqliteStorage


class Meddling(frozenset[str]):
    """Two states; when the first was looked at, somebody else moves every message to it."""

    path: Path

    def __iter__(self) -> Iterator[str]:
        for state in ("AFTER", "BEFORE"):
            yield state
            self.move()

    def __contains__(self, state: object) -> bool:
        if state == "BEFORE":
            self.move()
        return super().__contains__(state)

    def move(self) -> None:
        other = sqlite3.connect(self.path)
        other.execute("UPDATE message SET state = 'AFTER'")
        other.commit()
        other.close()


@pytest.fixture
async def node(tmp_path: Path) -> AsyncIterator[SqliteNode]:
    """A node with one message that stands in AFTER and one that stands in BEFORE."""
    storage = SqliteStorage(tmp_path / "store.db")
    node = storage.node(NODE)
    work = UnitOfWork()
    work.add_message(a_message(1, state="AFTER"))
    work.add_message(a_message(2, state="BEFORE"))
    await node.commit(work)
    yield node
    await storage.close()


@pytest.fixture
def states(tmp_path: Path) -> Meddling:
    """Both states."""
    states = Meddling({"AFTER", "BEFORE"})
    states.path = tmp_path / "store.db"
    return states


async def test_message_that_moves_on_meanwhile_is_listed_once(node: SqliteNode, states: Meddling) -> None:
    """A list of messages names each of them once, also when one changes its state while the list is made."""
    listed = await node.messages(MessageQuery(states=states))
    assert [message.message_id for message in listed] == [message_id(2), message_id(1)]


async def test_message_that_moves_on_meanwhile_is_still_due(node: SqliteNode, states: Meddling) -> None:
    """The next due message is found, also when it changes its state while the states are looked through."""
    work = UnitOfWork()
    work.update_message(Direction.OUT, message_id(1), state="ELSEWHERE")
    await node.commit(work)
    assert await node.next_due(Direction.OUT, states) is not None


async def test_reading_leaves_no_state_behind(node: SqliteNode, states: Meddling) -> None:
    """A read sees what was committed after the read before it."""
    await node.messages(MessageQuery(states=states))
    assert {message.state for message in await node.messages()} == {"AFTER"}
