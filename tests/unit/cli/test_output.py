"""What all commands share: where a finding is shown, tables, JSON, signs of life."""

import io
from datetime import UTC, datetime
from pathlib import Path

import pytest
from rich.text import Text

from eessi_sim.cdm.report import Issue, Severity
from eessi_sim.cli import failures, output
from eessi_sim.cli.source import Source

DOCUMENT = b"<A003>\n  <Person><name>Ada</name><name>Bob</name></Person>\n  <!-- <city> -->\n  <city>Oslo</city>\n</A003>"


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def issue(path: str, line: int | None = 2, *, found: str | None = None, column: int | None = None) -> Issue:
    return Issue(
        severity=Severity.ERROR, code="c", path=path, message="m", line=line, found=found, column=column
    )


def piece(text: bytes, finding: Issue) -> str:
    """The piece of the line that the carets stand under."""
    span = Source(text).span(finding)
    assert span is not None
    line, start, length = span
    return line[start : start + length]


@pytest.mark.parametrize(
    ("finding", "expected"),
    [
        (issue("/A003/Person/name[1]"), "name"),
        (issue("/A003/Person/name[2]", found="Bob"), "Bob"),
        (issue("/A003/Person/name[2]", found="Eve"), "name"),
        (issue("/A003/Person/@kind"), "<"),
        (issue("/A003/Person/age"), "<"),
        (issue("/other/name"), "name"),
        (issue("/", 4), "<city>Oslo</city>"),
        (issue("/A003/city", 4), "city"),
        (issue("/A003/Person", column=5), "e"),
        (issue("/A003/Person", column=999), ""),
        (issue("/A003", 3), "<!-- <city> -->"),
    ],
)
def test_a_finding_has_its_piece_of_the_line(finding: Issue, expected: str) -> None:
    """The value found is marked, else the name, else the place."""
    assert piece(DOCUMENT, finding) == expected


def test_of_elements_of_one_name_the_right_one_is_marked() -> None:
    """Two elements of one name in one line are told apart."""
    span = Source(DOCUMENT).span(issue("/A003/Person/name[2]"))
    assert span is not None
    assert span[0][span[1] :].startswith("name>Bob")


@pytest.mark.parametrize("line", [None, 0, 99])
def test_a_finding_without_line_has_no_excerpt(line: int | None) -> None:
    """A line that is not there is not shown."""
    assert Source(DOCUMENT).span(issue("/A003", line)) is None


def test_a_document_that_is_no_xml_has_lines_too() -> None:
    """What cannot be parsed is shown as text."""
    assert piece(b"one\ntwo", issue("/")) == "two"


def test_lines_of_utf_16_are_read() -> None:
    """The lines of UTF-16 are those of its text."""
    assert piece("<a>\n<b/>\n</a>".encode("utf-16"), issue("/a/b")) == "b"


def test_characters_that_steer_a_terminal_are_replaced() -> None:
    """A file must not steer the terminal of whoever looks at it."""
    assert failures.printable("a\x1b[31mb\u202ec\td\n") == "a·[31mb·c\td\n"
    span = Source(b"<a>\x1b[2J").span(issue("/", 1))
    assert span is not None
    assert span[0] == "<a>·[2J"


def test_tables_have_no_blanks_at_line_ends(capsys: pytest.CaptureFixture[str]) -> None:
    """Output for programs and golden files has no invisible differences."""
    output.show_table(["Name", ">Number"], [("a", 1), (None, datetime(2026, 3, 2, tzinfo=UTC))])
    text = capsys.readouterr().out
    assert all(line == line.rstrip() for line in text.splitlines())
    assert "2026-03-02T00:00:00.000Z" in text


def test_without_terminal_the_width_is_100(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pipes get 100 columns unless COLUMNS says otherwise."""
    monkeypatch.setenv("COLUMNS", "wide")
    output.show(Text("x " * 100))
    assert max(map(len, capsys.readouterr().out.splitlines())) == 99


def test_a_terminal_gets_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal ticks are green."""
    stream = Terminal()
    monkeypatch.setattr("sys.stdout", stream)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    output.show(output.mark(passed=True))
    assert "\x1b[1;32m✓" in stream.getvalue()


def test_long_work_shows_a_sign_of_life_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal long work is announced on standard error."""
    stream = Terminal()
    monkeypatch.setattr("sys.stderr", stream)
    monkeypatch.setenv("TERM", "xterm-256color")
    with output.working("Making keys"):
        pass
    assert "Making keys" in stream.getvalue()


def test_fields_without_value_are_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    """Only what is known is shown."""
    output.show_fields({"name": Text("Ada"), "born": None, "town": ""})
    assert capsys.readouterr().out == "name  Ada\n"


def test_json_carries_times_paths_and_sets(capsys: pytest.CaptureFixture[str]) -> None:
    """Values of the program become JSON."""
    output.show_json([datetime(2026, 3, 2, tzinfo=UTC), Path("a"), {"b", "a"}])
    assert capsys.readouterr().out.split() == [
        "[",
        '"2026-03-02T00:00:00.000Z",',
        '"a",',
        "[",
        '"a",',
        '"b"',
        "]",
        "]",
    ]


def test_json_carries_nothing_else() -> None:
    """A value without a JSON form is a mistake of ours."""
    with pytest.raises(TypeError, match="object"):
        output.show_json(object())
