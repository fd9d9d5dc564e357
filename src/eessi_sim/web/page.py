"""The validator's page: a form, and after it the verdict, the findings and the document with them in place."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from aiohttp import web
from jinja2 import Environment, PackageLoader, StrictUndefined

from eessi_sim.errors import EessiSimError
from eessi_sim.verification.desk import Desk, Upload
from eessi_sim.web.view import View, printable, view_of

_TEMPLATE: Final = "validator.html.j2"
_STATIC: Final = Path(__file__).with_name("static")


@dataclass(frozen=True, slots=True)
class Page:
    """``GET /`` and ``POST /``."""

    desk: Desk
    read: Callable[[web.Request], Awaitable[Upload]]
    """Takes the document out of a request."""
    status_of: Callable[[EessiSimError], int]
    """HTTP status of an error."""

    def add_to(self, app: web.Application) -> None:
        """Add the routes of the page and of its style and script."""
        app.router.add_get("/", self.empty)
        app.router.add_post("/", self.examined)
        app.router.add_static("/static", _STATIC)

    async def empty(self, _request: web.Request) -> web.Response:
        """Show the form."""
        return _page()

    async def examined(self, request: web.Request) -> web.Response:
        """Show what is wrong with a document, or why it could not be examined."""
        try:
            examination = await self.desk.examine(await self.read(request))
        except EessiSimError as error:
            return _page(problem=error, status=self.status_of(error))
        # A long document takes some time to show, too.
        return await asyncio.to_thread(lambda: _page(view=view_of(examination)))


def _page(
    *, view: View | None = None, problem: EessiSimError | None = None, status: int = 200
) -> web.Response:
    text = _environment().get_template(_TEMPLATE).render(view=view, problem=problem)
    return web.Response(text=text, status=status, content_type="text/html")


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("eessi_sim.web"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=lambda value: printable(value) if isinstance(value, str) else value,
        trim_blocks=True,
        lstrip_blocks=True,
    )
