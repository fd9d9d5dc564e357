"""Copies of one case that exchange messages over a bad line: late, twice, in any order, or never.

The line does what the nodes do around the engine: what cannot be filed yet is held and tried again, what cannot
be filed at all becomes a dead letter and an X050; what could not be delivered is told to its sender.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from random import Random

from tests.helpers.processes import CASE, CLERK, NOW

from eessi_sim.buc import engine
from eessi_sim.buc.administration import CaseEffect
from eessi_sim.buc.case import Case, DeliveryStatus, Document, Participant
from eessi_sim.buc.definition import BucDefinition
from eessi_sim.buc.effects import Outcome, SendDocument
from eessi_sim.buc.engine import IncomingDocument
from eessi_sim.buc.refusal import ExceptionCause
from eessi_sim.errors import CaseError, DocumentRefused
from eessi_sim.identifiers import CaseId, DocumentId, InstitutionId, MessageId

MAY_COME = frozenset(
    {ExceptionCause.CASE_UNKNOWN, ExceptionCause.NOT_EXPECTED, ExceptionCause.NO_PARTICIPANT}
)
"""Causes after which a message is held for a while: what it rests on may be on its way."""


@dataclass(frozen=True, slots=True)
class Letter:
    """One message to one receiver."""

    receiver: InstitutionId
    document: IncomingDocument
    times_lost: int = 0

    @property
    def text(self) -> str:
        """The message in a line."""
        item = self.document
        return f"{item.type} v{item.version} {item.document_id[-3:]} {item.sender}->{self.receiver}"


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message that was refused for good."""

    letter: Letter
    cause: ExceptionCause
    sentence: str


