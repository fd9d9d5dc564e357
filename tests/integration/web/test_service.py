"""``POST /validate`` and its companions, asked over a real socket."""

import asyncio
import json
import logging
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from tests.helpers import evidence
from tests.helpers.commands import run
from tests.helpers.validator_service import Start

from eessi_sim.verification.desk import Desk, Upload
from eessi_sim.verification.examination import Examination

XML = {"Content-Type": "application/xml"}


async def _error(answer: aiohttp.ClientResponse) -> tuple[int, str]:
    shape = await answer.json()
    assert {"code", "message", "hint"} <= set(shape)
    return answer.status, shape["code"]


@pytest.mark.parametrize("media_type", ["application/xml", "text/xml", "application/octet-stream"])
async def test_valid_document_is_valid(start: Start, valid: bytes, media_type: str) -> None:
    """A raw body of every media type is examined; a document without a fault is valid."""
    client = await start()
    answer = await client.post("/validate", data=valid, headers={"Content-Type": media_type})
    assert (answer.status, (await answer.json())["valid"]) == (200, True)


async def test_answer_is_that_of_the_command(start: Start, wrong: bytes, tmp_path: Path) -> None:
    """The answer is the JSON of ``eessi-sim validate --json``, but for the name of the file."""
    client = await start()
    file = tmp_path / "wrong.xml"
    file.write_bytes(wrong)
    answer = await (await client.post("/validate", data=wrong, headers=XML)).json()
    told = json.loads(run("validate", str(file), "--json").stdout)
    assert answer["files"][0].pop("file") == "document"
    told["files"][0].pop("file")
    assert answer == told
    assert not answer["valid"]


async def test_json_body_is_examined(start: Start) -> None:
    """A JSON body is taken for a SED in JSON, and its faults are findings."""
    client = await start()
    answer = await (await client.post("/validate", json={"no": "sed"})).json()
    assert (answer["valid"], answer["files"][0]["kind"]) == (False, "SED as JSON")


async def test_form_is_examined(start: Start, valid: bytes) -> None:
    """The field file of a form is examined and keeps its name; other fields are passed over."""
    client = await start()
    form = aiohttp.FormData()
    form.add_field("note", "hello")
    form.add_field("file", valid, filename="a003.xml")
    answer = await (await client.post("/validate", data=form)).json()
    assert (answer["valid"], answer["files"][0]["file"]) == (True, "a003.xml")


async def test_nested_parts_are_passed_over(start: Start) -> None:
    """A part with parts of its own is no document."""
    client = await start()
    body = b'--a\r\nContent-Type: multipart/mixed; boundary=b\r\nContent-Disposition: form-data; name="file"\r\n\r\n'
    body += b"--b\r\n\r\nx\r\n--b--\r\n\r\n--a--\r\n"
    answer = await client.post(
        "/validate", data=body, headers={"Content-Type": "multipart/form-data; boundary=a"}
    )
    assert await _error(answer) == (400, "request")


async def test_rule_can_be_disabled(start: Start) -> None:
    """A rule named in the query is left out, others stay."""
    seen: list[frozenset[str]] = []

    def work(upload: Upload) -> Examination:
        seen.append(upload.disabled)
        raise RuntimeError

    client = await start(desk=Desk(work))
    await client.post("/validate?disable=A003-R01&disable=A003-R02", data=b"<a/>", headers=XML)
    assert seen == [{"A003-R01", "A003-R02"}]


@pytest.mark.parametrize("chunked", [False, True])
async def test_large_body_is_refused(start: Start, chunked: bool) -> None:
    """A body over the limit is refused with 413, whether it says its length or not."""
    client = await start(limit=1000)

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield b"x" * 500

    answer = await client.post("/validate", data=chunks() if chunked else b"x" * 1001, headers=XML)
    assert await _error(answer) == (413, "request-too-large")


