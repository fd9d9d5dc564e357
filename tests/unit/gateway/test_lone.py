"""The lone gateway: both ends of eDelivery AS4 1.15 and 2.0 on one machine, without a network."""

import asyncio
import random
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.helpers.as4_messages import RECEIVER, SED, SENDER
from tests.helpers.lone_gateways import POINT_TO_POINT, URL, Pair, Wire, identity, mode_of

from eessi_sim.as4 import msh, vocabulary
from eessi_sim.as4.ebms_errors import EbmsErrorCode, EbmsFault
from eessi_sim.as4.key_references import KeyReference
from eessi_sim.as4.model import ErrorSignal, MessageProperty, Payload, UserMessage
from eessi_sim.as4.modes import EESSI, ProcessingMode, ProfileName, Security
from eessi_sim.as4.pmode import ReceptionAwareness, TimeWindow
from eessi_sim.clock import ManualClock
from eessi_sim.errors import ConnectFailed, SettingsError, TransportError
from eessi_sim.gateway import lone
from eessi_sim.gateway.document import Document, document_from, part_of
from eessi_sim.gateway.lone import Delivery, LoneGateway
from eessi_sim.spool import Spool
from eessi_sim.stretch import IN_MEMORY, Extent, whole
from eessi_sim.transport.base import Request, Response

DOCUMENTS = (
    Document(SED, properties=(MessageProperty("PartType", "SED"),)),
    Document(b"\x00\xff" * 500, "application/octet-stream"),
    Document(b"<a  b='1'/>", "text/xml"),
)
FIRST = ProfileName.EDELIVERY_1


def errors_of(answer: Response) -> list[str]:
    """Return the codes in an error signal."""
    unit = msh.unpack(answer.headers["content-type"], answer.body).unit
    return [error.code for error in unit.errors] if isinstance(unit, ErrorSignal) else []


def lying(folder: Path) -> list[str]:
    """Return what lies in a spool."""
    return [path.name for path in folder.iterdir()]


@pytest.mark.parametrize("profile", POINT_TO_POINT)
class TestProfiles:
    """Each point-to-point profile, whole."""

    @pytest.mark.parametrize("is_compressed", [True, False], ids=["gzip", "plain"])
    @pytest.mark.parametrize("reference", KeyReference)
    async def test_documents_arrive_and_are_receipted(
        self, profile: ProfileName, reference: KeyReference, is_compressed: bool
    ) -> None:
        """Signed, encrypted, with several payloads, compressed or not: all arrive, and the receipt confirms them."""
        security = replace(mode_of(profile).security, key_reference=reference, recipient_reference=reference)
        mode = mode_of(profile, security=security, is_compressed=is_compressed)
        pair = Pair(profile, mode)
        outcome = await pair.sender.send(mode, DOCUMENTS)
        assert (outcome.is_delivered, outcome.is_accepted, outcome.errors) == (True, False, ())
        [delivery] = pair.received
        assert delivery.documents == DOCUMENTS
        assert delivery.signer == identity(profile, SENDER.id, RECEIVER.id).keys.certificate

    async def test_ping_is_receipted_and_not_delivered(self, profile: ProfileName) -> None:
        """The test message is checked and receipted; nobody gets it."""
        pair = Pair(profile)
        assert (await pair.sender.ping(mode_of(profile))).is_delivered
        assert pair.received == []

    async def test_readable_message_is_refused(self, profile: ProfileName) -> None:
        """A message without encryption is EBMS:0103 where encryption is agreed."""
        mode = mode_of(profile, security=replace(mode_of(profile).security, encrypts_for=None))
        outcome = await Pair(profile).sender.send(mode, DOCUMENTS)
        assert [error.code for error in outcome.errors] == ["EBMS:0103"]

    async def test_readable_message_arrives_where_that_is_agreed(self, profile: ProfileName) -> None:
        """Encryption is a setting of the mode: without it, the same keys exchange signed messages."""
        readable = mode_of(profile, security=replace(mode_of(profile).security, encrypts_for=None))
        pair = Pair(profile, readable)
        assert (await pair.sender.send(readable, DOCUMENTS)).is_delivered
        assert pair.received[0].documents == DOCUMENTS

    async def test_encrypted_message_is_refused_where_none_is_agreed(self, profile: ProfileName) -> None:
        """A message with encryption is EBMS:0103 where readable parts are agreed (ALG-14)."""
        readable = mode_of(profile, security=replace(mode_of(profile).security, encrypts_for=None))
        outcome = await Pair(profile, readable).sender.send(mode_of(profile), DOCUMENTS)
        assert [error.code for error in outcome.errors] == ["EBMS:0103"]

    async def test_other_profile_is_refused_at_home(self, profile: ProfileName) -> None:
        """Keys of another profile are refused before anything is sent."""
        other = POINT_TO_POINT[(POINT_TO_POINT.index(profile) + 1) % 3]
        with pytest.raises(SettingsError, match=r"edelivery"):
            await Pair(profile).sender.send(mode_of(other), DOCUMENTS)


