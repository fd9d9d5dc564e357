"""What goes into an archive: everything that the node keeps of the case, in the order in which it happened."""

import asyncio
from dataclasses import replace

from tests.helpers.case_archives import played, played_with_files
from tests.helpers.lab import NAV
from tests.helpers.stored import a_message

from eessi_sim.casefile import contents
from eessi_sim.casefile.chain import Record
from eessi_sim.identifiers import MessageId
from eessi_sim.simulation.inprocess import START
from eessi_sim.storage.base import Direction, MessageKind, StoredMessage, UnitOfWork
from eessi_sim.storage.memory import MemoryStorage


async def kept(*messages: StoredMessage) -> tuple[Record, ...]:
    """What is gathered from a store that has these messages of the played case."""
    store = MemoryStorage().node(NAV)
    work = UnitOfWork()
    for message in messages:
        work.add_message(message)
    await store.commit(work)
    return await contents.gather(store, played().case, played().surroundings, at=START)


def of_case(number: int, **fields: object) -> StoredMessage:
    return a_message(number, conversation=played().case.international_id.uuid, **fields)


def signal(number: int, kind: MessageKind) -> StoredMessage:
    """A signal about message 1."""
    about = MessageId(of_case(1).message_id)
    return a_message(number, kind=kind, direction=Direction.IN, ref_to=about, conversation="")


def test_everything_of_the_case_is_there() -> None:
    """Steps, documents, messages with what lies in them, receipts, the case and certificates."""
    counted = {record.what for record in played().records}
    assert counted == {"step", "document", "message", "part", "receipt", "case", "certificate"}


def test_records_are_in_the_order_of_time() -> None:
    """Whatever has a time of its own comes in its order."""
    happened = [each.at for each in played().records if each.what not in ("case", "certificate")]
    assert happened == sorted(happened)


async def test_a_message_of_another_case_is_left_out() -> None:
    """The conversation says to which case a message belongs."""
    assert [each.what for each in await kept(a_message(1)) if each.what in ("message", "part")] == []


async def test_a_message_that_cannot_be_taken_apart_is_kept_whole() -> None:
    """The bytes are there, and nothing beside them."""
    found = [each for each in await kept(of_case(1)) if each.what in ("message", "part")]
    assert [each.what for each in found] == ["message"]
    assert found[0].content.endswith(b"body of message 1")


async def test_further_signals_lie_beside_the_receipt() -> None:
    """A second receipt and an error have files of their own, a pull request has none."""
    records = await kept(
        of_case(1),
        signal(2, MessageKind.RECEIPT),
        signal(3, MessageKind.RECEIPT),
        signal(4, MessageKind.ERROR),
        replace(signal(5, MessageKind.PULL), direction=Direction.OUT),
    )
    names = [each.file.rpartition("/")[2] for each in records if each.file and "messages/" in each.file]
    assert names == [
        "message.as4",
        "receipt.xml",
        "receipt-m3@navat07.no.eessi-sim.example.as4",
        "error-m4@navat07.no.eessi-sim.example.as4",
    ]


def test_files_are_there_once_and_when_they_were_exchanged() -> None:
    """A file that a later version has too is listed with the first one, what was only saved is left out."""
    whole = played_with_files()
    document = whole.case.documents[0]
    (sent,) = document.versions
    again, saved = replace(sent, number=2), replace(sent, number=3, sent_at=None)
    case = whole.case.with_document(replace(document, versions=(sent, again, saved)))
    records = asyncio.run(contents.gather(whole.store, case, whole.surroundings, at=START))
    assert [each.facts["version"] for each in records if each.what == "attachment"] == ["1", "1", "1"]
