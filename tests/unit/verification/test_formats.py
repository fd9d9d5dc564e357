"""Reports for other tools say what the examination says, in their own words."""

from datetime import UTC, datetime

import pytest
from lxml import etree

from eessi_sim.cdm.report import Issue, Severity, ValidationReport
from eessi_sim.identifiers import CdmVersion, SedType
from eessi_sim.verification import formats
from eessi_sim.verification.examination import Examination
from eessi_sim.verification.recognition import Kind
from eessi_sim.xmlsafe import Element

NOW = datetime(2026, 3, 2, 8, 15, tzinfo=UTC)
GITB = f"{{{formats.GITB}}}"
SVRL = f"{{{formats.SVRL}}}"


def issue(severity: Severity = Severity.ERROR, **changes: object) -> Issue:
    known: dict[str, object] = {
        "severity": severity, "code": "date-invalid", "path": "/A003/Person/dateBirth",
        "message": 'Expected a date, found "x\x1by"', "line": 7, "column": 3, "rule": "XSD:A003/dateBirth",
        "hint": "Write the year first.", "found": "x\x1by",
    }  # fmt: skip
    return Issue(**(known | changes))  # type: ignore[arg-type] # tests name real fields


def examination(*issues: Issue, name: str = "a003.xml") -> Examination:
    return Examination(name, Kind.SED, ValidationReport(issues, SedType("A003"), CdmVersion("4.4")), (), b"")


def written(form: str, *examinations: Examination) -> Element:
    return etree.fromstring(formats.WRITERS[form](examinations, NOW))


def test_junit_has_a_case_per_document_and_a_failure_per_invalid_one() -> None:
    """Build servers count documents, and those that are not valid."""
    root = written(
        "junit", examination(issue(), issue(rule=None, line=None, hint=None)), examination(name="b.xml")
    )
    (suite,) = root
    assert (suite.get("tests"), suite.get("failures"), suite.get("timestamp")) == (
        "2",
        "1",
        "2026-03-02T08:15:00.000",
    )
    assert [len(case) for case in suite] == [1, 0]
    failure = suite[0][0]
    assert failure.get("type") == "date-invalid"
    assert (failure.text or "").splitlines() == [
        'error XSD:A003/dateBirth: Expected a date, found "x y". Write the year first. (line 7, /A003/Person/dateBirth)',
        'error date-invalid: Expected a date, found "x y". (/A003/Person/dateBirth)',
    ]


def test_junit_shows_warnings_without_failing() -> None:
    """A document with warnings passes; they stand in its output."""
    (case,) = written("junit", examination(issue(Severity.WARNING)))[0]
    assert [child.tag for child in case] == ["system-out"]


def test_svrl_has_a_failed_assertion_per_finding() -> None:
    """Rule, severity, place and sentence are where Schematron tools look for them."""
    root = written("svrl", examination(issue(), issue(Severity.WARNING, rule=None)))
    failed = root.findall(f"{SVRL}failed-assert")
    assert [(each.get("id"), each.get("flag"), each.get("location")) for each in failed] == [
        ("XSD:A003/dateBirth", "error", "/A003/Person/dateBirth"),
        ("date-invalid", "warning", "/A003/Person/dateBirth"),
    ]
    assert failed[0].findtext(f"{SVRL}text") == 'Expected a date, found "x y". Write the year first.'


@pytest.mark.parametrize(
    ("issues", "result"),
    [
        ((), "SUCCESS"),
        ((issue(Severity.INFO),), "SUCCESS"),
        ((issue(Severity.WARNING),), "WARNING"),
        ((issue(Severity.WARNING), issue()), "FAILURE"),
    ],
)
def test_trl_result_is_that_of_the_gravest_finding(issues: tuple[Issue, ...], result: str) -> None:
    """One error fails, one warning warns."""
    root = written("trl", examination(*issues))
    assert root.findtext(f"{GITB}result") == result
    counted = ("nrOfErrors", "nrOfWarnings", "nrOfAssertions")
    levels = (Severity.ERROR, Severity.WARNING, Severity.INFO)
    assert [root.findtext(f"{GITB}counters/{GITB}{name}") for name in counted] == [
        str(sum(each.severity is level for each in issues)) for level in levels
    ]


def test_trl_names_the_place_of_every_finding() -> None:
    """Level, rule, place in the file and value of a finding are in the report."""
    root = written("trl", examination(issue(), issue(Severity.WARNING, found=None, line=None, column=None)))
    reports = root.find(f"{GITB}reports")
    assert reports is not None
    assert [each.tag for each in reports] == [f"{GITB}error", f"{GITB}warning"]
    assert reports[0].findtext(f"{GITB}location") == "a003.xml:7:3 /A003/Person/dateBirth"
    assert reports[0].findtext(f"{GITB}value") == "x y"
    assert reports[1].findtext(f"{GITB}location") == "a003.xml:0:0 /A003/Person/dateBirth"


def test_trl_without_findings_has_no_reports() -> None:
    """The schema of the report demands at least one entry in a list of reports."""
    assert written("trl", examination()).find(f"{GITB}reports") is None
