"""Which nodes a store keeps something of."""

from tests.helpers.stored import NODE, OTHER_NODE, a_message
from tests.integration.storage.conftest import Commit

from eessi_sim.storage.base import Storage


async def test_nodes_are_those_that_keep_something(storage: Storage, add: Commit) -> None:
    """A node that was only looked at is none of them."""
    storage.node(OTHER_NODE)
    assert await storage.nodes() == ()
    await add(a_message())
    assert await storage.nodes() == (NODE,)
