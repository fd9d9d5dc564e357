"""Process files: what a loader accepts, and what it says about the rest."""

from pathlib import Path

import pytest
from tests.helpers.processes import SMALL, small, table

from eessi_sim.buc.administration import Offered
from eessi_sim.buc.case import CaseRole
from eessi_sim.buc.loader import Definitions, load_definition, read_definition
from eessi_sim.buc.terms import Confidence, Permission, StepKind
from eessi_sim.definition_files import read_yaml
from eessi_sim.errors import DefinitionError
from eessi_sim.identifiers import SedType


def test_every_table_is_loaded() -> None:
    """The folder of the program holds all 99 processes, each in the folder of its sector."""
    found = Definitions.default().all()
    assert len(found) == 99
    assert {(d.sector, Path(d.file).parent.name) for d in found} == {
        (sector, sector) for sector in ("LA", "P", "UB", "H", "FB", "S", "AW", "R", "M")
    }


def test_every_sub_process_is_loaded() -> None:
    """The thirteen administrative sub-processes describe fifteen SEDs."""
    processes = Definitions.default().sub_processes
    assert (len(processes), sum(len(process.rules) for process in processes)) == (13, 15)


def test_tables_are_read_once() -> None:
    """The tables of the program are the same object each time."""
    assert Definitions.default() is Definitions.default()


def test_unknown_process_suggests_the_nearest() -> None:
    """Asking for a process without a table names the one that is meant."""
    with pytest.raises(DefinitionError, match="LA_BUC_2") as caught:
        Definitions.default().get("LA_BUC_2")
    assert caught.value.hint == 'Did you mean "LA_BUC_02"?'


def test_find_returns_nothing_for_any_text() -> None:
    """Looking for something that is not even an id of a process finds nothing."""
    assert Definitions.default().find("nonsense") is None


def test_unknown_key_names_file_line_and_the_nearest_key() -> None:
    """A misspelt key is an error with its place and a suggestion."""
    with pytest.raises(DefinitionError, match=r"T_BUC_01\.yaml, line 19") as caught:
        small(("sed: T003, from: CO, after", "sed: T003, from: CO, afer"))
    assert caught.value.hint == 'Did you mean "after"?'


def test_file_is_called_after_its_process() -> None:
    """A table in a file of another name is refused."""
    with pytest.raises(DefinitionError, match="name of the file") as caught:
        read_definition(read_yaml(SMALL, "OTHER.yaml"), {})
    assert caught.value.hint == "Call the file T_BUC_01.yaml."


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("from: CO, starter", "from: XX, starter", "Expected CO or CP"),
        ("sed: T003, from: CO", "sed: t003, from: CO", "Expected a SED type"),
        ("participation: bilateral", "participation: both", "Expected bilateral or"),
        ("repeatable: true", "repeatable: yes", "Expected true or false"),
        ("repeatable: true", "if: moon-is-full", 'found "moon-is-full"'),
        ("sender_may: [update, invalidate]}", "sender_may: [reject]}", 'found "reject"'),
        ("local: [CO, CP]", "for_all: {by: [CO], after: P60D}", 'Expected "after" and "since" together'),
    ],
)
def test_wrong_value_is_refused_with_its_place(old: str, new: str, message: str) -> None:
    """A value that means nothing here is an error that names file and line."""
    with pytest.raises(DefinitionError, match=message) as caught:
        small((old, new))
    assert caught.value.context["file"] == "T_BUC_01.yaml"


def test_missing_file_of_sectors_is_named(tmp_path: Path) -> None:
    """A folder without sectors.yaml is refused by name."""
    with pytest.raises(DefinitionError, match=r"sectors\.yaml"):
        Definitions.load(tmp_path)


def test_process_stands_in_one_file(tmp_path: Path) -> None:
    """Two files for one process are refused, wherever they stand."""
    (tmp_path / "sectors.yaml").write_text("sectors: []\n")
    (tmp_path / "T").mkdir()
    for folder in (tmp_path, tmp_path / "T"):
        (folder / "T_BUC_01.yaml").write_text(SMALL)
    with pytest.raises(DefinitionError, match="Expected one file for T_BUC_01"):
        Definitions.load(tmp_path)


def test_file_is_read_when_its_process_is_wanted(tmp_path: Path) -> None:
    """A wrong file is an error of who asks for its process, not of the others."""
    (tmp_path / "sectors.yaml").write_text("sectors: []\n")
    (tmp_path / "T_BUC_01.yaml").write_text(SMALL)
    (tmp_path / "T_BUC_02.yaml").write_text("buc: T_BUC_02\n")
    definitions = Definitions.load(tmp_path)
    assert definitions.names() == ("T_BUC_01", "T_BUC_02")
    assert definitions.get("T_BUC_01") is definitions.get("T_BUC_01")
    with pytest.raises(DefinitionError, match=r"T_BUC_02\.yaml"):
        definitions.get("T_BUC_02")


