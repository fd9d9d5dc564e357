"""``eessi-sim cleanup``: octets of messages that are long finished, and old lines of the journal, are removed."""

import asyncio
import re
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Final

import click

from eessi_sim.cli import failures, output
from eessi_sim.cli.case_decisions import Words
from eessi_sim.cli.copies import require_node
from eessi_sim.cli.keepers import open_keepers
from eessi_sim.cli.stores import state_option
from eessi_sim.gateway.retention import Cleaned, Retention
from eessi_sim.identifiers import InstitutionId
from eessi_sim.simulation.operations import OPERATOR

_DAYS: Final = re.compile(r"P?([0-9]{1,5})D", re.IGNORECASE)


class _Days(click.ParamType):  # type: ignore[type-arg] # generic in the newest click only
    """A number of days: 90d, or P90D."""

    name = "days"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """Return the duration that a word means."""
        found = _DAYS.fullmatch(str(value))
        if found is None:
            self.fail(f'Expected a number of days such as 90d, found "{value}".', param, ctx)
        return timedelta(days=int(found[1]))


@click.command(epilog=failures.EXIT_STATUS)
@click.option(
    "--older-than", "messages", type=_Days(), metavar="DAYS", help="Octets of finished messages, as in 90d."
)
@click.option("--journal-older-than", "journal", type=_Days(), metavar="DAYS", help="Lines of the journal.")
@click.option("--dry-run", is_flag=True, help="Only say how much that would be.")
@click.option("--node", metavar="ID", help="Only this node.")
@click.option(
    "--by", "actor", type=Words(), default=OPERATOR, show_default=True, metavar="NAME", help="Who asks."
)
@state_option
@output.shared_options
def cleanup(
    *,
    messages: timedelta | None,
    journal: timedelta | None,
    dry_run: bool,
    node: str | None,
    actor: str,
    state: Path,
    as_json: bool,
) -> None:
    r"""Remove the octets of messages that are long finished, and old lines of the journal.

    Of a message stays who sent what to whom, when it was receipted, and the digest; documents and attachments stay with
    their case. Nothing younger than 30 days is removed, since a repetition must be recognised. Files in the spool
    go when the node starts next. It does not matter whether the network runs.

    \b
    Example:
      eessi-sim cleanup --older-than 90d --dry-run
      eessi-sim cleanup --older-than 90d --journal-older-than 365d --by anna

    With --json: {"dry_run", "nodes": [{"node", "messages", "journal"}]}
    """
    if messages is None and journal is None:
        raise failures.usage("Expected --older-than, --journal-older-than or both.")
    found = asyncio.run(_clean(state, Retention(messages, journal), node, actor, dry_run=dry_run))
    if as_json:
        nodes = [{"node": party, **asdict(cleaned)} for party, cleaned in found.items()]
        output.show_json({"dry_run": dry_run, "nodes": nodes})
        return
    rows = [[party, str(cleaned.messages), str(cleaned.journal)] for party, cleaned in found.items()]
    title = "What would be removed" if dry_run else "What was removed"
    output.show_table(["!Node", "Messages", "Journal lines"], rows, title=title)


async def _clean(
    folder: Path, retention: Retention, node: str | None, actor: str, *, dry_run: bool
) -> dict[InstitutionId, Cleaned]:
    async with open_keepers(folder, actor) as keepers:
        require_node(keepers, node)
        return {
            party: await keeper.clean_up(retention, dry_run=dry_run)
            for party, keeper in keepers.items()
            if node in (None, party)
        }
