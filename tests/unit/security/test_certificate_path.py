"""PKIPath: the owner's certificate at the end of a path."""

from datetime import UTC, datetime

import pytest

from eessi_sim.errors import KeyMaterialError
from eessi_sim.security.certificate_path import owner_of_path
from eessi_sim.security.keys import Purpose
from eessi_sim.security.pki import CertificateAuthority, KeyAlgorithm

NOW = datetime(2026, 3, 2, tzinfo=UTC)
AUTHORITY = CertificateAuthority.create("Path", NOW, KeyAlgorithm.P_256)
OWNER = AUTHORITY.issue("owner", Purpose.EBMS, country="NO", now=NOW).certificate


def sequence(content: bytes) -> bytes:
    """Return a SEQUENCE of at most 65535 octets."""
    if len(content) < 128:
        return bytes([0x30, len(content)]) + content
    return b"\x30\x82" + len(content).to_bytes(2) + content


PATH = sequence(AUTHORITY.certificate.der + OWNER.der)


@pytest.mark.parametrize("path", [PATH, sequence(OWNER.der)])
def test_owner_is_last(path: bytes) -> None:
    """The last certificate is the owner's, in a path of one as well."""
    assert owner_of_path(path) == OWNER


@pytest.mark.parametrize(
    "path",
    [
        b"",
        b"\x30",
        OWNER.der[1:],
        sequence(b""),
        PATH[:-1],
        PATH + b"\x00",
        sequence(OWNER.der + b"\x05\x00"),
        sequence(b"\x30\x00"),
        sequence(OWNER.der * 11),
        sequence(sequence(b"x")[:-1]),
    ],
)
def test_what_is_no_path_is_refused(path: bytes) -> None:
    """Nothing, half a head, another type, no certificate, a missing or a further octet, and too many are refused."""
    with pytest.raises(KeyMaterialError):
        owner_of_path(path)
