"""What the process of a node writes to its log: one line per event, as text or JSON, without personal data.

The message of an exception may show a value of a document, so only its type and the places in the program are
written. Steps of the journal are such events too, in JSON.
"""

import json
import logging
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Any, Final, cast

from eessi_sim.identifiers import InstitutionId
from eessi_sim.storage.base import AddEntry, NodeStore, UnitOfWork

_steps = logging.getLogger("eessi_sim.journal")
_FIELDS: Final = ("event", "outcome", "message_id", "case_id", "detail")
_TOLD: Final = frozenset({"kind", "sed", "buc", "from", "to", "channel", "reason"})
"""Details of a journal line that are repeated in the log; who asked for something stays in the journal."""
_MOST_FRAMES: Final = 20

ExceptionInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


class LogFormat(StrEnum):
    """How a line is written."""

    TEXT = "text"
    JSON = "json"


class _Discreet(logging.Formatter):
    """Tells of an exception its type and where it came from, not what it says."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record, without what another formatter has kept in it."""
        own = logging.makeLogRecord(record.__dict__)
        own.exc_text = None
        return super().format(own)

    def formatException(self, ei: ExceptionInfo) -> str:  # noqa: N802 - name of the library
        return "\n".join(f"  {place}" for place in _places(ei[1]))


class _Json(logging.Formatter):
    """One JSON object per line.

    Args:
        party: the node of the process; a record may name another.
    """

    def __init__(self, party: str) -> None:
        super().__init__()
        self._party = party

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "node": getattr(record, "node", self._party),
            "logger": record.name,
            "event": "message",
        }
        line |= {name: value for name in _FIELDS if (value := getattr(record, name, None)) is not None}
        line["text"] = record.getMessage()
        if record.exc_info and record.exc_info[1] is not None:
            line["exception"] = list(_places(record.exc_info[1]))
        return json.dumps(line, ensure_ascii=False)


def _places(error: BaseException | None) -> Iterator[str]:
    """Yield type and places of an exception and of those that led to it, the latest first."""
    while error is not None:
        yield type(error).__name__
        for frame in reversed(traceback.extract_tb(error.__traceback__)[-_MOST_FRAMES:]):
            yield f"{Path(frame.filename).name}:{frame.lineno} {frame.name}"
        error = error.__cause__ or error.__context__


def begin(party: str, form: LogFormat) -> None:
    """Write the log of this process to standard error from now on.

    Args:
        party: the node.
        form: how a line is written.
    """
    handler = logging.StreamHandler()
    text = "%(asctime)s [%(process)d] %(levelname)s %(name)s: %(message)s"
    handler.setFormatter(_Json(party) if form is LogFormat.JSON else _Discreet(text))
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(logging.INFO)


class LoggedStore:
    """A store that repeats in the log what becomes durable in the journal; else the store that it stands for.

    Args:
        inner: the store.
        party: its node.
    """

    def __init__(self, inner: NodeStore, party: InstitutionId) -> None:
        self._inner = inner
        self._party = party

    @classmethod
    def of(cls, inner: NodeStore, party: InstitutionId) -> NodeStore:
        """Return the store of ``party``, whose journal is repeated in the log."""
        return cast("NodeStore", cls(inner, party))  # what is not here it passes on

    async def commit(self, work: UnitOfWork) -> None:
        """Do all writes of ``work`` or none, then tell the steps."""
        await self._inner.commit(work)
        for write in work.writes:
            if isinstance(write, AddEntry):
                entry = write.entry
                about = {
                    "node": self._party,
                    "event": entry.step,
                    "outcome": entry.outcome,
                    "message_id": entry.message_id,
                    "case_id": entry.case_id,
                    "detail": {name: text for name, text in entry.detail.items() if name in _TOLD},
                }
                _steps.info("%s: %s", entry.step, entry.outcome, extra=about)

    def __getattr__(self, name: str) -> Any:  # Any: every other method of the store
        return getattr(self._inner, name)
