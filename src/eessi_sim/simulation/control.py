"""What one may ask of a running node, and the node in this process as the answer.

The answers are plain values (``views``), so that a node in another process answers the same questions (``remote``).
"""

from collections.abc import Sequence
from typing import Protocol

from eessi_sim import xmlsafe
from eessi_sim.attachments import AttachmentLimits, NewFile
from eessi_sim.buc.case import Actor, ActorKind, ParticipantChange
from eessi_sim.identifiers import BucType, CdmVersion, DocumentId, InstitutionId, SedType
from eessi_sim.institution.casework import Draft, Move
from eessi_sim.institution.node import InstitutionNode
from eessi_sim.simulation.views import (
    MOST_SHOWN,
    CaseView,
    DocumentView,
    MessageFile,
    MessageView,
    SuggestionView,
    case_view,
    document_view,
    message_view,
    suggestion_view,
)
from eessi_sim.spool import Spool
from eessi_sim.storage.base import Direction, JournalEntry, MessageQuery, NodeStore, StoredMessage
from eessi_sim.xmlsafe import Element

_PAGE = 500
_CLERK = Actor(ActorKind.CLERK, "clerk", "asked for from outside")


class NodeReader(Protocol):
    """What may be read of any node, the access point included."""

    async def messages(self) -> Sequence[MessageView]:
        """Return all messages of the node, oldest first."""
        ...

    async def message(self, direction: str, message_id: str) -> MessageFile | None:
        """Return the exact bytes of a message."""
        ...

    async def journal(self, after: int = 0) -> Sequence[JournalEntry]:
        """Return journal entries behind number ``after``."""
        ...


class NodeControl(NodeReader, Protocol):
    """What one may ask of an institution."""

    def acting_as(self, clerk: str, reason: str = "") -> "NodeControl":
        """Return the same institution, asked in the name of a clerk; the case file says who, and why."""
        ...

    async def open_case(
        self, buc: BucType, counterparties: Sequence[InstitutionId], cdm: CdmVersion | None = None
    ) -> str:
        """Open a case, in the usual version of the data model or another, and return its id at this institution."""
        ...

    async def send(
        self,
        case_id: str,
        sed: SedType,
        *,
        content: bytes | None = None,
        parent_id: str | None = None,
        receivers: Sequence[InstitutionId] | None = None,
        files: Sequence[NewFile] = (),
        change: ParticipantChange | None = None,
    ) -> CaseView:
        """Create a document and send it with files; composed from the case when no content is given."""
        ...

    async def draft(
        self,
        case_id: str,
        sed: SedType,
        *,
        content: bytes | None = None,
        parent_id: str | None = None,
        change: ParticipantChange | None = None,
    ) -> DocumentView:
        """Create a document and keep it unsent; ``change`` says who joins and who leaves, for an X-SED."""
        ...

    async def save(self, case_id: str, document_id: str, *, content: bytes | None = None) -> CaseView:
        """Save a new version of a draft or a sent document, unsent; composed anew when no content is given."""
        ...

    async def update(self, case_id: str, document_id: str, *, content: bytes | None = None) -> CaseView:
        """Save a new version of a sent document and send it."""
        ...

    async def send_draft(
        self, case_id: str, document_id: str, *, receivers: Sequence[InstitutionId] | None = None
    ) -> CaseView:
        """Send a draft, or the open new version of a sent document."""
        ...

    async def delete_draft(self, case_id: str, document_id: str) -> CaseView:
        """Delete a draft."""
        ...

    async def set_participants(self, case_id: str, counterparties: Sequence[InstitutionId]) -> CaseView:
        """Choose other counterparties, before the starter is sent."""
        ...

    async def move(self, case_id: str, move: Move) -> CaseView:
        """Close, reopen, archive, restore or remove this institution's copy."""
        ...

    async def close_case(self, case_id: str) -> CaseView:
        """Close this institution's copy."""
        ...

    async def case(self, case_id: str) -> CaseView:
        """Return a case."""
        ...

    async def find_case(self, international_id: str) -> CaseView | None:
        """Return the copy of a case that is known by the id all copies share."""
        ...

    async def cases(self) -> Sequence[CaseView]:
        """Return the newest cases."""
        ...

    async def available_actions(self, case_id: str) -> Sequence[str]:
        """Return in words what can be done with a case now."""
        ...

    async def suggestions(self, case_id: str) -> Sequence[SuggestionView]:
        """Return what rules suggest for a case, as far as it is possible now."""
        ...

    async def accept(self, case_id: str, suggestion_id: str, *, clerk: str) -> CaseView:
        """Send what a rule suggests, in the name of a clerk who accepts it."""
        ...

    async def decline(self, case_id: str, suggestion_id: str, *, clerk: str, reason: str) -> CaseView:
        """Take a suggestion away for good, in the name of a clerk with a reason."""
        ...


