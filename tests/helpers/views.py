"""Nodes that only answer what a test wrote down, as ``NodeReader`` has it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.helpers.reports import CASE, EIGHT, after

from eessi_sim.simulation.views import CaseView, MessageFile, MessageView
from eessi_sim.storage.base import JournalEntry

SENT = {
    "sed": "A003",
    "cdm": "4.4",
    "buc": "LA_BUC_02",
    "case": CASE,
    "document": f"{1:032x}",
    "version": "1",
}
"""Details of a sent message."""
FOUND = {"as4_signature": "valid", "sed_signature": "valid", "xsd_valid": "true", "rules_valid": "true"}
"""What a receiver notes about a good one."""


@dataclass
class FixedNode:
    """A node whose answers never change."""

    views: Sequence[MessageView] = ()
    entries: Sequence[JournalEntry] = ()
    files: dict[tuple[str, str], MessageFile] = field(default_factory=dict)
    page: int = 500
    """Entries per answer."""

    async def messages(self) -> Sequence[MessageView]:
        return self.views

    async def message(self, direction: str, message_id: str) -> MessageFile | None:
        return self.files.get((direction, message_id))

    async def journal(self, after: int = 0) -> Sequence[JournalEntry]:
        return [entry for entry in self.entries if entry.seq > after][: self.page]


def a_view(number: int = 1, direction: str = "out", **fields: Any) -> MessageView:
    """A user message of Norway to Sweden, delivered and receipted, as one of them keeps it."""
    return MessageView(
        **{
            "message_id": f"m{number}@navat07.no.eessi-sim.example",
            "direction": direction,
            "kind": "user",
            "state": "delivered",
            "sender": "NO:NAVAT07",
            "receiver": "SE:FKSE01",
            "ref_to": None,
            "created_at": EIGHT,
            "accepted_at": after(50) if direction == "out" else None,
            "receipted_at": after(160) if direction == "out" else None,
            "attempts": 1,
            "last_error": None,
            "details": SENT if direction == "out" else {**SENT, **FOUND},
            **fields,
        }
    )


def a_case_view(**fields: Any) -> CaseView:
    """The case at Norway."""
    return CaseView(
        **{
            "case_id": "1001",
            "international_id": CASE,
            "buc": "LA_BUC_02",
            "cdm": "4.4",
            "role": "CaseOwner",
            "status": "closed",
            "own": "NO:NAVAT07",
            "participants": ("NO:NAVAT07", "SE:FKSE01"),
            "documents": (),
            **fields,
        }
    )


def an_entry(step: str, outcome: str = "ok", *, seq: int = 1, **fields: Any) -> JournalEntry:
    """A journal entry about message 1."""
    return JournalEntry(
        **{
            "at": after(seq),
            "step": step,
            "outcome": outcome,
            "seq": seq,
            "message_id": "m1@navat07.no.eessi-sim.example",
            **fields,
        }
    )
