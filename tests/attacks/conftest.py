"""The network under fire, one for all rows, and the table of what came back at the end of the run."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from tests.attacks.live import Range, live_range
from tests.helpers import conformance

_COLUMNS = ("row", "attack", "outcome", "ms", "peak MB", "note")
_MEASURED = pytest.StashKey[list[tuple[str, ...]]]()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def live(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Range]:
    """A network of processes that is attacked by all tests of this folder, one after the other."""
    async with live_range(tmp_path_factory.mktemp("range")) as network:
        yield network


@pytest.fixture(scope="session")
def table(request: pytest.FixtureRequest) -> list[tuple[str, ...]]:
    """Lines of the table at the end of the run."""
    rows: list[tuple[str, ...]] = []
    request.config.stash[_MEASURED] = rows
    return rows


def pytest_terminal_summary(
    terminalreporter: Any, config: pytest.Config
) -> None:  # Any: pytest keeps the type to itself
    """Print id, outcome, milliseconds and peak memory of every row that was run."""
    rows = config.stash.get(_MEASURED, [])
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
