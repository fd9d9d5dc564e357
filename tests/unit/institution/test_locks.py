"""One lock per case: changes of one case follow each other, those of two cases do not wait."""

import asyncio
import gc

from eessi_sim.institution.office import CaseLocks


async def test_changes_of_one_case_follow_each_other() -> None:
    """Whoever comes second waits until the first is done."""
    locks, seen = CaseLocks(), []

    async def change(name: str) -> None:
        async with locks.of("case"):
            seen.append(f"{name} begins")
            await asyncio.sleep(0)
            seen.append(f"{name} ends")

    await asyncio.gather(change("a"), change("b"))
    assert seen == ["a begins", "a ends", "b begins", "b ends"]


async def test_changes_of_two_cases_do_not_wait() -> None:
    """Another case has another lock."""
    locks = CaseLocks()
    async with locks.of("one"):
        assert not locks.of("other").locked()


async def test_lock_that_nobody_holds_is_forgotten() -> None:
    """The memory of a node does not grow with the number of its cases."""
    locks = CaseLocks()
    async with locks.of("case"):
        pass
    gc.collect()
    assert not locks._locks
