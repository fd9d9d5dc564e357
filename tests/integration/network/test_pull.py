"""Institutions that fetch their messages: parked, offered, pulled, receipted, over the switchboard."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest
from tests.helpers.forge import codes
from tests.helpers.lab import BA, DRV, NAV, P_BUC_01, POINT, ZUS, Lab, Tap, changed, demo, silent

from eessi_sim.access_point.channels import depths
from eessi_sim.api.metrics import exposition
from eessi_sim.as4 import msh
from eessi_sim.as4.channels import OfferPolicy, channel_mpc
from eessi_sim.as4.ebms_errors import EbmsErrorCode, EbmsFault
from eessi_sim.as4.model import MessageInfo, Receipt
from eessi_sim.as4.msh import Stamp
from eessi_sim.errors import Unavailable
from eessi_sim.identifiers import InstitutionId, MessageId, SedType
from eessi_sim.institution.collecting import Collector, Turn
from eessi_sim.ir.model import Endpoint, Exchange
from eessi_sim.security.keys import KeyPair
from eessi_sim.simulation.operations import Operations
from eessi_sim.storage.base import Direction, MessageKind
from eessi_sim.transport.base import Response

QUEUE = "PL-QUEUE"
SHARED = "DEGATEWAY"
P2000 = SedType("P2000")


@pytest.fixture
async def lab() -> AsyncIterator[Lab]:
    """The demo network in which Poland pulls, and two German institutions share a channel."""
    definition = silent(demo())
    for party, channel in ((ZUS, QUEUE), (DRV, SHARED), (BA, SHARED)):
        definition = changed(definition, party, endpoint=Endpoint(Exchange.PULL, channel))
    async with Lab.build(definition) as lab:
        yield lab


async def still(lab: Lab, *parties: InstitutionId) -> None:
    """Stop nodes, so that the test pulls in their place."""
    for party in parties:
        await lab.node(party).stop()


async def ask(
    lab: Lab,
    *,
    channel: str = QUEUE,
    client: InstitutionId = ZUS,
    keys: KeyPair | None = None,
    name: str = "",
    receipts: tuple[Receipt, ...] = (),
) -> Response:
    """Pull once as ``client``."""
    stamp = lab.point.station.stamp()
    if name:
        stamp = Stamp(MessageId(name), stamp.timestamp, stamp.token)
    packed = msh.pack_pull_request(
        channel_mpc(channel), keys or lab.keys(client).ebms, stamp=stamp, receipts=receipts
    )
    transport = lab.network.switchboard.transport(lab.keys(client).tls.certificate.der)
    point = lab.directory.current.access_points[0]
    return await transport.send(
        point.inbox, packed.body, headers={"content-type": packed.content_type}, within=60
    )


def id_in(answer: Response) -> str:
    """Id of the message that came."""
    return msh.unpack(answer.headers["content-type"], answer.body).message_id


async def test_message_waits_and_is_pulled(lab: Lab) -> None:
    """A message for one who pulls is parked, offered to it, pulled, and receipted over the outbox; nobody pushes it."""
    await lab.open()
    assert (await lab.sent(POINT)).state == "parked"
    await lab.work(2)
    assert (await lab.delivery(NAV), await lab.types(ZUS)) == ("delivered", ["A003"])
    assert ((await lab.sent(POINT)).state, (await lab.sent(POINT)).channel) == ("forwarded", QUEUE)
    mine = [entry for entry in await lab.journal() if entry.message_id == (await lab.sent(NAV)).message_id]
    assert [
        (entry.node, entry.step)
        for entry in mine
        if entry.step in ("parked", "offered", "pulled", "collected")
    ] == [
        (POINT, "parked"),
        (POINT, "offered"),
        (ZUS, "pulled"),
        (POINT, "collected"),
    ]


async def test_receipt_waits_for_one_who_pulls(lab: Lab) -> None:
    """E-05: the receipt for a pull-only sender, and an error of the access point, wait in its channel."""
    await lab.open(owner=ZUS, others=[NAV])
    assert (await lab.sent(POINT, MessageKind.RECEIPT)).state == "parked"
    assert await lab.delivery(ZUS) == "sent"
    await lab.work(2)
    assert await lab.delivery(ZUS) == "delivered"


async def test_error_waits_for_one_who_pulls(lab: Lab) -> None:
    """What the access point refuses, and what it cannot bring, is told to a pull-only sender in its channel."""
    lab.take_down(NAV)
    await lab.open(owner=ZUS, others=[NAV])
    await lab.work(lab.patience(POINT) + 30)
    assert await lab.delivery(ZUS) == "error"


async def test_three_wait_and_come_oldest_first(lab: Lab) -> None:
    """E-02: three requests give three messages, oldest first; the fourth finds EBMS:0006 about itself."""
    await still(lab, ZUS)
    for _ in range(3):
        await lab.open()
    waiting = [message.message_id for message in await lab.messages(POINT, Direction.OUT)]
    assert [id_in(await ask(lab)) for _ in waiting] == waiting
    nothing = await ask(lab, name="fourth@pl.example")
    assert (nothing.status, codes(nothing)) == (200, ["EBMS:0006"])
    assert (
        msh.unpack(nothing.headers["content-type"], nothing.body).unit.info.ref_to_message_id
        == "fourth@pl.example"
    )


async def test_offer_is_repeated_until_its_receipt(lab: Lab) -> None:
    """What was handed out and not receipted is handed out again, before what came later, and after a restart as well."""
    await still(lab, ZUS)
    await lab.open()
    first = id_in(await ask(lab))
    assert codes(await ask(lab)) == ["EBMS:0006"]
    await lab.open()
    await lab.network.restart(POINT)
    await lab.work(6)
    assert id_in(await ask(lab)) == first
    assert ("offered", "again") in await lab.steps(POINT)
    await lab.network.restart(ZUS)
    await lab.work(20)
    assert {message.state for message in await lab.messages(NAV, Direction.OUT)} == {"delivered"}
    assert len(await lab.messages(ZUS, Direction.IN)) == 2
    assert codes(await ask(lab)) == ["EBMS:0006"]


async def test_replayed_request_fetches_nothing(lab: Lab) -> None:
    """RP-4: the same request again, after a restart too, hands out no second message."""
    await still(lab, ZUS)
    for _ in range(2):
        await lab.open()
    assert id_in(await ask(lab, name="once@pl.example"))
    assert codes(await ask(lab, name="once@pl.example")) == ["EBMS:0006"]
    await lab.network.restart(POINT)
    assert codes(await ask(lab, name="once@pl.example")) == ["EBMS:0006"]


async def test_only_those_of_the_channel_may_pull(lab: Lab) -> None:
    """RI-6, P4-17: another TLS client or another signature gets 403, a channel that nobody lists EBMS:0001."""
    assert (await ask(lab, client=NAV)).status == 403
    assert (await ask(lab, keys=lab.keys(NAV).ebms)).status == 403
    assert ("refused", "EBMS:0101") in await lab.steps(POINT)
    assert codes(await ask(lab, channel="nobody")) == ["EBMS:0001"]
    lab.enlist(replace(lab.directory.current.get(ZUS), valid_until=lab.clock.now()))
    assert codes(await ask(lab)) == ["EBMS:0001"]


async def test_channel_is_shared(lab: Lab) -> None:
    """E-03: each of two may pull the messages of both; the To party decides who files them."""
    await still(lab, DRV)
    await lab.open(P2000, owner=ZUS, others=[DRV], buc=P_BUC_01)
    await lab.work(2)
    assert (await lab.sent(POINT)).state == "offered"
    await lab.network.restart(DRV)
    await lab.work(30)
    assert await lab.types(DRV) == ["P2000"]
    assert ((await lab.sent(POINT)).state, await lab.delivery(ZUS, P2000)) == ("forwarded", "delivered")
    pulled = [entry for entry in await lab.journal(BA) if entry.step == "pulled"]
    assert [entry.detail.get("handed_to") for entry in pulled] == [DRV]
    assert not await lab.messages(BA, Direction.IN)


async def test_who_finds_nothing_asks_less_often(lab: Lab) -> None:
    """E-30: requests are 1, 2, 4, 8, 16, 25 and 25 seconds apart while nothing waits; after a message it is asked at once."""
    tap = Tap(lab.point.handle)
    await lab.network.switchboard.listener(lab.directory.current.access_points[0].inbox).start(tap.handle)
    await still(lab, DRV, BA)
    await lab.network.restart(ZUS)
    at: list[float] = []
    for _ in range(1200):
        known = len(tap.bodies)
        await lab.work(0.1)
        at += [lab.clock.now().timestamp()] * (len(tap.bodies) - known)
    waits = [round(later - earlier) for earlier, later in pairwise(at)]
    assert waits == [1, 2, 4, 8, 16, 25, 25, 25]
    await lab.open()
    await lab.work(26)
    asked = [body for body in tap.bodies if b"PullRequest" in body]
    assert len(asked) > len(waits) + 2


async def test_missing_access_point_is_told_once(lab: Lab) -> None:
    """Who cannot reach its access point notes why, once, and asks again; afterwards everything comes."""
    await lab.open()
    lab.take_down(POINT)
    await lab.work(60)
    assert [step for step in await lab.steps(ZUS) if step[0] == "pull"] == [("pull", "failed")]
    lab.bring_up(POINT)
    await lab.work(60)
    assert await lab.delivery(NAV) == "delivered"


async def test_message_that_nobody_receipts_is_given_up(lab: Lab) -> None:
    """Handed out as often as agreed and never receipted: EBMS:0022 to the sender, a dead letter at the access point."""
    await still(lab, ZUS)
    lab.point._channels._policy = OfferPolicy(timedelta(seconds=5), most=2)
    await lab.open()
    for _ in range(3):
        await ask(lab)
        await lab.work(6)
    await ask(lab)
    await lab.work(6)
    assert (await lab.delivery(NAV), (await lab.sent(POINT)).state) == ("error", "dead-lettered")
    assert "EBMS:0022" in await lab.reasons(NAV)


async def test_receipt_travels_with_the_next_request(lab: Lab) -> None:
    """E-25: a bundled receipt ends the wait when it fits; one about something else, or with other digests, does not."""
    await still(lab, ZUS)
    await lab.open()
    answer = await ask(lab)
    message = msh.unpack(answer.headers["content-type"], answer.body)
    info = MessageInfo(MessageId("receipt@pl.example"), lab.clock.now(), message.message_id)
    other = replace(info, ref_to_message_id=MessageId("other@pl.example"))
    right = msh.signed_references(message)
    assert codes(await ask(lab, receipts=(Receipt(other, right),))) == ["EBMS:0006"]
    assert codes(await ask(lab, receipts=(Receipt(info, right[:1]),))) == ["EBMS:0302"]
    assert (await lab.sent(POINT)).state == "offered"
    assert codes(await ask(lab, receipts=(Receipt(info, right),))) == ["EBMS:0006"]
    assert (await lab.sent(POINT)).state == "forwarded"


@pytest.mark.parametrize("odd", ["403", "another channel", "error", "rubbish"])
async def test_odd_answer_is_noted_and_asked_again(lab: Lab, odd: str) -> None:
    """Whatever an access point answers, the institution notes it and goes on asking; the right answer is taken."""
    point = lab.directory.current.access_points[0]
    failed = msh.pack_error(
        [EbmsFault(EbmsErrorCode.OTHER, "no").as_error()],
        lab.keys(POINT).ebms,
        about=None,
        stamp=lab.point.station.stamp(),
    )
    await lab.open(owner=NAV, others=[ZUS])
    sent = await lab.sent(NAV)
    answers = {
        "403": Response(403),
        "error": Response(200, {"content-type": failed.content_type}, failed.body),
        "another channel": Response(
            200,
            {"content-type": sent.content_type},
            re.sub(b"<eb:UserMessage[^>]*>", b'<eb:UserMessage mpc="urn:other">', sent.body),
        ),
        "rubbish": Response(200, {"content-type": "text/plain"}, b"no"),
    }
    tap = Tap(lab.point.handle, instead=[answers[odd]])
    await lab.network.switchboard.listener(point.inbox).start(tap.handle)
    await lab.work(30)
    failures = [entry for entry in await lab.journal() if (entry.step, entry.outcome) == ("pull", "failed")]
    assert len(failures) == 1
    assert await lab.delivery(NAV) == "delivered"


async def test_own_mistake_is_noted(lab: Lab) -> None:
    """A fault of our own code while pulling stands in the journal; the next request is made all the same."""
    station = lab.node(ZUS).office.station
    await Collector(station, lab.node(ZUS)._inbox).failed(Turn(1), ValueError("x"))
    assert "internal: ValueError" in await lab.reasons(ZUS)


async def test_offer_that_is_not_stored_is_none(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the store fails the request gets 503, and the message is handed out a moment later."""
    await still(lab, ZUS)
    await lab.open()

    async def broken(*_: object, **_named: object) -> None:
        raise Unavailable("Expected room, found none")

    with monkeypatch.context() as patch:
        patch.setattr(lab.point._channels, "hand_out", broken)
        assert (await ask(lab)).status == 503
    await lab.work(6)
    assert id_in(await ask(lab)) == (await lab.sent(NAV)).message_id


