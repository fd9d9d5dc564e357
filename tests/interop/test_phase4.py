"""Messages to and from phase4, a Java product that knows nothing of us, over real HTTP and HTTPS."""

import hashlib
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from uuid import uuid4

import pytest
from tests.helpers.phase4 import Peer, running
from tests.helpers.phase4_keys import Realm

from eessi_sim.as4 import vocabulary
from eessi_sim.as4.key_references import KeyReference
from eessi_sim.as4.model import Party
from eessi_sim.as4.modes import PRESETS, ProcessingMode, ProfileName
from eessi_sim.gateway.lone import Delivery, Document, LoneGateway
from eessi_sim.transport.http import HttpListener, HttpTransport

pytestmark = [pytest.mark.process, pytest.mark.oracle]

B, ED, EC = ProfileName.EDELIVERY_1, ProfileName.EDELIVERY_2, ProfileName.EDELIVERY_2_EC
_SIGNATURES = {B: "RSA_SHA_256", ED: "EDDSA_ED25519", EC: "ECDSA_SHA_256"}
_REFERENCES = {
    KeyReference.TOKEN: "BST_DIRECT_REFERENCE",
    KeyReference.ISSUER_SERIAL: "ISSUER_SERIAL",
    KeyReference.KEY_IDENTIFIER: "SKI_KEY_IDENTIFIER",
}
XML = Document(
    b"<?xml version='1.0'?>\n<a  b='1'\r\n c=\"&lt;\"><!-- c --><d/>\xc5\x82</a>\n", "application/xml"
)
BINARY = Document(bytes(range(256)) * 40, "application/pdf")
TEXT = Document("one\ntwo\r\nżółć\r".encode(), "text/plain")
LARGE = Document(hashlib.shake_256(b"large").digest(3_000_000), "application/octet-stream")
EMPTY = Document(b"", "application/octet-stream")


@dataclass(frozen=True)
class Combination:
    """What one exchange looks like."""

    id: str
    profile: ProfileName
    documents: tuple[Document, ...] = (XML,)
    is_encrypted: bool = True
    is_compressed: bool = True
    reference: KeyReference = KeyReference.TOKEN
    is_tls: bool = False


COMBINATIONS = (
    Combination("1.15", B),
    Combination("1.15-signed", B, is_encrypted=False),
    Combination("1.15-signed-plain", B, is_encrypted=False, is_compressed=False),
    Combination("1.15-plain", B, is_compressed=False),
    Combination("1.15-several", B, (XML, BINARY, TEXT)),
    Combination("1.15-several-signed-plain", B, (XML, BINARY), is_encrypted=False, is_compressed=False),
    Combination("1.15-several-plain", B, (BINARY, XML), is_compressed=False),
    Combination("1.15-text-plain", B, (TEXT,), is_encrypted=False, is_compressed=False),
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
    Combination("2.0-ec", EC),
    Combination("2.0-ec-signed", EC, is_encrypted=False),
    Combination("2.0-ec-several", EC, (XML, BINARY, TEXT)),
    Combination("2.0-ec-key-identifier", EC, reference=KeyReference.KEY_IDENTIFIER),
)
every_combination = pytest.mark.parametrize("how", COMBINATIONS, ids=lambda how: how.id)


@pytest.fixture(scope="module")
def realm(tmp_path_factory: pytest.TempPathFactory) -> Realm:
    """Keys of both sides."""
    return Realm(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="module")
def peer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peer]:
    """One phase4 for all combinations."""
    with running(tmp_path_factory.mktemp("phase4"), {}) as process:
        yield process


def mode_of(how: Combination, sender: str, receiver: str) -> ProcessingMode:
    """Return the agreement in our terms."""
    mode = PRESETS[how.profile]
    security = replace(mode.security, key_reference=how.reference, recipient_reference=how.reference)
    if not how.is_encrypted:
        security = replace(security, encrypts_for=None)
    return replace(
        mode,
        security=security,
        sender=Party(sender, "urn:type", vocabulary.INITIATOR_ROLE),
        receiver=Party(receiver, "urn:type", vocabulary.RESPONDER_ROLE),
        service="urn:service",
        service_type=None,
        action="submit",
        is_compressed=how.is_compressed,
    )


