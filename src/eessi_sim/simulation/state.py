"""What the processes of one network share: a folder with the keys, the directory and the addresses of all nodes.

``network.json`` says where everybody is, and names the token that the interface for managing a node asks for; it stays
when the network stops, so that it can be taken up again. Only the owner of the folder can read it.
"""

import contextlib
import os
import secrets
import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from pathlib import Path
from random import SystemRandom
from typing import Final

import msgspec

from eessi_sim.attachments import DEFAULT_LIMITS, AttachmentLimits
from eessi_sim.cdm.catalogue import Catalogue
from eessi_sim.errors import EnvironmentProblem
from eessi_sim.gateway.station import DEFAULT_QUEUE
from eessi_sim.identifiers import InstitutionId
from eessi_sim.ir import snapshot
from eessi_sim.ir.checks import DEFAULT_CHECKS, Checks
from eessi_sim.ir.loader import NetworkDefinition
from eessi_sim.ir.model import KEEP_ALL, Keeping
from eessi_sim.security.pki import KeyAlgorithm
from eessi_sim.simulation.assembly import FORWARDING, between, parties_of, repository
from eessi_sim.simulation.credentials import Credentials, file_name
from eessi_sim.storage.registry import url_of
from eessi_sim.transport.base import TlsIdentity

LOOPBACK: Final = "127.0.0.1"
HOSTED_FROM: Final = 20
"""Institutions up to which each has a process of its own when nobody says otherwise (our choice, inferred)."""
_PER_HOST: Final = 500
"""Institutions for which one more process is worth its memory, as long as there are processors."""
_FILE: Final = "network.json"
_NUMBER: Final = "."
"""Stands before the number of a process, when it is not the first of those that play the same."""
_LISTENING: Final = range(10_240, 32_768)
"""Ports for listeners: above those of well-known services, below those that systems give to connections."""


@dataclass(frozen=True, slots=True)
class NodeAddress:
    """Where one node listens."""

    party: str
    port: int
    """AS4 over mutual TLS."""
    manage_port: int
    """Interface for managing the node, plain HTTP on loopback with a token."""
    host: str = ""
    """Process that plays the node together with others, all at the same ports; empty for one of its own."""
    workers: tuple[int, ...] = ()
    """Where each of several processes that play the node together is managed by itself; they share the other ports."""

    def of_worker(self, number: int) -> "NodeAddress":
        """Return the address at which only one of the processes that play the node is managed, counted from 1."""
        return replace(self, manage_port=self.workers[number - 1], workers=()) if self.workers else self

    @property
    def each(self) -> tuple["NodeAddress", ...]:
        """The address of every process that plays the node."""
        return tuple(self.of_worker(number) for number in range(1, max(len(self.workers), 1) + 1))

    @property
    def player(self) -> str:
        """Name of the process that plays the node."""
        return self.host or self.party

    @property
    def step(self) -> str:
        """What tells the node from others at the same ports: the first step of its paths, with its slash."""
        return f"/{InstitutionId(self.party).file_name}" if self.host else ""

    @property
    def as4(self) -> str:
        """Base of its addresses for AS4."""
        return f"https://localhost:{self.port}{self.step}"

    @property
    def manage(self) -> str:
        """Base of its interface for managing."""
        return f"http://{LOOPBACK}:{self.manage_port}{self.step}/manage"


@dataclass(frozen=True, slots=True)
class Sharing:
    """How many processes play what, and where they keep it; one each, and a file for each, by default."""

    access_points: int = 1
    """Processes that play an access point together."""
    institutions: int = 1
    """Processes that play an institution, or a host of institutions, together."""
    storage: str = ""
    """URL of one store for all nodes; empty for a file of its own for each."""


@dataclass(frozen=True, slots=True)
class NodeLimits:
    """How much the nodes put up with; what is not here has one value for all."""

    read_seconds: float = 60.0
    """Longest silence of a sender."""
    requests_per_client: int = 128
    """Requests with one TLS certificate at the same time."""
    queue: int = DEFAULT_QUEUE
    """User messages that wait at the access point; one more is answered EBMS:0021."""
    forwarding_retries: int = FORWARDING.retries
    """How often the access point tries again to bring a message on."""
    attachments: AttachmentLimits = DEFAULT_LIMITS
    """Which attachments they take; ``establish`` writes what the network file says."""
    keeping: Keeping = KEEP_ALL
    """How long they keep what is finished; also from the network file."""


