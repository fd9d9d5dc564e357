"""One SED on its way: what each of the three nodes keeps when nothing goes wrong."""

from tests.helpers.lab import A003, FK, NAV, POINT, ZUS, Lab

from eessi_sim import sbdh, xmlsafe
from eessi_sim.as4 import confirmation, msh
from eessi_sim.security import xades
from eessi_sim.storage.base import Direction, MessageKind


async def test_message_of_the_sender_is_delivered_after_one_attempt(sent: Lab) -> None:
    """One attempt brings the message to the state delivered, with the times of acceptance and receipt."""
    message = await sent.sent(NAV)
    assert (message.state, message.attempts) == ("delivered", 1)
    assert message.accepted_at is not None
    assert message.receipted_at is not None
    assert message.created_at < message.accepted_at <= message.receipted_at


async def test_nothing_is_due_after_the_receipt(sent: Lab) -> None:
    """A receipted message is not sent again."""
    await sent.work(600)
    assert (await sent.sent(NAV)).attempts == 1
    assert len(await sent.messages(POINT, Direction.OUT)) == 1


async def test_delivery_in_the_case_of_the_sender_becomes_delivered(sent: Lab) -> None:
    """The receipt turns the delivery of the document into delivered."""
    assert await sent.delivery(NAV) == "delivered"


async def test_access_point_keeps_the_message_as_forwarded(sent: Lab) -> None:
    """The access point knows what it took in and what it passed on."""
    assert (await sent.received(POINT)).state == "forwarded"
    assert (await sent.sent(POINT)).state == "forwarded"


async def test_access_point_forwards_the_bytes_it_received(sent: Lab) -> None:
    """An intermediary changes nothing: sender, access point and receiver keep the same octets."""
    bodies = {
        (await sent.sent(NAV)).body,
        (await sent.received(POINT)).body,
        (await sent.sent(POINT)).body,
        (await sent.received(ZUS)).body,
    }
    assert len(bodies) == 1


async def test_message_of_the_receiver_is_delivered_with_its_facts(sent: Lab) -> None:
    """The receiver knows which document came and that everything about it was valid."""
    message = await sent.received(ZUS)
    facts = {key: message.details[key] for key in ("sed", "buc", "xsd_valid", "rules_valid", "sed_signature")}
    assert message.state == "delivered"
    assert facts == {
        "sed": "A003",
        "buc": "LA_BUC_02",
        "xsd_valid": "true",
        "rules_valid": "true",
        "sed_signature": "valid",
    }


async def test_receiver_has_the_document_in_a_case_of_its_own(sent: Lab) -> None:
    """The two copies share the international id and the document id, not the case id."""
    ours, theirs = await sent.case(NAV), await sent.case(ZUS)
    assert ours.international_id == theirs.international_id
    assert ours.id != theirs.id
    assert (await sent.document(NAV, A003)).id == (await sent.document(ZUS, A003)).id
    assert (await sent.document(ZUS, A003)).status == "received"


async def test_both_sides_keep_the_same_sealed_octets(sent: Lab) -> None:
    """What the receiver filed is, octet for octet, what the sender sealed."""
    documents = [
        await sent.store(party).documents((await sent.case(party)).id, with_content=True)
        for party in (NAV, ZUS)
    ]
    assert documents[0][0].content == documents[1][0].content


async def test_filed_document_verifies_with_the_seal_of_the_sender(sent: Lab) -> None:
    """The seal of a filed document can be checked again at any time."""
    (document,) = await sent.store(ZUS).documents((await sent.case(ZUS)).id, with_content=True)
    result = xades.verify(
        xmlsafe.parse(document.content),
        trust=sent.network.credentials.trust,
        expected=[sent.keys(NAV).seal.certificate],
        at=sent.clock.now(),
    )
    assert result.is_valid


async def test_receipt_is_kept_by_sender_access_point_and_receiver(sent: Lab) -> None:
    """The same receipt, octet for octet, is found at all three nodes."""
    receipts = [
        await sent.sent(ZUS, MessageKind.RECEIPT),
        await sent.received(POINT, MessageKind.RECEIPT),
        await sent.sent(POINT, MessageKind.RECEIPT),
        await sent.received(NAV, MessageKind.RECEIPT),
    ]
    assert {receipt.ref_to for receipt in receipts} == {(await sent.sent(NAV)).message_id}
    assert len({receipt.body for receipt in receipts}) == 1


async def test_kept_receipt_repeats_everything_the_sender_signed(sent: Lab) -> None:
    """The receipt confirms Messaging, Body and the part with the SED (non-repudiation)."""
    receipt, message = await sent.received(NAV, MessageKind.RECEIPT), await sent.sent(NAV)
    original = msh.unpack(message.content_type, message.body)
    signed = msh.signed_references(original)
    confirmation.check_receipt(msh.unpack(receipt.content_type, receipt.body), signed)
    assert len(signed) == 3


async def test_message_can_be_followed_through_the_journals_of_all_nodes(sent: Lab) -> None:
    """One line per step: sent, accepted, taken in, checked, forwarded, filed, receipted."""
    found = [
        (entry.node, entry.step) for entry in await sent.storage.journal_of((await sent.sent(NAV)).message_id)
    ]
    assert found == [
        (NAV, "sent"),
        (POINT, "received"),
        (NAV, "accepted"),
        (POINT, "checked"),
        (ZUS, "received"),
        (POINT, "forwarded"),
        (ZUS, "filed"),
        (NAV, "receipted"),
    ]


async def test_multilateral_document_goes_to_every_counterparty_in_its_own_message(lab: Lab) -> None:
    """Each counterparty gets the document in a message that names it first; the octets of the SED are the same."""
    await lab.open(others=[ZUS, FK])
    firsts, seds = [], set()
    for party in (ZUS, FK):
        message = await lab.received(party)
        parts = msh.unpack(message.content_type, message.body).parts
        document = sbdh.read(msh.payload_content(parts[0]))
        firsts.append(document.header.receivers[0].id)
        seds.add(xmlsafe.exclusive_c14n(document.sed))
    assert firsts == [ZUS, FK]
    assert len(seds) == 1


async def test_every_delivery_of_a_multilateral_document_has_its_own_state(lab: Lab) -> None:
    """While one counterparty cannot be reached, the delivery to the other one is delivered."""
    lab.take_down(FK)
    await lab.open(others=[ZUS, FK])
    deliveries = {
        each.receiver: each.status for each in (await lab.document(NAV, A003)).versions[-1].deliveries
    }
    assert deliveries == {ZUS: "delivered", FK: "sent"}
