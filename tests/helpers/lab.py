"""A small Europe on one event loop for tests: build it, let it work, take nodes down, look into it."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cache
from typing import Self

from eessi_sim.access_point.service import AccessPoint
from eessi_sim.as4.exchange import wait_after
from eessi_sim.as4.pmode import ReceptionAwareness
from eessi_sim.buc.case import Case, Document
from eessi_sim.clock import ManualClock
from eessi_sim.errors import ConnectFailed
from eessi_sim.gateway.station import Directory
from eessi_sim.identifiers import BucType, InstitutionId, SedType
from eessi_sim.institution.node import InstitutionNode
from eessi_sim.ir.loader import NetworkDefinition
from eessi_sim.ir.model import BehaviourRule, Institution
from eessi_sim.security.pki import KeyAlgorithm
from eessi_sim.simulation.assembly import OUTBOX_PATH, PUSH_PATH, load_definition, parties_of
from eessi_sim.simulation.credentials import Credentials, PartyKeys
from eessi_sim.simulation.inprocess import START, InProcessNetwork
from eessi_sim.storage.base import (
    Direction,
    JournalEntry,
    MessageKind,
    MessageQuery,
    NodeStore,
    Storage,
    StoredMessage,
)
from eessi_sim.storage.memory import MemoryStorage
from eessi_sim.transport.base import Handler, Request, Response

POINT = InstitutionId("EU:APSIM01")
NAV = InstitutionId("NO:NAVAT07")
ZUS = InstitutionId("PL:ZUS01")
FK = InstitutionId("SE:FKSE01")
BA = InstitutionId("DE:BA01")
WUP = InstitutionId("PL:WUP01")
INSS = InstitutionId("ES:INSS01")
DRV = InstitutionId("DE:DRVBUND")
INPS = InstitutionId("IT:INPS01")

LA_BUC_02 = BucType("LA_BUC_02")
P_BUC_01 = BucType("P_BUC_01")
UB_BUC_01 = BucType("UB_BUC_01")
A003 = SedType("A003")
A012 = SedType("A012")


@cache
def demo() -> NetworkDefinition:
    """The network that ships with the program."""
    return load_definition()


@cache
def demo_credentials() -> Credentials:
    """Keys of the demo network, made once; do not revoke anything in them, use ``own_credentials``."""
    return Credentials.make(parties_of(demo()), now=START, algorithm=KeyAlgorithm.P_256)


def own_credentials(**parties: PartyKeys) -> Credentials:
    """Keys that a test may spoil: an authority with a revocation list of its own, some parties replaced.

    Args:
        parties: by the code behind the colon, for example ``NAVAT07``.
    """
    shared = demo_credentials()
    keys = {party: parties.get(party.split(":")[1], known) for party, known in shared.parties.items()}
    return Credentials(replace(shared.authority, revoked={}), keys, shared.made_at)


def changed(definition: NetworkDefinition, party: InstitutionId, **fields: object) -> NetworkDefinition:
    """The network with other entries for one institution."""
    return replace(
        definition,
        institutions=tuple(
            replace(each, **fields) if each.id == party else each  # type: ignore[arg-type] # tests name real fields
            for each in definition.institutions
        ),
    )


def silent(definition: NetworkDefinition) -> NetworkDefinition:
    """The network in which nobody does anything by itself."""
    return replace(
        definition, institutions=tuple(replace(each, behaviours=()) for each in definition.institutions)
    )


def with_rules(party: InstitutionId, *rules: BehaviourRule) -> NetworkDefinition:
    """The network in which only one institution has habits: these."""
    return changed(silent(demo()), party, behaviours=rules)


_LONG = 300
"""Turns of the event loop in which a message gets to its receiver and the receipt comes back."""


@dataclass
class Tap:
    """Sits in front of a node: sees every request, and may answer in its place."""

    node: Handler
    bodies: list[bytes] = field(default_factory=list)
    instead: list[Response] = field(default_factory=list)
    """Answers given without asking the node, one for each of the next requests."""
    answers: list[Response] = field(default_factory=list)
    """Answers given in place of those of the node, after it was asked."""
    lost_answers: int = 0
    """How many of the next answers of the node do not get back to the sender."""
    late_answers: int = 0
    """How many of the next answers come after everything that the request sets off."""
    only: bytes = b""
    """Text in a request that is disturbed; all of them by default."""

    async def handle(self, request: Request) -> Response:
        self.bodies.append(request.body)
        if self.only not in request.body:
            return await self.node(request)
        if self.instead:
            return self.instead.pop(0)
        answer = await self.node(request)
        if self.late_answers:
            self.late_answers -= 1
            for _ in range(_LONG):
                await asyncio.sleep(0)
        if self.lost_answers:
            self.lost_answers -= 1
            raise ConnectFailed("Expected an answer, found the connection broken")
        return self.answers.pop(0) if self.answers else answer


@dataclass(frozen=True)
class Lab:
    """A network under test and its store."""

    network: InProcessNetwork
    storage: Storage

    @classmethod
    def build(
        cls,
        definition: NetworkDefinition | None = None,
        *,
        storage: Storage | None = None,
        credentials: Credentials | None = None,
        seed: int = 7,
        pace: float = 1.0,
    ) -> "Lab":
        """Return a network that is not started yet; nobody in it acts by itself unless told otherwise."""
        storage = storage or MemoryStorage()
        network = InProcessNetwork(
            definition or silent(demo()),
            seed=seed,
            storage=storage,
            credentials=credentials or demo_credentials(),
            pace=pace,
            forwarding=ReceptionAwareness(),
        )
        return cls(network, storage)

    async def __aenter__(self) -> Self:
        await self.network.__aenter__()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.network.__aexit__(*exc)

    # Who is there.

    @property
    def clock(self) -> ManualClock:
        return self.network.clock

    @property
    def directory(self) -> Directory:
        """The one directory that all nodes look into."""
        return self.point.station.directory

    @property
    def point(self) -> AccessPoint:
        node = self.network.nodes[POINT]
        assert isinstance(node, AccessPoint)
        return node

    def node(self, party: InstitutionId) -> InstitutionNode:
        node = self.network.nodes[party]
        assert isinstance(node, InstitutionNode)
        return node

    def keys(self, party: InstitutionId) -> PartyKeys:
        return self.network.credentials.parties[party]

    def store(self, party: InstitutionId) -> NodeStore:
        return self.storage.node(party)

    def enlist(self, institution: Institution) -> None:
        """Put another entry into the directory, as a new version of it would."""
        old = self.directory.current
        others = (each for each in old.institutions if each.id != institution.id)
        self.directory.current = replace(old, institutions=(*others, institution))

    def unlist(self, party: InstitutionId) -> None:
        """Take an institution out of the directory."""
        old = self.directory.current
        rest = tuple(each for each in old.institutions if each.id != party)
        self.directory.current = replace(old, institutions=rest)

    # The wire.

    def endpoint(self, party: InstitutionId) -> str:
        """Where others push to: the outbox of the access point, the entrance of an institution."""
        if party == POINT:
            return self.directory.current.access_points[0].outbox
        return self.directory.current.get(party).endpoint.channel

    def _base(self, party: InstitutionId) -> str:
        return self.endpoint(party).removesuffix(PUSH_PATH).removesuffix(OUTBOX_PATH)

    def take_down(self, party: InstitutionId) -> None:
        """Let nobody reach the node; it goes on working."""
        self.network.switchboard.take_down(self._base(party))

    def bring_up(self, party: InstitutionId) -> None:
        self.network.switchboard.bring_up(self._base(party))

    async def post(
        self,
        to: InstitutionId,
        body: bytes,
        *,
        content_type: str,
        client: bytes | None,
        method: str = "POST",
    ) -> Response:
        """Send a request to a node with any TLS certificate (DER), or none."""
        transport = self.network.switchboard.transport(client)
        return await transport.send(
            self.endpoint(to), body, headers={"content-type": content_type}, within=60, method=method
        )

    async def tap(self, party: InstitutionId) -> Tap:
        """Look at the wire in front of a node."""
        tap = Tap(lambda request: self.network.nodes[party].handle(request))  # noqa: PLW0108 - may restart
        await self.network.switchboard.listener(self.endpoint(party)).start(tap.handle)
        return tap

    # Time.

    async def work(self, seconds: float = 0) -> None:
        """Let everything happen that can happen within so many seconds on the clock of the network."""
        end = self.clock.now() + timedelta(seconds=seconds)
        await self.network.quiet()
        while (wake := self.clock.next_wake()) is not None and wake <= end:
            self.clock.advance(max(wake - self.clock.now(), timedelta(0)))
            await self.network.quiet()
        self.clock.advance(max(end - self.clock.now(), timedelta(0)))

    def patience(self, party: InstitutionId) -> float:
        """Seconds after which a node has given up a message that it cannot bring."""
        station = self.point.station if party == POINT else self.node(party).office.station
        attempts = range(1, station.awareness.retries + 2)
        return sum(
            (wait_after(station.awareness, number) for number in attempts), timedelta()
        ).total_seconds()

    # Doing.

    async def open(
        self,
        sed: SedType = A003,
        *,
        owner: InstitutionId = NAV,
        others: Iterable[InstitutionId] = (ZUS,),
        buc: BucType = LA_BUC_02,
    ) -> Case:
        """Open a case, send its first document and let the network work until nothing can happen at once."""
        node = self.node(owner)
        case = await node.open_case(buc, tuple(others))
        await node.send_document(case.id, sed)
        await self.network.quiet()
        return await node.case(case.id)

    async def reply(self, party: InstitutionId, sed: SedType, to: SedType | None = None) -> Case:
        """Send a document in the only case of ``party``, as reply to its document of type ``to`` if given."""
        case = await self.case(party)
        parent = (await self.document(party, to)).id if to else None
        await self.node(party).send_document(case.id, sed, parent_id=parent)
        await self.network.quiet()
        return await self.case(party)

    # Looking.

    async def case(self, party: InstitutionId) -> Case:
        """The only case of an institution."""
        (case,) = await self.store(party).cases()
        return case

    async def document(self, party: InstitutionId, sed: SedType) -> Document:
        """The only document of this type in the only case."""
        (document,) = (each for each in (await self.case(party)).documents if each.type == sed)
        return document

    async def types(self, party: InstitutionId) -> list[str]:
        """The documents in the only case, by type, in the order in which it learned of them."""
        return [str(each.type) for each in (await self.case(party)).documents]

    async def delivery(self, party: InstitutionId, sed: SedType = A003) -> str:
        """What became of the only delivery of the only document of this type."""
        (delivery,) = (await self.document(party, sed)).versions[-1].deliveries
        return str(delivery.status)

    async def messages(
        self, party: InstitutionId, direction: Direction, kind: MessageKind = MessageKind.USER
    ) -> tuple[StoredMessage, ...]:
        """Messages of a node with their bytes, oldest first."""
        query = MessageQuery(direction=direction, kind=kind)
        return tuple(reversed(await self.store(party).messages(query, with_body=True)))

    async def sent(self, party: InstitutionId, kind: MessageKind = MessageKind.USER) -> StoredMessage:
        """The only message of this kind that a node has sent or will send."""
        (message,) = await self.messages(party, Direction.OUT, kind)
        return message

    async def received(self, party: InstitutionId, kind: MessageKind = MessageKind.USER) -> StoredMessage:
        """The only message of this kind that a node has taken in."""
        (message,) = await self.messages(party, Direction.IN, kind)
        return message

    async def journal(self, party: InstitutionId | None = None) -> tuple[JournalEntry, ...]:
        """All lines of the journal, of one node or of all."""
        reader = self.storage if party is None else self.store(party)
        return await reader.journal(limit=100_000)

    async def steps(self, party: InstitutionId) -> list[tuple[str, str]]:
        """Step and outcome of every line in the journal of a node."""
        return [(entry.step, entry.outcome) for entry in await self.journal(party)]

    async def reasons(self, party: InstitutionId) -> str:
        """All reasons in the journal of a node."""
        return "\n".join(
            entry.detail["reason"] for entry in await self.journal(party) if "reason" in entry.detail
        )
