"""Types of the fixtures that start the validator as a service."""

from typing import Protocol

from aiohttp import web
from aiohttp.test_utils import TestClient

from eessi_sim.verification.desk import Desk

Client = TestClient[web.Request, web.Application]


class Start(Protocol):
    """Starts a service on loopback."""

    async def __call__(
        self, *, desk: Desk = ..., limit: int = ..., seconds: float = ..., token: str | None = ...
    ) -> Client:
        """Return a client of the new service."""
        ...