class TestReceiving:
    """What the receiver answers."""

    async def test_duplicate_gets_the_same_receipt_and_is_delivered_once(self) -> None:
        """The same octets again are answered with the same receipt."""
        pair = Pair(FIRST)
        await pair.sender.send(mode_of(FIRST), DOCUMENTS)
        again = await pair.wire.handler(pair.wire.requests[0])
        assert again == pair.wire.answers[0]
        assert len(pair.received) == 1

    async def test_other_content_under_a_known_id_is_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A second message with the id of the first is EBMS:0003 and is not delivered."""
        pair = Pair(FIRST)
        first = pair.sender.stamp()
        monkeypatch.setattr(pair.sender, "stamp", lambda: first)
        await pair.sender.send(mode_of(FIRST), DOCUMENTS[:1])
        outcome = await pair.sender.send(mode_of(FIRST), DOCUMENTS[1:])
        assert [error.code for error in outcome.errors] == ["EBMS:0003"]
        assert len(pair.received) == 1

    async def test_receipts_are_forgotten_one_day(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Only so many receipts are kept; the oldest goes first."""
        monkeypatch.setattr(lone, "_REMEMBERED", 1)
        pair = Pair(FIRST)
        for _ in range(2):
            await pair.sender.send(mode_of(FIRST), DOCUMENTS[:1])
        await pair.wire.handler(pair.wire.requests[0])
        assert len(pair.received) == 3

    async def test_message_of_no_mode_learns_the_nearest(self) -> None:
        """The error signal names the nearest mode and the field, in its description and its detail."""
        outcome = await Pair(FIRST).sender.send(mode_of(FIRST, action="Submit"), DOCUMENTS)
        [error] = outcome.errors
        assert error.code == "EBMS:0010"
        assert 'Action: expected "submit", found "Submit" (only capital' in (error.detail or "")
        assert error.ref == outcome.sent.message_id

    async def test_fault_of_the_consumer_is_the_answer(self) -> None:
        """What the consumer cannot keep is not receipted."""
        pair = Pair(FIRST)

        async def fail(delivery: Delivery) -> None:
            raise EbmsFault(EbmsErrorCode.DELIVERY_FAILURE, "Expected room, found none")

        pair.wire.handler = pair.receiver.serve([mode_of(FIRST)], fail)
        outcome = await pair.sender.send(mode_of(FIRST), DOCUMENTS)
        assert [error.code for error in outcome.errors] == ["EBMS:0202"]

    async def test_gzip_without_its_media_type_is_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """CompressionType without MimeType is EBMS:0303 (AS4 3.1)."""
        pair = Pair(FIRST)

        def bare(*given: Any, **named: Any) -> Payload:
            part = part_of(*given, **named)
            return replace(part, properties=part.properties[-1:])

        monkeypatch.setattr(lone, "part_of", bare)
        outcome = await pair.sender.send(mode_of(FIRST), DOCUMENTS[:1])
        assert [error.code for error in outcome.errors] == ["EBMS:0303"]

    @pytest.mark.parametrize(
        ("method", "content_type", "body", "status"),
        [
            ("GET", "", b"", 405),
            ("POST", "text/plain", b"hello", 400),
            ("POST", vocabulary.SOAP_CONTENT_TYPE, b"<not xml", 400),
        ],
    )
    async def test_what_is_no_message_gets_a_status(
        self, method: str, content_type: str, body: bytes, status: int
    ) -> None:
        """No error signal answers what is not AS4."""
        request = Request(method=method, path="/", headers={"content-type": content_type}, body=body)
        assert (await Pair(FIRST).wire.handler(request)).status == status

    async def test_signals_are_not_taken_in(self) -> None:
        """A receipt that somebody pushes is EBMS:0008: receipts come in the response here."""
        pair = Pair(FIRST)
        await pair.sender.send(mode_of(FIRST), DOCUMENTS)
        receipt = pair.wire.answers[0]
        request = Request(method="POST", path="/", headers=receipt.headers, body=receipt.body)
        assert errors_of(await pair.wire.handler(request)) == ["EBMS:0008"]

    async def test_message_that_is_broken_early_has_an_error_without_reference(self) -> None:
        """A frame that contradicts itself is answered although no id could be read."""
        request = Request(
            method="POST", path="/", headers={"content-type": "multipart/related; boundary=x"}, body=b"--x"
        )
        assert errors_of(await Pair(FIRST).wire.handler(request)) == ["EBMS:0007"]


