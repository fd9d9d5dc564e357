"""Files between a case and a message: what the store must have."""

import pytest
from tests.helpers.attached import a_file
from tests.helpers.processes import CLERK, NOW
from tests.helpers.stored import NODE

from eessi_sim.attachments import Octets
from eessi_sim.buc.engine.attaching import grown
from eessi_sim.errors import Unavailable
from eessi_sim.institution import enclosing
from eessi_sim.storage.base import UnitOfWork
from eessi_sim.storage.memory import MemoryStorage


async def test_content_that_is_nowhere_is_told() -> None:
    """A store that lost the content of an attachment cannot send it; the sentence names no file."""
    lost = grown((), a_file(1), actor=CLERK, at=NOW)
    with pytest.raises(Unavailable, match=f"content of attachment {lost.id}"):
        await enclosing.payloads([lost], UnitOfWork(), MemoryStorage().node(NODE), "pl.example")


async def test_new_content_is_sent_before_it_is_stored() -> None:
    """What is attached and sent in one step comes from the hand of the sender."""
    file = grown((), a_file(1, b"scan"), actor=CLERK, at=NOW)
    work = UnitOfWork()
    work.save_content(Octets.of(b"scan"))
    (part,) = await enclosing.payloads([file], work, MemoryStorage().node(NODE), "pl.example")
    assert (part.content_id, part.part_type) == (f"{file.id}@pl.example", "Attachment")
