"""Being one process of a network: the command that ``run`` and ``demo`` start once per process.

It stands alone so that a process imports nothing that it does not need.
"""

import asyncio
import importlib
from collections.abc import Callable
from pathlib import Path

import click

from eessi_sim.server import Manner, serve
from eessi_sim.simulation import logs
from eessi_sim.simulation.logs import LogFormat
from eessi_sim.simulation.state import LOOPBACK


@click.command(hidden=True)
@click.argument("state", type=click.Path(path_type=Path))
@click.argument("player")
@click.option(
    "--listen", default=LOOPBACK, show_default=True, help="Address for AS4, which needs a certificate."
)
@click.option(
    "--log-format", type=click.Choice([each.value for each in LogFormat]), default=LogFormat.TEXT.value
)
def node(*, state: Path, player: str, listen: str, log_format: str) -> None:
    """Be the process PLAYER, a party or a host, of the network in the folder STATE until told to stop.

    Started by "run" and "demo"; by hand, or by a supervisor, to bring back a node that was stopped, or where several
    machines play one network.
    """
    form = LogFormat(log_format)
    logs.begin(player, form)
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(serve(state, player, Manner(form, listen)))


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Return the faster event loop where it is installed (extra ``fast``), None for the standard one."""
    try:
        uvloop = importlib.import_module("uvloop")
    except ImportError:
        return None
    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory
