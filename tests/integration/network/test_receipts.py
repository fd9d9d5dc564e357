"""Receipts and errors that are wrong: they prove nothing and change nothing; right ones are believed.

The message waits for its receipt, since the receiver cannot be reached; every signal here is made by the test.
"""

from dataclasses import replace

import pytest
from tests.helpers.forge import Draft, codes, post, routed, stamp, unpacked
from tests.helpers.lab import A003, FK, NAV, POINT, ZUS, Lab

from eessi_sim.as4 import msh
from eessi_sim.as4.ebms_errors import EbmsErrorCode
from eessi_sim.as4.msh import Packed, Unpacked
from eessi_sim.as4.pmode import AS4_SIGNALS, EESSI_SIGNALS, SignalStyle
from eessi_sim.identifiers import InstitutionId
from eessi_sim.security.keys import KeyPair
from eessi_sim.storage.base import Direction, MessageKind


@pytest.fixture
async def waiting(lab: Lab) -> Lab:
    """A message of NO:NAVAT07 to PL:ZUS01 has been accepted by the access point and is not receipted."""
    lab.take_down(ZUS)
    await lab.open()
    assert (await lab.sent(NAV)).state == "awaiting-receipt"
    return lab


async def receipt(
    lab: Lab, keys: KeyPair | None, about: Unpacked | None = None, *, style: SignalStyle = EESSI_SIGNALS
) -> Packed:
    """A receipt for the message that waits, or for another one."""
    about = about or unpacked(await lab.sent(NAV))
    return msh.pack_receipt(about, keys, stamp=stamp(lab, ZUS, "receipt"), style=style)


async def error(lab: Lab, signer: KeyPair | None, code: EbmsErrorCode = EbmsErrorCode.OTHER) -> Packed:
    """An error about the message that waits."""
    about = unpacked(await lab.sent(NAV))
    return msh.pack_error([code.error("No")], signer, about=about, stamp=stamp(lab, ZUS, "error"))


async def other_content(lab: Lab) -> Unpacked:
    """Another message under the id of the one that waits."""
    draft = Draft.of(await lab.sent(NAV)).edited(b"<town>.*?</town>", b"<town>Elsewhere</town>")
    packed = draft.packed(lab.keys(NAV).ebms)
    return msh.unpack(packed.content_type, packed.body)


async def assert_still_waiting(lab: Lab) -> None:
    """The sender believes nothing yet."""
    assert (await lab.sent(NAV)).state == "awaiting-receipt"
    assert (await lab.sent(NAV)).receipted_at is None
    assert await lab.delivery(NAV) == "sent"


@pytest.mark.parametrize("style", [EESSI_SIGNALS, AS4_SIGNALS])
async def test_right_receipt_of_the_receiver_is_believed(waiting: Lab, style: SignalStyle) -> None:
    """The counter-test of this file: a receipt made by the test delivers the message, in both dialects."""
    answer = await post(waiting, await receipt(waiting, waiting.keys(ZUS).ebms, style=style), client=ZUS)
    assert answer.status == 202
    assert ((await waiting.sent(NAV)).state, await waiting.delivery(NAV)) == ("delivered", "delivered")


async def test_receipt_for_an_unknown_message_is_not_forwarded(waiting: Lab) -> None:
    """The access point brings signals only about messages that passed there."""
    unknown = routed(await waiting.sent(NAV), NAV, ZUS, message_id="unknown@nowhere.example")
    answer = await post(waiting, await receipt(waiting, waiting.keys(ZUS).ebms, unknown), client=ZUS)
    assert codes(answer) == ["EBMS:0020"]
    await assert_still_waiting(waiting)


async def test_receipt_for_an_unknown_message_is_ignored_by_an_institution(waiting: Lab) -> None:
    """Nothing is kept and nobody is told, so that no loop can begin."""
    unknown = routed(await waiting.sent(NAV), NAV, ZUS, message_id="unknown@nowhere.example")
    packed = await receipt(waiting, waiting.keys(ZUS).ebms, unknown)
    assert (await post(waiting, packed, client=POINT, to=NAV)).status == 202
    assert not await waiting.messages(NAV, (await waiting.sent(NAV)).direction, MessageKind.ERROR)
    await assert_still_waiting(waiting)


