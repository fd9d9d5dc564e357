"""What became of sent documents: accepted, receipted, refused; kept with the message and in the case."""

from typing import Final

from eessi_sim.as4.exchange import OutboundEvent, OutboundState, advance_outbound
from eessi_sim.as4.model import ErrorSignal
from eessi_sim.buc import engine
from eessi_sim.buc.case import DeliveryStatus
from eessi_sim.errors import Conflict
from eessi_sim.gateway.outbox import Attempt, Settlement, reason_of
from eessi_sim.gateway.station import Station
from eessi_sim.identifiers import InternationalId
from eessi_sim.institution.office import CaseLocks
from eessi_sim.institution.overtaken import again_when_overtaken
from eessi_sim.storage.base import Direction, JournalEntry, MessageKind, StoredMessage, UnitOfWork

_UNDELIVERED: Final = frozenset(OutboundState) - {OutboundState.DELIVERED}


class Deliveries:
    """Owner of the outbox of an institution.

    Args:
        station: the institution's identity and seams.
        locks: one per case.
    """

    def __init__(self, station: Station, locks: CaseLocks) -> None:
        self._station = station
        self._locks = locks

    async def settle(self, message: StoredMessage, attempt: Attempt, settlement: Settlement) -> None:
        """Store what an attempt to send means."""
        station = self._station
        step = "accepted" if not attempt.reason else "attempted"
        note = station.note(
            step,
            settlement.state,
            message_id=message.message_id,
            kind=message.kind,
            **({"reason": attempt.reason} if attempt.reason else {}),
        )
        work = UnitOfWork()
        work.update_message(
            Direction.OUT,
            message.message_id,
            expected_states=(OutboundState.SENDING,),
            **settlement.changes,
        )
        work.journal(note)
        if attempt.receipt is not None:
            work.add_message(attempt.receipt)
            work.journal(station.note("receipted", "ok", message_id=message.message_id))
        try:
            if attempt.receipt is not None:
                await self._with_case(message, work, DeliveryStatus.DELIVERED, "")
            elif settlement.is_dead_letter and message.kind is MessageKind.USER:
                await self._with_case(message, work, DeliveryStatus.ERROR, attempt.reason)
            else:
                await station.store.commit(work)
        except Conflict:
            await self._overtaken(message, settlement, note)

    async def _overtaken(self, message: StoredMessage, settlement: Settlement, note: JournalEntry) -> None:
        """Keep the time of acceptance of a message whose receipt was faster than the answer of the hop."""
        work = UnitOfWork()
        accepted_at = settlement.changes.get("accepted_at", message.accepted_at)
        work.update_message(Direction.OUT, message.message_id, accepted_at=accepted_at)
        work.journal(note)
        await self._station.store.commit(work)

    async def receipted(self, original: StoredMessage, receipt: StoredMessage) -> None:
        """Store a verified receipt: the document counts as legally delivered from now on.

        The moment of delivery is the acknowledgement by the receiving endpoint (decision E6 as summarised
        publicly, documented).
        """
        now = self._station.clock.now()
        work = UnitOfWork()
        work.add_message(receipt)
        work.update_message(
            Direction.OUT,
            original.message_id,
            state=advance_outbound(OutboundState(original.state), OutboundEvent.RECEIPT),
            due_at=None,
            receipted_at=now,
            updated_at=now,
        )
        work.journal(self._station.note("receipted", "ok", message_id=original.message_id))
        await self._with_case(original, work, DeliveryStatus.DELIVERED, "")
        waited = now - (original.accepted_at or original.created_at)
        self._station.measures.receipt_seconds.observe(max(waited.total_seconds(), 0))

    async def error_arrived(
        self, original: StoredMessage, message: StoredMessage, signal: ErrorSignal
    ) -> None:
        """Store an error about a sent message; a warning, or one after the receipt, changes no state.

        The findings in its detail, which may show a person, stay in the error itself.

        Raises:
            Conflict: the receipt came meanwhile; ask again.
        """
        now = self._station.clock.now()
        reason = reason_of(signal)
        final = signal.is_failure and original.state != OutboundState.DELIVERED
        work = UnitOfWork()
        work.add_message(message)
        work.journal(
            self._station.note(
                "error-received",
                "failure" if signal.is_failure else "warning",
                message_id=original.message_id,
                reason=reason,
            )
        )
        if not final:
            await self._station.store.commit(work)
            return
        work.update_message(
            Direction.OUT,
            original.message_id,
            expected_states=_UNDELIVERED,  # the receipt may have come since the message was read
            state=OutboundState.REJECTED,
            due_at=None,
            updated_at=now,
            last_error=reason,
        )
        await self._with_case(original, work, DeliveryStatus.ERROR, reason)

    @again_when_overtaken
    async def _with_case(
        self, message: StoredMessage, work: UnitOfWork, status: DeliveryStatus, detail: str
    ) -> None:
        """Commit ``work`` together with the delivery in the case the message belongs to."""
        store, work = self._station.store, work.copy()
        if "case" not in message.details:  # a ping belongs to no case
            await store.commit(work)
            return
        international_id = InternationalId(message.details["case"])
        async with self._locks.of(international_id):
            case = await store.find_case_by_international(international_id)
            if case is not None:
                changed = engine.record_delivery(
                    case, message.message_id, status, at=self._station.clock.now(), detail=detail
                )
                work.save_case(changed, case.revision)
            await store.commit(work)
