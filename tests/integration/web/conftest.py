"""The validator as a service on loopback."""

from collections.abc import AsyncIterator, Iterator

import pytest
from aiohttp.test_utils import TestClient, TestServer
from tests.helpers.validator_service import Client, Start

from eessi_sim import resources
from eessi_sim.api.errors import status_of
from eessi_sim.api.validation import UploadReader, make_app
from eessi_sim.cdm.catalogue import Catalogue
from eessi_sim.verification.desk import Desk
from eessi_sim.web.page import Page


@pytest.fixture(scope="session")
def valid() -> bytes:
    """A SED without a fault."""
    return (resources.schemas() / "cdm" / "4.4" / "LA" / "A003.sample.xml").read_bytes()


@pytest.fixture(scope="session")
def wrong(valid: bytes) -> bytes:
    """The same with an element that its schema does not know."""
    start, end, tail = valid.rpartition(b"</")
    return start + b"  <unheardOf>1</unheardOf>\n" + end + tail


@pytest.fixture(scope="session")
def shared_desk() -> Iterator[Desk]:
    """A desk that knows the built-in documents."""
    desk = Desk.of(Catalogue.default())
    yield desk
    desk.close()


@pytest.fixture
async def start(shared_desk: Desk) -> AsyncIterator[Start]:
    """Starts a service: ``start(desk=…, limit=…, token=…)``."""
    clients: list[Client] = []

    async def start(
        *,
        desk: Desk = shared_desk,
        limit: int = 1_000_000,
        seconds: float = 20,
        token: str | None = None,
    ) -> Client:
        reader = UploadReader(limit, seconds)
        app = make_app(desk, reader, token, Page(desk, reader.read, status_of).add_to)
        clients.append(TestClient(TestServer(app, host="127.0.0.1")))
        await clients[-1].start_server()
        return clients[-1]

    yield start
    for client in clients:
        await client.close()
