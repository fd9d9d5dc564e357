"""Bulk documents for tests: tables of made-up claims, and what is made of them."""

import copy
from collections.abc import Iterable, Mapping
from functools import cache
from itertools import count

from eessi_sim import xmlsafe
from eessi_sim.bulk import table
from eessi_sim.bulk.columns import Column, Columns
from eessi_sim.bulk.definition import require_claims
from eessi_sim.bulk.document import BulkDocument
from eessi_sim.bulk.importing import Imported, import_table
from eessi_sim.cdm.catalogue import Catalogue, SedDefinition
from eessi_sim.identifiers import CdmVersion, SedType
from eessi_sim.xmlsafe import Element

NUMBER = "sequentialNumberIndividualClaim"
REQUESTED = "RequestedAmountForReimbursement/amount"


@cache
def definition(sed: str) -> SedDefinition:
    return Catalogue.default().get(SedType(sed), CdmVersion("4.4"))


@cache
def columns(sed: str) -> Columns:
    return Columns(definition(sed), require_claims(definition(sed))[1])


def sample(sed: str) -> Element:
    """The sample of a SED."""
    path = definition(sed).sample
    assert path is not None
    return xmlsafe.parse(path.read_bytes())


@cache
def document(sed: str) -> BulkDocument:
    """The sample of a bulk SED, taken apart."""
    return BulkDocument.split(definition(sed), sample(sed))


def cells(sed: str, place: int = 0) -> dict[Column, str]:
    """The cells of one claim of the sample."""
    claim = document(sed).claims[place]
    return table.row_of(claim, columns(sed), table.leaves_by_tags(columns(sed)))


def row(sed: str, values: Mapping[str, str], base: Mapping[Column, str] | None = None) -> dict[Column, str]:
    """A row: the second claim of the sample of the request, or ``base``, with other values, named by paths."""
    start = cells(sed, 1) if base is None else base
    changed = {columns(sed).at(path): text for path, text in values.items()}
    kept = {
        column: text for column, text in start.items() if column.place not in {each.place for each in changed}
    }
    return {**kept, **changed}


def csv_of(sed: str, rows: Iterable[Mapping[Column, str]]) -> bytes:
    return table.write(rows, columns(sed).usual)


def imported(
    sed: str, data: bytes, *, into: BulkDocument | None = None, master: Mapping[str, str] | None = None
) -> Imported:
    """What becomes of a table.

    Args:
        sed: the SED.
        data: the table.
        into: document that keeps its claims; the master of the sample when None.
        master: other values of leaves of the master, by path.
    """
    base = into or document(sed)
    root = copy.deepcopy(base.master)
    for path, text in (master or {}).items():
        leaf = root.find(path)
        assert leaf is not None
        leaf.text = text
    numbers = count(1)
    return import_table(
        BulkDocument(base.definition, root, base.claims),
        table.read(data, columns(sed)),
        columns(sed),
        lambda: f"{next(numbers):032x}",
        merge=into is not None,
    )
