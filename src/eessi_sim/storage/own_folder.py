"""A folder that one process has for as long as it runs; what a killed process left is removed by the next one.

Who owns a folder holds a lock on it, which the system takes back when the process ends, however it ends. The lock is
known on one machine only, so the folders lie on a disk of that machine.
"""

import contextlib
import fcntl
import os
import shutil
import tempfile
from pathlib import Path
from typing import Final

from eessi_sim.errors import Unavailable

_TRIES: Final = 5
"""How often another process may take our new folder for one that was left."""


class OwnFolder:
    """A new folder.

    Args:
        prefix: how its name begins; folders whose names begin so are of this kind.
        place: the folder around it; None: that of temporary files.

    Raises:
        Unavailable: there is no space, or the place cannot be written.
    """

    def __init__(self, prefix: str, place: str | None = None) -> None:
        around = Path(place or tempfile.gettempdir())
        for left in around.glob(f"{prefix}*"):
            _remove_left(left)
        self.path, self._handle = _make(prefix, around)

    def close(self) -> None:
        """Remove it, with what is in it."""
        shutil.rmtree(self.path, ignore_errors=True)
        os.close(self._handle)


def _make(prefix: str, around: Path) -> tuple[Path, int]:
    try:
        for _ in range(_TRIES):
            path = Path(tempfile.mkdtemp(prefix=prefix, dir=around))
            handle = _lock(path)
            if handle is not None:
                if path.exists():
                    return path, handle
                os.close(handle)
    except OSError as error:
        raise Unavailable(
            f'Expected to make and lock a folder in "{around}", found: {error.strerror}',
            hint="Look for space on the disk and at the permissions of the folder, or name another with &spool=DIR.",
        ) from error
    raise Unavailable(
        f'Expected to keep a new folder in "{around}", found each removed at once',
        hint="Name a folder that only this program uses with &spool=DIR.",
    )


def _remove_left(path: Path) -> None:
    with contextlib.suppress(OSError):  # of another user, or another process removes it as well
        handle = _lock(path)
        if handle is not None:
            try:
                shutil.rmtree(path, ignore_errors=True)
            finally:
                os.close(handle)


def _lock(path: Path) -> int | None:
    """Return the lock on a folder, None when another process has it or has removed the folder.

    Raises:
        OSError: the disk knows no locks, or the folder is somebody else's.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(handle)
        if isinstance(error, BlockingIOError):
            return None
        raise
    return handle
