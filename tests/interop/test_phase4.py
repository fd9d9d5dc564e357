"""Messages to and from phase4, a Java product that knows nothing of us, over real HTTP and HTTPS."""

import asyncio
import hashlib
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from tests.helpers.commands import run_json
from tests.helpers.phase4 import Peer
from tests.helpers.phase4_keys import OURS, THEIRS, Realm
from tests.helpers.phase4_meetings import ACTION, SERVICE, TYPE, XML, Combination, Meeting, digests

from eessi_sim.as4 import vocabulary
from eessi_sim.as4.key_references import KeyReference
from eessi_sim.as4.mode_export import Product, export_mode
from eessi_sim.as4.modes import ProfileName
from eessi_sim.gateway.document import Document

pytestmark = [pytest.mark.process, pytest.mark.oracle]

B, ED, EC = ProfileName.EDELIVERY_1, ProfileName.EDELIVERY_2, ProfileName.EDELIVERY_2_EC
BINARY = Document(bytes(range(256)) * 40, "application/pdf")
TEXT = Document("one\ntwo\r\nżółć\r".encode(), "text/plain")
LARGE = Document(hashlib.shake_256(b"large").digest(1_000_000), "application/octet-stream")
EMPTY = Document(b"", "application/octet-stream")
COMBINATIONS = (
    Combination("1.15", B),
    Combination("1.15-signed", B, is_encrypted=False),
    Combination("1.15-signed-plain", B, is_encrypted=False, is_compressed=False),
    Combination("1.15-plain", B, is_compressed=False),
    Combination("1.15-several", B, (XML, BINARY, TEXT)),
    Combination("1.15-several-signed-plain", B, (XML, BINARY), is_encrypted=False, is_compressed=False),
    Combination("1.15-several-plain", B, (BINARY, XML), is_compressed=False),
    Combination("1.15-text-signed-plain", B, (TEXT,), is_encrypted=False, is_compressed=False),
    Combination("1.15-text-plain", B, (TEXT,), is_compressed=False),
    Combination("1.15-issuer-serial", B, reference=KeyReference.ISSUER_SERIAL),
    Combination("1.15-key-identifier", B, reference=KeyReference.KEY_IDENTIFIER),
    Combination("1.15-large", B, (LARGE,)),
    Combination("1.15-empty", B, (EMPTY,)),
    Combination("1.15-tls", B, (XML, BINARY), is_tls=True),
    Combination("2.0", ED),
    Combination("2.0-signed", ED, is_encrypted=False),
    Combination("2.0-several-plain", ED, (XML, BINARY), is_compressed=False),
    Combination("2.0-issuer-serial", ED, reference=KeyReference.ISSUER_SERIAL),
    Combination("2.0-key-identifier", ED, reference=KeyReference.KEY_IDENTIFIER),
    Combination("2.0-tls", ED, is_tls=True),
    Combination("2.0-ec", EC),
    Combination("2.0-ec-signed", EC, is_encrypted=False),
    Combination("2.0-ec-several", EC, (XML, BINARY, TEXT)),
    Combination("2.0-ec-key-identifier", EC, reference=KeyReference.KEY_IDENTIFIER),
)
PATH = Combination("1.15-certificate-path", B, is_path=True)


@pytest.mark.parametrize("how", COMBINATIONS, ids=lambda how: how.id)
async def test_phase4_accepts_ours(how: Combination, peer: Peer, realm: Realm, tmp_path: Path) -> None:
    """phase4 delivers what we send, octet for octet, and its receipt confirms every part."""
    meeting = Meeting(peer, realm, how, tmp_path)
    async with meeting.sending() as (gateway, mode):
        outcome = await gateway.send(mode, how.documents)
    assert outcome.is_delivered, (outcome.errors, peer.log())
    found = await meeting.accepted(outcome)
    assert [part["sha256"] for part in found["parts"]] == digests(how.documents)
    assert [part["mime_type"] for part in found["parts"]] == [each.mime_type for each in how.documents]
    assert found["is_signed"]
    assert found["is_encrypted"] == how.is_encrypted


@pytest.mark.parametrize("how", [*COMBINATIONS, PATH], ids=lambda how: how.id)
async def test_we_accept_phase4(how: Combination, peer: Peer, realm: Realm, tmp_path: Path) -> None:
    """We deliver what phase4 sends, octet for octet, and it finds our receipt in order."""
    meeting = Meeting(peer, realm, how, tmp_path)
    outcome = await meeting.receive()
    assert outcome["result"] == "SUCCESS", (outcome, meeting.refused, peer.log())
    assert outcome["receipt"] == "confirmed"
    assert digests(meeting.delivered[0].documents) == digests(how.documents)
    assert [each.mime_type for each in meeting.delivered[0].documents] == [
        each.mime_type for each in how.documents
    ]


