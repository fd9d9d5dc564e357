"""``case do``: one action of a case, taken at the institution that offers it; the network must run."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import click
from rich.text import Text

from eessi_sim import xmlsafe
from eessi_sim.buc.actions import Action
from eessi_sim.buc.case import Case, ParticipantChange
from eessi_sim.buc.loader import Definitions
from eessi_sim.cdm.catalogue import Catalogue
from eessi_sim.cli import case_actions, failures, inputs, output
from eessi_sim.cli.case_decisions import Words, clerk_option
from eessi_sim.cli.copies import node_option, stored_case
from eessi_sim.cli.places import parent_of
from eessi_sim.cli.sending import read_sed
from eessi_sim.cli.stage import find_state, run_async, running
from eessi_sim.cli.stores import state_option
from eessi_sim.clock import SystemClock
from eessi_sim.errors import ActionNotAvailable, EnvironmentProblem
from eessi_sim.identifiers import InstitutionId, SedType
from eessi_sim.institution.casework import Move
from eessi_sim.simulation.control import NodeControl
from eessi_sim.simulation.views import CaseView, DocumentView

_MOVES: Final = frozenset(Move)
_WORDS: Final = (*case_actions.OPERATIONS, *case_actions.EFFECTS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What somebody wants to be done with a case."""

    word: str
    """One of the words of ``case actions``."""
    sed: SedType | None = None
    """Type of a new document, or of the one that is meant."""
    about: str | None = None
    """Id of a document, or its beginning: the one that is meant, or the one that a new one is about."""
    content: bytes | None = None
    """Composed from the case when None."""
    receivers: tuple[InstitutionId, ...] | None = None
    """Those of the process table when None."""
    change: ParticipantChange | None = None


Deed = Callable[[NodeControl, str], Awaitable[CaseView]]
"""Asks a node to do something with the case of this id."""


@click.command("do", short_help="Do what a case offers.", epilog=failures.EXIT_STATUS)
@click.argument("reference", metavar="CASE")
@click.argument("action", metavar="ACTION")
@click.option(
    "--about",
    metavar="DOCUMENT",
    help="Which document, or about which one, where several come into question; the beginning of its id is enough.",
)
@click.option("--sed", metavar="SED", help="Type of the document; for create, send, save, update, delete.")
@click.option(
    "--file", metavar="FILE", help="Its content, XML or JSON; composed from the case when not given."
)
@click.option(
    "--to",
    multiple=True,
    metavar="ID",
    help="Receiver, or counterparty for participants; may be repeated. Those of the process table by default.",
)
@click.option("--joins", metavar="ID", help="Institution that joins the case by this document.")
@click.option("--leaves", metavar="ID", help="Institution that leaves the case by this document.")
@click.option("--reason", type=Words(), metavar="TEXT", help="Why; the case file keeps it.")
@clerk_option
@state_option
@node_option
@inputs.cdm_option
@output.shared_options
def do(  # noqa: PLR0913 - one argument for each option
    *,
    reference: str,
    action: str,
    about: str | None,
    sed: str | None,
    file: str | None,
    to: tuple[str, ...],
    joins: str | None,
    leaves: str | None,
    reason: str | None,
    clerk: str,
    state: Path,
    node: str | None,
    catalogue: Catalogue,
    as_json: bool,
) -> None:
    r"""Take an action of a case at one institution of a running network; its process decides whether it may.

    ACTION is a type of SED, which is created and sent, or a word: create (a draft), save (a draft or a new version),
    send, update (a new version of what was sent, and send it), delete (a draft), invalidate, reject, participants,
    close, reopen, archive, restore, remove (the institution's own copy). See case actions for what is possible.

    \b
    Example:
      eessi-sim case do 171d21fd7c1d407d98210bf57bdb7b9b A012 --node PL:ZUS01 --clerk anna
      eessi-sim case do 171d21fd7c1d407d98210bf57bdb7b9b invalidate --about 3f0c2d11 --reason "wrong person"
      eessi-sim case do 171d21fd7c1d407d98210bf57bdb7b9b close

    \b
    With --json: {"action", "node", "case", "local_case", "status", "documents": [{"id", "sed", "status", "version",
      "parent", "receivers": [id], "messages": [id]}]}: the documents that it made, changed or sent.
    """
    given = read_sed(file, catalogue) if file is not None else None
    word, named = _understood(action, sed)
    if given is not None and named not in (None, given.type) and word not in case_actions.EFFECTS:
        raise failures.usage(f'Expected {named} in "{file}", found {given.type}.')
    wish = Wish(
        word=word,
        sed=named or (given.type if given is not None and word in ("create", "send") else None),
        about=about,
        content=xmlsafe.serialize(given.root) if given is not None else None,
        receivers=tuple(map(InstitutionId, to)) or None,
        change=_change(joins, leaves),
    )
    case = asyncio.run(stored_case(state, reference, node))
    deed = deed_for(wish, case, SystemClock().now())
    after, changed = run_async(_done(case, deed, state, clerk, reason or ""))
    if as_json:
        output.show_json(_as_json(action, after, changed))
        return
    _show(action, case, after, changed)


