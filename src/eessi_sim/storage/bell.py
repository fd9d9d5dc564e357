"""Wakes everybody who waits for news of the journal; one event loop, no thread, no time.

The back ends ring after each commit. What the news is, the woken one reads himself.
"""

import asyncio
from collections.abc import Callable


class Bell:
    """Many tasks wait, one ring wakes them all."""

    def __init__(self) -> None:
        self.rings = 0
        """Who notes this before he looks, and waits until it grew, misses nothing."""
        self._waiting: set[asyncio.Future[None]] = set()

    def ring(self) -> None:
        """Wake everybody who waits now."""
        self.rings += 1
        for waiter in self._waiting:
            if not waiter.done():
                waiter.set_result(None)

    async def wait_until(self, condition: Callable[[], bool]) -> None:
        """Return when ``condition`` holds; it is asked now and after each ring."""
        while not condition():
            waiter = asyncio.get_running_loop().create_future()
            self._waiting.add(waiter)
            try:
                await waiter
            finally:
                self._waiting.discard(waiter)