async def test_depth_of_channels_is_seen(lab: Lab) -> None:
    """Per channel: how many wait, how many of them were handed out, and whether the oldest is late after a day."""
    await still(lab, ZUS, DRV, BA)
    for _ in range(2):
        await lab.open()
    await ask(lab)
    (depth,) = depths(await lab.messages(POINT, Direction.OUT))
    assert (depth.channel, depth.waiting, depth.offered) == (QUEUE, 2, 1)
    assert not depth.is_late(depth.oldest + timedelta(hours=24))
    assert depth.is_late(depth.oldest + timedelta(hours=25))


async def test_message_that_nobody_fetches_raises_one_alarm(
    lab: Lab, caplog: pytest.LogCaptureFixture
) -> None:
    """After a day on the clock of the network: one line in journal and log, and an alarm that stands; not before."""
    await still(lab, ZUS, DRV, BA)
    await lab.open()
    operations = Operations(lab.point)
    await lab.work(23.9 * 3600)
    assert (await operations.health()).alarms == {"not-collected": 0}
    await lab.work(3600)
    assert (await operations.health()).alarms == {"not-collected": 1}
    await lab.network.restart(POINT)
    await lab.work(3600)
    alarms = [entry for entry in await lab.journal(POINT) if entry.step == "not-collected"]
    assert [entry.detail["channel"] for entry in alarms] == [QUEUE]
    assert caplog.text.count("nobody fetches it") == 1
    (depth,) = depths(await lab.messages(POINT, Direction.OUT))
    assert depth.is_late(depth.oldest)


