"""An institution with several systems: documents of one sector wait in a channel of their own, all others are pushed."""

from collections.abc import AsyncIterator

import pytest
from tests.helpers.lab import (
    A003,
    DRV,
    INSS,
    LA_BUC_02,
    NAV,
    P_BUC_01,
    POINT,
    ZUS,
    Lab,
    changed,
    demo,
    silent,
)

from eessi_sim.identifiers import SedType
from eessi_sim.ir.model import Endpoint, Exchange, System
from eessi_sim.storage.base import Direction, MessageKind

PENSIONS = System("pensions", Endpoint(Exchange.PULL, "PENSIONS"), sectors=("P",))
P2000, P6000 = SedType("P2000"), SedType("P6000")


@pytest.fixture
async def lab() -> AsyncIterator[Lab]:
    """DE:DRVBUND and PL:ZUS01 fetch what is about pensions; everything else is pushed to them."""
    network = changed(changed(silent(demo()), DRV, systems=(PENSIONS,)), ZUS, systems=(PENSIONS,))
    async with Lab.build(network) as built:
        yield built


async def parked(lab: Lab) -> dict[str, str]:
    """Channel of every message that was parked, by its kind."""
    return {
        entry.detail["kind"]: entry.detail["channel"]
        for entry in await lab.journal(POINT)
        if entry.step == "parked"
    }


async def test_documents_of_a_sector_go_to_its_system(lab: Lab) -> None:
    """The pension claim is fetched from the channel, and receipted."""
    case = await lab.node(INSS).open_case(P_BUC_01, (DRV,))
    await lab.node(INSS).send_document(case.id, P2000)
    await lab.work(30)
    assert await parked(lab) == {"user": "PENSIONS"}
    assert await lab.delivery(INSS, P2000) == "delivered"
    assert ("pulled", "ok") in await lab.steps(DRV)


async def test_receipts_go_to_the_system_that_sent(lab: Lab) -> None:
    """What answers a document of the sector waits in the same channel."""
    case = await lab.node(INSS).open_case(P_BUC_01, (DRV,))
    await lab.node(INSS).send_document(case.id, P2000)
    await lab.work(30)
    await lab.node(DRV).send_document((await lab.case(DRV)).id, P6000)
    await lab.work(90)
    assert await parked(lab) == {"user": "PENSIONS", "receipt": "PENSIONS"}
    assert await lab.delivery(DRV, P6000) == "delivered"


async def test_other_documents_are_pushed(lab: Lab) -> None:
    """A document of another sector takes the usual way."""
    case = await lab.node(NAV).open_case(LA_BUC_02, (ZUS,))
    await lab.node(NAV).send_document(case.id, A003)
    await lab.work(5)
    assert await parked(lab) == {}
    assert len(await lab.messages(ZUS, Direction.IN, MessageKind.USER)) == 1
