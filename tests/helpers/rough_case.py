"""Two to five institutions that act at random, legally and not, over a bad line; and what must hold all the same."""

from collections.abc import Callable
from datetime import timedelta
from functools import cache
from random import Random
from typing import Any

from tests.helpers.attached import a_file
from tests.helpers.crossings import Crossings
from tests.helpers.processes import CLERK, STRANGER
from tests.helpers.table_oracle import TableOracle, Wanted

from eessi_sim.buc import engine
from eessi_sim.buc.actions import Action, Operation
from eessi_sim.buc.administration import CaseEffect
from eessi_sim.buc.case import Case, CaseAction, CaseRole, Document, ParticipantChange, Statement
from eessi_sim.buc.definition import BucDefinition
from eessi_sim.buc.effects import Outcome
from eessi_sim.buc.engine import IncomingDocument
from eessi_sim.buc.loader import Definitions
from eessi_sim.errors import ActionNotAvailable, CaseError, DocumentRefused
from eessi_sim.identifiers import InstitutionId, InternationalId, SedType

_PLACES = ("PL:ONE01", "NO:TWO02", "DE:THR03", "IT:FOU04", "FR:FIV05")
_MOST = 5
_READING = {Operation.READ, Operation.READ_PARTICIPANTS}
_SENDING = {Operation.SEND, Operation.SEND_PARTICIPANTS}
_RARE = {
    Operation.LOCAL_CLOSE,
    Operation.LOCAL_REOPEN,
    Operation.ARCHIVE_CASE,
    Operation.RESTORE_CASE,
    Operation.DELETE_CASE,
    Operation.UPDATE_PARTICIPANTS,
    Operation.DELETE,
}
_WHOLE: dict[Operation, Callable[..., Outcome]] = {
    Operation.LOCAL_CLOSE: engine.local_close,
    Operation.LOCAL_REOPEN: engine.local_reopen,
    Operation.ARCHIVE_CASE: engine.archive,
    Operation.RESTORE_CASE: engine.restore,
    Operation.DELETE_CASE: engine.remove_case,
}


