"""Follows a running network: what became of each document so far, and whether everything is settled.

``Watch`` reads the journals of the nodes as they grow and makes one ``Progress`` per message of them. It only looks;
nothing here changes anything.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from eessi_sim.as4.exchange import InboundState, OutboundState
from eessi_sim.gateway.outbox import WAITING
from eessi_sim.identifiers import InstitutionId
from eessi_sim.institution.receiving import ANSWER_DUE
from eessi_sim.simulation.control import NodeReader
from eessi_sim.simulation.views import MessageView
from eessi_sim.storage.base import JournalEntry, MessageKind

_CHECKS: Final = {
    "xsd_valid": "true",
    "rules_valid": "true",
    "sed_signature": "valid",
    "as4_signature": "valid",
}
_OPEN_IN: Final = frozenset({InboundState.RECEIVED, InboundState.PROCESSING, ANSWER_DUE})
_LOST: Final = frozenset({OutboundState.REJECTED, OutboundState.DEAD_LETTERED})


@dataclass(frozen=True, slots=True)
class Progress:
    """What is known of one document on its way to one receiver."""

    message_id: str
    sed: str = ""
    buc: str = ""
    case: str = ""
    """Id that all copies of the case share."""
    sender: str = ""
    receiver: str = ""
    sent_at: datetime | None = None
    accepted_at: datetime | None = None
    receipted_at: datetime | None = None
    filed_at: datetime | None = None
    is_valid: bool | None = None
    """What the receiver found; None as long as it has not looked."""
    reason: str | None = None
    """Why it cannot go on."""

    @property
    def is_settled(self) -> bool:
        """Whether nothing more is to be expected."""
        return self.is_good or self.reason is not None

    @property
    def is_good(self) -> bool:
        """Whether it was accepted, receipted and found valid."""
        return bool(self.accepted_at and self.receipted_at and self.filed_at and self.is_valid)


@dataclass(slots=True)
class Watch:
    """Reads journals as they grow.

    Args:
        readers: the nodes to follow.
    """

    readers: Mapping[InstitutionId, NodeReader]
    entries: list[JournalEntry] = field(default_factory=list)
    """Everything read so far, node by node in its order."""
    _after: dict[InstitutionId, int] = field(default_factory=dict)
    _found: dict[str, Progress] = field(default_factory=dict)

    @property
    def messages(self) -> tuple[Progress, ...]:
        """All documents whose sender is known, by time of sending."""
        known = [(progress.sent_at, progress) for progress in self._found.values()]
        placed = [(at, progress) for at, progress in known if at is not None]
        return tuple(
            progress for _, progress in sorted(placed, key=lambda pair: (pair[0], pair[1].message_id))
        )

    async def skip(self) -> None:
        """Leave out what happened so far."""
        while await self._read():
            pass
        self.entries.clear()
        self._found.clear()

    async def look(self) -> tuple[Progress, ...]:
        """Read what is new and return the documents about which there is news."""
        fresh = await self._read()
        changed: dict[str, None] = {}
        for entry in fresh:
            if entry.message_id and self._take(entry, entry.message_id):
                changed[entry.message_id] = None
        return tuple(self._found[message_id] for message_id in changed if self._found[message_id].sent_at)

    async def _read(self) -> list[JournalEntry]:
        parties = tuple(self.readers)
        pages = await asyncio.gather(
            *(self.readers[party].journal(self._after.get(party, 0)) for party in parties)
        )
        fresh: list[JournalEntry] = []
        for party, page in zip(parties, pages, strict=True):
            if page:
                self._after[party] = page[-1].seq
                fresh.extend(page)
        self.entries.extend(fresh)
        return fresh

    def _take(self, entry: JournalEntry, message_id: str) -> bool:
        """Note what an entry says; False when it says nothing about a document."""
        changes = _changes(entry)
        known = self._found.get(message_id, Progress(message_id))
        if known.accepted_at is not None:  # what is sent again is accepted again
            changes.pop("accepted_at", None)
        if not changes:
            return False
        self._found[message_id] = replace(known, **changes)
        return True


def _changes(entry: JournalEntry) -> dict[str, Any]:  # Any: fields of Progress
    """Return what a journal entry changes about a document; the receipts' own entries change nothing."""
    detail = entry.detail
    reader = _READERS.get(entry.step)
    if reader is None or detail.get("kind", MessageKind.USER) != MessageKind.USER:
        return {}
    return reader(entry)


def _sent(entry: JournalEntry) -> dict[str, Any]:
    detail = entry.detail
    return {
        "sed": detail["sed"],
        "buc": detail["buc"],
        "case": detail["case"],
        "sender": detail["from"],
        "receiver": detail["to"],
        "sent_at": entry.at,
    }


def _attempted(entry: JournalEntry) -> dict[str, Any]:
    return {"reason": entry.detail.get("reason", entry.outcome)} if entry.outcome in _LOST else {}


def _refused(entry: JournalEntry) -> dict[str, Any]:
    return {"reason": entry.detail.get("reason", "refused")} if entry.outcome == "failure" else {}


def _filed(entry: JournalEntry) -> dict[str, Any]:
    if entry.outcome in ("refused", "failed"):
        return {"is_valid": False, "reason": entry.detail.get("reason", entry.outcome)}
    return {
        "filed_at": entry.at,
        "is_valid": all(entry.detail.get(key) == good for key, good in _CHECKS.items()),
    }


_READERS: Final = {
    "sent": _sent,
    "accepted": lambda entry: {"accepted_at": entry.at},
    "attempted": _attempted,
    "receipted": lambda entry: {"receipted_at": entry.at},
    "error-received": _refused,
    "filed": _filed,
}


async def unsettled(readers: Mapping[InstitutionId, NodeReader]) -> tuple[MessageView, ...]:
    """Return the messages of all nodes with which something is still to happen; none when all is quiet.

    Args:
        readers: all nodes.
    """
    listed = await asyncio.gather(*(reader.messages() for reader in readers.values()))
    return tuple(view for views in listed for view in _pending(views))


def _pending(views: Sequence[MessageView]) -> list[MessageView]:
    return [
        view for view in views if (view.state in _OPEN_IN if view.direction == "in" else _is_on_its_way(view))
    ]


def _is_on_its_way(view: MessageView) -> bool:
    """Whether a message waits to be sent, for its receipt, or for the answer of a hop its receipt overtook."""
    overtaken = view.state == OutboundState.DELIVERED and view.accepted_at is None
    return view.state in WAITING or overtaken
