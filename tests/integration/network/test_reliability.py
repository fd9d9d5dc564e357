"""What happens when the way is broken: retries with the same bytes, lost answers and receipts, dead letters."""

import pytest
from tests.helpers.lab import A003, FK, NAV, POINT, ZUS, Lab

from eessi_sim.storage.base import Direction, MessageKind
from eessi_sim.transport.base import Response

USER_MESSAGE = b"<eb:UserMessage"
RECEIPT = b"NonRepudiationInformation"
TRY_LATER = Response(503)
A_DAY = 86_400
SWALLOWED = Response(202)
"""Whoever gets this answer believes that the message arrived."""


async def test_message_is_tried_again_with_the_same_bytes(lab: Lab) -> None:
    """Every attempt carries the same message id and the same octets."""
    tap = await lab.tap(POINT)
    tap.instead = [TRY_LATER] * 3
    await lab.open()
    await lab.work(20)
    mine = [body for body in tap.bodies if body == (await lab.sent(NAV)).body]
    assert len(mine) == (await lab.sent(NAV)).attempts == 4
    assert await lab.delivery(NAV) == "delivered"


async def test_waits_between_attempts_grow(lab: Lab) -> None:
    """After 1, 3 and 9 seconds the message is sent again."""
    tap = await lab.tap(POINT)
    tap.instead = [TRY_LATER] * 3
    await lab.open()
    counts = []
    for seconds in (0.9, 0.2, 2.7, 0.5, 8.5, 1):
        await lab.work(seconds)
        counts.append(tap.bodies.count((await lab.sent(NAV)).body))
    assert counts == [1, 2, 2, 3, 3, 4]


async def test_receiver_that_comes_back_gets_the_message_once(lab: Lab) -> None:
    """The access point keeps the message while the receiver is down and brings it as soon as it is up."""
    lab.take_down(ZUS)
    await lab.open()
    await lab.work(10)
    assert (await lab.sent(POINT)).state == "retry-due"
    lab.bring_up(ZUS)
    await lab.work(30)
    assert await lab.delivery(NAV) == "delivered"
    assert await lab.types(ZUS) == ["A003"]
    assert "duplicates" not in (await lab.received(ZUS)).details


async def test_receiver_down_for_good_makes_a_dead_letter_at_the_access_point(lab: Lab) -> None:
    """After the last attempt the message is kept with the reason."""
    lab.take_down(ZUS)
    await lab.open()
    await lab.work(lab.patience(POINT) + 60)
    letter = await lab.sent(POINT)
    assert (letter.state, letter.attempts) == ("dead-lettered", lab.point.station.awareness.retries + 1)
    assert "connect-failed" in (letter.last_error or "")


async def test_sender_is_told_that_the_receiver_is_down_for_good(lab: Lab) -> None:
    """EBMS:0005 turns the delivery into an error that says how often it was tried."""
    lab.take_down(ZUS)
    await lab.open()
    await lab.work(lab.patience(POINT) + 60)
    attempts = (await lab.sent(POINT)).attempts
    assert (await lab.sent(NAV)).state == "rejected"
    assert ((await lab.sent(NAV)).last_error or "").startswith(
        "EBMS:0005 ConnectionFailure Not brought to PL:ZUS01"
    )
    assert f"after {attempts} attempts" in ((await lab.sent(NAV)).last_error or "")
    assert await lab.delivery(NAV) == "error"


async def test_access_point_down_for_good_makes_a_dead_letter_at_the_sender(lab: Lab) -> None:
    """A message that never got out of the house is a dead letter of its sender; the delivery is an error."""
    lab.take_down(POINT)
    await lab.open()
    await lab.work(lab.patience(NAV))
    assert ((await lab.sent(NAV)).state, (await lab.sent(NAV)).attempts) == ("dead-lettered", 6)
    assert await lab.delivery(NAV) == "error"


async def test_lost_answer_of_the_access_point_is_harmless(lab: Lab) -> None:
    """A message that was stored but not acknowledged is sent again, and delivered once."""
    tap = await lab.tap(POINT)
    tap.lost_answers = 1
    lab.take_down(ZUS)
    await lab.open()
    await lab.work(2)
    assert ("received", "duplicate") in await lab.steps(POINT)
    lab.bring_up(ZUS)
    await lab.work(30)
    assert await lab.types(ZUS) == ["A003"]
    assert await lab.delivery(NAV) == "delivered"


