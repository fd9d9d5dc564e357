"""What a benchmark found, and its stable form as plain values."""

from dataclasses import dataclass
from typing import Final

from eessi_sim.benchmark.endtoend import IN_FLIGHT, Latency, Throughput
from eessi_sim.benchmark.floor import Floor
from eessi_sim.benchmark.steps import Measured, Part
from eessi_sim.benchmark.stopwatch import Reading

_PARTS: Final = {"memory": (Part.CORE,), "sqlite": (Part.CORE, Part.DISK)}
"""What a run with this store consists of; requests are calls, so none has the part of the network."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """Octets of what travelled."""

    sed: int
    """With its seal."""
    message: int
    receipt: int


@dataclass(frozen=True, slots=True)
class KeyResult:
    """Everything found with one kind of keys."""

    keys: str
    sizes: Sizes
    floor: Floor
    steps: tuple[Measured, ...]
    runs: tuple[Throughput, ...]

    @property
    def per_sed(self) -> float:
        """Microseconds of all steps for one SED, disk and network included."""
        return sum(step.per_sed for step in self.steps)

    def steps_of(self, run: Throughput) -> float:
        """Return the microseconds of the steps that a run consists of, for one SED."""
        return sum(step.per_sed for step in self.steps if step.part in _PARTS[run.storage])

    def floor_of(self, run: Throughput) -> float:
        """Return the microseconds of bare operations in a run, for one SED."""
        return sum(step.floor_per_sed for step in self.steps if step.part in _PARTS[run.storage])

    def ratio_of(self, run: Throughput) -> float:
        """Return how much more processor time a run takes than its bare operations."""
        return run.cpu_ms_per_sed * 1000 / self.floor_of(run)


@dataclass(frozen=True, slots=True)
class BenchResult:
    """Everything found."""

    sed: str
    buc: str
    keys: tuple[KeyResult, ...]

    def as_dict(self) -> dict[str, object]:
        """Return plain values; names and meaning stay as they are, new ones may come."""
        return {
            "sed": self.sed,
            "buc": self.buc,
            "in_flight": IN_FLIGHT,
            "results": [_key_result(each) for each in self.keys],
        }


def _key_result(found: KeyResult) -> dict[str, object]:
    return {
        "keys": found.keys,
        "bytes": {
            "sed": found.sizes.sed,
            "message": found.sizes.message,
            "receipt": found.sizes.receipt,
        },
        "end_to_end": [_run(found, run) for run in found.runs],
        "steps": [_step(step, found.per_sed) for step in found.steps],
        "floor": [
            {"operation": operation, **_reading(reading)} for operation, reading in found.floor.items()
        ],
    }


def _run(found: KeyResult, run: Throughput) -> dict[str, object]:
    return {
        "storage": run.storage,
        "seds": run.messages,
        "seconds": round(run.seconds, 3),
        "seds_per_second": round(run.seds_per_second, 1),
        "latency_ms": {"alone": _latency(run.alone), "loaded": _latency(run.loaded)},
        "cpu_ms_per_sed": round(run.cpu_ms_per_sed, 3),
        "steps_ms_per_sed": round(found.steps_of(run) / 1000, 3),
        "floor_ms_per_sed": round(found.floor_of(run) / 1000, 3),
        "ratio": round(found.ratio_of(run), 2),
    }


def _latency(latency: Latency) -> dict[str, float]:
    return {"p50": round(latency.p50, 3), "p95": round(latency.p95, 3)}


def _step(step: Measured, whole: float) -> dict[str, object]:
    return {
        "step": step.name,
        "part": step.part,
        "where": list(step.places),
        "times": step.times,
        **_reading(step.reading),
        "us_per_sed": round(step.per_sed, 2),
        "share": round(step.per_sed / whole, 4),
        "floor_us": round(step.floor, 2),
        "ratio": None if step.ratio is None else round(step.ratio, 2),
    }


def _reading(reading: Reading) -> dict[str, float]:
    return {"us": round(reading.cpu, 2), "wall_us": round(reading.wall, 2)}
