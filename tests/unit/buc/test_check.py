"""The static check of a table."""

import pytest
from tests.helpers.processes import small

from eessi_sim.buc.check import FindingKind, check
from eessi_sim.buc.definition import BucDefinition
from eessi_sim.identifiers import SedType

_EFFECT = """
    effects:
      source: OWN
      confidence: inferred
      rows:
        - {{{row}}}
"""
_CLOSE = "mode: local\n  local: [CO, CP]"


def _texts(definition: BucDefinition) -> list[str]:
    return [finding.text for finding in check(definition)]


def test_good_table_has_no_findings() -> None:
    """The small process of the tests is in order."""
    assert check(small()) == ()


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        ("starters: [T001]", "starters: [T001, T003]", "Expected a row that starts the case for T003"),
        ("starters: [T001]", "starters: []", "Expected T001 among the starters"),
        ("starters: [T001]", "starters: []", "Expected a starter, found none"),
        ("sed: T001, from: CO", "sed: T001, from: CP", "Expected the starter T001 from CO"),
        ("after: [T001]", "after: [T009]", "Expected T003 from CO to be reached, found it only after T009"),
        ("sed: T003, from: CO, after: [T001]", "sed: T003, from: CO", "found it only after nothing"),
        ("after: [T001]", "after: [T001], to: [CO]", "Expected T003 to go to the other side"),
        ("after: [T001]", "after: [T001], addressing: selected", "Expected no choice of receivers for T003"),
        (_CLOSE, "mode: global\n  local: [CO]", "Expected close mode global to agree with X001"),
        (_CLOSE, "mode: mixed\n  X001: {by: [CO]}", "Expected close mode mixed to agree with local"),
        (
            _CLOSE,
            "mode: global\n  X001: {by: [CO], after: P1D, since: T009}",
            "Expected a SED of the table in since",
        ),
        (
            _CLOSE,
            "mode: global\n  X001: {by: [CO], at_once_if: every-counterparty-approved-determination}",
            "Expected a delay beside at_once_if",
        ),
        (
            "repeatable: true, sender_may: [update, invalidate]}",
            "repeatable: true}\n    - {sed: T003, from: CO, after: [T002], sender_may: [update]}",
            "Expected the rows of T003 from CO to allow the same",
        ),
    ],
)
def test_fault_is_found(old: str, new: str, text: str) -> None:
    """Each fault of a table is found and told."""
    assert [found for found in _texts(small((old, new))) if text in found]


def test_request_that_never_reaches_the_replier_is_found() -> None:
    """A reply to a SED that goes elsewhere is a disagreement of the two roles."""
    definition = small(
        ("sed: T002, from: CP, replies_to: T001", "sed: T002, from: CP, replies_to: T003"),
        ("sed: T003, from: CO, after: [T001]", "sed: T003, from: CO, to: [CO], after: [T001]"),
    )
    assert [found for found in _texts(definition) if "Expected CP to see T003 before T002" in found]


def test_participants_do_not_change_in_a_bilateral_case() -> None:
    """X005 under admin of a bilateral process is an error."""
    definition = small(more="\nadmin: {source: OWN, confidence: inferred, roles: {X005: [CO], X009: [CO]}}\n")
    assert _texts(definition) == ["Expected no X005 in a bilateral process, found it under admin"]


@pytest.mark.parametrize("seds", ["[T002, T009]", "[T002, T003]"])
def test_alternatives_must_be_answers_that_the_table_sends(seds: str) -> None:
    """An alternative per request without a row, or that is no answer, is found."""
    rows = f"{{source: OWN, confidence: inferred, rows: [{{seds: {seds}, per: request}}]}}"
    definition = small(more=f"\nalternatives: {rows}\n")
    assert [found for found in _texts(definition) if "to be an alternative" in found]


@pytest.mark.parametrize(
    ("row", "text"),
    [
        ("by: CO, on: send, of: [T001], effect: withdraw, seds: [T002]", "Expected CO to send T002"),
        ("by: CO, on: send, of: [T002], effect: withdraw, seds: [T003]", "Expected CO to see send of T002"),
        (
            "by: CO, on: receive, of: [T003], effect: withdraw, seds: [T003]",
            "Expected CO to see receive of T003",
        ),
    ],
)
def test_effect_that_never_happens_is_found(row: str, text: str) -> None:
    """An effect on an event, or an action, that the role never has is found."""
    assert [found for found in _texts(small(more=_EFFECT.format(row=row))) if text in found]


def test_sed_without_schema_is_a_warning() -> None:
    """A process may be played without schemas; the check only says so."""
    known = [SedType(f"X{number:03}") for number in (*range(1, 14), 50, 100)] + [
        SedType("T001"),
        SedType("T003"),
    ]
    findings = check(small(), known)
    assert [(f.kind, f.text) for f in findings] == [
        (FindingKind.WARNING, "Expected a schema for T002, found none")
    ]
