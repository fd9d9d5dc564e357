"""Dead letters: which of them another try can help, and putting one back into its queue.

An outgoing one goes out again under the same message id with the same bytes, since every receiver recognises what it
has (AS4 1.0 section 3.2); an incoming one is processed again as if it had just come.
"""

from datetime import datetime
from typing import Final

from eessi_sim.as4.exchange import (
    InboundEvent,
    InboundState,
    OutboundEvent,
    OutboundState,
    advance_inbound,
    advance_outbound,
)
from eessi_sim.as4.pmode import EESSI_PROFILE
from eessi_sim.errors import MessageNotFound, ResendUseless
from eessi_sim.storage.base import (
    Direction,
    JournalEntry,
    MessageChanges,
    MessageQuery,
    NodeStore,
    StoredMessage,
    UnitOfWork,
)

DEAD: Final = (
    InboundState.REJECTED,
    InboundState.DEAD_LETTERED,
    InboundState.QUARANTINED,
    OutboundState.REJECTED,
    OutboundState.DEAD_LETTERED,
)
"""States of dead letters."""
ALL_DEAD: Final = MessageQuery(states=DEAD)

_MAY_PASS: Final = (
    "transport:",
    "connect-failed:",
    "timed-out:",
    "refused:",
    "HTTP ",
    "internal",
    "EBMS:0005",
    "EBMS:0020",
    "EBMS:0021",
    "EBMS:0022",
    "EBMS:01",
    "EBMS:02",
    "EBMS:03",
    "EBMS:0004 The access point failed",
    "EBMS:0004 Other The access point failed",
)
"""Beginnings of reasons that lie on the way, in the directory or in a program, not in the document (inferred)."""


def reason_of_death(message: StoredMessage) -> str:
    """Return why a dead letter cannot go on."""
    return message.last_error or message.state


def can_help(message: StoredMessage) -> bool:
    """Return whether another try with the same bytes may end better."""
    if message.direction is Direction.OUT and message.endpoint is None and message.channel is None:
        return False  # it never had a way to go
    if message.state == OutboundState.DEAD_LETTERED:  # of either direction: nobody has judged the content
        return True
    return reason_of_death(message).startswith(_MAY_PASS)


async def find(store: NodeStore, direction: Direction, message_id: str) -> StoredMessage:
    """Return a dead letter with its bytes.

    Raises:
        MessageNotFound: the node has no such message, or it is no dead letter.
    """
    message = await store.find_message(direction, message_id)
    if message is None or message.state not in DEAD:
        found = "none" if message is None else f"one that is {message.state}"
        raise MessageNotFound(
            f"Expected a dead letter ({direction}) with the id {message_id}, found {found}",
            hint="See eessi-sim dead-letters for those that there are.",
        )
    return message


async def resend(
    store: NodeStore,
    direction: Direction,
    message_id: str,
    *,
    actor: str,
    at: datetime,
    force: bool = False,
) -> StoredMessage:
    """Put a dead letter back into its queue, and note who asked for it.

    Args:
        store: of the node that keeps it.
        direction: of the message.
        message_id: its id.
        actor: who asked.
        at: time on the clock of the node.
        force: also when another try cannot help.

    Returns:
        The message as it waits now; whoever runs the node wakes the worker of its queue.

    Raises:
        MessageNotFound: the node has no such dead letter.
        ResendUseless: the same bytes can only be refused again, for their age even by force.
        Conflict: something happened to it meanwhile.
        Unavailable: the store cannot be written.
    """
    message = await find(store, direction, message_id)
    if message.is_removed or message.created_at < at - EESSI_PROFILE.window:
        raise ResendUseless(
            f"Expected a dead letter of the last {EESSI_PROFILE.window.days} days, found one of "
            f"{message.created_at:%Y-%m-%d}",
            hint="Receivers refuse older messages as replays: send the document as a new message.",
        )
    reason = reason_of_death(message)
    if not force and not can_help(message):
        raise ResendUseless(
            f"Expected a dead letter whose cause can pass, found one that was refused for what it is: {reason}",
            hint="The same bytes would be refused again: correct the document and send it as a new message. "
            "With --force they are sent all the same.",
        )
    changes = MessageChanges(state=_back(message), attempts=0, due_at=None, updated_at=at, last_error=None)
    work = UnitOfWork()
    work.update_message(direction, message_id, expected_states=(message.state,), **changes)
    detail = {"actor": actor, "direction": str(direction), "was": message.state, "reason": reason}
    if force:
        detail["forced"] = "true"
    work.journal(
        JournalEntry(at=at, step="resent", outcome="ok", message_id=str(message.message_id), detail=detail)
    )
    await store.commit(work)
    return message.changed(changes)


def _back(message: StoredMessage) -> str:
    """Return the state in which a dead letter waits again."""
    if message.direction is Direction.IN:
        return advance_inbound(InboundState(message.state), InboundEvent.REQUEUED)
    if message.channel is not None:
        return OutboundState.PARKED
    return advance_outbound(OutboundState(message.state), OutboundEvent.REQUEUED)
