"""A certificate is replaced while messages wait in queues (E-22): what was signed before is as good as before."""

import pytest
from tests.helpers.lab import NAV, POINT, ZUS, Lab

from eessi_sim.ir.rotation import rotated
from eessi_sim.security.keys import Purpose


def rotate(lab: Lab, purpose: Purpose, *, alone: bool = False) -> None:
    """List another certificate of the sender in the next version of the directory."""
    pair = lab.network.credentials.authority.issue(NAV, purpose, country="NO", now=lab.clock.now())
    lab.directory.current = rotated(lab.directory.current, NAV, purpose, pair.certificate, alone=alone)


async def test_message_that_waits_is_delivered_after_a_rotation(lab: Lab) -> None:
    """Both certificates are listed, so signature and seal of the message that waited are accepted."""
    lab.take_down(ZUS)
    await lab.open()
    rotate(lab, Purpose.EBMS)
    rotate(lab, Purpose.SEAL)
    lab.bring_up(ZUS)
    await lab.work(lab.patience(POINT))
    assert await lab.delivery(NAV) == "delivered"


@pytest.mark.parametrize("purpose", [Purpose.EBMS, Purpose.SEAL])
async def test_message_that_waits_is_refused_when_its_certificate_went(lab: Lab, purpose: Purpose) -> None:
    """Who drops the old certificate at once loses what waits; the receiver says why."""
    lab.take_down(ZUS)
    await lab.open()
    rotate(lab, purpose, alone=True)
    lab.bring_up(ZUS)
    await lab.work(lab.patience(POINT))
    assert await lab.delivery(NAV) == "error"
    assert "is not listed for the sender" in await lab.reasons(ZUS)
