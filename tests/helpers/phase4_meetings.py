"""One agreement between our lone gateway and phase4, in the terms of both, and what may happen on the wire."""

import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import uuid4

from tests.helpers.phase4 import Peer
from tests.helpers.phase4_keys import OURS, THEIRS, Realm

from eessi_sim.as4 import vocabulary
from eessi_sim.as4.ebms_errors import EbmsFault
from eessi_sim.as4.key_references import KeyReference
from eessi_sim.as4.model import Party
from eessi_sim.as4.modes import PRESETS, ProcessingMode, ProfileName
from eessi_sim.gateway.document import Document
from eessi_sim.gateway.lone import Delivery, Identity, LoneGateway, Outcome
from eessi_sim.spool import Spool
from eessi_sim.stretch import Extent, whole
from eessi_sim.transport.base import Request, Response
from eessi_sim.transport.http import HttpListener, HttpTransport

_SIGNATURES = {
    ProfileName.EDELIVERY_1: "RSA_SHA_256",
    ProfileName.EDELIVERY_2: "EDDSA_ED25519",
    ProfileName.EDELIVERY_2_EC: "ECDSA_SHA_256",
}
_REFERENCES = {
    KeyReference.TOKEN: "BST_DIRECT_REFERENCE",
    KeyReference.ISSUER_SERIAL: "ISSUER_SERIAL",
    KeyReference.KEY_IDENTIFIER: "SKI_KEY_IDENTIFIER",
}
TYPE, SERVICE, ACTION = "urn:type", "urn:service", "submit"
XML = Document(
    b"<?xml version='1.0'?>\n<a  b='1'\r\n c=\"&lt;\"><!-- c --><d/>\xc5\x82</a>\n", "application/xml"
)


@dataclass(frozen=True)
class Combination:
    """How messages of one agreement look."""

    id: str
    profile: ProfileName = ProfileName.EDELIVERY_1
    documents: tuple[Document, ...] = (XML,)
    is_encrypted: bool = True
    is_compressed: bool = True
    reference: KeyReference = KeyReference.TOKEN
    is_tls: bool = False
    is_path: bool = False
    """Whether phase4 sends the whole certificate path instead of its certificate."""

    def mode(self, sender: str, receiver: str) -> ProcessingMode:
        """Return the agreement in our terms."""
        preset = PRESETS[self.profile]
        security = replace(
            preset.security,
            key_reference=self.reference,
            recipient_reference=self.reference,
            encrypts_for=preset.security.encrypts_for if self.is_encrypted else None,
        )
        return replace(
            preset,
            security=security,
            sender=Party(sender, TYPE, vocabulary.INITIATOR_ROLE),
            receiver=Party(receiver, TYPE, vocabulary.RESPONDER_ROLE),
            service=SERVICE,
            service_type=None,
            action=ACTION,
            is_compressed=self.is_compressed,
        )

    def terms(self, sender: str, receiver: str) -> dict[str, object]:
        """Return the same in phase4's terms, the keys excepted."""
        return {
            "sender": {"type": TYPE, "id": sender, "role": vocabulary.INITIATOR_ROLE},
            "receiver": {"type": TYPE, "id": receiver, "role": vocabulary.RESPONDER_ROLE},
            "service": SERVICE,
            "action": ACTION,
            "signature": _SIGNATURES[self.profile],
            "reference": _REFERENCES[self.reference],
            "is_encrypted": self.is_encrypted,
            "is_tls": self.is_tls,
            "is_path": self.is_path,
        }


def _same(octets: bytes) -> bytes:
    return octets


