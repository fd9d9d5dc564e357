"""Pull channels: what waits where, who may ask, what is offered next, when to ask again. Pure: time is an argument.

A message is offered again until its receipt comes (eDelivery AS4 1.15 pull feature, documented; for EESSI inferred);
the oldest comes first, from exactly the channel that was asked for (AS4.NET, observed).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from eessi_sim.as4 import vocabulary
from eessi_sim.as4.ebms_errors import EbmsErrorCode, EbmsFault
from eessi_sim.identifiers import MessageId
from eessi_sim.security.keys import Certificate

SHORTEST_WAIT: Final = 1.0
LONGEST_WAIT: Final = 25.0
"""Seconds between two pull requests: from the shortest to the longest while nothing waits (AS4.NET, observed)."""


class OfferState(StrEnum):
    """Where a waiting message is."""

    READY = "ready"
    OFFERED = "offered"
    """Handed out; its receipt has not come."""
    ACKNOWLEDGED = "acknowledged"
    FAILED = "failed"
    """Handed out as often as agreed, and never receipted."""


@dataclass(frozen=True, slots=True)
class OfferPolicy:
    """How often, and how far apart, a message without receipt is handed out (our choice, inferred)."""

    again_after: timedelta = timedelta(minutes=1)
    most: int = 6
    multiplier: int = 1
    """Every wait is so many times as long as the one before."""
    longest: timedelta = timedelta(hours=1)

    def wait_after(self, offers: int) -> timedelta:
        """Return how long offer number ``offers``, counted from 1, may wait for its receipt."""
        wait = self.again_after
        for _ in range(offers - 1):
            if self.multiplier == 1 or wait >= self.longest:
                break
            wait = min(wait * self.multiplier, self.longest)
        return wait


@dataclass(frozen=True, slots=True)
class Waiting:
    """One message in one channel."""

    message_id: MessageId
    mpc: str
    since: datetime
    needs_receipt: bool = True
    """Signals wait in channels too, and are done when they are handed out."""
    state: OfferState = OfferState.READY
    offers: int = 0
    offered_at: datetime | None = None

    def is_due(self, now: datetime, policy: OfferPolicy) -> bool:
        """Return whether the message may be handed out at ``now``."""
        if self.state is OfferState.OFFERED and self.offered_at is not None:
            return self.offers < policy.most and now >= self.offered_at + policy.wait_after(self.offers)
        return self.state is OfferState.READY

    def offered(self, now: datetime) -> "Waiting":
        """Return the entry after it was handed out."""
        state = OfferState.OFFERED if self.needs_receipt else OfferState.ACKNOWLEDGED
        return replace(self, state=state, offers=self.offers + 1, offered_at=now)

    def acknowledged(self) -> "Waiting":
        """Return the entry after its receipt came, however late."""
        return replace(self, state=OfferState.ACKNOWLEDGED)

    def settled(self, now: datetime, policy: OfferPolicy) -> "Waiting":
        """Return the entry as failed when its last offer was in vain, else as it is."""
        is_last = self.state is OfferState.OFFERED and self.offers >= policy.most
        if (
            is_last
            and self.offered_at is not None
            and now >= self.offered_at + policy.wait_after(self.offers)
        ):
            return replace(self, state=OfferState.FAILED)
        return self


def next_offer(waiting: Iterable[Waiting], mpc: str, now: datetime, policy: OfferPolicy) -> Waiting | None:
    """Return the oldest message of exactly this channel that may be handed out, None when there is none."""
    due = (entry for entry in waiting if entry.mpc == mpc and entry.is_due(now, policy))
    return min(due, key=lambda entry: entry.since, default=None)


def channel_mpc(name: str) -> str:
    """Return the MPC of a channel that the Institution Repository names (a sub-channel of the default, observed)."""
    return f"{vocabulary.DEFAULT_MPC}/{name}"


def belongs_to(asked: str, found: str) -> bool:
    """Return whether a message of channel ``found`` answers a request for ``asked``.

    A pulled message keeps the channel its sender gave it, of which the one asked for may be a part (AS4 3.5).
    """
    return found == asked or asked.startswith(f"{found}/")


@dataclass(frozen=True, slots=True)
class PullRights:
    """Who may pull from which channel, by the certificate that signed the request (AS4 3.4, option 2)."""

    allowed: Mapping[str, frozenset[Certificate]] = field(default_factory=dict)
    """By channel; one that is not named here is nobody's."""

    def candidates(self, mpc: str) -> frozenset[Certificate]:
        """Return the certificates that may have signed a request for ``mpc``.

        Raises:
            EbmsFault: 0001 for a channel that does not exist.
        """
        found = self.allowed.get(mpc)
        if found is None:
            raise unknown_channel(mpc)
        return found


def unknown_channel(mpc: str) -> EbmsFault:
    """Return the refusal of a request for a channel that does not exist."""
    return EbmsFault(
        EbmsErrorCode.VALUE_NOT_RECOGNIZED,
        f'Expected a channel of this gateway, found "{mpc[:200]}"',
        hint="Ask for the channel that was agreed; capital letters count.",
    )


def wait_before_next(last_wait: float, *, got_message: bool) -> float:
    """Return how many seconds to wait before the next pull request: none after a message, else twice as long."""
    return 0.0 if got_message else min(max(last_wait * 2, SHORTEST_WAIT), LONGEST_WAIT)
