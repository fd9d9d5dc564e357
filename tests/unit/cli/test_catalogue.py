"""eessi-sim sample, seds, bucs, institutions: what there is, for people and for programs."""

import json
import shutil
from itertools import groupby, islice
from pathlib import Path

import pytest
from tests.helpers import definitions
from tests.helpers.commands import run, run_json
from tests.helpers.golden import assert_golden

from eessi_sim import resources
from eessi_sim.buc.loader import Definitions
from eessi_sim.cdm.catalogue import Catalogue

CDM = ("--cdm", definitions.FOLDER)

INSTITUTION = """
id: NO:TEST01
name: {en: Test institution, nb: Prøveetat}
country: NO
external: true
competences:
  - {buc: LA_BUC_02, roles: [CaseOwner, Counterparty], from: 2020-01-01, until: 2030-12-31, ready: false}
contact: {email: a@b.example, street: Street 1, town: Oslo}
endpoint: {exchange: pull}
behaviours:
  - {when: A003, reply: A012, after: PT90S}
  - {when: P4000, send: [P5000, P6000]}
"""


def institution_folder(folder: Path) -> Path:
    (folder / "NO").mkdir()
    (folder / "NO" / "TEST01.yaml").write_text(INSTITUTION)
    return folder


# sample


def test_every_sample_is_valid() -> None:
    """What sample writes, validate accepts."""
    for definition in Catalogue.default().definitions():
        sample = run("sample", definition.type).stdout_bytes
        assert run("validate", "-", stdin=sample).exit_code == 0, definition.type


def test_a_sample_in_json_is_valid() -> None:
    """RINA's form of a sample is valid, too."""
    text = run("sample", "u002", "--format", "json").stdout
    assert set(json.loads(text)) == {"U002"}
    assert run("validate", "-", stdin=text).exit_code == 0


def test_a_sample_may_be_written_to_a_file(tmp_path: Path) -> None:
    """-o writes a file and says so."""
    result = run("sample", "A003", "-o", tmp_path / "a.xml")
    assert (result.stdout, result.stderr) == ("", f"Wrote {tmp_path / 'a.xml'}\n")


def test_an_unknown_sed_names_the_nearest() -> None:
    """A SED that does not exist is a usage error with suggestions."""
    result = run("sample", "A0003")
    assert result.exit_code == 2
    assert 'Did you mean "A003"' in result.stderr


def test_a_word_that_is_no_sed_type_is_a_usage_error() -> None:
    """What is no SED type is told what one looks like."""
    assert "Expected a SED type such as A003" in run("sample", "hello").stderr


def test_a_sample_needs_a_sed() -> None:
    """Without a SED the command says how to find one."""
    assert "eessi-sim sample --list" in run("sample").stderr


@pytest.mark.parametrize("version", ["9.9", "four"])
def test_an_unknown_version_lists_those_there_are(version: str) -> None:
    """A version that does not exist is a usage error."""
    result = run("sample", "A003", "--version", version)
    assert result.exit_code == 2
    assert "Known here: 4.3, 4.4." in result.stderr


def test_a_version_chooses_the_definition() -> None:
    """A SED may be defined in several versions; the newest is taken unless one is named."""
    assert "sedVer" in run("sample", "A901", *CDM).stdout
    result = run("sample", "A901", *CDM, "--version", "4.2")
    assert result.exit_code == 0
    assert "/4_2/A901" in result.stdout


def test_a_sed_that_the_version_lacks_is_told_with_the_version() -> None:
    """A SED may be missing in one version."""
    assert "that is defined in version 4.2" in run("sample", "A003", *CDM, "--version", "4.2").stderr


def test_samples_are_listed() -> None:
    """--list shows the SEDs that have a sample."""
    assert "A003" in run("sample", "--list").stdout
    assert {"sed", "version", "title", "sample"} == set(run_json("sample", "--list")[0])


# seds


def test_versions_of_a_sed_are_compared() -> None:
    """seds diff names what one version has and the other has not."""
    changes = run_json("seds", "diff", "a008", "4.3", "4.4")["changes"]
    assert {"kind": "field", "name": "AdditionalInformation", "old": None, "new": "0..1 group"} in changes


