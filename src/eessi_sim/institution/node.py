"""One institution as one object: a method per use case, its queues, start and stop."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from eessi_sim.as4.exchange import InboundState
from eessi_sim.attachments import NewFile
from eessi_sim.buc import engine
from eessi_sim.buc.actions import Action
from eessi_sim.buc.administration import CaseEffect
from eessi_sim.buc.case import Actor, ActorKind, Case, ParticipantChange
from eessi_sim.buc.definition import BucDefinition
from eessi_sim.buc.effects import Outcome, SendDocument
from eessi_sim.buc.suggestion import Suggestion
from eessi_sim.errors import UnknownSedType
from eessi_sim.gateway.inbox import Inbox
from eessi_sim.gateway.intake import take_received
from eessi_sim.gateway.outbox import Outbox
from eessi_sim.gateway.recall import recall
from eessi_sim.gateway.worker import Worker
from eessi_sim.identifiers import (
    BucType,
    CaseId,
    CdmVersion,
    DocumentId,
    InstitutionId,
    InternationalId,
    SedType,
)
from eessi_sim.institution import answering, caseless, content, desk, handing, rerouting
from eessi_sim.institution.casework import Casework, Draft, Move
from eessi_sim.institution.collecting import Collector, collects
from eessi_sim.institution.delivery import Deliveries
from eessi_sim.institution.dispatch import Dispatch, check_document, check_receivers, dispatch, require_seds
from eessi_sim.institution.habits import IMPOSSIBLE, Habits, Order
from eessi_sim.institution.office import Office
from eessi_sim.institution.overtaken import again_when_overtaken
from eessi_sim.institution.receiving import ANSWER_DUE, NotFiled, Receiving
from eessi_sim.institution.reminding import Reminders
from eessi_sim.institution.rerouting import Replacement
from eessi_sim.institution.terminal import Terminal
from eessi_sim.storage.base import Direction, StoredMessage, UnitOfWork
from eessi_sim.synchronisation.desk import SYSTEM_TYPE
from eessi_sim.synchronisation.synchroniser import Synchroniser
from eessi_sim.transport.base import Request, Response
from eessi_sim.xmlsafe import Element

_HELD: Final = (InboundState.RECEIVED, InboundState.PROCESSING)
_WAITING: Final = (*_HELD, ANSWER_DUE)
SYSTEM: Final = Actor(ActorKind.SYSTEM, "node")


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
        self._casework = Casework(office, self._commit)
        self._filing = Worker(f"filing {station.party}", station.clock, self)
        self._outbox = Worker(f"outbox {station.party}", station.clock, Outbox(station, deliveries))
        self._habits = Habits(office, self._send)
        self._reminders = Reminders(office, self._habits.remind)
        self._watch = Worker(f"reminders {station.party}", station.clock, self._reminders)
        self._inbox = Inbox(station, Terminal(station, deliveries, self._filing, self._outbox))
        self.synchroniser = Synchroniser(station, office.library.holdings, self._outbox.wake)
        """Keeps the directory."""
        collector = Collector(station, self._inbox)
        self._collecting = Worker(f"collecting {station.party}", station.clock, collector)

    @property
    def office(self) -> Office:
        """Identity, definitions, habits and seams."""
        return self._office

    @property
    def busy(self) -> bool:
        """Whether something is under way."""
        return self._outbox.busy or self._filing.busy or self._watch.busy or self._collecting.busy

    @property
    def workers(self) -> dict[str, Worker]:
        """Who works its queues off, by what they do."""
        return {
            "outbox": self._outbox,
            "filing": self._filing,
            "reminders": self._watch,
            "collecting": self._collecting,
        }

    async def handle(self, request: Request) -> Response:
        """Answer one AS4 request."""
        return await self._inbox.handle(request)

    async def start(self) -> None:
        """Take up what an earlier run left and begin to work."""
        station = self._office.station
        await station.store.release(station.worker)
        await recall(station, _HELD)
        self._filing.start()
        self._outbox.start()
        if self._reminders.is_needed:
            await self._reminders.read_all()
            self._watch.start()
        if collects(station.directory.current, station.party, station.clock.now()):
            self._collecting.start()

    def wake(self) -> None:
        """Look for work: another process that plays this institution has written something."""
        self._filing.wake()
        self._outbox.wake()
        self._reminders.follow()
        self._watch.wake()

    async def stop(self) -> None:
        """Finish what is under way and stop; the rest waits in the store."""
        await self._collecting.stop(drain=True)
        await self._watch.stop(drain=True)
        await self._filing.stop(drain=True)
        await self._outbox.stop(drain=True)

    def take_up(self, message: StoredMessage) -> None:
        """Work on a message that was put back into its queue."""
        (self._filing if message.direction is Direction.IN else self._outbox).wake()

    # Use cases.

    @again_when_overtaken
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

    @property
    def casework(self) -> Casework:
        """Drafts, new versions, participants, and the life of a case as a whole."""
        return self._casework

    async def case(self, case_id: str) -> Case:
        """Return a case.

        Raises:
            CaseNotFound: this institution has no such case.
        """
        return await self._casework.case(case_id)

    async def available_actions(self, case_id: str) -> tuple[Action, ...]:
        """Return what can be done with the case now."""
        case = await self.case(case_id)
        definition = self._office.library.processes.get(case.buc)
        return engine.available_actions(case, definition, self._office.station.clock.now())

    async def compose(self, case_id: str, sed: SedType, *, parent_id: DocumentId | None = None) -> Element:
        """Return content for a new document of the case: the template, filled from what was exchanged."""
        return await self._casework.compose(await self.case(case_id), Draft(sed=sed, parent_id=parent_id))

    async def send_document(
        self,
        case_id: str,
        sed: SedType,
        *,
        root: Element | None = None,
        parent_id: DocumentId | None = None,
        receivers: tuple[InstitutionId, ...] | None = None,
        change: ParticipantChange | None = None,
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
            change: for an X-SED that is composed, who joins and who leaves.
            files: what to attach to it.
            actor: who decided.

        Raises:
            ActionNotAvailable: the process does not allow it now; says what it allows.
            SedInvalid: the content has errors; nothing was sent.
            UnknownReceiver, NotCompetent: a receiver may not get it.
            AttachmentError: a file may not be attached; says why.
        """
        order = Order(case_id, sed, actor, root, parent_id, receivers, change, files=tuple(files))
        return await self._send(order, UnitOfWork())

    async def announce_replacement(self, item: Replacement, *, actor: Actor = SYSTEM) -> None:
        """Tell, as a routing application, that one institution takes the place of another in a case of others.

        Args:
            item: which institution, in whose place, in which case.
            actor: who decided.

        Raises:
            NotCompetent: this institution is no routing application, or the new one may not take part.
            CaseError: who shall leave does not take part, or the new one does already.
        """
        work = UnitOfWork()
        await rerouting.announce(self._office, item, actor, work)
        await self._office.station.store.commit(work)
        self._outbox.wake()

    async def close_case(self, case_id: str, *, actor: Actor = SYSTEM) -> Case:
        """Close this institution's copy of a case; nobody is told.

        Raises:
            ActionNotAvailable: the process closes by X001 only, or the case is not running.
        """
        return await self._casework.move(case_id, Move.CLOSE, actor=actor)

    async def suggestions(self, case_id: str) -> tuple[Suggestion, ...]:
        """Return what rules suggest for a case and nobody has decided, as far as it is possible now."""
        return desk.still_possible(self._office, await self.case(case_id))

    async def accept_suggestion(
        self, case_id: str, suggestion_id: str, *, clerk: Actor, root: Element | None = None
    ) -> Case:
        """Send what a rule suggests; the case file names the clerk, the rule and its inputs.

        Args:
            case_id: case of this institution.
            suggestion_id: id of the suggestion.
            clerk: who accepts it.
            root: content that the clerk wrote; composed from the case when None.

        Raises:
            SuggestionGone: there is none of this id, or no longer.
            ActionNotAvailable, SedInvalid, UnknownReceiver, NotCompetent: as for ``send_document``.
        """
        case = await self.case(case_id)
        found = engine.find_suggestion(case, suggestion_id)
        work = UnitOfWork()
        desk.note_suggestion(self._office, work, case, found, "accepted")
        actor = answering.accepted(clerk, found)
        receivers = found.receivers or None
        order = Order(case_id, found.sed, actor, root, found.parent_id, receivers, suggestion=found.id)
        return await self._send(order, work)

    async def decline_suggestion(self, case_id: str, suggestion_id: str, *, clerk: Actor) -> Case:
        """Take a suggestion away for good; the reason is the one of the actor.

        Raises:
            SuggestionGone: there is none of this id, or no longer.
        """
        await self.case(case_id)
        return await desk.decline(self._office, case_id, suggestion_id, clerk)

    @again_when_overtaken
    async def _send(self, order: Order, work: UnitOfWork) -> Case:
        """Do what ``send_document`` says, in one transaction with what is in ``work`` already."""
        office, actor, work = self._office, order.actor, work.copy()
        draft = Draft(
            sed=order.sed,
            root=order.root,
            parent_id=order.parent_id,
            change=order.change,
            files=order.files,
        )
        for file in order.files:
            work.save_content(file.content)
        async with office.locks.of((await self.case(order.case_id)).international_id):
            case = await self.case(order.case_id)
            if order.wanted is not None and not order.wanted(case):
                return case
            if order.suggestion is not None:
                case = engine.take(case, order.suggestion)
            created, root = await self._casework.made(case, draft, actor)
            assert created.document is not None  # the engine names what it has made
            sent = engine.send(
                created.case,
                office.library.processes.get(case.buc),
                created.document.id,
                receivers=order.receivers,
                now=office.station.clock.now(),
                actor=actor,
            )
            return await self._commit(case, sent, root, work)

    async def _commit(self, before: Case, outcome: Outcome, root: Element | None, work: UnitOfWork) -> Case:
        """Store a step, what it sends and what is in ``work`` already; the caller holds the lock of the case.

        Args:
            before: the case before the step.
            outcome: the step.
            root: content of the document that is sent; None when the step sends none.
            work: further writes of the same transaction.
        """
        office = self._office
        case = outcome.case
        for effect in outcome.effects:
            if isinstance(effect, SendDocument) and effect.author is None:
                assert root is not None  # whoever sends has the content
                check_document(office, case, effect, root)
                check_receivers(office, case, effect, office.station.clock.now())
                case = await dispatch(office, Dispatch(case, effect, root), work)
        case = await handing.handed_over(office, replace(outcome, case=case), work)
        case = desk.cleared(office, case, work)
        work.save_case(case, before.revision)
        await office.station.store.commit(work)
        self._outbox.wake()
        self._reminders.note(case)
        self._watch.wake()
        return case

    # What the filing worker works off.

    async def claim(self, limit: int) -> Sequence[StoredMessage]:
        """Take messages that were received and not yet filed, or whose answer is due."""
        return await take_received(self._office.station, _WAITING, limit)

    async def next_due(self) -> datetime | None:
        """Return when the next one can be taken."""
        return await self._office.station.store.next_due(Direction.IN, _WAITING)

    async def process(self, message: StoredMessage) -> None:
        """File one message, or give the answer that is due for it."""
        if SYSTEM_TYPE in message.details:
            await self.synchroniser.process(message)
            return
        if message.details.get("answer") == "due":
            case_id, document_id = message.details["case_id"], DocumentId(message.details["document"])
            await self._habits.answer(message, case_id, (await self.case(case_id)).get(document_id))
            return
        refusal = await self._receiving.file(message)
        self._outbox.wake()  # what arrived may have made us hand the case over
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

    async def _report(self, refusal: NotFiled) -> None:
        """Store a refusal, and in the same transaction the X050 to the sender when we share a case with it.

        Never an X050 about an X050: two nodes that refuse each other's would go on for ever. Nor one to a stranger,
        who would learn that there is such a case.
        """
        office, sender = self._office, InstitutionId(refusal.message.sender)
        if refusal.case is None:
            await self._report_outside(refusal)
            return
        if refusal.case.find_participant(sender) is None:
            await office.station.store.commit(refusal.work)
            return
        process = office.library.processes.get(refusal.case.buc)
        exception = process.rule_with(CaseEffect.MARK_DELIVERY)
        if exception is None or refusal.facts["target_sed"] == exception.sed:
            await office.station.store.commit(refusal.work)
            return
        await self._report_in(refusal.case, refusal, process, exception.sed)

    @again_when_overtaken
    async def _report_in(self, known: Case, refusal: NotFiled, process: BucDefinition, sed: SedType) -> None:
        office, work = self._office, refusal.work.copy()
        async with office.locks.of(known.international_id):
            case = await self.case(known.id)
            try:
                outcome = engine.report_exception(
                    case,
                    process,
                    document_id=DocumentId(office.station.ids.hex32()),
                    receiver=InstitutionId(refusal.message.sender),
                    about=refusal.document_id,
                    about_version=int(refusal.facts["target_version"] or 0) or None,
                    now=office.station.clock.now(),
                    actor=SYSTEM,
                )
                root = await content.compose(office, sed, case, self._facts_of(refusal, case))
                await self._commit(case, outcome, root, work)
            except IMPOSSIBLE as error:
                work = refusal.work.copy()
                note = office.station.note("report", "left-out", case_id=case.id, reason=error.message)
                work.journal(note)
                await office.station.store.commit(work)

    async def _report_outside(self, refusal: NotFiled) -> None:
        """The same about a document of a case that we do not have; there is no copy that could keep the X050."""
        station = self._office.station
        try:
            await caseless.report(self._office, refusal)
        except IMPOSSIBLE as error:
            refusal.work.journal(station.note("report", "left-out", reason=error.message))
        await station.store.commit(refusal.work)
        self._outbox.wake()

    def _facts_of(self, refusal: NotFiled, case: Case) -> dict[str, str]:
        """Return what the X050 about a refused document says."""
        return {
            **content.facts_about(self._office, case, case.find(refusal.document_id)),
            **refusal.facts,
            **content.exception_facts(refusal.cause, refusal.sentence),
        }
