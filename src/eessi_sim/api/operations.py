"""The part of the management interface for who runs a node: health, numbers, draining, dead letters.

``/health/live`` and ``/health/ready`` ask for no token, so that any supervisor can look; they say nothing of messages.
"""

import secrets
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any, Final
from urllib.parse import unquote

import msgspec
from aiohttp import web

from eessi_sim.api import metrics
from eessi_sim.api.casework import answer, body_of
from eessi_sim.gateway.gate import RETRY_AFTER
from eessi_sim.gateway.retention import Retention
from eessi_sim.simulation.operations import OPERATOR, Operations
from eessi_sim.simulation.remote import CLERK_HEADER
from eessi_sim.storage.base import Direction

OPEN_PATHS: Final = frozenset({"/health/live", "/health/ready"})
"""What is answered without the token of the network."""
_NEW_WORK: Final = ("/manage/cases", "/manage/files")

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class ResendBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Body of ``POST /manage/dead-letters/resend``."""

    direction: Direction
    message_id: str
    force: bool = False


class CleanUpBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Body of ``POST /manage/cleanup``; durations in ISO 8601, as in P90D."""

    messages: timedelta | None = None
    journal: timedelta | None = None
    dry_run: bool = False


class OperationRoutes:
    """What every node answers to who runs it.

    Args:
        operations: the node.
    """

    def __init__(self, operations: Operations) -> None:
        self._operations = operations

    def add_to(self, app: web.Application) -> None:
        """Add the routes."""
        app.router.add_get("/health/live", self.live)
        app.router.add_get("/health/ready", self.ready)
        app.router.add_get("/metrics", self.metrics)
        app.router.add_get("/manage/condition", self.condition)
        app.router.add_post("/manage/drain", self.drain)
        app.router.add_post("/manage/undrain", self.undrain)
        app.router.add_post("/manage/cleanup", self.clean_up)
        app.router.add_get("/manage/dead-letters", self.dead_letters)
        app.router.add_post("/manage/dead-letters/resend", self.resend)

    async def live(self, _request: web.Request) -> web.Response:
        """Say that the process answers."""
        return answer({"live": True})

    async def ready(self, _request: web.Request) -> web.Response:
        """Say whether the node takes new work: 200 when it does, 503 when it does not, with each check."""
        health = await self._operations.health()
        checks = {check.name: check.ok for check in health.checks}
        return answer({"ready": health.is_ready, "checks": checks}, status=200 if health.is_ready else 503)

    async def metrics(self, _request: web.Request) -> web.Response:
        """Give the numbers of the node to Prometheus."""
        text = await metrics.exposition([self._operations])
        return web.Response(body=text, headers={"content-type": metrics.CONTENT_TYPE})

    async def condition(self, _request: web.Request) -> web.Response:
        """Tell everything about the health of the node."""
        return answer(await self._operations.health())

    async def drain(self, request: web.Request) -> web.Response:
        """Take no new work."""
        return answer(await self._operations.drain(_actor(request)))

    async def undrain(self, request: web.Request) -> web.Response:
        """Take new work again."""
        return answer(await self._operations.undrain(_actor(request)))

    async def clean_up(self, request: web.Request) -> web.Response:
        """Remove what need not be kept any longer."""
        body = await body_of(request, CleanUpBody)
        retention = Retention(body.messages, body.journal)
        cleaned = await self._operations.clean_up(retention, actor=_actor(request), dry_run=body.dry_run)
        return answer(cleaned)

    async def dead_letters(self, _request: web.Request) -> web.Response:
        """List the messages that could not go on."""
        return answer(await self._operations.dead_letters())

    async def resend(self, request: web.Request) -> web.Response:
        """Put one of them back into its queue."""
        body = await body_of(request, ResendBody)
        view = await self._operations.resend(
            body.direction, body.message_id, actor=_actor(request), force=body.force
        )
        return answer(view)


class HostRoutes:
    """The numbers and the health of a process that plays many nodes, of those that were made.

    Args:
        made: returns them.
        token: what asks for the numbers must carry as bearer token.
    """

    def __init__(self, made: Callable[[], Awaitable[Sequence[Operations]]], token: str) -> None:
        self._made = made
        self._expected = f"Bearer {token}".encode()

    def add_to(self, app: web.Application) -> None:
        """Add the routes."""
        app.router.add_get("/health/live", self.live)
        app.router.add_get("/health/ready", self.ready)
        app.router.add_get("/metrics", self.metrics)

    async def live(self, _request: web.Request) -> web.Response:
        """Say that the process answers."""
        return answer({"live": True})

    async def ready(self, _request: web.Request) -> web.Response:
        """Say whether all nodes take new work."""
        found = [await each.health() for each in await self._made()]
        is_ready = all(health.is_ready for health in found)
        return answer({"ready": is_ready, "nodes": len(found)}, status=200 if is_ready else 503)

    async def metrics(self, request: web.Request) -> web.Response:
        """Give the numbers of all nodes to Prometheus."""
        shown = request.headers.get("authorization", "").encode(errors="surrogateescape")
        if not secrets.compare_digest(shown, self._expected):
            return answer({"code": "token", "message": "Expected the token of the network"}, status=401)
        text = await metrics.exposition(await self._made())
        return web.Response(body=text, headers={"content-type": metrics.CONTENT_TYPE})


def _actor(request: web.Request) -> str:
    return unquote(request.headers.get(CLERK_HEADER, "")) or OPERATOR


def refusing_while_drained(
    operations: Operations | None,
) -> Any:  # Any: aiohttp's type of a middleware is private
    """Return what answers requests for new work 503 while the node is drained."""

    @web.middleware
    async def refuse(request: web.Request, handler: _Handler) -> web.StreamResponse:
        is_new_work = request.method == "POST" and request.path.startswith(_NEW_WORK)
        if not is_new_work or operations is None or not operations.is_drained:
            return await handler(request)
        shape = {
            "code": "drained",
            "message": f"Expected a node that takes new work, found {operations.station.party} drained",
            "hint": "Try again later, or: eessi-sim undrain NODE.",
        }
        response = answer(shape, status=503)
        response.headers["retry-after"] = str(RETRY_AFTER)
        return response

    return refuse
