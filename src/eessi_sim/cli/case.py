"""``eessi-sim case``: the cases of a network, how long everything took, and one of them as an archive that proves itself.

The stores of the nodes are read directly, so it does not matter whether the network runs.
"""

import asyncio
import secrets
from datetime import datetime
from pathlib import Path
from typing import Final

import click
from rich.text import Text

from eessi_sim.bulk.status import ClaimTable
from eessi_sim.casefile import contents
from eessi_sim.casefile.claims import claims_of
from eessi_sim.casefile.contents import Surroundings
from eessi_sim.casefile.export import Exported, Seal, archive
from eessi_sim.casefile.hiding import Hidden, Openings, hide, openings_json
from eessi_sim.casefile.indicators import Indicators, Relation, relations
from eessi_sim.casefile.masking import Fields
from eessi_sim.cdm.catalogue import Catalogue
from eessi_sim.cli import (
    case_actions,
    case_claims,
    case_decisions,
    case_do,
    case_history,
    case_limits,
    case_times,
    failures,
    inputs,
    output,
)
from eessi_sim.cli.copies import Copy, find_copy, node_option, require_node
from eessi_sim.cli.stores import open_stores, state_option
from eessi_sim.clock import SystemClock
from eessi_sim.errors import EnvironmentProblem
from eessi_sim.identifiers import InstitutionId, RandomIdFactory
from eessi_sim.ir import snapshot
from eessi_sim.security.keys import KeyPair, Purpose
from eessi_sim.simulation.credentials import load_pair

_DIRECTORY: Final = "directory.json"
_PKI: Final = "pki"


@click.group(epilog=failures.EXIT_STATUS)
def case() -> None:
    r"""The cases of a network: how long everything took, what is overdue, and one as an archive that proves itself.

    \b
    Example:
      eessi-sim case list
      eessi-sim case show 171d21fd7c1d407d98210bf57bdb7b9b
      eessi-sim case export 171d21fd7c1d407d98210bf57bdb7b9b -o case.zip
      eessi-sim verify case.zip
    """


case.add_command(case_decisions.suggestions)
case.add_command(case_decisions.accept)
case.add_command(case_decisions.decline)
case.add_command(case_claims.claims)
case.add_command(case_actions.actions)
case.add_command(case_do.do)

_at = click.option(
    "--at", type=inputs.Time(), metavar="TIME", help="When to look at what is overdue; now by default."
)


@case.command("list", short_help="Every case: parties, status, what is overdue.", epilog=failures.EXIT_STATUS)
@state_option
@click.option("--node", metavar="ID", help="Only the copies of this institution.")
@_at
@output.shared_options
def list_(*, state: Path, node: str | None, at: datetime | None, as_json: bool) -> None:
    r"""List every case once, as its owner has it, with what is waited for and what is overdue.

    \b
    Example:
      eessi-sim case list
      eessi-sim case list --node PL:ZUS01 --json

    \b
    With --json: [{"case", "node", "local_case", "buc", "role", "status", "created_at",
      "peers", "documents", "waiting", "overdue"}].
    """
    found = asyncio.run(_list(state, node, at or SystemClock().now()))
    if as_json:
        output.show_json([case_times.summary(each) for each in found])
        return
    case_times.show_list(found)


async def _list(state: Path, node: str | None, now: datetime) -> list[Indicators]:
    async with open_stores(state) as stores:
        require_node(stores, node)
        return [await case_times.measured(copy, now) for copy in await case_times.copies_in(stores, node)]


@case.command("overdue", short_help="What is late, by which law.", epilog=failures.EXIT_STATUS)
@state_option
@click.option("--node", metavar="ID", help="Only the copies of this institution.")
@_at
@output.shared_options
def overdue(*, state: Path, node: str | None, at: datetime | None, as_json: bool) -> None:
    r"""List every answer and every process that is late by the limits of the process tables, with the article.

    The exit status is 1 when something is late. Rules may remind by themselves: "overdue" in institutions/README.md.

    \b
    Example:
      eessi-sim case overdue
      eessi-sim case overdue --node NO:NAVAT07 --at 2027-01-31

    \b
    With --json: [{"case", "node", "local_case", "buc", "what": "answer" or "process", "sed", "document",
      "owed_by", "due_at", "late_by", "text", "article", "source", "confidence"}].
    """
    now = at or SystemClock().now()
    found = [
        item for each in asyncio.run(_list(state, node, now)) for item in case_limits.overdue_items(each, now)
    ]
    if as_json:
        output.show_json(found)
    else:
        case_limits.show_overdue(found)
    if found:
        click.get_current_context().exit(failures.FINDING)


