"""Why a signature does not fit: one difference for each thing that is wrong, with what probably happened.

A digest cannot be turned round; but a known accident can be undone, and if the digest then fits, that was it, and
the form that was signed is known. The accidents stand in ``accidents``.
"""

import hashlib
from collections.abc import Sequence
from typing import Final

from eessi_sim.security.policy import DigestAlgorithm
from eessi_sim.security.xmldsig import Reference
from eessi_sim.verification.accidents.digests import explain_digest
from eessi_sim.verification.accidents.search import Effort, Search, search
from eessi_sim.verification.canonical_diff import compare
from eessi_sim.verification.facts import SignedThing
from eessi_sim.verification.outcome import Comparison, Difference, Forms, in_base64

_ALGORITHM_BY_SIZE: Final = {32: "sha256", 48: "sha384", 64: "sha512", 20: "sha1", 28: "sha224", 16: "md5"}
_STATED: Final = {
    DigestAlgorithm.SHA256: "sha256",
    DigestAlgorithm.SHA384: "sha384",
    DigestAlgorithm.SHA512: "sha512",
}
UNKNOWN: Final = "The content was changed after signing, and not by one of the usual accidents"
_NO_LENGTH: Final = "The digest in the signature has the length of no algorithm that is in use"
RECONSTRUCTED: Final = "made again: the accident was undone, and the digest fits"
_NEUTRAL: Final = (
    "Not the cause, because the canonical form is the same: comments, CDATA, XML declaration, byte order mark, "
    "CR LF line ends of the file, order and quotes of attributes, spelling of references and of empty elements"
)


def difference_of(thing: SignedThing, others: Sequence[SignedThing], effort: Effort) -> Difference:
    """Return what is wrong with a reference whose digest does not fit.

    Args:
        thing: the reference, and what it digests.
        others: all references of the signature, of which one may have the digest of another.
        effort: how hard to look.
    """
    reference, octets = thing.reference, thing.content.octets
    known = _wrong_digest(thing, others)
    if known is not None:
        code, sentence = known
        return _difference(thing, sentence, (code,), forms=Forms(octets, octets))
    fits = _fits(reference)
    if fits is None:
        return _difference(thing, _NO_LENGTH, ("digest-length",))
    result = search(thing.content, fits, effort)
    if result.undone is None:
        remarks = (tried_sentence(result), *([_NEUTRAL] if _is_canonical(thing) else []))
        return _difference(thing, UNKNOWN, tried=result.tried, remarks=remarks)
    undone = result.undone
    return _difference(
        thing,
        undone.sentence,
        undone.codes,
        comparison=compare(undone.octets, octets, RECONSTRUCTED),
        forms=Forms(octets, undone.octets),
    )


def _difference(
    thing: SignedThing,
    cause: str,
    accidents: tuple[str, ...] = (),
    *,
    comparison: Comparison | None = None,
    tried: tuple[str, ...] = (),
    remarks: tuple[str, ...] = (),
    forms: Forms | None = None,
) -> Difference:
    return Difference(
        thing.name,
        in_base64(thing.reference.digest_value),
        in_base64(thing.digest),
        cause,
        accidents,
        comparison,
        tried,
        remarks,
        forms or Forms(thing.content.octets),
    )


def _wrong_digest(thing: SignedThing, others: Sequence[SignedThing]) -> tuple[str, str] | None:
    """Return the code and sentence when the content is right and the digest beside it is not."""
    expected = thing.reference.digest_value
    accident = explain_digest(thing.content.octets, expected, _STATED[thing.reference.digest_algorithm])
    if accident is not None:
        return accident.code, accident.sentence
    for other in others:
        if other is not thing and thing.reference.digest_of(other.content.octets) == expected:
            return "digest-of-another", f"This is the digest of another reference, {other.name}"
    return None


def _fits(reference: Reference) -> "Fits | None":
    """Return whether octets are what was signed, by the algorithm that the length of the digest tells."""
    expected = reference.digest_value
    name = _STATED[reference.digest_algorithm]
    if len(expected) != hashlib.new(name).digest_size:
        name = _ALGORITHM_BY_SIZE.get(len(expected), "")
    if not name:
        return None
    return Fits(name, expected)


class Fits:
    """Compares the digest of octets with the one that is wanted.

    Args:
        algorithm: as hashlib calls it.
        expected: the digest.
    """

    def __init__(self, algorithm: str, expected: bytes) -> None:
        self._algorithm, self._expected = algorithm, expected

    def __call__(self, octets: bytes) -> bool:
        """Return whether ``octets`` have the digest."""
        return hashlib.new(self._algorithm, octets, usedforsecurity=False).digest() == self._expected


def _is_canonical(thing: SignedThing) -> bool:
    scene = thing.content.scene
    return scene is not None and scene.target is not None


def tried_sentence(result: Search) -> str:
    """Return how much was tried in vain."""
    end = "" if result.is_complete else "; there is more to try than is worth the time"
    return f"{len(result.tried)} accidents were undone in {result.candidates} forms, none of which fits{end}"
