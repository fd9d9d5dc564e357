"""Rows about pulling from the access point of our own network, by two institutions that are played here."""

from dataclasses import dataclass, replace
from typing import Final

from eessi_sim.as4 import msh
from eessi_sim.as4.channels import channel_mpc
from eessi_sim.as4.model import MessageInfo, Party, Receipt, UserMessage
from eessi_sim.conformance.model import Result, expect
from eessi_sim.conformance.network import Range
from eessi_sim.conformance.plays import Stimulus
from eessi_sim.conformance.setting import NAV, POINT, PULLER, SHARER, ZUS
from eessi_sim.conformance.wire import Answer, Shot
from eessi_sim.identifiers import InstitutionId

CHANNEL: Final = "EUGATEWAY"
_MOST: Final = 200
"""Requests after which a receipt counts as lost."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """A message that was fetched."""

    answer: Answer

    @property
    def message_id(self) -> str:
        """Its id."""
        return str(self._unpacked.message_id)

    @property
    def _unpacked(self) -> msh.Unpacked:
        return msh.unpack(self.answer.content_type, self.answer.body)

    def receipt(self, live: Range) -> Receipt:
        """A receipt that travels with the next request."""
        stamp = live.stamp(PULLER)
        info = MessageInfo(stamp.message_id, stamp.timestamp, self._unpacked.message_id)
        return Receipt(info, msh.signed_references(self._unpacked))


def request(live: Range, client: InstitutionId = PULLER, *receipts: Receipt, channel: str = CHANNEL) -> Shot:
    """A pull request."""
    packed = msh.pack_pull_request(
        channel_mpc(channel), live.keys[client].ebms, stamp=live.stamp(client), receipts=receipts
    )
    return Shot.of(packed, client=client)


async def park(live: Range, *receivers: InstitutionId) -> list[str]:
    """Let a test message wait for each receiver, in this order; return their ids."""
    ids = []
    for receiver in receivers:
        shot = Shot.of(live.ping(receiver))
        answer = await live.fire(shot)
        expect(answer.status == 202, f"Expected 202 for a test message, found {answer.outcome}")
        state = await live.until_settled(POINT, shot.message_id)
        expect(state == "forwarded", f"Expected a test message to be let through, found {state}")
        ids.append(shot.message_id)
    return ids


async def fetch(live: Range, client: InstitutionId = PULLER, *receipts: Receipt) -> Fetched:
    """Pull a message that waits."""
    answer = await live.fire(request(live, client, *receipts))
    expect(answer.outcome == "UserMessage", f"Expected a message that waits, found {answer.outcome}")
    return Fetched(answer)


async def confirm(live: Range, *fetched: Fetched) -> Result:
    """Pull once more, with receipts of what was fetched."""
    answer = await live.fire(request(live, PULLER, *(each.receipt(live) for each in fetched)))
    return Result(answer.outcome, answer.milliseconds)


async def oldest_first(live: Range) -> Result:
    """Three messages wait and are fetched in their order; then nothing waits."""
    waiting = await park(live, PULLER, PULLER, PULLER)
    fetched = [await fetch(live) for _ in waiting]
    found = [each.message_id for each in fetched]
    expect(found == waiting, f"Expected the oldest first, found {found} for {waiting}")
    return await confirm(live, *fetched)


async def shared(live: Range) -> Result:
    """Two fetch from one channel, each with its own certificate, whoever the messages are for."""
    waiting = await park(live, PULLER, SHARER)
    fetched = [await fetch(live, SHARER), await fetch(live, PULLER)]
    found = [each.message_id for each in fetched]
    expect(found == waiting, f"Expected one message for each, found {found}")
    return await confirm(live, *fetched)


async def receipt_waits(live: Range) -> Result:
    """One who only pulls sends a message; the receipt waits in its channel."""
    ping = live.unpacked(live.ping(ZUS)).unit
    assert isinstance(ping, UserMessage)  # the helper packs one
    stamp = live.stamp(PULLER)
    sent = replace(ping, sender=Party(PULLER), info=MessageInfo(stamp.message_id, stamp.timestamp))
    packed = msh.pack_user_message(sent, [], live.keys[PULLER].ebms, token=stamp.token)
    await live.fire(Shot.of(packed, client=PULLER))
    answer = await live.fire(request(live))
    for _ in range(_MOST):
        if answer.outcome != "EBMS:0006":
            break
        answer = await live.fire(request(live))
    last = await live.fire(request(live))
    return Result(f"{answer.outcome}, {last.outcome}", answer.milliseconds)


async def bundled(live: Range) -> Result:
    """The receipt of a fetched message travels with the next request, which is answered."""
    await park(live, PULLER, PULLER)
    first = await fetch(live)
    second = await fetch(live, PULLER, first.receipt(live))
    result = await confirm(live, second)
    views = [
        view for view in await live.views(POINT) if view.message_id in (first.message_id, second.message_id)
    ]
    states = {view.state for view in views if view.direction == "out"}
    expect(states == {"forwarded"}, f"Expected both messages to be done, found {states}")
    return result


async def replayed(live: Range) -> Result:
    """The same request again fetches no second message."""
    await park(live, PULLER, PULLER)
    shot = request(live)
    first, again = await live.fire(shot), await live.fire(shot)
    second = await fetch(live)
    await confirm(live, Fetched(first), second)
    return Result(f"{first.outcome}, {again.outcome}", again.milliseconds)


async def foreign(live: Range) -> Result:
    """A channel that the directory gives to others."""
    answer = await live.fire(request(live, NAV))
    return Result(answer.outcome, answer.milliseconds)


async def unknown(live: Range) -> Result:
    """A channel that the directory gives to nobody."""
    answer = await live.fire(request(live, channel="NOBODY"))
    return Result(answer.outcome, answer.milliseconds)


STIMULI: tuple[Stimulus, ...] = (
    Stimulus("E-02", "three messages at the access point", oldest_first),
    Stimulus("E-03", "channel of the access point", shared),
    Stimulus("E-05", "receipt in a channel of the access point", receipt_waits),
    Stimulus("E-25", "receipt with a request to the access point", bundled),
    Stimulus("RP-4", "replayed request, at the access point", replayed),
    Stimulus("RI-6", "channel of others, at the access point", foreign),
    Stimulus("P4-17", "unknown channel, at the access point", unknown),
)