class TestSending:
    """What the sender makes of answers."""

    def changed(self, response: Response) -> Pair:
        """Return a pair whose receiver always answers so."""
        pair = Pair(FIRST)
        pair.wire.change = lambda _: response
        return pair

    async def test_acceptance_without_content_is_no_receipt(self) -> None:
        """HTTP 202 says that the receipt comes later."""
        outcome = await self.changed(Response(202)).sender.send(mode_of(FIRST), DOCUMENTS)
        assert (outcome.is_delivered, outcome.is_accepted) == (False, True)

    async def test_answer_that_is_not_as4_is_quoted(self) -> None:
        """The beginning of a foreign answer is in the sentence."""
        page = Response(404, {"content-type": "text/html"}, b"<html>no such page")
        with pytest.raises(TransportError, match=r"404.*no such page"):
            await self.changed(page).sender.send(mode_of(FIRST), DOCUMENTS)

    async def test_answer_that_is_a_message_is_no_receipt(self) -> None:
        """A user message in the response is not taken for a receipt."""
        pair = Pair(FIRST)
        packed = pair.sender.pack(mode_of(FIRST), ())
        pair.wire.change = lambda _: Response(200, {"content-type": packed.content_type}, packed.body)
        with pytest.raises(TransportError, match="receipt"):
            await pair.sender.send(mode_of(FIRST), DOCUMENTS)

    async def test_receipt_of_another_message_does_not_confirm(self) -> None:
        """A valid receipt for something else is EBMS:0302."""
        pair = Pair(FIRST)
        await pair.sender.send(mode_of(FIRST), DOCUMENTS)
        first = pair.wire.answers[0]
        pair.wire.change = lambda _: first
        with pytest.raises(EbmsFault) as caught:
            await pair.sender.send(mode_of(FIRST), DOCUMENTS)
        assert caught.value.error_code is EbmsErrorCode.INVALID_RECEIPT

    async def test_unsigned_receipt_is_refused(self) -> None:
        """A receipt without signature proves nothing: EBMS:0103."""
        pair = Pair(FIRST)

        def unsigned(answer: Response) -> Response:
            start, end = answer.body.index(b"<wsse:Security"), answer.body.index(b"</wsse:Security>") + 16
            return replace(answer, body=answer.body[:start] + answer.body[end:])

        pair.wire.change = unsigned
        with pytest.raises(EbmsFault) as caught:
            await pair.sender.send(mode_of(FIRST), DOCUMENTS)
        assert caught.value.error_code is EbmsErrorCode.POLICY_NONCOMPLIANCE

    async def test_silence_is_tried_again_with_the_same_octets(self) -> None:
        """Connections that fail are tried again as agreed; then EBMS:0301."""
        pair = Pair(FIRST)
        bodies: list[bytes] = []

        class Silence(Wire):
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
                bodies.append(whole(body))
                raise ConnectFailed("nobody there")

        sender = LoneGateway(pair.sender._identity, Silence(pair.wire.handler), clock=pair.clock)
        mode = mode_of(FIRST, awareness=ReceptionAwareness(retries=2))
        sending = asyncio.create_task(sender.send(mode, DOCUMENTS))
        while not sending.done():
            await asyncio.sleep(0)
            pair.clock.advance(timedelta(seconds=1))
        with pytest.raises(EbmsFault, match="3 attempts") as caught:
            await sending
        assert caught.value.error_code is EbmsErrorCode.MISSING_RECEIPT
        assert len(bodies) == 3
        assert len(set(bodies)) == 1

    @pytest.mark.parametrize("missing", ["sender", "receiver", "service", "action", "address"])
    async def test_incomplete_mode_cannot_send(self, missing: str) -> None:
        """The error names the mode that lacks something."""
        with pytest.raises(SettingsError, match=r"edelivery-1\.15 test"):
            await Pair(FIRST).sender.send(mode_of(FIRST, **{missing: None}), DOCUMENTS)

    def test_eessi_message_is_packed_as_institutions_send_it(self) -> None:
        """The preset of EESSI gives a readable, signed, multi-hop message."""
        pair = Pair(ProfileName.EESSI)
        mode = replace(EESSI, sender=SENDER, receiver=RECEIVER, address=URL, security=Security())
        packed = pair.sender.pack(mode, DOCUMENTS)
        message = msh.unpack(packed.content_type, packed.body)
        assert isinstance(message.unit, UserMessage)
        assert message.is_multihop
        assert [msh.payload_content(part) for part in message.parts] == [each.content for each in DOCUMENTS]