def test_folder_with_one_process_is_loaded(tmp_path: Path) -> None:
    """A folder of one's own needs sectors.yaml and the file of the process."""
    (tmp_path / "sectors.yaml").write_text("sectors: []\n")
    (tmp_path / "T_BUC_01.yaml").write_text(SMALL)
    assert [d.buc for d in Definitions.load(tmp_path).all()] == ["T_BUC_01"]


def test_administrative_seds_are_read_with_their_origin() -> None:
    """A row of a sub-process keeps source and confidence."""
    rule = Definitions.default().administrative[SedType("X008")]
    assert (rule.offered, rule.permission, rule.origin.confidence) == (
        Offered.SENT,
        Permission.INVALIDATE,
        Confidence.DOCUMENTED,
    )


def test_groups_keep_source_and_confidence() -> None:
    """Every group of a process file keeps where it comes from."""
    definition = table("LA_BUC_02")
    assert {"close", "steps", "title"} <= set(definition.origins)
    assert definition.origins["steps"].source == "RINA"
    assert definition.title.confidence is Confidence.INFERRED


def test_country_row_makes_a_step_for_each_country() -> None:
    """P3000 stands for one SED per country."""
    seds = [sed for sed in table("P_BUC_01").seds() if sed.startswith("P3000")]
    assert (len(seds), "P3000_EL" in seds, "P3000_UK" in seds) == (32, True, True)


def test_horizontal_row_makes_a_step_for_each_role() -> None:
    """A horizontal SED of both roles can be sent by both once the case is started."""
    steps = [step for step in table("UB_BUC_01").steps if step.sed == "H001"]
    assert {step.sender for step in steps} == set(CaseRole)
    assert {step.kind for step in steps} == {StepKind.HORIZONTAL}
    assert {step.after for step in steps} == {table("UB_BUC_01").starters}


def test_counterparties_reach_each_other_only_in_multilateral_cases() -> None:
    """Without a word about receivers, a counterparty sends to the owner, and to others where there are."""
    two = next(s for s in small().steps if s.sed == "T002")
    many = next(s for s in small(("bilateral", "multilateral")).steps if s.sed == "T002")
    assert (two.to, many.to) == (frozenset({CaseRole.CASE_OWNER}), frozenset(CaseRole))


def test_deadline_is_kept_for_people() -> None:
    """A legal deadline of a row is kept with its length and its article."""
    deadline = next(s for s in table("LA_BUC_02").steps if s.sed == "A004").deadline
    assert deadline is not None
    assert (deadline.months, deadline.article) == (2, "Art. 16(3) Reg. 987/2009")
    assert deadline.text.startswith("2 months")


def test_missing_seds_are_those_of_the_process_itself() -> None:
    """What a data model lacks is told of the business SEDs, not of horizontal ones."""
    assert table("UB_BUC_01").missing({SedType("U001"), SedType("U002")}) == (
        "U001CB",
        "U003",
        "U005",
        "U017",
        "U004",
        "U006",
    )


@pytest.mark.parametrize(
    ("buc", "sed", "facts"),
    [
        ("UB_BUC_02", "U010", ["monthly-follow-up"]),
        ("UB_BUC_02", "U011", []),
        ("UB_BUC_02", "X003", ["agreed"]),
        ("P_BUC_08", "X006", []),
    ],
)
def test_table_says_where_facts_stand(buc: str, sed: str, facts: list[str]) -> None:
    """Facts of a business SED stand in the table, those of an administrative one in its sub-process."""
    assert [place.fact for place in table(buc).places_in(SedType(sed))] == facts
    assert table(buc).says_something(SedType(sed)) is (sed != "U011")


def test_single_files_can_be_loaded(tmp_path: Path) -> None:
    """A process file outside the folder is loaded with the rows of the sub-processes."""
    path = tmp_path / "T_BUC_01.yaml"
    path.write_text(SMALL)
    assert load_definition(path, Definitions.default().administrative).buc == "T_BUC_01"


def test_table_without_administrative_seds_offers_none() -> None:
    """Without rows for X-SEDs the process knows none."""
    definition = read_definition(read_yaml(SMALL, "T_BUC_01.yaml"), {})
    assert definition.tables[CaseRole.CASE_OWNER].on_start == ()
