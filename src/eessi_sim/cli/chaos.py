"""``eessi-sim chaos``: a network under load whose processes, disks, lines, clocks and certificates fail."""

import json
import secrets
from collections import Counter, defaultdict
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import click
from rich.text import Text

from eessi_sim.chaos.audit import Row
from eessi_sim.chaos.model import Done, Kind
from eessi_sim.chaos.network import reduced
from eessi_sim.chaos.plan import DEFAULT, load_plan
from eessi_sim.chaos.session import Order, Result, run
from eessi_sim.cli import failures, output
from eessi_sim.cli.stage import require_new, run_async
from eessi_sim.security.pki import KeyAlgorithm
from eessi_sim.simulation.assembly import load_definition

_SEEDS: Final = 10_000
_SHOWN: Final = 20
"""Findings that are printed; the report has all of them."""
_FILE: Final = "chaos.json"
_KEYS: Final = {"rsa": KeyAlgorithm.RSA_2048, "p256": KeyAlgorithm.P_256}
_HEADINGS: Final = (
    "Sender", "Receiver", ">sent", ">filed", ">receipted", ">dead letters", ">lost", ">duplicated", ">unaccounted",
)  # fmt: skip


@click.command(epilog=failures.EXIT_STATUS)
@click.option(
    "--minutes",
    type=click.FloatRange(min=0.0, min_open=True),
    default=10.0,
    show_default=True,
    help="How long the network is disturbed.",
)
@click.option("--seed", type=int, metavar="N", help="The same number gives the same disturbances.")
@click.option(
    "--plan",
    "plan_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    default=DEFAULT,
    metavar="FILE",
    help="What is done how often, and what is sent meanwhile; ours by default.",
)
@click.option(
    "--network",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Where the institutions of the plan come from; the network of the demo by default.",
)
@click.option(
    "--only",
    multiple=True,
    type=click.Choice([each.value for each in Kind]),
    help="Only this kind; may be repeated.",
)
@click.option(
    "--keys", type=click.Choice(list(_KEYS)), default="p256", show_default=True, help="Kind of keys."
)
@click.option(
    "--storage",
    default="",
    metavar="URL",
    help="One store for all nodes; postgresql: starts a server of our own, which is killed too. Files by default.",
)
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Processes that play the access point together.",
)
@click.option(
    "--settle",
    type=click.FloatRange(min=0.0),
    default=240.0,
    show_default=True,
    metavar="SECONDS",
    help="How long the network may take to finish afterwards.",
)
@click.option(
    "--report", type=click.Path(path_type=Path), metavar="DIR", help="Write the result as chaos.json."
)
@click.option(
    "--state", type=click.Path(path_type=Path), metavar="DIR", help="Keep keys, stores and logs here."
)
@output.shared_options
def chaos(  # noqa: PLR0913 - one argument for each option
    *,
    minutes: float,
    seed: int | None,
    plan_file: Path,
    network: Path | None,
    only: tuple[str, ...],
    keys: str,
    storage: str,
    workers: int,
    settle: float,
    report: Path | None,
    state: Path | None,
    as_json: bool,
) -> None:
    r"""Disturb a network of real processes for a while, then compare what senders believe with what receivers hold.

    Processes are ended by SIGKILL and started again, disks are full, connections break, are slow or corrupt octets,
    messages come twice, clocks jump, certificates have expired; meanwhile all institutions send. Afterwards every SED
    must be filed once and receipted, or be a dead letter that a disturbance accounts for; 1 is the exit status when
    one is not.

    \b
    Example:
      eessi-sim chaos --minutes 1 --seed 7
      eessi-sim chaos --minutes 5 --only kill --only full-disk --report chaos-report
      eessi-sim chaos --storage postgresql: --workers 2

    With --json: {"success", "sent", "kills", "audit": {"rows", "findings"}, "disturbances", …}.
    """
    plan = load_plan(plan_file)
    chosen = secrets.randbelow(_SEEDS) if seed is None else seed
    with ExitStack() as stack:
        if state is not None:
            require_new(state)
        folder = state or Path(stack.enter_context(TemporaryDirectory(prefix="eessi-sim-chaos-")))
        order = Order(
            plan=plan,
            definition=reduced(load_definition(network), plan),
            folder=folder,
            seconds=minutes * 60,
            seed=chosen,
            settle=settle,
            keys=_KEYS[keys],
            kinds=frozenset(map(Kind, only)) or frozenset(Kind),
            storage=storage,
            workers=workers,
        )
        output.remark(f"seed {chosen}: {plan.title}")
        result = run_async(run(order, output.remark))
    if report is not None:
        report.mkdir(parents=True, exist_ok=True)
        (report / _FILE).write_text(json.dumps(result.as_dict(), indent=2), encoding="utf-8")
    if as_json:
        output.show_json(result.as_dict())
    else:
        _show(result)
    if not result.is_success:
        click.get_current_context().exit(failures.FINDING)


