"""What system messages make a node do: install the directory, give it on, answer who asks.

The installation is all or nothing and happens beside the event loop, since a directory of the real size takes
longer than a sender waits for its answer (observed). What cannot be installed leaves the old directory in force.
"""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from eessi_sim import sbdh
from eessi_sim.as4 import msh, vocabulary
from eessi_sim.as4.exchange import InboundState
from eessi_sim.as4.model import CollaborationInfo, MessageInfo, Party, RoutingInput, UserMessage
from eessi_sim.errors import DefinitionError, EessiSimError
from eessi_sim.gateway.records import outgoing
from eessi_sim.gateway.station import Station
from eessi_sim.identifiers import CdmVersion, InstitutionId
from eessi_sim.ir import importing, syn_writing
from eessi_sim.ir.endpoints import strange_addresses
from eessi_sim.ir.importing import Surroundings, version_key
from eessi_sim.ir.model import Exchange
from eessi_sim.ir.repository import InstitutionRepository
from eessi_sim.ir.syn_writing import Addressing
from eessi_sim.ir.vocabulary import system_address
from eessi_sim.storage.base import Direction, MessageKind, StoredMessage, UnitOfWork
from eessi_sim.synchronisation import documents
from eessi_sim.synchronisation.desk import SYSTEM_TYPE
from eessi_sim.synchronisation.documents import DIRECTORY, DIRECTORY_REQUEST, MODEL_VERSIONS

_SHOWN: Final = 3
"""How many addresses that are not believed one sentence names."""


@dataclass(frozen=True, slots=True)
class Holdings:
    """What a node has besides the directory.

    Args:
        schemas: folder of the definitions that come with the program.
        models: versions of the data model that it holds.
    """

    schemas: Path
    models: tuple[CdmVersion, ...]


