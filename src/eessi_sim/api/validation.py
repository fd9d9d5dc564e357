"""The validator as a web service: ``POST /validate``, ``GET /openapi.json``, ``GET /healthz``.

Nothing that is sent is stored or logged. Every answer carries the headers that keep a browser from doing anything
but showing it.
"""

import asyncio
import logging
import secrets
from base64 import b64decode
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import msgspec
from aiohttp import BodyPartReader, web

from eessi_sim.api.errors import shape_of, status_of
from eessi_sim.errors import EessiSimError, MediaTypeUnknown, RequestError, RequestTooLarge
from eessi_sim.verification.desk import Desk, Upload
from eessi_sim.verification.examination import Examination
from eessi_sim.xmlsafe import DOCUMENT_LIMITS

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_log = logging.getLogger(__name__)

MAX_BODY: Final = DOCUMENT_LIMITS.max_bytes
"""Octets of a request; the validator reads no larger document."""
_SECONDS: Final = 60.0
"""Enough for the largest document over a slow line; nobody holds a connection for longer (our choice, inferred)."""
_OPENAPI: Final = Path(__file__).with_name("openapi.json")
_JSON: Final = "application/json"
_FORM: Final = "multipart/form-data"
_RAW: Final = ("application/xml", "text/xml", _JSON, "application/octet-stream")
_OPEN_PATHS: Final = ("/healthz",)
_MAX_PARTS: Final = 16
"""Parts of a form that are looked at; ours has two."""
_HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


def _as_json(examination: Examination) -> bytes:
    return _encode({"valid": examination.is_valid, "files": [examination.as_dict()]})


WRITERS: Final[dict[str, Callable[[Examination], bytes]]] = {_JSON: _as_json}
"""Media type to writer of ``POST /validate``; the first one answers when a client asks for none of them."""


@dataclass(frozen=True, slots=True)
class UploadReader:
    """Takes the document out of a request."""

    limit: int = MAX_BODY
    """Octets of a document."""
    seconds: float = _SECONDS
    """How long the sender may take."""

    async def read(self, request: web.Request) -> Upload:
        """Return the document of a request: its body, or the field ``file`` or ``text`` of a form.

        Raises:
            MediaTypeUnknown: the body is something else.
            RequestError: it is a form without a document, or a broken one, or does not arrive.
            RequestTooLarge: it has too many octets.
        """
        try:
            async with asyncio.timeout(self.seconds):
                return await self._read(request)
        except TimeoutError as error:
            raise RequestError(
                f"Expected the whole document within {self.seconds:g} seconds",
                hint="Send it again, over a faster connection.",
            ) from error

    async def _read(self, request: web.Request) -> Upload:
        if (request.content_length or 0) > self.limit:
            raise self._too_large()
        disabled = frozenset(request.query.getall("disable", ()))
        if request.content_type == _FORM:
            return replace(await self._of_form(request), disabled=disabled)
        if request.content_type not in _RAW:
            raise MediaTypeUnknown(
                f'Expected the media type {", ".join(_RAW)} or {_FORM}, found "{request.content_type}"',
                hint="Name what you send in the header Content-Type; application/octet-stream fits everything.",
            )
        return Upload("document", await self._of_body(request), disabled)

    async def _of_body(self, request: web.Request) -> bytes:
        data = bytearray()
        async for chunk in request.content.iter_any():
            data += chunk
            if len(data) > self.limit:
                raise self._too_large()
        return bytes(data)

    async def _of_form(self, request: web.Request) -> Upload:
        try:
            parts = await request.multipart()
            for _ in range(_MAX_PARTS):
                part = await parts.next()
                if not isinstance(
                    part, BodyPartReader
                ):  # the end, or parts within a part, which have no limit
                    break
                data = await self._of_part(part)
                if data and part.name in ("file", "text"):
                    return Upload(part.filename or "pasted text", data)
        except ValueError as error:  # what the library raises about a form that is not well-formed
            raise RequestError(
                "Expected a form that can be read, found a broken one",
                hint="Send multipart/form-data with the field file, and name its boundary.",
            ) from error
        raise RequestError(
            "Expected a document in the field file or text, found none",
            hint="Choose a file, or paste the text of a document.",
        )

    async def _of_part(self, part: BodyPartReader) -> bytes:
        data = bytearray()
        while chunk := await part.read_chunk():
            data += chunk
            if len(data) > self.limit:
                raise self._too_large()
        return bytes(data)

    def _too_large(self) -> RequestTooLarge:
        return RequestTooLarge(
            f"Expected at most {self.limit} bytes, found more",
            hint="Send a smaller document; attachments are not examined.",
        )


