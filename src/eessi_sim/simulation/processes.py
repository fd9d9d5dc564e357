"""A network as separate operating-system processes on this machine, started and ended here.

Every node is one process of the same program (``eessi-sim node``); they talk over mutual TLS on loopback. Only processes
started here are ended here, by their id.
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
"""Seconds until all nodes must answer."""
_STOP_WITHIN: Final = 10.0
_PAUSE: Final = 0.05


class ProcessNetwork:
    """The running processes of a network.

    Args:
        state: the network as established.
        on_ready: told about each node that is up.
        stop_within: seconds that a process has to stop when it is asked to; then it is ended.
        log_format: how the nodes write their logs.
    """

    def __init__(
        self,
        state: NetworkState,
        on_ready: Callable[[str], None] = lambda _party: None,
        *,
        stop_within: float = _STOP_WITHIN,
        log_format: LogFormat = LogFormat.TEXT,
    ) -> None:
        self.state = state
        self.clock = MovableClock()
        self._on_ready = on_ready
        self._stop_within = stop_within
        self._log_format = log_format
        self._processes: dict[InstitutionId, asyncio.subprocess.Process] = {}
        self._log_from: dict[InstitutionId, int] = {}
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
        return {party: RemoteControl(session, self.state, party) for party in self.parties}

    @property
    def controls(self) -> dict[InstitutionId, RemoteControl]:
        """One control per institution."""
        readers = self.readers
        return {party: readers[party] for party in self.state.institutions}

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(trust_env=False)
        try:
            for party in self.parties:
                await self.start(party)
            await asyncio.gather(*(self._until_ready(party) for party in self.parties))
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *exc: object) -> None:
        await asyncio.gather(*(self.stop(party) for party in tuple(self._processes)))
        assert self._session is not None  # entered
        await self._session.close()

    async def start(self, party: InstitutionId) -> None:
        """Start the process of one node."""
        with self.state.log(party).open("ab") as log:
            self._log_from[party] = log.tell()
            self._processes[party] = await asyncio.create_subprocess_exec(
                *_command(self.state.path, party, self._log_format),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    async def ready(self, party: InstitutionId) -> None:
        """Return when the node answers."""
        await self._until_ready(party)

    async def stop(self, party: InstitutionId) -> None:
        """Ask the process of one node to stop, and end it when it does not."""
        process = self._processes.pop(party, None)
        if process is None or process.returncode is not None:
            return
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), self._stop_within)
        except TimeoutError:
            process.kill()
            await process.wait()

    async def kill(self, party: InstitutionId) -> None:
        """End the process of one node at once, as a power cut would."""
        process = self._processes.pop(party)
        process.kill()
        await process.wait()

    def pid(self, party: InstitutionId) -> int:
        """Return the number of the process of one node."""
        return self._processes[party].pid

    async def pause(self) -> None:
        """Let the network work for a moment."""
        await self.clock.sleep(_PAUSE)

    async def _until_ready(self, party: InstitutionId) -> None:
        control = self.readers[party]
        loop = asyncio.get_running_loop()
        deadline = loop.time() + _READY_WITHIN
        is_up = await control.is_ready()
        while not is_up:
            self._require_alive(party, is_late=loop.time() > deadline)
            await asyncio.sleep(_PAUSE)
            is_up = await control.is_ready()
        self._on_ready(party)

    def _require_alive(self, party: InstitutionId, *, is_late: bool) -> None:
        if is_late or self._processes[party].returncode is not None:
            raise EnvironmentProblem(
                f"Expected the node {party} to start, it did not: {self._last_words(party)}",
                hint=f"Its log is {self.state.log(party)}.",
            )

    def _last_words(self, party: InstitutionId) -> str:
        """Return the last thing a process wrote; an indented line only continues the one before."""
        with contextlib.suppress(OSError):
            words = self.state.log(party).read_bytes()[self._log_from[party] :].decode(errors="replace")
            said = [line for line in words.splitlines() if line.strip() and not line.startswith(" ")]
            return said[-1] if said else "its log is empty"
        return "it has no log"


def _command(folder: Path, party: InstitutionId, form: LogFormat) -> list[str]:
    return [sys.executable, "-m", "eessi_sim", "node", str(folder), party, "--log-format", form]
