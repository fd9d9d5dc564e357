"""Reads ``schemas/buc/<sector>/*.yaml`` into definitions; every error names file, line and key.

One file per Business Use Case, one per administrative sub-process, and ``sectors.yaml``. What the keys mean
is told in ``schemas/buc/README.md``; how a single row is read stands in ``rows``.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Final

from eessi_sim import resources
from eessi_sim.buc.administration import AdministrativeRule, SubProcess
from eessi_sim.buc.conditions import Condition
from eessi_sim.buc.definition import BucDefinition, Step
from eessi_sim.buc.rows import (
    Row,
    read_administrative,
    read_alternative,
    read_close,
    read_condition,
    read_deadline,
    read_effect,
    read_fact,
    read_fact_place,
    read_origin,
    read_roles_by_sed,
    read_rows,
    read_sector,
    read_sed,
    read_steps,
    read_walks,
)
from eessi_sim.buc.terms import Participation, Sector, StepKind
from eessi_sim.definition_files import Fields, Node, load_yaml, suggestion
from eessi_sim.errors import DefinitionError
from eessi_sim.identifiers import BucType, CdmVersion, SedType

_SECTORS_FILE: Final = "sectors.yaml"


class Definitions:
    """The Business Use Cases of one folder; each file is read when its process is asked for the first time.

    Args:
        files: where the table of each process stands, by its id.
        sub_processes: the administrative sub-processes.
        sectors: the branches to which processes belong.
    """

    def __init__(
        self, files: Mapping[str, Path], sub_processes: tuple[SubProcess, ...], sectors: tuple[Sector, ...]
    ) -> None:
        self._files = dict(files)
        self._read: dict[str, BucDefinition] = {}
        self.sub_processes = sub_processes
        self.sectors = {sector.id: sector for sector in sectors}
        self.administrative = {rule.sed: rule for process in sub_processes for rule in process.rules}

    @classmethod
    def load(cls, folder: Path) -> "Definitions":
        """Find every file of a folder, and read the sub-processes, which belong to all.

        Args:
            folder: holds ``sectors.yaml``; one ``<BUC>.yaml`` for each process, there or in a folder of its
                sector; and the sub-processes in the folders of the sectors that are marked administrative.

        Raises:
            DefinitionError: a file is missing or wrong; names file, line and key.
        """
        sectors, administrative = _load_sectors(folder / _SECTORS_FILE)
        files: dict[str, Path] = {}
        for path in sorted(folder.rglob("*.yaml")):
            if path.stem in files:
                raise DefinitionError(
                    f"Expected one file for {path.stem}, found {files[path.stem]} and {path}",
                    hint="Remove one of them.",
                )
            if path.name != _SECTORS_FILE:
                files[path.stem] = path
        inner = {name: path for name, path in files.items() if path.parent.name in administrative}
        order = [sector.id for sector in sectors]
        rest = {
            name: path
            for name, path in sorted(files.items(), key=lambda item: _place(item[1], order))
            if name not in inner
        }
        return cls(rest, tuple(load_sub_process(path) for path in inner.values()), sectors)

    @classmethod
    def default(cls) -> "Definitions":
        """Return the tables that come with the program, read once."""
        return _default()

    def find(self, buc: str) -> BucDefinition | None:
        """Return the table of a process, None when there is none.

        Raises:
            DefinitionError: its file is wrong.
        """
        if buc not in self._read:
            path = self._files.get(buc)
            if path is None:
                return None
            self._read[buc] = load_definition(path, self.administrative)
        return self._read[buc]

    def get(self, buc: str) -> BucDefinition:
        """Return the table of a process.

        Raises:
            DefinitionError: there is none; names the nearest. Or its file is wrong.
        """
        definition = self.find(buc)
        if definition is None:
            raise DefinitionError(
                f'Expected a process with a table, found "{buc}"', hint=suggestion(buc, self._files)
            )
        return definition

    def names(self) -> tuple[str, ...]:
        """Return the id of every process that has a table, by sector; reads no file."""
        return tuple(self._files)

    def all(self) -> tuple[BucDefinition, ...]:
        """Return every table, by sector.

        Raises:
            DefinitionError: a file is wrong.
        """
        return tuple(self.get(name) for name in self._files)


@cache
def _default() -> Definitions:
    return Definitions.load(resources.schemas() / "buc")


def _place(path: Path, order: Sequence[str]) -> tuple[int, str]:
    """Sort by sector, in the order of their file, then by id."""
    sector = path.parent.name
    return (order.index(sector) if sector in order else len(order), path.stem)


def _load_sectors(path: Path) -> tuple[tuple[Sector, ...], frozenset[str]]:
    """Read the file of sectors: all of them, and the ids of the administrative ones."""
    fields = load_yaml(path).mapping(required={"sectors"}, allowed={"administrative"})
    return fields.each("sectors", read_sector), frozenset(fields.each("administrative", Node.text))


def load_sub_process(path: Path) -> SubProcess:
    """Read the file of one administrative sub-process.

    Raises:
        DefinitionError: the file is missing or wrong.
    """
    node = load_yaml(path)
    fields = node.mapping(
        required={"buc", "title", "sector", "purpose", "seds"}, allowed={"legal_basis", "started_by", "walks"}
    )
    buc = fields.read("buc", _buc)
    return SubProcess(
        buc=buc,
        title=fields.read("title", read_fact),
        sector=fields.read("sector", Node.text),
        legal_basis=fields.read("legal_basis", read_fact, None),
        purpose=fields.read("purpose", read_fact),
        started_by=fields.read("started_by", read_fact, None),
        rules=fields.each("seds", lambda row: read_administrative(row, buc)),
        walks=fields.read("walks", read_walks, ()),
        origins={key: read_origin(value) for key, value in fields.items() if _has_origin(value)},
        file=node.file,
    )


def load_definition(path: Path, administrative: Mapping[SedType, AdministrativeRule]) -> BucDefinition:
    """Read the table of one process.

    Args:
        path: its file, named after the process.
        administrative: the rows of the sub-processes.

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
        allowed={
            "legal_basis",
            "limits",
            "admin",
            "alternatives",
            "conditions",
            "facts",
            "horizontal",
            "effects",
            "walks",
        },
    )
    only_itself, admin = fields.read("admin", read_roles_by_sed, (False, {}))
    conditions = _conditions(fields)
    return BucDefinition(
        buc=fields.read("buc", _buc),
        title=fields.read("title", read_fact),
        sector=fields.read("sector", Node.text),
        cdm=fields.read("cdm", lambda n: n.parsed(CdmVersion)),
        participation=fields.read("participation", lambda n: n.member(Participation)),
        legal_basis=fields.read("legal_basis", read_fact, None),
        fact_places=fields.read("facts", lambda n: read_rows(n, read_fact_place), ()),
        limits=fields.each("limits", read_deadline),
        starters=fields.each("starters", read_sed),
        steps=_steps(fields, conditions),
        close=fields.read("close", lambda n: read_close(n, conditions)),
        alternatives=fields.read("alternatives", lambda n: read_rows(n, read_alternative), ()),
        effects=fields.read("effects", lambda n: read_rows(n, read_effect), ()),
        conditions=conditions,
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


def _conditions(fields: Fields) -> dict[str, Condition]:
    rows = fields.read("conditions", lambda n: read_rows(n, read_condition), ())
    return {row.name: row for row in rows}


def _steps(fields: Fields, conditions: Mapping[str, Condition]) -> tuple[Step, ...]:
    is_bilateral = fields["participation"].text() == Participation.BILATERAL
    starters = fields.each("starters", read_sed)
    business = Row(StepKind.BUSINESS, starters, is_bilateral=is_bilateral, conditions=conditions)
    horizontal = Row(StepKind.HORIZONTAL, starters, is_bilateral=is_bilateral, conditions=conditions)
    groups = (
        *fields.read("steps", lambda n: read_rows(n, lambda row: read_steps(row, business))),
        *fields.read("horizontal", lambda n: read_rows(n, lambda row: read_steps(row, horizontal)), ()),
    )
    return tuple(step for group in groups for step in group)


def _has_origin(node: Node) -> bool:
    return node.is_mapping and "source" in node.entries()
