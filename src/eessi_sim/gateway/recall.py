"""What a node that starts does about messages that would wait longer than any schedule says.

When the clock was ahead while they were put off and shows the right time now, they would wait for as long as it was
ahead, and so would everything of their case behind them.
"""

import contextlib
from collections.abc import Collection
from datetime import timedelta
from typing import Final

from eessi_sim.errors import Conflict
from eessi_sim.gateway.outbox import WAITING
from eessi_sim.gateway.station import Station
from eessi_sim.gateway.worker import HOLDS
from eessi_sim.storage.base import Direction, MessageQuery, StoredMessage, UnitOfWork

_PAGE: Final = 500


async def recall(station: Station, held: Collection[str]) -> int:
    """Make due at once what is put off for longer than the schedules of a node allow; return how many there were.

    Args:
        station: the node.
        held: states of incoming messages that wait for something that they have overtaken.
    """
    longest = max(timedelta(seconds=station.awareness.max_interval), station.receipt_within)
    outgoing = await _late(station, Direction.OUT, WAITING, longest)
    incoming = await _late(station, Direction.IN, held, max(HOLDS))
    for message in (*outgoing, *incoming):
        work = UnitOfWork()
        now = station.clock.now()
        work.update_message(
            message.direction, message.message_id, expected_states=(message.state,), due_at=now
        )
        work.journal(station.note("recalled", "clock", message_id=message.message_id))
        with contextlib.suppress(Conflict):  # another process of this node was faster
            await station.store.commit(work)
    return len(outgoing) + len(incoming)


async def _late(
    station: Station, direction: Direction, states: Collection[str], longest: timedelta
) -> list[StoredMessage]:
    limit = station.clock.now() + longest
    found: list[StoredMessage] = []
    before: int | None = None
    while True:
        query = MessageQuery(direction=direction, states=frozenset(states), before=before)
        page = await station.store.messages(query, limit=_PAGE)
        found.extend(each for each in page if each.due_at is not None and each.due_at > limit)
        if len(page) < _PAGE:
            return found
        before = page[-1].seq
