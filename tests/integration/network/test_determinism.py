"""A run repeats itself from its seed: every id, every time, every line of every journal."""

import asyncio
from pathlib import Path

import pytest
from tests.helpers.lab import A003, LA_BUC_02, NAV, POINT, ZUS, Lab, demo

from eessi_sim import resources
from eessi_sim.simulation.inprocess import NeverQuiet
from eessi_sim.simulation.story import StoryRunner, load_story
from eessi_sim.storage.base import ALL_MESSAGES, JournalEntry
from eessi_sim.transport.base import Request, Response

STORIES = [resources.institutions() / "stories" / f"{name}.yaml" for name in demo().stories]


async def journal(seed: int, *stories: Path) -> tuple[JournalEntry, ...]:
    """All lines of all nodes after some stories."""
    async with Lab.build(demo(), seed=seed) as lab:
        network = lab.network
        for path in stories:
            await StoryRunner(load_story(path), network.controls, network.clock, network.pause).play()
        return await lab.journal()


async def disturbed(seed: int) -> Lab:
    """A run with a receiver that is down for a while and an access point that is busy; ended."""
    async with Lab.build(demo(), seed=seed) as lab:
        tap = await lab.tap(POINT)
        tap.instead = [Response(503)] * 2
        lab.take_down(ZUS)
        await lab.open()
        await lab.work(20)
        lab.bring_up(ZUS)
        await lab.work(300)
        return lab


async def test_same_seed_gives_the_same_journal() -> None:
    """Two runs of all stories agree in every line of every node."""
    first, second = await journal(7, *STORIES), await journal(7, *STORIES)
    assert len(first) > 100
    assert first == second


async def test_other_seed_gives_other_ids_and_times() -> None:
    """The seed decides ids and delays, not what happens."""
    first, second = await journal(7, STORIES[0]), await journal(8, STORIES[0])
    assert {entry.message_id for entry in first if entry.message_id}.isdisjoint(
        entry.message_id for entry in second
    )
    assert [entry.at for entry in first] != [entry.at for entry in second]
    assert sorted((e.node, e.step, e.outcome) for e in first) == sorted(
        (e.node, e.step, e.outcome) for e in second
    )


async def test_same_seed_repeats_a_disturbed_run() -> None:
    """Retries, waits and duplicates are repeated, too."""
    first, second = await disturbed(3), await disturbed(3)
    assert await first.journal() == await second.journal()
    assert any(entry.step == "attempted" for entry in await first.journal(NAV))


async def test_same_seed_and_keys_give_the_same_bytes() -> None:
    """With the same keys even the signatures are the same: every stored message, octet for octet."""
    first, second = await disturbed(3), await disturbed(3)
    for party in first.network.nodes:
        assert await first.store(party).messages(ALL_MESSAGES, with_body=True) == await second.store(
            party
        ).messages(ALL_MESSAGES, with_body=True)


@pytest.mark.parametrize("path", STORIES, ids=lambda path: path.stem)
async def test_story_takes_no_longer_than_its_answers(path: Path) -> None:
    """Time moves to what is due and no further: a story of answers after seconds ends within a minute."""
    lines = await journal(7, path)
    assert (lines[-1].at - lines[0].at).total_seconds() < 60


async def test_network_that_never_rests_says_who_is_busy(lab: Lab) -> None:
    """A peer that takes a request and never answers ends in a sentence, not in a test that hangs."""
    answers = asyncio.Event()

    async def silent(_request: Request) -> Response:
        await answers.wait()
        return Response(503)

    await lab.network.switchboard.listener(lab.endpoint(POINT)).start(silent)
    case = await lab.node(NAV).open_case(LA_BUC_02, [ZUS])
    await lab.node(NAV).send_document(case.id, A003)
    with pytest.raises(NeverQuiet, match="within 500 turns") as caught:
        await lab.network.quiet(500)
    assert caught.value.context["busy"] == NAV
    answers.set()
