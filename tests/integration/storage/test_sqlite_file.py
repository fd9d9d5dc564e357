"""What only a file can show: it survives, it may be somebody else's, locked, full, damaged or gone."""

import asyncio
import os
import sqlite3
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.helpers.privileges import as_nobody, open_folder
from tests.helpers.stored import NODE, NOON, a_case, a_document, a_message, an_entry, message_id

from eessi_sim.attachments import Octets
from eessi_sim.errors import EessiSimError, MigrationNeeded, SettingsError, StorageError, Unavailable
from eessi_sim.gateway.retention import Retention, clean
from eessi_sim.storage.base import Claim, Direction, MessageQuery, NodeStore, UnitOfWork
from eessi_sim.storage.registry import open_storage, url_of
from eessi_sim.storage.sqlite import SqliteStorage


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the store lies."""
    return tmp_path / "store.db"


@pytest.fixture
async def storage(path: Path) -> AsyncIterator[SqliteStorage]:
    """A store that waits for other processes only briefly."""
    storage = SqliteStorage(path, busy_seconds=0.05)
    yield storage
    await storage.close()


@pytest.fixture
def node(storage: SqliteStorage) -> NodeStore:
    """The view of one node."""
    return storage.node(NODE)


@pytest.fixture
def other_process(path: Path, storage: SqliteStorage) -> Iterator[sqlite3.Connection]:
    """A connection of somebody else to the same file."""
    connection = sqlite3.connect(path, isolation_level=None, timeout=5)
    yield connection
    connection.close()


def unit(number: int = 1) -> UnitOfWork:
    """A unit of work with one write of each kind."""
    work = UnitOfWork()
    work.add_message(a_message(number))
    work.save_case(a_case(number), None)
    work.save_document(a_document(number))
    work.journal(an_entry(message_id=message_id(number)))
    return work


def database(path: Path, *statements: str) -> None:
    """Make a database of another program."""
    connection = sqlite3.connect(path)
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


async def test_everything_is_there_after_opening_again(path: Path) -> None:
    """What was committed is found by the next one who opens the file."""
    storage = SqliteStorage(path)
    await storage.node(NODE).commit(unit())
    before = await storage.node(NODE).messages(with_body=True)
    await storage.close()
    storage = SqliteStorage(path)
    node = storage.node(NODE)
    assert await node.messages(with_body=True) == before
    assert (await node.cases(), len(await node.journal()), (await node.counts()).documents) == (
        (a_case(),),
        1,
        1,
    )
    await storage.close()


async def test_numbers_go_on_after_opening_again(path: Path) -> None:
    """Numbers of messages and journal continue where they ended."""
    for number in (1, 2):
        storage = SqliteStorage(path)
        await storage.node(NODE).commit(unit(number))
        await storage.close()
    storage = SqliteStorage(path)
    assert [message.seq for message in await storage.node(NODE).messages()] == [2, 1]
    assert [entry.seq for entry in await storage.journal()] == [1, 2]
    await storage.close()


async def test_closed_file_has_no_log_beside_it(path: Path) -> None:
    """Closing moves everything into the one file, so that it can be copied."""
    storage = SqliteStorage(path)
    await storage.node(NODE).commit(unit())
    await storage.close()
    assert [file.name for file in path.parent.iterdir()] == ["store.db"]


async def test_commits_wait_for_the_disk(storage: SqliteStorage) -> None:
    """The log is synchronised with every commit: an acknowledged message survives a power cut."""
    connection = storage._connection
    assert connection.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


async def test_units_that_wait_share_one_transaction(
    node: NodeStore, storage: SqliteStorage, other_process: sqlite3.Connection
) -> None:
    """Concurrent commits need one synchronisation of the disk together, not one each."""
    statements: list[str] = []
    storage._connection.set_trace_callback(statements.append)
    await asyncio.gather(*(node.commit(unit(number)) for number in range(1, 51)))
    assert statements.count("COMMIT") == 1
    assert other_process.execute("SELECT count(*) FROM message").fetchone() == (50,)


async def test_claim_that_finds_nothing_due_writes_nothing(node: NodeStore, storage: SqliteStorage) -> None:
    """Looking into an empty queue costs no transaction."""
    statements: list[str] = []
    storage._connection.set_trace_callback(statements.append)
    wanted = Claim(
        direction=Direction.OUT,
        states=["ready"],
        claimed_state="taken",
        now=datetime.now(UTC),
        lease=timedelta(minutes=1),
    )
    assert await node.claim(wanted) == ()
    assert statements == []


async def test_batch_holds_a_limited_number_of_units(node: NodeStore, storage: SqliteStorage) -> None:
    """A large crowd is served in several transactions, so that the event loop can breathe."""
    statements: list[str] = []
    storage._connection.set_trace_callback(statements.append)
    await asyncio.gather(*(node.commit(unit(number)) for number in range(1, 301)))
    assert statements.count("COMMIT") == 2


async def test_claims_and_lists_use_indexes(storage: SqliteStorage) -> None:
    """No query reads a whole table, and none sorts what an index has in order."""
    values = dict.fromkeys(
        [
            "node",
            "direction",
            "message_id",
            "seq",
            "channel",
            "state",
            "now_us",
            "limit",
            "kind",
            "before",
            "reference",
            "case_id",
            "international_id",
            "document_id",
            "version",
            "after",
            "digest",
        ]
    )
    for name, sql in storage._reads._sql.items():
        if sql.startswith("SELECT") and name not in ("documents", "documents_with_content"):
            plan = " | ".join(
                row[3] for row in storage._connection.execute(f"EXPLAIN QUERY PLAN {sql}", values)
            )
            assert "SCAN" not in plan or name in ("journal", "last_entry", "spooled", "nodes"), (name, plan)
            assert "TEMP B-TREE FOR ORDER BY" not in plan or name.startswith("messages_by_"), (name, plan)


async def test_other_process_can_read_meanwhile(node: NodeStore, path: Path) -> None:
    """A second process may open the file and look into it while the first one writes."""
    await node.commit(unit())
    second = SqliteStorage(path)
    await node.commit(unit(2))
    assert len(await second.node(NODE).messages()) == 2
    await second.close()


async def test_commit_waits_for_another_process(path: Path, other_process: sqlite3.Connection) -> None:
    """A commit that meets a lock is done as soon as the lock is gone."""
    storage = SqliteStorage(path)
    other_process.execute("BEGIN IMMEDIATE")
    committing = asyncio.create_task(storage.node(NODE).commit(unit()))
    for _ in range(5):
        await asyncio.sleep(0)
    assert not committing.done()
    other_process.execute("ROLLBACK")
    await committing
    await storage.close()


async def test_commit_gives_up_on_a_long_lock(node: NodeStore, other_process: sqlite3.Connection) -> None:
    """A lock that lasts is an error with a hint; nothing was done, and later commits go through."""
    other_process.execute("BEGIN IMMEDIATE")
    with pytest.raises(Unavailable, match="another process holds it") as caught:
        await node.commit(unit())
    assert caught.value.hint
    other_process.execute("ROLLBACK")
    await node.commit(unit())


async def test_full_disk_fails_the_commit_and_nothing_else(storage: SqliteStorage, node: NodeStore) -> None:
    """Without room nothing of the unit is kept; with room again all goes on, counts included."""
    await node.commit(unit(1))
    connection = storage._connection
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count = {pages}")
    work = unit(2)
    work.add_message(a_message(3, body=bytes(100_000)))
    with pytest.raises(Unavailable, match="the disk is full"):
        await node.commit(work)
    connection.execute("PRAGMA max_page_count = 100000")
    await node.commit(unit(2))
    assert (await node.counts()).cases == len(await node.cases()) == 2
    assert (await node.counts()).in_state(Direction.OUT, "SUBMITTED") == len(await node.messages()) == 2


async def test_text_that_no_database_keeps_fails_its_unit_alone(node: NodeStore) -> None:
    """A unit that cannot be written at all does not hurt those beside it."""
    work = UnitOfWork()
    work.add_message(a_message(2, last_error="half a character: \ud800"))
    results = await asyncio.gather(node.commit(unit(1)), node.commit(work), return_exceptions=True)
    assert [type(result) for result in results] == [type(None), Unavailable]
    assert len(await node.messages()) == 1


async def test_lost_transaction_fails_all_its_units(storage: SqliteStorage, node: NodeStore) -> None:
    """When the database gives up the whole transaction, every unit in it learns that; later ones go on."""
    connection = storage._connection
    connection.execute(
        "CREATE TEMP TRIGGER broken BEFORE INSERT ON main.document WHEN new.document_id LIKE '%2' "
        "BEGIN SELECT RAISE(ROLLBACK, 'disk is gone'); END"
    )
    results = await asyncio.gather(
        *(node.commit(unit(number)) for number in (1, 2, 3)), return_exceptions=True
    )
    assert [type(result) for result in results] == [Unavailable] * 3
    connection.execute("DROP TRIGGER broken")
    await node.commit(unit(1))
    assert (await node.counts()).cases == len(await node.cases()) == 1


async def test_transaction_that_was_left_open_is_undone(storage: SqliteStorage, node: NodeStore) -> None:
    """A commit that cannot begin fails, and clears the way for the next one."""
    storage._connection.execute("BEGIN")
    with pytest.raises(Unavailable):
        await node.commit(unit(1))
    await node.commit(unit(1))


async def test_reading_a_closed_file_is_an_error_of_the_store(
    storage: SqliteStorage, node: NodeStore
) -> None:
    """Reading after the store was closed raises an error of ours, not of the database."""
    await storage.close()
    with pytest.raises(Unavailable):
        await node.messages(MessageQuery())


def test_stopping_the_event_loop_leaves_no_half_unit(path: Path) -> None:
    """A commit that is abandoned with its event loop is there as a whole or not at all."""

    async def abandon() -> SqliteStorage:
        storage = SqliteStorage(path)
        committing = asyncio.create_task(storage.node(NODE).commit(unit()))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert not committing.done()
        return storage

    storage = asyncio.run(abandon())
    asyncio.run(storage.close())

    async def look() -> set[int]:
        storage = SqliteStorage(path)
        counts = await storage.node(NODE).counts()
        await storage.close()
        return {counts.cases, counts.documents, counts.in_state(Direction.OUT, "SUBMITTED")}

    assert len(asyncio.run(look())) == 1


@pytest.fixture
def letter(path: Path) -> Path:
    """A file that is no database."""
    path.write_text("Dear reader, this is a letter and no database. " * 100)
    return path


@pytest.fixture
def empty(path: Path) -> Path:
    """A file with nothing in it."""
    path.touch()
    return path


def content(path: Path) -> str:
    """The text of a file."""
    return path.read_text()


async def opening(path: Path) -> EessiSimError:
    """The error of opening a file."""
    with pytest.raises(StorageError) as caught:
        await open_storage(f"sqlite://{path}")
    return caught.value


async def test_missing_folder_is_named(tmp_path: Path) -> None:
    """A file in a folder that does not exist is an error that says what to check."""
    error = await opening(tmp_path / "missing" / "store.db")
    assert isinstance(error, Unavailable)
    assert "missing/store.db" in error.message
    assert error.hint == "Check that the folder exists and that you may write in it."


async def test_folder_is_no_file(tmp_path: Path) -> None:
    """A folder in the place of the file is an error."""
    assert isinstance(await opening(tmp_path), Unavailable)


async def test_file_of_another_kind_is_left_alone(letter: Path) -> None:
    """A file that is no database is not touched."""
    error = await opening(letter)
    assert "no database" in error.message
    assert error.hint
    assert content(letter).startswith("Dear reader")


@pytest.mark.parametrize("statement", ["CREATE TABLE letter (text)", "PRAGMA application_id = 7"])
async def test_database_of_another_program_is_left_alone(path: Path, statement: str) -> None:
    """A database that this program did not make is refused and gets none of its tables."""
    database(path, statement)
    error = await opening(path)
    assert "found the database of another program" in error.message
    connection = sqlite3.connect(path)
    assert connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'message'").fetchone() == (0,)
    connection.close()


async def test_store_of_the_first_schema_grows(path: Path) -> None:
    """A store from before attachments keeps its messages and takes contents."""
    first = SqliteStorage(path)
    await first.node(NODE).commit(unit())
    await first.close()
    database(
        path,
        "DROP TABLE content",
        "DROP INDEX message_body_spooled",
        "ALTER TABLE message DROP COLUMN leased_to",
        "PRAGMA user_version = 1",
    )
    storage = SqliteStorage(path)
    work = UnitOfWork()
    work.save_content(Octets.of(b"scan"))
    await storage.node(NODE).commit(work)
    assert await storage.node(NODE).content(Octets.of(b"scan").digest) is not None
    assert len(await storage.node(NODE).messages()) == 1
    await storage.close()


async def test_newer_schema_is_refused(path: Path) -> None:
    """A store that a newer version of the program wrote is refused and says which schema it has."""
    await SqliteStorage(path).close()
    database(path, "PRAGMA user_version = 99")
    error = await opening(path)
    assert isinstance(error, MigrationNeeded)
    assert "found schema 99" in error.message
    assert error.hint


async def test_empty_file_becomes_a_store(empty: Path) -> None:
    """An empty file, as a temporary file is, can be used."""
    storage = SqliteStorage(empty)
    await storage.node(NODE).commit(unit())
    await storage.close()


async def test_locked_file_cannot_be_opened(path: Path) -> None:
    """A new store that another process holds is an error after a short wait."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("BEGIN EXCLUSIVE")
    with pytest.raises(Unavailable, match="another process holds it"):
        SqliteStorage(path, busy_seconds=0.05)
    connection.close()


