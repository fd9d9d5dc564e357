"""The only module that reads and writes zip archives: bounded reading, and writing that gives the same bytes again.

Nothing is ever unpacked to a disk, so a name is only a name; still it must be one plain path, so that it says the
same to everybody. What an archive states about sizes is checked before anything is decompressed, and no more than
what it states is decompressed. Only what every program reads is read: stored and deflated entries, one disk, no
password.
"""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Final
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from eessi_sim.errors import ZipError, ZipForbidden, ZipTooLarge

_STARTS: Final = (b"PK\x03\x04", b"PK\x05\x06")
"""First entry, or the end of an archive without entries (APPNOTE 4.3.7 and 4.3.16)."""
_LISTED: Final = b"PK\x01\x02"
"""Stands in front of each line of the directory (APPNOTE 4.3.12)."""
_ENCRYPTED: Final = 0x1
"""Bit 0 of the general purpose flags (APPNOTE 4.4.4)."""
_METHODS: Final = (ZIP_STORED, ZIP_DEFLATED)
_SMALL: Final = 1024 * 1024
"""Entries up to this size may be compressed as much as they like."""
_UNIX: Final = 3
_MODE: Final = 0o100644 << 16
_OLDEST: Final = (1980, 1, 1, 0, 0, 0)
"""The time of every entry that we write: the first one that a zip can state."""
_LEVEL: Final = 6


@dataclass(frozen=True, slots=True)
class ZipLimits:
    """How much we are willing to unpack (our limits, inferred)."""

    entries: int = 2_000
    entry_bytes: int = 32 * 1024 * 1024
    """One entry, decompressed."""
    total_bytes: int = 256 * 1024 * 1024
    """All entries together, decompressed."""
    ratio: int = 200
    """Decompressed by compressed size of an entry that is not small; XML reaches 50, deflate at most 1032."""


DEFAULT_LIMITS: Final = ZipLimits()


def is_zip(data: bytes) -> bool:
    """Return whether data starts as a zip archive does."""
    return data.startswith(_STARTS)


class Zip:
    """An archive that was found to be within the limits; entries are decompressed when they are asked for.

    Args:
        data: the archive.
        limits: how much we are willing to unpack.

    Raises:
        ZipError: it is no zip archive, or broken.
        ZipTooLarge: it has too many entries, or states that they are too large together.
    """

    def __init__(self, data: bytes, limits: ZipLimits = DEFAULT_LIMITS) -> None:
        # Each entry costs us some hundred bytes of memory, so they are counted before the directory is read.
        if data.count(_LISTED) > limits.entries:
            raise ZipTooLarge(
                f"Expected at most {limits.entries} entries in the archive, found more",
                hint="Split it into several archives.",
            )
        try:
            self._file = ZipFile(BytesIO(data))
        except (BadZipFile, NotImplementedError, ValueError, OverflowError) as error:
            raise ZipError(
                f"Expected a zip archive, found one that cannot be read: {error}",
                hint="Make it again; it may have been cut off on its way.",
            ) from error
        self._limits = limits
        self._infos = [info for info in self._file.infolist() if not info.filename.endswith("/")]
        total = sum(info.file_size for info in self._infos)
        if total > limits.total_bytes:
            raise ZipTooLarge(
                f"Expected at most {limits.total_bytes} bytes in the archive, found {total}",
                hint="Split it into several archives.",
            )

    @property
    def names(self) -> tuple[str, ...]:
        """The name of every entry that is no folder, in the order of the archive; one may occur twice."""
        return tuple(info.filename for info in self._infos)

    def read(self, position: int) -> bytes:
        """Return the content of an entry.

        Args:
            position: place of its name in ``names``.

        Raises:
            ZipForbidden: it needs a password or a method that not every program has, or has no plain name.
            ZipTooLarge: it is larger than the limits allow.
            ZipError: it is broken.
        """
        info = self._infos[position]
        self._require_plain(info)
        self._require_small(info)
        try:
            return self._file.read(info)
        except (BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError, OSError) as error:
            raise ZipError(
                f"Expected an entry that can be unpacked, found it broken: {error}",
                hint="Make the archive again; it may have been changed or cut off on its way.",
            ) from error

    def _require_plain(self, info: ZipInfo) -> None:
        if not is_plain(info.filename):
            raise ZipForbidden(
                f'Expected a plain path like folder/file.xml as name, found "{info.filename}"',
                hint="Zip the folder from outside, with paths relative to it.",
            )
        if info.flag_bits & _ENCRYPTED:
            raise ZipForbidden(
                "Expected an entry without password, found it encrypted", hint="Make the archive without one."
            )
        if info.compress_type not in _METHODS:
            raise ZipForbidden(
                f"Expected an entry that is stored or deflated, found method {info.compress_type}",
                hint='Make the archive with the method "deflate", which every program reads.',
            )

    def _require_small(self, info: ZipInfo) -> None:
        if info.file_size > self._limits.entry_bytes:
            raise ZipTooLarge(
                f"Expected at most {self._limits.entry_bytes} bytes, found {info.file_size}",
                hint="Send a smaller document.",
            )
        if info.file_size > max(_SMALL, info.compress_size * self._limits.ratio):
            raise ZipTooLarge(
                f"Expected an entry compressed to no less than one {self._limits.ratio}th, "
                f"found {info.file_size} bytes in {info.compress_size}",
                hint="Documents never compress that well; it was made to fill the memory of its reader.",
            )


def is_plain(name: str) -> bool:
    """Return whether a name is a relative path without detours, that means the same on every system."""
    return name.isprintable() and not any(
        part in ("", ".", "..") or "\\" in part or ":" in part for part in name.split("/")
    )


def write(files: Mapping[str, bytes]) -> bytes:
    """Return an archive of files; the same files in the same order give the same bytes.

    Args:
        files: content by name, in the order of the archive.
    """
    archive = BytesIO()
    with ZipFile(archive, "w") as target:
        for name, content in files.items():
            info = ZipInfo(name, _OLDEST)
            info.create_system = _UNIX
            info.external_attr = _MODE
            target.writestr(info, content, ZIP_DEFLATED, _LEVEL)
    return archive.getvalue()
