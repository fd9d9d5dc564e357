"""What counts as passed: exactly the list at our own nodes, any refusal at somebody else's."""

import pytest

from eessi_sim.conformance.judging import judge
from eessi_sim.conformance.model import Verdict

PASSED, FAILED, NOT_APPLICABLE = Verdict.PASSED, Verdict.FAILED, Verdict.NOT_APPLICABLE


@pytest.mark.parametrize(
    ("wanted", "found", "verdict"),
    [
        ("EBMS:0101", "EBMS:0101", PASSED),
        ("EBMS:0101", "EBMS:0102", PASSED),
        ("EBMS:0101", "400", PASSED),
        ("202 EBMS:0303", "EBMS:0303", PASSED),
        ("EBMS:0101", "Receipt", FAILED),
        ("400", "202", FAILED),
        ("408", "no answer", FAILED),
        ("202 receipt", "Receipt", PASSED),
        ("Receipt, Receipt", "Receipt, Receipt", PASSED),
        ("Receipt", "202", PASSED),
        ("202 EBMS:0303", "202", NOT_APPLICABLE),
        ("Receipt", "EBMS:0004", FAILED),
    ],
)
def test_a_party_may_refuse_with_another_code(wanted: str, found: str, verdict: Verdict) -> None:
    """At somebody else's gateway what must be refused is refused, what must be receipted is receipted."""
    assert judge(wanted, found, is_party=True)[0] is verdict


def test_strict_judgement_wants_the_code_of_the_list() -> None:
    """Another code than that of the list fails when codes are asked for."""
    assert judge("EBMS:0101", "EBMS:0102", is_party=True, is_strict=True)[0] is FAILED


def test_own_nodes_are_judged_to_the_letter() -> None:
    """At our own nodes nothing but the outcome of the list passes."""
    assert judge("EBMS:0101", "EBMS:0102", is_party=False) == (
        FAILED,
        "Expected EBMS:0101, found EBMS:0102",
    )
    assert judge("202 receipt", "202 receipt", is_party=False) == (PASSED, "")
