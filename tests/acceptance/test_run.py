"""A network that stays up: other commands use it, it is told to stop, and taken up again with its cases."""

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.helpers.commands import run, run_json
from tests.helpers.process_networks import small_definition

from eessi_sim import xmlsafe
from eessi_sim.cdm.catalogue import Catalogue
from eessi_sim.identifiers import CdmVersion, SedType
from eessi_sim.simulation.state import load_state

pytestmark = pytest.mark.process

WITHIN = 120
"""Seconds; generous, because tests may share the machine."""
TO_POLAND = ("--from", "NO:NAVAT07", "--to", "PL:ZUS01")
ASKED = Catalogue.default().get(SedType("A003"), CdmVersion("4.4")).sample
APPLICABLE = Catalogue.default().get(SedType("A012"), CdmVersion("4.4")).sample
POSTED = Catalogue.default().get(SedType("A009"), CdmVersion("4.4")).sample


@contextmanager
def running(*options: str, end: int = signal.SIGINT) -> Iterator[tuple[subprocess.Popen[str], Any]]:
    """A network that runs, and what it said about itself; told to stop at the end by this signal."""
    command = [sys.executable, "-m", "eessi_sim", "run", "--json", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            lines = []
            for line in process.stdout:
                lines.append(line)
                if line == "}\n":
                    break
            yield process, json.loads("".join(lines))
        finally:
            process.send_signal(end)
            process.communicate(timeout=WITHIN)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a network of two countries; it was started once, used, and stopped politely."""
    place = tmp_path_factory.mktemp("run")
    small_definition(place)
    return place


@pytest.fixture(scope="module")
def used(folder: Path) -> dict[str, Any]:
    """What happened while the network ran for the first time."""
    state = str(folder / "state")
    options = ("--state", state, "--network", str(folder / "small.yaml"), "--decides", "suggesting")
    with running(*options, "--log-format", "json") as (process, answer):
        seen = {
            "nodes": [node["party"] for node in answer["nodes"]],
            "sent": send(state),
            "second": run("run", "--state", state).exit_code,
            "foreign": run(
                "send", POSTED, "--from", "SE:FKSE01", "--to", "PL:ZUS01", "--state", state
            ).exit_code,
            "refused": run(
                "send", POSTED, "--from", "NO:NAVAT07", "--to", "SE:FKSE01", "--state", state
            ).stderr,
            "misnamed": run(
                "send", ASKED, *TO_POLAND, "--attach", misnamed(folder), "--state", state
            ).exit_code,
            "cases": run_json("case", "list", "--state", state),
            "decided": (decisions := decided(state)),
            "operated": operated(state),
            "done": done(state, decisions["answered"]["international_id"]),
        }
    logs = [file.read_text() for file in sorted((folder / "state" / "nodes").glob("*.log"))]
    return {**seen, "status": process.returncode, "logs": logs}


def misnamed(folder: Path) -> Path:
    """A file that is not what its name says."""
    path = folder / "scan.pdf"
    path.write_bytes(b"hello")
    return path


def decided(state: str) -> dict[str, Any]:
    """Norway asks twice; the rule of Poland suggests, a clerk accepts one suggestion and declines the other."""
    for _ in range(2):
        run_json("send", ASKED, *TO_POLAND, "--state", state)
    end = time.monotonic() + WITHIN
    while len(found := run_json("case", "suggestions", "--state", state)) < 2 and time.monotonic() < end:
        time.sleep(0.2)
    accepted, declined = (each["id"] for each in found)
    return {
        "suggested": [(each["node"], each["sed"], each["rule"]) for each in found],
        "accepted": run_json("case", "accept", accepted[:12], "--clerk", "anna", "--state", state),
        "declined": run("case", "decline", declined, "--reason", "not ours", "--state", state).stdout,
        "left": run_json("case", "suggestions", "--state", state),
        "answered": run_json(
            "send", APPLICABLE, "--from", "PL:ZUS01", "--case", found[1]["case"], "--state", state
        ),
        "again": run(
            "send", APPLICABLE, "--from", "PL:ZUS01", "--case", found[1]["case"], "--state", state
        ).stderr,
    }


def operated(state: str) -> dict[str, Any]:
    """Norway is drained and taken up again; somebody asks for another try of whatever there is."""
    drained = run_json("drain", "NO:NAVAT07", "--by", "anna", "--state", state)
    return {
        "drained": drained["is_ready"],
        "refused": run("send", POSTED, *TO_POLAND, "--state", state).stderr,
        "ill": run("health", "--state", state),
        "undrained": run("undrain", "NO:NAVAT07", "--state", state).stdout,
        "well": run("health", "--json", "--state", state),
        "unknown": run("drain", "NO:NAVAT08", "--state", state).exit_code,
        "resent": run_json("dead-letters", "resend", "--all", "--state", state),
    }


def done(state: str, case: str) -> dict[str, Any]:
    """A clerk of Poland takes back its answer, closes the case, and may then not answer again."""
    at_poland = (case, "--node", "PL:ZUS01", "--state", state)
    by_anna = ("--clerk", "anna", "--reason", "wrong person – żle")
    offered = run_json("case", "actions", *at_poland)
    return {
        "offered": {each["word"] for each in offered},
        "invalidated": run_json("case", "do", *at_poland, "invalidate", *by_anna),
        "drafted": run_json("case", "do", *at_poland, "create", "--sed", "A012"),
        "deleted": run_json("case", "do", *at_poland, "delete"),
        "refused": run("case", "do", *at_poland, "reopen"),
        "refused_json": run_json("case", "do", *at_poland, "reopen"),
        "history": run_json("case", "show", *at_poland)["history"],
    }


def send(state: str) -> Any:
    return run_json("send", POSTED, *TO_POLAND, "--state", state)


def test_run_says_where_its_nodes_are(used: dict[str, Any]) -> None:
    """Once all nodes are up they are listed, the access point among them."""
    assert sorted(used["nodes"]) == ["EU:APSIM01", "NO:NAVAT07", "PL:ZUS01"]


def test_a_refused_document_leaves_no_case_behind(used: dict[str, Any]) -> None:
    """The institution refuses a file when the case is open already; the case goes with it."""
    assert used["misnamed"] == 1
    assert [(each["buc"], each["documents"]) for each in used["cases"]] == [("LA_BUC_04", 1)]


def test_clerk_decides_what_a_rule_suggests(used: dict[str, Any]) -> None:
    """run --decides suggesting: nothing is answered before a clerk says so; then the document is sent."""
    found = used["decided"]
    assert found["suggested"] == [("PL:ZUS01", "A012", "A003-A012")] * 2
    assert found["accepted"]["documents"] == ["A003", "A012"]
    assert "declined: A012 by PL:ZUS01" in found["declined"]
    assert found["left"] == []


def test_send_answers_in_a_case_that_there_is(used: dict[str, Any]) -> None:
    """The document of one's own goes to who asked, and only while the case offers it."""
    found = used["decided"]["answered"]
    assert [(each["sed"], each["to"], each["valid"]) for each in found["messages"]] == [
        ("A012", "NO:NAVAT07", True)
    ]
    assert 'found "Create A012"' in used["decided"]["again"]


def test_case_do_takes_what_a_case_offers(used: dict[str, Any]) -> None:
    """The document is sent about the only one that it can be about; the case file names clerk and reason."""
    found = used["done"]
    assert {"invalidate", "update"} <= found["offered"]
    (document,) = (each for each in found["invalidated"]["documents"] if each["sed"] != "A012")
    assert (document["status"], document["receivers"]) == ("sent", ["NO:NAVAT07"])
    assert ("anna", "wrong person – żle") in [(each["name"], each["reason"]) for each in found["history"]]
    assert [each["status"] for each in found["drafted"]["documents"]] == ["new"]
    assert found["deleted"]["node"] == "PL:ZUS01"


def test_case_do_shows_the_refusal_of_the_node(used: dict[str, Any]) -> None:
    """Its own code and sentence, and what is offered instead."""
    refused = used["done"]["refused"]
    assert refused.exit_code == 1
    assert refused.stderr.startswith("action-not-available: ")
    assert "Possible now: " in refused.stderr
    assert used["done"]["refused_json"]["error"]["code"] == "action-not-available"


def test_send_uses_the_running_network(used: dict[str, Any]) -> None:
    """A document sent through it is accepted, receipted and found valid by another process."""
    assert used["sent"]["success"]


def test_running_network_refuses_as_a_temporary_one_does(used: dict[str, Any]) -> None:
    """What a node refuses comes back as a sentence with its hint."""
    assert "SE:FKSE01" in used["refused"]


def test_sender_must_be_in_the_running_network(used: dict[str, Any]) -> None:
    """An institution that the network does not have cannot send: wrong usage."""
    assert used["foreign"] == 2


def test_folder_of_a_running_network_is_taken(used: dict[str, Any]) -> None:
    """A second run in the same folder ends with status 3."""
    assert used["second"] == 3


def test_interrupted_run_ends_well(used: dict[str, Any]) -> None:
    """Ctrl-C is the way to end it: status 0."""
    assert used["status"] == 0


def test_stopped_network_cannot_be_sent_to(used: dict[str, Any], folder: Path) -> None:
    """A named folder whose network is stopped is not replaced by a temporary one."""
    assert used["status"] == 0
    state = folder / "state"
    result = run("send", POSTED, "--from", "NO:NAVAT07", "--to", "PL:ZUS01", "--state", state)
    assert (result.exit_code, "found a stopped one" in result.stderr) == (3, True)


def test_stopped_network_keeps_its_settings(used: dict[str, Any], folder: Path) -> None:
    """Another network or port for a folder that has a network is refused: status 3."""
    assert used["status"] == 0
    assert run("run", "--state", folder / "state", "--port", 40000).exit_code == 3


@pytest.fixture(scope="module")
def used_again(used: dict[str, Any], folder: Path) -> dict[str, Any]:
    """What happened while the network ran for the second time; the system ended it."""
    assert used["status"] == 0
    state = str(folder / "state")
    with running("--state", state, end=signal.SIGTERM) as (process, _):
        sent = send(state)
    return {"sent": sent, "status": process.returncode}


def test_network_taken_up_again_works_on(used_again: dict[str, Any]) -> None:
    """A network that was stopped and started again exchanges documents as before."""
    assert used_again["sent"]["success"]


def test_network_taken_up_again_has_its_cases(
    used: dict[str, Any], used_again: dict[str, Any], folder: Path
) -> None:
    """The cases of the first time are still there after the second."""
    assert used_again["sent"]["case"] != used["sent"]["case"]
    assert run_json("trace", used["sent"]["case"], "--state", folder / "state")[0]["step"] == "case-opened"


def test_network_ended_by_the_system_leaves_no_node_behind(used_again: dict[str, Any], folder: Path) -> None:
    """SIGTERM stops the nodes as Ctrl-C does: afterwards nobody answers."""
    assert used_again["status"] == 0
    state = load_state(folder / "state")
    ports = [port for node in state.nodes for port in (node.port, node.manage_port)]
    assert [port for port in ports if is_open(port)] == []


def is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_other_machines_are_not_served() -> None:
    """Only addresses of this machine may be listened at for now: wrong usage."""
    result = run("run", "--host", "0.0.0.0")
    assert (result.exit_code, "this machine only" in result.stderr) == (2, True)


def test_drained_node_is_told_and_takes_no_new_case(used: dict[str, Any]) -> None:
    """Between drain and undrain the health of the network is a finding, and a new case is refused with a hint."""
    operated = used["operated"]
    assert operated["drained"] is False
    assert "undrain" in operated["refused"]
    assert (operated["ill"].exit_code, "is being drained" in operated["ill"].stdout) == (1, True)
    assert "yes" in operated["undrained"]
    assert (operated["well"].exit_code, json.loads(operated["well"].stdout)["healthy"]) == (0, True)
    assert operated["unknown"] == 2
    assert operated["resent"] == {"resent": [], "left": []}


def test_network_that_stands_still_is_not_healthy(used: dict[str, Any], folder: Path) -> None:
    """Nodes that do not answer are told as such, with status 1."""
    assert used["status"] == 0
    found = run_json("health", "--state", folder / "state")
    assert not found["healthy"]
    assert {check["name"] for node in found["nodes"] for check in node["checks"]} == {"process"}


def test_logs_are_objects_without_persons(used: dict[str, Any]) -> None:
    """Each line of every log is one JSON object with time, level, node and event; no person of a document is in it."""
    lines = [json.loads(line) for log in used["logs"] for line in log.splitlines()]
    assert {"time", "level", "node", "event"} <= set.intersection(*(set(line) for line in lines))
    assert {"message", "sent", "checked", "filed", "receipted"} <= {line["event"] for line in lines}
    assert ASKED is not None
    person = [
        element.text
        for element in xmlsafe.parse(ASKED.read_bytes()).iter("familyName", "forename", "dateBirth")
        if element.text
    ]
    assert len(person) >= 3
    assert not [value for value in person for log in used["logs"] if value in log]
