"""``eessi-sim as4``: a gateway of its own, for people who connect theirs; no network, no SED needed.

What the options mean is put together in ``as4_options``; what happens is the work of ``gateway.lone``.
"""

import asyncio
import mimetypes
import signal
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from typing import Final

import click

from eessi_sim.as4.ebms_errors import EbmsFault
from eessi_sim.as4.limits import DEFAULT_LIMITS
from eessi_sim.as4.mode_export import Product, export_mode
from eessi_sim.as4.pmode import TimeWindow
from eessi_sim.cli import as4_dump, as4_keys, as4_options, failures, inputs, output
from eessi_sim.cli.as4_options import Agreed
from eessi_sim.gateway.document import Document, document_from
from eessi_sim.gateway.lone import Delivery, LoneGateway, Outcome
from eessi_sim.spool import Spool
from eessi_sim.transport.base import TransportLimits
from eessi_sim.transport.http import HttpListener, HttpTransport

_LOOPBACK: Final = "127.0.0.1"
_PORT: Final = 8788
_MOST_HELD: Final = 100 * 1024 * 1024
"""Of one file, when it must be held: from standard input, or to be encrypted."""
_MOST: Final = 1024 * 1024 * 1024
"""Of one file of a message that is not encrypted; it is never held (our limit, inferred)."""


@click.group()
def as4() -> None:
    r"""Talk AS4 with one other gateway: ping, send, receive, look at messages, write its configuration.

    \b
    Example, with keys made for both sides:
      eessi-sim as4 keys keys ours theirs
      eessi-sim as4 receive --keys keys/theirs --partner keys/ours --out received
      eessi-sim as4 ping http://127.0.0.1:8788/ --keys keys/ours --partner keys/theirs
    """


as4.add_command(as4_dump.dump)
as4.add_command(as4_keys.keys)


@as4.command(epilog=failures.EXIT_STATUS)
@click.argument("url")
@as4_options.agreement
@output.shared_options
def ping(*, url: str, agreed: Agreed, as_json: bool) -> None:
    r"""Send the test message of ebMS, and check the receipt.

    The receiver must know the parties; it verifies and receipts the message and gives it to nobody.

    \b
    Example:
      eessi-sim as4 ping http://127.0.0.1:8788/ --keys keys/ours --partner keys/theirs

    With --json: {"message_id", "delivered", "accepted", "status", "errors": [{"code", "severity", "description"}]}.
    """
    _show(asyncio.run(_send(agreed, url, None)), url, as_json=as_json)


@as4.command(epilog=failures.EXIT_STATUS)
@click.argument("url")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@as4_options.agreement
@output.shared_options
def send(*, url: str, files: Sequence[str], agreed: Agreed, as_json: bool) -> None:
    r"""Send files as payloads of one message, and check the receipt.

    \b
    Example:
      eessi-sim as4 send http://127.0.0.1:8788/ order.xml drawing.pdf --keys keys/ours --partner keys/theirs
      eessi-sim as4 send URL order.xml --profile edelivery-2.0 --keys keys/ours --partner keys/theirs

    Files of a megabyte and more are never held, unless they are encrypted: with --sign-only up to 1 GB, else 100 MB each.

    With --json: as for ping.
    """
    inputs.require_files(files)
    with tempfile.TemporaryDirectory(prefix="eessi-sim-") as folder:
        spool = None if _is_encrypted(agreed) else Spool(Path(folder))
        documents = [_document(name, spool) for name in files]
        _show(asyncio.run(_send(agreed, url, documents, spool)), url, as_json=as_json)


def _is_encrypted(agreed: Agreed) -> bool:
    return agreed.mode.security.encrypts_for is not None


def _document(name: str, spool: Spool | None) -> Document:
    if spool is None or name == inputs.STANDARD_INPUT:
        return Document(inputs.read_input(name, _MOST_HELD), _media_type(name))
    return document_from(inputs.read_pieces(name, _MOST), _media_type(name), spool=spool)


def _media_type(name: str) -> str:
    found = mimetypes.guess_type(name)[0] or "application/octet-stream"
    # Text parts have an ambiguous digest when they travel uncompressed; XML has not (WSS SwA profile 5.4.2).
    return "application/xml" if found == "text/xml" else found


async def _send(
    agreed: Agreed, url: str, documents: Sequence[Document] | None, spool: Spool | None = None
) -> Outcome:
    transport = HttpTransport(agreed.tls)
    mode = agreed.mode_to(url)
    try:
        gateway = LoneGateway(agreed.identity, transport, spool=spool)
        return await (gateway.ping(mode) if documents is None else gateway.send(mode, documents))
    finally:
        await transport.close()


def _show(outcome: Outcome, url: str, *, as_json: bool) -> None:
    if as_json:
        output.show_json(
            {
                "message_id": str(outcome.sent.message_id),
                "delivered": outcome.is_delivered,
                "accepted": outcome.is_accepted,
                "status": outcome.answer.status,
                "errors": [
                    {
                        "code": each.code,
                        "severity": each.severity,
                        "description": each.detail or each.description,
                    }
                    for each in outcome.errors
                ],
            }
        )
    else:
        click.echo(_sentence(outcome, url))
        for each in outcome.errors:
            text = each.detail or each.description or each.short_description or ""
            click.echo(f"  {each.code} ({each.severity}): {failures.printable(text)}")
    if outcome.errors:
        raise click.exceptions.Exit(failures.FINDING)


