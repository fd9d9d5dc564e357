"""Whether a node takes new work; receipts, errors and pull requests come in all the same, so that old work can end."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

RETRY_AFTER: Final = 30
"""Seconds after which a refused sender may try again (our choice, inferred)."""


class Gate:
    """Open from the start; closed while the node is drained."""

    def __init__(self) -> None:
        self.is_open = True
        self.trouble: str | None = None
        """Why the last message could not be stored; None since one could be."""
        self._under_way = 0
        self._idle = asyncio.Event()
        self._idle.set()

    @contextmanager
    def passing(self) -> Iterator[None]:
        """Count a request while it is answered."""
        self._under_way += 1
        self._idle.clear()
        try:
            yield
        finally:
            self._under_way -= 1
            if not self._under_way:
                self._idle.set()

    @property
    def under_way(self) -> int:
        """Requests that are being answered."""
        return self._under_way

    async def until_idle(self) -> None:
        """Return when no request is being answered."""
        await self._idle.wait()
