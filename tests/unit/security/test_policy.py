"""Allow-lists of algorithms."""

from collections.abc import Callable
from enum import StrEnum

import pytest

from eessi_sim.errors import SignatureError
from eessi_sim.security.indication import Indication, SubIndication
from eessi_sim.security.policy import (
    DEFAULT,
    LEGACY_RSA_1024,
    WHY_REFUSED,
    Canonicalization,
    DigestAlgorithm,
    SignatureAlgorithm,
    Transform,
)

KINDS = (SignatureAlgorithm, DigestAlgorithm, Canonicalization, Transform)
LOOKUPS = (DEFAULT.signature, DEFAULT.digest, DEFAULT.canonicalization, DEFAULT.transform)


@pytest.mark.parametrize("kind", KINDS)
def test_unknown_uri_fails_when_it_is_looked_up(kind: type[StrEnum]) -> None:
    """A URI that no member has raises SignatureError, not ValueError."""
    with pytest.raises(SignatureError) as caught:
        kind("urn:none")
    assert caught.value.verdict is SubIndication.CRYPTO_CONSTRAINTS_FAILURE
    assert '"urn:none"' in caught.value.message


@pytest.mark.parametrize("uri", WHY_REFUSED)
@pytest.mark.parametrize("lookup", LOOKUPS)
def test_weak_algorithms_are_refused_with_their_reason(lookup: Callable[[str], object], uri: str) -> None:
    """SHA-1, MD5, HMAC, computing transforms and the empty name are refused, and the message says why."""
    with pytest.raises(SignatureError, match=WHY_REFUSED[uri]):
        lookup(uri)


def test_ed25519_is_reserved_and_not_allowed() -> None:
    """Ed25519 has its name already, but the default policy does not accept it."""
    with pytest.raises(SignatureError, match="policy allows"):
        DEFAULT.signature(SignatureAlgorithm.ED25519)


def test_inclusive_canonicalization_of_signed_info_is_not_allowed() -> None:
    """The inclusive form is known by name and refused."""
    with pytest.raises(SignatureError):
        DEFAULT.canonicalization(Canonicalization.INCLUSIVE)


def test_allowed_uris_give_their_members() -> None:
    """Each lookup returns the member of its enum."""
    assert DEFAULT.signature(f"{SignatureAlgorithm.RSA_SHA256}") is SignatureAlgorithm.RSA_SHA256
    assert DEFAULT.digest(f"{DigestAlgorithm.SHA512}") is DigestAlgorithm.SHA512
    assert DEFAULT.canonicalization(f"{Canonicalization.EXCLUSIVE}") is Canonicalization.EXCLUSIVE
    assert DEFAULT.transform(f"{Transform.SWA_CONTENT}") is Transform.SWA_CONTENT


def test_refusal_names_what_is_allowed_instead() -> None:
    """The hint of a refusal lists the allowed URIs."""
    with pytest.raises(SignatureError) as caught:
        DEFAULT.digest("http://www.w3.org/2000/09/xmldsig#sha1")
    assert DigestAlgorithm.SHA256 in (caught.value.hint or "")


def test_legacy_policy_differs_in_the_key_length_only() -> None:
    """For old samples RSA keys of 1024 bits are read; algorithms stay the same."""
    assert LEGACY_RSA_1024.min_rsa_bits == 1024
    assert LEGACY_RSA_1024.signatures == DEFAULT.signatures


@pytest.mark.parametrize(
    ("reason", "indication"),
    [
        (SubIndication.HASH_FAILURE, Indication.TOTAL_FAILED),
        (SubIndication.EXPIRED, Indication.TOTAL_FAILED),
        (SubIndication.NO_CERTIFICATE_CHAIN_FOUND, Indication.INDETERMINATE),
        (SubIndication.CRYPTO_CONSTRAINTS_FAILURE, Indication.INDETERMINATE),
    ],
)
def test_reason_decides_between_failed_and_indeterminate(
    reason: SubIndication, indication: Indication
) -> None:
    """Reasons lead to the main outcome that table 5 of EN 319 102-1 gives them."""
    assert reason.indication is indication