def test_comparison_is_a_table_with_both_versions() -> None:
    """What a version lacks is a dash."""
    text = run("seds", "diff", "X010", "4.3", "4.4").stdout
    assert "CDM 4.3" in text
    assert "0..1 text (255)   0..1 text (500)" in text


def test_equal_versions_say_so() -> None:
    """No table without differences."""
    assert run("seds", "diff", "A003", "4.3", "4.4").stdout == (
        "A003 has the same fields, codes and rules in CDM 4.3 and 4.4\n"
    )


def test_seds_are_listed() -> None:
    """Every SED is in the list, with title and confidence."""
    text = run("seds", "list").stdout
    assert all(definition.type in text for definition in Catalogue.default().definitions())
    assert "Determination of Applicable Legislation" in text


def test_seds_of_a_sector_are_listed() -> None:
    """--sector leaves the others out."""
    assert {each["sector"] for each in run_json("seds", "list", "--sector", "la")} == {"LA"}


def test_an_unknown_sector_lists_those_there_are() -> None:
    """A sector that does not exist is a usage error."""
    assert "Known here: " in run("seds", "list", "--sector", "Q").stderr


def test_versions_of_a_sed_are_one_line() -> None:
    """A SED with several versions is listed once."""
    [entry] = [each for each in run_json("seds", "list", *CDM) if each["sed"] == "A901"]
    assert entry["versions"] == ["4.2", "4.4"]


def test_a_sed_is_shown_with_fields_rules_and_codes() -> None:
    """The dictionary of a SED is a table, its rules another, its code lists follow."""
    assert_golden("cli/seds-show.txt", run("seds", "show", "A901", *CDM, "--codes").stdout)


def test_a_sed_without_rules_shows_its_fields_only() -> None:
    """A SED need not have rules."""
    assert "Business rules" not in run("seds", "show", "A901", *CDM, "--version", "4.2").stdout


def test_a_sed_as_json_has_the_documented_shape() -> None:
    """The JSON form is stable."""
    result = run_json("seds", "show", "A003")
    assert {"fields", "rules", "code_lists", "namespace", "legal_basis"} <= set(result)
    assert {"path", "type", "occurrence", "code_list", "meaning"} <= set(result["fields"][0])
    assert {"id", "severity", "test", "message"} <= set(result["rules"][0])
    assert result["code_lists"]["Country"][0].keys() == {"code", "label"}


def largest_of_each_letter() -> list[str]:
    """The three SEDs of each letter whose schemas are the longest; of all SEDs ``test_every_sed`` makes the rows."""
    by_size = sorted(
        {each.type: each.xsd.stat().st_size for each in Catalogue.default().definitions()}.items(),
        key=lambda pair: (pair[0][0], -pair[1], pair[0]),
    )
    return [sed for _, group in groupby(by_size, lambda pair: pair[0][0]) for sed, _ in islice(group, 3)]


@pytest.mark.parametrize("sed", largest_of_each_letter())
def test_largest_seds_can_be_shown(sed: str) -> None:
    """No dictionary is too large or too deep to be shown."""
    result = run("seds", "show", sed)
    assert result.exit_code == 0
    assert max(map(len, result.stdout.splitlines())) <= 100


# bucs


def test_bucs_are_listed() -> None:
    """Every process is in the list."""
    text = run("bucs", "list").stdout
    assert all(definition.buc in text for definition in Definitions.default().all())
    assert {"buc", "title", "starters", "seds"} <= set(run_json("bucs", "list")[0])


def test_a_buc_is_shown_for_both_roles() -> None:
    """Each role has its own table."""
    text = run("bucs", "show", "la_buc_02").stdout
    assert "The case owner (CO) may send: business SEDs" in text
    assert "A counterparty (CP) may send: business SEDs" in text
    assert "A004 or A012, one per request" in text
    assert "for all by X001 of the case owner, 60 days after A003" in text


