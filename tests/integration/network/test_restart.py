"""Nodes that stop, crash or cannot write: what they had promised is done afterwards, once."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from tests.helpers.faulty_store import FaultyStorage
from tests.helpers.lab import DRV, INSS, NAV, P_BUC_01, POINT, ZUS, Lab, with_rules

from eessi_sim.as4.exchange import InboundState, OutboundState
from eessi_sim.errors import Conflict, Unavailable
from eessi_sim.identifiers import InstitutionId, SedType
from eessi_sim.ir.model import BehaviourRule
from eessi_sim.storage.base import Claim, Direction, MessageKind, UnitOfWork

P2000, P4000, P5000, P6000 = map(SedType, ("P2000", "P4000", "P5000", "P6000"))


async def test_access_point_forwards_after_a_restart_what_it_had_accepted(lab: Lab) -> None:
    """Between the 202 and the forwarding the access point stops: the message is neither lost nor doubled."""
    await lab.point.stop()
    await lab.open()
    assert ((await lab.received(POINT)).state, (await lab.sent(NAV)).state) == (
        "received",
        "awaiting-receipt",
    )
    await lab.network.restart(POINT)
    await lab.work(5)
    assert await lab.delivery(NAV) == "delivered"
    assert await lab.types(ZUS) == ["A003"]


async def test_access_point_retries_after_a_restart(lab: Lab) -> None:
    """A message that waited for its receiver is brought by the next run of the access point."""
    lab.take_down(ZUS)
    await lab.open()
    await lab.network.restart(POINT)
    lab.bring_up(ZUS)
    await lab.work(30)
    assert await lab.delivery(NAV) == "delivered"
    assert (await lab.sent(POINT)).attempts >= 2


@pytest.mark.parametrize(
    ("party", "direction", "claimed"),
    [
        (NAV, Direction.OUT, OutboundState.SENDING),
        (POINT, Direction.IN, InboundState.PROCESSING),
        (ZUS, Direction.IN, InboundState.PROCESSING),
    ],
)
async def test_node_takes_up_what_its_last_run_had_begun(
    lab: Lab, party: InstitutionId, direction: Direction, claimed: str
) -> None:
    """A message whose worker died while it held the lease is worked on after the restart, not after the lease."""
    await lab.network.nodes[party].stop()
    await lab.open()
    now = lab.clock.now()
    begun = Claim(
        direction=direction,
        states=("submitted", "received"),
        claimed_state=claimed,
        now=now,
        lease=timedelta(minutes=2),
    )
    assert len(await lab.store(party).claim(begun)) == 1
    await lab.network.restart(party)
    await lab.work(5)
    assert await lab.delivery(NAV) == "delivered"
    assert await lab.types(ZUS) == ["A003"]


async def test_receiver_files_after_a_restart_what_it_had_accepted(lab: Lab) -> None:
    """The receipt is sent and the document filed by the next run."""
    await lab.node(ZUS).stop()
    await lab.open()
    assert (await lab.received(ZUS)).state == "received"
    assert not await lab.store(ZUS).cases()
    await lab.network.restart(ZUS)
    await lab.work(5)
    assert await lab.types(ZUS) == ["A003"]
    assert await lab.delivery(NAV) == "delivered"


async def test_sender_sends_after_a_restart_what_it_had_queued(lab: Lab) -> None:
    """A document that was sent while the queue stood still leaves the house later, with the same bytes."""
    await lab.node(NAV).stop()
    await lab.open()
    queued = await lab.sent(NAV)
    assert queued.state == "submitted"
    await lab.network.restart(NAV)
    await lab.work(5)
    assert (await lab.sent(NAV)).body == queued.body == (await lab.received(ZUS)).body
    assert await lab.delivery(NAV) == "delivered"


async def test_receipt_is_believed_after_a_restart_of_the_sender(lab: Lab) -> None:
    """What was signed is read from the store when nobody remembers it."""
    lab.take_down(ZUS)
    await lab.open()
    await lab.network.restart(NAV)
    lab.bring_up(ZUS)
    await lab.work(30)
    assert await lab.delivery(NAV) == "delivered"


@pytest.fixture
async def faulty() -> AsyncIterator[tuple[Lab, FaultyStorage]]:
    """A network whose store fails when told so; DE:DRVBUND answers a P4000 with two documents."""
    storage = FaultyStorage()
    rules = with_rules(DRV, BehaviourRule(P4000, send=(P5000, P6000), after=timedelta(seconds=3)))
    async with Lab.build(rules, storage=storage.storage) as lab:
        yield lab, storage


async def asked(lab: Lab) -> None:
    """Bring DE:DRVBUND a claim and the career that it will answer in three seconds."""
    await lab.open(P2000, owner=INSS, others=[DRV], buc=P_BUC_01)
    await lab.reply(INSS, P4000)


async def test_answer_of_two_documents_arrives_once(faulty: tuple[Lab, FaultyStorage]) -> None:
    """The counter-test of the next one: without a crash both documents are sent."""
    lab, _ = faulty
    await asked(lab)
    await lab.work(10)
    assert await lab.types(INSS) == ["P2000", "P4000", "P5000", "P6000"]


@pytest.mark.parametrize("writes", range(5))
async def test_crash_in_an_answer_of_two_documents_neither_loses_nor_doubles(
    faulty: tuple[Lab, FaultyStorage], writes: int
) -> None:
    """Wherever the node dies while it answers, the next run sends exactly what is missing."""
    lab, storage = faulty
    await asked(lab)
    storage.break_down(DRV, after=writes)
    await lab.work(10)
    storage.mend()
    await lab.network.restart(DRV)
    await lab.work(200)
    assert await lab.types(INSS) == ["P2000", "P4000", "P5000", "P6000"]
    assert await lab.types(DRV) == await lab.types(INSS)


@pytest.mark.parametrize("party", [POINT, DRV])
@pytest.mark.parametrize("writes", range(4))
async def test_crash_on_the_way_of_a_document_neither_loses_nor_doubles(
    faulty: tuple[Lab, FaultyStorage], party: InstitutionId, writes: int
) -> None:
    """Wherever a node dies on the way of a document, it arrives once and is receipted."""
    lab, storage = faulty
    storage.break_down(party, after=writes)
    await lab.open(P2000, owner=INSS, others=[DRV], buc=P_BUC_01)
    storage.mend()
    await lab.network.restart(party)
    await lab.work(300)
    assert await lab.types(DRV) == ["P2000"]
    assert await lab.delivery(INSS, P2000) == "delivered"


async def test_message_that_cannot_be_stored_is_not_accepted(faulty: tuple[Lab, FaultyStorage]) -> None:
    """A store that cannot be written is answered 503; the sender tries again and the message arrives."""
    lab, storage = faulty
    storage.fail(POINT, "commit", Unavailable("Expected a disk with room, found it full"))
    tap = await lab.tap(POINT)
    await lab.open(P2000, owner=INSS, others=[DRV], buc=P_BUC_01)
    assert (await lab.sent(INSS)).last_error == (
        "HTTP 503 EBMS:0004 Other: not stored, send it again later (store-unavailable)"
    )
    await lab.work(5)
    assert await lab.delivery(INSS, P2000) == "delivered"
    assert len(set(tap.bodies[:2])) == 1


async def test_passing_fault_of_the_store_makes_no_dead_letter(faulty: tuple[Lab, FaultyStorage]) -> None:
    """A document whose filing could not be written is filed when the lease of the attempt has ended."""
    lab, storage = faulty
    storage.fail(DRV, "commit", Unavailable("Expected a disk with room, found it full"), after=1)
    await lab.open(P2000, owner=INSS, others=[DRV], buc=P_BUC_01)
    await lab.work(180)
    assert (await lab.received(DRV)).state == "delivered"
    assert await lab.types(DRV) == ["P2000"]


async def test_unexpected_fault_in_filing_makes_a_visible_dead_letter(
    faulty: tuple[Lab, FaultyStorage],
) -> None:
    """A fault of our own does not stop the queue: the message is kept with a reason, the next one is filed."""
    lab, storage = faulty
    storage.fail(DRV, "find_case_by_international", ZeroDivisionError("a bug"))
    await lab.open(P2000, owner=INSS, others=[DRV], buc=P_BUC_01)
    letter = await lab.received(DRV)
    assert (letter.state, letter.last_error) == ("dead-lettered", "internal: ZeroDivisionError")
    assert ("filed", "failed") in await lab.steps(DRV)
    case = await lab.node(INSS).open_case(P_BUC_01, [DRV])
    await lab.node(INSS).send_document(case.id, P2000)
    await lab.network.quiet()
    assert await lab.types(DRV) == ["P2000"]


async def test_unexpected_fault_at_the_access_point_is_told_to_the_sender(
    faulty: tuple[Lab, FaultyStorage],
) -> None:
    """The access point keeps the message as refused and answers with an error instead of silence."""
    lab, storage = faulty
    await lab.open(P2000, owner=INSS, others=[DRV], buc=P_BUC_01)
    storage.fail(POINT, "messages", ZeroDivisionError("a bug"))
    await lab.reply(INSS, P4000)
    assert await lab.delivery(INSS, P4000) == "error"
    assert "The access point failed: ZeroDivisionError" in (
        (await lab.messages(INSS, Direction.OUT))[-1].last_error or ""
    )
    assert await lab.types(DRV) == ["P2000"]


async def test_fault_while_claiming_does_not_end_the_queue(faulty: tuple[Lab, FaultyStorage]) -> None:
    """A worker that cannot claim tries again a second later."""
    lab, storage = faulty
    storage.fail(POINT, "claim", Unavailable("Expected a disk with room, found it full"), times=3)
    await lab.open(P2000, owner=INSS, others=[DRV], buc=P_BUC_01)
    await lab.work(5)
    assert await lab.delivery(INSS, P2000) == "delivered"
    assert (await lab.sent(DRV, MessageKind.RECEIPT)).state == "forwarded"


async def test_fault_between_claiming_and_sending_loses_no_time(faulty: tuple[Lab, FaultyStorage]) -> None:
    """The store cannot say what else is due: what was claimed leaves at once, not when its lease has ended."""
    lab, storage = faulty
    await lab.open(P2000, owner=INSS, others=[DRV], buc=P_BUC_01)
    storage.fail(INSS, "next_due", Unavailable("Expected an answer, found none"))
    await lab.reply(INSS, P4000)
    await lab.work(5)
    assert await lab.delivery(INSS, P4000) == "delivered"


async def test_unexpected_fault_of_an_outbox_is_visible(faulty: tuple[Lab, FaultyStorage]) -> None:
    """A message that our own code cannot send on is refused with the fault as its reason."""
    lab, storage = faulty
    lab.take_down(DRV)
    storage.fail(INSS, "commit", ZeroDivisionError("a bug"), after=2)
    await lab.open(P2000, owner=INSS, others=[DRV], buc=P_BUC_01)
    assert ((await lab.sent(INSS)).state, (await lab.sent(INSS)).last_error) == (
        "rejected",
        "internal: ZeroDivisionError",
    )
    assert await lab.delivery(INSS, P2000) == "error"


@pytest.mark.parametrize(("party", "sender"), [(POINT, INSS), (DRV, POINT)])
async def test_conflict_without_a_twin_is_not_taken_for_a_duplicate(
    faulty: tuple[Lab, FaultyStorage], party: InstitutionId, sender: InstitutionId
) -> None:
    """A message that was not stored is not acknowledged, whatever the reason."""
    lab, storage = faulty
    storage.fail(party, "commit", Conflict("Expected something else"))
    await lab.open(P2000, owner=INSS, others=[DRV], buc=P_BUC_01)
    assert "HTTP 503" in ((await lab.sent(sender)).last_error or "")
    await lab.work(10)
    assert await lab.delivery(INSS, P2000) == "delivered"


async def test_message_put_off_by_a_clock_that_was_ahead_is_not_put_off_after_a_restart(lab: Lab) -> None:
    """The clock was a day ahead when an attempt failed; the next run, with the right time, tries again at once."""
    lab.take_down(POINT)
    await lab.open()
    work = UnitOfWork()
    put_off = await lab.sent(NAV)
    due_at = lab.clock.now() + timedelta(days=1)
    work.update_message(Direction.OUT, put_off.message_id, due_at=due_at)
    await lab.store(NAV).commit(work)
    lab.bring_up(POINT)
    await lab.network.restart(NAV)
    await lab.work(5)
    assert await lab.delivery(NAV) == "delivered"
    assert ("recalled", "clock") in await lab.steps(NAV)


async def test_last_wait_for_a_receipt_is_not_over_when_the_clock_was_ahead(lab: Lab) -> None:
    """The clock was an hour ahead at the last attempt: the next run waits for the receipt a day, and has it in the end."""
    lab.take_down(ZUS)
    await lab.open()
    work = UnitOfWork()
    accepted = await lab.sent(NAV)
    assert accepted.state == OutboundState.AWAITING_RECEIPT
    due_at = lab.clock.now() + timedelta(days=1, hours=1)
    work.update_message(Direction.OUT, accepted.message_id, attempts=6, due_at=due_at)
    await lab.store(NAV).commit(work)
    await lab.network.restart(NAV)
    waiting = await lab.sent(NAV)
    assert (waiting.state, waiting.due_at) == (accepted.state, due_at - timedelta(hours=1))
    lab.bring_up(ZUS)
    await lab.work(600)
    assert await lab.delivery(NAV) == "delivered"


async def test_document_does_not_pass_one_whose_attempt_could_not_be_stored(
    faulty: tuple[Lab, FaultyStorage],
) -> None:
    """The disk was full when the attempt had failed: the starter is still under way, and what follows it waits."""
    lab, storage = faulty
    lab.take_down(POINT)
    storage.fail(INSS, "commit", Unavailable("Expected a disk with room, found it full"), after=2)
    await lab.open(P2000, owner=INSS, others=[DRV], buc=P_BUC_01)
    lab.bring_up(POINT)
    await lab.reply(INSS, P4000)
    await lab.work(200)
    assert ("waits", "behind-earlier") in await lab.steps(INSS)
    assert (await lab.types(DRV))[:2] == ["P2000", "P4000"]