class RoughCase:
    """One case of a process, played by dice.

    Args:
        definition: the table of the process.
        dice: decides everything.
        fails: whether messages may be lost for good.
    """

    def __init__(self, definition: BucDefinition, dice: Random, *, fails: bool) -> None:
        count = 2 if definition.is_bilateral else dice.randint(2, 4)
        self.definition = definition
        self.oracle = _oracle(definition.buc)
        self.line = Crossings(definition, tuple(InstitutionId(each) for each in _PLACES[:count]))
        self._fails = fails
        self._files = 0
        self.executed = 0

    @property
    def copies(self) -> dict[InstitutionId, Case]:
        """The copies of the case, by institution."""
        return self.line.copies

    def act(self, dice: Random) -> None:
        """Take one of the offered actions; whatever is offered works, and the table allows it."""
        case = self._pick(dice)
        actions = [
            action
            for action in engine.available_actions(case, self.definition, self.line.now)
            if action.operation not in _READING and (action.operation not in _RARE or dice.random() < 0.1)
        ]
        sends = [action for action in actions if action.operation in _SENDING]
        actions = sends if sends and dice.random() < 0.7 else actions
        if not actions:
            return
        action = dice.choice(actions)
        rule = self.definition.administrative.get(action.sed) if action.sed else None
        if action.operation is Operation.CREATE and rule is not None and dice.random() < 0.6:
            return  # fewer administrative SEDs, more business
        try:
            outcome = self._do(case, action, dice)
        except CaseError:
            if _may_fail(case, self.definition, action):
                return
            raise
        self._check(case, action)
        self.executed += 1
        self.line.keep(outcome, what=f"{action.text} {_short(outcome.document)}")

    def try_anything(self, dice: Random) -> None:
        """Try something at random; unless it is offered it is refused by name."""
        case = self._pick(dice)
        sed = dice.choice(_types(self.definition.buc))
        parent = dice.choice([None, *case.documents])
        possible = engine.available_actions(case, self.definition, self.line.now)
        try:
            outcome = engine.create(
                case,
                self.definition,
                sed,
                document_id=self.line.new_id(),
                parent_id=parent.id if parent else None,
                says=self._says(case, sed, dice),
                now=self.line.now,
                actor=CLERK,
            )
        except ActionNotAvailable:
            offered = {
                (action.sed, action.parent_id) for action in possible if action.operation is Operation.CREATE
            }
            assert (sed, parent.id if parent else None) not in offered, (self.line.log, sed)
            return
        except CaseError:
            return
        made = outcome.document
        assert made is not None
        reason = self.oracle.forbids(case, Wanted(sed, case.find(made.parent_id), self.line.now))
        assert reason is None, (self.line.log, sed, reason)
        self.line.keep(outcome, what=f"tries {sed}")

    def touch_anything(self, dice: Random) -> None:
        """Send, save or delete any document, or change the case; unless it is offered it is refused by name."""
        case = self._pick(dice)
        by: dict[str, Any] = {"now": self.line.now, "actor": CLERK}
        possible = engine.available_actions(case, self.definition, self.line.now)
        operation = dice.choice([*_WHOLE, Operation.SEND, Operation.UPDATE, Operation.DELETE])
        document = dice.choice(case.documents) if case.documents else None
        kinds = {operation} if operation is not Operation.SEND else _SENDING
        on_case = operation in _WHOLE
        offered = any(
            action.operation in kinds and (on_case or (document and action.document_id == document.id))
            for action in possible
        )
        if offered or (document is None and not on_case):
            return
        try:
            if on_case:
                _WHOLE[operation](case, self.definition, **by)
            else:
                assert document is not None
                change = {Operation.UPDATE: engine.update, Operation.DELETE: engine.delete}.get(
                    operation, engine.send
                )
                change(case, self.definition, document.id, **by)
        except ActionNotAvailable:
            return
        raise AssertionError(f"Expected {operation} to be refused, it was done: {self.line.log}")

    def deliver(self, dice: Random) -> None:
        """Let any message arrive, some twice."""
        if self.line.wire:
            self.line.deliver(dice.randrange(len(self.line.wire)), twice=dice.random() < 0.2)

    def lose(self, dice: Random) -> None:
        """Lose a message for good; its sender is told."""
        if self.line.wire and self._fails:
            self.line.lose(dice.randrange(len(self.line.wire)), for_good=True)

    def forge(self, dice: Random) -> None:
        """Let a document arrive that no table lets its sender send; it is refused by name."""
        case = self._pick(dice)
        sender = dice.choice(case.participants)
        role = sender.role
        kind = dice.randrange(4)
        sed = dice.choice(_types(self.definition.buc))
        institution = STRANGER if kind == 0 else sender.institution
        if kind == 1:
            role = CaseRole.COUNTERPARTY if role is CaseRole.CASE_OWNER else CaseRole.CASE_OWNER
        if kind == 2:
            sed = SedType("Z999")
        rule = self.definition.administrative.get(sed)
        if rule is not None and rule.effect in (CaseEffect.REPLACE_PARTICIPANT, CaseEffect.MARK_DELIVERY):
            return
        document = IncomingDocument(
            type=sed,
            document_id=self.line.new_id(),
            version=1,
            international_id=InternationalId("f" * 32) if kind == 3 else case.international_id,
            cdm=self.definition.cdm,
            sender=institution,
            sender_role=role,
            case_action=CaseAction.NEW,
            facts=(),
        )
        try:
            engine.receive(case, self.definition, document, case_id=case.id, own=case.own, now=self.line.now)
        except DocumentRefused:
            return
        raise AssertionError(f"Expected {sed} from {institution} to be refused: {self.line.log}")

    def wait(self, dice: Random) -> None:
        """Let time pass."""
        self.line.now += timedelta(days=dice.choice([1, 29, 30, 60]))

    def step(self, dice: Random) -> None:
        """One random step."""
        moves = (
            self.act,
            self.deliver,
            self.try_anything,
            self.touch_anything,
            self.forge,
            self.lose,
            self.wait,
        )
        dice.choices(moves, weights=(40, 35, 5, 3, 3, 3, 4))[0](dice)

    def _pick(self, dice: Random) -> Case:
        return dice.choice(list(self.copies.values()))

    def _check(self, case: Case, action: Action) -> None:
        if action.operation is Operation.CREATE:
            assert action.sed is not None
            reason = self.oracle.forbids(case, Wanted(action.sed, case.find(action.parent_id), self.line.now))
            assert reason is None, (self.line.log, action.text, reason)

    def _do(self, case: Case, action: Action, dice: Random) -> Outcome:
        by: dict[str, Any] = {"now": self.line.now, "actor": CLERK}
        if action.operation in _WHOLE:
            return _WHOLE[action.operation](case, self.definition, **by)
        if action.operation in (Operation.SELECT_PARTICIPANTS, Operation.UPDATE_PARTICIPANTS):
            return engine.set_participants(case, self.definition, case.counterparties, **by)
        if action.operation is Operation.CREATE:
            assert action.sed is not None
            return engine.create(
                case,
                self.definition,
                action.sed,
                document_id=self.line.new_id(),
                parent_id=action.parent_id,
                says=self._says(case, action.sed, dice),
                **by,
            )
        assert action.document_id is not None
        if action.operation in _SENDING:
            return engine.send(
                case, self.definition, action.document_id, receivers=self._receivers(case, action, dice), **by
            )
        if action.operation is Operation.ADD_ATTACHMENT:
            self._files += 1
            return engine.attach(case, self.definition, action.document_id, a_file(self._files), **by)
        if action.operation is Operation.REMOVE_ATTACHMENT:
            file = dice.choice(case.get(action.document_id).attachments)
            return engine.detach(case, self.definition, action.document_id, file.id, **by)
        change = engine.update if action.operation is Operation.UPDATE else engine.delete
        return change(case, self.definition, action.document_id, **by)

    def _receivers(self, case: Case, action: Action, dice: Random) -> tuple[InstitutionId, ...] | None:
        if action.operation is not Operation.SEND_PARTICIPANTS or dice.random() < 0.5:
            return None
        assert action.sed is not None
        parent = action.parent_id is not None
        step = self.definition.tables[case.role].step_for(action.sed, reply=parent)
        assert step is not None
        possible = [p.institution for p in case.others if p.role in step.to]
        return tuple(dice.sample(possible, dice.randint(1, len(possible)))) if possible else None

    def _says(self, case: Case, sed: SedType, dice: Random) -> Statement:
        rule = self.definition.administrative.get(sed)
        if rule is None:
            return Statement()
        free = [each for each in _PLACES[:_MOST] if case.find_participant(InstitutionId(each)) is None]
        joins = InstitutionId(dice.choice(free)) if free else None
        others = [p for p in case.counterparties if p != case.own]
        leaves = case.own if case.role is CaseRole.COUNTERPARTY or not others else dice.choice(others)
        change = {
            CaseEffect.ADD_PARTICIPANT: ParticipantChange(joins=joins),
            CaseEffect.REMOVE_PARTICIPANT: ParticipantChange(leaves=leaves),
            CaseEffect.FORWARD_CASE: ParticipantChange(joins=joins),
        }.get(rule.effect)
        return Statement((rule.facts if dice.random() < 0.7 else ()) if rule.facts else None, change)


def _may_fail(case: Case, definition: BucDefinition, action: Action) -> bool:
    """An offered X-SED about the participants fails when its content asks what cannot be; so does sending to nobody."""
    rule = definition.administrative.get(action.sed) if action.sed else None
    gone = any(not participant.active for participant in case.participants)
    content = rule is not None and (
        rule.effect in {CaseEffect.ADD_PARTICIPANT, CaseEffect.REMOVE_PARTICIPANT, CaseEffect.FORWARD_CASE}
        or bool(rule.facts)
    )
    return content or gone


@cache
def _oracle(buc: str) -> TableOracle:
    return TableOracle(buc)


@cache
def _types(buc: str) -> list[SedType]:
    definition = Definitions.default().get(buc)
    return [*definition.seds()[:30], *definition.administrative, SedType("A003"), SedType("Z999")]


def _short(document: Document | None) -> str:
    return f"{document.id[-3:]} v{document.version}" if document else ""
