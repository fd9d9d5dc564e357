"""Message ids that are used twice: nothing is lost without a word, nothing waits for ever."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from tests.helpers.forge import Draft, held_back, post, routed, stamp
from tests.helpers.lab import NAV, POINT, ZUS, Lab

from eessi_sim.as4 import msh
from eessi_sim.as4.ebms_errors import EbmsErrorCode, EbmsFault
from eessi_sim.as4.msh import Packed
from eessi_sim.identifiers import InstitutionId
from eessi_sim.storage.base import Direction, MessageKind, UnitOfWork
from eessi_sim.storage.registry import open_storage


@pytest.mark.parametrize(("to", "client"), [(POINT, NAV), (ZUS, POINT)])
async def test_two_messages_under_one_id_at_once_are_not_both_accepted_in_silence(
    tmp_path: Path, to: InstitutionId, client: InstitutionId
) -> None:
    """The second one is refused although the store did not know the first one yet when it came."""
    storage = await open_storage(f"sqlite:///{tmp_path / 'network.sqlite'}")
    async with Lab.build(storage=storage) as lab:
        draft = await held_back(lab)
        other = draft.with_scope(document_version=2).packed(lab.keys(NAV).ebms)
        lab.bring_up(POINT)
        both = (post(lab, packed, client=client, to=to) for packed in (again(lab, draft), other))
        await asyncio.gather(*both)
        assert len(await lab.messages(to, Direction.IN)) == 1
        assert ("refused", "EBMS:0003") in await lab.steps(to)


def again(lab: Lab, draft: Draft) -> Packed:
    """The message as its sender made it."""
    return draft.packed(lab.keys(NAV).ebms)


async def test_signal_under_the_id_of_an_error_of_the_access_point_is_refused(sent: Lab) -> None:
    """Taken in, it could never be sent on: the queue holds that id already."""
    fault = EbmsFault(EbmsErrorCode.OTHER, "No")
    lost = routed(await sent.sent(NAV), NAV, ZUS)
    error = msh.pack_error([fault.as_error()], sent.keys(POINT).ebms, about=lost, stamp=stamp(sent, POINT))
    await _queue(sent, error)
    same = msh.pack_error([fault.as_error()], sent.keys(ZUS).ebms, about=lost, stamp=stamp(sent, POINT))
    answer = await post(sent, same, client=ZUS)
    assert (answer.status, answer.body[:9]) == (400, b"EBMS:0003")  # in words: no error about an error
    assert await sent.messages(POINT, Direction.IN, MessageKind.ERROR) == ()


async def _queue(lab: Lab, error: Packed) -> None:
    """Let the access point send an error of its own."""
    work = UnitOfWork()
    receipt = await lab.sent(POINT, MessageKind.RECEIPT)
    work.add_message(replace(receipt, message_id=error.message_id, kind=MessageKind.ERROR, body=error.body))
    await lab.store(POINT).commit(work)
