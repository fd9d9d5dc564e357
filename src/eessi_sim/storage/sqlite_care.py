"""Looks after a store in a file. A backup is a tar file: ``store.db``, and the files of the spool under their digests."""

import asyncio
import hashlib
import re
import shutil
import sqlite3
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from eessi_sim.errors import SettingsError, Unavailable
from eessi_sim.spool import Spool
from eessi_sim.storage.care import Condition, check_new, no_backup
from eessi_sim.storage.sql import load_migrations, load_queries
from eessi_sim.storage.sqlite_file import copy_file, open_looker, path_of, schema_of, unavailable

_STORE: Final = "store.db"
_SPOOLED: Final = re.compile(r"spool/([0-9a-f]{64})")
_NOTHING: Final = hashlib.sha256().hexdigest()
_TABLES: Final = ("message", "case_file", "document", "journal")


async def inspect(url: str) -> Condition:
    """Return what a store is like, see ``Care``."""
    path = path_of(url)
    with _own_errors(path):
        return await asyncio.to_thread(_inspect, path)


async def back_up(url: str, file: Path) -> None:
    """Write everything that is committed to one file, see ``Care``."""
    path = path_of(url)
    check_new(file)
    with _own_errors(path):
        await asyncio.to_thread(_back_up, path, file)


async def restore(file: Path, url: str) -> None:
    """Make a store of a backup, see ``Care``."""
    path = path_of(url)
    if path.exists() or _spool_folder(path).exists():
        raise SettingsError(
            f"Expected no store at {path}, found one",
            hint="Move it away with its spool folder, or name another file.",
        )
    with _own_errors(path):
        await asyncio.to_thread(_restore, file, path)


def _inspect(path: Path) -> Condition:
    with closing(open_looker(path)) as connection:
        connection.execute("BEGIN")  # one state for all questions
        schema = schema_of(connection, path)
        # S608: names of our own tables
        numbers = [connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in _TABLES]  # noqa: S608
        problems = [
            f"the database says: {row[0]}"
            for row in connection.execute("PRAGMA quick_check")
            if row[0] != "ok"
        ]
        problems += _wrong_counts(connection)
        spooled = _spooled(connection, schema)
    spool = Spool(_spool_folder(path))
    files = {digest: spool.find(digest) for digest in spooled}
    problems += [
        f"the file {digest} is missing in the spool" for digest, found in files.items() if found is None
    ]
    return Condition(
        name=str(path),
        schema=schema,
        newest_schema=len(load_migrations("sqlite")),
        messages=numbers[0],
        cases=numbers[1],
        documents=numbers[2],
        entries=numbers[3],
        octets=path.stat().st_size + sum(found.size for found in files.values() if found is not None),
        problems=tuple(problems),
    )


def _wrong_counts(connection: sqlite3.Connection) -> list[str]:
    rows = connection.execute(load_queries("sqlite", "own.sql")["wrong_tallies"])
    return [f"{row[4]:+} in the count of {' '.join(filter(None, row[:4]))}" for row in rows]


def _spooled(connection: sqlite3.Connection, schema: int) -> list[str]:
    """Return the digests of what lies in the spool; before contents were stored, nothing did."""
    contents = 2
    if schema < contents:
        return []
    return sorted({row[0] for row in connection.execute(load_queries("sqlite")["spooled"])} - {_NOTHING})


def _back_up(path: Path, file: Path) -> None:
    with tempfile.TemporaryDirectory(dir=file.absolute().parent, prefix=".eessi-sim-backup-") as name:
        copy, part = Path(name) / _STORE, Path(name) / "backup"
        copy_file(path, copy)
        with closing(open_looker(copy)) as connection:
            spooled = _spooled(connection, schema_of(connection, path))
        # The files come second: whatever the copy names was kept before it was committed.
        with tarfile.open(part, "w") as archive:
            archive.add(copy, _STORE)
            for digest in spooled:
                archive.add(_spool_folder(path) / digest, f"spool/{digest}")
        part.rename(file)


def _restore(file: Path, path: Path) -> None:
    with tempfile.TemporaryDirectory(dir=path.absolute().parent, prefix=".eessi-sim-restore-") as name:
        folder = Path(name)
        copy, spool = folder / _STORE, _spool_folder(folder / _STORE)
        spool.mkdir(mode=0o700)
        try:
            with tarfile.open(file, "r:") as archive:
                for member in archive:
                    _unpack(archive, member, file, copy, spool)
            condition = _inspect(copy)
        except (tarfile.TarError, sqlite3.Error, FileNotFoundError) as error:
            raise no_backup(file, str(error)) from error
        if condition.problems:
            raise no_backup(file, "; ".join(condition.problems))
        if any(spool.iterdir()):
            spool.rename(_spool_folder(path))
        copy.rename(path)


def _unpack(archive: tarfile.TarFile, member: tarfile.TarInfo, file: Path, copy: Path, spool: Path) -> None:
    """Bring one file of a backup to its place; nothing else than what we wrote ourselves is taken."""
    spooled = _SPOOLED.fullmatch(member.name)
    source = archive.extractfile(member) if spooled or member.name == _STORE else None
    if source is None:
        raise no_backup(file, f'"{member.name}" in it')
    target = spool / spooled[1] if spooled else copy
    with source, target.open("wb") as sink:
        shutil.copyfileobj(source, sink)
    if spooled:
        with target.open("rb") as kept:
            if hashlib.file_digest(kept, "sha256").hexdigest() != spooled[1]:
                raise no_backup(file, f'other octets in "{member.name}"')


def _spool_folder(path: Path) -> Path:
    return path.with_name(f"{path.name}-spool")


@contextmanager
def _own_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise unavailable(path, error) from error
    except OSError as error:
        raise Unavailable(
            f'Cannot use the store "{path}": {error}', hint="Look at the folder and its permissions."
        ) from error
