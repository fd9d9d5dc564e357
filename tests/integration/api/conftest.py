"""One institution with its interface for managing it, asked from inside and over a real socket."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from io import BytesIO
from typing import Protocol

import aiohttp
import pytest
from aiohttp.test_utils import BaseTestServer, TestServer
from tests.helpers.lab import NAV, Lab

from eessi_sim.api.manage import make_app
from eessi_sim.clock import MovableClock
from eessi_sim.identifiers import InstitutionId
from eessi_sim.simulation.control import NodeControl, StoreReader
from eessi_sim.simulation.inprocess import START
from eessi_sim.simulation.operations import Operations
from eessi_sim.simulation.remote import RemoteControl
from eessi_sim.simulation.state import NetworkState, NodeAddress

TOKEN = "the-token-of-the-tests"


@dataclass(frozen=True)
class Desk:
    """Plain HTTP to the interface of one node, with the right token unless told otherwise."""

    session: aiohttp.ClientSession
    server: BaseTestServer

    async def ask(
        self,
        path: str,
        body: object = None,
        *,
        method: str | None = None,
        token: str = f"Bearer {TOKEN}",
        data: bytes | BytesIO | None = None,
    ) -> tuple[int, object]:
        """Return status and JSON of the answer; POST when there is a body."""
        async with self.session.request(
            method or ("GET" if body is None and data is None else "POST"),
            self.server.make_url(path),
            json=body,
            data=data,
            headers={"authorization": token},
        ) as answer:
            assert answer.content_type == "application/json"
            return answer.status, await answer.json()

    def remote(self, party: InstitutionId) -> RemoteControl:
        """The node as another process sees it."""
        assert self.server.port is not None
        address = NodeAddress(party, 0, self.server.port)
        state = NetworkState("", "Tests", START, ("EU:APSIM01",), TOKEN, 1.0, (address,))
        return RemoteControl(self.session, state, party)


class OpenDesk(Protocol):
    """Opens the interface of a node, with what only who runs it may ask if that is given."""

    def __call__(self, reader: StoreReader, operations: Operations | None = None) -> Awaitable[Desk]: ...


Ask = Callable[[InstitutionId], Awaitable[NodeControl]]


@pytest.fixture
async def lab() -> AsyncIterator[Lab]:
    """The demo network in which nobody acts by itself."""
    async with Lab.build() as lab:
        yield lab


@pytest.fixture
async def open_desk() -> AsyncIterator[OpenDesk]:
    """Opens desks; they are closed when the test ends."""
    async with aiohttp.ClientSession() as session:
        desks: list[TestServer] = []

        async def open_one(reader: StoreReader, operations: Operations | None = None) -> Desk:
            server = TestServer(
                make_app(reader, TOKEN, MovableClock(), operations=operations), host="127.0.0.1"
            )
            await server.start_server()
            desks.append(server)
            return Desk(session, server)

        yield open_one
        for server in desks:
            await server.close()


@pytest.fixture
async def desk(lab: Lab, open_desk: OpenDesk) -> Desk:
    """The interface of NO:NAVAT07."""
    return await open_desk(lab.network.controls[NAV])


@pytest.fixture(params=["local", "remote"])
def ask(request: pytest.FixtureRequest, lab: Lab, open_desk: OpenDesk) -> Ask:
    """Any institution, once in this process and once through its interface."""

    async def one(party: InstitutionId) -> NodeControl:
        local = lab.network.controls[party]
        return local if request.param == "local" else (await open_desk(local)).remote(party)

    return one


@pytest.fixture
async def control(ask: Ask) -> NodeControl:
    """NO:NAVAT07, once in this process and once through its interface."""
    return await ask(NAV)
