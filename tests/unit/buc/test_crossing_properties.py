"""A case between two to five institutions over a bad line: whatever happens, the copies do not contradict each other.

``EESSI_SIM_RUNS`` sets the number of runs, ``EESSI_SIM_SEED`` another start; both stand in the report of a failure,
and the same two numbers repeat it. The plan of a run is drawn by hypothesis, which makes it as short as it can.
"""

import os
from random import Random

import pytest
from hypothesis import HealthCheck, note, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test
from tests.helpers.agreement import contradictions, needless_refusals
from tests.helpers.rough_case import RoughCase

from eessi_sim.buc.case import decode, encode
from eessi_sim.buc.loader import Definitions

_RUNS = int(os.environ.get("EESSI_SIM_RUNS", "1000"))
_SEED = int(os.environ.get("EESSI_SIM_SEED", "4"))
_SECTORS = frozenset({"LA", "P", "UB", "H"})
_ALL = Definitions.default().all()
_TABLES = [table for table in _ALL if table.sector in _SECTORS] * 4 + list(_ALL)
_DICE = st.integers(0, 2**32).map(Random)


class Crossing(RuleBasedStateMachine):
    """Anybody does anything, legal or not, while messages are late, repeated, overtaken or lost."""

    @initialize(table=st.sampled_from(_TABLES), fails=st.booleans(), dice=_DICE)
    def open(self, table, fails, dice):  # type: ignore[no-untyped-def]
        self.case = RoughCase(table, dice, fails=fails)
        self.dice = dice

    @rule(dice=_DICE)
    def some_steps(self, dice: Random) -> None:
        for _ in range(4):
            self.case.step(dice)

    def teardown(self) -> None:
        if not hasattr(self, "case"):
            return
        line = self.case.line
        line.settle(self.dice)
        note("\n".join((f"{line.definition.buc}, EESSI_SIM_SEED={_SEED} EESSI_SIM_RUNS={_RUNS}", *line.log)))
        assert contradictions(line) == []
        assert needless_refusals(line) == []
        for case in line.copies.values():
            assert decode(encode(case)) == case


@pytest.mark.no_cover  # counting lines would double its time; other tests reach them all
@pytest.mark.timeout(max(240, _RUNS))
def test_copies_agree_once_all_messages_have_arrived() -> None:
    """Copies agree, nothing outside the table is done, nothing is lost, and only named refusals are raised."""
    plan = settings(
        max_examples=_RUNS,
        stateful_step_count=10,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(seed(_SEED)(Crossing), settings=plan)
