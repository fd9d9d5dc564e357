"""The validator reports everything that is wrong with a document, and raises nothing."""

import copy
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.helpers.definitions import catalogue, definition, document, odd, sample

from eessi_sim import xmlsafe
from eessi_sim.cdm.codec import Codec
from eessi_sim.cdm.report import Issue, ValidationReport
from eessi_sim.cdm.schema import CompiledSchema
from eessi_sim.cdm.sed import Sed
from eessi_sim.cdm.validation import Validator
from eessi_sim.xmlsafe import Element, XmlLimits

VALIDATOR = Validator(catalogue())


def report(old: str = "", new: str = "") -> ValidationReport:
    """The report about the sample after a change."""
    return VALIDATOR.validate(Sed.of(document(old, new)))


def only_issue(data: bytes, validator: Validator = VALIDATOR) -> Issue:
    """The one finding about bytes that are no SED."""
    sed, found = validator.validate_bytes(data)
    assert sed is None
    [issue] = found.issues
    return issue


def test_sample_is_valid() -> None:
    """Nothing is found in a valid document."""
    found = report()
    assert found == ValidationReport((), definition("A901").type, definition("A901").version)


def test_schema_and_rules_are_reported_together() -> None:
    """Rules run although the schema has found something, and their findings come last."""
    changed = sample().replace(b"2026-12-31", b"2019-01-01").replace(b"Ada", b"A" * 11)
    codes = [issue.code for issue in VALIDATOR.validate_bytes(changed)[1].issues]
    assert codes == ["value-too-long", "business-rule"]


def test_rules_find_what_the_schema_allows() -> None:
    """A document may fit the schema and break a rule."""
    found = report("2026-12-31", "2019-01-01")
    assert (found.xsd_valid, found.rules_valid) == (True, False)


def test_disabled_rules_do_not_run() -> None:
    """Rules can be switched off by id."""
    lenient = Validator(catalogue(), frozenset({"A901-R01"}))
    assert lenient.validate(Sed.of(document("2026-12-31", "2019-01-01"))).is_valid


def test_sed_without_rules_is_judged_by_its_schema() -> None:
    """A definition may have no rules."""
    assert VALIDATOR.validate(Sed.of(odd("<town>Oslo</town>"))).is_valid


def test_findings_beyond_the_limit_are_counted() -> None:
    """The report says how many findings it leaves out."""
    found = report("<value>NO</value>", "<value>XX</value>" * 150)
    assert (len(found.issues), found.capped) == (100, 50)


def test_version_that_contradicts_the_namespace_is_one_finding() -> None:
    """The contradiction is told once, in its own words, not also as a wrong attribute."""
    [issue] = report('sedVer="4"', 'sedVer="2"').issues
    assert (issue.code, issue.path, issue.line) == ("sed-version-mismatch", "/A901/@sedVer", 2)
    assert (issue.expected, issue.found) == ("4", "2")


def test_both_version_attributes_are_checked() -> None:
    """Major and minor version are told apart."""
    paths = [issue.path for issue in report('sedGVer="4" sedVer="4"', 'sedGVer="3" sedVer="1"').issues]
    assert paths == ["/A901/@sedGVer", "/A901/@sedVer"]


def test_contradiction_is_found_where_the_schema_fixes_nothing() -> None:
    """A foreign schema may leave the version open."""
    [issue] = VALIDATOR.validate(Sed.of(odd(attributes='sedGVer="4" sedVer="3"'))).issues
    assert issue.code == "sed-version-mismatch"


def test_missing_version_attribute_is_left_to_the_schema() -> None:
    """What is missing contradicts nothing."""
    [issue] = report(' sedVer="4"', "").issues
    assert issue.code == "attribute-missing"


def test_unknown_type_is_a_finding_that_names_the_nearest() -> None:
    """A SED that nobody defines is reported with its place, type and version."""
    root = xmlsafe.parse(b'<s:A902 xmlns:s="http://ec.europa.eu/eessi/ns/4_4/A902"/>')
    found = VALIDATOR.validate(Sed.of(root))
    [issue] = found.issues
    assert (issue.code, issue.path, issue.line, issue.hint) == (
        "sed-unknown",
        "/A902",
        1,
        "Did you mean A901?",
    )
    assert (found.sed, found.version) == ("A902", "4.4")


MOVES = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 40), st.integers(0, 40)), min_size=1, max_size=4)