class Synchroniser:
    """Processes system messages of one node, and sends its own.

    Args:
        station: identity and seams of the node.
        holdings: schemas and data models.
        wake: called when something was queued to be sent.
    """

    def __init__(self, station: Station, holdings: Holdings, wake: Callable[[], None]) -> None:
        self._station = station
        self._holdings = holdings
        self._wake = wake
        self._installing = asyncio.Lock()
        """One at a time: of two versions that come together the newer one stays."""
        self._written: tuple[InstitutionRepository, bytes] | None = None
        """The last directory that was given, and its octets."""

    async def process(self, message: StoredMessage) -> None:
        """Do what a system message asks for, and store that it is done; a repetition does no harm."""
        kind = message.details[SYSTEM_TYPE]
        work = UnitOfWork()
        try:
            document = documents.read(self._station.unpack(message).parts[0])
            if kind == DIRECTORY.type:
                async with self._installing:
                    await self._install(message, work)
            elif kind == DIRECTORY_REQUEST.type:
                documents.check(document.sed, DIRECTORY_REQUEST, self._holdings.schemas)
                asked = documents.asked_version(document.sed)
                await self._give(InstitutionId(message.sender), work, has=asked)
            elif kind == MODEL_VERSIONS.type:
                documents.check(document.sed, MODEL_VERSIONS, self._holdings.schemas)
                await self._versions(message, document, work)
            else:
                raise DefinitionError(
                    f"Expected a message about the directory, found {kind}, which this simulator does not act on",
                    hint="Give packages of the data model by --cdm.",
                )
        except EessiSimError as error:
            await self._refuse(message, error)
            return
        work.update_message(Direction.IN, message.message_id, state=InboundState.DELIVERED)
        await self._station.store.commit(work)
        self._wake()

    async def publish(self) -> int:
        """Queue a SYN001 for every node below this one that takes messages; return how many there are."""
        receivers = self._below()
        work = UnitOfWork()
        for receiver in receivers:
            await self._give(receiver, work)
        await self._station.store.commit(work)
        self._wake()
        return len(receivers)

    async def ask(self, version: str | None = None) -> None:
        """Queue a SYN002 to the own access point.

        Args:
            version: what to say that we have; the installed one when None.
        """
        station = self._station
        point = station.directory.current.access_point_of(station.party)
        asked = version or station.directory.current.version
        work = UnitOfWork()
        content = documents.directory_request(asked, self._addressing(point.id), station.party)
        await self._queue(work, point.id, system_address(point.outbox), DIRECTORY_REQUEST.type, content)
        await station.store.commit(work)
        self._wake()

    async def ask_versions(self) -> int:
        """Queue a SYN005 to every access point, as the central service node does; return how many there are."""
        station = self._station
        points = station.directory.current.access_points
        work = UnitOfWork()
        for point in points:
            content = documents.versions_request(self._addressing(point.id), station.party)
            await self._queue(work, point.id, system_address(point.inbound), MODEL_VERSIONS.type, content)
        await station.store.commit(work)
        self._wake()
        return len(points)

    async def _install(self, message: StoredMessage, work: UnitOfWork) -> None:
        """Install a SYN001 unless it says what is installed already, and give a newer one on.

        Raises:
            DefinitionError: it cannot be installed; the old directory stays.
        """
        station, installed = self._station, self._station.directory.current
        content = documents.content_of(station.unpack(message).parts[0])
        around = Surroundings(self._holdings.schemas, station.clock.now(), installed)
        new = await asyncio.to_thread(importing.read, content, f"message {message.message_id}", around)
        strange = strange_addresses(new, installed)
        if strange:
            raise DefinitionError(
                "; ".join(strange[:_SHOWN]),
                hint="A directory that arrives names https addresses of public hosts, or those that are installed.",
            )
        if version_key(new.version) == version_key(station.directory.current.version):
            outcome = "unchanged"
        else:
            outcome = "installed"
            await station.directory.install(new)
        work.journal(station.note("directory", outcome, message_id=message.message_id, version=new.version))
        # Also what is unchanged: a crash after the installation must not keep it from those below.
        for receiver in self._below():
            await self._give(receiver, work)

    async def _versions(
        self, message: StoredMessage, document: sbdh.StandardBusinessDocument, work: UnitOfWork
    ) -> None:
        """Answer a SYN005 that asks with one that reports; note what one reports."""
        station = self._station
        if not documents.is_question(document.sed):
            versions = " ".join(documents.reported_versions(document.sed))
            work.journal(
                station.note(
                    "data-models",
                    "reported",
                    message_id=message.message_id,
                    by=message.sender,
                    versions=versions,
                )
            )
            return
        central = station.directory.current.central
        if central is not None and central.id == message.sender:
            content = documents.versions_report(
                self._holdings.models, self._addressing(central.id), station.party
            )
            await self._queue(work, central.id, central.channel, MODEL_VERSIONS.type, content)

    async def _give(self, receiver: InstitutionId, work: UnitOfWork, *, has: str | None = None) -> None:
        """Queue the directory in force for somebody below; ``has`` is the version that it said to have."""
        station = self._station
        current = station.directory.current
        to = self._addressing(receiver)
        content = syn_writing.enveloped(current, to, await self._body_of(current))
        await self._queue(work, receiver, self._address_of(receiver), DIRECTORY.type, content)
        if has is not None:
            work.journal(station.note("directory", "asked", by=receiver, has=has))
        work.journal(station.note("directory", "given", to=receiver, version=current.version))

    async def _body_of(self, current: InstitutionRepository) -> bytes:
        """Return a directory as SYN001, written once for all who get it."""
        if self._written is None or self._written[0] is not current:
            sed = await asyncio.to_thread(syn_writing.body, current, extended=True)
            self._written = current, sed
        return self._written[1]

    def _addressing(self, receiver: InstitutionId) -> Addressing:
        station = self._station
        return Addressing(receiver, station.clock.now(), station.ids, station.party)

    async def _queue(
        self, work: UnitOfWork, receiver: InstitutionId, endpoint: str | None, kind: str, content: bytes
    ) -> None:
        """Add a signed system message to the queue."""
        station = self._station
        stamp = station.stamp()
        unit = UserMessage(
            MessageInfo(stamp.message_id, stamp.timestamp),
            self._party(station.party),
            self._party(receiver),
            CollaborationInfo(conversation_id=station.ids.uuid(), service=vocabulary.SYSTEM_SERVICE),
        )
        name = f"{kind.lower()}-{stamp.token[:8]}@{station.party.domain}"
        payload = await asyncio.to_thread(msh.compressed_payload, name, content, "application/xml", "SED")
        packed = msh.pack_user_message(unit, [payload], station.keys, token=stamp.token, multihop=False)
        work.add_message(
            outgoing(
                packed,
                kind=MessageKind.USER,
                way=RoutingInput.of(unit),
                endpoint=endpoint,
                at=station.clock.now(),
                details={SYSTEM_TYPE: kind},
            )
        )

    def _party(self, party: InstitutionId) -> Party:
        current = self._station.directory.current
        if current.find_access_point(party):
            return Party(party, role=vocabulary.ACCESS_POINT_ROLE)
        if current.central is not None and current.central.id == party:
            return Party(party, role=vocabulary.CSN_ROLE)
        return Party(party)

    def _below(self) -> tuple[InstitutionId, ...]:
        """Return who learns from this node: access points from the central node, institutions from their access point.

        An institution that pulls asks for the directory itself; nothing can be pushed to it.
        """
        current, party = self._station.directory.current, self._station.party
        if current.central is not None and current.central.id == party:
            return tuple(point.id for point in current.access_points)
        point = current.find_access_point(party)
        return tuple(self._pushed(point.linked)) if point else ()

    def _pushed(self, linked: Iterable[InstitutionId]) -> Iterable[InstitutionId]:
        current = self._station.directory.current
        for party in linked:
            entry = current.find(party, self._station.clock.now())
            if entry is not None and not entry.external and entry.endpoint.exchange is Exchange.PUSH:
                yield party

    def _address_of(self, receiver: InstitutionId) -> str | None:
        current: InstitutionRepository = self._station.directory.current
        point = current.find_access_point(receiver)
        if point is not None:
            return system_address(point.inbound)
        endpoint = current.get(receiver).endpoint
        return (
            system_address(endpoint.channel if endpoint.exchange is Exchange.PUSH else endpoint.inner) or None
        )

    async def _refuse(self, message: StoredMessage, error: EessiSimError) -> None:
        """Keep a message that cannot be acted on as a dead letter; what was in force stays."""
        station = self._station
        work = UnitOfWork()
        work.update_message(
            Direction.IN,
            message.message_id,
            state=InboundState.REJECTED,
            last_error=f"{error.code}: {error.message}",
        )
        work.journal(
            station.note("directory", "refused", message_id=message.message_id, reason=error.message)
        )
        await station.store.commit(work)