def _understood(action: str, sed: str | None) -> tuple[str, SedType | None]:
    """Return the word and the type of the document.

    Raises:
        click.BadParameter: it is neither a word nor a type of SED.
    """
    named = SedType(sed) if sed is not None else None
    if action in _WORDS:
        return action, named
    if not SedType.pattern.fullmatch(action):
        raise click.BadParameter(
            f'Expected a type of SED or a word, found "{action}". {failures.nearest(action, _WORDS)}'
        )
    if named not in (None, action):
        raise failures.usage(f"Expected one type of SED, found {action} and {named}.")
    return "send", SedType(action)


def _change(joins: str | None, leaves: str | None) -> ParticipantChange | None:
    if joins is None and leaves is None:
        return None
    return ParticipantChange(
        InstitutionId(joins) if joins is not None else None,
        InstitutionId(leaves) if leaves is not None else None,
    )


def deed_for(wish: Wish, case: Case, now: datetime) -> Deed:
    """Return what to ask the node for; whether it is possible the node decides, except where nothing fits a word.

    Args:
        wish: what somebody wants.
        case: the copy of the case.
        now: decides what is offered.

    Raises:
        ActionNotAvailable: no document can be meant, or no SED does this here.
        click.BadParameter: several documents can be meant.
        click.UsageError: something is missing.
    """
    if wish.word in _MOVES:
        return lambda control, case_id: control.move(case_id, Move(wish.word))
    if wish.word == "participants":
        if wish.receivers is None:
            raise failures.usage("Expected the counterparties with --to.")
        return lambda control, case_id: control.set_participants(case_id, wish.receivers or ())
    if wish.word in case_actions.EFFECTS:
        return _new(wish, _sed_with_effect(wish.word, case, now), case, now)
    if wish.word == "create" and wish.sed is None:
        raise failures.usage("Expected the type of the new document with --sed.")
    if wish.word == "create" or (wish.word == "send" and wish.sed is not None):
        assert wish.sed is not None  # looked at above
        return _new(wish, wish.sed, case, now)
    return _existing(wish, _meant(wish, case, now))


def _sed_with_effect(word: str, case: Case, now: datetime) -> SedType:
    definition = Definitions.default().find(case.buc)
    rule = definition.rule_with(case_actions.EFFECTS[word]) if definition is not None else None
    if rule is None:
        raise _nothing_fits(word, case_actions.offered(case, now))
    return rule.sed


def _new(wish: Wish, sed: SedType, case: Case, now: datetime) -> Deed:
    """Make a document, and send it unless a draft is wanted."""
    parent = _whole_id(wish.about, case) if wish.about is not None else parent_of(case, sed, now)
    content, change = wish.content, wish.change

    async def draft(control: NodeControl, case_id: str) -> CaseView:
        await control.draft(case_id, sed, content=content, parent_id=parent, change=change)
        return await control.case(case_id)

    async def send(control: NodeControl, case_id: str) -> CaseView:
        return await control.send(
            case_id, sed, content=content, parent_id=parent, receivers=wish.receivers, change=change
        )

    return draft if wish.word == "create" else send


def _existing(wish: Wish, document: str) -> Deed:
    deeds: dict[str, Deed] = {
        "send": lambda control, it: control.send_draft(it, document, receivers=wish.receivers),
        "save": lambda control, it: control.save(it, document, content=wish.content),
        "update": lambda control, it: control.update(it, document, content=wish.content),
        "delete": lambda control, it: control.delete_draft(it, document),
    }
    return deeds[wish.word]


