"""A routing application tells that one institution takes the place of another; the replaced one hands over."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from tests.helpers.forge import Draft, post
from tests.helpers.lab import P_BUC_01, POINT, Lab, silent

from eessi_sim import resources, xmlsafe
from eessi_sim.buc.case import CaseStatus
from eessi_sim.errors import CaseError, NotCompetent
from eessi_sim.identifiers import InstitutionId, SedType
from eessi_sim.institution.rerouting import Replacement
from eessi_sim.sbdh import ContactTypeIdentifier, Partner
from eessi_sim.security.pki import KeyAlgorithm
from eessi_sim.simulation.assembly import load_definition, parties_of
from eessi_sim.simulation.credentials import Credentials
from eessi_sim.simulation.inprocess import START
from eessi_sim.storage.base import Direction

P2000, P5000, P6000, P8000, X100 = map(SedType, ("P2000", "P5000", "P6000", "P8000", "X100"))
NAVPE, CNAV, PVA, SVS, ROUTE = map(
    InstitutionId, ("NO:NAVPE01", "FR:CNAV01", "AT:PVA01", "AT:SVS01", "AT:ROUTE01")
)


@pytest.fixture
async def pension() -> AsyncIterator[Lab]:
    """A pension case of Norway, France and Austria with an answer of Austria and a question to it alone."""
    network = silent(load_definition(resources.institutions() / "networks" / "pensions.yaml"))
    keys = Credentials.make(parties_of(network), now=START, algorithm=KeyAlgorithm.P_256)
    async with Lab.build(network, credentials=keys) as lab:
        await lab.open(P2000, owner=NAVPE, others=[CNAV, PVA], buc=P_BUC_01)
        await lab.work(5)
        await lab.reply(PVA, P5000)
        await lab.node(NAVPE).send_document((await lab.case(NAVPE)).id, P8000, receivers=(PVA,))
        await lab.work(5)
        yield lab


async def _replacement(lab: Lab) -> Replacement:
    case = await lab.case(NAVPE)
    [starter, *_] = await lab.store(NAVPE).documents(case.id, with_content=True)
    return Replacement(
        international_id=case.international_id,
        buc=case.buc,
        cdm=case.cdm,
        participants=case.participants,
        joins=SVS,
        leaves=PVA,
        seen=xmlsafe.parse(starter.content),
    )


async def test_place_goes_to_the_new_institution(pension: Lab) -> None:
    """The new institution has all that the replaced one had, and goes on in its place in every copy."""
    await pension.node(ROUTE).announce_replacement(await _replacement(pension))
    await pension.work(20)
    assert sorted(await pension.types(SVS)) == [P2000, P5000, P8000, X100]
    assert (await pension.case(PVA)).status is CaseStatus.ARCHIVED
    assert (await pension.case(SVS)).places_of(SVS) == {SVS, PVA}
    assert [(await pension.case(party)).now_at(PVA) for party in (NAVPE, CNAV)] == [SVS, SVS]
    await pension.reply(SVS, P6000)
    await pension.work(5)
    assert (P6000 in await pension.types(CNAV), P6000 in await pension.types(PVA)) == (True, False)
    assert await pension.store(ROUTE).cases() == ()


async def test_only_a_routing_application_tells_it(pension: Lab) -> None:
    """An institution that is no routing application is refused before the wire."""
    with pytest.raises(NotCompetent, match="IntelligentRA"):
        await pension.node(NAVPE).announce_replacement(await _replacement(pension))


@pytest.mark.parametrize("wrong", [{"leaves": SVS}, {"joins": CNAV}], ids=["leaves", "joins"])
async def test_replacement_that_cannot_be_is_not_told(pension: Lab, wrong: dict[str, InstitutionId]) -> None:
    """Who leaves must take part, and who joins must not."""
    with pytest.raises(CaseError, match="a participant that leaves"):
        await pension.node(ROUTE).announce_replacement(replace(await _replacement(pension), **wrong))  # type: ignore[arg-type] # both are institutions


async def test_participant_that_tells_it_is_refused_by_the_access_point(pension: Lab) -> None:
    """An X100 in the role of a case is no step of the process, whoever sends it."""
    pension.take_down(POINT)
    await pension.node(ROUTE).announce_replacement(await _replacement(pension))
    message = next(m for m in await pension.messages(ROUTE, Direction.OUT) if m.receiver == NAVPE)
    draft = Draft.of(message).addressed(CNAV)
    sender = Partner(CNAV, ContactTypeIdentifier.COUNTERPARTY)
    receivers = tuple(each for each in draft.header.receivers if each.id != CNAV)
    pension.bring_up(POINT)
    packed = draft.named(f"forged@{CNAV.domain}").with_header(sender=sender, receivers=receivers)
    await post(pension, packed.packed(pension.keys(CNAV).ebms), client=CNAV)
    await pension.network.quiet()
    assert "Expected a routing application" in await pension.reasons(POINT)
