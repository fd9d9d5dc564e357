"""The last step of ``make test``: which part of the program the tests ran, package by package, and whether it is enough.

Branches count as lines do. The pure core must be covered whole, because it needs neither sockets nor disks to be
tested; for all packages together a small rest is allowed. Run after pytest, which leaves the data file; child
processes that the tests started leave theirs beside it.

    python tests/quality/coverage_gate.py
"""

import json
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, Self

from coverage import Coverage
from coverage.exceptions import CoverageException

PURE_CORE: Final = (
    "errors",
    "identifiers",
    "attachments",
    "definition_files",
    "xmlsafe",
    "zipsafe",
    "cdm",
    "sbdh",
    "security",
    "buc",
    "as4",
    "ir",
    "bulk",
)
"""Packages and modules below ``eessi_sim`` of which no line and no branch may be left out."""
OVERALL: Final = 90.0
"""Percent of all lines and branches of the program that the tests must run."""
_PACKAGE: Final = "eessi_sim"
_MOST_SHOWN: Final = 10
"""Places named per package of the pure core; more help nobody."""


@dataclass(frozen=True, slots=True)
class Part:
    """Lines and branches of a package, or of everything."""

    name: str
    covered: int = 0
    total: int = 0
    missing: tuple[str, ...] = ()
    """Places that no test ran."""

    @property
    def percent(self) -> float:
        """How much was run; a part without code is covered."""
        return 100.0 * self.covered / self.total if self.total else 100.0

    @property
    def is_core(self) -> bool:
        """Whether it belongs to the pure core."""
        return self.name in PURE_CORE

    def plus(self, other: Self) -> Self:
        """Return both together under the name of this one."""
        return type(self)(
            self.name,
            self.covered + other.covered,
            self.total + other.total,
            (*self.missing, *other.missing),
        )


def parts_of(report: Mapping[str, Any]) -> dict[str, Part]:  # Any: the JSON report of coverage
    """Return what a JSON report of coverage says, by package, in the order of their names."""
    parts: dict[str, Part] = {}
    for path, file in report["files"].items():
        name = _package_of(path)
        part = parts.get(name, Part(name))
        parts[name] = part.plus(_part(name, path, file))
    return dict(sorted(parts.items()))


def overall(parts: Iterable[Part]) -> Part:
    """Return all parts together."""
    whole = Part("all packages")
    for part in parts:
        whole = whole.plus(part)
    return whole


def table(parts: Mapping[str, Part]) -> str:
    """Return one line per package, those of the pure core marked, and one for all of them."""
    rows = [*parts.values(), overall(parts.values())]
    width = max(len(row.name) for row in rows)
    return "\n".join(
        f"{row.name:<{width}} {'core' if row.is_core else '':4} {row.covered:>6} of {row.total:>6} {row.percent:7.2f} %"
        for row in rows
    )


def shortcomings(parts: Mapping[str, Part]) -> list[str]:
    """Return what is not covered enough, in words; empty when the gate is open."""
    found = [_shortcoming(parts.get(name, Part(name))) for name in PURE_CORE]
    absent = [f"{name}: expected it in the report, found nothing" for name in PURE_CORE if name not in parts]
    whole = overall(parts.values())
    if whole.percent < OVERALL:
        absent.append(f"expected {OVERALL:g} % over all packages, found {whole.percent:.2f} %")
    return [*filter(None, found), *absent]


def _part(name: str, path: str, file: Mapping[str, Any]) -> Part:
    summary = file["summary"]
    branches = [line for line, _target in file["missing_branches"]]
    lines = sorted({*file["missing_lines"], *branches})
    return Part(
        name,
        summary["covered_lines"] + summary["covered_branches"],
        summary["num_statements"] + summary["num_branches"],
        tuple(f"{path}:{line}" for line in lines),
    )


def _package_of(path: str) -> str:
    """Return the package or module directly below ``eessi_sim`` that a file belongs to."""
    steps = Path(path).parts
    below = steps[len(steps) - steps[::-1].index(_PACKAGE) :]
    return Path(below[0]).stem


def _shortcoming(part: Part) -> str | None:
    if not part.missing:
        return None
    more = f" and {len(part.missing) - _MOST_SHOWN} more" if len(part.missing) > _MOST_SHOWN else ""
    return f"{part.name}: expected every branch, not run: {', '.join(part.missing[:_MOST_SHOWN])}{more}"


def _report() -> dict[str, Any]:
    """Combine what pytest and the child processes left, and return it as coverage reports it."""
    coverage = Coverage()
    coverage.load()
    coverage.combine()
    coverage.save()
    with TemporaryDirectory() as folder:
        file = Path(folder) / "coverage.json"
        coverage.json_report(outfile=str(file))
        report: dict[str, Any] = json.loads(file.read_text())
    return report


def main() -> int:
    """Print the table and what is missing; return the exit status."""
    try:
        parts = parts_of(_report())
    except CoverageException as error:
        print(f"No coverage to judge: {error}. Run: make test")
        return 3
    print(table(parts))
    found = shortcomings(parts)
    for sentence in found:
        print(sentence)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
