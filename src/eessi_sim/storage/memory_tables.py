"""Dictionaries with the indexes that the memory store needs; each change returns what undoes it.

No rule about what may be written lives here.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from itertools import islice
from operator import attrgetter

from eessi_sim.buc.case import Case
from eessi_sim.storage.base import Direction, JournalEntry, MessageKind, StoredDocument, StoredMessage

Undo = Callable[[], object]
Lane = tuple[Direction, MessageKind, str]


class Sequence:
    """Numbers that grow over all nodes."""

    def __init__(self) -> None:
        self._last = 0

    def take(self) -> int:
        """Return the next number."""
        self._last += 1
        return self._last

    def give_back(self) -> None:
        """Undo the last ``take``."""
        self._last -= 1


class MessageTable:
    """Messages of one node by key, by state, by reference and by conversation."""

    def __init__(self, numbers: Sequence) -> None:
        self._numbers = numbers
        self._by_key: dict[tuple[Direction, str], StoredMessage] = {}
        self._lanes: defaultdict[Lane, dict[int, StoredMessage]] = defaultdict(dict)
        self._by_ref: defaultdict[str, dict[int, tuple[Direction, str]]] = defaultdict(dict)
        self._by_conversation: defaultdict[str, dict[int, tuple[Direction, str]]] = defaultdict(dict)

    def find(self, direction: Direction, message_id: str) -> StoredMessage | None:
        """Return a message."""
        return self._by_key.get((direction, message_id))

    def add(self, message: StoredMessage) -> Undo:
        """Keep a new message under the next number."""
        message = replace(message, seq=self._numbers.take(), details=dict(message.details))
        self._put(message)
        return lambda: self._forget(message)

    def change(self, old: StoredMessage, new: StoredMessage) -> Undo:
        """Put ``new`` in the place of ``old``."""
        self._move(old, new)
        return lambda: self._move(new, old)

    def lanes(self) -> dict[Lane, dict[int, StoredMessage]]:
        """Return the messages by direction, kind and state; only states that occur."""
        return {lane: messages for lane, messages in sorted(self._lanes.items()) if messages}

    def in_states(self, direction: Direction, states: Iterable[str]) -> Iterator[StoredMessage]:
        """Return messages of all kinds that stand in one of the states."""
        for state in set(states):
            for kind in MessageKind:
                yield from self._lanes.get((direction, kind, state), {}).values()

    def by_ref(self, reference: str) -> list[StoredMessage]:
        """Return the messages that answer ``reference``."""
        return [self._by_key[key] for key in self._by_ref.get(reference, {}).values()]

    def by_conversation(self, conversation: str) -> list[StoredMessage]:
        """Return the messages of a conversation."""
        return [self._by_key[key] for key in self._by_conversation.get(conversation, {}).values()]

    def _put(self, message: StoredMessage) -> None:
        key = (message.direction, message.message_id)
        self._by_key[key] = message
        self._lanes[_lane(message)][message.seq] = message
        self._by_conversation[message.conversation][message.seq] = key
        if message.ref_to is not None:
            self._by_ref[message.ref_to][message.seq] = key

    def _move(self, old: StoredMessage, new: StoredMessage) -> None:
        del self._lanes[_lane(old)][old.seq]
        self._lanes[_lane(new)][new.seq] = new
        self._by_key[new.direction, new.message_id] = new

    def _forget(self, message: StoredMessage) -> None:
        del self._by_key[message.direction, message.message_id]
        del self._lanes[_lane(message)][message.seq]
        del self._by_conversation[message.conversation][message.seq]
        if message.ref_to is not None:
            del self._by_ref[message.ref_to][message.seq]
        self._numbers.give_back()


def _lane(message: StoredMessage) -> Lane:
    return message.direction, message.kind, message.state


class CaseTable:
    """Cases and documents of one node, in the order of their first saving."""

    def __init__(self) -> None:
        self._cases: dict[str, Case] = {}
        self._by_international: dict[str, str] = {}
        self._documents: defaultdict[str, dict[tuple[str, int], StoredDocument]] = defaultdict(dict)

    def find(self, case_id: str) -> Case | None:
        """Return a case by its id at this node."""
        return self._cases.get(case_id)

    def find_by_international(self, international_id: str) -> Case | None:
        """Return a case by the id that all its copies share."""
        case_id = self._by_international.get(international_id)
        return None if case_id is None else self._cases[case_id]

    def newest_first(self) -> Iterator[Case]:
        """Return all cases."""
        return reversed(self._cases.values())

    def save(self, case: Case) -> Undo:
        """Keep a case, in the place of the one with its id."""
        old = self._cases.get(case.id)
        if old is None:
            self._put(case)
            return lambda: self._drop(case)
        self._replace(old, case)
        return lambda: self._replace(case, old)

    def _put(self, case: Case) -> None:
        self._cases[case.id] = case
        self._by_international[case.international_id] = case.id

    def _drop(self, case: Case) -> None:
        del self._cases[case.id]
        del self._by_international[case.international_id]

    def _replace(self, old: Case, new: Case) -> None:
        del self._by_international[old.international_id]
        self._put(new)

    def documents(self, case_id: str) -> list[StoredDocument]:
        """Return all versions of all documents of a case."""
        return list(self._documents.get(case_id, {}).values())

    def save_document(self, document: StoredDocument) -> Undo:
        """Keep a version of a document, in the place of the same version."""
        versions = self._documents[document.case_id]
        key = (document.document_id, document.version)
        old = versions.get(key)
        versions[key] = document
        if old is None:
            return lambda: versions.pop(key)
        return lambda: versions.update({key: old})

    def numbers(self) -> tuple[int, int]:
        """Return how many cases and how many documents there are."""
        return len(self._cases), sum(map(len, self._documents.values()))


class JournalTable:
    """Entries in the order of their numbers, of all nodes or of one."""

    def __init__(self) -> None:
        self._entries: list[JournalEntry] = []
        self._by_reference: defaultdict[str, list[JournalEntry]] = defaultdict(list)

    def last(self) -> int:
        """Return the number of the last entry, 0 when there is none."""
        return self._entries[-1].seq if self._entries else 0

    def after(self, number: int, limit: int) -> tuple[JournalEntry, ...]:
        """Return the entries behind a number."""
        start = bisect_right(self._entries, number, key=attrgetter("seq"))
        return tuple(self._entries[start : start + limit])

    def of(self, reference: str) -> tuple[JournalEntry, ...]:
        """Return the entries of a message or case."""
        return tuple(self._by_reference.get(reference, ()))

    def append(self, entry: JournalEntry) -> Undo:
        """Keep an entry behind all others."""
        self._entries.append(entry)
        references = {name for name in (entry.message_id, entry.case_id) if name is not None}
        for reference in references:
            self._by_reference[reference].append(entry)
        return lambda: self._drop_last(references)

    def written_before(self, until: datetime, limit: int) -> list[JournalEntry]:
        """Return the first entries that are older than a time."""
        return list(islice((entry for entry in self._entries if entry.at < until), limit))

    def drop(self, old: Iterable[JournalEntry]) -> None:
        """Take entries out for good."""
        numbers = {entry.seq for entry in old}
        self._entries = [entry for entry in self._entries if entry.seq not in numbers]
        for reference, entries in list(self._by_reference.items()):
            self._by_reference[reference] = [entry for entry in entries if entry.seq not in numbers]

    def _drop_last(self, references: Iterable[str]) -> None:
        self._entries.pop()
        for reference in references:
            self._by_reference[reference].pop()
