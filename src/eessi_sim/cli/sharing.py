"""Options of a network whose nodes are played by several processes each, and that may share one store."""

import re
from typing import Final

import click

from eessi_sim.simulation.state import Sharing
from eessi_sim.storage.registry import find_backend

_MOST: Final = 64
"""Processes that play one node (our choice)."""
_ROLES: Final = {"access-point": "access_points", "institutions": "institutions"}
_PART: Final = re.compile(r"(?:(access-point|institutions)=)?([1-9][0-9]?)")
_FORGETS: Final = "memory"
"""Scheme of the store that no second process can look into."""

workers_option = click.option(
    "--workers",
    metavar="N",
    help="Let N processes play the access point at one address; or access-point=N,institutions=N.",
)
storage_option = click.option(
    "--storage",
    metavar="URL",
    help="One store for all nodes (postgresql://…, sqlite:///…); a file for each node by default.",
)


def sharing_of(workers: str | None, storage: str | None) -> Sharing:
    """Return what the two options say.

    Raises:
        click.BadParameter: one of them cannot be understood.
        SettingsError: there is no such store.
    """
    numbers: dict[str, int] = {}
    for part in workers.split(",") if workers else ():
        found = _PART.fullmatch(part.strip())
        if found is None or int(found[2]) > _MOST:
            raise click.BadParameter(
                f'Expected --workers like 4 or access-point=4,institutions=2, at most {_MOST} each, found "{part}".'
            )
        numbers[_ROLES[found[1] or "access-point"]] = int(found[2])
    if storage is not None:
        scheme = storage.partition(":")[0]
        find_backend(scheme)
        if scheme == _FORGETS:
            raise click.BadParameter(
                "Expected a store that several processes can share, found one in memory."
            )
    return Sharing(**numbers, storage=storage or "")
