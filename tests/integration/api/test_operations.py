"""What a node answers to who runs it, over plain HTTP."""

import pytest
from tests.helpers.lab import NAV, POINT, Lab
from tests.integration.api.conftest import Desk, OpenDesk

from eessi_sim.errors import EessiSimError
from eessi_sim.simulation.operations import Operations


@pytest.fixture
async def desk(lab: Lab, open_desk: OpenDesk) -> Desk:
    """The interface of NO:NAVAT07 for who runs it."""
    return await open_desk(lab.network.controls[NAV], Operations(lab.node(NAV)))


async def test_dead_letter_is_resent_in_the_name_of_who_asks(lab: Lab, desk: Desk) -> None:
    """The interface lists dead letters and puts one back; the journal names the one whose name came along."""
    lab.take_down(POINT)
    await lab.open()
    await lab.work(lab.patience(NAV))
    remote = desk.remote(NAV).acting_as("ann\u00e9")
    (letter,) = await remote.dead_letters()
    assert (await remote.resend("out", letter.message_id)).state == "submitted"
    (entry,) = [each for each in await lab.journal(NAV) if each.step == "resent"]
    assert entry.detail["actor"] == "ann\u00e9"


async def test_what_is_no_dead_letter_is_not_found(desk: Desk) -> None:
    """An unknown message is answered with the code of the node."""
    with pytest.raises(EessiSimError) as refusal:
        await desk.remote(NAV).resend("out", "nothing")
    assert refusal.value.code == "message-not-found"
