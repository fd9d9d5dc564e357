"""A small network of real processes: the access point and two institutions, with keys that are made quickly."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, TypeVar

from eessi_sim.errors import ConnectFailed
from eessi_sim.identifiers import InstitutionId
from eessi_sim.ir.loader import NetworkDefinition
from eessi_sim.security.pki import KeyAlgorithm
from eessi_sim.simulation.assembly import load_definition
from eessi_sim.simulation.state import NetworkState, Sharing, establish
from eessi_sim.storage.base import NodeStore
from eessi_sim.storage.registry import open_storage, url_of

POINT: Final = InstitutionId("EU:APSIM01")
NORWAY: Final = InstitutionId("NO:NAVAT07")
POLAND: Final = InstitutionId("PL:ZUS01")
_SMALL: Final = """
id: small
title: Two countries around one access point
access_point: {id: EU:APSIM01, name: Access point of the tests}
institutions: [NO:NAVAT07, PL:ZUS01]
stories: []
"""
T = TypeVar("T")
_LOOK_AGAIN: Final = 0.05
"""Seconds between two looks at another process."""


def small_definition(folder: Path, more: str = "") -> NetworkDefinition:
    """Two of the institutions that ship with the program, and an access point; ``more`` are lines of the file."""
    file = folder / "small.yaml"
    file.write_text(_SMALL + more)
    return load_definition(file)


def small_network(folder: Path, more: str = "", sharing: Sharing | None = None) -> NetworkState:
    """The small network below ``folder``, on ports that the system chose; none of its processes runs."""
    return establish(
        small_definition(folder, more),
        folder / "network",
        now=datetime.now(UTC),
        algorithm=KeyAlgorithm.P_256,
        sharing=sharing or Sharing(),
    )


async def until(done: Callable[[], Awaitable[bool]], what: str, *, within: float = 60.0) -> None:
    """Return when ``done`` says so; fail when that takes longer than so many seconds."""
    try:
        async with asyncio.timeout(within):
            while not await done():  # noqa: ASYNC110 - another process cannot set an event
                await asyncio.sleep(_LOOK_AGAIN)
    except TimeoutError as error:
        raise AssertionError(f"not within {within:g} seconds: {what}") from error


async def patiently(ask: Callable[[], Awaitable[T]]) -> T:
    """Ask a node until it answers, as a client does whose connection breaks."""
    while True:
        try:
            return await ask()
        except ConnectFailed:
            await asyncio.sleep(_LOOK_AGAIN)


@asynccontextmanager
async def dead_store(state: NetworkState, party: InstitutionId) -> AsyncIterator[NodeStore]:
    """What a node keeps whose process is not running."""
    storage = await open_storage(url_of(state.database(party)))
    try:
        yield storage.node(party)
    finally:
        await storage.close()
