"""Values of the Institution Repository: validity, names, certificates by purpose."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from tests.helpers.repositories import LA_BUC_02, NAV, NOW, ZUS, certificate, competence, repository

from eessi_sim.ir.model import Certificates, Institution
from eessi_sim.security.keys import Purpose

START = datetime(2026, 1, 1, tzinfo=UTC)
END = datetime(2027, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("at", "holds"),
    [
        (START - timedelta(microseconds=1), False),
        (START, True),
        (END - timedelta(microseconds=1), True),
        (END, False),
    ],
)
def test_competence_holds_from_its_start_until_before_its_end(at: datetime, holds: bool) -> None:
    """The start belongs to the time of a competence, the end does not."""
    assert competence(LA_BUC_02, start=START, end=END).is_in_force(at) is holds


def test_competence_without_end_holds_for_ever() -> None:
    """No end means no end."""
    assert competence(LA_BUC_02, start=START).is_in_force(datetime.max.replace(tzinfo=UTC))


def test_entry_without_validity_is_always_listed() -> None:
    """An institution whose entry has no dates is listed at any time."""
    assert Institution(NAV, (), "NO").is_listed(NOW)


def test_entry_is_listed_only_while_it_is_valid() -> None:
    """An institution is gone when its entry has ended."""
    entry = Institution(NAV, (), "NO", valid_from=START, valid_until=END)
    assert [entry.is_listed(at) for at in (START, END)] == [True, False]


def test_name_is_given_in_the_language_asked_for() -> None:
    """Each language has its own name."""
    assert repository().get(ZUS).name_in("pl") == "Zakład"


def test_name_falls_back_to_the_first_language() -> None:
    """A language without name gets the first one."""
    entry = repository().get(ZUS)
    assert replace(entry, name=entry.name[1:]).name_in("fr") == "Zakład"


def test_institution_without_name_is_called_by_its_id() -> None:
    """Something readable is always shown."""
    assert Institution(NAV, (), "NO").name_in() == NAV


@pytest.mark.parametrize("purpose", Purpose)
def test_certificates_are_kept_apart_by_purpose(purpose: Purpose) -> None:
    """A certificate for one purpose is no certificate for another."""
    certificates = Certificates(
        ebms=(certificate("x", Purpose.EBMS),),
        seal=(certificate("x", Purpose.SEAL),),
        tls=(certificate("x", Purpose.TLS),),
    )
    assert certificates.of(purpose) == (certificate("x", purpose),)
