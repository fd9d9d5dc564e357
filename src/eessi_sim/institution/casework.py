"""What a clerk does with a case beyond making and sending a document at once.

Drafts lie in the store unsealed, beside the documents that were exchanged; they are sealed when they are sent. Each
use case is one transaction under the lock of the case, done again when another process was faster.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from eessi_sim import xmlsafe
from eessi_sim.attachments import NewFile
from eessi_sim.buc import engine
from eessi_sim.buc.case import Actor, Case, Direction, Document, ParticipantChange, Statement
from eessi_sim.buc.definition import BucDefinition
from eessi_sim.buc.effects import Outcome
from eessi_sim.errors import CaseError, CaseNotFound
from eessi_sim.identifiers import AttachmentId, DocumentId, InstitutionId, SedType
from eessi_sim.institution import content
from eessi_sim.institution.enclosing import attached
from eessi_sim.institution.office import Office
from eessi_sim.institution.overtaken import again_when_overtaken
from eessi_sim.storage.base import Direction as Way
from eessi_sim.storage.base import StoredDocument, UnitOfWork
from eessi_sim.xmlsafe import Element

Commit = Callable[[Case, Outcome, Element | None, UnitOfWork], Awaitable[Case]]
"""Stores a step of a case and queues what it sends: the case before, the step, the content, further writes."""


class Move(StrEnum):
    """What may be done with a whole case at one institution; nobody else is told."""

    CLOSE = "close"
    REOPEN = "reopen"
    ARCHIVE = "archive"
    RESTORE = "restore"
    REMOVE = "remove"


_MOVES: Final[dict[Move, Callable[..., Outcome]]] = {
    Move.CLOSE: engine.local_close,
    Move.REOPEN: engine.local_reopen,
    Move.ARCHIVE: engine.archive,
    Move.RESTORE: engine.restore,
    Move.REMOVE: engine.remove_case,
}
_JOURNAL: Final = {
    Move.CLOSE: "case-closed",
    Move.REOPEN: "case-reopened",
    Move.ARCHIVE: "case-archived",
    Move.RESTORE: "case-restored",
    Move.REMOVE: "case-removed",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A document that shall be made."""

    sed: SedType
    root: Element | None = None
    """Its content; composed from the case when None."""
    parent_id: DocumentId | None = None
    """For a reply or an X-SED: the document it is about."""
    change: ParticipantChange | None = None
    """For an X-SED that is composed: who joins and who leaves."""
    files: tuple[NewFile, ...] = ()
    """What is attached to it."""


