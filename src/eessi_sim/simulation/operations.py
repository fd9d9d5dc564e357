"""What who runs a node may ask of it: dead letters and their second chance."""

from collections.abc import Sequence
from typing import Final

from eessi_sim.gateway import dead_letters
from eessi_sim.institution.node import InstitutionNode
from eessi_sim.simulation.assembly import Node
from eessi_sim.simulation.views import MessageView, message_view
from eessi_sim.storage.base import Direction

_MOST: Final = 1000
"""Dead letters that are listed."""
OPERATOR: Final = "operator"
"""Who is meant when nobody gives a name."""


class Operations:
    """A node of this process in the hands of who runs it.

    Args:
        node: the institution or access point.
    """

    def __init__(self, node: Node) -> None:
        self._node = node
        self._station = node.office.station if isinstance(node, InstitutionNode) else node.station

    async def dead_letters(self) -> Sequence[MessageView]:
        """Return the messages that could not go on, newest first."""
        found = await self._station.store.messages(dead_letters.ALL_DEAD, limit=_MOST)
        return [message_view(message) for message in found]

    async def resend(
        self, direction: Direction, message_id: str, *, actor: str = OPERATOR, force: bool = False
    ) -> MessageView:
        """Put a dead letter back into its queue and wake who works that off.

        Raises:
            MessageNotFound: there is no such dead letter.
            ResendUseless: the same bytes can only be refused again, and nobody forces it.
            Conflict: something happened to it meanwhile.
        """
        message = await dead_letters.resend(
            self._station.store,
            direction,
            message_id,
            actor=actor,
            at=self._station.clock.now(),
            force=force,
        )
        self._node.take_up(message)
        return message_view(message)
