"""Processing modes: what two gateways have agreed on, as one value, with presets for EESSI and eDelivery.

Values and checks of values only. A mode is the P-Mode of ebMS3 core appendix D for one-way exchanges; the presets
are EESSI's (observed) and those of eDelivery AS4 1.15 and 2.0 (documented).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from eessi_sim.as4 import vocabulary
from eessi_sim.as4.key_references import KeyReference
from eessi_sim.as4.model import Agreement, Party
from eessi_sim.as4.pmode import ReceptionAwareness
from eessi_sim.errors import SettingsError
from eessi_sim.security import ciphers
from eessi_sim.security.ciphers import Agreement as KeyAgreement
from eessi_sim.security.ciphers import ContentCipher, EncryptionPolicy, Hash, KeyCipher, MaskHash
from eessi_sim.security.keys import Certificate, KeyPair
from eessi_sim.security.policy import DEFAULT, DigestAlgorithm, SignatureAlgorithm, SignaturePolicy


class ReplyPattern(StrEnum):
    """How receipts and errors come back (P-Mode parameter Security.SendReceipt.ReplyPattern)."""

    RESPONSE = "response"
    """In the HTTP response: point to point."""
    CALLBACK = "callback"
    """In a request of the receiver's own: EESSI, across access points."""


class KeyUse(StrEnum):
    """Kind of key that a profile encrypts for."""

    RSA = "RSA"
    X25519 = "X25519"
    P_256 = "P-256"


@dataclass(frozen=True, slots=True, kw_only=True)
class Security:
    """Signature and encryption of the user messages of one mode."""

    signature: SignatureAlgorithm | None = None
    """Algorithm of our own signatures; None leaves it to the key."""
    signatures: SignaturePolicy = DEFAULT
    """What is accepted in signatures."""
    key_reference: KeyReference = KeyReference.TOKEN
    encrypts_for: KeyUse | None = None
    """Kind of the receiver's key; None sends readable parts, and refuses encrypted ones."""
    encryption: EncryptionPolicy = ciphers.ACCEPT
    """What is accepted in encryption."""
    recipient_reference: KeyReference = KeyReference.TOKEN


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessingMode:
    """One agreement on one kind of message, in one direction; what is None matches anything."""

    id: str
    sender: Party | None = None
    receiver: Party | None = None
    service: str | None = None
    service_type: str | None = None
    """Only compared together with ``service``."""
    action: str | None = None
    agreement: Agreement | None = None
    mpc: str = vocabulary.DEFAULT_MPC
    address: str | None = None
    """URL of the receiver."""
    security: Security = field(default_factory=Security)
    reply: ReplyPattern = ReplyPattern.RESPONSE
    is_multihop: bool = False
    is_compressed: bool = True
    awareness: ReceptionAwareness = field(default_factory=ReceptionAwareness)

    def check_keys(self, keys: KeyPair, recipient: Certificate | None) -> None:
        """Check that the keys at hand are those that the mode asks for.

        Args:
            keys: what we sign with.
            recipient: whom we encrypt for, None when nobody.

        Raises:
            SettingsError: another kind of key, or none where one is needed.
        """
        wanted = self.security.signature
        if wanted not in (None, keys.signature_algorithm):
            raise self._unfit("a signing key for", str(wanted), str(keys.signature_algorithm))
        use = self.security.encrypts_for
        if use is not None:
            found = None if recipient is None else _use_of(recipient)
            if found is not use:
                raise self._unfit("a receiver's certificate with a key of", use, found or "none")

    def _unfit(self, what: str, wanted: str, found: str) -> SettingsError:
        return SettingsError(
            f'Expected {what} {wanted} in the P-Mode "{self.id}", found {found}',
            hint="Give the key that the profile asks for, or choose the profile that fits the key.",
        )


def _use_of(certificate: Certificate) -> KeyUse | None:
    if certificate.is_rsa:
        return KeyUse.RSA
    return _USES.get(type(certificate.decoded.public_key()).__name__)


_USES: Final[Mapping[str, KeyUse]] = MappingProxyType(
    {"X25519PublicKey": KeyUse.X25519, "ECPublicKey": KeyUse.P_256}
)


def _policy(algorithm: SignatureAlgorithm) -> SignaturePolicy:
    return replace(DEFAULT, signatures=frozenset({algorithm}), digests=frozenset({DigestAlgorithm.SHA256}))


_GCM_128: Final = frozenset({ContentCipher.AES128_GCM})
_TRANSPORT: Final = EncryptionPolicy(
    contents=_GCM_128,
    keys=frozenset({KeyCipher.RSA_OAEP}),
    agreements=frozenset(),
    digests=frozenset({Hash.SHA256}),
    masks=frozenset({MaskHash.SHA256}),
)


def _agreement(method: KeyAgreement) -> EncryptionPolicy:
    return EncryptionPolicy(
        contents=_GCM_128, keys=frozenset({KeyCipher.KW_AES128}), agreements=frozenset({method})
    )


class ProfileName(StrEnum):
    """Presets of modes."""

    EESSI = "eessi"
    EDELIVERY_1 = "edelivery-1.15"
    EDELIVERY_2 = "edelivery-2.0"
    EDELIVERY_2_EC = "edelivery-2.0-ec"


EESSI: Final = ProcessingMode(
    id=ProfileName.EESSI,
    service=vocabulary.BUSINESS_SERVICE,
    service_type=vocabulary.SERVICE_TYPE,
    action=vocabulary.SEND_ACTION,
    reply=ReplyPattern.CALLBACK,
    is_multihop=True,
)
"""Institutions: signed, readable, across access points, receipts by callback (observed)."""
EDELIVERY_1: Final = ProcessingMode(
    id=ProfileName.EDELIVERY_1,
    security=Security(
        signature=SignatureAlgorithm.RSA_SHA256,
        signatures=_policy(SignatureAlgorithm.RSA_SHA256),
        encrypts_for=KeyUse.RSA,
        encryption=_TRANSPORT,
    ),
)
"""eDelivery AS4 1.15: RSA-SHA256, AES-128-GCM under RSA-OAEP, receipts in the response (documented)."""
EDELIVERY_2: Final = ProcessingMode(
    id=ProfileName.EDELIVERY_2,
    security=Security(
        signature=SignatureAlgorithm.ED25519,
        signatures=_policy(SignatureAlgorithm.ED25519),
        encrypts_for=KeyUse.X25519,
        encryption=_agreement(KeyAgreement.X25519),
    ),
)
"""eDelivery AS4 2.0, common profile: Ed25519, X25519 with HKDF and AES key wrap (documented)."""
EDELIVERY_2_EC: Final = ProcessingMode(
    id=ProfileName.EDELIVERY_2_EC,
    security=Security(
        signature=SignatureAlgorithm.ECDSA_SHA256,
        signatures=_policy(SignatureAlgorithm.ECDSA_SHA256),
        encrypts_for=KeyUse.P_256,
        encryption=_agreement(KeyAgreement.ECDH_ES),
    ),
)
"""eDelivery AS4 2.0, alternative for elliptic curves: ECDSA and ECDH-ES on P-256 (documented)."""
PRESETS: Final[Mapping[str, ProcessingMode]] = MappingProxyType(
    {mode.id: mode for mode in (EESSI, EDELIVERY_1, EDELIVERY_2, EDELIVERY_2_EC)}
)
"""The presets by the names of ``ProfileName``."""