class Casework:
    """Use cases of one institution.

    Args:
        office: the institution.
        commit: stores a step and sends what it says.
    """

    def __init__(self, office: Office, commit: Commit) -> None:
        self._office = office
        self._commit = commit

    async def case(self, case_id: str) -> Case:
        """Return a case.

        Raises:
            CaseNotFound: this institution has no such case.
        """
        case = await self._office.station.store.find_case(case_id)
        if case is None:
            raise CaseNotFound(
                f'Expected a case of {self._office.station.party}, found "{case_id}"',
                hint="List the cases; each institution has its own case ids.",
            )
        return case

    @again_when_overtaken
    async def create_draft(self, case_id: str, draft: Draft, *, actor: Actor) -> Document:
        """Make a document and keep it; nothing is sent, and its content need not be valid yet.

        Args:
            case_id: case of this institution.
            draft: what to make.
            actor: who decided.

        Raises:
            ActionNotAvailable: the process does not allow it now; says what it allows.
            CaseError: what it is about, or who joins or leaves, is missing or not possible.
            AttachmentError: a file may not be attached; says why.
        """
        async with await self._locked(case_id):
            case = await self.case(case_id)
            outcome, root = await self.made(case, draft, actor)
            assert outcome.document is not None  # the engine names what it has made
            await self._keep(case, outcome, outcome.document, root, draft.files)
            return outcome.document

    @again_when_overtaken
    async def save(
        self, case_id: str, document_id: DocumentId, *, root: Element | None = None, actor: Actor
    ) -> Case:
        """Save a new version of a draft or of a sent document; it is not sent yet.

        Args:
            case_id: case of this institution.
            document_id: the document.
            root: its new content; composed anew from the case when None.
            actor: who decided.

        Raises:
            DocumentNotFound: no such document in this case.
            ActionNotAvailable: the table does not let it be changed.
        """
        async with await self._locked(case_id):
            case = await self.case(case_id)
            outcome, document, root = await self._saved(case, document_id, root, actor)
            return await self._keep(case, outcome, document, root)

    @again_when_overtaken
    async def update(
        self, case_id: str, document_id: DocumentId, *, root: Element | None = None, actor: Actor
    ) -> Case:
        """Save a new version of a sent document and send it, in one transaction.

        Raises:
            DocumentNotFound: no such document in this case.
            ActionNotAvailable: the table does not let it be changed, or sent now.
            SedInvalid: the content has errors; nothing was sent.
        """
        async with await self._locked(case_id):
            case = await self.case(case_id)
            saved, _, content_now = await self._saved(case, document_id, root, actor)
            sent = engine.send(
                saved.case, self._table(case), document_id, now=self._office.station.clock.now(), actor=actor
            )
            return await self._commit(case, sent, content_now, UnitOfWork())

    @again_when_overtaken
    async def send_draft(
        self,
        case_id: str,
        document_id: DocumentId,
        *,
        receivers: tuple[InstitutionId, ...] | None = None,
        actor: Actor,
    ) -> Case:
        """Send a draft, or the open new version of a sent document.

        Args:
            case_id: case of this institution.
            document_id: the draft.
            receivers: those of the process table when None.
            actor: who decided.

        Raises:
            DocumentNotFound: no such document in this case.
            ActionNotAvailable: it cannot be sent now.
            CaseError: the receivers are not what the table allows.
            SedInvalid: the content has errors; nothing was sent.
        """
        office = self._office
        async with await self._locked(case_id):
            case = await self.case(case_id)
            now = office.station.clock.now()
            outcome = engine.send(
                case, self._table(case), document_id, receivers=receivers, now=now, actor=actor
            )
            kept = await office.station.store.document(case.id, document_id, case.get(document_id).version)
            assert kept is not None  # stored together with the version
            return await self._commit(case, outcome, xmlsafe.parse(kept.content), UnitOfWork())

    @again_when_overtaken
    async def delete_draft(self, case_id: str, document_id: DocumentId, *, actor: Actor) -> Case:
        """Delete a draft; its step is offered again, the history keeps its trace.

        Raises:
            DocumentNotFound: no such document in this case.
            ActionNotAvailable: it is no draft, or the case is not open.
        """
        async with await self._locked(case_id):
            case = await self.case(case_id)
            now = self._office.station.clock.now()
            outcome = engine.delete(case, self._table(case), document_id, now=now, actor=actor)
            work = UnitOfWork()
            draft = case.get(document_id)
            for version in draft.versions:
                work.save_document(self._stored(case, draft, version.number, b""))
            return await self._commit(case, outcome, None, work)

    @again_when_overtaken
    async def change_files(
        self,
        case_id: str,
        document_id: DocumentId,
        *,
        add: Sequence[NewFile] = (),
        remove: Sequence[AttachmentId] = (),
        actor: Actor,
    ) -> Case:
        """Attach files to a document and remove others; nothing is sent yet, a sent document opens again.

        Args:
            case_id: case of this institution.
            document_id: a draft, a sent document or an open new version.
            add: files to attach.
            remove: attachments that no longer belong to it.
            actor: who decided.

        Raises:
            DocumentNotFound, AttachmentNotFound: the case has no such document, or it no such file.
            AttachmentError: a file may not be attached; says why.
            ActionNotAvailable: the process does not allow it now.
        """
        async with await self._locked(case_id):
            case = await self.case(case_id)
            definition, now = self._table(case), self._office.station.clock.now()
            changed = case
            for gone in remove:
                changed = engine.detach(changed, definition, document_id, gone, now=now, actor=actor).case
            changed = self._attached(changed, document_id, add, actor)
            document = changed.get(document_id)
            root = await content.as_kept(self._office, case_id, document_id)
            return await self._keep(case, Outcome(changed, document), document, root, add)

    @again_when_overtaken
    async def set_participants(
        self, case_id: str, counterparties: Sequence[InstitutionId], *, actor: Actor
    ) -> Case:
        """Choose other counterparties, which is possible until the starter is sent.

        Raises:
            ActionNotAvailable: the starter was sent, or we are not the owner.
            CaseError: the process does not allow so many counterparties.
            UnknownReceiver, NotCompetent: one of them may not take part.
        """
        station = self._office.station
        async with await self._locked(case_id):
            case = await self.case(case_id)
            now = station.clock.now()
            for institution in counterparties:
                station.directory.current.require_competent(institution, case.buc, "Counterparty", at=now)
            outcome = engine.set_participants(
                case, self._table(case), tuple(counterparties), now=now, actor=actor
            )
            return await self._commit(case, outcome, None, UnitOfWork())

    @again_when_overtaken
    async def move(self, case_id: str, move: Move, *, actor: Actor) -> Case:
        """Close, reopen, archive, restore or remove this institution's copy of a case; nobody is told.

        Raises:
            ActionNotAvailable: the process, or the state of the case, does not allow it.
        """
        station = self._office.station
        async with await self._locked(case_id):
            case = await self.case(case_id)
            outcome = _MOVES[move](case, self._table(case), now=station.clock.now(), actor=actor)
            work = UnitOfWork()
            work.journal(station.note(_JOURNAL[move], "local", case_id=case.id))
            return await self._commit(case, outcome, None, work)

    async def made(self, case: Case, draft: Draft, actor: Actor) -> tuple[Outcome, Element]:
        """Return the case with a new draft, and the content of it; nothing is stored.

        Args:
            case: the case before.
            draft: what to make.
            actor: who decided.

        Raises:
            ActionNotAvailable, CaseError, AttachmentError: as for ``create_draft``.
        """
        office, definition = self._office, self._table(case)
        root, says = draft.root, Statement()
        if definition.says_something(draft.sed):
            root = root if root is not None else await self.compose(case, draft)
            says = content.statement_of(definition, draft.sed, root)
        outcome = engine.create(
            case,
            definition,
            draft.sed,
            document_id=DocumentId(office.station.ids.hex32()),
            now=office.station.clock.now(),
            actor=actor,
            parent_id=draft.parent_id,
            says=says,
        )
        assert outcome.document is not None  # the engine names what it has made
        whole = self._attached(outcome.case, outcome.document.id, draft.files, actor)
        outcome = replace(outcome, case=whole, document=whole.get(outcome.document.id))
        return outcome, root if root is not None else await self.compose(case, draft)

    async def compose(self, case: Case, draft: Draft) -> Element:
        """Return content for a new document of the case: the template, filled from what was exchanged."""
        facts = content.facts_about(self._office, case, case.find(draft.parent_id), draft.change)
        return await content.compose(self._office, draft.sed, case, facts)

    async def _saved(
        self, case: Case, document_id: DocumentId, root: Element | None, actor: Actor
    ) -> tuple[Outcome, Document, Element]:
        document, definition = case.get(document_id), self._table(case)
        if root is None:
            known = Draft(sed=document.type, parent_id=document.parent_id, change=document.change)
            root = await self.compose(case, known)
        says = content.statement_of(definition, document.type, root)
        if says.change != document.change:
            raise CaseError(
                f"Expected the same change of the participants as before in {document.type}, found another",
                hint="Delete the draft and make another one.",
                case=case.id,
            )
        now = self._office.station.clock.now()
        outcome = engine.update(case, definition, document_id, now=now, actor=actor, facts=says.facts)
        assert outcome.document is not None  # the engine names what it has saved
        return outcome, outcome.document, root

    def _attached(self, case: Case, document_id: DocumentId, files: Sequence[NewFile], actor: Actor) -> Case:
        station = self._office.station
        now = station.clock.now()
        return attached(station, case, self._table(case), document_id, files, now=now, actor=actor)

    async def _keep(
        self,
        before: Case,
        outcome: Outcome,
        document: Document,
        root: Element,
        files: Sequence[NewFile] = (),
    ) -> Case:
        work = UnitOfWork()
        for file in files:
            work.save_content(file.content)
        work.save_document(self._stored(before, document, document.version, xmlsafe.document_of(root)))
        return await self._commit(before, outcome, None, work)

    def _stored(self, case: Case, document: Document, version: int, octets: bytes) -> StoredDocument:
        assert document.direction is Direction.OUT  # nobody drafts what others send
        return StoredDocument(
            case_id=case.id,
            document_id=document.id,
            version=version,
            sed=document.type,
            content=octets,
            direction=Way.OUT,
            stored_at=self._office.station.clock.now(),
        )

    def _table(self, case: Case) -> BucDefinition:
        return self._office.library.processes.get(case.buc)

    async def _locked(self, case_id: str) -> asyncio.Lock:
        return self._office.locks.of((await self.case(case_id)).international_id)
