"""One measured run of a network of processes from beginning to end: made, started, loaded, stopped."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from eessi_sim.benchmark.crossing import Crossing, Load, Part, cross, latency_of
from eessi_sim.benchmark.network import Route
from eessi_sim.security.pki import KeyAlgorithm
from eessi_sim.simulation.processes import ProcessNetwork
from eessi_sim.simulation.state import Sharing, establish
from eessi_sim.storage.local_server import LocalServer

POSTGRESQL: Final = "postgresql"
STORES: Final = ("sqlite", POSTGRESQL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What a run is made of."""

    storage: str
    workers: int
    """Processes that play the access point together, and each institution."""
    keys: KeyAlgorithm
    seconds: float
    """How long the time is taken."""


@contextmanager
def _store(setting: Setting, folder: Path) -> Iterator[tuple[str, dict[str, int]]]:
    """Yield the URL of a store for all nodes, empty when each has a file, and the process of its server by name.

    Raises:
        EnvironmentProblem: there is no PostgreSQL on this machine.
    """
    if setting.storage != POSTGRESQL:
        yield "", {}
        return
    folder.parent.chmod(0o711)  # the server of root runs as nobody, who must get at its folder
    server = LocalServer(folder)
    server.start()
    try:
        yield server.url, {POSTGRESQL: server.pid}
    finally:
        server.stop()


async def measure(
    route: Route, setting: Setting, folder: Path, on_part: Callable[[Part], None] = lambda _part: None
) -> Crossing:
    """Run a network in a folder, and put load on it.

    Args:
        route: who sends what to whom.
        setting: how.
        folder: for the network and the server of its store; must be empty or absent.
        on_part: told about each tenth of the time when it is over.

    Raises:
        EnvironmentProblem: the network did not start.
        Lost: a SED was refused.
    """
    with _store(setting, folder / "server") as (url, server):
        state = establish(
            route.network,
            folder / "network",
            now=datetime.now(UTC),
            algorithm=setting.keys,
            sharing=Sharing(setting.workers, setting.workers, url),
        )
        async with ProcessNetwork(state) as network:
            load = Load(route, network.controls[route.owner])
            pids = {process: network.pid(process) for process in state.processes} | server
            before, parts = await cross(load, pids, seconds=setting.seconds, on_part=on_part)
    return Crossing(setting.storage, setting.workers, tuple(parts), before, latency_of(load.latencies))
