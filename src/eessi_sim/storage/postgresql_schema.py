"""The tables of a PostgreSQL store: is the schema ours, which version is it, and bringing it up to date."""

from typing import Any, Final, TypeAlias

from eessi_sim.errors import MigrationNeeded, Unavailable
from eessi_sim.storage.postgresql_server import Address
from eessi_sim.storage.sql import load_migrations, load_numbered

Connection: TypeAlias = Any  # Any: a connection of the driver, or the proxy of one that a pool lends

MIGRATION_SECONDS: Final = 3600.0
"""So long one statement of a migration may take (our choice, inferred)."""


async def migrate(connection: Connection, address: Address) -> None:
    """Bring the schema up to date, making it when it is absent; several processes may do so at the same time.

    Raises:
        Unavailable: the schema belongs to another program, or the server does not let us.
        MigrationNeeded: a newer version of the program wrote it.
    """
    migrations, sql = load_migrations("postgresql"), load_numbered("postgresql")
    with address.own_errors():
        if await version_of(connection, address) == len(migrations):
            return  # the usual case needs neither a lock nor the right to make tables
        async with connection.transaction():
            await connection.execute(sql["lock_migration"].sql, address.schema)
            found = await version_of(connection, address)
            if found > len(migrations):
                raise MigrationNeeded(
                    f'Expected schema {len(migrations)} or older in "{address.name}", found schema {found}',
                    hint="Use the version of the program that wrote the store, or a newer one.",
                    store=address.name,
                )
            if found == len(migrations):
                return  # another process was faster
            if found:
                await _back_up(connection, address, found)
                for script in migrations[found:]:
                    await connection.execute(script, timeout=MIGRATION_SECONDS)
                await connection.execute(sql["set_version"].sql, len(migrations))
            else:
                await build(connection, address.schema, len(migrations))


async def build(connection: Connection, schema: str, version: int) -> None:
    """Make the tables of a version in a schema, which is made when it is absent; they are then what is worked with."""
    sql = load_numbered("postgresql")
    await connection.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
    await connection.execute(f"SET LOCAL search_path TO {schema}")
    await connection.execute(sql["make_version"].sql)
    for script in load_migrations("postgresql")[:version]:
        await connection.execute(script)
    await connection.execute(sql["add_version"].sql, version)


async def _back_up(connection: Connection, address: Address, version: int) -> None:
    """Copy the whole store into a schema beside it, within the transaction that migrates it.

    The way back: drop the schema of the store, and give the copy its name.

    Raises:
        Unavailable: there is such a copy already.
    """
    sql, copy = load_numbered("postgresql"), backup_name(address.schema, version)
    if await connection.fetch(sql["tables"].sql, copy):
        raise Unavailable(
            f'Expected no schema "{copy}" beside "{address.name}", found one: the backup of an earlier migration',
            hint=f"Rename it or drop it: ALTER SCHEMA {copy} RENAME TO {copy}_old",
            store=address.name,
        )
    await build(connection, copy, version)
    await connection.execute("DELETE FROM schema_version")
    # Names of our own tables and columns, and a schema whose name was checked.
    for table, columns in await connection.fetch(sql["columns"].sql, address.schema):
        await connection.execute(
            f"INSERT INTO {table} ({columns}) SELECT {columns} FROM {address.schema}.{table}",  # noqa: S608
            timeout=MIGRATION_SECONDS,
        )
    for table, column in await connection.fetch(sql["identities"].sql, address.schema):
        sequence = f"{table}_{column}_seq"
        await connection.execute(
            f"SELECT setval('{sequence}', last_value, is_called) FROM {address.schema}.{sequence}"  # noqa: S608
        )
    await connection.execute(f"SET LOCAL search_path TO {address.schema}")


def backup_name(schema: str, version: int) -> str:
    """Return the schema in which a migration leaves the store as it was."""
    return f"{schema}_schema_{version}"


async def version_of(connection: Connection, address: Address) -> int:
    """Return the number of the newest migration that was done, 0 when there is no store yet.

    Raises:
        Unavailable: the schema belongs to another program.
    """
    sql = load_numbered("postgresql")
    names = {row[0] for row in await connection.fetch(sql["tables"].sql, address.schema)}
    if not names:
        return 0
    if "schema_version" not in names:
        raise Unavailable(
            f'Expected a store of the simulator in "{address.name}", found the tables of another program',
            hint="Name another schema with ?schema= in the URL.",
            store=address.name,
        )
    return int(await connection.fetchval(sql["version"].sql))
