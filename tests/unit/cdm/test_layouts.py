"""A folder of schemas says by the names of its files what it defines, in our lay-out or that of official packages."""

from pathlib import Path

import pytest
from tests.helpers.packages import write_package

from eessi_sim.cdm.layouts import places
from eessi_sim.errors import DefinitionError


def touch(folder: Path, *names: str) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("<schema/>")
    return folder


def names(folder: Path) -> list[tuple[str, str, str]]:
    return [(place.type, place.version, place.xsd.name) for place in places(folder)]


def test_official_names_say_sed_and_version(tmp_path: Path) -> None:
    """Files named <SED>-<version>.xsd are found anywhere below the folder."""
    assert names(write_package(tmp_path)) == [
        ("A001", "4.4", "A001-4.4.xsd"),
        ("P2000", "4.2", "P2000-4.2.xsd"),
    ]


def test_schema_that_is_no_sed_is_only_a_file_that_others_use(tmp_path: Path) -> None:
    """Types of any name lie beside the SEDs of an official package, even in a folder named like a version."""
    touch(tmp_path, "4.4/A003-4.4.xsd", "4.4/common/types.xsd", "4.4/common/types-4.4.xsd")
    assert names(tmp_path) == [("A003", "4.4", "A003-4.4.xsd")]


@pytest.mark.parametrize("sed", ["U001CB", "P3000_DE", "SYN001"])
def test_every_kind_of_sed_name_is_understood(tmp_path: Path, sed: str) -> None:
    """Country letters and the other endings belong to the name of the SED."""
    assert names(touch(tmp_path, f"{sed}-4.3.xsd")) == [(sed, "4.3", f"{sed}-4.3.xsd")]


def test_official_package_may_be_read_from_its_folder_on(tmp_path: Path) -> None:
    """The schemas may use any file below the folder that was named, and nothing above it."""
    [place] = places(touch(tmp_path, "seds/A003-4.4.xsd"))
    assert (place.root, place.sector) == (tmp_path, "A")


def test_both_lay_outs_may_stand_in_one_folder(tmp_path: Path) -> None:
    """Files in our lay-out count beside those named like official ones."""
    assert [one[0] for one in names(touch(tmp_path, "A003-4.4.xsd", "4.4/U/U002.xsd"))] == ["A003", "U002"]


def test_two_files_for_one_sed_are_refused(tmp_path: Path) -> None:
    """Which of two schemas of the same version counts would be chance; both are named."""
    touch(tmp_path, "new/A003-4.4.xsd", "old/A003-4.4.xsd")
    with pytest.raises(DefinitionError, match=r"one schema of A003 in version 4\.4.*new/A003.*old/A003"):
        places(tmp_path)
