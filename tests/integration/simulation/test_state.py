"""The folder that the processes of a network share: what is in it, who may read it, what can go wrong."""

import socket
import stat
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.helpers.packages import write_package
from tests.helpers.process_networks import NORWAY, POINT, POLAND, small_definition, small_network

from eessi_sim.cdm.catalogue import Catalogue
from eessi_sim.errors import EnvironmentProblem
from eessi_sim.ir import snapshot
from eessi_sim.security.keys import Purpose
from eessi_sim.security.pki import KeyAlgorithm
from eessi_sim.simulation.credentials import PartyKeys, load_trust
from eessi_sim.simulation.state import LOOPBACK, NetworkState, establish, load_state

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


@pytest.fixture
def state(tmp_path: Path) -> NetworkState:
    """A network as established."""
    return small_network(tmp_path)


@pytest.fixture
def taken() -> Iterator[int]:
    """A port at which somebody else listens."""
    with socket.socket() as holder:
        holder.bind((LOOPBACK, 0))
        holder.listen()
        yield holder.getsockname()[1]


def network(folder: Path, definition_in: Path, base_port: int = 0) -> NetworkState:
    """Establish the small network in any folder."""
    definition = small_definition(definition_in)
    return establish(definition, folder, now=NOW, algorithm=KeyAlgorithm.P_256, base_port=base_port)


def test_nodes_use_the_definitions_that_the_network_began_with(tmp_path: Path) -> None:
    """The folders of the definitions are kept with the network; without any, ours are used."""
    package = write_package(tmp_path / "package")
    definition = small_definition(tmp_path)
    state = establish(definition, tmp_path / "own", now=NOW, algorithm=KeyAlgorithm.P_256, cdm=[package])
    assert load_state(state.path).catalogue.folders == (package.resolve(),)
    assert network(tmp_path / "other", tmp_path).catalogue is Catalogue.default()


def six_free_ports() -> int:
    """The first of six ports in a row that nobody uses."""
    for base in range(20_000, 30_000, 6):
        with ExitStack() as stack, suppress(OSError):
            for port in range(base, base + 6):
                stack.enter_context(socket.socket()).bind((LOOPBACK, port))
            return base
    raise AssertionError("no six ports in a row are free")


def mode(path: Path) -> int:
    """Permission bits of a file or folder."""
    return stat.S_IMODE(path.stat().st_mode)


def test_state_is_read_as_it_was_written(state: NetworkState) -> None:
    """Whoever loads the folder knows what the one who established it knows."""
    assert load_state(state.path) == state


def test_only_the_owner_can_look_into_the_folder(state: NetworkState) -> None:
    """The folder of a network belongs to its owner alone, and so does the file with the token."""
    assert (mode(state.path), mode(state.path / "network.json")) == (0o700, 0o600)


def test_private_keys_can_be_read_by_their_owner_only(state: NetworkState) -> None:
    """Every private key below the folder, that of the authority included, is closed to others."""
    keys = sorted(state.pki.rglob("*.key"))
    assert len(keys) == 1 + 3 * len(state.nodes)
    assert {mode(path) for path in keys} == {0o600}


def test_token_differs_from_network_to_network(state: NetworkState, tmp_path: Path) -> None:
    """The token of one network opens no other."""
    assert state.token != network(tmp_path / "other", tmp_path).token


def test_every_node_has_two_ports_of_its_own(state: NetworkState) -> None:
    """No two nodes share a port, and the access point comes first."""
    ports = [port for node in state.nodes for port in (node.port, node.manage_port)]
    assert len(set(ports)) == 6
    assert [node.party for node in state.nodes] == [POINT, NORWAY, POLAND]


def test_ports_lie_outside_those_that_connections_get(state: NetworkState) -> None:
    """A node that is started again finds its port free: no connection was given it in the meantime."""
    assert all(10_240 <= node.port < 32_768 for node in state.nodes)


def test_directory_lists_addresses_and_certificates(state: NetworkState) -> None:
    """The snapshot of the directory has the endpoint and the certificates of every institution."""
    entry = snapshot.load(state.directory_file).get(NORWAY)
    keys = PartyKeys.load(state.pki / NORWAY.file_name)
    assert entry.endpoint.channel.startswith(f"https://localhost:{state.address(NORWAY).port}/")
    assert entry.certificates == keys.certificates


