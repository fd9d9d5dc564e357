"""Definition folders: the user's own, else those of the checkout."""

from pathlib import Path

import pytest

from eessi_sim import resources
from eessi_sim.errors import DefinitionError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with SED definitions."""
    (tmp_path / "schemas" / "cdm").mkdir(parents=True)
    return tmp_path


def test_folder_of_the_user_is_taken(folder: Path) -> None:
    """A folder that the user names wins over everything else."""
    assert resources.definitions_root(folder) == folder


def test_folder_without_definitions_is_refused(tmp_path: Path) -> None:
    """A folder that the user names must hold definitions; nothing else is taken silently."""
    with pytest.raises(DefinitionError) as caught:
        resources.definitions_root(tmp_path)
    assert caught.value.context == {"looked_in": str(tmp_path)}


def test_checkout_has_its_definitions_beside_the_source() -> None:
    """Without a choice of the user, the definitions come with the program."""
    assert (resources.schemas() / "cdm").is_dir()


def test_institutions_stand_beside_the_schemas(folder: Path) -> None:
    """Both kinds of definitions have the same root."""
    assert resources.institutions(folder).parent == resources.schemas(folder).parent
