"""``eessi-sim channels``: what waits for institutions that fetch their messages, read from the store of the access point."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import click

from eessi_sim.access_point.channels import UNCOLLECTED, Depth, depths
from eessi_sim.cli import failures, output
from eessi_sim.cli.stores import open_stores, state_option
from eessi_sim.clock import span
from eessi_sim.identifiers import InstitutionId
from eessi_sim.ir import snapshot
from eessi_sim.simulation.state import load_state
from eessi_sim.storage.base import Direction, MessageQuery

_MOST = 100_000
"""Messages that are counted."""


@click.command(epilog=failures.EXIT_STATUS)
@state_option
@output.shared_options
def channels(*, state: Path, as_json: bool) -> None:
    r"""Show the pull channels: who fetches from each, how many messages wait there, and how old the oldest is.

    An institution that does not fetch its messages within a day is late; the access point raises an alarm. It does not matter whether the network runs.

    \b
    Example:
      eessi-sim channels --state /tmp/workshop

    With --json: [{"channel", "institutions", "waiting", "offered", "oldest", "late"}]
    """
    readers = _readers(state)
    waiting = {depth.channel: depth for depth in asyncio.run(_depths(state))}
    now = datetime.now(UTC)
    names = sorted({*readers, *waiting})
    if as_json:
        output.show_json([_as_json(name, readers.get(name, ()), waiting.get(name), now) for name in names])
        return
    if not names:
        output.show_fields({"channels": "none: everybody gets messages pushed"})
        return
    rows = [_row(name, readers.get(name, ()), waiting.get(name), now) for name in names]
    output.show_table(
        ["!Channel", "Institutions", "Waiting", "Offered", "Oldest"], rows, title="Pull channels"
    )


def _as_json(name: str, readers: tuple[str, ...], depth: Depth | None, now: datetime) -> dict[str, object]:
    return {
        "channel": name,
        "institutions": list(readers),
        "waiting": depth.waiting if depth else 0,
        "offered": depth.offered if depth else 0,
        "oldest": depth.oldest if depth else None,
        "late": depth is not None and depth.is_late(now),
    }


def _row(name: str, readers: tuple[str, ...], depth: Depth | None, now: datetime) -> list[str]:
    numbers = [str(depth.waiting), str(depth.offered)] if depth else ["0", "0"]
    age = ""
    if depth is not None:
        age = span(now - depth.oldest) + (", late" if depth.is_late(now) else "")
    return [name, ", ".join(readers), *numbers, age]


def _readers(folder: Path) -> dict[str, tuple[str, ...]]:
    """Return who lists every channel in the directory of the network."""
    load_state(folder)
    found: dict[str, tuple[str, ...]] = {}
    for each in snapshot.load(folder / "directory.json").institutions:
        for channel in each.channels:
            found[channel] = (*found.get(channel, ()), each.id)
    return found


async def _depths(folder: Path) -> tuple[Depth, ...]:
    points = [InstitutionId(each) for each in load_state(folder).access_points]
    query = MessageQuery(direction=Direction.OUT, states=UNCOLLECTED)
    async with open_stores(folder) as stores:
        found = [await stores[point].messages(query, limit=_MOST) for point in points if point in stores]
        return depths(each for messages in found for each in messages)