def damage(kind: int, element: Element, other: Element) -> None:
    """Do one of seven kinds of damage to ``element``."""
    if kind == 0:
        element.clear()
    elif kind == 1:
        element.addnext(copy.deepcopy(other))
    elif kind == 2:
        element.append(copy.deepcopy(other))
    elif kind == 3:
        element.set("{http://www.w3.org/2001/XMLSchema-instance}type", "xs:string")
    elif kind == 4:
        element.tag = other.tag
    elif kind == 5:
        element.text = "1" * len(other.tag) * 3
    else:
        element.tail = "loose"


def damaged(moves: list[tuple[int, int, int]]) -> Element:
    """The sample after some random damage."""
    root = document()
    for kind, one, other in moves:
        elements = list(root.iterdescendants())
        damage(kind, elements[one % len(elements)], elements[other % len(elements)])
    return root


@given(MOVES)
def test_any_damage_is_explained(moves: list[tuple[int, int, int]]) -> None:
    """Whatever is wrong, the report agrees with the verdict of libxml2 and says something about it."""
    root = damaged(moves)
    found = VALIDATOR.validate(Sed.of(root))
    assert found.xsd_valid == CompiledSchema.of(definition("A901")).verdict(root)
    assert all(issue.message and issue.path.startswith("/") for issue in found.issues)


def test_xml_bytes_are_read_and_validated() -> None:
    """The SED comes back with its report."""
    sed, found = VALIDATOR.validate_bytes(sample())
    assert sed is not None
    assert (sed.type, found.is_valid) == ("A901", True)


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf", b"\n  "])
def test_json_bytes_are_told_apart_by_their_first_character(mark: bytes) -> None:
    """A brace means JSON, with or without byte order mark and white space."""
    data = json.dumps(Codec.of(definition("A901")).to_json(document())).encode()
    sed, found = VALIDATOR.validate_bytes(mark + data)
    assert sed is not None
    assert found.is_valid


def test_xml_with_byte_order_mark_is_read() -> None:
    """Editors of some systems write one."""
    sed, _ = VALIDATOR.validate_bytes(b"\xef\xbb\xbf" + sample())
    assert sed is not None


def test_json_that_breaks_the_schema_has_findings() -> None:
    """JSON is judged by the same schema and the same rules."""
    content = Codec.of(definition("A901")).to_json(document("Ada", "A" * 11))
    _, found = VALIDATOR.validate_bytes(json.dumps(content).encode())
    [issue] = found.issues
    assert (issue.code, issue.path, issue.line) == ("value-too-long", "/A901/Person/name", None)


def test_unknown_key_of_json_is_a_finding_with_its_place() -> None:
    """The place of a fault in JSON is a JSON path."""
    issue = only_issue(b'{"A901": {"Persn": {}, "sedGVer": "4", "sedVer": "4"}}')
    assert (issue.code, issue.path, issue.hint) == ("sed", "$.A901.Persn", 'Did you mean "Person"?')


def test_broken_xml_is_a_finding_with_line_and_column() -> None:
    """The parser says where."""
    issue = only_issue(b"<a>\n<b></a>")
    assert (issue.code, issue.line, issue.column) == ("xml", 2, 8)


def test_document_type_is_a_finding() -> None:
    """What we never accept is reported, not raised."""
    assert only_issue(b"<!DOCTYPE a><a/>").code == "xml-forbidden"


@pytest.mark.parametrize("data", [b"<a>" + b" " * 100 + b"</a>", b"{" + b" " * 100 + b"}"])
def test_too_large_document_is_a_finding(data: bytes) -> None:
    """The limit holds for XML and JSON."""
    small = Validator(catalogue(), limits=XmlLimits(max_bytes=100))
    assert only_issue(data, small).code == "xml-too-large"


def test_envelope_is_named() -> None:
    """Who gives an envelope learns what it is."""
    issue = only_issue(b'<sbdh:StandardBusinessDocument xmlns:sbdh="urn:sbdh"/>')
    assert (issue.code, issue.path) == ("not-a-sed", "/StandardBusinessDocument")
    assert '"StandardBusinessDocument"' in issue.message


@pytest.mark.parametrize(("data", "found"), [(b"", "nothing"), (b" \n", "nothing"), (b"--MIME", '"--MIME"')])
def test_what_is_neither_xml_nor_json_is_a_finding(data: bytes, found: str) -> None:
    """The first characters are shown."""
    issue = only_issue(data)
    assert issue.message == f"Expected a SED as XML or JSON, found {found} at the start"


def test_utf16_is_left_to_the_parser() -> None:
    """A document in UTF-16 is XML, and the parser says whether it is accepted."""
    issue = only_issue("<a/>".encode("utf-16"))
    assert issue.code != "sed"
