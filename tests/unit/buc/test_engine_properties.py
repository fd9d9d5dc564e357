"""The engine under random use: it moves legally or refuses by name, and both sides judge alike."""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from tests.helpers.attached import a_file
from tests.helpers.processes import CASE, CLERK, FIRST, NOW, OWNER, SECOND, STRANGER, document_id

from eessi_sim.buc import engine
from eessi_sim.buc.actions import Action, Operation
from eessi_sim.buc.administration import CHANGES_PARTICIPANTS, CaseEffect
from eessi_sim.buc.case import (
    Case,
    CaseAction,
    CaseRole,
    CaseStatus,
    EventKind,
    ParticipantChange,
    Statement,
    decode,
    encode,
)
from eessi_sim.buc.effects import Outcome, SendDocument
from eessi_sim.buc.engine import IncomingDocument
from eessi_sim.buc.loader import Definitions
from eessi_sim.errors import ActionNotAvailable, CaseError, DocumentRefused
from eessi_sim.identifiers import CaseId, InstitutionId, InternationalId, MessageId, SedType

_TABLES = Definitions.default().all()
_SEDS = sorted(
    {sed for table in _TABLES for sed in (*table.seds()[:20], *table.administrative)} | {SedType("Z999")}
)
_EXCEPTION = SedType("X050")
_IDS = st.integers(1, 40).map(document_id)
_INDEX = st.integers(0, 10_000)
_READING = {Operation.READ, Operation.READ_PARTICIPANTS}
_ARCHIVE = {Operation.ARCHIVE_CASE, Operation.RESTORE_CASE}
_WHOLE: dict[Operation, Callable[..., Outcome]] = {
    Operation.LOCAL_CLOSE: engine.local_close,
    Operation.LOCAL_REOPEN: engine.local_reopen,
    Operation.ARCHIVE_CASE: engine.archive,
    Operation.RESTORE_CASE: engine.restore,
    Operation.DELETE_CASE: engine.remove_case,
}
_CHOOSING = {Operation.SELECT_PARTICIPANTS, Operation.UPDATE_PARTICIPANTS}


class _Parties(RuleBasedStateMachine):
    """Two or three institutions with a copy of the case each."""

    def __init__(self) -> None:
        super().__init__()
        self.copies: dict[InstitutionId, Case] = {}
        self.now = NOW
        self.made = 100

    @initialize(index=_INDEX)
    def open(self, index: int) -> None:
        self.table = _TABLES[index % len(_TABLES)]
        self.everybody = (OWNER, FIRST) if self.table.is_bilateral else (OWNER, FIRST, SECOND)
        self.copies[OWNER] = engine.open_case(
            self.table,
            case_id=_number(OWNER),
            international_id=CASE,
            cdm=self.table.cdm,
            own=OWNER,
            counterparties=self.everybody[1:],
            now=self.now,
            actor=CLERK,
        )

    @rule(days=st.sampled_from([1, 29, 30, 59, 60]))
    def time_passes(self, days: int) -> None:
        self.now += timedelta(days=days)

    def pick(self, index: int) -> Case:
        return list(self.copies.values())[index % len(self.copies)]

    def new_id(self) -> Any:
        self.made += 1
        return document_id(self.made)

    def keep(self, before: Case, outcome: Outcome) -> None:
        after = outcome.case
        assert after.revision == before.revision + (1 if outcome.changed else 0)
        self.copies[after.own] = after
        for effect in outcome.effects:
            if isinstance(effect, SendDocument):
                self.message(after, effect)

    def message(self, case: Case, effect: SendDocument) -> None:
        raise NotImplementedError

    def arrive(self, receiver: InstitutionId, document: IncomingDocument) -> None:
        case = self.copies.get(receiver)
        outcome = engine.receive(
            case, self.table, document, case_id=_number(receiver), own=receiver, now=self.now
        )
        if case is None:
            self.copies[receiver] = outcome.case
        else:
            self.keep(case, outcome)

    def do(self, case: Case, action: Action) -> Outcome:
        by: dict[str, Any] = {"now": self.now, "actor": CLERK}
        if action.operation in _WHOLE:
            return _WHOLE[action.operation](case, self.table, **by)
        if action.operation in _CHOOSING:
            return engine.set_participants(case, self.table, self.everybody[1:], **by)
        if action.operation is Operation.CREATE:
            assert action.sed is not None
            return engine.create(
                case,
                self.table,
                action.sed,
                document_id=self.new_id(),
                parent_id=action.parent_id,
                says=self.statement(case, action.sed),
                **by,
            )
        assert action.document_id is not None
        if action.operation is Operation.ADD_ATTACHMENT:
            return engine.attach(case, self.table, action.document_id, a_file(1), **by)
        if action.operation is Operation.REMOVE_ATTACHMENT:
            gone = case.get(action.document_id).attachments[0].id
            return engine.detach(case, self.table, action.document_id, gone, **by)
        change = {Operation.UPDATE: engine.update, Operation.DELETE: engine.delete}.get(
            action.operation, engine.send
        )
        return change(case, self.table, action.document_id, **by)

    def statement(self, case: Case, sed: SedType) -> Statement:
        """What an X-SED says when nothing else is wanted: yes; a newcomer, the last counterparty."""
        rule = self.table.administrative.get(sed)
        if rule is None:
            return Statement()
        joins = InstitutionId(f"FR:NEW{self.made:03}")
        leaves = case.own if case.role is CaseRole.COUNTERPARTY else case.counterparties[-1]
        change = {
            CaseEffect.ADD_PARTICIPANT: ParticipantChange(joins=joins),
            CaseEffect.REMOVE_PARTICIPANT: ParticipantChange(leaves=leaves),
            CaseEffect.FORWARD_CASE: ParticipantChange(joins=joins),
        }.get(rule.effect)
        return Statement(rule.facts or None, change)

    @invariant()
    def cases_survive_storage(self) -> None:
        for case in self.copies.values():
            assert decode(encode(case)) == case

    @invariant()
    def nothing_outside_the_table_was_sent(self) -> None:
        for case in self.copies.values():
            for event in case.history:
                role = case.role_of(event.institution)
                if event.kind is EventKind.SENT and event.sed != _EXCEPTION:
                    assert role is not None
                    assert event.sed in self.table.tables[role].by_sed

    @invariant()
    def alternatives_never_stand_together(self) -> None:
        for case in self.copies.values():
            for group in self.table.alternatives:
                mine = [d for d in case.documents if d.type in group.seds and (d.stands or d.is_draft)]
                keys = {(d.sender, d.parent_id, d.type) for d in mine}
                assert len({key[:2] for key in keys}) == len(keys)


