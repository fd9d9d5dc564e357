"""``eessi-sim bench``: SEDs per second, split per step, beside the floor measured in the same run."""

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import click
from rich.text import Text

from eessi_sim.benchmark.engine import (
    ACTS,
    LENGTHS,
    STORES,
    ActCost,
    StoreCost,
    measure_acts,
    measure_stores,
)
from eessi_sim.benchmark.result import BenchResult, KeyResult
from eessi_sim.benchmark.session import KEYS, STORAGES, Order, Session
from eessi_sim.benchmark.steps import Measured, Part
from eessi_sim.benchmark.validation import measure_validation, usual
from eessi_sim.buc.loader import Definitions
from eessi_sim.cdm.catalogue import Catalogue
from eessi_sim.cli import failures, inputs, output
from eessi_sim.cli.bench_as4 import bench_as4
from eessi_sim.cli.bench_hosts import bench_hosts
from eessi_sim.cli.bench_network import bench_network
from eessi_sim.identifiers import SedType

_NAMES: Final = {"rsa": "RSA-2048", "p256": "P-256"}
_STEP_HEADINGS: Final = (
    "Step", ">µs", ">times", "!where", ">µs per SED", ">share", ">floor µs", ">ratio",
)  # fmt: skip
_RUN_HEADINGS: Final = (
    "!Keys", "!Store", ">SEDs/s", ">p50 ms", ">p95 ms", ">alone p50", ">CPU ms per SED", ">steps", ">floor", ">ratio",
)  # fmt: skip
_LEGEND: Final = (
    "Processor time. Where: S sender, A access point, R receiver, once per time. Floor: the bare operations of the "
    "libraries that the step cannot do without; both are measured in turn, with caches as cold as on the real path. "
    "End to end all nodes share one process and requests are calls: a run "
    "in memory consists of the steps of the first part, one on disk also of those of the second."
)


@click.group(invoke_without_command=True, epilog=failures.EXIT_STATUS)
@click.option(
    "--messages", type=click.IntRange(min=1), default=500, show_default=True, help="SEDs in each run."
)
@click.option(
    "--seconds",
    type=click.FloatRange(min=0.0, min_open=True),
    default=5.0,
    show_default=True,
    help="How long each run may send; a step is measured for a fiftieth of it.",
)
@click.option("--sed", default="A003", show_default=True, help="SED to send; one with which a case begins.")
@click.option("--keys", type=click.Choice(list(KEYS)), help="Only this kind of keys; both by default.")
@click.option("--storage", type=click.Choice(STORAGES), help="Only this store; both by default.")
@output.shared_options
def bench(
    *, messages: int, seconds: float, sed: str, keys: str | None, storage: str | None, as_json: bool
) -> None:
    r"""Measure how many SEDs a second this machine exchanges, and where the time goes.

    Every SED is sealed, validated at three nodes, signed, stored, delivered and receipted by the real nodes, two
    institutions and an access point. The same run measures each step by itself, and the bare operations that no
    implementation can avoid.

    \b
    Example:
      eessi-sim bench --keys p256 --storage memory

    \b
    With --json: {"sed", "buc", "in_flight", "results": [{"keys", "bytes": {"sed", "message", "receipt"},
    "end_to_end": [{"storage", "seds", "seconds", "seds_per_second", "latency_ms": {"alone", "loaded": {"p50",
    "p95"}}, "cpu_ms_per_sed", "steps_ms_per_sed", "floor_ms_per_sed", "ratio"}], "steps": [{"step", "part", "where",
    "times", "us", "wall_us", "us_per_sed", "share", "floor_us", "ratio"}], "floor": [{"operation", "us",
    "wall_us"}]}]}.
    """
    if click.get_current_context().invoked_subcommand is not None:
        return
    order = Order(
        sed=SedType(sed),
        keys=(keys,) if keys else tuple(KEYS),
        storages=(storage,) if storage else STORAGES,
        messages=messages,
        seconds=seconds,
    )
    result = Session(order, output.remark).run()
    if as_json:
        output.show_json(result.as_dict())
    else:
        _show(result)


