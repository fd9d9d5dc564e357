"""Encryption of content and of its key: AES-GCM, RSA-OAEP, and key agreement with HKDF and AES key wrap.

Octets in, octets out; the XML around them is the work of ``as4.encryption``. Algorithms are enums of their
URIs (XML Encryption 1.1, RFC 9231; documented). Every failure to decrypt is the same error with the same
words, so that nobody learns from the answer which step failed (Bleichenbacher, Manger, Vaudenay).
"""

import os
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, Self, TypeVar

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, x25519
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_public_key,
)

from eessi_sim.errors import DecryptionError, EncryptionError
from eessi_sim.security.keys import READ_ERRORS, Certificate, HeldKey

_XENC: Final = "http://www.w3.org/2001/04/xmlenc#"
_XENC11: Final = "http://www.w3.org/2009/xmlenc11#"
_MORE: Final = "http://www.w3.org/2021/04/xmldsig-more#"
CONTENT_KEY_BYTES: Final = 16
IV_BYTES: Final = 12
_TAG_BYTES: Final = 16
_SALT_BYTES: Final = 32
_MAX_PARAMETER_BYTES: Final = 1024


class _Uri(StrEnum):
    """An algorithm named by its URI; looking up an unknown one raises EncryptionError."""

    @classmethod
    def _missing_(cls, value: object) -> Self:
        raise _refused(str(value), tuple(cls))


class ContentCipher(_Uri):
    """``xenc:EncryptionMethod`` of an EncryptedData (XML Encryption 1.1 section 5.2, documented)."""

    AES128_GCM = f"{_XENC11}aes128-gcm"
    AES256_GCM = f"{_XENC11}aes256-gcm"

    @property
    def key_bytes(self) -> int:
        """Length of the key."""
        return CONTENT_KEY_BYTES if self is ContentCipher.AES128_GCM else 2 * CONTENT_KEY_BYTES


class KeyCipher(_Uri):
    """``xenc:EncryptionMethod`` of an EncryptedKey (XML Encryption 1.1 sections 5.5 and 5.7, documented)."""

    RSA_OAEP = f"{_XENC11}rsa-oaep"
    RSA_OAEP_MGF1P = f"{_XENC}rsa-oaep-mgf1p"
    """The older name; its mask generation is fixed to SHA-1."""
    KW_AES128 = f"{_XENC}kw-aes128"


class Agreement(_Uri):
    """``xenc:AgreementMethod`` (RFC 9231 and successors, XML Encryption 1.1 section 5.6.4; documented)."""

    X25519 = f"{_MORE}x25519"
    ECDH_ES = f"{_XENC11}ECDH-ES"


class Hash(_Uri):
    """Digest inside OAEP (XML Encryption 1.1 section 5.5.2, documented)."""

    SHA1 = "http://www.w3.org/2000/09/xmldsig#sha1"
    SHA256 = f"{_XENC}sha256"


class MaskHash(_Uri):
    """Digest inside the mask generation of OAEP (XML Encryption 1.1 section 5.5.2, documented)."""

    SHA1 = f"{_XENC11}mgf1sha1"
    SHA256 = f"{_XENC11}mgf1sha256"


_HASHES: Final[dict[str, hashes.HashAlgorithm]] = {
    Hash.SHA1: hashes.SHA1(),  # noqa: S303 - for the receiver who accepts older products
    Hash.SHA256: hashes.SHA256(),
    MaskHash.SHA1: hashes.SHA1(),  # noqa: S303 - as above
    MaskHash.SHA256: hashes.SHA256(),
}
HKDF_URI: Final = f"{_MORE}hkdf"
HMAC_SHA256: Final = "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256"


