"""Being one process of a network: the command that ``run`` and ``demo`` start once per process.

It stands alone so that a process imports nothing that it does not need.
"""

import asyncio
import importlib
import logging
from collections.abc import Callable
from pathlib import Path

import click

from eessi_sim.server import serve
from eessi_sim.simulation.state import LOOPBACK


@click.command(hidden=True)
@click.argument("state", type=click.Path(path_type=Path))
@click.argument("player")
@click.option(
    "--listen", default=LOOPBACK, show_default=True, help="Address for AS4, which needs a certificate."
)
def node(*, state: Path, player: str, listen: str) -> None:
    """Be the process PLAYER, a party or a host, of the network in the folder STATE until told to stop.

    Started by "run" and "demo"; by hand, or by a supervisor, to bring back a node that was stopped, or where several
    machines play one network.
    """
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s [%(process)d] %(levelname)s %(name)s: %(message)s"
    )
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(serve(state, player, listen))


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Return the faster event loop where it is installed (extra ``fast``), None for the standard one."""
    try:
        uvloop = importlib.import_module("uvloop")
    except ImportError:
        return None
    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory
