"""Documents whose seal is broken, missing or somebody else's, in messages that are signed as they should be.

The access point does not check seals: they are between the institutions. The receiver never takes such a document
as valid: the message stays as a dead letter, and the sender gets an X050.
"""

import re
from dataclasses import replace

import pytest
from tests.helpers.forge import Draft, held_back, let_go, post, reply_held_back
from tests.helpers.lab import A003, A012, FK, NAV, POINT, ZUS, Lab

from eessi_sim import xmlsafe
from eessi_sim.storage.base import Direction

X050 = "X050"
TOWN = (rb"<town>.*?</town>", b"<town>Elsewhere</town>")


async def assert_dead_letter(lab: Lab, cause: str) -> None:
    """The access point let it pass, the receiver kept it with the cause and opened no case."""
    assert (await lab.messages(POINT, Direction.OUT))[0].state == "forwarded"
    message = await lab.received(ZUS)
    assert message.state == "rejected"
    assert (message.last_error or "").startswith(cause)
    assert message.details["cause"] == cause
    assert not await lab.store(ZUS).cases()


async def forged(lab: Lab, draft: Draft) -> None:
    """Send the draft in place of what waits, in a message signed by NO:NAVAT07."""
    await let_go(lab, draft.packed(lab.keys(NAV).ebms))


async def test_document_changed_after_sealing_is_not_filed(lab: Lab) -> None:
    """One changed word, with a valid message signature: the seal tells."""
    await forged(lab, (await held_back(lab)).edited(*TOWN))
    await assert_dead_letter(lab, "07")
    assert (await lab.received(ZUS)).details["sed_signature"] == "invalid"


async def test_document_without_a_seal_is_not_filed(lab: Lab) -> None:
    """Every SED bears the seal of its sender."""
    await forged(lab, (await held_back(lab)).edited(rb"<ds:Signature .*</ds:Signature>", b""))
    await assert_dead_letter(lab, "07")


async def test_document_sealed_by_somebody_else_is_not_filed(lab: Lab) -> None:
    """The seal of another institution does not vouch for the From party."""
    draft = await held_back(lab)
    await forged(lab, draft.edited(*TOWN, seal=lab.keys(FK).seal))
    await assert_dead_letter(lab, "07")


async def test_document_sealed_with_the_ebms_key_is_not_filed(lab: Lab) -> None:
    """The key for messages is no seal, though it belongs to the same institution."""
    draft = await held_back(lab)
    await forged(lab, draft.edited(*TOWN, seal=lab.keys(NAV).ebms))
    await assert_dead_letter(lab, "07")


async def test_sealed_document_hidden_in_a_forged_one_is_not_filed(lab: Lab) -> None:
    """The seal must cover the document that is read, not one inside it (signature wrapping)."""
    draft = await held_back(lab)
    inner = draft.sed
    start = re.match(rb"<[^>]*>", inner)
    assert start is not None
    signature = inner[inner.index(b"<ds:Signature ") : inner.index(b"</ds:Signature>") + 15]
    content = inner[start.end() : inner.index(b"<ds:Signature ")].replace(b"Oslo", b"Elsewhere")
    wrapped = start.group() + content + inner + signature + inner[inner.rindex(b"</") :]
    answer = await post(lab, replace(draft, sed=wrapped).packed(lab.keys(NAV).ebms), client=POINT, to=ZUS)
    await lab.work(20)
    assert answer.status == 202
    assert ((await lab.received(ZUS)).last_error or "").startswith("07")
    assert not await lab.store(ZUS).cases()


async def test_refused_document_is_technically_receipted(lab: Lab) -> None:
    """The receipt says that the message arrived, not that the document is good (four states, never one)."""
    await forged(lab, (await held_back(lab)).edited(*TOWN))
    assert (await lab.sent(NAV)).state == "delivered"
    assert (await lab.received(ZUS)).state == "rejected"


async def test_sender_of_a_refused_starter_is_told_by_an_exception(lab: Lab) -> None:
    """The X050 about a starter comes from an institution that opened no case; the delivery shows its sentence."""
    await forged(lab, (await held_back(lab)).edited(*TOWN))
    assert await lab.types(NAV) == ["A003", X050]
    [delivery] = (await lab.document(NAV, A003)).versions[-1].deliveries
    assert (delivery.status, await lab.store(ZUS).cases()) == ("error", ())
    assert delivery.detail


async def test_broken_seal_in_a_known_case_is_answered_with_an_exception(sent: Lab) -> None:
    """The owner refuses the forged answer by an X050 that names cause and document."""
    draft = (await reply_held_back(sent, ZUS, A012, to=A003)).edited(*TOWN)
    await let_go(sent, draft.packed(sent.keys(ZUS).ebms), ZUS)
    assert await sent.types(NAV) == ["A003", X050]
    (document, *_) = reversed(await sent.store(NAV).documents((await sent.case(NAV)).id, with_content=True))
    text = xmlsafe.serialize(xmlsafe.parse(document.content)).decode()
    assert "<value>07</value>" in text
    assert draft.header.scope.set_id in text
    assert "A012" in text


async def test_exception_turns_the_delivery_at_the_sender_into_an_error(sent: Lab) -> None:
    """The sender of the refused document learns by the X050 that it does not count."""
    draft = (await reply_held_back(sent, ZUS, A012, to=A003)).edited(*TOWN)
    await let_go(sent, draft.packed(sent.keys(ZUS).ebms), ZUS)
    assert await sent.types(ZUS) == ["A003", "A012", X050]
    assert await sent.delivery(ZUS, A012) == "error"


async def test_refused_answer_is_no_answer(sent: Lab) -> None:
    """The request stays open at its sender, a right answer is still taken."""
    draft = await reply_held_back(sent, ZUS, A012, to=A003)
    await let_go(sent, draft.edited(*TOWN).packed(sent.keys(ZUS).ebms), ZUS)
    await post(sent, draft.named(f"second@{ZUS.domain}").packed(sent.keys(ZUS).ebms), client=ZUS)
    assert (await sent.document(NAV, A012)).status == "received"


@pytest.mark.parametrize("edit", [TOWN, (rb"<ds:Signature .*</ds:Signature>", b"")])
async def test_content_of_a_refused_document_is_never_kept_in_a_case(
    sent: Lab, edit: tuple[bytes, bytes]
) -> None:
    """Nothing of an unverified document becomes part of a case file."""
    draft = (await reply_held_back(sent, ZUS, A012, to=A003)).edited(*edit)
    await let_go(sent, draft.packed(sent.keys(ZUS).ebms), ZUS)
    kept = await sent.store(NAV).documents((await sent.case(NAV)).id)
    assert [str(document.sed) for document in kept if document.direction is Direction.IN] == []
