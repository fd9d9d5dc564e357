"""Where a message goes next; pure.

Keys are the ``To`` party and the directory (ebMS3 Part 2 section 2.6; the use of the Institution Repository is
inferred from public prototypes).
"""

from dataclasses import dataclass
from datetime import datetime

from eessi_sim.as4.ebms_errors import EbmsErrorCode, EbmsFault
from eessi_sim.errors import RoutingError
from eessi_sim.identifiers import InstitutionId
from eessi_sim.ir.model import Exchange
from eessi_sim.ir.repository import InstitutionRepository


@dataclass(frozen=True, slots=True)
class Route:
    """The next hop of a message."""

    receiver: InstitutionId
    endpoint: str | None = None
    """URL to push to."""
    channel: str | None = None
    """Name of the channel in which it waits instead."""
    access_point: InstitutionId | None = None
    """The access point that the URL belongs to; None when it is that of the institution itself."""


def route(
    receiver: str, here: str, repository: InstitutionRepository, at: datetime, *, buc: str = "", sed: str = ""
) -> Route:
    """Return the next hop towards ``receiver``: the institution, or the next access point on the way to it.

    Args:
        receiver: the ``To`` party of the message or of its routing input.
        here: the access point that asks.
        repository: the directory in force.
        at: time at which the entry must be valid.
        buc: process of the document that the message carries or is about; with ``sed`` it chooses among several
            systems of an institution.
        sed: its type.

    Raises:
        EbmsFault: EBMS:0020 when the directory gives no way.
    """
    try:
        institution = repository.get(receiver, at)
        point = repository.next_access_point(here, receiver)
    except RoutingError as error:
        raise EbmsFault(EbmsErrorCode.ROUTING_FAILURE, error.message, hint=error.hint) from error
    if point is not None:
        return Route(institution.id, point.inbound, access_point=point.id)
    endpoint = institution.endpoint_for(buc, sed)
    if not endpoint.channel:
        raise EbmsFault(
            EbmsErrorCode.ROUTING_FAILURE,
            f"Expected an endpoint for {receiver}, the directory lists none",
            hint="Give the institution an endpoint in the network file.",
        )
    if endpoint.exchange is Exchange.PULL:
        return Route(institution.id, channel=endpoint.channel)
    return Route(institution.id, endpoint.channel)
