"""Messages that are not from whom they say, or were changed on the way: refused at the entrance, never forwarded.

The answer on the wire is general, so that nobody can probe us; the journal of the access point names the reason.
"""

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.helpers.forge import Draft, codes, held_back, let_go, post
from tests.helpers.lab import FK, NAV, POINT, ZUS, Lab, own_credentials

from eessi_sim.access_point.intermediary import Intermediary
from eessi_sim.as4 import msh
from eessi_sim.as4.msh import Packed
from eessi_sim.gateway.inbox import Inbox
from eessi_sim.identifiers import AttachmentId, InstitutionId
from eessi_sim.sbdh import ListedAttachment
from eessi_sim.security.keys import KeyPair, Purpose
from eessi_sim.simulation.credentials import PartyKeys
from eessi_sim.simulation.inprocess import START
from eessi_sim.storage.base import Direction, MessageKind
from eessi_sim.transport.base import Request, Response


async def assert_refused(lab: Lab, code: str, reason: str) -> None:
    """The sender knows the code, the journal the reason, and nothing was kept or forwarded."""
    message = await lab.sent(NAV)
    assert message.state == "rejected"
    assert (message.last_error or "").startswith(code)
    assert await lab.delivery(NAV) == "error"
    assert ("refused", code) in await lab.steps(POINT)
    assert reason in await lab.reasons(POINT)
    assert not await lab.messages(POINT, Direction.IN)
    assert not await lab.messages(ZUS, Direction.IN)


def issued(lab: Lab, party: str = NAV, *, purpose: Purpose = Purpose.EBMS, days_ago: int = 1) -> KeyPair:
    """A key pair of the authority of the network that the directory does not list."""
    now = START - timedelta(days=days_ago)
    return lab.network.credentials.authority.issue(party, purpose, country="NO", now=now, days=90)


def flipped(packed: Packed, before: bytes) -> Packed:
    """The message with one bit flipped in front of the first occurrence of a text."""
    place = packed.body.index(before) - 1
    changed = packed.body[:place] + bytes([packed.body[place] ^ 1]) + packed.body[place + 1 :]
    return replace(packed, body=changed)


async def test_from_party_without_its_tls_certificate_is_refused(lab: Lab) -> None:
    """An institution hands in only messages of its own: the TLS client must be the From party."""
    draft = await held_back(lab)
    lab.bring_up(POINT)
    answer = await post(lab, draft.packed(lab.keys(NAV).ebms), client=FK)
    assert (answer.status, codes(answer)) == (200, ["EBMS:0101"])
    assert "TLS certificate of NO:NAVAT07, found one of SE:FKSE01" in await lab.reasons(POINT)


async def test_message_signed_by_somebody_else_is_refused(lab: Lab) -> None:
    """A valid certificate of another institution does not sign for the From party."""
    draft = await held_back(lab)
    await let_go(lab, draft.packed(lab.keys(FK).ebms))
    await assert_refused(lab, "EBMS:0101", "SE:FKSE01")


async def test_message_signed_with_a_certificate_that_is_not_listed_is_refused(lab: Lab) -> None:
    """Trust is the directory, not the chain alone: our authority issued it, but it is not listed."""
    draft = await held_back(lab)
    await let_go(lab, draft.packed(issued(lab)))
    await assert_refused(lab, "EBMS:0101", "listed")


async def test_message_signed_with_the_tls_key_is_refused(lab: Lab) -> None:
    """The TLS certificate of the same institution is listed for another purpose."""
    draft = await held_back(lab)
    await let_go(lab, draft.packed(lab.keys(NAV).tls))
    await assert_refused(lab, "EBMS:0101", "listed")


async def test_message_signed_with_the_seal_is_refused(lab: Lab) -> None:
    """The business seal signs documents, not messages."""
    draft = await held_back(lab)
    await let_go(lab, draft.packed(lab.keys(NAV).seal))
    await assert_refused(lab, "EBMS:0101", "listed")


async def test_message_signed_with_a_revoked_certificate_is_refused() -> None:
    """A certificate on the revocation list counts no more, though the directory still lists it."""
    credentials = own_credentials()
    credentials.authority.revoke(credentials.parties[NAV].ebms.certificate, START - timedelta(hours=1))
    async with Lab.build(credentials=credentials) as lab:
        await lab.open()
        await assert_refused(lab, "EBMS:0101", "revoked")


