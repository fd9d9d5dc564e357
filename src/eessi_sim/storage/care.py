"""Looking after stores: what one is like, a backup of it while it is used, bringing it back.

Each back end that keeps anything has a module ``<scheme>_care`` beside it with the functions of ``Care``; the memory
keeps nothing. Running nodes are not disturbed.
"""

from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

from eessi_sim.errors import SettingsError, Unavailable
from eessi_sim.storage import registry


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """What a store is like."""

    name: str
    """For people, without a password."""
    schema: int
    newest_schema: int
    """The one that this version of the program makes."""
    messages: int
    cases: int
    documents: int
    entries: int
    """Of the journal."""
    octets: int
    """On the disk, large messages and contents included."""
    problems: tuple[str, ...]
    """What is not as it should be, one sentence each; empty in a consistent store."""


class Care(Protocol):
    """What a module ``<scheme>_care`` offers."""

    async def inspect(self, url: str) -> Condition:
        """Return what a store is like; nothing is changed, an old schema stays as it is.

        Raises:
            SettingsError: the URL is wrong.
            Unavailable: there is no store, or it cannot be read.
        """
        ...

    async def back_up(self, url: str, file: Path) -> None:
        """Write everything that is committed to one file, while others go on writing to the store.

        Raises:
            SettingsError: the URL is wrong, or the file exists.
            Unavailable: the store cannot be read, or the file cannot be written.
        """
        ...

    async def restore(self, file: Path, url: str) -> None:
        """Make a store of a backup, all of it or nothing.

        Raises:
            SettingsError: the URL is wrong, or there is a store already.
            Unavailable: the file is no backup of this kind of store, or is damaged, or the place cannot be written.
        """
        ...


def find_care(url: str) -> Care:
    """Return what looks after the store that ``url`` names.

    Raises:
        SettingsError: nobody does.
    """
    scheme = url.partition(":")[0]
    registry.find_backend(scheme)
    if scheme not in ("sqlite", "postgresql"):
        raise SettingsError(
            f"Expected a store that keeps what is written, found one with scheme {scheme}",
            hint="Name a store in a file or on a server.",
        )
    return cast("Care", import_module(f"eessi_sim.storage.{scheme}_care"))


def check_new(file: Path) -> None:
    """Refuse to write a backup over something.

    Raises:
        SettingsError: the file exists.
    """
    if file.exists():
        raise SettingsError(f"Expected a new file for the backup, found {file}", hint="Name another file.")


def no_backup(file: Path, why: str) -> Unavailable:
    """Return the error for a file that cannot be restored."""
    return Unavailable(
        f"Expected a whole backup in {file}, found {why}",
        hint="Make one with: eessi-sim db backup STORE FILE",
        file=file,
    )
