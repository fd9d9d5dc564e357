"""What institutions do by themselves: replies, further documents, delays, pace; and administrative SEDs."""

from datetime import timedelta

import pytest
from tests.helpers.lab import (
    A003,
    A012,
    DRV,
    FK,
    INPS,
    INSS,
    NAV,
    P_BUC_01,
    ZUS,
    Lab,
    demo,
    with_rules,
)

from eessi_sim import xmlsafe
from eessi_sim.buc.case import ActorKind
from eessi_sim.identifiers import InstitutionId, SedType
from eessi_sim.ir.model import BehaviourRule
from eessi_sim.storage.base import Direction

P2000, P4000, P5000, P6000 = map(SedType, ("P2000", "P4000", "P5000", "P6000"))
H001, H002, X001, X008, X009, X010, X011, X012, X013 = map(
    SedType, ("H001", "H002", "X001", "X008", "X009", "X010", "X011", "X012", "X013")
)
REPLY = BehaviourRule(A003, reply=A012, after=timedelta(seconds=2))


async def text_of(lab: Lab, party: InstitutionId, sed: SedType, tag: str) -> set[str | None]:
    """The values of an element in the documents of one type in the only case."""
    roots = [
        xmlsafe.parse(document.content)
        for document in await lab.store(party).documents((await lab.case(party)).id, with_content=True)
        if document.sed == sed
    ]
    return {element.text for root in roots for element in root.iter(tag)}


async def test_reply_comes_after_its_delay() -> None:
    """The rule answers when its time has come on the clock of the network, not before."""
    async with Lab.build(with_rules(ZUS, REPLY)) as lab:
        await lab.open()
        await lab.work(1.5)
        assert await lab.types(ZUS) == ["A003"]
        await lab.work(1)
        assert await lab.types(ZUS) == ["A003", "A012"]
        assert (await lab.document(ZUS, A012)).parent_id == (await lab.document(ZUS, A003)).id


async def test_rule_is_named_as_the_one_who_decided() -> None:
    """The case file shows that a rule answered, and to what."""
    async with Lab.build(with_rules(ZUS, REPLY)) as lab:
        await lab.open()
        await lab.work(3)
        actor = (await lab.document(ZUS, A012)).versions[0].actor
        assert actor.kind is ActorKind.RULE
        assert actor.name == "A003-A012"
        assert "received: A003 version 1" in actor.reason


async def test_reply_speaks_about_the_person_of_the_request() -> None:
    """The content of an answer is derived from the case: one case, one person."""
    async with Lab.build(with_rules(ZUS, REPLY)) as lab:
        await lab.open()
        await lab.work(3)
        assert await text_of(lab, NAV, A012, "familyName") == await text_of(lab, NAV, A003, "familyName")


async def test_answered_message_says_so() -> None:
    """The message with the request shows that its answer was given."""
    async with Lab.build(with_rules(ZUS, REPLY)) as lab:
        await lab.open()
        assert (await lab.received(ZUS)).details["answer"] == "due"
        await lab.work(3)
        assert (await lab.received(ZUS)).details["answer"] == "given"
        assert (await lab.received(ZUS)).state == "delivered"


async def test_pace_makes_everybody_faster() -> None:
    """At pace 0.1 an answer after 20 seconds comes after two."""
    slow = BehaviourRule(A003, reply=A012, after=timedelta(seconds=20))
    async with Lab.build(with_rules(ZUS, slow), pace=0.1) as lab:
        await lab.open()
        await lab.work(2.5)
        assert await lab.types(ZUS) == ["A003", "A012"]


async def test_list_of_documents_is_sent_in_its_order() -> None:
    """A rule that sends several documents sends all of them, in order, none as a reply."""
    rule = BehaviourRule(P4000, send=(P5000, P6000), after=timedelta(seconds=3))
    async with Lab.build(with_rules(DRV, rule)) as lab:
        await lab.open(P2000, owner=INSS, others=[DRV], buc=P_BUC_01)
        await lab.reply(INSS, P4000)
        await lab.work(4)
        assert await lab.types(INSS) == ["P2000", "P4000", "P5000", "P6000"]
        assert (await lab.document(DRV, P5000)).parent_id is None


async def test_document_of_a_counterparty_goes_to_the_other_counterparties() -> None:
    """In a pension case periods and decisions go to everybody."""
    rule = BehaviourRule(P4000, send=(P5000, P6000), after=timedelta(seconds=3))
    async with Lab.build(with_rules(DRV, rule)) as lab:
        await lab.open(P2000, owner=INSS, others=[DRV, INPS], buc=P_BUC_01)
        await lab.reply(INSS, P4000)
        await lab.work(4)
        assert await lab.types(INPS) == ["P2000", "P4000", "P5000", "P6000"]


async def test_institution_uses_a_document_of_its_own() -> None:
    """IT:INPS01 has its own P5000 in its folder, with other periods than the sample of the catalogue."""
    rule = BehaviourRule(P4000, send=(P5000,))
    starts = []
    for party in (DRV, INPS):
        async with Lab.build(with_rules(party, rule)) as lab:
            await lab.open(P2000, owner=INSS, others=[party], buc=P_BUC_01)
            await lab.reply(INSS, P4000)
            await lab.work(1)
            starts.append(await text_of(lab, INSS, P5000, "startDate"))
    assert starts[0] != starts[1]


