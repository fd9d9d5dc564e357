"""A network as separate operating-system processes on this machine, started and ended here.

Every node, or host of many nodes, is one process of the same program (``eessi-sim node``); they talk over mutual TLS on
loopback. Only processes started here are ended here, by their id.
"""

import asyncio
import contextlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final, Self

import aiohttp

from eessi_sim.clock import MovableClock
from eessi_sim.errors import EnvironmentProblem
from eessi_sim.identifiers import InstitutionId
from eessi_sim.simulation.logs import LogFormat
from eessi_sim.simulation.remote import RemoteControl
from eessi_sim.simulation.state import NetworkState

_READY_WITHIN: Final = 60.0
"""Seconds until all processes must answer."""
_READY_PER_PROCESS: Final = 5.0
"""Seconds more for each process: they start side by side and share the processors."""
_READY_PER_NODE: Final = 0.05
"""Seconds more for each node: every process reads the entries of all of them."""
_STOP_WITHIN: Final = 10.0
_PAUSE: Final = 0.05


class ProcessNetwork:
    """The running processes of a network.

    Args:
        state: the network as established.
        on_ready: told the name of each process that is up.
        stop_within: seconds that a process has to stop when it is asked to; then it is ended.
        log_format: how the nodes write their logs.
    """

    def __init__(
        self,
        state: NetworkState,
        on_ready: Callable[[str], None] = lambda _player: None,
        *,
        stop_within: float = _STOP_WITHIN,
        log_format: LogFormat = LogFormat.TEXT,
    ) -> None:
        self.state = state
        self.clock = MovableClock()
        self._on_ready = on_ready
        self._stop_within = stop_within
        self._log_format = log_format
        self._processes: dict[str, asyncio.subprocess.Process] = {}
        """By name, see ``NetworkState.processes``."""
        self._log_from: dict[str, int] = {}
        """Where in its log the words of the running process begin."""
        self._session: aiohttp.ClientSession | None = None

    @property
    def parties(self) -> tuple[InstitutionId, ...]:
        """The access point and the institutions."""
        return tuple(InstitutionId(node.party) for node in self.state.nodes)

    @property
    def readers(self) -> dict[InstitutionId, RemoteControl]:
        """One reader per node, the access point included."""
        assert self._session is not None  # entered
        session = self._session
        return controls_of(session, self.state)

    @property
    def speakers(self) -> dict[str, RemoteControl]:
        """One node of each process, by the name of the process: it answers as long as the process does."""
        assert self._session is not None  # entered
        return {player: self._speaker(player, self._session) for player in self.state.processes}

    @property
    def controls(self) -> dict[InstitutionId, RemoteControl]:
        """One control per institution."""
        readers = self.readers
        return {party: readers[party] for party in self.state.institutions}

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(trust_env=False)
        try:
            for player in self.state.processes:
                await self.start(player)
            await asyncio.gather(*(self._until_ready(player) for player in self.state.processes))
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *exc: object) -> None:
        await asyncio.gather(*(self.stop(player) for player in tuple(self._processes)))
        assert self._session is not None  # entered
        await self._session.close()

    async def start(self, player: str) -> None:
        """Start a process; ``EU:APSIM01.2`` is the second of those that play the access point together."""
        with self.state.log(player).open("ab") as log:
            self._log_from[player] = log.tell()
            self._processes[player] = await asyncio.create_subprocess_exec(
                *_command(self.state.path, player, self._log_format),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    async def ready(self, player: str) -> None:
        """Return when the process answers."""
        await self._until_ready(player)

    async def stop(self, player: str) -> None:
        """Ask a process to stop, and end it when it does not."""
        process = self._processes.pop(player, None)
        if process is None or process.returncode is not None:
            return
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), self._stop_within)
        except TimeoutError:
            process.kill()
            await process.wait()

    async def kill(self, player: str) -> None:
        """End a process at once, as a power cut would."""
        process = self._processes.pop(player)
        process.kill()
        await process.wait()

    def has_ended(self, player: str) -> bool:
        """Whether a process ended that nobody has ended here."""
        process = self._processes.get(player)
        return process is not None and process.returncode is not None

    def pid(self, player: str) -> int:
        """Return the number of a process."""
        return self._processes[player].pid

    async def pause(self) -> None:
        """Let the network work for a moment."""
        await self.clock.sleep(_PAUSE)

    async def _until_ready(self, player: str) -> None:
        assert self._session is not None  # entered
        control = self._speaker(player, self._session)
        loop = asyncio.get_running_loop()
        patience = len(self.state.processes) * _READY_PER_PROCESS + len(self.state.nodes) * _READY_PER_NODE
        deadline = loop.time() + _READY_WITHIN + patience
        is_up = await control.is_ready()
        while not is_up:
            self._require_alive(player, is_late=loop.time() > deadline)
            await asyncio.sleep(_PAUSE)
            is_up = await control.is_ready()
        self._on_ready(player)

    def _speaker(self, player: str, session: aiohttp.ClientSession) -> RemoteControl:
        first = self.state.played_by(player)[0]
        return RemoteControl(session, self.state, InstitutionId(first.party), first)

    def _require_alive(self, player: str, *, is_late: bool) -> None:
        if is_late or self._processes[player].returncode is not None:
            raise EnvironmentProblem(
                f"Expected the node {player} to start, it did not: {self._last_words(player)}",
                hint=f"Its log is {self.state.log(player)}.",
            )

    def _last_words(self, player: str) -> str:
        """Return the last thing a process wrote; an indented line only continues the one before."""
        with contextlib.suppress(OSError):
            words = self.state.log(player).read_bytes()[self._log_from[player] :].decode(errors="replace")
            said = [line for line in words.splitlines() if line.strip() and not line.startswith(" ")]
            return said[-1] if said else "its log is empty"
        return "it has no log"


def controls_of(session: aiohttp.ClientSession, state: NetworkState) -> dict[InstitutionId, RemoteControl]:
    """Return what asks each node of a network."""
    named = [(InstitutionId(node.party), node) for node in state.nodes]
    return {party: RemoteControl(session, state, party, node) for party, node in named}


def _command(folder: Path, player: str, form: LogFormat) -> list[str]:
    return [sys.executable, "-m", "eessi_sim", "node", str(folder), player, "--log-format", form]
