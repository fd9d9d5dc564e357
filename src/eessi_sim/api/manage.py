"""Our own interface for managing one node: cases, documents, messages, journal, clock.

Plain HTTP on loopback; every request carries the token of the network. Used by the command line to drive nodes in other
processes, and by scripts.
"""

import asyncio
import base64
import re
import secrets
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, Final

import msgspec
from aiohttp import web

from eessi_sim.access_point.line import Line
from eessi_sim.api.casework import CaseworkRoutes, acting, answer, body_of, change_of, institutions, octets
from eessi_sim.api.errors import shape_of, status_of
from eessi_sim.api.operations import OPEN_PATHS, OperationRoutes, refusing_while_drained
from eessi_sim.attachments import Content, NewFile, Octets
from eessi_sim.clock import MovableClock
from eessi_sim.errors import EessiSimError
from eessi_sim.identifiers import BucType, CdmVersion, InstitutionId, SedType
from eessi_sim.simulation.control import LocalControl, StoreReader
from eessi_sim.simulation.operations import Operations
from eessi_sim.spool import Spool

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
MAX_BODY: Final = 128 * 1024 * 1024
"""Octets of a request; files of more than 1 MB come by ``POST /manage/files``, one by one (our choice, inferred)."""


_DIGEST: Final = re.compile("[0-9a-f]{64}")


