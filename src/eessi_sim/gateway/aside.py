"""Work on large messages beside the event loop, so that a node goes on meanwhile."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from eessi_sim.spool import SpoolFile

_T = TypeVar("_T")


async def aside(spooled: SpoolFile | None, work: Callable[[], _T]) -> _T:
    """Do ``work`` in a thread when it reads a message in the spool, which takes seconds; else at once.

    Args:
        spooled: where the message lies; None when it is held.
        work: touches the message and nothing that others change, the store least of all.
    """
    return work() if spooled is None else await asyncio.to_thread(work)
