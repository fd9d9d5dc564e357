"""Made-up institutions: as many as asked for, the same ones for the same seed, files that the loader reads."""

from pathlib import Path

import pytest

from eessi_sim import resources
from eessi_sim.errors import DefinitionError
from eessi_sim.identifiers import COUNTRIES
from eessi_sim.ir.generating import MOST, generated, load_kinds
from eessi_sim.ir.loader import load_network
from eessi_sim.ir.model import Exchange

KINDS = load_kinds(resources.institutions() / "kinds.yaml")


def test_made_up_institutions_are_read_without_complaint(tmp_path: Path) -> None:
    """400 institutions of 32 countries: a liaison body of each kind, some that pull, some not ready yet."""
    for name, text in generated(KINDS, 400):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    found = load_network(tmp_path / "networks" / "generated.yaml", [tmp_path]).institutions
    assert len(found) == 400
    assert {each.country for each in found} == set(COUNTRIES)
    assert sum(each.liaison_body for each in found) == len(KINDS) * len(COUNTRIES)
    assert {each.endpoint.exchange for each in found} == set(Exchange)
    assert {entry.ready for each in found for entry in each.competences} == {True, False}


def test_seed_decides_what_is_drawn() -> None:
    """The same seed gives the same files, another one others."""
    assert list(generated(KINDS, 300, 1)) == list(generated(KINDS, 300, 1))
    assert list(generated(KINDS, 300, 1)) != list(generated(KINDS, 300, 2))


@pytest.mark.parametrize("count", [0, MOST + 1])
def test_number_of_institutions_is_bounded(count: int) -> None:
    """None, or more than we make, is refused."""
    with pytest.raises(DefinitionError, match=f"Expected 1 to {MOST} institutions, found {count}"):
        list(generated(KINDS, count))
