"""The part of the management interface that works on one case: drafts, versions, participants, its life as a whole."""

import base64
from typing import Any
from urllib.parse import unquote

import msgspec
from aiohttp import web

from eessi_sim.buc.case import ParticipantChange
from eessi_sim.identifiers import InstitutionId, SedType
from eessi_sim.institution.casework import Move
from eessi_sim.simulation.control import NodeControl
from eessi_sim.simulation.remote import CLERK_HEADER, REASON_HEADER


class DraftBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Body of ``POST /manage/cases/{case}/drafts``."""

    sed: str
    content: str | None = None
    """XML of the document, base64; composed from the case when absent."""
    parent_id: str | None = None
    joins: str | None = None
    leaves: str | None = None


class ContentBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Body of ``POST …/documents/{document}/save`` and ``…/update``."""

    content: str | None = None


class ReceiversBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Body of ``POST …/documents/{document}/send``."""

    receivers: list[str] | None = None


class ParticipantsBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Body of ``POST /manage/cases/{case}/participants``."""

    counterparties: list[str]


class MoveBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Body of ``POST /manage/cases/{case}/move``."""

    move: Move


class CaseworkRoutes:
    """What institutions answer about drafts and the life of a case.

    Args:
        control: the institution.
    """

    def __init__(self, control: NodeControl) -> None:
        self._control = control

    def add_to(self, app: web.Application) -> None:
        """Add the paths to an application."""
        document = "/manage/cases/{case}/documents/{document}"
        app.router.add_post("/manage/cases/{case}/drafts", self._draft)
        app.router.add_post(f"{document}/save", self._save)
        app.router.add_post(f"{document}/update", self._update)
        app.router.add_post(f"{document}/send", self._send)
        app.router.add_post(f"{document}/delete", self._delete)
        app.router.add_post("/manage/cases/{case}/participants", self._participants)
        app.router.add_post("/manage/cases/{case}/move", self._move)

    async def _draft(self, request: web.Request) -> web.Response:
        body = await body_of(request, DraftBody)
        draft = await acting(self._control, request).draft(
            request.match_info["case"],
            SedType(body.sed),
            content=octets(body.content),
            parent_id=body.parent_id,
            change=change_of(body.joins, body.leaves),
        )
        return answer(draft)

    async def _save(self, request: web.Request) -> web.Response:
        body = await body_of(request, ContentBody)
        return answer(await acting(self._control, request).save(*_ids(request), content=octets(body.content)))

    async def _update(self, request: web.Request) -> web.Response:
        body = await body_of(request, ContentBody)
        return answer(
            await acting(self._control, request).update(*_ids(request), content=octets(body.content))
        )

    async def _send(self, request: web.Request) -> web.Response:
        body = await body_of(request, ReceiversBody)
        return answer(
            await acting(self._control, request).send_draft(
                *_ids(request), receivers=institutions(body.receivers)
            )
        )

    async def _delete(self, request: web.Request) -> web.Response:
        return answer(await acting(self._control, request).delete_draft(*_ids(request)))

    async def _participants(self, request: web.Request) -> web.Response:
        body = await body_of(request, ParticipantsBody)
        parties = [InstitutionId(text) for text in body.counterparties]
        return answer(
            await acting(self._control, request).set_participants(request.match_info["case"], parties)
        )

    async def _move(self, request: web.Request) -> web.Response:
        body = await body_of(request, MoveBody)
        return answer(await acting(self._control, request).move(request.match_info["case"], body.move))


def acting(control: NodeControl, request: web.Request) -> NodeControl:
    """Return the institution, asked in the name of the clerk whom a request names, if it names one."""
    clerk = unquote(request.headers.get(CLERK_HEADER, ""))
    return control.acting_as(clerk, unquote(request.headers.get(REASON_HEADER, ""))) if clerk else control


def _ids(request: web.Request) -> tuple[str, str]:
    return request.match_info["case"], request.match_info["document"]


def octets(text: str | None) -> bytes | None:
    """Return what base64 says; None stays None."""
    return base64.b64decode(text, validate=True) if text is not None else None


def institutions(texts: list[str] | None) -> list[InstitutionId] | None:
    """Return the ids; None stays None."""
    return [InstitutionId(text) for text in texts] if texts is not None else None


def change_of(joins: str | None, leaves: str | None) -> ParticipantChange | None:
    """Return who joins and who leaves; None when nobody is named."""
    if joins is None and leaves is None:
        return None
    return ParticipantChange(
        InstitutionId(joins) if joins is not None else None,
        InstitutionId(leaves) if leaves is not None else None,
    )


async def body_of(request: web.Request, kind: type[Any]) -> Any:  # Any: msgspec checks against ``kind``
    """Return the body of a request.

    Raises:
        msgspec.MsgspecError: it is not what was expected.
    """
    return msgspec.json.decode(await request.read(), type=kind)


def answer(value: object, status: int = 200) -> web.Response:
    """Return a value as JSON."""
    return web.Response(
        status=status, body=msgspec.json.encode(value, enc_hook=str), content_type="application/json"
    )
