"""The small certificate authority."""

import stat
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import TypeVar

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID
from tests.helpers.keys import LATER, NOW, authority, key_pair

from eessi_sim.errors import KeyMaterialError
from eessi_sim.security.keys import Certificate, Purpose
from eessi_sim.security.pki import CertificateAuthority, KeyAlgorithm
from eessi_sim.security.trust import RevocationList, TrustStore

Extension = TypeVar("Extension", bound=x509.ExtensionType)


def extension(certificate: Certificate, kind: type[Extension]) -> Extension:
    return certificate.decoded.extensions.get_extension_for_class(kind).value


@pytest.fixture
def own() -> CertificateAuthority:
    """An authority of this test alone, which may revoke."""
    return CertificateAuthority.create("Own", NOW, KeyAlgorithm.P_256)


@pytest.mark.parametrize("algorithm", KeyAlgorithm)
@pytest.mark.parametrize("purpose", Purpose)
def test_issued_certificate_is_trusted_for_its_purpose(algorithm: KeyAlgorithm, purpose: Purpose) -> None:
    """Whatever the authority issues, its own certificate as anchor confirms."""
    certificate = key_pair(purpose, algorithm).certificate
    assert TrustStore.of([authority(algorithm).certificate]).check(certificate, NOW, purpose).ok


@pytest.mark.parametrize(("country", "iso"), [("EL", "GR"), ("UK", "GB"), ("NO", "NO"), ("GB", "GB")])
def test_country_in_a_certificate_is_an_iso_code(own: CertificateAuthority, country: str, iso: str) -> None:
    """EESSI's EL and UK become GR and GB."""
    keys = own.issue("Somebody", Purpose.SEAL, country=country, now=NOW)
    assert keys.certificate.subject == f"CN=Somebody seal,O=Somebody,C={iso}"


def test_tls_certificate_answers_for_its_hosts(own: CertificateAuthority) -> None:
    """DNS names and addresses of both families stand in the certificate."""
    hosts = ("localhost", "127.0.0.1", "::1")
    names = extension(
        own.issue("AP", Purpose.TLS, country="NO", now=NOW, hosts=hosts).certificate,
        x509.SubjectAlternativeName,
    )
    assert names.get_values_for_type(x509.DNSName) == ["localhost"]
    assert names.get_values_for_type(x509.IPAddress) == [ip_address("127.0.0.1"), ip_address("::1")]


def test_tls_certificate_serves_both_ends_of_mutual_tls() -> None:
    """A node is server and client with the same key."""
    usage = extension(key_pair(Purpose.TLS).certificate, x509.ExtendedKeyUsage)
    assert set(usage) == {ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH}


@pytest.mark.parametrize(
    ("purpose", "binding", "encryption"),
    [(Purpose.TLS, False, False), (Purpose.EBMS, False, True), (Purpose.SEAL, True, False)],
)
def test_key_usage_follows_the_purpose(purpose: Purpose, binding: bool, encryption: bool) -> None:
    """Everybody signs; a seal also binds its owner, a messaging key is also encrypted for."""
    usage = extension(key_pair(purpose).certificate, x509.KeyUsage)
    assert (usage.digital_signature, usage.content_commitment, usage.key_encipherment) == (
        True,
        binding,
        encryption,
    )


def test_key_identifiers_link_leaf_and_authority() -> None:
    """The authority key identifier of a leaf is the key identifier of the authority."""
    leaf = extension(key_pair().certificate, x509.AuthorityKeyIdentifier)
    assert leaf.key_identifier == authority().certificate.key_identifier


def test_certificate_can_be_issued_in_the_past(own: CertificateAuthority) -> None:
    """A begin long ago gives an expired certificate, for tests on purpose."""
    keys = own.issue("Old", Purpose.SEAL, country="NO", now=NOW - timedelta(days=100), days=10)
    assert keys.certificate.not_after == NOW - timedelta(days=90)


def test_serial_numbers_come_from_the_argument() -> None:
    """With a counter handed in, serial numbers are those of the counter."""
    numbers = iter(range(5, 10))
    ca = CertificateAuthority.create("Counted", NOW, KeyAlgorithm.P_256, make_serial=lambda: next(numbers))
    leaf = ca.issue("Somebody", Purpose.SEAL, country="NO", now=NOW).certificate
    assert (ca.certificate.serial, leaf.serial) == (5, 6)


def test_name_that_is_too_long_is_refused(own: CertificateAuthority) -> None:
    """X.509 names have 64 characters; the error says so."""
    with pytest.raises(KeyMaterialError, match="name") as caught:
        own.issue("x" * 70, Purpose.SEAL, country="NO", now=NOW)
    assert "64" in (caught.value.hint or "")


def test_host_that_is_no_host_is_refused(own: CertificateAuthority) -> None:
    """A host name outside ASCII is refused with its name."""
    with pytest.raises(KeyMaterialError, match="bücher"):
        own.issue("AP", Purpose.TLS, country="NO", now=NOW, hosts=("bücher.example",))


def test_revocation_list_names_what_is_revoked(own: CertificateAuthority) -> None:
    """A revoked certificate stands in the list with the time of its first revocation."""
    leaf = own.issue("Somebody", Purpose.SEAL, country="NO", now=NOW).certificate
    own.revoke(leaf, NOW)
    own.revoke(leaf, LATER)
    crl = RevocationList.from_der(own.crl(LATER))
    assert crl.revoked_at(leaf.serial) == NOW
    assert crl.revoked_at(leaf.serial + 1) is None


def test_foreign_certificate_cannot_be_revoked(own: CertificateAuthority) -> None:
    """An authority revokes only what it issued."""
    with pytest.raises(KeyMaterialError, match="Test Authority"):
        own.revoke(key_pair().certificate, NOW)


@pytest.mark.parametrize("algorithm", KeyAlgorithm)
def test_saved_authority_loads_with_its_revocations(tmp_path: Path, algorithm: KeyAlgorithm) -> None:
    """An authority goes on after a restart: same key, same revocations, same kind of keys."""
    ca = CertificateAuthority.create("Saved", NOW, algorithm)
    ca.revoked[7] = NOW
    ca.save(tmp_path, NOW)
    loaded = CertificateAuthority.load(tmp_path)
    assert (loaded.keys, loaded.revoked, loaded.algorithm) == (ca.keys, {7: NOW}, algorithm)


def test_key_of_the_authority_is_for_its_owner_only(tmp_path: Path, own: CertificateAuthority) -> None:
    """The private key file has mode 0600."""
    own.save(tmp_path, NOW)
    assert stat.S_IMODE((tmp_path / "ca.key").stat().st_mode) == 0o600


def test_revocation_list_that_cannot_be_written_is_named(tmp_path: Path, own: CertificateAuthority) -> None:
    """A folder in the place of the list gives our own error."""
    (tmp_path / "ca.crl").mkdir()
    with pytest.raises(KeyMaterialError, match=r"ca\.crl"):
        own.save(tmp_path, NOW)


def test_authority_without_revocation_list_does_not_load(tmp_path: Path, own: CertificateAuthority) -> None:
    """Without the list an authority would forget its revocations, so it does not start."""
    own.save(tmp_path, NOW)
    (tmp_path / "ca.crl").unlink()
    with pytest.raises(KeyMaterialError, match=r"ca\.crl"):
        CertificateAuthority.load(tmp_path)
