"""``case actions``: what a case offers now, in the words of ``case do``, in ours and in RINA's."""

import asyncio
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Final

import click

from eessi_sim.buc import engine
from eessi_sim.buc.actions import Action, Operation
from eessi_sim.buc.administration import CaseEffect
from eessi_sim.buc.case import Case, Document
from eessi_sim.buc.definition import BucDefinition
from eessi_sim.buc.loader import Definitions
from eessi_sim.buc.rina_names import RinaNames
from eessi_sim.cli import failures, output
from eessi_sim.cli.copies import node_option, stored_case
from eessi_sim.cli.stores import state_option
from eessi_sim.clock import SystemClock, iso

_SHOWN: Final = 8
"""Characters of an id that are enough to tell one document of a case from another."""

EFFECTS: Final[Mapping[str, CaseEffect]] = {
    "invalidate": CaseEffect.CANCEL_DOCUMENT,
    "reject": CaseEffect.REFUSE_DOCUMENT,
}
"""Words for documents about another one; which SED has the effect the tables say."""
OPERATIONS: Final[Mapping[str, tuple[Operation, ...]]] = {
    "create": (Operation.CREATE,),
    "save": (Operation.UPDATE,),
    "send": (Operation.SEND, Operation.SEND_PARTICIPANTS),
    "update": (Operation.UPDATE,),
    "delete": (Operation.DELETE,),
    "participants": (Operation.SELECT_PARTICIPANTS, Operation.UPDATE_PARTICIPANTS),
    "close": (Operation.LOCAL_CLOSE,),
    "reopen": (Operation.LOCAL_REOPEN,),
    "archive": (Operation.ARCHIVE_CASE,),
    "restore": (Operation.RESTORE_CASE,),
    "remove": (Operation.DELETE_CASE,),
}
"""Words for everything else, and the actions that they stand for."""


@click.command(short_help="What can be done with a case now.", epilog=failures.EXIT_STATUS)
@click.argument("reference", metavar="CASE")
@state_option
@node_option
@output.shared_options
def actions(*, reference: str, state: Path, node: str | None, as_json: bool) -> None:
    r"""List what one institution can do with a case now: the word for case do, the SED, the document, and RINA's name.

    What only reads or attaches files stands in the JSON alone, with null as its word. CASE is the id that all copies
    share, or the one at --node.

    \b
    Example:
      eessi-sim case actions 171d21fd7c1d407d98210bf57bdb7b9b
      eessi-sim case actions 171d21fd7c1d407d98210bf57bdb7b9b --node PL:ZUS01

    \b
    With --json: as "actions" of case show --json.
    """
    case = asyncio.run(stored_case(state, reference, node))
    if as_json:
        output.show_json(as_json_of(case, SystemClock().now()))
        return
    _show(case, SystemClock().now())


def offered(case: Case, now: datetime) -> tuple[Action, ...]:
    """Return every action of a case, those that wait for their time included; none of a process that nobody defines."""
    definition = Definitions.default().find(case.buc)
    return tuple(engine.available_actions(case, definition, now)) if definition is not None else ()


def as_json_of(case: Case, now: datetime) -> list[dict[str, object]]:
    """Return the JSON form of every action that is offered now."""
    definition = Definitions.default().find(case.buc)
    if definition is None:
        return []
    names = RinaNames.default()
    return [
        {
            "word": word_of(action, case, definition),
            "text": action.text,
            "operation": action.operation,
            "sed": action.sed,
            "document": action.document_id,
            "parent": action.parent_id,
            "available_from": iso(action.available_from) if action.available_from else None,
            "rina": asdict(names.describe(action, case, definition)),
        }
        for action in offered(case, now)
    ]


def word_of(action: Action, case: Case, definition: BucDefinition) -> str | None:
    """Return the word for an action; None for those that ``case do`` does not take."""
    if action.operation is Operation.CREATE:
        rule = definition.administrative.get(action.sed) if action.sed else None
        return next((word for word, effect in EFFECTS.items() if rule and rule.effect is effect), "create")
    if action.operation is Operation.UPDATE:
        document = case.find(action.document_id)
        return "save" if document is not None and document.is_draft else "update"
    return next((word for word, stands_for in OPERATIONS.items() if action.operation in stands_for), None)


def _show(case: Case, now: datetime) -> None:
    definition = Definitions.default().find(case.buc)
    names = RinaNames.default()
    rows = [
        (
            word,
            action.sed or "",
            _in_short(case.find(action.document_id)),
            _in_short(case.find(action.parent_id)),
            "now" if action.is_active or action.available_from is None else iso(action.available_from),
            names.describe(action, case, definition).display_name,
        )
        for action in offered(case, now)
        if definition is not None and (word := word_of(action, case, definition)) is not None
    ]
    if not rows:
        output.remark(f"{case.own} can do nothing with this case now.")
        return
    output.show_table(["!Action", "!SED", "Document", "About", "!From", "RINA"], rows)
    output.remark(f"eessi-sim case do {case.international_id} --node {case.own} ACTION, or a SED to send it")


def _in_short(document: Document | None) -> str:
    return f"{document.id[:_SHOWN]} ({document.type} of {document.sender})" if document else ""
