"""``eessi-sim demo`` and ``run``: a network that plays its stories and ends, and one that stays up."""

import asyncio
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, TypedDict, Unpack

import click
from rich.text import Text

from eessi_sim.buc.loader import Definitions
from eessi_sim.cdm.catalogue import Catalogue
from eessi_sim.cli import failures, inputs, output
from eessi_sim.cli.live import Screen
from eessi_sim.cli.networks import network_option
from eessi_sim.cli.playing import Follower, find_stories, play_all
from eessi_sim.cli.sending import send
from eessi_sim.cli.sharing import sharing_of, storage_option, workers_option
from eessi_sim.cli.stage import (
    STATE_FOLDER,
    Stage,
    find_state,
    in_process,
    is_running,
    processes,
    require_new,
    run_async,
)
from eessi_sim.errors import EnvironmentProblem
from eessi_sim.ir.loader import NetworkDefinition
from eessi_sim.ir.model import Decision
from eessi_sim.report import evidence, folder, json_form
from eessi_sim.report.collect import Scene, collect
from eessi_sim.report.evidence import Evidence
from eessi_sim.report.model import RunReport
from eessi_sim.security.pki import KeyAlgorithm
from eessi_sim.simulation.assembly import between, load_definition, parties_of
from eessi_sim.simulation.logs import LogFormat
from eessi_sim.simulation.processes import ProcessNetwork
from eessi_sim.simulation.state import (
    HOSTED_FROM,
    LOOPBACK,
    NetworkState,
    NodeAddress,
    Sharing,
    establish,
    hosts_for,
)
from eessi_sim.simulation.story import Story

__all__ = ["demo", "run", "send"]

_KEYS: Final = {"rsa": KeyAlgorithm.RSA_2048, "p256": KeyAlgorithm.P_256}
_LOOPBACK_NAMES: Final = (LOOPBACK, "localhost", "::1")
_HEALTH_EVERY: Final = 5.0
"""Seconds between two looks whether all nodes of a network still answer."""

_network = network_option("The network, a file or a name such as federated; that of the demo by default.")


class _Choices(TypedDict):
    """Options of the demo that decide what is run."""

    network: Path | None
    wanted: tuple[str, ...]
    in_process: bool
    seed: int | None
    keys: str | None
    pace: float
    state: Path | None
    catalogue: Catalogue


@dataclass(frozen=True, slots=True)
class _Plan:
    """What a demo is to do."""

    definition: NetworkDefinition
    stories: tuple[Story, ...]
    keys: KeyAlgorithm | None
    seed: int | None
    is_in_process: bool
    state: Path | None
    pace: float
    catalogue: Catalogue


@click.command(epilog=failures.EXIT_STATUS)
@_network
@click.option(
    "--report", type=click.Path(path_type=Path), metavar="DIR", help="Write a report with all messages."
)
@click.option("--story", "wanted", multiple=True, metavar="ID", help="Play this story only; may be repeated.")
@click.option(
    "--in-process", is_flag=True, help="All nodes in this process, on simulated time, without sockets."
)
@click.option("--seed", type=int, metavar="N", help="With --in-process: the same number gives the same run.")
@click.option(
    "--keys", type=click.Choice(list(_KEYS)), help="Kind of keys; rsa between processes by default."
)
@click.option(
    "--pace",
    type=click.FloatRange(min=0),
    default=1.0,
    show_default=True,
    help="Factor on the time institutions take to answer.",
)
@click.option(
    "--state", type=click.Path(path_type=Path), metavar="DIR", help="Keep keys, stores and logs here."
)
@inputs.cdm_option
@output.shared_options
def demo(*, report: Path | None, as_json: bool, **choices: Unpack[_Choices]) -> None:
    r"""Play three life events between institutions of six countries, and show every message.

    Each institution and the access point is a process of its own; they talk AS4 over mutual TLS. Every SED is
    sealed, checked against its schema and its rules by sender, access point and receiver, and receipted.

    \b
    Example:
      eessi-sim demo --report demo-report
      eessi-sim demo --in-process --seed 7 --story posted-worker
      eessi-sim demo --network federated     # an access point per country; one is cut off for a day

    With --json: the report as report.json has it; the messages appear on standard error meanwhile.
    """
    plan = _plan(choices)
    if report:
        folder.prepare(report)
    console = output.error_console() if as_json else output.console()
    with Screen(console) as screen:
        outcome = run_async(_perform(plan, screen))
    if report:
        folder.write(report, outcome.report, outcome.evidence, outcome.authority)
    if as_json:
        output.show_json(json_form.as_dict(outcome.report))
    else:
        summarise(outcome.report, report, plan.state)
    if not outcome.report.summary.is_success:
        click.get_current_context().exit(failures.FINDING)


