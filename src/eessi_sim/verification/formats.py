"""Examinations in the report formats of other tools: JUnit XML, SVRL, and the test report of GITB.

Each writer is pure: examinations in, octets out. The text and JSON forms are made by the faces that show them.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Final

from lxml import etree

from eessi_sim import xmlsafe
from eessi_sim.cdm.report import Issue, Severity
from eessi_sim.clock import iso
from eessi_sim.verification.examination import Examination
from eessi_sim.xmlsafe import Element

SVRL: Final = "http://purl.oclc.org/dsdl/svrl"
"""Schematron Validation Report Language (ISO/IEC 19757-3, annex D)."""
GITB: Final = "http://www.gitb.com/tr/v1/"
"""Test report of the Global eHealth and Business Interoperability Test Bed, which the Commission's test bed reads."""
_XSI: Final = "http://www.w3.org/2001/XMLSchema-instance"

Writer = Callable[[Sequence[Examination], datetime], bytes]


def junit(examinations: Sequence[Examination], now: datetime) -> bytes:
    """Return JUnit XML: one test case per document, one failure that lists its errors.

    Args:
        examinations: what was found about each document.
        now: time of the report.
    """
    failed = sum(not each.is_valid for each in examinations)
    root = etree.Element("testsuites", name="eessi-sim validate")
    suite = etree.SubElement(
        root,
        "testsuite",
        name="documents",
        tests=str(len(examinations)),
        failures=str(failed),
        errors="0",
        skipped="0",
        timestamp=iso(now)[:-1],
    )
    for each in examinations:
        case = etree.SubElement(
            suite, "testcase", classname=str(each.sed or each.kind), name=_text(each.name)
        )
        errors = _of(each, Severity.ERROR)
        if errors:
            failure = etree.SubElement(case, "failure", type=errors[0].code, message=_text(errors[0].message))
            failure.text = _text("\n".join(_line(issue) for issue in errors))
        others = [issue for issue in each.report.issues if issue.severity is not Severity.ERROR]
        if others:
            etree.SubElement(case, "system-out").text = _text("\n".join(_line(issue) for issue in others))
    return _bytes(root)


def svrl(examinations: Sequence[Examination], now: datetime) -> bytes:  # noqa: ARG001 - SVRL states no time
    """Return one SVRL report: one active pattern per document, one failed assertion per finding.

    Args:
        examinations: what was found about each document.
        now: not used; SVRL states no time.
    """
    root = etree.Element(f"{{{SVRL}}}schematron-output", nsmap={"svrl": SVRL}, title="eessi-sim validate")
    for each in examinations:
        etree.SubElement(
            root, f"{{{SVRL}}}active-pattern", name=str(each.sed or each.kind), document=_text(each.name)
        )
        etree.SubElement(root, f"{{{SVRL}}}fired-rule", context="/")
        for issue in each.report.issues:
            _failed_assert(root, issue)
    return _bytes(root)


def _failed_assert(root: Element, issue: Issue) -> None:
    failed = etree.SubElement(
        root,
        f"{{{SVRL}}}failed-assert",
        id=_text(issue.rule or issue.code),
        flag=issue.severity,
        test=issue.code,
        location=_text(issue.path),
    )
    etree.SubElement(failed, f"{{{SVRL}}}text").text = _text(_sentence(issue))


def trl(examinations: Sequence[Examination], now: datetime, name: str = "eessi-sim validate") -> bytes:
    """Return a GITB test step report (type TAR) over all documents.

    Args:
        examinations: what was found about each document.
        now: time of the report.
        name: what was done.
    """
    found = [(each, issue) for each in examinations for issue in each.report.issues]
    numbers = {level: sum(issue.severity is level for _, issue in found) for level in Severity}
    root = etree.Element(f"{{{GITB}}}TestStepReport", nsmap={"tr": GITB, "xsi": _XSI}, name=name)
    root.set(f"{{{_XSI}}}type", "tr:TAR")
    _child(root, "date", iso(now))
    _child(root, "result", _result(numbers))
    counters = etree.SubElement(root, f"{{{GITB}}}counters")
    # The test bed counts remarks here, neither errors nor warnings (observed in its validators).
    _child(counters, "nrOfAssertions", str(numbers[Severity.INFO]))
    _child(counters, "nrOfErrors", str(numbers[Severity.ERROR]))
    _child(counters, "nrOfWarnings", str(numbers[Severity.WARNING]))
    if found:
        reports = etree.SubElement(root, f"{{{GITB}}}reports")
        for each, issue in found:
            _assertion(reports, each, issue)
    return _bytes(root)


def _result(numbers: Mapping[Severity, int]) -> str:
    if numbers[Severity.ERROR]:
        return "FAILURE"
    return "WARNING" if numbers[Severity.WARNING] else "SUCCESS"


def _assertion(reports: Element, examination: Examination, issue: Issue) -> None:
    report = etree.SubElement(reports, f"{{{GITB}}}{issue.severity}")
    report.set(f"{{{_XSI}}}type", "tr:BAR")
    _child(report, "assertionID", issue.rule or issue.code)
    _child(report, "description", _sentence(issue))
    _child(report, "location", f"{examination.name}:{issue.line or 0}:{issue.column or 0} {issue.path}")
    _child(report, "type", issue.code)
    if issue.found:
        _child(report, "value", issue.found)


def _child(parent: Element, name: str, text: str) -> None:
    etree.SubElement(parent, f"{{{GITB}}}{name}").text = _text(text)


def _of(examination: Examination, severity: Severity) -> list[Issue]:
    return [issue for issue in examination.report.issues if issue.severity is severity]


def _sentence(issue: Issue) -> str:
    return f"{issue.message}. {issue.hint}" if issue.hint else f"{issue.message}."


def _line(issue: Issue) -> str:
    place = f"line {issue.line}, {issue.path}" if issue.line else issue.path
    return f"{issue.severity} {issue.rule or issue.code}: {_sentence(issue)} ({place})"


def _text(text: str) -> str:
    """Drop control characters that XML cannot carry (XML 1.0 section 2.2)."""
    return "".join(sign if sign.isprintable() or sign == "\n" else " " for sign in text)


def _bytes(root: Element) -> bytes:
    etree.indent(root, space="  ")
    return xmlsafe.serialize(root) + b"\n"


WRITERS: Final[Mapping[str, Writer]] = {"junit": junit, "svrl": svrl, "trl": trl}
"""All formats by the name that the command line knows."""
