"""What a request over a real socket costs: our transport with mutual TLS, and aiohttp bare."""

from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

import aiohttp
from aiohttp import web

from eessi_sim.benchmark.floor import Operation
from eessi_sim.benchmark.specimens import Specimens
from eessi_sim.benchmark.steps import Measured, Part, measured
from eessi_sim.benchmark.stopwatch import Reading, measure_async
from eessi_sim.simulation.credentials import Credentials
from eessi_sim.storage.base import StoredMessage
from eessi_sim.transport.base import Request, Response, TlsIdentity
from eessi_sim.transport.http import HttpListener, HttpTransport

_HOST: Final = "localhost"
_LOOPBACK: Final = "127.0.0.1"
_WITHIN: Final = 30.0
_ACCEPTED: Final = 202


async def measure_bare_requests(specimens: Specimens, seconds: float) -> dict[Operation, Reading]:
    """Measure a request and its answer without TLS and without our code, both ends in this process.

    Args:
        specimens: what is sent.
        seconds: how long to measure.
    """
    body = specimens.message.body
    async with AsyncExitStack() as stack:
        runner = web.ServerRunner(web.Server(_answer))
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        site = web.TCPSite(runner, _LOOPBACK, 0)
        await site.start()
        session = await stack.enter_async_context(aiohttp.ClientSession(trust_env=False))
        port = runner.addresses[0][1]

        async def request() -> None:
            async with session.post(f"http://{_LOOPBACK}:{port}/", data=body) as answer:
                await answer.read()

        return {Operation.REQUEST: await measure_async(request, seconds)}


async def _answer(request: web.BaseRequest) -> web.Response:
    await request.read()
    return web.Response(status=_ACCEPTED)


async def measure_requests(
    specimens: Specimens,
    credentials: Credentials,
    folder: Path,
    floor: dict[Operation, Reading],
    seconds: float,
) -> list[Measured]:
    """Measure the requests of one SED, each from one party to the next.

    Args:
        specimens: the messages that are sent.
        credentials: keys of the parties.
        folder: where the keys may lie as files.
        floor: result of ``measure_bare_requests``.
        seconds: how long to measure each.
    """
    credentials.save(folder)
    access_point, owner = specimens.route.network.access_points[0].id, specimens.route.owner
    listener = HttpListener(_LOOPBACK, 0, identity=_identity(folder, access_point.file_name), name=_HOST)
    transport = HttpTransport(_identity(folder, owner.file_name))
    url = await listener.start(_accept)
    try:

        async def send(message: StoredMessage) -> None:
            headers = {"content-type": message.content_type}
            await transport.send(f"{url}/outbox", message.body, headers=headers, within=_WITHIN)

        message = await measure_async(lambda: send(specimens.message), seconds)
        receipt = await measure_async(lambda: send(specimens.receipt), seconds)
    finally:
        await transport.close()
        await listener.stop()
    bare = [floor[Operation.REQUEST]]
    return [
        measured("send the message over mutual TLS", Part.NETWORK, "SA", message, bare),
        measured("send the receipt over mutual TLS", Part.NETWORK, "RA", receipt, bare),
    ]


def _identity(folder: Path, name: str) -> TlsIdentity:
    return TlsIdentity(folder / name / "tls.pem", folder / name / "tls.key", folder / "ca.pem")


async def _accept(_request: Request) -> Response:
    return Response(_ACCEPTED)
