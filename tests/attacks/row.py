"""One row of the list of attacks: what is sent, what must come back, and what was measured."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

from tests.attacks.live import Answer, Range, Shot
from tests.helpers.as4_forgery import Forgery
from tests.helpers.lab import POINT

from eessi_sim.identifiers import InstitutionId


@dataclass(frozen=True)
class Result:
    """What came of an attack."""

    outcome: str
    milliseconds: float = 0.0
    refused: str = ""
    """Id of the message that the receiver must not have; empty when there is none."""


Play = Callable[[Range], Awaitable[Result]]


@dataclass(frozen=True)
class Row:
    """An attack and the outcome that it must have.

    The outcome is an error code in the answer, an HTTP status, or ``closed``; ``202 EBMS:0004`` is an error that comes
    back later, ``202 silence`` is nothing at all.
    """

    id: str
    name: str
    expect: str
    play: Play = field(repr=False)
    target: InstitutionId = POINT
    """Node whose memory is measured."""
    note: str = ""
    """Why the outcome is another one than the list proposes."""
    megabytes: float = 64.0
    """Memory that the node may take in addition while it answers."""

    def __str__(self) -> str:
        return f"{self.id}-{self.name}".replace(" ", "-")


def fired(make: Callable[[Range], Shot]) -> Play:
    """Send one thing and look at the answer."""

    async def play(live: Range) -> Result:
        shot = make(live)
        answer = await live.fire(shot)
        return Result(answer.outcome, answer.milliseconds, shot.message_id)

    return play


def forged(change: Callable[[Forgery], Forgery]) -> Play:
    """Send a message that is right but for one change."""
    return fired(lambda live: Shot.of(change(live.forgery()).packed()))


def edited(*edits: tuple[str, str]) -> Play:
    """Send an unsigned message in which texts were replaced: structure is judged before the signature."""

    def make(live: Range) -> Shot:
        packed = live.unsigned()
        return Shot.of(replace(packed, body=replaced(packed.body, *edits)))

    return fired(make)


def replaced(body: bytes, *edits: tuple[str | bytes, str | bytes]) -> bytes:
    """Replace texts that must be there."""
    for old, new in edits:
        was, is_ = (text.encode() if isinstance(text, str) else text for text in (old, new))
        assert was in body, was
        body = body.replace(was, is_)
    return body


async def called_back(live: Range, shot: Shot) -> Result:
    """Send one thing that is taken in, and wait for what comes back about it later."""
    answer = await live.fire(shot)
    later = f" {await live.callback(shot.message_id)}" if answer.status == 202 else ""
    refused = "" if later == " receipt" else shot.message_id
    return Result(answer.outcome + later, answer.milliseconds, refused)


def later(make: Callable[[Range], Shot]) -> Play:
    """As ``fired``, for what is found out behind the entrance."""

    async def play(live: Range) -> Result:
        return await called_back(live, make(live))

    return play


__all__ = ["Answer", "Result", "Row", "called_back", "edited", "fired", "forged", "later", "replaced"]