async def test_alarm_ends_when_the_message_is_fetched(lab: Lab) -> None:
    """Whoever comes late gets the message, and the alarm stands no longer; numbers name the channel meanwhile."""
    await still(lab, ZUS, DRV, BA)
    await lab.open()
    await lab.work(25 * 3600)
    text = (await exposition([Operations(lab.point)])).decode()
    assert f'eessi_channel_messages{{channel="{QUEUE}",node="{POINT}"}} 1.0' in text
    assert f'eessi_alarms{{alarm="not-collected",node="{POINT}"}} 1.0' in text
    await lab.network.restart(ZUS)
    await lab.work(60)
    assert await lab.delivery(NAV) == "delivered"
    assert (await Operations(lab.point).health()).alarms == {"not-collected": 0}


async def test_alarm_that_cannot_be_stored_is_raised_later(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that fails delays the alarm by a minute."""
    await still(lab, ZUS, DRV, BA)
    await lab.open()

    async def broken(*_: object) -> None:
        raise Unavailable("Expected room, found none")

    with monkeypatch.context() as patch:
        patch.setattr(lab.store(POINT), "commit", broken)
        await lab.work(24 * 3600 + 30)
    assert "not-collected" not in {step for step, _ in await lab.steps(POINT)}
    await lab.work(60)
    assert ("not-collected", "alarm") in await lab.steps(POINT)


async def test_letter_that_was_not_collected_waits_again_when_it_is_resent(lab: Lab) -> None:
    """A dead letter of a channel is put back into the channel, and handed out to the next who asks."""
    await still(lab, ZUS, DRV, BA)
    await lab.open()
    lab.point._channels._policy = OfferPolicy(timedelta(seconds=1), most=1)
    first = id_in(await ask(lab))
    await lab.work(2)
    await ask(lab)
    view = await Operations(lab.point).resend(Direction.OUT, first)
    assert view.state == "parked"
    assert id_in(await ask(lab)) == first
