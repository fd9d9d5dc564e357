"""A small certificate authority for simulated networks: issues per purpose, revokes, lists, saves.

Made for demos and tests; its keys lie unencrypted in files that only the owner can read. Times and serial
numbers are arguments, so that expired or future certificates can be made on purpose. Whether a certificate
is believed is the question of ``trust``.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from ipaddress import ip_address
from pathlib import Path
from typing import Final, Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa, x25519
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from eessi_sim.errors import KeyMaterialError
from eessi_sim.security.keys import AgreementPair, Certificate, KeyPair, PrivateKey, Purpose, SigningKey
from eessi_sim.security.trust import RevocationList

__all__ = ["CertificateAuthority", "KeyAlgorithm", "Purpose", "make_private_key"]

AUTHORITY_DAYS: Final = 3650
LEAF_DAYS: Final = 730
"""Two years, as the certificates of public samples have (observed)."""
CRL_DAYS: Final = 30
_ISO_COUNTRIES: Final = {"EL": "GR", "UK": "GB"}
"""EESSI writes EL and UK; X.520 countryName wants ISO 3166."""


class KeyAlgorithm(StrEnum):
    """Kind of a new key."""

    RSA_2048 = "rsa-2048"
    """What EESSI's institutions use (observed)."""
    P_256 = "p-256"
    """Smaller and about ten times faster to sign with."""


def make_private_key(algorithm: KeyAlgorithm) -> SigningKey:
    """Return a new private key."""
    if algorithm is KeyAlgorithm.RSA_2048:
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return ec.generate_private_key(ec.SECP256R1())


