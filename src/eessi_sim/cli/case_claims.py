"""``eessi-sim case claims``: what has become of every individual claim of a case."""

import asyncio
from pathlib import Path
from typing import Final

import click
from rich.text import Text

from eessi_sim.buc.case import Case
from eessi_sim.bulk.definition import Status
from eessi_sim.bulk.status import ClaimState, ClaimTable, Decision
from eessi_sim.casefile.claims import claims_of
from eessi_sim.cdm.catalogue import Catalogue
from eessi_sim.cli import failures, inputs, output
from eessi_sim.cli.copies import find_copy, node_option
from eessi_sim.cli.stores import open_stores, state_option

_STYLES: Final = {
    Status.CONTESTED: output.BAD,
    Status.DISPUTED: output.BAD,
    Status.PART_ACCEPTED: output.WARN,
    Status.PART_PAID: output.WARN,
    Status.ACCEPTED: output.GOOD,
    Status.PAID: output.GOOD,
    Status.SETTLED: output.GOOD,
}
_OF_INTEREST: Final = (Status.CHARGED, Status.REFUSED)
"""Not said of a claim itself."""
_SHOWN: Final = 50


@click.command("claims", short_help="What became of every individual claim.", epilog=failures.EXIT_STATUS)
@click.argument("reference", metavar="CASE")
@click.option(
    "--status",
    type=click.Choice([str(each) for each in Status if each not in _OF_INTEREST]),
    help="Only claims of this status, for example contested.",
)
@click.option("--all", "everything", is_flag=True, help=f"All claims, not only the first {_SHOWN}.")
@state_option
@node_option
@inputs.cdm_option
@output.shared_options
def claims(
    *,
    reference: str,
    status: str | None,
    everything: bool,
    state: Path,
    node: str | None,
    catalogue: Catalogue,
    as_json: bool,
) -> None:
    r"""Show every individual claim of a case with a bulk SED: its status, its amounts, and which document said so.

    The request opens the claims; a contestation contests those it lists and accepts the others, an amended request
    says what becomes of each, payments add up. How documents are read so is inferred; see <SED>.bulk.yaml. What a
    document says of a claim that nobody made, or twice of one, stands below the table, and the exit status is 1.
    CASE is the id that all copies share, or the one at --node.

    \b
    Example:
      eessi-sim case claims 171d21fd7c1d407d98210bf57bdb7b9b
      eessi-sim case claims 171d21fd7c1d407d98210bf57bdb7b9b --status contested --all

    \b
    With --json: {"case", "node", "request", "counts": {status: number}, "requested", "accepted", "paid",
      "claims": [{"number", "person", "status", "by", "document", "requested", "accepted", "paid",
      "currency", "interest", "interest_by"}],
      "findings": [{"code", "document", "name", "number", "message", "hint"}]}.
    """
    case, found = asyncio.run(_read(state, reference, node, catalogue))
    chosen = [each for each in found.claims if status in (None, each.claim.status)]
    if as_json:
        output.show_json(_as_json(case, found, chosen))
    else:
        _show(case, found, chosen if everything else chosen[:_SHOWN], len(chosen))
    if found.findings:
        click.get_current_context().exit(failures.FINDING)


async def _read(
    state: Path, reference: str, node: str | None, catalogue: Catalogue
) -> tuple[Case, ClaimTable]:
    async with open_stores(state) as stores:
        copy = await find_copy(stores, reference, node)
        return copy.case, await claims_of(copy.store, copy.case, catalogue)


def _as_json(case: Case, table: ClaimTable, chosen: list[ClaimState]) -> dict[str, object]:
    return {
        "case": case.international_id,
        "node": case.own,
        "request": table.request,
        "counts": {str(status): number for status, number in table.counts().items()},
        **{name: str(value) for name, value in totals(table).items()},
        "claims": [claim_as_json(each) for each in chosen],
        "findings": [
            {
                "code": each.code,
                "document": each.document,
                "name": each.name,
                "number": each.number,
                "message": each.message,
                "hint": each.hint,
            }
            for each in table.findings
        ],
    }


def summed_up(table: ClaimTable) -> dict[str, object] | None:
    """Return the JSON form of what has become of all claims together; None when nobody made any."""
    if not table.claims:
        return None
    return {
        "request": table.request,
        "counts": {str(status): number for status, number in table.counts().items()},
        **{name: str(value) for name, value in totals(table).items()},
        "findings": len(table.findings),
    }


def show_summary(case: Case, table: ClaimTable) -> None:
    """Print one line about the claims of a case, and where to see each; nothing when nobody made any."""
    if not table.claims:
        return
    sums = ", ".join(f"{name} {value}" for name, value in totals(table).items())
    output.show(Text(f"claims: {_counted(table)}; {sums}"))
    if count := len(table.findings):
        output.show(Text(f"claims: {count} finding{'s'[: count != 1]}", style=output.BAD))
    output.show_unwrapped(Text(f"each: eessi-sim case claims {case.international_id}", style=output.DIM))


def _counted(table: ClaimTable) -> str:
    return ", ".join(f"{number} {status}" for status, number in table.counts().items())


def totals(table: ClaimTable) -> dict[str, object]:
    """Return what is requested, accepted and paid in all; withdrawn claims do not count."""
    return {
        "requested": table.total(lambda each: each.requested),
        "accepted": table.total(lambda each: each.accepted),
        "paid": table.total(lambda each: each.paid),
    }


def claim_as_json(state: ClaimState) -> dict[str, object]:
    """Return the JSON form of one claim; amounts are texts, as in documents."""
    return {
        "number": state.number,
        "person": state.person,
        "status": state.claim.status,
        "by": state.claim.name,
        "document": state.claim.document,
        "requested": _text(state.requested),
        "accepted": _text(state.accepted),
        "paid": _text(state.paid),
        "currency": state.currency,
        "interest": state.interest.status if state.interest else None,
        "interest_by": state.interest.name if state.interest else None,
    }


def _text(amount: object) -> str | None:
    return str(amount) if amount is not None else None


def _show(case: Case, table: ClaimTable, chosen: list[ClaimState], count: int) -> None:
    if not table.claims:
        output.show_unwrapped(Text(f"No document of case {case.international_id} makes individual claims."))
        return
    output.show(
        Text(f"{case.buc}  request {failures.printable(table.request)}, copy of {case.own}", style="bold")
    )
    has_interest = any(each.interest for each in chosen)
    headings = ["!>Claim", "Person", "!Status", "!Said by", "!>Requested", "!>Accepted", "!>Paid", "!"]
    rows = [_row(each, has_interest=has_interest) for each in chosen]
    output.show_table([*headings, "!Interest"] if has_interest else headings, rows)
    if count > len(chosen):
        output.show(Text(f"… and {count - len(chosen)} more; --all shows them.", style=output.DIM))
    output.show(Text())
    sums = {name: str(value) for name, value in totals(table).items()}
    output.show_fields({"claims": _counted(table), **sums})
    for finding in table.findings:
        line = output.mark(passed=False)
        line.append(failures.printable(finding.message))
        line.append(f"  {finding.hint}", style=output.DIM)
        output.show(line)


def _row(state: ClaimState, *, has_interest: bool) -> list[object]:
    decided = _worded(state.claim)
    row: list[object] = [
        failures.printable(state.number),
        failures.printable(state.person),
        decided,
        state.claim.name,
        state.requested,
        state.accepted,
        state.paid or None,
        failures.printable(state.currency),
    ]
    return [*row, _worded(state.interest) if state.interest else None] if has_interest else row


def _worded(decision: Decision) -> Text:
    return Text(decision.status, style=_STYLES.get(decision.status, ""))