@case.command("peers", short_help="Times per peer over all cases.", epilog=failures.EXIT_STATUS)
@state_option
@click.option("--node", metavar="ID", help="Only the copies of this institution.")
@_at
@output.shared_options
def peers(*, state: Path, node: str | None, at: datetime | None, as_json: bool) -> None:
    r"""Sum up, for each institution and each of its peers, all their cases: sent, receipted, answered, late.

    Times are shown as number, median and longest.

    \b
    Example:
      eessi-sim case peers
      eessi-sim case peers --node NO:NAVAT07 --json

    \b
    With --json: [{"node", "cases", "peer", "sent", "received", "receipts", "answers", "own_answers": {"number",
      "median_seconds", "longest_seconds"}, "waiting", "overdue"}].
    """
    found = asyncio.run(_relations(state, node, at or SystemClock().now()))
    if as_json:
        output.show_json(
            [{"node": each.own, "cases": each.cases, **case_times.peer_json(each.peer)} for each in found]
        )
        return
    rows = [(each.own, each.cases, *case_times.sums(each.peer)) for each in found]
    output.show_table(["!Institution", "!>Cases", *case_times.SUMS], rows)


async def _relations(state: Path, node: str | None, now: datetime) -> tuple[Relation, ...]:
    async with open_stores(state) as stores:
        require_node(stores, node)
        copies = await case_times.all_copies(stores, node)
        return relations([await case_times.measured(copy, now) for copy in copies])


@case.command("show", short_help="Documents and times of one case.", epilog=failures.EXIT_STATUS)
@click.argument("reference", metavar="CASE")
@state_option
@node_option
@_at
@inputs.cdm_option
@output.shared_options
def show(
    *,
    reference: str,
    state: Path,
    node: str | None,
    at: datetime | None,
    catalogue: Catalogue,
    as_json: bool,
) -> None:
    r"""Show one copy of a case: per document and peer when it was sent, receipted and answered; attachments; claims; sums per peer.

    An answer is overdue when the limit of the process table is over and the case is open; the law or practice behind
    the limit is named. Tables without a length state none. CASE is the id that all copies share, or the one at --node.

    \b
    Example:
      eessi-sim case show 171d21fd7c1d407d98210bf57bdb7b9b
      eessi-sim case show 171d21fd7c1d407d98210bf57bdb7b9b --node PL:ZUS01 --at 2027-01-31

    \b
    With --json: what case list has, and "exchanges": [{"document", "sed", "version", "direction", "status", "peer",
      "at", "accepted_at", "receipted_at", "answered_at", "answered_by", "answer", "due_at", "limit": {"text",
      "article", "months", "days", "from_month_end", "since", "until", "source", "confidence"}}],
      "by_peer": [{"peer", "sent", "received",
      "receipts", "answers", "own_answers": {"number", "median_seconds", "longest_seconds"}, "waiting", "overdue"}],
      "limits": [{"text", "article", "source", "confidence", "since", "due_at", "ended_by", "overdue"}],
      "history": [{"at", "kind", "institution", "sed", "document", "version", "decided_by", "name", "reason"}],
      "suggestions": [as case suggestions], "actions": [{"word", "text", "operation", "sed", "document", "parent",
      "available_from", "rina": {"name", "display_name", "type", "template", "type_version", "category", "tag_type",
      "can_close", "requires_valid_document", "has_business_validation"}}],
      "attachments": [{"document", "sed", "id", "name", "file_name", "mime_type", "medical", "version", "size", "sha256"}],
      "claims": null or {"request", "counts": {status: number}, "requested", "accepted", "paid", "findings": number}.
    """
    now = at or SystemClock().now()
    found, claimed = asyncio.run(_show(state, reference, node, now, catalogue))
    if as_json:
        suggested, actions = case_decisions.as_json(found.case), case_actions.as_json_of(found.case, now)
        output.show_json(
            {
                **case_times.details(found),
                "history": case_history.as_json(found.case),
                "suggestions": suggested,
                "actions": actions,
                "claims": case_claims.summed_up(claimed),
            }
        )
        return
    case_times.show_details(found)
    case_claims.show_summary(found.case, claimed)
    case_history.show(found.case)
    case_decisions.show(found.case)