def _plan(choices: _Choices) -> _Plan:
    """Return what the options ask for.

    Raises:
        click.BadParameter: they contradict each other.
    """
    is_in_process, keys, network = choices["in_process"], choices["keys"], choices["network"]
    if choices["seed"] is not None and not is_in_process:
        raise click.BadParameter("--seed needs --in-process: between real processes time is real.")
    if choices["state"] is not None and is_in_process:
        raise click.BadParameter("--state is for processes: what runs in this process keeps nothing.")
    definition = load_definition(network)
    return _Plan(
        definition=definition,
        stories=find_stories(definition, network, choices["wanted"]),
        keys=_KEYS[keys] if keys else None,
        seed=choices["seed"],
        is_in_process=is_in_process,
        state=choices["state"],
        pace=choices["pace"],
        catalogue=choices["catalogue"],
    )


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What a demo leaves behind."""

    report: RunReport
    evidence: tuple[Evidence, ...]
    authority: dict[str, bytes]


async def _perform(plan: _Plan, screen: Screen) -> _Outcome:
    if plan.is_in_process:
        screen.phase(f"Setting up {len(parties_of(plan.definition))} nodes in this process …")
        async with in_process(
            plan.definition,
            seed=plan.seed,
            algorithm=plan.keys or KeyAlgorithm.P_256,
            pace=plan.pace,
            catalogue=plan.catalogue,
        ) as stage:
            return await _play(plan, stage, screen)
    with ExitStack() as stack:
        state = await _establish(plan, stack, screen)
        counted = _Counter(screen, len(state.players))
        async with processes(state, counted.count) as stage:
            outcome = await _play(plan, stage, screen)
            screen.phase("Stopping the nodes …")
        return outcome


async def _establish(plan: _Plan, stack: ExitStack, screen: Screen) -> NetworkState:
    if plan.state is not None:
        require_new(plan.state)
    where = plan.state or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="eessi-sim-")))
    number = len(parties_of(plan.definition))
    screen.phase(f"Making keys and certificates for {number} nodes …")
    algorithm = plan.keys or KeyAlgorithm.RSA_2048
    # In a thread: the display goes on meanwhile.
    return await asyncio.to_thread(
        establish,
        plan.definition,
        where,
        now=datetime.now(UTC),
        algorithm=algorithm,
        pace=plan.pace,
        cdm=_folders(plan.catalogue),
    )


class _Counter:
    """Shows how many processes are up."""

    def __init__(self, screen: Screen, wanted: int) -> None:
        self._screen = screen
        self._wanted = wanted
        self._up = 0
        screen.phase(f"Starting {wanted} processes …")

    def count(self, player: str) -> None:
        """Note that a process is up."""
        self._up += 1
        self._screen.step(f"Starting processes: {self._up} of {self._wanted} are up ({player})")


async def _play(plan: _Plan, stage: Stage, screen: Screen) -> _Outcome:
    titles = ", ".join(f"“{story.title}”" for story in plan.stories)
    screen.phase(f"Playing {titles}")
    follower = Follower(stage, screen)
    results = await play_all(stage, plan.stories, follower)
    await follower.settle()
    screen.phase("Collecting the report …")
    scene = Scene(plan.definition, plan.catalogue, Definitions.default(), stage.mode, stage.seed)
    report = await collect(stage.readers, results, scene)
    return _Outcome(report, await evidence.gather(stage.readers, report), dict(stage.authority))


def summarise(report: RunReport, written: Path | None, state: Path | None) -> None:
    """Print the result of a run: what was exchanged, what is missing, where to look."""
    summary = report.summary
    output.show(Text())
    for story in report.stories:
        how = "played to its end" if story.is_played else str(story.reason)
        output.show(
            Text.assemble(output.mark(story.is_played), (story.title, "bold"), f" ({story.buc}): {how}")
        )
    for message in report.messages:
        if message.shortcoming:
            way = f"{message.sed} {message.sender} → {message.receiver} {message.message_id}: "
            output.show(Text.assemble(output.mark(passed=False), way, message.shortcoming))
    output.show(Text())
    counted = (
        f"{summary.messages} messages with {summary.documents} SEDs of {summary.sectors} "
        f"sector{'s'[: summary.sectors != 1]} between "
        f"{summary.institutions} institutions of {summary.countries} countries"
    )
    states = f"{summary.accepted} accepted, {summary.receipted} receipted, {summary.valid} valid"
    output.show(Text.assemble(output.mark(summary.is_success), (f"{counted}: {states}", "bold")))
    where = {
        "report": written / "report.html" if written else None,
        "seed": report.seed,
        "look closer": f"eessi-sim trace {report.messages[0].message_id} --state {state}"
        if state and report.messages
        else None,
    }
    output.show_fields({name: value for name, value in where.items() if value is not None})


class _Wishes(TypedDict):
    """Options of ``run`` that only a new network can be told."""

    network: Path | None
    port: int | None
    hosts: int | None
    workers: str | None
    storage: str | None
    decides: str | None


@click.command(epilog=failures.EXIT_STATUS)
@_network
@click.option(
    "--host", default=LOOPBACK, show_default=True, help="Address to listen at; only this machine for now."
)
@click.option(
    "--port", type=click.IntRange(1024, 65000), metavar="P", help="First port; any free ones by default."
)
@click.option(
    "--state",
    type=click.Path(path_type=Path),
    default=STATE_FOLDER,
    show_default=True,
    help="Folder of the network.",
)
@click.option(
    "--hosts",
    type=click.IntRange(0, 64),
    metavar="N",
    help=f"Let N processes share the institutions; 0 gives each its own, as up to {HOSTED_FROM} have by default.",
)
@workers_option
@storage_option
@click.option(
    "--decides",
    type=click.Choice([each.value for each in Decision]),
    help="Who decides what the institutions answer; each rule says it by default.",
)
@click.option(
    "--log-format",
    type=click.Choice([each.value for each in LogFormat]),
    default=LogFormat.TEXT.value,
    show_default=True,
    help="Of the logs of the nodes; json has one object per line, every step of the journal too.",
)
@inputs.cdm_option
@output.shared_options
def run(
    *,
    host: str,
    state: Path,
    log_format: str,
    catalogue: Catalogue,
    as_json: bool,
    **wishes: Unpack[_Wishes],
) -> None:
    r"""Start a network and keep it up until Ctrl-C.

    Keys, stores and logs stay in the folder; the same command takes the network up again, with all its cases.

    \b
    Example:
      eessi-sim run
      eessi-sim run --network my-network.yaml --port 9000 --state /tmp/workshop
      eessi-sim run --workers access-point=4,institutions=2 --storage postgresql://eessi@localhost/eessi
      eessi-sim run --decides suggesting     # then: eessi-sim case suggestions
      eessi-sim institutions generate --count 3120 --out many
      eessi-sim run --network many/networks/generated.yaml

    With --json: {"state", "token_file", "nodes": [{"party", "as4", "manage"}]}, once all nodes are up.
    """
    if host not in _LOOPBACK_NAMES:
        raise click.BadParameter(
            f'Expected an address of this machine only ({LOOPBACK}), found "{host}": '
            "other machines must wait until people have to log in."
        )
    wanted = _Wanted(
        wishes["network"],
        wishes["port"],
        wishes["hosts"],
        Decision(wishes["decides"]) if wishes["decides"] else None,
        sharing_of(wishes["workers"], wishes["storage"]),
    )
    established = _network_in(state, wanted, catalogue)
    try:
        run_async(_keep_up(established, LogFormat(log_format), as_json=as_json))
    except KeyboardInterrupt:
        output.remark(f"Stopped. The same command takes the network in {state} up again.")


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What only a new network can be told."""

    network: Path | None
    port: int | None
    hosts: int | None
    decides: Decision | None
    sharing: Sharing

    @property
    def definition(self) -> NetworkDefinition:
        """The network that is started."""
        definition = load_definition(self.network)
        return definition.deciding(self.decides) if self.decides else definition


