"""The switchboard: time on the way, outages, addresses; all on a clock of ours."""

import asyncio
from datetime import timedelta

import pytest

from eessi_sim.clock import FlowingClock, ManualClock
from eessi_sim.errors import ConnectFailed, TimedOut, TransportError
from eessi_sim.transport.base import Handler, Request, Response
from eessi_sim.transport.inprocess import Switchboard

NO_HEADERS: dict[str, str] = {}


def always(text: str) -> Handler:
    """A handler with one answer."""

    async def answer(_: Request) -> Response:
        return Response(200, {"X-Who": text}, text.encode())

    return answer


async def ask(board: Switchboard, url: str, *, within: float = 30.0) -> str:
    """The text of the answer."""
    answer = await board.transport(b"certificate").send(url, b"", headers=NO_HEADERS, within=within)
    return answer.body.decode()


async def test_request_takes_its_time_on_the_clock(clock: ManualClock) -> None:
    """A request arrives when its latency has passed on the clock, not before."""
    board = Switchboard(clock, latency=lambda _: 2.0)
    await board.listener("inprocess://a").start(always("a"))
    asking = asyncio.create_task(ask(board, "inprocess://a"))
    await asyncio.sleep(0)
    clock.advance(timedelta(seconds=1.9))
    await asyncio.sleep(0)
    assert not asking.done()
    clock.advance(timedelta(seconds=0.1))
    assert await asking == "a"


async def test_latency_may_depend_on_the_address(clock: ManualClock) -> None:
    """The latency is asked for each request with its URL."""
    seconds = {"inprocess://near/x": 1.0, "inprocess://far/x": 5.0}
    board = Switchboard(FlowingClock(clock), latency=seconds.__getitem__)
    await board.listener("inprocess://near").start(always("near"))
    await board.listener("inprocess://far").start(always("far"))
    start = clock.now()
    await ask(board, "inprocess://near/x")
    await ask(board, "inprocess://far/x")
    assert clock.now() - start == timedelta(seconds=6)


async def test_way_that_takes_too_long_is_a_timeout(clock: ManualClock) -> None:
    """A request that does not arrive in time ends at that time and is never heard."""
    board = Switchboard(FlowingClock(clock), latency=lambda _: 60.0)
    heard: list[Request] = []

    async def hear(request: Request) -> Response:
        heard.append(request)
        return Response(202)

    await board.listener("inprocess://a").start(hear)
    start = clock.now()
    with pytest.raises(TimedOut, match="within 30 seconds"):
        await ask(board, "inprocess://a")
    assert clock.now() - start == timedelta(seconds=30)
    assert heard == []


async def test_node_that_is_down_cannot_be_reached_until_it_is_up(clock: ManualClock) -> None:
    """An outage fails every request to the address; afterwards all is as before."""
    board = Switchboard(clock)
    await board.listener("inprocess://a").start(always("a"))
    board.take_down("inprocess://a")
    with pytest.raises(ConnectFailed):
        await ask(board, "inprocess://a/outbox")
    board.bring_up("inprocess://a")
    assert await ask(board, "inprocess://a/outbox") == "a"


async def test_bringing_up_what_was_not_down_is_harmless(clock: ManualClock) -> None:
    """Bringing up an address that is up changes nothing."""
    board = Switchboard(clock)
    await board.listener("inprocess://a").start(always("a"))
    board.bring_up("inprocess://a")
    assert await ask(board, "inprocess://a") == "a"


@pytest.mark.parametrize(
    ("url", "who"),
    [
        ("inprocess://host", "host"),
        ("inprocess://host/", "host"),
        ("inprocess://host/other", "host"),
        ("inprocess://host/ap", "ap"),
        ("inprocess://host/ap/outbox", "ap"),
        ("inprocess://host/ap?x=/y", "ap"),
        ("inprocess://host/apple", "host"),
    ],
)
async def test_longest_address_answers(clock: ManualClock, url: str, who: str) -> None:
    """Of several listeners the one with the longest address hears, whole path segments only."""
    board = Switchboard(clock)
    await board.listener("inprocess://host/").start(always("host"))
    await board.listener("inprocess://host/ap/").start(always("ap"))
    assert await ask(board, url) == who


@pytest.mark.parametrize("url", ["inprocess://hostile", "inprocess://", "host", ""])
async def test_other_addresses_reach_nobody(clock: ManualClock, url: str) -> None:
    """An address that only begins like a known one, or is none, reaches nobody."""
    board = Switchboard(clock)
    await board.listener("inprocess://host").start(always("host"))
    with pytest.raises(ConnectFailed, match="found nobody there"):
        await ask(board, url)


async def test_sender_may_come_without_certificate(clock: ManualClock) -> None:
    """Without a certificate the handler sees None, and who the peer says it is."""
    board = Switchboard(clock)
    heard: list[Request] = []

    async def hear(request: Request) -> Response:
        heard.append(request)
        return Response(202)

    await board.listener("inprocess://a").start(hear)
    await board.transport(peer="browser").send("inprocess://a", b"", headers=NO_HEADERS, within=1)
    assert (heard[0].peer_certificate, heard[0].peer) == (None, "browser")


async def test_failure_of_a_handler_is_not_hidden(clock: ManualClock) -> None:
    """A handler that fails is a mistake of the program; in one process it comes through."""
    board = Switchboard(clock)

    async def fail(_: Request) -> Response:
        raise TransportError("mistake")

    await board.listener("inprocess://a").start(fail)
    with pytest.raises(TransportError, match="mistake"):
        await ask(board, "inprocess://a")


async def test_requests_are_handled_in_the_order_they_are_sent(clock: ManualClock) -> None:
    """Requests of equal latency arrive in the order in which they left."""
    board = Switchboard(clock, latency=lambda _: 1.0)
    heard: list[str] = []

    async def hear(request: Request) -> Response:
        heard.append(request.path)
        return Response(202)

    await board.listener("inprocess://a").start(hear)
    asking = [asyncio.create_task(ask(board, f"inprocess://a/{n}")) for n in range(9)]
    await asyncio.sleep(0)
    clock.advance(timedelta(seconds=1))
    await asyncio.gather(*asking)
    assert heard == [f"/{n}" for n in range(9)]
