"""What validating a document costs, beside what libxml2 alone needs to parse it and to check its schema.

Both are measured in turn in the same run, on the same bytes. The floor has no limits, no findings and no rules.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from lxml import etree

from eessi_sim.benchmark.stopwatch import Reading, measure_in_turn
from eessi_sim.cdm import schema_files
from eessi_sim.cdm.catalogue import Catalogue, SedDefinition
from eessi_sim.cdm.rules import RuleSet
from eessi_sim.cdm.validation import Validator
from eessi_sim.errors import DefinitionError
from eessi_sim.identifiers import CdmVersion

USUAL_SIZE: Final = 12_000
"""Octets of the document that the budget speaks of."""
_FLOOR: Final = "floor"
_WHOLE: Final = "whole"


@dataclass(frozen=True, slots=True)
class ValidationCost:
    """What one document costs."""

    sed: str
    version: str
    octets: int
    rules: int
    floor: Reading
    """libxml2: parse, then the schema."""
    whole: Reading
    """The validator: hardened parser, schema, rules, report."""

    @property
    def ratio(self) -> float:
        """How many times the floor the validator takes, in processor time."""
        return self.whole.cpu / self.floor.cpu

    def as_dict(self) -> dict[str, object]:
        """Return plain values."""
        return {
            "sed": self.sed,
            "version": self.version,
            "bytes": self.octets,
            "rules": self.rules,
            "floor_us": round(self.floor.cpu, 2),
            "us": round(self.whole.cpu, 2),
            "ratio": round(self.ratio, 2),
        }


def usual(catalogue: Catalogue, version: CdmVersion) -> tuple[SedDefinition, ...]:
    """Return per sector the SED whose sample comes nearest to 12 kB.

    Args:
        catalogue: knows the SEDs.
        version: version of the data model.
    """
    nearest: dict[str, SedDefinition] = {}
    for each in catalogue.definitions():
        if each.version == version and each.sample is not None:
            best = nearest.get(each.sector)
            if best is None or _distance(each) < _distance(best):
                nearest[each.sector] = each
    return tuple(nearest.values())


def measure_validation(
    catalogue: Catalogue, definitions: Iterable[SedDefinition], seconds: float
) -> tuple[ValidationCost, ...]:
    """Measure the validation of the sample of each SED.

    Args:
        catalogue: knows the SEDs.
        definitions: the SEDs; each has a sample.
        seconds: how long each measurement lasts.

    Raises:
        DefinitionError: a SED has no sample to measure with.
    """
    validator = Validator(catalogue)
    return tuple(_measure(validator, each, seconds) for each in definitions)


def _measure(validator: Validator, definition: SedDefinition, seconds: float) -> ValidationCost:
    if definition.sample is None:
        raise DefinitionError(
            f"Expected a sample of {definition.type} to measure with, found none",
            hint=f"Put {definition.xsd.stem}.sample.xml beside the schema.",
        )
    data = definition.sample.read_bytes()
    schema = schema_files.compiled(definition.xsd, definition.root)
    readings = measure_in_turn(
        {
            _FLOOR: lambda: schema.validate(etree.fromstring(data)),
            _WHOLE: lambda: validator.validate_bytes(data),
        },
        seconds,
    )
    return ValidationCost(
        definition.type,
        definition.version,
        len(data),
        len(RuleSet.load(definition.rules).rules),
        readings[_FLOOR],
        readings[_WHOLE],
    )


def _distance(definition: SedDefinition) -> int:
    assert definition.sample is not None  # the caller asked
    return abs(definition.sample.stat().st_size - USUAL_SIZE)
