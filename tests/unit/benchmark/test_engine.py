"""The cost of the process engine, with numbers so small that it is quick."""

import asyncio
from pathlib import Path

import pytest
from tests.helpers.processes import small, table

from eessi_sim.benchmark.engine import ACTS, StoreCost, measure_acts, measure_stores
from eessi_sim.errors import DefinitionError


def test_acts_are_measured_in_cases_of_each_length() -> None:
    """Every act has a reading at every length."""
    found = list(measure_acts(table("LA_BUC_02"), (1, 3), 0.001))
    assert [each.documents for each in found] == [1, 3]
    assert all(set(each.costs) == set(ACTS) for each in found)
    assert set(found[0].as_dict()) == {"documents", "offer_us", "create_us", "send_us", "receive_us"}


@pytest.mark.parametrize("storage", ["memory", "sqlite"])
def test_stores_of_each_size_are_measured(storage: str, tmp_path: Path) -> None:
    """Each store holds so many cases, and every action in it is one of them."""
    found = asyncio.run(measure_stores(table("LA_BUC_02"), storage, (1, 5), tmp_path, actions=7))
    assert [(each.storage, each.cases) for each in found] == [(storage, 1), (storage, 5)]
    assert all(each.whole > 0 for each in found)


def test_process_without_a_repeatable_sed_cannot_be_measured() -> None:
    """A long case needs a SED that may be sent several times."""
    once = small(("repeatable: true, ", ""))
    with pytest.raises(DefinitionError, match="several times"):
        list(measure_acts(once, (1,), 0.001))


def test_speed_counts_all_three_parts() -> None:
    """Find, act and save make one action."""
    cost = StoreCost("memory", 10, 10.0, 80.0, 10.0)
    assert cost.as_dict()["actions_per_second"] == 10_000