@dataclass(frozen=True, slots=True)
class EncryptionPolicy:
    """What a receiver accepts in encryption (allow-list of eDelivery AS4, documented; limits inferred).

    The methods look up the URI a message names and raise EncryptionError when it is unknown or not allowed.
    """

    contents: frozenset[ContentCipher] = frozenset({ContentCipher.AES128_GCM, ContentCipher.AES256_GCM})
    keys: frozenset[KeyCipher] = frozenset(KeyCipher)
    agreements: frozenset[Agreement] = frozenset(Agreement)
    digests: frozenset[Hash] = frozenset({Hash.SHA256})
    masks: frozenset[MaskHash] = frozenset(MaskHash)
    """SHA-1 is not weak as a mask, and the older name of OAEP allows no other."""
    default_digest: Hash = Hash.SHA1
    """What OAEP without a DigestMethod means; the standard says SHA-1 (XML Encryption 1.1 section 5.5.2)."""
    max_keys: int = 16
    """More EncryptedKeys than this are a waste of our time, not a message."""

    def content(self, uri: str) -> ContentCipher:
        """Return the cipher for content that ``uri`` names."""
        return _allowed(ContentCipher(uri), self.contents)

    def key(self, uri: str) -> KeyCipher:
        """Return the cipher for keys that ``uri`` names."""
        return _allowed(KeyCipher(uri), self.keys)

    def agreement(self, uri: str) -> Agreement:
        """Return the key agreement that ``uri`` names."""
        return _allowed(Agreement(uri), self.agreements)

    def digest(self, uri: str) -> Hash:
        """Return the digest of OAEP that ``uri`` names."""
        return _allowed(Hash(uri), self.digests)

    def mask(self, uri: str) -> MaskHash:
        """Return the mask digest of OAEP that ``uri`` names."""
        return _allowed(MaskHash(uri), self.masks)


ACCEPT: Final = EncryptionPolicy()
"""eDelivery AS4 1.15 and 2.0: authenticated encryption only, OAEP with SHA-256, agreement with HKDF."""
ACCEPT_OAEP_SHA1: Final = replace(ACCEPT, digests=frozenset(Hash))
"""For older products that leave OAEP at its default of SHA-1 (inferred)."""
ACCEPT_PROTOTYPE: Final = replace(ACCEPT, default_digest=Hash.SHA256)
"""For the prototype of an EESSI access point, which uses SHA-256 and does not say so (observed)."""
_Member = TypeVar("_Member", bound=_Uri)


def _allowed(member: _Member, allowed: frozenset[_Member]) -> _Member:
    if member not in allowed:
        raise _refused(member, tuple(allowed))
    return member


def _refused(uri: str, allowed: tuple[str, ...]) -> EncryptionError:
    return EncryptionError(
        f'Expected an algorithm for encryption that the policy allows, found "{uri[:120]}"',
        hint="Encrypt again with one of: " + ", ".join(sorted(allowed)) + ".",
        found=uri[:120],
    )


def undecryptable() -> DecryptionError:
    """Return the one error for every failure to decrypt; what failed exactly helps only attackers."""
    return DecryptionError(
        "Expected content encrypted for a key of ours, found content that cannot be decrypted",
        hint="Encrypt for the certificate that we publish now, and send the octets unchanged.",
    )


# Content


def new_content_key(cipher: ContentCipher = ContentCipher.AES128_GCM) -> bytes:
    """Return a new random key for ``cipher``."""
    return os.urandom(cipher.key_bytes)


def encrypt_content(content: bytes, key: bytes) -> bytes:
    """Return a random 96-bit IV, the AES-GCM ciphertext and its 128-bit tag (XML Encryption 1.1 section 5.2.4)."""
    iv = os.urandom(IV_BYTES)
    return iv + AESGCM(key).encrypt(iv, content, None)


def decrypt_content(octets: bytes, key: bytes, cipher: ContentCipher) -> bytes:
    """Return the content of what ``encrypt_content`` made.

    Raises:
        DecryptionError: wrong key, changed or cut octets.
    """
    if len(key) != cipher.key_bytes or len(octets) < IV_BYTES + _TAG_BYTES:
        raise undecryptable()
    try:
        return AESGCM(key).decrypt(octets[:IV_BYTES], octets[IV_BYTES:], None)
    except InvalidTag as error:
        raise undecryptable() from error


# Key transport


