"""Where the access point sends a message next."""

from dataclasses import replace

import pytest
from tests.helpers.repositories import KRUS, NAV, NOW, POINT, ZUS, repository

from eessi_sim.access_point.routing import Route, route
from eessi_sim.as4.ebms_errors import EbmsErrorCode, EbmsFault
from eessi_sim.ir.repository import InstitutionRepository


def fault_of(receiver: str, directory: InstitutionRepository | None = None) -> EbmsFault:
    """Return the fault that routing ends with."""
    with pytest.raises(EbmsFault) as caught:
        route(receiver, POINT, directory or repository(), NOW)
    assert caught.value.error_code is EbmsErrorCode.ROUTING_FAILURE
    return caught.value


def test_push_endpoint_is_the_next_hop() -> None:
    """An institution that is pushed to gets its messages at its URL."""
    assert route(ZUS, POINT, repository(), NOW) == Route(ZUS, "https://localhost:8443/zus")


def test_unknown_receiver_has_no_route() -> None:
    """The refusal names the receiver and who is near."""
    fault = fault_of("PL:ZUS002")
    assert "PL:ZUS002" in fault.message
    assert ZUS in (fault.hint or "")


def test_text_that_is_no_id_has_no_route() -> None:
    """Whatever stands in the To party is answered with a routing failure."""
    assert "nobody at all" in fault_of("nobody at all").message


def test_entry_that_has_ended_has_no_route() -> None:
    """An institution that is not listed any more gets nothing."""
    known = repository()
    ended = replace(known.get(ZUS), valid_until=NOW)
    fault = fault_of(ZUS, InstitutionRepository("1", (ended,), known.access_points))
    assert "listed on 2026-03-02" in fault.message


def test_institution_that_pulls_gets_its_messages_in_its_channel() -> None:
    """Nothing is pushed to one that the directory says fetches its messages."""
    found = route(KRUS, POINT, repository(), NOW)
    assert (found.endpoint, found.channel) == (None, repository().get(KRUS).endpoint.channel)


def test_institution_without_endpoint_has_no_route() -> None:
    """One without URL can neither be pushed to nor pull."""
    known = repository()
    point = replace(known.access_points[0], linked=(NAV,))
    fault = fault_of(NAV, InstitutionRepository("1", known.institutions, (point,)))
    assert f"endpoint for {NAV}" in fault.message


def test_institution_without_access_point_has_no_route() -> None:
    """One that nobody serves cannot be reached."""
    assert f'serves "{NAV}"' in fault_of(NAV).message
