"""Sends what is queued: claim, post the stored bytes, then accepted, again later, or a dead letter.

A retry sends the very same bytes under the same message id (AS4 1.0 section 3.2): re-signing would break the
matching of receipts. What an attempt means for the node (a case, a forwarded message) is stored by the
``OutboxOwner``, so that state and consequence land in one transaction.
"""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, Protocol

from eessi_sim.as4 import confirmation, msh
from eessi_sim.as4.ebms_errors import EbmsFault
from eessi_sim.as4.exchange import OutboundEvent, OutboundState, advance_outbound, next_attempt, wait_after
from eessi_sim.as4.model import ErrorSignal, Receipt
from eessi_sim.as4.msh import Unpacked
from eessi_sim.errors import Conflict, StorageError, TransportError, XmlError
from eessi_sim.gateway.records import answered
from eessi_sim.gateway.station import Station
from eessi_sim.gateway.turns import Turns
from eessi_sim.identifiers import MessageId
from eessi_sim.storage.base import (
    Claim,
    Direction,
    MessageChanges,
    MessageKind,
    MessageQuery,
    StoredMessage,
    UnitOfWork,
)
from eessi_sim.transport.base import Response

WAITING: Final = (
    OutboundState.SUBMITTED,
    OutboundState.RETRY_DUE,
    OutboundState.AWAITING_RECEIPT,
    OutboundState.SENDING,
)
"""States from which a message is sent; SENDING only when the lease of a crashed worker has ended."""
_LEASE: Final = timedelta(minutes=2)
_WITHIN: Final = 60.0
"""Seconds for one attempt (our choice, inferred)."""
_OCTETS_PER_SECOND: Final = 20 * 1024 * 1024
"""What a line and the checks of the other side manage of a large message at least (our choice, inferred)."""
_MARGIN: Final = 5.0
_RETRIES: Final = (OutboundState.RETRY_DUE,)
_BROUGHT_FORWARD: Final = 2000
"""Messages whose next attempt is made at once when their endpoint is back (our choice, inferred)."""
_TOGETHER: Final = 50
"""Of them, so many in one commit."""
_UNSENT: Final = (OutboundState.RETRY_DUE, OutboundState.SENDING)
"""States of a message that those behind it must not pass."""
_BEHIND: Final = timedelta(seconds=0.05)
"""How much later than its predecessor a message is tried that waits behind it."""
_BEHIND_SENDING: Final = timedelta(seconds=1)
"""When to look again at a predecessor that somebody else is sending, or was."""
_AGAIN_LATER: Final = frozenset({408, 425, 429, 500, 502, 503, 504})


class Verdict(StrEnum):
    """What became of one attempt to send."""

    ACCEPTED = "accepted"
    AGAIN = "again"
    REFUSED = "refused"
    RECEIPTED = "receipted"
    """The answer was the receipt of the receiver itself."""
    EXHAUSTED = "exhausted"
    """All attempts were used up before; nothing was sent."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt to send a message and how it ended."""

    verdict: Verdict
    reason: str = ""
    """Empty when accepted; else code and sentence, for the journal and the dead letter."""
    receipt: StoredMessage | None = None
    """That came as the answer, verified."""


@dataclass(frozen=True, slots=True)
class Settlement:
    """What an attempt makes of the message: its new state and the fields that go with it."""

    state: OutboundState
    changes: MessageChanges
    """Of the stored message, its state included."""

    @property
    def is_dead_letter(self) -> bool:
        """Whether the message cannot go on."""
        return self.state in (OutboundState.REJECTED, OutboundState.DEAD_LETTERED)


def _seconds_for(size: int) -> float:
    """Return how long an attempt may take: less than the lease, or somebody else would begin another one."""
    return min(_WITHIN + size / _OCTETS_PER_SECOND, _LEASE.total_seconds() - _MARGIN)


def reason_of(signal: ErrorSignal) -> str:
    """Return the errors of ``signal`` as one line for the journal and the dead letter."""
    return "; ".join(
        " ".join(filter(None, (error.code, error.short_description, error.description)))
        for error in signal.errors
    )


def _due_behind(earlier: StoredMessage, now: datetime) -> datetime:
    if earlier.state == OutboundState.SENDING:
        return now + _BEHIND_SENDING
    return max(earlier.due_at or now, now) + _BEHIND


class OutboxOwner(Protocol):
    """The node behind the outbox."""

    async def settle(self, message: StoredMessage, attempt: Attempt, settlement: Settlement) -> None:
        """Store what an attempt means for the message and for the node, in one transaction."""
        ...


