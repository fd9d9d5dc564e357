"""What is computed from readings: sums per SED, shares, ratios, percentiles."""

from typing import Any

import pytest

from eessi_sim.benchmark.endtoend import Latency, Throughput
from eessi_sim.benchmark.floor import Operation
from eessi_sim.benchmark.result import BenchResult, KeyResult, Sizes
from eessi_sim.benchmark.steps import Part, Place, measured
from eessi_sim.benchmark.stopwatch import Reading

FLOOR = {Operation.SIGN: Reading(10.0, 11.0)}
STEPS = (
    measured("one", Part.CORE, "SAR", Reading(20.0, 20.0), list(FLOOR.values())),
    measured("two", Part.DISK, "R", Reading(30.0, 90.0)),
    measured("three", Part.NETWORK, "A", Reading(10.0, 10.0)),
)
LATENCY = Latency(1.0, 2.0)


def run(storage: str) -> Throughput:
    return Throughput(storage, 10, 2.0, 0.0012, LATENCY, LATENCY)


@pytest.fixture
def found() -> KeyResult:
    return KeyResult("p256", Sizes(1, 2, 3), FLOOR, STEPS, (run("memory"), run("sqlite")))


def test_step_happens_once_per_letter() -> None:
    """Each letter is one time at the node it stands for."""
    assert STEPS[0].places == (Place.SENDER, Place.ACCESS_POINT, Place.RECEIVER)


def test_step_costs_its_reading_times_its_number() -> None:
    """Twenty microseconds three times are sixty for one SED."""
    assert STEPS[0].per_sed == 60.0


def test_step_without_bare_operations_has_no_ratio() -> None:
    """Where nothing is unavoidable there is nothing to compare with."""
    assert STEPS[1].ratio is None


def test_ratio_of_a_step_compares_with_its_bare_operations() -> None:
    """Twenty microseconds over ten are a ratio of two."""
    assert STEPS[0].ratio == 2.0


def test_run_in_memory_consists_of_the_core(found: KeyResult) -> None:
    """Steps of disk and network do not count for a run in memory."""
    assert found.steps_of(found.runs[0]) == 60.0


def test_run_on_disk_has_the_steps_of_the_disk_too(found: KeyResult) -> None:
    """Steps of the network do not count for a run on disk."""
    assert found.steps_of(found.runs[1]) == 90.0


def test_ratio_of_a_run_compares_its_processor_time_with_the_floor(found: KeyResult) -> None:
    """120 microseconds per SED over three times ten are a ratio of four."""
    assert found.ratio_of(found.runs[0]) == pytest.approx(4.0)


def test_throughput_is_seds_over_time() -> None:
    """Ten SEDs in two seconds are five a second."""
    assert run("memory").seds_per_second == 5.0


def test_latency_of_one_sed_is_its_time() -> None:
    """With a single value both percentiles are that value."""
    assert Latency.of([0.25]) == Latency(250.0, 250.0)


def test_latency_of_many_seds_has_median_and_95th_percentile() -> None:
    """Of 0 to 100 milliseconds the median is 50 and the 95th percentile 95."""
    latency = Latency.of([each / 1000 for each in range(101)])
    assert [latency.p50, latency.p95] == pytest.approx([50.0, 95.0])


def test_shares_of_all_steps_are_one(found: KeyResult) -> None:
    """The shares in the plain form add up to the whole."""
    document: Any = BenchResult("A003", "LA_BUC_02", (found,)).as_dict()
    assert sum(step["share"] for step in document["results"][0]["steps"]) == pytest.approx(1.0)
