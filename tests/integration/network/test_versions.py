"""New versions, late messages and exceptions between nodes, and what they do to the copies."""

from dataclasses import replace

import pytest
from tests.helpers.forge import Draft, post
from tests.helpers.lab import A003, BA, NAV, POINT, UB_BUC_01, WUP, ZUS, Lab

from eessi_sim import xmlsafe
from eessi_sim.buc.case import Actor, ActorKind, CaseStatus, DeliveryStatus, DocumentStatus
from eessi_sim.identifiers import DocumentId, SedType
from eessi_sim.sbdh import CaseAction
from eessi_sim.storage.base import Direction

CLERK = Actor(ActorKind.CLERK, "kari")
U001, U003, X001, X011, X050 = map(SedType, ("U001", "U003", "X001", "X011", "X050"))


async def _update(lab: Lab) -> None:
    await lab.node(NAV).casework.update(
        (await lab.case(NAV)).id, (await lab.document(NAV, A003)).id, actor=CLERK
    )
    await lab.work(5)


async def _brought(lab: Lab, draft: Draft) -> None:
    """Let the access point bring a message of NO:NAVAT07 to PL:ZUS01 without checking it."""
    await post(lab, draft.packed(lab.keys(NAV).ebms), client=POINT, to=ZUS)
    await lab.work(30)


async def test_new_version_is_announced_as_update(sent: Lab) -> None:
    """The envelope of a new version says Update, and its version; the receiver has it delivered."""
    await _update(sent)
    header = Draft.of((await sent.messages(NAV, Direction.OUT))[-1]).header
    assert (header.document.case_action, header.scope.document_version) == (CaseAction.UPDATE, 2)
    assert [v.number for v in (await sent.document(ZUS, A003)).versions] == [1, 2]
    [delivery] = (await sent.document(NAV, A003)).versions[-1].deliveries
    assert delivery.status is DeliveryStatus.DELIVERED


async def test_older_version_is_acknowledged_and_dropped(sent: Lab) -> None:
    """Version 1 in a message of its own after version 2 gets its receipt and changes nothing."""
    first = Draft.of(await sent.sent(NAV)).named(f"late@{NAV.domain}")
    await _update(sent)
    before = await sent.case(ZUS)
    await _brought(sent, first)
    assert await sent.case(ZUS) == before
    assert (await sent.steps(ZUS))[-3:].count(("filed", "unchanged")) == 1
    assert X050 not in await sent.types(NAV)


async def test_new_version_takes_a_rejection_back(sent: Lab) -> None:
    """An X011 marks the A003 in both copies; the version that follows is no longer marked."""
    await sent.reply(ZUS, X011, to=A003)
    assert (
        (await sent.document(NAV, A003)).refused_by == (await sent.document(ZUS, A003)).refused_by == (ZUS,)
    )
    await _update(sent)
    assert (await sent.document(NAV, A003)).refused_by == (await sent.document(ZUS, A003)).refused_by == ()


async def test_new_version_that_its_invalidation_overtook_is_kept(sent: Lab) -> None:
    """A version that comes after the X008 is stored; the document stays void, and nobody reports anything."""
    await _update(sent)
    newer = Draft.of((await sent.messages(NAV, Direction.OUT))[-1]).named(f"newer@{NAV.domain}")
    await sent.reply(NAV, SedType("X008"), to=A003)
    await _brought(sent, newer.with_scope(document_version=3))
    kept = await sent.document(ZUS, A003)
    assert (kept.version, kept.status) == (3, DocumentStatus.CANCELLED)
    assert X050 not in {each.type for each in (await sent.case(NAV)).documents}


async def test_message_for_a_closed_case_is_answered_by_an_exception() -> None:
    """A document in a case closed for all is refused with cause 04; the copies stay closed."""
    async with Lab.build() as lab:
        await lab.open(U001, owner=BA, others=[WUP], buc=UB_BUC_01)
        await lab.work(5)
        lab.take_down(POINT)
        await lab.reply(WUP, SedType("U002"), to=U001)
        late = Draft.of(await lab.sent(WUP))
        await lab.node(BA).send_document((await lab.case(BA)).id, X001)
        lab.bring_up(POINT)
        await lab.work(60)
        assert late.header.document.type == "U002"
        assert (await lab.case(BA)).status is CaseStatus.CLOSED
        assert (await lab.document(WUP, X050)).sender == BA
        [delivery] = (await lab.document(WUP, SedType("U002"))).versions[-1].deliveries
        assert delivery.status is DeliveryStatus.ERROR


@pytest.mark.parametrize(
    ("spoil", "cause"),
    [
        (lambda draft: draft.with_scope(set_id=DocumentId(32 * "a")), "04"),
        (lambda draft: replace(draft, sed=draft.sed.replace(b"<town>", b"<town>X", 1)), "07"),
    ],
    ids=["not-expected", "seal-broken"],
)
async def test_cause_of_an_exception_is_in_the_document(sent: Lab, spoil: object, cause: str) -> None:
    """The X050 says the code of its cause."""
    assert callable(spoil)
    await _brought(sent, spoil(Draft.of(await sent.sent(NAV)).named(f"spoiled@{NAV.domain}")))
    [exception] = [d for d in (await sent.case(NAV)).documents if d.type == X050]
    stored = await sent.store(NAV).document((await sent.case(NAV)).id, exception.id)
    assert stored is not None
    assert xmlsafe.parse(stored.content).findtext("BusinessException/typeException/value") == cause


async def test_answer_of_a_case_closed_locally_opens_it_again() -> None:
    """A copy closed only here takes what the others send, and is open again."""
    async with Lab.build() as lab:
        await lab.open(U001, owner=BA, others=[WUP], buc=UB_BUC_01)
        await lab.work(5)
        await lab.node(WUP).close_case((await lab.case(WUP)).id)
        await lab.reply(BA, U003)
        await lab.work(5)
        assert ((await lab.case(WUP)).status, await lab.types(WUP)) == (CaseStatus.OPEN, [U001, U003])
