"""Whose turn it is: messages of one case to one receiver are sent in the order of the store."""

import asyncio

from tests.helpers.stored import OTHER_NODE, a_message

from eessi_sim.gateway.turns import Turns
from eessi_sim.storage.base import MessageKind, StoredMessage

FIRST, SECOND, THIRD = (a_message(number, seq=number) for number in (1, 2, 3))


async def order_of(claimed: list[StoredMessage], sent: list[StoredMessage]) -> list[int]:
    """Return in which order messages are sent that begin in the order of ``sent``."""
    turns, done = Turns(), list[int]()
    turns.enter(claimed)

    async def send(message: StoredMessage) -> None:
        async with turns.turn_of(message):
            await asyncio.sleep(0)
            done.append(message.seq)

    await asyncio.gather(*(send(message) for message in sent))
    return done


async def test_first_one_of_the_case_goes_first() -> None:
    """Whoever begins first, the order is that of the store."""
    messages = [FIRST, SECOND, THIRD]
    assert await order_of(messages, [THIRD, SECOND, FIRST]) == [1, 2, 3]


async def test_other_cases_other_receivers_and_signals_do_not_wait() -> None:
    """Only messages of the same case to the same receiver follow each other; receipts follow nobody."""
    others = [
        a_message(4, seq=4, conversation="conversation-2"),
        a_message(5, seq=5, receiver="DE:DRVBUND"),
        a_message(6, seq=6, kind=MessageKind.RECEIPT, receiver=OTHER_NODE),
    ]
    turns = Turns()
    turns.enter([FIRST, *others])
    for message in others[:2]:
        async with turns.turn_of(message):
            pass
    assert await order_of(others[2:], others[2:]) == [6]


async def test_message_whose_sending_fails_lets_the_next_one_pass() -> None:
    """An error does not block the case."""
    turns = Turns()
    turns.enter([FIRST, SECOND])
    try:
        async with turns.turn_of(FIRST):
            raise ValueError
    except ValueError:
        pass
    async with asyncio.timeout(5), turns.turn_of(SECOND):
        pass
