"""What a row can be played on: something that makes good messages and sends bad ones."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

from eessi_sim.as4.model import Payload, UserMessage
from eessi_sim.as4.msh import Packed
from eessi_sim.conformance.forgery import Forgery
from eessi_sim.conformance.model import Exchange, Result
from eessi_sim.conformance.wire import Answer, Shot


class Bench(ABC):
    """A party under test, seen through the wire alone."""

    def __init__(self) -> None:
        self.exchanges: list[Exchange] = []
        """What was said on the wire, oldest first; emptied between rows."""

    def take_exchanges(self) -> tuple[Exchange, ...]:
        """Return what was said since this was asked last."""
        taken = tuple(self.exchanges)
        self.exchanges.clear()
        return taken

    @abstractmethod
    def forgery(self) -> Forgery:
        """Return a good message that nobody has seen before, put together by hand."""

    @abstractmethod
    def packed(
        self,
        change: Callable[[UserMessage], UserMessage] = lambda unit: unit,
        parts: Callable[[bytes], Sequence[Payload]] | None = None,
        files: int = 0,
    ) -> Packed:
        """Return a good, signed message with some of it replaced.

        Args:
            change: makes another header.
            parts: makes the parts of the document; the usual ones when None.
            files: how many attachments the document lists, where documents do.
        """

    @abstractmethod
    def edited(self, *edits: tuple[str, str]) -> Packed:
        """Return a message in which texts were replaced where they do not spoil a signature."""

    @abstractmethod
    def plain(self) -> Packed:
        """Return a message whose MIME frame can be changed: the frame is under no signature."""

    @abstractmethod
    async def fire(self, shot: Shot) -> Answer:
        """Send and return what came back on the connection."""

    @abstractmethod
    async def submit(self, shot: Shot) -> Result:
        """Send and return what came back about the message in the end: a receipt or an error."""

    @abstractmethod
    async def good_message(self) -> None:
        """Send a good message and wait for its receipt.

        Raises:
            Unexpected: it was refused.
        """
