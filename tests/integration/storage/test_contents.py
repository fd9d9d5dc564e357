"""Contents of attachments, kept once under their digest, the same on every back end."""

import pytest
from tests.helpers.stored import OTHER_NODE, a_case

from eessi_sim.attachments import Octets
from eessi_sim.errors import Conflict
from eessi_sim.storage.base import NodeStore, Storage, UnitOfWork

SCAN = Octets.of(b"%PDF-1.7 \x00\xff")


async def keep(node: NodeStore, *contents: Octets) -> None:
    """Commit contents, all in one unit of work."""
    work = UnitOfWork()
    for content in contents:
        work.save_content(content)
    await node.commit(work)


async def test_content_is_found_by_its_digest(node: NodeStore) -> None:
    """Octets, size and digest come back; what was never kept is None."""
    await keep(node, SCAN)
    found = await node.content(SCAN.digest)
    assert found is not None
    assert (found.read(), found.size, found.digest) == (SCAN.data, SCAN.size, SCAN.digest)
    assert await node.content("0" * 64) is None


async def test_content_kept_again_stays(node: NodeStore) -> None:
    """The same content of another document changes nothing, within a unit and later."""
    await keep(node, SCAN, SCAN)
    await keep(node, SCAN)
    assert await node.content(SCAN.digest) is not None


async def test_content_belongs_to_its_node(storage: Storage, node: NodeStore) -> None:
    """Another node does not see what this one keeps."""
    await keep(node, SCAN)
    assert await storage.node(OTHER_NODE).content(SCAN.digest) is None


async def test_content_of_a_unit_that_conflicts_is_not_kept(node: NodeStore) -> None:
    """A content is kept together with everything else of its unit, or not at all; what was kept before stays."""
    await keep(node, Octets.of(b"before"))
    work = UnitOfWork()
    work.save_content(Octets.of(b"before"))
    work.save_content(SCAN)
    work.save_case(a_case(revision=3), 2)
    with pytest.raises(Conflict):
        await node.commit(work)
    assert await node.content(SCAN.digest) is None
    assert await node.content(Octets.of(b"before").digest) is not None
