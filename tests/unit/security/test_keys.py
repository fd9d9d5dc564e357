"""Certificates and key pairs."""

import stat
from hashlib import sha1, sha256
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from tests.helpers.keys import NOW, authority, certificate, key_pair, rsa_key

from eessi_sim.errors import KeyMaterialError
from eessi_sim.security.keys import (
    MAX_CERTIFICATE_BYTES,
    AgreementPair,
    Certificate,
    KeyPair,
    Purpose,
    key_path,
)
from eessi_sim.security.pki import KeyAlgorithm
from eessi_sim.security.policy import SignatureAlgorithm

BOTH = (KeyAlgorithm.RSA_2048, KeyAlgorithm.P_256)
FITTING = {
    KeyAlgorithm.RSA_2048: SignatureAlgorithm.RSA_SHA256,
    KeyAlgorithm.P_256: SignatureAlgorithm.ECDSA_SHA256,
}


def test_same_octets_are_read_once() -> None:
    """Reading the same certificate twice gives the same object."""
    der = key_pair().certificate.der
    assert Certificate.from_der(der) is Certificate.from_der(bytes(bytearray(der)))


def test_pem_and_der_give_equal_certificates() -> None:
    """A certificate survives its PEM form, as bytes and as text."""
    original = key_pair().certificate
    assert Certificate.from_pem(original.pem) == original
    assert Certificate.from_pem(original.pem.decode()) == original


@pytest.mark.parametrize("data", [b"", b"\x30\x03\x02\x01\x01", b"<xml/>"])
def test_nonsense_is_no_certificate(data: bytes) -> None:
    """Octets that are no certificate are refused with our own error."""
    with pytest.raises(KeyMaterialError, match=r"X\.509 certificate"):
        Certificate.from_der(data)


def test_trailing_octets_are_refused() -> None:
    """A certificate followed by anything is refused (CRT-11)."""
    with pytest.raises(KeyMaterialError):
        Certificate.from_der(key_pair().certificate.der + b"\x00")


def test_huge_certificate_is_refused_unread() -> None:
    """More octets than any real certificate has are refused before parsing (CRT-11)."""
    with pytest.raises(KeyMaterialError, match="at most"):
        Certificate.from_der(b"\x30" * (MAX_CERTIFICATE_BYTES + 1))


def test_text_without_certificate_is_no_pem() -> None:
    """PEM text without a certificate is refused."""
    with pytest.raises(KeyMaterialError):
        Certificate.from_pem("-----BEGIN NOTHING-----")


def test_names_are_written_most_specific_part_first() -> None:
    """Subject and issuer follow RFC 4514, commas without blanks."""
    found = key_pair().certificate
    assert found.subject == "CN=NO:NAVAT07 seal,O=NO:NAVAT07,C=NO"
    assert found.issuer == "CN=Test Authority,O=EESSI simulator,C=EU"


def test_thumbprints_are_digests_of_the_octets() -> None:
    """The SHA-1 thumbprint is upper-case hexadecimal, SHA-256 is given as octets."""
    found = key_pair().certificate
    assert found.sha1_thumbprint == sha1(found.der).hexdigest().upper()
    assert found.sha256 == sha256(found.der).digest()


def test_key_size_tells_rsa_from_curves_and_the_rest() -> None:
    """RSA and curve keys show their bits; other keys have none that we use."""
    assert key_pair(algorithm=KeyAlgorithm.RSA_2048).certificate.key_bits == 2048
    assert key_pair().certificate.key_bits == 256
    assert certificate(ed25519.Ed25519PrivateKey.generate()).key_bits == 256
    other = certificate(ed448.Ed448PrivateKey.generate())
    assert (other.key_bits, other.is_rsa) == (0, False)


def test_key_identifier_comes_from_the_extension() -> None:
    """The subject key identifier is the extension's value, None where there is none."""
    issued = key_pair().certificate
    expected = x509.SubjectKeyIdentifier.from_public_key(issued.decoded.public_key()).digest
    assert issued.key_identifier == expected
    assert certificate().key_identifier is None


@pytest.mark.parametrize(
    "issuer",
    [
        "CN=Test Authority,O=EESSI simulator,C=EU",
        "C=EU, O=EESSI simulator, CN=Test Authority",
        'cn=Test Authority,O="EESSI simulator",C=EU',
        "CN=#0C0E5465737420417574686F72697479,O=EESSI simulator,C=EU",
    ],
)
def test_issuer_is_recognised_in_every_usual_spelling(issuer: str) -> None:
    """Order, blanks, quotes and hexadecimal values of a name do not matter."""
    found = key_pair().certificate
    assert found.is_named(issuer, f" {found.serial} ")


def test_another_issuer_or_serial_is_not_this_certificate() -> None:
    """A different name or number means another certificate."""
    found = key_pair().certificate
    assert not found.is_named("CN=Other", str(found.serial))
    assert not found.is_named(found.issuer, str(found.serial + 1))


@pytest.mark.parametrize("algorithm", BOTH)
def test_signature_verifies_with_the_certificate(algorithm: KeyAlgorithm) -> None:
    """What a key signs, its certificate confirms; other data it does not."""
    keys = key_pair(algorithm=algorithm)
    value = keys.sign(b"data")
    assert keys.signature_algorithm is FITTING[algorithm]
    assert keys.certificate.has_signed(b"data", value, keys.signature_algorithm)
    assert not keys.certificate.has_signed(b"date", value, keys.signature_algorithm)


