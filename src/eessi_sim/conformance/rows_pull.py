"""Rows about pulling, between a gateway of our own with channels and those who fetch from it."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from eessi_sim.as4 import msh, vocabulary
from eessi_sim.as4.channels import OfferPolicy, OfferState, PullRights
from eessi_sim.as4.modes import ProcessingMode
from eessi_sim.as4.msh import Packed
from eessi_sim.clock import SystemClock
from eessi_sim.conformance.model import Exchange, Result, expect
from eessi_sim.conformance.plays import AtPoint, PointPlay
from eessi_sim.conformance.point import Point
from eessi_sim.conformance.wire import Door, Shot
from eessi_sim.gateway.document import Document
from eessi_sim.gateway.lone import Delivery, Identity, LoneGateway
from eessi_sim.gateway.pulling import Puller, PullPoint
from eessi_sim.security.keys import Purpose
from eessi_sim.spool import Spool
from eessi_sim.stretch import Extent, whole
from eessi_sim.transport.base import Response
from eessi_sim.transport.http import HttpTransport

MPC: Final = f"{vocabulary.DEFAULT_MPC}/EU"
OTHER: Final = f"{vocabulary.DEFAULT_MPC}/other"
_AGAIN: Final = OfferPolicy(timedelta(days=1))


class Recorded(HttpTransport):
    """Remembers what it brought."""

    def __init__(self, exchanges: list[Exchange]) -> None:
        super().__init__(None)
        self._exchanges = exchanges

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
        """Bring a request and return the answer."""
        answer = await super().send(url, body, headers=headers, within=within, method=method, into=into)
        self._exchanges.append(Exchange.of(whole(body), whole(answer.octets)))
        return answer


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel with what waits in it, and who fetches."""

    live: Point
    point: PullPoint
    url: str
    transport: Recorded
    mode: ProcessingMode
    """Of the messages that wait: from the other side to us."""
    received: list[Delivery]

    @property
    def sender(self) -> LoneGateway:
        """Who puts messages there."""
        return LoneGateway(self.live.own.identity)

    def put(self, number: int = 1) -> list[str]:
        """Let messages wait; return their ids, oldest first."""
        packed = [self.sender.pack(self.mode, [Document(f"<n>{n}</n>".encode())]) for n in range(number)]
        for each in packed:
            self.point.put(MPC, each)
        return [str(each.message_id) for each in packed]

    def puller(self, identity: Identity | None = None, mpc: str = MPC) -> Puller:
        """Return somebody who fetches."""
        who = identity or self.live.identity

        async def keep(delivery: Delivery) -> None:
            self.received.append(delivery)

        return Puller(LoneGateway(who), who, self.transport, SystemClock(), [self.mode], self.url, mpc, keep)

    async def fire(self, packed: Packed) -> Result:
        """Send to the channel and say what came back."""
        request, answer = await Door.of(self.url).fire(Shot.of(packed), None)
        self.live.exchanges.append(Exchange.of(request, answer.head + answer.body))
        return Result(answer.outcome, answer.milliseconds)

    async def ask(self, mpc: str = MPC) -> Result:
        """Ask once and say what came back."""
        stamp = self.live.gateway.stamp()
        return await self.fire(msh.pack_pull_request(mpc, self.live.identity.keys, stamp=stamp))

    @property
    def ids(self) -> list[str]:
        """Ids of what was fetched, in order."""
        return [str(each.message.info.message_id) for each in self.received]


def channel(play: Callable[[Channel], Awaitable[Result]]) -> PointPlay:
    """Open a channel at our own gateway and play there; its messages are signed and readable, as those of EESSI."""

    async def run(live: Point) -> Result:
        own, ours = live.own, live.identity
        rights = PullRights(
            {MPC: frozenset({ours.keys.certificate, fellow(live).keys.certificate}), OTHER: frozenset()}
        )
        point = PullPoint(
            LoneGateway(own.identity),
            rights,
            clock=SystemClock(),
            identity=own.identity,
            policy=_AGAIN,
            signatures=live.mode.security.signatures,
        )
        security = replace(live.mode.security, encrypts_for=None)
        mode = replace(live.mode, sender=live.mode.receiver, receiver=live.mode.sender, security=security)
        transport = Recorded(live.exchanges)
        try:
            url = await own.listen(point.handle)
            return await play(Channel(live, point, url, transport, mode, []))
        finally:
            await transport.close()

    return run


