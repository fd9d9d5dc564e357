"""State of one message, and its retry schedule."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.helpers.as4_messages import NOW

from eessi_sim.as4.exchange import (
    InboundEvent,
    InboundState,
    OutboundEvent,
    OutboundState,
    advance_inbound,
    advance_outbound,
    gives_up_at,
    is_settled,
    next_attempt,
    wait_after,
)
from eessi_sim.as4.pmode import ReceptionAwareness

awarenesses = st.builds(
    ReceptionAwareness,
    st.integers(0, 50),
    st.floats(0.1, 10),
    st.floats(1, 1000),
    st.floats(10, 100_000),
)


def _after(*events: OutboundEvent) -> OutboundState:
    state = OutboundState.SUBMITTED
    for event in events:
        state = advance_outbound(state, event)
    return state


def test_message_with_receipt_is_delivered() -> None:
    """Sent, accepted by the next hop, receipted: delivered."""
    assert (
        _after(OutboundEvent.ATTEMPT, OutboundEvent.ACCEPTED, OutboundEvent.RECEIPT)
        is OutboundState.DELIVERED
    )


def test_receipt_before_the_answer_of_the_hop_counts() -> None:
    """A receipt that overtakes the answer of the next hop proves delivery all the same."""
    assert _after(OutboundEvent.ATTEMPT, OutboundEvent.RECEIPT) is OutboundState.DELIVERED


def test_unreachable_hop_makes_a_retry_due() -> None:
    """An attempt that fails in passing is repeated."""
    assert _after(OutboundEvent.ATTEMPT, OutboundEvent.UNREACHABLE) is OutboundState.RETRY_DUE


def test_missing_receipt_makes_a_retry_due() -> None:
    """When the wait for the receipt is over the message is sent again."""
    assert (
        _after(OutboundEvent.ATTEMPT, OutboundEvent.ACCEPTED, OutboundEvent.NO_RECEIPT)
        is OutboundState.RETRY_DUE
    )


def test_retry_is_sent_like_the_first_attempt() -> None:
    """A due retry is taken and sent."""
    assert (
        _after(OutboundEvent.ATTEMPT, OutboundEvent.UNREACHABLE, OutboundEvent.ATTEMPT)
        is OutboundState.SENDING
    )


def test_message_without_receipt_due_is_forwarded() -> None:
    """An intermediary is done when the next hop has the message."""
    assert _after(OutboundEvent.ATTEMPT, OutboundEvent.HANDED_OVER) is OutboundState.FORWARDED


def test_exhausted_message_is_dead_lettered() -> None:
    """After the last attempt the message stays visible as a dead letter."""
    assert (
        _after(OutboundEvent.ATTEMPT, OutboundEvent.UNREACHABLE, OutboundEvent.EXHAUSTED)
        is OutboundState.DEAD_LETTERED
    )


def test_late_receipt_revives_a_dead_letter() -> None:
    """A receipt that comes after we gave up still proves delivery."""
    assert advance_outbound(OutboundState.DEAD_LETTERED, OutboundEvent.RECEIPT) is OutboundState.DELIVERED


def test_receipt_wins_over_an_error_of_somebody_on_the_way() -> None:
    """An access point that could not see the answer of the receiver says failure; the receipt proves it wrong."""
    assert advance_outbound(OutboundState.REJECTED, OutboundEvent.RECEIPT) is OutboundState.DELIVERED


def test_receipt_ends_a_requeued_message() -> None:
    """A late receipt makes another try needless."""
    assert advance_outbound(OutboundState.SUBMITTED, OutboundEvent.RECEIPT) is OutboundState.DELIVERED


def test_operator_can_requeue_a_dead_letter() -> None:
    """A dead letter starts again when somebody asks."""
    assert advance_outbound(OutboundState.DEAD_LETTERED, OutboundEvent.REQUEUED) is OutboundState.SUBMITTED


def test_error_after_the_receipt_changes_nothing() -> None:
    """E-27: an error signal about an acknowledged message leaves it delivered."""
    assert advance_outbound(OutboundState.DELIVERED, OutboundEvent.FAILURE) is OutboundState.DELIVERED


def test_failure_rejects_the_message() -> None:
    """E-29: an error with severity failure ends the exchange."""
    assert (
        _after(OutboundEvent.ATTEMPT, OutboundEvent.ACCEPTED, OutboundEvent.FAILURE) is OutboundState.REJECTED
    )


@given(st.lists(st.sampled_from(OutboundEvent)))
def test_delivered_is_final(events: list[OutboundEvent]) -> None:
    """Nothing that happens later takes a delivery back."""
    state = OutboundState.DELIVERED
    for event in events:
        state = advance_outbound(state, event)
    assert state is OutboundState.DELIVERED


@given(st.sampled_from(OutboundState), st.sampled_from(OutboundEvent))
def test_every_outbound_event_is_safe_to_repeat_when_it_ends_the_exchange(
    state: OutboundState, event: OutboundEvent
) -> None:
    """An event that settled a message and comes again changes nothing."""
    after = advance_outbound(state, event)
    if is_settled(after):
        assert advance_outbound(after, event) is after


def test_received_message_is_processed_and_delivered() -> None:
    """Received, taken by a worker, delivered."""
    state = advance_inbound(InboundState.RECEIVED, InboundEvent.TAKEN)
    assert advance_inbound(state, InboundEvent.DELIVERED) is InboundState.DELIVERED


def test_message_seen_before_is_a_duplicate() -> None:
    """A message id seen before makes the second delivery a duplicate."""
    assert advance_inbound(InboundState.RECEIVED, InboundEvent.SEEN_BEFORE) is InboundState.DUPLICATE


def test_released_message_can_be_taken_again() -> None:
    """A worker that dies leaves the message as it was received."""
    assert advance_inbound(InboundState.PROCESSING, InboundEvent.RELEASED) is InboundState.RECEIVED


@pytest.mark.parametrize("event", InboundEvent)
def test_delivered_inbound_message_stays_delivered(event: InboundEvent) -> None:
    """No event takes a delivery to the institution back."""
    assert advance_inbound(InboundState.DELIVERED, event) is InboundState.DELIVERED


@pytest.mark.parametrize(
    ("state", "settled"),
    [
        (OutboundState.SUBMITTED, False),
        (OutboundState.AWAITING_RECEIPT, False),
        (OutboundState.DELIVERED, True),
        (OutboundState.DEAD_LETTERED, True),
        (InboundState.RECEIVED, False),
        (InboundState.DUPLICATE, True),
    ],
)
def test_settled_states_need_no_work(state: OutboundState | InboundState, settled: bool) -> None:
    """Only states in which somebody must still act are open."""
    assert is_settled(state) is settled


def test_default_schedule_is_the_documented_one() -> None:
    """The default waits are 1, 3, 9, 27 and 60 seconds."""
    waits = [wait_after(ReceptionAwareness(), attempts).total_seconds() for attempts in range(1, 6)]
    assert waits == [1, 3, 9, 27, 60]


def test_message_never_sent_is_due_at_once() -> None:
    """The first attempt does not wait."""
    assert next_attempt(ReceptionAwareness(), 0, NOW) == NOW


def test_last_attempt_has_no_successor() -> None:
    """After the first attempt and all retries there is no next one."""
    assert next_attempt(ReceptionAwareness(retries=2), 3, NOW) is None


def test_last_attempt_still_waits_for_its_receipt() -> None:
    """The message counts as lost only after the last wait."""
    assert gives_up_at(ReceptionAwareness(retries=0), 1, NOW) == NOW + timedelta(seconds=1)


@given(awarenesses)
def test_number_of_attempts_is_bounded(awareness: ReceptionAwareness) -> None:
    """There are as many retries as agreed, and no more."""
    attempts = 0
    while next_attempt(awareness, attempts, NOW) is not None:
        attempts += 1
    assert attempts == awareness.retries + 1


@given(awarenesses, st.integers(1, 60))
def test_waits_never_shrink_and_never_exceed_the_bound(awareness: ReceptionAwareness, attempts: int) -> None:
    """Each wait is at least as long as the one before and at most the longest agreed."""
    wait, longer = wait_after(awareness, attempts), wait_after(awareness, attempts + 1)
    assert wait <= longer <= timedelta(seconds=awareness.max_interval)
