"""The conformance list is complete, and every test that it names exists."""

import re
from pathlib import Path

from tests.helpers.conformance import State, entries
from tests.unit.as4 import test_structural_rows as structure
from tests.unit.as4 import test_wss as wss

from eessi_sim.conformance import listing
from eessi_sim.conformance.model import Judged
from eessi_sim.conformance.plays import Stimulus
from eessi_sim.conformance.stimuli import ALL, STIMULI

TESTS = Path(__file__).parents[1]
LIVE = {row.id for row in listing.rows() if row.cases}
TABLES: dict[str, set[str]] = {
    "live": LIVE,
    "structure": {
        str(row[0]) for row in (*structure.USER_ROWS, *structure.SIGNAL_ROWS, *structure.SOAP_ROWS)
    },
    "wss": {str(row[0]) for row in (*wss.XSW_ROWS, *wss.TAMPERED_ROWS)},
}
NUMBERED = {"TA": 46, "P4-": 20, "HB-": 12, "E-": 32}
ATTACKS = {
    "XSW": 10, "ID": 2, "REF": 10, "SEC": 4, "COM": 1, "ALG": 15, "KEY": 4, "CRT": 15, "XML": 17, "GZ": 7, "SZ": 6,
    "MI": 20, "RP": 13, "PT": 11, "RI": 9, "BU": 13,
}  # fmt: skip
"""How many rows of each kind the list of attacks has."""


def exists(test: str) -> bool:
    """Whether a test is there under the name that the list gives."""
    if "::" in test:
        file, _, name = test.partition("::")
        return re.search(rf"def {name}\(", (TESTS / file).read_text()) is not None
    table, _, row = test.partition(" ")
    return row in TABLES[table]


def test_row_is_proven_or_explained() -> None:
    """A row that passes names tests that exist; one that differs, is not for us or cannot be done yet says why."""
    for entry in entries():
        is_proven = entry.state in (State.PASSED, State.ADAPTED)
        assert bool(entry.tests) == is_proven, entry.id
        assert all(map(exists, entry.tests)), (entry.id, entry.tests)
        assert entry.note or entry.state is State.PASSED, entry.id


def test_no_row_is_left_out() -> None:
    """Every number of the list is there."""
    wanted = {f"{prefix}{number:02}" for prefix, most in NUMBERED.items() for number in range(1, most + 1)}
    wanted |= {f"{prefix}-{number}" for prefix, most in ATTACKS.items() for number in range(1, most + 1)}
    assert wanted <= {entry.id for entry in entries()}


def test_every_live_row_is_on_the_list() -> None:
    """Nothing is attacked that the list does not know."""
    named = {
        test.partition(" ")[2] for entry in entries() for test in entry.tests if test.startswith("live ")
    }
    assert named == LIVE


def test_every_case_of_the_lists_has_one_stimulus() -> None:
    """What the lists name is what can be done, and nothing has two stimuli."""
    cases = [(case.row, case.name) for row in listing.rows() for case in row.cases]
    assert sorted(cases) == sorted(STIMULI)
    assert len(ALL) == len(STIMULI)


def test_what_needs_our_own_network_is_never_played_on_others() -> None:
    """A case is judged by insight exactly when its stimulus uses more than the wire."""
    for row in listing.rows():
        for case in row.cases:
            needs_insight = isinstance(STIMULI[case.row, case.name], Stimulus)
            assert (case.judged is Judged.INSIGHT) == needs_insight, case


def test_list_and_proof_name_the_same_rows() -> None:
    """The list that ships and the list of proofs have the same rows, and nothing is not applicable without a reason."""
    rows = {row.id: row for row in listing.rows()}
    assert sorted(rows) == sorted(entry.id for entry in entries())
    assert [row.id for row in rows.values() if not (row.cases or row.also or row.note)] == []
    assert {each for row in rows.values() for each in row.also} <= set(rows)
