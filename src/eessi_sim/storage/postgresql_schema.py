"""The tables of a PostgreSQL store: is the schema ours, which version is it, and bringing it up to date."""

from typing import Any, TypeAlias

from eessi_sim.errors import MigrationNeeded, Unavailable
from eessi_sim.storage.postgresql_server import Address
from eessi_sim.storage.sql import load_migrations, load_numbered

Connection: TypeAlias = Any  # Any: a connection of the driver, or the proxy of one that a pool lends


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
            if not found:
                await connection.execute(f"CREATE SCHEMA IF NOT EXISTS {address.schema}")
                await connection.execute(sql["make_version"].sql)
                await connection.execute(sql["add_version"].sql)
            for script in migrations[found:]:
                await connection.execute(script)
            await connection.execute(sql["set_version"].sql, len(migrations))


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
