"""What is due when, for many cases: the next one is found without looking at all of them.

A case is put in as a whole and replaces what was known of it; what it said before is skipped when its time comes, and thrown
away when there is more of it than of what holds.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from heapq import heapify, heappop, heappush
from itertools import count
from typing import Final, Generic, Protocol, TypeVar

_SLACK: Final = 64
"""Outdated entries that are not worth the trouble."""


class Dated(Protocol):
    """What has a time and belongs to a case."""

    @property
    def case_id(self) -> str:
        """The case."""
        ...

    @property
    def due_at(self) -> datetime:
        """When it is due."""
        ...


_Item = TypeVar("_Item", bound=Dated)


class Agenda(Generic[_Item]):
    """Items by case and by time."""

    def __init__(self) -> None:
        self._of_case: dict[str, list[_Item]] = {}
        self._by_time: list[tuple[datetime, int, _Item]] = []
        self._numbers = count()
        self._held = 0

    def put(self, case_id: str, items: Iterable[_Item]) -> None:
        """Keep the items of a case instead of those that it had."""
        self._held -= len(self._of_case.pop(case_id, ()))
        if fresh := list(items):
            self._of_case[case_id] = fresh
            self._held += len(fresh)
            for item in fresh:
                heappush(self._by_time, (item.due_at, next(self._numbers), item))
        if len(self._by_time) > 2 * self._held + _SLACK:
            self._by_time = [entry for entry in self._by_time if self._holds(entry[2])]
            heapify(self._by_time)

    def next_due(self) -> datetime | None:
        """Return the time of the next item, None when there is none."""
        while self._by_time and not self._holds(self._by_time[0][2]):
            heappop(self._by_time)
        return self._by_time[0][0] if self._by_time else None

    def due(self, now: datetime) -> list[_Item]:
        """Return what is due, the earliest first; it stays."""
        found: list[tuple[datetime, int, _Item]] = []
        while (due := self.next_due()) is not None and due <= now:
            found.append(heappop(self._by_time))
        for entry in found:
            heappush(self._by_time, entry)
        return [item for _, _, item in found]

    def take(self, now: datetime) -> Iterator[_Item]:
        """Take out what is due, the earliest first, one by one."""
        while (due := self.next_due()) is not None and due <= now:
            item = heappop(self._by_time)[2]
            rest = [each for each in self._of_case[item.case_id] if each is not item]
            self._held -= 1
            if rest:
                self._of_case[item.case_id] = rest
            else:
                del self._of_case[item.case_id]
            yield item

    def _holds(self, item: _Item) -> bool:
        return any(each is item for each in self._of_case.get(item.case_id, ()))