class Outbox:
    """The outgoing queue of a node.

    Args:
        station: the node's identity, seams and limits.
        owner: stores what each attempt means.
        forwards: True at an intermediary: a user message is done when the next hop has it, receipts are the
            business of the ends (ebMS3 Part 2 section 2.4).
    """

    def __init__(self, station: Station, owner: OutboxOwner, *, forwards: bool = False) -> None:
        self._station = station
        self._owner = owner
        self._forwards = forwards
        self._has_retries = True
        """Whether messages may wait for another attempt, by this process or another one; a start does not know."""
        self._stale_until = station.clock.now()
        """Until then the lease of a message may run that this process could not do to its end."""
        self._turns = Turns()
        self._away: set[str] = set()
        """Endpoints at which the last attempt failed."""

    async def claim(self, limit: int) -> Sequence[StoredMessage]:
        """Take due messages."""
        claimed = await self._station.store.claim(
            Claim(
                direction=Direction.OUT,
                states=WAITING,
                claimed_state=OutboundState.SENDING,
                now=self._station.clock.now(),
                lease=_LEASE,
                limit=limit,
                worker=self._station.worker,
            )
        )
        self._turns.enter(claimed)
        if claimed and not self._has_retries:  # another process of the node may have met a peer that is away
            self._has_retries = await self._may_have_retries()
        return claimed

    async def _may_have_retries(self) -> bool:
        try:
            return await self._station.store.next_due(Direction.OUT, _RETRIES) is not None
        except StorageError:
            return True  # what was claimed is not to be lost until its lease ends

    async def next_due(self) -> datetime | None:
        """Return when the next message is due."""
        return await self._station.store.next_due(Direction.OUT, WAITING)

    async def process(self, message: StoredMessage) -> None:
        """Send one message and store what that means; not before those of its case that were sent earlier."""
        async with self._turns.turn_of(message):
            try:
                await self._process(message)
            except StorageError:
                self._has_retries = True  # it waits for the end of its lease; those behind it must not pass
                self._stale_until = self._station.clock.now() + _LEASE
                raise

    async def _process(self, message: StoredMessage) -> None:
        earlier = await self._earlier(message)
        if earlier is not None:
            await self._wait_behind(earlier, message)
            return
        if message.attempts > self._station.awareness.retries:
            attempt = Attempt(Verdict.EXHAUSTED, "EBMS:0301 MissingReceipt: no receipt after the last retry")
        else:
            attempt = await self._post(message)
        self._station.measures.attempts[attempt.verdict] += 1
        await self._owner.settle(message, attempt, self._settlement(message, attempt))
        if message.endpoint is not None and attempt.verdict is not Verdict.EXHAUSTED:
            await self._learn(message.endpoint, is_away=attempt.verdict is Verdict.AGAIN)

    async def _learn(self, endpoint: str, *, is_away: bool) -> None:
        """Take note of an endpoint that does not take messages; once it does again, what waits for it is due at once.

        The wait between attempts grows for the sake of those who are away, not of those who are back.
        """
        if is_away:
            self._away.add(endpoint)
        elif endpoint in self._away:
            self._away.discard(endpoint)
            await self._bring_forward(endpoint)

    async def _bring_forward(self, endpoint: str) -> None:
        station = self._station
        now = station.clock.now()
        query = MessageQuery(direction=Direction.OUT, states=_RETRIES)
        waiting = [
            each.message_id
            for each in await station.store.messages(query, limit=_BROUGHT_FORWARD)
            if each.endpoint == endpoint and each.due_at is not None and each.due_at > now
        ]
        for start in range(0, len(waiting), _TOGETHER):
            work = UnitOfWork()
            for message_id in waiting[start : start + _TOGETHER]:
                work.update_message(Direction.OUT, message_id, expected_states=_RETRIES, due_at=now)
            with contextlib.suppress(
                Conflict
            ):  # one of them is being sent meanwhile; the others keep their time
                await station.store.commit(work)

    async def failed(self, message: StoredMessage, fault: Exception) -> None:
        """Make a message that our own code cannot send a dead letter."""
        attempt = Attempt(Verdict.REFUSED, f"internal: {type(fault).__name__}")
        await self._owner.settle(message, attempt, self._settlement(message, attempt))

    async def _earlier(self, message: StoredMessage) -> StoredMessage | None:
        """Return a message of the same case to the same receiver that waits for another attempt.

        The wait between attempts grows, so that what was sent later would come first, and be refused for want
        of what it follows.
        """
        store = self._station.store
        if message.kind is not MessageKind.USER or not self._has_retries:
            return None
        if not await self._some_wait():
            self._has_retries = False
            return None
        waiting = MessageQuery(
            direction=Direction.OUT,
            kind=MessageKind.USER,
            states=_UNSENT,
            conversation=message.conversation,
            before=message.seq,
        )
        return next(
            (each for each in await store.messages(waiting) if each.receiver == message.receiver), None
        )

    async def _some_wait(self) -> bool:
        station = self._station
        if station.clock.now() < self._stale_until:
            return True
        return await station.store.next_due(Direction.OUT, _RETRIES) is not None

    async def _wait_behind(self, earlier: StoredMessage, message: StoredMessage) -> None:
        """Let a message wait until the earlier one was tried again; that is no attempt."""
        station = self._station
        now = station.clock.now()
        work = UnitOfWork()
        work.update_message(
            Direction.OUT,
            message.message_id,
            expected_states=(OutboundState.SENDING,),
            state=OutboundState.RETRY_DUE,
            due_at=_due_behind(earlier, now),
            updated_at=now,
        )
        work.journal(
            station.note("waits", "behind-earlier", message_id=message.message_id, earlier=earlier.message_id)
        )
        await station.store.commit(work)

    async def _post(self, message: StoredMessage) -> Attempt:
        if message.endpoint is None:
            return Attempt(Verdict.REFUSED, "EBMS:0020 no endpoint to send to")
        try:
            response = await self._station.transport.send(
                message.endpoint,
                message.octets,
                headers={"content-type": message.content_type},
                within=_seconds_for(len(message.octets)),
            )
        except TransportError as error:
            return Attempt(Verdict.AGAIN, f"{error.code}: {error.message}")
        return self._read(message, message.endpoint, response)

    def _read(self, message: StoredMessage, endpoint: str, response: Response) -> Attempt:
        """Tell what an HTTP answer means; ebMS errors come with 200, 400 or 500 (all are in use)."""
        answer = self._message_in(response)
        if answer is not None and isinstance(answer.unit, ErrorSignal):
            return self._judge(endpoint, message.message_id, answer, answer.unit)
        if answer is not None and isinstance(answer.unit, Receipt) and not self._forwards_user(message):
            return self._confirmed(message, endpoint, response, answer)
        if response.status in (200, 202, 204):
            return Attempt(Verdict.ACCEPTED)
        reason = f"HTTP {response.status} {response.body[:200].decode(errors='replace').strip()}"
        return Attempt(Verdict.AGAIN if response.status in _AGAIN_LATER else Verdict.REFUSED, reason)

    def _message_in(self, response: Response) -> Unpacked | None:
        content_type = response.headers.get("content-type", "")
        if not response.body or not ("xml" in content_type or "multipart" in content_type):
            return None
        try:
            return msh.unpack(content_type, response.body, self._station.limits)
        except (EbmsFault, XmlError):
            return None

    def _forwards_user(self, message: StoredMessage) -> bool:
        """Whether the message is somebody else's: receipts of its receiver are the business of its sender."""
        return self._forwards and message.sender != self._station.party

    def _confirmed(
        self, message: StoredMessage, endpoint: str, response: Response, answer: Unpacked
    ) -> Attempt:
        """Believe a receipt in the answer when the next hop signed it and it confirms all that was sent."""
        station = self._station
        if answer.unit.info.ref_to_message_id != message.message_id:
            return Attempt(Verdict.AGAIN, "A receipt of another message came back")
        try:
            self._verify(endpoint, answer)
            confirmation.check_receipt(answer, station.references_of(message))
        except EbmsFault as fault:
            return Attempt(Verdict.AGAIN, f"A receipt that confirms nothing came back: {fault.message}")
        return Attempt(Verdict.RECEIPTED, receipt=answered(message, answer, response, station.clock.now()))

    def _verify(self, endpoint: str, answer: Unpacked) -> None:
        station = self._station
        msh.verify(
            answer,
            candidates=station.directory.current.certificates_at(endpoint).ebms,
            trust=station.trust,
            at=station.clock.now(),
            policy=station.policy,
        )

    def _judge(self, endpoint: str, message_id: MessageId, answer: Unpacked, signal: ErrorSignal) -> Attempt:
        """Believe an error only when the next hop signed it and it is about this message.

        Whatever else answers may be anybody who wants to stop the sender: the message is sent again.
        """
        reason = reason_of(signal)
        if signal.info.ref_to_message_id not in (None, message_id):
            return Attempt(Verdict.AGAIN, f"An error about another message came back: {reason}")
        try:
            self._verify(endpoint, answer)
        except EbmsFault as fault:
            return Attempt(
                Verdict.AGAIN, f"An error of unproven origin came back: {reason} ({fault.message})"
            )
        return Attempt(Verdict.REFUSED if signal.is_failure else Verdict.ACCEPTED, reason)

    def _settlement(self, message: StoredMessage, attempt: Attempt) -> Settlement:
        now = self._station.clock.now()
        attempts = message.attempts + 1
        changes: MessageChanges = {"attempts": attempts, "updated_at": now, "due_at": None}
        if attempt.verdict is Verdict.RECEIPTED:
            changes["accepted_at"] = message.accepted_at or now
            changes["receipted_at"] = now
            event = OutboundEvent.RECEIPT
        elif attempt.verdict is Verdict.ACCEPTED:
            changes["accepted_at"] = message.accepted_at or now
            event = OutboundEvent.HANDED_OVER
            if message.kind is MessageKind.USER and not self._forwards_user(message):
                changes["due_at"] = now + wait_after(self._station.receipts, attempts)
                event = OutboundEvent.ACCEPTED
        else:
            changes["last_error"] = attempt.reason
            event = OutboundEvent.FAILURE
            if attempt.verdict is not Verdict.REFUSED:
                due = next_attempt(self._station.awareness, attempts, now)
                changes["due_at"] = due
                event = OutboundEvent.UNREACHABLE if due else OutboundEvent.EXHAUSTED
        state = advance_outbound(OutboundState.SENDING, event)
        self._has_retries |= state is OutboundState.RETRY_DUE
        changes["state"] = state
        return Settlement(state, changes)
