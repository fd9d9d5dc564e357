"""Reads a PKIPath: certificates one after the other, from the authority's to the owner's (ITU-T X.509 clause 10)."""

from typing import Final

from eessi_sim.errors import KeyMaterialError
from eessi_sim.security.keys import Certificate

_SEQUENCE: Final = 0x30
_LONG_FORM: Final = 0x80
_MAX_CERTIFICATES: Final = 10
"""Longest path (our limit, inferred)."""


def owner_of_path(der: bytes) -> Certificate:
    """Return the last certificate of a path; the ones before are left to who builds a chain of his own.

    Args:
        der: the path, nothing before or after it.

    Raises:
        KeyMaterialError: not a path, an empty one, too long, or its last element is not a certificate.
    """
    start, end = _sequence(der, 0)
    certificates: list[bytes] = []
    while start < end and len(certificates) <= _MAX_CERTIFICATES:
        _, following = _sequence(der, start)
        certificates.append(der[start:following])
        start = following
    if start != len(der) or not 0 < len(certificates) <= _MAX_CERTIFICATES:
        raise _no_path(f"{len(certificates)} certificates in {len(der)} bytes")
    return Certificate.from_der(certificates[-1])


def _sequence(der: bytes, at: int) -> tuple[int, int]:
    """Return begin and end of the content of the SEQUENCE at ``at`` (ITU-T X.690 clause 8.1)."""
    head = der[at : at + 2]
    if len(head) < 2 or head[0] != _SEQUENCE:
        raise _no_path(f"another thing at byte {at}")
    start, length = at + 2, head[1]
    if length >= _LONG_FORM:
        start += length - _LONG_FORM
        length = int.from_bytes(der[at + 2 : start])
    if start + length > len(der):
        raise _no_path(f"its end missing at byte {len(der)}")
    return start, start + length


def _no_path(found: str) -> KeyMaterialError:
    return KeyMaterialError(
        f"Expected a path of 1 to {_MAX_CERTIFICATES} certificates, found {found}",
        hint="Send the certificate alone, as X509v3, when the path cannot be written as PKIPath.",
    )
