"""Keys of a network: what a node reads of the authority."""

from pathlib import Path

import pytest

from eessi_sim.errors import KeyMaterialError
from eessi_sim.identifiers import InstitutionId
from eessi_sim.security.keys import Purpose
from eessi_sim.security.pki import KeyAlgorithm
from eessi_sim.simulation import bundle
from eessi_sim.simulation.credentials import Credentials, PartyKeys, load_trust
from eessi_sim.simulation.inprocess import START
from eessi_sim.simulation.state import hosts_for

NAV = InstitutionId("NO:NAVAT07")


@pytest.fixture
def credentials() -> Credentials:
    """Keys of a network with one party."""
    return Credentials.make([NAV], now=START, algorithm=KeyAlgorithm.P_256)


def test_node_believes_the_authority_without_its_private_key(
    credentials: Credentials, tmp_path: Path
) -> None:
    """A node that is taken over cannot issue certificates: it never reads the key of the authority."""
    credentials.save(tmp_path)
    (tmp_path / "ca.key").unlink()
    seal = credentials.parties[NAV].seal.certificate
    assert load_trust(tmp_path).check(seal, START, Purpose.SEAL).ok


def test_node_believes_no_certificate_that_the_authority_revoked(
    credentials: Credentials, tmp_path: Path
) -> None:
    """The revocation list beside the authority counts."""
    seal = credentials.parties[NAV].seal.certificate
    credentials.authority.revoke(seal, START)
    credentials.save(tmp_path)
    assert not load_trust(tmp_path).check(seal, START, Purpose.SEAL).ok


def test_folder_without_an_authority_is_named(tmp_path: Path) -> None:
    """A network whose keys were removed says where it looked."""
    with pytest.raises(KeyMaterialError, match=str(tmp_path)):
        load_trust(tmp_path)


def test_keys_of_a_party_are_read_as_they_were_written(credentials: Credentials, tmp_path: Path) -> None:
    """A node gets back its own three key pairs, each for its purpose."""
    credentials.save(tmp_path)
    assert PartyKeys.load(tmp_path / NAV.file_name).certificates == credentials.parties[NAV].certificates


def test_certificates_begin_before_the_network(credentials: Credentials) -> None:
    """Nodes whose clocks differ a little accept each other."""
    keys = credentials.parties[NAV]
    assert all(pair.certificate.not_before < START for pair in (keys.tls, keys.ebms, keys.seal))


def test_bundle_of_nonsense_is_refused(tmp_path: Path) -> None:
    """A file that holds no keys is named."""
    (tmp_path / bundle.FILE).write_text("[]")
    with pytest.raises(KeyMaterialError, match="keys of a network"):
        bundle.load(tmp_path)


def test_small_networks_have_no_hosts() -> None:
    """Up to twenty institutions have a process of their own."""
    assert hosts_for(20) == 0
    assert hosts_for(3120) >= 1
