"""What a node writes to its log: one line per event, and nothing that an exception says."""

import json
import logging
from collections.abc import Callable, Iterator

import pytest
from tests.helpers.stored import NODE, a_message, an_entry, message_id

from eessi_sim.simulation import logs
from eessi_sim.simulation.logs import LogFormat, LoggedStore
from eessi_sim.storage.base import Direction, UnitOfWork
from eessi_sim.storage.memory import MemoryStorage

SECRET = "Jan Kowalski"


@pytest.fixture
def written(capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[[], str]]:
    """Tells what was written to the log; what was set up for it is taken away afterwards."""
    root = logging.getLogger()
    level, before = root.level, set(root.handlers)
    yield lambda: capsys.readouterr().err
    for handler in set(root.handlers) - before:
        root.removeHandler(handler)
    root.setLevel(level)


def fail() -> None:
    """Log an exception that says whom it is about, and that was caused by another one."""
    try:
        try:
            raise ValueError(SECRET)
        except ValueError as error:
            raise KeyError(SECRET) from error
    except KeyError:
        logging.getLogger("eessi_sim.test").exception("an item failed")


@pytest.mark.parametrize("form", LogFormat)
def test_exception_is_told_by_its_type_and_place(written: Callable[[], str], form: LogFormat) -> None:
    """Types and places of an exception and its cause are there, what they say is not."""
    logs.begin(NODE, form)
    fail()
    text = written()
    assert SECRET not in text
    for word in ("an item failed", "KeyError", "ValueError", "test_logs.py"):
        assert word in text


async def test_steps_of_the_journal_are_events(written: Callable[[], str]) -> None:
    """Each entry that became durable is one JSON object, without who asked for it."""
    logs.begin(NODE, LogFormat.JSON)
    store = LoggedStore.of(MemoryStorage().node(NODE), NODE)
    work = UnitOfWork()
    work.add_message(a_message())
    work.journal(an_entry("sent", case_id="1001", detail={"sed": "A003", "actor": SECRET}))
    await store.commit(work)
    (line,) = map(json.loads, written().splitlines())
    assert line["time"].endswith("+00:00")
    assert {key: line[key] for key in ("level", "node", "event", "message_id", "case_id", "detail")} == {
        "level": "info",
        "node": NODE,
        "event": "sent",
        "message_id": an_entry("sent").message_id,
        "case_id": "1001",
        "detail": {"sed": "A003"},
    }
    assert await store.find_message(Direction.OUT, message_id()) is not None


def test_other_lines_are_messages(written: Callable[[], str]) -> None:
    """A line that is no step has the event "message" and its text."""
    logs.begin(NODE, LogFormat.JSON)
    logging.getLogger("eessi_sim.test").info("%s is ready", NODE)
    (line,) = map(json.loads, written().splitlines())
    assert (line["event"], line["text"], line["node"]) == ("message", f"{NODE} is ready", NODE)
