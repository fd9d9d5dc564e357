"""One port for the management interfaces of many nodes: the first step of the path names the node.

Behind it stands the interface of each node as it is elsewhere, made when it is first asked for.
"""

from collections.abc import Awaitable, Callable

from aiohttp import web

from eessi_sim.api.casework import answer
from eessi_sim.api.manage import MAX_BODY
from eessi_sim.identifiers import InstitutionId

MakeApp = Callable[[InstitutionId], Awaitable[web.Application]]


class Front:
    """Hands requests on.

    Args:
        party_at: returns whom a path belongs to, None when it is nobody here.
        make_app: makes the interface of a node.
    """

    def __init__(self, party_at: Callable[[str], InstitutionId | None], make_app: MakeApp) -> None:
        self._party_at = party_at
        self._make_app = make_app
        self._runners: dict[InstitutionId, web.AppRunner] = {}

    def app(self) -> web.Application:
        """Return the application that listens."""
        app = web.Application(client_max_size=MAX_BODY)
        app.router.add_route("*", "/{node}/{rest:(manage|health)/.*|metrics}", self._hand_on)
        app.on_cleanup.append(self._clean_up)
        return app

    async def _hand_on(self, request: web.Request) -> web.StreamResponse:
        party = self._party_at(request.path)
        if party is None:
            return answer({"code": "http", "message": "Nobody is managed at this path"}, status=404)
        server = (await self._runner(party)).server
        assert server is not None  # set up
        path = request.rel_url.raw_path_qs.lstrip("/").partition("/")[2]
        inner: web.StreamResponse = await server.request_handler(request.clone(rel_url=f"/{path}"))
        return inner

    async def _runner(self, party: InstitutionId) -> web.AppRunner:
        if party not in self._runners:
            runner = web.AppRunner(await self._make_app(party), access_log=None)
            await runner.setup()
            self._runners.setdefault(party, runner)
        return self._runners[party]

    async def _clean_up(self, _app: web.Application) -> None:
        for runner in self._runners.values():
            await runner.cleanup()
