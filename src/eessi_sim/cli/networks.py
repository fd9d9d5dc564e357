"""Which network is meant: a file of one's own, or the name of one that ships with the program."""

import difflib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from eessi_sim import resources
from eessi_sim.cli import output


class NetworkFile(click.Path):
    """A network file; the name of a network that ships with the program stands for its file."""

    name = "network"

    def __init__(self) -> None:
        super().__init__(exists=True, dir_okay=False, path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the path of the file."""
        shipped = {path.stem: path for path in (resources.institutions() / "networks").glob("*.yaml")}
        if not Path(value).exists() and Path(value).name == str(value):
            if str(value) in shipped:
                return shipped[str(value)]
            near = difflib.get_close_matches(str(value), shipped, n=1)
            meant = (
                f'Did you mean "{near[0]}"?'
                if near
                else f"Networks of the program: {', '.join(sorted(shipped))}."
            )
            self.fail(
                f'Expected a network file or the name of a network, found "{value}". {meant}', param, ctx
            )
        return super().convert(value, param, ctx)


def network_option(help_text: str) -> Callable[[output.AnyCommand], output.AnyCommand]:
    """Return the option ``--network``.

    Args:
        help_text: what the command does with the network.
    """

    def add(command: output.AnyCommand) -> output.AnyCommand:
        return click.option("--network", type=NetworkFile(), metavar="FILE", help=help_text)(command)

    return add
