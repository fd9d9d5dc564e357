"""Who decided what in a case, and why: clerks, rules, and clerks who accepted or declined what a rule suggested."""

from typing import Final

from rich.text import Text

from eessi_sim.buc.case import ActorKind, Case, Event, EventKind
from eessi_sim.cli import output
from eessi_sim.clock import iso

_PREPARING: Final = (EventKind.OPENED, EventKind.CREATED, EventKind.SAVED, EventKind.PARTICIPANTS_CHOSEN)
"""What comes before a decision that others see; left out on the screen."""


def as_json(case: Case) -> list[dict[str, object]]:
    """Return the JSON form of the history."""
    return [
        {
            "at": iso(event.at),
            "kind": event.kind,
            "institution": event.institution,
            "sed": event.sed,
            "document": event.document_id,
            "version": event.version,
            "decided_by": event.actor.kind,
            "name": event.actor.name,
            "reason": event.actor.reason,
        }
        for event in case.history
    ]


def show(case: Case) -> None:
    """Print what people and rules of this institution decided, one line each."""
    for event in case.history:
        if event.actor.kind is not ActorKind.SYSTEM and event.kind not in _PREPARING:
            output.show(_line(event))


def _line(event: Event) -> Text:
    line = Text(f"{event.at:%Y-%m-%d %H:%M:%S} ", style=output.DIM)
    line.append(
        f"{event.kind}{f' {event.sed}' if event.sed else ''}: {event.actor.kind} {event.actor.name}", ""
    )
    line.append(f" ({event.actor.reason})" if event.actor.reason else "", style=output.DIM)
    return line
