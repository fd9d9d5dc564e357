"""Large files are brought to a node before the document that they belong to."""

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from tests.helpers.attached import PDF
from tests.helpers.lab import A003, NAV, ZUS, Lab, demo, silent

from eessi_sim.api.manage import make_app
from eessi_sim.attachments import MEGABYTE, AttachmentLimits, NewFile
from eessi_sim.cli import attaching
from eessi_sim.clock import MovableClock
from eessi_sim.identifiers import BucType
from eessi_sim.simulation.control import LocalControl
from eessi_sim.simulation.remote import RemoteControl, RemoteRefusal
from eessi_sim.simulation.state import NetworkState, NodeAddress
from eessi_sim.storage.base import Storage
from eessi_sim.storage.memory import MemoryStorage
from eessi_sim.storage.sqlite import SqliteStorage

LARGE = PDF + os.urandom(MEGABYTE)
_LIMITS = AttachmentLimits(file_bytes=2 * MEGABYTE, message_bytes=2 * MEGABYTE)
Play = Callable[[Storage], Awaitable[tuple[Lab, RemoteControl]]]


@pytest.fixture
async def play(tmp_path: Path) -> AsyncIterator[Play]:
    """Plays the demo network over a store and returns it with Norway, asked over HTTP."""
    async with AsyncExitStack() as stack:

        async def playing(storage: Storage) -> tuple[Lab, RemoteControl]:
            definition = replace(silent(demo()), attachments=_LIMITS)
            lab = await stack.enter_async_context(Lab.build(definition, storage=storage))
            runner = web.AppRunner(make_app(LocalControl(lab.node(NAV)), "token", MovableClock()))
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            nodes = (NodeAddress(NAV, 1, runner.addresses[0][1]),)
            state = NetworkState(str(tmp_path), "", datetime.now(UTC), (NAV,), "token", 1.0, nodes)
            session = await stack.enter_async_context(aiohttp.ClientSession())
            return lab, RemoteControl(session, state, NAV)

        yield playing


@pytest.fixture
async def disk(tmp_path: Path) -> AsyncIterator[Storage]:
    """A store with a spool."""
    storage = SqliteStorage(tmp_path / "store.db")
    yield storage
    await storage.close()


def file_of(folder: Path, data: bytes) -> NewFile:
    """A file as the command line names it."""
    (folder / "large.pdf").write_bytes(data)
    return attaching.read_files([str(folder / "large.pdf")], [])[0]


async def test_large_file_of_the_user_arrives(play: Play, disk: Storage, tmp_path: Path) -> None:
    """It is read in pieces, brought to the node, named by its digest, and is in the receiver's case in the end."""
    lab, norway = await play(disk)
    file = file_of(tmp_path, LARGE)
    assert (file.content.size, file.content.read(), file.mime_type) == (len(LARGE), LARGE, "application/pdf")
    case = await norway.open_case(BucType("LA_BUC_02"), [ZUS])
    await norway.send(case, A003, files=[file])
    await lab.work(30)
    (got,) = (await lab.document(ZUS, A003)).attachments
    assert got.latest.digest == file.content.digest
    content = await lab.store(ZUS).content(got.latest.digest)
    assert content is not None
    assert content.read() == LARGE


async def test_file_over_the_limit_leaves_nothing(play: Play, disk: Storage, tmp_path: Path) -> None:
    """The node stops reading at the size that the network allows."""
    _, norway = await play(disk)
    case = await norway.open_case(BucType("LA_BUC_02"), [ZUS])
    with pytest.raises(RemoteRefusal, match="at most 2 MB"):
        await norway.send(case, A003, files=[file_of(tmp_path, PDF + bytes(2 * MEGABYTE))])
    assert not list((tmp_path / "store.db-spool").iterdir())


@pytest.mark.parametrize("digest", ["0" * 64, "../store.db"])
async def test_digest_of_a_file_that_was_not_brought_is_refused(
    play: Play, disk: Storage, digest: str
) -> None:
    """A digest names a file of the spool and no other."""
    _, norway = await play(disk)
    case = await norway.open_case(BucType("LA_BUC_02"), [ZUS])
    file = {"file_name": "a.pdf", "mime_type": "application/pdf", "digest": digest}
    with pytest.raises(RemoteRefusal, match="digest of a file that was sent before"):
        await norway._call("POST", f"/cases/{case}/documents", str, {"sed": A003, "files": [file]})


async def test_node_that_forgets_takes_no_large_file(play: Play, tmp_path: Path) -> None:
    """Without a disk there is no place for it; the sentence says so."""
    _, norway = await play(MemoryStorage())
    case = await norway.open_case(BucType("LA_BUC_02"), [ZUS])
    with pytest.raises(RemoteRefusal, match="store on disk"):
        await norway.send(case, A003, files=[file_of(tmp_path, LARGE)])
