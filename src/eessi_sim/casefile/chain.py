"""The hash chain of an archive: one line of JSON per entry, each with the hash of the one before it.

The hash of an entry is the SHA-256 of its line without the member ``hash``; a line has one form only, so that what
is hashed is what is read: members sorted, no blanks, UTF-8. Anybody can compute it again with the usual tools.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from eessi_sim.clock import iso

START: Final = "0" * 64
"""What the first entry has in place of the hash of the one before it."""
_MOST: Final = 10_000
"""Entries that a manifest may state; each is a line of the journal (our limit, inferred)."""
_TOLD: Final = 12
"""Missing entries named one by one."""
_MEMBERS: Final = frozenset({"at", "facts", "file", "hash", "number", "previous", "sha256", "what"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """Something that the archive tells, before it has its place in the chain."""

    at: datetime
    what: str
    """Kind of thing: ``step`` of the node, ``document``, ``message``, ``receipt``, ``certificate`` …"""
    file: str | None = None
    """Name in the archive; None for a step, which has no file."""
    content: bytes = field(default=b"", repr=False)
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of the journal, as it was read."""

    number: int
    """Counts from 1."""
    at: str
    what: str
    file: str | None
    sha256: str | None
    """Of the file, hexadecimal."""
    facts: Mapping[str, str]
    previous: str
    hash: str
    """As the line states it."""
    computed: str
    """As it follows from the rest of the line."""

    @property
    def name(self) -> str:
        """What to call it in a sentence."""
        return f"entry {self.number} ({self.what}{f' {self.file}' if self.file else ''}, {self.at})"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with the chain."""

    code: str
    """``changed``, ``missing``, ``added`` or ``re-ordered``."""
    sentence: str
    file: str
    """The file it is about, or the journal itself."""


@dataclass(frozen=True, slots=True)
class Head:
    """How long a chain is, and where it ends; whoever keeps this notices any change."""

    entries: int
    hash: str


def write(records: Iterable[Record]) -> tuple[bytes, Head]:
    """Return the journal of records, in their order, and its head."""
    lines: list[bytes] = []
    previous = START
    for number, record in enumerate(records, 1):
        content = {
            "at": iso(record.at),
            "facts": dict(record.facts),
            "file": record.file,
            "number": number,
            "previous": previous,
            "sha256": digest(record.content) if record.file else None,
            "what": record.what,
        }
        previous = digest(_line(content))
        lines.append(_line({**content, "hash": previous}))
    return b"".join(line + b"\n" for line in lines), Head(len(lines), previous)


def digest(content: bytes) -> str:
    """Return the SHA-256 in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def _line(content: Mapping[str, Any]) -> bytes:  # Any: members of an entry
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def read(journal: bytes, name: str) -> tuple[tuple[Entry, ...], tuple[Fault, ...]]:
    """Return the entries of a journal, and a fault for each line that is none.

    Args:
        journal: the lines.
        name: what the journal is called.
    """
    entries: list[Entry] = []
    faults: list[Fault] = []
    for number, line in enumerate(journal.removesuffix(b"\n").split(b"\n"), 1):
        entry = _entry(line)
        if entry is None:
            sentence = f"Expected line {number} of the journal as it was written, found something else"
            faults.append(Fault("changed", sentence, name))
        else:
            entries.append(entry)
    return tuple(entries), tuple(faults)


def _entry(line: bytes) -> Entry | None:
    try:
        content = json.loads(line)
        if set(content) != _MEMBERS or _line(content) != line:
            return None
        stated = content.pop("hash")
        entry = Entry(**content, hash=stated, computed=digest(_line(content)))
    except (ValueError, TypeError, RecursionError):
        return None
    return entry if _is_typed(entry) else None


def _is_typed(entry: Entry) -> bool:
    texts = (entry.at, entry.what, entry.previous, entry.hash, entry.file or "", entry.sha256 or "")
    return (
        type(entry.number) is int
        and all(isinstance(text, str) for text in texts)
        and (entry.file is None) == (entry.sha256 is None)
        and isinstance(entry.facts, dict)
        and all(isinstance(value, str) for value in entry.facts.values())
    )


def faults_of(entries: Sequence[Entry], head: Head | None, name: str) -> Iterator[Fault]:
    """Yield everything that is wrong with the order and the hashes of entries.

    Args:
        entries: as they stand in the journal.
        head: as the manifest states it; None when it cannot be read.
        name: what the journal is called.
    """
    for entry in entries:
        if entry.hash != entry.computed:
            yield Fault(
                "changed", f"Expected {entry.name} to have the hash that it states, found another", name
            )
    yield from _misplaced(entries, head, name)
    yield from _unlinked(entries, name)
    if head and any(entry.number == head.entries and entry.hash != head.hash for entry in entries):
        sentence = (
            "Expected the journal to end with the hash that the manifest states, found another: "
            "the last entry was replaced, or the chain made again, after the manifest was sealed"
        )
        yield Fault("changed", sentence, name)


def _misplaced(entries: Sequence[Entry], head: Head | None, name: str) -> Iterator[Fault]:
    """Compare the numbers of the entries with their places, and with how many there must be."""
    last = head.entries if head else max((entry.number for entry in entries), default=0)
    missing = sorted(set(range(1, min(last, _MOST) + 1)) - {entry.number for entry in entries})
    if missing:
        told = ", ".join(map(str, missing[:_TOLD])) + (" …" if len(missing) > _TOLD else "")
        plural = "entries" if len(missing) > 1 else "entry"
        yield Fault("missing", f"Expected {plural} {told} in the journal, found none", name)
    seen: set[int] = set()
    highest = 0
    for entry in entries:
        if entry.number in seen or not 1 <= entry.number <= last:
            yield Fault("added", f"Expected no {entry.name}, found it in the journal", name)
        elif entry.number < highest:
            yield Fault("re-ordered", f"Expected {entry.name} before entry {highest}, found it behind", name)
        seen.add(entry.number)
        highest = max(highest, entry.number)


def _unlinked(entries: Sequence[Entry], name: str) -> Iterator[Fault]:
    """Compare each entry with the hash of the one whose number comes before it."""
    hashes = {0: START, **{entry.number: entry.hash for entry in entries}}
    for entry in entries:
        before = hashes.get(entry.number - 1)
        if before is not None and before != entry.previous:
            sentence = (
                f"Expected {entry.name} to follow entry {entry.number - 1} as it stands, found another hash"
            )
            yield Fault("changed", sentence, name)
