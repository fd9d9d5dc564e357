"""Seals that are broken on purpose: documents damaged after signing, and signers who digest the wrong octets."""

from base64 import b64encode
from collections.abc import Callable
from hashlib import sha256

from tests.helpers.keys import key_pair
from tests.helpers.seals import DS, sealed

from eessi_sim import xmlsafe
from eessi_sim.security.keys import KeyPair
from eessi_sim.verification.explanation import Question, explained
from eessi_sim.verification.files import verify_file
from eessi_sim.verification.outcome import INTEGRITY_ONLY, Check, Difference

COMPACT = (
    '<u:U018 xmlns:u="http://ec.europa.eu/eessi/ns/4_4/U018" sedGVer="4" sedVer="4"><Person>'
    "<familyName>Åse Żółć</familyName><forename>Bø &amp; Co</forename></Person><Code>01</Code><Code>02</Code>"
    "<Day>2026-03-02</Day><Text>one\ntwo</Text></u:U018>"
).encode()
"""A SED as programs write it."""
FORMATTED = b"\n".join(
    (
        b'<u:U018 xmlns:u="http://ec.europa.eu/eessi/ns/4_4/U018" sedGVer="4" sedVer="4">',
        b"  <Person>",
        b"    <familyName>Nowak</familyName>",
        b"  </Person>",
        b"  <Code>01</Code>",
        b"</u:U018>",
    )
)
"""A SED as people write it."""


def edited(document: bytes, edit: Callable[[bytes], bytes]) -> bytes:
    """The document with a change in front of its signature."""
    at = document.index(b"<ds:Signature ")
    return edit(document[:at]) + document[at:]


def sealed_over(octets: bytes, document: bytes | None = None) -> bytes:
    """A sealed SED whose signer digested ``octets`` for the document; its spelling stays."""
    return resealed(document or sealed(COMPACT), lambda _: sha256(octets).digest())


def resealed(document: bytes, make: Callable[[bytes], bytes], keys: KeyPair | None = None) -> bytes:
    """The document with another digest of itself, made of the right one, and a signature value that fits it."""
    right = _right_digest(document)
    old, new = b64encode(right), b64encode(make(right))
    assert document.count(old) == 1
    changed = document.replace(old, new)
    return with_value(changed, (keys or key_pair()).sign(signed_info_of(changed)))


def _right_digest(document: bytes) -> bytes:
    root = xmlsafe.parse(document)
    signature = root[-1]
    root.remove(signature)
    return sha256(xmlsafe.exclusive_c14n(root)).digest()


def with_value(document: bytes, value: bytes) -> bytes:
    """The document with another signature value."""
    place = next(xmlsafe.parse(document).iter(f"{DS}SignatureValue"))
    return document.replace((place.text or "").encode(), b64encode(value))


def signed_info_of(document: bytes) -> bytes:
    """SignedInfo of the seal in canonical form."""
    return xmlsafe.exclusive_c14n(next(xmlsafe.parse(document).iter(f"{DS}SignedInfo")))


def explained_check(document: bytes, question: Question | None = None, name: str | None = None) -> Check:
    """The check of the first signature of a file, or the check called ``name``, explained."""
    checks = verify_file("file", document, INTEGRITY_ONLY).checks
    check = next(each for each in checks if name in (None, each.name))
    return explained(check, question or Question())


def differences(document: bytes, question: Question | None = None) -> tuple[Difference, ...]:
    """The explanations of a broken signature."""
    return explained_check(document, question).differences
