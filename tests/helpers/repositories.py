"""A small Institution Repository for tests: two Polish offices, one Norwegian, one access point."""

from datetime import UTC, datetime
from functools import cache

from eessi_sim.identifiers import BucType, InstitutionId, SedType
from eessi_sim.ir.model import (
    AccessPointEntry,
    ApplicationRole,
    AssignedBuc,
    BehaviourRule,
    Certificates,
    Contact,
    Endpoint,
    Exchange,
    Institution,
    Translation,
)
from eessi_sim.ir.repository import InstitutionRepository
from eessi_sim.security.keys import Certificate, Purpose
from eessi_sim.security.pki import CertificateAuthority, KeyAlgorithm

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
LA_BUC_02 = BucType("LA_BUC_02")
P_BUC_01 = BucType("P_BUC_01")
UB_BUC_01 = BucType("UB_BUC_01")
ZUS = InstitutionId("PL:ZUS001")
KRUS = InstitutionId("PL:KRUS01")
NAV = InstitutionId("NO:NAVAT07")
POINT = InstitutionId("EU:APEU01")


def competence(
    buc: BucType,
    role: ApplicationRole = ApplicationRole.CASE_OWNER,
    *,
    start: datetime = datetime(2020, 1, 1, tzinfo=UTC),
    end: datetime | None = None,
    ready: bool = True,
) -> AssignedBuc:
    """A competence that holds since 2020, unless told otherwise."""
    return AssignedBuc(buc, role, start, end, ready)


@cache
def certificate(name: str, purpose: Purpose) -> Certificate:
    """A certificate of an authority that only the tests know."""
    authority = CertificateAuthority.create("Test CA", NOW, KeyAlgorithm.P_256)
    return authority.issue(name, purpose, country="PL", now=NOW).certificate


def repository() -> InstitutionRepository:
    """The three institutions, linked to the access point; the Polish ones share a TLS certificate."""
    shared = certificate("gateway", Purpose.TLS)
    zus = Institution(
        id=ZUS,
        name=(Translation("en", "Social Insurance Institution"), Translation("pl", "Zakład")),
        country="PL",
        competences=(competence(LA_BUC_02), competence(P_BUC_01, ApplicationRole.COUNTERPARTY, ready=False)),
        contact=Contact(email="office@zus.example", town="Warszawa"),
        endpoint=Endpoint(Exchange.PUSH, "https://localhost:8443/zus"),
        certificates=Certificates(
            ebms=(certificate("zus", Purpose.EBMS),), seal=(certificate("zus", Purpose.SEAL),), tls=(shared,)
        ),
        behaviours=(BehaviourRule(SedType("A003"), reply=SedType("A012")),),
    )
    krus = Institution(
        id=KRUS,
        name=(Translation("pl", "Kasa"),),
        country="PL",
        competences=(competence(P_BUC_01, ApplicationRole.COUNTERPARTY),),
        endpoint=Endpoint(Exchange.PULL, "PLGATEWAY"),
        certificates=Certificates(tls=(shared,)),
    )
    nav = Institution(
        id=NAV,
        name=(),
        country="NO",
        competences=(competence(LA_BUC_02, ApplicationRole.COUNTERPARTY),),
        external=True,
    )
    point = AccessPointEntry(
        POINT,
        "Access point",
        "EU",
        outbox="https://localhost:8443/outbox",
        certificates=Certificates(
            ebms=(certificate("point", Purpose.EBMS),), tls=(certificate("point", Purpose.TLS),)
        ),
        linked=(ZUS, KRUS),
    )
    return InstitutionRepository("4.4.1", (zus, krus, nav), (point,))
