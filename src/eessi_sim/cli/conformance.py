"""``eessi-sim conformance``: the numbered lists of good, bad and hostile messages, against our nodes or somebody else's."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import click
from rich.text import Text

from eessi_sim.cli import as4_options, failures, inputs, output
from eessi_sim.cli.as4_options import Agreed
from eessi_sim.clock import SystemClock
from eessi_sim.conformance import listing, report, runner
from eessi_sim.conformance.model import Finding, Row, Verdict
from eessi_sim.conformance.point import DOCUMENT, Point, at_party
from eessi_sim.conformance.runner import Benches
from eessi_sim.identifiers import InstitutionId
from eessi_sim.ir import snapshot
from eessi_sim.transport.tls import client_context

_MAX_FILE: Final = 10 * 1024 * 1024
_STYLES: Final = {Verdict.PASSED: "green", Verdict.FAILED: "bold red", Verdict.NOT_APPLICABLE: "dim"}


@click.command(short_help="Good, bad and hostile messages.", epilog=failures.EXIT_STATUS)
@click.option("--list", "name", type=click.Choice(listing.LISTS), help="One list; all by default.")
@click.option("--only", metavar="ID,…", help="Only these rows, E-01 for example.")
@click.option("--url", metavar="URL", help="Judge the AS4 gateway at this address, not nodes of our own.")
@click.option(
    "--party",
    metavar="ID",
    help="Judge this institution or access point; address and certificates come from --directory.",
)
@click.option(
    "--directory",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="FILE",
    help="Directory of the network of --party.",
)
@click.option("--strict", is_flag=True, help="A refusal counts only with the error code of the list.")
@click.option("--document", metavar="FILE", help="XML to send in good messages to --url or --party.")
@click.option(
    "--report",
    "folder",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Write index.html, junit.xml, trl.xml.",
)
@as4_options.possible_agreement
@output.shared_options
def conformance(
    *,
    name: str | None,
    only: str | None,
    url: str | None,
    folder: Path | None,
    agreed: Agreed,
    as_json: bool,
    **about: Any,
) -> None:
    r"""Send the messages of the lists, one after the other, and say what came back; a good one follows each bad one.

    Without --url and --party our own nodes are judged: a network of processes on loopback, and lone gateways. Of
    somebody else's gateway only what the HTTP response shows is judged, the rest is not applicable. It is sent hostile
    messages and large ones: ask its owner first. Exit status 1 when a row failed.

    \b
    Example:
      eessi-sim conformance --list eessi --report conformance
      eessi-sim conformance --only XSW-1,GZ-1
      eessi-sim conformance --url http://127.0.0.1:8788/ --keys keys/ours --partner keys/theirs
      eessi-sim conformance --party NO:NAVAT07 --directory ir.json --from PL:ZUS01 --keys keys/ours

    \b
    With --json: {"about", "passed", "failed", "not_applicable", "rows": [{"id", "list", "case", "verdict", "outcome",
    "remark", "milliseconds", "peak_mb"}]}.
    """
    everything = listing.rows()
    listed = [row for row in everything if name in (None, row.list)]
    rows = runner.select(listed, [each.strip() for each in (only or "").split(",") if each.strip()])
    party = _party(url, agreed, **about)
    target = (
        f"our own nodes ({len(rows)} rows)" if party is None else f"{party.mode.address} ({len(rows)} rows)"
    )
    table = _Table(rows, everything, is_shown=not as_json)
    benches = None if party is None else Benches(party=party, is_strict=about["strict"])
    findings = asyncio.run(_run(rows, everything, benches, table))
    if folder is not None:
        _write(folder, findings, target)
    numbers = report.summary(findings)
    if as_json:
        output.show_json(_as_json(target, findings))
    else:
        output.show(Text(f"{target}: " + ", ".join(f"{number} {word}" for word, number in numbers.items())))
        if folder is not None:
            output.show(Text(f"Report: {folder / 'index.html'}"))
    if numbers[Verdict.FAILED]:
        raise click.exceptions.Exit(failures.FINDING)


async def _run(
    rows: Sequence[Row], everything: Sequence[Row], benches: Benches | None, table: "_Table"
) -> tuple[Finding, ...]:
    if benches is not None:
        return await runner.run(rows, everything, benches, table.add)
    cases = [case for row in rows for case in runner.cases_of(row, everything)]
    async with runner.own_benches(cases) as own:
        return await runner.run(rows, everything, own, table.add)


def _party(
    url: str | None,
    agreed: Agreed,
    *,
    party: str | None,
    directory: Path | None,
    strict: bool,  # noqa: ARG001 - taken from the options together with these
    document: str | None,
) -> Point | None:
    if url is not None and party is not None:
        raise failures.usage("Expected --url or --party, found both.")
    if url is None and party is None:
        return None
    if agreed.keys is None:
        raise failures.usage("Expected --keys to talk to somebody else's gateway.")
    content = DOCUMENT if document is None else inputs.read_input(document, _MAX_FILE)
    context = None if agreed.tls is None else client_context(agreed.tls)
    if url is not None:
        if not agreed.keys.partners:
            raise failures.usage("Expected --partner with --url: whose answers are to be believed.")
        return Point(agreed.identity, agreed.mode_to(url), context, content)
    if directory is None or party is None:
        raise failures.usage("Expected --directory together with --party.")
    repository = snapshot.load(directory)
    return at_party(repository, InstitutionId(party), agreed.identity, agreed.mode, context, content)


class _Table:
    """Prints each finding as soon as it is there; counts them."""

    def __init__(self, rows: Sequence[Row], everything: Sequence[Row], *, is_shown: bool) -> None:
        self._total = sum(max(1, len(runner.cases_of(row, everything))) for row in rows)
        self._number = 0
        self._is_shown = is_shown

    def add(self, finding: Finding) -> None:
        """Print one line, and a second one when something is to be said."""
        self._number += 1
        if not self._is_shown:
            return
        width = len(str(self._total))
        memory = "" if finding.megabytes is None else f"{finding.megabytes:.0f} MB"
        time = f"{finding.milliseconds:.0f} ms" if finding.outcome else ""
        line = Text(f"{self._number:>{width}}/{self._total} {finding.row.id:<8} ")
        line.append(f"{finding.verdict:<14} ", style=_STYLES[finding.verdict])
        line.append(f"{finding.outcome:<24} {time:>9} {memory:>7}  {finding.name}")
        output.show_unwrapped(line)
        if finding.remark:
            output.show_unwrapped(Text(f"{'':>{2 * width + 2}}{failures.printable(finding.remark)}"))


def _write(folder: Path, findings: Sequence[Finding], target: str) -> None:
    for name, content in report.files(findings, target, SystemClock().now()).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        inputs.write_output(str(path), content)


def _as_json(target: str, findings: Sequence[Finding]) -> dict[str, object]:
    numbers = report.summary(findings)
    return {
        "about": target,
        **{word.replace(" ", "_"): number for word, number in numbers.items()},
        "rows": [
            {
                "id": each.row.id,
                "list": each.row.list,
                "case": each.name,
                "verdict": str(each.verdict),
                "outcome": each.outcome,
                "remark": each.remark,
                "milliseconds": round(each.milliseconds),
                "peak_mb": None if each.megabytes is None else round(each.megabytes),
            }
            for each in findings
        ],
    }
