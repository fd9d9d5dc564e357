"""Our own network under test: access point and receiver run as processes, the attacker and a bystander are played here.

The attacker NO:NAVAT07 is a genuine institution with its own listener, so a good message can be followed to its receipt.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from uuid import uuid4

from eessi_sim import sbdh
from eessi_sim.as4 import msh, vocabulary
from eessi_sim.as4.model import (
    CollaborationInfo,
    ErrorSignal,
    MessageInfo,
    Party,
    Payload,
    Receipt,
    UserMessage,
)
from eessi_sim.as4.msh import Packed, Stamp, Unpacked
from eessi_sim.conformance.bench import Bench
from eessi_sim.conformance.certificates import extra_certificates
from eessi_sim.conformance.draft import Draft, forged_part, listed
from eessi_sim.conformance.forgery import Forgery
from eessi_sim.conformance.model import Exchange, NotApplicable, Result, Unexpected, expect
from eessi_sim.conformance.setting import BA, CSN, FK, NAV, POINT, ZUS, folder, setting
from eessi_sim.conformance.wire import PATIENCE, Answer, Door, Shot
from eessi_sim.identifiers import DocumentId, InstitutionId, InternationalId, MessageId
from eessi_sim.institution.node import InstitutionNode
from eessi_sim.ir import snapshot
from eessi_sim.ir.loader import NetworkDefinition
from eessi_sim.ir.model import CentralServicesNode
from eessi_sim.sbdh import StandardBusinessDocument
from eessi_sim.security.keys import KeyPair
from eessi_sim.security.pki import CertificateAuthority, KeyAlgorithm
from eessi_sim.simulation.assembly import OUTBOX_PATH, PUSH_PATH, load_definition
from eessi_sim.simulation.credentials import PartyKeys
from eessi_sim.simulation.inprocess import InProcessNetwork
from eessi_sim.simulation.processes import ProcessNetwork
from eessi_sim.simulation.state import NetworkState, NodeLimits, establish
from eessi_sim.simulation.views import MessageView
from eessi_sim.storage.base import Direction, MessageKind, MessageQuery
from eessi_sim.storage.memory import MemoryStorage
from eessi_sim.synchronisation import documents
from eessi_sim.synchronisation.desk import is_system
from eessi_sim.transport.base import Request, Response
from eessi_sim.transport.http import HttpListener
from eessi_sim.transport.tls import client_context

LIMITS: Final = NodeLimits(read_seconds=2.0, requests_per_client=8, queue=20, forwarding_retries=2)
"""Smaller than usual, so that a run can reach them."""
_LOOK_AGAIN: Final = 0.02
_OPEN: Final = ("", "received", "processing")
"""States of a message about which the node has not made up its mind."""


@dataclass
class Mailbox:
    """The entrance of an institution that the tests play: keeps signals by the message they are about."""

    keys: KeyPair
    """Signs receipts of system messages, which go back at once."""
    signals: dict[str, list[Receipt | ErrorSignal]] = field(default_factory=dict)
    bodies: dict[str, list[Request]] = field(default_factory=dict)
    messages: list[Request] = field(default_factory=list)
    system: list[StandardBusinessDocument] = field(default_factory=list)
    """What system messages brought."""
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
        unpacked = msh.unpack(request.headers["content-type"], request.body)
        if is_system(unpacked):
            return self._receipted(unpacked)
        unit = unpacked.unit
        if isinstance(unit, Receipt | ErrorSignal):
            about = unit.info.ref_to_message_id or ""
            self.signals.setdefault(about, []).append(unit)
            self.bodies.setdefault(about, []).append(request)
        else:
            self.messages.append(request)
        return Response(202)

    def _receipted(self, unpacked: Unpacked) -> Response:
        self.system.append(documents.read(unpacked.parts[0]))
        stamp = Stamp(MessageId(f"{uuid4()}@{NAV.domain}"), datetime.now(UTC), uuid4().hex)
        packed = msh.pack_receipt(unpacked, self.keys, stamp=stamp)
        return Response(200, {"content-type": packed.content_type}, packed.body)


@dataclass
class Range(Bench):
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
    exchanges: list[Exchange] = field(default_factory=list)

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
        """Return a good message put together by hand, with some of it replaced."""
        draft = draft or self.draft()
        made = Forgery(payloads=self.payloads(draft), keys=self.keys[NAV].ebms, unit=draft.unit)
        return replace(made, **changes)  # type: ignore[arg-type] # callers name real fields

    def packed(
        self,
        change: Callable[[UserMessage], UserMessage] = lambda unit: unit,
        parts: Callable[[bytes], Sequence[Payload]] | None = None,
        files: int = 0,
    ) -> Packed:
        """Return a message as our own code packs it."""
        draft = self.draft()
        header = replace(draft.header, attachments=tuple(listed(number) for number in range(files)))
        payloads = None if parts is None else tuple(parts(sbdh.wrap(header, draft.sed)))
        return replace(draft, unit=change(draft.unit)).packed(self.keys[NAV].ebms, payloads=payloads)

    def signed(self, draft: Draft, keys: KeyPair | None = None) -> Packed:
        """Return a message made of a draft."""
        return draft.packed(keys or self.keys[NAV].ebms)

    def unsigned(self, draft: Draft | None = None) -> Packed:
        """Return a message without signature; its structure is read first."""
        draft = draft or self.draft()
        return msh.pack_user_message(draft.unit, self.payloads(draft), None, token=uuid4().hex)

    def edited(self, *edits: tuple[str, str]) -> Packed:
        """Return an unsigned message in which texts were replaced: structure is judged before the signature."""
        packed = self.unsigned()
        body = packed.body
        for old, new in edits:
            if old.encode() not in body:
                raise NotApplicable(f'Expected "{old}" in the message, found none')
            body = body.replace(old.encode(), new.encode())
        return replace(packed, body=body)

    def plain(self) -> Packed:
        """Return an unsigned message: the frame is judged first."""
        return self.unsigned()

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

    def door(self, to: InstitutionId, path: str = "") -> Door:
        """Return where a node takes messages; another path than that for business messages when one is given."""
        path = path or (OUTBOX_PATH if to == POINT else PUSH_PATH)
        return Door("127.0.0.1", self.state.address(to).port, path, "localhost")

    async def fire(self, shot: Shot) -> Answer:
        """Send and return what came back."""
        context = shot.context or self.context(shot.client)
        request, answer = await self.door(shot.to, shot.path).fire(shot, context)
        self.exchanges.append(Exchange.of(request, answer.head + answer.body))
        return answer

    async def submit(self, shot: Shot) -> Result:
        """Send one thing that is taken in, and wait for what comes back about it later."""
        answer = await self.fire(shot)
        later = f" {await self.callback(shot.message_id)}" if answer.status == 202 else ""
        refused = "" if later == " receipt" else shot.message_id
        return Result(answer.outcome + later, answer.milliseconds, refused)

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
        (brought, *_) = self.boxes[NAV].bodies[about]
        self.exchanges.append(Exchange.of(b"(later, brought by the access point)", brought.body))
        if isinstance(signal, ErrorSignal):
            return " ".join(error.code for error in signal.errors)
        return "receipt"

    async def good_message(self) -> None:
        """Send a good message through the access point to the receiver, and wait for its receipt."""
        packed = self.packed()
        answer = await self.fire(Shot.of(packed))
        expect(
            (answer.status, answer.body) == (202, b""),
            f"Expected 202 for a good message, found {answer.outcome}",
        )
        found = await self.callback(packed.message_id)
        expect(found == "receipt", f"Expected a receipt for a good message, found {found}")

    # Messages that the receiver sends to the attacker.

    async def sent_by_receiver(self) -> Unpacked:
        """Let PL:ZUS01 send a document to NO:NAVAT07; return the message as it arrived."""
        box, control = self.boxes[NAV], self.network.controls[ZUS]
        known = len(box.messages)
        case = await control.open_case(setting().process, [NAV])
        await control.send(case, setting().document)
        await self.until(lambda: len(box.messages) > known)
        arrived = box.messages[-1]
        return msh.unpack(arrived.headers["content-type"], arrived.body)

    async def state_of_sent(self, message_id: str) -> str:
        """State of a message at PL:ZUS01, which sent it."""
        views = await self.views(ZUS)
        return next(v.state for v in views if v.message_id == message_id and v.direction == "out")

    async def again(self, original: Unpacked) -> Unpacked:
        """Wait until a message of the receiver is brought a second time; return it."""
        about = original.message_id.encode()

        def copies() -> list[Request]:
            return [each for each in self.boxes[NAV].messages if about in each.body]

        await self.until(lambda: len(copies()) > 1)
        arrived = copies()[-1]
        return msh.unpack(arrived.headers["content-type"], arrived.body)

    async def restart(self, party: InstitutionId) -> None:
        """End a node as a power cut would, and start it again."""
        await self.network.kill(party)
        await self.network.start(party)
        await self.network.ready(party)

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
        return self.network.pid(party)

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


@asynccontextmanager
async def live_range(place: Path) -> AsyncIterator[Range]:
    """Start the network and end it."""
    definition = _synchronised(_silent(load_definition(folder() / "network.yaml")))
    now = datetime.now(UTC)
    state = establish(
        definition,
        place / "network",
        now=now,
        algorithm=KeyAlgorithm.P_256,
        limits=LIMITS,
    )
    authority = CertificateAuthority.load(state.pki)
    odd = extra_certificates(authority, now)
    _list_them(state, authority, odd, now)
    keys = {InstitutionId(node.party): PartyKeys.load(state.pki / _file(node.party)) for node in state.nodes}
    boxes = {party: Mailbox(keys[party].ebms) for party in (NAV, FK)}
    served = replace(state, nodes=tuple(node for node in state.nodes if node.party in (POINT, ZUS)))
    template = await _specimen(definition)
    async with AsyncExitStack() as stack:
        network = await stack.enter_async_context(ProcessNetwork(served))
        for party, box in boxes.items():
            listener = HttpListener(
                "127.0.0.1", state.address(party).port, identity=state.tls_identity(party), name="localhost"
            )
            await listener.start(box.handle)
            stack.push_async_callback(listener.stop)
        sealed = _sealed(template, keys[NAV].seal)
        yield Range(state, network, template, keys, authority, odd, boxes, sed=sealed)


def _synchronised(definition: NetworkDefinition) -> NetworkDefinition:
    """The network with a central service node of its own, whose messages keep every node's directory."""
    central = CentralServicesNode(CSN, "", name="Central service node of the conformance runner")
    return replace(definition, central=central, synchronised=True)


