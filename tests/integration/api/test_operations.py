"""What a node answers to who runs it, over plain HTTP."""

from datetime import timedelta
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from prometheus_client.parser import text_string_to_metric_families
from tests.helpers.lab import A003, A012, NAV, POINT, ZUS, Lab
from tests.integration.api.conftest import TOKEN, Desk, OpenDesk

from eessi_sim.api.operations import HostRoutes
from eessi_sim.errors import EessiSimError
from eessi_sim.gateway.retention import Retention
from eessi_sim.simulation import operations as module
from eessi_sim.simulation.operations import Operations
from eessi_sim.storage.base import Direction

BEARER = {"authorization": f"Bearer {TOKEN}"}


@pytest.fixture
def operations(lab: Lab, tmp_path: Path) -> Operations:
    """NO:NAVAT07 in the hands of who runs it; its listener counts as started."""
    operations = Operations(lab.node(NAV), lab.storage, tmp_path)
    operations.is_listening = True
    return operations


@pytest.fixture
async def desk(lab: Lab, open_desk: OpenDesk, operations: Operations) -> Desk:
    """The interface of NO:NAVAT07 for who runs it."""
    return await open_desk(lab.network.controls[NAV], operations)


async def scraped(desk: Desk) -> dict[tuple[str, ...], float]:
    """The numbers of a node by name and labels but the node."""
    async with desk.session.get(desk.server.make_url("/metrics"), headers=BEARER) as response:
        assert response.status == 200
        text = await response.text()
    found = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = [value for name, value in sample.labels.items() if name != "node"]
            found[sample.name, *labels] = sample.value
    return found


async def test_dead_letter_is_resent_in_the_name_of_who_asks(lab: Lab, desk: Desk) -> None:
    """The interface lists dead letters and puts one back; the journal names the one whose name came along."""
    lab.take_down(POINT)
    await lab.open()
    await lab.work(lab.patience(NAV))
    remote = desk.remote(NAV).acting_as("ann\u00e9")
    (letter,) = await remote.dead_letters()
    assert (await remote.resend("out", letter.message_id)).state == "submitted"
    (entry,) = [each for each in await lab.journal(NAV) if each.step == "resent"]
    assert entry.detail["actor"] == "ann\u00e9"


async def test_what_is_no_dead_letter_is_not_found(desk: Desk) -> None:
    """An unknown message is answered with the code of the node."""
    with pytest.raises(EessiSimError) as refusal:
        await desk.remote(NAV).resend("out", "nothing")
    assert refusal.value.code == "message-not-found"


async def test_health_asks_for_no_token(desk: Desk) -> None:
    """A supervisor that has no token learns whether the process lives and takes work, and nothing else."""
    assert await desk.ask("/health/live", token="") == (200, {"live": True})
    status, shape = await desk.ask("/health/ready", token="")
    assert isinstance(shape, dict)
    assert (status, shape["ready"]) == (200, True)
    assert (await desk.ask("/metrics", token=""))[0] == 401