async def _show(
    state: Path, reference: str, node: str | None, now: datetime, catalogue: Catalogue
) -> tuple[Indicators, ClaimTable]:
    async with open_stores(state) as stores:
        copy = await find_copy(stores, reference, node)
        return await case_times.measured(copy, now), await claims_of(copy.store, copy.case, catalogue)


@case.command("export", short_help="One case as an archive.", epilog=failures.EXIT_STATUS)
@click.argument("reference", metavar="CASE")
@state_option
@node_option
@click.option("-o", "--output", "target", metavar="FILE", required=True, help="The archive to write.")
@click.option(
    "--mask", is_flag=True, help="Hide persons: names, birth dates, numbers, addresses, free texts."
)
@click.option(
    "--openings",
    metavar="FILE",
    help="With --mask: where to write what was hidden, with its salts; keep it to yourself.",
)
@output.shared_options
def export(
    *,
    reference: str,
    state: Path,
    node: str | None,
    target: str,
    mask: bool,
    openings: str | None,
    as_json: bool,
) -> None:
    r"""Write one copy of a case as an archive that anybody can verify without the network.

    The archive is a zip with all documents, attachments, AS4 messages, receipts and certificates, and a journal of everything
    that happened: each entry states the SHA-256 of its file and the hash of the entry before it. The manifest states
    the last hash and is sealed by the institution. CASE is the id that all copies share, or the one at --node.

    With --mask every text that may lead to a person becomes a salted hash; of AS4 messages the signed SOAP part
    stays, attachments and their names are left out. Chain, signatures of messages and receipts verify all the same, seals of masked documents only with the
    openings.

    \b
    Example:
      eessi-sim case export 171d21fd7c1d407d98210bf57bdb7b9b -o case.zip
      eessi-sim verify case.zip
      eessi-sim case export 171d21fd7c1d407d98210bf57bdb7b9b --mask -o shown.zip --openings secret.json

    With --json: {"file", "case", "node", "masked", "entries", "files", "head"}
    """
    if openings is not None and not mask:
        raise failures.usage("Expected --mask beside --openings; nothing is hidden without.")
    exported, hidden = asyncio.run(_export(state, reference, node, mask=mask))
    inputs.write_output(target, exported.data)
    if openings is not None:
        inputs.write_output(openings, openings_json(hidden))
    about = exported.manifest
    if as_json:
        output.show_json(
            {
                "file": target,
                "case": about.case,
                "node": about.node,
                "masked": about.masked,
                "entries": about.head.entries,
                "files": exported.files,
                "head": about.head.hash,
            }
        )
        return
    line = output.mark(passed=True)
    line.append(target, style="bold")
    line.append(f"  {about.buc} {about.case} of {about.node}: ")
    line.append(f"{about.head.entries} entries, {exported.files} files, {len(exported.data):,} bytes")
    output.show_unwrapped(line)
    output.show_unwrapped(Text(f"  head {about.head.hash}", style=output.DIM))


async def _export(state: Path, reference: str, node: str | None, *, mask: bool) -> tuple[Exported, Openings]:
    """Return the archive, and what is hidden in it."""
    now = SystemClock().now()
    async with open_stores(state) as stores:
        copy = await find_copy(stores, reference, node)
        records = await contents.gather(copy.store, copy.case, _surroundings(state), at=now)
    hidden = hide(records, Fields.default(), _salt) if mask else Hidden(records, {})
    seal = Seal(_seal_of(state, copy), now, RandomIdFactory().hex32())
    return archive(copy.case, hidden.records, seal, masked=mask), hidden.openings


def _salt() -> str:
    return secrets.token_hex(16)


def _surroundings(state: Path) -> Surroundings:
    """Return what the folder of a network says about certificates.

    Raises:
        EnvironmentProblem: a file of the authority is missing.
        DefinitionError: so is the directory, or it is something else.
    """
    files = [state / _PKI / name for name in (contents.AUTHORITY, contents.REVOKED)]
    try:
        authority, revoked = (path.read_bytes() for path in files)
    except OSError as error:
        raise EnvironmentProblem(
            f'Expected the authority of the network in "{state / _PKI}", found: {error.strerror}',
            hint="Only a whole folder of a network has what proves a case.",
        ) from error
    return Surroundings(snapshot.load(state / _DIRECTORY), authority, revoked)


def _seal_of(state: Path, copy: Copy) -> KeyPair:
    return load_pair(state / _PKI, InstitutionId(copy.case.own), Purpose.SEAL)
