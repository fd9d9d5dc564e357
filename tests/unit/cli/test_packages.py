"""--cdm, EESSI_SIM_CDM and eessi-sim.toml: schemas of others instead of ours, or beside them."""

import json
from pathlib import Path

import pytest
from tests.helpers import evidence
from tests.helpers.commands import run, run_json
from tests.helpers.packages import FILES, change, write_package

A001 = FILES["la/A001-4.4.sample.xml"]


@pytest.fixture(name="package")
def _package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return write_package(tmp_path / "package")


def listed(*arguments: object) -> dict[str, list[str]]:
    return {row["sed"]: row["versions"] for row in run_json("seds", "list", *arguments)}


def test_package_alone_stands_instead_of_ours(package: Path) -> None:
    """One --cdm leaves only what the package defines."""
    assert listed("--cdm", package) == {"P2000": ["4.2"], "A001": ["4.4"]}


def test_builtin_brings_ours_back_behind_the_package(package: Path) -> None:
    """With the word builtin ours fill the gaps; the package is first."""
    found = listed("--cdm", package, "--cdm", "builtin")
    assert (found["P2000"], len(found) > 100) == (["4.2", "4.3", "4.4"], True)
    assert run("validate", "-", "--cdm", package, "--cdm", "builtin", stdin=A001).exit_code == 0


def test_builtin_in_front_wins(package: Path) -> None:
    """The first that defines a SED decides; the sample of the package is then none of ours."""
    assert run("validate", "-", "--cdm", "builtin", "--cdm", package, stdin=A001).exit_code == 1


def test_ours_do_not_help_out_when_a_package_stands_instead(package: Path) -> None:
    """A document that only ours define is refused, and the versions that are known are named."""
    [file] = run_json("validate", "-", "--cdm", package, stdin=evidence.sample())["files"]
    assert [issue["code"] for issue in file["issues"]] == ["sed-unknown"]


def test_environment_and_file_name_packages(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file counts without the variable, the variable without the option."""
    Path("eessi-sim.toml").write_text('[cdm]\nfolders = ["package"]')
    assert set(listed()) == {"P2000", "A001"}
    (package / "pensions/schemas/P2000-4.2.xsd").unlink()
    assert set(listed()) == {"A001"}
    monkeypatch.setenv("EESSI_SIM_CDM", "builtin")
    assert len(listed()) > 100
    assert set(listed("--cdm", package)) == {"A001"}


def test_settings_are_shown_with_who_set_them(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """eessi-sim settings says where a value comes from."""
    assert "builtin" in run("settings").stdout
    Path("eessi-sim.toml").write_text('[cdm]\nfolders = ["package"]')
    [from_file] = run_json("settings")
    assert (from_file["value"], from_file["origin"]) == (["package"], "eessi-sim.toml")
    monkeypatch.setenv("EESSI_SIM_CDM", str(package))
    assert "EESSI_SIM_CDM" in run("settings").stdout


def test_mistake_in_the_settings_is_a_usage_error(package: Path) -> None:
    """The exit status is that of wrong use, and the nearest key is named."""
    Path("eessi-sim.toml").write_text('[cdm]\nfolder = ["package"]')
    result = run("seds", "list")
    assert (result.exit_code, 'Did you mean "cdm.folders"?' in result.stderr) == (2, True)


@pytest.mark.parametrize("name", ["nowhere", "."])
def test_wrong_folder_is_told_with_who_named_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """A folder that is none, or has no schema of a SED, is a usage error that names the option or variable."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EESSI_SIM_CDM", name)
    result = run("seds", "list")
    assert (result.exit_code, f'"{name}" (EESSI_SIM_CDM), found none' in result.stderr) == (2, True)


def test_two_schemas_for_one_sed_are_told(package: Path) -> None:
    """Both files are named."""
    change(package, "again/A001-4.4.xsd", "", "", FILES["la/A001-4.4.xsd"])
    result = run("seds", "list", "--cdm", package)
    assert "again/A001-4.4.xsd" in result.stderr
    assert "la/A001-4.4.xsd" in result.stderr


def test_sample_goes_to_json_and_back_through_the_validator(package: Path) -> None:
    """Sample, JSON form and validation work from the package alone."""
    written = run("sample", "a001", "--format", "json", "--cdm", package).stdout
    assert json.loads(written)["A001"]["fee"][0]["currency"] == "EUR"
    assert run("validate", "-", "--cdm", package, stdin=written).exit_code == 0


def test_dictionary_and_codes_come_from_the_package(package: Path) -> None:
    """seds show needs no annotation of ours."""
    shown = run_json("seds", "show", "A001", "--cdm", package)
    assert shown["namespace"] == "http://ec.europa.eu/eessi/ns/4_4/A001"
    assert shown["code_lists"]["CountryCode"] == [{"code": "NO", "label": ""}, {"code": "PL", "label": ""}]
