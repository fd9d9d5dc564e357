"""The benches under fire, one set for all rows, and the table of what came back at the end of the run."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from tests.helpers import conformance

from eessi_sim.conformance import listing, runner
from eessi_sim.conformance.model import Finding
from eessi_sim.conformance.runner import Benches

_COLUMNS = ("row", "case", "outcome", "ms", "peak MB", "note")
_MEASURED = pytest.StashKey[list[Finding]]()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def benches() -> AsyncIterator[Benches]:
    """A network of processes and lone gateways, attacked by all tests of this folder, one after the other."""
    async with runner.own_benches([case for row in listing.rows() for case in row.cases]) as own:
        yield own


@pytest.fixture(scope="session")
def findings(request: pytest.FixtureRequest) -> list[Finding]:
    """Lines of the table at the end of the run."""
    found: list[Finding] = []
    request.config.stash[_MEASURED] = found
    return found


def _line(found: Finding) -> tuple[str, ...]:
    memory = "" if found.megabytes is None else f"{found.megabytes:.0f}"
    note = found.case.note if found.case else ""
    return found.row.id, found.name, found.outcome, f"{found.milliseconds:.0f}", memory, note


def pytest_terminal_summary(
    terminalreporter: Any, config: pytest.Config
) -> None:  # Any: pytest keeps the type to itself
    """Print id, outcome, milliseconds and peak memory of every row that was run."""
    rows = [_line(each) for each in config.stash.get(_MEASURED, [])]
    if not rows:
        return
    terminalreporter.section("attacks on a live node")
    widths = [max(len(row[at]) for row in (_COLUMNS, *rows)) for at in range(len(_COLUMNS))]
    for row in (_COLUMNS, *rows):
        terminalreporter.write_line(
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        )
    terminalreporter.section("conformance list")
    for line in conformance.table():
        terminalreporter.write_line(line)