def test_a_buc_tells_limits_and_rinas_names() -> None:
    """Each limit with the law, and what RINA calls the actions that make administrative SEDs."""
    found = run_json("bucs", "show", "LA_BUC_02")
    assert [(each["since"], each["article"]) for each in found["limits"]] == [("A004", "Decision A1")]
    assert {"sed": "X009", "rina": "Create Reminder"} in found["administrative"]
    assert "X001 (Close Case)" in run("bucs", "show", "LA_BUC_02").stdout


def test_national_variants_share_a_row() -> None:
    """P3000_AT, P3000_BE and so on are one row."""
    text = run("bucs", "show", "P_BUC_01").stdout
    assert "P3000_XX (32)" in text
    assert "P3000_AT" not in text


@pytest.mark.parametrize(
    "buc",
    ["LA_BUC_02", "P_BUC_01", "UB_BUC_04", "H_BUC_02b", "FB_BUC_03", "S_BUC_01a", "AW_BUC_05", "R_BUC_02"],
)
def test_every_buc_can_be_shown_and_drawn(buc: str) -> None:
    """Text, JSON and picture exist for a process of every sector; the tests of the tables draw all."""
    assert run("bucs", "show", buc).exit_code == 0
    assert run_json("bucs", "show", buc)["steps"]
    assert "flowchart LR" in run("bucs", "draw", buc).stdout
    assert run_json("bucs", "draw", buc, "--horizontal")["buc"] == buc
    assert run_json("bucs", "draw", buc, "--svg")["svg"].startswith("<svg")


def test_a_sub_process_is_shown() -> None:
    """Each SED of a sub-process stands with when it is offered and what it does."""
    text = " ".join(run("bucs", "show", "AD_BUC_02").stdout.split())
    assert "X003" in text
    assert "as answer to" in text
    assert run("bucs", "show", "AD_BUC_10").stdout.endswith("It has no SED of its own.\n")
    assert run("bucs", "show", "AD_BUC_13").exit_code == 0
    seds = run_json("bucs", "show", "ad_buc_05")["seds"]
    assert (seds[0]["sed"], seds[0]["effect"]) == ("X007", "forward-case")


def test_a_sub_process_is_drawn() -> None:
    """The administrative sub-processes have pictures too."""
    assert "S_X002" in run("bucs", "draw", "ad_buc_02").stdout
    assert "<title>AD_BUC_02 Reopen Case</title>" in run("bucs", "draw", "AD_BUC_02", "--svg").stdout


def test_an_unknown_buc_names_the_nearest() -> None:
    """A process that does not exist is a usage error with suggestions."""
    result = run("bucs", "show", "LA_BUC_2")
    assert result.exit_code == 2
    assert 'Did you mean "LA_BUC_02"' in result.stderr


def test_the_tables_are_in_order() -> None:
    """The check of the tables that come with the program finds nothing."""
    text = "✓ 99 processes and 13 sub-processes checked, nothing found\n"
    for wanted in ((), ("--all",)):
        result = run("bucs", "check", *wanted)
        assert (result.exit_code, result.stdout) == (0, text)


@pytest.mark.parametrize("buc", ["P_BUC_01", "AD_BUC_02"])
def test_one_process_is_checked(buc: str) -> None:
    """A process, or a sub-process, may be checked alone."""
    assert run("bucs", "check", buc.lower()).stdout == f"✓ {buc} checked, nothing found\n"


def test_all_or_one_process_is_checked() -> None:
    """--all and a name contradict each other."""
    assert run("bucs", "check", "P_BUC_01", "--all").exit_code == 2


def test_other_sectors_lack_schemas() -> None:
    """SEDs of sectors out of scope are no fault, and named when asked for."""
    assert run_json("bucs", "check", "M_BUC_01") == []
    result = run("bucs", "check", "M_BUC_01", "--schemas")
    assert (result.exit_code, "M_BUC_01.yaml:" in result.stdout) == (0, True)


