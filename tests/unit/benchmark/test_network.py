"""How the benchmark chooses who sends what to whom."""

from datetime import UTC, datetime

import pytest

from eessi_sim.benchmark.network import Route, plan
from eessi_sim.errors import SettingsError, UnknownSedType
from eessi_sim.identifiers import SedType
from eessi_sim.simulation.assembly import load_definition, load_library

AT = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


def route(sed: str) -> Route:
    return plan(SedType(sed), load_definition(), load_library(), AT)


@pytest.mark.parametrize("sed", ["A003", "P2000", "U001"])
def test_starter_finds_a_process_that_begins_with_it(sed: str) -> None:
    """A SED with which a case begins gets a process whose starter it is."""
    chosen = route(sed)
    assert sed in load_library().processes.get(chosen.buc).starters


def test_sender_and_receiver_are_two() -> None:
    """An institution that is competent in both roles does not write to itself."""
    chosen = route("A003")
    assert chosen.owner != chosen.counterparty


def test_nobody_answers_by_itself() -> None:
    """The institutions of the benchmark have no habits: one SED is one SED."""
    assert [each.behaviours for each in route("A003").network.institutions] == [(), ()]


def test_access_point_serves_just_the_two() -> None:
    """The reduced network has no link to an institution that is not there."""
    chosen = route("A003")
    assert set(chosen.network.access_points[0].linked) == {chosen.owner, chosen.counterparty}


def test_reply_cannot_begin_a_case() -> None:
    """A SED that only answers is refused with the names of those that begin a case."""
    with pytest.raises(SettingsError) as caught:
        route("A012")
    assert "A003" in (caught.value.hint or "")


def test_unknown_sed_is_refused() -> None:
    """A SED that nobody defines is named as unknown."""
    with pytest.raises(UnknownSedType):
        route("A999")
