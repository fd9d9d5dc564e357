"""A report on the disk, and the evidence in it."""

import hashlib
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.helpers.lab import A003, NAV, ZUS, Lab, demo
from tests.helpers.reports import a_report
from tests.helpers.views import FixedNode, a_view

from eessi_sim import sbdh, xmlsafe
from eessi_sim.as4 import msh
from eessi_sim.buc.loader import Definitions
from eessi_sim.cdm.catalogue import Catalogue
from eessi_sim.errors import EnvironmentProblem
from eessi_sim.identifiers import MessageId
from eessi_sim.report import evidence, folder
from eessi_sim.report.collect import Scene, collect
from eessi_sim.report.evidence import Evidence
from eessi_sim.report.model import RunReport
from eessi_sim.simulation.views import MessageFile

ID = MessageId("m1@navat07.no.eessi-sim.example")
SCENE = Scene(demo(), Catalogue.default(), Definitions.default(), "in-process", 7)


@pytest.fixture
async def played() -> AsyncIterator[tuple[Lab, RunReport]]:
    """Norway has told Poland of a decision, and Poland has receipted it."""
    async with Lab.build() as lab:
        await lab.open(A003)
        yield lab, await collect(lab.network.readers, [], SCENE)


async def test_message_is_kept_as_received(played: tuple[Lab, RunReport]) -> None:
    """message.as4 is the Content-Type and the exact bytes that the receiver stored."""
    lab, report = played
    (item,) = await evidence.gather(lab.network.readers, report)
    assert msh.from_file(item.files()["message.as4"])[1] == (await lab.received(ZUS)).body


async def test_envelope_is_the_decompressed_part(played: tuple[Lab, RunReport]) -> None:
    """sbdh.xml is the first part, decompressed."""
    lab, report = played
    (item,) = await evidence.gather(lab.network.readers, report)
    header = sbdh.read(item.files()["sbdh.xml"]).header
    assert (header.document.type, header.sender.id) == (A003, NAV)


async def test_sed_is_a_document_of_its_own(played: tuple[Lab, RunReport]) -> None:
    """sed.xml is the SED with its seal in exclusive canonical form, without the envelope."""
    lab, report = played
    (item,) = await evidence.gather(lab.network.readers, report)
    root = xmlsafe.parse(item.files()["sed.xml"])
    assert (xmlsafe.local_name(root), xmlsafe.local_name(root[-1])) == ("A003", "Signature")


async def test_receipt_is_kept_as_the_sender_got_it(played: tuple[Lab, RunReport]) -> None:
    """receipt.xml is the SOAP of the receipt with which the sender was convinced."""
    lab, report = played
    (item,) = await evidence.gather(lab.network.readers, report)
    assert item.receipt is not None
    assert item.files()["receipt.xml"] == item.receipt.body


async def test_message_that_never_arrived_is_kept_as_sent() -> None:
    """Without a record of the receiver the sender's bytes are the evidence; there is no receipt."""
    sent = MessageFile("text/plain", b"?")
    sender = FixedNode([a_view()], files={("out", ID): sent})
    (item,) = await evidence.gather({NAV: sender}, a_report())
    assert (item.message, item.receipt) == (sent, None)


def test_unreadable_message_is_kept_whole() -> None:
    """What cannot be taken apart is there as one file."""
    item = Evidence(ID, MessageFile("text/plain", b"?"), None)
    assert item.files() == {"message.as4": b"Content-Type: text/plain\r\n\r\n?"}


def test_unreadable_receipt_is_kept_as_it_is() -> None:
    """A receipt that is no ebMS message is kept with its bytes."""
    item = Evidence(ID, None, MessageFile("text/plain", b"?"))
    assert item.files() == {"receipt.xml": b"?"}


def written(where: Path, *found: Evidence) -> Path:
    """A report in a folder, with these messages."""
    folder.prepare(where)
    folder.write(where, a_report(), found, {"ca.pem": b"PEM"})
    return where


def test_report_has_its_files(tmp_path: Path) -> None:
    """A report is a page, JSON, JUnit, the certificate, and the messages with their index."""
    written(tmp_path, Evidence(ID, MessageFile("text/plain", b"?"), None))
    files = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert files == {
        "ca.pem",
        "junit.xml",
        "messages/index.json",
        f"messages/{ID}/message.as4",
        "report.html",
        "report.json",
    }


def test_index_has_the_sum_of_every_file(tmp_path: Path) -> None:
    """messages/index.json names each file of the evidence with SHA-256 and size."""
    written(tmp_path, Evidence(ID, MessageFile("text/plain", b"?"), None))
    listed = json.loads((tmp_path / "messages" / "index.json").read_bytes())["files"]
    assert listed["ca.pem"] == {"sha256": hashlib.sha256(b"PEM").hexdigest(), "bytes": 3}


def test_report_replaces_an_older_one(tmp_path: Path) -> None:
    """The messages of an older report in the same folder are gone."""
    written(tmp_path, Evidence(ID, MessageFile("text/plain", b"?"), None))
    written(tmp_path)
    assert [path.name for path in (tmp_path / "messages").iterdir()] == ["index.json"]


def test_report_leaves_what_is_not_its_own(tmp_path: Path) -> None:
    """Other files and folders stay, also when an index names them."""
    keep = tmp_path / "messages" / "mine" / "note.txt"
    keep.parent.mkdir(parents=True)
    keep.write_text("mine")
    index: dict[str, object] = {"files": {"messages/../mine/x": {}, "mine/note.txt": {}}}
    (tmp_path / "messages" / "index.json").write_text(json.dumps(index))
    written(tmp_path)
    assert keep.read_text() == "mine"


def test_folder_that_cannot_be_made_is_refused_at_once(tmp_path: Path) -> None:
    """A file in place of the folder is a problem of the machine, before anything is run."""
    (tmp_path / "file").write_text("")
    with pytest.raises(EnvironmentProblem, match="Expected a folder that can be written"):
        folder.prepare(tmp_path / "file" / "report")
