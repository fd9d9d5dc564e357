"""The federated demo: nine countries with an access point each; one of them is cut off for a day and catches up."""

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.helpers.commands import run, run_json

A_DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The report of a run on simulated time."""
    folder = tmp_path_factory.mktemp("federated")
    assert (
        run("demo", "--network", "federated", "--in-process", "--seed", 7, "--report", folder).exit_code == 0
    )
    assert "served by FI:APFI01" in (folder / "report.html").read_text()
    return json.loads((folder / "report.json").read_bytes())


def waited(message: Any) -> timedelta:
    return datetime.fromisoformat(message["receipted_at"]) - datetime.fromisoformat(message["sent_at"])


def test_all_stories_come_to_their_end(report: Any) -> None:
    """The three stories of the demo and the one of the country that is cut off, between nine countries."""
    summary = report["summary"]
    assert (summary["stories"], summary["stories_failed"], summary["failed"]) == (4, 0, 0)
    assert summary["countries"] == 9


def test_every_message_passes_the_access_points_of_both_sides(report: Any) -> None:
    """Sender and receiver are served by different access points; the message passes both."""
    served_by = {party["id"]: party["served_by"] for party in report["parties"]}
    for message in report["messages"]:
        assert message["access_points"] == [served_by[message["from"]], served_by[message["to"]]]


def test_country_catches_up_after_a_day(report: Any) -> None:
    """What was sent to Estonia in that time is accepted at once, receipted a day later, in order, and answered."""
    late = [
        message for message in report["messages"] if message["to"] == "EE:SKA01" and waited(message) > A_DAY
    ]
    assert [(message["from"], message["sed"]) for message in late[:2]] == [
        ("FI:ETK01", "P2000"),
        ("FI:ETK01", "P4000"),
    ]
    assert len(late) == 4
    for message in late:
        assert waited(message) < A_DAY + timedelta(minutes=11)
        assert (message["xsd_valid"], message["as4_signature"], message["reason"]) == (True, "valid", None)
    claim = next(message for message in late if message["sed"] == "P4000")
    assert claim["answered_by"] == "P5000"


def test_report_tells_of_the_cut(report: Any) -> None:
    """When the line was cut, what waited meanwhile, and when it came back."""
    (story,) = (each for each in report["stories"] if each["id"] == "cut-off")
    assert [event["text"] for event in story["events"]] == [
        "EE is cut off from all others",
        "24 h have passed; 4 messages wait: 2 at FI:APFI01, 2 at DK:APDK01",
        "EE is back",
        "11 min have passed; no message waits any more",
    ]


def test_institutions_are_listed_with_their_access_points() -> None:
    """The lists name the access point of a network; one that is not in the network is refused."""
    listed = run_json("institutions", "list", "--network", "federated")
    assert {each["id"]: each["access_point"] for each in listed}["EE:SKA01"] == "EE:APEE01"
    assert "EE:APEE01" in run("institutions", "list", "--network", "federated").stdout
    assert (
        run_json("institutions", "show", "EE:SKA01", "--network", "federated")["access_point"] == "EE:APEE01"
    )
    assert "EE:APEE01" in run("institutions", "show", "EE:SKA01", "--network", "federated").stdout
    assert run("institutions", "show", "NO:NAVPE01", "--network", "federated").exit_code == 2


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("federatde", 'Did you mean "federated"?'),
        ("zzz", "Networks of the program: demo"),
        ("no/such", "does not exist"),
    ],
    ids=["near", "far", "path"],
)
def test_unknown_network_is_wrong_usage(name: str, sentence: str, tmp_path: Path) -> None:
    """A name that no network has is answered with the nearest one, or with all."""
    result = run("demo", "--in-process", "--network", name)
    assert (result.exit_code, sentence in " ".join(result.stderr.split())) == (2, True)
