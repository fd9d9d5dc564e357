"""Pulling between two lone gateways without a network."""

import hashlib
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from tests.helpers.as4_messages import NOW, RECEIVER, SED, SENDER
from tests.helpers.lone_gateways import URL, Wire, identity, mode_of

from eessi_sim.as4 import msh, vocabulary
from eessi_sim.as4.channels import OfferPolicy, OfferState, PullRights
from eessi_sim.as4.ebms_errors import EbmsErrorCode, EbmsFault
from eessi_sim.as4.model import MessageInfo, Receipt
from eessi_sim.as4.modes import ProfileName
from eessi_sim.clock import ManualClock
from eessi_sim.errors import ConnectFailed, SettingsError
from eessi_sim.gateway import pulling
from eessi_sim.gateway.document import Document, document_from
from eessi_sim.gateway.lone import Delivery, LoneGateway
from eessi_sim.gateway.pulling import Puller, PullPoint
from eessi_sim.identifiers import MessageId
from eessi_sim.spool import Spool
from eessi_sim.stretch import IN_MEMORY
from eessi_sim.transport.base import Request, Response

PROFILE = ProfileName.EDELIVERY_1
MPC = vocabulary.DEFAULT_MPC + "/NO"
MODE = mode_of(PROFILE)


class Scene:
    """Messages wait at the sender; the receiver fetches them."""

    def __init__(self) -> None:
        self.clock = ManualClock(NOW)
        here, there = identity(PROFILE, SENDER.id, RECEIVER.id), identity(PROFILE, RECEIVER.id, SENDER.id)
        self.sender = LoneGateway(here, clock=self.clock)
        rights = PullRights({MPC: frozenset({there.keys.certificate}), MPC + "/other": frozenset()})
        self.point = PullPoint(
            self.sender,
            rights,
            clock=self.clock,
            identity=here,
            policy=OfferPolicy(timedelta(minutes=1), most=2),
        )
        self.wire = Wire(self.point.handle)
        self.received: list[Delivery] = []
        self.puller = Puller(
            LoneGateway(there, clock=self.clock), there, self.wire, self.clock, [MODE], URL, MPC, self.deliver
        )

    async def deliver(self, delivery: Delivery) -> None:
        """Remember what came."""
        self.received.append(delivery)

    def put(self, *contents: bytes, **changes: object) -> None:
        """Let messages wait, one a minute."""
        for content in contents:
            packed = self.sender.pack(replace(MODE, **changes), [Document(content)])  # type: ignore[arg-type] # tests name real fields
            self.point.put(MPC, packed)
            self.clock.advance(timedelta(seconds=1))

    @property
    def states(self) -> list[OfferState]:
        """States of everything that waits or waited."""
        return [entry.state for entry in self.point.waiting]


def suffixes(folder: Path) -> list[str]:
    """Return how the names in a spool end."""
    return sorted(path.suffix for path in folder.iterdir())


@pytest.fixture
def scene() -> Scene:
    """Both sides."""
    return Scene()


async def test_messages_come_oldest_first_until_the_channel_is_empty(scene: Scene) -> None:
    """Three requests fetch three messages, the fourth finds EBMS:0006; all are receipted (E-02, E-25)."""
    scene.put(b"<a/>", b"<b/>", b"<c/>")
    assert await scene.puller.drain() == 3
    assert [each.documents[0].content for each in scene.received] == [b"<a/>", b"<b/>", b"<c/>"]
    assert len(scene.wire.requests) == 4
    assert scene.states == [OfferState.ACKNOWLEDGED] * 3
    assert b"EBMS:0006" in scene.wire.answers[-1].body
    assert scene.puller.owed == []


async def test_message_without_receipt_is_offered_again_and_delivered_once(scene: Scene) -> None:
    """The receipt got lost: the message comes again, is not delivered again, and is receipted again."""
    scene.put(SED)
    assert await scene.puller.once()
    scene.puller.owed.clear()
    assert not await scene.puller.once()
    scene.clock.advance(timedelta(minutes=1))
    assert await scene.puller.drain() == 1
    assert len(scene.received) == 1
    assert scene.states == [OfferState.ACKNOWLEDGED]


async def test_message_that_is_never_receipted_fails(scene: Scene) -> None:
    """After the agreed number of offers the message counts as failed."""
    scene.put(SED)
    for _ in range(3):
        await scene.puller.once()
        scene.puller.owed.clear()
        scene.clock.advance(timedelta(minutes=1))
    assert scene.states == [OfferState.FAILED]


async def test_signals_wait_in_channels_too(scene: Scene) -> None:
    """A receipt for somebody who only pulls is handed out once."""
    packed = scene.sender.pack(MODE, [])
    receipt = msh.pack_receipt(
        msh.unpack(packed.content_type, packed.body), None, stamp=scene.sender.stamp(), references=()
    )
    scene.point.put(MPC, receipt, needs_receipt=False)
    with pytest.raises(EbmsFault) as caught:
        await scene.puller.once()
    assert caught.value.error_code is EbmsErrorCode.FEATURE_NOT_SUPPORTED
    assert scene.states == [OfferState.ACKNOWLEDGED]


