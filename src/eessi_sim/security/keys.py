"""Private keys and certificates: read, write, sign, and verify a value.

Certificates are read once per content and shared. Whether one is believed is the question of ``trust``;
issuing them is the work of ``pki``.
"""

import hashlib
import os
import re
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from types import UnionType
from typing import ClassVar, Final, Self, cast

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, x25519
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from eessi_sim.errors import KeyMaterialError
from eessi_sim.security.policy import SignatureAlgorithm

SigningKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
PrivateKey = SigningKey | x25519.X25519PrivateKey
"""A key of X25519 agrees on secrets and signs nothing (RFC 7748)."""

MAX_CERTIFICATE_BYTES: Final = 16 * 1024
"""Real certificates have 1 to 3 kB; more is an attack on memory (our limit, inferred)."""

_HASHES: Final[dict[SignatureAlgorithm, hashes.HashAlgorithm]] = {
    SignatureAlgorithm.RSA_SHA256: hashes.SHA256(),
    SignatureAlgorithm.RSA_SHA384: hashes.SHA384(),
    SignatureAlgorithm.RSA_SHA512: hashes.SHA512(),
    SignatureAlgorithm.ECDSA_SHA256: hashes.SHA256(),
    SignatureAlgorithm.ECDSA_SHA384: hashes.SHA384(),
    SignatureAlgorithm.ECDSA_SHA512: hashes.SHA512(),
}
_RSA: Final = frozenset(
    {SignatureAlgorithm.RSA_SHA256, SignatureAlgorithm.RSA_SHA384, SignatureAlgorithm.RSA_SHA512}
)
_ECDSA: Final = frozenset(
    {SignatureAlgorithm.ECDSA_SHA256, SignatureAlgorithm.ECDSA_SHA384, SignatureAlgorithm.ECDSA_SHA512}
)
READ_ERRORS: Final = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)
"""What the cryptography library raises for octets that are not what they should be."""

_DETERMINISTIC: Final = ec.ECDSA(hashes.SHA256(), deterministic_signing=True)
_NAME_PART: Final = re.compile(r'(?:"[^"]*"|\\.|[^,;+\\"])+')
_KEYWORDS: Final = {"S": "ST", "E": "1.2.840.113549.1.9.1", "EMAILADDRESS": "1.2.840.113549.1.9.1"}
"""Keywords of names that some products write differently."""


class Purpose(StrEnum):
    """What a key pair is for; the three are listed apart in the Institution Repository (documented)."""

    TLS = "TLS"
    EBMS = "messaging"
    SEAL = "seal"


