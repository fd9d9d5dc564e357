"""``eessi-sim validator``: the validator as a web service and page, until it is told to stop."""

import asyncio
import ipaddress
import signal
import sys
from contextlib import AsyncExitStack
from typing import Final

import click
from aiohttp import web

from eessi_sim.api.errors import status_of
from eessi_sim.api.validation import UploadReader, make_app
from eessi_sim.cdm.catalogue import Catalogue
from eessi_sim.cli import failures, inputs, output
from eessi_sim.errors import EnvironmentProblem
from eessi_sim.verification.desk import Desk
from eessi_sim.web.page import Page

_LOOPBACK: Final = "127.0.0.1"
_PORT: Final = 8780


@click.command(epilog=failures.EXIT_STATUS)
@click.option(
    "--host",
    default=_LOOPBACK,
    show_default=True,
    help="Address to listen at; others than loopback need --token.",
)
@click.option(
    "--port", default=_PORT, show_default=True, type=click.IntRange(0, 65535), help="0 takes a free one."
)
@click.option(
    "--token",
    envvar="EESSI_SIM_TOKEN",
    show_envvar=True,
    help="What clients must show: as bearer token, or in a browser as password with any user name.",
)
@inputs.cdm_option
@output.shared_options
def validator(*, host: str, port: int, token: str | None, catalogue: Catalogue, as_json: bool) -> None:
    r"""Serve the validator: POST /validate for programs, a page for people.

    The page takes a file or pasted text and shows the document with the findings in place. No document is
    stored or logged. GET /openapi.json describes the service. Ctrl-C ends it.

    \b
    Example:
      eessi-sim validator --port 8780
      curl --data-binary @a003.xml -H 'Content-Type: application/xml' http://127.0.0.1:8780/validate

    \b
    With --json: {"url": "http://127.0.0.1:8780/"}, as soon as it answers.
    """
    if not token and not _is_loopback(host):
        raise failures.usage(
            f'Expected --token, because "{host}" can be reached from other machines. Choose one, or leave out --host.'
        )
    asyncio.run(_serve(host, port, token or None, Desk.of(catalogue), as_json=as_json))


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


async def _serve(host: str, port: int, token: str | None, desk: Desk, *, as_json: bool) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    reader = UploadReader()
    app = make_app(desk, reader, token, Page(desk, reader.read, status_of).add_to)
    runner = web.AppRunner(app, access_log=None)
    async with AsyncExitStack() as stack:
        stack.callback(desk.close)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await _listen(runner, host, port)
        _tell(_url(host, runner.addresses[0][1]), as_json=as_json)
        await stop.wait()


async def _listen(runner: web.AppRunner, host: str, port: int) -> None:
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError as error:
        raise EnvironmentProblem(
            f"Expected to listen at port {port} of {host}: {error.strerror}",
            hint="Stop the other program, or choose another port with --port.",
        ) from error


def _url(host: str, port: int) -> str:
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/"


def _tell(url: str, *, as_json: bool) -> None:
    if as_json:
        output.show_json({"url": url})
    else:
        click.echo(f"Validator at {url}, Ctrl-C ends it")
    sys.stdout.flush()
