"""Clean-up: octets of messages that are long finished, and old lines of the journal.

What stays of a message is its row: who sent what to whom in which case, when it was receipted, and the digest of its
octets. An access point needs that to know what was exchanged in a case, and a case may last for years. Documents and
attachments belong to the case and stay with it. Nothing is removed within the window of duplicate detection.
"""

import contextlib
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from eessi_sim.as4.exchange import InboundState, OutboundState, is_settled
from eessi_sim.as4.pmode import EESSI_PROFILE
from eessi_sim.errors import Conflict, SettingsError
from eessi_sim.storage.base import (
    REMOVED,
    Direction,
    JournalEntry,
    MessageQuery,
    NodeStore,
    StoredMessage,
    UnitOfWork,
)

SHORTEST: Final = EESSI_PROFILE.window
"""Repetitions of a younger message must still be recognised, its octets included."""
_FINISHED: Final = {
    Direction.IN: tuple(state for state in InboundState if is_settled(state)),
    Direction.OUT: tuple(state for state in OutboundState if is_settled(state)),
}
_PAGE: Final = 500
_NOTHING: Final = hashlib.sha256(b"").hexdigest()


@dataclass(frozen=True, slots=True)
class Retention:
    """How long things are kept; None keeps them for ever.

    Raises:
        SettingsError: shorter than repetitions must be recognised.
    """

    messages: timedelta | None = None
    """Octets of finished messages, counted from the last thing that happened to them."""
    journal: timedelta | None = None
    """Lines of the journal."""

    def __post_init__(self) -> None:
        for name, kept in (("messages", self.messages), ("journal", self.journal)):
            if kept is not None and kept < SHORTEST:
                raise SettingsError(
                    f"Expected to keep the {name} for {SHORTEST.days} days at least, found {kept.days} days",
                    hint="So long a sender may repeat a message, and a repetition must be recognised.",
                )


@dataclass(frozen=True, slots=True)
class Cleaned:
    """What a clean-up removed, or would remove."""

    messages: int
    """Whose octets are gone."""
    journal: int
    """Lines."""


async def clean(
    store: NodeStore, retention: Retention, now: datetime, *, actor: str, dry_run: bool = False
) -> Cleaned:
    """Remove what is older than it must be kept, and note how much that was.

    Octets in the spool are removed when the node starts next, since only then nobody writes there.

    Args:
        store: of one node.
        retention: how long things are kept.
        now: time on the clock of the node.
        actor: who asked.
        dry_run: only count.

    Raises:
        Unavailable: the store cannot be written; what was removed so far stays so.
    """
    messages = journal = 0
    if retention.messages is not None:
        messages = await _clean_messages(store, now - retention.messages, now, dry_run=dry_run)
    if retention.journal is not None:
        journal = await _clean_journal(store, now - retention.journal, dry_run=dry_run)
    if not dry_run and (messages or journal):
        work = UnitOfWork()
        detail = {"actor": actor, "messages": str(messages), "journal": str(journal)}
        work.journal(JournalEntry(at=now, step="cleaned-up", outcome="ok", detail=detail))
        await store.commit(work)
    return Cleaned(messages, journal)


async def _clean_messages(store: NodeStore, until: datetime, now: datetime, *, dry_run: bool) -> int:
    number = 0
    for direction, states in _FINISHED.items():
        before: int | None = None
        while True:
            query = MessageQuery(direction=direction, states=states, before=before)
            page = await store.messages(query, limit=_PAGE)
            old = [each for each in page if each.updated_at < until and _has_octets(each)]
            number += len(old) if dry_run else await _remove(store, old, now)
            if len(page) < _PAGE:
                break
            before = page[-1].seq
    return number


def _has_octets(message: StoredMessage) -> bool:
    return not message.is_removed and message.digest != _NOTHING


async def _remove(store: NodeStore, messages: Iterable[StoredMessage], now: datetime) -> int:
    """Remove the octets of some messages, but not of one to which something happened meanwhile."""
    works = {message.message_id: _removal([message], now) for message in messages}
    try:
        await store.commit(_removal(messages, now))
    except Conflict:
        number = 0
        for work in works.values():
            with contextlib.suppress(Conflict):
                await store.commit(work)
                number += 1
        return number
    return len(works)


def _removal(messages: Iterable[StoredMessage], now: datetime) -> UnitOfWork:
    work = UnitOfWork()
    for message in messages:
        work.update_message(
            message.direction,
            message.message_id,
            expected_states=(message.state,),
            body=b"",
            digest=_NOTHING,
            details={REMOVED: message.digest, "removed_at": now.isoformat(timespec="seconds")},
        )
    return work


async def _clean_journal(store: NodeStore, until: datetime, *, dry_run: bool) -> int:
    number = 0
    if not dry_run:
        while removed := await store.drop_journal(until, limit=_PAGE):
            number += removed
        return number
    after = 0
    while page := await store.journal(after, _PAGE):
        number += sum(entry.at < until for entry in page)
        after = page[-1].seq
    return number
