"""``eessi-sim mutation-test``: how many wrong documents another validator or gateway notices."""

import asyncio
import re
import shlex
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from typing import Final

import aiohttp
import click
from rich.text import Text

from eessi_sim import xmlsafe
from eessi_sim.cdm.catalogue import Catalogue, SedDefinition
from eessi_sim.cli import failures, inputs, output
from eessi_sim.samples.dialects import Dialect, document
from eessi_sim.samples.generator import Generator
from eessi_sim.samples.kit import Kit
from eessi_sim.verification.detection import (
    Command,
    Endpoint,
    Probe,
    Reaction,
    Result,
    Row,
    Target,
    results,
    score,
)

_SHOWN: Final = 10
"""How many documents that were judged wrongly are listed."""


@click.command(name="mutation-test", epilog=failures.EXIT_STATUS)
@click.argument("seds", nargs=-1, metavar="SED...")
@click.option("--endpoint", metavar="URL", help="Post every document there.")
@click.option(
    "--command", metavar="CMD", help="Run it for every document; {} is the file, else it comes by stdin."
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Whose documents.")
@click.option(
    "--sample",
    "most",
    type=click.IntRange(min=1),
    help="Only so many wrong documents of each kind and SED; all by default.",
)
@click.option(
    "--refused-if",
    metavar="REGEX",
    help="Answers in which this is found are refusals, whatever else they say.",
)
@click.option(
    "--timeout", type=click.FloatRange(0.1, 600), default=30.0, show_default=True, help="In seconds."
)
@click.option("--jobs", type=click.IntRange(1, 64), default=2, show_default=True, help="How many at a time.")
@inputs.cdm_option
@output.shared_options
def mutation_test(  # noqa: PLR0913 - one argument for each option
    *,
    seds: Sequence[str],
    endpoint: str | None,
    command: str | None,
    seed: int,
    most: int | None,
    refused_if: str | None,
    timeout: float,
    jobs: int,
    catalogue: Catalogue,
    as_json: bool,
) -> None:
    r"""Score a validator or gateway: valid documents it must accept, wrong ones it must refuse.

    The documents are those of "eessi-sim sample SED --invalid all" and one valid one of each dialect. An endpoint
    refuses with a status of 400 to 499 or with {"valid": false}, a command with an exit status other than 0. A
    document that only breaks a warning must be mentioned, not refused. "Named" counts answers that say the name
    of the element or the id of the rule; rules that only we have count against nobody but in their own line.

    \b
    Example:
      eessi-sim mutation-test A003 --command "xmllint --noout --schema A003.xsd {}"
      eessi-sim mutation-test A003 H002 --endpoint http://127.0.0.1:8080/validate --sample 5

    \b
    With --json: {"seds", "rows": [{"kind", "documents", "right", "named", "unanswered"}],
      "wrong": [{"sed", "kind", "what", "reaction"}]}.
    Exit status 1 when any document was judged wrongly.
    """
    if (endpoint is None) == (command is None):
        raise failures.usage("Expected --endpoint or --command, and not both.")
    if not seds:
        raise failures.usage("Expected one SED or more, A003 for example.")
    _require_words(command)
    definitions = [inputs.find_definition(catalogue, sed) for sed in seds]
    order = _Order(endpoint, command or "", _pattern(refused_if), timeout, jobs)
    with output.working("Sending documents …"):
        found = asyncio.run(order.run(_probes(definitions, seed, most)))
    rows = score(found)
    missed = [result for result in found if not result.is_right]
    if as_json:
        output.show_json(
            {
                "seds": [each.type for each in definitions],
                "rows": [row.as_dict() for row in rows],
                "wrong": [_as_dict(result) for result in missed],
            }
        )
    else:
        _show(rows, missed)
    if missed:
        click.get_current_context().exit(failures.FINDING)


def _require_words(command: str | None) -> None:
    try:
        words = shlex.split(command) if command is not None else ["none"]
    except ValueError as error:
        raise failures.usage(f"Expected a command line for --command: {error}.") from error
    if not words:
        raise failures.usage('Expected a command line for --command, "my-validator {}" for example.')


def _pattern(text: str | None) -> re.Pattern[str] | None:
    try:
        return re.compile(text) if text is not None else None
    except re.error as error:
        raise failures.usage(
            f'Expected a regular expression for --refused-if, found "{text}": {error}.'
        ) from error


class _Order:
    """What was asked for.

    Args:
        endpoint: where to post to, None for a command.
        command: what to run.
        refused_if: what means refusal.
        seconds: how long to wait for one answer.
        jobs: how many at a time.
    """

    def __init__(
        self,
        endpoint: str | None,
        command: str,
        refused_if: re.Pattern[str] | None,
        seconds: float,
        jobs: int,
    ) -> None:
        self._endpoint = endpoint
        self._command = command
        self._refused_if = refused_if
        self._seconds = seconds
        self._jobs = jobs

    async def run(self, probes: Iterator[Probe]) -> list[Result]:
        """Send all probes and return what became of them."""
        async with AsyncExitStack() as stack:
            target = await self._target(stack)
            return [result async for result in results(probes, target, self._jobs)]

    async def _target(self, stack: AsyncExitStack) -> Target:
        if self._endpoint is None:
            return Command(self._command, self._refused_if, self._seconds)
        session = await stack.enter_async_context(aiohttp.ClientSession())
        return Endpoint(session, self._endpoint, self._refused_if, self._seconds)


def _probes(definitions: Sequence[SedDefinition], seed: int, most: int | None) -> Iterator[Probe]:
    for definition in definitions:
        generator = Generator(definition)
        for dialect in Dialect:
            valid = xmlsafe.serialize(document(generator, seed, dialect))
            yield Probe(definition.type, "valid", valid, what=f"dialect {dialect}")
        counted: Counter[str] = Counter()
        for wrong in Kit(generator, seed).documents():
            counted[wrong.kind] += 1
            if most is None or counted[wrong.kind] <= most:
                yield Probe.wrong(definition.type, wrong)


def _as_dict(result: Result) -> dict[str, object]:
    probe = result.probe
    return {"sed": probe.sed, "kind": probe.kind, "what": probe.what, "reaction": result.answer.reaction}


def _show(rows: Sequence[Row], missed: Sequence[Result]) -> None:
    output.show_table(
        ["Kind of fault", ">Documents", ">Right", ">%", ">Named", ">No answer"],
        [(row.kind, row.documents, row.right, _share(row), row.named, row.unanswered) for row in rows],
    )
    documents, right = sum(row.documents for row in rows), sum(row.right for row in rows)
    output.show(Text(), Text(f"{right} of {documents} documents judged rightly"))
    for result in missed[:_SHOWN]:
        probe = result.probe
        told = f"  {probe.sed} {probe.kind}: {probe.what}: {result.answer.reaction}"
        why = result.answer.text.partition("\n")[0] if result.answer.reaction is Reaction.NO_ANSWER else ""
        output.show_unwrapped(Text(failures.printable(f"{told} ({why})" if why else told)))
    if len(missed) > _SHOWN:
        output.show(Text(f"  and {len(missed) - _SHOWN} more (--json lists them)", style=output.DIM))


def _share(row: Row) -> Text:
    style = output.GOOD if row.right == row.documents else output.BAD
    return Text(f"{100 * row.right / row.documents:.0f}", style=style)
