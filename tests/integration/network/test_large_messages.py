"""Messages that lie in a spool: from the sender's disk to the receiver's, through every check on the way."""

import os
import random
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from tests.helpers.attached import PDF, new_file
from tests.helpers.federation import NORWAY, Federation
from tests.helpers.lab import A003, BA, DRV, INPS, INSS, NAV, P_BUC_01, POINT, ZUS, Lab, changed, demo

from eessi_sim.attachments import MEGABYTE
from eessi_sim.buc.case import ParticipantChange
from eessi_sim.errors import Unavailable
from eessi_sim.gateway.retention import Retention
from eessi_sim.identifiers import BucType, SedType
from eessi_sim.ir.model import Endpoint, Exchange
from eessi_sim.simulation import control
from eessi_sim.simulation.control import StoreReader
from eessi_sim.simulation.operations import SPARED, Operations, sweep_today
from eessi_sim.storage.base import Direction, MessageKind, MessageQuery
from eessi_sim.storage.sqlite import SqliteStorage

NOISE = PDF + random.Random(1).randbytes(MEGABYTE + 1000)
SCANNER = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"


@pytest.fixture
async def disk(tmp_path: Path) -> AsyncIterator[Lab]:
    """The demo network with a store on disk, hence with a spool."""
    storage = SqliteStorage(tmp_path / "store.db")
    async with Lab.build(storage=storage) as lab:
        yield lab
    await storage.close()


async def _send(lab: Lab, data: bytes) -> None:
    node = lab.node(NAV)
    case = await node.open_case(BucType("LA_BUC_02"), (ZUS,))
    await node.send_document(case.id, A003, files=[new_file("large.pdf", data), new_file("small.pdf")])
    await lab.work(30)


async def test_large_file_arrives_by_the_spool(disk: Lab, tmp_path: Path) -> None:
    """The same octets lie at sender, access point and receiver, once each, and survive a sweep."""
    await _send(disk, NOISE)
    assert await disk.delivery(NAV) == "delivered"
    large, small = (await disk.document(ZUS, A003)).attachments
    contents = [await disk.store(ZUS).content(each.latest.digest) for each in (large, small)]
    assert [content and content.read() for content in contents] == [NOISE, PDF]
    message = await disk.sent(NAV)
    kept = [
        await disk.store(party).find_message(direction, message.message_id)
        for party, direction in (
            (NAV, Direction.OUT),
            (POINT, Direction.IN),
            (POINT, Direction.OUT),
            (ZUS, Direction.IN),
        )
    ]
    assert all(each and each.spooled and not each.body and each.digest == message.digest for each in kept)
    assert message.whole.startswith(b"--=-")
    assert disk.storage.spool is not None
    assert disk.storage.spool.sweep(await disk.storage.spooled()) == 0
    assert len(list((tmp_path / "store.db-spool").iterdir())) == 2


async def test_file_of_a_message_whose_octets_were_removed_goes(disk: Lab, tmp_path: Path) -> None:
    """After the clean-up of the day only the content of the case is left in the spool; what is younger than an hour stays."""
    await _send(disk, NOISE)
    await disk.work(91 * 86400)
    spool = tmp_path / "store.db-spool"
    for node in (disk.point, disk.node(NAV), disk.node(ZUS)):
        await Operations(node).clean_today(Retention(messages=timedelta(days=90)))
    await sweep_today(disk.storage)
    assert len(list(spool.iterdir())) == 2
    for path in spool.iterdir():
        os.utime(path, (0, path.stat().st_mtime - SPARED))
    await sweep_today(disk.storage)
    assert [path.stat().st_size for path in spool.iterdir()] == [len(NOISE)]


