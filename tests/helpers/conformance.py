"""The list that says which test proves which row of the conformance list; kept in ``tests/data/conformance.yaml``."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path

import yaml

_FILE = Path(__file__).parents[1] / "data" / "conformance.yaml"


class State(StrEnum):
    """What the product makes of a row."""

    PASSED = "passed"
    ADAPTED = "adapted"
    NOT_APPLICABLE = "n.e."
    MISSING = "missing"


@dataclass(frozen=True)
class Entry:
    """One row of the list."""

    section: str
    id: str
    state: State
    tests: tuple[str, ...] = ()
    note: str = ""


@cache
def entries() -> tuple[Entry, ...]:
    """All rows in their order."""
    found: Mapping[str, Mapping[str, Mapping[str, object]]] = yaml.safe_load(_FILE.read_text())
    return tuple(
        _entry(section, str(key), dict(row)) for section, rows in found.items() for key, row in rows.items()
    )


def _entry(section: str, key: str, row: dict[str, object]) -> Entry:
    tests = row.pop("tests", [])
    assert isinstance(tests, list)
    entry = Entry(
        section, key, State(str(row.pop("state"))), tuple(map(str, tests)), str(row.pop("note", ""))
    )
    assert not row, (key, row)
    return entry


def table() -> Iterator[str]:
    """Lines that say how many rows of each section have which state, and what is missing."""
    for section in dict.fromkeys(entry.section for entry in entries()):
        rows = [entry for entry in entries() if entry.section == section]
        numbers = Counter(entry.state for entry in rows)
        counted = ", ".join(f"{numbers[state]} {state}" for state in State if numbers[state])
        yield f"{section}: {counted}"
        lacking: dict[str, list[str]] = {}
        for entry in rows:
            if entry.state is State.MISSING:
                lacking.setdefault(entry.note, []).append(entry.id)
        for reason, ids in lacking.items():
            yield f"    missing for want of {reason}: {' '.join(ids)}"