@dataclass(frozen=True, slots=True)
class Oaep:
    """Parameters of RSA-OAEP (RFC 8017 section 7.1); the defaults are those of eDelivery AS4 1.15."""

    digest: Hash = Hash.SHA256
    mask: MaskHash = MaskHash.SHA256
    label: bytes = b""

    @property
    def _padding(self) -> padding.OAEP:
        mask = padding.MGF1(_HASHES[self.mask])
        return padding.OAEP(mgf=mask, algorithm=_HASHES[self.digest], label=self.label or None)

    def wrap(self, content_key: bytes, recipient: Certificate) -> bytes:
        """Encrypt a content key for the RSA key of ``recipient``.

        Raises:
            EncryptionError: the certificate has another kind of key.
        """
        key = recipient.decoded.public_key()
        if not isinstance(key, rsa.RSAPublicKey):
            raise _unsuitable(recipient, "an RSA key")
        return key.encrypt(content_key, self._padding)

    def unwrap(self, wrapped: bytes, held: HeldKey, key_bytes: int) -> bytes:
        """Decrypt a content key; a wrong value gives a random key, so that only the content fails.

        Raises:
            DecryptionError: our key is of another kind.
        """
        key = held.private_key
        if not isinstance(key, rsa.RSAPrivateKey):
            raise undecryptable()
        try:
            return key.decrypt(wrapped, self._padding)
        except ValueError:
            return os.urandom(key_bytes)


# Key agreement


@dataclass(frozen=True, slots=True)
class Derivation:
    """HKDF with HMAC-SHA-256 (RFC 5869) as AS4 2.0 describes it, for a key of AES-128 key wrap."""

    salt: bytes
    info: bytes

    def __post_init__(self) -> None:
        if max(len(self.salt), len(self.info)) > _MAX_PARAMETER_BYTES:
            raise EncryptionError(
                f"Expected salt and info of at most {_MAX_PARAMETER_BYTES} bytes, found more"
            )

    @classmethod
    def new(cls, info: bytes) -> Self:
        """Return a derivation with a random salt."""
        return cls(os.urandom(_SALT_BYTES), info)

    def key(self, secret: bytes) -> bytes:
        """Return the key that wraps the content key."""
        return HKDF(hashes.SHA256(), CONTENT_KEY_BYTES, self.salt or None, self.info).derive(secret)


@dataclass(frozen=True, slots=True)
class Agreed:
    """A content key wrapped under an agreed secret, and what the recipient needs to agree on the same."""

    agreement: Agreement
    originator: bytes
    """SubjectPublicKeyInfo of the ephemeral key."""
    derivation: Derivation
    wrapped: bytes

    @classmethod
    def wrap(cls, content_key: bytes, recipient: Certificate, derivation: Derivation) -> Self:
        """Wrap a content key for the key of ``recipient``: X25519, or ECDH on the curve P-256.

        Raises:
            EncryptionError: the certificate has another kind of key.
        """
        public = recipient.decoded.public_key()
        if isinstance(public, x25519.X25519PublicKey):
            ephemeral = x25519.X25519PrivateKey.generate()
            secret = ephemeral.exchange(public)
            return cls(
                Agreement.X25519,
                _spki(ephemeral),
                derivation,
                aes_key_wrap(derivation.key(secret), content_key),
            )
        if isinstance(public, ec.EllipticCurvePublicKey) and isinstance(public.curve, ec.SECP256R1):
            once = ec.generate_private_key(ec.SECP256R1())
            secret = once.exchange(ec.ECDH(), public)
            return cls(
                Agreement.ECDH_ES, _spki(once), derivation, aes_key_wrap(derivation.key(secret), content_key)
            )
        raise _unsuitable(recipient, "a key of X25519 or P-256")

    def unwrap(self, held: HeldKey) -> bytes:
        """Return the content key.

        Raises:
            DecryptionError: another key, a point of low order (RFC 7748 section 6.1), or changed octets.
        """
        try:
            return aes_key_unwrap(self.derivation.key(self._secret(held)), self.wrapped)
        except (InvalidUnwrap, *READ_ERRORS) as error:
            raise undecryptable() from error

    def _secret(self, held: HeldKey) -> bytes:
        mine, theirs = held.private_key, load_der_public_key(self.originator)
        if self.agreement is Agreement.X25519:
            if isinstance(mine, x25519.X25519PrivateKey) and isinstance(theirs, x25519.X25519PublicKey):
                return mine.exchange(theirs)
        elif isinstance(mine, ec.EllipticCurvePrivateKey) and isinstance(theirs, ec.EllipticCurvePublicKey):
            return mine.exchange(ec.ECDH(), theirs)
        raise undecryptable()


def _spki(key: x25519.X25519PrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _unsuitable(recipient: Certificate, wanted: str) -> EncryptionError:
    return EncryptionError(
        f'Expected {wanted} to encrypt for, found another in the certificate of "{recipient.subject}"',
        hint="Choose the profile that fits the receiver's certificate, or ask for the right certificate.",
    )