@bench.command("validate", epilog=failures.EXIT_STATUS)
@click.option(
    "--sed", "seds", multiple=True, help="SED to validate; one of about 12 kB per sector by default."
)
@click.option(
    "--seconds",
    type=click.FloatRange(min=0.0, min_open=True),
    default=1.0,
    show_default=True,
    help="How long each measurement lasts.",
)
@inputs.cdm_option
@output.shared_options
def bench_validate(*, seds: tuple[str, ...], seconds: float, catalogue: Catalogue, as_json: bool) -> None:
    r"""Measure what validating a document costs: hardened parser, schema, rules, report.

    The floor is libxml2 alone, parsing the same bytes and checking them against the same schema, in turn with the
    validator in the same run.

    \b
    Example:
      eessi-sim bench validate
      eessi-sim bench validate --sed P2000 --sed U002

    \b
    With --json: [{"sed", "version", "bytes", "rules", "floor_us", "us", "ratio"}].
    """
    chosen = [inputs.find_definition(catalogue, sed, None) for sed in seds]
    with output.working("Measuring …"):
        costs = measure_validation(catalogue, chosen or usual(catalogue, catalogue.versions()[-1]), seconds)
    if as_json:
        output.show_json([cost.as_dict() for cost in costs])
        return
    rows = [
        (c.sed, c.octets, c.rules, f"{c.floor.cpu:.0f}", f"{c.whole.cpu:.0f}", f"{c.ratio:.1f}")
        for c in costs
    ]
    output.show_table(("!SED", ">bytes", ">rules", ">parse + XSD µs", ">validate µs", ">ratio"), rows)
    output.remark("Processor time, medians. Parse + XSD: libxml2 alone, no limits, no findings, no rules.")


bench.add_command(bench_as4)
bench.add_command(bench_network)
bench.add_command(bench_hosts)


@bench.command("engine", epilog=failures.EXIT_STATUS)
@click.option("--buc", default="LA_BUC_02", show_default=True, help="Process to measure.")
@click.option(
    "--cases", type=click.IntRange(min=1), default=100_000, show_default=True, help="Cases beside the one."
)
@click.option(
    "--documents",
    type=click.IntRange(min=1),
    default=LENGTHS[-1],
    show_default=True,
    help="Documents in the longest case.",
)
@click.option(
    "--actions", type=click.IntRange(min=1), default=300, show_default=True, help="Actions in each store."
)
@click.option(
    "--seconds",
    type=click.FloatRange(min=0.0, min_open=True),
    default=0.5,
    show_default=True,
    help="How long each act is measured.",
)
@output.shared_options
def bench_engine(
    *, buc: str, cases: int, documents: int, actions: int, seconds: float, as_json: bool
) -> None:
    r"""Measure the process engine: its acts in short and long cases, and one action beside one or many cases.

    The engine folds the history of one case, so an act grows with the documents of that case, and with nothing else.

    \b
    Example:
      eessi-sim bench engine
      eessi-sim bench engine --buc P_BUC_01 --cases 1000 --documents 100

    \b
    With --json: {"buc", "acts": [{"documents", "offer_us", "create_us", "send_us", "receive_us"}], "stores":
    [{"storage", "cases", "find_us", "act_us", "save_us", "actions_per_second", "ratio"}]}.
    """
    definition = Definitions.default().get(buc)
    lengths = sorted({length for length in LENGTHS if length < documents} | {documents})
    with output.working("Measuring …"), TemporaryDirectory() as folder:
        acts = list(measure_acts(definition, lengths, seconds))
        stores = [
            asyncio.run(measure_stores(definition, storage, (1, cases), Path(folder), actions))
            for storage in STORES
        ]
    rows = [(each, each.whole / pair[0].whole) for pair in stores for each in pair]
    if as_json:
        output.show_json(
            {
                "buc": definition.buc,
                "acts": [each.as_dict() for each in acts],
                "stores": [{**each.as_dict(), "ratio": round(ratio, 2)} for each, ratio in rows],
            }
        )
        return
    _show_engine(acts, rows)