async def test_receipt_may_be_faster_than_the_answer(lab: Lab) -> None:
    """A message is delivered when its receipt comes, before it is known that the access point accepted it."""
    tap = await lab.tap(POINT)
    tap.only, tap.late_answers = USER_MESSAGE, 1
    await lab.open()
    message = await lab.sent(NAV)
    assert message.state == "delivered"
    assert message.accepted_at is not None
    assert message.receipted_at is not None
    assert message.receipted_at <= message.accepted_at


async def test_receipt_counts_more_than_a_lost_answer(lab: Lab) -> None:
    """A message that was receipted is not sent again, though nobody said that it was accepted."""
    tap = await lab.tap(POINT)
    tap.only, tap.late_answers, tap.lost_answers = USER_MESSAGE, 1, 1
    await lab.open()
    await lab.work(200)
    assert ((await lab.sent(NAV)).state, (await lab.sent(NAV)).due_at) == ("delivered", None)
    assert ("received", "duplicate") not in await lab.steps(POINT)


async def test_time_of_acceptance_stays_when_a_later_answer_is_lost(lab: Lab) -> None:
    """The message was accepted at the first attempt, whatever becomes of the second one."""
    receipts, requests = await lab.tap(NAV), await lab.tap(POINT)
    receipts.instead = [SWALLOWED]
    await lab.open()
    accepted_at = (await lab.sent(NAV)).accepted_at
    assert accepted_at is not None
    requests.only, requests.late_answers, requests.lost_answers = USER_MESSAGE, 1, 1
    await lab.work(70)
    assert (await lab.sent(NAV)).state == "delivered"
    assert (await lab.sent(NAV)).accepted_at == accepted_at


async def test_lost_answer_of_the_receiver_is_harmless(lab: Lab) -> None:
    """The access point brings the message again; the receiver counts a duplicate and sends the same receipt."""
    tap = await lab.tap(ZUS)
    tap.lost_answers = 1
    await lab.open()
    await lab.work(10)
    assert (await lab.received(ZUS)).details["duplicates"] == "1"
    assert await lab.types(ZUS) == ["A003"]
    assert len(await lab.messages(ZUS, Direction.OUT, MessageKind.RECEIPT)) == 1


async def test_lost_receipt_is_asked_for_by_repeating_the_message(lab: Lab) -> None:
    """After a minute without receipt the same bytes are sent again, and the same receipt comes back."""
    tap = await lab.tap(NAV)
    tap.instead = [SWALLOWED]
    await lab.open()
    assert (await lab.sent(NAV)).state == "awaiting-receipt"
    await lab.work(70)
    assert ((await lab.sent(NAV)).state, (await lab.sent(NAV)).attempts) == ("delivered", 2)
    assert len(tap.bodies) == 2
    assert len(set(tap.bodies)) == 1


async def test_repeated_message_is_one_document_at_the_receiver(lab: Lab) -> None:
    """The repetition that asks for the receipt is a duplicate for the receiver."""
    tap = await lab.tap(NAV)
    tap.instead = [SWALLOWED]
    await lab.open()
    await lab.work(70)
    assert await lab.types(ZUS) == ["A003"]
    assert (await lab.received(ZUS)).details["duplicates"] == "1"


async def test_message_without_receipt_is_given_up_after_the_last_retry(lab: Lab) -> None:
    """Six attempts without a receipt end as EBMS:0301 MissingReceipt, after more than the day that a receiver has."""
    tap = await lab.tap(NAV)
    tap.instead = [SWALLOWED] * 20
    await lab.open()
    await lab.work(A_DAY)
    assert (await lab.sent(NAV)).state == "awaiting-receipt"
    await lab.work(A_DAY)
    assert ((await lab.sent(NAV)).last_error or "").startswith("EBMS:0301")
    assert (await lab.sent(NAV)).state == "dead-lettered"
    assert await lab.delivery(NAV) == "error"