async def test_recorded_request_fetches_nothing(scene: Scene) -> None:
    """The same request again is EBMS:0006, though a second message waits (RP-4)."""
    scene.put(b"<a/>", b"<b/>")
    await scene.puller.once()
    again = await scene.point.handle(scene.wire.requests[0])
    assert b"EBMS:0006" in again.body
    assert scene.states == [OfferState.OFFERED, OfferState.READY]


@pytest.mark.parametrize(("mpc", "error"), [(MPC + "/other", SettingsError), (MPC + "/none", EbmsFault)])
async def test_foreign_channel_is_closed(scene: Scene, mpc: str, error: type[Exception]) -> None:
    """Another's channel is HTTP 403, one that does not exist EBMS:0001 (RI-6, P4-17)."""
    scene.puller.mpc = mpc
    with pytest.raises(error):
        await scene.puller.once()


async def test_receipt_of_something_else_is_no_receipt(scene: Scene) -> None:
    """A receipt for an unknown message is passed over; one with other digests is EBMS:0302, and nothing is settled."""
    scene.put(SED)
    await scene.puller.once()
    [owed] = scene.puller.owed
    unknown = replace(owed, info=replace(owed.info, ref_to_message_id=MessageId("x@y.example")))
    scene.puller.owed = [unknown]
    assert not await scene.puller.once()
    scene.puller.owed = [replace(owed, references=owed.references[1:])]
    with pytest.raises(EbmsFault) as caught:
        await scene.puller.once()
    assert caught.value.error_code is EbmsErrorCode.INVALID_RECEIPT
    assert scene.states == [OfferState.OFFERED]


async def test_receipt_without_reference_is_refused(scene: Scene) -> None:
    """A receipt that names no message is EBMS:0009, with the whole request."""
    scene.puller.owed = [Receipt(MessageInfo(MessageId("r@no.example"), NOW), ())]
    with pytest.raises(EbmsFault) as caught:
        await scene.puller.once()
    assert caught.value.error_code is EbmsErrorCode.INVALID_HEADER


async def test_memory_for_ids_has_an_end(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only so many requests and messages are remembered, the newest of them."""
    monkeypatch.setattr(pulling, "_REMEMBERED", 1)
    scene.put(b"<a/>", b"<b/>")
    await scene.puller.drain()
    assert len(scene.point._answered) == len(scene.puller.received) == 1


async def test_message_of_another_channel_is_refused(scene: Scene) -> None:
    """What comes out of a channel must belong to it."""
    scene.puller.modes = [replace(MODE, mpc="urn:elsewhere")]
    scene.put(SED, mpc="urn:elsewhere")
    with pytest.raises(EbmsFault, match="urn:elsewhere"):
        await scene.puller.once()
    assert scene.received == []


@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [("text/plain", b"x", 400), ("multipart/related; boundary=x", b"--x", 200)],
)
async def test_what_is_no_request_is_refused(
    scene: Scene, content_type: str, body: bytes, status: int
) -> None:
    """Other octets are HTTP 400 or an error signal."""
    request = Request(method="POST", path="/", headers={"content-type": content_type}, body=body)
    assert (await scene.point.handle(request)).status == status


async def test_pushed_message_is_refused_here(scene: Scene) -> None:
    """The point answers pull requests only: EBMS:0008."""
    packed = scene.sender.pack(MODE, [])
    request = Request(
        method="POST", path="/", headers={"content-type": packed.content_type}, body=packed.body
    )
    assert b"EBMS:0008" in (await scene.point.handle(request)).body


async def test_receipts_stay_owed_while_nobody_answers(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """A request that got no answer brought no receipt."""
    scene.put(SED)
    await scene.puller.once()

    def fail(_: Response) -> Response:
        raise ConnectFailed("gone")

    scene.wire.change = fail
    with pytest.raises(ConnectFailed):
        await scene.puller.once()
    assert len(scene.puller.owed) == 1


async def test_polling_waits_longer_while_nothing_comes(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """None after a message, then one second, two, four and so on."""
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    scene.put(SED)
    monkeypatch.setattr(scene.clock, "sleep", sleep)
    await scene.puller.poll(4)
    assert waits == [0.0, 1.0, 2.0, 4.0]


async def test_large_message_is_fetched_from_file_to_file(scene: Scene, tmp_path: Path) -> None:
    """A message that lies in a file is handed out from there; what is fetched lies in a file until it is delivered."""
    spool, large = Spool(tmp_path), bytes(IN_MEMORY + 1)
    readable = replace(MODE, security=replace(MODE.security, encrypts_for=None), is_compressed=False)
    sent = document_from([large], "application/pdf", spool=spool)
    packed, file = scene.sender.pack_large(readable, [sent], spool)
    scene.point.put_large(MPC, packed, file.keep())
    scene.puller.modes, scene.puller.spool = [readable], spool
    scene.puller.gateway = LoneGateway(scene.puller.identity, clock=scene.clock, spool=spool)
    assert await scene.puller.drain() == 1
    (answer, _) = scene.wire.answers
    assert (answer.body, answer.spooled) == (b"", file)
    (document,) = scene.received[0].documents
    assert document.spooled is not None
    assert document.spooled.digest == hashlib.sha256(large).hexdigest()
    assert scene.states == [OfferState.ACKNOWLEDGED]
    assert suffixes(tmp_path) == ["", ".part"]  # the message, and what was sent
