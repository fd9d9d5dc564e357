"""What only a server can show: it is lost and comes back, it is shared, it may belong to somebody else."""

import asyncio
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from asyncpg.pool import PoolConnectionProxy
from tests.helpers.postgresql import Server, drop, empty_store, execute
from tests.helpers.stored import MINUTE, NODE, NOON, a_case, a_message, an_entry, message_id

from eessi_sim.attachments import Octets
from eessi_sim.errors import Conflict, MigrationNeeded, SettingsError, Unavailable
from eessi_sim.spool import SpoolFile
from eessi_sim.storage.base import Claim, Direction, Storage, UnitOfWork
from eessi_sim.storage.local_server import LocalServer
from eessi_sim.storage.postgresql_server import Address
from eessi_sim.storage.registry import open_storage
from eessi_sim.storage.sql import load_numbered

OUT = Direction.OUT
CUT = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = '{}' AND pid <> pg_backend_pid()"


@pytest.fixture
async def url(postgresql: Server) -> AsyncIterator[str]:
    """The URL of an empty store."""
    async with empty_store(postgresql) as url:
        yield url


@pytest.fixture
async def storage(url: str) -> AsyncIterator[Storage]:
    """The store, empty."""
    storage = await open_storage(url)
    yield storage
    await storage.close()


@pytest.fixture
async def other(url: str, storage: Storage) -> AsyncIterator[Any]:
    """A connection of another process, which has a transaction open."""
    connection = await Address.parse(url).connect()
    await connection.execute("BEGIN")
    yield connection
    await connection.close()


async def test_case_that_another_process_adds_first_is_a_conflict(
    url: str, storage: Storage, other: Any
) -> None:
    """Of two processes that add a case with the same international id, the second learns it."""
    await other.execute(
        "INSERT INTO case_file (node, case_id, international_id, revision, content) VALUES ($1, 'x', $2, 1, '')",
        NODE,
        a_case().international_id,
    )
    committing = asyncio.create_task(storage.node(NODE).commit(unit()))
    await waits(url)
    await other.execute("COMMIT")
    with pytest.raises(Conflict, match="Expected one case with international id"):
        await committing


def unit(number: int = 1) -> UnitOfWork:
    """A unit of work with a message, a case and an entry."""
    work = UnitOfWork()
    work.add_message(a_message(number))
    work.save_case(a_case(number), None)
    work.journal(an_entry(message_id=message_id(number)))
    return work


async def soon(attempt: Callable[[], Awaitable[object]]) -> object:
    """What an attempt returns as soon as the store can be used again."""
    for _ in range(200):
        try:
            return await attempt()
        except Unavailable:
            await asyncio.sleep(0.05)
    return await attempt()


async def waits(url: str) -> None:
    """Return as soon as a process waits for a lock."""
    connection = await Address.parse(url).connect()
    for _ in range(200):
        if await connection.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):
            break
        await asyncio.sleep(0.02)
    await connection.close()


async def test_entry_of_a_slow_transaction_does_not_appear_behind_a_reader(
    url: str, storage: Storage, other: Any
) -> None:
    """Who numbers his entries later is committed later: he waits for the one who is about to commit."""
    lock, add = (load_numbered("postgresql")[name] for name in ("lock_journal", "add_entry"))
    schema = Address.parse(url).schema
    await other.execute(lock.sql, *lock.values({"schema": schema, "channel": "none", "nodes": ""}))
    row = {"node": "XX:SLOW", "at_us": 1, "step": "slow", "outcome": "ok", "detail": "{}"}
    await other.execute(add.sql, *add.values({**row, "message_id": None, "case_id": None}))
    work = UnitOfWork()
    work.journal(an_entry("fast"))
    committing = asyncio.create_task(storage.node(NODE).commit(work))
    await waits(url)
    assert await storage.journal() == ()
    await other.execute("COMMIT")
    await committing
    assert [entry.step for entry in await storage.journal()] == ["slow", "fast"]


