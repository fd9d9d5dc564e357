"""Ways to make a signature value that products confuse: which one fits, for an explanation and never for a verdict.

``Certificate.has_signed`` decides whether a value is right; here wrong ones are recognised.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from eessi_sim.security.keys import Certificate

_HASHES: Final[dict[str, hashes.HashAlgorithm]] = {
    "SHA-256": hashes.SHA256(),
    "SHA-384": hashes.SHA384(),
    "SHA-512": hashes.SHA512(),
    "SHA-1": hashes.SHA1(),  # noqa: S303 - recognised, so that it can be named
}
_REFUSED: Final = (InvalidSignature, UnsupportedAlgorithm, ValueError)


@dataclass(frozen=True, slots=True)
class Scheme:
    """A way in which a value was made."""

    name: str
    """For people: ``RSA-PSS with SHA-256``."""
    is_standard: bool
    """Whether an XML signature of this algorithm has its value in this form."""


def fitting_scheme(certificate: Certificate, data: bytes, value: bytes) -> Scheme | None:
    """Return how the key of ``certificate`` made ``value`` over ``data``, None when it did not.

    Args:
        certificate: of the supposed signer.
        data: what should have been signed; its digest is tried as well, for signers that digest twice.
        value: as it travelled.
    """
    for what, octets in _inputs(data):
        for scheme, verify in _schemes(certificate):
            if _passes(verify, value, octets):
                return Scheme(scheme.name + what, scheme.is_standard and not what)
    return None


def recovered_digest(certificate: Certificate, value: bytes) -> tuple[str, bytes] | None:
    """Return which digest an RSA key signed, with the name of its algorithm (RFC 8017 section 8.2.2).

    A value of PKCS #1 v1.5 gives its digest back; that proves that this key made it, over whatever. None for other
    keys and values.
    """
    key = certificate.decoded.public_key()
    if not isinstance(key, rsa.RSAPublicKey):
        return None
    for name, algorithm in _HASHES.items():
        try:
            return name, key.recover_data_from_signature(value, padding.PKCS1v15(), algorithm)
        except _REFUSED:
            continue
    return None


def _inputs(data: bytes) -> Iterator[tuple[str, bytes]]:
    yield "", data
    for name, algorithm in _HASHES.items():
        yield f", over the {name} digest instead of the octets", _digest(data, algorithm)


def _digest(data: bytes, algorithm: hashes.HashAlgorithm) -> bytes:
    context = hashes.Hash(algorithm)
    context.update(data)
    return context.finalize()


_Verify = Callable[[bytes, bytes], None]


def _schemes(certificate: Certificate) -> Iterator[tuple[Scheme, _Verify]]:
    key = certificate.decoded.public_key()
    for name, algorithm in _HASHES.items():
        if isinstance(key, rsa.RSAPublicKey):
            yield Scheme(f"RSA PKCS #1 v1.5 with {name}", is_standard=True), _pkcs1(key, algorithm)
            yield Scheme(f"RSA-PSS with {name}", is_standard=False), _pss(key, algorithm)
        elif isinstance(key, ec.EllipticCurvePublicKey):
            for form, order in _FORMS.items():
                yield Scheme(f"ECDSA with {name}{form}", is_standard=not form), _ecdsa(key, algorithm, order)


_FORMS: Final = {
    "": (0, 1),
    ", the value in DER": (),
    ", both numbers of the value in the wrong order": (1, 0),
}
"""Forms of an ECDSA value: both numbers, r first (XMLDSig 1.1 section 6.4.3), or what libraries give as it is."""


def _pkcs1(key: rsa.RSAPublicKey, algorithm: hashes.HashAlgorithm) -> _Verify:
    return lambda value, data: key.verify(value, data, padding.PKCS1v15(), algorithm)


def _pss(key: rsa.RSAPublicKey, algorithm: hashes.HashAlgorithm) -> _Verify:
    pss = padding.PSS(padding.MGF1(algorithm), padding.PSS.AUTO)
    return lambda value, data: key.verify(value, data, pss, algorithm)


def _ecdsa(
    key: ec.EllipticCurvePublicKey, algorithm: hashes.HashAlgorithm, order: tuple[int, ...]
) -> _Verify:
    def verify(value: bytes, data: bytes) -> None:
        half = len(value) // 2
        numbers = int.from_bytes(value[:half]), int.from_bytes(value[half:])
        der = encode_dss_signature(numbers[order[0]], numbers[order[1]]) if order else value
        key.verify(der, data, ec.ECDSA(algorithm))

    return verify


def _passes(verify: _Verify, value: bytes, data: bytes) -> bool:
    try:
        verify(value, data)
    except _REFUSED:
        return False
    return True