@pytest.mark.parametrize(
    ("times", "back", "codes"),
    [
        (TimeWindow(), timedelta(days=31), ["EBMS:0003"]),
        (TimeWindow(), timedelta(minutes=-6), ["EBMS:0003"]),
        (TimeWindow(timedelta(days=40)), timedelta(days=31), []),
        (None, timedelta(days=60), []),
    ],
    ids=["old", "ahead", "wider", "any"],
)
async def test_time_of_a_message_is_checked(
    times: TimeWindow | None, back: timedelta, codes: list[str]
) -> None:
    """RP-2, RP-11: what is behind the window or ahead of the clock is refused, as far as that is wanted."""
    pair = Pair(FIRST)
    clock = ManualClock(pair.clock.now() + back)
    receiver = LoneGateway(identity(FIRST, RECEIVER.id, SENDER.id), clock=clock, times=times)
    pair.wire.handler = receiver.serve([mode_of(FIRST)], pair.deliver)
    outcome = await pair.sender.send(mode_of(FIRST), DOCUMENTS)
    assert [error.code for error in outcome.errors] == codes


class TestLargeDocuments:
    """What lies in files, before and after."""

    LARGE = random.Random(3).randbytes(IN_MEMORY + 1)

    def pair(self, spool: Spool, mode: ProcessingMode) -> tuple[Pair, LoneGateway]:
        """Return both sides, each with the spool."""
        pair = Pair(FIRST, mode)
        receiver = LoneGateway(identity(FIRST, RECEIVER.id, SENDER.id), clock=pair.clock, spool=spool)
        pair.wire.handler = receiver.serve([mode], pair.deliver)
        pair.wire.spool = spool
        sender = LoneGateway(pair.sender._identity, pair.wire, clock=pair.clock, spool=spool)
        return pair, sender

    @pytest.mark.parametrize("is_compressed", [True, False], ids=["gzip", "plain"])
    async def test_they_pass_from_file_to_file(self, tmp_path: Path, is_compressed: bool) -> None:
        """A signed message with a large document is never held: what arrived lies in a file as long as it is delivered."""
        spool = Spool(tmp_path)
        security = replace(mode_of(FIRST).security, encrypts_for=None)
        mode = mode_of(FIRST, security=security, is_compressed=is_compressed)
        pair, sender = self.pair(spool, mode)
        contents: list[bytes] = []

        async def deliver(delivery: Delivery) -> None:
            contents.extend(b"".join(document.pieces()) for document in delivery.documents)
            assert [len(document.content) for document in delivery.documents] == [0, len(SED)]

        pair.wire.handler = LoneGateway(
            identity(FIRST, RECEIVER.id, SENDER.id), clock=pair.clock, spool=spool
        ).serve([mode], deliver)
        document = document_from([self.LARGE], "application/pdf", spool=spool)
        assert (await sender.send(mode, [document, Document(SED)])).is_delivered
        assert contents == [self.LARGE, SED]
        assert document.spooled is not None
        assert lying(tmp_path) == [document.spooled.path.name]

    async def test_encryption_holds_them(self, tmp_path: Path) -> None:
        """An encrypted message is packed as a whole; it arrives all the same."""
        spool = Spool(tmp_path)
        pair, sender = self.pair(spool, mode_of(FIRST))
        document = document_from([self.LARGE], "application/pdf", spool=spool)
        assert (await sender.send(mode_of(FIRST), [document])).is_delivered
        [delivery] = pair.received
        assert delivery.documents[0].spooled is not None

    async def test_what_cannot_be_unpacked_leaves_nothing(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """When a later part cannot be decompressed, the files of the earlier ones go."""
        spool = Spool(tmp_path)
        mode = mode_of(FIRST)
        _, sender = self.pair(spool, mode)

        def damaged(document: Document, *given: Any, **named: Any) -> Payload:
            part = part_of(document, *given, **named)
            return part if document.spooled else replace(part, octets=b"no gzip")

        monkeypatch.setattr(lone, "part_of", damaged)
        document = document_from([self.LARGE], "application/pdf", spool=spool)
        outcome = await sender.send(mode, [document, Document(SED)])
        assert [error.code for error in outcome.errors] == ["EBMS:0303"]
        assert len(lying(tmp_path)) == 1
