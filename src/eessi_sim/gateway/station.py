"""What one node works with: its identity, its seams and its limits, handed in once.

No behaviour beyond small conveniences; who decides what to do with a message is not here.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from eessi_sim.as4 import msh
from eessi_sim.as4.limits import As4Limits
from eessi_sim.as4.msh import Stamp, Unpacked
from eessi_sim.as4.pmode import ReceptionAwareness
from eessi_sim.attachments import DEFAULT_LIMITS, AttachmentLimits
from eessi_sim.clock import Clock
from eessi_sim.gateway.gate import Gate
from eessi_sim.gateway.recent import Recent
from eessi_sim.identifiers import IdFactory, InstitutionId, MessageId
from eessi_sim.ir.repository import InstitutionRepository
from eessi_sim.measures import Measures
from eessi_sim.security.keys import Certificate, KeyPair
from eessi_sim.security.policy import DEFAULT as DEFAULT_POLICY
from eessi_sim.security.policy import SignaturePolicy
from eessi_sim.security.trust import TrustStore
from eessi_sim.security.xmldsig import Reference
from eessi_sim.spool import Spool
from eessi_sim.storage.base import JournalEntry, NodeStore, StoredMessage
from eessi_sim.transport.base import Transport

DEFAULT_QUEUE: Final = 10_000
"""User messages that may wait at an access point (our choice, inferred)."""

RECEIPTS: Final = ReceptionAwareness(retries=5, interval=60, multiplier=5, max_interval=86_400)
"""Waits for a receipt: a minute, then longer; 37 hours in all, more than an access point tries and than an institution
has to collect its messages (decision E6 as summarised publicly, documented; the schedule is ours, inferred)."""


@dataclass(slots=True)
class Directory:
    """The Institution Repository in force; replaced as a whole when a newer one arrives."""

    current: InstitutionRepository
    keep: Callable[[InstitutionRepository], None] | None = None
    """Makes a version durable; None where nothing outlives the process."""

    async def install(self, newer: InstitutionRepository) -> None:
        """Put a newer version in force, once it is durable."""
        if self.keep is not None:
            await asyncio.to_thread(self.keep, newer)
        self.current = newer


@dataclass(frozen=True, slots=True)
class Station:
    """Identity, seams and limits of one node."""

    party: InstitutionId
    """Id of the institution or access point."""
    keys: KeyPair
    """Its ebMS key pair: signs user messages, receipts and errors."""
    clock: Clock
    ids: IdFactory
    store: NodeStore
    transport: Transport
    directory: Directory
    trust: TrustStore
    """Anchors and revocations; a certificate must also be listed in the directory."""
    policy: SignaturePolicy = DEFAULT_POLICY
    limits: As4Limits = field(default_factory=As4Limits)
    attachments: AttachmentLimits = DEFAULT_LIMITS
    """Which attachments it takes."""
    awareness: ReceptionAwareness = field(default_factory=ReceptionAwareness)
    """When a message that did not get through is sent again, and how often."""
    receipts: ReceptionAwareness = field(default_factory=lambda: RECEIPTS)
    """How long an accepted message waits for its receipt before it is sent again, after each attempt."""
    queue: int = DEFAULT_QUEUE
    """User messages that may wait to be checked or sent on; an access point takes no more in."""
    spool: Spool | None = None
    """Where octets go that are too large to be held; None holds them."""
    gate: Gate = field(default_factory=Gate)
    """Whether it takes new work."""
    measures: Measures = field(default_factory=Measures)
    """What it counts."""
    worker: str = ""
    """Name of this process among those that play the party; leases are its own."""
    taken_in: Recent[Unpacked] = field(default_factory=Recent)
    """User messages that were verified and not yet processed."""
    signed: Recent[tuple[Reference, ...]] = field(default_factory=Recent)
    """What the signatures of sent messages cover, until the receipts repeat it."""

    def ebms_certificates(self, party: str) -> tuple[Certificate, ...]:
        """Return the ebMS certificates that the directory lists for ``party``, none when it is unknown."""
        return self.directory.current.ebms_certificates(party)

    def sender_certificates(self, party: str) -> tuple[Certificate, ...]:
        """Return with which certificates ``party`` may sign a user message now, none when its entry has ended."""
        is_listed = self.directory.current.find(party, self.clock.now()) is not None
        return self.ebms_certificates(party) if is_listed else ()

    def stamp(self) -> Stamp:
        """Return a new message id, the time and a token for the next message of this node."""
        return Stamp(self.ids.message_id(self.party), self.clock.now(), self.ids.hex32())

    def unpack(self, message: StoredMessage) -> Unpacked:
        """Return a stored message taken apart, as it was verified a moment ago, or read again.

        Raises:
            EbmsFault, XmlError: as ``msh.unpack``.
        """
        known = self.taken_in.take(message.digest)
        if known is not None:
            return known
        return msh.unpack(message.content_type, message.octets, self.limits)

    def references_of(self, message: StoredMessage) -> tuple[Reference, ...]:
        """Return what a receipt of a message sent by this node must repeat.

        Raises:
            EbmsFault, XmlError: as ``msh.unpack``.
        """
        known = self.signed.take(message.digest)
        if known is not None:
            return known
        return msh.signed_references(msh.unpack(message.content_type, message.octets, self.limits))

    def note(
        self,
        step: str,
        outcome: str,
        *,
        message_id: MessageId | str | None = None,
        case_id: str | None = None,
        **detail: str,
    ) -> JournalEntry:
        """Return a journal line of this node at this moment; never give it personal data."""
        return JournalEntry(
            at=self.clock.now(),
            step=step,
            outcome=outcome,
            message_id=str(message_id) if message_id else None,
            case_id=case_id,
            detail=plain(detail),
        )


def plain(details: Mapping[str, str]) -> dict[str, str]:
    """Return ``details`` with plain texts in place of identifiers and enums, as a store can keep them."""
    return {key: str(value) for key, value in details.items()}
