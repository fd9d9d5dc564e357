"""What a run found, as HTML with both messages of each row, as JUnit XML and as the test report of GITB (TRL). Pure."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from html import escape
from typing import Final

from lxml import etree

from eessi_sim import xmlsafe
from eessi_sim.cdm.report import Issue, Severity, ValidationReport
from eessi_sim.clock import iso
from eessi_sim.conformance.model import Exchange, Finding, Verdict
from eessi_sim.verification import formats
from eessi_sim.verification.examination import Examination
from eessi_sim.verification.recognition import Kind

_SHOWN: Final = 4000
"""Octets of a message on the page; the file beside it holds more."""
_STYLE: Final = """
body { font: 14px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 80rem; padding: 0 1rem }
table { border-collapse: collapse; width: 100% } td, th { text-align: left; vertical-align: top; padding: .3rem .6rem; border-bottom: 1px solid #ccc }
pre { white-space: pre-wrap; overflow-wrap: anywhere; background: #f5f5f5; padding: .5rem; max-height: 30rem; overflow: auto }
.passed { color: #05621f } .failed { color: #a40000; font-weight: bold } .not { color: #555 } .n { text-align: right }
"""
_COLUMNS: Final = ("Id", "Case", "Verdict", "Outcome", "ms", "Peak MB", "Remark and evidence")
_SEVERITIES: Final = {
    Verdict.PASSED: Severity.INFO,
    Verdict.FAILED: Severity.ERROR,
    Verdict.NOT_APPLICABLE: Severity.WARNING,
}


def summary(findings: Sequence[Finding]) -> Mapping[str, int]:
    """Return how many findings have which verdict."""
    numbers = Counter(each.verdict for each in findings)
    return {str(verdict): numbers[verdict] for verdict in Verdict}


def files(findings: Sequence[Finding], about: str, now: datetime) -> Mapping[str, bytes]:
    """Return all files of a report by their path.

    Args:
        findings: of the run, in order.
        about: who was judged, as a sentence.
        now: time of the report.
    """
    evidence = {
        f"evidence/{name}": octets
        for number, finding in enumerate(findings, 1)
        for name, octets in _evidence(number, finding)
    }
    return {
        "index.html": page(findings, about, now),
        "junit.xml": junit(findings, now),
        "trl.xml": trl(findings, now),
        **evidence,
    }


def _evidence(number: int, finding: Finding) -> list[tuple[str, bytes]]:
    return [
        (f"{_stem(number, finding)}-{at}-{side}.txt", octets)
        for at, exchange in enumerate(finding.exchanges, 1)
        for side, octets in (("sent", exchange.sent), ("received", exchange.received))
    ]


def _stem(number: int, finding: Finding) -> str:
    return f"{number:03}-{re.sub('[^A-Za-z0-9.-]', '_', finding.row.id)}"


def page(findings: Sequence[Finding], about: str, now: datetime) -> bytes:
    """Return the page: a table, and the messages behind each row."""
    numbers = ", ".join(f"{number} {verdict}" for verdict, number in summary(findings).items())
    head = "".join(f"<th>{name}</th>" for name in _COLUMNS)
    body = "\n".join(_line(number, each) for number, each in enumerate(findings, 1))
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Conformance: {escape(about)}</title>'
        f"<style>{_STYLE}</style><h1>Conformance</h1><p>{escape(about)}, {iso(now)}: {numbers}.</p>"
        f"<table><thead><tr>{head}</tr></thead><tbody>\n{body}\n</tbody></table></html>\n"
    ).encode()


def _line(number: int, each: Finding) -> str:
    memory = "" if each.megabytes is None else f"{each.megabytes:.0f}"
    milliseconds = f"{each.milliseconds:.0f}" if each.outcome else ""
    source = f"{each.row.title} ({each.row.clause}, {each.row.confidence})"
    cells = (
        f"<td>{escape(each.row.id)}</td><td title='{escape(source)}'>{escape(each.name)}</td>"
        f"<td class='{each.verdict}'>{each.verdict}</td><td>{escape(each.outcome)}</td>"
        f"<td class='n'>{milliseconds}</td><td class='n'>{memory}</td>"
    )
    shown = "".join(
        _exchange(f"evidence/{_stem(number, each)}-{at}", exchange)
        for at, exchange in enumerate(each.exchanges, 1)
    )
    details = f"<details><summary>messages</summary>{shown}</details>" if shown else ""
    return f"<tr>{cells}<td>{escape(each.remark)}{details}</td></tr>"


def _exchange(stem: str, exchange: Exchange) -> str:
    sides = (("sent", exchange.sent), ("received", exchange.received))
    return "".join(
        f"<p><a href='{stem}-{side}.txt'>{side}</a></p><pre>{escape(_printable(octets))}</pre>"
        for side, octets in sides
    )


def _printable(octets: bytes) -> str:
    text = octets[:_SHOWN].decode("utf-8", "replace")
    return "".join(
        sign if sign.isprintable() or sign in "\n\t" else "·" for sign in text.replace("\r\n", "\n")
    )


def junit(findings: Sequence[Finding], now: datetime) -> bytes:
    """Return JUnit XML: one test case per finding."""
    numbers = summary(findings)
    root = etree.Element("testsuites", name="eessi-sim conformance")
    suite = etree.SubElement(
        root,
        "testsuite",
        name="conformance",
        tests=str(len(findings)),
        failures=str(numbers[Verdict.FAILED]),
        errors="0",
        skipped=str(numbers[Verdict.NOT_APPLICABLE]),
        timestamp=iso(now)[:-1],
    )
    for each in findings:
        case = etree.SubElement(
            suite,
            "testcase",
            classname=f"{each.row.list}.{each.row.id}",
            name=each.name,
            time=f"{each.milliseconds / 1000:.3f}",
        )
        if each.verdict is Verdict.FAILED:
            failure = etree.SubElement(
                case, "failure", type=each.outcome or "failed", message=_line_of(each.remark)
            )
            failure.text = _line_of(each.remark)
        elif each.verdict is Verdict.NOT_APPLICABLE:
            etree.SubElement(case, "skipped", message=_line_of(each.remark))
        elif each.remark or each.outcome:
            etree.SubElement(case, "system-out").text = _line_of(f"{each.outcome} {each.remark}".strip())
    etree.indent(root, space="  ")
    return xmlsafe.serialize(root) + b"\n"


def _line_of(text: str) -> str:
    """Drop control characters that XML cannot carry (XML 1.0 section 2.2)."""
    return "".join(sign if sign.isprintable() else " " for sign in text)


def trl(findings: Sequence[Finding], now: datetime) -> bytes:
    """Return a GITB test step report: failures are errors, what is not applicable is a warning, the rest is told."""
    return formats.trl([_examination(each) for each in findings], now, "eessi-sim conformance")


def _examination(finding: Finding) -> Examination:
    sentence = finding.remark or finding.outcome
    issue = Issue(
        severity=_SEVERITIES[finding.verdict],
        code=finding.verdict.replace(" ", "-"),
        path="/",
        message=f"{finding.row.id} {finding.name}: {finding.verdict}" + (f", {sentence}" if sentence else ""),
        rule=finding.row.id,
        source=finding.row.clause,
        confidence=finding.row.confidence,
        expected=finding.case.expect if finding.case else None,
        found=finding.outcome or None,
    )
    return Examination(finding.row.id, Kind.MESSAGE, ValidationReport((issue,), None, None), (), b"")