@dataclass(frozen=True, slots=True)
class NetworkState:
    """Everything a process needs to know to play its part."""

    folder: str
    title: str
    started_at: datetime
    access_points: tuple[str, ...]
    """Ids of the access points."""
    token: str
    pace: float
    nodes: tuple[NodeAddress, ...]
    cdm: tuple[str, ...] = ()
    """Folders of the SED definitions; those that come with the program when there are none."""
    limits: NodeLimits = NodeLimits()
    checks: Checks = DEFAULT_CHECKS
    """Which checks the access points make."""
    central: str | None = None
    """Id of the central service node; None when the one access point is it too."""
    synchronised: bool = False
    """Whether every node has a directory of its own, which system messages keep the same as that of the others."""
    storage: str = ""
    """URL of the store that all nodes share; empty when each has a file of its own."""

    @property
    def institutions(self) -> tuple[InstitutionId, ...]:
        """The institutions that the network plays."""
        others = {*self.access_points, self.central}
        return tuple(InstitutionId(node.party) for node in self.nodes if node.party not in others)

    @property
    def path(self) -> Path:
        """The folder."""
        return Path(self.folder)

    @property
    def catalogue(self) -> Catalogue:
        """The SED definitions that all nodes use."""
        return Catalogue([Path(each) for each in self.cdm]) if self.cdm else Catalogue.default()

    @property
    def directory_file(self) -> Path:
        """Snapshot of the Institution Repository."""
        return self.path / "directory.json"

    @property
    def source(self) -> str:
        """Id of the node from which the others learn of a newer directory."""
        return self.central or self.access_points[0]

    def directory_of(self, party: InstitutionId) -> Path:
        """Return the snapshot that ``party`` goes by: its own in a network that is synchronised by messages."""
        if not self.synchronised or party == self.source:
            return self.directory_file
        return self.path / "nodes" / f"{party.file_name}.directory.json"

    @property
    def pki(self) -> Path:
        """Folder of the keys."""
        return self.path / "pki"

    def address(self, party: str) -> NodeAddress:
        """Return where ``party`` listens.

        Raises:
            EnvironmentProblem: the network has no such node.
        """
        for node in self.nodes:
            if node.party == party:
                return node
        known = ", ".join(node.party for node in self.nodes)
        raise EnvironmentProblem(
            f'Expected a node of the network in "{self.folder}", found "{party}"', hint=f"It has {known}."
        )

    @property
    def players(self) -> tuple[str, ...]:
        """The processes of the network, each once: hosts by their name, a node that has its own by its party."""
        return tuple(dict.fromkeys(node.player for node in self.nodes))

    @property
    def processes(self) -> tuple[str, ...]:
        """The processes of the network, those included that play the same: ``EU:APSIM01``, ``EU:APSIM01.2``."""
        each = {node.player: range(2, len(node.workers) + 1) for node in self.nodes}
        return tuple(
            name
            for player, more in each.items()
            for name in (player, *(f"{player}{_NUMBER}{number}" for number in more))
        )

    def played_by(self, process: str) -> tuple[NodeAddress, ...]:
        """Return the nodes that one process plays, at least one, and where it is managed itself.

        Raises:
            EnvironmentProblem: the network has no such process.
        """
        if process not in self.processes:
            raise EnvironmentProblem(
                f'Expected a process of the network in "{self.folder}", found "{process}"',
                hint=f"It has {', '.join(self.processes)}.",
            )
        player, number = _player_of(process), worker_of(process)
        return tuple(node.of_worker(int(number)) for node in self.nodes if node.player == player)

    def has_peers(self, process: str) -> bool:
        """Return whether other processes play the same."""
        return bool(self.address(self.played_by(process)[0].party).workers)

    def tls_identity(self, process: str) -> TlsIdentity:
        """Return the files with which a process proves itself."""
        folder = self.pki / file_name(_player_of(process))
        return TlsIdentity(folder / "tls.pem", folder / "tls.key", self.pki / "ca.pem")

    def database(self, process: str) -> Path:
        """Return the file in which a process keeps what it has, when there is no store for all."""
        return self.path / "nodes" / f"{file_name(_player_of(process))}.sqlite"

    def store_of(self, process: str) -> str:
        """Return the URL of the store of a process."""
        return self.storage or url_of(self.database(process))

    def log(self, process: str) -> Path:
        """Return the log of a process."""
        return self.path / "nodes" / f"{file_name(process)}.log"


def _player_of(process: str) -> str:
    return process.partition(_NUMBER)[0]


def worker_of(process: str) -> str:
    """Return the number of a process among those that play the same, as a text."""
    return process.partition(_NUMBER)[2] or "1"


