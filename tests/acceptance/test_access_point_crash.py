"""A node that is killed in the middle of a run of 200 messages loses none and doubles none.

Real processes, real sockets, mutual TLS; the victim ends by SIGKILL and comes back with the store it left.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.helpers.process_networks import (
    NORWAY,
    POINT,
    POLAND,
    dead_store,
    patiently,
    small_network,
    until,
)

from eessi_sim.as4.exchange import InboundState, OutboundState
from eessi_sim.identifiers import BucType, SedType
from eessi_sim.simulation.processes import ProcessNetwork
from eessi_sim.simulation.remote import RemoteControl
from eessi_sim.simulation.views import CaseView, MessageView
from eessi_sim.storage.base import Direction, MessageKind

pytestmark = pytest.mark.process

TOTAL = 200
A_THIRD = TOTAL // 3
AT_ONCE = 16
"""Clerks of the sender that work at the same time."""
POSTING = BucType("LA_BUC_04")
NOTICE = SedType("A009")
DEAD_LETTERS = {"rejected", "dead-lettered"}
UNFORWARDED = (OutboundState.SUBMITTED, OutboundState.SENDING, OutboundState.RETRY_DUE)
UNFILED = (InboundState.RECEIVED, InboundState.PROCESSING)


@pytest.fixture
async def network(tmp_path: Path) -> AsyncIterator[ProcessNetwork]:
    """The access point, Norway, which sends, and Poland, which receives; each in its own process."""
    async with ProcessNetwork(small_network(tmp_path)) as network:
        yield network


@dataclass
class Run:
    """Norway tells Poland of 200 postings, one case each."""

    network: ProcessNetwork

    @property
    def sender(self) -> RemoteControl:
        return self.network.controls[NORWAY]

    @property
    def receiver(self) -> RemoteControl:
        return self.network.controls[POLAND]

    async def send_all(self) -> None:
        """Send the notices; whoever gets no answer because the node died asks again."""
        gate = asyncio.Semaphore(AT_ONCE)

        async def notify() -> None:
            async with gate:
                case_id = await patiently(lambda: self.sender.open_case(POSTING, [POLAND]))
                await patiently(lambda: self.send_once(case_id))

        await asyncio.gather(*(notify() for _ in range(TOTAL)))

    async def send_once(self, case_id: str) -> None:
        """Send the notice of a case unless that was done before the connection broke."""
        if not (await self.sender.case(case_id)).documents:
            await self.sender.send(case_id, NOTICE)

    async def sent(self) -> list[MessageView]:
        """What the sender has sent or wants to send."""
        return [m for m in await self.sender.messages() if (m.direction, m.kind) == ("out", "user")]

    async def third_accepted(self) -> bool:
        return sum(m.accepted_at is not None for m in await self.sent()) >= A_THIRD

    async def third_received(self) -> bool:
        received = [m for m in await self.receiver.messages() if (m.direction, m.kind) == ("in", "user")]
        return len(received) >= A_THIRD

    async def all_receipted(self) -> bool:
        return sum(m.receipted_at is not None for m in await patiently(self.sent)) >= TOTAL

    async def revive(self, party: str) -> None:
        [name] = [name for name in self.network.parties if name == party]
        await self.network.start(name)
        await self.network.ready(name)

    async def check(self) -> None:
        """All 200 arrived exactly once, with complete receipts, and nothing was given up anywhere."""
        sent, cases = await self.sent(), with_documents(await self.sender.cases())
        received = await self.receiver.cases()
        assert Counter(message.state for message in sent) == {"delivered": TOTAL}
        assert {status for case in cases for status in deliveries(case)} == {"delivered"}
        assert sorted(c.international_id for c in received) == sorted(c.international_id for c in cases)
        assert [[document.type for document in case.documents] for case in received] == [[NOTICE]] * TOTAL
        for reader in self.network.readers.values():
            assert not [m for m in await reader.messages() if m.state in DEAD_LETTERS]


def with_documents(cases: Sequence[CaseView]) -> list[CaseView]:
    """The cases in which something was sent; one that was opened without hearing the answer is empty."""
    return [case for case in cases if case.documents]


def deliveries(case: CaseView) -> list[str]:
    return [delivery.status for document in case.documents for delivery in document.deliveries]


async def test_killed_access_point_loses_and_doubles_nothing(network: ProcessNetwork) -> None:
    """Killed while it was responsible for messages, the access point brings all 200 to their receiver."""
    run = Run(network)
    sending = asyncio.create_task(run.send_all())
    await until(run.third_accepted, "a third of the messages accepted")
    await network.kill(POINT)
    async with dead_store(network.state, POINT) as store:
        kept = await store.counts()
    assert kept.in_state(Direction.IN, *UNFILED) + kept.in_state(Direction.OUT, *UNFORWARDED) > 0
    assert sum(message.accepted_at is not None for message in await run.sent()) < TOTAL
    await run.revive(POINT)
    await sending
    await until(run.all_receipted, "all messages receipted")
    await run.check()


async def test_killed_receiver_files_everything_once(network: ProcessNetwork) -> None:
    """Killed with messages that were not filed or whose receipts were not sent, the receiver files all 200 once."""
    run = Run(network)
    sending = asyncio.create_task(run.send_all())
    await until(run.third_received, "a third of the messages received")
    await network.kill(POLAND)
    async with dead_store(network.state, POLAND) as store:
        kept = await store.counts()
    received = sum(
        c.number for c in kept.messages if (c.direction, c.kind) == (Direction.IN, MessageKind.USER)
    )
    assert kept.in_state(Direction.IN, *UNFILED) + kept.in_state(Direction.OUT, *UNFORWARDED) > 0
    assert received < TOTAL
    await run.revive(POLAND)
    await sending
    await until(run.all_receipted, "all messages receipted")
    await run.check()


async def test_killed_sender_sends_what_it_had_promised(network: ProcessNetwork) -> None:
    """Killed with documents that were queued and not accepted, the sender sends each of them once."""
    run = Run(network)
    sending = asyncio.create_task(run.send_all())
    await until(run.third_accepted, "a third of the messages accepted")
    await network.kill(NORWAY)
    async with dead_store(network.state, NORWAY) as store:
        kept = await store.counts()
    assert kept.in_state(Direction.OUT, *UNFORWARDED) > 0
    await run.revive(NORWAY)
    await sending
    await until(run.all_receipted, "all messages receipted")
    await run.check()
