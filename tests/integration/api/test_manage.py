"""The interface for managing a node over plain HTTP: its token, its refusals, their one shape."""

import base64
from io import BytesIO

import pytest
from tests.helpers.lab import FK, LA_BUC_02, NAV, POINT, ZUS, Lab
from tests.integration.api.conftest import TOKEN, Desk, OpenDesk

from eessi_sim.api import manage
from eessi_sim.simulation.remote import RemoteControl

ROUTES = [
    ("GET", "/manage/health"),
    ("GET", "/manage/messages"),
    ("GET", "/manage/messages/out/m1@no.example"),
    ("GET", "/manage/journal"),
    ("GET", "/manage/cases"),
    ("POST", "/manage/cases"),
    ("GET", "/manage/cases/1"),
    ("GET", "/manage/cases/1/actions"),
    ("POST", "/manage/cases/1/documents"),
    ("POST", "/manage/cases/1/close"),
    ("GET", "/elsewhere"),
]
OPEN = {"buc": LA_BUC_02, "counterparties": [ZUS]}


async def new_case(desk: Desk) -> str:
    """Open a case and return its id."""
    status, case_id = await desk.ask("/manage/cases", OPEN)
    assert status == 200
    return str(case_id)


async def test_healthy_node_says_true(desk: Desk) -> None:
    """Whoever asks a running node for its health hears true."""
    assert await desk.ask("/manage/health") == (200, True)


@pytest.mark.parametrize("token", ["", TOKEN, "Bearer wrong", f"Bearer {TOKEN}x", "Bearer t\u00f6ken"])
async def test_without_the_token_nothing_is_answered(desk: Desk, token: str) -> None:
    """Every path asks for the token of the network, also one that does not exist."""
    answers = [await desk.ask(path, method=method, token=token) for method, path in ROUTES]
    refusal = (401, {"code": "token", "message": "Expected the token of the network"})
    assert answers == [refusal] * len(ROUTES)


async def test_case_is_opened_by_its_id(desk: Desk) -> None:
    """Opening a case answers its id, under which it is found."""
    case_id = await new_case(desk)
    status, case = await desk.ask(f"/manage/cases/{case_id}")
    assert isinstance(case, dict)
    assert (status, case["case_id"], case["buc"]) == (200, case_id, LA_BUC_02)


async def test_document_is_sent_with_all_that_can_be_said(desk: Desk) -> None:
    """Content travels as base64, beside parent and receivers."""
    content = base64.b64encode(b"<nonsense/>").decode()
    case_id = await new_case(desk)
    body = {"sed": "A003", "content": content, "parent_id": None, "receivers": [ZUS]}
    status, shape = await desk.ask(f"/manage/cases/{case_id}/documents", body)
    assert isinstance(shape, dict)
    assert (status, shape["code"]) == (422, "not-a-sed")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"buc": "NO_BUC_99", "counterparties": [ZUS]}, 400, "definition"),
        ({"buc": "not a process", "counterparties": [ZUS]}, 400, "identifier"),
        ({"buc": LA_BUC_02, "counterparties": ["nobody"]}, 400, "identifier"),
        ({"buc": LA_BUC_02, "counterparties": ["PL:NOBODY"]}, 422, "receiver-unknown"),
        ({"buc": LA_BUC_02, "counterparties": ["DE:BA01"]}, 422, "not-competent"),
        ({"buc": "LA_BUC_04", "counterparties": [ZUS, FK]}, 409, "case"),
        ({"buc": LA_BUC_02}, 400, "bad-request"),
        ({"buc": LA_BUC_02, "counterparties": "PL:ZUS01"}, 400, "bad-request"),
        ({**OPEN, "cdm": "four"}, 400, "identifier"),
        ({**OPEN, "cdm": "9.9"}, 422, "sed-unknown"),
        ({**OPEN, "colour": "blue"}, 400, "bad-request"),
        ([], 400, "bad-request"),
    ],
)
async def test_case_that_cannot_be_opened(desk: Desk, body: object, status: int, code: str) -> None:
    """Each reason why a case cannot be opened has its status and its code."""
    found, shape = await desk.ask("/manage/cases", body)
    assert isinstance(shape, dict)
    assert (found, shape["code"]) == (status, code)
    assert shape["message"]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"sed": "A012"}, 409, "action-not-available"),
        ({"sed": "Z999"}, 409, "action-not-available"),
        ({"sed": "no type"}, 400, "identifier"),
        ({"sed": "A003", "receivers": ["PL:NOBODY"]}, 409, "case"),
        ({"sed": "A003", "content": base64.b64encode(b"<open>").decode()}, 422, "xml"),
        ({"sed": "A003", "content": "*"}, 400, "bad-request"),
        ({"content": ""}, 400, "bad-request"),
    ],
)
async def test_document_that_cannot_be_sent(desk: Desk, body: object, status: int, code: str) -> None:
    """Each reason why a document cannot be sent has its status and its code."""
    found, shape = await desk.ask(f"/manage/cases/{await new_case(desk)}/documents", body)
    assert isinstance(shape, dict)
    assert (found, shape["code"]) == (status, code)