async def test_large_form_is_refused(start: Start) -> None:
    """A form over the limit that does not say its length is refused with 413."""
    client = await start(limit=1000)

    async def chunks() -> AsyncIterator[bytes]:
        yield b'--a\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n'
        yield b"x" * 2000
        yield b"\r\n--a--\r\n"

    headers = {"Content-Type": "multipart/form-data; boundary=a"}
    assert await _error(await client.post("/validate", data=chunks(), headers=headers)) == (
        413,
        "request-too-large",
    )


async def test_slow_sender_is_given_up(start: Start) -> None:
    """A body that does not arrive in time is refused with 400."""
    client = await start(seconds=0.05)

    async def chunks() -> AsyncIterator[bytes]:
        yield b"<a>"
        await asyncio.sleep(0.5)

    answer = await client.post("/validate", data=chunks(), headers=XML)
    assert await _error(answer) == (400, "request")


async def test_other_media_type_is_refused(start: Start) -> None:
    """A media type that is not read is refused with 415."""
    client = await start()
    answer = await client.post("/validate", data=b"x", headers={"Content-Type": "text/csv"})
    assert await _error(answer) == (415, "media-type")


@pytest.mark.parametrize(
    ("body", "media_type"),
    [
        (
            b"--a\r\nContent-Disposition: form-data; name=file\r\n\r\n\r\n--a--\r\n",
            "multipart/form-data; boundary=a",
        ),
        (b"nothing of the kind", "multipart/form-data; boundary=a"),
        (b"", "multipart/form-data"),
        (b"--a\r\n\r\nx\r\n" * 20 + b"--a--\r\n", "multipart/form-data; boundary=a"),
    ],
    ids=["empty", "broken", "no boundary", "many parts"],
)
async def test_form_without_document_is_refused(start: Start, body: bytes, media_type: str) -> None:
    """A form that is broken or holds no document is refused with 400."""
    client = await start()
    answer = await client.post("/validate", data=body, headers={"Content-Type": media_type})
    assert await _error(answer) == (400, "request")


async def test_full_line_and_slow_work_are_told(start: Start) -> None:
    """Work over its time is given up with 504; as long as it keeps the worker, the next caller gets 503."""
    free = threading.Event()

    def wait(_upload: Upload) -> Examination:
        free.wait()
        raise RuntimeError

    client = await start(desk=Desk(wait, waiting=1, seconds=0.05))
    try:
        slow = await client.post("/validate", data=b"<a/>", headers=XML)
        busy = await client.post("/validate", data=b"<a/>", headers=XML)
    finally:
        free.set()
    assert await _error(slow) == (504, "service-too-slow")
    assert await _error(busy) == (503, "service-busy")


async def test_unforeseen_error_tells_nothing(start: Start, caplog: pytest.LogCaptureFixture) -> None:
    """An error that nobody foresaw is 500 in the same shape; neither answer nor log quotes the document."""

    def fail(_upload: Upload) -> Examination:
        raise RuntimeError("SECRET")

    client = await start(desk=Desk(fail))
    with caplog.at_level(logging.DEBUG):
        answer = await client.post("/validate", data=b"<SECRET/>", headers=XML)
        assert await _error(answer) == (500, "internal")
        assert "SECRET" not in await answer.text() + caplog.text


async def test_unknown_path_has_the_shape_of_errors(start: Start) -> None:
    """What the library refuses has the one shape, too."""
    client = await start()
    assert await _error(await client.get("/nowhere")) == (404, "http")
    assert await _error(await client.get("/validate")) == (405, "http")


async def test_every_answer_has_the_headers(start: Start) -> None:
    """Answers and refusals forbid frames, foreign scripts, guessing of types and referrers."""
    client = await start(token="t")
    for path in ("/", "/healthz"):
        headers = (await client.get(path)).headers
        assert "unsafe-inline" not in headers["Content-Security-Policy"]
        assert headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["Referrer-Policy"] == "no-referrer"