async def test_message_signed_with_an_expired_certificate_is_refused() -> None:
    """A listed certificate must be valid on the day of the check."""
    async with Lab.build() as lab:
        expired = issued(lab, days_ago=100)
    good = own_credentials().parties[NAV]
    credentials = own_credentials(NAVAT07=PartyKeys(good.tls, expired, good.seal))
    async with Lab.build(credentials=credentials) as lab:
        await lab.open()
        await assert_refused(lab, "EBMS:0101", "valid")


async def test_message_of_an_institution_without_ebms_certificate_is_refused(lab: Lab) -> None:
    """Who is listed without a certificate for messages cannot send any."""
    draft = await held_back(lab)
    nav = lab.directory.current.get(NAV)
    lab.enlist(replace(nav, certificates=replace(nav.certificates, ebms=())))
    await let_go(lab, draft.packed(lab.keys(NAV).ebms))
    await assert_refused(lab, "EBMS:0101", "lists with an ebMS certificate")


async def test_unsigned_message_is_refused(lab: Lab) -> None:
    """EESSI has no unsigned business messages."""
    draft = await held_back(lab)
    await let_go(lab, draft.packed(None))
    await assert_refused(lab, "EBMS:0103", "Security header")


async def test_point_to_point_message_is_not_forwarded(lab: Lab) -> None:
    """Without the role nextmsh a message is not meant for an intermediary."""
    draft = await held_back(lab)
    await let_go(lab, draft.packed(lab.keys(NAV).ebms, multihop=False))
    await assert_refused(lab, "EBMS:0010", "nextmsh")


async def test_message_from_the_past_is_refused(lab: Lab) -> None:
    """A message older than the window of duplicate detection could be a replay."""
    draft = await held_back(lab)
    old = replace(draft.unit.info, timestamp=START - timedelta(days=31))
    await let_go(lab, draft.with_unit(info=old).packed(lab.keys(NAV).ebms))
    await assert_refused(lab, "EBMS:0003", "Timestamp")


async def test_message_to_oneself_is_refused(lab: Lab) -> None:
    """Sender and receiver are two parties."""
    draft = (await held_back(lab)).addressed(receiver=NAV)
    await let_go(lab, draft.packed(lab.keys(NAV).ebms))
    await assert_refused(lab, "EBMS:0003", "NO:NAVAT07")


@pytest.mark.parametrize(
    "place", [b"<eb:ConversationId>", b"</eb:PartyId>", b"</ds:DigestValue>", b"</ds:SignatureValue>"]
)
async def test_envelope_with_a_flipped_bit_is_refused(lab: Lab, place: bytes) -> None:
    """Whatever is changed in the signed envelope, the signature notices, or nothing can be read any more."""
    packed = (await held_back(lab)).packed(lab.keys(NAV).ebms)
    await let_go(lab, flipped(packed, place))
    assert (await lab.sent(NAV)).state == "rejected"
    assert not await lab.messages(POINT, Direction.IN)


def with_attachment(draft: Draft) -> Draft:
    """The message with a second part, which its envelope lists."""
    listed = ListedAttachment(AttachmentId("a" * 32), "letter.pdf", "application/pdf")
    content_id = f"{listed.id}@forged.example"
    letter = msh.plain_payload(content_id, b"%PDF-1.7 letter", "application/pdf", "Attachment")
    return replace(draft.with_header(attachments=(listed,)), attachments=(letter,))


async def test_attachment_travels_with_the_document(lab: Lab) -> None:
    """The counter-test of the next one: a second part is signed, forwarded and receipted."""
    packed = with_attachment(await held_back(lab)).packed(lab.keys(NAV).ebms)
    await let_go(lab, packed)
    assert await lab.delivery(NAV) == "delivered"
    assert b"%PDF-1.7 letter" in (await lab.received(ZUS)).body


async def test_changed_attachment_is_refused(lab: Lab) -> None:
    """Every part is signed: one changed octet in an attachment is found."""
    packed = with_attachment(await held_back(lab)).packed(lab.keys(NAV).ebms)
    changed = replace(packed, body=packed.body.replace(b"%PDF-1.7 letter", b"%PDF-1.7 better"))
    await let_go(lab, changed)
    await assert_refused(lab, "EBMS:0101", "aaaa@forged.example")