class OpenCase(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Body of ``POST /manage/cases``."""

    buc: str
    counterparties: list[str]
    cdm: str | None = None
    """Version of the data model; the usual one when absent."""


class SendFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file that travels with a document."""

    file_name: str
    mime_type: str
    content: str = ""
    """The file, base64."""
    digest: str | None = None
    """SHA-256 of a file that was sent to ``POST /manage/files`` before, hexadecimal; in place of ``content``."""
    name: str = ""
    """What people call it; the file name when absent."""
    medical: bool = False

    def file(self, spool: Spool | None) -> NewFile:
        """Return the file as the node takes it.

        Raises:
            ValueError: no such file was sent before, or the content is not base64.
        """
        return NewFile(
            file_name=self.file_name,
            content=self._content(spool),
            mime_type=self.mime_type,
            name=self.name,
            medical=self.medical,
        )

    def _content(self, spool: Spool | None) -> Content:
        if self.digest is None:
            return Octets.of(base64.b64decode(self.content, validate=True))
        found = spool.find(self.digest) if spool is not None and _DIGEST.fullmatch(self.digest) else None
        if found is None:
            raise ValueError(
                f"Expected the digest of a file that was sent before, found {self.digest[:64]!r}"
            )
        return found


class SendBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Body of ``POST /manage/cases/{case}/documents``."""

    sed: str
    content: str | None = None
    """XML of the document, base64; composed from the case when absent."""
    parent_id: str | None = None
    receivers: list[str] | None = None
    files: list[SendFile] = []
    joins: str | None = None
    leaves: str | None = None


class AcceptBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Body of ``POST /manage/cases/{case}/suggestions/{suggestion}/accept``."""

    clerk: str


class DeclineBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Body of ``POST /manage/cases/{case}/suggestions/{suggestion}/decline``."""

    clerk: str
    reason: str


class MoveClock(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Body of ``POST /manage/clock``."""

    advance: timedelta
    """How much time passes; ISO 8601, as in P60D."""


class SetLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Body of ``POST /manage/line``."""

    up: bool


def make_app(
    reader: StoreReader,
    token: str,
    clock: MovableClock,
    line: Line | None = None,
    operations: Operations | None = None,
) -> web.Application:
    """Return the interface of one node.

    Args:
        reader: the node; a ``LocalControl`` for an institution, which also has cases.
        token: what requests must carry as bearer token.
        clock: the time of the node.
        line: of an access point to the others; other nodes have none.
        operations: what who runs the node may ask of it; None leaves that out.
    """
    app = web.Application(
        client_max_size=MAX_BODY, middlewares=[_errors, _guard(token), refusing_while_drained(operations)]
    )
    _Messages(reader).add_to(app)
    _Time(clock).add_to(app)
    if operations is not None:
        OperationRoutes(operations).add_to(app)
    if line is not None:
        _LineSwitch(line).add_to(app)
    if isinstance(reader, LocalControl):
        _Cases(reader).add_to(app)
        CaseworkRoutes(reader).add_to(app)
    return app


class _Messages:
    """What every node answers."""

    def __init__(self, reader: StoreReader) -> None:
        self._reader = reader

    def add_to(self, app: web.Application) -> None:
        app.router.add_get("/manage/health", self.health)
        app.router.add_get("/manage/messages", self.messages)
        app.router.add_get("/manage/messages/{direction}/{message_id:.+}", self.message)
        app.router.add_get("/manage/journal", self.journal)

    async def health(self, _request: web.Request) -> web.Response:
        return answer(True)  # noqa: FBT003 - the answer is the word true

    async def messages(self, _request: web.Request) -> web.Response:
        return answer(await self._reader.messages())

    async def message(self, request: web.Request) -> web.Response:
        match = request.match_info
        return answer(await self._reader.message(match["direction"], match["message_id"]))

    async def journal(self, request: web.Request) -> web.Response:
        return answer(await self._reader.journal(int(request.query.get("after", "0"))))


class _Time:
    """The time of the node; whoever moves it moves that of all nodes of the network."""

    def __init__(self, clock: MovableClock) -> None:
        self._clock = clock

    def add_to(self, app: web.Application) -> None:
        app.router.add_post("/manage/clock", self.move)

    async def move(self, request: web.Request) -> web.Response:
        body = await body_of(request, MoveClock)
        if body.advance < timedelta(0):
            raise ValueError(f"Expected time to pass, found {body.advance}: no clock goes back")
        self._clock.advance(body.advance)
        return answer(self._clock.now())


class _LineSwitch:
    """The line of an access point to the others, which an exercise cuts."""

    def __init__(self, line: Line) -> None:
        self._line = line

    def add_to(self, app: web.Application) -> None:
        app.router.add_get("/manage/line", self.read)
        app.router.add_post("/manage/line", self.set)

    async def read(self, _request: web.Request) -> web.Response:
        return answer(self._line.is_up)

    async def set(self, request: web.Request) -> web.Response:
        self._line.is_up = (await body_of(request, SetLine)).up
        return answer(self._line.is_up)


class _Cases:
    """What institutions answer."""

    def __init__(self, control: LocalControl) -> None:
        self._control = control

    def add_to(self, app: web.Application) -> None:
        app.router.add_post("/manage/files", self.take_file)
        app.router.add_get("/manage/cases", self.find)
        app.router.add_post("/manage/cases", self.open)
        app.router.add_get("/manage/cases/{case}", self.case)
        app.router.add_get("/manage/cases/{case}/actions", self.actions)
        app.router.add_post("/manage/cases/{case}/documents", self.send)
        app.router.add_post("/manage/cases/{case}/close", self.close)
        app.router.add_get("/manage/cases/{case}/suggestions", self.suggestions)
        app.router.add_post("/manage/cases/{case}/suggestions/{suggestion}/accept", self.accept)
        app.router.add_post("/manage/cases/{case}/suggestions/{suggestion}/decline", self.decline)

    async def take_file(self, request: web.Request) -> web.Response:
        """Write a large file to the spool as it comes; a document that is sent afterwards names its digest."""
        spool, limits = self._control.spool, self._control.attachments
        if spool is None:
            raise ValueError("Expected a node with a store on disk, found one that forgets")
        writer, size = spool.begin(), 0
        try:
            async for piece in request.content.iter_any():
                size += len(piece)
                limits.check_size("the file", size)
                writer.append(piece)
        except BaseException:
            writer.discard()
            raise
        file = writer.finish()
        await asyncio.to_thread(file.keep)
        return answer(file.digest)

    async def find(self, request: web.Request) -> web.Response:
        wanted = request.query.get("international_id")
        return answer(await self._control.find_case(wanted) if wanted else await self._control.cases())

    async def open(self, request: web.Request) -> web.Response:
        body = await body_of(request, OpenCase)
        parties = [InstitutionId(text) for text in body.counterparties]
        cdm = CdmVersion(body.cdm) if body.cdm is not None else None
        return answer(await acting(self._control, request).open_case(BucType(body.buc), parties, cdm))

    async def case(self, request: web.Request) -> web.Response:
        return answer(await self._control.case(request.match_info["case"]))

    async def actions(self, request: web.Request) -> web.Response:
        return answer(await self._control.available_actions(request.match_info["case"]))

    async def send(self, request: web.Request) -> web.Response:
        body = await body_of(request, SendBody)
        case = await acting(self._control, request).send(
            request.match_info["case"],
            SedType(body.sed),
            content=octets(body.content),
            parent_id=body.parent_id,
            receivers=institutions(body.receivers),
            change=change_of(body.joins, body.leaves),
            files=[each.file(self._control.spool) for each in body.files],
        )
        return answer(case)

    async def close(self, request: web.Request) -> web.Response:
        return answer(await acting(self._control, request).close_case(request.match_info["case"]))

    async def suggestions(self, request: web.Request) -> web.Response:
        return answer(await self._control.suggestions(request.match_info["case"]))

    async def accept(self, request: web.Request) -> web.Response:
        body = await body_of(request, AcceptBody)
        match = request.match_info
        return answer(await self._control.accept(match["case"], match["suggestion"], clerk=body.clerk))

    async def decline(self, request: web.Request) -> web.Response:
        body = await body_of(request, DeclineBody)
        match = request.match_info
        return answer(
            await self._control.decline(
                match["case"], match["suggestion"], clerk=body.clerk, reason=body.reason
            )
        )


@web.middleware
async def _errors(request: web.Request, handler: _Handler) -> web.StreamResponse:
    """Answer every error of the project, every unreadable request and what the library refuses in one JSON shape."""
    try:
        return await handler(request)
    except EessiSimError as error:
        return answer(shape_of(error), status=status_of(error))
    except (msgspec.MsgspecError, ValueError) as error:
        return answer({"code": "bad-request", "message": str(error)}, status=400)
    except web.HTTPError as error:  # raised by the library: no such path, wrong method, body too large
        return answer({"code": "http", "message": error.reason}, status=error.status)


def _guard(token: str) -> Any:  # Any: aiohttp's type of a middleware is private
    expected = f"Bearer {token}".encode()

    @web.middleware
    async def guard(request: web.Request, handler: _Handler) -> web.StreamResponse:
        if request.path in OPEN_PATHS:
            return await handler(request)
        shown = request.headers.get("authorization", "").encode(errors="surrogateescape")
        if not secrets.compare_digest(shown, expected):
            return answer({"code": "token", "message": "Expected the token of the network"}, status=401)
        return await handler(request)

    return guard
