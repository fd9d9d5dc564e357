"""The sentences of all conflicts, the same for every back end; nothing is decided here."""

from collections.abc import Collection

from eessi_sim.buc.case import Case
from eessi_sim.errors import CaseChanged, Conflict
from eessi_sim.storage.base import Direction, StoredMessage


def message_exists(message: StoredMessage) -> Conflict:
    """A new message has the id of a known one."""
    return Conflict(
        f'Expected a new message, found "{message.message_id}" ({message.direction}) in the store',
        hint="Treat it as a duplicate: read the stored message instead.",
        message_id=message.message_id,
    )


def message_absent(direction: Direction, message_id: str) -> Conflict:
    """A message that shall change is not there."""
    return Conflict(
        f'Expected message "{message_id}" ({direction}) in the store, found none',
        hint="Add the message before changing it.",
        message_id=message_id,
    )


def message_moved_on(message: StoredMessage, expected: Collection[str]) -> Conflict:
    """A message that shall change stands in another state than the caller believes."""
    return Conflict(
        f'Expected message "{message.message_id}" in state {" or ".join(sorted(expected))}, found {message.state}',
        hint="Somebody else moved it on; read it again and decide again.",
        message_id=message.message_id,
        state=message.state,
    )


def case_changed(case: Case, expected: int, found: int | None) -> CaseChanged:
    """A case has another revision than the one that was read."""
    return CaseChanged(
        f"Expected {_revision(expected)} of case {case.id}, found {_revision(found or 0)}",
        hint="Read the case again and repeat the action.",
        case_id=case.id,
    )


def case_known_elsewhere(case: Case) -> CaseChanged:
    """Another case of the node has the international id already."""
    return CaseChanged(
        f'Expected one case with international id "{case.international_id}", found another one beside {case.id}',
        hint="Use the case that has this international id.",
        case_id=case.id,
    )


def _revision(number: int) -> str:
    return f"revision {number}" if number else "no revision"
