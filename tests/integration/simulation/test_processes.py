"""Nodes as processes: they start, stop, die, come back, and say why when they cannot."""

import asyncio
import signal
import socket
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest
from tests.helpers.process_networks import NORWAY, POINT, POLAND, dead_store, small_network, until

from eessi_sim.errors import ConnectFailed, EnvironmentProblem
from eessi_sim.identifiers import BucType, SedType
from eessi_sim.simulation.processes import ProcessNetwork
from eessi_sim.simulation.state import LOOPBACK, NetworkState
from eessi_sim.storage.base import Direction, MessageQuery

pytestmark = pytest.mark.process
POSTING = BucType("LA_BUC_04")
NOTICE = SedType("A009")


@pytest.fixture
def state(tmp_path: Path) -> NetworkState:
    """A network of which no process runs."""
    return small_network(tmp_path)


@pytest.fixture
def alone(state: NetworkState) -> NetworkState:
    """The same with Norway as the only node: how a process starts and ends does not depend on the others."""
    return replace(state, nodes=(state.address(NORWAY),))


@pytest.fixture
async def norway(alone: NetworkState) -> AsyncIterator[ProcessNetwork]:
    """The process of Norway."""
    async with ProcessNetwork(alone, stop_within=1.0) as network:
        yield network


async def test_every_node_is_announced_when_it_is_up(state: NetworkState) -> None:
    """Whoever starts a network is told of each node once it answers."""
    told: list[str] = []
    async with ProcessNetwork(state, told.append) as network:
        assert sorted(told) == sorted([POINT, NORWAY, POLAND]) == sorted(network.parties)
        assert all([await reader.is_ready() for reader in network.readers.values()])


async def test_only_institutions_can_be_asked_to_act(state: NetworkState) -> None:
    """Every node can be read, and all but the access point can be commanded."""
    network = ProcessNetwork(state)
    async with aiohttp.ClientSession() as network._session:
        assert set(network.readers) == {POINT, NORWAY, POLAND}
        assert set(network.controls) == {NORWAY, POLAND}


async def test_no_process_is_left_behind(alone: NetworkState) -> None:
    """When the network is left its processes are gone, and they ended well."""
    async with ProcessNetwork(alone) as network:
        process = network._processes[NORWAY]
    assert process.returncode == 0


async def test_stopped_node_comes_back_with_its_cases(norway: ProcessNetwork) -> None:
    """A node that was stopped and started again still has what it had."""
    control = norway.readers[NORWAY]
    case_id = await control.open_case(POSTING, [POLAND])
    await norway.stop(NORWAY)
    answered_meanwhile = await control.is_ready()
    await norway.start(NORWAY)
    await norway.ready(NORWAY)
    assert (answered_meanwhile, (await control.case(case_id)).buc) == (False, POSTING)


async def test_killed_node_does_not_answer(norway: ProcessNetwork) -> None:
    """After a kill nobody answers, and to stop what does not run is harmless."""
    await norway.kill(NORWAY)
    await norway.stop(NORWAY)
    with pytest.raises(ConnectFailed):
        await norway.readers[NORWAY].cases()


async def test_pause_lets_time_pass(alone: NetworkState) -> None:
    """A pause is a moment on the clock of the machine."""
    network = ProcessNetwork(alone)
    before = network.clock.now()
    await network.pause()
    assert network.clock.now() > before


@pytest.mark.parametrize("port", ["port", "manage_port"])
async def test_node_whose_port_is_taken_gives_its_last_words(alone: NetworkState, port: str) -> None:
    """A node that cannot listen ends at once; the sentence has its last words and the hint its log."""
    number = getattr(alone.address(NORWAY), port)
    with socket.socket() as holder:
        holder.bind((LOOPBACK, number))
        holder.listen()
        with pytest.raises(EnvironmentProblem, match=rf"NO:NAVAT07 .* port {number} .* in use$") as problem:
            await ProcessNetwork(alone).__aenter__()
    assert str(alone.log(NORWAY)) in str(problem.value.hint)


async def test_last_words_are_those_of_the_last_start(alone: NetworkState) -> None:
    """What an earlier process wrote into the log is not taken for the words of this one."""
    alone.log(NORWAY).write_text("Somebody else was here\n")
    (alone.pki / NORWAY.file_name / "tls.key").write_text("spoilt")
    with pytest.raises(EnvironmentProblem, match=r"NO:NAVAT07 .* key-material"):
        await ProcessNetwork(alone).__aenter__()


async def test_node_without_a_word_is_told_as_such(norway: ProcessNetwork) -> None:
    """A process that ends without a word is told as such, and so is one whose log is gone."""
    log = norway.state.log(NORWAY)
    process = norway._processes[NORWAY]
    process.kill()
    await process.wait()
    log.write_text("")
    with pytest.raises(EnvironmentProblem, match="its log is empty"):
        await norway.ready(NORWAY)
    log.unlink()
    with pytest.raises(EnvironmentProblem, match="it has no log"):
        await norway.ready(NORWAY)


async def test_node_that_does_not_stop_is_ended(norway: ProcessNetwork) -> None:
    """A process that does not react to a polite request is ended all the same."""
    process = norway._processes[NORWAY]
    process.send_signal(signal.SIGSTOP)  # a frozen process cannot stop by itself
    await norway.stop(NORWAY)
    assert process.returncode == -signal.SIGKILL


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_polite_request_to_stop_ends_well(norway: ProcessNetwork, number: signal.Signals) -> None:
    """A node that is told to stop leaves with status 0."""
    process = norway._processes[NORWAY]
    process.send_signal(number)
    assert await process.wait() == 0


async def test_stopped_sender_has_noted_every_answer(state: NetworkState) -> None:
    """A node that is asked to stop ends what it began: whatever the access point took, it knows as accepted."""
    async with ProcessNetwork(state) as network:
        taken = await stop_while_sending(network)
        async with dead_store(state, NORWAY) as store:
            sent = await store.messages(MessageQuery(direction=Direction.OUT), limit=1000)
    assert taken == {message.message_id for message in sent if message.accepted_at}
    assert taken


async def stop_while_sending(network: ProcessNetwork) -> set[str]:
    """Stop Norway in the middle of 60 messages; return the ids that the access point has."""
    sender = network.controls[NORWAY]

    async def send() -> None:
        case_id = await sender.open_case(POSTING, [POLAND])
        await sender.send(case_id, NOTICE)

    async def some_accepted() -> bool:
        return any(message.accepted_at for message in await sender.messages())

    sending = asyncio.gather(*(send() for _ in range(60)), return_exceptions=True)
    await until(some_accepted, "some messages accepted")
    await network.stop(NORWAY)
    await sending
    known = await network.readers[POINT].messages()
    return {message.message_id for message in known if (message.direction, message.kind) == ("in", "user")}


async def test_unknown_node_does_not_start(alone: NetworkState) -> None:
    """The program that is one node refuses a party that the network does not have, with exit status 3."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "eessi_sim", "node", alone.folder, "SE:FKSE01"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    assert (process.returncode, b"SE:FKSE01" in said) == (3, True)