@dataclass(frozen=True, slots=True)
class Certificate:
    """An X.509 certificate, read once; two are equal when all their octets are."""

    der: bytes = field(repr=False)
    subject: str = field(compare=False)
    """Name as RFC 4514 writes it: most specific part first, commas without blanks."""
    issuer: str = field(compare=False)
    serial: int = field(compare=False)
    not_before: datetime = field(compare=False)
    not_after: datetime = field(compare=False)
    public_key_der: bytes = field(compare=False, repr=False)
    """SubjectPublicKeyInfo."""
    decoded: x509.Certificate = field(compare=False, repr=False)

    @classmethod
    def from_der(cls, der: bytes) -> "Certificate":
        """Read one certificate, nothing before or after it.

        Raises:
            KeyMaterialError: not a certificate, too large, or with a key that we cannot use.
        """
        if len(der) > MAX_CERTIFICATE_BYTES:
            raise KeyMaterialError(
                f"Expected a certificate of at most {MAX_CERTIFICATE_BYTES} bytes, found {len(der)}"
            )
        return _read(der)

    @classmethod
    def from_pem(cls, pem: bytes | str) -> "Certificate":
        """Read the first certificate of a PEM text; raises KeyMaterialError as ``from_der`` does."""
        data = pem.encode() if isinstance(pem, str) else pem
        try:
            return cls.from_der(x509.load_pem_x509_certificate(data).public_bytes(Encoding.DER))
        except READ_ERRORS as error:
            raise _unreadable(error) from error

    @property
    def pem(self) -> bytes:
        """The certificate as PEM text."""
        return self.decoded.public_bytes(Encoding.PEM)

    @property
    def sha1_thumbprint(self) -> str:
        """SHA-1 of the octets, upper-case hexadecimal: a name for people, never a proof."""
        return hashlib.sha1(self.der, usedforsecurity=False).hexdigest().upper()

    @property
    def sha256(self) -> bytes:
        """SHA-256 of the octets."""
        return hashlib.sha256(self.der).digest()

    @property
    def key_bits(self) -> int:
        """Size of the public key in bits, 0 for a kind of key that no signature or message of ours uses."""
        key = self.decoded.public_key()
        if isinstance(key, ed25519.Ed25519PublicKey | x25519.X25519PublicKey):
            return 256
        return key.key_size if isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey) else 0

    @property
    def is_rsa(self) -> bool:
        """Whether the public key is an RSA key."""
        return isinstance(self.decoded.public_key(), rsa.RSAPublicKey)

    @property
    def key_identifier(self) -> bytes | None:
        """Value of the extension subjectKeyIdentifier, None without it (RFC 5280 section 4.2.1.2)."""
        try:
            return self.decoded.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
        except x509.ExtensionNotFound:
            return None

    def is_named(self, issuer: str, serial: str) -> bool:
        """Return whether a ``ds:X509IssuerSerial`` means this certificate (XMLDSig 1.1 section 4.5.4.1).

        Products disagree about the order, blanks and some keywords of names, so only the parts count.
        """
        if serial.strip() != str(self.serial):
            return False
        return issuer == self.issuer or _name_parts(issuer) == _name_parts(self.issuer)

    def has_signed(self, data: bytes, value: bytes, algorithm: SignatureAlgorithm) -> bool:
        """Return whether ``value`` is a signature of this key over ``data``.

        A key that does not fit the algorithm has signed nothing. ECDSA values are the two numbers one
        after the other, as XML signatures have them (XMLDSig 1.1 section 6.4.3).
        """
        key = self.decoded.public_key()
        try:
            if isinstance(key, rsa.RSAPublicKey) and algorithm in _RSA:
                key.verify(value, data, padding.PKCS1v15(), _HASHES[algorithm])
                return True
            if isinstance(key, ec.EllipticCurvePublicKey) and algorithm in _ECDSA:
                key.verify(_dss_value(value, key.key_size), data, ec.ECDSA(_HASHES[algorithm]))
                return True
            if isinstance(key, ed25519.Ed25519PublicKey) and algorithm is SignatureAlgorithm.ED25519:
                key.verify(value, data)
                return True
        except InvalidSignature:
            return False
        return False

    def is_valid_at(self, at: datetime) -> bool:
        """Return whether ``at`` lies in the period of validity, its ends included (RFC 5280 section 4.1.2.5)."""
        return self.not_before <= at <= self.not_after


@lru_cache(maxsize=1024)
def _read(der: bytes) -> Certificate:
    try:
        certificate = x509.load_der_x509_certificate(der)
        certificate.extensions  # noqa: B018 - read now, so that nonsense is refused here
        return Certificate(
            der=der,
            subject=certificate.subject.rfc4514_string(),
            issuer=certificate.issuer.rfc4514_string(),
            serial=certificate.serial_number,
            not_before=certificate.not_valid_before_utc,
            not_after=certificate.not_valid_after_utc,
            public_key_der=certificate.public_key().public_bytes(
                Encoding.DER, PublicFormat.SubjectPublicKeyInfo
            ),
            decoded=certificate,
        )
    except READ_ERRORS as error:
        raise _unreadable(error) from error


def _name_parts(name: str) -> list[tuple[str, str]]:
    """Return the attributes of a distinguished name, sorted, whatever the order they were written in."""
    parts = (part.strip().partition("=") for part in _NAME_PART.findall(name))
    return sorted((_KEYWORDS.get(key.upper(), key.upper()), _name_value(value)) for key, _, value in parts)


def _name_value(text: str) -> str:
    """Return a value without its escapes (RFC 4514 section 2.4); ``#`` opens the octets of an ASN.1 string."""
    if re.fullmatch(r"#(?:[0-9A-Fa-f]{2}){2,}", text):
        return bytes.fromhex(text[1:])[2:].decode(errors="replace")
    return re.sub(r"\\(.)", r"\1", text.strip().strip('"'))


def _unreadable(error: Exception) -> KeyMaterialError:
    reason = str(error).split("\n", 1)[0][:120]
    return KeyMaterialError(
        f"Expected an X.509 certificate, found something else: {reason}",
        hint="Give one certificate, DER or PEM, without anything before or after it.",
    )


def _dss_value(value: bytes, key_bits: int) -> bytes:
    size = (key_bits + 7) // 8
    if len(value) != 2 * size:
        raise InvalidSignature
    return encode_dss_signature(int.from_bytes(value[:size]), int.from_bytes(value[size:]))


