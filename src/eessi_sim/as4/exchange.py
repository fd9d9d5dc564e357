"""State of one message on its way out or in, and when to try again. Pure: the time is an argument.

Events that mean nothing in a state change nothing, since networks repeat and reorder everything
(AS4 3.2 reception awareness, documented; the state names merge those of public AS4 products, observed).
"""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from eessi_sim.as4.pmode import ReceptionAwareness


class OutboundState(StrEnum):
    """Where a message is that we send or forward."""

    SUBMITTED = "submitted"
    SENDING = "sending"
    AWAITING_RECEIPT = "awaiting-receipt"
    RETRY_DUE = "retry-due"
    DELIVERED = "delivered"
    FORWARDED = "forwarded"
    REJECTED = "rejected"
    DEAD_LETTERED = "dead-lettered"
    PARKED = "parked"
    """In a pull channel, not handed out yet."""
    OFFERED = "offered"
    """Handed out to whoever pulls; its receipt has not come."""


class OutboundEvent(StrEnum):
    """What happens to a message that we send or forward."""

    ATTEMPT = "attempt"
    """A worker takes the message."""
    ACCEPTED = "accepted"
    """The next hop has stored it; the receipt comes later."""
    HANDED_OVER = "handed-over"
    """The next hop has stored it, and no receipt is due to us."""
    UNREACHABLE = "unreachable"
    """The attempt failed in a way that may pass."""
    NO_RECEIPT = "no-receipt"
    """The wait for the receipt is over."""
    RECEIPT = "receipt"
    """A valid receipt arrived."""
    FAILURE = "failure"
    """An ebMS error with severity failure arrived, or the next hop refused for good."""
    EXHAUSTED = "exhausted"
    """All attempts are used up."""
    REQUEUED = "requeued"
    """An operator wants another try."""


class InboundState(StrEnum):
    """Where a message is that we received."""

    RECEIVED = "received"
    DUPLICATE = "duplicate"
    PROCESSING = "processing"
    FORWARDED = "forwarded"
    DELIVERED = "delivered"
    REJECTED = "rejected"
    DEAD_LETTERED = "dead-lettered"
    QUARANTINED = "quarantined"
    """Harmful: kept apart until somebody looks at it."""


class InboundEvent(StrEnum):
    """What happens to a message that we received."""

    SEEN_BEFORE = "seen-before"
    TAKEN = "taken"
    RELEASED = "released"
    """The worker gave it back, or died: somebody takes it again."""
    FORWARDED = "forwarded"
    DELIVERED = "delivered"
    REFUSED = "refused"
    GIVEN_UP = "given-up"
    FOUND_HARMFUL = "found-harmful"
    REQUEUED = "requeued"


_O, _OE, _I, _IE = OutboundState, OutboundEvent, InboundState, InboundEvent

_OUTBOUND: Final = {
    (_O.SUBMITTED, _OE.ATTEMPT): _O.SENDING,
    (_O.RETRY_DUE, _OE.ATTEMPT): _O.SENDING,
    (_O.SENDING, _OE.ACCEPTED): _O.AWAITING_RECEIPT,
    (_O.SENDING, _OE.HANDED_OVER): _O.FORWARDED,
    (_O.SENDING, _OE.UNREACHABLE): _O.RETRY_DUE,
    (_O.AWAITING_RECEIPT, _OE.NO_RECEIPT): _O.RETRY_DUE,
    (_O.DEAD_LETTERED, _OE.REQUEUED): _O.SUBMITTED,
    (_O.REJECTED, _OE.REQUEUED): _O.SUBMITTED,
    **{
        (state, _OE.EXHAUSTED): _O.DEAD_LETTERED
        for state in (_O.SUBMITTED, _O.SENDING, _O.AWAITING_RECEIPT, _O.RETRY_DUE)
    },
    **{
        (state, _OE.FAILURE): _O.REJECTED
        for state in (_O.SUBMITTED, _O.SENDING, _O.AWAITING_RECEIPT, _O.RETRY_DUE)
    },
    # A receipt proves delivery even when it comes before the answer of the hop, after we gave up or asked for
    # another try, or after an access point said wrongly that it could not bring the message.
    **{(state, _OE.RECEIPT): _O.DELIVERED for state in _O if state is not _O.FORWARDED},
}

_INBOUND: Final = {
    (_I.RECEIVED, _IE.SEEN_BEFORE): _I.DUPLICATE,
    (_I.RECEIVED, _IE.TAKEN): _I.PROCESSING,
    (_I.PROCESSING, _IE.RELEASED): _I.RECEIVED,
    (_I.PROCESSING, _IE.FORWARDED): _I.FORWARDED,
    (_I.PROCESSING, _IE.DELIVERED): _I.DELIVERED,
    (_I.PROCESSING, _IE.REFUSED): _I.REJECTED,
    (_I.PROCESSING, _IE.GIVEN_UP): _I.DEAD_LETTERED,
    (_I.PROCESSING, _IE.FOUND_HARMFUL): _I.QUARANTINED,
    (_I.QUARANTINED, _IE.REQUEUED): _I.RECEIVED,
    (_I.DEAD_LETTERED, _IE.REQUEUED): _I.RECEIVED,
    (_I.REJECTED, _IE.REQUEUED): _I.RECEIVED,
}


def advance_outbound(state: OutboundState, event: OutboundEvent) -> OutboundState:
    """Return the state after ``event``; the same state when the event means nothing there."""
    return _OUTBOUND.get((state, event), state)


def advance_inbound(state: InboundState, event: InboundEvent) -> InboundState:
    """Return the state after ``event``; the same state when the event means nothing there."""
    return _INBOUND.get((state, event), state)


def is_settled(state: OutboundState | InboundState) -> bool:
    """Return whether nothing more will be done for the message unless somebody asks."""
    open_states = {
        *(_O.SUBMITTED, _O.SENDING, _O.AWAITING_RECEIPT, _O.RETRY_DUE, _O.PARKED, _O.OFFERED),
        *(_I.RECEIVED, _I.PROCESSING),
    }
    return state not in open_states


def wait_after(awareness: ReceptionAwareness, attempts: int) -> timedelta:
    """Return how long to wait for success after attempt number ``attempts``, counted from 1."""
    seconds = awareness.interval
    for _ in range(attempts - 1):
        seconds = min(seconds * awareness.multiplier, awareness.max_interval)
    return timedelta(seconds=seconds)


def next_attempt(awareness: ReceptionAwareness, attempts: int, now: datetime) -> datetime | None:
    """Return when to send again, None when all attempts are used up.

    Args:
        awareness: the agreed schedule.
        attempts: how often the message was sent so far.
        now: time of the last attempt; for a message never sent, the time of submission.
    """
    if attempts == 0:
        return now
    return now + wait_after(awareness, attempts) if attempts <= awareness.retries else None


def gives_up_at(awareness: ReceptionAwareness, attempts: int, now: datetime) -> datetime:
    """Return until when a receipt may still come after attempt ``attempts`` made at ``now``.

    After the last attempt this is when EBMS:0301 MissingReceipt is due (AS4 3.2).
    """
    return now + wait_after(awareness, attempts)
