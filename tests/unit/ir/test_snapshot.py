"""The snapshot: one file, the same repository in every process."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.helpers.repositories import ZUS, certificate, repository

from eessi_sim.errors import DefinitionError
from eessi_sim.ir import snapshot
from eessi_sim.ir.repository import InstitutionRepository
from eessi_sim.security.keys import Purpose


def test_snapshot_reads_back_as_the_repository_that_was_written() -> None:
    """Nothing is lost: names, competences, habits, addresses, certificates."""
    assert snapshot.read(snapshot.write(repository())) == repository()


@given(st.text("0123456789.", max_size=8), st.sets(st.integers(0, 2)))
def test_any_part_of_a_repository_survives(version: str, kept: set[int]) -> None:
    """Writing and reading returns the same for every selection of institutions."""
    institutions = tuple(entry for number, entry in enumerate(repository().institutions) if number in kept)
    part = InstitutionRepository(version, institutions)
    assert snapshot.read(snapshot.write(part)) == part


def test_snapshot_is_the_same_text_for_the_same_repository() -> None:
    """Equal repositories give equal files, so a comparison shows what changed."""
    assert snapshot.write(repository()) == snapshot.write(repository())


def test_certificates_stand_in_the_snapshot_as_pem() -> None:
    """People can copy a certificate out of the file."""
    pem = certificate("zus", Purpose.SEAL).pem.decode().replace("\n", "\\n")
    assert pem in snapshot.write(repository()).decode()


def test_snapshot_is_shared_through_a_file(tmp_path: Path) -> None:
    """What one process saves, another loads."""
    snapshot.save(repository(), tmp_path / "ir.json")
    assert snapshot.load(tmp_path / "ir.json") == repository()


def test_newer_snapshot_replaces_the_file(tmp_path: Path) -> None:
    """Saving again leaves the new repository and nothing beside it."""
    snapshot.save(repository(), tmp_path / "ir.json")
    snapshot.save(replace(repository(), version="4.4.2"), tmp_path / "ir.json")
    assert snapshot.load(tmp_path / "ir.json").version == "4.4.2"
    assert [path.name for path in tmp_path.iterdir()] == ["ir.json"]


def test_missing_snapshot_is_named(tmp_path: Path) -> None:
    """A file that cannot be read is reported with its path."""
    with pytest.raises(DefinitionError, match=r"Expected a readable file, found No such file"):
        snapshot.load(tmp_path / "ir.json")


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ('"form": 1', '"form": 2'),
        ('"version"', '"vers"'),
        ("-----BEGIN CERTIFICATE", "-----BEGIN SOMETHING"),
        (f'"id": "{ZUS}"', '"id": "nobody"'),
        (f'"id": "{ZUS}"', '"id": 5'),
        ('"id": "PL:KRUS01"', f'"id": "{ZUS}"'),
        ('"Zak\u0142ad"', '"\ud800"'),
        ("{", "["),
    ],
)
def test_damaged_snapshot_is_refused(good: str, bad: str) -> None:
    """A file of another form, or one that somebody edited wrongly, is a definition error that names the file."""
    text = snapshot.write(repository()).decode()
    assert good in text
    with pytest.raises(DefinitionError, match=r"Expected a snapshot .*\(ir.json\)"):
        snapshot.read(text.replace(good, bad, 1).encode(errors="surrogatepass"), "ir.json")
