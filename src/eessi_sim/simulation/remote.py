"""A node in another process, asked through its management interface; answers as ``LocalControl`` does."""

import base64
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import datetime, timedelta
from io import BytesIO
from typing import Any, Final
from urllib.parse import quote

import aiohttp
import msgspec
from yarl import URL

from eessi_sim.attachments import Content, NewFile
from eessi_sim.buc.case import ParticipantChange
from eessi_sim.errors import ConnectFailed, EessiSimError
from eessi_sim.gateway.retention import Cleaned, Retention
from eessi_sim.identifiers import BucType, CdmVersion, InstitutionId, SedType
from eessi_sim.institution.casework import Move
from eessi_sim.simulation.state import NetworkState, NodeAddress
from eessi_sim.simulation.views import (
    CaseView,
    DocumentView,
    HealthView,
    MessageFile,
    MessageView,
    SuggestionView,
)
from eessi_sim.storage.base import JournalEntry
from eessi_sim.stretch import IN_MEMORY

_WITHIN: Final = 60.0
"""Seconds until a node must have answered; under load an answer takes its time."""
_OCTETS_PER_SECOND: Final = 10 * 1024 * 1024
"""What a node manages of a large file at least."""
_CLEANED_WITHIN: Final = 3600.0
"""Seconds for a clean-up, which looks at every finished message."""
_READY_WITHIN: Final = 5.0
"""Seconds until a node must have said that it is there."""


CLERK_HEADER: Final = "x-clerk"
REASON_HEADER: Final = "x-reason"
"""In whose name a node is asked, and why; percent-encoded, because headers carry no other letters."""


class RemoteRefusal(EessiSimError):  # noqa: N818 - says what happened
    """The node in the other process refused; carries its code, sentence and hint.

    Args:
        shape: the error as the node wrote it.
    """

    code = "refused-by-node"

    def __init__(self, shape: dict[str, Any]) -> None:  # Any: the JSON shape of every error
        context = {"available": ", ".join(shape["available"])} if shape.get("available") else {}
        super().__init__(str(shape.get("message", "refused")), hint=shape.get("hint"), **context)
        self.shape = shape
        self.code = str(shape.get("code", RemoteRefusal.code))

    @property
    def available(self) -> tuple[str, ...]:
        """What the node offers instead; empty where it says nothing of it."""
        return tuple(map(str, self.shape.get("available") or ()))

    def as_dict(self) -> dict[str, object]:
        """Return the error as the node in the other process gave it, its findings included."""
        return dict(self.shape)


