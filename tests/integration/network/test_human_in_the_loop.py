"""Rules that suggest to a clerk, or leave it to one; and rules that act when an answer is late."""

from datetime import timedelta

import pytest
from tests.helpers.lab import A003, A012, FK, NAV, ZUS, Lab, changed, with_rules

from eessi_sim.buc.case import Actor, ActorKind, EventKind
from eessi_sim.errors import ActionNotAvailable, SuggestionGone
from eessi_sim.identifiers import SedType
from eessi_sim.institution.reminding import Reminder, Reminders
from eessi_sim.ir.model import BehaviourRule, Decision, Occasion

A004, X009 = SedType("A004"), SedType("X009")
ANNA = Actor(ActorKind.CLERK, "anna")
SUGGESTING = BehaviourRule(A003, reply=A012, decides=Decision.SUGGESTING)
OVERDUE = BehaviourRule(A003, send=(X009,), occasion=Occasion.OVERDUE)
TWO_MONTHS = timedelta(days=70).total_seconds()


async def journal(lab: Lab, step: str) -> list[tuple[str, str | None]]:
    """Outcome and rule of the lines of one step, of all nodes."""
    return [(entry.outcome, entry.detail.get("rule")) for entry in await lab.journal() if entry.step == step]


async def test_a_suggestion_waits_for_its_clerk_and_is_sent_in_both_names() -> None:
    """Nothing is sent before; afterwards the case file names clerk, rule and inputs, and the journal too."""
    async with Lab.build(with_rules(ZUS, SUGGESTING)) as lab:
        await lab.open()
        await lab.work(3)
        node, case = lab.node(ZUS), await lab.case(ZUS)
        (suggestion,) = await node.suggestions(case.id)
        assert (await lab.types(ZUS), suggestion.sed) == (["A003"], A012)
        assert (await lab.received(ZUS)).details["answer"] == "suggested"
        await node.accept_suggestion(case.id, suggestion.id, clerk=ANNA)
        await lab.work(3)
        actor = (await lab.document(ZUS, A012)).versions[0].actor
        assert (actor.kind, actor.name) == (ActorKind.ACCEPTED, "anna")
        assert "suggestion of rule A003-A012, because of A003 version 1" in actor.reason
        assert await lab.types(NAV) == ["A003", "A012"]
        assert (await lab.case(ZUS)).suggestions == ()
        assert await journal(lab, "suggestion") == [("made", "A003-A012"), ("accepted", "A003-A012")]


async def test_a_declined_suggestion_is_gone_for_good() -> None:
    """The reason stays in the history; nobody can accept it any more."""
    async with Lab.build(with_rules(ZUS, SUGGESTING)) as lab:
        await lab.open()
        await lab.work(3)
        node, case = lab.node(ZUS), await lab.case(ZUS)
        (suggestion,) = await node.suggestions(case.id)
        why = Actor(ActorKind.CLERK, "anna", "he never worked here")
        await node.decline_suggestion(case.id, suggestion.id, clerk=why)
        assert (await lab.case(ZUS)).history[-1].actor == why
        with pytest.raises(SuggestionGone):
            await node.accept_suggestion(case.id, suggestion.id, clerk=ANNA)


async def test_a_suggestion_vanishes_with_its_action() -> None:
    """The clerk contests by herself: approving is no longer possible."""
    async with Lab.build(with_rules(ZUS, SUGGESTING)) as lab:
        await lab.open()
        await lab.work(3)
        await lab.reply(ZUS, A004, to=A003)
        assert (await lab.case(ZUS)).suggestions == ()
        assert (await journal(lab, "suggestion"))[-1] == ("gone", "A003-A012")


async def test_what_is_not_possible_is_not_suggested() -> None:
    """The clerk was faster than the rule."""
    slow = BehaviourRule(A003, reply=A012, after=timedelta(seconds=9), decides=Decision.SUGGESTING)
    async with Lab.build(with_rules(ZUS, slow)) as lab:
        await lab.open()
        await lab.reply(ZUS, A004, to=A003)
        await lab.work(10)
        assert await journal(lab, "suggestion") == [("left-out", "A003-A012")]


async def test_a_manual_rule_says_that_a_clerk_is_waited_for() -> None:
    """Nothing is sent, nothing suggested."""
    rule = BehaviourRule(A003, reply=A012, decides=Decision.MANUAL)
    async with Lab.build(with_rules(ZUS, rule)) as lab:
        await lab.open()
        await lab.work(3)
        assert await lab.types(ZUS) == ["A003"]
        assert (await lab.received(ZUS)).details["answer"] == "left-to-clerk"
        assert await journal(lab, "answer") == [("left-to-clerk", "A003-A012")]


