"""Does what a schedule says: one function per kind of disturbance, each of which also ends what it began."""

import asyncio
import resource
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from datetime import timedelta
from typing import Final

from eessi_sim.chaos.model import Disturbance, Done, Kind
from eessi_sim.chaos.network import ChaosNetwork
from eessi_sim.chaos.post import Poster
from eessi_sim.chaos.proxy import Proxy
from eessi_sim.errors import EessiSimError
from eessi_sim.identifiers import InstitutionId
from eessi_sim.security.keys import Purpose

_KIBIBYTE: Final = 1024
_PROBES: Final = 3
"""Messages that are posted to a node whose disk is full."""
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
        self._start = 0.0
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

    async def run(self, schedule: Sequence[Disturbance]) -> list[Done]:
        """Do everything in time; return when all of it has ended."""
        self._start = _now()
        return list(await asyncio.gather(*(self._do(each) for each in schedule)))

    async def _do(self, disturbance: Disturbance) -> Done:
        await asyncio.sleep(disturbance.at - (_now() - self._start))
        began, skipped = _now() - self._start, ""
        answers: _Answers = Counter()
        try:
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

    async def _kill(self, it: Disturbance) -> _Answers:
        async with self._down(it.party):
            await asyncio.sleep(it.seconds)
        return Counter()

    async def _freeze(self, it: Disturbance) -> _Answers:
        async with self._network.locks[it.party]:
            with self._network.frozen(it.party):
                await asyncio.sleep(it.seconds)
        return Counter()

    async def _full_disk(self, it: Disturbance) -> _Answers:
        """Post messages to a node that cannot write; afterwards it must take them."""
        copies = await self._poster.pick(it.party, _PROBES)
        async with self._network.locks[it.party]:
            with _size_limit(self._network.processes.pid(it.party), int(it.amount * _KIBIBYTE)):
                await asyncio.sleep(it.seconds / 2)
                answers = await self._poster.post(copies)
                await asyncio.sleep(it.seconds / 2)
        return answers

    async def _database(self, it: Disturbance) -> _Answers:
        async with self._network.locks[it.party]:
            with self._network.locked_database(it.party):
                await asyncio.sleep(it.seconds)
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
        async with network.locks[it.party]:
            await network.control(it.party).advance_clock(timedelta(minutes=it.amount))
            await asyncio.sleep(it.seconds)
            await network.kill(it.party)
            await network.revive(it.party)
        return Counter()

    async def _expired_tls(self, it: Disturbance) -> _Answers:
        return await self._expired(it, Purpose.TLS)

    async def _expired_ebms(self, it: Disturbance) -> _Answers:
        return await self._expired(it, Purpose.EBMS)

    async def _expired(self, it: Disturbance, purpose: Purpose) -> _Answers:
        network = self._network
        async with network.locks[it.party]:
            with network.with_expired(it.party, purpose):
                await network.kill(it.party)
                await network.revive(it.party)
                await asyncio.sleep(it.seconds)
            await network.kill(it.party)
            await network.revive(it.party)
        return Counter()

    @asynccontextmanager
    async def _down(self, party: InstitutionId) -> AsyncIterator[None]:
        async with self._network.locks[party]:
            await self._network.kill(party)
            yield
            await self._network.revive(party)


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