def test_seds_without_schema_are_found_in_scope(tmp_path: Path) -> None:
    """A SED of a sector in scope that the data model does not define is a fault with its place."""
    folder = tmp_path / "buc"
    shutil.copytree(resources.schemas() / "buc", folder)
    path = folder / "UB" / "UB_BUC_01.yaml"
    path.write_text(path.read_text().replace("U003", "U903"))
    found = run_json("bucs", "check", "UB_BUC_01", "--folder", folder)
    assert {"buc": "UB_BUC_01", "kind": "error", "code": "unknown-sed"}.items() <= found[0].items()
    table = run("bucs", "check", "UB_BUC_01", "--folder", folder)
    assert "U903" in table.stdout


def test_tables_of_ones_own_are_checked(tmp_path: Path) -> None:
    """A table that nobody can finish is a finding, and exit status 1."""
    folder = tmp_path / "buc"
    shutil.copytree(resources.schemas() / "buc", folder)
    path = folder / "LA" / "LA_BUC_04.yaml"
    path.write_text(path.read_text().replace("starters: [A009]", "starters: [A010]"))
    result = run("bucs", "check", "LA_BUC_04", "--folder", folder)
    assert result.exit_code == 1
    assert "A010" in result.stdout


def test_walks_of_a_process_are_played() -> None:
    """Without a name every walk is played and shown."""
    result = run("bucs", "walk", "H_BUC_02c")
    assert result.exit_code == 0
    assert "that must be refused" in result.stdout
    played = run_json("bucs", "walk", "AD_BUC_03")
    assert {each["fault"] for each in played} == {None}


def test_process_without_walks_says_so() -> None:
    """Processes of other sectors have no walks."""
    assert run("bucs", "walk", "M_BUC_01").stdout == "The file of this process has no walks.\n"


def test_a_walk_is_named_so_that_it_is_the_only_one() -> None:
    """Several that begin so are named, and so is what is near none."""
    several = run("bucs", "walk", "LA_BUC_02", "--name", "the owner sends").stderr
    assert '"the owner sends", which begins several: "the owner sends A003' in several
    assert 'found "nope". Known here: full run' in run("bucs", "walk", "LA_BUC_02", "--name", "nope").stderr


def test_one_walk_is_shown_step_by_step() -> None:
    """Each step stands with its date, what came of it, and the copies of the case."""
    result = run("bucs", "walk", "LA_BUC_02", "--name", "the owner cannot close before")
    assert result.exit_code == 0
    assert "2026-04-30" in result.stdout
    assert "refused as action-not-available, as it must be" in result.stdout
    worked = run(
        "bucs", "walk", "LA_BUC_02", "--name", "EVERY counterparty approves, the owner closes at once"
    )
    assert "CO closed 4, CP1 closed 3, CP2 closed 3" in " ".join(worked.stdout.split())
    steps = run_json("bucs", "walk", "AD_BUC_01", "--name", "a day too early")
    assert [each["refused"] for each in steps] == [None, None, "action-not-available"]
    assert steps[0]["copies"]["CP"] == {"status": "open", "documents": ["A009 received"]}


@pytest.mark.parametrize("name", ["no such walk", "a"])
def test_walk_is_named_without_doubt(name: str) -> None:
    """A name that fits none, or several, is a usage error."""
    assert run("bucs", "walk", "LA_BUC_02", "--name", name).exit_code == 2


def test_walk_that_goes_otherwise_is_told(tmp_path: Path) -> None:
    """A walk that does not go as its file says is a finding."""
    folder = tmp_path / "buc"
    shutil.copytree(resources.schemas() / "buc", folder)
    path = folder / "LA" / "LA_BUC_04.yaml"
    path.write_text(path.read_text().replace("- wait P29D", "- wait P30D"))
    result = run("bucs", "walk", "LA_BUC_04", "--folder", folder)
    assert (result.exit_code, "found no refusal" in " ".join(result.stdout.split())) == (1, True)
    one = run("bucs", "walk", "LA_BUC_04", "--name", "the delay counts", "--folder", folder)
    assert one.exit_code == 1