def _network_in(where: Path, wanted: _Wanted, catalogue: Catalogue) -> NetworkState:
    """Return the network of a folder: the one that is there, or a new one; the former keeps its definitions."""
    found = find_state(where)
    if found is None:
        with output.working("Reading the network …"):
            definition = wanted.definition
        number = len(parties_of(definition))
        hosts = _hosts(definition, wanted.hosts)
        with output.working(f"Making keys and certificates for {number} nodes …"):
            return establish(
                definition,
                where,
                now=datetime.now(UTC),
                algorithm=KeyAlgorithm.P_256 if hosts else KeyAlgorithm.RSA_2048,
                base_port=wanted.port or 0,
                cdm=_folders(catalogue),
                hosts=hosts,
                sharing=wanted.sharing,
            )
    if asyncio.run(is_running(found)):
        raise EnvironmentProblem(
            f'Expected no running network in "{where}", found one',
            hint="Use it with eessi-sim send, or stop it where it was started.",
        )
    if wanted != _Wanted(None, None, None, None, Sharing()):
        raise EnvironmentProblem(
            "Expected a folder without a network for --network, --port, --hosts, --workers, --storage and "
            f'--decides, found one in "{where}"',
            hint="Name another folder with --state, or remove this one.",
        )
    if found.catalogue.folders != catalogue.folders:
        raise EnvironmentProblem(
            f'Expected the definitions that the network in "{where}" began with, found others',
            hint=f"Repeat its --cdm: {', '.join(str(each) for each in found.catalogue.folders)}.",
        )
    output.remark(f"Taking up the network of {found.started_at:%Y-%m-%d %H:%M} UTC again.")
    return found


