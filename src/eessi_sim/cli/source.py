"""The text of a document, and which piece of which line a finding is about."""

import re
from typing import Final

from eessi_sim import xmlsafe
from eessi_sim.cdm.report import Issue
from eessi_sim.cli import failures
from eessi_sim.errors import XmlError
from eessi_sim.xmlsafe import Element

_UTF16: Final = (b"\xff\xfe", b"\xfe\xff")
_STEP: Final = re.compile(r"([^/\[\]]+)(?:\[([0-9]+)\])?")


class Source:
    """A document as lines.

    Args:
        text: its octets.
    """

    def __init__(self, text: bytes) -> None:
        decoded = text.decode("utf-16" if text[:2] in _UTF16 else "utf-8-sig", "replace")
        self._text = failures.printable(decoded.replace("\r\n", "\n"))
        self._lines = self._text.split("\n")
        try:
            self._root: Element | None = xmlsafe.parse(text)
        except XmlError:
            self._root = None

    def span(self, issue: Issue) -> tuple[str, int, int] | None:
        """Return the line of a finding with start and length of the piece in question, None without a line."""
        if issue.line is None or not 0 < issue.line <= len(self._lines):
            return None
        line = self._lines[issue.line - 1]
        if issue.column is not None:
            return line, min(max(issue.column - 1, 0), len(line)), 1
        start = self._start_of_element(issue)
        return line, *_piece(issue, line, start)

    def _start_of_element(self, issue: Issue) -> int:
        """Return where the element of the finding begins in its line, 0 when that cannot be told.

        The parser knows lines only; so the start tags of this name are counted in document order.
        """
        element = _follow(self._root, issue.path) if self._root is not None else None
        if self._root is None or element is None:
            return 0
        name = xmlsafe.local_name(element)
        before = list(self._root.iter(f"{{*}}{name}")).index(element)
        tags = list(re.finditer(rf"<(?:[\w.-]+:)?{re.escape(name)}(?=[\s/>])", self._text))
        offset = tags[before].start()
        is_same_line = self._text.count("\n", 0, offset) + 1 == issue.line
        return offset - (self._text.rfind("\n", 0, offset) + 1) if is_same_line else 0


def _follow(root: Element, path: str) -> Element | None:
    """Return the element that a readable XPath names, or the last one of the way that exists."""
    steps = _STEP.findall(path)
    if not steps or xmlsafe.local_name(root) != steps[0][0]:
        return None
    current = root
    for name, position in steps[1:]:
        same = [child for child in current if xmlsafe.local_name(child) == name]
        index = int(position or 1) - 1
        if index >= len(same):
            break
        current = same[index]
    return current


def _piece(issue: Issue, line: str, start: int) -> tuple[int, int]:
    """Return start and length of the value found, else of the name, else of the whole line."""
    name = re.sub(r"\[[0-9]+\]$", "", issue.path.rpartition("/")[2]).lstrip("@")
    for wanted in (issue.found, name):
        match = re.compile(rf"(?<!\w){re.escape(wanted)}(?!\w)").search(line, start) if wanted else None
        if match:
            return match.start(), len(match.group())
    if start:
        return start, 1
    return len(line) - len(line.lstrip()), len(line.strip())
