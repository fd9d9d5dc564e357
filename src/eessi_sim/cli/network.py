"""``eessi-sim network``: the lines between the access points of a running network, to see, to cut and to restore."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import click

from eessi_sim.cli import failures, output
from eessi_sim.cli.stage import Stage, running
from eessi_sim.cli.stores import state_option
from eessi_sim.errors import EnvironmentProblem
from eessi_sim.simulation.state import load_state


@click.group(epilog=failures.EXIT_STATUS)
def network() -> None:
    r"""The lines of a network with one access point per country: show them, cut one, restore it.

    \b
    Example:
      eessi-sim run --network federated
      eessi-sim network cut EE
      eessi-sim network show
      eessi-sim network restore EE
    """


@network.command(short_help="Every access point, its line, what waits there.", epilog=failures.EXIT_STATUS)
@state_option
@output.shared_options
def show(*, state: Path, as_json: bool) -> None:
    r"""Show the access points of a running network, whether the line of each is up, and how many messages wait there.

    \b
    Example:
      eessi-sim network show --state /tmp/workshop

    With --json: [{"access_point", "name", "institutions", "line": "up" or "cut", "waiting"}]
    """
    _show(_on_stage(state, _nothing), as_json=as_json)


@network.command(short_help="Put a country out of reach.", epilog=failures.EXIT_STATUS)
@click.argument("country", metavar="CC")
@state_option
@output.shared_options
def cut(*, country: str, state: Path, as_json: bool) -> None:
    r"""Cut the line between the access point of a country and all others.

    Its institutions still reach their access point. What is for other countries waits there, what is for this country
    waits at the access points of the others, which try again for nearly 26 hours. A restart of the node restores it.

    \b
    Example:
      eessi-sim network cut EE

    With --json: what "network show" has.
    """

    async def cut_off(stage: Stage) -> None:
        await stage.lines.cut(country.upper())

    _show(_on_stage(state, cut_off), as_json=as_json)


@network.command(short_help="Bring a country back.", epilog=failures.EXIT_STATUS)
@click.argument("country", metavar="CC")
@state_option
@output.shared_options
def restore(*, country: str, state: Path, as_json: bool) -> None:
    r"""Restore the line of a country; what waits for it is brought at the next try, ten minutes later at most.

    \b
    Example:
      eessi-sim network restore EE

    With --json: what "network show" has.
    """

    async def bring_back(stage: Stage) -> None:
        await stage.lines.restore(country.upper())

    _show(_on_stage(state, bring_back), as_json=as_json)


async def _nothing(_stage: Stage) -> None:
    """Change nothing."""


def _on_stage(folder: Path, change: Callable[[Stage], Awaitable[None]]) -> list[dict[str, object]]:
    return asyncio.run(_changed(folder, change))


async def _changed(folder: Path, change: Callable[[Stage], Awaitable[None]]) -> list[dict[str, object]]:
    async with running(load_state(folder)) as stage:
        if stage is None:
            raise EnvironmentProblem(
                f'Expected a running network in "{folder}", found none that answers',
                hint="Start it with: eessi-sim run --network federated",
            )
        await change(stage)
        waiting = await stage.lines.waiting()
        return [
            {
                "access_point": point.id,
                "name": point.name,
                "institutions": list(point.linked),
                "line": "up" if await stage.lines.is_up(point.id) else "cut",
                "waiting": waiting.get(point.id, 0),
            }
            for point in stage.lines.points
        ]


def _show(rows: list[dict[str, object]], *, as_json: bool) -> None:
    if as_json:
        output.show_json(rows)
        return
    table = [
        [str(row["access_point"]), str(row["name"]), str(row["line"]), str(row["waiting"])] for row in rows
    ]
    output.show_table(
        ["!Access point", "Name", "Line", "Waiting"], table, title="Lines between the countries"
    )
