"""Which addresses of a repository that arrives are believed: a message must not make us call into somebody's network.

Endpoints are https; new ones are public names on the usual port. Hosts that are installed already may stay with their
ports, which is how a network on one machine works (our choice, inferred; wire list BU-12).
"""

from collections.abc import Iterator
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from eessi_sim.ir.model import Exchange
from eessi_sim.ir.repository import InstitutionRepository

_HTTPS: Final = 443
_INTERNAL_ENDINGS: Final = (".localhost", ".local", ".internal", ".lan", ".home.arpa")


def strange_addresses(new: InstitutionRepository, installed: InstitutionRepository) -> tuple[str, ...]:
    """Return a sentence for each new address that is not believed.

    Args:
        new: the repository that arrived.
        installed: the one in force, whose hosts and ports are believed.
    """
    known = {place for _, url in _addresses(installed) if (place := _place(url))}
    return tuple(
        f"Expected an https address of a public host for {party}, found {url[:200]!r}"
        for party, url in _addresses(new)
        if url and not _is_believed(url, known)
    )


def _addresses(repository: InstitutionRepository) -> Iterator[tuple[str, str]]:
    for institution in repository.institutions:
        endpoint = institution.endpoint
        yield institution.id, endpoint.channel if endpoint.exchange is Exchange.PUSH else endpoint.inner
    for point in repository.access_points:
        yield from ((point.id, url) for url in (point.outbox, point.inbox, point.inbound))
    if repository.central:
        yield repository.central.id, repository.central.channel


def _place(url: str) -> tuple[str, int] | None:
    """Return host and port of an https address, None when it is none."""
    try:
        parts = urlsplit(url)
        port = parts.port or _HTTPS
    except ValueError:
        return None
    if parts.scheme != "https" or not parts.hostname or parts.username is not None:
        return None
    return parts.hostname, port


def _is_believed(url: str, known: set[tuple[str, int]]) -> bool:
    place = _place(url)
    if place is None:
        return False
    return place in known or (place[1] == _HTTPS and _is_public(place[0]))


def _is_public(host: str) -> bool:
    try:
        return ip_address(host).is_global
    except ValueError:
        return "." in host and not host.endswith(_INTERNAL_ENDINGS)