async def test_receipt_routed_to_somebody_else_is_not_forwarded(waiting: Lab) -> None:
    """The routing input is unsigned, so it must be the way back of the message that passed."""
    elsewhere = routed(await waiting.sent(NAV), FK, ZUS)
    answer = await post(waiting, await receipt(waiting, waiting.keys(ZUS).ebms, elsewhere), client=ZUS)
    assert codes(answer) == ["EBMS:0020"]
    assert "found from PL:ZUS01 to SE:FKSE01" in await waiting.reasons(POINT)
    assert not (await waiting.store(FK).counts()).messages


async def test_receipt_whose_way_back_has_ended_is_kept(waiting: Lab) -> None:
    """A receipt for a sender that left the directory ends at the access point; there is no error about it."""
    await waiting.point.stop()
    await post(waiting, await receipt(waiting, waiting.keys(ZUS).ebms), client=ZUS)
    waiting.unlist(NAV)
    await waiting.network.restart(POINT)
    await waiting.work(5)
    kept = await waiting.received(POINT, MessageKind.RECEIPT)
    assert (kept.state, (kept.last_error or "")[:9]) == ("rejected", "EBMS:0020")
    assert not await waiting.messages(POINT, Direction.OUT, MessageKind.ERROR)


async def test_receipt_from_somebody_else_is_not_forwarded(waiting: Lab) -> None:
    """Another institution cannot acknowledge, even in its own name."""
    elsewhere = routed(await waiting.sent(NAV), NAV, FK)
    answer = await post(waiting, await receipt(waiting, waiting.keys(FK).ebms, elsewhere), client=FK)
    assert codes(answer) == ["EBMS:0020"]
    await assert_still_waiting(waiting)


async def test_receipt_signed_by_somebody_else_is_stopped_by_the_access_point(waiting: Lab) -> None:
    """The signature must be that of the party on the way back."""
    answer = await post(waiting, await receipt(waiting, waiting.keys(FK).ebms), client=ZUS)
    assert codes(answer) == ["EBMS:0101"]
    await assert_still_waiting(waiting)


async def test_receipt_signed_by_somebody_else_is_ignored_by_the_sender(waiting: Lab) -> None:
    """Even when an access point brings it, only the receiver of the message can acknowledge it."""
    answer = await post(waiting, await receipt(waiting, waiting.keys(FK).ebms), client=POINT, to=NAV)
    assert answer.status == 202
    assert ("refused", "EBMS:0101") in await waiting.steps(NAV)
    await assert_still_waiting(waiting)


@pytest.mark.parametrize(("to", "client"), [(POINT, ZUS), (NAV, POINT)])
async def test_unsigned_receipt_proves_nothing(
    waiting: Lab, to: InstitutionId, client: InstitutionId
) -> None:
    """Non-repudiation needs a signature."""
    await post(waiting, await receipt(waiting, None), client=client, to=to)
    assert ("refused", "EBMS:0103") in await waiting.steps(to)
    await assert_still_waiting(waiting)


async def test_receipt_with_another_digest_is_invalid(waiting: Lab) -> None:
    """The receiver signs for other content than was sent: EBMS:0302, and the message stays unacknowledged."""
    packed = await receipt(waiting, waiting.keys(ZUS).ebms, await other_content(waiting))
    assert (await post(waiting, packed, client=ZUS)).status == 202
    assert ("refused", "EBMS:0302") in await waiting.steps(NAV)
    await assert_still_waiting(waiting)


async def test_receipt_for_a_part_of_the_message_is_invalid(waiting: Lab) -> None:
    """The receipt must repeat every reference, the one of the SED included."""
    empty = Draft.of(await waiting.sent(NAV)).packed(waiting.keys(NAV).ebms, payloads=())
    packed = await receipt(waiting, waiting.keys(ZUS).ebms, msh.unpack(empty.content_type, empty.body))
    await post(waiting, packed, client=ZUS)
    assert ("refused", "EBMS:0302") in await waiting.steps(NAV)
    await assert_still_waiting(waiting)


