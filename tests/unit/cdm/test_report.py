"""Findings and reports."""

from eessi_sim import xmlsafe
from eessi_sim.cdm.report import BUSINESS_RULE, Issue, Severity, ValidationReport, line_of
from eessi_sim.errors import XmlError
from eessi_sim.identifiers import CdmVersion, SedType


def issue(severity: Severity = Severity.ERROR, code: str = "element-missing") -> Issue:
    return Issue(severity=severity, code=code, path="/A003", message="Expected something, found nothing")


def report(*issues: Issue) -> ValidationReport:
    return ValidationReport(issues, SedType("A003"), CdmVersion("4.4"))


def test_issue_shows_only_what_is_known() -> None:
    """The JSON shape of a finding leaves unknown parts out."""
    assert issue().as_dict() == {
        "severity": "error",
        "code": "element-missing",
        "path": "/A003",
        "message": "Expected something, found nothing",
    }


def test_error_with_a_place_becomes_an_issue_at_that_place() -> None:
    """Line, column, path and hint of an error are those of its finding."""
    found = Issue.of_error(XmlError("Expected XML", hint="Look.", line=3, column=7, path="/A003/x"))
    assert (found.code, found.line, found.column, found.path, found.hint) == ("xml", 3, 7, "/A003/x", "Look.")


def test_error_without_a_place_becomes_an_issue_at_the_root() -> None:
    """An error that knows no place is a finding about the whole document."""
    found = Issue.of_error(XmlError("Expected XML", line="unknown"))
    assert (found.path, found.line, found.column) == ("/", None, None)


def test_report_without_issues_is_valid() -> None:
    """Nothing found means valid in every respect."""
    assert report().is_valid
    assert report().xsd_valid
    assert report().rules_valid


def test_schema_error_leaves_the_rules_valid() -> None:
    """A finding of the schema makes the document invalid, but breaks no rule."""
    found = report(issue())
    assert (found.is_valid, found.xsd_valid, found.rules_valid) == (False, False, True)


def test_rule_error_leaves_the_schema_valid() -> None:
    """A finding of a rule makes the document invalid, but not by its schema."""
    found = report(issue(code=BUSINESS_RULE))
    assert (found.is_valid, found.xsd_valid, found.rules_valid) == (False, True, False)


def test_warning_forbids_nothing() -> None:
    """Warnings and remarks leave a document valid."""
    assert report(issue(Severity.WARNING), issue(Severity.INFO, BUSINESS_RULE)).is_valid


def test_report_has_one_json_shape() -> None:
    """The JSON shape holds the verdicts, the type, the findings and how many were left out."""
    assert report(issue()).as_dict() == {
        "valid": False,
        "xsd_valid": False,
        "rules_valid": True,
        "sed": "A003",
        "version": "4.4",
        "issues": [issue().as_dict()],
        "capped": 0,
    }


def test_line_of_a_parsed_element_is_where_its_tag_stands() -> None:
    """Elements that were parsed know their line."""
    assert line_of(xmlsafe.parse(b"<a>\n<b/></a>")[0]) == 2


def test_line_of_a_made_element_is_unknown() -> None:
    """Elements that were made by the program have no line."""
    made = xmlsafe.parse(b"<a/>").makeelement("b")
    assert line_of(made) is None