@pytest.mark.parametrize(
    ("shown", "status"),
    [
        ("Bearer right", 200),
        (aiohttp.encode_basic_auth("any", "right"), 200),
        ("Bearer wrong", 401),
        (aiohttp.encode_basic_auth("right", "wrong"), 401),
        ("Basic ###", 401),
        ("", 401),
    ],
)
async def test_token_is_asked_for(start: Start, shown: str, status: int) -> None:
    """With a token only requests that carry it are answered, as bearer token or as password."""
    client = await start(token="right")
    assert (await client.get("/openapi.json", headers={"Authorization": shown})).status == status


async def test_health_needs_no_token(start: Start) -> None:
    """Whether the service lives is told to everybody."""
    client = await start(token="right")
    assert await (await client.get("/healthz")).json() == {"ok": True}


async def test_description_names_every_path(start: Start) -> None:
    """The OpenAPI description names the paths for programs, and no other."""
    client = await start()
    description = await (await client.get("/openapi.json")).json()
    served = {resource.canonical for resource in client.app.router.resources()} - {"/", "/static"}
    assert description["openapi"].startswith("3.1")
    assert set(description["paths"]) == served


async def test_page_works_without_script(start: Start, wrong: bytes) -> None:
    """An ordinary form post answers with verdict, findings and the document; each finding links to its line."""
    client = await start()
    form = aiohttp.FormData()
    form.add_field("file", b"", filename="")
    form.add_field("text", wrong.decode())
    page = await (await client.post("/", data=form)).text()
    assert "Not valid" in page
    assert "pasted text" in page
    assert 'href="#line-' in page
    assert 'href="#finding-1"' in page
    assert "&lt;unheardOf&gt;" in page


async def test_mend_is_shown_and_described(start: Start) -> None:
    """A mechanical fault carries its mend: on the page, in the answer for programs, and in the description."""
    client = await start()
    wrong = evidence.sample().replace(b"1988-06-17", b"17.06.1988")
    form = aiohttp.FormData({"text": wrong.decode()}, default_to_multipart=True)
    assert (
        "<code>&lt;dateBirth&gt;1988-06-17&lt;/dateBirth&gt;</code>"
        in await (await client.post("/", data=form)).text()
    )
    answer = await client.post("/validate", data=wrong, headers={"Content-Type": "application/xml"})
    [issue] = (await answer.json())["files"][0]["issues"]
    described = (await (await client.get("/openapi.json")).json())["components"]["schemas"]
    assert set(issue) <= set(described["Issue"]["properties"])
    assert set(issue["mend"]) == set(described["Mend"]["properties"])


async def test_page_tells_that_nothing_was_chosen(start: Start) -> None:
    """The page says what is missing, with the status of the error."""
    client = await start()
    answer = await client.post("/", data=aiohttp.FormData({"text": ""}, default_to_multipart=True))
    assert answer.status == 400
    assert "Choose a file" in await answer.text()


async def test_page_of_json_names_the_whole_document(start: Start) -> None:
    """A finding without a place is one about the whole document."""
    client = await start()
    page = await (
        await client.post("/", data=aiohttp.FormData({"text": "{"}, default_to_multipart=True))
    ).text()
    assert "Not valid" in page
    assert "SED as JSON" in page


async def test_page_marks_steering_characters(start: Start) -> None:
    """Characters that turn the direction of writing do not reach the page, in a message neither."""
    client = await start()
    text = "<\u202eabc/>"
    page = await (
        await client.post("/", data=aiohttp.FormData({"text": text}, default_to_multipart=True))
    ).text()
    assert "\u202e" not in page


async def test_page_escapes_what_is_sent(start: Start) -> None:
    """Markup in a document or a file name is shown and not run."""
    client = await start()
    form = aiohttp.FormData()
    form.add_field("file", b"<script>alert(1)</script>", filename="<img src=x>.xml")
    page = await (await client.post("/", data=form)).text()
    assert "<script>alert" not in page
    assert "<img" not in page
