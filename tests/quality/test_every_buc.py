"""Every process table that comes with the program: checked, and its example runs played."""

import pytest

from eessi_sim.buc.check import FindingKind, check
from eessi_sim.buc.definition import BucDefinition, Walk
from eessi_sim.buc.diagram import draw
from eessi_sim.buc.loader import Definitions
from eessi_sim.buc.walk import find_fault

TABLES = Definitions.default().all()
WALKS = [
    pytest.param(table, walk, id=f"{table.buc}: {walk.name}") for table in TABLES for walk in table.walks
]


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.buc)
def test_check_finds_nothing(table: BucDefinition) -> None:
    """The static check has no complaint about the table."""
    assert [finding for finding in check(table) if finding.kind is FindingKind.ERROR] == []


@pytest.mark.parametrize(("table", "walk"), WALKS)
def test_walk_goes_as_written(table: BucDefinition, walk: Walk) -> None:
    """The run works, or its last step is refused for the reason that stands in the file."""
    assert find_fault(table, walk) is None


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.buc)
def test_table_has_walks_of_both_kinds(table: BucDefinition) -> None:
    """Each file shows what works and what is refused, several of each."""
    refused = [walk for walk in table.walks if walk.refused_at]
    assert len(refused) >= 3
    assert len(table.walks) - len(refused) >= 3


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.buc)
def test_walks_use_every_business_step(table: BucDefinition) -> None:
    """Every SED of the process itself occurs in a run that works (of the country SEDs one)."""
    played = {
        word.split("_")[0]
        for walk in table.walks
        if not walk.refused_at
        for step in walk.steps
        for word in step.split()
    }
    own = {step.sed.split("_")[0] for step in table.steps if step.kind == "business"}
    assert own - played == set()


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.buc)
def test_groups_say_where_they_come_from(table: BucDefinition) -> None:
    """Every group of rows keeps its source and confidence."""
    assert {"title", "close", "steps", "legal_basis", "admin"} <= set(table.origins)


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.buc)
def test_table_can_be_drawn(table: BucDefinition) -> None:
    """A diagram can be made from every table."""
    assert draw(table, horizontal=True).count("subgraph") == 2