class RemoteControl:
    """One node of a running network.

    Args:
        session: keeps connections open; the caller closes it.
        state: the network.
        party: the node.
        address: where it is, for who has it at hand; looked up when None.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        state: NetworkState,
        party: InstitutionId,
        address: NodeAddress | None = None,
    ) -> None:
        self._session = session
        self._state = state
        self._party = party
        address = address or state.address(party)
        self._base = address.manage
        self._address = address
        self._headers = {"authorization": f"Bearer {state.token}"}

    def acting_as(self, clerk: str, reason: str = "") -> "RemoteControl":
        """Return the same institution, asked in the name of a clerk; the case file says who, and why."""
        other = RemoteControl(self._session, self._state, self._party)
        other._headers |= {CLERK_HEADER: _part(clerk), REASON_HEADER: _part(reason)}
        return other

    async def is_ready(self) -> bool:
        """Return whether the node answers; whoever else listens at its port is not the node."""
        try:
            await self._call("GET", "/health", bool, within=_READY_WITHIN)
        except (ConnectFailed, RemoteRefusal):
            return False
        return True

    async def advance_clock(self, by: timedelta) -> datetime:
        """Let time pass on the clock of the node alone, in all its processes, and return what it shows then."""
        if self._address.workers:
            return max([await each.advance_clock(by) for each in self._processes()])
        found: datetime = await self._call("POST", "/clock", datetime, {"advance": by})
        return found

    def _processes(self) -> Iterator["RemoteControl"]:
        """Yield what asks each process that plays the node, for what a process knows for itself alone."""
        for each in self._address.each:
            yield RemoteControl(self._session, self._state, self._party, each)

    async def set_line(self, *, is_up: bool) -> bool:
        """Cut or restore the line of an access point to the others; return whether it is up."""
        if self._address.workers:
            return all([await each.set_line(is_up=is_up) for each in self._processes()])
        found: bool = await self._call("POST", "/line", bool, {"up": is_up})
        return found

    async def has_line(self) -> bool:
        """Return whether the line of an access point to the others is up."""
        found: bool = await self._call("GET", "/line", bool)
        return found

    async def open_case(
        self, buc: BucType, counterparties: Sequence[InstitutionId], cdm: CdmVersion | None = None
    ) -> str:
        """Open a case, in the usual version of the data model or another, and return its id at this institution."""
        body = {"buc": buc, "counterparties": list(counterparties), "cdm": cdm}
        found: str = await self._call("POST", "/cases", str, body)
        return found

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
        body = {
            "sed": sed,
            "content": _encoded(content),
            "parent_id": parent_id,
            "receivers": list(receivers) if receivers is not None else None,
            "files": [await self._file(file) for file in files],
            "joins": change.joins if change else None,
            "leaves": change.leaves if change else None,
        }
        within = _WITHIN + sum(file.content.size for file in files) / _OCTETS_PER_SECOND
        path = f"/cases/{_part(case_id)}/documents"
        found: CaseView = await self._call("POST", path, CaseView, body, within=within)
        return found

    async def _file(self, file: NewFile) -> dict[str, object]:
        """Return what is said of a file; a large one is brought to the node before, piece by piece."""
        body: dict[str, object] = {
            "file_name": file.file_name,
            "mime_type": file.mime_type,
            "name": file.name,
            "medical": file.medical,
        }
        if file.content.size > IN_MEMORY:
            within = _WITHIN + file.content.size / _OCTETS_PER_SECOND
            return {**body, "digest": await self._send("POST", "/files", str, _pieces(file.content), within)}
        return {**body, "content": base64.b64encode(file.content.read()).decode()}

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
        body = {
            "sed": sed,
            "content": _encoded(content),
            "parent_id": parent_id,
            "joins": change.joins if change else None,
            "leaves": change.leaves if change else None,
        }
        found: DocumentView = await self._call("POST", f"/cases/{_part(case_id)}/drafts", DocumentView, body)
        return found

    async def save(self, case_id: str, document_id: str, *, content: bytes | None = None) -> CaseView:
        """Save a new version of a draft or a sent document, unsent; composed anew when no content is given."""
        return await self._document(case_id, document_id, "save", {"content": _encoded(content)})

    async def update(self, case_id: str, document_id: str, *, content: bytes | None = None) -> CaseView:
        """Save a new version of a sent document and send it."""
        return await self._document(case_id, document_id, "update", {"content": _encoded(content)})

    async def send_draft(
        self, case_id: str, document_id: str, *, receivers: Sequence[InstitutionId] | None = None
    ) -> CaseView:
        """Send a draft, or the open new version of a sent document."""
        to = list(receivers) if receivers is not None else None
        return await self._document(case_id, document_id, "send", {"receivers": to})

    async def delete_draft(self, case_id: str, document_id: str) -> CaseView:
        """Delete a draft."""
        return await self._document(case_id, document_id, "delete", {})

    async def set_participants(self, case_id: str, counterparties: Sequence[InstitutionId]) -> CaseView:
        """Choose other counterparties, before the starter is sent."""
        body = {"counterparties": list(counterparties)}
        found: CaseView = await self._call("POST", f"/cases/{_part(case_id)}/participants", CaseView, body)
        return found

    async def move(self, case_id: str, move: Move) -> CaseView:
        """Close, reopen, archive, restore or remove this institution's copy."""
        found: CaseView = await self._call("POST", f"/cases/{_part(case_id)}/move", CaseView, {"move": move})
        return found

    async def close_case(self, case_id: str) -> CaseView:
        """Close this institution's copy."""
        found: CaseView = await self._call("POST", f"/cases/{_part(case_id)}/close", CaseView, {})
        return found

    async def case(self, case_id: str) -> CaseView:
        """Return a case."""
        found: CaseView = await self._call("GET", f"/cases/{_part(case_id)}", CaseView)
        return found

    async def find_case(self, international_id: str) -> CaseView | None:
        """Return the copy of a case that is known by the id all copies share."""
        found: CaseView | None = await self._call(
            "GET", f"/cases?international_id={_part(international_id)}", CaseView | None
        )
        return found

    async def cases(self) -> Sequence[CaseView]:
        """Return the newest cases."""
        found: Sequence[CaseView] = await self._call("GET", "/cases", list[CaseView])
        return found

    async def available_actions(self, case_id: str) -> Sequence[str]:
        """Return in words what can be done with a case now."""
        found: Sequence[str] = await self._call("GET", f"/cases/{_part(case_id)}/actions", list[str])
        return found

    async def suggestions(self, case_id: str) -> Sequence[SuggestionView]:
        """Return what rules suggest for a case, as far as it is possible now."""
        found: Sequence[SuggestionView] = await self._call(
            "GET", f"/cases/{_part(case_id)}/suggestions", list[SuggestionView]
        )
        return found

    async def accept(self, case_id: str, suggestion_id: str, *, clerk: str) -> CaseView:
        """Send what a rule suggests, in the name of a clerk who accepts it."""
        return await self._decide(case_id, suggestion_id, "accept", {"clerk": clerk})

    async def decline(self, case_id: str, suggestion_id: str, *, clerk: str, reason: str) -> CaseView:
        """Take a suggestion away for good, in the name of a clerk with a reason."""
        return await self._decide(case_id, suggestion_id, "decline", {"clerk": clerk, "reason": reason})

    async def _decide(
        self, case_id: str, suggestion_id: str, decision: str, body: dict[str, str]
    ) -> CaseView:
        path = f"/cases/{_part(case_id)}/suggestions/{_part(suggestion_id)}/{decision}"
        found: CaseView = await self._call("POST", path, CaseView, body)
        return found

    async def messages(self) -> Sequence[MessageView]:
        """Return all messages of the node, oldest first."""
        found: Sequence[MessageView] = await self._call("GET", "/messages", list[MessageView])
        return found

    async def message(self, direction: str, message_id: str) -> MessageFile | None:
        """Return the exact bytes of a message."""
        found: MessageFile | None = await self._call(
            "GET", f"/messages/{_part(direction)}/{_part(message_id)}", MessageFile | None
        )
        return found

    async def journal(self, after: int = 0) -> Sequence[JournalEntry]:
        """Return journal entries behind number ``after``."""
        found: Sequence[JournalEntry] = await self._call("GET", f"/journal?after={after}", list[JournalEntry])
        return found

    async def health(self) -> HealthView:
        """Return whether the node takes new work.

        Raises:
            ConnectFailed: it does not answer.
        """
        found: HealthView = await self._call("GET", "/condition", HealthView, within=_READY_WITHIN)
        return found

    async def drain(self) -> HealthView:
        """Let the node take no new work."""
        found: HealthView = await self._call("POST", "/drain", HealthView, {})
        return found

    async def undrain(self) -> HealthView:
        """Let the node take new work again."""
        found: HealthView = await self._call("POST", "/undrain", HealthView, {})
        return found

    async def clean_up(self, retention: Retention, *, dry_run: bool = False) -> Cleaned:
        """Remove what need not be kept any longer, or only count it."""
        body = {"messages": retention.messages, "journal": retention.journal, "dry_run": dry_run}
        found: Cleaned = await self._call("POST", "/cleanup", Cleaned, body, within=_CLEANED_WITHIN)
        return found

    async def dead_letters(self) -> Sequence[MessageView]:
        """Return the messages that could not go on, newest first."""
        found: Sequence[MessageView] = await self._call("GET", "/dead-letters", list[MessageView])
        return found

    async def resend(self, direction: str, message_id: str, *, force: bool = False) -> MessageView:
        """Put a dead letter back into its queue, in the name of whom this control is acting as."""
        body = {"direction": direction, "message_id": message_id, "force": force}
        found: MessageView = await self._call("POST", "/dead-letters/resend", MessageView, body)
        return found

    async def _document(self, case_id: str, document_id: str, verb: str, body: object) -> CaseView:
        path = f"/cases/{_part(case_id)}/documents/{_part(document_id)}/{verb}"
        found: CaseView = await self._call("POST", path, CaseView, body)
        return found

    async def _call(
        self, method: str, path: str, kind: Any, body: object = None, *, within: float = _WITHIN
    ) -> Any:  # Any: msgspec checks the answer against ``kind``
        data = BytesIO(msgspec.json.encode(body, enc_hook=str)) if body is not None else None
        return await self._send(method, path, kind, data, within)

    async def _send(
        self, method: str, path: str, kind: Any, body: BytesIO | AsyncIterator[bytes] | None, within: float
    ) -> Any:  # Any: as in ``_call``
        try:
            async with self._session.request(
                method,
                URL(self._base + path, encoded=True),
                headers=self._headers,
                data=body,
                timeout=aiohttp.ClientTimeout(total=within),
            ) as response:
                data = await response.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise ConnectFailed(
                f"Expected an answer of the node at {self._base}, found {type(error).__name__}",
                hint="Look at its log in the folder of the network.",
            ) from error
        return self._read(data, response.status, kind)

    def _read(self, data: bytes, status: int, kind: Any) -> Any:  # Any: as in ``_call``
        if status >= 400:
            raise RemoteRefusal(_shape(data, status))
        try:
            return msgspec.json.decode(data, type=kind)
        except msgspec.MsgspecError as error:
            raise ConnectFailed(
                f"Expected an answer of the node at {self._base}, found something else: {error}",
                hint="Another program may listen at its port.",
            ) from error


async def _pieces(content: Content) -> AsyncIterator[bytes]:
    for piece in content.pieces():
        yield piece


def _encoded(content: bytes | None) -> str | None:
    return base64.b64encode(content).decode() if content is not None else None


def _part(text: str) -> str:
    """Return a text as one step of a path or one value of a query; ids of other parties may hold anything."""
    return quote(text, safe="")


def _shape(data: bytes, status: int) -> dict[str, Any]:  # Any: the JSON shape of every error
    try:
        return msgspec.json.decode(data, type=dict[str, Any])
    except msgspec.MsgspecError:
        return {"code": "http", "message": f"HTTP {status}"}
