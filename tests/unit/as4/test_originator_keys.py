"""The ephemeral key of a key agreement, in the forms of XML Signature 1.1."""

import re

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, x25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from eessi_sim.as4 import vocabulary
from eessi_sim.as4.originator_keys import read_originator_key, write_originator_key
from eessi_sim.errors import EncryptionError
from eessi_sim.xmlsafe import Element, parse

KEYS = {
    kind: key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    for kind, key in (
        ("x25519", x25519.X25519PrivateKey.generate()),
        ("p-256", ec.generate_private_key(ec.SECP256R1())),
    )
}
every_kind = pytest.mark.parametrize("kind", KEYS)


def element(text: str) -> Element:
    """Return the element, with the prefixes that the message declares."""
    declared = f'xmlns:xenc="{vocabulary.XENC}" xmlns:ds="{vocabulary.DS}"'
    return parse(text.replace("<xenc:OriginatorKeyInfo>", f"<xenc:OriginatorKeyInfo {declared}>").encode())


@every_kind
def test_what_is_written_is_read(kind: str) -> None:
    """A written key is read as it was."""
    assert read_originator_key(element(write_originator_key(KEYS[kind]))) == KEYS[kind]


def test_forms_are_those_of_santuario() -> None:
    """A curve is an ECKeyValue in a KeyValue; X25519 is DER in OriginatorKeyInfo itself, as Java products want it."""
    assert write_originator_key(KEYS["p-256"]).startswith(
        "<xenc:OriginatorKeyInfo><ds:KeyValue><dsig11:ECKeyValue "
    )
    assert write_originator_key(KEYS["x25519"]).startswith(
        "<xenc:OriginatorKeyInfo><dsig11:DEREncodedKeyValue "
    )


def test_der_is_read_from_a_key_value() -> None:
    """DER within a KeyValue is accepted too."""
    other = write_originator_key(KEYS["x25519"]).replace("<dsig11:", "<ds:KeyValue><dsig11:", 1)
    other = other.replace("</dsig11:DEREncodedKeyValue>", "</dsig11:DEREncodedKeyValue></ds:KeyValue>")
    assert read_originator_key(element(other)) == KEYS["x25519"]


@pytest.mark.parametrize(
    ("pattern", "new"),
    [
        ("ECKeyValue", "Other"),
        ("NamedCurve", "Other"),
        ("PublicKey", "Other"),
        ("1[.]2[.]840[.]10045[.]3[.]1[.]7", "1.3.132.0.34"),
        ("PublicKey>B...", "PublicKey>"),
    ],
)
def test_other_keys_are_refused(pattern: str, new: str) -> None:
    """No known form, no curve, no point, another curve and a shortened point are refused."""
    broken = re.sub(pattern, new, write_originator_key(KEYS["p-256"]))
    with pytest.raises(EncryptionError, match="Expected"):
        read_originator_key(element(broken))
