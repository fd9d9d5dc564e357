"""The addresses of an access point: the repository that travels names one base, the endpoints below it are a convention.

The shape of the paths is observed in public settings, the version in them is ours (inferred).
"""

from dataclasses import replace
from typing import Final

from eessi_sim.errors import DefinitionError
from eessi_sim.ir.model import AccessPointEntry, Endpoint, Exchange, Institution
from eessi_sim.ir.repository import InstitutionRepository

BASE_PATH: Final = "/EESSI/"
OUTBOX: Final = "BusinessMessaging/v1.0/Outbox"
"""Where institutions push."""
INBOX: Final = "BusinessMessaging/v1.0/Inbox"
"""Where institutions pull."""
INBOUND: Final = "BusinessMessaging/v1.0/Inbound"
"""Where other access points push."""
PUSH: Final = "BusinessMessaging/v1.0/Push"
"""Where an institution takes what its access point pushes."""


def based(entry: AccessPointEntry, base: str) -> AccessPointEntry:
    """Return the access point with its endpoints below ``base``, which gets a slash at its end."""
    base = base if base.endswith("/") else f"{base}/"
    return replace(entry, outbox=base + OUTBOX, inbox=base + INBOX, inbound=base + INBOUND)


def base_of(entry: AccessPointEntry) -> str:
    """Return the one address that stands for all endpoints of an access point.

    Raises:
        DefinitionError: they do not lie below one base as the convention has it.
    """
    base = entry.outbox.removesuffix(OUTBOX)
    if entry.outbox == base or based(entry, base) != entry:
        raise DefinitionError(
            f"Expected the endpoints of {entry.id} below one address, found {entry.outbox or 'none'}, "
            f"{entry.inbox or 'none'} and {entry.inbound or 'none'}",
            hint=f"The repository that travels names one address; {OUTBOX} and so on follow it.",
        )
    return base


def invented(repository: InstitutionRepository) -> InstitutionRepository:
    """Return the repository of a network that was not built yet, with addresses that lead nowhere (RFC 2606)."""
    return replace(
        repository,
        institutions=tuple(map(_invented, repository.institutions)),
        access_points=tuple(
            based(entry, f"https://{entry.id.domain}{BASE_PATH}") for entry in repository.access_points
        ),
    )


def _invented(institution: Institution) -> Institution:
    exchange = institution.endpoint.exchange
    url = f"https://{institution.id.domain}{BASE_PATH}{PUSH}"
    return replace(
        institution, endpoint=Endpoint(exchange, url if exchange is Exchange.PUSH else institution.id)
    )
