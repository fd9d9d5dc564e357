"""Journal entries as people and programs read them: shared by ``send``, ``trace`` and ``journal``."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from rich.text import Text

from eessi_sim.cli import output
from eessi_sim.clock import iso
from eessi_sim.storage.base import JournalEntry

_BAD: Final = frozenset(
    {"refused", "failed", "failure", "rejected", "dead-lettered", "unknown-message", "left-out"}
)
_GOOD: Final = frozenset({"ok", "delivered", "forwarded", "awaiting-receipt"})
_WAIT: Final = frozenset({"held", "retry-due", "duplicate", "warning"})
_HIDDEN: Final = frozenset({"document", "version", "case", "case_id", "cdm", "buc", "steps", "legal_ground"})
"""Parts of the detail that only ``--json`` shows."""
_CHECKS: Final = {
    "as4_signature": "valid",
    "sed_signature": "valid",
    "xsd_valid": "true",
    "rules_valid": "true",
}
SHORT: Final = 8
"""Letters of a message id that are shown; ``trace`` takes as many."""


def in_order(entries: Iterable[JournalEntry]) -> list[JournalEntry]:
    """Return entries of several nodes in the order of time; within a node in that of its journal."""
    return sorted(entries, key=lambda entry: (entry.at, entry.seq))


def show_entries(entries: Sequence[JournalEntry], *, title: str, with_message: bool) -> None:
    """Print entries as a table; the date stands in the title when it is the same for all.

    Args:
        entries: in the order in which to show them.
        title: above the table.
        with_message: whether to show which message an entry is about.
    """
    days = {entry.at.date() for entry in entries}
    is_one_day = len(days) == 1
    headings = ["!Time", "!Node", "!Step", "!Outcome", *(["!Message"] if with_message else []), "Detail"]
    rows = [
        [
            _time(entry.at, with_date=not is_one_day),
            entry.node,
            entry.step,
            _outcome(entry.outcome),
            *([(entry.message_id or "")[:SHORT]] if with_message else []),
            _detail(entry),
        ]
        for entry in entries
    ]
    output.show_table(headings, rows, title=f"{title}, {days.pop()} UTC" if is_one_day else f"{title}, UTC")


def _time(at: datetime, *, with_date: bool) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S}" if with_date else f"{at:%H:%M:%S}.{at.microsecond // 1000:03d}"


def _outcome(outcome: str) -> Text:
    if outcome in _BAD or outcome.startswith("EBMS:"):
        return Text(outcome, style=output.BAD)
    if outcome in _GOOD:
        return Text(outcome, style=output.GOOD)
    return Text(outcome, style=output.WARN if outcome in _WAIT else "")


def _detail(entry: JournalEntry) -> str:
    shown = {key: value for key, value in entry.detail.items() if key not in _HIDDEN and value}
    if shown.get("kind") == "user":
        del shown["kind"]
    sender, receiver = shown.pop("from", None), shown.pop("to", None)
    words = [shown.pop("sed", "")]
    if receiver:
        words.append(f"{sender} → {receiver}" if sender else f"to {receiver}")
    elif sender:
        words.append(f"from {sender}")
    words.append(_checks(shown))
    words.extend(f"{key.replace('_', ' ')}: {value}" for key, value in shown.items())
    return ", ".join(word for word in words if word)


def _checks(shown: dict[str, str]) -> str:
    """Take the checks out of a detail and return them in short: all passed, or which not."""
    found = {key: shown.pop(key) for key in _CHECKS if key in shown}
    failed = [key.replace("_", " ") for key, value in found.items() if value != _CHECKS[key]]
    if failed:
        return f"failed: {', '.join(failed)}"
    if len(found) == len(_CHECKS):
        return "signatures and document valid"
    return "document valid" if found else ""


def as_json(entries: Iterable[JournalEntry]) -> list[dict[str, object]]:
    """Return entries as plain values."""
    return [
        {
            "at": iso(entry.at),
            "node": entry.node,
            "step": entry.step,
            "outcome": entry.outcome,
            "message_id": entry.message_id,
            "case_id": entry.case_id,
            "detail": dict(entry.detail),
        }
        for entry in entries
    ]
