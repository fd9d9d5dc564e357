"""Third parties cannot change what a sender believes about its message: forged errors, receipts and answers."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import pytest
from tests.helpers.lab import FK, NAV, POINT, ZUS, Lab

from eessi_sim.as4 import msh
from eessi_sim.as4.ebms_errors import EbmsErrorCode, EbmsFault
from eessi_sim.as4.model import ErrorSignal, UserMessage
from eessi_sim.gateway.outbox import Attempt, Outbox, Settlement, Verdict
from eessi_sim.identifiers import InstitutionId, MessageId
from eessi_sim.spool import Spool
from eessi_sim.storage.base import Direction, MessageKind, StoredMessage
from eessi_sim.stretch import Extent
from eessi_sim.transport.base import Response


async def waiting(lab: Lab) -> StoredMessage:
    """Bring a message of NAV to ZUS to the point where only the receipt is missing."""
    lab.take_down(ZUS)
    await lab.open(owner=NAV, others=[ZUS])
    return await lab.sent(NAV)


async def test_message_with_a_forged_sender_makes_the_receiver_sign_no_error_about_it(lab: Lab) -> None:
    """An institution that uses the id and name of another one learns the reason itself; the other one hears nothing."""
    original = await waiting(lab)
    unit = msh.unpack(original.content_type, original.body).unit
    assert isinstance(unit, UserMessage)
    forged = msh.pack_user_message(replace(unit, parts=()), [], None, token="ab" * 16)
    lab.bring_up(ZUS)
    client = lab.keys(FK).tls.certificate.der
    answer = await lab.post(ZUS, forged.body, content_type=forged.content_type, client=client)
    assert isinstance(msh.unpack(answer.headers["content-type"], answer.body).unit, ErrorSignal)
    await lab.network.quiet()
    assert await lab.messages(NAV, (await lab.sent(NAV)).direction, MessageKind.ERROR) == ()
    await lab.work(120)
    assert (await lab.sent(NAV)).state == "delivered"


async def accuse(
    lab: Lab, by: InstitutionId, of: StoredMessage, *, at: InstitutionId, client: InstitutionId
) -> Response:
    """Hand in an error about a message of the network, signed by anybody, with the certificate of anybody."""
    about = msh.unpack(of.content_type, of.body)
    error = EbmsFault(EbmsErrorCode.OTHER, "No").as_error()
    packed = msh.pack_error(
        [error], lab.keys(by).ebms, about=about.message_id, stamp=lab.node(FK).office.station.stamp()
    )
    certificate = lab.keys(client).tls.certificate.der
    return await lab.post(at, packed.body, content_type=packed.content_type, client=certificate)


async def test_error_of_a_third_party_stops_no_message(lab: Lab) -> None:
    """An error signed by neither the receiver nor an access point is ignored, whoever brings it."""
    original = await waiting(lab)
    assert (await accuse(lab, FK, original, at=NAV, client=POINT)).status == 202
    assert (await lab.sent(NAV)).state == "awaiting-receipt"
    assert ("refused", "EBMS:0101") in await lab.steps(NAV)


async def test_error_about_a_receipt_changes_nothing(sent: Lab) -> None:
    """There are no errors about signals: the receipt that was sent stays as it is."""
    receipt = await sent.sent(ZUS, MessageKind.RECEIPT)
    assert (await accuse(sent, POINT, receipt, at=ZUS, client=POINT)).status == 202
    assert (await sent.sent(ZUS, MessageKind.RECEIPT)).state == "forwarded"
    assert ("signal-ignored", "unknown-message") in await sent.steps(ZUS)


async def test_access_point_forwards_no_error_about_a_receipt(sent: Lab) -> None:
    """A signal about a signal ends at the access point, even from the right party on the right way."""
    receipt, request = await sent.received(NAV, MessageKind.RECEIPT), await sent.received(ZUS)
    message = msh.unpack(request.content_type, request.body)
    assert isinstance(message.unit, UserMessage)
    info = replace(message.unit.info, message_id=receipt.message_id)
    back = replace(message.unit, info=info, sender=message.unit.receiver, receiver=message.unit.sender)
    error = msh.pack_error(
        [EbmsFault(EbmsErrorCode.OTHER, "No").as_error()],
        sent.keys(NAV).ebms,
        about=replace(message, unit=back),
        stamp=sent.node(NAV).office.station.stamp(),
    )
    client = sent.keys(NAV).tls.certificate.der
    reply = await sent.post(POINT, error.body, content_type=error.content_type, client=client)
    assert b"Expected a signal about a user message that passed here" in reply.body
    assert await sent.messages(POINT, Direction.IN, MessageKind.ERROR) == ()


async def test_receipt_after_the_last_retry_still_proves_delivery(lab: Lab) -> None:
    """A message that was given up for want of a receipt is delivered when the receipt comes after all."""
    lab.take_down(NAV)
    await lab.open(owner=NAV, others=[ZUS])
    await lab.work(2 * 86_400)
    assert ((await lab.sent(NAV)).state, await lab.delivery(NAV)) == ("dead-lettered", "error")
    lab.bring_up(NAV)
    receipt = await lab.sent(POINT, MessageKind.RECEIPT)
    client = lab.keys(POINT).tls.certificate.der
    await lab.post(NAV, receipt.body, content_type=receipt.content_type, client=client)
    assert ((await lab.sent(NAV)).state, await lab.delivery(NAV)) == ("delivered", "delivered")


@dataclass
class Hop:
    """A next hop that always gives the same answer, and the owner of the queue that remembers what came of it."""

    answer: Response
    attempts: list[Attempt] = field(default_factory=list)

    async def send(
        self,
        url: str,
        body: Extent,
        *,
        headers: Mapping[str, str],
        within: float,
        method: str = "POST",
        into: Spool | None = None,
    ) -> Response:
        return self.answer

    async def close(self) -> None:
        """Nothing is open."""

    async def settle(self, message: StoredMessage, attempt: Attempt, settlement: Settlement) -> None:
        self.attempts.append(attempt)


async def verdict_on(lab: Lab, signer: InstitutionId | None, about: str) -> tuple[Verdict, str]:
    """What NAV makes of an error that comes back when it hands its message to the access point."""
    fault = EbmsFault(EbmsErrorCode.FAILED_AUTHENTICATION, "No").as_error()
    keys = lab.keys(signer).ebms if signer else None
    station = lab.node(NAV).office.station
    packed = msh.pack_error([fault], keys, about=MessageId(about), stamp=station.stamp())
    hop = Hop(Response(200, {"content-type": packed.content_type}, packed.body))
    await Outbox(replace(station, transport=hop), hop).process(await lab.sent(NAV))
    (attempt,) = hop.attempts
    return attempt.verdict, attempt.reason


async def test_error_in_the_answer_counts_when_the_access_point_signed_it(sent: Lab) -> None:
    """The hop that was asked to take the message refuses it."""
    verdict, reason = await verdict_on(sent, POINT, (await sent.sent(NAV)).message_id)
    assert (verdict, reason.split()[0]) == (Verdict.REFUSED, "EBMS:0101")


@pytest.mark.parametrize("signer", [None, FK, ZUS])
async def test_error_in_the_answer_that_the_next_hop_did_not_sign_stops_nothing(
    sent: Lab, signer: InstitutionId | None
) -> None:
    """Unsigned, or signed by anybody else: the message is sent again, and the journal says why."""
    verdict, reason = await verdict_on(sent, signer, (await sent.sent(NAV)).message_id)
    assert verdict is Verdict.AGAIN
    assert reason.startswith("An error of unproven origin came back: EBMS:0101")


async def test_error_in_the_answer_about_another_message_stops_nothing(sent: Lab) -> None:
    """An old error, replayed, says nothing about this message."""
    verdict, reason = await verdict_on(sent, POINT, "another@point.example")
    assert (verdict, reason[:35]) == (Verdict.AGAIN, "An error about another message came")
