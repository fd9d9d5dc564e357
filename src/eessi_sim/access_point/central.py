"""The central service node: keeps the Institution Repository and gives it to the access points.

It sends SYN001 when there is a newer version, and takes the answers to its SYN005. The directory in force can also be
read as the snapshot of ``ir.snapshot``.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from eessi_sim.as4.ebms_errors import EbmsErrorCode, EbmsFault
from eessi_sim.as4.exchange import InboundState, OutboundState
from eessi_sim.as4.msh import Unpacked
from eessi_sim.gateway.inbox import Inbox, Received, refused, synchronous_error
from eessi_sim.gateway.intake import take_received
from eessi_sim.gateway.outbox import Attempt, Outbox, Settlement
from eessi_sim.gateway.station import Station
from eessi_sim.gateway.worker import Worker
from eessi_sim.identifiers import InstitutionId
from eessi_sim.ir import snapshot
from eessi_sim.security.keys import Certificate
from eessi_sim.storage.base import Direction, StoredMessage, UnitOfWork
from eessi_sim.synchronisation.desk import SystemDesk, is_system, unit_of
from eessi_sim.synchronisation.synchroniser import Holdings, Synchroniser
from eessi_sim.transport.base import Request, Response

DIRECTORY_PATH: Final = "SystemMessaging/v1.0/Directory"
"""Where it answers GET, below its base (our choice, inferred)."""
_WAITING: Final = (InboundState.RECEIVED, InboundState.PROCESSING)


class CentralNode:
    """The central service node as one object: handle requests, start, stop.

    Args:
        station: its identity and seams.
        holdings: what it synchronises.
    """

    def __init__(self, station: Station, holdings: Holdings) -> None:
        self._station = station
        self._outbox = Worker(f"outbox {station.party}", station.clock, Outbox(station, self))
        self._work = Worker(f"system messages {station.party}", station.clock, self)
        self._inbox = Inbox(station, _Entrance(station, self._work))
        self.synchroniser = Synchroniser(station, holdings, self._outbox.wake)
        """Gives the directory on."""

    @property
    def station(self) -> Station:
        """Identity, seams and limits."""
        return self._station

    @property
    def busy(self) -> bool:
        """Whether something is under way."""
        return self._outbox.busy or self._work.busy

    @property
    def workers(self) -> dict[str, Worker]:
        """Who works its queues off, by what they do."""
        return {"outbox": self._outbox, "work": self._work}

    def take_up(self, message: StoredMessage) -> None:
        """Work on a message that was put back into its queue."""
        (self._work if message.direction is Direction.IN else self._outbox).wake()

    async def handle(self, request: Request) -> Response:
        """Answer a system message, or give the directory to an access point."""
        if not request.path.endswith(DIRECTORY_PATH):
            return await self._inbox.handle(request)
        directory = self._station.directory.current
        client = directory.parties_of_tls(request.peer_certificate or b"")
        if not any(directory.find_access_point(party) for party in client):
            return refused(403, "Only access points ask the central service node")
        if request.method != "GET":
            return refused(405, "The directory is read by GET")
        return Response(200, {"content-type": "application/json"}, snapshot.write(directory))

    async def start(self) -> None:
        """Take up what an earlier run left and begin to work."""
        await self._station.store.release(self._station.worker)
        self._work.start()
        self._outbox.start()

    def wake(self) -> None:
        """Look for work: another process that plays this node has written something."""
        self._work.wake()
        self._outbox.wake()

    async def stop(self) -> None:
        """Finish what is under way and stop; the rest waits in the store."""
        await self._work.stop(drain=True)
        await self._outbox.stop(drain=True)

    # What the worker for system messages works off.

    async def claim(self, limit: int) -> Sequence[StoredMessage]:
        """Take system messages that were taken in."""
        return await take_received(self._station, _WAITING, limit)

    async def next_due(self) -> datetime | None:
        """Return when the next one can be taken."""
        return await self._station.store.next_due(Direction.IN, _WAITING)

    async def process(self, message: StoredMessage) -> None:
        """Do what a system message asks for."""
        await self.synchroniser.process(message)

    async def failed(self, message: StoredMessage, fault: Exception) -> None:
        """Keep a message that our own code cannot process as a dead letter."""
        reason = f"internal: {type(fault).__name__}"
        work = UnitOfWork()
        work.update_message(
            Direction.IN, message.message_id, state=InboundState.DEAD_LETTERED, last_error=reason
        )
        await self._station.store.commit(work)

    # What the outbox asks of its owner.

    async def settle(self, message: StoredMessage, attempt: Attempt, settlement: Settlement) -> None:
        """Store what an attempt to send means, its receipt included."""
        station = self._station
        work = UnitOfWork()
        work.update_message(
            Direction.OUT,
            message.message_id,
            expected_states=(OutboundState.SENDING,),
            **settlement.changes,
        )
        reason = {"reason": attempt.reason} if attempt.reason else {}
        work.journal(
            station.note(
                "attempted" if attempt.reason else "accepted",
                settlement.state,
                message_id=message.message_id,
                to=message.receiver,
                kind=message.kind,
                **reason,
            )
        )
        if attempt.receipt is not None:
            work.add_message(attempt.receipt)
        await station.store.commit(work)


class _Entrance:
    """Acceptor of the central service node: system messages only."""

    def __init__(self, station: Station, work: Worker) -> None:
        self._station = station
        self._desk = SystemDesk(station, work)

    def allow(self, client: frozenset[InstitutionId], unpacked: Unpacked) -> None:
        """Let system messages in, from who sends them."""
        if not is_system(unpacked):
            raise EbmsFault(
                EbmsErrorCode.FEATURE_NOT_SUPPORTED,
                "Expected a system message at the central service node, found another one",
                hint="Business messages go to the outbox of the own access point.",
            )
        self._desk.allow(client, unit_of(unpacked))

    def opened(self, client: frozenset[InstitutionId], unpacked: Unpacked) -> Unpacked:  # noqa: ARG002 - of Acceptor
        """Nothing is encrypted on the way of system messages (observed)."""
        return unpacked

    async def candidates(self, unpacked: Unpacked) -> tuple[Certificate, ...]:
        """Return with which certificates the sender may sign."""
        return self._desk.candidates(unit_of(unpacked))

    async def accept(self, received: Received) -> Response:
        """Store the message and answer with its receipt."""
        return await self._desk.accept(received, unit_of(received.unpacked))

    async def refuse(
        self,
        unpacked: Unpacked,
        fault: EbmsFault,
        client: frozenset[InstitutionId],
        *,
        verified: bool,  # noqa: ARG002 - of Acceptor; who hands in is told either way
    ) -> Response:
        """Answer at once with a signed error; the TLS client is known, so it may learn the reason."""
        station = self._station
        fault.about(unpacked.unit.info.message_id)
        work = UnitOfWork()
        work.journal(
            station.note(
                "refused",
                fault.error_code.code,
                message_id=unpacked.unit.info.message_id,
                reason=fault.message,
                client=", ".join(sorted(client)),
            )
        )
        await station.store.commit(work)
        return synchronous_error(station, fault)
