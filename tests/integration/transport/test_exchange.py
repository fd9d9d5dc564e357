"""A request arrives as it was sent and the answer comes back, over every transport."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from tests.integration.transport.conftest import LIMITS, Ends, echo

from eessi_sim.errors import ConnectFailed, EnvironmentProblem
from eessi_sim.transport.base import Handler, Request, Response

Listen = Callable[[Handler], Awaitable[str]]
NO_HEADERS: dict[str, str] = {}


class Recorder:
    """A handler that remembers what it was asked."""

    def __init__(self, response: Response | None = None) -> None:
        self.requests: list[Request] = []
        self.response = response or Response(202)

    async def __call__(self, request: Request) -> Response:
        self.requests.append(request)
        return self.response


async def test_request_arrives_as_it_was_sent(ends: Ends, listen: Listen) -> None:
    """Method, path with query, headers and octets arrive; header names in lower case."""
    recorder = Recorder()
    url = await listen(recorder)
    headers = {"Content-Type": 'multipart/related; boundary="b"', "X-Own": "1"}
    await ends.transport.send(f"{url}/msh/outbox?a=b%20c", b"\x00\r\nbody", headers=headers, within=30)
    (request,) = recorder.requests
    assert (request.method, request.path, request.body) == ("POST", "/msh/outbox?a=b%20c", b"\x00\r\nbody")
    assert request.headers["content-type"] == 'multipart/related; boundary="b"'
    assert request.headers["x-own"] == "1"


async def test_certificate_of_the_sender_arrives(ends: Ends, listen: Listen) -> None:
    """The handler sees the certificate that the sender showed, in DER form, and where he is."""
    recorder = Recorder()
    url = await listen(recorder)
    await ends.transport.send(url, b"", headers=NO_HEADERS, within=30)
    assert recorder.requests[0].peer_certificate == ends.client_certificate
    assert recorder.requests[0].peer


async def test_root_of_the_address_is_a_slash(ends: Ends, listen: Listen) -> None:
    """A URL without a path asks for the root."""
    recorder = Recorder()
    url = await listen(recorder)
    await ends.transport.send(url, b"", headers=NO_HEADERS, within=30)
    assert recorder.requests[0].path == "/"


async def test_answer_comes_back_as_it_was_given(ends: Ends, listen: Listen) -> None:
    """Status, headers and octets of the answer come back; header names in lower case."""
    url = await listen(Recorder(Response(200, {"Content-Type": "application/soap+xml"}, b"\xff\x00")))
    answer = await ends.transport.send(url, b"", headers=NO_HEADERS, within=30)
    assert (answer.status, answer.body) == (200, b"\xff\x00")
    assert answer.headers["content-type"] == "application/soap+xml"


@pytest.mark.parametrize("status", [202, 302, 400, 403, 500, 503])
async def test_every_status_is_an_answer(ends: Ends, listen: Listen, status: int) -> None:
    """Whatever the status, the answer is returned and nothing is followed or raised."""
    url = await listen(Recorder(Response(status, {"Location": "https://elsewhere.example/"})))
    answer = await ends.transport.send(url, b"", headers=NO_HEADERS, within=30)
    assert answer.status == status


async def test_method_can_be_chosen(ends: Ends, listen: Listen) -> None:
    """Another method than POST arrives as such."""
    recorder = Recorder()
    url = await listen(recorder)
    await ends.transport.send(url, b"", headers=NO_HEADERS, within=30, method="GET")
    assert recorder.requests[0].method == "GET"


async def test_many_requests_run_side_by_side(ends: Ends, listen: Listen) -> None:
    """Concurrent requests do not wait for each other; each gets its own answer."""
    everybody_there = asyncio.Barrier(20)

    async def meet(request: Request) -> Response:
        await everybody_there.wait()
        return await echo(request)

    url = await listen(meet)
    answers = await asyncio.gather(
        *(ends.transport.send(url, str(n).encode(), headers=NO_HEADERS, within=30) for n in range(20))
    )
    assert [answer.body for answer in answers] == [str(n).encode() for n in range(20)]


async def test_body_at_the_limit_arrives(ends: Ends, listen: Listen) -> None:
    """A body of exactly the largest size is handed over."""
    url = await listen(echo)
    answer = await ends.transport.send(url, b"x" * LIMITS.max_body, headers=NO_HEADERS, within=30)
    assert len(answer.body) == LIMITS.max_body


async def test_body_over_the_limit_is_answered_413(ends: Ends, listen: Listen) -> None:
    """A larger body is refused, and the handler never sees the request (SZ-1)."""
    recorder = Recorder()
    url = await listen(recorder)
    answer = await ends.transport.send(url, b"x" * (LIMITS.max_body + 1), headers=NO_HEADERS, within=30)
    assert answer.status == 413
    assert recorder.requests == []


async def test_nobody_there_is_a_failed_connection(ends: Ends) -> None:
    """Sending to an address where nobody listens fails with its URL."""
    with pytest.raises(ConnectFailed) as caught:
        await ends.transport.send(f"{ends.nowhere}/outbox", b"", headers=NO_HEADERS, within=30)
    assert caught.value.context["url"] == f"{ends.nowhere}/outbox"
    assert caught.value.hint


async def test_stopped_listener_cannot_be_reached(ends: Ends) -> None:
    """After a stop, even of a connection that was in use, nobody answers."""
    listener = ends.new_listener()
    url = await listener.start(echo)
    await ends.transport.send(url, b"", headers=NO_HEADERS, within=30)
    await listener.stop()
    with pytest.raises(ConnectFailed):
        await ends.transport.send(url, b"", headers=NO_HEADERS, within=30)


async def test_listener_can_start_again(ends: Ends) -> None:
    """A listener that was stopped can be started at the same address."""
    listener = ends.new_listener()
    await listener.start(echo)
    await listener.stop()
    url = await listener.start(echo)
    answer = await ends.transport.send(url, b"again", headers=NO_HEADERS, within=30)
    await listener.stop()
    assert answer.body == b"again"


async def test_stopping_twice_is_harmless(ends: Ends) -> None:
    """A listener that is stopped, or was never started, can be stopped."""
    listener = ends.new_listener()
    await listener.stop()
    await listener.start(echo)
    await listener.stop()
    await listener.stop()


async def test_taken_address_is_a_problem_of_the_environment(ends: Ends, listen: Listen) -> None:
    """A second listener at the same address is told that it is in use."""
    await listen(echo)
    with pytest.raises(EnvironmentProblem, match="found it in use") as caught:
        await ends.new_listener().start(echo)
    assert caught.value.hint


async def test_running_request_ends_when_the_listener_stops(ends: Ends) -> None:
    """A stop does not cut off a request that is being handled."""
    arrived, go_on = asyncio.Event(), asyncio.Event()

    async def slow(request: Request) -> Response:
        arrived.set()
        await go_on.wait()
        return await echo(request)

    listener = ends.new_listener()
    url = await listener.start(slow)
    sending = asyncio.create_task(ends.transport.send(url, b"late", headers=NO_HEADERS, within=30))
    await arrived.wait()
    stopping = asyncio.create_task(listener.stop())
    await asyncio.sleep(0)
    go_on.set()
    await stopping
    assert (await sending).body == b"late"


async def test_closing_twice_is_harmless(ends: Ends, listen: Listen) -> None:
    """A sender that was closed, or never used, can be closed."""
    await ends.transport.close()
    await ends.transport.send(await listen(echo), b"", headers=NO_HEADERS, within=30)
    await ends.transport.close()
    await ends.transport.close()
