"""The demo as a newcomer runs it: separate processes, RSA-2048, real AS4 over mutual TLS."""

import json
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.helpers import as4_oracle
from tests.helpers.optional import require_program

from eessi_sim import resources, xmlsafe
from eessi_sim.as4 import msh
from eessi_sim.cdm.catalogue import Catalogue
from eessi_sim.cdm.sed import Sed

pytestmark = pytest.mark.process

WITHIN = 240
"""Seconds; generous, because tests may share the machine."""


@dataclass(frozen=True)
class Outcome:
    """What one run of the demo left behind."""

    status: int
    output: str
    report: Path
    state: Path

    @property
    def facts(self) -> Any:
        return json.loads((self.report / "report.json").read_bytes())

    @property
    def seds(self) -> list[Path]:
        return sorted(self.report.glob("messages/*/sed.xml"))


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """One run, shared by all tests of this file."""
    folder = tmp_path_factory.mktemp("demo")
    command = [sys.executable, "-m", "eessi_sim", "demo", "--report", str(folder / "report")]
    done = subprocess.run(
        [*command, "--state", str(folder / "state"), "--pace", "0.2"],
        capture_output=True,
        text=True,
        timeout=WITHIN,
    )
    return Outcome(done.returncode, done.stdout + done.stderr, folder / "report", folder / "state")


def test_demo_ends_well(demo: Outcome) -> None:
    """The demo ends with status 0."""
    assert demo.status == 0, demo.output


def test_demo_exchanges_enough(demo: Outcome) -> None:
    """At least 14 SEDs of 3 sectors between at least 5 institutions of 4 countries."""
    summary = demo.facts["summary"]
    assert summary["documents"] >= 14
    assert summary["sectors"] == 3
    assert summary["institutions"] >= 5
    assert summary["countries"] >= 4


def test_every_message_is_accepted_receipted_and_valid(demo: Outcome) -> None:
    """Nothing is missing of any message."""
    summary = demo.facts["summary"]
    assert summary["accepted"] == summary["receipted"] == summary["valid"] == summary["messages"]


def test_every_node_was_a_process_of_its_own(demo: Outcome) -> None:
    """No two nodes share a process: each log names another one."""
    logs = sorted((demo.state / "nodes").glob("*.log"))
    processes = {path.name: re.findall(r"\[([0-9]+)\] INFO .* is ready", path.read_text()) for path in logs}
    assert all(len(found) == 1 for found in processes.values()), processes
    assert len({found[0] for found in processes.values()}) == len(demo.facts["parties"])


def test_no_node_complained(demo: Outcome) -> None:
    """No log has a warning or an error."""
    texts = [path.read_text() for path in (demo.state / "nodes").glob("*.log")]
    assert not [text for text in texts if re.search(r"\b(WARNING|ERROR|Traceback)\b", text)]


