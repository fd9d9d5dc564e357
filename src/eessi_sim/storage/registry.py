"""Opens a store by its URL: the scheme is the name of a module here, else of an entry point.

A back end is a module with ``async def open_url(url) -> Storage``. Packages outside the project
add one through the entry point group ``eessi_sim.storage``. Nothing else is chosen here.
"""

from collections.abc import Awaitable, Callable
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import cast
from urllib.parse import quote

from eessi_sim.errors import SettingsError
from eessi_sim.storage.base import Storage

BUILT_IN = ("memory", "sqlite")
"""Schemes of the back ends in this package; each is imported only when its scheme is used."""
GROUP = "eessi_sim.storage"

OpenUrl = Callable[[str], Awaitable[Storage]]


async def open_storage(url: str) -> Storage:
    """Open the store that ``url`` names, for example ``memory:`` or ``sqlite:///var/store.db``.

    Raises:
        SettingsError: the scheme is unknown, or the rest of the URL is wrong.
        Unavailable: the store cannot be used.
        MigrationNeeded: a newer version of the program wrote it.
    """
    return await find_backend(url.partition(":")[0])(url)


def url_of(path: Path) -> str:
    """Return the URL of the default store in a file, whatever characters its path has."""
    return f"sqlite://{quote(str(path.absolute()))}"


def find_backend(scheme: str) -> OpenUrl:
    """Return what opens URLs of ``scheme``.

    Raises:
        SettingsError: nobody does.
    """
    if scheme in BUILT_IN:
        return cast("OpenUrl", import_module(f"eessi_sim.storage.{scheme}").open_url)
    for entry in entry_points(group=GROUP, name=scheme):
        return cast("OpenUrl", entry.load())
    raise SettingsError(
        f'Expected a store with scheme {", ".join(schemes())}, found "{scheme}"',
        hint='Use "memory:" or "sqlite:///path/to/file.db".',
    )


def schemes() -> tuple[str, ...]:
    """Return all schemes that can be opened."""
    return (*BUILT_IN, *sorted(entry.name for entry in entry_points(group=GROUP)))