async def test_refused_action_lists_what_is_available(desk: Desk) -> None:
    """The shape of a refused action names what can be done instead."""
    _, shape = await desk.ask(f"/manage/cases/{await new_case(desk)}/documents", {"sed": "A012"})
    assert isinstance(shape, dict)
    assert "Create A003" in shape["available"]


async def test_invalid_document_is_answered_with_all_findings(desk: Desk) -> None:
    """The shape of an invalid document carries the report, each finding with code, path and message."""
    empty = b'<A003 xmlns="http://ec.europa.eu/eessi/ns/4_4/A003" sedGVer="4" sedVer="4"/>'
    body = {"sed": "A003", "content": base64.b64encode(empty).decode()}
    status, shape = await desk.ask(f"/manage/cases/{await new_case(desk)}/documents", body)
    assert isinstance(shape, dict)
    assert (status, shape["code"]) == (422, "sed-invalid")
    assert {"code", "path", "message"} <= set(shape["report"]["issues"][0])


@pytest.mark.parametrize("data", [b"", b"{", b"\xff\xfe", b'{"buc": "LA_BUC_02"'])
async def test_unreadable_body_is_a_bad_request(desk: Desk, data: bytes) -> None:
    """A body that is not JSON is answered as such and changes nothing."""
    status, shape = await desk.ask("/manage/cases", data=data, method="POST")
    assert isinstance(shape, dict)
    assert (status, shape["code"]) == (400, "bad-request")
    assert await desk.ask("/manage/cases") == (200, [])


@pytest.mark.parametrize(
    "path", ["/manage/journal?after=yesterday", "/manage/messages/sideways/m1@no.example"]
)
async def test_unreadable_address_is_a_bad_request(desk: Desk, path: str) -> None:
    """A number that is none and a direction that does not exist are answered as such."""
    status, shape = await desk.ask(path)
    assert isinstance(shape, dict)
    assert (status, shape["code"]) == (400, "bad-request")


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/manage/colours", 404), ("DELETE", "/manage/cases", 405)]
)
async def test_what_the_interface_does_not_have_is_refused_in_the_same_shape(
    desk: Desk, method: str, path: str, status: int
) -> None:
    """An unknown path and a wrong method are answered in the shape of every error."""
    found, shape = await desk.ask(path, method=method)
    assert isinstance(shape, dict)
    assert (found, shape["code"]) == (status, "http")


async def test_too_large_a_body_is_refused_in_the_same_shape(desk: Desk) -> None:
    """More octets than the interface takes are answered 413, and nothing was done."""
    status, shape = await desk.ask("/manage/cases", data=BytesIO(bytes(manage.MAX_BODY + 1)))
    assert isinstance(shape, dict)
    assert (status, shape["code"]) == (413, "http")


async def test_closed_store_is_told_as_such(desk: Desk, lab: Lab) -> None:
    """When the store cannot be written the interface says so, and that it may help to come back."""
    await lab.storage.close()
    status, shape = await desk.ask("/manage/cases", OPEN)
    assert isinstance(shape, dict)
    assert (status, shape["code"]) == (503, "store-unavailable")


async def test_access_point_has_no_cases(lab: Lab, open_desk: OpenDesk) -> None:
    """The access point routes messages and keeps no cases: there is nothing to open one with."""
    desk = await open_desk(lab.network.readers[POINT])
    assert (await desk.ask("/manage/cases", OPEN))[0] == 404
    assert await desk.ask("/manage/messages") == (200, [])


async def test_node_that_does_not_answer_is_not_ready(desk: Desk) -> None:
    """A node whose interface is gone is not ready; it was before."""
    remote: RemoteControl = desk.remote(NAV)
    before = await remote.is_ready()
    await desk.server.close()
    assert (before, await remote.is_ready()) == (True, False)
