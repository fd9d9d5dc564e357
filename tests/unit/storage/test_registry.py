"""Back ends are found by the scheme of a URL."""

import sys
from pathlib import Path

import pytest

from eessi_sim.errors import SettingsError
from eessi_sim.storage import memory, sqlite
from eessi_sim.storage.memory import MemoryStorage
from eessi_sim.storage.registry import find_backend, open_storage, schemes


def test_scheme_is_the_name_of_a_module() -> None:
    """The built-in back ends are the modules of the same name."""
    assert find_backend("memory") is memory.open_url
    assert find_backend("sqlite") is sqlite.open_url


def test_unknown_scheme_names_the_known_ones() -> None:
    """A scheme that nobody serves is an error that lists those that can be used."""
    with pytest.raises(SettingsError, match='scheme memory, sqlite, postgresql, found "oracle"') as caught:
        find_backend("oracle")
    assert caught.value.hint


def test_package_that_a_back_end_needs_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the driver of PostgreSQL the error says how to install it."""
    monkeypatch.delitem(sys.modules, "eessi_sim.storage.postgresql", raising=False)
    monkeypatch.delitem(sys.modules, "eessi_sim.storage.postgresql_commit", raising=False)
    monkeypatch.setitem(sys.modules, "asyncpg", None)
    with pytest.raises(SettingsError, match="Expected the package asyncpg") as caught:
        find_backend("postgresql")
    assert caught.value.hint == "pip install 'eessi-sim[postgresql]'"


def test_module_that_is_no_back_end_is_no_scheme() -> None:
    """Other modules of the package cannot be reached through a URL."""
    with pytest.raises(SettingsError):
        find_backend("base")


async def test_memory_store_is_opened_by_its_url() -> None:
    """The URL of the store that forgets is its scheme."""
    assert isinstance(await open_storage("memory:"), MemoryStorage)


async def test_memory_store_has_no_name() -> None:
    """Anything behind the scheme of the store that forgets is an error."""
    with pytest.raises(SettingsError, match='Expected "memory:", found "memory:a"'):
        await open_storage("memory:a")


@pytest.fixture
def plug_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another installed package that offers a back end."""
    metadata = tmp_path / "other-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Name: other\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(
        "[eessi_sim.storage]\nother = eessi_sim.storage.memory:open_url\n"
    )
    monkeypatch.syspath_prepend(tmp_path)


@pytest.mark.usefixtures("plug_in")
def test_other_packages_add_schemes_by_entry_points() -> None:
    """A back end of another package is found by the name of its entry point."""
    assert find_backend("other") is memory.open_url
    assert schemes() == ("memory", "sqlite", "postgresql", "other")
