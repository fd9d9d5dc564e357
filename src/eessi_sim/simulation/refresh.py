"""The directory of a running node and its file: a newer file is taken up, a newer directory is written.

A file that cannot be read, or has a lower version, changes nothing; the node goes on with what it has.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from eessi_sim.errors import DefinitionError
from eessi_sim.gateway.station import Directory
from eessi_sim.ir import snapshot
from eessi_sim.ir.importing import version_key
from eessi_sim.ir.repository import InstitutionRepository

_log = logging.getLogger(__name__)
_EVERY: Final = 1.0
"""Seconds between two looks; a look asks for the time of the file only."""


class DirectoryFile:
    """The directory of a running node and the file that it comes from.

    Args:
        path: the snapshot, see ``NetworkState.directory_of``.
        first: the snapshot to begin with when there is none yet.

    Raises:
        DefinitionError: it cannot be read.
    """

    def __init__(self, path: Path, first: Path | None = None) -> None:
        self._path = path
        self.is_first = not path.exists()
        """Whether the node has no directory of its own from an earlier run."""
        if first is not None and self.is_first:
            snapshot.save(snapshot.load(first), path)
        self._seen = self._changed_at()
        self.directory = Directory(snapshot.load(path), self.keep)

    def keep(self, newer: InstitutionRepository) -> None:
        """Write a version that arrived; the one before stays beside it."""
        before = self.directory.current
        snapshot.save(before, self._path.with_name(f"{self._path.stem}-{before.version}.json"))
        snapshot.save(newer, self._path)

    def look(self) -> bool:
        """Take up the file when it changed; returns whether it was taken up."""
        changed_at = self._changed_at()
        if changed_at == self._seen:
            return False
        self._seen = changed_at
        try:
            newer = snapshot.load(self._path)
            if version_key(newer.version) < version_key(self.directory.current.version):
                _log.warning("directory %s is older than ours, not taken up", newer.version)
                return False
        except DefinitionError as error:
            _log.warning("directory not taken up: %s", error.message)
            return False
        self.directory.current = newer
        _log.info("directory %s taken up", newer.version)
        return True

    async def watch(self, tell: Callable[[], Awaitable[object]] | None = None) -> None:
        """Look again and again until cancelled.

        Args:
            tell: called after a newer version was taken up.
        """
        while True:
            await asyncio.sleep(_EVERY)
            if self.look() and tell is not None:
                await tell()

    def _changed_at(self) -> int:
        try:
            return self._path.stat().st_mtime_ns
        except OSError:
            return 0