def _show_engine(acts: list[ActCost], rows: list[tuple[StoreCost, float]]) -> None:
    output.show_table(
        (">documents", *(f">{act} µs" for act in ACTS), ">acts/s"),
        [
            (
                each.documents,
                *(f"{each.costs[act].cpu:.0f}" for act in ACTS),
                f"{len(ACTS) * 1e6 / sum(each.costs[act].cpu for act in ACTS):,.0f}",
            )
            for each in acts
        ],
        title="Acts of the engine, by the length of the case",
    )
    output.show_table(
        ("!Store", ">cases", ">find µs", ">act µs", ">save µs", ">actions/s", ">ratio"),
        [
            (
                each.storage,
                f"{each.cases:,}",
                f"{each.find:.0f}",
                f"{each.act:.0f}",
                f"{each.save:.0f}",
                f"{1e6 / each.whole:,.0f}",
                f"{ratio:.2f}",
            )
            for each, ratio in rows
        ],
        title="One action, by the number of cases",
    )
    output.remark("Processor time, medians. Ratio: against a store with one case, in turn in the same run.")


def _show(result: BenchResult) -> None:
    for found in result.keys:
        _show_steps(result, found)
    _show_floor(result)
    rows = [row for found in result.keys for row in _run_rows(found)]
    output.show_table(_RUN_HEADINGS, rows, title=f"{result.sed} in {result.buc}, end to end")
    output.remark(_LEGEND)


def _show_steps(result: BenchResult, found: KeyResult) -> None:
    sizes = found.sizes
    title = (
        f"{result.sed}, {_NAMES[found.keys]}: SED {sizes.sed} bytes, message {sizes.message}, "
        f"receipt {sizes.receipt}"
    )
    rows: list[list[object]] = []
    for part in Part:
        steps = [step for step in found.steps if step.part is part]
        rows += [_step_row(step, found.per_sed) for step in steps]
        rows.append(_sum_row(part, steps, found.per_sed))
    output.show_table(_STEP_HEADINGS, rows, title=title)


def _step_row(step: Measured, whole: float) -> list[object]:
    return [
        step.name,
        f"{step.reading.cpu:.1f}",
        step.times,
        "".join(place.value[0].upper() for place in step.places),
        f"{step.per_sed:.1f}",
        f"{step.per_sed / whole:.1%}",
        f"{step.floor:.1f}" if step.floor else "",
        _ratio(step.ratio),
    ]


def _show_floor(result: BenchResult) -> None:
    headings = ["Bare operation", *(f">{_NAMES[found.keys]} µs" for found in result.keys)]
    rows = [
        [operation, *(f"{found.floor[operation].cpu:.1f}" for found in result.keys)]
        for operation in result.keys[0].floor
    ]
    output.show_table(headings, rows, title="The floor")


def _sum_row(part: Part, steps: list[Measured], whole: float) -> list[object]:
    cost, floor = sum(step.per_sed for step in steps), sum(step.floor_per_sed for step in steps)
    cells = (
        f"all of {part}",
        "",
        "",
        "",
        f"{cost:.1f}",
        f"{cost / whole:.1%}",
        f"{floor:.1f}",
        _ratio(cost / floor),
    )
    return [Text(cell, style="bold") for cell in cells]


def _ratio(ratio: float | None) -> str:
    return "" if ratio is None else f"{ratio:.1f}"


def _run_rows(found: KeyResult) -> list[list[object]]:
    return [
        [
            _NAMES[found.keys],
            run.storage,
            f"{run.seds_per_second:.0f}",
            f"{run.loaded.p50:.1f}",
            f"{run.loaded.p95:.1f}",
            f"{run.alone.p50:.1f}",
            f"{run.cpu_ms_per_sed:.2f}",
            f"{found.steps_of(run) / 1000:.2f}",
            f"{found.floor_of(run) / 1000:.2f}",
            _ratio(found.ratio_of(run)),
        ]
        for run in found.runs
    ]