def establish(  # noqa: PLR0913 - each is a choice of its own
    definition: NetworkDefinition,
    folder: Path,
    *,
    now: datetime,
    algorithm: KeyAlgorithm = KeyAlgorithm.RSA_2048,
    base_port: int = 0,
    pace: float = 1.0,
    cdm: Sequence[Path] = (),
    limits: NodeLimits = NodeLimits(),
    hosts: int = 0,
    sharing: Sharing = Sharing(),
) -> NetworkState:
    """Make keys, directory and addresses of a network and write them below ``folder``.

    Args:
        definition: the network.
        folder: made when absent; must be empty, because it becomes private.
        now: time on the clock of the network.
        algorithm: kind of keys.
        base_port: first port; the nodes take two each from there on. 0 lets the system choose.
        pace: factor on the delays of all behaviours.
        cdm: folders of the SED definitions; those that come with the program when there are none.
        limits: how much the nodes put up with.
        hosts: how many processes share the institutions; 0 gives each one of its own.
        sharing: how many processes play the same, and whether all keep their state in one store.

    Raises:
        EnvironmentProblem: the folder cannot be written or holds something else, or a port is taken.
    """
    if hosts and definition.synchronised:
        raise EnvironmentProblem(
            "Expected a process for each node, because each keeps a directory of its own, found hosts",
            hint="Leave out --hosts, or the synchronisation in the network file.",
        )
    parties = parties_of(definition)
    hosted = _hosted([party for party in parties if party not in between(definition)], hosts)
    players = tuple(dict.fromkeys(hosted.get(party, party) for party in parties))
    points = {point.id for point in definition.access_points}
    numbers = [sharing.access_points if player in points else sharing.institutions for player in players]
    more = [number if number > 1 else 0 for number in numbers]
    ports = _ports(2 * len(players) + sum(more), base_port)
    places = dict(zip(players, zip(ports[: 2 * len(players) : 2], ports[1::2], strict=False), strict=True))
    rest = iter(ports[2 * len(players) :])
    workers = {player: tuple(islice(rest, number)) for player, number in zip(players, more, strict=True)}
    _prepare(folder)
    nodes = tuple(
        NodeAddress(party, *places[player], hosted.get(party, ""), workers[player])
        for party, player in ((party, hosted.get(party, party)) for party in parties)
    )
    credentials = Credentials.make(parties, now=now, algorithm=algorithm, hosted=hosted)
    credentials.save(folder / "pki")
    urls = {InstitutionId(node.party): node.as4 for node in nodes}
    state = NetworkState(
        str(folder.resolve()),
        definition.title,
        now,
        tuple(point.id for point in definition.access_points),
        secrets.token_urlsafe(24),
        pace,
        nodes,
        tuple(str(each.resolve()) for each in cdm),
        replace(limits, attachments=definition.attachments, keeping=definition.keeping),
        definition.checks,
        definition.central.id if definition.central else None,
        definition.synchronised,
        sharing.storage,
    )
    snapshot.save(repository(definition, credentials, urls, hosted), state.directory_file)
    _write(state)
    return state


def hosts_for(institutions: int) -> int:
    """Return how many processes share so many institutions on this machine; 0 when each has its own."""
    if institutions <= HOSTED_FROM:
        return 0
    beside_the_access_point = (os.cpu_count() or 1) - 1
    return max(1, min(beside_the_access_point, institutions // _PER_HOST))


def _hosted(institutions: Sequence[InstitutionId], hosts: int) -> dict[InstitutionId, str]:
    """Return which process plays which institution, in turn; the nodes between them have one of their own."""
    return {party: f"host-{number % hosts + 1}" for number, party in enumerate(institutions)} if hosts else {}


def load_state(folder: Path) -> NetworkState:
    """Read where the nodes of a network are.

    Raises:
        EnvironmentProblem: no network was established there.
    """
    try:
        return msgspec.json.decode((folder / _FILE).read_bytes(), type=NetworkState)
    except OSError as error:
        raise EnvironmentProblem(
            f'Expected a network in "{folder}", found none',
            hint="Start one with: eessi-sim run",
        ) from error
    except msgspec.MsgspecError as error:
        raise EnvironmentProblem(
            f'Expected the description of a network in "{folder / _FILE}", found: {error}',
            hint="Remove the folder and start the network again.",
        ) from error


def _prepare(folder: Path) -> None:
    """Make the folder of a network; only its owner may look into it."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise EnvironmentProblem(
                f'Expected an empty folder for the network, found files in "{folder}"',
                hint="Choose another one with --state, or remove what is in it.",
            )
        folder.chmod(0o700)
        (folder / "nodes").mkdir()
    except OSError as error:
        raise EnvironmentProblem(
            f'Expected a folder that can be written, found "{folder}": {error.strerror}',
            hint="Choose another one with --state, or change its permissions.",
        ) from error


def _write(state: NetworkState) -> None:
    path = state.path / _FILE
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(state, enc_hook=str), indent=2))


def _ports(number: int, base: int) -> list[int]:
    """Return free ports: ``base`` and the following ones, or any when ``base`` is 0."""
    held: list[socket.socket] = []
    try:
        if base:
            for port in range(base, base + number):
                held.append(_bind(port))  # noqa: PERF401 - those bound so far must be closed when one fails
        else:
            held.extend(islice(_free(), number))
        return [holder.getsockname()[1] for holder in held]
    finally:
        for holder in held:
            holder.close()


def _free() -> Iterator[socket.socket]:
    """Yield sockets bound to ports that nobody uses, in no order.

    The system itself would choose among those it also gives to connections; a node that is started again could then
    find its port taken by a connection.
    """
    for port in SystemRandom().sample(_LISTENING, len(_LISTENING)):
        with contextlib.suppress(EnvironmentProblem):
            yield _bind(port)


def _bind(port: int) -> socket.socket:
    holder = socket.socket()
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        holder.bind((LOOPBACK, port))
    except OSError as error:
        holder.close()
        raise EnvironmentProblem(
            f"Expected port {port} to be free, found it taken", hint="Choose another one with --port."
        ) from error
    return holder