def fellow(live: Point) -> Identity:
    """Return somebody who shares the channel."""
    own = live.own
    if "fellow" not in own.others:
        now = SystemClock().now()
        own.others["fellow"] = own.authority.issue("fellow", Purpose.EBMS, country="EU", now=now)
    return replace(live.identity, keys=own.others["fellow"])


async def oldest_first(here: Channel) -> Result:
    """Three messages wait: three requests fetch them in their order, the fourth finds nothing."""
    waiting = here.put(3)
    puller = here.puller()
    for _ in waiting:
        await puller.once()
    expect(here.ids == waiting, f"Expected the oldest first, found {here.ids}")
    return await here.ask()


async def shared(here: Channel) -> Result:
    """Two who share a channel fetch from it, each with a certificate of its own."""
    waiting = here.put(2)
    await here.puller().once()
    await here.puller(fellow(here.live)).once()
    expect(here.ids == waiting, f"Expected one message for each, found {here.ids}")
    return await here.ask()


async def receipt_waits(here: Channel) -> Result:
    """A receipt for one who only pulls waits in the channel and is fetched like a message."""
    readable = replace(here.live.mode, security=here.mode.security)
    packed = here.live.gateway.pack(readable, [Document(here.live.document)])
    message = msh.unpack(packed.content_type, packed.body)
    gateway = here.sender
    receipt = msh.pack_receipt(message, here.live.own.identity.keys, stamp=gateway.stamp())
    here.point.put(MPC, receipt, needs_receipt=False)
    result = await here.ask()
    again = await here.ask()
    return replace(result, outcome=f"{result.outcome}, {again.outcome}")


async def bundled(here: Channel) -> Result:
    """The receipt of a fetched message travels with the next request, which is answered."""
    here.put(2)
    number = await here.puller().drain()
    states = {entry.state for entry in here.point.waiting}
    expect((number, states) == (2, {OfferState.ACKNOWLEDGED}), f"Expected two receipts, found {states}")
    return await here.ask()


async def backing_off(here: Channel) -> Result:
    """From 1 s to 25 s while nothing waits; a message sets it back."""
    clock = Impatient()
    puller = here.puller()
    puller.clock = clock
    await puller.poll(6)
    here.put()
    await puller.poll(1)
    return Result(" ".join(f"{wait:g}" for wait in clock.waits))


class Impatient(SystemClock):
    """Notes how long it should sleep, and does not."""

    def __init__(self) -> None:
        self.waits: list[float] = []

    async def sleep(self, seconds: float) -> None:
        """Note it."""
        self.waits.append(seconds)


async def empty(here: Channel) -> Result:
    """Nothing waits."""
    return await here.ask()


async def one(here: Channel) -> Result:
    """A message waits."""
    here.put()
    return await here.ask()


async def unauthorised(here: Channel) -> Result:
    """A channel of others."""
    return await here.ask(OTHER)


async def unknown(here: Channel) -> Result:
    """A channel that does not exist."""
    return await here.ask(f"{vocabulary.DEFAULT_MPC}/nobody")


async def replayed(here: Channel) -> Result:
    """The same request again fetches nothing."""
    here.put(2)
    packed = msh.pack_pull_request(MPC, here.live.identity.keys, stamp=here.live.gateway.stamp())
    first, again = await here.fire(packed), await here.fire(packed)
    return Result(f"{first.outcome}, {again.outcome}", again.milliseconds)


def _row(row: str, name: str, play: Callable[[Channel], Awaitable[Result]]) -> AtPoint:
    return AtPoint(row, name, channel(play))


STIMULI: tuple[AtPoint, ...] = (
    _row("E-02", "three messages, then none", oldest_first),
    _row("E-03", "shared channel", shared),
    _row("E-05", "receipt in the channel of its reader", receipt_waits),
    _row("E-25", "receipt with the next request", bundled),
    _row("E-30", "waits between requests", backing_off),
    _row("8.1.16", "message waits", one),
    _row("8.1.18", "not authorised", unauthorised),
    _row("8.3.16", "pulled and delivered", oldest_first),
    _row("CT-P1", "empty channel", empty),
    _row("CT-P2", "receipt with the next request", bundled),
    _row("P4-17", "unknown channel", unknown),
    _row("P4-18", "empty channel", empty),
    _row("HB-05", "oldest message, then none", oldest_first),
    _row("RP-4", "replayed request, at a gateway with channels", replayed),
    _row("RI-6", "channel of another, at a gateway with channels", unauthorised),
)