class StoreReader:
    """Reads a node of this process.

    Args:
        store: its durable state.
    """

    def __init__(self, store: NodeStore) -> None:
        self._store = store

    async def messages(self) -> Sequence[MessageView]:
        """Return all messages of the node, oldest first."""
        found: list[StoredMessage] = []
        before: int | None = None
        while True:
            page = await self._store.messages(MessageQuery(before=before), limit=_PAGE)
            found.extend(page)
            if len(page) < _PAGE:
                break
            before = page[-1].seq
        return [message_view(message) for message in reversed(found)]

    async def message(self, direction: str, message_id: str) -> MessageFile | None:
        """Return the exact bytes of a message; None for one that is too large to be held, or was removed."""
        found = await self._store.find_message(Direction(direction), message_id)
        if found is None or found.is_removed or len(found.octets) > MOST_SHOWN:
            return None
        return MessageFile(found.content_type, found.whole)

    async def journal(self, after: int = 0) -> Sequence[JournalEntry]:
        """Return journal entries behind number ``after``."""
        return await self._store.journal(after, _PAGE)


class LocalControl(StoreReader):
    """An institution of this process.

    Args:
        node: the institution.
        clerk: in whose name it is asked.
    """

    def __init__(self, node: InstitutionNode, clerk: Actor = _CLERK) -> None:
        super().__init__(node.office.station.store)
        self._node = node
        self._clerk = clerk
        self.spool: Spool | None = node.office.station.spool
        """Where large files are written that are attached later."""
        self.attachments: AttachmentLimits = node.office.station.attachments
        """Which files it takes."""

    def acting_as(self, clerk: str, reason: str = "") -> "LocalControl":
        """Return the same institution, asked in the name of a clerk; the case file says who, and why."""
        return LocalControl(self._node, Actor(ActorKind.CLERK, clerk, reason))

    async def open_case(
        self, buc: BucType, counterparties: Sequence[InstitutionId], cdm: CdmVersion | None = None
    ) -> str:
        """Open a case, in the usual version of the data model or another, and return its id at this institution."""
        return (await self._node.open_case(buc, counterparties, cdm=cdm, actor=self._clerk)).id

    async def send(
        self,
        case_id: str,
        sed: SedType,
        *,
        content: bytes | None = None,
        parent_id: str | None = None,
        receivers: Sequence[InstitutionId] | None = None,
        files: Sequence[NewFile] = (),
        change: ParticipantChange | None = None,
    ) -> CaseView:
        """Create a document and send it."""
        case = await self._node.send_document(
            case_id,
            sed,
            root=_parsed(content),
            parent_id=DocumentId(parent_id) if parent_id else None,
            receivers=tuple(receivers) if receivers is not None else None,
            files=files,
            change=change,
            actor=self._clerk,
        )
        return case_view(case)

    async def draft(
        self,
        case_id: str,
        sed: SedType,
        *,
        content: bytes | None = None,
        parent_id: str | None = None,
        change: ParticipantChange | None = None,
    ) -> DocumentView:
        """Create a document and keep it unsent; ``change`` says who joins and who leaves, for an X-SED."""
        draft = Draft(
            sed=sed,
            root=_parsed(content),
            parent_id=DocumentId(parent_id) if parent_id else None,
            change=change,
        )
        return document_view(await self._node.casework.create_draft(case_id, draft, actor=self._clerk))

    async def save(self, case_id: str, document_id: str, *, content: bytes | None = None) -> CaseView:
        """Save a new version of a draft or a sent document, unsent; composed anew when no content is given."""
        work, document = self._node.casework, DocumentId(document_id)
        return case_view(await work.save(case_id, document, root=_parsed(content), actor=self._clerk))

    async def update(self, case_id: str, document_id: str, *, content: bytes | None = None) -> CaseView:
        """Save a new version of a sent document and send it."""
        work, document = self._node.casework, DocumentId(document_id)
        return case_view(await work.update(case_id, document, root=_parsed(content), actor=self._clerk))

    async def send_draft(
        self, case_id: str, document_id: str, *, receivers: Sequence[InstitutionId] | None = None
    ) -> CaseView:
        """Send a draft, or the open new version of a sent document."""
        to = tuple(receivers) if receivers is not None else None
        work, document = self._node.casework, DocumentId(document_id)
        return case_view(await work.send_draft(case_id, document, receivers=to, actor=self._clerk))

    async def delete_draft(self, case_id: str, document_id: str) -> CaseView:
        """Delete a draft."""
        return case_view(
            await self._node.casework.delete_draft(case_id, DocumentId(document_id), actor=self._clerk)
        )

    async def set_participants(self, case_id: str, counterparties: Sequence[InstitutionId]) -> CaseView:
        """Choose other counterparties, before the starter is sent."""
        return case_view(
            await self._node.casework.set_participants(case_id, counterparties, actor=self._clerk)
        )

    async def move(self, case_id: str, move: Move) -> CaseView:
        """Close, reopen, archive, restore or remove this institution's copy."""
        return case_view(await self._node.casework.move(case_id, move, actor=self._clerk))

    async def close_case(self, case_id: str) -> CaseView:
        """Close this institution's copy."""
        return case_view(await self._node.close_case(case_id, actor=self._clerk))

    async def case(self, case_id: str) -> CaseView:
        """Return a case."""
        return case_view(await self._node.case(case_id))

    async def find_case(self, international_id: str) -> CaseView | None:
        """Return the copy of a case that is known by the id all copies share."""
        case = await self._node.office.station.store.find_case_by_international(international_id)
        return case_view(case) if case else None

    async def cases(self) -> Sequence[CaseView]:
        """Return the newest cases."""
        return [case_view(case) for case in await self._node.office.station.store.cases(limit=_PAGE)]

    async def available_actions(self, case_id: str) -> Sequence[str]:
        """Return in words what can be done with a case now."""
        return [action.text for action in await self._node.available_actions(case_id)]

    async def suggestions(self, case_id: str) -> Sequence[SuggestionView]:
        """Return what rules suggest for a case, as far as it is possible now."""
        return [suggestion_view(each) for each in await self._node.suggestions(case_id)]

    async def accept(self, case_id: str, suggestion_id: str, *, clerk: str) -> CaseView:
        """Send what a rule suggests, in the name of a clerk who accepts it."""
        actor = Actor(ActorKind.CLERK, clerk)
        return case_view(await self._node.accept_suggestion(case_id, suggestion_id, clerk=actor))

    async def decline(self, case_id: str, suggestion_id: str, *, clerk: str, reason: str) -> CaseView:
        """Take a suggestion away for good, in the name of a clerk with a reason."""
        actor = Actor(ActorKind.CLERK, clerk, reason)
        return case_view(await self._node.decline_suggestion(case_id, suggestion_id, clerk=actor))


def _parsed(content: bytes | None) -> Element | None:
    return xmlsafe.parse(content) if content is not None else None
