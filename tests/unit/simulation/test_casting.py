"""Who plays the parties of a walk."""

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from eessi_sim import resources
from eessi_sim.buc.loader import Definitions
from eessi_sim.buc.terms import Walk
from eessi_sim.errors import DefinitionError
from eessi_sim.identifiers import BucType, InstitutionId
from eessi_sim.ir.loader import NetworkDefinition
from eessi_sim.simulation.assembly import load_definition
from eessi_sim.simulation.casting import cast, names_in, silent

AT = datetime(2026, 3, 2, tzinfo=UTC)


def network(name: str) -> NetworkDefinition:
    return load_definition(resources.institutions() / "networks" / f"{name}.yaml")


def casting(
    buc: str, parties: Sequence[str], *steps: str, within: str = "europe", seed: int = 0
) -> dict[str, InstitutionId]:
    walk = Walk(name="a walk", parties=tuple(parties), steps=steps)
    return cast(network(within), Definitions.default().get(BucType(buc)), walk, at=AT, seed=seed)


def test_parties_are_of_different_countries() -> None:
    """The owner and every counterparty are each of another State."""
    found = casting("P_BUC_01", ["CO", "CP1", "CP2", "CP3"], "CO send P2000")
    assert len({institution.country for institution in found.values()}) == 4


def test_same_seed_gives_the_same_cast() -> None:
    """A run can be repeated."""
    first, again = (casting("UB_BUC_01", ["CO", "CP"], "CO send U001", seed=3) for _ in range(2))
    assert first == again


def test_sed_of_a_country_brings_somebody_of_that_country() -> None:
    """Where a SED is made for Norway, a counterparty is Norwegian."""
    found = casting("P_BUC_01", ["CO", "CP1", "CP2"], "CO send P2000", "wait P1D", "CO send P3000_NO")
    assert "NO" in {found["CP1"].country, found["CP2"].country}


def test_case_is_forwarded_inside_a_country() -> None:
    """Who takes the place of a party by X007 is of the same State, the others are not."""
    found = casting("P_BUC_01", ["CO", "CP1", "CP2"], "CO send P2000", "CP1 send X007 joins NEW")
    assert found["NEW"].country == found["CP1"].country
    assert found["NEW"] != found["CP1"]


def test_network_without_enough_countries_is_refused() -> None:
    """Six parties do not fit into five countries."""
    with pytest.raises(DefinitionError, match="one more institution for CP5"):
        casting("P_BUC_01", ["CO", "CP1", "CP2", "CP3", "CP4", "CP5"], within="five")


def test_who_joins_later_is_a_party_too() -> None:
    """The owner comes first, who joins comes last."""
    walk = Walk(name="a walk", parties=("CP1", "CO"), steps=("CO send X005 joins CP2", "wait P1D"))
    assert names_in(walk) == ("CO", "CP1", "CP2")


def test_nobody_acts_in_a_silent_network() -> None:
    """Institutions have no behaviours, and only those asked for take part."""
    found = silent(network("five"), [InstitutionId("IE:DSP01")])
    assert [each.id for each in found.institutions] == list(found.access_points[0].linked) == ["IE:DSP01"]
    assert not any(each.behaviours for each in silent(network("five")).institutions)
