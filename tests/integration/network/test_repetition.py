"""Messages that come twice: one delivery, the same receipt; other content under a known id is refused."""

import asyncio
from pathlib import Path

import pytest
from tests.helpers.forge import Draft, codes, held_back, ping, post, token_for
from tests.helpers.lab import A012, NAV, POINT, ZUS, Lab

from eessi_sim.as4 import msh
from eessi_sim.as4.exchange import OutboundState
from eessi_sim.as4.msh import Packed
from eessi_sim.identifiers import InstitutionId
from eessi_sim.storage.base import Direction, MessageKind, StoredMessage, UnitOfWork
from eessi_sim.storage.registry import open_storage


def again(message: StoredMessage) -> Packed:
    """The same bytes once more."""
    return Packed(message.message_id, message.content_type, message.body)


async def test_replay_is_accepted_and_delivered_once(sent: Lab) -> None:
    """The same bytes are answered 202 like the first time; there is one message and one document."""
    assert (await post(sent, again(await sent.sent(NAV)))).status == 202
    assert len(await sent.messages(ZUS, Direction.IN)) == 1
    assert await sent.types(ZUS) == ["A003"]
    assert ("filed", "unchanged") not in await sent.steps(ZUS)


async def test_replay_is_answered_with_the_same_receipt(sent: Lab) -> None:
    """The receiver has one receipt for the message and sends it again."""
    receipt = await sent.sent(ZUS, MessageKind.RECEIPT)
    await post(sent, again(await sent.sent(NAV)))
    repeated = await sent.sent(ZUS, MessageKind.RECEIPT)
    assert repeated.body == receipt.body
    assert repeated.accepted_at is not None
    assert (await sent.steps(POINT)).count(("received", "duplicate")) == 2


async def test_replay_shows_as_duplicate_at_the_receiver(sent: Lab) -> None:
    """The receiver counts repetitions and notes them in its journal."""
    await post(sent, again(await sent.sent(NAV)))
    await post(sent, again(await sent.sent(NAV)))
    assert (await sent.received(ZUS)).details["duplicates"] == "2"
    assert (await sent.steps(ZUS)).count(("received", "duplicate")) == 2


async def test_repeated_receipt_changes_nothing_at_the_sender(sent: Lab) -> None:
    """The day of delivery is that of the first receipt."""
    before = await sent.sent(NAV)
    await sent.work(100)
    await post(sent, again(before))
    assert await sent.sent(NAV) == before
    assert ("signal-ignored", "duplicate") in await sent.steps(NAV)


async def test_other_content_under_a_known_id_is_refused_by_the_access_point(sent: Lab) -> None:
    """The first message stands; the second one is EBMS:0003."""
    draft = Draft.of(await sent.sent(NAV)).addressed(receiver="SE:FKSE01")
    answer = await post(sent, draft.packed(sent.keys(NAV).ebms))
    assert codes(answer) == ["EBMS:0003"]
    assert "used before" in await sent.reasons(POINT)
    assert len(await sent.messages(POINT, Direction.IN)) == 1


async def test_other_content_under_a_known_id_is_refused_by_the_receiver(sent: Lab) -> None:
    """The receiver checks, too, and tells the sender; the delivery that was receipted stays delivered."""
    forged = Draft.of(await sent.sent(NAV)).packed(sent.keys(NAV).ebms)
    assert forged.body != (await sent.sent(NAV)).body
    await post(sent, forged, client=POINT, to=ZUS)
    assert "used before" in await sent.reasons(ZUS)
    assert ("error-received", "failure") in await sent.steps(NAV)
    assert ((await sent.sent(NAV)).state, await sent.delivery(NAV)) == ("delivered", "delivered")


@pytest.mark.parametrize(("to", "client"), [(POINT, NAV), (ZUS, POINT)])
async def test_message_that_comes_twice_at_once_is_taken_in_once(
    tmp_path: Path, to: InstitutionId, client: InstitutionId
) -> None:
    """Two deliveries at the same moment are both answered 202, while a durable store takes its time."""
    storage = await open_storage(f"sqlite:///{tmp_path / 'network.sqlite'}")
    async with Lab.build(storage=storage) as lab:
        await held_back(lab)
        sent = await lab.sent(NAV)
        twice = (post(lab, again(sent), client=client, to=to) for _ in range(2))
        lab.bring_up(POINT)
        assert [answer.status for answer in await asyncio.gather(*twice)] == [202, 202]
        assert len(await lab.messages(to, Direction.IN)) == 1


async def test_replay_while_the_first_one_is_filed_is_harmless(lab: Lab) -> None:
    """A repetition that arrives before the document is filed adds nothing."""
    await held_back(lab)
    packed = again(await lab.sent(NAV))
    await lab.node(ZUS).stop()
    for _ in range(3):
        await post(lab, packed, client=POINT, to=ZUS)
    assert (await lab.received(ZUS)).state == "received"
    await lab.node(ZUS).start()
    lab.bring_up(POINT)
    await lab.work(5)
    assert await lab.types(ZUS) == ["A003"]
    assert (await lab.received(ZUS)).state == "delivered"
    assert (await lab.received(ZUS)).details["duplicates"] == "3"


async def test_document_that_comes_in_a_second_message_is_filed_once(sent: Lab) -> None:
    """The id of the document decides: a new message with the same version changes nothing in the case."""
    before = await sent.case(ZUS)
    copy = Draft.of(await sent.sent(NAV)).named(f"second@{NAV.domain}")
    await post(sent, copy.packed(sent.keys(NAV).ebms))
    assert await sent.case(ZUS) == before
    assert ("filed", "unchanged") in await sent.steps(ZUS)


async def test_error_is_sent_again_for_a_repetition_of_a_refused_message(lab: Lab) -> None:
    """A sender that did not get the refusal gets the same one when it repeats the message."""
    draft = (await held_back(lab)).with_document(type=A012)
    packed = draft.packed(lab.keys(NAV).ebms)
    lab.bring_up(POINT)
    lab.take_down(NAV)
    await post(lab, packed)
    await lab.work(lab.patience(POINT) + 60)
    assert (await lab.sent(POINT, MessageKind.ERROR)).state == "dead-lettered"
    lab.bring_up(NAV)
    await post(lab, packed)
    assert (await lab.received(NAV, MessageKind.ERROR)).body == (
        await lab.sent(POINT, MessageKind.ERROR)
    ).body


async def test_ping_is_receipted_and_never_filed(lab: Lab) -> None:
    """A test message goes all the way and opens no case."""
    message = msh.pack_user_message(ping(lab, NAV, ZUS), (), lab.keys(NAV).ebms, token=token_for("ping"))
    assert (await post(lab, message)).status == 202
    assert (await lab.received(ZUS)).state == "delivered"
    assert (await lab.sent(ZUS, MessageKind.RECEIPT)).state == "forwarded"
    assert not await lab.store(ZUS).cases()


async def test_refused_receipt_is_made_anew_for_a_repetition(sent: Lab) -> None:
    """A receipt that was refused would be refused again, its time or its certificate being wrong: a new one is sent."""
    refused = await sent.sent(ZUS, MessageKind.RECEIPT)
    work = UnitOfWork()
    work.update_message(Direction.OUT, refused.message_id, state=OutboundState.REJECTED)
    await sent.store(ZUS).commit(work)
    await post(sent, again(await sent.sent(NAV)))
    await post(sent, again(await sent.sent(NAV)))
    receipts = await sent.messages(ZUS, Direction.OUT, MessageKind.RECEIPT)
    assert [receipt.state for receipt in receipts] == ["rejected", "forwarded"]