async def test_receipt_waits_for_the_access_point(lab: Lab) -> None:
    """A receipt that cannot be handed in is tried again like any message."""
    tap = await lab.tap(POINT)
    tap.only, tap.instead = RECEIPT, [TRY_LATER] * 2
    await lab.open()
    await lab.work(30)
    assert (await lab.sent(ZUS, MessageKind.RECEIPT)).attempts == 3
    assert await lab.delivery(NAV) == "delivered"


async def test_receipt_that_cannot_be_brought_causes_no_error(lab: Lab) -> None:
    """There is never an error about a receipt; it becomes a dead letter of the access point."""
    lab.take_down(NAV)
    await lab.open()
    await lab.work(600 + lab.patience(POINT))
    assert (await lab.sent(POINT, MessageKind.RECEIPT)).state == "dead-lettered"
    assert not await lab.messages(POINT, Direction.OUT, MessageKind.ERROR)
    assert await lab.types(ZUS) == ["A003"]


async def test_silent_receiver_does_not_stop_the_others(lab: Lab) -> None:
    """While one receiver cannot be reached, others get what is sent later."""
    lab.take_down(ZUS)
    await lab.open(others=[ZUS])
    case = await lab.node(NAV).open_case((await lab.case(NAV)).buc, [FK])
    await lab.node(NAV).send_document(case.id, A003)
    await lab.network.quiet()
    assert await lab.types(FK) == ["A003"]


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (Response(200), "awaiting-receipt"),
        (Response(204), "awaiting-receipt"),
        (Response(200, {"content-type": "text/html"}, b"<p>Thanks</p>"), "awaiting-receipt"),
        (Response(200, {"content-type": "application/soap+xml"}, b"<p>Thanks"), "awaiting-receipt"),
        (Response(408), "retry-due"),
        (Response(429), "retry-due"),
        (Response(500), "retry-due"),
        (Response(302), "rejected"),
        (Response(403), "rejected"),
        (Response(413), "rejected"),
    ],
    ids=lambda value: str(value.status) if isinstance(value, Response) else value,
)
async def test_status_of_the_answer_decides(lab: Lab, answer: Response, state: str) -> None:
    """Success means accepted, what may pass is tried again, everything else is final."""
    tap = await lab.tap(POINT)
    tap.answers = [answer]
    lab.take_down(ZUS)
    await lab.open()
    assert (await lab.sent(NAV)).state == state


async def test_refusal_by_http_says_why(lab: Lab) -> None:
    """Status and the first words of the answer become the reason; the delivery is an error."""
    tap = await lab.tap(POINT)
    tap.instead = [Response(404, {"content-type": "text/plain"}, b"no such door")]
    await lab.open()
    await lab.work(60)
    assert ((await lab.sent(NAV)).attempts, (await lab.sent(NAV)).last_error) == (1, "HTTP 404 no such door")
    assert await lab.delivery(NAV) == "error"


async def test_error_to_a_sender_that_left_the_directory_is_a_dead_letter(lab: Lab) -> None:
    """An error that has nowhere to go is kept with its reason."""
    await lab.point.stop()
    await lab.open()
    lab.unlist(NAV)
    await lab.network.restart(POINT)
    await lab.work(5)
    error = await lab.sent(POINT, MessageKind.ERROR)
    assert (error.state, error.last_error) == ("rejected", "EBMS:0020 no endpoint to send to")


async def test_repetition_of_a_dead_letter_is_forwarded_without_the_old_error(lab: Lab) -> None:
    """When the sender repeats what could not be brought, the access point tries again and takes nothing back."""
    lab.take_down(NAV)
    lab.take_down(ZUS)
    await lab.open()
    await lab.node(NAV).stop()
    await lab.work(2 * lab.patience(POINT) + 60)
    assert (
        (await lab.sent(POINT)).state == (await lab.sent(POINT, MessageKind.ERROR)).state == "dead-lettered"
    )
    lab.bring_up(NAV)
    lab.bring_up(ZUS)
    await lab.network.restart(NAV)
    await lab.work(5)
    assert ((await lab.sent(NAV)).state, await lab.delivery(NAV)) == ("delivered", "delivered")
    assert ("error-received", "failure") not in await lab.steps(NAV)
