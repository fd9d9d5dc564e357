"""Long cases between nodes on simulated time: months pass, institutions come and go."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from tests.helpers.lab import A003, A012, FK, NAV, P_BUC_01, ZUS, Lab, silent

from eessi_sim import resources
from eessi_sim.buc.case import Actor, ActorKind, CaseStatus, ParticipantChange
from eessi_sim.errors import ActionNotAvailable
from eessi_sim.identifiers import DocumentId, InstitutionId, SedType
from eessi_sim.security.pki import KeyAlgorithm
from eessi_sim.simulation.assembly import load_definition, parties_of
from eessi_sim.simulation.credentials import Credentials
from eessi_sim.simulation.inprocess import START
from eessi_sim.storage.base import Direction

A004, X001, X005, X007 = map(SedType, ("A004", "X001", "X005", "X007"))
P2000, P4000, P5000, P6000, P7000, P8000 = map(
    SedType, ("P2000", "P4000", "P5000", "P6000", "P7000", "P8000")
)
NAVPE, PMSE, CNAV, SVB, PVA, SVS, DRV = map(
    InstitutionId,
    ("NO:NAVPE01", "SE:PMSE01", "FR:CNAV01", "NL:SVB01", "AT:PVA01", "AT:SVS01", "DE:DRVBUND"),
)
FIVE = (NAVPE, CNAV, SVB, PVA, DRV)


@pytest.fixture
async def determination() -> AsyncIterator[Lab]:
    """An A003 of Norway at Poland and Sweden, on day 0; nobody acts by itself."""
    async with Lab.build() as lab:
        await lab.open(owner=NAV, others=[ZUS, FK])
        yield lab


async def _is_offered(lab: Lab) -> bool:
    actions = await lab.node(NAV).available_actions((await lab.case(NAV)).id)
    return any(action.sed == X001 for action in actions)


async def _on_day(lab: Lab, day: int) -> None:
    await lab.work((START + timedelta(days=day) - lab.clock.now()).total_seconds())


async def _closed(lab: Lab) -> set[CaseStatus]:
    await lab.node(NAV).send_document((await lab.case(NAV)).id, X001)
    await lab.work(5)
    return {(await lab.case(party)).status for party in (NAV, ZUS, FK)}


async def test_determination_is_closed_after_sixty_days(determination: Lab) -> None:
    """LA_BUC_02: X001 is refused on day 59, offered from day 60 on, and closes all three copies."""
    await _on_day(determination, 59)
    with pytest.raises(ActionNotAvailable):
        await determination.node(NAV).send_document((await determination.case(NAV)).id, X001)
    assert not await _is_offered(determination)
    await _on_day(determination, 60)
    determination.clock.advance(timedelta(minutes=1))
    assert await _is_offered(determination)
    assert await _closed(determination) == {CaseStatus.CLOSED}


async def test_new_determination_starts_the_sixty_days_again(determination: Lab) -> None:
    """LA_BUC_02: after an A004 and a new A003 on day 30, X001 is offered from day 90 on."""
    lab = determination
    await _on_day(lab, 10)
    await lab.reply(ZUS, A004, to=A003)
    await _on_day(lab, 30)
    await lab.node(NAV).send_document((await lab.case(NAV)).id, A003)
    await _on_day(lab, 60)
    assert await lab.types(FK) == [A003, A004, A003]
    assert not await _is_offered(lab)
    await _on_day(lab, 89)
    assert not await _is_offered(lab)
    await _on_day(lab, 91)
    assert await _closed(lab) == {CaseStatus.CLOSED}


async def test_determination_is_closed_at_once_when_all_agree(determination: Lab) -> None:
    """LA_BUC_02: one A012 does not open the way to X001, the last one does."""
    await determination.reply(ZUS, A012, to=A003)
    await determination.work(5)
    assert not await _is_offered(determination)
    await determination.reply(FK, A012, to=A003)
    await determination.work(5)
    assert await _closed(determination) == {CaseStatus.CLOSED}


async def test_pension_of_five_countries_with_a_late_joiner_and_a_forward() -> None:
    """P_BUC_01: a late joiner has what the others have, a forwarded place goes on elsewhere, all copies agree."""
    network = silent(load_definition(resources.institutions() / "networks" / "pensions.yaml"))
    keys = Credentials.make(parties_of(network), now=START, algorithm=KeyAlgorithm.P_256)
    async with Lab.build(network, credentials=keys) as lab:
        await lab.open(P2000, owner=NAVPE, others=FIVE[1:], buc=P_BUC_01)
        await _send(lab, NAVPE, P4000)
        for party in (CNAV, SVB, PVA):
            await _send(lab, party, P5000)
        await lab.node(NAVPE).send_document((await lab.case(NAVPE)).id, P8000, receivers=(DRV,))
        await lab.node(NAVPE).casework.update(
            (await lab.case(NAVPE)).id,
            (await lab.document(NAVPE, P2000)).id,
            actor=Actor(ActorKind.CLERK, "kari"),
        )
        await lab.work(20)
        await _send(lab, NAVPE, X005, joins=PMSE)
        assert await _exchanged(lab, PMSE) - await _exchanged(lab, DRV) == set()
        assert (await lab.document(PMSE, P2000)).version == (await lab.document(DRV, P2000)).version == 2
        assert sorted(await lab.types(PMSE)) == [P2000, P4000, P5000, P5000, P5000, X005]
        await _send(lab, PMSE, P5000)
        await _send(lab, PVA, X007, joins=SVS)
        assert (await lab.case(PVA)).status is CaseStatus.ARCHIVED
        assert (await lab.case(SVS)).places_of(SVS) == {SVS, PVA}
        await _send(lab, SVS, P6000)
        await _send(lab, NAVPE, P7000)
        running = (NAVPE, PMSE, CNAV, SVB, SVS, DRV)
        assert len({(await lab.case(party)).international_id for party in running}) == 1
        assert all([{P6000, P7000} <= set(await lab.types(party)) for party in running])
        assert not {P6000, P7000} & set(await lab.types(PVA))
        to_all = {P2000, P4000, P5000, P6000, P7000}
        business = [{each for each in await _exchanged(lab, party) if each[1] in to_all} for party in running]
        assert all(each == business[0] for each in business)
        assert [await _others(lab, party) for party in running] == [
            set(running) - {party} for party in running
        ]
        messages = [m for party in (*running, PVA) for m in await lab.messages(party, Direction.OUT)]
        assert {message.state for message in messages} == {"delivered"}


async def _send(lab: Lab, party: InstitutionId, sed: SedType, joins: InstitutionId | None = None) -> None:
    change = ParticipantChange(joins=joins) if joins else None
    await lab.node(party).send_document((await lab.case(party)).id, sed, change=change)
    await lab.work(20)


async def _exchanged(lab: Lab, party: InstitutionId) -> set[tuple[DocumentId, SedType, int, InstitutionId]]:
    """What a copy holds: id, type, version and author of every document."""
    return {(each.id, each.type, each.version, each.sender) for each in (await lab.case(party)).documents}


async def _others(lab: Lab, party: InstitutionId) -> set[InstitutionId]:
    return {each.institution for each in (await lab.case(party)).others}
