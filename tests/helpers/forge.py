"""Messages of the network made anew with something wrong in them; everything else about them stays right.

``held_back`` lets an institution send while the access point cannot be reached, ``let_go`` sends other bytes in
place of what waits: so the sender has a case and an outbox like anybody who sends something wrong.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import replace

from tests.helpers.lab import A003, LA_BUC_02, NAV, POINT, ZUS, Lab

from eessi_sim.as4 import msh, vocabulary
from eessi_sim.as4.model import CollaborationInfo, ErrorSignal, MessageInfo, Party, UserMessage
from eessi_sim.as4.msh import Packed, Stamp, Unpacked
from eessi_sim.conformance.draft import Draft, token_for
from eessi_sim.identifiers import BucType, InstitutionId, MessageId, SedType
from eessi_sim.storage.base import Direction, StoredMessage, UnitOfWork
from eessi_sim.transport.base import Response


def unpacked(message: StoredMessage) -> Unpacked:
    """Take a stored message apart."""
    return msh.unpack(message.content_type, message.body)


async def held_back(
    lab: Lab,
    sed: SedType = A003,
    *,
    owner: InstitutionId = NAV,
    others: Iterable[InstitutionId] = (ZUS,),
    buc: BucType = LA_BUC_02,
) -> Draft:
    """Let an institution open a case while the access point cannot be reached; return what waits."""
    lab.take_down(POINT)
    await lab.open(sed, owner=owner, others=others, buc=buc)
    return Draft.of(await lab.sent(owner))


async def reply_held_back(lab: Lab, party: InstitutionId, sed: SedType, to: SedType) -> Draft:
    """Let an institution reply while the access point cannot be reached; return what waits."""
    lab.take_down(POINT)
    await lab.reply(party, sed, to)
    return Draft.of(await lab.sent(party))


async def let_go(lab: Lab, packed: Packed, owner: InstitutionId = NAV, seconds: float = 30) -> None:
    """Send these bytes in place of the message that waits, and let the network work.

    The sender starts anew, so that it knows nothing but what is stored.
    """
    work = UnitOfWork()
    work.update_message(
        Direction.OUT,
        packed.message_id,
        body=packed.body,
        content_type=packed.content_type,
        digest=hashlib.sha256(packed.body).hexdigest(),
    )
    await lab.store(owner).commit(work)
    await lab.network.restart(owner)
    lab.bring_up(POINT)
    await lab.work(seconds)


async def post(
    lab: Lab, packed: Packed, *, client: InstitutionId = NAV, to: InstitutionId = POINT
) -> Response:
    """Hand in a message with the TLS certificate of a party and let the network work."""
    certificate = lab.keys(client).tls.certificate.der
    answer = await lab.post(to, packed.body, content_type=packed.content_type, client=certificate)
    await lab.network.quiet()
    return answer


def codes(response: Response) -> list[str]:
    """The ebMS errors in an answer."""
    unit = msh.unpack(response.headers["content-type"], response.body).unit
    assert isinstance(unit, ErrorSignal)
    return [error.code for error in unit.errors]


def stamp(lab: Lab, party: InstitutionId, name: str = "signal") -> Stamp:
    """Identity of a forged signal."""
    return Stamp(MessageId(f"{name}@{party.domain}"), lab.clock.now(), token_for(name))


def routed(message: StoredMessage, sender: str, receiver: str, *, message_id: str | None = None) -> Unpacked:
    """The user message as if it had gone from ``sender`` to ``receiver``: its signals are routed back that way."""
    original = unpacked(message)
    unit = original.unit
    assert isinstance(unit, UserMessage)
    info = replace(unit.info, message_id=MessageId(message_id or unit.info.message_id))
    return replace(original, unit=replace(unit, info=info, sender=Party(sender), receiver=Party(receiver)))


def ping(lab: Lab, sender: InstitutionId, receiver: InstitutionId) -> UserMessage:
    """A test message (ebMS3 core 5.2.2)."""
    return UserMessage(
        MessageInfo(MessageId(f"ping@{sender.domain}"), lab.clock.now()),
        Party(sender),
        Party(receiver),
        CollaborationInfo(
            conversation_id="ping",
            service=vocabulary.TEST_SERVICE,
            service_type=None,
            action=vocabulary.TEST_ACTION,
        ),
    )


__all__ = [
    "Draft", "codes", "held_back", "let_go", "ping", "post", "reply_held_back", "routed", "stamp", "token_for", "unpacked",
]  # fmt: skip
