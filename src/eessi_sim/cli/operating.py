"""``eessi-sim health``, ``drain`` and ``undrain``: the nodes of a running network in the hands of who runs it."""

import asyncio
from dataclasses import asdict
from pathlib import Path

import aiohttp
import click

from eessi_sim.cli import failures, output
from eessi_sim.cli.case_decisions import Words
from eessi_sim.cli.stores import state_option
from eessi_sim.errors import EessiSimError
from eessi_sim.identifiers import InstitutionId
from eessi_sim.simulation.operations import OPERATOR
from eessi_sim.simulation.remote import RemoteControl
from eessi_sim.simulation.state import NetworkState, load_state
from eessi_sim.simulation.views import CheckView, HealthView

_by = click.option(
    "--by", "actor", type=Words(), default=OPERATOR, show_default=True, metavar="NAME", help="Who asks."
)


@click.command(epilog=failures.EXIT_STATUS)
@state_option
@output.shared_options
def health(*, state: Path, as_json: bool) -> None:
    r"""Ask every node of a network whether it takes new work, and what it lacks.

    Exit status 0 when all nodes are ready and no alarm stands, else 1. The same question without a token, for a
    supervisor: GET /health/ready of the management port.

    \b
    Example:
      eessi-sim health --state /tmp/workshop

    \b
    With --json: {"healthy", "nodes": [{"node", "is_ready", "checks": [{"name", "ok", "detail"}],
      "waiting", "dead_letters", "alarms"}]}
    """
    found = asyncio.run(_all_healths(load_state(state)))
    is_healthy = all(each.is_ready and not any(each.alarms.values()) for each in found)
    if as_json:
        output.show_json({"healthy": is_healthy, "nodes": [asdict(each) for each in found]})
    else:
        output.show_table(
            ["!Node", "Ready", "Waits", "Dead letters", "Alarms"],
            [_row(each) for each in found],
            title="Health",
        )
    if not is_healthy:
        click.get_current_context().exit(failures.FINDING)


@click.command(epilog=failures.EXIT_STATUS)
@click.argument("node", metavar="NODE")
@_by
@state_option
@output.shared_options
def drain(*, node: str, actor: str, state: Path, as_json: bool) -> None:
    r"""Let a node take no new messages and cases, until it is undrained or started again.

    Senders get 503 with Retry-After and try again later; what is there is worked off, receipts and errors still come
    in, and institutions still fetch their messages. The journal says who asked.

    \b
    Example:
      eessi-sim drain NO:NAVAT07 --by anna

    With --json: the node as in eessi-sim health.
    """
    _show(asyncio.run(_turn(load_state(state), node, actor, is_open=False)), as_json=as_json)


@click.command(epilog=failures.EXIT_STATUS)
@click.argument("node", metavar="NODE")
@_by
@state_option
@output.shared_options
def undrain(*, node: str, actor: str, state: Path, as_json: bool) -> None:
    r"""Let a node that was drained take new messages and cases again.

    \b
    Example:
      eessi-sim undrain NO:NAVAT07

    With --json: the node as in eessi-sim health.
    """
    _show(asyncio.run(_turn(load_state(state), node, actor, is_open=True)), as_json=as_json)


def _show(found: HealthView, *, as_json: bool) -> None:
    if as_json:
        output.show_json(asdict(found))
        return
    _, ready, waits, dead, _ = _row(found)
    output.show_fields({"node": found.node, "ready": ready, "waits": waits, "dead letters": dead})


def _row(found: HealthView) -> list[str]:
    troubles = "; ".join(f"{check.name}: {check.detail}" for check in found.checks if not check.ok)
    alarms = ", ".join(f"{name}: {number}" for name, number in found.alarms.items() if number)
    waits = ", ".join(f"{name} {number}" for name, number in found.waiting.items())
    return [
        found.node,
        "yes" if found.is_ready else f"no, {troubles}",
        waits,
        str(found.dead_letters),
        alarms,
    ]


async def _all_healths(state: NetworkState) -> list[HealthView]:
    async with aiohttp.ClientSession(trust_env=False) as session:
        return list(await asyncio.gather(*(_health(session, state, node.party) for node in state.nodes)))


async def _health(session: aiohttp.ClientSession, state: NetworkState, party: str) -> HealthView:
    """Return the health of a node; one that does not answer is told as such."""
    try:
        return await RemoteControl(session, state, InstitutionId(party)).health()
    except EessiSimError as error:
        silent = CheckView("process", ok=False, detail=error.message)
        return HealthView(party, is_ready=False, checks=(silent,), waiting={}, dead_letters=0, alarms={})


async def _turn(state: NetworkState, party: str, actor: str, *, is_open: bool) -> HealthView:
    known = [node.party for node in state.nodes]
    if party not in known:
        raise click.BadParameter(f'Expected a node, found "{party}". {failures.nearest(party, known)}')
    async with aiohttp.ClientSession(trust_env=False) as session:
        control = RemoteControl(session, state, InstitutionId(party)).acting_as(actor)
        return await (control.undrain() if is_open else control.drain())
