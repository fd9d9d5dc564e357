"""Every row of the list of attacks against a live node over HTTPS; a good message is served behind each."""

from collections.abc import Callable

import pytest
from tests.attacks import rows_business, rows_conformance, rows_packaging, rows_signature, rows_xml
from tests.attacks.live import Range
from tests.attacks.row import Row
from tests.helpers.lab import ZUS

pytestmark = [pytest.mark.process, pytest.mark.asyncio(loop_scope="session")]

ROWS = [
    *rows_signature.ROWS,
    *rows_xml.ROWS,
    *rows_packaging.ROWS,
    *rows_business.ROWS,
    *rows_conformance.ROWS,
]


@pytest.mark.parametrize("row", ROWS, ids=str)
async def test_attack_has_its_outcome_and_harms_nobody(
    live: Range, row: Row, table: list[tuple[str, ...]], record_property: Callable[[str, object], None]
) -> None:
    """The answer is that of the list, nothing is delivered, memory stays bounded, and the next good message passes."""
    before = live.rewind(row.target)
    result = await row.play(live)
    peak = live.peak(row.target)
    for name, value in (
        ("row", row.id),
        ("outcome", result.outcome),
        ("milliseconds", round(result.milliseconds)),
        ("peak_mb", round(peak)),
    ):
        record_property(name, value)
    table.append((row.id, row.name, result.outcome, f"{result.milliseconds:.0f}", f"{peak:.0f}", row.note))
    assert result.outcome == row.expect
    assert not (result.refused and await live.holds(ZUS, result.refused))
    assert peak - before < row.megabytes
    await live.good_message()
