"""A new certificate is a new version of the repository; the old one goes or stays."""

import pytest
from tests.helpers.listings import rsa_certificate
from tests.helpers.repositories import POINT, ZUS, certificate, repository

from eessi_sim.errors import UnknownReceiver
from eessi_sim.ir.rotation import next_version, rotated
from eessi_sim.security.keys import Purpose


def test_new_certificate_stands_before_the_old_ones() -> None:
    """Both are listed in the next version; nobody else changes."""
    new = rotated(repository(), ZUS, Purpose.EBMS, rsa_certificate())
    assert new.version == "4.4.2"
    assert new.ebms_certificates(ZUS) == (rsa_certificate(), certificate("zus", Purpose.EBMS))
    assert new.access_points == repository().access_points
    again = rotated(new, ZUS, Purpose.EBMS, rsa_certificate())
    assert again.institutions == new.institutions


def test_certificate_may_stand_alone() -> None:
    """Then the ones before are gone, also of an access point."""
    new = rotated(repository(), POINT, Purpose.TLS, rsa_certificate(), alone=True)
    assert new.certificates_of(POINT, Purpose.TLS) == (rsa_certificate(),)
    assert new.certificates_of(POINT, Purpose.EBMS) == repository().certificates_of(POINT, Purpose.EBMS)


def test_stranger_gets_no_certificate() -> None:
    """Only who is listed has certificates."""
    with pytest.raises(UnknownReceiver, match='found "PL:NONE01"'):
        rotated(repository(), "PL:NONE01", Purpose.EBMS, rsa_certificate())


def test_version_without_dots_has_a_next_one() -> None:
    """The last number counts."""
    assert [next_version("7"), next_version("4.4.9")] == ["8", "4.4.10"]
