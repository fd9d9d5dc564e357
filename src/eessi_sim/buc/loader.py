"""Reads ``schemas/buc/*.yaml`` into definitions; every error names file, line and key.

One file per Business Use Case, and ``AD.yaml`` for the administrative SEDs of all of them. What the keys
mean is told in ``schemas/buc/README.md``; how a single row is read stands in ``rows``.
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

from eessi_sim import resources
from eessi_sim.buc.definition import (
    AdministrativeRule,
    BucDefinition,
    Participation,
    Step,
    StepKind,
)
from eessi_sim.buc.rows import (
    Row,
    read_administrative,
    read_alternative,
    read_close,
    read_effect,
    read_fact,
    read_origin,
    read_roles_by_sed,
    read_rows,
    read_sed,
    read_steps,
    read_walks,
)
from eessi_sim.definition_files import Fields, Node, load_yaml, suggestion
from eessi_sim.errors import DefinitionError
from eessi_sim.identifiers import BucType, CdmVersion, SedType

_ADMINISTRATIVE_FILE: Final = "AD.yaml"


class Definitions:
    """The Business Use Cases of one folder.

    Args:
        definitions: the tables.
        administrative: the rows of ``AD.yaml``.
    """

    def __init__(
        self,
        definitions: tuple[BucDefinition, ...],
        administrative: Mapping[SedType, AdministrativeRule],
    ) -> None:
        self._definitions = {definition.buc: definition for definition in definitions}
        self.administrative = dict(administrative)

    @classmethod
    def load(cls, folder: Path) -> "Definitions":
        """Read every file of a folder.

        Args:
            folder: holds ``AD.yaml`` and one ``<BUC>.yaml`` for each process.

        Raises:
            DefinitionError: a file is missing or wrong; names file, line and key.
        """
        rules = load_administrative(folder / _ADMINISTRATIVE_FILE)
        files = sorted(path for path in folder.glob("*.yaml") if path.name != _ADMINISTRATIVE_FILE)
        return cls(tuple(load_definition(path, rules) for path in files), rules)

    @classmethod
    def default(cls) -> "Definitions":
        """Return the tables that come with the program, read once."""
        return _default()

    def find(self, buc: str) -> BucDefinition | None:
        """Return the table of a process, None when there is none."""
        return next((found for name, found in self._definitions.items() if name == buc), None)

    def get(self, buc: str) -> BucDefinition:
        """Return the table of a process.

        Raises:
            DefinitionError: there is none; names the nearest.
        """
        definition = self.find(buc)
        if definition is None:
            raise DefinitionError(
                f'Expected a process with a table, found "{buc}"', hint=suggestion(buc, self._definitions)
            )
        return definition

    def all(self) -> tuple[BucDefinition, ...]:
        """Return every table, in the order of their ids."""
        return tuple(self._definitions.values())


@cache
def _default() -> Definitions:
    return Definitions.load(resources.schemas() / "buc")


def load_administrative(path: Path) -> dict[SedType, AdministrativeRule]:
    """Read the rows of the administrative SEDs.

    Raises:
        DefinitionError: the file is missing or wrong.
    """
    rows = load_yaml(path).mapping(required={"seds"})["seds"].sequence()
    rules = [read_administrative(row) for row in rows]
    return {rule.sed: rule for rule in rules}


def load_definition(path: Path, administrative: Mapping[SedType, AdministrativeRule]) -> BucDefinition:
    """Read the table of one process.

    Args:
        path: its file, named after the process.
        administrative: the rows of ``AD.yaml``.

    Raises:
        DefinitionError: the file is missing or wrong.
    """
    return read_definition(load_yaml(path), administrative)


def read_definition(node: Node, administrative: Mapping[SedType, AdministrativeRule]) -> BucDefinition:
    """Read the table of one process from a file that is already parsed.

    Raises:
        DefinitionError: a key is unknown or missing, or a value is not what it should be.
    """
    fields = node.mapping(
        required={"buc", "title", "sector", "cdm", "participation", "starters", "close", "steps"},
        allowed={"legal_basis", "admin", "alternatives", "horizontal", "effects", "walks"},
    )
    only_itself, admin = fields.read("admin", read_roles_by_sed, (False, {}))
    return BucDefinition(
        buc=fields.read("buc", _buc),
        title=fields.read("title", read_fact),
        sector=fields.read("sector", Node.text),
        cdm=fields.read("cdm", lambda n: n.parsed(CdmVersion)),
        participation=fields.read("participation", lambda n: n.member(Participation)),
        legal_basis=fields.read("legal_basis", read_fact, None),
        starters=fields.each("starters", read_sed),
        steps=_steps(fields),
        close=fields.read("close", read_close),
        alternatives=fields.read("alternatives", lambda n: read_rows(n, read_alternative), ()),
        effects=fields.read("effects", lambda n: read_rows(n, read_effect), ()),
        admin=admin,
        administrative=administrative,
        cp_removes_only_itself=only_itself,
        walks=fields.read("walks", read_walks, ()),
        origins={key: read_origin(value) for key, value in fields.items() if _has_origin(value)},
        file=node.file,
    )


def _buc(node: Node) -> BucType:
    buc = node.parsed(BucType)
    if Path(node.file).stem != buc:
        raise node.error(f'Expected the name of the file, found "{buc}"', hint=f"Call the file {buc}.yaml.")
    return buc


def _steps(fields: Fields) -> tuple[Step, ...]:
    is_bilateral = fields["participation"].text() == Participation.BILATERAL
    starters = fields.each("starters", read_sed)
    business = Row(StepKind.BUSINESS, starters, is_bilateral=is_bilateral)
    horizontal = Row(StepKind.HORIZONTAL, starters, is_bilateral=is_bilateral)
    groups = (
        *fields.read("steps", lambda n: read_rows(n, lambda row: read_steps(row, business))),
        *fields.read("horizontal", lambda n: read_rows(n, lambda row: read_steps(row, horizontal)), ()),
    )
    return tuple(step for group in groups for step in group)


def _has_origin(node: Node) -> bool:
    return node.is_mapping and "source" in node.entries()