@dataclass
class Meeting:
    """One agreement between us and phase4, both ends open."""

    peer: Peer
    realm: Realm
    how: Combination
    stack: AsyncExitStack
    name: str = field(default_factory=lambda: str(uuid4()))
    delivered: list[Delivery] = field(default_factory=list)

    async def agree(self, sender: str, receiver: str) -> str:
        """Tell phase4 what was agreed, in its terms; return the address at which it receives."""
        how = self.how
        answer = await self.peer.ask(
            "agree",
            name=self.name,
            keys=self.realm.files(how.profile, "theirs", "ours"),
            sender={"type": "urn:type", "id": sender, "role": vocabulary.INITIATOR_ROLE},
            receiver={"type": "urn:type", "id": receiver, "role": vocabulary.RESPONDER_ROLE},
            service="urn:service",
            action="submit",
            signature=_SIGNATURES[how.profile],
            reference=_REFERENCES[how.reference],
            encrypted=how.is_encrypted,
            is_tls=how.is_tls,
        )
        return str(answer["url"])


@every_combination
async def test_phase4_accepts_ours(how: Combination, peer: Peer, realm: Realm) -> None:
    """phase4 delivers what we send, octet for octet, and its receipt confirms every part."""
    async with AsyncExitStack() as stack:
        meeting = Meeting(peer, realm, how, stack)
        url = await meeting.agree("ours", "theirs")
        transport = HttpTransport(None)
        stack.push_async_callback(transport.close)
        gateway = LoneGateway(realm.identity(how.profile, "ours", "theirs"), transport)
        mode = replace(mode_of(how, "ours", "theirs"), address=url)
        outcome = await gateway.send(mode, how.documents)
        assert outcome.is_delivered, (outcome.errors, peer.log())
        facts = await peer.ask("received", agreement=meeting.name, message_id=str(outcome.sent.message_id))
    assert [part["sha256"] for part in facts["parts"]] == [
        hashlib.sha256(document.content).hexdigest() for document in how.documents
    ]
    assert facts["is_signed"]
    assert facts["is_encrypted"] == how.is_encrypted


@every_combination
async def test_we_accept_phase4(how: Combination, peer: Peer, realm: Realm, tmp_path: Path) -> None:
    """We deliver what phase4 sends, octet for octet, and it finds our receipt in order."""
    async with AsyncExitStack() as stack:
        meeting = Meeting(peer, realm, how, stack)
        await meeting.agree("theirs", "ours")
        gateway = LoneGateway(realm.identity(how.profile, "ours", "theirs"))
        delivered: list[Delivery] = []
        refused: list[Exception] = []

        async def deliver(delivery: Delivery) -> None:
            delivered.append(delivery)

        listener = HttpListener("127.0.0.1", 0, identity=None)
        url = await listener.start(gateway.serve([mode_of(how, "theirs", "ours")], deliver, refused.append))
        stack.push_async_callback(listener.stop)
        parts = []
        for number, document in enumerate(how.documents):
            path = tmp_path / str(number)
            path.write_bytes(document.content)
            parts.append({"file": str(path), "mime_type": document.mime_type})
        outcome = await peer.ask(
            "send",
            agreement=meeting.name,
            url=f"{url}/as4",
            action="submit",
            message_id=f"{uuid4()}@theirs",
            parts=parts,
            is_compressed=how.is_compressed,
        )
    assert outcome["result"] == "SUCCESS", (outcome, refused, peer.log())
    assert outcome["receipt"] == "confirmed"
    assert [document.content for document in delivered[0].documents] == [
        document.content for document in how.documents
    ]
