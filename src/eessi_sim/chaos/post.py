"""Posts messages again that were sent before, with the TLS key of whoever sends on that hop.

TLS lets nobody repeat octets inside a connection, so whole messages are repeated, as an impatient gateway would.
"""

from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import dataclass
from random import Random
from typing import Final, Self

from eessi_sim.chaos.drive import Drive
from eessi_sim.chaos.network import ChaosNetwork
from eessi_sim.errors import EessiSimError, TransportError
from eessi_sim.identifiers import InstitutionId
from eessi_sim.ir import snapshot
from eessi_sim.simulation.views import MessageFile
from eessi_sim.transport.http import HttpTransport

_WITHIN: Final = 20.0
_RECENT: Final = 200
"""Of each sender, so many of the last messages are repeated."""


@dataclass(frozen=True, slots=True)
class Copy:
    """A message of old, and where it is posted to."""

    file: MessageFile
    client: InstitutionId
    """With whose key."""
    url: str


class Poster:
    """Repeats messages.

    Args:
        network: entered.
        drive: knows which messages were confirmed.
        seed: decides which are repeated.
    """

    def __init__(self, network: ChaosNetwork, drive: Drive, seed: int) -> None:
        self._network = network
        self._drive = drive
        self._dice = Random(seed)  # noqa: S311 - repeats itself on purpose
        self._directory = snapshot.load(network.state.directory_file)
        self._transports = {
            party: HttpTransport(network.state.tls_identity(party)) for party in network.parties
        }
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        for transport in self._transports.values():
            self._stack.push_async_callback(transport.close)
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._stack.aclose()

    async def pick(self, target: InstitutionId, number: int) -> list[Copy]:
        """Return messages that the target had before, taken from the stores of their senders."""
        copies = [await self._copy(target) for _ in range(number)]
        return [copy for copy in copies if copy is not None]

    async def post(self, copies: list[Copy]) -> Counter[str]:
        """Post all of them; return what was answered, and how often."""
        return Counter([await self._answer(copy) for copy in copies])

    async def _copy(self, target: InstitutionId) -> Copy | None:
        point = self._network.point
        senders = [party for party in self._network.parties if party not in (point, target)]
        sender = self._dice.choice(senders)
        recent = self._drive.promises[sender].receipted[-_RECENT:]
        if not recent:
            return None
        try:
            file = await self._network.control(sender).message("out", self._dice.choice(recent))
        except EessiSimError:  # the sender does not answer at the moment
            return None
        if file is None:
            return None
        if target == point:
            return Copy(file, sender, self._directory.access_points[0].outbox)
        return Copy(file, point, self._directory.get(target).endpoint.channel)

    async def _answer(self, copy: Copy) -> str:
        try:
            answer = await self._transports[copy.client].send(
                copy.url, copy.file.body, headers={"content-type": copy.file.content_type}, within=_WITHIN
            )
        except TransportError as error:
            return error.code
        text = answer.body[:200].decode(errors="replace").strip()
        return f"{answer.status} {text}".strip() if answer.status != 200 else "200 signed answer"