def _meant(wish: Wish, case: Case, now: datetime) -> str:
    """Return the document that is named, else the only one with which this can be done now."""
    if wish.about is not None:
        return _whole_id(wish.about, case)
    offered = case_actions.offered(case, now)
    fitting = {
        action.document_id: action.sed
        for action in offered
        if action.operation in case_actions.OPERATIONS[wish.word]
        and wish.sed in (None, action.sed)
        # update sends a new version of what was sent before; a draft is saved, or sent
        and not (wish.word == "update" and _is_draft(case, action))
    }
    if len(fitting) > 1:
        listed = ", ".join(f"{each} ({sed})" for each, sed in fitting.items())
        raise click.BadParameter(f"Several documents can be meant: choose one with --about: {listed}.")
    for document in fitting:
        assert document is not None  # these actions are about documents
        return document
    raise _nothing_fits(f"{wish.word} {wish.sed}" if wish.sed else wish.word, offered)


def _is_draft(case: Case, action: Action) -> bool:
    document = case.find(action.document_id)
    return document is not None and document.is_draft


def _nothing_fits(wanted: str, offered: Iterable[Action]) -> ActionNotAvailable:
    return ActionNotAvailable(
        f'Expected an action that the case offers now, found "{wanted}"',
        available=tuple(dict.fromkeys(action.text for action in offered if action.is_active)),
        hint="See eessi-sim case actions for what can be done, and from when.",
    )


def _whole_id(beginning: str, case: Case) -> str:
    """Return the id of a document by its beginning; one that nobody knows stays as it is, for the node to refuse.

    Raises:
        click.BadParameter: it begins several ids.
    """
    found = [document.id for document in case.documents if document.id.startswith(beginning)]
    if len(found) > 1:
        raise click.BadParameter(f'"{beginning}" begins the ids of {len(found)} documents: give more of it.')
    return found[0] if found else beginning


async def _done(
    case: Case, deed: Deed, state: Path, clerk: str, reason: str
) -> tuple[CaseView, tuple[DocumentView, ...]]:
    """Do it; return the case, and the documents that are new or different."""
    network = find_state(state)
    assert network is not None  # its stores were open
    async with running(network) as stage:
        if stage is None:
            raise EnvironmentProblem(
                f'Expected a running network in "{state}", found a stopped one',
                hint=f"Start it: eessi-sim run --state {state}",
            )
        control = stage.controls[case.own].acting_as(clerk, reason)
        known = {_form(document) for document in (await control.case(case.id)).documents}
        after = await deed(control, case.id)
        return after, tuple(document for document in after.documents if _form(document) not in known)


def _form(document: DocumentView) -> tuple[object, ...]:
    """Return what an action changes of a document; deliveries also settle by themselves."""
    return document.id, document.version, document.status, len(document.deliveries)


def _show(action: str, case: Case, after: CaseView, changed: Iterable[DocumentView]) -> None:
    line = output.mark(passed=True)
    line.append(f"{action} by {after.own} in {after.international_id}")
    line.append(f": the case is {after.status} now" if after.status != case.status else "")
    output.show_unwrapped(line)
    for document in changed:
        to = ", ".join(_receivers(document))
        about = f"  {document.type} {document.id}, version {document.version}: {document.status}"
        output.show_unwrapped(Text(about + (f", to {to}" if to else ""), style=output.DIM))


def _receivers(document: DocumentView) -> list[str]:
    return list(dict.fromkeys(delivery.receiver for delivery in document.deliveries))


def _as_json(action: str, after: CaseView, changed: Iterable[DocumentView]) -> dict[str, object]:
    return {
        "action": action,
        "node": after.own,
        "case": after.international_id,
        "local_case": after.case_id,
        "status": after.status,
        "documents": [
            {
                "id": document.id,
                "sed": document.type,
                "status": document.status,
                "version": document.version,
                "parent": document.parent_id,
                "receivers": _receivers(document),
                "messages": [each.message_id for each in document.deliveries if each.message_id],
            }
            for document in changed
        ],
    }