@dataclass
class Meeting:
    """Both gateways, with keys and agreements; what was delivered and refused on our side."""

    peer: Peer
    realm: Realm
    how: Combination
    folder: Path
    name: str = field(default_factory=lambda: str(uuid4()))
    delivered: list[Delivery] = field(default_factory=list)
    refused: list[EbmsFault] = field(default_factory=list)
    forward: Callable[[bytes], bytes] = _same
    """Applied to the body of a message on its way."""
    exported: str | None = None
    """The P-Mode as we export it for phase4; None lets phase4 make its own of the terms."""
    back: Callable[[bytes], bytes] = _same
    """Applied to the body of the answer."""

    @property
    def identity(self) -> Identity:
        """Our keys."""
        return self.realm.identity(self.how.profile, OURS, THEIRS)

    async def agree(
        self,
        sender: str,
        receiver: str,
        files: Mapping[str, str] | None = None,
        how: Combination | None = None,
    ) -> str:
        """Tell phase4 what was agreed, with other keys or other terms perhaps; return where it receives."""
        keys = {**self.realm.files(self.how.profile, THEIRS, OURS), **(files or {})}
        terms = (how or self.how).terms(sender, receiver)
        if self.exported is not None:
            terms["mode"] = json.loads(self.exported)
        answer = await self.peer.ask("agree", name=self.name, keys=keys, **terms)
        return str(answer["url"])

    # From us to phase4

    @asynccontextmanager
    async def sending(
        self, identity: Identity | None = None
    ) -> AsyncIterator[tuple[LoneGateway, ProcessingMode]]:
        """Yield a gateway of ours that can send, and the agreement with the address of phase4."""
        url = await self.agree(OURS, THEIRS)
        transport = HttpTransport(self.realm.tls(OURS) if self.how.is_tls else None)
        wire = _Wire(transport, self)
        try:
            yield (
                LoneGateway(identity or self.identity, wire),
                replace(self.how.mode(OURS, THEIRS), address=url),
            )
        finally:
            await transport.close()

    async def accepted(self, outcome: Outcome) -> dict[str, Any]:
        """Return what phase4 says about a message that it delivered; nothing of one that it refused."""
        return await self.peer.ask("received", agreement=self.name, message_id=str(outcome.sent.message_id))

    # From phase4 to us

    async def receive(self, **changes: Any) -> dict[str, Any]:
        """Let phase4 send us one message; return what it says about our answer."""
        async with self.listening() as url:
            await self.agree(THEIRS, OURS)
            return await self.let_send(url, **changes)

    @asynccontextmanager
    async def listening(self, gateway: LoneGateway | None = None) -> AsyncIterator[str]:
        """Listen for phase4; yield our address."""
        listener = HttpListener("127.0.0.1", 0, identity=self.realm.tls(OURS) if self.how.is_tls else None)
        serve = (gateway or LoneGateway(self.identity)).serve(
            [self.how.mode(THEIRS, OURS)], self._deliver, self.refused.append
        )

        async def handle(request: Request) -> Response:
            answer = await serve(replace(request, body=self.forward(request.body)))
            return replace(answer, body=self.back(answer.body))

        url = await listener.start(handle)
        try:
            yield f"{url}/as4"
        finally:
            await listener.stop()

    async def let_send(
        self, url: str, documents: Sequence[Document] | None = None, **changes: Any
    ) -> dict[str, Any]:
        """Have phase4 send to an address."""
        parts = []
        for number, document in enumerate(self.how.documents if documents is None else documents):
            path = self.folder / f"part-{number}"
            path.write_bytes(document.content)
            parts.append({"file": str(path), "mime_type": document.mime_type})
        wanted = {
            "message_id": f"{uuid4()}@phase4.example",
            "is_compressed": self.how.is_compressed,
            "service": SERVICE,
            "action": ACTION,
            "parts": parts,
            **changes,
        }
        return await self.peer.ask("send", agreement=self.name, url=url, **wanted)

    async def _deliver(self, delivery: Delivery) -> None:
        self.delivered.append(delivery)


@dataclass(frozen=True)
class _Wire:
    """A transport that changes what passes."""

    transport: HttpTransport
    meeting: Meeting

    async def send(
        self,
        url: str,
        body: Extent,
        *,
        headers: Mapping[str, str],
        within: float,
        method: str = "POST",
        into: Spool | None = None,
    ) -> Response:
        answer = await self.transport.send(
            url, self.meeting.forward(whole(body)), headers=headers, within=within, method=method
        )
        return replace(answer, body=self.meeting.back(answer.body))

    async def close(self) -> None:
        await self.transport.close()


def digests(documents: Sequence[Document]) -> list[str]:
    """Return what identifies each document."""
    return [sha256(document.content).hexdigest() for document in documents]
