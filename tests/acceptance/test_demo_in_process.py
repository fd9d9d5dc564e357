"""The demo on simulated time: the same seed gives the same report, byte by byte."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.helpers.commands import run, run_json

from eessi_sim import resources, xmlsafe

BAD_STORY = """
id: wrong-office
title: Sent to the wrong office
text: A pension institution tries to decide which legislation applies.
buc: LA_BUC_02
owner: NO:NAVPE01
counterparties: [SE:FKSE01]
steps:
  - {send: A003, by: owner}
"""
BAD_NETWORK = """
id: bad
title: A network with a story that cannot be
access_point: {id: EU:APSIM01, name: Access point of the tests}
institutions: [NO:NAVPE01, SE:FKSE01]
stories: [%s]
"""


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of a run with seed 7."""
    folder = tmp_path_factory.mktemp("A")
    assert run("demo", "--in-process", "--seed", 7, "--report", folder).exit_code == 0
    return folder


@pytest.fixture(scope="module")
def report(first: Path) -> Any:
    return json.loads((first / "report.json").read_bytes())


def network_with(folder: Path, story: str) -> Path:
    """A network file beside a folder of stories."""
    (folder / "stories").mkdir()
    (folder / "stories" / "wrong-office.yaml").write_text(BAD_STORY)
    file = folder / "bad.yaml"
    file.write_text(BAD_NETWORK % story)
    return file


def test_same_seed_gives_the_same_report(first: Path, tmp_path: Path) -> None:
    """Two runs with seed 7 write the same report.json, although every key is another one."""
    run("demo", "--in-process", "--seed", 7, "--report", tmp_path)
    assert (tmp_path / "report.json").read_bytes() == (first / "report.json").read_bytes()


def test_other_keys_give_the_same_report(first: Path, tmp_path: Path) -> None:
    """RSA instead of P-256 changes no fact of the report."""
    run("demo", "--in-process", "--seed", 7, "--keys", "rsa", "--report", tmp_path)
    assert (tmp_path / "report.json").read_bytes() == (first / "report.json").read_bytes()


def test_other_seed_gives_other_ids(report: Any) -> None:
    """Another seed makes other messages of the same documents."""
    other = run_json("demo", "--in-process", "--seed", 8)
    assert {message["message_id"] for message in other["messages"]}.isdisjoint(
        message["message_id"] for message in report["messages"]
    )
    assert other["summary"]["messages"] == report["summary"]["messages"]


def test_three_sectors_exchange_at_least_fourteen_documents(report: Any) -> None:
    """The stories of the demo go through three sectors."""
    summary = report["summary"]
    assert summary["documents"] >= 14
    assert (summary["sectors"], summary["stories"], summary["stories_failed"]) == (3, 3, 0)


def test_every_message_is_accepted_receipted_and_valid(report: Any) -> None:
    """Nothing is missing of any message."""
    assert report["summary"]["failed"] == 0
    for message in report["messages"]:
        assert None not in (message["accepted_at"], message["receipted_at"]), message
        assert (message["xsd_valid"], message["rules_valid"]) == (True, True), message
        assert (message["sed_signature"], message["as4_signature"]) == ("valid", "valid"), message
        assert (message["receipt"], message["duplicate"]) == ("valid", False), message


@pytest.mark.parametrize(
    ("buc", "flow"),
    [
        ("LA_BUC_02", ["A003", "A012", "X001"]),
        ("P_BUC_01", ["P2000", "P4000", "P5000", "P6000", "P7000"]),
        ("UB_BUC_01", ["U001", "U002", "U003", "U004", "X001"]),
    ],
)
def test_story_of_each_sector_has_its_documents(report: Any, buc: str, flow: list[str]) -> None:
    """Each sector exchanges the documents of its process."""
    assert sorted({message["sed"] for message in report["messages"] if message["buc"] == buc}) == flow


def test_cases_are_closed_at_their_owners(report: Any) -> None:
    """Every story ends with a closed case."""
    assert {case["status"] for case in report["cases"]} == {"closed"}


def test_requests_are_answered(report: Any) -> None:
    """What asks for something has the document that answered it."""
    answers = {message["sed"]: message["answered_by"] for message in report["messages"]}
    assert (answers["A003"], answers["P4000"], answers["U001"], answers["U003"]) == (
        "A012",
        "P5000",
        "U002",
        "U004",
    )


