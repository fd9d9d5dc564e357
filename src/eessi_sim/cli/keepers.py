"""Every node of a network for who runs it: the process where it runs, its store where it stands still."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Protocol

import aiohttp

from eessi_sim.cli.stores import open_stores
from eessi_sim.gateway import dead_letters
from eessi_sim.gateway.retention import Cleaned, Retention, clean
from eessi_sim.identifiers import InstitutionId
from eessi_sim.simulation.remote import RemoteControl
from eessi_sim.simulation.state import load_state
from eessi_sim.simulation.views import MessageView, message_view
from eessi_sim.storage.base import Direction, NodeStore

_MOST: Final = 1000
"""Dead letters of one node that are listed."""


class Keeper(Protocol):
    """Who keeps the messages of a node."""

    async def dead_letters(self) -> Sequence[MessageView]:
        """Return the messages that could not go on, newest first."""
        ...

    async def resend(self, direction: str, message_id: str, *, force: bool = False) -> MessageView:
        """Put a dead letter back into its queue."""
        ...

    async def clean_up(self, retention: Retention, *, dry_run: bool = False) -> Cleaned:
        """Remove what need not be kept any longer, or only count it."""
        ...


Keepers = Mapping[InstitutionId, Keeper]


class StandingKeeper:
    """The store of a node that does not run; what is put back waits for its next start.

    Args:
        store: of the node.
        actor: who asks.
    """

    def __init__(self, store: NodeStore, actor: str) -> None:
        self._store = store
        self._actor = actor

    async def dead_letters(self) -> Sequence[MessageView]:
        """Return the messages that could not go on, newest first."""
        found = await self._store.messages(dead_letters.ALL_DEAD, limit=_MOST)
        return [message_view(message) for message in found]

    async def resend(self, direction: str, message_id: str, *, force: bool = False) -> MessageView:
        """Put a dead letter back into its queue."""
        message = await dead_letters.resend(
            self._store,
            Direction(direction),
            message_id,
            actor=self._actor,
            at=datetime.now(UTC),
            force=force,
        )
        return message_view(message)

    async def clean_up(self, retention: Retention, *, dry_run: bool = False) -> Cleaned:
        """Remove what need not be kept any longer, or only count it."""
        return await clean(self._store, retention, datetime.now(UTC), actor=self._actor, dry_run=dry_run)


@asynccontextmanager
async def open_keepers(folder: Path, actor: str) -> AsyncIterator[Keepers]:
    """Reach all nodes that have a store or answer.

    Args:
        folder: of the network.
        actor: who asks; the journal names him.
    """
    state = load_state(folder)
    async with aiohttp.ClientSession(trust_env=False) as session, open_stores(folder) as stores:
        found: dict[InstitutionId, Keeper] = {}
        for node in state.nodes:
            party = InstitutionId(node.party)
            remote = RemoteControl(session, state, party)
            if await remote.is_ready():
                found[party] = remote.acting_as(actor)
            elif party in stores:
                found[party] = StandingKeeper(stores[party], actor)
        yield found
