"""References of XML signatures as values: what was signed, how its octets were made, and their digest.

Shared by who writes signatures, who reads them (both ``xmldsig``) and the quick reader of ``signed_info``.
"""

import hashlib
import re
from binascii import a2b_base64, b2a_base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from eessi_sim.errors import SignatureError
from eessi_sim.security.indication import SubIndication
from eessi_sim.security.policy import Canonicalization, DigestAlgorithm, Transform
from eessi_sim.stretch import Extent, Stretch

DS: Final = "http://www.w3.org/2000/09/xmldsig#"
EXC_C14N: Final = str(Canonicalization.EXCLUSIVE)
_PREFIX: Final = re.compile(r"#default|[A-Za-z_][A-Za-z0-9_.-]{0,63}")
_MAX_PREFIXES: Final = 64
MAX_TRANSFORMS: Final = 8
_DIGESTS: Final = {
    DigestAlgorithm.SHA256: hashlib.sha256,
    DigestAlgorithm.SHA384: hashlib.sha384,
    DigestAlgorithm.SHA512: hashlib.sha512,
}


@dataclass(frozen=True, slots=True)
class TransformStep:
    """One ``ds:Transform`` of a reference."""

    transform: Transform
    prefixes: tuple[str, ...] = ()
    """PrefixList of InclusiveNamespaces; only with exclusive canonical form."""


ENVELOPED: Final = TransformStep(Transform.ENVELOPED_SIGNATURE)
EXCLUSIVE: Final = TransformStep(Transform.EXCLUSIVE_C14N)
SWA_CONTENT: Final = TransformStep(Transform.SWA_CONTENT)


@dataclass(frozen=True, slots=True)
class Reference:
    """One ``ds:Reference``: what was signed, how its octets were made, and their digest."""

    uri: str
    transforms: tuple[TransformStep, ...]
    digest_value: bytes
    digest_algorithm: DigestAlgorithm = DigestAlgorithm.SHA256
    id: str | None = None
    type: str | None = None

    @classmethod
    def over(cls, octets: Extent, uri: str, *transforms: TransformStep) -> "Reference":
        """Make a SHA-256 reference over ``octets``, which are the result of ``transforms``."""
        return cls(uri, transforms, digest(octets))

    def digest_of(self, octets: Extent) -> bytes:
        """Return the digest of ``octets`` with the algorithm of this reference."""
        return digest(octets, self.digest_algorithm)


def digest(octets: Extent, algorithm: DigestAlgorithm = DigestAlgorithm.SHA256) -> bytes:
    """Return the digest of ``octets``, wherever they lie."""
    if isinstance(octets, Stretch):
        if octets.sha256 is not None and algorithm is DigestAlgorithm.SHA256:
            return octets.sha256
        running = _DIGESTS[algorithm]()
        for piece in octets.pieces():
            running.update(piece)
        return running.digest()
    return _DIGESTS[algorithm](octets).digest()


def are_prefixes(prefixes: Sequence[str]) -> bool:
    """Return whether a PrefixList can be one (xml-exc-c14n section 3)."""
    return len(prefixes) <= _MAX_PREFIXES and all(_PREFIX.fullmatch(prefix) for prefix in prefixes)


def octets_in(compact: str | bytes) -> bytes | None:
    """Return the octets of base64 without white space, None for any spelling that no encoder gives."""
    try:
        octets = a2b_base64(compact, strict_mode=True)
    except ValueError:
        return None
    written = b2a_base64(octets, newline=False)
    return octets if written == (compact.encode() if isinstance(compact, str) else compact) else None


def malformed(message: str, hint: str | None = None) -> SignatureError:
    """Return the error for a structure that is not ours, verdict FORMAT_FAILURE."""
    return SignatureError(message, verdict=SubIndication.FORMAT_FAILURE, hint=hint)
