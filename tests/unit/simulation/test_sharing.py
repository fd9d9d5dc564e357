"""Several processes that play the same: their names, their ports, and what the options say."""

from datetime import UTC, datetime

import click
import pytest

from eessi_sim.cli.sharing import sharing_of
from eessi_sim.errors import EnvironmentProblem, SettingsError
from eessi_sim.simulation.state import NetworkState, NodeAddress, Sharing, worker_of

ALONE = NodeAddress("NO:NAVAT07", 1, 2)
SHARED = NodeAddress("EU:APSIM01", 3, 4, workers=(5, 6))


@pytest.fixture
def state() -> NetworkState:
    """A network of an access point that two processes play and an institution that one plays."""
    now = datetime(2026, 1, 1, tzinfo=UTC)
    return NetworkState("/n", "two", now, ("EU:APSIM01",), "token", 1.0, (SHARED, ALONE))


def test_processes_that_play_the_same_are_numbered(state: NetworkState) -> None:
    """The first has the name of its node, the others a number behind it."""
    assert state.processes == ("EU:APSIM01", "EU:APSIM01.2", "NO:NAVAT07")
    assert [worker_of(each) for each in state.processes] == ["1", "2", "1"]
    assert [state.has_peers(each) for each in state.processes] == [True, True, False]


def test_each_process_is_managed_at_a_port_of_its_own(state: NetworkState) -> None:
    """They share the port for AS4 and keep their state in the same place."""
    both = [state.played_by(name)[0] for name in ("EU:APSIM01", "EU:APSIM01.2")]
    assert [(each.port, each.manage_port) for each in both] == [(3, 5), (3, 6)]
    assert [each.manage_port for each in SHARED.each] == [5, 6]
    assert ALONE.each == (ALONE,)
    assert state.store_of("EU:APSIM01") == state.store_of("EU:APSIM01.2")
    assert state.log("EU:APSIM01") != state.log("EU:APSIM01.2")


def test_process_that_there_is_not(state: NetworkState) -> None:
    """A number too many is answered with the names that there are."""
    with pytest.raises(EnvironmentProblem, match=r"EU:APSIM01\.3"):
        state.played_by("EU:APSIM01.3")


@pytest.mark.parametrize(
    ("workers", "storage", "expected"),
    [
        (None, None, Sharing()),
        ("4", None, Sharing(access_points=4)),
        (
            "access-point=3, institutions=2",
            "sqlite:///all.db",
            Sharing(3, 2, "sqlite:///all.db"),
        ),
    ],
)
def test_options_say_how_many_share_what(workers: str | None, storage: str | None, expected: Sharing) -> None:
    """A number alone is that of the processes of the access point."""
    assert sharing_of(workers, storage) == expected


@pytest.mark.parametrize(
    ("workers", "storage"), [("0", None), ("65", None), ("hosts=2", None), (None, "memory:")]
)
def test_options_that_say_nothing_sensible(workers: str | None, storage: str | None) -> None:
    """What cannot be is refused with what is expected."""
    with pytest.raises(click.BadParameter, match="Expected"):
        sharing_of(workers, storage)


def test_store_that_nobody_knows() -> None:
    """The scheme of a store is looked at before keys are made."""
    with pytest.raises(SettingsError):
        sharing_of(None, "oracle://host/db")
