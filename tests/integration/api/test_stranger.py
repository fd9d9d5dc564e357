"""Somebody else listens where a node should: asked as a node, a stranger is never taken for one."""

from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from tests.helpers.lab import NAV
from tests.integration.api.conftest import Desk

from eessi_sim.errors import ConnectFailed
from eessi_sim.simulation.remote import RemoteControl, RemoteRefusal


async def _refuse(_request: web.Request) -> web.Response:
    return web.Response(status=418, text="I am a teapot")


async def _greet(_request: web.Request) -> web.Response:
    return web.Response(text="Welcome to my home page")


@pytest.fixture
async def stranger(request: pytest.FixtureRequest) -> AsyncIterator[RemoteControl]:
    """A program that is no node and answers everything in its own way, taken for NO:NAVAT07."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", request.param)
    async with TestServer(app, host="127.0.0.1") as server, aiohttp.ClientSession() as session:
        yield Desk(session, server).remote(NAV)


@pytest.mark.parametrize("stranger", [_refuse, _greet], indirect=True)
async def test_stranger_is_not_a_ready_node(stranger: RemoteControl) -> None:
    """A node whose port somebody else holds is not ready."""
    assert not await stranger.is_ready()


@pytest.mark.parametrize("stranger", [_greet], indirect=True)
async def test_answer_of_a_stranger_is_no_answer(stranger: RemoteControl) -> None:
    """What cannot be read as the answer of a node is told as a failed connection."""
    with pytest.raises(ConnectFailed, match="something else"):
        await stranger.cases()


@pytest.mark.parametrize("stranger", [_refuse], indirect=True)
async def test_refusal_of_a_stranger_has_its_status(stranger: RemoteControl) -> None:
    """A refusal that is not in our shape is told by its HTTP status."""
    with pytest.raises(RemoteRefusal, match="HTTP 418"):
        await stranger.cases()
