"""Detection: how many deliberately wrong documents another validator or gateway notices.

Documents go to an HTTP endpoint or to a command, one answer each; what counts as a refusal is decided here, what
is wrong with a document in ``samples.kit``.
"""

import asyncio
import json
import re
import shlex
import tempfile
from collections.abc import AsyncGenerator, Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final, Protocol

import aiohttp

from eessi_sim.samples.kit import WrongDocument

_PLACE: Final = "{}"
_MAX_OUTPUT: Final = 1 << 20
_SERVER_ERROR: Final = 500
_CLIENT_ERROR: Final = 400


class Reaction(StrEnum):
    """What became of a document."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    NO_ANSWER = "no answer"
    """A time-out, a broken connection, a server error: nobody knows."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the other side said about one document."""

    reaction: Reaction
    text: str = ""


class Target(Protocol):
    """Something that judges documents."""

    async def judge(self, data: bytes) -> Answer:
        """Return what it says about a document; never raises for what the other side does."""
        ...


class Endpoint:
    """A validator behind HTTP: every document is posted.

    A status of 400 to 499 is a refusal; so is a JSON answer with ``valid: false``, and a body in which the given
    pattern is found.

    Args:
        session: makes the requests.
        url: where to post to.
        refused_if: pattern in the body of an answer that means refusal.
        seconds: how long to wait for an answer.
    """

    def __init__(
        self, session: aiohttp.ClientSession, url: str, refused_if: re.Pattern[str] | None, seconds: float
    ) -> None:
        self._session = session
        self._url = url
        self._refused_if = refused_if
        self._timeout = aiohttp.ClientTimeout(total=seconds)

    async def judge(self, data: bytes) -> Answer:
        """Post a document and read the answer."""
        headers = {"Content-Type": "application/xml", "Accept": "application/json, */*;q=0.5"}
        try:
            async with self._session.post(
                self._url, data=data, headers=headers, timeout=self._timeout
            ) as answer:
                text = (await answer.content.read(_MAX_OUTPUT)).decode(errors="replace")
                return Answer(self._reaction(answer.status, text), text)
        except (aiohttp.ClientError, TimeoutError) as error:
            return Answer(Reaction.NO_ANSWER, str(error))

    def _reaction(self, status: int, text: str) -> Reaction:
        if status >= _SERVER_ERROR:
            return Reaction.NO_ANSWER
        if status >= _CLIENT_ERROR or (self._refused_if is not None and self._refused_if.search(text)):
            return Reaction.REFUSED
        return Reaction.REFUSED if _says_invalid(text) else Reaction.ACCEPTED


class Command:
    """A validator that is a program: exit status 0 accepts, any other refuses.

    Args:
        words: the command; ``{}`` stands for the file, without it the document comes by standard input.
        refused_if: pattern in the output that means refusal whatever the exit status.
        seconds: how long it may run.
    """

    def __init__(self, words: str, refused_if: re.Pattern[str] | None, seconds: float) -> None:
        self._words = shlex.split(words)
        self._refused_if = refused_if
        self._seconds = seconds

    async def judge(self, data: bytes) -> Answer:
        """Run the command for one document."""
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "document.xml"
            file.write_bytes(data)
            words = [word.replace(_PLACE, str(file)) for word in self._words]
            return await self._run(words, data if words == self._words else b"")

    async def _run(self, words: list[str], stdin: bytes) -> Answer:
        pipe, both = asyncio.subprocess.PIPE, asyncio.subprocess.STDOUT
        try:
            process = await asyncio.create_subprocess_exec(*words, stdin=pipe, stdout=pipe, stderr=both)
        except OSError as error:
            return Answer(Reaction.NO_ANSWER, str(error))
        try:
            output, _ = await asyncio.wait_for(process.communicate(stdin), self._seconds)
        except TimeoutError:
            process.kill()
            await process.wait()
            return Answer(Reaction.NO_ANSWER, f"no end after {self._seconds} s")
        text = output[:_MAX_OUTPUT].decode(errors="replace")
        if process.returncode is None or process.returncode < 0:
            return Answer(Reaction.NO_ANSWER, text)
        refused = process.returncode != 0 or (self._refused_if is not None and self._refused_if.search(text))
        return Answer(Reaction.REFUSED if refused else Reaction.ACCEPTED, text)