async def test_phase4_answers_our_ping(peer: Peer, realm: Realm, tmp_path: Path) -> None:
    """phase4 receipts our test message; whether anybody learns of it is left to the program around it."""
    meeting = Meeting(peer, realm, Combination("ping", is_encrypted=False), tmp_path)
    async with meeting.sending() as (gateway, mode):
        outcome = await gateway.ping(mode)
    assert outcome.is_delivered
    assert (await meeting.accepted(outcome))["parts"] == []


async def test_we_answer_a_ping_of_phase4(peer: Peer, realm: Realm, tmp_path: Path) -> None:
    """We receipt a test message of phase4 and deliver it to nobody."""
    meeting = Meeting(peer, realm, Combination("ping"), tmp_path)
    outcome = await meeting.receive(service=vocabulary.TEST_SERVICE, action=vocabulary.TEST_ACTION)
    assert outcome["result"] == "SUCCESS", (outcome, meeting.refused)
    assert meeting.delivered == []


@pytest.mark.parametrize("profile", [B, ED, EC])
async def test_phase4_takes_our_export(
    profile: ProfileName, peer: Peer, realm: Realm, tmp_path: Path
) -> None:
    """phase4 reads the P-Mode that we export for it, and receives by it."""
    meeting = Meeting(peer, realm, Combination("exported", profile), tmp_path)
    mode = replace(meeting.how.mode(OURS, THEIRS), address="https://phase4.example/as4")
    meeting.exported = export_mode(mode, Product.PHASE4)
    async with meeting.sending() as (gateway, agreed):
        outcome = await gateway.send(agreed, meeting.how.documents)
    assert outcome.is_delivered, (outcome.errors, peer.log())


def _options(realm: Realm, profile: ProfileName, folder: Path, sender: str, receiver: str) -> list[str]:
    ours, theirs = (str(realm.command_keys(profile, name, folder)) for name in (OURS, THEIRS))
    parties = [
        "--from",
        sender,
        "--to",
        receiver,
        "--party-type",
        TYPE,
        "--service",
        SERVICE,
        "--action",
        ACTION,
    ]
    return ["--profile", profile, "--keys", ours, "--partner", theirs, *parties]


@pytest.mark.parametrize("profile", [B, ED])
async def test_command_sends_to_phase4(
    profile: ProfileName, peer: Peer, realm: Realm, tmp_path: Path
) -> None:
    """`eessi-sim as4 send` has its file receipted by phase4."""
    meeting = Meeting(peer, realm, Combination("command", profile), tmp_path)
    url = await meeting.agree(OURS, THEIRS)
    file = tmp_path / "order.xml"
    file.write_bytes(XML.content)
    options = _options(realm, profile, tmp_path, OURS, THEIRS)
    answer = await asyncio.to_thread(run_json, "as4", "send", url, file, *options)
    assert answer["delivered"], (answer, peer.log())
    found = await peer.ask("received", agreement=meeting.name, message_id=answer["message_id"])
    assert [part["sha256"] for part in found["parts"]] == digests([XML])


@pytest.mark.parametrize("profile", [B, ED])
async def test_command_receives_from_phase4(
    profile: ProfileName, peer: Peer, realm: Realm, tmp_path: Path
) -> None:
    """`eessi-sim as4 receive` writes what phase4 sends to a file, and ends after its count."""
    meeting = Meeting(peer, realm, Combination("command", profile), tmp_path)
    await meeting.agree(THEIRS, OURS)
    options = _options(realm, profile, tmp_path, THEIRS, OURS)
    out = tmp_path / "received"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "eessi_sim", "as4", "receive", "--port", "0", "--count", "1"),
        *("--out", str(out), *options),
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        said = await asyncio.wait_for(process.stdout.readline(), 60)
        url = said.decode().removeprefix("AS4 receiver at ").partition(",")[0]
        outcome = await meeting.let_send(url)
        assert await asyncio.wait_for(process.wait(), 60) == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert (outcome["result"], outcome["receipt"]) == ("SUCCESS", "confirmed")
    assert [path.read_bytes() for path in out.iterdir()] == [XML.content]
