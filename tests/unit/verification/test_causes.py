"""Why a digest does not fit, when the content is as it was signed and only the number beside it is wrong."""

import hashlib
from base64 import b64encode

import pytest
from tests.helpers.broken_seals import COMPACT, differences, resealed
from tests.helpers.seals import sealed

from eessi_sim.security.policy import DigestAlgorithm
from eessi_sim.security.xmldsig import Reference
from eessi_sim.verification.accidents.digests import explain_digest
from eessi_sim.verification.accidents.model import Content
from eessi_sim.verification.accidents.search import QUICK
from eessi_sim.verification.causes import difference_of
from eessi_sim.verification.facts import SignedThing


def thing(octets: bytes, digest: bytes, algorithm: DigestAlgorithm = DigestAlgorithm.SHA256) -> SignedThing:
    """A reference with any digest."""
    return SignedThing(Reference("#a", (), digest, algorithm), Content(octets), ())


@pytest.mark.parametrize(
    ("digest", "code", "words"),
    [
        (
            hashlib.sha1(b"a", usedforsecurity=False).digest(),
            "digest-algorithm",
            "made with SHA-1, but the signature says SHA-256",
        ),
        (hashlib.sha512(b"a").digest(), "digest-algorithm", "made with SHA-512"),
        (hashlib.sha256(b"a").hexdigest().encode(), "digest-spelling", "in hexadecimal"),
        (b64encode(hashlib.sha256(b"a").digest()), "digest-spelling", "in base64 twice"),
        (hashlib.sha256(b"a").digest()[::-1], "digest-spelling", "reverse order"),
        (hashlib.sha256(hashlib.sha256(b"a").digest()).digest(), "digest-twice", "used twice"),
        (hashlib.sha256(b"other").digest(), "digest-of-another", "another reference, #a"),
        (b"12345", "digest-length", "length of no algorithm"),
    ],
)
def test_a_wrong_digest_of_right_content_is_named(digest: bytes, code: str, words: str) -> None:
    """Algorithm, spelling, repetition and exchange of digests are told."""
    other = thing(b"other", b"")
    found = difference_of(thing(b"a", digest), [other], QUICK)
    assert found.accidents == (code,)
    assert words in found.cause


def test_longer_digests_are_tried_with_the_algorithm_of_the_reference() -> None:
    """An accident is undone with the algorithm that the reference states."""
    digest = hashlib.sha512(b"a\nb").digest()
    found = difference_of(thing(b"a\r\nb", digest, DigestAlgorithm.SHA512), [], QUICK)
    assert found.accidents == ("lf-to-crlf",)


def test_a_digest_of_another_length_is_tried_with_its_own_algorithm() -> None:
    """A digest of the wrong algorithm over damaged content is still explained."""
    found = difference_of(thing(b"a\r\nb", hashlib.sha384(b"a\nb").digest()), [], QUICK)
    assert found.accidents == ("lf-to-crlf",)


def test_a_digest_that_was_not_made_of_the_content_is_not_explained() -> None:
    """A digest of something else has no explanation by itself."""
    assert explain_digest(b"a", hashlib.sha256(b"b").digest(), "sha256") is None


def test_a_difference_shows_both_digests_in_base64() -> None:
    """Digests are shown as the signature writes them."""
    found = difference_of(thing(b"", b"\x00" * 32), [], QUICK)
    assert (found.reference, found.expected[:4], found.found[:4]) == ("#a", "AAAA", "47DE")


def test_a_signer_with_another_algorithm_is_told_in_a_sed() -> None:
    """A seal whose digest was made with SHA-512 under the name of SHA-256 is explained, its value fits."""
    [found] = differences(resealed(sealed(COMPACT), lambda _: hashlib.sha512(COMPACT).digest()))
    assert found.accidents == ("digest-algorithm",)