async def test_claim_leaves_out_what_another_process_claims(storage: Storage, other: Any) -> None:
    """A claim does not wait for another one: it takes the next messages."""
    for number in (1, 2):
        await storage.node(NODE).commit(unit(number))
    await other.execute("SELECT 1 FROM message WHERE message_id = $1 FOR UPDATE", message_id(1))
    claim = Claim(direction=OUT, states=["SUBMITTED"], claimed_state="SENDING", now=NOON, lease=MINUTE)
    assert [message.message_id for message in await storage.node(NODE).claim(claim)] == [message_id(2)]


async def test_message_that_another_process_adds_first_is_a_conflict(
    url: str, storage: Storage, other: Any
) -> None:
    """Of two processes that add the same message, the second learns it; units beside it are done."""
    await other.execute("CREATE TEMP TABLE m AS SELECT * FROM message")
    second = await open_storage(url)
    await second.node(NODE).commit(unit(9))
    await other.execute(
        "INSERT INTO message (node, direction, message_id, kind, state, sender, receiver, conversation, content_type,"
        " digest, created_us, updated_us, attempts, due_us, leased_us, details)"
        " SELECT node, direction, $1, kind, state, sender, receiver, conversation, content_type,"
        " digest, created_us, updated_us, attempts, due_us, leased_us, details FROM message",
        message_id(1),
    )
    both = asyncio.gather(*(storage.node(NODE).commit(unit(n)) for n in (1, 2)), return_exceptions=True)
    await waits(url)
    await other.execute("COMMIT")
    results = await both
    assert [type(result) for result in results] == [Conflict, type(None)]
    assert str(results[0]).startswith(f'Expected a new message, found "{message_id(1)}"')
    await second.close()


async def test_processes_that_wait_for_each_other_both_get_through(url: str, storage: Storage) -> None:
    """Transactions that lock the same rows in different order are done one after the other."""
    for number in (1, 2):
        await storage.node(NODE).commit(unit(number))
    other = await Address.parse(url).connect()
    await other.execute("BEGIN")
    await other.execute("UPDATE message SET attempts = 1 WHERE message_id = $1", message_id(2))
    work = UnitOfWork()
    work.update_message(OUT, message_id(1), state="SENDING")
    work.update_message(OUT, message_id(2), state="SENDING")
    committing = asyncio.create_task(storage.node(NODE).commit(work))
    await waits(url)
    await other.execute("UPDATE message SET attempts = 1 WHERE message_id = $1", message_id(1))
    await other.execute("COMMIT")
    await committing
    assert (await storage.node(NODE).counts()).in_state(OUT, "SENDING") == 2
    await other.close()


@pytest.mark.parametrize(
    ("errors", "attempts"),
    [
        ([asyncpg.DeadlockDetectedError] * 9, 6),
        ([asyncpg.DeadlockDetectedError, OSError], 2),
        ([ValueError], 1),
    ],
)
async def test_commit_is_tried_a_limited_number_of_times(
    storage: Storage, monkeypatch: pytest.MonkeyPatch, errors: list[type[Exception]], attempts: int
) -> None:
    """A unit that always meets another transaction is given up after some attempts, any other failure at once."""
    left = list(errors)

    async def fail(*_: Any) -> None:
        raise left.pop(0)("the reason")

    monkeypatch.setattr("eessi_sim.storage.postgresql_commit.GroupCommit._write_once", fail)
    with pytest.raises(Unavailable, match="the reason"):
        await storage.node(NODE).commit(unit())
    assert len(errors) - len(left) == attempts


