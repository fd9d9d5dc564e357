"""What phase4 and we refuse of each other, over real HTTP, and whether the other side understands the refusal."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from tests.helpers.phase4 import Peer
from tests.helpers.phase4_keys import OURS, THEIRS, Realm
from tests.helpers.phase4_meetings import XML, Combination, Meeting

from eessi_sim.as4 import vocabulary
from eessi_sim.as4.ebms_errors import EbmsFault
from eessi_sim.as4.model import MessageProperty
from eessi_sim.as4.modes import ProcessingMode, ProfileName
from eessi_sim.as4.msh import Unpacked
from eessi_sim.gateway.document import Document
from eessi_sim.gateway.lone import Delivery, Identity, LoneGateway
from eessi_sim.security.xmldsig import Reference

pytestmark = [pytest.mark.process, pytest.mark.oracle]

B = ProfileName.EDELIVERY_1
SIGNED = Combination("signed", is_encrypted=False, is_compressed=False)
ENCRYPTED = Combination("encrypted")
NOT_GZIP = Document(
    b"plain",
    "application/octet-stream",
    properties=(MessageProperty(vocabulary.COMPRESSION_TYPE, vocabulary.GZIP_MEDIA_TYPE),),
)


def _last_part(body: bytes) -> bytes:
    """Change the last octet of the last part."""
    end = body.rindex(b"\r\n--")
    return body[: end - 1] + bytes([body[end - 1] ^ 1]) + body[end:]


def _header(body: bytes) -> bytes:
    """Change a signed header field."""
    return re.sub(rb"(ConversationId>)[^<]+", rb"\1other", body)


def _unsigned(body: bytes) -> bytes:
    """Take the Security header away."""
    return re.sub(rb"<wsse:Security.*</wsse:Security>", b"", body, flags=re.DOTALL)


def _digest(body: bytes) -> bytes:
    """Change what a receipt confirms."""
    return re.sub(rb"(<ebbp:.*?<ds:DigestValue>)....", rb"\1AAAA", body, count=1, flags=re.DOTALL)


@dataclass(frozen=True)
class Ours:
    """One message of ours that phase4 must refuse."""

    id: str
    code: str
    how: Combination = SIGNED
    mode: Callable[[ProcessingMode], ProcessingMode] = lambda mode: mode
    forward: Callable[[bytes], bytes] = lambda body: body
    identity: Callable[[Identity, Identity], Identity] = lambda mine, strange: mine
    documents: tuple[Document, ...] = (XML,)


def _readable(mode: ProcessingMode) -> ProcessingMode:
    return replace(mode, security=replace(mode.security, encrypts_for=None))


# What WSS4J finds wrong with a signature is 0102 to phase4, as is what it cannot decrypt (observed).
OF_OURS = (
    Ours("action", "EBMS:0010", mode=lambda mode: replace(mode, action="other")),
    Ours("stranger", "EBMS:0102", identity=lambda mine, strange: replace(mine, keys=strange.keys)),
    Ours("changed-part", "EBMS:0102", forward=_last_part),
    Ours("changed-header", "EBMS:0102", forward=_header),
    Ours("unsigned", "EBMS:0103", forward=_unsigned),
    Ours("changed-ciphertext", "EBMS:0102", ENCRYPTED, forward=_last_part),
    Ours("readable", "EBMS:0103", ENCRYPTED, mode=_readable),
    Ours(
        "for-somebody-else",
        "EBMS:0102",
        ENCRYPTED,
        identity=lambda mine, strange: replace(mine, recipient=strange.recipient),
    ),
    Ours("not-gzip", "EBMS:0303", documents=(NOT_GZIP,)),
)


@pytest.fixture(scope="module")
def strange(tmp_path_factory: pytest.TempPathFactory) -> Realm:
    """Keys of an authority that nobody believes."""
    return Realm(tmp_path_factory.mktemp("strange"), "Strange authority")


@pytest.mark.parametrize("case", OF_OURS, ids=lambda case: case.id)
async def test_phase4_refuses_ours(
    case: Ours, peer: Peer, realm: Realm, strange: Realm, tmp_path: Path
) -> None:
    """phase4 delivers nothing, and we understand its error."""
    meeting = Meeting(peer, realm, case.how, tmp_path, forward=case.forward)
    identity = case.identity(meeting.identity, strange.identity(B, OURS, THEIRS))
    async with meeting.sending(identity) as (gateway, mode):
        outcome = await gateway.send(case.mode(mode), case.documents)
    assert [error.code for error in outcome.errors] == [case.code], (outcome, peer.log())
    assert await meeting.accepted(outcome) == {}


async def test_changed_receipt_of_phase4_is_noticed(peer: Peer, realm: Realm, tmp_path: Path) -> None:
    """A receipt of phase4 that was changed on its way confirms nothing to us."""
    meeting = Meeting(peer, realm, SIGNED, tmp_path, back=_digest)
    async with meeting.sending() as (gateway, mode):
        with pytest.raises(EbmsFault) as caught:
            await gateway.send(mode, [XML])
    assert caught.value.error_code.code == "EBMS:0101"


@dataclass(frozen=True)
class Theirs:
    """One message of phase4 that we must refuse."""

    id: str
    code: str
    how: Combination = SIGNED
    theirs: Combination | None = None
    """What phase4 believes was agreed."""
    forward: Callable[[bytes], bytes] = lambda body: body
    changes: dict[str, Any] = field(default_factory=dict)
    strange_keys: tuple[str, ...] = ()


OF_THEIRS = (
    Theirs("action", "EBMS:0010", changes={"action": "other"}),
    Theirs("stranger", "EBMS:0101", strange_keys=("signing",)),
    Theirs("changed-part", "EBMS:0101", forward=_last_part),
    Theirs("changed-header", "EBMS:0101", forward=_header),
    Theirs("unsigned", "EBMS:0103", forward=_unsigned),
    Theirs("changed-ciphertext", "EBMS:0102", ENCRYPTED, forward=_last_part),
    Theirs("readable", "EBMS:0103", ENCRYPTED, SIGNED),
    Theirs("encrypted", "EBMS:0103", SIGNED, ENCRYPTED),
    Theirs("for-somebody-else", "EBMS:0102", ENCRYPTED, strange_keys=("recipient",)),
)


@pytest.mark.parametrize("case", OF_THEIRS, ids=lambda case: case.id)
async def test_we_refuse_phase4(
    case: Theirs, peer: Peer, realm: Realm, strange: Realm, tmp_path: Path
) -> None:
    """We deliver nothing, and phase4 understands our signed error."""
    meeting = Meeting(peer, realm, case.how, tmp_path, forward=case.forward)
    files = strange.files(B, THEIRS, OURS)
    async with meeting.listening() as url:
        await meeting.agree(THEIRS, OURS, {name: files[name] for name in case.strange_keys}, case.theirs)
        outcome = await meeting.let_send(url, **case.changes)
    assert outcome["result"] == "AS4_ERROR_MESSAGE_RECEIVED", (outcome, meeting.refused, peer.log())
    assert [error["code"] for error in outcome["errors"]] == [case.code], (outcome, meeting.refused)
    assert meeting.delivered == []


async def test_same_message_twice_reaches_phase4_once(peer: Peer, realm: Realm, tmp_path: Path) -> None:
    """phase4 answers a repetition with an error, and we can read it."""
    meeting = Meeting(peer, realm, SIGNED, tmp_path)
    async with meeting.sending() as (gateway, mode):
        packed = gateway.pack(mode, [XML])
        gateway.pack = lambda *_: packed  # type: ignore[method-assign] # the same octets twice
        once, again = [await gateway.send(mode, [XML]) for _ in range(2)]
    assert once.is_delivered
    assert [error.code for error in again.errors] == ["EBMS:0004"]


async def test_id_used_again_is_refused(peer: Peer, realm: Realm, tmp_path: Path) -> None:
    """Another message of phase4 under the id of an earlier one is no duplicate to us: 0003."""
    meeting = Meeting(peer, realm, SIGNED, tmp_path)
    async with meeting.listening() as url:
        await meeting.agree(THEIRS, OURS)
        first = await meeting.let_send(url, message_id=f"{meeting.name}@phase4.example")
        other = await meeting.let_send(url, message_id=f"{meeting.name}@phase4.example", documents=[NOT_GZIP])
    assert first["result"] == "SUCCESS"
    assert [error["code"] for error in other["errors"]] == ["EBMS:0003"]
    assert len(meeting.delivered) == 1


class _Forgetful(LoneGateway):
    """Confirms all parts but the last."""

    def check(self, unpacked: Unpacked, modes: object) -> tuple[Delivery, tuple[Reference, ...]]:
        delivery, references = super().check(unpacked, modes)  # type: ignore[arg-type] # handed through
        return delivery, references[:-1]


@pytest.mark.parametrize("kind", ["incomplete", "changed"])
async def test_phase4_notices_a_wrong_receipt(kind: str, peer: Peer, realm: Realm, tmp_path: Path) -> None:
    """phase4 does not believe a receipt of ours that lacks a part, nor one that was changed on its way."""
    meeting = Meeting(peer, realm, SIGNED, tmp_path)
    if kind == "changed":
        meeting.back = _digest
    gateway = _Forgetful(meeting.identity) if kind == "incomplete" else None
    async with meeting.listening(gateway) as url:
        await meeting.agree(THEIRS, OURS)
        outcome = await meeting.let_send(url)
    assert (outcome["result"], outcome.get("receipt")) != ("SUCCESS", "confirmed"), (outcome, peer.log())
