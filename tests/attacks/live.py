"""A network under fire: access point and receiver run as processes, the attacker and a bystander are played by the tests.

The attacker NO:NAVAT07 is a genuine institution with its own listener, so a good message can be followed to its receipt.
Octets are written to the socket as they are; nothing here corrects what an attack does wrong.
"""

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from uuid import uuid4

from tests.attacks.certificates import extra_certificates
from tests.helpers.as4_forgery import Forgery
from tests.helpers.attached import forged_part, listed
from tests.helpers.forge import Draft, held_back
from tests.helpers.lab import FK, NAV, POINT, ZUS, Lab, silent

from eessi_sim import sbdh
from eessi_sim.as4 import msh, vocabulary
from eessi_sim.as4.model import CollaborationInfo, ErrorSignal, MessageInfo, Party, Payload, Receipt
from eessi_sim.as4.msh import Packed, Stamp, Unpacked
from eessi_sim.identifiers import BucType, DocumentId, InstitutionId, InternationalId, MessageId, SedType
from eessi_sim.ir import snapshot
from eessi_sim.security.keys import KeyPair
from eessi_sim.security.pki import CertificateAuthority, KeyAlgorithm
from eessi_sim.simulation.assembly import OUTBOX_PATH, PUSH_PATH, load_definition
from eessi_sim.simulation.control import MessageView
from eessi_sim.simulation.credentials import PartyKeys
from eessi_sim.simulation.processes import ProcessNetwork
from eessi_sim.simulation.state import NetworkState, NodeLimits, establish
from eessi_sim.transport.base import Request, Response
from eessi_sim.transport.http import HttpListener
from eessi_sim.transport.tls import client_context

LIMITS: Final = NodeLimits(read_seconds=2.0, requests_per_client=8, queue=20)
"""Smaller than usual, so that a test can reach them."""
PATIENCE: Final = 60.0
"""Seconds after which an answer or a receipt counts as missing; a bound against hanging, not a measure of speed."""
_LOOK_AGAIN: Final = 0.02
_OPEN: Final = ("", "received", "processing")
"""States of a message about which the node has not made up its mind."""
_NETWORK: Final = """
id: range
title: A network under fire
access_point: {id: EU:APSIM01, name: Access point of the tests}
institutions: [NO:NAVAT07, PL:ZUS01, SE:FKSE01, DE:BA01]
stories: []
attachments: {file_mb: 60, message_mb: 80}
"""
SOAP: Final = "application/soap+xml; charset=utf-8"


@dataclass(frozen=True)
class Answer:
    """What came back on the connection; status 0 when nothing did."""

    status: int = 0
    head: bytes = b""
    body: bytes = b""
    milliseconds: float = 0.0

    @property
    def content_type(self) -> str:
        """Content-Type of the answer."""
        lines = (line.partition(b":") for line in self.head.split(b"\r\n"))
        return next(
            (value.strip().decode() for name, _, value in lines if name.lower() == b"content-type"), ""
        )

    @property
    def outcome(self) -> str:
        """Error code of the signal in the answer, else the HTTP status, else that the connection was closed."""
        if not self.status:
            return "closed"
        if self.status == 200 and self.body:
            unit = msh.unpack(self.content_type, self.body).unit
            if isinstance(unit, ErrorSignal):
                return " ".join(error.code for error in unit.errors)
            return type(unit).__name__
        return str(self.status)


@dataclass
class Mailbox:
    """The entrance of an institution that the tests play: keeps signals by the message they are about."""

    signals: dict[str, list[Receipt | ErrorSignal]] = field(default_factory=dict)
    bodies: dict[str, list[Request]] = field(default_factory=dict)
    messages: list[Request] = field(default_factory=list)
    instead: list[Response] = field(default_factory=list)
    """Answers to the next messages, which are not taken in."""
    away: bool = False
    """Whether the institution cannot take anything in at the moment."""

    async def handle(self, request: Request) -> Response:
        """Take everything in."""
        if self.away:
            return Response(503)
        if self.instead:
            return self.instead.pop(0)
        unit = msh.unpack(request.headers["content-type"], request.body).unit
        if isinstance(unit, Receipt | ErrorSignal):
            about = unit.info.ref_to_message_id or ""
            self.signals.setdefault(about, []).append(unit)
            self.bodies.setdefault(about, []).append(request)
        else:
            self.messages.append(request)
        return Response(202)


