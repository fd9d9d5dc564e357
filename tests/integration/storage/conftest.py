"""Every back end of the store, each with an empty storage."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.helpers.postgresql import empty_store
from tests.helpers.stored import NODE

from eessi_sim.storage.base import NodeStore, Storage, UnitOfWork
from eessi_sim.storage.registry import BUILT_IN, open_storage

Commit = Callable[..., Awaitable[None]]


@pytest.fixture(params=BUILT_IN)
async def storage(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Storage]:
    """An empty storage of each back end."""
    async with store_of(request, request.param, tmp_path) as url:
        storage = await open_storage(url)
        yield storage
        await storage.close()


@asynccontextmanager
async def store_of(request: pytest.FixtureRequest, scheme: str, folder: Path) -> AsyncIterator[str]:
    """The URL of an empty store of a back end."""
    if scheme == "postgresql":
        async with empty_store(request.getfixturevalue("postgresql")) as url:
            yield url
    else:
        yield "memory:" if scheme == "memory" else f"{scheme}://{folder}/store.db"


@pytest.fixture
def node(storage: Storage) -> NodeStore:
    """The view of one node."""
    return storage.node(NODE)


@pytest.fixture
def add(node: NodeStore) -> Commit:
    """Commits messages to the node, all in one unit of work."""

    async def commit(*messages: Any) -> None:
        work = UnitOfWork()
        for message in messages:
            work.add_message(message)
        await node.commit(work)

    return commit


@pytest.fixture
def update(node: NodeStore) -> Commit:
    """Commits one change of a message."""

    async def commit(*arguments: Any, **changes: Any) -> None:
        work = UnitOfWork()
        work.update_message(*arguments, **changes)
        await node.commit(work)

    return commit