async def test_node_is_ready_only_when_nothing_is_missing(
    lab: Lab, desk: Desk, operations: Operations, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No listener, no entry in the directory, no space, no store: each makes the node not ready, and is named."""
    operations.is_listening = False
    lab.unlist(NAV)
    monkeypatch.setattr(module, "DISK_FLOOR", 2**80)
    await lab.storage.close()
    status, shape = await desk.ask("/health/ready")
    assert isinstance(shape, dict)
    assert status == 503
    assert shape["checks"] == {
        "store": False,
        "listener": False,
        "directory": False,
        "drain": True,
        "disk": False,
    }


async def test_access_point_is_ready_without_an_entry_as_institution(lab: Lab, open_desk: OpenDesk) -> None:
    """The directory lists access points apart; where no folder is named no space is asked for."""
    operations = Operations(lab.point)
    operations.is_listening = True
    desk = await open_desk(lab.network.readers[POINT], operations)
    assert (await desk.remote(POINT).health()).is_ready


async def test_drained_node_takes_no_new_work_until_it_is_undrained(lab: Lab, desk: Desk) -> None:
    """A drained node refuses messages and documents with 503, still takes receipts, and goes on when it is told to."""
    await lab.open(others=(ZUS,))
    remote = desk.remote(NAV)
    assert not (await remote.drain()).is_ready
    await remote.drain()
    status, shape = await desk.ask("/manage/cases", {"buc": "LA_BUC_02", "counterparties": [ZUS]})
    assert isinstance(shape, dict)
    assert (status, shape["code"]) == (503, "drained")
    await lab.reply(ZUS, A012, A003)
    assert (await lab.messages(POINT, Direction.OUT))[-1].last_error == (
        "HTTP 503 EBMS:0004 Other: this node is being drained and takes no new messages"
    )
    assert (await remote.undrain()).is_ready
    await lab.work(5)
    assert (await lab.messages(NAV, Direction.IN))[-1].state == "delivered"
    assert [step for step, _ in await lab.steps(NAV) if "drained" in step] == ["drained", "undrained"]


async def test_numbers_of_a_node_are_scraped(lab: Lab, desk: Desk) -> None:
    """Messages by state, queues, answers, attempts, receipts and commits are there, under names with units."""
    await lab.open()
    found = await scraped(desk)
    assert found["eessi_messages", "out", "user", "delivered"] == 1
    assert found["eessi_queue_messages", "outbox"] == 0
    assert found["eessi_queue_oldest_seconds", "inbox"] == 0
    assert found["eessi_http_answers_total", "202"] == 1
    assert found["eessi_send_attempts_total", "accepted"] == 1
    assert found["eessi_receipt_seconds_count",] == 1
    assert found["eessi_receipt_seconds_bucket", "+Inf"] == 1
    assert found["eessi_commit_units_count",] > 0
    assert found["eessi_worker_items", "outbox"] == 0
    assert found["eessi_ready",] == 1
    assert found["eessi_dead_letters", "out"] == 0


async def test_age_of_what_waits_is_told(lab: Lab, desk: Desk) -> None:
    """While nobody takes a message its queue has a depth and an age."""
    lab.take_down(POINT)
    await lab.open()
    await lab.work(7)
    found = await scraped(desk)
    assert found["eessi_queue_messages", "outbox"] == 1
    assert 7 <= found["eessi_queue_oldest_seconds", "outbox"] < 8


async def test_labels_name_no_message_and_no_other_party(lab: Lab, desk: Desk) -> None:
    """No id of a message, a case or a peer becomes a label, so their number is bounded."""
    case = await lab.open()
    async with desk.session.get(desk.server.make_url("/metrics"), headers=BEARER) as response:
        text = await response.text()
    for stranger in ((await lab.sent(NAV)).message_id, case.id, case.international_id, ZUS):
        assert stranger not in text


async def test_node_that_is_told_to_finish_ends_what_is_under_way(lab: Lab, operations: Operations) -> None:
    """Nothing under way: the node stops at once. A request that does not end is abandoned after the time that it has."""
    gate = operations.station.gate
    with gate.passing(), gate.passing():
        assert gate.under_way == 2
        assert not await module.finish([operations.node], 0.01)
    assert await module.finish([operations.node], 60)
    assert operations.is_drained
    assert not operations.node.busy
    await lab.network.restart(NAV)


async def test_clean_up_is_asked_for_over_the_interface(lab: Lab, desk: Desk) -> None:
    """The interface counts what is old, and refuses to remove what may still be repeated."""
    await lab.open()
    await lab.work(91 * 86400)
    assert (await desk.remote(NAV).clean_up(Retention(timedelta(days=90)), dry_run=True)).messages == 2
    status, shape = await desk.ask("/manage/cleanup", {"messages": "P1D"})
    assert isinstance(shape, dict)
    assert (status, shape["code"]) == (400, "settings")


async def test_process_of_many_nodes_tells_the_numbers_of_all(lab: Lab) -> None:
    """A host has one health and one list of numbers, each with its node; only the numbers ask for the token."""
    nodes = [Operations(lab.node(party)) for party in (NAV, ZUS)]
    nodes[0].is_listening = True

    async def made() -> list[Operations]:
        return nodes

    app = web.Application()
    HostRoutes(made, TOKEN).add_to(app)
    async with TestClient(TestServer(app, host="127.0.0.1")) as client:
        text = await (await client.get("/metrics", headers=BEARER)).text()
        assert (await client.get("/metrics")).status == 401
        assert (await client.get("/health/live")).status == 200
        before = (await client.get("/health/ready")).status
        nodes[1].is_listening = True
        assert (before, (await client.get("/health/ready")).status) == (503, 200)
    assert {f'eessi_ready{{node="{party}"}}' for party in (NAV, ZUS)} <= {
        line.rpartition(" ")[0] for line in text.splitlines()
    }
