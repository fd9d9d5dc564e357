"""Every process table that comes with the program: checked, and its example runs played."""

import pytest

from eessi_sim.buc.administration import SubProcess
from eessi_sim.buc.check import FindingKind, Surroundings, check, check_sub_process
from eessi_sim.buc.definition import BucDefinition
from eessi_sim.buc.diagram import draw, picture_of, picture_of_sub_process
from eessi_sim.buc.diagram_svg import draw_svg
from eessi_sim.buc.loader import Definitions
from eessi_sim.buc.walk import find_fault
from eessi_sim.cdm.catalogue import Catalogue
from eessi_sim.cli.bucs_walk import runs_of

DEFINITIONS = Definitions.default()
TABLES = DEFINITIONS.all()
IN_SCOPE = [table for table in TABLES if DEFINITIONS.sectors[table.sector].in_scope]
AROUND = Surroundings(
    frozenset(each.type for each in Catalogue.default().definitions()),
    DEFINITIONS.sectors,
    DEFINITIONS.names(),
)
SUB_PROCESSES = DEFINITIONS.sub_processes
EVERYTHING: tuple[BucDefinition | SubProcess, ...] = (*TABLES, *SUB_PROCESSES)


def unplayed(table: BucDefinition) -> set[str]:
    """Return the SEDs of the process itself that occur in no run that works."""
    played = {
        word.split("_")[0]
        for walk in table.walks
        if not walk.refused_at
        for step in walk.steps
        for word in step.split()
    }
    return {step.sed.split("_")[0] for step in table.steps if step.kind == "business"} - played


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.buc)
def test_check_finds_nothing(table: BucDefinition) -> None:
    """The static check has no complaint about the table."""
    assert [found for found in check(table, AROUND) if found.kind is FindingKind.ERROR] == []


def test_check_of_a_sub_process_finds_nothing() -> None:
    """The static check has no complaint about any sub-process; its picture can be drawn."""
    for process in SUB_PROCESSES:
        assert check_sub_process(process, DEFINITIONS.administrative, AROUND) == (), process.buc
        assert draw(picture_of_sub_process(process)).count("subgraph") == 2, process.buc


def test_every_sector_is_there() -> None:
    """99 processes and 13 sub-processes; in scope are those whose SEDs the data model defines."""
    assert (len(TABLES), len(SUB_PROCESSES)) == (99, 13)
    assert {table.buc for table in TABLES if not table.missing(AROUND.known_seds or ())} == {
        table.buc for table in IN_SCOPE
    }


def test_walks_are_many() -> None:
    """At least 250 walks must work, and at least 250 must be refused; no two of a file share a name."""
    walks = [walk for process in EVERYTHING for walk in process.walks]
    refused = sum(1 for walk in walks if walk.because)
    assert refused >= 250
    assert len(walks) - refused >= 250
    for process in EVERYTHING:
        names = [walk.name for walk in process.walks]
        assert len(names) == len(set(names)), process.buc


@pytest.mark.parametrize("process", EVERYTHING, ids=lambda process: process.buc)
def test_walks_go_as_written(process: BucDefinition | SubProcess) -> None:
    """Each run works, or its last step is refused for the reason that stands in the file."""
    faults = {run.walk.name: find_fault(run.definition, run.walk) for run in runs_of(DEFINITIONS, process)}
    assert {name: fault for name, fault in faults.items() if fault is not None} == {}


def test_tables_have_walks_of_both_kinds() -> None:
    """Each file shows what works and what is refused, several of each."""
    for table in IN_SCOPE:
        refused = [walk for walk in table.walks if walk.refused_at]
        assert len(refused) >= 3, table.buc
        assert len(table.walks) - len(refused) >= 3, table.buc


def test_walks_use_every_business_step() -> None:
    """Every SED of the process itself occurs in a run that works (of the country SEDs one)."""
    assert {table.buc: unplayed(table) for table in IN_SCOPE if unplayed(table)} == {}


def test_groups_say_where_they_come_from() -> None:
    """Every group of rows keeps its source and confidence."""
    wanted = {"title", "close", "steps", "admin"}
    assert [table.buc for table in TABLES if not wanted <= set(table.origins)] == []


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.buc)
def test_table_can_be_drawn(table: BucDefinition) -> None:
    """Both kinds of picture can be made from every table."""
    picture = picture_of(table, horizontal=True)
    assert draw(picture).count("subgraph") == 2
    assert draw_svg(picture).count('class="lane"') == 2
