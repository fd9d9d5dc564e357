"""Documents of one case stay in their order when the way is broken: a later one does not overtake a retry."""

from tests.helpers.lab import BA, DRV, INSS, P_BUC_01, POINT, UB_BUC_01, WUP, Lab

from eessi_sim.identifiers import SedType
from eessi_sim.storage.base import Direction

P2000, P4000, U001, U003 = map(SedType, ("P2000", "P4000", "U001", "U003"))


async def test_receiver_that_comes_back_gets_the_starter_first(lab: Lab) -> None:
    """The starter waits for its next attempt; what was sent later waits behind it, and both are filed."""
    lab.take_down(DRV)
    await lab.open(P2000, owner=INSS, others=[DRV], buc=P_BUC_01)
    await lab.work(45)
    await lab.reply(INSS, P4000)
    await lab.work(39)
    lab.bring_up(DRV)
    await lab.work(60)
    assert await lab.types(DRV) == ["P2000", "P4000"]


async def test_access_point_that_comes_back_gets_the_starter_first(lab: Lab) -> None:
    """The same on the first hop: the later document is not refused for want of the starter."""
    lab.take_down(POINT)
    await lab.open(U001, owner=BA, others=[WUP], buc=UB_BUC_01)
    await lab.work(45)
    await lab.reply(BA, U003)
    await lab.work(39)
    lab.bring_up(POINT)
    await lab.work(60)
    assert await lab.types(WUP) == ["U001", "U003"]
    assert [await lab.delivery(BA, sed) for sed in (U001, U003)] == ["delivered", "delivered"]


async def test_waiting_behind_an_earlier_document_is_no_attempt(lab: Lab) -> None:
    """A document that waits for its predecessor uses up none of its own attempts; the journal says why it waits."""
    lab.take_down(DRV)
    await lab.open(P2000, owner=INSS, others=[DRV], buc=P_BUC_01)
    await lab.work(45)
    await lab.reply(INSS, P4000)
    await lab.work(5)
    first, second = await lab.messages(POINT, Direction.OUT)
    assert (second.state, second.attempts) == ("retry-due", 0)
    assert ("waits", "behind-earlier") in await lab.steps(POINT)
    assert first.message_id in {entry.detail.get("earlier") for entry in await lab.journal(POINT)}


async def test_other_cases_do_not_wait(lab: Lab) -> None:
    """Only documents of the same case to the same receiver keep their order."""
    lab.take_down(DRV)
    await lab.open(P2000, owner=INSS, others=[DRV], buc=P_BUC_01)
    await lab.work(45)
    lab.bring_up(DRV)
    case = await lab.node(INSS).open_case(P_BUC_01, [DRV])
    await lab.node(INSS).send_document(case.id, P2000)
    await lab.network.quiet()
    arrived = {each.international_id for each in await lab.store(DRV).cases()}
    assert case.international_id in arrived


async def test_what_waits_is_sent_as_soon_as_its_receiver_is_back(lab: Lab) -> None:
    """The next attempt would be a minute away; it is made when another message shows that the receiver is there."""
    lab.take_down(DRV)
    first = await lab.node(INSS).open_case(P_BUC_01, [DRV])
    await lab.node(INSS).send_document(first.id, P2000)
    await lab.work(60)
    lab.bring_up(DRV)
    second = await lab.node(INSS).open_case(P_BUC_01, [DRV])
    await lab.node(INSS).send_document(second.id, P2000)
    await lab.work(1)
    arrived = {each.international_id for each in await lab.store(DRV).cases()}
    assert arrived == {first.international_id, second.international_id}


async def test_document_goes_on_when_its_predecessor_was_given_up(lab: Lab) -> None:
    """A dead letter holds nobody up; what depends on it is judged by the receiver."""
    lab.take_down(POINT)
    await lab.open(U001, owner=BA, others=[WUP], buc=UB_BUC_01)
    await lab.work(45)
    await lab.reply(BA, U003)
    await lab.work(lab.patience(BA) - 45)
    first, second = await lab.messages(BA, Direction.OUT)
    assert (first.state, second.state) == ("dead-lettered", "retry-due")
    lab.bring_up(POINT)
    await lab.work(120)
    assert await lab.delivery(BA, U003) == "error"
