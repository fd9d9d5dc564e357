"""A new certificate for a party, as a new version of the repository: first beside the old ones, later instead of them.

While both are listed, what was signed before and still waits in a queue is as good as what is signed now.
"""

from dataclasses import replace
from typing import TypeVar

from eessi_sim.errors import UnknownReceiver
from eessi_sim.ir.model import AccessPointEntry, Certificates, Institution
from eessi_sim.ir.repository import InstitutionRepository
from eessi_sim.security.keys import Certificate, Purpose

_Entry = TypeVar("_Entry", Institution, AccessPointEntry)
_FIELDS = {Purpose.EBMS: "ebms", Purpose.SEAL: "seal", Purpose.TLS: "tls"}


def next_version(version: str) -> str:
    """Return the version after one: its last number is one more."""
    first, dot, last = version.rpartition(".")
    return f"{first}{dot}{int(last) + 1}"


def rotated(
    repository: InstitutionRepository,
    party: str,
    purpose: Purpose,
    certificate: Certificate,
    *,
    alone: bool = False,
) -> InstitutionRepository:
    """Return the next version, in which a party has a further certificate.

    Args:
        repository: the version before.
        party: an institution or access point.
        purpose: what the certificate is for.
        certificate: listed first, since it is the one to sign with or to encrypt for from now on.
        alone: whether the ones before are dropped.

    Raises:
        UnknownReceiver: the repository does not list the party.
    """
    if repository.find_access_point(party) is None and repository.find(party) is None:
        raise UnknownReceiver(
            f'Expected an institution or access point of the repository, found "{party}"',
            hint="See eessi-sim ir show for those that there are.",
            institution=party,
        )

    def with_it(entry: _Entry) -> _Entry:
        if entry.id != party:
            return entry
        return replace(entry, certificates=_with(entry.certificates, purpose, certificate, alone=alone))

    return replace(
        repository,
        version=next_version(repository.version),
        institutions=tuple(map(with_it, repository.institutions)),
        access_points=tuple(map(with_it, repository.access_points)),
    )


def _with(old: Certificates, purpose: Purpose, certificate: Certificate, *, alone: bool) -> Certificates:
    kept = () if alone else tuple(each for each in old.of(purpose) if each != certificate)
    return replace(old, **{_FIELDS[purpose]: (certificate, *kept)})
