"""The static check of a table."""

from dataclasses import replace
from typing import Any

import pytest
from tests.helpers.processes import small, table

from eessi_sim.buc.administration import AdministrativeRule
from eessi_sim.buc.check import FindingKind, Surroundings, check, check_sub_process
from eessi_sim.buc.definition import BucDefinition
from eessi_sim.buc.loader import Definitions
from eessi_sim.buc.terms import Permission, Sector, Walk
from eessi_sim.identifiers import BucType, SedType

_EFFECT = """
    effects:
      source: OWN
      confidence: inferred
      rows:
        - {{{row}}}
"""
_CONDITION = """
conditions:
  source: OWN
  confidence: inferred
  rows: [{{name: c, text: t, holds: {{fewer: {sed}, than: 2}}}}]
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
        (_CLOSE, "mode: global\n  local: [CO]", "Expected close mode global to agree with for_all"),
        (_CLOSE, "mode: mixed\n  for_all: {by: [CO]}", "Expected close mode mixed to agree with local"),
        (
            _CLOSE,
            "mode: global\n  for_all: {by: [CO], after: P1D, since: T009}",
            "Expected a SED of the table in since",
        ),
        (
            _CLOSE,
            "mode: global\n  for_all: {by: [CO], at_once_if: c}\n" + _CONDITION.format(sed="T001"),
            "Expected a delay beside at_once_if",
        ),
        (
            _CLOSE,
            "mode: global\n  for_all: {by: [CO], after: P0D, since: T001}",
            "Expected a delay, found none of length",
        ),
        (
            _CLOSE,
            "mode: local\n  local: [CO]",
            "Expected every copy to have an end, found one only for 1 role",
        ),
        (_CLOSE, "mode: local\n  local: [CO, CP]\n  reopen: [CO]", "to be closed for all, found no for_all"),
        (
            "sed: T002, from: CP, replies_to: T001",
            "sed: T002, from: CO, replies_to: T001",
            "Expected a receiver of T001 from CO to answer it",
        ),
        (
            "    - {sed: T002",
            "    - {sed: T003, from: CO, after: [T001], sender_may: [update, invalidate]}\n    - {sed: T002",
            "Expected one row of T003 from CO after T001, found two",
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


_SECTOR = Sector(id="T", name="Test", code="TT", in_scope=True)
_KNOWN = frozenset({SedType("T001"), SedType("T003")})


@pytest.mark.parametrize(("in_scope", "kind"), [(True, FindingKind.ERROR), (False, FindingKind.INFO)])
def test_sed_outside_the_data_model_is_a_fault_only_in_scope(in_scope: bool, kind: FindingKind) -> None:
    """Other sectors may be played without schemas; the check only says so."""
    around = Surroundings(_KNOWN, {"T": replace(_SECTOR, in_scope=in_scope)})
    found = [f for f in check(small(), around) if f.code == "unknown-sed"]
    assert [(f.kind, f.text, f.line) for f in found] == [
        (kind, "Expected T002 in the data model, found no definition of it", 18)
    ]


def test_finding_says_where_it_is() -> None:
    """A finding has a code, and file and line of the row."""
    found, *_ = check(small(("after: [T001]", "after: [T009]")))
    assert (found.code, found.file, found.line) == ("unreachable-step", "T_BUC_01.yaml", 19)


def test_process_in_scope_has_walks() -> None:
    """A process of a sector in scope without example runs is a fault."""
    assert [f.code for f in check(small(), Surroundings(sectors={"T": _SECTOR}))] == ["no-walks"]


def test_place_of_a_fact_is_asked_for() -> None:
    """A fact that no condition asks for need not be read."""
    rows = "{source: OWN, confidence: inferred, rows: [{fact: new, of: T001, where: a/b, is: x}]}"
    assert [f.code for f in check(small(more=f"\nfacts: {rows}\n"))] == ["unused-fact"]
    assert check(table("UB_BUC_02")) == ()


def test_sector_must_be_listed() -> None:
    """A sector that the file of sectors does not know is a fault."""
    (found,) = check(small(), Surroundings(sectors={"LA": _SECTOR}))
    assert found.text == "Expected one of the sectors LA, found T"


@pytest.mark.parametrize(
    ("holds", "codes"), [("T001", ["unused-condition"]), ("T009", ["unused-condition", "unknown-condition"])]
)
def test_condition_is_used_and_asks_about_the_table(holds: str, codes: list[str]) -> None:
    """A condition that no row uses, or about SEDs of another process, is found."""
    assert [f.code for f in check(small(more=_CONDITION.format(sed=holds)))] == codes


def test_multilateral_process_may_choose_receivers() -> None:
    """What is said about one counterparty does not concern a process with several."""
    assert (
        check(small(("bilateral", "multilateral"), ("after: [T001]", "after: [T001], addressing: selected")))
        == ()
    )


def test_horizontal_sed_names_its_own_process() -> None:
    """The own process of a horizontal SED must exist; a family of processes may be named together."""
    rows = (
        "{source: OWN, confidence: inferred, rows: [{sed: H001, from: CO, sub_process: H_BUC_01 or H_BUC_9}]}"
    )
    definition = small(more=f"\nhorizontal: {rows}\n")
    (found,) = check(definition, Surroundings(processes=("H_BUC_01a",)))
    assert found.text == "Expected the own process of H001, found H_BUC_9"
    assert check(definition) == ()


def test_sub_processes_of_the_program_are_in_order() -> None:
    """The thirteen sub-processes have no findings."""
    tables = Definitions.default()
    around = Surroundings(processes=tables.names())
    assert [
        f for each in tables.sub_processes for f in check_sub_process(each, tables.administrative, around)
    ] == []


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"replies_to": SedType("X999")}, "never-received"),
        ({"permission": Permission.UPDATE}, "permission"),
        ({"replies_to": None}, "reply-without-request"),
        ({}, "unknown-sed"),
    ],
)
def test_fault_of_an_administrative_sed_is_found(changes: dict[str, Any], code: str) -> None:
    """An X-SED that answers nothing, needs no permission, or is not defined is found."""
    process = next(each for each in Definitions.default().sub_processes if len(each.rules) == 3)
    rules: dict[SedType, AdministrativeRule] = {rule.sed: rule for rule in process.rules}
    changed = replace(process, rules=(replace(process.rules[1], **changes),), walks=())
    around = Surroundings(known_seds=frozenset() if code == "unknown-sed" else None)
    assert [f.code for f in check_sub_process(changed, rules, around)] == [code]


@pytest.mark.parametrize("within", [None, BucType("T_BUC_09")])
def test_walk_of_a_sub_process_names_its_process(within: BucType | None) -> None:
    """A sub-process never runs alone: its walks say in which process they are played."""
    process = replace(
        Definitions.default().sub_processes[0],
        walks=(Walk(name="w", parties=("CO",), steps=(), within=within),),
    )
    found = check_sub_process(
        process, Definitions.default().administrative, Surroundings(processes=("T_BUC_01",))
    )
    assert [f.code for f in found] == ["unknown-process"]
