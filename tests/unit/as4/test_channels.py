"""Pull channels: order, repetition, rights, back-off, and receipts that travel with a request."""

from datetime import timedelta

import pytest
from tests.helpers.as4_messages import (
    NOW,
    SENDER,
    edited,
    fault_of_unpacking,
    keys_of,
    stamp,
    unpacked,
    verified,
)

from eessi_sim.as4 import msh, vocabulary
from eessi_sim.as4.channels import (
    OfferPolicy,
    OfferState,
    PullRights,
    Waiting,
    belongs_to,
    next_offer,
    wait_before_next,
)
from eessi_sim.as4.ebms_errors import EbmsErrorCode, EbmsFault
from eessi_sim.as4.model import MessageInfo, PullRequest, Receipt
from eessi_sim.identifiers import MessageId
from eessi_sim.security.xmldsig import EXCLUSIVE, Reference

MPC = vocabulary.DEFAULT_MPC + "/NO"
POLICY = OfferPolicy(timedelta(minutes=1), most=2)
MINUTE = timedelta(minutes=1)


def waiting(number: int, mpc: str = MPC, *, needs_receipt: bool = True) -> Waiting:
    """Return a message that waits since minute ``number``."""
    return Waiting(MessageId(f"{number}@pl.example"), mpc, NOW + number * MINUTE, needs_receipt)


class TestOffers:
    """What is handed out."""

    def test_oldest_of_exactly_the_channel_comes_first(self) -> None:
        """Order is by age; a channel above or beside is another one."""
        entries = [waiting(3), waiting(1), waiting(0, vocabulary.DEFAULT_MPC), waiting(0, MPC + "/x")]
        assert next_offer(entries, MPC, NOW, POLICY) == entries[1]
        assert next_offer(entries, MPC + "/none", NOW, POLICY) is None

    def test_message_is_offered_again_until_its_receipt(self) -> None:
        """After the interval an unreceipted message is due again, not before; a receipt ends it."""
        entry = waiting(0).offered(NOW)
        assert entry.state is OfferState.OFFERED
        assert not entry.is_due(NOW + MINUTE - timedelta(seconds=1), POLICY)
        assert entry.is_due(NOW + MINUTE, POLICY)
        assert not entry.acknowledged().is_due(NOW + MINUTE, POLICY)

    def test_message_fails_after_its_last_offer(self) -> None:
        """The last offer waits its interval for the receipt, then the message counts as failed."""
        entry = waiting(0).offered(NOW).offered(NOW + MINUTE)
        assert not entry.is_due(NOW + 5 * MINUTE, POLICY)
        assert entry.settled(NOW + MINUTE, POLICY).state is OfferState.OFFERED
        assert entry.settled(NOW + 2 * MINUTE, POLICY).state is OfferState.FAILED
        assert waiting(0).settled(NOW + 9 * MINUTE, POLICY).state is OfferState.READY

    def test_waits_between_offers_grow_to_the_longest(self) -> None:
        """A policy may let every wait be longer than the one before, up to a limit; the usual one does not."""
        growing = OfferPolicy(timedelta(seconds=5), multiplier=2, longest=timedelta(seconds=15))
        waits = [growing.wait_after(number).total_seconds() for number in (1, 2, 3, 4, 150)]
        assert waits == [5, 10, 15, 15, 15]
        assert POLICY.wait_after(9) == MINUTE

    def test_signal_is_done_when_it_is_handed_out(self) -> None:
        """Nobody receipts a receipt."""
        assert waiting(0, needs_receipt=False).offered(NOW).state is OfferState.ACKNOWLEDGED


@pytest.mark.parametrize(
    ("asked", "found", "expected"),
    [
        (MPC, MPC, True),
        (MPC, vocabulary.DEFAULT_MPC, True),
        (MPC + "x", MPC, False),
        (vocabulary.DEFAULT_MPC, MPC, False),
    ],
)
def test_message_of_the_parent_channel_answers(asked: str, found: str, expected: bool) -> None:
    """A pulled message may name the channel above; not one beside or below."""
    assert belongs_to(asked, found) is expected


def test_rights_are_by_channel() -> None:
    """A channel has its certificates; one that does not exist is EBMS:0001."""
    certificate = keys_of(SENDER.id).certificate
    rights = PullRights({MPC: frozenset({certificate})})
    assert rights.candidates(MPC) == {certificate}
    with pytest.raises(EbmsFault) as caught:
        rights.candidates(MPC + "x")
    assert caught.value.error_code is EbmsErrorCode.VALUE_NOT_RECOGNIZED


def test_waits_grow_to_25_seconds_and_start_again() -> None:
    """Twice as long each time nothing waits, 25 seconds at most, no wait after a message."""
    waits = [0.0]
    for _ in range(6):
        waits.append(wait_before_next(waits[-1], got_message=False))
    assert waits[1:] == [1.0, 2.0, 4.0, 8.0, 16.0, 25.0]
    assert wait_before_next(25.0, got_message=True) == 0.0


class TestBundle:
    """Receipts with a pull request (E11, E-25)."""

    def receipt(self, number: int = 1) -> Receipt:
        """Return a receipt of an earlier message."""
        info = MessageInfo(MessageId(f"receipt-{number}@no.example"), NOW, MessageId("old@pl.example"))
        return Receipt(info, (Reference.over(b"x", "#ebms-1", EXCLUSIVE),))

    def packed(self, *receipts: Receipt) -> msh.Packed:
        """Return a signed request with receipts."""
        return msh.pack_pull_request(MPC, keys_of(SENDER.id), stamp=stamp(), receipts=receipts)

    @pytest.mark.parametrize("number", [0, 1, 3])
    def test_receipts_come_back_as_they_were_sent(self, number: int) -> None:
        """The request carries its receipts in one signed Messaging."""
        receipts = tuple(self.receipt(each) for each in range(number))
        message = unpacked(self.packed(*receipts))
        assert isinstance(message.unit, PullRequest)
        assert (message.unit.mpc, message.unit.receipts) == (MPC, receipts)
        assert len(verified(message).references) == 2

    def test_two_signals_with_one_id_are_refused(self) -> None:
        """Each signal of the bundle has an id of its own."""
        packed = edited(self.packed(self.receipt()), ("receipt-1@no.example", "signal-4@no.example"))
        assert fault_of_unpacking(packed).error_code is EbmsErrorCode.INVALID_HEADER

    def test_too_many_receipts_are_refused(self) -> None:
        """A request with more than sixteen receipts is no bundle of ours."""
        packed = self.packed(*(self.receipt(each) for each in range(17)))
        assert fault_of_unpacking(packed).error_code is EbmsErrorCode.VALUE_INCONSISTENT

    def test_other_signals_are_no_bundle(self) -> None:
        """Two requests, or two receipts, in one message are EBMS:0003 (P4-12)."""
        signal = "<eb:SignalMessage>"
        whole = self.packed().body.decode()
        one = whole[whole.index(signal) : whole.index("</eb:Messaging>")]
        twice = edited(self.packed(), (one, one + one.replace("signal-4", "signal-5")))
        assert fault_of_unpacking(twice).error_code is EbmsErrorCode.VALUE_INCONSISTENT
