"""What a node that starts does about messages that would wait longer than any schedule says.

When the clock was ahead while they were put off and shows the right time now, they would wait for as long as it was
ahead, and so would everything of their case behind them.
"""

import contextlib
from collections.abc import AsyncIterator, Collection
from datetime import datetime, timedelta
from typing import Final

from eessi_sim.as4.exchange import OutboundState, wait_after
from eessi_sim.errors import Conflict
from eessi_sim.gateway.outbox import WAITING
from eessi_sim.gateway.station import Station
from eessi_sim.gateway.worker import HOLDS
from eessi_sim.storage.base import Direction, MessageQuery, StoredMessage, UnitOfWork

_PAGE: Final = 500
_MARGIN: Final = timedelta(seconds=1)


async def recall(station: Station, held: Collection[str]) -> int:
    """Bring forward what is put off for longer than the schedules of a node allow; return how many there were.

    An attempt that failed is made again at once. What was accepted waits for its receipt as long as from now on: it would
    be given up if it were due after its last attempt.

    Args:
        station: the node.
        held: states of incoming messages that wait for something that they have overtaken.
    """
    late = [each async for each in _put_off(station, Direction.OUT, WAITING)]
    late += [each async for each in _put_off(station, Direction.IN, held)]
    for message in late:
        work = UnitOfWork()
        work.update_message(
            message.direction,
            message.message_id,
            expected_states=(message.state,),
            due_at=_due(station, message),
        )
        work.journal(station.note("recalled", "clock", message_id=message.message_id))
        with contextlib.suppress(Conflict):  # another process of this node was faster
            await station.store.commit(work)
    return len(late)


async def _put_off(
    station: Station, direction: Direction, states: Collection[str]
) -> AsyncIterator[StoredMessage]:
    now = station.clock.now()
    before: int | None = None
    while True:
        query = MessageQuery(direction=direction, states=frozenset(states), before=before)
        page = await station.store.messages(query, limit=_PAGE)
        for message in page:
            if message.due_at is not None and message.due_at > now + _longest(station, message):
                yield message
        if len(page) < _PAGE:
            return
        before = page[-1].seq


def _due(station: Station, message: StoredMessage) -> datetime:
    now = station.clock.now()
    return now + _longest(station, message) if message.state == OutboundState.AWAITING_RECEIPT else now


def _longest(station: Station, message: StoredMessage) -> timedelta:
    """Return how long a message may be put off at most, by the schedule of its state."""
    if message.direction is Direction.IN:
        return max(HOLDS)
    if message.state == OutboundState.AWAITING_RECEIPT:
        return wait_after(station.receipts, message.attempts)
    # One that waits behind another one waits as long as that one, and a moment more.
    return timedelta(seconds=station.awareness.max_interval) + _MARGIN