def _show(result: Result) -> None:
    output.show_table(
        ("Disturbance", ">times", ">seconds", "answers to what was posted"),
        [_kind_row(kind, done) for kind, done in _by_kind(result).items()],
        title=f"{len(result.done)} disturbances in {result.seconds:.0f} s, {result.kills} processes killed",
    )
    output.show_table(
        _HEADINGS, [_row(row) for row in (*result.audit.rows, _sum(result.audit.rows))], title="Audit"
    )
    for finding in result.audit.findings[:_SHOWN]:
        words = f"{finding.fate}: {finding.party} {finding.reference} {finding.detail}".rstrip()
        output.show(Text.assemble(output.mark(passed=False), words))
    if (more := len(result.audit.findings) - _SHOWN) > 0:
        output.show(Text(f"… and {more} more; --report writes all."))
    for answer in result.wrong_answers:
        output.show(Text.assemble(output.mark(passed=False), f"a full disk was answered: {answer}"))
    settled = "never" if result.settled_after is None else f"{result.settled_after:g} s afterwards"
    words = f"{result.sent} SEDs sent, all queues empty {settled}"
    output.show(Text.assemble(output.mark(result.is_success), (words, "bold")))
    output.show_fields(
        {
            "seed": result.seed,
            "requests without answer": result.unknown,
            "requests refused": ", ".join(f"{code} {number}" for code, number in result.refused.items()),
        }
    )


def _by_kind(result: Result) -> dict[Kind, list[Done]]:
    found: dict[Kind, list[Done]] = defaultdict(list)
    for done in result.done:
        found[done.disturbance.kind].append(done)
    return {kind: found[kind] for kind in Kind if kind in found}


def _kind_row(kind: Kind, done: list[Done]) -> tuple[object, ...]:
    answers = sum((Counter(each.answers) for each in done), Counter[str]())
    skipped = sum(bool(each.skipped) for each in done)
    words = [f"{number} times {answer}" for answer, number in answers.most_common()]
    if skipped:
        words.append(f"{skipped} not done: {next(each.skipped for each in done if each.skipped)}")
    return kind, len(done), f"{sum(each.ended - each.began for each in done):.0f}", "\n".join(words)


def _row(row: Row) -> tuple[object, ...]:
    return (
        row.sender, row.receiver, row.sent, row.filed, row.receipted, row.dead_letters, row.lost, row.duplicated,
        row.unaccounted,
    )  # fmt: skip


def _sum(rows: tuple[Row, ...]) -> Row:
    return Row(
        "all",
        "",
        sent=sum(row.sent for row in rows),
        filed=sum(row.filed for row in rows),
        receipted=sum(row.receipted for row in rows),
        dead_letters=sum(row.dead_letters for row in rows),
        lost=sum(row.lost for row in rows),
        duplicated=sum(row.duplicated for row in rows),
        unaccounted=sum(row.unaccounted for row in rows),
    )