def test_read_only_file_is_refused() -> None:
    """A store without write permission is an error that says so."""
    with open_folder() as folder:
        path = folder / "store.db"
        asyncio.run(SqliteStorage(path).close())
        path.chmod(0o444)
        with as_nobody():
            assert "read-only" in asyncio.run(opening(path)).message


@pytest.mark.parametrize("url", ["sqlite:", "sqlite:///", "sqlite://host/store.db", "sqlite::memory:"])
async def test_url_without_a_file_is_refused(url: str) -> None:
    """An SQLite URL must name a file on this machine."""
    with pytest.raises(SettingsError, match="Expected a URL such as"):
        await open_storage(url)


@pytest.mark.parametrize("name", ["store.db", "50% of #1? äöü.db"])
async def test_url_of_a_file_opens_that_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Any path can be written as a URL, a relative one and one with special characters too."""
    monkeypatch.chdir(tmp_path)
    storage = await open_storage(url_of(Path(name)))
    await storage.close()
    assert os.listdir(tmp_path) == [name]  # noqa: PTH208 - pathlib would block the event loop as well


async def test_url_may_be_relative_and_escaped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A path without leading slash starts in the current folder; %20 is a blank."""
    monkeypatch.chdir(tmp_path)
    storage = await open_storage("sqlite:my%20store.db")
    await storage.close()
    assert (tmp_path / "my store.db").exists()


