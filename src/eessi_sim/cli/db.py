"""``eessi-sim db``: look after the stores of nodes: check, migrate, back up, restore."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import click

from eessi_sim.attachments import in_words
from eessi_sim.cli import failures, output
from eessi_sim.cli.stores import state_option
from eessi_sim.identifiers import InstitutionId
from eessi_sim.simulation.state import load_state
from eessi_sim.storage.care import Condition, find_care
from eessi_sim.storage.registry import open_storage, schemes, url_of


@click.group(epilog=failures.EXIT_STATUS)
def db() -> None:
    """Look after stores, while the nodes run: check, migrate, back up and restore them."""


@db.command(epilog=failures.EXIT_STATUS)
@click.argument("stores", nargs=-1, metavar="[STORE]...")
@state_option
@output.shared_options
def check(*, stores: Sequence[str], state: Path, as_json: bool) -> None:
    r"""Show the schema and the size of stores, and whether they are consistent; nothing is changed.

    Without STORE those of the network are checked. A store is named by its file, or by its URL:
    postgresql://user@host/database?schema=eessi_sim.

    \b
    Example:
      eessi-sim db check --state /tmp/workshop

    \b
    With --json: [{"name", "schema", "newest_schema", "messages", "cases", "documents", "entries", "octets",
    "problems": [str]}].
    """
    found = asyncio.run(_inspected(stores, state))
    if as_json:
        output.show_json([_as_json(each) for each in found])
    else:
        for each in found:
            output.show_fields(_fields(each))
    if any(each.problems for each in found):
        raise click.exceptions.Exit(failures.FINDING)


@db.command(epilog=failures.EXIT_STATUS)
@click.argument("stores", nargs=-1, metavar="[STORE]...")
@state_option
@output.shared_options
def migrate(*, stores: Sequence[str], state: Path, as_json: bool) -> None:
    r"""Bring stores to the newest schema; a copy of the old one stays.

    A node does the same when it starts. The copy of FILE is FILE.schema-N.backup; that of a PostgreSQL schema is the
    schema NAME_schema_N beside it, to be dropped when it is not needed any more.

    \b
    Example:
      eessi-sim db migrate --state /tmp/workshop

    With --json: [{"name", "before": int, "after": int}].
    """
    done = asyncio.run(_migrated(stores, state))
    if as_json:
        output.show_json([{"name": name, "before": before, "after": after} for name, before, after in done])
        return
    for name, before, after in done:
        words = f"schema {after} already" if before == after else f"from schema {before} to {after}"
        output.show_fields({"store": name, "migrated": words})


@db.command(epilog=failures.EXIT_STATUS)
@click.argument("store")
@click.argument("file", type=click.Path(path_type=Path))
@output.shared_options
def backup(*, store: str, file: Path, as_json: bool) -> None:
    r"""Write everything that STORE keeps to FILE, as of one moment, while nodes go on writing.

    Large messages and contents are part of it. FILE must be new. From PostgreSQL it comes by pg_dump, which is
    needed on this machine.

    \b
    Example:
      eessi-sim db backup .eessi-sim/nodes/NO_NAVAT07.sqlite monday.backup

    With --json: {"store", "file", "octets": int}.
    """
    url = _url_of(store)
    asyncio.run(find_care(url).back_up(url, file))
    octets = file.stat().st_size
    if as_json:
        output.show_json({"store": store, "file": str(file), "octets": octets})
    else:
        output.show_fields({"backup": f"{file}, {in_words(octets)}"})


@db.command(epilog=failures.EXIT_STATUS)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("store")
@output.shared_options
def restore(*, file: Path, store: str, as_json: bool) -> None:
    r"""Make STORE of a backup, all of it or nothing; there must be none yet.

    Stop the nodes that use it before you move the old one away.

    \b
    Example:
      eessi-sim db restore monday.backup .eessi-sim/nodes/NO_NAVAT07.sqlite

    With --json: as one element of db check --json.
    """
    url = _url_of(store)
    care = find_care(url)
    asyncio.run(care.restore(file, url))
    found = asyncio.run(care.inspect(url))
    if as_json:
        output.show_json(_as_json(found))
    else:
        output.show_fields(_fields(found))


async def _inspected(stores: Sequence[str], state: Path) -> list[Condition]:
    return [await find_care(url).inspect(url) for url in _urls(stores, state)]


async def _migrated(stores: Sequence[str], state: Path) -> list[tuple[str, int, int]]:
    done = []
    for url in _urls(stores, state):
        before = await find_care(url).inspect(url)
        await (await open_storage(url)).close()
        done.append((before.name, before.schema, before.newest_schema))
    return done


def _urls(stores: Sequence[str], state: Path) -> list[str]:
    """Return the stores that were named, else those of the network that exist."""
    if stores:
        return list(map(_url_of, stores))
    network = load_state(state)
    if network.storage:
        return [network.storage]
    files = [state / "nodes" / network.database(InstitutionId(node.party)).name for node in network.nodes]
    return [url_of(file) for file in files if file.exists()]


def _url_of(store: str) -> str:
    """Return the URL of a store that may be named by its file."""
    return store if store.partition(":")[0] in schemes() else url_of(Path(store))


def _as_json(found: Condition) -> dict[str, object]:
    return {name: getattr(found, name) for name in Condition.__dataclass_fields__}


def _fields(found: Condition) -> dict[str, object]:
    newest = "" if found.schema == found.newest_schema else f", the newest is {found.newest_schema}"
    return {
        "store": found.name,
        "schema": f"{found.schema}{newest}",
        "messages": found.messages,
        "cases": found.cases,
        "documents": found.documents,
        "journal": f"{found.entries} entries",
        "size": in_words(found.octets),
        "state": "; ".join(found.problems) or "consistent",
    }