def _sentence(outcome: Outcome, url: str) -> str:
    name = outcome.sent.message_id
    if outcome.is_delivered:
        return f"Receipted: {url} confirmed every part of {name}, and its signature is good"
    if outcome.is_accepted:
        return (
            f"Accepted with HTTP {outcome.answer.status}: the receipt of {name} comes by a request of its own"
        )
    return f"Refused: {url} answered {name} with"


@as4.command(epilog=failures.EXIT_STATUS)
@click.option("--host", default=_LOOPBACK, show_default=True, help="Address to listen at.")
@click.option(
    "--port", default=_PORT, show_default=True, type=click.IntRange(0, 65535), help="0 takes a free one."
)
@click.option(
    "--out", type=click.Path(path_type=Path), default=Path(), metavar="DIR", help="Where payloads go."
)
@click.option("--count", type=click.IntRange(min=1), help="End after so many messages.")
@click.option(
    "--max-age",
    "days",
    type=click.IntRange(0, 3650),
    default=TimeWindow().back.days,
    show_default=True,
    metavar="DAYS",
    help="Refuse messages that are older, or from the future; 0 takes any Timestamp.",
)
@as4_options.agreement
@output.shared_options
def receive(
    *, host: str, port: int, out: Path, count: int | None, days: int, agreed: Agreed, as_json: bool
) -> None:
    r"""Receive messages, write their payloads to files, and answer with receipts until Ctrl-C.

    A message that does not fit is answered with an ebMS error; where parties, service or action differ, it names
    the field.

    \b
    Example:
      eessi-sim as4 receive --keys keys/theirs --partner keys/ours --out received

    \b
    With --json: {"url"}, then {"message_id", "from", "to", "service", "action", "files": [str]} for each.
    """
    times = TimeWindow(timedelta(days=days)) if days else None
    asyncio.run(_Receiver(out, count, as_json=as_json).run(agreed, host, port, times))


class _Receiver:
    """Writes what arrives; changes with every message."""

    def __init__(self, out: Path, count: int | None, *, as_json: bool) -> None:
        self._out = out
        self._left = count
        self._as_json = as_json
        self._done = asyncio.Event()

    async def run(self, agreed: Agreed, host: str, port: int, times: TimeWindow | None) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._done.set)
        async with AsyncExitStack() as stack:
            # Beside the payloads, so that a large one gets its name without being copied.
            self._out.mkdir(parents=True, exist_ok=True)
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix=".incoming-", dir=self._out))
            spool = Spool(Path(folder))
            most = DEFAULT_LIMITS if _is_encrypted(agreed) else DEFAULT_LIMITS.allowing(_MOST)
            limits = TransportLimits(max_body=most.body_bytes)
            listener = HttpListener(host, port, identity=agreed.tls, limits=limits, spool=spool)
            gateway = LoneGateway(agreed.identity, limits=most, spool=spool, times=times)
            handler = gateway.serve([agreed.mode], self._deliver, _note_refusal)
            url = await listener.start(handler)
            stack.push_async_callback(listener.stop)
            self._tell({"url": f"{url}/"}, f"AS4 receiver at {url}/, Ctrl-C ends it")
            await self._done.wait()

    async def _deliver(self, delivery: Delivery) -> None:
        message = delivery.message
        files = []
        for number, document in enumerate(delivery.documents, 1):
            suffix = as4_dump.suffix_of(document.mime_type)
            path = self._out / f"{message.info.message_id.file_name}-{number}{suffix}"
            if document.spooled is None:
                path.write_bytes(document.content)
            else:
                document.spooled.keep().path.rename(path)
            files.append(str(path))
        work = message.collaboration
        facts = {
            "message_id": str(message.info.message_id),
            "from": message.sender.id,
            "to": message.receiver.id,
            "service": work.service,
            "action": work.action,
            "files": files,
        }
        self._tell(
            facts, f"{facts['message_id']} from {message.sender.id}: {', '.join(files) or 'no payloads'}"
        )
        if self._left is not None:
            self._left -= 1
            if not self._left:
                self._done.set()

    def _tell(self, facts: Mapping[str, object], sentence: str) -> None:
        if self._as_json:
            output.show_json(facts)
        else:
            click.echo(failures.printable(sentence))
        sys.stdout.flush()


def _note_refusal(fault: EbmsFault) -> None:
    """Say why, in words that the sender does not get."""
    click.echo(
        failures.printable(f"refused {fault.ref or 'a message'}: {fault.error_code.code} {fault.message}"),
        err=True,
    )
    if fault.hint:
        click.echo(f"  hint: {failures.printable(fault.hint)}", err=True)


@as4.group()
def pmode() -> None:
    """P-Modes as files for the other side."""


@pmode.command(epilog=failures.EXIT_STATUS)
@click.argument("url")
@click.option(
    "--product",
    type=click.Choice([each.value for each in Product]),
    required=True,
    help="Whose configuration.",
)
@click.option("-o", "--output", "target", metavar="FILE", help="Write to a file instead of standard output.")
@as4_options.terms
def export(*, url: str, product: str, target: str | None, agreed: Agreed) -> None:
    r"""Write the configuration for the other side, which receives at URL.

    Key stores and what becomes of received messages are left to its owner.

    \b
    Example:
      eessi-sim as4 pmode export https://gateway.example/as4 --product holodeck -o pmode.xml
    """
    text = export_mode(agreed.mode_to(url), Product(product))
    inputs.write_output(target, text.encode())
