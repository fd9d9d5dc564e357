"""Stimuli: what is done on a bench, and the usual ways to do it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

from eessi_sim.as4.model import UserMessage
from eessi_sim.conformance.bench import Bench
from eessi_sim.conformance.forgery import Forgery
from eessi_sim.conformance.model import NotApplicable, Result
from eessi_sim.conformance.network import Range
from eessi_sim.conformance.point import Point
from eessi_sim.conformance.setting import POINT
from eessi_sim.conformance.wire import Shot
from eessi_sim.identifiers import InstitutionId

Play = Callable[[Bench], Awaitable[Result]]
"""Played through the wire alone, on any bench."""
NetworkPlay = Callable[[Range], Awaitable[Result]]
"""Needs our own network: its keys, its state, or what it sends later."""
PointPlay = Callable[[Point], Awaitable[Result]]
"""Played between two lone gateways."""


@dataclass(frozen=True, slots=True)
class Stimulus:
    """What is done for one case of a row; the list says what must come of it."""

    row: str
    name: str
    play: NetworkPlay = field(repr=False)
    target: InstitutionId = POINT
    """Node whose memory is measured."""


@dataclass(frozen=True, slots=True)
class Wire:
    """A stimulus that needs nothing but the wire."""

    row: str
    name: str
    play: Play = field(repr=False)
    target: InstitutionId = POINT


@dataclass(frozen=True, slots=True)
class AtPoint:
    """A stimulus for a lone gateway, point to point."""

    row: str
    name: str
    play: PointPlay = field(repr=False)


def fired(make: Callable[[Range], Shot]) -> NetworkPlay:
    """Send one thing to a node of our own network and look at the answer."""

    async def play(live: Range) -> Result:
        shot = make(live)
        answer = await live.fire(shot)
        return Result(answer.outcome, answer.milliseconds, shot.message_id)

    return play


def sent(make: Callable[[Bench], Shot]) -> Play:
    """Send one thing to any party and look at the answer."""

    async def play(live: Bench) -> Result:
        shot = make(live)
        answer = await live.fire(shot)
        return Result(answer.outcome, answer.milliseconds, shot.message_id)

    return play


def forged(change: Callable[[Forgery], Forgery]) -> Play:
    """Send a message that is right but for one change."""
    return sent(lambda live: Shot.of(change(live.forgery()).packed()))


def unit(change: Callable[[UserMessage], dict[str, object]]) -> Play:
    """Send a signed message with something wrong in its header."""

    def make(live: Bench) -> Shot:
        return Shot.of(live.packed(lambda old: replace(old, **change(old))))  # type: ignore[arg-type] # fields of UserMessage

    return sent(make)


def edited(*edits: tuple[str, str]) -> Play:
    """Send a message in which texts were replaced."""
    return sent(lambda live: Shot.of(live.edited(*edits)))


def replaced(body: bytes, *edits: tuple[str | bytes, str | bytes]) -> bytes:
    """Replace texts that must be there.

    Raises:
        NotApplicable: one is not.
    """
    for old, new in edits:
        was, is_ = (text.encode() if isinstance(text, str) else text for text in (old, new))
        if was not in body:
            raise NotApplicable(f'Expected "{was[:60].decode()}" in the message agreed with this party')
        body = body.replace(was, is_)
    return body


def later(make: Callable[[Range], Shot]) -> NetworkPlay:
    """As ``fired``, for what is found out behind the entrance."""

    async def play(live: Range) -> Result:
        return await live.submit(make(live))

    return play


def submitted(make: Callable[[Bench], Shot]) -> Play:
    """As ``sent``, for what is found out behind the entrance."""

    async def play(live: Bench) -> Result:
        return await live.submit(make(live))

    return play
