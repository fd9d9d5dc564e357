"""One institution as one object: a method per use case, its queues, start and stop."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from eessi_sim.as4.exchange import InboundState
from eessi_sim.attachments import NewFile
from eessi_sim.buc import engine
from eessi_sim.buc.actions import Action
from eessi_sim.buc.administration import CaseEffect
from eessi_sim.buc.case import Actor, ActorKind, Case, Statement
from eessi_sim.buc.effects import Outcome, SendDocument
from eessi_sim.errors import CaseError, CaseNotFound, DefinitionError, RoutingError, SedError, UnknownSedType
from eessi_sim.gateway.inbox import Inbox
from eessi_sim.gateway.outbox import Outbox
from eessi_sim.gateway.worker import Worker
from eessi_sim.identifiers import (
    AttachmentId,
    BucType,
    CaseId,
    CdmVersion,
    DocumentId,
    InstitutionId,
    InternationalId,
    SedType,
)
from eessi_sim.institution import answering, content
from eessi_sim.institution.delivery import Deliveries
from eessi_sim.institution.dispatch import Dispatch, check_document, check_receivers, dispatch, require_seds
from eessi_sim.institution.enclosing import attached, check_files
from eessi_sim.institution.office import Office
from eessi_sim.institution.receiving import ANSWER_DUE, NotFiled, Receiving
from eessi_sim.institution.terminal import Terminal
from eessi_sim.storage.base import Claim, Direction, StoredMessage, UnitOfWork
from eessi_sim.transport.base import Request, Response
from eessi_sim.xmlsafe import Element

_WAITING: Final = (InboundState.RECEIVED, InboundState.PROCESSING, ANSWER_DUE)
_LEASE: Final = timedelta(minutes=2)
_IMPOSSIBLE: Final = (CaseError, DefinitionError, RoutingError, SedError)
"""Why something that a node wants to send by itself cannot be sent."""
SYSTEM: Final = Actor(ActorKind.SYSTEM, "node")


@dataclass(frozen=True, slots=True)
class _Order:
    """A document that shall be sent; see ``InstitutionNode.send_document``."""

    case_id: str
    sed: SedType
    actor: Actor
    root: Element | None = None
    parent_id: DocumentId | None = None
    receivers: tuple[InstitutionId, ...] | None = None
    files: tuple[NewFile, ...] = ()


class InstitutionNode:
    """An institution that opens cases, sends and receives documents and answers by its rules.

    Args:
        office: its identity, definitions, habits and seams.
    """

    def __init__(self, office: Office) -> None:
        self._office = office
        station = office.station
        deliveries = Deliveries(station, office.locks)
        self._receiving = Receiving(office)
        self._filing = Worker(f"filing {station.party}", station.clock, self)
        self._outbox = Worker(f"outbox {station.party}", station.clock, Outbox(station, deliveries))
        self._inbox = Inbox(station, Terminal(station, deliveries, self._filing, self._outbox))

    @property
    def office(self) -> Office:
        """Identity, definitions, habits and seams."""
        return self._office

    @property
    def busy(self) -> bool:
        """Whether something is under way."""
        return self._outbox.busy or self._filing.busy

    async def handle(self, request: Request) -> Response:
        """Answer one AS4 request."""
        return await self._inbox.handle(request)

    async def start(self) -> None:
        """Take up what an earlier run left and begin to work."""
        await self._office.station.store.release()
        self._filing.start()
        self._outbox.start()

    async def stop(self) -> None:
        """Finish what is under way and stop; the rest waits in the store."""
        await self._filing.stop(drain=True)
        await self._outbox.stop(drain=True)

    # Use cases.

    async def open_case(
        self,
        buc: BucType,
        counterparties: Sequence[InstitutionId],
        *,
        cdm: CdmVersion | None = None,
        actor: Actor = SYSTEM,
    ) -> Case:
        """Open a case as its owner; nothing is sent yet.

        Args:
            buc: the process.
            counterparties: the others.
            cdm: version of the data model; the usual one when None.
            actor: who opens it.

        Raises:
            DefinitionError: the process is unknown.
            NotCompetent: this institution or a counterparty is not competent for it in its role.
            UnknownReceiver: the directory does not list a counterparty.
            CaseError: the process does not allow so many counterparties.
            UnknownSedType: the data model in use does not define all SEDs of the process, or nothing in this version.
        """
        station = self._office.station
        now = station.clock.now()
        self._require_version(cdm)
        definition = self._office.library.processes.get(buc)
        require_seds(self._office, definition)
        station.directory.current.require_competent(station.party, buc, "CaseOwner", at=now)
        for counterparty in counterparties:
            station.directory.current.require_competent(counterparty, buc, "Counterparty", at=now)
        case = engine.open_case(
            definition,
            case_id=CaseId(station.ids.number()),
            international_id=InternationalId(station.ids.hex32()),
            cdm=cdm or self._office.cdm,
            own=station.party,
            counterparties=tuple(counterparties),
            now=now,
            actor=actor,
        )
        work = UnitOfWork()
        work.save_case(case, None)
        work.journal(station.note("case-opened", "ok", case_id=case.id, buc=buc))
        await station.store.commit(work)
        return case

    def _require_version(self, cdm: CdmVersion | None) -> None:
        versions: Sequence[str] = self._office.library.catalogue.versions()
        if cdm is not None and cdm not in versions:
            raise UnknownSedType(
                f"Expected a version of the data model that is defined, found {cdm}",
                hint=f"Known here: {', '.join(versions)}.",
            )

    def case(self, case_id: str) -> Case:
        """Return a case.

        Raises:
            CaseNotFound: this institution has no such case.
        """
        case = self._office.station.store.find_case(case_id)
        if case is None:
            raise CaseNotFound(
                f'Expected a case of {self._office.station.party}, found "{case_id}"',
                hint="List the cases; each institution has its own case ids.",
            )
        return case

    def available_actions(self, case_id: str) -> tuple[Action, ...]:
        """Return what can be done with the case now."""
        case = self.case(case_id)
        definition = self._office.library.processes.get(case.buc)
        return engine.available_actions(case, definition, self._office.station.clock.now())

    def compose(self, case_id: str, sed: SedType, *, parent_id: DocumentId | None = None) -> Element:
        """Return content for a new document of the case: the template, filled from what was exchanged."""
        case = self.case(case_id)
        facts = content.facts_about(self._office, case, case.find(parent_id))
        return content.compose(self._office, sed, case, facts)

    async def send_document(
        self,
        case_id: str,
        sed: SedType,
        *,
        root: Element | None = None,
        parent_id: DocumentId | None = None,
        receivers: tuple[InstitutionId, ...] | None = None,
        files: Sequence[NewFile] = (),
        actor: Actor = SYSTEM,
    ) -> Case:
        """Create a document in a case and send it, in one transaction.

        Args:
            case_id: case of this institution.
            sed: type of the document.
            root: its content; composed from the case when None.
            parent_id: for a reply or an X-SED, the document it is about.
            receivers: those of the process table when None.
            files: what to attach to it.
            actor: who decided.

        Raises:
            ActionNotAvailable: the process does not allow it now; says what it allows.
            SedInvalid: the content has errors; nothing was sent.
            UnknownReceiver, NotCompetent: a receiver may not get it.
            AttachmentError: a file may not be attached; says why.
        """
        order = _Order(
            case_id, sed, actor, root=root, parent_id=parent_id, receivers=receivers, files=tuple(files)
        )
        return await self._send(order, UnitOfWork())

    async def change_files(
        self,
        case_id: str,
        document_id: DocumentId,
        *,
        add: Sequence[NewFile] = (),
        remove: Sequence[AttachmentId] = (),
        actor: Actor = SYSTEM,
    ) -> Case:
        """Send a document once more, as its next version with other files, in one transaction.

        Args:
            case_id: case of this institution.
            document_id: a document that it has sent.
            add: files to attach.
            remove: attachments that no longer belong to it.
            actor: who decided.

        Raises:
            DocumentNotFound, AttachmentNotFound: the case has no such document, or it no such file.
            AttachmentError: a file may not be attached; says why.
            ActionNotAvailable: the process does not allow it now.
        """
        office = self._office
        check_files(office.station, add)
        async with office.locks.of(self.case(case_id).international_id):
            case = self.case(case_id)
            definition = office.library.processes.get(case.buc)
            now = office.station.clock.now()
            changed = case
            for attachment_id in remove:
                changed = engine.detach(
                    changed, definition, document_id, attachment_id, now=now, actor=actor
                ).case
            changed = attached(office.station, changed, definition, document_id, add, now=now, actor=actor)
            sent = engine.send(changed, definition, document_id, now=now, actor=actor)
            root = content.as_sent(office, case_id, document_id)
            return await self._commit(case, sent, root, UnitOfWork(), tuple(add))

    async def close_case(self, case_id: str, *, actor: Actor = SYSTEM) -> Case:
        """Close this institution's copy of a case; nobody is told.

        Raises:
            ActionNotAvailable: the process closes by X001 only, or the case is not running.
        """
        office = self._office
        async with office.locks.of(self.case(case_id).international_id):
            case = self.case(case_id)
            outcome = engine.local_close(
                case, office.library.processes.get(case.buc), now=office.station.clock.now(), actor=actor
            )
            work = UnitOfWork()
            work.save_case(outcome.case, case.revision)
            work.journal(office.station.note("case-closed", "local", case_id=case.id))
            await office.station.store.commit(work)
            return outcome.case

    async def _send(self, order: _Order, work: UnitOfWork) -> Case:
        """Do what ``send_document`` says, in one transaction with what is in ``work`` already."""
        office, sed, actor = self._office, order.sed, order.actor
        check_files(office.station, order.files)
        async with office.locks.of(self.case(order.case_id).international_id):
            case = self.case(order.case_id)
            definition = office.library.processes.get(case.buc)
            now = office.station.clock.now()
            document_id = DocumentId(office.station.ids.hex32())
            root, says = order.root, Statement()
            if definition.says_something(sed):
                root = root if root is not None else self.compose(case.id, sed, parent_id=order.parent_id)
                says = content.statement_of(definition, sed, root)
            created = engine.create(
                case,
                definition,
                sed,
                document_id=document_id,
                now=now,
                actor=actor,
                parent_id=order.parent_id,
                says=says,
            )
            whole = attached(
                office.station, created.case, definition, document_id, order.files, now=now, actor=actor
            )
            sent = engine.send(
                whole, definition, document_id, receivers=order.receivers, now=now, actor=actor
            )
            if root is None:
                root = self.compose(case.id, sed, parent_id=order.parent_id)
            return await self._commit(case, sent, root, work, order.files)

    async def _commit(
        self,
        before: Case,
        outcome: Outcome,
        root: Element,
        work: UnitOfWork,
        files: tuple[NewFile, ...] = (),
    ) -> Case:
        """Store a step, what it sends and what is in ``work`` already; the caller holds the lock of the case."""
        office = self._office
        case = outcome.case
        contents = {file.content.digest: file.content for file in files}
        for content_of_file in contents.values():
            work.save_content(content_of_file)
        for effect in outcome.effects:
            if isinstance(effect, SendDocument):
                check_document(office, case, effect, root)
                check_receivers(office, case, effect, office.station.clock.now())
                case = dispatch(office, Dispatch(case, effect, root, contents), work)
        work.save_case(case, before.revision)
        await office.station.store.commit(work)
        self._outbox.wake()
        return case

    # What the filing worker works off.

    async def claim(self, limit: int) -> Sequence[StoredMessage]:
        """Take messages that were received and not yet filed, or whose answer is due."""
        return await self._office.station.store.claim(
            Claim(
                direction=Direction.IN,
                states=_WAITING,
                claimed_state=InboundState.PROCESSING,
                now=self._office.station.clock.now(),
                lease=_LEASE,
                limit=limit,
            )
        )

    def next_due(self) -> datetime | None:
        """Return when the next one can be taken."""
        return self._office.station.store.next_due(Direction.IN, _WAITING)

    async def process(self, message: StoredMessage) -> None:
        """File one message, or give the answer that is due for it."""
        if message.details.get("answer") == "due":
            await self._answer(message)
            return
        refusal = await self._receiving.file(message)
        if refusal is not None:
            await self._report(refusal)

    async def failed(self, message: StoredMessage, fault: Exception) -> None:
        """Keep a message that our own code cannot file as a dead letter."""
        work = UnitOfWork()
        reason = f"internal: {type(fault).__name__}"
        work.update_message(
            Direction.IN, message.message_id, state=InboundState.DEAD_LETTERED, last_error=reason
        )
        work.journal(
            self._office.station.note("filed", "failed", message_id=message.message_id, reason=reason)
        )
        await self._office.station.store.commit(work)

    async def _answer(self, message: StoredMessage) -> None:
        """Send what the rule says, one document after the other.

        How far it came is stored together with each document, so that a crash in between neither loses nor
        doubles one.
        """
        case_id, document_id = message.details["case_id"], DocumentId(message.details["document"])
        document = self.case(case_id).get(document_id)
        rule = answering.rule_for(self._office.behaviours, document.type)
        steps = answering.steps_of(rule) if rule else ()
        done = int(message.details.get("answered", "0"))
        for number, (sed, is_reply) in enumerate(steps[done:], start=done + 1):
            assert rule is not None  # it has steps
            parent_id = document_id if is_reply else None
            order = _Order(case_id, sed, answering.actor_of(rule, document), parent_id=parent_id)
            work = UnitOfWork()
            work.update_message(Direction.IN, message.message_id, details={"answered": str(number)})
            await self._send_if_possible(order, work)
        work = UnitOfWork()
        work.update_message(
            Direction.IN, message.message_id, state=InboundState.DELIVERED, details={"answer": "given"}
        )
        await self._office.station.store.commit(work)

    async def _send_if_possible(self, order: _Order, work: UnitOfWork) -> None:
        """Send; what is not possible, or no longer, is left out and noted."""
        station = self._office.station
        try:
            await self._send(order, work)
        except _IMPOSSIBLE as error:
            work.journal(
                station.note("answer", "left-out", case_id=order.case_id, sed=order.sed, reason=error.message)
            )
            await station.store.commit(work)

    async def _report(self, refusal: NotFiled) -> None:
        """Store a refusal, and in the same transaction the X050 to the sender when we share a case with it.

        Never an X050 about an X050: two nodes that refuse each other's would go on for ever. Nor one to a stranger,
        who would learn that there is such a case.
        """
        office, sender = self._office, InstitutionId(refusal.message.sender)
        if refusal.case is None or refusal.case.find_participant(sender) is None:
            await office.station.store.commit(refusal.work)
            return
        process = office.library.processes.get(refusal.case.buc)
        exception = process.rule_with(CaseEffect.MARK_DELIVERY)
        if exception is None or refusal.facts["target_sed"] == exception.sed:
            await office.station.store.commit(refusal.work)
            return
        async with office.locks.of(refusal.case.international_id):
            case = self.case(refusal.case.id)
            try:
                outcome = engine.report_exception(
                    case,
                    process,
                    document_id=DocumentId(office.station.ids.hex32()),
                    receiver=sender,
                    about=refusal.document_id,
                    now=office.station.clock.now(),
                    actor=SYSTEM,
                )
                root = content.compose(office, exception.sed, case, self._facts_of(refusal, case))
                await self._commit(case, outcome, root, refusal.work)
            except _IMPOSSIBLE as error:
                note = office.station.note("report", "left-out", case_id=case.id, reason=error.message)
                refusal.work.journal(note)
                await office.station.store.commit(refusal.work)

    def _facts_of(self, refusal: NotFiled, case: Case) -> dict[str, str]:
        """Return what the X050 about a refused document says."""
        return {
            **content.facts_about(self._office, case, case.find(refusal.document_id)),
            **refusal.facts,
            **content.exception_facts(refusal.cause, refusal.sentence),
        }