async def test_octets_in_the_spool_go_when_their_message_was_cleaned_up(
    storage: SqliteStorage, node: NodeStore
) -> None:
    """The message is found without its octets, and the next sweep removes the file that nobody knows any more."""
    file = storage.spool.write([b"large"]).keep()
    work = UnitOfWork()
    work.add_message(a_message(1, body=b"", digest=file.digest, spooled=file, state="delivered"))
    await node.commit(work)
    now = NOON + timedelta(days=91)
    assert (await clean(node, Retention(messages=timedelta(days=90)), now, actor="anna")).messages == 1
    found = await node.find_message(Direction.OUT, message_id(1))
    assert found is not None
    assert (found.is_removed, found.details["removed"], found.whole) == (True, file.digest, b"")
    assert storage.spool.sweep(await storage.spooled()) == 1


async def test_news_of_another_process(tmp_path: Path) -> None:
    """What another owner of the file has written is news, and wakes who waits for the journal."""
    one, other = SqliteStorage(tmp_path / "store.db"), SqliteStorage(tmp_path / "store.db")
    news = one.news()
    heard = asyncio.ensure_future(anext(news))
    woken = asyncio.create_task(one.wait_for_journal(0))
    await asyncio.sleep(0)
    work = UnitOfWork()
    work.journal(an_entry())
    await other.node(NODE).commit(work)
    assert await heard == {NODE}
    await woken
    await asyncio.gather(one.close(), other.close())
