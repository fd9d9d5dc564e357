"""What is due when, found without looking at everything."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from eessi_sim.institution.agenda import Agenda

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Item:
    """Something of a case that is due some minutes after noon."""

    case_id: str
    minutes: int

    @property
    def due_at(self) -> datetime:
        """Its time."""
        return NOON + timedelta(minutes=self.minutes)


def taken(agenda: Agenda[Item], minutes: int) -> list[Item]:
    """What is taken so many minutes after noon."""
    return list(agenda.take(NOON + timedelta(minutes=minutes)))


def test_due_items_come_in_the_order_of_their_times() -> None:
    """Whatever case they belong to; what is not due stays."""
    agenda: Agenda[Item] = Agenda()
    agenda.put("a", [Item("a", 3), Item("a", 1)])
    agenda.put("b", [Item("b", 2)])
    assert agenda.due(NOON + timedelta(minutes=2)) == [Item("a", 1), Item("b", 2)]
    assert taken(agenda, 2) == [Item("a", 1), Item("b", 2)]
    assert agenda.next_due() == Item("a", 3).due_at


def test_case_replaces_what_it_said_before() -> None:
    """The earlier time counts no more."""
    agenda: Agenda[Item] = Agenda()
    agenda.put("a", [Item("a", 1)])
    agenda.put("a", [Item("a", 5)])
    assert taken(agenda, 2) == []
    assert agenda.next_due() == Item("a", 5).due_at


def test_case_that_waits_for_nothing_leaves() -> None:
    """An agenda without items has no next time."""
    agenda: Agenda[Item] = Agenda()
    agenda.put("a", [Item("a", 1)])
    agenda.put("a", [])
    assert agenda.next_due() is None


def test_outdated_entries_do_not_pile_up() -> None:
    """A case that changes a thousand times is kept once."""
    agenda: Agenda[Item] = Agenda()
    for _ in range(1000):
        agenda.put("a", [Item("a", 1)])
    assert len(agenda._by_time) < 100
