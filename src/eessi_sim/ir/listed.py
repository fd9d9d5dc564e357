"""A certificate as the repository that travels lists it: thumbprint, serial number and key, not the certificate itself.

So a certificate has to come from elsewhere (a message, a folder), and is accepted when all three are the same: SHA-1
alone proves nothing.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from eessi_sim.ir.model import AccessPointEntry, CentralServicesNode, Institution
from eessi_sim.ir.repository import InstitutionRepository
from eessi_sim.security.keys import Certificate, Purpose


@dataclass(frozen=True, slots=True)
class ListedCertificate:
    """What is listed of one certificate."""

    serial: int
    subject: str
    issuer: str
    valid_from: datetime
    valid_to: datetime
    thumbprint: str
    """SHA-1 of the DER form, upper-case hexadecimal."""
    public_key: bytes
    """PKCS#1 (observed); of a key that is not RSA the SubjectPublicKeyInfo (inferred)."""

    @classmethod
    def of(cls, certificate: Certificate) -> "ListedCertificate":
        """Return what is listed of a certificate."""
        key = certificate.decoded.public_key()
        is_rsa = isinstance(key, rsa.RSAPublicKey)
        return cls(
            certificate.serial,
            certificate.subject,
            certificate.issuer,
            certificate.not_before,
            certificate.not_after,
            certificate.sha1_thumbprint,
            key.public_bytes(Encoding.DER, PublicFormat.PKCS1) if is_rsa else certificate.public_key_der,
        )

    def differences(self, certificate: Certificate) -> tuple[str, ...]:
        """Return in what a certificate differs from the listed one; none when it is the one.

        Names are not compared, because products write them differently; the dates are part of the thumbprint.
        """
        other = ListedCertificate.of(certificate)
        pairs = {
            "thumbprint": (self.thumbprint, other.thumbprint),
            "serial number": (self.serial, other.serial),
            "public key": (self.public_key, other.public_key),
        }
        return tuple(name for name, (listed, found) in pairs.items() if listed != found)


def by_thumbprint(certificates: Iterable[Certificate]) -> dict[str, Certificate]:
    """Return certificates by the name under which a list knows them."""
    return {certificate.sha1_thumbprint: certificate for certificate in certificates}


@dataclass(frozen=True, slots=True)
class Use:
    """Whose certificate it is, and what for."""

    party: str
    purpose: Purpose
    certificate: ListedCertificate


@dataclass(frozen=True, slots=True)
class Sight:
    """A repository to look at, with what is listed of certificates, whether we have them or not."""

    repository: InstitutionRepository
    uses: tuple[Use, ...]

    @classmethod
    def of(cls, repository: InstitutionRepository, more: Iterable[Use] = ()) -> "Sight":
        """Return a repository with its certificates and further ones, each once."""
        return cls(repository, tuple(dict.fromkeys((*_uses(repository), *more))))

    def by_party(self) -> Mapping[str, tuple[Use, ...]]:
        """Return the certificates of each party."""
        found: defaultdict[str, list[Use]] = defaultdict(list)
        for use in self.uses:
            found[use.party].append(use)
        return {party: tuple(uses) for party, uses in found.items()}


def _uses(repository: InstitutionRepository) -> Iterable[Use]:
    parties: Iterable[Institution | AccessPointEntry | CentralServicesNode] = (
        *repository.institutions,
        *repository.access_points,
        *((repository.central,) if repository.central else ()),
    )
    for party in parties:
        for purpose in Purpose:
            for each in party.certificates.of(purpose):
                yield Use(party.id, purpose, ListedCertificate.of(each))