@dataclass(frozen=True, slots=True)
class HeldKey:
    """A private key of any kind with the certificate of its public half.

    Raises:
        KeyMaterialError: the two do not belong together.
    """

    kinds: ClassVar[UnionType | type] = PrivateKey
    """Types of private keys that belong into this class."""
    private_key: PrivateKey = field(repr=False, compare=False)
    certificate: Certificate

    def __post_init__(self) -> None:
        public = self.private_key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        if public != self.certificate.public_key_der:
            raise KeyMaterialError(
                f'Expected the private key of "{self.certificate.subject}", found another one',
                hint="Put the key beside the certificate that was issued for it.",
            )

    @property
    def private_pem(self) -> bytes:
        """The private key as PEM text, not encrypted."""
        return self.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    def save(self, path: Path) -> None:
        """Write the certificate to ``path`` and the private key beside it as ``.key``, for the owner only.

        Raises:
            KeyMaterialError: one of the files cannot be written.
        """
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(self.certificate.pem)
            write_private(key_path(path), self.private_pem)
        except OSError as error:
            raise KeyMaterialError(f"Expected to write a key pair to {path}, found: {error}") from error

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what ``save`` wrote.

        Raises:
            KeyMaterialError: a file is missing or unreadable, or the two do not belong together.
        """
        try:
            private, certificate = key_path(path).read_bytes(), path.read_bytes()
        except OSError as error:
            raise _no_pair(f"at {path} and {key_path(path)}", error) from error
        return cls.from_pem(private, certificate, f"at {path} and {key_path(path)}")

    @classmethod
    def from_pem(cls, private: bytes, certificate: bytes, where: str) -> Self:
        """Read a private key and its certificate.

        Args:
            private: the key as PEM text.
            certificate: the certificate as PEM text.
            where: they come from, for messages.

        Raises:
            KeyMaterialError: one is unreadable, or the two do not belong together.
        """
        try:
            key = load_pem_private_key(private, password=None)
            read = Certificate.from_pem(certificate)
        except READ_ERRORS as error:
            raise _no_pair(where, error) from error
        if not isinstance(key, cls.kinds):
            raise KeyMaterialError(
                f"Expected a key for this use {where}, found {type(key).__name__.strip('_')}",
                hint="RSA, elliptic curve and Ed25519 keys sign; X25519 keys only receive encrypted messages.",
            )
        return cls(cast("PrivateKey", key), read)


@dataclass(frozen=True, slots=True)
class KeyPair(HeldKey):
    """A private key that signs, with its certificate."""

    kinds: ClassVar[UnionType | type] = SigningKey
    private_key: SigningKey = field(repr=False, compare=False)

    @property
    def signature_algorithm(self) -> SignatureAlgorithm:
        """Algorithm that goes with the kind of key (our choice, inferred)."""
        if isinstance(self.private_key, rsa.RSAPrivateKey):
            return SignatureAlgorithm.RSA_SHA256
        if isinstance(self.private_key, ed25519.Ed25519PrivateKey):
            return SignatureAlgorithm.ED25519
        return SignatureAlgorithm.ECDSA_SHA256

    def sign(self, data: bytes) -> bytes:
        """Return the signature over ``data`` as XML signatures carry it.

        RSA: PKCS #1 v1.5. Elliptic curve: both numbers one after the other, made without randomness
        (RFC 6979), so that the same input gives the same octets. Ed25519: the 64 octets of RFC 8032.
        """
        key = self.private_key
        if isinstance(key, rsa.RSAPrivateKey):
            return key.sign(data, padding.PKCS1v15(), hashes.SHA256())
        if isinstance(key, ed25519.Ed25519PrivateKey):
            return key.sign(data)
        value = key.sign(data, _DETERMINISTIC)
        size = (key.key_size + 7) // 8
        return b"".join(number.to_bytes(size) for number in decode_dss_signature(value))


@dataclass(frozen=True, slots=True)
class AgreementPair(HeldKey):
    """A private key that agrees on secrets and cannot sign, with its certificate (eDelivery AS4 2.0)."""

    kinds: ClassVar[UnionType | type] = x25519.X25519PrivateKey
    private_key: x25519.X25519PrivateKey = field(repr=False, compare=False)


def _no_pair(where: str, error: Exception) -> KeyMaterialError:
    return KeyMaterialError(
        f"Expected a certificate and its private key {where}, found: {error}",
        hint="Create them with `eessi-sim pki`.",
    )


def key_path(path: Path) -> Path:
    """Return where the private key of the certificate at ``path`` lies."""
    return path.with_suffix(".key")


def write_private(path: Path, data: bytes) -> None:
    """Write ``data`` so that nobody but the owner can ever read it, not even for a moment."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data)
