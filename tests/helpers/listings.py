"""A repository as it travels: the small one of ``repositories`` with addresses, and what an import is compared with."""

from dataclasses import replace
from functools import cache

from tests.helpers.repositories import KRUS, NOW, ZUS, repository

from eessi_sim import resources
from eessi_sim.identifiers import InstitutionId, RandomIdFactory
from eessi_sim.ir import addresses
from eessi_sim.ir.importing import NOTHING, Surroundings, read
from eessi_sim.ir.model import Contact, Endpoint, Exchange, Relation
from eessi_sim.ir.repository import InstitutionRepository
from eessi_sim.ir.syn_writing import Addressing, message
from eessi_sim.security.keys import Certificate, Purpose
from eessi_sim.security.pki import CertificateAuthority, KeyAlgorithm

TO = InstitutionId("PL:APPL01")


@cache
def rsa_certificate() -> Certificate:
    """A certificate with an RSA key, as EESSI has them."""
    authority = CertificateAuthority.create("Test CA of RSA", NOW, KeyAlgorithm.RSA_2048)
    return authority.issue("krus", Purpose.EBMS, country="PL", now=NOW).certificate


@cache
def travelling() -> InstitutionRepository:
    """A repository that can be written: every push has an address, the access point has a base."""
    old = repository()
    zus, krus, nav = old.institutions
    far = addresses.based(old.access_points[0], "https://ap.example/EESSI")
    krus = replace(
        krus,
        certificates=replace(krus.certificates, ebms=(rsa_certificate(),)),
        liaison_body=True,
        public=False,
        relations=(Relation(ZUS, "01"),),
        valid_from=NOW.replace(year=2020),
        valid_until=NOW.replace(year=2090),
        contact=Contact(
            None, "1 & 2", "3", "https://krus.example/", "ul. <Przykładowa>", "00-000", "Warszawa"
        ),
    )
    nav = replace(nav, endpoint=Endpoint(Exchange.PUSH, "https://nav.example/"))
    return InstitutionRepository("4.4.1", (zus, krus, nav), (replace(far, linked=(ZUS, KRUS)),))


def written(repository: InstitutionRepository, *, extended: bool = False) -> bytes:
    """The message, made at a fixed time with ids that repeat."""
    return message(repository, Addressing(TO, NOW, RandomIdFactory(lambda bits: bits)), extended=extended)


def around(
    installed: InstitutionRepository = NOTHING, *certificates: Certificate, lenient: bool = False
) -> Surroundings:
    """What an import at the usual time is compared with."""
    return Surroundings(resources.schemas(), NOW, installed, certificates, lenient)


def imported(data: bytes, installed: InstitutionRepository = NOTHING) -> InstitutionRepository:
    """The repository that a message says."""
    return read(data, "syn.xml", around(installed))
