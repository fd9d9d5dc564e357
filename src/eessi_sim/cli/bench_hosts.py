"""``eessi-sim bench hosts``: what thousands of idle institutions cost."""

import asyncio
import os
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import click

from eessi_sim import resources
from eessi_sim.benchmark.idling import IDLE_SECONDS, Idle, idle
from eessi_sim.benchmark.network import plan
from eessi_sim.cli import failures, output
from eessi_sim.clock import SystemClock
from eessi_sim.identifiers import SedType
from eessi_sim.ir.generating import generated, load_kinds
from eessi_sim.simulation.assembly import load_definition, load_library
from eessi_sim.simulation.state import hosts_for


@click.command("hosts", epilog=failures.EXIT_STATUS)
@click.option(
    "--count", type=click.IntRange(2, 20_000), default=3120, show_default=True, help="How many institutions."
)
@click.option("--hosts", type=click.IntRange(1, 64), metavar="N", help="Processes that share them.")
@click.option(
    "--pairs", type=click.IntRange(0, 1000), default=10, show_default=True, help="SEDs to send afterwards."
)
@click.option("--sed", default="A003", show_default=True, help="SED to send; one with which a case begins.")
@output.shared_options
def bench_hosts(*, count: int, hosts: int | None, pairs: int, sed: str, as_json: bool) -> None:
    r"""Measure how long thousands of institutions take to start, and what they cost while they are idle.

    The institutions are made up, as by "institutions generate". When all are up nothing is done for a while; then SEDs
    go between institutions drawn by lot.

    \b
    Example:
      eessi-sim bench hosts
      eessi-sim bench hosts --count 500 --pairs 100

    \b
    With --json: {"institutions", "read_seconds", "establish_seconds", "start_seconds", "cpu_seconds", "rss_mb",
    "pss_mb", "idle_cpu_seconds", "receipted", "processes": [{"name", "rss_mb", "pss_mb", "rss_mb_after"}]}.
    """
    with TemporaryDirectory(prefix="eessi-sim-bench-") as name:
        folder = Path(name)
        files = _write(folder / "many", count)
        start = perf_counter()
        definition = load_definition(files)
        read_seconds = perf_counter() - start
        route = plan(SedType(sed), definition, load_library(), SystemClock().now())
        found = asyncio.run(
            idle(
                definition,
                route,
                folder / "network",
                hosts=hosts or max(hosts_for(count), 1),
                pairs=pairs,
                own=os.getpid(),
                say=lambda what: output.remark(f"{what} …"),
            )
        )
    if as_json:
        output.show_json({"read_seconds": round(read_seconds, 2), **found.as_dict()})
    else:
        _show(found, read_seconds)


def _write(folder: Path, count: int) -> Path:
    """Write made-up institutions; return their network file, which comes last."""
    path = folder
    for name, text in generated(load_kinds(resources.institutions() / "kinds.yaml"), count):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return path


def _show(found: Idle, read_seconds: float) -> None:
    output.show_table(
        ("Process", ">Rss MB", ">Pss MB", ">Rss MB afterwards"),
        [
            (
                name,
                f"{each.rss_kb / 1024:.0f}",
                f"{each.pss_kb / 1024:.0f}",
                f"{found.loaded[name].rss_kb / 1024:.0f}",
            )
            for name, each in found.readings.items()
        ],
        title=f"{found.institutions:,} institutions",
    )
    whole = read_seconds + found.establish_seconds + found.start_seconds
    output.show_fields(
        {
            "up after": f"{whole:.1f} s: network file {read_seconds:.1f}, keys and directory "
            f"{found.establish_seconds:.1f}, processes {found.start_seconds:.1f}; {found.cpu_seconds:.1f} s of processor",
            "memory": f"{found.rss_mb:.0f} MB ({found.pss_mb:.0f} MB when what they share counts once)",
            "idle": f"{found.idle_cpu_seconds / IDLE_SECONDS:.1%} of one processor",
            "receipted": f"{found.receipted} SEDs between institutions drawn by lot",
        }
    )