def _hosts(definition: NetworkDefinition, wanted: int | None) -> int:
    """Return how many processes share the institutions, 0 when each has its own."""
    if wanted is not None or definition.synchronised:
        return wanted or 0
    return hosts_for(len(parties_of(definition)) - len(between(definition)))


def _folders(catalogue: Catalogue) -> tuple[Path, ...]:
    """Return where the definitions come from; none for ours, so that the network survives a new installation."""
    return () if catalogue is Catalogue.default() else catalogue.folders


async def _keep_up(state: NetworkState, form: LogFormat, *, as_json: bool) -> None:
    network = ProcessNetwork(state, log_format=form)
    with ExitStack() as waiting:
        waiting.enter_context(output.working(f"Starting {len(state.processes)} processes …"))
        async with network:
            waiting.close()
            _show_nodes(state, as_json=as_json)
            await _watch_health(network)


async def _watch_health(network: ProcessNetwork) -> None:
    """Say once of each process that it answers no more; the others go on. One that has peers is started again."""
    fallen: set[str] = set()
    while True:
        await asyncio.sleep(_HEALTH_EVERY)
        for process in network.state.processes:
            if network.has_ended(process) and network.state.has_peers(process):
                output.remark(f"{process} has ended and is started again; its peers went on meanwhile")
                await network.start(process)
                fallen.add(process)  # until it answers
        for player, node in network.speakers.items():
            if await node.is_ready():
                fallen.discard(player)
            elif player not in fallen:
                fallen.add(player)
                output.remark(f"{player} answers no more; its log is {network.state.log(player)}")


def _show_nodes(state: NetworkState, *, as_json: bool) -> None:
    token_file = state.path / "network.json"
    if as_json:
        nodes = [{"party": node.party, "as4": node.as4, "manage": node.manage} for node in state.nodes]
        output.show_json({"state": state.folder, "token_file": token_file, "nodes": nodes})
        return
    output.show_table(
        ("Node", "AS4 (mutual TLS)", "Management"),
        [_row([node for node in state.nodes if node.player == player]) for player in state.players],
        title=state.title,
    )
    output.show_fields({"state": state.folder, "token": f"in {token_file}"})
    output.remark("The network is up. Ctrl-C stops it; the state stays.")


def _row(played: Sequence[NodeAddress]) -> tuple[str, str, str]:
    """Return one process: the node that it plays, or how many there are and where those of one party would be."""
    first = played[0]
    if not first.host:
        number = f" ({len(first.workers)} processes)" if first.workers else ""
        return f"{first.party}{number}", first.as4, first.manage
    named = f"{first.host}: {len(played)} institutions"
    return (
        named,
        first.as4.replace(first.step, "/<institution>"),
        first.manage.replace(first.step, "/<institution>"),
    )
