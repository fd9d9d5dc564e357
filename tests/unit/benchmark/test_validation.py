"""The cost of validation, beside its floor."""

import dataclasses

import pytest

from eessi_sim.benchmark.stopwatch import Reading
from eessi_sim.benchmark.validation import ValidationCost, measure_validation, usual
from eessi_sim.cdm.catalogue import Catalogue
from eessi_sim.errors import DefinitionError
from eessi_sim.identifiers import CdmVersion, SedType

CATALOGUE = Catalogue.default()
NEWEST = CdmVersion("4.4")
A003 = CATALOGUE.get(SedType("A003"), NEWEST)


def test_one_sed_per_sector_is_usual() -> None:
    """Every sector is measured with one of its documents."""
    assert [each.sector for each in usual(CATALOGUE, NEWEST)] == ["LA", "H", "P", "U", "X"]


def test_sed_without_sample_is_not_usual() -> None:
    """What has no sample is passed over."""

    class Bare(Catalogue):
        """A catalogue of one SED without a sample."""

        def __init__(self) -> None:
            super().__init__([])
            self._definitions = {(A003.type, A003.version): dataclasses.replace(A003, sample=None)}

    assert usual(Bare(), NEWEST) == ()


def test_measurement_names_what_was_measured() -> None:
    """Type, version, size and number of rules stand beside the figures."""
    (cost,) = measure_validation(CATALOGUE, [A003], 0.01)
    assert (cost.sed, cost.version) == ("A003", "4.4")
    assert cost.octets > 5000
    assert cost.rules >= 10
    assert cost.floor.cpu > 0


def test_sed_without_sample_cannot_be_measured() -> None:
    """The refusal names the file that is missing."""
    with pytest.raises(DefinitionError, match="a sample of A003"):
        measure_validation(CATALOGUE, [dataclasses.replace(A003, sample=None)], 0.01)


def test_ratio_compares_processor_time() -> None:
    """Waiting does not count."""
    cost = ValidationCost("A003", "4.4", 8000, 14, Reading(100, 500), Reading(250, 600))
    assert cost.ratio == 2.5
    assert cost.as_dict() == {
        "sed": "A003", "version": "4.4", "bytes": 8000, "rules": 14, "floor_us": 100, "us": 250, "ratio": 2.5,
    }  # fmt: skip
