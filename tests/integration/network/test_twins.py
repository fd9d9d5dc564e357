"""Two objects that play one party on one store, as two processes do: nothing is done twice."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from tests.helpers.lab import A003, NAV, POINT, Lab, with_rules

from eessi_sim.access_point.service import AccessPoint
from eessi_sim.as4.channels import channel_mpc
from eessi_sim.as4.exchange import OutboundState
from eessi_sim.identifiers import InstitutionId, SedType
from eessi_sim.institution.node import InstitutionNode
from eessi_sim.ir.model import BehaviourRule, Decision, Occasion
from eessi_sim.simulation.assembly import Node
from eessi_sim.simulation.host import Host
from eessi_sim.storage.base import Direction, UnitOfWork

X009 = SedType("X009")
TWO_MONTHS = timedelta(days=70).total_seconds()


@asynccontextmanager
async def twin_of(lab: Lab, party: InstitutionId) -> AsyncIterator[Node]:
    """Another node of the party; a host that plays it tells it of news."""
    host = Host([party], lab.network._node, lab.network._machinery)
    yield await host.node(party)
    await host.wake({party, "SE:FKSE01"})
    await host.stop()


@pytest.mark.parametrize(
    ("decides", "step", "number"),
    [
        (Decision.AUTOMATIC, "answer", 1),
        (Decision.SUGGESTING, "suggestion", 1),
        (Decision.MANUAL, "reminder", 1),
    ],
)
async def test_twins_remind_once(decides: Decision, step: str, number: int) -> None:
    """Both know of the late answer, the second one from the journal; one of them reminds, suggests or notes it."""
    rule = BehaviourRule(A003, send=(X009,), occasion=Occasion.OVERDUE, decides=decides)
    async with Lab.build(with_rules(NAV, rule)) as lab, twin_of(lab, NAV) as twin:
        assert isinstance(twin, InstitutionNode)
        await lab.open()
        twin.wake()
        await lab.work(5)
        assert await twin._reminders.next_due() is not None
        await lab.work(TWO_MONTHS)
        entries = [entry for entry in await lab.journal(NAV) if entry.step == step]
        assert len(entries) == number
        assert (await lab.types(NAV)).count("X009") == (decides is Decision.AUTOMATIC)


async def test_twins_hand_out_a_message_once(sent: Lab) -> None:
    """Two requests reach two processes at the same moment: one gets the message, the other nothing."""
    async with twin_of(sent, POINT) as twin:
        assert isinstance(twin, AccessPoint)
        work = UnitOfWork()
        passed = await sent.sent(POINT)
        work.update_message(
            Direction.OUT, passed.message_id, state=OutboundState.PARKED, channel="Q", due_at=None
        )
        await sent.store(POINT).commit(work)
        both = await asyncio.gather(*(each._channels.take(channel_mpc("Q")) for each in (sent.point, twin)))
        assert [each.message_id for each in both if each is not None] == [passed.message_id]
