"""Hears the commits of all processes that share a PostgreSQL store, and rings a bell for each."""

import asyncio
from typing import Any, Final

from eessi_sim.errors import Unavailable
from eessi_sim.storage.bell import Bell
from eessi_sim.storage.postgresql_commit import channel_of
from eessi_sim.storage.postgresql_server import FOREIGN_ERRORS, Address

_FIRST_PAUSE: Final = 0.05
_LONGEST_PAUSE: Final = 2.0
"""Between attempts to connect again (our choice, inferred)."""


class Ear:
    """Listens on a connection of its own, and connects again when it is lost.

    Args:
        address: of the store.
        bell: rung after each commit of anybody, and after a time of deafness.
    """

    def __init__(self, address: Address, bell: Bell) -> None:
        self._address = address
        self._bell = bell
        self._task = asyncio.create_task(self._listen_always())

    async def close(self) -> None:
        """Stop listening."""
        self._task.cancel()
        await asyncio.wait([self._task])

    async def _listen_always(self) -> None:
        pause = _FIRST_PAUSE
        while True:
            try:
                await self._listen()
                pause = _FIRST_PAUSE
            except (Unavailable, *FOREIGN_ERRORS):
                await asyncio.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)

    async def _listen(self) -> None:
        """Listen until the connection is lost."""
        connection = await self._address.connect()
        lost = asyncio.Event()
        try:
            connection.add_termination_listener(lambda _: lost.set())
            await connection.add_listener(channel_of(self._address), self._hear)
            self._bell.ring()  # whatever was committed before is seen by who looks now
            await lost.wait()
        finally:
            connection.terminate()

    def _hear(self, connection: Any, pid: int, channel: str, payload: object) -> None:  # noqa: ARG002 - given by the driver; Any: its kind of connection
        self._bell.ring()