def test_every_message_has_its_evidence(first: Path, report: Any) -> None:
    """Each message lies in the folder with envelope, SED and receipt."""
    for message in report["messages"]:
        files = {path.name for path in (first / "messages" / message["message_id"]).iterdir()}
        assert files == {"message.as4", "sbdh.xml", "sed.xml", "receipt.xml"}


def test_report_verifies(first: Path) -> None:
    """Every signature, receipt and sum of the report holds."""
    assert run("verify", first).exit_code == 0


def test_junit_has_no_failure(first: Path) -> None:
    """All test cases of junit.xml are passed."""
    root = xmlsafe.parse((first / "junit.xml").read_bytes())
    assert (root.get("tests"), root.get("failures")) == ("28", "0")


def test_every_message_is_shown_while_it_travels() -> None:
    """Each message has a line with its way and its states."""
    lines = run("demo", "--in-process", "--seed", 7, "--story", "lost-job").stdout.splitlines()
    shown = [line.split() for line in lines if "✓ receipted" in line]
    assert [line[1:5] for line in shown] == [
        ["U001", "DE:BA01", "→", "PL:WUP01"],
        ["U002", "PL:WUP01", "→", "DE:BA01"],
        ["U003", "DE:BA01", "→", "PL:WUP01"],
        ["U004", "PL:WUP01", "→", "DE:BA01"],
        ["X001", "DE:BA01", "→", "PL:WUP01"],
    ]


def test_unknown_story_is_wrong_usage() -> None:
    """A story that the network does not have is answered with the nearest name."""
    result = run("demo", "--in-process", "--story", "lost-jobs")
    assert (result.exit_code, "lost-job" in result.stderr) == (2, True)


@pytest.mark.parametrize(
    "options", [["--seed", "7"], ["--in-process", "--state", "somewhere"]], ids=lambda options: options[0]
)
def test_contradicting_options_are_wrong_usage(options: list[str]) -> None:
    """Real time has no seed, and what runs in this process keeps no state."""
    assert run("demo", *options).exit_code == 2


def test_report_that_cannot_be_written_is_refused_before_the_run(tmp_path: Path) -> None:
    """A file in place of the folder ends the demo with status 3 and nothing played."""
    (tmp_path / "file").write_text("")
    result = run("demo", "--in-process", "--report", tmp_path / "file")
    assert (result.exit_code, "accepted" in result.stdout) == (3, False)


def test_story_that_cannot_be_played_fails_the_demo(tmp_path: Path) -> None:
    """A refused step ends the demo with status 1, and the report says why."""
    network = network_with(tmp_path, "wrong-office")
    result = run("demo", "--in-process", "--network", network, "--report", tmp_path / "report")
    story = json.loads((tmp_path / "report" / "report.json").read_bytes())["stories"][0]
    assert result.exit_code == 1
    assert story["reason"].startswith("not-competent: Expected NO:NAVPE01 to be competent as CaseOwner")


def test_story_without_file_is_a_finding(tmp_path: Path) -> None:
    """A network that names a story nobody wrote is told where to write it."""
    network = network_with(tmp_path, "no-such-story")
    result = run("demo", "--in-process", "--network", network)
    assert (result.exit_code, "no-such-story.yaml" in result.stderr) == (1, True)


def test_story_whose_partner_keeps_silent_fails_the_demo(tmp_path: Path) -> None:
    """An answer that does not come in ten minutes of simulated time ends the story; its case is in the report."""
    network = network_with(tmp_path, "posted-worker")
    network.write_text(network.read_text().replace("NO:NAVPE01", "NO:NAVAT07, PL:ZUS01"))
    shipped = (resources.institutions() / "SE" / "FKSE01.yaml").read_text()
    (tmp_path / "SE").mkdir()
    (tmp_path / "SE" / "FKSE01.yaml").write_text(shipped.partition("behaviours:")[0])
    report = run_json("demo", "--in-process", "--network", network)
    story = report["stories"][0]
    assert story["reason"] == "story-stuck: Expected in 0:10:00: await A012 from SE:FKSE01, PL:ZUS01"
    assert [(case["case"], case["status"]) for case in report["cases"]] == [(story["case"], "open")]
