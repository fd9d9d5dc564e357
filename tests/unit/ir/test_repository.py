"""The repository answers: who is it, is it competent, where does its mail go, whose certificate is this."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from tests.helpers.repositories import (
    KRUS,
    LA_BUC_02,
    NAV,
    NOW,
    P_BUC_01,
    POINT,
    UB_BUC_01,
    ZUS,
    certificate,
    competence,
    repository,
)

from eessi_sim.errors import DefinitionError, NotCompetent, UnknownReceiver
from eessi_sim.identifiers import BucType, InstitutionId
from eessi_sim.ir.model import AccessPointEntry, ApplicationRole, AssignedBuc, Certificates, Institution
from eessi_sim.ir.repository import InstitutionRepository
from eessi_sim.security.keys import Purpose

OWNER = ApplicationRole.CASE_OWNER
COUNTERPARTY = ApplicationRole.COUNTERPARTY
PAST = datetime(2019, 1, 1, tzinfo=UTC)


def with_competences(*competences: AssignedBuc) -> InstitutionRepository:
    """A repository with one institution that has these competences."""
    return InstitutionRepository("1", (Institution(NAV, (), "NO", competences),))


def refusal(
    asked: InstitutionRepository, buc: BucType, role: str, institution: InstitutionId = NAV
) -> NotCompetent:
    """The error of asking for a competence that is not there."""
    with pytest.raises(NotCompetent) as caught:
        asked.require_competent(institution, buc, role, at=NOW)
    return caught.value


def test_listed_institution_is_found() -> None:
    """An institution is found by its id."""
    found = repository().find(ZUS)
    assert found is not None
    assert found.id == ZUS


def test_unlisted_institution_is_not_found() -> None:
    """Asking for an unknown id is no error."""
    assert repository().find("PL:NONE01") is None


def test_institution_is_not_found_after_its_entry_ended() -> None:
    """With a time, only entries that are valid then count."""
    gone = InstitutionRepository("1", (Institution(NAV, (), "NO", valid_until=PAST),))
    assert (gone.find(NAV) is None, gone.find(NAV, NOW) is None) == (False, True)


def test_unknown_receiver_is_refused_with_the_nearest_id() -> None:
    """A mistyped id is answered with the id that was meant."""
    with pytest.raises(UnknownReceiver) as caught:
        repository().get("PL:ZUS01")
    assert (caught.value.message, caught.value.hint) == (
        'Expected an institution of the repository, found "PL:ZUS01"',
        f'Did you mean "{ZUS}"?',
    )


def test_receiver_whose_entry_ended_is_refused() -> None:
    """An institution that is not listed any more gets no message."""
    gone = InstitutionRepository("1", (Institution(NAV, (), "NO", valid_until=PAST),))
    with pytest.raises(UnknownReceiver, match=f'listed on 2026-03-02, found "{NAV}", which is not'):
        gone.get(NAV, NOW)


def test_receiver_whose_entry_is_valid_is_returned() -> None:
    """With a time, a valid entry is returned as without."""
    assert repository().get(ZUS, NOW).id == ZUS


def test_access_point_of_an_institution_is_the_one_that_lists_it() -> None:
    """An institution sends through the access point it is linked to."""
    assert repository().access_point_of(KRUS).id == POINT


def test_institution_without_access_point_is_refused() -> None:
    """An institution that nobody serves cannot be reached."""
    with pytest.raises(UnknownReceiver, match=f'access point that serves "{NAV}", found none'):
        repository().access_point_of(NAV)


@pytest.mark.parametrize(("party", "found"), [(POINT, True), (ZUS, False)])
def test_access_point_is_found_by_its_id(party: InstitutionId, found: bool) -> None:
    """Access points and institutions are told apart."""
    assert (repository().find_access_point(party) is not None) is found


@pytest.mark.parametrize(
    ("institution", "buc", "role", "competent"),
    [
        (ZUS, LA_BUC_02, "CaseOwner", True),
        (ZUS, LA_BUC_02, "Counterparty", False),
        (ZUS, UB_BUC_01, "CaseOwner", False),
        (ZUS, P_BUC_01, "Counterparty", False),
        (KRUS, P_BUC_01, "Counterparty", True),
        ("PL:NONE01", P_BUC_01, "Counterparty", False),
    ],
)
def test_competence_needs_process_role_and_readiness(
    institution: str, buc: BucType, role: str, competent: bool
) -> None:
    """An institution is competent only with an entry for this process in this role that is ready."""
    assert repository().is_competent(institution, buc, role, at=NOW) is competent


def test_readiness_may_be_left_out() -> None:
    """A sender need not be ready, only competent."""
    assert repository().is_competent(ZUS, P_BUC_01, COUNTERPARTY, at=NOW, ready=False)


def test_competence_counts_only_while_it_holds() -> None:
    """Before its start a competence is none."""
    assert not repository().is_competent(ZUS, LA_BUC_02, OWNER, at=PAST)


def test_competent_institution_is_not_refused() -> None:
    """Who is competent may take part."""
    repository().require_competent(ZUS, LA_BUC_02, OWNER, at=NOW)


def test_unknown_institution_is_refused_before_its_competence_is_looked_at() -> None:
    """An id nobody has is a routing matter, not one of competence."""
    with pytest.raises(UnknownReceiver):
        repository().require_competent("PL:NONE01", LA_BUC_02, OWNER, at=NOW)


def test_refusal_lists_what_the_institution_is_competent_for() -> None:
    """The sentence teaches: this not, but those."""
    assert refusal(repository(), UB_BUC_01, OWNER, ZUS).message == (
        "Expected PL:ZUS001 to be competent as CaseOwner in UB_BUC_01 on 2026-03-02, "
        "found CaseOwner in LA_BUC_02, Counterparty in P_BUC_01"
    )


def test_refusal_shortens_a_long_list() -> None:
    """After eight competences the rest is counted."""
    many = with_competences(*(competence(BucType(f"P_BUC_{n:02}")) for n in range(1, 11)))
    assert refusal(many, LA_BUC_02, OWNER).message.endswith("CaseOwner in P_BUC_08 and 2 more")


@pytest.mark.parametrize(
    ("entry", "found"),
    [
        (
            competence(LA_BUC_02, start=datetime(2027, 1, 1, tzinfo=UTC)),
            "a competence that starts on 2027-01-01",
        ),
        (
            competence(LA_BUC_02, end=datetime(2026, 3, 1, tzinfo=UTC)),
            "a competence that ended on 2026-03-01",
        ),
        (competence(LA_BUC_02, ready=False), "a competence that is not ready for EESSI yet"),
        (competence(P_BUC_01, end=datetime(2026, 3, 1, tzinfo=UTC)), "no competence in force"),
    ],
)
def test_refusal_says_why_a_listed_competence_does_not_count(entry: AssignedBuc, found: str) -> None:
    """Not yet, not any more, not ready and nothing at all are different findings."""
    assert refusal(with_competences(entry), LA_BUC_02, OWNER).message.endswith(f", found {found}")


def test_refusal_names_who_is_competent_in_the_same_country() -> None:
    """The colleague next door is the first thing to try."""
    assert refusal(repository(), P_BUC_01, COUNTERPARTY, ZUS).hint == "Competent in PL: PL:KRUS01."


def test_refusal_names_who_is_competent_elsewhere() -> None:
    """Without a colleague in the country, others are named."""
    assert refusal(repository(), P_BUC_01, COUNTERPARTY).hint == (
        "Nobody in NO is; competent elsewhere: PL:KRUS01."
    )


def test_refusal_says_when_nobody_is_competent() -> None:
    """In a network where nobody can do it, a definition file is missing something."""
    hint = refusal(repository(), UB_BUC_01, OWNER).hint
    assert hint == "Nobody in this network is; add the competence to the file of an institution."


def test_competent_institutions_are_listed() -> None:
    """Only competent, ready and listed institutions are offered as receivers."""
    found = repository().institutions_competent(P_BUC_01, COUNTERPARTY, at=NOW)
    assert [institution.id for institution in found] == [KRUS]


def test_institution_that_is_gone_is_not_offered() -> None:
    """A competence does not outlive the entry it stands in."""
    gone = Institution(NAV, (), "NO", (competence(LA_BUC_02),), valid_until=PAST)
    assert InstitutionRepository("1", (gone,)).institutions_competent(LA_BUC_02, OWNER, at=NOW) == ()


def test_tls_certificate_stands_for_everybody_behind_the_gateway() -> None:
    """Two institutions behind one gateway use one TLS certificate."""
    shared = certificate("gateway", Purpose.TLS)
    assert repository().parties_of_tls(shared.der) == {ZUS, KRUS}


def test_tls_certificate_of_an_access_point_stands_for_it() -> None:
    """Access points are TLS clients too."""
    assert repository().parties_of_tls(certificate("point", Purpose.TLS).der) == {POINT}


def test_unlisted_tls_certificate_stands_for_nobody() -> None:
    """A certificate that is not listed opens no door, whoever issued it."""
    assert repository().parties_of_tls(certificate("stranger", Purpose.TLS).der) == frozenset()


def test_address_stands_for_whom_the_repository_lists_there() -> None:
    """Who answers at a URL must show a certificate of the party that is listed there."""
    found = repository().certificates_at("https://localhost:8443/zus")
    assert found.tls == (certificate("gateway", Purpose.TLS),)
    assert found.ebms == (certificate("zus", Purpose.EBMS),)


def test_address_that_several_share_stands_for_each_of_them() -> None:
    """A national gateway takes messages for several institutions at one URL."""
    known = repository()
    here = replace(
        known.get(ZUS), id=KRUS, certificates=Certificates(tls=(certificate("krus", Purpose.TLS),))
    )
    shared = InstitutionRepository("1", (known.get(ZUS), here))
    assert shared.certificates_at("https://localhost:8443/zus").tls == (
        certificate("gateway", Purpose.TLS),
        certificate("krus", Purpose.TLS),
    )


def test_every_entrance_of_an_access_point_stands_for_it() -> None:
    """Outbox, inbox and inbound may be the same URL; the certificates are listed once for each."""
    tls = Certificates(tls=(certificate("point", Purpose.TLS),))
    point = AccessPointEntry(POINT, "Point", "EU", "https://ap/a", "https://ap/b", "https://ap/a", tls)
    known = InstitutionRepository("1", (), (point,))
    assert known.certificates_at("https://ap/a") == known.certificates_at("https://ap/b") == tls


@pytest.mark.parametrize("url", ["https://elsewhere.example/", "PLGATEWAY", ""])
def test_address_that_is_none_stands_for_nobody(url: str) -> None:
    """Unlisted URLs, names of pull channels and addresses of networks not built yet have no certificates."""
    assert repository().certificates_at(url) == Certificates()


@pytest.mark.parametrize(
    ("party", "purpose", "names"),
    [
        (ZUS, Purpose.SEAL, ["zus"]),
        (POINT, Purpose.EBMS, ["point"]),
        (NAV, Purpose.EBMS, []),
        ("PL:NONE01", Purpose.EBMS, []),
    ],
)
def test_certificates_are_listed_by_party_and_purpose(party: str, purpose: Purpose, names: list[str]) -> None:
    """Institutions and access points have certificates, strangers have none."""
    assert repository().certificates_of(party, purpose) == tuple(certificate(name, purpose) for name in names)


def test_ebms_certificates_are_those_for_messages() -> None:
    """The short form asks for the ebMS purpose."""
    assert repository().ebms_certificates(ZUS) == (certificate("zus", Purpose.EBMS),)


def test_id_listed_twice_is_refused() -> None:
    """Two entries for one id would make every answer a matter of luck."""
    once = repository()
    with pytest.raises(DefinitionError, match=f'found "{NAV}" twice'):
        replace(once, institutions=(*once.institutions, Institution(NAV, (), "NO")))


def test_institution_with_two_access_points_is_refused() -> None:
    """An institution sends through one access point."""
    once = repository()
    other = replace(once.access_points[0], id=InstitutionId("PL:APPL01"))
    with pytest.raises(DefinitionError, match=f'one access point for "{ZUS}", found {POINT} and PL:APPL01'):
        replace(once, access_points=(*once.access_points, other))


def test_institution_linked_twice_to_one_access_point_is_accepted() -> None:
    """Saying the same thing twice contradicts nothing."""
    once = repository()
    twice = replace(once, access_points=(replace(once.access_points[0], linked=(ZUS, ZUS)),))
    assert twice.access_point_of(ZUS).id == POINT
