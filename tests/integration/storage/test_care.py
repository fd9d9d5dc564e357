"""A backup of a store that is being written to is a consistent store; so is what is restored from it."""

import asyncio
import io
import tarfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.helpers.commands import run, run_json
from tests.helpers.postgresql import Server, drop, execute
from tests.helpers.stored import NODE, a_case, a_document, a_message, an_entry, message_id

from eessi_sim.errors import EnvironmentProblem, SettingsError, Unavailable
from eessi_sim.storage.base import Direction, Storage, UnitOfWork
from eessi_sim.storage.care import find_care
from eessi_sim.storage.postgresql_care import _without_password
from eessi_sim.storage.registry import open_storage

LARGE = b"a large scan " * 200_000


@pytest.fixture(params=["sqlite", "postgresql"])
async def url(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    """The URL of a store that is not there yet."""
    if request.param == "sqlite":
        yield f"sqlite://{tmp_path}/store.db"
        return
    server: Server = request.getfixturevalue("postgresql")
    url = server.named(f"{server.schema}_care")
    yield url
    await drop(url)


async def write(storage: Storage, number: int, large: bytes = b"") -> None:
    """Commit a unit with a write of each kind."""
    work = UnitOfWork()
    if large and storage.spool is not None:
        file = storage.spool.write([large]).keep()
        work.add_message(a_message(number, body=b"", digest=file.digest, spooled=file))
    else:
        work.add_message(a_message(number))
    work.save_case(a_case(number), None)
    work.save_document(a_document(number))
    work.journal(an_entry(message_id=message_id(number)))
    await storage.node(NODE).commit(work)


async def remove(url: str, tmp_path: Path) -> None:
    """Remove a store."""
    if url.startswith("postgresql"):
        await drop(url)
    else:
        for path in tmp_path.glob("store.db*"):  # noqa: ASYNC240 - a few files
            path.rename(path.with_name(f"away-{path.name}"))


async def test_backup_during_load_restores_to_a_consistent_store(url: str, tmp_path: Path) -> None:
    """What was committed before the backup began is in it, whole units only, large octets too."""
    file, care = tmp_path / "monday.backup", find_care(url)
    storage = await open_storage(url)
    await write(storage, 0, LARGE)
    done, stopped = {0}, asyncio.Event()

    async def load(number: int) -> None:
        while not stopped.is_set():
            await write(storage, number)
            done.add(number)
            number += 8

    writers = asyncio.gather(*map(load, range(1, 9)))
    await storage.wait_for_journal(20)
    before = set(done)
    await care.back_up(url, file)
    stopped.set()
    await writers
    await storage.close()
    await remove(url, tmp_path)
    await care.restore(file, url)
    found = await care.inspect(url)
    assert found.problems == ()
    assert len(before) <= found.messages <= len(done)
    assert found.messages == found.cases == found.documents == found.entries
    storage = await open_storage(url)
    node = storage.node(NODE)
    assert before <= {int(case.id) - 1000 for case in await node.cases(limit=10_000)}
    large = await node.find_message(Direction.OUT, message_id(0))
    assert large is not None
    assert large.whole == LARGE
    await write(storage, 100_000)
    assert (await storage.journal(limit=10_000))[-1].message_id == message_id(100_000)
    await storage.close()


async def test_backup_and_restore_overwrite_nothing(url: str, tmp_path: Path) -> None:
    """A backup needs a new file, and restoring needs a place without a store."""
    file, care = tmp_path / "monday.backup", find_care(url)
    with pytest.raises(Unavailable):
        await care.back_up(url, file)
    await (await open_storage(url)).close()
    await care.back_up(url, file)
    with pytest.raises(SettingsError, match="Expected a new file"):
        await care.back_up(url, file)
    with pytest.raises(SettingsError, match="Expected no store"):
        await care.restore(file, url)


async def test_damaged_backup_restores_nothing(url: str, tmp_path: Path) -> None:
    """A file that is no backup is refused, and no store is left behind."""
    care, letter = find_care(url), tmp_path / "letter"
    letter.write_text("Dear reader")
    with pytest.raises(Unavailable, match="Expected a whole backup"):
        await care.restore(letter, url)
    with pytest.raises(Unavailable):
        await care.inspect(url)


async def test_backup_needs_the_programs_of_postgresql(
    postgresql: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without pg_dump the error says where it comes from."""
    url = postgresql.named(f"{postgresql.schema}_care")
    await (await open_storage(url)).close()
    monkeypatch.setattr("eessi_sim.storage.postgresql_care.program_folders", lambda: ())
    with pytest.raises(EnvironmentProblem, match="Expected pg_dump"):
        await find_care(url).back_up(url, tmp_path / "file")
    await drop(url)


def test_memory_needs_no_care() -> None:
    """What keeps nothing can be neither backed up nor restored."""
    with pytest.raises(SettingsError, match="found one with scheme memory"):
        find_care("memory:")


def test_password_is_not_in_the_list_of_processes() -> None:
    """Programs get the password apart from the URL."""
    assert _without_password("postgresql://me:secret@host/db") == ("postgresql://me@host/db", "secret")
    assert _without_password("postgresql://me@host/db") == ("postgresql://me@host/db", None)


async def test_wrong_counts_and_lost_pieces_are_found(postgresql: Server) -> None:
    """Inspecting a store on a server names what does not fit together."""
    url = postgresql.named(f"{postgresql.schema}_bad")
    storage = await open_storage(url)
    await write(storage, 0, LARGE)
    await storage.close()
    await execute(url, "DELETE FROM spool_piece", "DELETE FROM document")
    problems = (await find_care(url).inspect(url)).problems
    assert [problem.partition(" ")[0] for problem in problems] == ["+1", "the"]
    await drop(url)


@pytest.mark.parametrize("name", ["spool/../escape", "other.txt", "spool/" + "0" * 64])
async def test_strange_file_in_a_backup_is_refused(tmp_path: Path, name: str) -> None:
    """Nothing is taken from a backup that was not put there: no other name, no octets under a wrong digest."""
    file = tmp_path / "strange"
    with tarfile.open(file, "w") as archive:
        member = tarfile.TarInfo(name)
        member.size = 1
        archive.addfile(member, io.BytesIO(b"x"))
    with pytest.raises(Unavailable, match="Expected a whole backup"):
        await find_care("sqlite:").restore(file, f"sqlite://{tmp_path}/store.db")
    assert [path.name for path in tmp_path.iterdir()] == ["strange"]  # noqa: ASYNC240 - a few files


def test_commands_look_after_a_store(tmp_path: Path) -> None:
    """The commands check, back up, restore and migrate what is named by its file."""
    store, copy, file = (tmp_path / name for name in ("a.sqlite", "b.sqlite", "a.backup"))
    asyncio.run(_made(store))
    assert "consistent" in run("db", "check", store).stdout
    assert run_json("db", "backup", store, file)["octets"] == file.stat().st_size
    assert "consistent" in run("db", "restore", file, copy).stdout
    assert run_json("db", "check", copy)[0]["messages"] == 1
    assert "already" in run("db", "migrate", copy).stdout
    assert run_json("db", "migrate", copy)[0]["before"] == run_json("db", "check", copy)[0]["newest_schema"]


async def _made(store: Path) -> None:
    storage = await open_storage(f"sqlite://{store}")
    await write(storage, 1)
    await storage.close()
