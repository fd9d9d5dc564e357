"""Findings as plain lines, for an error that carries them; the full form is in ``findings``."""

from collections.abc import Iterable

from eessi_sim.cdm.report import Issue


def plain_lines(issues: Iterable[Issue]) -> list[str]:
    """Return findings as lines without colour: one for the finding, one for its hint."""
    lines: list[str] = []
    for issue in issues:
        place = f"line {issue.line}, {issue.path}" if issue.line else issue.path
        lines.append(f"{issue.severity} {issue.rule or issue.code} at {place}: {issue.message}")
        if issue.hint:
            lines.append(f"    hint: {issue.hint}")
    return lines
