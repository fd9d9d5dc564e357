"""The one table of settings: what can be set once instead of on every command line.

Order of precedence: command line, environment ``EESSI_SIM_*``, file ``eessi-sim.toml`` in the working directory,
default. Below this module only the values travel; no service reads settings by itself.
"""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from eessi_sim.definition_files import suggestion
from eessi_sim.errors import SettingsError

FILE: Final = "eessi-sim.toml"
BUILTIN: Final = "builtin"
"""Stands for the definitions that come with the program, in a list of folders."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One thing that can be set; all are lists of folders so far."""

    name: str
    """Table and key in the file."""
    variable: str
    """In the environment; folders are separated as in PATH."""
    default: tuple[str, ...]
    help: str


@dataclass(frozen=True, slots=True)
class Value:
    """What a setting is, and who said so."""

    folders: tuple[str, ...]
    origin: str


CDM_FOLDERS: Final = Setting(
    "cdm.folders",
    "EESSI_SIM_CDM",
    (BUILTIN,),
    f"Folders of SED schemas, the first that defines a SED wins; {BUILTIN} names ours.",
)
SETTINGS: Final = (CDM_FOLDERS,)


def value_of(setting: Setting, folder: Path, environment: Mapping[str, str] = os.environ) -> Value:
    """Return what a setting is when the command line says nothing.

    Args:
        setting: the setting.
        folder: the working directory; may hold the file.
        environment: variables.

    Raises:
        SettingsError: the file cannot be read, has an unknown key, or a value of the wrong kind.
    """
    in_file = _read(folder / FILE)
    if words := environment.get(setting.variable):
        return Value(tuple(filter(None, words.split(os.pathsep))), setting.variable)
    if setting.name in in_file:
        return Value(tuple(_from_here(folder, name) for name in in_file[setting.name]), FILE)
    return Value(setting.default, "default")


def _from_here(folder: Path, name: str) -> str:
    """Return the path of a folder that the file names from where it lies."""
    return name if name == BUILTIN else str(folder / name)


def _read(file: Path) -> dict[str, list[str]]:
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f'Expected settings as TOML in "{file.name}", found: {error}') from error
    return {
        name: _checked(name, value)
        for table, keys in content.items()
        for name, value in _named(table, keys).items()
    }


def _named(table: str, keys: object) -> dict[str, object]:
    return (
        {f"{table}.{key}": value for key, value in keys.items()} if isinstance(keys, dict) else {table: keys}
    )


def _checked(name: str, value: object) -> list[str]:
    known = [setting.name for setting in SETTINGS]
    if name not in known:
        raise SettingsError(
            f'Expected a known setting in "{FILE}", found "{name}"',
            hint=suggestion(name, known),
        )
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise SettingsError(
            f'Expected a list of folders for "{name}" in "{FILE}", found {value!r}',
            hint='Write folders = ["my-package", "builtin"] in the table [cdm].',
        )
    return value
