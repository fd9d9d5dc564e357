"""Networks that tests play with: everything in memory, nobody acts by itself, time stands still."""

from collections.abc import AsyncIterator

import pytest
from tests.helpers.lab import NAV, ZUS, Lab


@pytest.fixture
async def lab() -> AsyncIterator[Lab]:
    """The demo network in which nobody acts by itself."""
    async with Lab.build() as lab:
        yield lab


@pytest.fixture
async def sent(lab: Lab) -> Lab:
    """The same after NO:NAVAT07 has sent an A003 to PL:ZUS01 and the receipt is back."""
    await lab.open(owner=NAV, others=[ZUS])
    return lab
