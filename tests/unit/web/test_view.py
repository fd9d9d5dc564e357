"""What the page shows of an examination."""

from dataclasses import replace

from eessi_sim.cdm.report import Issue, Severity, ValidationReport
from eessi_sim.identifiers import CdmVersion, SedType
from eessi_sim.verification.examination import Examination
from eessi_sim.verification.recognition import Kind
from eessi_sim.web import view
from eessi_sim.web.view import view_of


def _examined(text: bytes, *lines: int | None, severity: Severity = Severity.ERROR) -> Examination:
    issues = tuple(
        Issue(severity=severity, code="c", path="/", message=f"m{number}", line=line)
        for number, line in enumerate(lines)
    )
    return Examination("f.xml", Kind.SED, ValidationReport(issues, None, None), (), text)


def test_findings_stand_under_their_line() -> None:
    """A finding is placed under its line; one without a line stands in the list alone."""
    shown = view_of(_examined(b"<a>\r\n<b/>\n</a>\n", 2, None))
    assert [row.text for row in shown.rows] == ["<a>", "<b/>", "</a>"]
    assert [[each.issue.message for each in row.findings] for row in shown.rows] == [[], ["m0"], []]
    assert [each.is_placed for each in shown.findings] == [True, False]


def test_verdict_counts() -> None:
    """The verdict counts per severity; warnings leave a document valid."""
    assert view_of(_examined(b"", 1, 1)).verdict == "Not valid: 2 errors"
    assert view_of(_examined(b"", 1, severity=Severity.WARNING)).verdict == "Valid: 1 warning"
    assert view_of(_examined(b"")).verdict == "Valid"


def test_long_document_shows_head_and_places() -> None:
    """Of a long document only the head and what stands round findings is shown, and how much is left out."""
    shown = view_of(_examined(b"x\n" * 5000, 3000))
    assert [row.number for row in shown.rows if row.findings] == [3000]
    assert len(shown.rows) == 207
    assert sum(row.skipped for row in shown.rows) + shown.skipped_end == shown.missing == 4793


def test_scattered_findings_do_not_show_everything() -> None:
    """However many findings a long document has, the lines shown stay about at their limit."""
    shown = view_of(_examined(b"x\n" * 50_000, *range(300, 50_000, 200)))
    assert len(shown.rows) <= view.MAX_LINES + 7
    assert not shown.findings[-1].is_placed


def test_findings_are_limited() -> None:
    """Further findings are counted, not shown."""
    shown = view_of(_examined(b"x", *[1] * (view.MAX_FINDINGS + 5)))
    assert (len(shown.findings), shown.more) == (view.MAX_FINDINGS, 5)


def test_long_line_is_cut() -> None:
    """A long line is cut, and the page says by how much."""
    row = view_of(_examined(b"x" * (view.MAX_WIDTH + 7))).rows[0]
    assert (len(row.text), row.cut) == (view.MAX_WIDTH, 7)


def test_text_is_decoded() -> None:
    """UTF-16 is shown as text, bytes of no encoding and steering characters as marks."""
    assert view_of(_examined("<é/>".encode("utf-16"))).rows[0].text == "<é/>"
    assert view_of(_examined(b"\xef\xbb\xbfa\xff\x00")).rows[0].text == "a\ufffd·"


def test_subject_names_frame_and_document() -> None:
    """A bare SED is called by its type; in a frame the frame is named, too; without a type the kind has to do."""
    bare = _examined(b"")
    known = replace(bare, report=ValidationReport((), SedType("A003"), CdmVersion("4.4")))
    assert view_of(bare).what == "SED"
    assert view_of(known).what == "A003 of CDM 4.4"
    assert view_of(replace(known, kind=Kind.ENVELOPE)).what == "envelope with A003 of CDM 4.4"