@dataclass(frozen=True)
class Shot:
    """What an attack sends: to whom, as whom, and which message id must not be found anywhere afterwards."""

    octets: bytes | None = None
    """A whole HTTP request as it goes on the wire; made of the next two when None."""
    content_type: str = SOAP
    body: bytes = b""
    to: InstitutionId = POINT
    client: InstitutionId = NAV
    message_id: str = ""
    pieces: Sequence[bytes] = ()
    """Sent behind the octets, one after the other, until the other side closes."""
    context: ssl.SSLContext | None = None
    """TLS settings in place of those of the client."""

    @classmethod
    def of(cls, packed: Packed, **changes: object) -> "Shot":
        """Send a packed message."""
        shot = cls(content_type=packed.content_type, body=packed.body, message_id=packed.message_id)
        return replace(shot, **changes)  # type: ignore[arg-type] # tests name real fields

    def head(self, **headers: str) -> bytes:
        """Request line and headers; a name given here, with an underline, replaces the usual value."""
        usual = {
            "Host": "localhost",
            "Content_Type": self.content_type,
            "Content_Length": str(len(self.body)),
        }
        lines = [f"{name.replace('_', '-')}: {value}" for name, value in {**usual, **headers}.items()]
        return (f"POST {path_of(self.to)} HTTP/1.1\r\n" + "\r\n".join(lines) + "\r\n\r\n").encode("latin-1")

    @property
    def request(self) -> bytes:
        """What goes on the wire."""
        return self.head(Connection="close") + self.body if self.octets is None else self.octets


def path_of(party: InstitutionId) -> str:
    """The path at which a node takes messages."""
    return OUTBOX_PATH if party == POINT else PUSH_PATH


@dataclass(frozen=True)
class Usage:
    """Memory of a process in megabytes."""

    before: float
    peak: float


