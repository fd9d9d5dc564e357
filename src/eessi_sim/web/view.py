"""What the validator's page shows of an examination: verdict, findings, and the document with them in place."""

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from eessi_sim.cdm.report import Issue, Severity
from eessi_sim.verification.examination import Examination
from eessi_sim.verification.outcome import Check
from eessi_sim.verification.recognition import Kind

MAX_FINDINGS: Final = 200
"""Findings on one page; people mend the first ones and come back."""
MAX_LINES: Final = 1000
"""Lines of a document on one page; a longer one shows its head and what stands round its findings."""
_HEAD: Final = 200
_AROUND: Final = 3
MAX_WIDTH: Final = 2000
"""Characters of one line that are shown."""
_UTF16: Final = (b"\xff\xfe", b"\xfe\xff")
_STEERING: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Control characters but tab and line end, and those that turn the direction of writing."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A finding with its number on the page."""

    number: int
    issue: Issue
    is_placed: bool
    """Whether its line is shown below."""


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the document, with the lines and characters that were left out."""

    number: int
    text: str
    findings: tuple[Finding, ...]
    skipped: int
    """Lines left out in front of this one."""
    cut: int
    """Characters left out at its end."""


@dataclass(frozen=True, slots=True)
class View:
    """Everything the page shows."""

    name: str
    what: str
    """Kind, type and version, as far as known."""
    is_valid: bool
    verdict: str
    findings: tuple[Finding, ...]
    more: int
    """Findings left out."""
    signatures: tuple[Check, ...]
    rows: tuple[Row, ...]
    total: int
    """Lines of the document."""
    missing: int
    """Lines left out, all in all."""
    skipped_end: int
    """Lines left out after the last one shown."""


def view_of(examination: Examination) -> View:
    """Return what the page shows."""
    report = examination.report
    lines = _lines(examination.text)
    shown = report.issues[:MAX_FINDINGS]
    kept = _kept(len(lines), shown)
    places = set(kept)
    findings = tuple(
        Finding(number, issue, issue.line in places) for number, issue in enumerate(shown, start=1)
    )
    return View(
        name=printable(examination.name),
        what=_what(examination),
        is_valid=examination.is_valid,
        verdict=_verdict(examination),
        findings=findings,
        more=len(report.issues) - len(shown) + report.capped,
        signatures=examination.signatures,
        rows=tuple(_rows(lines, kept, findings)),
        total=len(lines),
        missing=len(lines) - len(kept),
        skipped_end=len(lines) - (kept[-1] if kept else 0),
    )


def _what(examination: Examination) -> str:
    document = f"{examination.sed} of CDM {examination.version}" if examination.sed else ""
    if document and examination.kind is Kind.SED:
        return document
    return " with ".join(filter(None, [str(examination.kind), document]))


def _verdict(examination: Examination) -> str:
    counts = {
        severity: sum(issue.severity is severity for issue in examination.report.issues)
        for severity in Severity
    }
    told = [f"{number} {severity}{'s'[: number > 1]}" for severity, number in counts.items() if number]
    return ("Valid" if examination.is_valid else "Not valid") + (f": {', '.join(told)}" if told else "")


def _lines(data: bytes) -> list[str]:
    """Return the lines as parsers of XML count them."""
    text = data.decode("utf-16" if data.startswith(_UTF16) else "utf-8-sig", errors="replace")
    lines = text.replace("\r\n", "\n").split("\n")
    return lines[:-1] if lines[-1] == "" else lines


def _kept(total: int, issues: tuple[Issue, ...]) -> list[int]:
    if total <= MAX_LINES:
        return list(range(1, total + 1))
    kept = set(range(1, _HEAD + 1))
    for issue in issues:
        around = range((issue.line or 1) - _AROUND, (issue.line or 1) + _AROUND + 1)
        kept.update(line for line in around if 1 <= line <= total)
        if len(kept) > MAX_LINES:
            break
    return sorted(kept)


def _rows(lines: list[str], kept: list[int], findings: tuple[Finding, ...]) -> Iterator[Row]:
    at: dict[int | None, list[Finding]] = defaultdict(list)
    for finding in findings:
        at[finding.issue.line].append(finding)
    before = 0
    for number in kept:
        text = lines[number - 1]
        yield Row(
            number=number,
            text=printable(text[:MAX_WIDTH]),
            findings=tuple(at[number]),
            skipped=number - before - 1,
            cut=max(0, len(text) - MAX_WIDTH),
        )
        before = number


def printable(text: str) -> str:
    """Return a text with marks for the characters that would hide or turn what stands round them."""
    return _STEERING.sub("·", text)