def test_report_verifies(demo: Outcome) -> None:
    """Every signature, receipt and sum of the report holds."""
    done = subprocess.run(
        [sys.executable, "-m", "eessi_sim", "verify", str(demo.report)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.oracle
def test_xmlsec1_accepts_every_seal(demo: Outcome) -> None:
    """xmlsec1 verifies the seal of every SED with the certificate of the demo's authority."""
    program = require_program("xmlsec1")
    command = [program, "--verify", "--id-attr:Id", "SignedProperties", "--trusted-pem"]
    for path in demo.seds:
        done = subprocess.run(
            [*command, str(demo.report / "ca.pem"), str(path)], capture_output=True, text=True
        )
        assert done.returncode == 0, f"{path}: {done.stderr}"


@pytest.mark.oracle
def test_others_verify_every_message(demo: Outcome) -> None:
    """Tools that do not know us find all digests and the signature of every stored message right."""
    messages = sorted(demo.report.glob("messages/*/message.as4"))
    assert len(messages) == len(demo.facts["messages"])
    assert [path for path in messages if not as4_oracle.accepts_message(path.read_bytes())] == []


@pytest.mark.oracle
def test_others_refuse_a_message_with_a_changed_attachment(demo: Outcome) -> None:
    """The same tools refuse a stored message as soon as one octet of its SED part is another one."""
    data = next(demo.report.glob("messages/*/message.as4")).read_bytes()
    at = data.index(b"\x1f\x8b") + 20
    assert not as4_oracle.accepts_message(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])


@pytest.mark.oracle
def test_others_verify_every_receipt(demo: Outcome) -> None:
    """xmlsec verifies the signature of every stored receipt."""
    receipts = sorted(demo.report.glob("messages/*/receipt.xml"))
    assert len(receipts) == len(demo.facts["messages"])
    assert [path for path in receipts if not as4_oracle.accepts_envelope(path.read_bytes())] == []


@pytest.mark.oracle
def test_xmllint_accepts_every_document(demo: Outcome) -> None:
    """xmllint finds every SED valid against the schema of its type."""
    program = require_program("xmllint")
    for path in demo.seds:
        sed = Sed.read(path.read_bytes())
        schema = Catalogue.default().get(sed.type, sed.version).xsd
        done = subprocess.run(
            [program, "--noout", "--schema", str(schema), str(path)], capture_output=True, text=True
        )
        assert done.returncode == 0, f"{path}: {done.stderr}"


@pytest.mark.oracle
def test_xmllint_accepts_every_envelope(demo: Outcome) -> None:
    """xmllint finds every envelope valid against the schema of the header."""
    program = require_program("xmllint")
    schema = resources.schemas() / "envelope" / "sbdh-1.1.xsd"
    for path in sorted(demo.report.glob("messages/*/sbdh.xml")):
        done = subprocess.run(
            [program, "--noout", "--schema", str(schema), str(path)], capture_output=True, text=True
        )
        assert done.returncode == 0, f"{path}: {done.stderr}"


def test_messages_say_what_the_report_says(demo: Outcome) -> None:
    """Sender, receiver and id of every message are those of its bytes."""
    for row in demo.facts["messages"]:
        data = (demo.report / "messages" / row["message_id"] / "message.as4").read_bytes()
        unit = msh.unpack_file(data).unit
        assert (unit.info.message_id, unit.sender.id, unit.receiver.id) == (  # type: ignore[union-attr] # a user message
            row["message_id"],
            row["from"],
            row["to"],
        )


def test_receipts_name_their_messages(demo: Outcome) -> None:
    """Every receipt.xml is a receipt of the message beside it."""
    for row in demo.facts["messages"]:
        root = xmlsafe.parse((demo.report / "messages" / row["message_id"] / "receipt.xml").read_bytes())
        refs = [str(element.text) for element in root.iter("{*}RefToMessageId")]
        assert refs == [row["message_id"]]


def test_live_display_has_a_line_per_message(demo: Outcome) -> None:
    """Every message was shown with its three states."""
    assert demo.output.count("✓ receipted") == demo.facts["summary"]["messages"]


def test_trace_finds_a_message_after_the_run(demo: Outcome) -> None:
    """The way of a message can be read from the stores although no node runs any more."""
    message = demo.facts["messages"][0]
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "eessi_sim",
            "trace",
            message["message_id"],
            "--state",
            str(demo.state),
            "--json",
        ],
        capture_output=True,
        text=True,
    )
    nodes = {step["node"] for step in json.loads(done.stdout)}
    assert nodes == {message["from"], message["to"], "EU:APSIM01"}


def test_used_folder_is_not_used_again(demo: Outcome) -> None:
    """A second demo does not touch the folder of the first: status 3 and one sentence."""
    done = subprocess.run(
        [sys.executable, "-m", "eessi_sim", "demo", "--state", str(demo.state)],
        capture_output=True,
        text=True,
    )
    assert (done.returncode, len(done.stderr.strip().splitlines())) == (3, 2), done.stderr
