"""A run between processes, as figures."""

import os
import sys
from datetime import UTC, datetime, timedelta
from typing import cast

import pytest

from eessi_sim.benchmark import gauge
from eessi_sim.benchmark.crossing import Crossing, Load, Part, cross, latency_of
from eessi_sim.benchmark.endtoend import Lost
from eessi_sim.benchmark.gauge import Reading
from eessi_sim.benchmark.network import plan
from eessi_sim.identifiers import BucType, InstitutionId, SedType
from eessi_sim.simulation.assembly import load_definition, load_library
from eessi_sim.simulation.control import NodeControl
from eessi_sim.storage.base import JournalEntry

NOW = datetime(2026, 3, 2, tzinfo=UTC)
NODE = "NO:NAVAT07"
NOBODY = 2**22 + 1
"""Larger than every process number of Linux."""


def part(seds: int, cpu: float) -> Part:
    """A tenth of one second."""
    return Part(seds, 1.0, {NODE: Reading(2048, 1024, cpu)}, cpu)


@pytest.fixture(scope="module")
def run() -> Crossing:
    """Two tenths, the second at half the speed."""
    parts = (part(10, 0.1), part(5, 0.2))
    return Crossing("sqlite", 1, parts, {NODE: Reading(0, 0, 0.05)}, latency_of([1.0, 3.0]))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells")
def test_process_has_memory_and_processor_time() -> None:
    """The figures are those of the operating system."""
    reading = gauge.read(os.getpid())
    assert reading.rss_kb >= reading.pss_kb > 0
    assert reading.cpu_seconds > 0


def test_process_that_is_gone_has_zeros() -> None:
    """Nothing is raised for it."""
    assert gauge.read(NOBODY) == Reading()


def test_last_tenth_is_compared_with_the_first(run: Crossing) -> None:
    """Half the throughput is half as steady."""
    assert run.steadiness == 0.5


def test_whole_run_counts_all_tenths(run: Crossing) -> None:
    """Fifteen SEDs in two seconds."""
    assert (run.seds, run.seds_per_second) == (15, 7.5)


def test_processor_time_is_that_of_the_run(run: Crossing) -> None:
    """What a process used before does not count."""
    assert run.cpu_ms_per_sed[NODE] == pytest.approx(10.0)


def test_json_has_memory_by_process(run: Crossing) -> None:
    """Every tenth says what each process held."""
    first = cast("list[dict[str, object]]", run.as_dict()["tenths"])[0]
    assert (first["rss_mb"], first["pss_mb"]) == ({NODE: 2.0}, {NODE: 1.0})


class Refusing:
    """A sender whose SED is refused."""

    async def open_case(self, _buc: BucType, _others: list[InstitutionId]) -> str:
        return "1"

    async def send(self, *_args: object, **_more: object) -> None:
        return None

    async def journal(self, after: int) -> list[JournalEntry]:
        if after:
            return []
        steps = (("opened", None, "ok"), ("sent", "m", "ok"), ("error-received", "m", "failure"))
        return [
            JournalEntry(at=NOW + timedelta(seconds=n), step=step, outcome=end, message_id=ref, seq=n + 1)
            for n, (step, ref, end) in enumerate(steps)
        ]


async def test_lost_sed_ends_the_run() -> None:
    """The benchmark does not go on as if nothing had happened."""
    route = plan(SedType("A003"), load_definition(), load_library(), NOW)
    load = Load(route, cast("NodeControl", Refusing()))
    with pytest.raises(Lost, match="found: failure"):
        await cross(load, {}, seconds=60)
