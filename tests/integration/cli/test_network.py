"""``eessi-sim network`` against the management interfaces of three access points."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import web
from tests.helpers.commands import run, run_json
from tests.helpers.federation import POLAND, Federation, three_countries

from eessi_sim.access_point.service import AccessPoint
from eessi_sim.api.manage import make_app
from eessi_sim.clock import MovableClock
from eessi_sim.identifiers import InstitutionId
from eessi_sim.security.pki import KeyAlgorithm
from eessi_sim.simulation.control import StoreReader
from eessi_sim.simulation.state import LOOPBACK, NetworkState, establish


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> NetworkState:
    """A network that was established and is not running."""
    return establish(
        three_countries(),
        tmp_path_factory.mktemp("three") / "state",
        now=datetime.now(UTC),
        algorithm=KeyAlgorithm.P_256,
    )


@pytest.fixture
async def points(state: NetworkState) -> AsyncIterator[dict[InstitutionId, AccessPoint]]:
    """The three access points, whose interfaces are where the network says."""
    lab = Federation.of()
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(lab)
        found = {InstitutionId(each): lab.point_at(InstitutionId(each)) for each in state.access_points}
        for party, node in found.items():
            app = make_app(StoreReader(lab.store(party)), state.token, MovableClock(), node.line)
            runner = web.AppRunner(app)
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            await web.TCPSite(runner, LOOPBACK, state.address(party).manage_port).start()
        yield found


async def ask(*arguments: object, state: NetworkState) -> Any:
    """Run the command beside the loop that serves the access points."""
    return await asyncio.to_thread(run_json, "network", *arguments, "--state", state.path)


async def test_country_is_cut_off_and_comes_back(
    points: dict[InstitutionId, AccessPoint], state: NetworkState
) -> None:
    """The line of the country goes down and up again; the answer shows all lines."""
    cut = await ask("cut", "pl", state=state)
    assert {row["access_point"]: row["line"] for row in cut} == {
        "NO:APNO01": "up",
        "SE:APSE01": "up",
        "PL:APPL01": "cut",
    }
    assert not points[POLAND].line.is_up
    shown = await asyncio.to_thread(run, "network", "show", "--state", state.path)
    assert "PL:APPL01" in shown.stdout
    restored = await ask("restore", "PL", state=state)
    assert {row["line"] for row in restored} == {"up"}
    assert points[POLAND].line.is_up


async def test_unknown_country_is_named(
    points: dict[InstitutionId, AccessPoint], state: NetworkState
) -> None:
    """A country that has no access point cannot be cut off."""
    result = await asyncio.to_thread(run, "network", "cut", "DE", "--state", state.path)
    assert (result.exit_code, 'found "DE"' in result.stderr) == (1, True)


def test_network_that_does_not_run_has_no_lines(state: NetworkState) -> None:
    """The lines are those of running nodes."""
    result = run("network", "show", "--state", state.path)
    assert (result.exit_code, "found none that answers" in result.stderr) == (3, True)