@dataclass(slots=True)
class CertificateAuthority:
    """An authority with its key; changes when it revokes."""

    keys: KeyPair
    algorithm: KeyAlgorithm = KeyAlgorithm.RSA_2048
    """Kind of the keys it makes for others."""
    make_serial: Callable[[], int] = x509.random_serial_number
    revoked: dict[int, datetime] = field(default_factory=dict)
    """Serial numbers and the time of their revocation."""

    @classmethod
    def create(
        cls,
        name: str,
        now: datetime,
        algorithm: KeyAlgorithm = KeyAlgorithm.RSA_2048,
        *,
        make_serial: Callable[[], int] = x509.random_serial_number,
        days: int = AUTHORITY_DAYS,
    ) -> Self:
        """Make an authority with a self-signed certificate that is valid from ``now``.

        Args:
            name: common name.
            now: begin of the validity.
            algorithm: kind of its own key, and of the keys it makes for others.
            make_serial: gives serial numbers; random ones by default (RFC 5280 section 4.1.2.2).
            days: length of the validity.

        Raises:
            KeyMaterialError: X.509 cannot carry the name.
        """
        key = make_private_key(algorithm)
        subject = _name(name, "EESSI simulator", "EU")
        usage = _key_usage(key_cert_sign=True, crl_sign=True)
        builder = (
            _builder(subject, key, now, days)
            .issuer_name(subject)
            .serial_number(make_serial())
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(usage, critical=True)
        )
        return cls(KeyPair(key, _signed(builder, key)), algorithm, make_serial)

    @property
    def certificate(self) -> Certificate:
        """The certificate that others trust."""
        return self.keys.certificate

    def issue(
        self,
        name: str,
        purpose: Purpose,
        *,
        country: str,
        now: datetime,
        days: int = LEAF_DAYS,
        hosts: Sequence[str] = (),
        key: SigningKey | None = None,
    ) -> KeyPair:
        """Make a key pair for an institution: ``CN=<name> <purpose>,O=<name>,C=<ISO country>``.

        Args:
            name: who it is for.
            purpose: decides keyUsage and extendedKeyUsage.
            country: EESSI's or ISO's code; ``EL`` and ``UK`` become ``GR`` and ``GB``.
            now: begin of the validity; a time long ago gives an expired certificate.
            days: length of the validity.
            hosts: DNS names and IP addresses a TLS server answers at.
            key: of another kind than this authority makes, Ed25519 for example; a new one by default.

        Raises:
            KeyMaterialError: X.509 cannot carry the name, the country or a host.
        """
        key = key or make_private_key(self.algorithm)
        builder = self._leaf(_name(f"{name} {purpose}", name, country), key, now, days).add_extension(
            _USAGE[purpose], critical=True
        )
        if purpose is Purpose.TLS:
            builder = builder.add_extension(x509.ExtendedKeyUsage(_TLS_USAGE), critical=False)
        if hosts:
            builder = builder.add_extension(_alternative_names(hosts), critical=False)
        return KeyPair(key, _signed(builder, self.keys.private_key))

    def issue_agreement(
        self, name: str, *, country: str, now: datetime, days: int = LEAF_DAYS
    ) -> AgreementPair:
        """Make an X25519 key pair that receives encrypted messages (eDelivery AS4 2.0); arguments as ``issue``.

        Raises:
            KeyMaterialError: X.509 cannot carry the name or the country.
        """
        key = x25519.X25519PrivateKey.generate()
        builder = self._leaf(_name(f"{name} encryption", name, country), key, now, days).add_extension(
            _key_usage(key_agreement=True), critical=True
        )
        return AgreementPair(key, _signed(builder, self.keys.private_key))

    def _leaf(self, subject: x509.Name, key: PrivateKey, now: datetime, days: int) -> x509.CertificateBuilder:
        issuer = self.keys.private_key.public_key()
        return (
            _builder(subject, key, now, days)
            .issuer_name(self.certificate.decoded.subject)
            .serial_number(self.make_serial())
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer), critical=False)
        )

    def revoke(self, certificate: Certificate, now: datetime) -> None:
        """Revoke a certificate from ``now`` on; the first revocation stays.

        Raises:
            KeyMaterialError: another authority issued it.
        """
        if certificate.issuer != self.certificate.subject:
            raise KeyMaterialError(
                f'Expected a certificate of "{self.certificate.subject}", found one of "{certificate.issuer}"',
                hint="Ask the authority that issued it.",
            )
        self.revoked.setdefault(certificate.serial, now)

    def crl(self, now: datetime) -> bytes:
        """Return the signed revocation list as DER, next one due in 30 days (RFC 5280 section 5)."""
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self.certificate.decoded.subject)
            .last_update(now)
            .next_update(now + timedelta(days=CRL_DAYS))
        )
        for serial, since in self.revoked.items():
            entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(since)
            builder = builder.add_revoked_certificate(entry.build())
        return builder.sign(self.keys.private_key, hashes.SHA256()).public_bytes(Encoding.DER)

    def save(self, folder: Path, now: datetime) -> None:
        """Write ``ca.pem``, ``ca.key`` (for the owner only) and ``ca.crl``.

        Raises:
            KeyMaterialError: a file cannot be written.
        """
        self.keys.save(folder / "ca.pem")
        try:
            (folder / "ca.crl").write_bytes(self.crl(now))
        except OSError as error:
            raise KeyMaterialError(f"Expected to write {folder / 'ca.crl'}, found: {error}") from error

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what ``save`` wrote.

        Raises:
            KeyMaterialError: a file is missing or is something else.
        """
        keys = KeyPair.load(folder / "ca.pem")
        try:
            crl = RevocationList.from_der((folder / "ca.crl").read_bytes())
        except OSError as error:
            raise KeyMaterialError(
                f"Expected a revocation list at {folder / 'ca.crl'}, found: {error}",
                hint="Create the authority again with `eessi-sim pki`.",
            ) from error
        revoked = {entry.serial_number: entry.revocation_date_utc for entry in crl.decoded}
        algorithm = KeyAlgorithm.RSA_2048 if keys.certificate.is_rsa else KeyAlgorithm.P_256
        return cls(keys, algorithm, revoked=revoked)


def _name(common_name: str, organisation: str, country: str) -> x509.Name:
    try:
        return x509.Name(
            [
                x509.NameAttribute(NameOID.COUNTRY_NAME, _ISO_COUNTRIES.get(country, country)),
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation),
                x509.NameAttribute(NameOID.COMMON_NAME, common_name),
            ]
        )
    except ValueError as error:
        raise KeyMaterialError(
            f'Expected a name that X.509 can carry, found "{common_name}", "{country}": {error}',
            hint="Names have at most 64 characters, countries two letters.",
        ) from error


def _builder(subject: x509.Name, key: PrivateKey, not_before: datetime, days: int) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .public_key(key.public_key())
        .not_valid_before(not_before)
        .not_valid_after(not_before + timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _signed(builder: x509.CertificateBuilder, key: SigningKey) -> Certificate:
    return Certificate.from_der(builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER))


def _alternative_names(hosts: Iterable[str]) -> x509.SubjectAlternativeName:
    return x509.SubjectAlternativeName([_alternative_name(host) for host in hosts])


def _alternative_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        pass
    try:
        return x509.DNSName(host)
    except ValueError as error:
        raise KeyMaterialError(
            f'Expected a DNS name or an IP address, found "{host}"',
            hint="Write international names in ASCII.",
        ) from error


def _key_usage(**allowed: bool) -> x509.KeyUsage:
    return x509.KeyUsage(**dict.fromkeys(_USAGE_BITS, False) | allowed)


_USAGE_BITS: Final = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)
_USAGE: Final = {
    Purpose.TLS: _key_usage(digital_signature=True),
    Purpose.EBMS: _key_usage(digital_signature=True, key_encipherment=True, key_agreement=True),
    Purpose.SEAL: _key_usage(digital_signature=True, content_commitment=True),
}
"""Messages may be encrypted for the same key (access point to access point); a seal binds its owner."""
_TLS_USAGE: Final = (ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH)
