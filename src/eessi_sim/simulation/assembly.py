"""Puts nodes together from their parts; nobody else chooses concrete classes."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Final

from eessi_sim import resources
from eessi_sim.access_point.central import CentralNode
from eessi_sim.access_point.pipeline import Rulebook
from eessi_sim.access_point.service import AccessPoint
from eessi_sim.as4.limits import DEFAULT_LIMITS as AS4_LIMITS
from eessi_sim.as4.limits import As4Limits
from eessi_sim.as4.pmode import ReceptionAwareness
from eessi_sim.attachments import DEFAULT_LIMITS, AttachmentLimits
from eessi_sim.buc.loader import Definitions
from eessi_sim.cdm.catalogue import Catalogue
from eessi_sim.cdm.validation import Validator
from eessi_sim.clock import Clock
from eessi_sim.gateway.station import DEFAULT_QUEUE, Directory, Station
from eessi_sim.identifiers import CdmVersion, IdFactory, InstitutionId
from eessi_sim.institution.node import InstitutionNode
from eessi_sim.institution.office import Library, Office
from eessi_sim.ir import addresses
from eessi_sim.ir.checks import DEFAULT_CHECKS, Checks
from eessi_sim.ir.loader import NetworkDefinition, load_network
from eessi_sim.ir.model import Endpoint, Exchange, Institution
from eessi_sim.ir.repository import InstitutionRepository
from eessi_sim.security.trust import TrustStore
from eessi_sim.simulation.credentials import Credentials, PartyKeys
from eessi_sim.simulation.logs import LoggedStore
from eessi_sim.storage.base import NodeStore, Storage
from eessi_sim.transport.base import Transport

FORWARDING: Final = ReceptionAwareness(retries=160, interval=1, multiplier=3, max_interval=600)
"""An access point tries for nearly 26 hours: longer than the day within which an institution must collect (decision E6
as summarised publicly, documented; the schedule is ours), so that a line may be cut for a day. Then it tells the sender."""
DEFAULT_CDM: Final = CdmVersion("4.4")
OUTBOX_PATH: Final = addresses.BASE_PATH + addresses.OUTBOX
INBOX_PATH: Final = addresses.BASE_PATH + addresses.INBOX
INBOUND_PATH: Final = addresses.BASE_PATH + addresses.INBOUND
PUSH_PATH: Final = addresses.BASE_PATH + addresses.PUSH

Node = InstitutionNode | AccessPoint | CentralNode


def load_definition(file: Path | None = None) -> NetworkDefinition:
    """Read a network file and the institutions it names.

    Institutions beside the network file win over those that ship with the program.

    Args:
        file: the network; the demo network when None.

    Raises:
        DefinitionError: a file is wrong; names file, line and key.
    """
    shipped = resources.institutions()
    if file is None:
        return load_network(shipped / "networks" / "demo.yaml", [shipped])
    return load_network(file, [file.parent, file.parent.parent, shipped])


def parties_of(definition: NetworkDefinition) -> tuple[InstitutionId, ...]:
    """Return the access points, the central service node and the institutions that the simulator plays."""
    played = (institution.id for institution in definition.institutions if not institution.external)
    return (*between(definition), *played)


def between(definition: NetworkDefinition) -> tuple[InstitutionId, ...]:
    """Return the nodes of a network that are no institutions: access points, then the central service node."""
    central = (definition.central.id,) if definition.central else ()
    return (*(point.id for point in definition.access_points), *central)


@dataclass(frozen=True, slots=True)
class Machinery:
    """What all nodes of a process share."""

    library: Library
    clock: Clock
    ids: IdFactory
    storage: Storage
    trust: TrustStore
    directory: Directory
    templates: Path
    """Folder of the institution files; a subfolder per institution may hold documents of its own."""
    pace: float = 1.0
    forwarding: ReceptionAwareness = FORWARDING
    """When the access point tries again to bring a message on."""
    queue: int = DEFAULT_QUEUE
    """User messages that may wait at the access point."""
    attachments: AttachmentLimits = DEFAULT_LIMITS
    """Which attachments the nodes take."""
    logs_steps: bool = False
    """Whether the log repeats what becomes durable in the journal."""
    checks: Checks = DEFAULT_CHECKS
    """Which checks the access points make."""
    synchronised: bool = False
    """Whether every node has a directory of its own, which system messages keep the same as that of the others."""
    worker: str = ""
    """Name of the process among those that play the same nodes."""

    @property
    def limits(self) -> As4Limits:
        """How much of a message the nodes are willing to read: room for the attachments they take."""
        return AS4_LIMITS.allowing(self.attachments.message_bytes)


def load_library(catalogue: Catalogue | None = None) -> Library:
    """Read the SED and process definitions once for the process.

    Args:
        catalogue: the SEDs; those that come with the program when None.
    """
    catalogue = catalogue or Catalogue.default()
    return Library(catalogue, Validator(catalogue), Definitions.default())


def version_of_cases(catalogue: Catalogue) -> CdmVersion:
    """Return the version of the model in which cases are opened: the usual one, else the newest that there is."""
    versions = catalogue.versions()
    return DEFAULT_CDM if DEFAULT_CDM in versions or not versions else versions[-1]


def repository(
    definition: NetworkDefinition,
    credentials: Credentials,
    urls: Mapping[InstitutionId, str],
    hosted: Mapping[InstitutionId, str] = MappingProxyType({}),
) -> InstitutionRepository:
    """Return the directory of a network that has keys and addresses.

    Args:
        definition: the network.
        credentials: its keys.
        urls: base URL of every node.
        hosted: name of the process of those institutions that share one.
    """
    points = tuple(
        replace(
            point,
            outbox=urls[point.id] + OUTBOX_PATH,
            inbox=urls[point.id] + INBOX_PATH,
            inbound=urls[point.id] + INBOUND_PATH,
            certificates=credentials.parties[point.id].certificates,
        )
        for point in definition.access_points
    )
    central = definition.central and replace(
        definition.central,
        channel=urls[definition.central.id] + addresses.BASE_PATH,
        certificates=credentials.parties[definition.central.id].certificates,
    )
    institutions = tuple(
        replace(
            institution,
            endpoint=_endpoint(institution, urls[institution.id] + PUSH_PATH, hosted.get(institution.id)),
            certificates=credentials.parties[institution.id].certificates,
        )
        for institution in definition.institutions
    )
    return InstitutionRepository("4.4.1", institutions, points, central)


def _endpoint(institution: Institution, url: str, host: str | None) -> Endpoint:
    """Return where messages for an institution go; a channel without name is called like who fetches from it.

    Institutions of one process share a channel, as behind a national gateway, so that one of them asks for all.
    """
    if institution.endpoint.exchange is Exchange.PULL:
        return Endpoint(Exchange.PULL, institution.endpoint.channel or host or institution.id, url)
    return Endpoint(Exchange.PUSH, url)


def build_node(party: InstitutionId, keys: PartyKeys, transport: Transport, machinery: Machinery) -> Node:
    """Return the node that plays ``party``: an access point, the central service node or an institution."""
    station = Station(
        party=party,
        keys=keys.ebms,
        clock=machinery.clock,
        ids=machinery.ids,
        store=_store(party, machinery),
        transport=transport,
        directory=_directory(machinery),
        trust=machinery.trust,
        queue=machinery.queue,
        attachments=machinery.attachments,
        limits=machinery.limits,
        spool=machinery.storage.spool,
        worker=machinery.worker,
    )
    library = machinery.library
    current = machinery.directory.current
    if current.find_access_point(party):
        forwarding = replace(station, awareness=machinery.forwarding)
        return AccessPoint(
            forwarding, Rulebook(library.validator, library.processes), library.holdings, machinery.checks
        )
    if current.central is not None and party == current.central.id:
        return CentralNode(station, library.holdings)
    return InstitutionNode(
        Office(
            station,
            keys.seal,
            library,
            version_of_cases(library.catalogue),
            behaviours=current.get(party).behaviours,
            templates=_templates(machinery, party),
            newcomer_gets=current.get(party).newcomer_gets,
            pace=machinery.pace,
        )
    )


def _directory(machinery: Machinery) -> Directory:
    """Return the directory of a node: the one of all, or a copy that goes its own way."""
    shared = machinery.directory
    return Directory(shared.current, shared.keep) if machinery.synchronised else shared


def _templates(machinery: Machinery, party: InstitutionId) -> Path:
    country, code = party.split(":")
    return machinery.templates / country / code


def _store(party: InstitutionId, machinery: Machinery) -> NodeStore:
    store = machinery.storage.node(party)
    return LoggedStore.of(store, party) if machinery.logs_steps else store
