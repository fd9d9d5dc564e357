"""Another try for dead letters of nodes that run: it arrives once, or is refused with a sentence."""

from dataclasses import replace

import pytest
from tests.helpers.forge import held_back, let_go
from tests.helpers.lab import NAV, POINT, ZUS, Lab

from eessi_sim.errors import MessageNotFound, ResendUseless
from eessi_sim.simulation.operations import Operations
from eessi_sim.storage.base import Direction


async def test_letter_of_the_access_point_arrives_when_it_is_resent(lab: Lab) -> None:
    """The access point brings the same bytes once the receiver is back, and the sender's delivery is repaired."""
    lab.take_down(ZUS)
    await lab.open()
    await lab.work(lab.patience(POINT) + 60)
    lab.bring_up(ZUS)
    operations = Operations(lab.point)
    (letter,) = [each for each in await operations.dead_letters() if each.direction == "out"]
    view = await operations.resend(Direction.OUT, letter.message_id, actor="anna")
    assert view.state == "submitted"
    await lab.work(5)
    assert await lab.delivery(NAV) == "delivered"
    assert (await lab.received(ZUS)).body == (await lab.sent(NAV)).body
    assert ("resent", "ok") in await lab.steps(POINT)


async def test_letter_of_the_sender_brings_the_access_point_to_try_again(lab: Lab) -> None:
    """A sender that was told EBMS:0005 sends again; the access point, which has the message, brings it on."""
    lab.take_down(ZUS)
    await lab.open()
    await lab.work(lab.patience(POINT) + 60)
    lab.bring_up(ZUS)
    await Operations(lab.node(NAV)).resend(Direction.OUT, (await lab.sent(NAV)).message_id)
    await lab.work(5)
    assert await lab.delivery(NAV) == "delivered"
    assert await lab.types(ZUS) == ["A003"]


async def test_message_refused_by_the_access_point_is_processed_again_by_force(lab: Lab) -> None:
    """What was refused for the document is not tried again until somebody forces it, its cause being gone."""
    draft = await held_back(lab)
    zus = lab.directory.current.get(ZUS)
    lab.enlist(replace(zus, competences=()))
    await let_go(lab, draft.packed(lab.keys(NAV).ebms))
    operations, letter = Operations(lab.point), await lab.received(POINT)
    with pytest.raises(ResendUseless, match="EBMS:0004"):
        await operations.resend(Direction.IN, letter.message_id)
    lab.enlist(zus)
    await operations.resend(Direction.IN, letter.message_id, force=True)
    await lab.work(5)
    assert await lab.delivery(NAV) == "delivered"


async def test_message_that_went_on_is_no_dead_letter(lab: Lab) -> None:
    """Only dead letters can be resent."""
    await lab.open()
    with pytest.raises(MessageNotFound, match="one that is delivered"):
        await Operations(lab.node(NAV)).resend(Direction.OUT, (await lab.sent(NAV)).message_id)
