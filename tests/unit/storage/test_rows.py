"""Times as whole microseconds, errors of the database in our words."""

import sqlite3
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from eessi_sim.storage.rows import micros, optional_micros, optional_time, time_of
from eessi_sim.storage.sqlite_file import unavailable

# Without zone, because hypothesis adds it.
FIRST = datetime(1971, 1, 1)  # noqa: DTZ001 - as above
LAST = datetime(2200, 1, 1)  # noqa: DTZ001 - as above
moments = st.datetimes(FIRST, LAST, timezones=st.just(UTC))


@given(moments)
def test_time_survives_the_store(time: datetime) -> None:
    """A time comes back exactly from its microseconds."""
    assert time_of(micros(time)) == time
    assert optional_time(optional_micros(time)) == time


@given(moments, moments)
def test_order_of_times_is_that_of_their_microseconds(one: datetime, other: datetime) -> None:
    """The database compares times by comparing their numbers."""
    assert (micros(one) < micros(other)) == (one < other)


def test_time_of_another_zone_is_the_same_instant() -> None:
    """A time in another zone is stored as the instant it means."""
    east = datetime(2026, 3, 2, 14, 0, tzinfo=timezone(timedelta(hours=2)))
    assert micros(east) == micros(datetime(2026, 3, 2, 12, 0, tzinfo=UTC))


def test_no_time_is_none() -> None:
    """None stays None, and a column that means "at once" is None too."""
    assert (optional_micros(None), optional_time(None), optional_time(0)) == (None, None, None)


def read_only_error() -> sqlite3.Error:
    """What the database says when it may not write."""
    connection = sqlite3.connect(":memory:")
    connection.execute("PRAGMA query_only = 1")
    try:
        connection.execute("CREATE TABLE t (a)")
    except sqlite3.Error as error:
        return error
    finally:
        connection.close()
    raise AssertionError


def test_known_cause_has_a_sentence_and_a_hint() -> None:
    """A store that may not be written says so and what to do."""
    error = unavailable(Path("store.db"), read_only_error())
    assert error.message == 'Cannot use the store "store.db": it is read-only'
    assert error.hint == "Give yourself write permission for the file and its folder."


def test_unknown_cause_is_passed_on() -> None:
    """An error without a sentence of ours keeps the words of the database."""
    assert unavailable(Path("store.db"), OverflowError("too big")).message.endswith('store.db": too big')