async def test_a_store_that_is_away_costs_one_sweep(
    disk: Lab, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The daily sweep goes on the next day when the store cannot be read."""

    async def away() -> frozenset[str]:
        raise Unavailable("Expected an answer, found none")

    monkeypatch.setattr(disk.storage, "spooled", away)
    await sweep_today(disk.storage)
    assert "the spool is not swept today: store-unavailable" in caplog.text


async def test_large_file_passes_two_access_points(tmp_path: Path) -> None:
    """Encrypted between them, in the spool on both sides; what arrives are the octets that were sent."""
    storage = SqliteStorage(tmp_path / "store.db")
    async with Federation.of(storage=storage) as lab:
        await _send(lab, NOISE)
        assert await lab.delivery(NAV) == "delivered"
        on_the_way = await lab.sent(NORWAY)
        assert on_the_way.spooled is not None
        assert NOISE[:1000] not in on_the_way.whole
        assert (await lab.received(ZUS)).whole == (await lab.sent(NAV)).whole
        assert lab.storage.spool is not None
        assert lab.storage.spool.sweep(await lab.storage.spooled()) == 0
    await storage.close()


async def test_large_message_is_fetched_by_the_spool(tmp_path: Path) -> None:
    """One who pulls gets a large message from disk to disk, and one of its channel hands on what is for another."""
    definition = demo()
    for party in (DRV, BA):
        definition = changed(definition, party, endpoint=Endpoint(Exchange.PULL, "DEGATEWAY"))
    storage = SqliteStorage(tmp_path / "store.db")
    async with Lab.build(definition, storage=storage) as lab:
        for resting in (DRV, BA):
            await lab.node(resting).stop()
            case = await lab.node(INSS).open_case(P_BUC_01, (DRV,))
            await lab.node(INSS).send_document(
                case.id, SedType("P2000"), files=[new_file("large.pdf", NOISE)]
            )
            await lab.work(2)
            await lab.network.restart(resting)
            await lab.work(30)
        query = MessageQuery(direction=Direction.IN, kind=MessageKind.USER)
        received = await lab.store(DRV).messages(query, with_body=True)
        handed_on = [entry for entry in await lab.journal(BA) if entry.detail.get("handed_to") == DRV]
        assert (len(received), len(handed_on)) == (2, 1)
        assert all(each.spooled for each in received)
    await storage.close()
    assert not list((tmp_path / "store.db-spool").glob("*.part"))


async def test_malware_in_a_large_part_is_found(disk: Lab) -> None:
    """The scan of the access point reads a part in pieces, and refuses the message before the receiver gets it."""
    await _send(disk, NOISE + SCANNER)
    assert await disk.delivery(NAV) == "error"
    assert not await disk.store(ZUS).messages()


async def test_large_file_is_handed_over_to_a_newcomer(disk: Lab) -> None:
    """What lies in the spool is packed again for who joins later."""
    owner, other = disk.node(INSS), disk.node(DRV)
    case = await owner.open_case(P_BUC_01, (DRV,))
    await owner.send_document(case.id, SedType("P2000"), files=[new_file("large.pdf", NOISE)])
    await disk.work(10)
    await other.send_document((await disk.case(DRV)).id, SedType("P6000"))
    await disk.work(10)
    await owner.send_document(case.id, SedType("X005"), change=ParticipantChange(joins=INPS))
    await disk.work(30)
    got = {
        str(each.type): [file.latest.size for file in each.attachments]
        for each in (await disk.case(INPS)).documents
    }
    assert got["P2000"] == [len(NOISE)]


async def test_message_that_is_too_large_is_not_shown(disk: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks a node for a message gets the octets of one that can be held, and none of another."""
    await _send(disk, NOISE)
    reader, message = StoreReader(disk.store(NAV)), await disk.sent(NAV)
    shown = await reader.message("out", message.message_id)
    assert shown is not None
    assert shown.body == message.whole
    monkeypatch.setattr(control, "MOST_SHOWN", MEGABYTE)
    assert await reader.message("out", message.message_id) is None


async def test_lost_spool_is_told(disk: Lab, tmp_path: Path) -> None:
    """A store whose spool was not brought back with it says which file is missing and where it belongs."""
    await _send(disk, NOISE)
    (attachment, _) = (await disk.document(ZUS, A003)).attachments
    for path in (tmp_path / "store.db-spool").iterdir():
        path.unlink()
    with pytest.raises(Unavailable, match=attachment.latest.digest):
        await disk.store(ZUS).content(attachment.latest.digest)
    with pytest.raises(Unavailable, match="in the spool of the store"):
        await disk.sent(NAV)
