"""Large octets of a PostgreSQL store: in pieces in the database, which every machine reaches, and in a folder on the way.

The rest of the program reads and writes large octets as files, in threads and without waiting for a database. So each
process has a folder of its own that holds what it works on: a file goes into the database before the unit of work that
names it is committed, and is brought from there when somebody reads it who does not have it. The folder may be lost at
any time; a dump of the database is complete.
"""

import asyncio
from typing import TYPE_CHECKING

from eessi_sim.errors import Unavailable
from eessi_sim.spool import Spool, SpoolFile
from eessi_sim.storage.own_folder import OwnFolder
from eessi_sim.storage.postgresql_server import STATEMENT_SECONDS, Address
from eessi_sim.storage.sql import load_numbered

if TYPE_CHECKING:
    import asyncpg


class Pieces:
    """Brings files of the spool to the database and back.

    Args:
        address: of the store.
        pool: connections to it.
    """

    def __init__(self, address: Address, pool: "asyncpg.Pool[asyncpg.Record]") -> None:
        self._address = address
        self._pool = pool
        self._sql = load_numbered("postgresql")
        self._folder = OwnFolder("eessi-sim-spool-", address.spool)
        self.spool = Spool(self._folder.path)

    async def send(self, file: SpoolFile) -> None:
        """Keep a file in the database, once; durable when this returns.

        Raises:
            Unavailable: the server cannot be used, or the file cannot be read.
        """
        add = self._sql["add_piece"]
        with self._address.own_errors():
            async with self._pool.acquire(timeout=STATEMENT_SECONDS) as connection, connection.transaction():
                await connection.execute(self._sql["lock_pieces_to_send"].sql, self._address.schema)
                if await connection.fetchval(self._sql["touch_pieces"].sql, file.digest) is not None:
                    return
                for number, piece in enumerate(file.pieces()):
                    values = {"digest": file.digest, "number": number, "octets": piece}
                    await connection.execute(add.sql, *add.values(values))

    async def fetch(self, digest: str) -> SpoolFile:
        """Return the file that was kept under a digest.

        Raises:
            Unavailable: the server cannot be used, the disk is full, or there is no such file.
        """
        file = self.spool.find(digest)
        return file if file is not None else await self._bring(digest)

    async def sweep(self) -> None:
        """Remove from the database what was sent and is named by nobody.

        Raises:
            Unavailable: the server cannot be used.
        """
        with self._address.own_errors():
            async with self._pool.acquire(timeout=STATEMENT_SECONDS) as connection, connection.transaction():
                await connection.execute(self._sql["lock_pieces_to_sweep"].sql, self._address.schema)
                await connection.execute(self._sql["sweep_pieces"].sql)

    def close(self) -> None:
        """Remove the folder."""
        self._folder.close()

    async def _bring(self, digest: str) -> SpoolFile:
        piece, number, writer = self._sql["piece"], 0, self.spool.begin()
        try:
            with self._address.own_errors():
                while octets := await self._pool.fetchval(
                    piece.sql, *piece.values({"digest": digest, "number": number})
                ):
                    writer.append(octets)
                    number += 1
        except BaseException:
            writer.discard()
            raise
        file = writer.finish()
        if file.digest != digest:
            file.discard()
            raise Unavailable(
                f"Expected the octets {digest} in the store, found {'others' if number else 'none'}",
                hint="The table spool_piece belongs to the store; bring it back from the backup.",
            )
        return await asyncio.to_thread(file.keep)