def test_rules_are_written_as_schematron(tmp_path: Path) -> None:
    """seds schematron writes a schema with a pattern for each rule."""
    target = tmp_path / "a003.sch"
    assert run("seds", "schematron", "A003", "-o", target).exit_code == 0
    document = run_json("seds", "schematron", "A003")
    assert target.read_text(encoding="utf-8") == document["schematron"]
    assert 'id="A003-R01"' in document["schematron"]


# institutions


def test_institutions_are_listed() -> None:
    """Every institution is in the list with its competences."""
    assert "LA_BUC_02 CO/CP" in run("institutions", "list").stdout


def test_institutions_may_be_filtered() -> None:
    """--country and --buc leave the others out."""
    found = run_json("institutions", "list", "--country", "de", "--buc", "p_buc_01")
    assert {each["country"] for each in found} == {"DE"}
    assert "DE:BA01" not in {each["id"] for each in found}


def test_no_institution_may_fit() -> None:
    """An empty list is told in words."""
    assert run("institutions", "list", "--country", "XX").stdout == "No institution fits.\n"


def test_an_institution_is_shown(tmp_path: Path) -> None:
    """Names, competences and behaviours of one institution."""
    folder = institution_folder(tmp_path)
    result = run("institutions", "show", "no:test01", "--folder", folder)
    assert_golden("cli/institution.txt", result.stdout)


def test_who_decides_a_behaviour_is_shown(tmp_path: Path) -> None:
    """A rule that suggests, one that leaves it to a clerk, one for what is overdue."""
    folder = institution_folder(tmp_path)
    file = folder / "NO" / "TEST01.yaml"
    text = file.read_text().partition("behaviours:")[0]
    rules = [
        "{when: A003, reply: A012, decides: suggesting}",
        "{when: A008, decides: manual}",
        "{overdue: A003, send: [X009]}",
    ]
    file.write_text(text + "behaviours:\n" + "".join(f"  - {rule}\n" for rule in rules))
    shown = run("institutions", "show", "NO:TEST01", "--folder", folder).stdout
    assert "A012 as reply, after 0 s (suggesting)" in shown
    assert "nothing, after 0 s (manual)" in shown
    assert "A003, answer overdue" in shown


def test_an_institution_as_json_has_the_documented_shape(tmp_path: Path) -> None:
    """The JSON form is stable."""
    result = run_json("institutions", "show", "NO:TEST01", "--folder", institution_folder(tmp_path))
    assert result["names"] == {"en": "Test institution", "nb": "Prøveetat"}
    assert result["contact"] == {"email": "a@b.example", "street": "Street 1", "town": "Oslo"}
    assert result["competences"][0]["until"] == "2031-01-01T00:00:00.000Z"
    assert result["behaviours"][0] == {
        "id": "A003-A012",
        "occasion": "received",
        "decides": "automatic",
        "when": "A003",
        "reply": "A012",
        "send": [],
        "after_seconds": 90.0,
    }


def test_an_institution_without_behaviours_is_shown(tmp_path: Path) -> None:
    """An institution that does nothing by itself has no table of behaviours."""
    path = institution_folder(tmp_path) / "NO" / "TEST01.yaml"
    path.write_text(INSTITUTION.partition("behaviours:")[0])
    assert "Behaviours" not in run("institutions", "show", "NO:TEST01", "--folder", tmp_path).stdout


def test_an_institution_of_every_country_can_be_shown() -> None:
    """None lacks what is shown; each reads the whole folder, so one for each country is tried."""
    for party in {each["id"][:2]: each["id"] for each in run_json("institutions", "list")}.values():
        assert run("institutions", "show", party).exit_code == 0


def test_an_unknown_institution_names_the_nearest() -> None:
    """An institution that does not exist is a usage error with suggestions."""
    result = run("institutions", "show", "NO:NAVAT7")
    assert result.exit_code == 2
    assert '"NO:NAVAT07"' in result.stderr


def test_a_folder_without_institutions_is_a_usage_error(tmp_path: Path) -> None:
    """--folder has to hold institutions."""
    assert run("institutions", "list", "--folder", tmp_path).exit_code == 2