async def test_message_of_the_wrong_institution_is_not_filed(lab: Lab) -> None:
    """What arrives at another institution than the To party is refused there."""
    draft = await held_back(lab)
    lab.bring_up(POINT)
    await post(lab, draft.packed(lab.keys(NAV).ebms), client=POINT, to=FK)
    assert "Expected a message to SE:FKSE01, found one to PL:ZUS01" in await lab.reasons(FK)
    assert not await lab.messages(FK, Direction.IN)


async def test_receiver_takes_messages_only_from_its_access_point(lab: Lab) -> None:
    """A genuine message handed in directly by its sender is refused: it did not pass the checks."""
    draft = await held_back(lab)
    answer = await post(lab, draft.packed(lab.keys(NAV).ebms), client=NAV, to=ZUS)
    assert codes(answer) == ["EBMS:0101"]
    assert "access point of PL:ZUS01 as TLS client" in await lab.reasons(ZUS)
    assert not await lab.messages(ZUS, Direction.IN)


async def test_receiver_verifies_again_what_the_access_point_brings(lab: Lab) -> None:
    """Signatures are end to end: a message that an access point changed is refused by the receiver."""
    packed = with_attachment(await held_back(lab)).packed(lab.keys(NAV).ebms)
    changed = replace(packed, body=packed.body.replace(b"%PDF-1.7 letter", b"%PDF-1.7 better"))
    answer = await post(lab, changed, client=POINT, to=ZUS)
    assert codes(answer) == ["EBMS:0101"]
    assert not await lab.messages(ZUS, Direction.IN)


async def test_verified_message_that_the_receiver_refuses_is_answered_by_callback(lab: Lab) -> None:
    """A fault that shows only at the receiver travels back through the access point to the sender."""
    draft = await held_back(lab)
    good = msh.compressed_payload("sed@forged.example", draft.sed, "application/xml", "SED")
    broken = replace(good, octets=b"\x1f\x8bnonsense")
    lab.bring_up(POINT)
    lab.take_down(ZUS)
    await lab.work(2)
    lab.bring_up(ZUS)
    await post(lab, draft.packed(lab.keys(NAV).ebms, payloads=(broken,)), client=POINT, to=ZUS)
    assert (await lab.received(NAV, MessageKind.ERROR)).ref_to == (await lab.sent(NAV)).message_id
    assert ((await lab.sent(NAV)).last_error or "").startswith("EBMS:0303")


@pytest.mark.parametrize(("to", "client"), [(POINT, NAV), (ZUS, POINT)])
async def test_message_of_an_institution_whose_entry_has_ended_is_refused(
    lab: Lab, to: InstitutionId, client: InstitutionId
) -> None:
    """PT-7: who is not listed any more signs no messages, though its certificates still stand in the directory."""
    draft = await held_back(lab)
    lab.bring_up(POINT)
    lab.enlist(replace(lab.directory.current.get(NAV), valid_until=lab.clock.now() - timedelta(days=1)))
    answer = await post(lab, draft.packed(lab.keys(NAV).ebms), client=client, to=to)
    assert codes(answer) == ["EBMS:0101"]


async def test_full_queue_takes_no_more_messages(lab: Lab) -> None:
    """SZ-6: EBMS:0021 when too many messages wait; receipts and repetitions are taken in all the same."""
    draft = await held_back(lab)
    lab.bring_up(POINT)
    lab.take_down(ZUS)
    point = lab.point
    inbox = Inbox(
        replace(point.station, queue=1),
        Intermediary(
            replace(point.station, queue=1), point._inspection, point._outbox, point._channels, point._desk
        ),
    )
    certificate = lab.keys(NAV).tls.certificate.der

    async def hand_in(packed: Packed) -> Response:
        return await inbox.handle(
            Request(
                method="POST",
                path="/",
                headers={"content-type": packed.content_type},
                body=packed.body,
                peer_certificate=certificate,
            )
        )

    first = draft.packed(lab.keys(NAV).ebms)
    assert (await hand_in(first)).status == 202
    await lab.network.quiet()
    assert codes(await hand_in(draft.named("next@no.example").packed(lab.keys(NAV).ebms))) == ["EBMS:0021"]
    assert (await hand_in(first)).status == 202
