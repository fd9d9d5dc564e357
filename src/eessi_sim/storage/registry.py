"""Opens a store by its URL: the scheme is the name of a module here, else of an entry point.

A back end is a module with ``async def open_url(url) -> Storage``. Packages outside the project
add one through the entry point group ``eessi_sim.storage``. Nothing else is chosen here.
"""

from collections.abc import Awaitable, Callable
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import cast
from urllib.parse import quote

from eessi_sim.errors import SettingsError
from eessi_sim.storage.base import Storage

BUILT_IN = ("memory", "sqlite", "postgresql")
"""Schemes of the back ends in this package; each is imported only when its scheme is used."""
NEEDS = {"postgresql": ("asyncpg",)}
"""Packages of a back end that come with the extra of its name."""
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
        SettingsError: nobody does, or the package that it needs is not installed.
    """
    if scheme in BUILT_IN:
        return cast("OpenUrl", _module(scheme).open_url)
    for entry in entry_points(group=GROUP, name=scheme):
        return cast("OpenUrl", entry.load())
    raise SettingsError(
        f'Expected a store with scheme {", ".join(schemes())}, found "{scheme}"',
        hint='Use "memory:", "sqlite:///path/to/file.db" or "postgresql://user@host/database".',
    )


def _module(scheme: str) -> ModuleType:
    try:
        return import_module(f"eessi_sim.storage.{scheme}")
    except ModuleNotFoundError as error:
        if error.name not in NEEDS.get(scheme, ()):
            raise
        raise SettingsError(
            f"Expected the package {error.name} for a store with scheme {scheme}, found none",
            hint=f"pip install 'eessi-sim[{scheme}]'",
        ) from error


def schemes() -> tuple[str, ...]:
    """Return all schemes that can be opened."""
    return (*BUILT_IN, *sorted(entry.name for entry in entry_points(group=GROUP)))
