"""Opens the file of an SQLite store: is it ours, of which schema, may we write; and its errors in our words.

Only connections and the schema live here; records are the business of the other modules.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from eessi_sim.errors import MigrationNeeded, SettingsError, Unavailable
from eessi_sim.storage.sql import load_migrations

_APPLICATION_ID = 0x45455349
"""``EESI``: marks the file as a store of the simulator (our choice, inferred)."""
_WRITE_BACK_PAGES = 4000
"""Pages in the log before they move into the main file: about 16 MB, fewer and longer writes."""
_CACHE_KIBIBYTES = 16 * 1024
"""Indexes over random ids touch pages all over the file; the default of 2 MB holds too few of them."""

_CAUSES = {
    "SQLITE_CANTOPEN": ("it cannot be opened", "Check that the folder exists and that you may write in it."),
    "SQLITE_READONLY": ("it is read-only", "Give yourself write permission for the file and its folder."),
    "SQLITE_PERM": ("permission denied", "Give yourself write permission for the file and its folder."),
    "SQLITE_NOTADB": ("the file is no database", "Name another file, or move this one away."),
    "SQLITE_CORRUPT": ("the file is damaged", "Restore it from a backup, or start with a new file."),
    "SQLITE_BUSY": ("another process holds it", "Stop the other process, or give each process its own file."),
    "SQLITE_FULL": ("the disk is full", "Free some space and try again."),
    "SQLITE_IOERR": ("reading or writing failed", "Check the disk and its file system."),
}


def unavailable(path: Path, error: Exception) -> Unavailable:
    """Return our error for an error of the database."""
    name = "_".join(getattr(error, "sqlite_errorname", "").split("_")[:2])
    cause, hint = _CAUSES.get(name, (str(error), None))
    return Unavailable(f'Cannot use the store "{path}": {cause}', hint=hint, path=path)


def open_writer(path: Path, *, busy_seconds: float) -> sqlite3.Connection:
    """Return the one connection that writes, after bringing the schema up to date.

    Args:
        path: the file; made when absent.
        busy_seconds: how long to wait for another process.

    Raises:
        Unavailable: the file cannot be used.
        MigrationNeeded: a newer version of the program wrote it.
    """
    try:
        connection = _connect(path, busy_seconds)
    except sqlite3.Error as error:
        raise unavailable(path, error) from error
    try:
        _prepare(connection, path)
    except sqlite3.Error as error:
        connection.close()
        raise unavailable(path, error) from error
    except (Unavailable, MigrationNeeded):
        connection.close()
        raise
    return connection


def open_reader(path: Path, *, busy_seconds: float) -> sqlite3.Connection:
    """Return a connection that only reads; ``open_writer`` was there before."""
    connection = _connect(path, busy_seconds)
    connection.execute("PRAGMA query_only = 1")
    return connection


def path_of(url: str) -> Path:
    """Return the file that ``url`` names: ``sqlite:///absolute/path`` or ``sqlite:relative/path``.

    Raises:
        SettingsError: the URL names no file.
    """
    parts = urlsplit(url)
    if parts.netloc or not parts.path.strip("/") or parts.path == ":memory:":
        raise SettingsError(
            f'Expected a URL such as "sqlite:///var/lib/eessi-sim/store.db", found "{url}"',
            hint='Name a file; "memory:" is the store that forgets.',
        )
    return Path(unquote(parts.path))


def copy_file(path: Path, target: Path) -> None:
    """Copy a store as it was last committed, whoever writes to it meanwhile; the spool is not copied.

    Raises:
        sqlite3.Error: reading or writing failed; ``target`` is as before.
    """
    part = target.with_name(f"{target.name}.part")
    part.unlink(missing_ok=True)
    with closing(open_looker(path)) as source, closing(sqlite3.connect(part)) as copy:
        source.backup(copy)
    part.replace(target)


def open_looker(path: Path) -> sqlite3.Connection:
    """Return a connection that changes nothing, not even the schema; it may be of a newer version."""
    return sqlite3.connect(f"file:{quote(str(path.absolute()))}?mode=ro", uri=True, isolation_level=None)


def schema_of(connection: sqlite3.Connection, path: Path) -> int:
    """Return the schema of a store.

    Raises:
        Unavailable: the file belongs to another program.
    """
    _check_ownership(connection, path)
    return _pragma(connection, "user_version")


def _connect(path: Path, busy_seconds: float) -> sqlite3.Connection:
    # isolation_level None: transactions begin and end where we say, not where the module guesses.
    # check_same_thread off: the commit runs in a thread, one at a time.
    return sqlite3.connect(
        path, timeout=busy_seconds, isolation_level=None, check_same_thread=False, cached_statements=256
    )


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    _check_ownership(connection, path)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")  # an acknowledged message survives a power cut
    connection.execute(f"PRAGMA wal_autocheckpoint = {_WRITE_BACK_PAGES}")
    connection.execute(f"PRAGMA cache_size = -{_CACHE_KIBIBYTES}")
    connection.execute("PRAGMA temp_store = MEMORY")
    _migrate(connection, path)


def _check_ownership(connection: sqlite3.Connection, path: Path) -> None:
    mark = _pragma(connection, "application_id")
    tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if mark != _APPLICATION_ID and (mark or tables):
        raise Unavailable(
            f'Expected a store of the simulator in "{path}", found the database of another program',
            hint="Name another file.",
            path=path,
        )


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    migrations = load_migrations("sqlite")
    connection.execute("BEGIN IMMEDIATE")  # a second process waits here and then finds the work done
    found = _pragma(connection, "user_version")
    if found > len(migrations):
        connection.execute("ROLLBACK")
        raise MigrationNeeded(
            f'Expected schema {len(migrations)} or older in "{path}", found schema {found}',
            hint="Use the version of the program that wrote the store, or a newer one.",
            path=path,
        )
    if 0 < found < len(migrations):
        copy_file(path, path.with_name(f"{path.name}.schema-{found}.backup"))  # nobody writes meanwhile
    for script in migrations[found:]:
        for statement in _statements(script):
            connection.execute(statement)
    connection.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {len(migrations)}")
    connection.execute("COMMIT")


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])


def _statements(script: str) -> Iterator[str]:
    # Not executescript: that would end our transaction before it begins.
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
