"""Signature values of the wrong kind are recognised: padding, encoding, hash, and values over a digest."""

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from tests.helpers.keys import certificate, rsa_key

from eessi_sim.security.keys import Certificate
from eessi_sim.security.schemes import Scheme, fitting_scheme, recovered_digest

DATA = b"signed"
EC = ec.generate_private_key(ec.SECP256R1())
RSA = rsa_key(2048)


def ecdsa(
    data: bytes = DATA, algorithm: hashes.HashAlgorithm | None = None, *, swapped: bool = False
) -> bytes:
    """A value as XML signatures have it, or with both numbers in the wrong order."""
    numbers = decode_dss_signature(EC.sign(data, ec.ECDSA(algorithm or hashes.SHA256())))
    return b"".join(number.to_bytes(32) for number in (reversed(numbers) if swapped else numbers))


def scheme_of(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey, value: bytes) -> Scheme | None:
    """The scheme that is recognised for a value over ``DATA``."""
    return fitting_scheme(certificate(key), DATA, value)


def sha256(data: bytes) -> bytes:
    """The digest of data."""
    context = hashes.Hash(hashes.SHA256())
    context.update(data)
    return context.finalize()


@pytest.mark.parametrize(
    ("value", "name", "is_standard"),
    [
        (ecdsa(), "ECDSA with SHA-256", True),
        (ecdsa(algorithm=hashes.SHA384()), "ECDSA with SHA-384", True),
        (ecdsa(swapped=True), "ECDSA with SHA-256, both numbers of the value in the wrong order", False),
        (EC.sign(DATA, ec.ECDSA(hashes.SHA256())), "ECDSA with SHA-256, the value in DER", False),
        (ecdsa(sha256(DATA)), "ECDSA with SHA-256, over the SHA-256 digest instead of the octets", False),
    ],
    ids=["sha-256", "sha-384", "swapped", "der", "digest"],
)
def test_values_of_elliptic_curves_are_recognised(value: bytes, name: str, is_standard: bool) -> None:
    """Hash, order and encoding of an ECDSA value are told."""
    assert scheme_of(EC, value) == Scheme(name, is_standard)


@pytest.mark.parametrize(
    ("pad", "name"),
    [
        (padding.PKCS1v15(), "RSA PKCS #1 v1.5 with SHA-256"),
        (padding.PSS(padding.MGF1(hashes.SHA256()), 32), "RSA-PSS with SHA-256"),
    ],
)
def test_values_of_rsa_are_recognised(pad: padding.PSS | padding.PKCS1v15, name: str) -> None:
    """Both paddings of RSA are told apart."""
    found = scheme_of(RSA, RSA.sign(DATA, pad, hashes.SHA256()))
    assert found is not None
    assert found.name == name


def test_a_value_of_another_key_is_not_recognised() -> None:
    """A value that this key did not make fits no scheme, not even when it is no value at all."""
    other = certificate(ec.generate_private_key(ec.SECP256R1()))
    assert fitting_scheme(other, DATA, ecdsa()) is None
    assert fitting_scheme(other, DATA, b"1") is None


def test_a_key_of_another_kind_fits_no_scheme() -> None:
    """Of keys that XML signatures do not use nothing is said."""
    assert fitting_scheme(certificate(ed25519.Ed25519PrivateKey.generate()), DATA, b"1") is None


def test_the_digest_that_an_rsa_key_signed_is_recovered() -> None:
    """A value of PKCS #1 gives back what was digested, with its algorithm."""
    value = RSA.sign(DATA, padding.PKCS1v15(), hashes.SHA512())
    found = recovered_digest(certificate(RSA), value)
    assert found is not None
    assert (found[0], len(found[1])) == ("SHA-512", 64)


@pytest.mark.parametrize("signer", [certificate(EC), certificate(rsa_key(2048), subject="other")])
def test_nothing_is_recovered_from_other_values(signer: Certificate) -> None:
    """Elliptic curves give nothing back, and RSA only what this key signed."""
    assert recovered_digest(signer, b"\x01" * 256) is None
