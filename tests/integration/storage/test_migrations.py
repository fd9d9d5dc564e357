"""Stores of every earlier schema are brought up to date, with a copy first; both dialects go the same way."""

import os
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tests.helpers.postgresql import Server, drop, execute
from tests.helpers.stored import NODE, a_case, a_document, a_message, an_entry

from eessi_sim.errors import Unavailable
from eessi_sim.storage.base import Direction, Storage, UnitOfWork
from eessi_sim.storage.care import find_care
from eessi_sim.storage.postgresql_schema import backup_name, build
from eessi_sim.storage.postgresql_server import Address
from eessi_sim.storage.registry import open_storage
from eessi_sim.storage.sql import load_migrations

NEWEST = len(load_migrations("sqlite"))
EARLIER = range(1, NEWEST)
Columns = dict[str, list[tuple[str, bool]]]
"""Of each table: name, and whether it may be empty."""
ONLY_POSTGRESQL = {"schema_version", "spool_piece"}
"""What SQLite keeps in the head of the file, and in a folder."""
ROWS = (
    (
        "INSERT INTO message (node, direction, message_id, kind, state, sender, receiver, conversation, content_type,"
        " digest, created_us, updated_us, attempts, due_us, leased_us, details) VALUES"
        " ('NO:NAVAT07', 'out', 'old@navat07.no.eessi-sim.example', 'user', 'SUBMITTED', 'a', 'b', 'c', 'd', 'e', 1, 1, 0, 0, 0, '{}')"
    ),
    "INSERT INTO message_body SELECT seq, 'octets' FROM message",
    "INSERT INTO journal (node, at_us, step, outcome, detail) VALUES ('NO:NAVAT07', 1, 'old', 'ok', '{}')",
    "INSERT INTO tally VALUES ('NO:NAVAT07', 'out', 'user', 'SUBMITTED', 1)",
)
"""A message and an entry as the first schema kept them."""


def old_file(path: Path, schema: int) -> None:
    """Make a store as an earlier version of the program did."""
    with closing(sqlite3.connect(path)) as connection:
        for script in load_migrations("sqlite")[:schema]:
            connection.executescript(script)
        for statement in ROWS:
            connection.execute(statement.replace("'octets'", "x'6f6c64'"))
        connection.execute(f"PRAGMA user_version = {schema}")
        connection.execute(f"PRAGMA application_id = {0x45455349}")
        connection.commit()


async def old_schema(url: str, schema: int) -> None:
    """Make a store as an earlier version of the program did."""
    address = Address.parse(url)
    connection = await address.connect()
    async with connection.transaction():
        await build(connection, address.schema, schema)
        for statement in ROWS:
            await connection.execute(statement)
    await connection.close()


@pytest.fixture
async def place(postgresql: Server) -> AsyncIterator[str]:
    """A schema that is not there yet, and not any more afterwards."""
    url = postgresql.named(f"{postgresql.schema}_old")
    yield url
    await drop(url)
    for schema in EARLIER:
        await drop(postgresql.named(backup_name(f"{postgresql.schema}_old", schema)))


async def check_grown(storage: Storage) -> None:
    """What was there is there, numbers go on, and everything of today can be written."""
    node = storage.node(NODE)
    assert [message.message_id for message in await node.messages()] == ["old@navat07.no.eessi-sim.example"]
    work = UnitOfWork()
    work.add_message(a_message())
    work.save_case(a_case(), None)
    work.save_document(a_document())
    work.journal(an_entry("new"))
    await node.commit(work)
    assert [(entry.seq, entry.step) for entry in await storage.journal()] == [(1, "old"), (2, "new")]
    assert (await node.counts()).in_state(Direction.OUT, "SUBMITTED") == 2


@pytest.mark.parametrize("schema", EARLIER)
async def test_earlier_file_is_migrated_and_a_copy_stays(tmp_path: Path, schema: int) -> None:
    """A file of an earlier schema keeps what it has and can do what is new; the file as it was lies beside it."""
    path = tmp_path / "store.db"
    old_file(path, schema)
    storage = await open_storage(f"sqlite://{path}")
    await check_grown(storage)
    await storage.close()
    found = await find_care("sqlite:").inspect(f"sqlite://{path}.schema-{schema}.backup")
    assert (found.schema, found.messages, found.entries, found.problems) == (schema, 1, 1, ())


@pytest.mark.parametrize("schema", EARLIER)
async def test_earlier_schema_is_migrated_and_a_copy_stays(
    place: str, postgresql: Server, schema: int
) -> None:
    """The same with PostgreSQL; the copy given the name of the store is the store as it was."""
    await old_schema(place, schema)
    storage = await open_storage(place)
    await check_grown(storage)
    await storage.close()
    name = Address.parse(place).schema
    await drop(place)
    await execute(postgresql.url, f"ALTER SCHEMA {backup_name(name, schema)} RENAME TO {name}")
    found = await find_care(place).inspect(place)
    assert (found.schema, found.messages, found.entries, found.problems) == (schema, 1, 1, ())
    storage = await open_storage(place)
    await check_grown(storage)
    await storage.close()


async def test_copy_of_an_earlier_migration_is_not_overwritten(place: str) -> None:
    """A migration that finds a copy in its way changes nothing and says what to do."""
    await old_schema(place, 1)
    await execute(place, f"CREATE SCHEMA {backup_name(Address.parse(place).schema, 1)}")
    await execute(place, f"CREATE TABLE {backup_name(Address.parse(place).schema, 1)}.letter (text TEXT)")
    with pytest.raises(Unavailable, match="found one: the backup of an earlier migration"):
        await open_storage(place)
    assert (await find_care(place).inspect(place)).schema == 1


async def test_no_new_store_has_a_copy(tmp_path: Path) -> None:
    """A store that is made, or up to date, is not copied."""
    for _ in range(2):
        await (await open_storage(f"sqlite://{tmp_path}/store.db")).close()
    assert os.listdir(tmp_path) == ["store.db"]  # noqa: PTH208 - pathlib would block the event loop as well


def columns_of_file(schema: int) -> Columns:
    """What a schema of SQLite has."""
    with closing(sqlite3.connect(":memory:")) as connection:
        for script in load_migrations("sqlite")[:schema]:
            connection.executescript(script)
        tables = connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
        )
        return {
            table: sorted(
                (row[1], not (row[3] or row[5])) for row in connection.execute(f"PRAGMA table_xinfo({table})")
            )
            for (table,) in tables.fetchall()
        }


async def columns_of_server(url: str, schema: int) -> Columns:
    """What a schema of PostgreSQL has."""
    address, columns = Address.parse(url), dict[str, Any]()
    connection = await address.connect()
    await connection.execute("BEGIN")
    await build(connection, address.schema, schema)
    rows = await connection.fetch(
        "SELECT table_name, column_name, is_nullable = 'YES' FROM information_schema.columns"
        " JOIN information_schema.tables USING (table_schema, table_name)"
        " WHERE table_schema = $1 AND table_type = 'BASE TABLE' ORDER BY 1, 2",
        address.schema,
    )
    for table, column, optional in rows:
        columns.setdefault(table, []).append((column, optional))
    await connection.close()
    return columns


@pytest.mark.parametrize("schema", range(1, NEWEST + 1))
async def test_both_dialects_have_the_same_tables(place: str, schema: int) -> None:
    """Each schema has the same number, tables and columns with SQLite and PostgreSQL."""
    server = await columns_of_server(place, schema)
    assert {name: each for name, each in server.items() if name not in ONLY_POSTGRESQL} == columns_of_file(
        schema
    )
