"""``case suggestions``, ``case accept``, ``case decline``: what rules leave to a clerk, and what the clerk says.

Suggestions are read from the stores; to decide one, the network must run, because accepting one sends a document.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import click
from rich.text import Text

from eessi_sim.buc import engine
from eessi_sim.buc.case import Case
from eessi_sim.buc.loader import Definitions
from eessi_sim.buc.suggestion import Suggestion
from eessi_sim.cli import case_times, failures, output
from eessi_sim.cli.copies import find_copy, node_option, require_node
from eessi_sim.cli.stage import Stage, find_state, run_async, running
from eessi_sim.cli.stores import Stores, open_stores, state_option
from eessi_sim.clock import SystemClock, iso
from eessi_sim.errors import EnvironmentProblem, SuggestionGone
from eessi_sim.simulation.control import NodeControl
from eessi_sim.simulation.views import CaseView

_SHOWN: Final = 8
"""Characters of an id that are enough to tell one suggestion from another."""


class Words(click.ParamType):  # type: ignore[type-arg] # generic in the newest click only
    """A text that says something: not empty, not blanks alone."""

    name = "text"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the text without blanks around it."""
        if not value.strip():
            self.fail("Expected some words, found none", param, ctx)
        return value.strip()


clerk_option = click.option(
    "--clerk",
    type=Words(),
    default="clerk",
    show_default=True,
    metavar="NAME",
    help="Who decides; the case file names it.",
)


@dataclass(frozen=True, slots=True)
class Found:
    """A suggestion and the copy of the case that it belongs to."""

    case: Case
    suggestion: Suggestion


@click.command(short_help="What rules suggest to a clerk.", epilog=failures.EXIT_STATUS)
@click.argument("reference", metavar="[CASE]", required=False)
@state_option
@node_option
@output.shared_options
def suggestions(*, reference: str | None, state: Path, node: str | None, as_json: bool) -> None:
    r"""List what rules suggest and nobody has decided, of one case or of all, with the rule and what it saw.

    Rules suggest where the file of an institution says "decides: suggesting". A suggestion vanishes as soon as its
    action is no longer possible.

    \b
    Example:
      eessi-sim case suggestions
      eessi-sim case suggestions --node PL:ZUS01 --json

    \b
    With --json: [{"id", "node", "case", "local_case", "buc", "sed", "rule", "inputs": [text],
      "about", "parent", "receivers", "at"}].
    """
    found = asyncio.run(_suggestions(state, reference, node))
    if as_json:
        output.show_json([_as_json(each) for each in found])
        return
    _show(found)


def as_json(case: Case) -> list[dict[str, object]]:
    """Return the JSON form of the open suggestions of a case."""
    return [_as_json(each) for each in possible(case)]


def show(case: Case) -> None:
    """Print the open suggestions of a case, if there are any."""
    if found := possible(case):
        output.show(Text())
        _show(found)


def _show(found: list[Found]) -> None:
    if not found:
        output.remark("No rule suggests anything.")
        return
    rows = [
        (
            each.suggestion.id[:_SHOWN],
            each.case.own,
            each.case.international_id,
            f"send {each.suggestion.sed}",
            "\n".join((f"rule {each.suggestion.rule}", *each.suggestion.inputs)),
        )
        for each in found
    ]
    output.show_table(["!Id", "!Institution", "!Case", "!Suggestion", "Why"], rows)
    output.remark(f"eessi-sim case accept {found[0].suggestion.id[:_SHOWN]}, or case decline … --reason …")


async def _suggestions(state: Path, reference: str | None, node: str | None) -> list[Found]:
    async with open_stores(state) as stores:
        require_node(stores, node)
        if reference is None:
            return await all_of(stores, node)
        return list(possible((await find_copy(stores, reference, node)).case))


async def all_of(stores: Stores, node: str | None = None) -> list[Found]:
    """Return the open suggestions of every institution, or of one."""
    chosen = [store for party, store in stores.items() if node in (None, party)]
    return [
        found for store in chosen async for case in case_times.cases_of(store) for found in possible(case)
    ]


def possible(case: Case) -> list[Found]:
    """Return the suggestions of a case whose action is possible now."""
    definition = Definitions.default().find(case.buc)
    if definition is None:
        return []
    kept = engine.without_stale(case, definition, SystemClock().now()).suggestions
    return [Found(case, suggestion) for suggestion in kept]


