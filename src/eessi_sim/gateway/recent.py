"""What a node learnt about its newest messages, so that it does not take them apart a second time.

A memory, not a store: it is bounded, a restart empties it, and whoever finds nothing reads the stored bytes again.
"""

from collections import OrderedDict
from typing import Final, Generic, TypeVar

_MOST_BYTES: Final = 4 * 1024 * 1024
"""Sum of the sizes of what one memory holds: some hundred messages. Of several processes that play a node, one often keeps
what another will ask for; that stays until newer ones need the room (our choice, inferred)."""

Kept = TypeVar("Kept")


class Recent(Generic[Kept]):
    """Keeps values by the digest of a message until they are taken or newer ones need the room.

    Args:
        most_bytes: sum of the sizes that it holds at most.
    """

    def __init__(self, most_bytes: int = _MOST_BYTES) -> None:
        self._most = most_bytes
        self._bytes = 0
        self._kept: OrderedDict[str, tuple[Kept, int]] = OrderedDict()

    def keep(self, digest: str, value: Kept, size: int) -> None:
        """Remember ``value`` instead of what was known of the message, and forget the oldest when there is no room.

        Args:
            digest: of the bytes of the message, so that the value fits no other.
            value: what is known of it.
            size: bytes of the message; the value is taken to grow with it.
        """
        self.take(digest)
        self._kept[digest] = (value, size)
        self._bytes += size
        while self._bytes > self._most:
            _, (_, freed) = self._kept.popitem(last=False)
            self._bytes -= freed

    def take(self, digest: str) -> Kept | None:
        """Return what is known of a message, once; None when nothing is."""
        value, size = self._kept.pop(digest, (None, 0))
        self._bytes -= size
        return value
