"""What changed between two definitions of one SED: fields, codes and rules.

Compares what a reader of the data dictionary sees, not how the schema files are written.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from eessi_sim.cdm import dictionary
from eessi_sim.cdm.catalogue import SedDefinition
from eessi_sim.cdm.dictionary import Row
from eessi_sim.cdm.rules import RuleSet


class Kind(StrEnum):
    """What a change is about."""

    FIELD = "field"
    CODE = "code"
    RULE = "rule"


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that is not the same in both definitions."""

    kind: Kind
    name: str
    """Path of a field, list and value of a code, id of a rule."""
    old: str | None
    """How the old definition describes it; None when it does not have it."""
    new: str | None


def compare(old: SedDefinition, new: SedDefinition) -> tuple[Change, ...]:
    """Return what is in one definition and not, or otherwise, in the other: fields first, then codes and rules.

    Raises:
        DefinitionError: a file of one of the definitions is wrong.
    """
    aspects = ((Kind.FIELD, _fields), (Kind.CODE, _codes), (Kind.RULE, _rules))
    return tuple(change for kind, read in aspects for change in _changes(kind, read(old), read(new)))


def _changes(kind: Kind, old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[Change]:
    for name in dict.fromkeys((*old, *new)):
        if old.get(name) != new.get(name):
            yield Change(kind, name, old.get(name), new.get(name))


def _fields(definition: SedDefinition) -> dict[str, str]:
    return {row.path: _described(row) for row in dictionary.rows(definition)}


def _described(row: Row) -> str:
    kind = f"{row.type} [{row.code_list}]" if row.code_list else row.type
    return f"{row.occurrence} {kind}"


def _codes(definition: SedDefinition) -> dict[str, str]:
    lists = dictionary.code_lists(definition)
    return {f"{name} {code.code}": code.label for name, codes in lists.items() for code in codes.values}


def _rules(definition: SedDefinition) -> dict[str, str]:
    return {rule.id: f"{rule.severity}: {rule.test}" for rule in RuleSet.load(definition.rules).rules}
