"""The stores of the nodes of a network, read directly: it does not matter whether the network runs."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import click

from eessi_sim.cli.stage import STATE_FOLDER
from eessi_sim.identifiers import InstitutionId
from eessi_sim.simulation.state import load_state
from eessi_sim.storage.base import NodeStore
from eessi_sim.storage.registry import open_storage
from eessi_sim.storage.sqlite import SqliteStorage

Stores = Mapping[InstitutionId, NodeStore]

state_option = click.option(
    "--state",
    type=click.Path(path_type=Path),
    default=STATE_FOLDER,
    show_default=True,
    metavar="DIR",
    help="Folder of the network.",
)


@asynccontextmanager
async def open_stores(folder: Path) -> AsyncIterator[Stores]:
    """Open the stores of all nodes that have one."""
    state = load_state(folder)
    if state.storage:
        storage = await open_storage(state.storage)
        try:
            yield {InstitutionId(node.party): storage.node(InstitutionId(node.party)) for node in state.nodes}
        finally:
            await storage.close()
        return
    # The folder may have been moved since: its own place counts, not the one that it was made at.
    files = {player: folder / "nodes" / state.database(player).name for player in state.players}
    storages = {player: SqliteStorage(path) for player, path in files.items() if path.exists()}
    parties = {InstitutionId(node.party): storages.get(node.player) for node in state.nodes}
    try:
        yield {party: storage.node(party) for party, storage in parties.items() if storage is not None}
    finally:
        for storage in storages.values():
            await storage.close()
