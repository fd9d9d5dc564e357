"""``eessi-sim trace`` and ``journal``: what happened, read from the stores of the nodes.

The stores are read directly, so it does not matter whether the network runs.
"""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import click

from eessi_sim.cli import failures, output, tracing
from eessi_sim.cli.copies import require_node
from eessi_sim.cli.stores import Stores, open_stores, state_option
from eessi_sim.errors import CaseNotFound, IdentifierError
from eessi_sim.identifiers import InternationalId
from eessi_sim.storage.base import JournalEntry, MessageKind, MessageQuery, NodeStore

_PAGE: Final = 1000


@click.command(epilog=failures.EXIT_STATUS)
@click.argument("reference", metavar="ID")
@state_option
@output.shared_options
def trace(*, reference: str, state: Path, as_json: bool) -> None:
    r"""Show all steps of a message or a case, over all nodes, in the order of time.

    ID is a message id or its first eight letters, the id of a case at one institution, or the id that all copies of
    a case share. It does not matter whether the network runs.

    \b
    Example:
      eessi-sim trace 3f0f7a52-6f3e-4b43-a7c5-000000000001@navat07.no.eessi-sim.example
      eessi-sim trace 8a1f0f0c5b0e4e7a9a536f0c9a110003 --state /tmp/workshop

    With --json: [{"at", "node", "step", "outcome", "message_id", "case_id", "detail"}]
    """
    entries = asyncio.run(_trace(state, reference))
    if not entries:
        raise CaseNotFound(
            f'Expected a message or case of the network in "{state}", found "{reference}"',
            hint="See eessi-sim journal for the ids that there are.",
        )
    if as_json:
        output.show_json(tracing.as_json(entries))
        return
    several = len({entry.message_id for entry in entries}) > 1
    tracing.show_entries(entries, title=f"Trace of {reference}", with_message=several)


@click.command(epilog=failures.EXIT_STATUS)
@state_option
@click.option("--node", metavar="ID", help="Only this node.")
@click.option("--last", type=click.IntRange(min=1), default=100, show_default=True, help="How many entries.")
@output.shared_options
def journal(*, state: Path, node: str | None, last: int, as_json: bool) -> None:
    r"""Show the last steps that the nodes took, in the order of time.

    \b
    Example:
      eessi-sim journal --last 20
      eessi-sim journal --node NO:NAVAT07 --json

    With --json: [{"at", "node", "step", "outcome", "message_id", "case_id", "detail"}]
    """
    entries = asyncio.run(_journal(state, node))[-last:]
    if as_json:
        output.show_json(tracing.as_json(entries))
        return
    tracing.show_entries(entries, title=f"Journal of {node or 'all nodes'}", with_message=True)


async def _journal(folder: Path, node: str | None) -> list[JournalEntry]:
    async with open_stores(folder) as stores:
        require_node(stores, node)
        chosen = [store for party, store in stores.items() if node in (None, party)]
        return tracing.in_order([entry for store in chosen async for entry in _entries(store)])


async def _entries(store: NodeStore) -> AsyncIterator[JournalEntry]:
    after = 0
    while page := await store.journal(after, _PAGE):
        for entry in page:
            yield entry
        after = page[-1].seq


async def _trace(folder: Path, reference: str) -> list[JournalEntry]:
    async with open_stores(folder) as stores:
        shared = await _international_id(stores, reference)
        meant = await (_beginning_with(stores, reference) if shared is None else _messages_in(stores, shared))
        found: dict[tuple[str, int], JournalEntry] = {}
        for store in stores.values():
            for name in meant | await _own_name(store, shared):
                found.update({(entry.node, entry.seq): entry for entry in await store.journal_of(name)})
        return tracing.in_order(found.values())


async def _beginning_with(stores: Stores, reference: str) -> set[str]:
    """Return the message id that is meant; several when it is cut and the newest messages have more such."""
    if len(reference) != tracing.SHORT:
        return {reference}
    query = MessageQuery(kind=MessageKind.USER)
    newest = [message for store in stores.values() for message in await store.messages(query, limit=_PAGE)]
    return {message.message_id for message in newest if message.message_id.startswith(reference)}


async def _international_id(stores: Stores, reference: str) -> InternationalId | None:
    """Return the shared id of a case that is meant by ``reference``, None when it means no case."""
    for store in stores.values():
        case = await store.find_case(reference)
        if case is not None:
            return case.international_id
    try:
        return InternationalId.from_uuid(reference)
    except IdentifierError:
        return None


async def _messages_in(stores: Stores, shared: InternationalId) -> set[str]:
    """Return the ids of the messages of a case, as any node knows them."""
    query = MessageQuery(conversation=shared.uuid, kind=MessageKind.USER)
    return {
        message.message_id
        for store in stores.values()
        for message in await store.messages(query, limit=_PAGE)
    }


async def _own_name(store: NodeStore, shared: InternationalId | None) -> set[str]:
    """Return under which id a node keeps a case; case ids of other nodes may mean another one here."""
    case = await store.find_case_by_international(shared) if shared else None
    return {case.id} if case else set()
