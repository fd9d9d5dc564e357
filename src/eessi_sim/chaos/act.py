"""Does what a schedule says: one function per kind of disturbance, each of which also ends what it began."""

import asyncio
import resource
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Final

from eessi_sim.chaos.model import Disturbance, Done, Kind
from eessi_sim.chaos.network import ChaosNetwork
from eessi_sim.chaos.post import Poster
from eessi_sim.chaos.proxy import Proxy
from eessi_sim.errors import EessiSimError, EnvironmentProblem
from eessi_sim.identifiers import InstitutionId
from eessi_sim.security.keys import Purpose

_KIBIBYTE: Final = 1024
_PROBES: Final = 3
"""Messages that are posted to a node whose disk is full."""
_REST: Final = 2.0
"""Seconds without a disturbance of its processes that a node gets after each."""
_OF_PROCESSES: Final = frozenset(
    {
        Kind.KILL,
        Kind.FREEZE,
        Kind.FULL_DISK,
        Kind.DATABASE,
        Kind.CLOCK,
        Kind.EXPIRED_TLS,
        Kind.EXPIRED_EBMS,
    }
)
"""One at a time at each node."""
_Answers = Counter[str]


class Actor:
    """Disturbs a network that is up.

    Args:
        network: entered.
        poster: posts messages again.
        tell: told about each disturbance when it ended.
    """

    def __init__(
        self, network: ChaosNetwork, poster: Poster, tell: Callable[[Done], None] = lambda _done: None
    ) -> None:
        self._network = network
        self._poster = poster
        self._tell = tell
        self._start = self._end = 0.0
        self._kinds: dict[Kind, Callable[[Disturbance], Awaitable[_Answers]]] = {
            Kind.KILL: self._kill,
            Kind.FREEZE: self._freeze,
            Kind.FULL_DISK: self._full_disk,
            Kind.DATABASE: self._database,
            Kind.DROP: self._drop,
            Kind.DELAY: self._delay,
            Kind.CORRUPT: self._corrupt,
            Kind.STALL: self._stall,
            Kind.DUPLICATE: self._duplicate,
            Kind.CLOCK: self._clock,
            Kind.EXPIRED_TLS: self._expired_tls,
            Kind.EXPIRED_EBMS: self._expired_ebms,
        }

    async def run(self, schedule: Sequence[Disturbance], seconds: float) -> list[Done]:
        """Do everything in time; return when all of it has ended.

        Args:
            schedule: what to do.
            seconds: nothing begins later than so many seconds from now.
        """
        self._start = _now()
        self._end = self._start + seconds
        return list(await asyncio.gather(*(self._do(each) for each in schedule)))

    async def _do(self, disturbance: Disturbance) -> Done:
        await asyncio.sleep(disturbance.at - (_now() - self._start))
        began, skipped = _now() - self._start, ""
        answers: _Answers = Counter()
        try:
            if disturbance.kind in _OF_PROCESSES:
                disturbance, answers = await self._to_a_node(disturbance)
            else:
                answers = await self._kinds[disturbance.kind](disturbance)
        except EessiSimError as error:
            skipped = error.message
        done = Done(
            disturbance,
            began=round(began, 3),
            ended=round(_now() - self._start, 3),
            answers=dict(answers),
            skipped=skipped,
        )
        self._tell(done)
        return done

    async def _to_a_node(self, it: Disturbance) -> tuple[Disturbance, _Answers]:
        """Do something to the processes of a node that is not disturbed so already: the one that is meant, or another.

        A node that was disturbed gets a moment of rest, or it would do nothing any more on a slow machine.
        """
        it = replace(it, party=self._free_node(it))
        async with self._network.locks[it.party]:
            if _now() > self._end:
                raise EnvironmentProblem("Expected it to begin in time, found the machine too slow")
            answers = await self._kinds[it.kind](it)
            await asyncio.sleep(_REST)
        return it, answers

    def _free_node(self, it: Disturbance) -> InstitutionId:
        point, locks = self._network.point, self._network.locks
        others = [
            each
            for each in locks
            if it.kind is not Kind.EXPIRED_EBMS or (each == point) == (it.party == point)
        ]
        return next((each for each in (it.party, *others) if not locks[each].locked()), it.party)

    async def _kill(self, it: Disturbance) -> _Answers:
        process = self._one_of(it)
        await self._network.kill(process)
        await asyncio.sleep(it.seconds)
        await self._network.revive(process)
        return Counter()

    async def _freeze(self, it: Disturbance) -> _Answers:
        with self._network.frozen(self._one_of(it)):
            await asyncio.sleep(it.seconds)
        return Counter()

    async def _full_disk(self, it: Disturbance) -> _Answers:
        """Post messages to a node that cannot write."""
        network = self._network
        if network.state.storage:
            raise EnvironmentProblem("Expected a store in a file of the node, found a database server")
        copies = await self._poster.pick(it.party, _PROBES)
        with _size_limit(network.processes.pid(it.party), int(it.amount * _KIBIBYTE)):
            await asyncio.sleep(it.seconds / 2)
            answers = await self._poster.post(copies)
            await asyncio.sleep(it.seconds / 2)
        return answers

    async def _database(self, it: Disturbance) -> _Answers:
        await self._network.disturb_database(it.party, it.seconds)
        return Counter()

    async def _drop(self, it: Disturbance) -> _Answers:
        proxy = self._network.proxies[it.party]
        with _set(proxy, "is_down", value=True):
            proxy.break_all()
            await asyncio.sleep(it.seconds)
        return Counter()

    async def _delay(self, it: Disturbance) -> _Answers:
        with _set(self._network.proxies[it.party], "delay", value=it.amount / 1000):
            await asyncio.sleep(it.seconds)
        return Counter()

    async def _corrupt(self, it: Disturbance) -> _Answers:
        with _set(self._network.proxies[it.party], "corrupt", value=it.amount / 100):
            await asyncio.sleep(it.seconds)
        return Counter()

    async def _stall(self, it: Disturbance) -> _Answers:
        proxy = self._network.proxies[it.party]
        proxy.stall()
        try:
            await asyncio.sleep(it.seconds)
        finally:
            proxy.resume()
        return Counter()

    async def _duplicate(self, it: Disturbance) -> _Answers:
        return await self._poster.post(await self._poster.pick(it.party, max(1, round(it.amount))))

    async def _clock(self, it: Disturbance) -> _Answers:
        network = self._network
        await network.control(it.party).advance_clock(timedelta(minutes=it.amount))
        await asyncio.sleep(it.seconds)
        await network.restart(it.party)
        return Counter()

    async def _expired_tls(self, it: Disturbance) -> _Answers:
        return await self._expired(it, Purpose.TLS)

    async def _expired_ebms(self, it: Disturbance) -> _Answers:
        return await self._expired(it, Purpose.EBMS)

    async def _expired(self, it: Disturbance, purpose: Purpose) -> _Answers:
        network = self._network
        with network.with_expired(it.party, purpose):
            await network.restart(it.party)
            await asyncio.sleep(it.seconds)
        await network.restart(it.party)
        return Counter()

    def _one_of(self, it: Disturbance) -> str:
        """Return the process that is meant where several play a node; the same for the same disturbance."""
        processes = self._network.processes_of(it.party)
        return processes[int(it.at * 1000) % len(processes)]


def _now() -> float:
    return asyncio.get_running_loop().time()


@contextmanager
def _size_limit(pid: int, octets: int) -> Iterator[None]:
    """Let every write of a process fail that goes beyond a size of its file; the kernel itself refuses it.

    Nothing but the right to signal the process is needed, unlike for a file system of its own that is full.
    """
    before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (octets, before[1]))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, before)


def _set(proxy: Proxy, field: str, *, value: float) -> AbstractContextManager[None]:
    """Change one field of a line for a while."""

    @contextmanager
    def changed() -> Iterator[None]:
        setattr(proxy.line, field, value)
        try:
            yield
        finally:
            setattr(proxy.line, field, type(value)())

    return changed()