async def test_fate_that_cannot_be_found_out_is_an_error(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the server does not come back to tell, the caller learns that in a bounded time."""

    async def lossy(self: Any, statement: str, *arguments: Any, **options: Any) -> Any:
        if statement == "COMMIT":
            raise asyncpg.ConnectionDoesNotExistError("the cable is cut")
        return await real(self, statement, *arguments, **options)

    async def away(_: Address) -> None:
        raise Unavailable("the server is away")

    real = PoolConnectionProxy.execute
    monkeypatch.setattr(PoolConnectionProxy, "execute", lossy)
    monkeypatch.setattr(Address, "connect", away)
    monkeypatch.setattr("eessi_sim.storage.postgresql_commit._ASK_SECONDS", 0.15)
    with pytest.raises(Unavailable):
        await storage.node(NODE).commit(unit())


async def test_lost_connections_come_back(url: str, storage: Storage) -> None:
    """After the server cut all connections, reading, writing and waiting for news go on."""
    node = storage.node(NODE)
    await node.commit(unit(1))
    waiter = asyncio.create_task(storage.wait_for_journal(1))
    await asyncio.sleep(0)
    await execute(url, CUT.format(f"eessi-sim {Address.parse(url).schema}"))
    await soon(lambda: node.commit(unit(2)))
    assert await soon(lambda: node.find_case(a_case(2).id)) == a_case(2)
    await asyncio.wait_for(waiter, 30)


@pytest.mark.parametrize("before", [True, False])
async def test_fate_of_a_commit_whose_answer_is_lost_is_found_out(
    storage: Storage, monkeypatch: pytest.MonkeyPatch, before: bool
) -> None:
    """A connection lost around the commit leaves no doubt: the server is asked what became of it."""
    node, real, losses = storage.node(NODE), PoolConnectionProxy.execute, [1]

    async def lossy(self: Any, statement: str, *arguments: Any, **options: Any) -> Any:
        if statement != "COMMIT" or not losses:
            return await real(self, statement, *arguments, **options)
        losses.clear()
        if not before:
            await real(self, statement)
        self.terminate()
        raise asyncpg.ConnectionDoesNotExistError("the cable is cut")

    monkeypatch.setattr(PoolConnectionProxy, "execute", lossy)
    if before:
        with pytest.raises(Unavailable, match="the connection is lost"):
            await node.commit(unit())
    else:
        await node.commit(unit())
    assert (await node.counts()).cases == (0 if before else 1)
    await soon(lambda: node.commit(unit(2)))


@pytest.mark.parametrize("fate", ["committed", "in the future", "committed, without an entry"])
async def test_number_of_a_transaction_that_a_crash_gave_to_another_one_proves_nothing(
    storage: Storage, monkeypatch: pytest.MonkeyPatch, fate: str
) -> None:
    """A commit that a crash undid is no success, though another transaction got its number and was committed."""
    node, real, losses = storage.node(NODE), PoolConnectionProxy.execute, [1]
    await node.commit(unit(3))

    async def lossy(self: Any, statement: str, *arguments: Any, **options: Any) -> Any:
        if statement != "COMMIT" or not losses:
            return await real(self, statement, *arguments, **options)
        losses.clear()
        await real(self, "ROLLBACK")
        raise asyncpg.ConnectionDoesNotExistError("the server is gone")

    answer = "'committed'::text" if fate.startswith("committed") else "pg_xact_status('9999999'::xid8)"
    queries = dict(load_numbered("postgresql"))
    queries["fate"] = replace(queries["fate"], sql=f"SELECT {answer} WHERE $1::text <> ''")
    monkeypatch.setattr(PoolConnectionProxy, "execute", lossy)
    monkeypatch.setattr(storage._commit, "_sql", queries)  # type: ignore[attr-defined]
    work = unit()
    if fate.endswith("without an entry"):
        work = UnitOfWork()
        work.save_case(a_case(), None)
    with pytest.raises(Unavailable, match="the connection is lost"):
        await node.commit(work)
    assert (await node.counts()).cases == 1
    await soon(lambda: node.commit(unit()))
    assert (await node.counts()).cases == 2


async def test_text_that_no_database_keeps_fails_its_unit_alone(storage: Storage) -> None:
    """A unit that cannot be written at all does not hurt those beside it."""
    node = storage.node(NODE)
    results: list[Any] = []
    for text in ("half a character: \ud800", "nothing: \0"):
        work = UnitOfWork()
        work.add_message(a_message(2, last_error=text))
        results += await asyncio.gather(node.commit(work), node.commit(UnitOfWork()), return_exceptions=True)
    await node.commit(unit())
    assert [type(result) for result in results] == [Unavailable, type(None)] * 2


async def test_large_octets_are_read_by_another_process(url: str, storage: Storage) -> None:
    """A message and a content in the spool of one process are found whole by another one, which has its own folder."""
    assert storage.spool is not None
    octets = b"scan" * 600_000
    file = storage.spool.write([octets]).keep()
    work = UnitOfWork()
    work.add_message(a_message(body=b"", digest=file.digest, spooled=file))
    work.save_content(file)
    await storage.node(NODE).commit(work)
    await storage.node(NODE).commit(unit(2))
    second = await open_storage(url)
    assert second.spool is not None
    assert second.spool.find(file.digest) is None
    message = await second.node(NODE).find_message(OUT, message_id())
    content = await second.node(NODE).content(file.digest)
    assert message is not None
    assert message.whole == octets
    assert isinstance(content, SpoolFile)
    assert content.read() == octets
    assert await second.spooled() == {file.digest}
    await second.close()
    await execute(url, "DELETE FROM spool_piece WHERE number = 1")
    third = await open_storage(url)
    with pytest.raises(Unavailable, match="Expected the octets"):
        await third.node(NODE).find_message(OUT, message_id())
    await third.close()


async def test_octets_that_nobody_names_are_swept_after_a_day(url: str, storage: Storage) -> None:
    """What was sent for a unit that failed goes with a start, a day later; what is named stays."""
    assert storage.spool is not None
    for number, octets in enumerate((b"kept", b"left over", b"new")):
        file = storage.spool.write([octets]).keep()
        work = UnitOfWork()
        work.save_content(file)
        if number:
            work.update_message(OUT, "unknown", state="SENDING")
        await asyncio.gather(storage.node(NODE).commit(work), return_exceptions=True)
    await execute(
        url,
        f"UPDATE spool_piece SET sent = now() - interval '25 hours' WHERE digest <> '{Octets.of(b'new').digest}'",
    )
    await (await open_storage(url)).close()
    connection = await Address.parse(url).connect()
    left = {row[0] for row in await connection.fetch("SELECT digest FROM spool_piece")}
    await connection.close()
    assert left == {Octets.of(b"kept").digest, Octets.of(b"new").digest}


@pytest.mark.process
async def test_killed_server_loses_nothing_it_acknowledged() -> None:
    """After SIGKILL of the server and its return, every acknowledged unit is there, and the store goes on."""
    folder = Path(tempfile.mkdtemp(prefix="eessi-sim-test-pg-", dir="/tmp"))
    os.chmod(folder, 0o755)  # noqa: PTH101 - pathlib would block the event loop as well
    server = LocalServer(folder / "server")
    server.start()
    try:
        storage = await open_storage(server.url)
        node, done, stopped = storage.node(NODE), set[int](), asyncio.Event()

        async def write(number: int) -> None:
            while not stopped.is_set():
                await node.commit(unit(number))
                done.add(number)
                number += 8

        writers = asyncio.gather(*map(write, range(8)), return_exceptions=True)
        for _ in range(20):
            await storage.wait_for_journal(len(done))
        server.kill()
        server.start()
        stopped.set()
        assert {type(each) for each in await asyncio.wait_for(writers, 60)} <= {type(None), Unavailable}
        await soon(lambda: node.commit(unit(10_001)))
        cases = await node.cases(limit=20_000)
        assert {a_case(number).id for number in done} <= {case.id for case in cases}
        assert (await node.counts()).cases == len(cases) == len(await node.journal(limit=20_000))
        await storage.close()
    finally:
        server.kill()
        server.stop()
    shutil.rmtree(folder)


async def test_newer_schema_is_refused(postgresql: Server) -> None:
    """A store that a newer version of the program wrote is refused and says which schema it has."""
    url = postgresql.named(f"{postgresql.schema}_newer")
    await (await open_storage(url)).close()
    await execute(url, "UPDATE schema_version SET version = 99")
    with pytest.raises(MigrationNeeded, match="found schema 99") as caught:
        await open_storage(url)
    assert caught.value.hint
    await drop(url)


async def test_tables_of_another_program_are_left_alone(postgresql: Server) -> None:
    """A schema that this program did not make is refused and gets none of its tables."""
    url = postgresql.named(f"{postgresql.schema}_other")
    schema = Address.parse(url).schema
    await execute(url, f"CREATE SCHEMA {schema}", "CREATE TABLE letter (text TEXT)")
    with pytest.raises(Unavailable, match="found the tables of another program"):
        await open_storage(url)
    await drop(url)


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("postgresql:", "such as"),
        ("postgresql://host/", "such as"),
        ("postgresql://me:secret@host/db?schema=No", "small letters"),
        ("postgresql://me:secret@host/db?connections=0", "from 1 to 100"),
    ],
)
async def test_wrong_url_is_refused(url: str, found: str) -> None:
    """A URL names a database; an option with a wrong value is named, and the password is never shown."""
    with pytest.raises(SettingsError, match=found) as caught:
        await open_storage(url)
    assert "secret" not in str(caught.value)


async def test_server_that_is_not_there_is_named(tmp_path: Path) -> None:
    """Without a server the error names it, without the password, and says what to do."""
    with pytest.raises(Unavailable) as caught:
        await open_storage(f"postgresql://me:secret@/db?host={tmp_path}")
    assert str(tmp_path) in caught.value.message
    assert "secret" not in caught.value.message
    assert caught.value.hint


async def test_processes_that_start_together_make_the_store_once(postgresql: Server) -> None:
    """Whoever waited while another one made the tables has nothing to migrate, and leaves no copy behind."""
    url = postgresql.named("started_together")
    opened = await asyncio.gather(*(open_storage(url) for _ in range(4)))
    for storage in opened:
        await storage.close()
    connection = await Address.parse(url).connect()
    left = await connection.fetch("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'started_together%'")
    await connection.close()
    await drop(url)
    assert [row[0] for row in left] == ["started_together"]


@pytest.mark.parametrize(
    ("name", "index"),
    [
        ("find_message", "message_node_direction_message_id_key"),
        ("message_to_change", "message_node_direction_message_id_key"),
        ("message_by_seq", "message_body_pkey"),
        ("lease_to", "message_pkey"),
        ("due_messages", "message_queue"),
        ("next_due", "message_queue"),
        ("messages_by_conversation", "message_conversation"),
        ("case_revision", "case_file_node_international_id_key"),
        ("find_case", "case_file_node_case_id_key"),
        ("find_case_by_international", "case_file_node_international_id_key"),
        ("newest_document", "document_node_case_id_document_id_version_key"),
        ("nodes_with_entries", "journal_pkey"),
        ("journal_of_node", "journal_node"),
    ],
)
async def test_rows_are_found_by_their_index_in_a_store_that_has_grown(
    url: str, storage: Storage, name: str, index: str
) -> None:
    """The plan of a statement neither reads a whole table nor all rows of a node, a few dozen commits after the start."""
    node = storage.node(NODE)
    for number in range(64):
        work = UnitOfWork()
        work.add_message(a_message(number, conversation=f"conversation-{number}"))
        work.save_case(a_case(number), None)
        work.journal(an_entry(message_id=message_id(number)))
        await node.commit(work)
    statement = load_numbered("postgresql")[name]
    connection = await Address.parse(url).connect()
    await connection.execute("SET plan_cache_mode = force_generic_plan")
    await connection.execute(f"PREPARE asked AS {statement.sql}")
    nulls = ", ".join(["NULL"] * len(statement.names))
    plan = "\n".join(row[0] for row in await connection.fetch(f"EXPLAIN EXECUTE asked ({nulls})"))
    await connection.close()
    assert "Seq Scan" not in plan, plan
    assert index in plan, plan
