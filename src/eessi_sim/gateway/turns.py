"""Whose turn it is: of the messages of one case to one receiver, the one that was stored first.

Sent side by side they would overtake each other as soon as one of them meets a broken connection, and whoever comes too
early is refused in the end for want of what it follows.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from eessi_sim.storage.base import MessageKind, StoredMessage

_Way = tuple[str, str]


class Turns:
    """The messages that this process has claimed and not yet done."""

    def __init__(self) -> None:
        self._lanes: dict[_Way, dict[int, asyncio.Event]] = {}
        """By case and receiver: the ends of messages by their place in the store."""

    def enter(self, messages: Sequence[StoredMessage]) -> None:
        """Take note of messages that were claimed; signals follow no order."""
        for message in messages:
            if message.kind is MessageKind.USER:
                self._lanes.setdefault(_way(message), {}).setdefault(message.seq, asyncio.Event())

    @asynccontextmanager
    async def turn_of(self, message: StoredMessage) -> AsyncIterator[None]:
        """Wait until everything before a message is done; behind the block the message itself is."""
        try:
            while (before := self._before(message)) is not None:
                await before.wait()
            yield
        finally:
            self._leave(message)

    def _before(self, message: StoredMessage) -> asyncio.Event | None:
        lane = self._lanes.get(_way(message), {})
        first = min(lane, default=message.seq)
        return lane[first] if first < message.seq else None

    def _leave(self, message: StoredMessage) -> None:
        lane = self._lanes.get(_way(message), {})
        done = lane.pop(message.seq, None)
        if done is not None:
            done.set()
        if not lane:
            self._lanes.pop(_way(message), None)


def _way(message: StoredMessage) -> _Way:
    return message.conversation, message.receiver
