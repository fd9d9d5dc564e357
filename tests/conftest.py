"""Fixtures shared by all rings: a clock that stands still, ids from a seed."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from tests.helpers.postgresql import Server, server

from eessi_sim.clock import ManualClock
from eessi_sim.identifiers import RandomIdFactory

START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


@pytest.fixture
def clock() -> ManualClock:
    """A clock at 2 March 2026, 08:00 UTC, that moves only when told."""
    return ManualClock(START)


@pytest.fixture
def ids() -> RandomIdFactory:
    """Identifiers that are the same in every run."""
    return RandomIdFactory(random.Random(7).getrandbits)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    """A PostgreSQL server for the stores of tests; started when the first test asks for it."""
    with server() as running:
        yield running