class Crossings:
    """The copies, the line between them, and what became of every message.

    Args:
        definition: the table of the process.
        institutions: the owner first; it has opened the case.
    """

    def __init__(self, definition: BucDefinition, institutions: tuple[InstitutionId, ...]) -> None:
        self.definition = definition
        self.now: datetime = NOW
        self.wire: list[Letter] = []
        self.held: list[Letter] = []
        self.dead: list[DeadLetter] = []
        self.failed: list[Letter] = []
        self.log: list[str] = []
        self._made = 0
        owner = institutions[0]
        self.copies: dict[InstitutionId, Case] = {
            owner: engine.open_case(
                definition,
                case_id=_number(owner),
                international_id=CASE,
                cdm=definition.cdm,
                own=owner,
                counterparties=institutions[1:],
                now=NOW,
                actor=CLERK,
            )
        }

    def new_id(self) -> DocumentId:
        """Return an id that no document has."""
        self._made += 1
        return DocumentId(f"{self._made:032x}")

    def keep(self, outcome: Outcome, *, what: str = "") -> None:
        """Store the new state of a copy and put what it sends on the line."""
        case = outcome.case
        self.log.append(f"{case.own}: {what}")
        self.copies[case.own] = case
        for effect in outcome.effects:
            if isinstance(effect, SendDocument):
                self._post(effect, case.own)

    def _post(self, effect: SendDocument, own: InstitutionId) -> None:
        case = self.copies[own]
        document = case.get(effect.document_id)
        if effect.author is None:
            ids = {r: _message_id(effect.document_id, effect.version, r) for r in effect.receivers}
            self.copies[own] = engine.record_sent(case, effect.document_id, effect.version, ids)
        incoming = IncomingDocument(
            type=effect.sed,
            document_id=effect.document_id,
            version=effect.version,
            international_id=case.international_id,
            cdm=case.cdm,
            sender=own,
            sender_role=case.role,
            case_action=effect.case_action,
            participants=_listed(case, document, effect),
            receivers=document.receivers if effect.author else effect.receivers,
            parent_id=effect.parent_id,
            parent_version=effect.parent_version,
            facts=document.facts,
            change=document.change,
            author=effect.author,
        )
        self.wire += [Letter(receiver, incoming) for receiver in effect.receivers]

    def deliver(self, index: int, *, twice: bool = False) -> None:
        """Let one message arrive; it may come once more later."""
        letter = self.wire[index] if twice else self.wire.pop(index)
        self._arrive(letter)
        self._try_held(letter.receiver)

    def lose(self, index: int, *, for_good: bool) -> None:
        """Lose one message: it is sent again, and so comes later, or its sender learns that it failed."""
        letter = self.wire[index]
        if for_good and letter.document.author is None:
            del self.wire[index]
            self.failed.append(letter)
            self.log.append(f"LOST {letter.text}")
            sender = letter.document.sender
            self.copies[sender] = engine.record_delivery(
                self.copies[sender],
                _message_id(letter.document.document_id, letter.document.version, letter.receiver),
                DeliveryStatus.ERROR,
                at=self.now,
                detail="lost",
            )

    def give_up(self, index: int) -> None:
        """End the patience with a held message: it is refused."""
        letter = self.held.pop(index)
        try:
            self._take(letter)
        except DocumentRefused as refusal:
            self._refuse(letter, refusal)

    def settle(self, dice: Random) -> None:
        """Let everything arrive that is still on the line, in any order; then nothing is left to wait for."""
        for _ in range(10_000):
            if self.wire:
                self.deliver(dice.randrange(len(self.wire)))
            elif any(
                self._try_held(receiver)
                for receiver in dict.fromkeys(letter.receiver for letter in self.held)
            ):
                continue  # a copy may have been opened again since
            elif self.held:
                self.give_up(dice.randrange(len(self.held)))
            else:
                return
        raise AssertionError("Expected the exchange to end, found messages without end")

    def _arrive(self, letter: Letter) -> None:
        try:
            self._take(letter)
        except DocumentRefused as refusal:
            if ExceptionCause(refusal.cause) in MAY_COME:
                if letter not in self.held:
                    self.held.append(letter)
            else:
                self._refuse(letter, refusal)

    def _try_held(self, receiver: InstitutionId) -> bool:
        before = len(self.held)
        moved = True
        while moved:
            moved = False
            for letter in [held for held in self.held if held.receiver == receiver]:
                try:
                    self._take(letter)
                except DocumentRefused as refusal:
                    if ExceptionCause(refusal.cause) in MAY_COME:
                        continue
                    self._refuse(letter, refusal)
                self.held.remove(letter)
                moved = True
        return len(self.held) < before

    def _take(self, letter: Letter) -> None:
        case = self.copies.get(letter.receiver)
        outcome = engine.receive(
            case,
            self.definition,
            letter.document,
            case_id=_number(letter.receiver),
            own=letter.receiver,
            now=self.now,
        )
        if case is not None:
            assert outcome.case.revision == case.revision + (1 if outcome.changed else 0)
        self.keep(outcome, what=f"takes {letter.text}" + ("" if outcome.changed else " (no change)"))

    def _refuse(self, letter: Letter, refusal: DocumentRefused) -> None:
        """Keep a dead letter and report it, as a node does; a repeat of what was taken or refused says nothing new."""
        self.log.append(f"{letter.receiver}: REFUSES {letter.text}: {refusal.cause} {refusal.message}")
        self.dead.append(DeadLetter(letter, ExceptionCause(refusal.cause), refusal.message))
        case = self.copies.get(letter.receiver)
        rule = self.definition.rule_with(CaseEffect.MARK_DELIVERY)
        if rule is None or letter.document.type == rule.sed:
            return
        if case is None:
            self._mark(letter)  # without a case the node reports outside of it
            return
        try:
            outcome = engine.report_exception(
                case,
                self.definition,
                document_id=self.new_id(),
                receiver=letter.document.sender,
                about=letter.document.document_id,
                about_version=letter.document.version,
                now=self.now,
                actor=CLERK,
            )
        except CaseError:
            self._mark(letter)
            return
        self.keep(outcome, what=f"reports {letter.text}")

    def _mark(self, letter: Letter) -> None:
        sender = letter.document.sender
        self.failed.append(letter)
        if letter.document.author is not None or sender not in self.copies:
            return  # handed over: the author's copy is not ours to mark
        self.copies[sender] = engine.record_delivery(
            self.copies[sender],
            _message_id(letter.document.document_id, letter.document.version, letter.receiver),
            DeliveryStatus.ERROR,
            at=self.now,
            detail="refused",
        )


def failed_for(document: Document, version: int, receiver: InstitutionId) -> bool:
    """Return whether the sender's copy says that a version did not get through."""
    return any(
        delivery.receiver == receiver and delivery.status is DeliveryStatus.ERROR
        for each in document.versions
        if each.number == version
        for delivery in each.deliveries
    )


def sent_versions(document: Document) -> Iterator[tuple[int, tuple[InstitutionId, ...]]]:
    """Return the versions that were sent, with their receivers, oldest first."""
    for version in document.versions:
        if version.sent_at is not None:
            yield version.number, tuple(delivery.receiver for delivery in version.deliveries)


def _listed(case: Case, document: Document, effect: SendDocument) -> tuple[Participant, ...]:
    """Whom the envelope lists: sender and receivers; for who comes into the case, everybody."""
    if document.change is not None and document.change.joins is not None:
        return case.participants
    named = (case.own, *effect.receivers)
    return tuple(replace(p, joined=False, follows=None) for p in case.participants if p.institution in named)


def _number(institution: InstitutionId) -> CaseId:
    return CaseId(str(int.from_bytes(institution.encode(), "big") % 10**9 + 1))


def _message_id(document: DocumentId, version: int, receiver: InstitutionId) -> MessageId:
    return MessageId(f"{document}.{version}.{receiver.replace(':', '-')}@line.example")
