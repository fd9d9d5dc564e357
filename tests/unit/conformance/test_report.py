"""Reports of a run: the page with both messages, JUnit and TRL."""

from dataclasses import replace

import pytest
from lxml import etree
from tests.helpers.keys import NOW

from eessi_sim.conformance import report
from eessi_sim.conformance.model import Case, Exchange, Finding, Row, Verdict
from eessi_sim.verification.formats import GITB

ROW = Row(id="GZ-1", list="attacks", title="gzip <bomb>", clause="own list", confidence="inferred", note="x")
GOOD = Finding(
    row=ROW,
    case=Case(row="GZ-1", name="bomb", expect="EBMS:0303"),
    verdict=Verdict.PASSED,
    outcome="EBMS:0303",
    milliseconds=12.3,
    megabytes=71.2,
    exchanges=(Exchange.of(b"POST / HTTP/1.1\r\n<a>\0" + bytes(100_000), b"HTTP/1.1 200 OK"),),
)
FINDINGS = (
    GOOD,
    replace(GOOD, verdict=Verdict.FAILED, remark="Expected EBMS:0303,\0 found Receipt"),
    Finding(row=ROW, case=None, verdict=Verdict.NOT_APPLICABLE, remark="needs insight"),
)


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    """The files of the report."""
    return dict(report.files(FINDINGS, "our own nodes", NOW))


def test_page_shows_both_messages_as_text(files: dict[str, bytes]) -> None:
    """The page escapes what was sent and received, and links to the files beside it."""
    page = files["index.html"].decode()
    assert "1 passed, 1 failed, 1 not applicable" in page
    assert "&lt;a&gt;·" in page
    assert "evidence/001-GZ-1-1-received.txt" in page
    assert files["evidence/001-GZ-1-1-received.txt"] == b"HTTP/1.1 200 OK"


def test_long_message_is_cut(files: dict[str, bytes]) -> None:
    """Of a message over 64 kB the beginning is kept, and how much more there was."""
    assert files["evidence/001-GZ-1-1-sent.txt"].endswith(b"more octets")


def test_junit_has_one_case_per_finding(files: dict[str, bytes]) -> None:
    """A failed row is a failure, one that is not applicable is skipped."""
    suite = etree.fromstring(files["junit.xml"])[0]
    assert [suite.get(name) for name in ("tests", "failures", "skipped")] == ["3", "1", "1"]
    assert [case[0].tag for case in suite] == ["system-out", "failure", "skipped"]


def test_trl_counts_failures_as_errors(files: dict[str, bytes]) -> None:
    """The test report fails when one row failed; its kinds are information, error and warning."""
    root = etree.fromstring(files["trl.xml"])
    assert root.findtext(f"{{{GITB}}}result") == "FAILURE"
    kinds = [etree.QName(each).localname for each in root.iterfind(f"{{{GITB}}}reports/*")]
    assert kinds == ["info", "error", "warning"]
