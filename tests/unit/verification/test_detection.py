"""Another validator is scored by what it does with valid and wrong documents."""

import asyncio
import re
import sys
from collections.abc import Iterable
from contextlib import aclosing

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from eessi_sim.samples.kit import WrongDocument
from eessi_sim.samples.mutations import Expected
from eessi_sim.verification.detection import (
    Answer,
    Command,
    Endpoint,
    Probe,
    Reaction,
    Result,
    Target,
    results,
    score,
)
from eessi_sim.xmlsafe import parse

PYTHON = f"{sys.executable} -c"
VALID = Probe("A003", "valid", b"<good/>")
WRONG = Probe("A003", "element-missing", b"<bad/>", "error", ("familyName",), "familyName is left out")
WARNED = Probe("A003", "rule", b"<odd/>", "warning", ("A003-R99",), "odd")


async def answer_of(target: Target, data: bytes = b"<bad/>") -> Answer:
    return await target.judge(data)


@pytest.mark.parametrize(
    ("script", "reaction"),
    [
        ("pass", Reaction.ACCEPTED),
        ("raise SystemExit(1)", Reaction.REFUSED),
        ("import os; os.kill(os.getpid(), 9)", Reaction.NO_ANSWER),
        ("import time; time.sleep(60)", Reaction.NO_ANSWER),
        ("print(42)", Reaction.REFUSED),
    ],
)
async def test_command_is_judged_by_its_end(script: str, reaction: Reaction) -> None:
    """Exit status 0 accepts, another refuses; a signal and a time-out say nothing; a pattern in the output refuses."""
    target = Command(f"{PYTHON} '{script}'", re.compile("^42"), seconds=5.0)
    assert (await answer_of(target)).reaction is reaction


async def test_command_gets_the_document() -> None:
    """Braces are the name of a file; without them the document comes by standard input."""
    by_file = Command(f"{PYTHON} 'import sys; print(open(sys.argv[1]).read())' {{}}", None, 20.0)
    by_stdin = Command(f"{PYTHON} 'import sys; print(sys.stdin.read())'", None, 20.0)
    assert (await answer_of(by_file)).text.strip() == "<bad/>"
    assert (await answer_of(by_stdin)).text.strip() == "<bad/>"


async def test_command_that_does_not_exist_gives_no_answer() -> None:
    """A misspelt command is not taken for a refusal."""
    assert (await answer_of(Command("no-such-program {}", None, 5.0))).reaction is Reaction.NO_ANSWER


@pytest.mark.parametrize(
    ("status", "body", "reaction"),
    [
        (200, "fine", Reaction.ACCEPTED),
        (200, '{"valid": true}', Reaction.ACCEPTED),
        (200, '{"valid": false}', Reaction.REFUSED),
        (200, '["valid"]', Reaction.ACCEPTED),
        (200, "INVALID document", Reaction.REFUSED),
        (422, "", Reaction.REFUSED),
        (503, "", Reaction.NO_ANSWER),
    ],
)
async def test_endpoint_is_judged_by_status_and_body(status: int, body: str, reaction: Reaction) -> None:
    """A client error, a JSON answer with valid false and the given pattern refuse; a server error says nothing."""

    async def reply(request: web.Request) -> web.Response:
        assert await request.read() == b"<bad/>"
        return web.Response(status=status, text=body)

    app = web.Application()
    app.router.add_post("/validate", reply)
    async with TestServer(app) as server, aiohttp.ClientSession() as session:
        target = Endpoint(session, str(server.make_url("/validate")), re.compile("INVALID"), 5.0)
        assert (await answer_of(target)).reaction is reaction


async def test_endpoint_that_is_not_there_gives_no_answer() -> None:
    """A refused connection is not a refused document."""
    async with aiohttp.ClientSession() as session:
        target = Endpoint(session, "http://127.0.0.1:1/", None, 5.0)
        assert (await answer_of(target)).reaction is Reaction.NO_ANSWER


@pytest.mark.parametrize(
    ("probe", "answer", "is_right"),
    [
        (VALID, Answer(Reaction.ACCEPTED), True),
        (VALID, Answer(Reaction.REFUSED), False),
        (WRONG, Answer(Reaction.REFUSED), True),
        (WRONG, Answer(Reaction.ACCEPTED, "familyName"), False),
        (WRONG, Answer(Reaction.NO_ANSWER), False),
        (WARNED, Answer(Reaction.ACCEPTED, "note A003-R99"), True),
        (WARNED, Answer(Reaction.ACCEPTED), False),
        (WARNED, Answer(Reaction.REFUSED), True),
    ],
)
def test_what_is_right(probe: Probe, answer: Answer, is_right: bool) -> None:
    """A valid document must be accepted, an error refused, a warning at least mentioned."""
    assert Result(probe, answer).is_right is is_right


class Slow:
    """Answers in another order than it was asked."""

    def __init__(self) -> None:
        self.under_way = 0
        self.most = 0

    async def judge(self, data: bytes) -> Answer:
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        await asyncio.sleep(0.02 if data == b"<good/>" else 0)
        self.under_way -= 1
        return Answer(Reaction.REFUSED, data.decode())


async def collected(probes: Iterable[Probe], target: Target, jobs: int) -> list[Result]:
    return [result async for result in results(probes, target, jobs)]


async def test_results_keep_their_order() -> None:
    """Several documents are under way at a time, never more than allowed, and come back in order."""
    target = Slow()
    found = await collected([VALID, WRONG, WARNED, VALID], target, 2)
    assert [result.probe for result in found] == [VALID, WRONG, WARNED, VALID]
    assert target.most == 2


async def test_nothing_goes_on_when_nobody_listens() -> None:
    """Who stops reading results leaves no task behind."""
    target = Slow()
    async with aclosing(results([VALID] * 4, target, 4)) as stream:
        async for _ in stream:
            break
    await asyncio.sleep(0.05)
    assert target.most <= 4


def test_score_counts_by_kind() -> None:
    """The valid documents stand first, then each kind of fault with its figures."""
    rows = score(
        [
            Result(WRONG, Answer(Reaction.REFUSED, "familyName is missing")),
            Result(WRONG, Answer(Reaction.NO_ANSWER)),
            Result(VALID, Answer(Reaction.ACCEPTED)),
        ]
    )
    assert [row.as_dict() for row in rows] == [
        {"kind": "valid", "documents": 1, "right": 1, "named": 0, "unanswered": 0},
        {"kind": "element-missing", "documents": 2, "right": 1, "named": 1, "unanswered": 1},
    ]


def test_probe_knows_the_reason() -> None:
    """The reason of a wrong document is the name of the element, or the id of the rule."""
    root = parse(b"<A003/>")
    schema = WrongDocument("element-missing", "w", Expected("element-missing", "/A003/a[2]/@b"), root)
    rule = WrongDocument("rule", "w", Expected("business-rule", "/A003", "A003-R01", "warning"), root)
    assert Probe.wrong("A003", schema).reasons == ("b",)
    assert Probe.wrong("A003", rule).reasons == ("A003-R01",)
    assert (Probe.wrong("A003", rule).is_valid, VALID.is_valid) == (False, True)