def _silent(definition: NetworkDefinition) -> NetworkDefinition:
    """The network in which nobody does anything by itself."""
    return replace(
        definition, institutions=tuple(replace(each, behaviours=()) for each in definition.institutions)
    )


async def _specimen(definition: NetworkDefinition) -> Draft:
    """Let NO:NAVAT07 begin a case in a network of its own; return its message."""
    storage = MemoryStorage()
    async with InProcessNetwork(definition, storage=storage) as network:
        node = network.nodes[NAV]
        if not isinstance(node, InstitutionNode):
            raise Unexpected(f"Expected an institution {NAV}, found another node")
        case = await node.open_case(setting().process, (ZUS,))
        await node.send_document(case.id, setting().document)
        query = MessageQuery(direction=Direction.OUT, kind=MessageKind.USER)
        (message,) = await storage.node(NAV).messages(query, with_body=True)
        return Draft.of(message)


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
        replace(each, valid_until=now - timedelta(days=1)) if each.id == BA else each
        for each in repository.institutions
        if each.id != NAV
    )
    snapshot.save(replace(repository, institutions=(entry, *rest)), state.directory_file)
    authority.revoke(odd["revoked"].certificate, now - timedelta(hours=1))
    (state.pki / "ca.crl").write_bytes(authority.crl(now - timedelta(minutes=1)))
