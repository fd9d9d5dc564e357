"""``eessi-sim dead-letters``: what could not go on, why, and another try.

It does not matter whether the network runs: a node that runs is asked, of one that stands still the store is changed.
"""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import click

from eessi_sim.cli import failures, output, tracing
from eessi_sim.cli.case_decisions import Words
from eessi_sim.cli.copies import require_node
from eessi_sim.cli.keepers import Keepers, open_keepers
from eessi_sim.cli.stores import open_stores, state_option
from eessi_sim.errors import EessiSimError, MessageNotFound
from eessi_sim.gateway import dead_letters as letters
from eessi_sim.identifiers import InstitutionId
from eessi_sim.simulation.operations import OPERATOR
from eessi_sim.storage.base import JournalEntry, StoredMessage

_PAGE: Final = 1000
_ADVICE: Final = (
    ("EBMS:0301", "Check that the receiver runs, then: eessi-sim dead-letters resend ID."),
    ("EBMS:0020", "Check receiver and endpoint in the directory."),
    ("EBMS:0005", "Start the receiver's node, then: eessi-sim dead-letters resend ID."),
    ("EBMS:0004", "Correct what the reason names (eessi-sim validate helps), then send a new message."),
    ("EBMS:01", "Check the ebMS certificates of both sides in the directory (eessi-sim pki list)."),
    ("EBMS:", "Compare the message with the profile (eessi-sim verify MESSAGE --explain)."),
    ("connect-failed", "Start the access point, then: eessi-sim dead-letters resend ID."),
    ("internal", "A mistake of the simulator: the log of the node has the whole story."),
    ("Not collected", "Let the institution fetch its messages, then: eessi-sim dead-letters resend ID."),
)
"""What to do, by the beginning of the reason; the first that fits."""
_ELSE: Final = "The sender was told by X050; correct the document and send it again."

_node = click.option("--node", metavar="ID", help="Only this node.")


@dataclass(frozen=True, slots=True)
class _Letter:
    """A dead letter and the node that keeps it."""

    node: InstitutionId
    message: StoredMessage

    @property
    def reason(self) -> str:
        """Why it cannot go on."""
        return letters.reason_of_death(self.message)

    @property
    def can_be_resent(self) -> bool:
        """Whether another try may help."""
        return letters.can_help(self.message)


@click.group("dead-letters", invoke_without_command=True, epilog=failures.EXIT_STATUS)
@state_option
@output.shared_options
@click.pass_context
def dead_letters(ctx: click.Context, *, state: Path, as_json: bool) -> None:
    r"""Show the messages that could not go on: where, why, and what to do.

    \b
    Example:
      eessi-sim dead-letters
      eessi-sim dead-letters resend --all

    \b
    With --json: [{"at", "node", "direction", "kind", "message_id", "sed", "from", "to", "state",
      "attempts", "reason", "advice", "can_be_resent"}]
    """
    if ctx.invoked_subcommand is not None:
        return
    found = asyncio.run(_dead(state))
    if as_json:
        output.show_json([_as_json(letter) for letter in found])
        return
    if not found:
        output.show_fields({"dead letters": "none"})
        return
    for letter in found:
        _show(letter)


@dead_letters.command(epilog=failures.EXIT_STATUS)
@click.argument("reference", metavar="ID")
@state_option
@output.shared_options
def show(*, reference: str, state: Path, as_json: bool) -> None:
    r"""Show one dead letter with the steps that led to it, on every node that keeps it as one.

    ID is the message id or its first eight letters.

    \b
    Example:
      eessi-sim dead-letters show 3f0f7a52

    With --json: [{…as in the list, "steps": [{"at", "node", "step", "outcome", …}]}]
    """
    found = asyncio.run(_with_steps(state, reference))
    if as_json:
        output.show_json([{**_as_json(letter), "steps": tracing.as_json(steps)} for letter, steps in found])
        return
    for letter, steps in found:
        _show(letter)
        tracing.show_entries(steps, title=f"Steps at {letter.node}", with_message=False)


