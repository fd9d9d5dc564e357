"""Keys and certificates for tests, made once per process; NOW is the time of the shared clock."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from eessi_sim.security.keys import Certificate, KeyPair, SigningKey
from eessi_sim.security.pki import CertificateAuthority, KeyAlgorithm, Purpose
from eessi_sim.security.trust import TrustStore

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
LATER = NOW + timedelta(days=30)


def authority(
    algorithm: KeyAlgorithm = KeyAlgorithm.P_256, name: str = "Test Authority"
) -> CertificateAuthority:
    """An authority that nobody in the tests may revoke with."""
    return _authority(algorithm, name)


@lru_cache
def _authority(algorithm: KeyAlgorithm, name: str) -> CertificateAuthority:
    return CertificateAuthority.create(name, NOW, algorithm)


def key_pair(
    purpose: Purpose = Purpose.SEAL,
    algorithm: KeyAlgorithm = KeyAlgorithm.P_256,
    name: str = "NO:NAVAT07",
) -> KeyPair:
    """A key pair of a Norwegian institution, issued by ``authority(algorithm)``."""
    return _key_pair(purpose, algorithm, name)


@lru_cache
def _key_pair(purpose: Purpose, algorithm: KeyAlgorithm, name: str) -> KeyPair:
    return authority(algorithm).issue(name, purpose, country="NO", now=NOW)


def trust(algorithm: KeyAlgorithm = KeyAlgorithm.P_256) -> TrustStore:
    """A store that believes ``authority(algorithm)``."""
    return TrustStore.of([authority(algorithm).certificate])


@lru_cache
def rsa_key(bits: int) -> rsa.RSAPrivateKey:
    """An RSA key of any size."""
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def certificate(
    key: SigningKey | ed448.Ed448PrivateKey | None = None,
    *extensions: tuple[x509.ExtensionType, bool],
    issuer: KeyPair | None = None,
    subject: str = "anybody",
    not_before: datetime = NOW,
) -> Certificate:
    """A certificate with just these extensions (value, critical); self-signed without an issuer."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer.certificate.decoded.subject if issuer else name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(not_before)
        .not_valid_after(not_before + timedelta(days=100))
    )
    for value, critical in extensions:
        builder = builder.add_extension(value, critical=critical)
    signer = issuer.private_key if issuer else key
    is_edwards = isinstance(signer, ed448.Ed448PrivateKey | ed25519.Ed25519PrivateKey)
    algorithm = None if is_edwards else hashes.SHA256()
    return Certificate.from_der(builder.sign(signer, algorithm).public_bytes(Encoding.DER))