def _number(institution: InstitutionId) -> CaseId:
    """The number of the copy of an institution; each has its own."""
    return CaseId(str(int.from_bytes(institution.encode(), "big") % 10**9 + 1))


def _message(case: Case, effect: SendDocument, version: int | None = None) -> IncomingDocument:
    document = case.find(effect.document_id)
    return IncomingDocument(
        type=effect.sed,
        document_id=effect.document_id,
        version=version or effect.version,
        international_id=case.international_id,
        cdm=case.cdm,
        sender=case.own,
        sender_role=case.role,
        case_action=effect.case_action,
        participants=case.participants,
        receivers=document.receivers if document and effect.author else (),
        parent_id=effect.parent_id,
        facts=document.facts if document else None,
        change=document.change if document else None,
        author=effect.author,
    )


class Agreement(_Parties):
    """Every message is delivered at once: whatever a sender may do, no receiver refuses."""

    def message(self, case: Case, effect: SendDocument) -> None:
        for receiver in effect.receivers:
            self.arrive(receiver, _message(case, effect))

    @precondition(lambda self: self.copies)
    @rule(who=_INDEX, what=_INDEX, eager=st.booleans())
    def act(self, who: int, what: int, eager: bool) -> None:
        case = self.pick(who)
        actions = [
            action
            for action in engine.available_actions(case, self.table, self.now)
            if action.operation not in _READING | _ARCHIVE
        ]
        sends = [action for action in actions if action.operation.startswith("Send")]
        actions = sends if sends and eager else actions
        if actions:
            action = actions[what % len(actions)]
            rule = self.table.administrative.get(action.sed) if action.sed else None
            changes = rule is not None and rule.effect in CHANGES_PARTICIPANTS
            gone = any(not participant.active for participant in case.participants)
            with suppress(*[CaseError] * (changes or gone)):  # who should leave, or get it, has left
                self.keep(case, self.do(case, action))

    @precondition(lambda self: self.copies)
    @rule(who=_INDEX, what=_INDEX)
    def report(self, who: int, what: int) -> None:
        case = self.pick(who)
        received = [d for d in case.documents if case.now_at(d.sender) != case.own and d.type != _EXCEPTION]
        if received:
            document = received[what % len(received)]
            outcome = engine.report_exception(
                case,
                self.table,
                document_id=self.new_id(),
                receiver=case.now_at(document.sender),
                about=document.id,
                now=self.now,
                actor=CLERK,
            )
            self.keep(case, outcome)


