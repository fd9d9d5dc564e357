"""Settings come from the environment, then from a file, then from the defaults."""

import os
from pathlib import Path

import pytest

from eessi_sim.errors import SettingsError
from eessi_sim.settings import CDM_FOLDERS, FILE, Value, value_of


def with_file(folder: Path, text: str) -> Path:
    (folder / FILE).write_text(text)
    return folder


def test_default_is_ours(tmp_path: Path) -> None:
    """Without any setting our own definitions are used."""
    assert value_of(CDM_FOLDERS, tmp_path, {}) == Value(("builtin",), "default")


def test_file_names_folders_from_where_it_lies(tmp_path: Path) -> None:
    """Relative folders are those beside the file; the word for ours stays a word."""
    with_file(tmp_path, '[cdm]\nfolders = ["mine", "builtin"]')
    assert value_of(CDM_FOLDERS, tmp_path, {}) == Value((str(tmp_path / "mine"), "builtin"), FILE)


def test_environment_wins_over_the_file(tmp_path: Path) -> None:
    """Several folders are separated like those of PATH."""
    with_file(tmp_path, '[cdm]\nfolders = ["mine"]')
    environment = {"EESSI_SIM_CDM": os.pathsep.join(["one", "two", ""])}
    assert value_of(CDM_FOLDERS, tmp_path, environment) == Value(("one", "two"), "EESSI_SIM_CDM")


def test_file_without_the_setting_leaves_the_default(tmp_path: Path) -> None:
    """An empty file is fine."""
    assert value_of(CDM_FOLDERS, with_file(tmp_path, ""), {}).origin == "default"


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("[cdm]\nfolder = []", 'known setting in "eessi-sim.toml", found "cdm.folder"', '"cdm.folders"?'),
        ("folders = []", 'found "folders"', "cdm.folders"),
        ('[cdm]\nfolders = "mine"', "Expected a list of folders", "folders = ["),
        ("[cdm]\nfolders = [1]", "Expected a list of folders", "folders = ["),
        ("[cdm", "Expected settings as TOML", "None"),
    ],
)
def test_mistakes_in_the_file_are_explained(tmp_path: Path, text: str, message: str, hint: str) -> None:
    """An unknown key leads to the nearest, a wrong value to an example; nothing is passed over."""
    with pytest.raises(SettingsError) as caught:
        value_of(CDM_FOLDERS, with_file(tmp_path, text), {})
    assert message in caught.value.message
    assert hint in str(caught.value.hint)


def test_wrong_file_is_told_even_when_the_environment_decides(tmp_path: Path) -> None:
    """A typo does not wait until the variable is gone."""
    with pytest.raises(SettingsError):
        value_of(CDM_FOLDERS, with_file(tmp_path, "x = 1"), {"EESSI_SIM_CDM": "one"})
