"""The stopwatch: how often it calls what it measures, and what it says about it."""

from eessi_sim.benchmark.stopwatch import Reading, measure, measure_async, measure_in_turn, together


def test_reading_knows_processor_time_and_wall_time() -> None:
    """A reading of something that computes has both times, neither negative."""
    reading = measure(lambda: sum(range(100)), 0.001)
    assert reading.cpu >= 0 < reading.wall


def test_slow_function_is_called_at_least_once_per_batch() -> None:
    """However short the time allowed, every batch has a call."""
    calls: list[int] = []
    measure(lambda: calls.append(1), 0.0)
    assert len(calls) == 6


def test_functions_in_turn_follow_each_other() -> None:
    """Every function is called once before any is called again."""
    calls: list[str] = []
    measure_in_turn({"a": lambda: calls.append("a"), "b": lambda: calls.append("b")}, 0.0)
    assert calls == ["a", "b"] * 3


def test_functions_in_turn_have_a_reading_each() -> None:
    """Each function is found again under its name; looking at the clock is not part of its time."""
    readings = measure_in_turn({"busy": lambda: sum(range(10_000)), "idle": lambda: None}, 0.001)
    assert readings["busy"].wall > readings["idle"].wall >= 0


async def test_async_function_is_awaited_at_least_once_per_batch() -> None:
    """The same holds for functions that are awaited."""
    calls: list[int] = []

    async def function() -> None:
        calls.append(1)

    await measure_async(function, 0.0)
    assert len(calls) == 6


async def test_together_awaits_so_many_calls() -> None:
    """Work done together is as many calls as were asked for."""
    calls: list[int] = []

    async def function() -> None:
        calls.append(1)

    await together(function, 7)
    assert len(calls) == 7


def test_reading_without_another_is_never_negative() -> None:
    """What is taken off cannot be more than there is."""
    assert Reading(3.0, 1.0).without(Reading(1.0, 2.0)) == Reading(2.0, 0.0)


def test_shared_reading_is_divided_among_all() -> None:
    """What one call does for four is a quarter for each."""
    assert Reading(8.0, 12.0).shared_by(4) == Reading(2.0, 3.0)
