"""A folder for octets that are too large for memory and for the database: each file is named by its SHA-256.

A file is written under a name of its own, and gets its name for good when somebody keeps it; equal octets are kept
once. What is not kept is thrown away, at the latest when the next run sweeps the folder.
"""

import contextlib
import hashlib
import os
import tempfile
import time
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Final

from eessi_sim.errors import Unavailable
from eessi_sim.stretch import Stretch

_UNFINISHED: Final = ".part"


class SpoolFile:
    """A file in the spool. Also a content: it knows its size and digest and can be read in pieces.

    Args:
        path: where it lies.
        size: number of octets.
        digest: SHA-256, hexadecimal.
    """

    def __init__(self, path: Path, size: int, digest: str) -> None:
        self.path = path
        self._size = size
        self._digest = digest

    @property
    def size(self) -> int:
        """Number of octets."""
        return self._size

    @property
    def digest(self) -> str:
        """SHA-256 of the octets, hexadecimal."""
        return self._digest

    @property
    def stretch(self) -> Stretch:
        """All of it."""
        return Stretch(self, 0, self._size, bytes.fromhex(self._digest))

    def read_at(self, position: int, size: int) -> bytes:
        """Return ``size`` octets from ``position`` on, fewer at the end.

        Raises:
            Unavailable: the file cannot be read.
        """
        with _own_errors(self.path), self.path.open("rb") as file:
            file.seek(position)
            return file.read(size)

    def pieces(self) -> Iterator[bytes]:
        """Yield the octets in pieces of at most 1 MB."""
        return self.stretch.pieces()

    def read(self) -> bytes:
        """Return all octets at once."""
        return self.stretch.read()

    def keep(self) -> "SpoolFile":
        """Make the file durable under its digest; keeping it twice is harmless.

        Raises:
            Unavailable: the disk does not take it.
        """
        name = self.path.with_name(self._digest)
        if name != self.path:
            with _own_errors(self.path):
                _sync(self.path)
                self.path = self.path.rename(name)
                _sync(name.parent)
        return self

    def discard(self) -> None:
        """Throw the file away, unless it was kept."""
        if self.path.suffix == _UNFINISHED:
            with _own_errors(self.path):
                self.path.unlink(missing_ok=True)


class SpoolWriter:
    """A file of the spool that grows.

    Args:
        folder: of the spool.
    """

    def __init__(self, folder: Path) -> None:
        with _own_errors(folder):
            folder.mkdir(mode=0o700, exist_ok=True)
            handle, name = tempfile.mkstemp(suffix=_UNFINISHED, dir=folder)
        self._path = Path(name)
        self._file = os.fdopen(handle, "wb", buffering=0)
        self._sum = hashlib.sha256()
        self._size = 0

    def append(self, octets: bytes | bytearray) -> None:
        """Write more.

        Raises:
            Unavailable: the disk is full or does not take it.
        """
        with _own_errors(self._path):
            left = memoryview(octets)
            while left:
                left = left[self._file.write(left) :]
        self._sum.update(octets)
        self._size += len(octets)

    def finish(self) -> SpoolFile:
        """Return what was written; it is not yet kept."""
        self._file.close()
        return SpoolFile(self._path, self._size, self._sum.hexdigest())

    def discard(self) -> None:
        """Throw away what was written."""
        self._file.close()
        self._path.unlink(missing_ok=True)


class Spool:
    """The folder.

    Args:
        folder: made when it is first needed; the folder around it is there.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def begin(self) -> SpoolWriter:
        """Return a new file to write to.

        Raises:
            Unavailable: the folder cannot be written.
        """
        return SpoolWriter(self._folder)

    def write(self, pieces: Iterable[bytes]) -> SpoolFile:
        """Return a new file of so many pieces; nothing is left behind when one of them cannot be made.

        Raises:
            Unavailable: the disk does not take them.
        """
        writer = self.begin()
        try:
            for piece in pieces:
                writer.append(piece)
        except BaseException:
            writer.discard()
            raise
        return writer.finish()

    def find(self, digest: str) -> SpoolFile | None:
        """Return the file that was kept under a digest, None when there is none."""
        path = self._folder / digest
        try:
            return SpoolFile(path, path.stat().st_size, digest)
        except OSError:
            return None

    def sweep(self, known: Collection[str], *, spare_seconds: float = 0) -> int:
        """Remove every file that was not kept, or whose digest nobody knows; return how many there were.

        Whoever owns the folder alone may do that, before it writes to it.

        Args:
            known: digests of what must stay.
            spare_seconds: leave alone what was written in so many seconds before; others may be at work with it.
        """
        newest = time.time() - spare_seconds
        with _own_errors(self._folder):
            files = list(self._folder.iterdir()) if self._folder.is_dir() else []
            gone = [path for path in files if path.name not in known and _written_at(path) <= newest]
            for path in gone:
                path.unlink(missing_ok=True)  # another process may sweep as well
        return len(gone)


def _written_at(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:  # another process may sweep as well
        return 0


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextlib.contextmanager
def _own_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise Unavailable(
            f'Expected to use the spool file "{path}", found: {error.strerror}',
            hint="Look for space on the disk and at the permissions of the folder.",
        ) from error