@dataclass
class Range:
    """The network, and everything that is needed to make good and bad messages for it."""

    state: NetworkState
    network: ProcessNetwork
    template: Draft
    keys: Mapping[InstitutionId, PartyKeys]
    authority: CertificateAuthority
    odd: Mapping[str, KeyPair]
    """Key pairs of NO:NAVAT07 that the directory lists and nobody should believe, by what is wrong with them."""
    boxes: Mapping[InstitutionId, Mailbox]
    contexts: dict[InstitutionId, ssl.SSLContext] = field(default_factory=dict)
    sed: bytes = b""

    # Making messages.

    def draft(self) -> Draft:
        """A good business message that nobody has seen before."""
        now = datetime.now(UTC)
        draft = self.template.with_scope(
            case_id=InternationalId(uuid4().hex), set_id=DocumentId(uuid4().hex)
        ).with_document(created_at=now)
        unit = replace(
            draft.unit,
            info=MessageInfo(MessageId(f"{uuid4()}@{NAV.domain}"), now),
            collaboration=replace(draft.unit.collaboration, conversation_id=draft.header.scope.case_id.uuid),
        )
        return replace(draft, unit=unit, sed=self.sed)

    def payloads(self, draft: Draft) -> tuple[Payload, ...]:
        """The SED in its envelope and an attachment."""
        wrapped = sbdh.wrap(replace(draft.header, attachments=(listed(1),)), draft.sed)
        return (
            msh.compressed_payload("sed-1@pl.example", wrapped, "application/xml", "SED"),
            forged_part(1),
        )

    def forgery(self, draft: Draft | None = None, **changes: object) -> Forgery:
        """A good message put together by hand, with some of it replaced."""
        draft = draft or self.draft()
        made = Forgery(payloads=self.payloads(draft), keys=self.keys[NAV].ebms, unit=draft.unit)
        return replace(made, **changes)  # type: ignore[arg-type] # tests name real fields

    def packed(self, draft: Draft | None = None, keys: KeyPair | None = None, **how: object) -> Packed:
        """A message as our own code packs it."""
        return (draft or self.draft()).packed(keys or self.keys[NAV].ebms, **how)  # type: ignore[arg-type] # as above

    def unsigned(self, draft: Draft | None = None) -> Packed:
        """A message without signature; its structure is read first."""
        draft = draft or self.draft()
        return msh.pack_user_message(draft.unit, self.payloads(draft), None, token=uuid4().hex)

    def ping(self, to: InstitutionId) -> Packed:
        """A test message."""
        draft = self.draft()
        test = CollaborationInfo(
            conversation_id="ping",
            service=vocabulary.TEST_SERVICE,
            service_type=None,
            action=vocabulary.TEST_ACTION,
        )
        unit = replace(draft.unit, receiver=Party(to), collaboration=test)
        return msh.pack_user_message(unit, [], self.keys[NAV].ebms, token=uuid4().hex)

    def stamp(self, party: InstitutionId) -> Stamp:
        """Identity of a signal."""
        return Stamp(MessageId(f"{uuid4()}@{party.domain}"), datetime.now(UTC), uuid4().hex)

    # The wire.

    def context(self, party: InstitutionId) -> ssl.SSLContext:
        """TLS settings of a party."""
        if party not in self.contexts:
            self.contexts[party] = client_context(self.state.tls_identity(party))
        return self.contexts[party]

    async def connect(
        self, to: InstitutionId, context: ssl.SSLContext
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Open a connection to a node."""
        port = self.state.address(to).port
        return await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname="localhost")

    async def fire(self, shot: Shot) -> Answer:
        """Send and return what came back."""
        start = time.perf_counter()
        try:
            async with asyncio.timeout(PATIENCE):
                reader, writer = await self.connect(shot.to, shot.context or self.context(shot.client))
                try:
                    sending = asyncio.create_task(_write(writer, shot))
                    answer = await _read(reader)
                    sending.cancel()
                finally:
                    writer.close()
        except (ConnectionError, ssl.SSLError):
            answer = Answer()
        return replace(answer, milliseconds=(time.perf_counter() - start) * 1000)

    async def signals(
        self, about: str, number: int, party: InstitutionId = NAV
    ) -> list[Receipt | ErrorSignal]:
        """Wait for so many signals about a message."""
        box = self.boxes[party].signals
        await self.until(lambda: len(box.get(about, ())) >= number)
        return box[about]

    async def until(self, done: Callable[[], bool]) -> None:
        """Wait for something that happens in this process."""
        async with asyncio.timeout(PATIENCE):
            while not done():  # noqa: ASYNC110 - another process cannot set an event
                await asyncio.sleep(_LOOK_AGAIN)

    async def callback(self, about: str) -> str:
        """What the first signal about a message says: error codes, or that it is a receipt."""
        (signal, *_) = await self.signals(about, 1)
        if isinstance(signal, ErrorSignal):
            return " ".join(error.code for error in signal.errors)
        return "receipt"

    async def good_message(self) -> str:
        """Send a good message through the access point to the receiver; return its id when its receipt is back."""
        packed = self.packed()
        answer = await self.fire(Shot.of(packed))
        assert (answer.status, answer.body) == (202, b""), answer
        assert await self.callback(packed.message_id) == "receipt"
        return packed.message_id

    # Messages that the receiver sends to the attacker.

    async def sent_by_receiver(self) -> Unpacked:
        """Let PL:ZUS01 send a document to NO:NAVAT07; return the message as it arrived."""
        box, control = self.boxes[NAV], self.network.controls[ZUS]
        known = len(box.messages)
        case = await control.open_case(BucType("LA_BUC_02"), [NAV])
        await control.send(case, SedType("A003"))
        await self.until(lambda: len(box.messages) > known)
        arrived = box.messages[-1]
        return msh.unpack(arrived.headers["content-type"], arrived.body)

    async def state_of_sent(self, message_id: str) -> str:
        """State of a message at PL:ZUS01, which sent it."""
        views = await self.views(ZUS)
        return next(v.state for v in views if v.message_id == message_id and v.direction == "out")

    async def until_sent(self, message_id: str, state: str) -> None:
        """Wait until a message of PL:ZUS01 is in this state."""
        async with asyncio.timeout(PATIENCE):
            while await self.state_of_sent(message_id) != state:  # noqa: ASYNC110 - as above
                await asyncio.sleep(_LOOK_AGAIN)

    async def until_served(self, party: InstitutionId) -> None:
        """Wait until what a party was to answer has been asked for."""
        await self.until(lambda: not self.boxes[party].instead)

    async def until_settled(self, party: InstitutionId, message_id: str) -> str:
        """Wait until a node has made up its mind about a message that it took in; return the state."""
        async with asyncio.timeout(PATIENCE):
            while (state := await self.received(party, message_id)) in _OPEN:  # noqa: ASYNC110 - as above
                await asyncio.sleep(_LOOK_AGAIN)
        return state

    def unpacked(self, packed: Packed) -> Unpacked:
        """Take a message apart."""
        return msh.unpack(packed.content_type, packed.body)

    # Looking.

    async def views(self, party: InstitutionId) -> Sequence[MessageView]:
        """All messages of a node."""
        return await self.network.readers[party].messages()

    async def journal(self, party: InstitutionId, message_id: str) -> list[tuple[str, str]]:
        """Steps and outcomes that a node has noted about a message."""
        found: list[tuple[str, str]] = []
        after = 0
        while entries := await self.network.readers[party].journal(after):
            found += [(e.step, e.outcome) for e in entries if e.message_id == message_id]
            after = entries[-1].seq
        return found

    async def holds(self, party: InstitutionId, message_id: str) -> bool:
        """Whether a node has taken a message in."""
        return await self.network.readers[party].message("in", message_id) is not None

    async def received(self, party: InstitutionId, message_id: str) -> str:
        """State of a message at a node, empty when it has none."""
        views = await self.views(party)
        return next((v.state for v in views if v.message_id == message_id and v.direction == "in"), "")

    def process(self, party: InstitutionId) -> int:
        """Number of the process of a node."""
        return self.network._processes[party].pid

    def rewind(self, party: InstitutionId) -> float:
        """Let the system measure the peak of a node anew; return what it uses now."""
        Path(f"/proc/{self.process(party)}/clear_refs").write_text("5")
        return self._memory(party, "VmRSS")

    def peak(self, party: InstitutionId) -> float:
        """The most that a node has used since ``rewind``."""
        return self._memory(party, "VmHWM")

    def _memory(self, party: InstitutionId, name: str) -> float:
        lines = Path(f"/proc/{self.process(party)}/status").read_text().splitlines()
        return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(name))


async def _write(writer: asyncio.StreamWriter, shot: Shot) -> None:
    for piece in (shot.request, *shot.pieces):
        writer.write(piece)
        await writer.drain()


async def _read(reader: asyncio.StreamReader) -> Answer:
    """Read one answer; the other side closes behind it, or says how long it is."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return Answer()
    lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    body = await reader.readexactly(int(lengths[0].split(b":")[1])) if lengths else await reader.read()
    return Answer(int(head.split(b" ", 2)[1]), head, body)


@asynccontextmanager
async def live_range(folder: Path) -> AsyncIterator[Range]:
    """Start the network and end it."""
    file = folder / "range.yaml"
    file.write_text(_NETWORK)
    now = datetime.now(UTC)
    state = establish(
        silent(load_definition(file)),
        folder / "network",
        now=now,
        algorithm=KeyAlgorithm.P_256,
        limits=LIMITS,
    )
    authority = CertificateAuthority.load(state.pki)
    odd = extra_certificates(authority, now)
    _list_them(state, authority, odd, now)
    keys = {InstitutionId(node.party): PartyKeys.load(state.pki / _file(node.party)) for node in state.nodes}
    boxes = {party: Mailbox() for party in (NAV, FK)}
    served = replace(state, nodes=tuple(node for node in state.nodes if node.party in (POINT, ZUS)))
    async with Lab.build() as lab:
        template = await held_back(lab)
    listeners = []
    async with ProcessNetwork(served) as network:
        for party, box in boxes.items():
            listener = HttpListener(
                "127.0.0.1", state.address(party).port, identity=state.tls_identity(party), name="localhost"
            )
            await listener.start(box.handle)
            listeners.append(listener)
        try:
            sealed = _sealed(template, keys[NAV].seal)
            yield Range(state, network, template, keys, authority, odd, boxes, sed=sealed)
        finally:
            for listener in listeners:
                await listener.stop()


def _sealed(template: Draft, seal: KeyPair) -> bytes:
    """The SED of the template under a seal of this network."""
    header = replace(template.header.document, created_at=datetime.now(UTC) - timedelta(seconds=1))
    draft = replace(template, header=replace(template.header, document=header))
    return draft.edited(b"^", b"", seal).sed


def _file(party: str) -> str:
    return InstitutionId(party).file_name


def _list_them(
    state: NetworkState, authority: CertificateAuthority, odd: Mapping[str, KeyPair], now: datetime
) -> None:
    """Let the directory list the odd certificates beside the right one, and revoke what has to be revoked."""
    repository = snapshot.load(state.directory_file)
    nav = repository.get(NAV)
    ebms = (*nav.certificates.ebms, *(keys.certificate for keys in odd.values()))
    entry = replace(nav, certificates=replace(nav.certificates, ebms=ebms))
    rest = (
        replace(each, valid_until=now - timedelta(days=1)) if each.id == "DE:BA01" else each
        for each in repository.institutions
        if each.id != NAV
    )
    snapshot.save(replace(repository, institutions=(entry, *rest)), state.directory_file)
    authority.revoke(odd["revoked"].certificate, now - timedelta(hours=1))
    (state.pki / "ca.crl").write_bytes(authority.crl(now - timedelta(minutes=1)))
