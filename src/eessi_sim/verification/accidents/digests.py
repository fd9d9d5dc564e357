"""Accidents of the digest itself: another algorithm than stated, another spelling, or the digest of something else.

The content is as it was signed then; what is wrong is the number beside it.
"""

import hashlib
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

_ALGORITHMS: Final = (
    "sha256",
    "sha1",
    "sha384",
    "sha512",
    "md5",
    "sha224",
    "sha3_256",
    "sha3_384",
    "sha3_512",
    "blake2s",
    "blake2b",
)
_SPELLINGS: Final[tuple[tuple[str, Callable[[bytes], bytes]], ...]] = (
    ("in hexadecimal before it was put into base64", lambda digest: digest.hex().encode()),
    ("in upper-case hexadecimal before it was put into base64", lambda digest: digest.hex().upper().encode()),
    ("in base64 twice", b64encode),
    ("with its octets in reverse order", lambda digest: digest[::-1]),
)


@dataclass(frozen=True, slots=True)
class DigestAccident:
    """What is wrong with a digest whose content is as it was signed."""

    code: str
    sentence: str


def explain_digest(octets: bytes, expected: bytes, algorithm: str) -> DigestAccident | None:
    """Return how ``expected`` was made of ``octets``, None when it was not.

    Args:
        octets: what was digested here.
        expected: the digest that the signature states.
        algorithm: name of the algorithm that the signature states, as hashlib calls it.
    """
    for name in _ALGORITHMS:
        digest = hashlib.new(name, octets, usedforsecurity=False).digest()
        if digest == expected:
            sentence = f"The digest was made with {_label(name)}, but the signature says {_label(algorithm)}"
            return DigestAccident("digest-algorithm", sentence)
        spelled = _spelled(digest, expected)
        if spelled:
            return DigestAccident("digest-spelling", f"The digest ({_label(name)}) was written {spelled}")
        if expected in _twice(name, digest):
            return DigestAccident(
                "digest-twice", f"The signer digested the digest: {_label(name)} was used twice"
            )
    return None


def _spelled(digest: bytes, expected: bytes) -> str | None:
    return next((how for how, spell in _SPELLINGS if spell(digest) == expected), None)


def _twice(name: str, digest: bytes) -> Iterator[bytes]:
    for again in (digest, digest.hex().encode(), b64encode(digest)):
        yield hashlib.new(name, again, usedforsecurity=False).digest()


def _label(name: str) -> str:
    return (
        name.upper()
        .replace("_", "-")
        .replace("SHA1", "SHA-1")
        .replace("SHA2", "SHA-2")
        .replace("SHA5", "SHA-5")
        .replace("SHA384", "SHA-384")
    )
