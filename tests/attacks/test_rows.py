"""Every row of the lists against live nodes over HTTP(S); a good message is served behind each."""

from collections.abc import Callable

import pytest

from eessi_sim.conformance import listing, runner
from eessi_sim.conformance.model import Case, Finding, Row, Verdict
from eessi_sim.conformance.runner import Benches

pytestmark = [pytest.mark.process, pytest.mark.asyncio(loop_scope="session")]

CASES = [(row, case) for row in listing.rows() for case in row.cases]


@pytest.mark.parametrize(("row", "case"), CASES, ids=[str(case) for _, case in CASES])
async def test_row_has_its_outcome_and_harms_nobody(
    benches: Benches,
    row: Row,
    case: Case,
    findings: list[Finding],
    record_property: Callable[[str, object], None],
) -> None:
    """The outcome is that of the list, nothing is delivered, memory stays bounded, and the next good message passes."""
    found = await runner.play(row, case, benches)
    for name, value in (
        ("row", row.id),
        ("outcome", found.outcome),
        ("milliseconds", round(found.milliseconds)),
        ("peak_mb", None if found.megabytes is None else round(found.megabytes)),
    ):
        record_property(name, value)
    findings.append(found)
    assert found.verdict is Verdict.PASSED, found.remark