def test_keys_of_a_node_are_trusted_by_the_others(state: NetworkState) -> None:
    """What was saved is a network of trust: the seal of an institution leads to the authority of the folder."""
    seal = PartyKeys.load(state.pki / NORWAY.file_name).seal.certificate
    assert load_trust(state.pki).check(seal, datetime.now(UTC), Purpose.SEAL).ok


def test_key_of_a_node_fits_its_certificate(state: NetworkState) -> None:
    """The files for TLS that the state names are those of the node."""
    identity = state.tls_identity(POLAND)
    assert identity.certificate.read_bytes() == PartyKeys.load(state.pki / "PL_ZUS01").tls.certificate.pem
    assert (identity.key.is_file(), identity.authorities.is_file()) == (True, True)


def test_unknown_node_is_named_with_those_there_are(state: NetworkState) -> None:
    """Asked for a node that the network does not have, the state says which it has."""
    with pytest.raises(EnvironmentProblem, match="SE:FKSE01") as problem:
        state.address("SE:FKSE01")
    assert problem.value.hint == "It has EU:APSIM01, NO:NAVAT07, PL:ZUS01."


def test_ports_follow_each_other_from_the_one_that_was_asked_for(tmp_path: Path) -> None:
    """With a first port the nodes get two each from there on, in their order."""
    base = six_free_ports()
    state = network(tmp_path / "network", tmp_path, base)
    pairs = [(node.port, node.manage_port) for node in state.nodes]
    assert pairs == [(base, base + 1), (base + 2, base + 3), (base + 4, base + 5)]


def test_taken_port_is_named_and_nothing_is_written(taken: int, tmp_path: Path) -> None:
    """When one of the ports is taken the sentence names it, and no folder was made."""
    with pytest.raises(EnvironmentProblem, match=f"^Expected port {taken} to be free, found it taken$"):
        network(tmp_path / "network", tmp_path, taken)
    assert not (tmp_path / "network").exists()


@pytest.mark.parametrize("below", [".", "deeper"])
def test_folder_that_cannot_be_made_is_named(tmp_path: Path, below: str) -> None:
    """Where no folder can be, the sentence says where and why."""
    file = tmp_path / "file"
    file.write_text("not a folder")
    with pytest.raises(EnvironmentProblem, match=f'^Expected a folder that can be written, found "{file}'):
        network(file / below, tmp_path)


def test_folder_with_other_files_is_left_alone(tmp_path: Path) -> None:
    """A folder that holds something else is refused, and its permissions stay as they are."""
    home = tmp_path / "home"
    home.mkdir(mode=0o755)
    (home / "letter.txt").write_text("keep me")
    with pytest.raises(EnvironmentProblem, match=r"^Expected an empty folder"):
        network(home, tmp_path)
    assert mode(home) == 0o755


def test_empty_folder_becomes_private(tmp_path: Path) -> None:
    """A folder that was there and empty is taken, and closed to others."""
    folder = tmp_path / "empty"
    folder.mkdir(mode=0o755)
    network(folder, tmp_path)
    assert mode(folder) == 0o700


def test_folder_without_a_network_is_told_as_such(tmp_path: Path) -> None:
    """Where no network was established, the hint says how to start one."""
    with pytest.raises(EnvironmentProblem, match="found none") as problem:
        load_state(tmp_path)
    assert problem.value.hint == "Start one with: eessi-sim run"


@pytest.mark.parametrize("content", [b"", b"{}", b'{"folder": 5}', b"\xff"])
def test_spoilt_description_is_told_as_such(state: NetworkState, content: bytes) -> None:
    """A description that cannot be read is named, with what is wrong with it."""
    (state.path / "network.json").write_bytes(content)
    with pytest.raises(EnvironmentProblem, match=r"Expected the description of a network in .*network\.json"):
        load_state(state.path)


def test_unknown_process_is_refused_by_name(tmp_path: Path) -> None:
    """The sentence names those that there are."""
    with pytest.raises(EnvironmentProblem, match="host-9"):
        small_network(tmp_path).played_by("host-9")
