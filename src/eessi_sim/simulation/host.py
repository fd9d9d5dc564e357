"""The nodes that one process plays: each is made when it is first needed, so that an idle institution costs nothing.

A node that was never asked for has no object, no queue and no task. At the start only those are made whose store says that
something waits for them, and those that have to ask for their messages.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from typing import Final, TypeVar

from eessi_sim.as4.exchange import InboundState
from eessi_sim.gateway import outbox
from eessi_sim.gateway.inbox import refused
from eessi_sim.identifiers import InstitutionId
from eessi_sim.institution.collecting import collects
from eessi_sim.institution.receiving import ANSWER_DUE
from eessi_sim.ir.model import Occasion
from eessi_sim.simulation.assembly import Machinery, Node
from eessi_sim.storage.base import Counts, Direction
from eessi_sim.transport.base import Request, Response

_AT_ONCE: Final = 64
"""Nodes that start together, so that their first writes share a commit."""
_Item = TypeVar("_Item")
_TO_FILE: Final = (InboundState.RECEIVED, InboundState.PROCESSING, ANSWER_DUE)


class Host:
    """Several nodes as one.

    Args:
        parties: whom it plays.
        build: makes the node of a party.
        machinery: what the nodes share.
    """

    def __init__(
        self,
        parties: Iterable[InstitutionId],
        build: Callable[[InstitutionId], Node],
        machinery: Machinery,
    ) -> None:
        self._parties = {party.file_name: party for party in parties}
        self._build = build
        self._machinery = machinery
        self._nodes: dict[InstitutionId, asyncio.Task[Node]] = {}

    def party_at(self, path: str) -> InstitutionId | None:
        """Return whom a path belongs to: its first step names the party; None when it is nobody of ours."""
        return self._parties.get(path.lstrip("/").partition("/")[0])

    async def node(self, party: InstitutionId) -> Node:
        """Return the node of a party, made and started when this is the first time."""
        if party not in self._nodes:
            self._nodes[party] = asyncio.create_task(self._started(party))
        return await asyncio.shield(self._nodes[party])

    async def handle(self, request: Request) -> Response:
        """Let the node answer that a request is for."""
        party = self.party_at(request.path)
        if party is None:
            return refused(404, "Nobody takes messages at this path")
        return await (await self.node(party)).handle(request)

    async def start(self) -> None:
        """Make the nodes that have something to do."""
        for group in _groups([*self._collectors(), *await self._waiting()]):
            await asyncio.gather(*map(self.node, group))

    async def wake(self, parties: Iterable[str]) -> None:
        """Let the nodes of some parties look for work, which another process that plays them may have left."""
        names = (InstitutionId(party).file_name for party in parties)
        for party in [self._parties[name] for name in names if name in self._parties]:
            (await self.node(party)).wake()

    async def made(self) -> list[Node]:
        """Return the nodes that were made."""
        return list(await asyncio.gather(*self._nodes.values()))

    async def stop(self) -> None:
        """Stop the nodes that were made; each finishes what is under way."""
        for group in _groups(self._nodes.values()):
            await asyncio.gather(*(node.stop() for node in await asyncio.gather(*group)))

    async def _started(self, party: InstitutionId) -> Node:
        node = self._build(party)
        await node.start()
        return node

    def _collectors(self) -> Iterator[InstitutionId]:
        """Yield those that ask for messages."""
        directory, now = self._machinery.directory.current, self._machinery.clock.now()
        return (party for party in self._parties.values() if collects(directory, party, now))

    async def _waiting(self) -> list[InstitutionId]:
        """Return those that an earlier run left with work."""
        storage = self._machinery.storage
        kept = set(await storage.nodes())
        found = [party for party in self._parties.values() if party in kept]
        return [p for p in found if self._reminds(p) or _has_work(await storage.node(p).counts())]

    def _reminds(self, party: InstitutionId) -> bool:
        entry = self._machinery.directory.current.find(party)
        return entry is not None and any(rule.occasion is Occasion.OVERDUE for rule in entry.behaviours)


def _has_work(counts: Counts) -> bool:
    return bool(counts.in_state(Direction.IN, *_TO_FILE) or counts.in_state(Direction.OUT, *outbox.WAITING))


def _groups(items: Iterable[_Item]) -> Iterator[list[_Item]]:
    rest = list(items)
    return (rest[start : start + _AT_ONCE] for start in range(0, len(rest), _AT_ONCE))