async def test_an_automatic_answer_names_rule_and_inputs_in_the_journal() -> None:
    """Everybody can see why it was sent."""
    async with Lab.build(with_rules(ZUS, BehaviourRule(A003, reply=A012))) as lab:
        await lab.open()
        await lab.work(3)
        (line,) = [entry for entry in await lab.journal(ZUS) if entry.step == "answer"]
        assert (line.outcome, line.detail["rule"]) == ("decided", "A003-A012")
        assert "A003 version 1 from NO:NAVAT07" in line.detail["inputs"]


async def test_a_late_answer_is_reminded_of_once() -> None:
    """X009 goes to the one that is late, when the limit is over, also after a restart; not to who has answered."""
    network = changed(with_rules(NAV, OVERDUE), FK, behaviours=(BehaviourRule(A003, reply=A012),))
    async with Lab.build(network) as lab:
        await lab.open(others=[ZUS, FK])
        await lab.work(60)
        assert await lab.types(NAV) == ["A003", "A012"]
        await lab.network.restart(NAV)
        await lab.work(TWO_MONTHS)
        assert await lab.types(ZUS) == ["A003", "X009"]
        assert (await lab.document(NAV, X009)).receivers == (ZUS,)
        actor = (await lab.document(NAV, X009)).versions[0].actor
        assert "answer due" in actor.reason
        assert "Art. 16(3) Reg. 987/2009 (inferred)" in actor.reason
        await lab.network.restart(NAV)
        await lab.work(TWO_MONTHS)
        assert await lab.types(NAV) == ["A003", "A012", "X009"]


async def test_nobody_is_reminded_without_a_rule_or_before_the_limit() -> None:
    """Reminders are off by default."""
    for rules in ((), (OVERDUE,)):
        async with Lab.build(with_rules(NAV, *rules)) as lab:
            await lab.open()
            await lab.work(TWO_MONTHS if not rules else 86_400 * 50)
            assert await lab.types(NAV) == ["A003"]


async def test_a_reminder_may_be_suggested_or_left_to_a_clerk() -> None:
    """A suggestion of it is made once, even when it is declined."""
    for decides, outcome in ((Decision.SUGGESTING, "made"), (Decision.MANUAL, "left-to-clerk")):
        rule = BehaviourRule(A003, send=(X009,), occasion=Occasion.OVERDUE, decides=decides)
        async with Lab.build(with_rules(NAV, rule)) as lab:
            await lab.open()
            await lab.work(TWO_MONTHS)
            assert await lab.types(NAV) == ["A003"]
            step = "suggestion" if decides is Decision.SUGGESTING else "reminder"
            assert await journal(lab, step) == [(outcome, "overdue-A003-X009")]
            for suggestion in await lab.node(NAV).suggestions((await lab.case(NAV)).id):
                await lab.node(NAV).decline_suggestion((await lab.case(NAV)).id, suggestion.id, clerk=ANNA)
            await lab.network.restart(NAV)
            await lab.work(60)
            assert (await lab.case(NAV)).suggestions == ()
            kinds = [event.kind for event in (await lab.case(NAV)).history]
            assert kinds.count(EventKind.SUGGESTED) == (decides is Decision.SUGGESTING)


async def test_accepting_fails_when_the_action_has_gone_meanwhile() -> None:
    """A case that was closed takes no answer; its suggestion is gone with it."""
    async with Lab.build(with_rules(ZUS, SUGGESTING)) as lab:
        await lab.open()
        await lab.work(3)
        case = await lab.case(ZUS)
        (suggestion,) = case.suggestions
        await lab.reply(ZUS, A004, to=A003)
        with pytest.raises((SuggestionGone, ActionNotAvailable)):
            await lab.node(ZUS).accept_suggestion(case.id, suggestion.id, clerk=ANNA)


async def test_a_reminder_that_our_own_code_cannot_make_is_noted() -> None:
    """The journal names the rule and the kind of fault; the others go on."""
    async with Lab.build(with_rules(NAV, OVERDUE)) as lab:
        case = await lab.open()
        office = lab.node(NAV).office

        async def broken(_reminder: Reminder) -> None:
            raise ValueError

        reminders = Reminders(office, broken)
        await reminders.read_all()
        lab.clock.advance(timedelta(seconds=TWO_MONTHS))
        (due,) = await reminders.claim(5)
        with pytest.raises(ValueError):
            await reminders.process(due)
        await reminders.failed(due, ValueError())
        assert (due.case_id, await reminders.next_due()) == (case.id, None)
        assert ("failed", "overdue-A003-X009") in await journal(lab, "reminder")