@dead_letters.command(epilog=failures.EXIT_STATUS)
@click.argument("reference", metavar="[ID]", required=False)
@click.option("--all", "everything", is_flag=True, help="All dead letters that another try can help.")
@click.option("--reason", metavar="PREFIX", help="Those whose reason begins like this.")
@_node
@click.option("--force", is_flag=True, help="Also where the same bytes can only be refused again.")
@click.option(
    "--by", "actor", type=Words(), default=OPERATOR, show_default=True, metavar="NAME", help="Who asks."
)
@state_option
@output.shared_options
def resend(
    *,
    reference: str | None,
    everything: bool,
    reason: str | None,
    node: str | None,
    force: bool,
    actor: str,
    state: Path,
    as_json: bool,
) -> None:
    r"""Put dead letters back into their queues: the same message ids and the same bytes.

    Receivers recognise what they have, so nothing is delivered twice. An incoming message is processed again. What
    was refused for its content is left out: it needs a new document; --force tries all the same. The journal says
    who asked.

    \b
    Example:
      eessi-sim dead-letters resend 3f0f7a52
      eessi-sim dead-letters resend --reason EBMS:0005 --by anna

    With --json: {"resent": [{"node", "direction", "message_id", "state"}], "left": [{…, "code", "reason"}]}
    """
    if (reference is not None) + everything + (reason is not None) != 1:
        raise failures.usage("Expected one of ID, --all and --reason PREFIX.")
    wanted = _Wanted(reference, reason, node)
    outcome = asyncio.run(_resend(state, wanted, actor, force=force))
    if as_json:
        output.show_json({"resent": outcome.resent, "left": outcome.left})
    else:
        _show_outcome(outcome)
    if outcome.left:
        click.get_current_context().exit(failures.FINDING)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """Which dead letters are meant."""

    reference: str | None
    reason: str | None
    node: str | None

    def accepts(self, letter: _Letter) -> bool:
        """Return whether a dead letter is meant."""
        return (
            self.node in (None, letter.node)
            and (self.reference is None or _is_named(letter.message.message_id, self.reference))
            and (self.reason is None or letter.reason.startswith(self.reason))
        )


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What became of the wish."""

    resent: list[dict[str, str]]
    left: list[dict[str, str]]


async def _resend(folder: Path, wanted: _Wanted, actor: str, *, force: bool) -> _Outcome:
    outcome = _Outcome([], [])
    chosen = [letter for letter in await _dead(folder) if wanted.accepts(letter)]
    if wanted.reference is not None:
        _require(chosen, wanted.reference)
    async with open_keepers(folder, actor) as keepers:
        require_node(keepers, wanted.node)
        for letter in chosen:
            await _resend_one(keepers, letter, outcome, force=force)
    return outcome


async def _resend_one(keepers: Keepers, letter: _Letter, outcome: _Outcome, *, force: bool) -> None:
    message = letter.message
    about = {
        "node": str(letter.node),
        "direction": str(message.direction),
        "message_id": str(message.message_id),
    }
    try:
        view = await keepers[letter.node].resend(message.direction, message.message_id, force=force)
    except EessiSimError as error:  # the others shall have their try
        hint = {"hint": error.hint} if error.hint else {}
        outcome.left.append({**about, "code": error.code, "reason": error.message, **hint})
        return
    outcome.resent.append({**about, "state": view.state})


def _show_outcome(outcome: _Outcome) -> None:
    for entry in outcome.resent:
        output.show_fields({**entry, "result": "back in its queue"})
        output.show("")
    for entry in outcome.left:
        output.show_fields(entry)
        output.show("")
    output.show_fields({"resent": len(outcome.resent), "left": len(outcome.left)})


def _show(letter: _Letter) -> None:
    can = "yes" if letter.can_be_resent else "no, only with --force"
    output.show_fields({**_as_json(letter), "at": letter.message.updated_at, "can_be_resent": can})
    output.show("")


def _as_json(letter: _Letter) -> dict[str, object]:
    message = letter.message
    return {
        "at": message.updated_at,
        "node": letter.node,
        "direction": message.direction,
        "kind": message.kind,
        "message_id": message.message_id,
        "sed": message.details.get("sed"),
        "from": message.sender,
        "to": message.receiver,
        "state": message.state,
        "attempts": message.attempts,
        "reason": letter.reason,
        "advice": _advice(letter.reason),
        "can_be_resent": letter.can_be_resent,
    }


def _advice(reason: str) -> str:
    return next((advice for start, advice in _ADVICE if reason.startswith(start)), _ELSE)


def _is_named(message_id: str, reference: str) -> bool:
    is_short = len(reference) == tracing.SHORT
    return message_id.startswith(reference) if is_short else message_id == reference


def _require(found: Sequence[object], reference: str) -> None:
    if not found:
        raise MessageNotFound(
            f'Expected a dead letter, found none with the id "{reference}"',
            hint="See eessi-sim dead-letters for those that there are.",
        )


async def _with_steps(folder: Path, reference: str) -> list[tuple[_Letter, Sequence[JournalEntry]]]:
    chosen = [each for each in await _dead(folder) if _is_named(each.message.message_id, reference)]
    _require(chosen, reference)
    async with open_stores(folder) as stores:
        return [
            (each, tracing.in_order(await stores[each.node].journal_of(each.message.message_id)))
            for each in chosen
        ]


async def _dead(folder: Path) -> list[_Letter]:
    async with open_stores(folder) as stores:
        found: Iterable[_Letter] = [
            _Letter(party, message)
            for party, store in stores.items()
            for message in await store.messages(letters.ALL_DEAD, limit=_PAGE)
        ]
    return sorted(found, key=lambda letter: (letter.message.updated_at, letter.node))
