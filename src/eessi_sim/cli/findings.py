"""Findings about a document as text: severity, sentence, place, the source line with a caret, hint, source."""

from collections.abc import Iterable, Iterator
from typing import Final

from rich.padding import Padding
from rich.text import Text

from eessi_sim.cdm.report import Issue, Severity
from eessi_sim.cli import failures, output
from eessi_sim.cli.source import Source

_STYLES: Final = {Severity.ERROR: output.BAD, Severity.WARNING: output.WARN, Severity.INFO: "blue"}
_WINDOW: Final = 78
"""Octets of a long source line that are shown."""
_FRAGMENT: Final = 160
"""Characters of a mended fragment that are shown."""
_LEAD: Final = 20
"""Of these, how many in front of the place."""


def show(issues: Iterable[Issue], text: bytes) -> None:
    """Print each finding as a block of lines.

    Args:
        issues: the findings.
        text: the document that their lines count in.
    """
    source = Source(text)
    for issue in issues:
        head = output.grid(9)
        head.add_row(
            Text(issue.severity, style=f"bold {_STYLES[issue.severity]}"),
            Text(failures.printable(issue.message), style="bold"),
        )
        facts = output.grid(8)
        for name, value in _facts(issue):
            facts.add_row(Text(name, style=output.DIM), Text(failures.printable(value)))
        output.show(Text(), Padding(head, (0, 2)), *_excerpt(issue, source))
        if issue.path != "/":
            output.show_unwrapped(
                Text.assemble(("    at       ", output.DIM), failures.printable(issue.path))
            )
        output.show(Padding(facts, (0, 4)))


def _facts(issue: Issue) -> Iterator[tuple[str, str]]:
    yield "rule", f"{issue.rule} ({issue.code})" if issue.rule else issue.code
    if issue.hint:
        yield "hint", issue.hint
    if issue.mend:
        yield "mend", issue.mend.sentence
        yield "", shortened(issue.mend.after)
    if issue.source:
        yield "source", f"{issue.source} ({issue.confidence})" if issue.confidence else issue.source


def _excerpt(issue: Issue, source: Source) -> Iterator[Text]:
    """Yield the source line and, below it, carets under the place."""
    span = source.span(issue)
    if span is None:
        return
    line, start, length = span
    cut = max(0, start - _LEAD) if len(line) > _WINDOW else len(line) - len(line.lstrip())
    ellipsis = "…" if line[:cut].strip() else ""
    shown = ellipsis + line[cut : cut + _WINDOW].expandtabs(1).rstrip()
    lead = start - cut + len(ellipsis)
    carets = "^" * max(1, min(length, len(shown) - lead))
    yield Text.assemble((f"{issue.line:>8} | ", output.DIM), shown)
    yield Text.assemble((" " * 9 + "| ", output.DIM), " " * lead, (carets, f"bold {_STYLES[issue.severity]}"))


def shortened(fragment: str) -> str:
    """Return a piece of XML, its middle left out when it is long."""
    if len(fragment) <= _FRAGMENT:
        return fragment
    return f"{fragment[: _FRAGMENT * 2 // 3]} … {fragment[-_FRAGMENT // 3 :]}"
