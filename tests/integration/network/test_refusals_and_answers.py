"""What a receiver does by itself about a document: its answer survives a crash, its refusals never echo."""

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.helpers.forge import held_back, let_go, reply_held_back
from tests.helpers.lab import A003, A012, FK, NAV, ZUS, Lab, with_rules

from eessi_sim.as4.model import MessageProperty
from eessi_sim.institution.receiving import Receiving
from eessi_sim.ir.model import BehaviourRule
from eessi_sim.storage.base import Direction


def unlist_seal(lab: Lab, party: object) -> None:
    """Let the directory list no seal for an institution: everybody refuses its documents."""
    known = lab.directory.current.get(str(party))
    lab.enlist(replace(known, certificates=replace(known.certificates, seal=())))


async def test_answer_is_due_from_the_moment_the_document_is_filed() -> None:
    """Whoever is killed right after filing still answers: both were stored together."""
    async with Lab.build(with_rules(ZUS, BehaviourRule(A003, reply=A012, after=timedelta(0)))) as lab:
        node = lab.node(ZUS)
        await node.stop()
        await lab.open(owner=NAV, others=[ZUS])
        await Receiving(node.office).file(await lab.received(ZUS))
        assert (await lab.received(ZUS)).state == "answer-due"
        await lab.network.restart(ZUS)
        await lab.work(30)
        assert await lab.types(NAV) == [A003, A012]


async def test_refused_exception_is_not_answered_with_another_one(sent: Lab) -> None:
    """Two institutions that do not accept each other's seals tell each other once, not for ever."""
    for party in (NAV, ZUS):
        unlist_seal(sent, party)
    await sent.reply(ZUS, A012, A003)
    await sent.work(60)
    assert [message.details["sed"] for message in await sent.messages(NAV, Direction.OUT)] == ["A003", "X050"]
    assert [message.state for message in await sent.messages(ZUS, Direction.IN)] == ["delivered", "rejected"]


async def test_strange_parent_is_a_document_that_is_not_valid(sent: Lab) -> None:
    """A property that is no document id is the fault of the sender, who is told so."""
    draft = await reply_held_back(sent, ZUS, A012, A003)
    strange = draft.with_unit(properties=(MessageProperty("ParentDocumentId", "no such thing"),))
    await let_go(sent, strange.packed(sent.keys(ZUS).ebms), owner=ZUS)
    assert ((await sent.received(NAV)).last_error or "").startswith("01 Expected a document id")
    assert "X050" in await sent.types(ZUS)


async def test_document_of_a_stranger_is_refused_in_silence(sent: Lab) -> None:
    """Somebody who sends into a case of others learns nothing about it; the reason is kept."""
    case = (await sent.case(NAV)).international_id
    draft = await held_back(sent, owner=FK, others=[ZUS])
    await let_go(sent, draft.with_scope(case_id=case).packed(sent.keys(FK).ebms), owner=FK)
    _, strange = await sent.messages(ZUS, Direction.IN)
    assert (strange.state, (strange.last_error or "")[:2]) == ("rejected", "05")
    assert len(await sent.messages(ZUS, Direction.OUT)) == 0


async def test_reply_that_cannot_be_sent_is_left_out_and_noted() -> None:
    """A habit that no longer fits the directory spoils no document; the journal says what was left out."""
    async with Lab.build(with_rules(ZUS, BehaviourRule(A003, reply=A012, after=timedelta(seconds=5)))) as lab:
        await lab.open(owner=NAV, others=[ZUS])
        lab.unlist(NAV)
        await lab.work(10)
        assert (await lab.received(ZUS)).state == "delivered"
        assert ("answer", "left-out") in await lab.steps(ZUS)


@pytest.mark.parametrize("delay", [0, 5])
async def test_answer_comes_at_its_time(delay: int) -> None:
    """The delay of the rule counts on the clock of the network, from filing on."""
    rule = BehaviourRule(A003, reply=A012, after=timedelta(seconds=delay))
    async with Lab.build(with_rules(ZUS, rule)) as lab:
        await lab.open(owner=NAV, others=[ZUS])
        await lab.work(delay + 1)
        assert await lab.types(NAV) == [A003, A012]
