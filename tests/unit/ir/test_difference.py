"""Comparing repositories: every thing that others would see is one line."""

from dataclasses import replace
from datetime import UTC, datetime

from tests.helpers.listings import rsa_certificate, travelling
from tests.helpers.repositories import KRUS, LA_BUC_02, NAV, POINT, ZUS, competence

from eessi_sim.identifiers import InstitutionId
from eessi_sim.ir.difference import Action, Change, difference
from eessi_sim.ir.listed import Sight
from eessi_sim.ir.model import CentralServicesNode, Certificates, Endpoint, Exchange
from eessi_sim.ir.repository import InstitutionRepository

END = datetime(2026, 5, 1, tzinfo=UTC)


def changes(old: InstitutionRepository, new: InstitutionRepository) -> tuple[Change, ...]:
    """What changed between two repositories whose certificates we have."""
    return difference(Sight.of(old), Sight.of(new))


def test_equal_repositories_do_not_differ() -> None:
    """Habits and players do not count."""
    old = travelling()
    plain = tuple(replace(each, behaviours=(), external=False) for each in old.institutions)
    assert changes(old, replace(old, institutions=plain)) == ()


def test_changes_are_told_one_by_one() -> None:
    """Competences that ended or came, endpoints, certificates, links, newcomers and leavers, the version."""
    old = travelling()
    zus, krus, nav = old.institutions
    ended = replace(
        zus, competences=(competence(LA_BUC_02, end=END, ready=False),), certificates=Certificates()
    )
    moved = replace(krus, endpoint=Endpoint(Exchange.PUSH, "https://krus.example/"), relations=())
    point = replace(old.access_points[0], linked=(ZUS, InstitutionId("PL:NEW001")))
    new = InstitutionRepository(
        "4.4.2", (ended, moved, replace(nav, id=InstitutionId("PL:NEW001"), country="PL")), (point,)
    )
    found = changes(old, new)
    said = {(each.party, each.action, f"{each.kind} {each.subject}".strip()) for each in found}
    assert said >= {
        ("", Action.CHANGED, "version"),
        (ZUS, Action.CHANGED, "competence LA_BUC_02 CaseOwner 2020-01-01"),
        (ZUS, Action.REMOVED, "competence P_BUC_01 Counterparty 2020-01-01"),
        (KRUS, Action.CHANGED, "endpoint"),
        (KRUS, Action.REMOVED, f"relation {ZUS}"),
        (NAV, Action.REMOVED, "institution"),
        ("PL:NEW001", Action.ADDED, "institution"),
        (POINT, Action.ADDED, "link PL:NEW001"),
        (POINT, Action.REMOVED, f"link {KRUS}"),
    }
    assert sum(each.kind == "certificate" for each in found) == 3
    assert list(found) == sorted(found, key=lambda each: (each.party, each.kind, each.subject, each.before))


def test_new_access_point_and_central_services_node_are_told() -> None:
    """Both are entries like others."""
    old = travelling()
    other = replace(old.access_points[0], id=InstitutionId("EU:APEU02"), linked=())
    central = CentralServicesNode(
        InstitutionId("EU:CSN01"), "https://csn.example/", Certificates(tls=(rsa_certificate(),))
    )
    added = changes(old, replace(old, access_points=(*old.access_points, other), central=central))
    assert Change("EU:APEU02", Action.ADDED, "access point", "", after="Access point") in added
    assert {each.kind for each in added} == {"access point", "central services node", "certificate"}
