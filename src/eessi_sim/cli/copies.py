"""Finds one institution's copy of a case among the stores of a network."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import click

from eessi_sim.buc.case import Case, CaseRole
from eessi_sim.cli import failures
from eessi_sim.cli.stores import Stores, open_stores
from eessi_sim.errors import CaseNotFound, IdentifierError
from eessi_sim.identifiers import InstitutionId, InternationalId
from eessi_sim.storage.base import NodeStore

node_option = click.option(
    "--node", metavar="ID", help="Institution whose copy is meant; the case owner by default."
)


@dataclass(frozen=True, slots=True)
class Copy:
    """One institution's copy of a case, and the store it lies in."""

    case: Case
    store: NodeStore


async def find_copy(stores: Stores, reference: str, node: str | None) -> Copy:
    """Return a copy of a case, that of the case owner when nobody is named and there is one.

    Args:
        stores: of all nodes.
        reference: the id that all copies share, or the one at an institution.
        node: whose copy.

    Raises:
        click.BadParameter: there is no such node.
        CaseNotFound: there is no such case.
    """
    require_node(stores, node)
    chosen = [store for party, store in stores.items() if node in (None, party)]
    copies = [Copy(case, store) for store in chosen if (case := await _find(store, reference)) is not None]
    if not copies:
        raise CaseNotFound(
            f'Expected a case at {node or "a node of the network"}, found none with id "{reference}"',
            hint="See eessi-sim case list for the cases that there are.",
        )
    return min(copies, key=lambda copy: copy.case.role is not CaseRole.CASE_OWNER)


async def stored_case(state: Path, reference: str, node: str | None) -> Case:
    """Return a copy of a case from the stores of the network in folder ``state``; as ``find_copy`` says."""
    async with open_stores(state) as stores:
        return (await find_copy(stores, reference, node)).case


def require_node(stores: Collection[InstitutionId], node: str | None) -> None:
    """Refuse the name of a node that there is not.

    Raises:
        click.BadParameter: names the nearest.
    """
    if node is not None and node not in stores:
        raise click.BadParameter(f'Expected a node, found "{node}". {failures.nearest(node, stores)}')


async def _find(store: NodeStore, reference: str) -> Case | None:
    try:
        shared = InternationalId.from_uuid(reference)
    except IdentifierError:
        return await store.find_case(reference)
    return await store.find_case_by_international(shared)