def make_app(
    desk: Desk, reader: UploadReader, token: str | None, *pages: Callable[[web.Application], None]
) -> web.Application:
    """Return the service.

    Args:
        desk: examines documents.
        reader: takes them out of requests.
        token: what requests must carry, as bearer token or as password (any user name); None asks for nothing.
        pages: add further routes, which get the same guard, headers and errors.
    """
    guards = [_guard(token)] if token is not None else []
    app = web.Application(client_max_size=reader.limit, middlewares=[_errors, *guards])
    app.on_response_prepare.append(_add_headers)
    _Validation(desk, reader).add_to(app)
    for add in pages:
        add(app)
    return app


@dataclass(frozen=True, slots=True)
class _Validation:
    """What programs ask."""

    desk: Desk
    reader: UploadReader

    def add_to(self, app: web.Application) -> None:
        app.router.add_post("/validate", self.validate)
        app.router.add_get("/openapi.json", self.openapi)
        app.router.add_get("/healthz", self.health)

    async def validate(self, request: web.Request) -> web.Response:
        media_type = _wanted(request)
        examination = await self.desk.examine(await self.reader.read(request))
        return web.Response(body=WRITERS[media_type](examination), content_type=media_type)

    async def openapi(self, _request: web.Request) -> web.Response:
        return web.Response(body=_OPENAPI.read_bytes(), content_type=_JSON)

    async def health(self, _request: web.Request) -> web.Response:
        return _json({"ok": True})


def _wanted(request: web.Request) -> str:
    asked = [each.partition(";")[0].strip().lower() for each in request.headers.get("accept", "").split(",")]
    return next((each for each in asked if each in WRITERS), _JSON)


@web.middleware
async def _errors(request: web.Request, handler: _Handler) -> web.StreamResponse:
    """Answer whatever goes wrong in one JSON shape: code, message, hint."""
    try:
        return await handler(request)
    except EessiSimError as error:
        return _json(shape_of(error), status_of(error))
    except web.HTTPException as error:  # raised by the library: no such path, wrong method
        shape = {
            "code": "http",
            "message": f"{error.reason}: {request.method} {request.path}",
            "hint": "GET /openapi.json says what there is.",
        }
        return _json(shape, error.status)
    except Exception as error:  # noqa: BLE001 - the last resort of a service; only the class is safe to log
        # No trace: it may quote the document.
        _log.error("unforeseen %s", type(error).__name__)
        hint = "This is a mistake of the program; eessi-sim --verbose validate FILE shows where."
        return _json({"code": "internal", "message": "The examination failed", "hint": hint}, 500)


def _guard(token: str) -> Any:  # Any: aiohttp's type of a middleware is private
    bearer = b"Bearer " + token.encode()

    @web.middleware
    async def guard(request: web.Request, handler: _Handler) -> web.StreamResponse:
        shown = request.headers.get("authorization", "").encode(errors="surrogateescape")
        if request.path in _OPEN_PATHS or secrets.compare_digest(_as_bearer(shown), bearer):
            return await handler(request)
        shape = {
            "code": "token",
            "message": "Expected the token of this service",
            "hint": "Send Authorization: Bearer TOKEN; a browser takes it as password, with any user name.",
        }
        refusal = _json(shape, 401)
        refusal.headers["WWW-Authenticate"] = 'Basic realm="validator", charset="UTF-8"'
        return refusal

    return guard


def _as_bearer(shown: bytes) -> bytes:
    """Return credentials as bearer token; browsers can only ask for a name and a password (RFC 7617)."""
    scheme, _, value = shown.partition(b" ")
    if scheme.lower() != b"basic":
        return shown
    try:
        return b"Bearer " + b64decode(value.strip(), validate=True).partition(b":")[2]
    except ValueError:
        return b""


async def _add_headers(_request: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(_HEADERS)


def _json(value: object, status: int = 200) -> web.Response:
    return web.Response(status=status, body=_encode(value), content_type=_JSON)


def _encode(value: object) -> bytes:
    return msgspec.json.encode(value, enc_hook=str)
