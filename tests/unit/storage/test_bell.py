"""The bell: many wait, one ring wakes those whose condition holds."""

import asyncio

from eessi_sim.storage.bell import Bell


async def test_condition_that_holds_needs_no_ring() -> None:
    """Who asks for what is already so does not wait."""
    await Bell().wait_until(lambda: True)


async def test_ring_wakes_only_those_whose_condition_holds() -> None:
    """After a ring each one asks again; who is not served waits on."""
    bell, seen = Bell(), 0
    early = asyncio.create_task(bell.wait_until(lambda: seen >= 1))
    late = asyncio.create_task(bell.wait_until(lambda: seen >= 2))
    await asyncio.sleep(0)
    seen = 1
    bell.ring()
    await early
    assert not late.done()
    seen = 2
    bell.ring()
    await late


async def test_ring_without_anybody_is_harmless() -> None:
    """A ring that nobody hears is forgotten."""
    Bell().ring()


async def test_two_rings_in_a_row_are_one() -> None:
    """A second ring before the woken one has run changes nothing."""
    bell, seen = Bell(), 0
    waiting = asyncio.create_task(bell.wait_until(lambda: seen == 1))
    await asyncio.sleep(0)
    seen = 1
    bell.ring()
    bell.ring()
    await waiting
