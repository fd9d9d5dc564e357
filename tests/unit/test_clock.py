"""Clocks: time moves when it should and wakes whom it should, in order."""

import asyncio
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eessi_sim.clock import FlowingClock, ManualClock, MovableClock, SystemClock, iso

START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


async def settle() -> None:
    """Let every task run as far as it can."""
    for _ in range(5):
        await asyncio.sleep(0)


def test_manual_clock_stands_still(clock: ManualClock) -> None:
    """Without being told, the time does not change."""
    assert clock.now() == clock.now() == START


def test_manual_clock_shows_utc() -> None:
    """Whatever zone it was set in, a clock shows UTC."""
    local = datetime(2026, 3, 2, 9, 0, tzinfo=timezone(timedelta(hours=1)))
    assert (ManualClock(local).now(), ManualClock(local).now().tzinfo) == (START, UTC)


def test_manual_clock_moves_when_advanced(clock: ManualClock) -> None:
    """Two months pass at once."""
    clock.advance(timedelta(days=60))
    assert clock.now() == START + timedelta(days=60)


async def test_sleeper_wakes_when_its_time_has_come(clock: ManualClock) -> None:
    """A sleeper wakes at its time and not before."""
    sleeper = asyncio.create_task(clock.sleep(10))
    await settle()
    clock.advance(timedelta(seconds=9.999))
    await settle()
    early = sleeper.done()
    clock.advance(timedelta(seconds=0.001))
    await settle()
    assert (early, sleeper.done()) == (False, True)


async def test_sleepers_wake_in_the_order_of_their_times(clock: ManualClock) -> None:
    """When much time passes at once, the earlier one still wakes first; equal times keep their order."""
    woken: list[str] = []

    async def sleep(name: str, seconds: float) -> None:
        await clock.sleep(seconds)
        woken.append(name)

    tasks = [asyncio.create_task(sleep(name, seconds)) for name, seconds in [("c", 3), ("a", 1), ("b", 1)]]
    await settle()
    clock.advance(timedelta(seconds=5))
    await asyncio.gather(*tasks)
    assert woken == ["a", "b", "c"]


async def test_cancelled_sleeper_is_passed_over(clock: ManualClock) -> None:
    """Advancing past a sleeper that was cancelled wakes nobody and breaks nothing."""
    sleeper = asyncio.create_task(clock.sleep(1))
    await settle()
    sleeper.cancel()
    await settle()
    clock.advance(timedelta(seconds=2))
    assert sleeper.cancelled()


async def test_next_wake_is_the_earliest_sleeper(clock: ManualClock) -> None:
    """Who moves the clock can see how far."""
    tasks = [asyncio.create_task(clock.sleep(seconds)) for seconds in (20, 10)]
    await settle()
    wake = clock.next_wake()
    clock.advance(timedelta(seconds=20))
    await asyncio.gather(*tasks)
    assert wake == START + timedelta(seconds=10)


async def test_next_wake_forgets_a_cancelled_sleeper(clock: ManualClock) -> None:
    """A cancelled sleeper does not hold up the time."""
    sleeper = asyncio.create_task(clock.sleep(1))
    await settle()
    sleeper.cancel()
    await settle()
    assert clock.next_wake() is None


def test_next_wake_is_nothing_when_nobody_sleeps(clock: ManualClock) -> None:
    """A clock without sleepers has nothing to wait for."""
    assert clock.next_wake() is None


async def test_flowing_clock_moves_by_waiting(clock: ManualClock) -> None:
    """Waiting on a flowing clock takes no real time and moves everybody's time."""
    flowing = FlowingClock(clock)
    await flowing.sleep(90)
    assert flowing.now() == clock.now() == START + timedelta(seconds=90)


async def test_flowing_clock_lets_others_run(clock: ManualClock) -> None:
    """A sleeper of the manual clock wakes while another waits on the flowing one."""
    sleeper = asyncio.create_task(clock.sleep(1))
    await settle()
    await FlowingClock(clock).sleep(1)
    await settle()
    assert sleeper.done()


async def test_system_clock_shows_the_time_of_the_machine() -> None:
    """The real clock is aware of its zone, and time does not run backwards over a wait."""
    clock = SystemClock()
    before = clock.now()
    await clock.sleep(0)
    assert before.tzinfo is UTC
    assert clock.now() >= before


@pytest.mark.parametrize(
    ("time", "text"),
    [
        (START, "2026-03-02T08:00:00.000Z"),
        (START.replace(microsecond=1_999), "2026-03-02T08:00:00.001Z"),
        (datetime(2026, 3, 2, 9, 0, tzinfo=timezone(timedelta(hours=1))), "2026-03-02T08:00:00.000Z"),
    ],
)
def test_times_are_written_in_utc_with_milliseconds(time: datetime, text: str) -> None:
    """All messages write times in the same form."""
    assert iso(time) == text


@given(st.datetimes(min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30), timezones=st.just(UTC)))  # noqa: DTZ001 - hypothesis wants naive bounds
def test_written_time_reads_back_to_the_millisecond(time: datetime) -> None:
    """Nothing but the microseconds is lost."""
    assert datetime.fromisoformat(iso(time)) == time.replace(microsecond=time.microsecond // 1000 * 1000)


async def test_movable_clock_wakes_whoever_slept_long_enough() -> None:
    """A sleeper of sixty days wakes when the clock is moved by as much, and not before."""
    clock = MovableClock()
    sleeper = asyncio.create_task(clock.sleep(60 * 86_400))
    await settle()
    clock.advance(timedelta(days=59))
    await settle()
    assert not sleeper.done()
    clock.advance(timedelta(days=1))
    await asyncio.wait_for(sleeper, 30)
    assert clock.now() - SystemClock().now() > timedelta(days=59)


async def test_movable_clock_waits_no_longer_than_it_must() -> None:
    """Without being moved it is the clock of the machine."""
    clock = MovableClock()
    await clock.sleep(0)
    before = clock.now()
    await clock.sleep(0.01)
    assert clock.now() - before >= timedelta(seconds=0.01)