def _says_invalid(text: str) -> bool:
    try:
        body = json.loads(text)
    except ValueError:
        return False
    return isinstance(body, dict) and body.get("valid") is False


@dataclass(frozen=True, slots=True)
class Probe:
    """One document that is sent."""

    sed: str
    kind: str
    """Kind of fault, or ``valid``."""
    data: bytes
    severity: str = ""
    """Of the finding that it must cause; empty for a valid one. Only an error must be refused."""
    reasons: tuple[str, ...] = ()
    """Words of which an answer that names the reason has one."""
    what: str = ""

    @classmethod
    def wrong(cls, sed: str, document: WrongDocument) -> "Probe":
        """Return the probe of a wrong document."""
        expected = document.expected
        leaf = re.sub(r"\[[0-9]+\]", "", expected.path).rpartition("/")[2].lstrip("@")
        reasons = (expected.rule,) if expected.rule else (leaf,)
        return cls(sed, document.kind, document.data(), expected.severity, reasons, document.what)

    @property
    def is_valid(self) -> bool:
        """Whether it must be accepted."""
        return not self.severity


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one probe."""

    probe: Probe
    answer: Answer

    @property
    def is_right(self) -> bool:
        """Whether a valid document was accepted, an error refused; a warning at least mentioned."""
        if self.probe.is_valid:
            return self.answer.reaction is Reaction.ACCEPTED
        if self.answer.reaction is Reaction.REFUSED:
            return True
        return self.probe.severity != "error" and self.names_reason

    @property
    def names_reason(self) -> bool:
        """Whether the answer has the name of the element, or the id of the rule."""
        return any(reason in self.answer.text for reason in self.probe.reasons)


async def results(probes: Iterable[Probe], target: Target, jobs: int) -> AsyncGenerator[Result, None]:
    """Send all probes, some side by side, and yield what became of each, in order.

    Args:
        probes: what to send.
        target: who judges.
        jobs: how many may be under way at a time.
    """
    waiting: list[tuple[Probe, asyncio.Task[Answer]]] = []
    try:
        for probe in probes:
            waiting.append((probe, asyncio.create_task(_judged(target, probe.data))))
            if len(waiting) >= jobs:
                first, task = waiting.pop(0)
                yield Result(first, await task)
        while waiting:
            first, task = waiting.pop(0)
            yield Result(first, await task)
    finally:
        for _, task in waiting:
            task.cancel()


async def _judged(target: Target, data: bytes) -> Answer:
    return await target.judge(data)


@dataclass(frozen=True, slots=True)
class Row:
    """The score of one kind of fault."""

    kind: str
    documents: int
    right: int
    named: int
    """How many were refused with the reason named; 0 for valid documents."""
    unanswered: int

    def as_dict(self) -> dict[str, object]:
        """Return the JSON form."""
        return {
            "kind": self.kind,
            "documents": self.documents,
            "right": self.right,
            "named": self.named,
            "unanswered": self.unanswered,
        }


def score(found: Iterable[Result]) -> tuple[Row, ...]:
    """Return the scores by kind of fault, the valid documents first."""
    by_kind: dict[str, list[Result]] = {}
    for result in found:
        by_kind.setdefault(result.probe.kind, []).append(result)
    return tuple(
        _row(kind, by_kind[kind]) for kind in sorted(by_kind, key=lambda kind: (kind != "valid", kind))
    )


def _row(kind: str, found: list[Result]) -> Row:
    return Row(
        kind,
        len(found),
        sum(result.is_right for result in found),
        sum(result.names_reason and result.answer.reaction is not Reaction.NO_ANSWER for result in found),
        sum(result.answer.reaction is Reaction.NO_ANSWER for result in found),
    )
