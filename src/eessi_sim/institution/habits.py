"""How an institution follows its rules: when an answer is due, or late, it sends, suggests, or leaves it to a clerk.

Every journal line names the rule and its inputs.
"""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final

from eessi_sim.as4.exchange import InboundState
from eessi_sim.attachments import NewFile
from eessi_sim.buc.case import Actor, Case, Document, ParticipantChange
from eessi_sim.buc.suggestion import Suggestion
from eessi_sim.errors import CaseError, DefinitionError, RoutingError, SedError
from eessi_sim.identifiers import DocumentId, InstitutionId, SedType
from eessi_sim.institution import answering, desk
from eessi_sim.institution.office import Office
from eessi_sim.institution.reminding import Reminder
from eessi_sim.ir.model import BehaviourRule, Decision
from eessi_sim.storage.base import Direction, StoredMessage, UnitOfWork
from eessi_sim.xmlsafe import Element

IMPOSSIBLE: Final = (CaseError, DefinitionError, RoutingError, SedError)
"""Why something that a node wants to send by itself cannot be sent."""
_OURS: Final = (InboundState.PROCESSING,)
"""State of a message whose answer is being given."""
_DONE: Final = {
    Decision.AUTOMATIC: "given",
    Decision.SUGGESTING: "suggested",
    Decision.MANUAL: "left-to-clerk",
}
"""What the message with the document says about its answer, once the rule has done its part."""


@dataclass(frozen=True, slots=True)
class Order:
    """A document that shall be sent; see ``InstitutionNode.send_document``."""

    case_id: str
    sed: SedType
    actor: Actor
    root: Element | None = None
    parent_id: DocumentId | None = None
    receivers: tuple[InstitutionId, ...] | None = None
    change: ParticipantChange | None = None
    """For an X-SED that is composed: who joins and who leaves."""
    files: tuple[NewFile, ...] = ()
    """To attach."""
    suggestion: str | None = None
    """Id of the suggestion that a clerk accepts by it."""
    wanted: Callable[[Case], bool] | None = None
    """Whether the case, as it is when it comes to sending, still wants it; None: always."""


Send = Callable[[Order, UnitOfWork], Awaitable[Case]]
"""Sends a document in one transaction with further writes."""


@dataclass(frozen=True, slots=True)
class _Thought:
    """What a rule has come to: why, about what, and what it would send."""

    rule: BehaviourRule
    case_id: str
    about: DocumentId
    inputs: tuple[str, ...]
    sed: SedType
    parent_id: DocumentId | None = None
    receivers: tuple[InstitutionId, ...] = ()
    wanted: Callable[[Case], bool] | None = None

    @property
    def actor(self) -> Actor:
        """The rule, and why."""
        return answering.actor_of(self.rule, self.inputs)

    @property
    def order(self) -> Order:
        """The document that it sends when it decides by itself."""
        return Order(
            self.case_id,
            self.sed,
            self.actor,
            parent_id=self.parent_id,
            receivers=self.receivers or None,
            wanted=self.wanted,
        )

    def suggestion(self, suggestion_id: str, now: datetime) -> Suggestion:
        """Return what it proposes when a clerk decides."""
        return Suggestion(
            id=suggestion_id,
            rule=self.rule.id,
            sed=self.sed,
            about=self.about,
            inputs=self.inputs,
            at=now,
            parent_id=self.parent_id,
            receivers=self.receivers,
        )


class Habits:
    """Follows the rules of one institution.

    Args:
        office: the institution.
        send: how it sends a document.
    """

    def __init__(self, office: Office, send: Send) -> None:
        self._office = office
        self._send = send

    async def answer(self, message: StoredMessage, case_id: str, document: Document) -> None:
        """Do what the rule says about a document that arrived, one step after the other.

        How far it came is stored together with each document, so that a crash in between neither loses nor
        doubles one.
        """
        station = self._office.station
        rule = answering.rule_for(self._office.behaviours, document.type)
        inputs = answering.inputs_of(document)
        done = int(message.details.get("answered", "0"))
        for number, (sed, is_reply) in enumerate(_steps(rule)[done:], start=done + 1):
            assert rule is not None  # it has steps
            parent_id = document.id if is_reply else None
            thought = _Thought(rule, case_id, document.id, inputs, sed, parent_id)
            await self._follow(thought, partial(_progress, message, number))
        work = UnitOfWork()
        if rule is not None and rule.decides is Decision.MANUAL:
            facts = {"rule": rule.id, "inputs": "; ".join(inputs)}
            work.journal(station.note("answer", "left-to-clerk", case_id=case_id, **facts))
        state = _DONE[rule.decides if rule else Decision.AUTOMATIC]
        work.update_message(
            Direction.IN,
            message.message_id,
            expected_states=_OURS,
            state=InboundState.DELIVERED,
            details={"answer": state},
        )
        await station.store.commit(work)

    async def remind(self, reminder: Reminder) -> None:
        """Do what a rule says about answers that are late."""
        for thought in _reminding(reminder):
            await self._follow(thought, UnitOfWork)
        if reminder.rule.decides is Decision.MANUAL:
            work, station = UnitOfWork(), self._office.station
            facts = {"rule": reminder.rule.id, "inputs": "; ".join(reminder.inputs)}
            note = station.note("reminder", "left-to-clerk", case_id=reminder.case_id, **facts)
            said = await station.store.journal_of(reminder.case_id)
            if any((each.step, each.detail) == (note.step, note.detail) for each in said):
                return  # by another process, or by this one before it was started again
            work.journal(note)
            await station.store.commit(work)

    async def _follow(self, thought: _Thought, begin: Callable[[], UnitOfWork]) -> None:
        """Send what a rule wants to send, or suggest it to a clerk; what is not possible is left out and noted.

        Args:
            thought: what the rule wants.
            begin: makes the unit of work that everything about this step belongs to.
        """
        station = self._office.station
        if thought.rule.decides is Decision.SUGGESTING:
            suggestion = thought.suggestion(station.ids.hex32(), station.clock.now())
            await desk.suggest(
                self._office, thought.case_id, suggestion, thought.actor, begin(), wanted=thought.wanted
            )
            return
        facts = {"sed": thought.sed, "rule": thought.rule.id, "inputs": "; ".join(thought.inputs)}
        work = begin()
        work.journal(station.note("answer", "decided", case_id=thought.case_id, **facts))
        try:
            await self._send(thought.order, work)
        except IMPOSSIBLE as error:
            work = begin()
            facts["reason"] = error.message
            work.journal(station.note("answer", "left-out", case_id=thought.case_id, **facts))
            await station.store.commit(work)


def _steps(rule: BehaviourRule | None) -> tuple[tuple[SedType, bool], ...]:
    return answering.steps_of(rule) if rule is not None and rule.decides is not Decision.MANUAL else ()


def _progress(message: StoredMessage, number: int) -> UnitOfWork:
    work = UnitOfWork()
    work.update_message(
        Direction.IN, message.message_id, expected_states=_OURS, details={"answered": str(number)}
    )
    return work


def _reminding(reminder: Reminder) -> Iterator[_Thought]:
    rule = reminder.rule
    for sed, _ in _steps(rule):
        yield _Thought(
            rule,
            reminder.case_id,
            reminder.document.id,
            reminder.inputs,
            sed,
            receivers=reminder.peers,
            wanted=partial(reminder.is_wanted, sed=sed),
        )