class Disorder(_Parties):
    """Anybody tries anything, messages cross, come twice or were never sent: a move or a named refusal."""

    def __init__(self) -> None:
        super().__init__()
        self.wire: list[tuple[InstitutionId, IncomingDocument]] = []

    def message(self, case: Case, effect: SendDocument) -> None:
        self.wire += [(receiver, _message(case, effect)) for receiver in effect.receivers]

    @precondition(lambda self: self.copies)
    @rule(who=_INDEX, what=_INDEX)
    def act(self, who: int, what: int) -> None:
        case = self.pick(who)
        actions = [
            action
            for action in engine.available_actions(case, self.table, self.now)
            if action.operation not in _READING
        ]
        if actions:
            self.keep(case, self.do(case, actions[what % len(actions)]))

    @precondition(lambda self: self.copies)
    @rule(who=_INDEX, sed=st.sampled_from(_SEDS), new=_IDS, parent=st.none() | _IDS)
    def create_anything(self, who: int, sed: SedType, new: Any, parent: Any) -> None:
        case = self.pick(who)
        possible = {action.text for action in engine.available_actions(case, self.table, self.now)}
        with suppress(CaseError):
            outcome = engine.create(
                case, self.table, sed, document_id=new, parent_id=parent, now=self.now, actor=CLERK
            )
            assert f"Create {sed}" in possible
            self.keep(case, outcome)

    @precondition(lambda self: self.copies)
    @rule(who=_INDEX, operation=st.sampled_from([engine.update, engine.delete, engine.send]), which=_IDS)
    def touch_any_document(self, who: int, operation: Any, which: Any) -> None:
        case = self.pick(who)
        with suppress(CaseError):
            self.keep(case, operation(case, self.table, which, now=self.now, actor=CLERK))

    @precondition(lambda self: self.copies)
    @rule(who=_INDEX, change=st.sampled_from(sorted(_WHOLE)))
    def change_the_case(self, who: int, change: Operation) -> None:
        case = self.pick(who)
        with suppress(ActionNotAvailable):
            self.keep(case, _WHOLE[change](case, self.table, now=self.now, actor=CLERK))

    @precondition(lambda self: self.wire)
    @rule(index=_INDEX, twice=st.booleans())
    def deliver(self, index: int, twice: bool) -> None:
        receiver, document = self.wire[index % len(self.wire)]
        with suppress(DocumentRefused):
            self.arrive(receiver, document)
        if not twice:
            self.wire.remove((receiver, document))

    @precondition(lambda self: self.copies)
    @rule(
        receiver=st.sampled_from([OWNER, FIRST]),
        sed=st.sampled_from(_SEDS),
        which=_IDS,
        parent=st.none() | _IDS,
        sender=st.sampled_from([OWNER, FIRST, SECOND, STRANGER]),
        role=st.sampled_from(CaseRole),
        action=st.sampled_from(CaseAction),
        version=st.integers(1, 4),
        other_case=st.booleans(),
    )
    def deliver_anything(
        self, receiver: InstitutionId, sed: SedType, other_case: bool, **fields: Any
    ) -> None:
        document = IncomingDocument(
            type=sed,
            document_id=fields["which"],
            version=fields["version"],
            international_id=InternationalId("f" * 32) if other_case else CASE,
            cdm=self.table.cdm,
            sender=fields["sender"],
            sender_role=fields["role"],
            case_action=fields["action"],
            parent_id=fields["parent"],
        )
        with suppress(DocumentRefused):
            self.arrive(receiver, document)

    @precondition(lambda self: self.copies)
    @rule(who=_INDEX, which=_IDS, version=st.integers(0, 3))
    def record(self, who: int, which: Any, version: int) -> None:
        case = self.pick(who)
        with suppress(CaseError):
            self.copies[case.own] = engine.record_sent(
                case, which, version, {case.own: MessageId(f"{version}@node.example")}
            )

    @invariant()
    def removed_cases_offer_nothing(self) -> None:
        for case in self.copies.values():
            if case.status is CaseStatus.REMOVED:
                assert engine.actions(case, self.table, self.now) == ()


TestAgreement = Agreement.TestCase
TestAgreement.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestDisorder = Disorder.TestCase
TestDisorder.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
