"""The gate at the end of ``make test``: what it lets pass and what it says."""

from typing import Any

import pytest
from tests.quality.coverage_gate import PURE_CORE, Part, overall, parts_of, shortcomings, table


def a_file(
    *, covered: int = 8, missing: tuple[int, ...] = (), branches: tuple[int, ...] = ()
) -> dict[str, Any]:
    """What the report says about a file with so many covered lines, missing lines and missing branches."""
    return {
        "summary": {
            "covered_lines": covered,
            "num_statements": covered + len(missing),
            "covered_branches": 2,
            "num_branches": 2 + len(branches),
        },
        "missing_lines": list(missing),
        "missing_branches": [[line, -1] for line in branches],
    }


def whole_core() -> dict[str, Part]:
    """A core of which nothing is missing."""
    return {name: Part(name, 100, 100) for name in PURE_CORE}


def test_files_are_counted_by_package() -> None:
    """Files of one package are added up, and a module below the root is a package of its own."""
    report = {
        "files": {
            "src/eessi_sim/buc/case.py": a_file(),
            "src/eessi_sim/buc/engine/life.py": a_file(missing=(3,)),
            "/elsewhere/eessi_sim/clock.py": a_file(),
        }
    }
    parts = parts_of(report)
    assert {name: (part.covered, part.total) for name, part in parts.items()} == {
        "buc": (20, 21),
        "clock": (10, 10),
    }


def test_missing_places_are_lines_and_branches() -> None:
    """A line that was not run and a line of which one branch was not taken are both named, each once."""
    report = {"files": {"src/eessi_sim/buc/case.py": a_file(missing=(3, 7), branches=(5, 3))}}
    assert parts_of(report)["buc"].missing == tuple(f"src/eessi_sim/buc/case.py:{line}" for line in (3, 5, 7))


def test_gate_is_open_when_the_core_is_whole() -> None:
    """With a whole core and nine tenths of everything there is nothing to say."""
    parts = {**whole_core(), "gateway": Part("gateway", 700, 800)}
    assert shortcomings(parts) == []


def test_one_missing_branch_of_the_core_is_named() -> None:
    """A core package must be covered whole; the sentence says where it is not."""
    parts = {**whole_core(), "as4": Part("as4", 9999, 10000, ("as4/mime.py:7",))}
    assert shortcomings(parts) == ["as4: expected every branch, not run: as4/mime.py:7"]


def test_only_the_first_places_are_listed() -> None:
    """Of many missing places ten are listed and the others counted."""
    parts = {**whole_core(), "ir": Part("ir", 988, 1000, tuple(f"ir/model.py:{line}" for line in range(12)))}
    assert shortcomings(parts)[0].endswith("ir/model.py:9 and 2 more")


def test_core_package_that_is_not_in_the_report_is_a_shortcoming() -> None:
    """A core package that vanished from the report does not pass for covered."""
    parts = whole_core()
    del parts["buc"]
    assert shortcomings(parts) == ["buc: expected it in the report, found nothing"]


def test_too_little_over_all_packages_is_a_shortcoming() -> None:
    """Below nine tenths of all lines and branches the gate is shut."""
    parts = {**whole_core(), "gateway": Part("gateway", 0, 20 * len(PURE_CORE))}
    assert shortcomings(parts) == ["expected 90 % over all packages, found 83.33 %"]


@pytest.mark.parametrize(("part", "percent"), [(Part("x", 3, 4), 75.0), (Part("x"), 100.0)])
def test_percent_of_a_part(part: Part, percent: float) -> None:
    """Percent are covered lines and branches of all; a part without code counts as covered."""
    assert part.percent == percent


def test_table_ends_with_all_packages() -> None:
    """The last line of the table adds up all packages."""
    parts = {"as4": Part("as4", 1, 2), "gateway": Part("gateway", 3, 4)}
    assert table(parts).splitlines()[-1].split() == ["all", "packages", "4", "of", "6", "66.67", "%"]
    assert overall(parts.values()).total == 6
