"""Records and units of work, without any back end."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.helpers.stored import MINUTE, NOON, a_case, a_message, an_entry, message_id

from eessi_sim.storage.base import (
    LONG_PAST,
    AddEntry,
    AddMessage,
    Counts,
    Direction,
    MessageKind,
    MessageQuery,
    SaveCase,
    StateCount,
    UnitOfWork,
    UpdateMessage,
)


def test_unit_keeps_its_writes_in_order() -> None:
    """The writes of a unit come in the order in which they were collected."""
    work = UnitOfWork()
    work.journal(an_entry("a"), an_entry("b"))
    work.add_message(a_message())
    assert work.writes == (AddEntry(an_entry("a")), AddEntry(an_entry("b")), AddMessage(a_message()))


def test_new_case_is_expected_to_have_no_revision() -> None:
    """None and 0 both say that the case must be new."""
    work = UnitOfWork()
    work.save_case(a_case(), None)
    work.save_case(a_case(), 0)
    assert work.writes == (SaveCase(a_case(), 0), SaveCase(a_case(), 0))


def test_change_of_state_ends_the_lease_unless_it_is_named() -> None:
    """A change of state carries the end of the lease; any other change does not."""
    work = UnitOfWork()
    work.update_message(Direction.OUT, "a@b", state="DELIVERED")
    work.update_message(Direction.OUT, "a@b", state="SENDING", leased_until=NOON)
    work.update_message(Direction.OUT, "a@b", attempts=1)
    changes = [write.changes for write in work.writes if isinstance(write, UpdateMessage)]
    assert changes == [
        {"state": "DELIVERED", "leased_until": None},
        {"state": "SENDING", "leased_until": NOON},
        {"attempts": 1},
    ]


@pytest.mark.parametrize(
    ("due", "leased", "ready"),
    [
        (None, None, LONG_PAST),
        (NOON, None, NOON),
        (None, NOON, NOON),
        (NOON, NOON + MINUTE, NOON + MINUTE),
        (NOON + MINUTE, NOON, NOON + MINUTE),
    ],
)
def test_message_is_ready_when_due_and_free(due: object, leased: object, ready: object) -> None:
    """A message can be claimed when its due date has come and its lease has ended."""
    assert a_message(due_at=due, leased_until=leased).ready_at == ready


@given(
    st.dictionaries(st.text(max_size=2), st.text(max_size=2)),
    st.dictionaries(st.text(max_size=2), st.text(max_size=2)),
)
def test_merged_details_have_all_keys_and_the_new_values(old: dict[str, str], new: dict[str, str]) -> None:
    """Details after a change are those of before with those of the change put over them."""
    assert a_message(details=old).changed({"details": new}).details == old | new


def test_counts_add_up_kinds_of_one_direction() -> None:
    """Counting states of a direction adds up all kinds and leaves out the other direction."""
    counts = Counts(
        0,
        0,
        (
            StateCount(Direction.OUT, MessageKind.USER, "SENDING", 2),
            StateCount(Direction.OUT, MessageKind.RECEIPT, "SENDING", 3),
            StateCount(Direction.IN, MessageKind.USER, "SENDING", 7),
            StateCount(Direction.OUT, MessageKind.USER, "DELIVERED", 11),
        ),
    )
    assert counts.in_state(Direction.OUT, "SENDING") == 5
    assert counts.in_state(Direction.OUT, "SENDING", "DELIVERED") == 16
    assert counts.in_state(Direction.OUT) == 0


@pytest.mark.parametrize(
    ("query", "accepted"),
    [
        (MessageQuery(), True),
        (MessageQuery(direction=Direction.IN), False),
        (MessageQuery(kind=MessageKind.ERROR), False),
        (MessageQuery(states={"DELIVERED"}), False),
        (MessageQuery(ref_to=message_id(2)), False),
        (MessageQuery(conversation="conversation-2"), False),
        (MessageQuery(before=5), False),
        (MessageQuery(before=6), True),
    ],
)
def test_query_accepts_what_meets_every_restriction(query: MessageQuery, accepted: bool) -> None:
    """One restriction that a message does not meet is enough to leave it out."""
    assert query.accepts(a_message(seq=5)) is accepted