def _as_json(found: Found) -> dict[str, object]:
    case, suggestion = found.case, found.suggestion
    return {
        "id": suggestion.id,
        "node": case.own,
        "case": case.international_id,
        "local_case": case.id,
        "buc": case.buc,
        "sed": suggestion.sed,
        "rule": suggestion.rule,
        "inputs": suggestion.inputs,
        "about": suggestion.about,
        "parent": suggestion.parent_id,
        "receivers": suggestion.receivers,
        "at": iso(suggestion.at),
    }


@click.command(short_help="Send what a rule suggests.", epilog=failures.EXIT_STATUS)
@click.argument("suggestion", metavar="SUGGESTION")
@state_option
@clerk_option
@output.shared_options
def accept(*, suggestion: str, state: Path, clerk: str, as_json: bool) -> None:
    r"""Accept a suggestion: its document is sent; the case file names the clerk, the rule and what the rule saw.

    SUGGESTION is the id that case suggestions shows, or its beginning. The network must run.

    \b
    Example:
      eessi-sim case accept 3f0c2d11 --clerk anna

    \b
    With --json: {"suggestion", "decision", "node", "case", "sed", "documents": [type]}
    """
    _decide(suggestion, state, "accepted", lambda control, it: control.accept(*it, clerk=clerk), as_json)


@click.command(short_help="Take a suggestion away.", epilog=failures.EXIT_STATUS)
@click.argument("suggestion", metavar="SUGGESTION")
@state_option
@clerk_option
@click.option(
    "--reason", type=Words(), required=True, metavar="TEXT", help="Why; stays in the history of the case."
)
@output.shared_options
def decline(*, suggestion: str, state: Path, clerk: str, reason: str, as_json: bool) -> None:
    r"""Decline a suggestion: it is gone for good, and the history of the case says who did not want it, and why.

    SUGGESTION is the id that case suggestions shows, or its beginning. The network must run.

    \b
    Example:
      eessi-sim case decline 3f0c2d11 --reason "He never worked here."

    \b
    With --json: {"suggestion", "decision", "node", "case", "sed", "documents": [type]}
    """
    _decide(
        suggestion,
        state,
        "declined",
        lambda control, it: control.decline(*it, clerk=clerk, reason=reason),
        as_json,
    )


_Deed = Callable[[NodeControl, tuple[str, str]], Awaitable[CaseView]]
"""Asks a node to decide the suggestion of a case; the two are given by their ids."""


def _decide(wanted: str, state: Path, decision: str, deed: _Deed, as_json: bool) -> None:
    found, view = run_async(_decided(wanted, state, deed))
    if as_json:
        output.show_json(
            {
                "suggestion": found.suggestion.id,
                "decision": decision,
                "node": found.case.own,
                "case": found.case.international_id,
                "sed": found.suggestion.sed,
                "documents": [document.type for document in view.documents],
            }
        )
        return
    line = output.mark(passed=True)
    line.append(f"{decision}: {found.suggestion.sed} by {found.case.own} in {found.case.international_id}")
    output.show_unwrapped(line)
    output.show_unwrapped(Text(f"  {found.suggestion.source}", style=output.DIM))


async def _decided(wanted: str, state: Path, deed: _Deed) -> tuple[Found, CaseView]:
    async with open_stores(state) as stores:
        found = one(await all_of(stores), wanted)
    network = find_state(state)
    assert network is not None  # its stores were open
    async with running(network) as stage:
        control = _control(stage, found, state)
        return found, await deed(control, (found.case.id, found.suggestion.id))


def one(found: list[Found], wanted: str) -> Found:
    """Return the only suggestion whose id begins so.

    Raises:
        SuggestionGone: there is none.
        click.BadParameter: there are several.
    """
    fitting = [each for each in found if each.suggestion.id.startswith(wanted)]
    if not fitting:
        raise SuggestionGone(
            f'Expected an open suggestion, found none with id "{wanted}"',
            hint="See eessi-sim case suggestions for those that are open.",
        )
    if len(fitting) > 1:
        raise click.BadParameter(f'"{wanted}" begins the ids of {len(fitting)} suggestions: give more of it.')
    return fitting[0]


def _control(stage: Stage | None, found: Found, state: Path) -> NodeControl:
    if stage is None:
        raise EnvironmentProblem(
            f'Expected a running network in "{state}", found a stopped one',
            hint=f"Start it: eessi-sim run --state {state}",
        )
    return stage.controls[found.case.own]
