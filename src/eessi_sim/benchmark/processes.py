"""One measured run of a network of processes from beginning to end: made, started, loaded, stopped."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from eessi_sim.benchmark.crossing import Crossing, Load, Part, cross, latency_of
from eessi_sim.benchmark.network import Route
from eessi_sim.security.pki import KeyAlgorithm
from eessi_sim.simulation.processes import ProcessNetwork
from eessi_sim.simulation.state import establish


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What a run is made of."""

    storage: str
    workers: int
    keys: KeyAlgorithm
    seconds: float
    """How long the time is taken."""


async def measure(
    route: Route, setting: Setting, folder: Path, on_part: Callable[[Part], None] = lambda _part: None
) -> Crossing:
    """Run a network in a folder, and put load on it.

    Args:
        route: who sends what to whom.
        setting: how.
        folder: for the network; must be empty or absent.
        on_part: told about each tenth of the time when it is over.

    Raises:
        EnvironmentProblem: the network did not start.
        Lost: a SED was refused.
    """
    state = establish(route.network, folder, now=datetime.now(UTC), algorithm=setting.keys)
    async with ProcessNetwork(state) as network:
        load = Load(route, network.controls[route.owner])
        pids = {player: network.pid(player) for player in state.players}
        before, parts = await cross(load, pids, seconds=setting.seconds, on_part=on_part)
    return Crossing(setting.storage, setting.workers, tuple(parts), before, latency_of(load.latencies))
