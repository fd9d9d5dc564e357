"""Many nodes in one process: made when they are needed, found by the first step of a path."""

from types import SimpleNamespace
from typing import cast

import pytest
from tests.helpers.lab import DRV, NAV, ZUS, changed, demo, silent
from tests.helpers.stored import a_case, a_message

from eessi_sim.as4.exchange import OutboundState
from eessi_sim.clock import ManualClock
from eessi_sim.gateway.station import Directory
from eessi_sim.identifiers import InstitutionId, SedType
from eessi_sim.ir.model import BehaviourRule, Endpoint, Exchange, Occasion
from eessi_sim.simulation.assembly import Machinery, Node
from eessi_sim.simulation.host import Host
from eessi_sim.simulation.inprocess import START
from eessi_sim.storage.base import UnitOfWork
from eessi_sim.storage.memory import MemoryStorage
from eessi_sim.transport.base import Request, Response

PARTIES = (NAV, ZUS, DRV)


class Recorder:
    """Nodes that only remember what was done to them."""

    def __init__(self) -> None:
        self.done: list[tuple[str, str]] = []
        definition = silent(demo())
        definition = changed(definition, DRV, endpoint=Endpoint(Exchange.PUSH))
        self.definition = definition
        self.storage = MemoryStorage()

    def host(self) -> Host:
        """A host of three institutions."""
        machinery = SimpleNamespace(
            clock=ManualClock(START),
            storage=self.storage,
            directory=Directory(self.definition.repository("1.0.0")),
        )
        return Host(PARTIES, self._build, cast("Machinery", machinery))

    def _build(self, party: InstitutionId) -> Node:
        async def note(what: str) -> None:
            self.done.append((what, party))

        async def handle(_request: Request) -> Response:
            return Response(202)

        stub = SimpleNamespace(start=lambda: note("start"), stop=lambda: note("stop"), handle=handle)
        return cast("Node", stub)

    async def keep(self, party: InstitutionId, state: OutboundState) -> None:
        """Store a message of a party."""
        work = UnitOfWork()
        work.add_message(a_message(state=state))
        await self.storage.node(party).commit(work)


@pytest.fixture
def recorder() -> Recorder:
    """Three nodes that remember."""
    return Recorder()


def asked(path: str) -> Request:
    """A request for a path."""
    return Request(method="POST", path=path, headers={}, body=b"")


async def test_idle_institutions_have_no_node(recorder: Recorder) -> None:
    """A host that starts makes none of the nodes that have nothing to do."""
    await recorder.host().start()
    assert recorder.done == []


async def test_first_request_makes_the_node_it_is_for(recorder: Recorder) -> None:
    """The first step of the path says which."""
    answer = await recorder.host().handle(asked("/PL_ZUS01/EESSI/BusinessMessaging/v1.0/Push"))
    assert (answer.status, recorder.done) == (202, [("start", ZUS)])


async def test_node_is_made_once(recorder: Recorder) -> None:
    """The second request meets the same node."""
    host = recorder.host()
    assert await host.node(NAV) is await host.node(NAV)
    assert recorder.done == [("start", NAV)]


async def test_path_of_nobody_is_not_found(recorder: Recorder) -> None:
    """A stranger's path is answered 404."""
    assert (await recorder.host().handle(asked("/SE_FKSE01/push"))).status == 404


async def test_node_with_waiting_messages_is_made_at_the_start(recorder: Recorder) -> None:
    """What an earlier run left is taken up; what is at its end wakes nobody."""
    await recorder.keep(NAV, OutboundState.SUBMITTED)
    await recorder.keep(ZUS, OutboundState.DELIVERED)
    await recorder.host().start()
    assert recorder.done == [("start", NAV)]


async def test_node_that_reminds_is_made_at_the_start_when_it_has_cases(recorder: Recorder) -> None:
    """Overdue answers are found without anybody asking."""
    rule = BehaviourRule(SedType("A001"), send=(SedType("X009"),), occasion=Occasion.OVERDUE)
    for party in (NAV, ZUS):
        recorder.definition = changed(recorder.definition, party, behaviours=(rule,))
    work = UnitOfWork()
    work.save_case(a_case(), None)
    await recorder.storage.node(NAV).commit(work)
    await recorder.host().start()
    assert recorder.done == [("start", NAV)]


async def test_one_node_of_a_gateway_fetches_for_all(recorder: Recorder) -> None:
    """Of those that share a channel and a TLS certificate the first one asks, and is made at the start."""
    for party in (ZUS, DRV):
        endpoint = Endpoint(Exchange.PULL, "GATEWAY")
        recorder.definition = changed(recorder.definition, party, endpoint=endpoint)
    await recorder.host().start()
    assert len(recorder.done) == 1


async def test_host_stops_the_nodes_that_it_made(recorder: Recorder) -> None:
    """Only they have something to finish."""
    host = recorder.host()
    await host.node(DRV)
    await host.stop()
    assert recorder.done == [("start", DRV), ("stop", DRV)]