async def test_step_that_the_case_no_longer_allows_is_left_out_and_noted() -> None:
    """A clerk who was faster than the rule makes its reply impossible; the journal says so."""
    async with Lab.build(with_rules(ZUS, REPLY)) as lab:
        await lab.open()
        await lab.reply(ZUS, A012, to=A003)
        await lab.work(5)
        (note,) = (entry for entry in await lab.journal(ZUS) if entry.step == "answer")
        assert (note.outcome, note.detail["sed"]) == ("left-out", "A012")
        assert await lab.types(ZUS) == ["A003", "A012"]


async def test_document_without_a_rule_stays_unanswered(sent: Lab) -> None:
    """Nobody answers what no rule speaks of."""
    await sent.work(1000)
    assert await sent.types(ZUS) == ["A003"]
    assert "answer" not in (await sent.received(ZUS)).details


async def test_repeated_document_is_answered_once() -> None:
    """A duplicate of the request does not call for a second answer."""
    async with Lab.build(with_rules(ZUS, REPLY)) as lab:
        tap = await lab.tap(ZUS)
        tap.lost_answers = 1
        await lab.open()
        await lab.work(30)
        assert (await lab.received(ZUS)).details["duplicates"] == "1"
        assert await lab.types(NAV) == ["A003", "A012"]


async def test_invalidation_cancels_the_document_on_both_sides(sent: Lab) -> None:
    """X008 of the owner cancels the A003 in every copy."""
    await sent.reply(NAV, X008, to=A003)
    assert [(await sent.document(party, A003)).status for party in (NAV, ZUS)] == ["cancelled", "cancelled"]


async def test_invalidated_starter_is_sent_afresh(sent: Lab) -> None:
    """After X008 the owner may determine anew, and the new A003 arrives."""
    await sent.reply(NAV, X008, to=A003)
    await sent.reply(NAV, A003)
    assert await sent.types(ZUS) == ["A003", "X008", "A003"]
    assert [document.status for document in (await sent.case(ZUS)).documents] == [
        "cancelled",
        "received",
        "received",
    ]


async def test_invalidation_names_the_document(sent: Lab) -> None:
    """The X008 says in its content which document it is about: type and date."""
    await sent.reply(NAV, X008, to=A003)
    assert await text_of(sent, ZUS, X008, "SEDType") == {"A003"}
    assert await text_of(sent, ZUS, X008, "dateIssued") == {"2026-03-02"}


async def test_closing_by_the_owner_closes_every_copy() -> None:
    """X001 after the approval closes the case at both institutions."""
    async with Lab.build(with_rules(ZUS, REPLY)) as lab:
        await lab.open()
        await lab.work(3)
        await lab.reply(NAV, X001)
        assert [(await lab.case(party)).status for party in (NAV, ZUS)] == ["closed", "closed"]


async def test_refusal_of_a_document_is_known_on_both_sides(sent: Lab) -> None:
    """X011 of the counterparty marks the A003 as refused in both copies."""
    await sent.reply(ZUS, X011, to=A003)
    assert [(await sent.document(party, A003)).refused_by for party in (NAV, ZUS)] == [(ZUS,), (ZUS,)]


@pytest.mark.parametrize(
    ("asking", "answering", "question", "answer", "about"),
    [
        (NAV, ZUS, X009, X010, None),
        (NAV, ZUS, H001, H002, None),
        (ZUS, NAV, H001, H002, None),
        (ZUS, NAV, X012, X013, A003),
    ],
)
async def test_question_is_answered_by_the_habit_of_the_other_side(
    asking: InstitutionId, answering: InstitutionId, question: SedType, answer: SedType, about: SedType | None
) -> None:
    """Reminders, ad hoc requests and clarifications are answered by rules, as a reply to the question."""
    habit = BehaviourRule(question, reply=answer, after=timedelta(seconds=1))
    async with Lab.build(with_rules(answering, habit)) as lab:
        await lab.open()
        await lab.reply(asking, question, to=about)
        await lab.work(3)
        assert await lab.types(asking) == ["A003", question, answer]
        assert (await lab.document(asking, answer)).parent_id == (await lab.document(asking, question)).id


def test_shipped_institutions_answer_the_usual_questions() -> None:
    """Every institution of the demo network has these habits."""
    usual = {(H001, H002), (X009, X010), (X012, X013)}
    for institution in demo().institutions:
        assert usual <= {(rule.when, rule.reply) for rule in institution.behaviours}, institution.id


async def test_case_closed_locally_leaves_the_others_alone(lab: Lab) -> None:
    """Nobody is told of a local close; the other copy stays open."""
    await lab.open(P2000, owner=INSS, others=[DRV], buc=P_BUC_01)
    case = await lab.node(DRV).close_case((await lab.case(DRV)).id)
    assert case.status == "closed"
    assert (await lab.case(INSS)).status == "open"
    assert not await lab.messages(DRV, Direction.OUT)


async def test_copy_closed_locally_opens_again_when_a_document_comes(lab: Lab) -> None:
    """The others go on, so what they send is taken."""
    await lab.open(P2000, owner=INSS, others=[DRV], buc=P_BUC_01)
    await lab.node(DRV).close_case((await lab.case(DRV)).id)
    await lab.reply(INSS, P4000)
    assert await lab.types(DRV) == ["P2000", "P4000"]
    assert (await lab.case(DRV)).status == "open"


async def test_question_to_one_of_several_counterparties_reaches_only_that_one(lab: Lab) -> None:
    """The sender picks whom it asks where the table lets it."""
    await lab.open(others=[ZUS, FK])
    await lab.node(NAV).send_document((await lab.case(NAV)).id, H001, receivers=(FK,))
    await lab.network.quiet()
    assert (await lab.types(FK), await lab.types(ZUS)) == (["A003", "H001"], ["A003"])
