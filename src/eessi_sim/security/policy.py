"""What a receiver accepts in a signature: algorithms as enums of their URIs, limits, the default policy.

An algorithm that is not named here does not exist for us; one that is named but not allowed is refused.
No cryptography is done here.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, Self, TypeVar

from eessi_sim.errors import SignatureError
from eessi_sim.security.indication import SubIndication

_XMLDSIG = "http://www.w3.org/2000/09/xmldsig#"
_MORE = "http://www.w3.org/2001/04/xmldsig-more#"
_HMAC = "a shared secret is no proof of origin"
_SHA1 = "collisions of SHA-1 are practical"
_MD5 = "MD5 is broken"
_NOT_OURS = "the agreed profile does not use it"
_PROGRAM = "a transform that computes can hide what is signed"

WHY_REFUSED: Final = {
    "": "an empty name is no algorithm",
    f"{_XMLDSIG}rsa-sha1": _SHA1,
    f"{_XMLDSIG}dsa-sha1": _SHA1,
    f"{_XMLDSIG}sha1": _SHA1,
    f"{_MORE}ecdsa-sha1": _SHA1,
    f"{_MORE}md5": _MD5,
    f"{_MORE}rsa-md5": _MD5,
    f"{_XMLDSIG}hmac-sha1": _HMAC,
    f"{_MORE}hmac-md5": _HMAC,
    f"{_MORE}hmac-sha256": _HMAC,
    f"{_MORE}hmac-sha384": _HMAC,
    f"{_MORE}hmac-sha512": _HMAC,
    f"{_XMLDSIG}base64": _PROGRAM,
    "http://www.w3.org/TR/1999/REC-xpath-19991116": _PROGRAM,
    "http://www.w3.org/2002/06/xmldsig-filter2": _PROGRAM,
    "http://www.w3.org/TR/1999/REC-xslt-19991116": _PROGRAM,
}
"""Algorithms that attackers or old products try, and why we do not accept them (our choice, inferred)."""


class _Uri(StrEnum):
    """An algorithm named by its URI; looking up an unknown one raises SignatureError."""

    @classmethod
    def _missing_(cls, value: object) -> Self:
        raise _refused(cls, str(value), tuple(cls))


class SignatureAlgorithm(_Uri):
    """``ds:SignatureMethod`` (XMLDSig 1.1 section 6.4, RFC 9231; documented)."""

    RSA_SHA256 = f"{_MORE}rsa-sha256"
    RSA_SHA384 = f"{_MORE}rsa-sha384"
    RSA_SHA512 = f"{_MORE}rsa-sha512"
    ECDSA_SHA256 = f"{_MORE}ecdsa-sha256"
    ECDSA_SHA384 = f"{_MORE}ecdsa-sha384"
    ECDSA_SHA512 = f"{_MORE}ecdsa-sha512"
    ED25519 = "http://www.w3.org/2021/04/xmldsig-more#eddsa-ed25519"
    """eDelivery AS4 2.0, common profile (documented)."""


class DigestAlgorithm(_Uri):
    """``ds:DigestMethod`` (XMLDSig 1.1 section 6.2, RFC 9231; documented)."""

    SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"
    SHA384 = f"{_MORE}sha384"
    SHA512 = "http://www.w3.org/2001/04/xmlenc#sha512"


class Canonicalization(_Uri):
    """``ds:CanonicalizationMethod`` of the SignedInfo (XMLDSig 1.1 section 6.5, documented)."""

    EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
    INCLUSIVE = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
    """Known, but not allowed: its octets depend on what surrounds the signature."""


class Transform(_Uri):
    """``ds:Transform`` of a reference (XMLDSig 1.1 section 6.6, WSS SwA profile 5.4; documented)."""

    ENVELOPED_SIGNATURE = f"{_XMLDSIG}enveloped-signature"
    EXCLUSIVE_C14N = "http://www.w3.org/2001/10/xml-exc-c14n#"
    SWA_CONTENT = (
        "http://docs.oasis-open.org/wss/oasis-wss-SwAProfile-1.1#Attachment-Content-Signature-Transform"
    )


_Member = TypeVar("_Member", bound=_Uri)

_KIND: Final = {
    "SignatureAlgorithm": "a signature algorithm",
    "DigestAlgorithm": "a digest algorithm",
    "Canonicalization": "a canonicalization",
    "Transform": "a transform",
}


def _refused(kind: type[_Uri], uri: str, allowed: Collection[_Uri]) -> SignatureError:
    reason = WHY_REFUSED.get(uri, _NOT_OURS)
    return SignatureError(
        f'Expected {_KIND[kind.__name__]} that the policy allows, found "{uri[:120]}": {reason}',
        verdict=SubIndication.CRYPTO_CONSTRAINTS_FAILURE,
        hint="Sign again with one of: " + ", ".join(sorted(allowed)) + ".",
        found=uri[:120],
    )


@dataclass(frozen=True, slots=True)
class SignaturePolicy:
    """What a receiver accepts in a signature (allow-list of eDelivery AS4 and EESSI; inferred).

    Each method looks up the URI that a signature names and raises SignatureError, with the verdict
    CRYPTO_CONSTRAINTS_FAILURE, when it is unknown or not allowed.
    """

    signatures: frozenset[SignatureAlgorithm]
    digests: frozenset[DigestAlgorithm]
    canonicalizations: frozenset[Canonicalization]
    transforms: frozenset[Transform]
    min_rsa_bits: int = 2048
    min_ec_bits: int = 256
    max_references: int = 64
    """More references than this are a waste of our time, not a message (our limit, inferred)."""

    def signature(self, uri: str) -> SignatureAlgorithm:
        """Return the signature algorithm ``uri`` names."""
        return _allowed(SignatureAlgorithm, uri, self.signatures)

    def digest(self, uri: str) -> DigestAlgorithm:
        """Return the digest algorithm ``uri`` names."""
        return _allowed(DigestAlgorithm, uri, self.digests)

    def canonicalization(self, uri: str) -> Canonicalization:
        """Return the canonicalization ``uri`` names."""
        return _allowed(Canonicalization, uri, self.canonicalizations)

    def transform(self, uri: str) -> Transform:
        """Return the transform ``uri`` names."""
        return _allowed(Transform, uri, self.transforms)


def _allowed(kind: type[_Member], uri: str, allowed: Collection[_Member]) -> _Member:
    member = kind(uri)
    if member not in allowed:
        raise _refused(kind, uri, allowed)
    return member


DEFAULT: Final = SignaturePolicy(
    signatures=frozenset(SignatureAlgorithm) - {SignatureAlgorithm.ED25519},
    digests=frozenset(DigestAlgorithm),
    canonicalizations=frozenset({Canonicalization.EXCLUSIVE}),
    transforms=frozenset(Transform),
)
"""SHA-2 with RSA from 2048 bits or NIST curves, exclusive canonical form; no SHA-1, MD5, HMAC, none."""

EDELIVERY_2: Final = replace(
    DEFAULT,
    signatures=frozenset({SignatureAlgorithm.ED25519, SignatureAlgorithm.ECDSA_SHA256}),
    digests=frozenset({DigestAlgorithm.SHA256}),
)
"""eDelivery AS4 2.0: Ed25519, or ECDSA on P-256 as its alternative; SHA-256 (documented)."""

ANY_PROFILE: Final = replace(DEFAULT, signatures=frozenset(SignatureAlgorithm))
"""For reading what a signature covers; whether it is acceptable is asked when it is verified."""

LEGACY_RSA_1024: Final = replace(DEFAULT, min_rsa_bits=1024)
"""For reading old samples of other products; never for messages."""
