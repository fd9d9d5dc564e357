"""``trace`` and ``journal`` read the stores of a network that does not run."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
from tests.helpers.commands import run, run_json
from tests.helpers.process_networks import NORWAY, POINT, POLAND, small_network
from tests.helpers.reports import CASE, EIGHT
from tests.helpers.stored import a_case, a_message, an_entry, message_id

from eessi_sim.identifiers import InstitutionId, InternationalId
from eessi_sim.simulation.state import NetworkState
from eessi_sim.storage.base import Direction, JournalEntry, StoredMessage, UnitOfWork
from eessi_sim.storage.sqlite import SqliteStorage

SHARED = InternationalId(CASE)
SENT = an_entry(
    "sent",
    at=EIGHT,
    case_id="1001",
    detail={"sed": "A003", "from": NORWAY, "to": POLAND, "case": CASE, "kind": "user"},
)
CHECKED = an_entry(
    "checked", at=EIGHT + timedelta(seconds=1), detail={"xsd_valid": "true", "rules_valid": "false"}
)
FILED = an_entry(
    "filed",
    at=EIGHT + timedelta(seconds=2),
    case_id="2002",
    detail={"xsd_valid": "true", "rules_valid": "true", "sed_signature": "valid", "as4_signature": "valid"},
)


async def keep(
    state: NetworkState, party: InstitutionId, entries: list[JournalEntry], *messages: StoredMessage
) -> None:
    """Write into the store of a node, as the node would; with its copy of the case."""
    storage = SqliteStorage(state.database(party))
    work = UnitOfWork()
    work.journal(*entries)
    for message in messages:
        work.add_message(message)
    if party != POINT:
        number = {NORWAY: 1, POLAND: 1002}[party]
        work.save_case(a_case(number, international_id=SHARED, own=party), None)
    await storage.node(party).commit(work)
    await storage.close()


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a small network in which Norway sent a message to Poland."""
    network = small_network(tmp_path_factory.mktemp("look"))
    sent = a_message(1, conversation=SHARED.uuid)
    received = a_message(1, direction=Direction.IN, conversation=SHARED.uuid, state="delivered")
    asyncio.run(keep(network, NORWAY, [SENT], sent))
    asyncio.run(keep(network, POINT, [CHECKED]))
    asyncio.run(keep(network, POLAND, [FILED], received))
    return network.path


def test_trace_of_a_message_goes_over_all_nodes(state: Path) -> None:
    """All steps of a message are shown in the order of time, whichever node took them."""
    steps = run_json("trace", message_id(1), "--state", state)
    assert [(step["node"], step["step"]) for step in steps] == [
        (NORWAY, "sent"),
        (POINT, "checked"),
        (POLAND, "filed"),
    ]


@pytest.mark.parametrize("reference", ["1001", "2002", CASE, SHARED.uuid])
def test_trace_of_a_case_takes_any_of_its_ids(state: Path, reference: str) -> None:
    """A case is found by its id at one institution and by the id all copies share."""
    assert len(run_json("trace", reference, "--state", state)) == 3


def test_trace_takes_the_first_eight_letters(state: Path) -> None:
    """What the tables show of a message id is enough to find it."""
    assert len(run_json("trace", str(message_id(1))[:8], "--state", state)) == 3


def test_trace_of_nothing_is_a_finding(state: Path) -> None:
    """An id that no node knows is answered with status 1."""
    result = run("trace", "nothing", "--state", state)
    assert (result.exit_code, "case-not-found" in result.stderr) == (1, True)


def test_trace_without_network_is_a_problem_of_the_machine(tmp_path: Path) -> None:
    """A folder without a network is answered with status 3."""
    assert run("trace", "1001", "--state", tmp_path).exit_code == 3


def test_trace_shows_checks_in_words(state: Path) -> None:
    """The table says which check failed, and when all were passed."""
    text = run("trace", message_id(1), "--state", state).stdout
    assert "failed: rules valid" in text
    assert "signatures and document valid" in text


def test_trace_of_several_days_shows_dates(state: Path) -> None:
    """Steps of one day have it in the title; of several days each has its own."""
    one = run("journal", "--state", state, "--node", NORWAY).stdout
    assert "Journal of NO:NAVAT07, 2026-03-02 UTC" in one


def test_journal_shows_the_last_entries(state: Path) -> None:
    """Only so many entries as asked for, the newest."""
    assert [entry["step"] for entry in run_json("journal", "--state", state, "--last", 1)] == ["filed"]


def test_journal_of_an_unknown_node_is_wrong_usage(state: Path) -> None:
    """A node that the network does not have is answered with its neighbours' names."""
    result = run("journal", "--state", state, "--node", "NO:NAVAT08")
    assert (result.exit_code, "NO:NAVAT07" in result.stderr) == (2, True)
