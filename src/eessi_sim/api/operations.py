"""The part of the management interface for who runs a node: dead letters and their second chance."""

from urllib.parse import unquote

import msgspec
from aiohttp import web

from eessi_sim.api.casework import answer, body_of
from eessi_sim.simulation.operations import OPERATOR, Operations
from eessi_sim.simulation.remote import CLERK_HEADER
from eessi_sim.storage.base import Direction


class ResendBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Body of ``POST /manage/dead-letters/resend``."""

    direction: Direction
    message_id: str
    force: bool = False


class OperationRoutes:
    """What every node answers to who runs it.

    Args:
        operations: the node.
    """

    def __init__(self, operations: Operations) -> None:
        self._operations = operations

    def add_to(self, app: web.Application) -> None:
        """Add the routes."""
        app.router.add_get("/manage/dead-letters", self.dead_letters)
        app.router.add_post("/manage/dead-letters/resend", self.resend)

    async def dead_letters(self, _request: web.Request) -> web.Response:
        """List the messages that could not go on."""
        return answer(await self._operations.dead_letters())

    async def resend(self, request: web.Request) -> web.Response:
        """Put one of them back into its queue."""
        body = await body_of(request, ResendBody)
        actor = unquote(request.headers.get(CLERK_HEADER, "")) or OPERATOR
        view = await self._operations.resend(body.direction, body.message_id, actor=actor, force=body.force)
        return answer(view)
