"""Takes received messages out of the store for the worker that processes them; the same at every kind of node."""

from collections.abc import Collection
from datetime import timedelta
from typing import Final

from eessi_sim.as4.exchange import InboundState
from eessi_sim.gateway.station import Station
from eessi_sim.storage.base import Claim, Direction, StoredMessage

_LEASE: Final = timedelta(minutes=2)


async def take_received(station: Station, states: Collection[str], limit: int) -> tuple[StoredMessage, ...]:
    """Take due messages that stand in one of ``states``; each is for one worker only, until its lease ends.

    Args:
        station: whose messages.
        states: those that the worker works off.
        limit: at most so many.
    """
    return await station.store.claim(
        Claim(
            direction=Direction.IN,
            states=states,
            claimed_state=InboundState.PROCESSING,
            now=station.clock.now(),
            lease=_LEASE,
            limit=limit,
            worker=station.worker,
        )
    )