async def test_message_with_an_invalid_receipt_is_sent_again(waiting: Lab) -> None:
    """The sender goes on until a right receipt comes."""
    await post(
        waiting, await receipt(waiting, waiting.keys(ZUS).ebms, await other_content(waiting)), client=ZUS
    )
    waiting.bring_up(ZUS)
    await waiting.work(120)
    assert ((await waiting.sent(NAV)).state, await waiting.delivery(NAV)) == ("delivered", "delivered")


async def test_second_receipt_does_not_move_the_day_of_delivery(sent: Lab) -> None:
    """The first acknowledgement counts, whatever the receiver sends later."""
    first = (await sent.sent(NAV)).receipted_at
    case = await sent.case(NAV)
    await sent.work(1000)
    await post(sent, await receipt(sent, sent.keys(ZUS).ebms), client=ZUS)
    assert (await sent.sent(NAV)).receipted_at == first
    assert await sent.case(NAV) == case


async def test_error_of_the_receiver_is_believed(waiting: Lab) -> None:
    """An error signed by the receiver ends the message; the delivery says why."""
    await post(waiting, await error(waiting, waiting.keys(ZUS).ebms), client=ZUS)
    assert ((await waiting.sent(NAV)).state, await waiting.delivery(NAV)) == ("rejected", "error")
    (delivery,) = (await waiting.document(NAV, A003)).versions[-1].deliveries
    assert delivery.detail == "EBMS:0004 Other No"


@pytest.mark.parametrize("signer", [None, FK])
async def test_forged_error_does_not_stop_a_message(waiting: Lab, signer: InstitutionId | None) -> None:
    """An error that neither the receiver nor an access point signed is ignored."""
    keys = waiting.keys(signer).ebms if signer else None
    assert (await post(waiting, await error(waiting, keys), client=POINT, to=NAV)).status == 202
    await assert_still_waiting(waiting)


async def test_warning_changes_nothing(waiting: Lab) -> None:
    """An error with the severity warning is noted; the message stays pending."""
    warning = EbmsErrorCode.FEATURE_NOT_SUPPORTED_WARNING
    await post(waiting, await error(waiting, waiting.keys(ZUS).ebms, warning), client=ZUS)
    assert ("error-received", "warning") in await waiting.steps(NAV)
    await assert_still_waiting(waiting)


async def test_error_after_the_receipt_changes_nothing(sent: Lab) -> None:
    """A message that was acknowledged stays delivered; the error is in the journal."""
    await post(sent, await error(sent, sent.keys(ZUS).ebms), client=ZUS)
    assert ("error-received", "failure") in await sent.steps(NAV)
    assert ((await sent.sent(NAV)).state, await sent.delivery(NAV)) == ("delivered", "delivered")


async def test_error_with_an_unknown_code_is_a_failure(waiting: Lab) -> None:
    """The severity decides, not the number."""
    about = unpacked(await waiting.sent(NAV))
    strange = replace(EbmsErrorCode.OTHER.error("No"), code="EBMS:9999")
    signer = waiting.keys(ZUS).ebms
    packed = msh.pack_error([strange], signer, about=about, stamp=stamp(waiting, ZUS, "error"))
    await post(waiting, packed, client=ZUS)
    assert (await waiting.sent(NAV)).state == "rejected"


async def test_message_ids_are_compared_to_the_letter(waiting: Lab) -> None:
    """Capital letters make another id."""
    name = (await waiting.sent(NAV)).message_id.upper()
    shouted = routed(await waiting.sent(NAV), NAV, ZUS, message_id=name)
    answer = await post(waiting, await receipt(waiting, waiting.keys(ZUS).ebms, shouted), client=ZUS)
    assert codes(answer) == ["EBMS:0020"]
    await assert_still_waiting(waiting)
