"""The load: every institution opens cases and sends, as many as the network takes.

Back-pressure: an institution with too many SEDs without receipt waits. A request whose answer was not heard has an
unknown outcome; it is not repeated, the case is left, and the audit asks the store of the sender.
"""

import asyncio
import contextlib
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Final

from eessi_sim.as4.exchange import OutboundState
from eessi_sim.chaos.model import Load
from eessi_sim.errors import ConnectFailed
from eessi_sim.identifiers import InstitutionId
from eessi_sim.simulation.remote import RemoteControl, RemoteRefusal

_LOOK_AGAIN: Final = 0.25
"""Seconds between two looks into the journal of a node, and after a request that failed."""
_ENDS: Final = frozenset({OutboundState.REJECTED, OutboundState.DEAD_LETTERED})


@dataclass(slots=True)
class Promises:
    """What one institution confirmed, and what came of it so far."""

    confirmed: list[str] = field(default_factory=list)
    """Ids of messages, in the order of their confirmation."""
    open: set[str] = field(default_factory=set)
    """Those without an end."""
    ended: set[str] = field(default_factory=set)
    """Ids whose end was seen; it may be seen before the confirmation."""
    receipted: list[str] = field(default_factory=list)
    """Those of them that were receipted, in that order."""
    unknown: int = 0
    """Requests whose answer was not heard."""
    refused: Counter[str] = field(default_factory=Counter)
    """Codes of refusals."""

    def confirm(self, message_id: str) -> None:
        """Note that the institution says it will send a message."""
        self.confirmed.append(message_id)
        if message_id not in self.ended:
            self.open.add(message_id)

    def end(self, message_id: str, *, is_receipted: bool) -> None:
        """Note that a message was receipted, or cannot go on."""
        if is_receipted:
            self.receipted.append(message_id)
        self.ended.add(message_id)
        self.open.discard(message_id)


class Drive:
    """Sends until it is told to stop.

    Args:
        controls: the institutions.
        load: what they send.
    """

    def __init__(self, controls: dict[InstitutionId, RemoteControl], load: Load) -> None:
        self._controls = controls
        self._load = load
        self.promises: dict[InstitutionId, Promises] = defaultdict(Promises)
        self._stop = asyncio.Event()
        self._room = {party: asyncio.Event() for party in controls}

    async def run(self) -> None:
        """Send until ``stop``; the last requests are waited for."""
        followers = [asyncio.create_task(self._follow(party)) for party in self._controls]
        try:
            await asyncio.gather(
                *(self._lane(party) for party in self._controls for _ in range(self._load.lanes))
            )
        finally:
            for follower in followers:
                follower.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await follower  # raises what ended it before its time

    def stop(self) -> None:
        """Begin nothing new."""
        self._stop.set()

    async def _lane(self, party: InstitutionId) -> None:
        others = [each for each in self._controls if each != party]
        number = 0
        while not self._stop.is_set():
            number += 1
            try:
                await self._case(party, others[number % len(others)])
            except ConnectFailed:
                self.promises[party].unknown += 1
                await self._moment()
            except RemoteRefusal as refusal:
                self.promises[party].refused[refusal.code] += 1
                await self._moment()

    async def _case(self, party: InstitutionId, receiver: InstitutionId) -> None:
        control = self._controls[party]
        await self._until_room(party)
        case_id = await control.open_case(self._load.buc, [receiver])
        for sed in self._load.seds:
            await self._until_room(party)
            if self._stop.is_set():
                return
            case = await control.send(case_id, sed)
            message_id = case.documents[-1].deliveries[0].message_id
            assert message_id is not None  # it was handed to the outbox
            self.promises[party].confirm(message_id)

    async def _until_room(self, party: InstitutionId) -> None:
        while not self._stop.is_set() and len(self.promises[party].open) >= self._load.under_way:
            await self._moment()

    async def _moment(self) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stop.wait(), _LOOK_AGAIN)

    async def _follow(self, party: InstitutionId) -> None:
        """Read the journal of an institution for the ends of messages."""
        seen = 0
        while True:
            try:
                entries = await self._controls[party].journal(seen)
            except (ConnectFailed, RemoteRefusal):
                entries = ()
            for entry in entries:
                seen = entry.seq
                is_receipted = entry.step == "receipted"
                if entry.message_id and (is_receipted or entry.outcome in _ENDS):
                    self.promises[party].end(entry.message_id, is_receipted=is_receipted)
            if not entries:
                await asyncio.sleep(_LOOK_AGAIN)