@pytest.mark.parametrize("algorithm", BOTH)
def test_signing_twice_gives_the_same_value(algorithm: KeyAlgorithm) -> None:
    """No randomness enters a signature, so a run repeats itself."""
    keys = key_pair(algorithm=algorithm)
    assert keys.sign(b"data") == keys.sign(b"data")


def test_curve_signature_is_two_numbers_of_fixed_length() -> None:
    """An ECDSA value has 64 octets; one more or less is no signature."""
    keys = key_pair()
    value = keys.sign(b"data")
    assert len(value) == 64
    assert not keys.certificate.has_signed(b"data", value + b"\x00", SignatureAlgorithm.ECDSA_SHA256)


@pytest.mark.parametrize("algorithm", BOTH)
@pytest.mark.parametrize(
    "other", [SignatureAlgorithm.ED25519, SignatureAlgorithm.RSA_SHA512, SignatureAlgorithm.ECDSA_SHA512]
)
def test_key_has_not_signed_with_an_algorithm_that_does_not_fit(
    algorithm: KeyAlgorithm, other: SignatureAlgorithm
) -> None:
    """A value under another algorithm than it was made with is refused, never an exception."""
    keys = key_pair(algorithm=algorithm)
    assert not keys.certificate.has_signed(b"data", keys.sign(b"data"), other)


def test_validity_includes_both_ends() -> None:
    """A certificate is valid from its first to its last second."""
    found = key_pair().certificate
    assert found.is_valid_at(found.not_before)
    assert found.is_valid_at(found.not_after)


def test_private_key_of_somebody_else_is_refused() -> None:
    """A key pair whose halves do not belong together cannot be made."""
    with pytest.raises(KeyMaterialError, match="another one"):
        KeyPair(ec.generate_private_key(ec.SECP256R1()), key_pair().certificate)


def test_private_key_is_never_shown() -> None:
    """The text form of a key pair holds no private key."""
    assert "private" not in repr(key_pair())


@pytest.mark.parametrize("algorithm", BOTH)
def test_saved_key_pair_loads_again(tmp_path: Path, algorithm: KeyAlgorithm) -> None:
    """A key pair comes back from its two files and signs the same."""
    keys = key_pair(algorithm=algorithm)
    path = tmp_path / "new" / "seal.pem"
    keys.save(path)
    keys.save(path)
    loaded = KeyPair.load(path)
    assert loaded == keys
    assert loaded.sign(b"data") == keys.sign(b"data")


def test_private_key_file_is_for_its_owner_only(tmp_path: Path) -> None:
    """The file of the private key has mode 0600."""
    key_pair().save(tmp_path / "seal.pem")
    assert stat.S_IMODE(key_path(tmp_path / "seal.pem").stat().st_mode) == 0o600


def test_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """Saving below a file fails with our own error."""
    (tmp_path / "file").write_text("")
    with pytest.raises(KeyMaterialError, match=r"seal\.pem"):
        key_pair().save(tmp_path / "file" / "seal.pem")


def test_missing_key_pair_says_how_to_make_one(tmp_path: Path) -> None:
    """Loading what is not there names the path and the command that creates it."""
    with pytest.raises(KeyMaterialError, match=r"seal\.pem") as caught:
        KeyPair.load(tmp_path / "seal.pem")
    assert "pki" in (caught.value.hint or "")


def test_encrypted_private_key_is_refused(tmp_path: Path) -> None:
    """We have no password to give, and say so instead of failing."""
    keys = key_pair()
    keys.save(tmp_path / "seal.pem")
    locked = keys.private_key.private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret")
    )
    key_path(tmp_path / "seal.pem").write_bytes(locked)
    with pytest.raises(KeyMaterialError):
        KeyPair.load(tmp_path / "seal.pem")


def test_key_of_an_unsupported_kind_is_refused(tmp_path: Path) -> None:
    """An Ed448 key can be read but not used."""
    key = ed448.Ed448PrivateKey.generate()
    (tmp_path / "seal.pem").write_bytes(certificate(key).pem)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    key_path(tmp_path / "seal.pem").write_bytes(private)
    with pytest.raises(KeyMaterialError, match="Ed448"):
        KeyPair.load(tmp_path / "seal.pem")


def test_short_rsa_key_shows_its_size() -> None:
    """The size of a short RSA key is visible, so that a policy can refuse it."""
    assert certificate(rsa_key(1024), not_before=NOW).key_bits == 1024


def test_ed25519_key_signs_and_verifies() -> None:
    """An Ed25519 pair names its algorithm, and its value verifies with no other algorithm or data."""
    keys = authority().issue(
        "NO:NAVAT07", Purpose.EBMS, country="NO", now=NOW, key=ed25519.Ed25519PrivateKey.generate()
    )
    value = keys.sign(b"data")
    assert keys.signature_algorithm is SignatureAlgorithm.ED25519
    assert keys.certificate.has_signed(b"data", value, SignatureAlgorithm.ED25519)
    assert not keys.certificate.has_signed(b"Data", value, SignatureAlgorithm.ED25519)
    assert not keys.certificate.has_signed(b"data", value, SignatureAlgorithm.ECDSA_SHA256)


def test_agreement_pair_is_no_signing_pair(tmp_path: Path) -> None:
    """An X25519 pair loads as what it is, and is refused where a signing key is wanted."""
    pair = authority().issue_agreement("NO:NAVAT07", country="NO", now=NOW)
    pair.save(tmp_path / "encryption.pem")
    assert AgreementPair.load(tmp_path / "encryption.pem") == pair
    assert pair.certificate.key_bits == 256
    with pytest.raises(KeyMaterialError, match="X25519"):
        KeyPair.load(tmp_path / "encryption.pem")
