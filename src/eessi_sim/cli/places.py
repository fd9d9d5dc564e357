"""Where a document goes: into a case of its own, or into one that there is, there as an answer to another document."""

import asyncio
import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar, cast

import click

from eessi_sim.buc import engine
from eessi_sim.buc.actions import Operation
from eessi_sim.buc.case import Case
from eessi_sim.buc.loader import Definitions
from eessi_sim.cli import failures
from eessi_sim.cli.copies import stored_case
from eessi_sim.clock import SystemClock
from eessi_sim.identifiers import SedType

_Command = TypeVar("_Command", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Way:
    """What the options say about where a document goes."""

    receivers: tuple[str, ...]
    reference: str | None
    """A case that there is."""
    about: str | None
    """The document of it that is answered."""
    buc: str | None
    """The process of a case of its own."""


def way_options(command: _Command) -> _Command:
    """Add ``--to``, ``--case``, ``--about`` and ``--buc`` to a command, which gets what they say as ``way``."""

    @functools.wraps(command)
    def with_way(
        *args: Any, to: Sequence[str], case: str | None, about: str | None, buc: str | None, **others: Any
    ) -> Any:
        return command(*args, way=_require_one(Way(tuple(to), case, about, buc)), **others)

    decorated: Any = with_way  # Any: click takes any callable and returns it
    for option in (
        click.option(
            "--buc",
            metavar="BUC",
            help="Process of the case; found from the SED when only one begins with it.",
        ),
        click.option(
            "--about",
            metavar="DOCUMENT",
            help="With --case: which document it answers, where several wait; case show --json has the ids.",
        ),
        click.option(
            "--case", metavar="CASE", help="Send it in this case of the sender, not in one of its own."
        ),
        click.option(
            "--to",
            multiple=True,
            metavar="ID",
            help="Receiver; may be repeated. With --case those of the process table by default.",
        ),
    ):
        decorated = option(decorated)
    return cast(_Command, decorated)


def _require_one(way: Way) -> Way:
    """Refuse options that belong to a case of its own beside --case, and the other way round."""
    if way.reference is None and not way.receivers:
        raise failures.usage("Expected a receiver with --to, or a case with --case.")
    if way.reference is None and way.about is not None:
        raise failures.usage("Expected --case beside --about: in a new case there is nothing to answer.")
    if way.reference is not None and way.buc is not None:
        raise failures.usage("Expected --case or --buc, found both: a case has its process already.")
    return way


@dataclass(frozen=True, slots=True)
class Place:
    """A copy of a case, and the document of it that a new one answers or is about."""

    case_id: str
    parent_id: str | None


def place_in_case(state: Path, node: str, way: Way, sed: SedType) -> Place:
    """Return where a document goes; whether it may go there the institution decides.

    Args:
        state: folder of the network.
        node: the institution that sends it.
        way: names its case, by the id that all copies share or its own, and which document is answered; nothing where
            only one comes into question.
        sed: the type of the document.

    Raises:
        CaseNotFound: the institution has no such case.
        click.BadParameter: there is no such institution, or it could answer several documents.
    """
    assert way.reference is not None  # who calls has looked
    case = asyncio.run(stored_case(state, way.reference, node))
    return Place(case.id, way.about or parent_of(case, sed, SystemClock().now()))


def parent_of(case: Case, sed: SedType, now: datetime) -> str | None:
    """Return the document that a new one answers or is about; None where there is none.

    Args:
        case: a copy.
        sed: the type of the new document.
        now: decides what is offered.

    Raises:
        click.BadParameter: it could be about several documents.
    """
    definition = Definitions.default().find(case.buc)
    if definition is None:
        return None
    offered = engine.available_actions(case, definition, now)
    parents = [
        action.parent_id
        for action in offered
        if action.operation is Operation.CREATE and action.sed == sed and action.is_active
    ]
    if len(parents) > 1:
        answered = ", ".join(
            f"{each} ({document.type} of {document.sender})"
            for each in parents
            if (document := case.find(each)) is not None
        )
        raise click.BadParameter(
            f"{sed} could be about several documents: choose one with --about: {answered}."
        )
    return parents[0] if parents else None
