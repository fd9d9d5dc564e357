"""Stories: how their files are read, how they are played, how they get stuck."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from tests.helpers.lab import A003, LA_BUC_02, NAV, ZUS, Lab, demo, demo_credentials

from eessi_sim import resources
from eessi_sim.errors import DefinitionError, EessiSimError
from eessi_sim.identifiers import SedType
from eessi_sim.simulation.inprocess import InProcessNetwork
from eessi_sim.simulation.story import Played, Step, Story, StoryRunner, StoryStuck, Verb, load_story

STORIES = [resources.institutions() / "stories" / f"{name}.yaml" for name in demo().stories]
TEXT = """
id: small
title: A small story
text: Norway asks Poland.
buc: LA_BUC_02
owner: NO:NAVAT07
counterparties: [PL:ZUS01]
steps:
  - {send: A003, by: owner}
  - {await: A012, from: PL:ZUS01}
  - {close: true, by: all}
"""
SEND = Step(Verb.SEND, A003, ("owner",))
AWAIT = Step(Verb.AWAIT, SedType("A012"), (ZUS,))
CLOSE = Step(Verb.CLOSE, None, ("owner",))


def read(folder: Path, text: str = TEXT) -> Story:
    """Read a story from a file with this text."""
    file = folder / "small.yaml"
    file.write_text(text)
    return load_story(file)


def story(*steps: Step) -> Story:
    """Norway has a case with Poland."""
    return Story("small", "A small story", "", LA_BUC_02, NAV, (ZUS,), steps)


async def play(network: InProcessNetwork, what: Story) -> Played:
    """Play a story in a network that runs."""
    return await StoryRunner(what, network.controls, network.clock, network.pause).play()


def test_story_is_read_from_its_file(tmp_path: Path) -> None:
    """A file gives the participants, owner first, and the steps in their order."""
    found = read(tmp_path)
    assert found.participants == (NAV, ZUS)
    assert [str(step) for step in found.steps] == [
        "send A003 by owner",
        "await A012 from PL:ZUS01",
        "close by all",
    ]


def test_story_can_cut_a_country_off(tmp_path: Path) -> None:
    """Lines that are cut and time that passes are steps too; nothing else can be played beside such a story."""
    steps = "  - {cut: PL}\n  - {wait: P1D}\n  - {restore: PL}\n"
    found = read(tmp_path, TEXT.replace("steps:\n", f"steps:\n{steps}"))
    assert [str(step) for step in found.steps[:3]] == ["cut PL", "wait 1 day, 0:00:00", "restore PL"]
    assert (found.disturbs_others, read(tmp_path).disturbs_others) == (True, False)


async def test_network_with_one_access_point_has_no_lines() -> None:
    """A story that cuts a country off needs an access point per country."""
    async with InProcessNetwork(demo(), credentials=demo_credentials()) as network:
        with pytest.raises(DefinitionError, match=r"found one for all \(EU:APSIM01\)"):
            await network.lines.cut("PL")


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("{send: A003, by: owner}", "{cut: XX}", "XX"),
        ("{send: A003, by: owner}", "{wait: a day}", "a day"),
        ("send: A003", "sing: A003", "sing"),
        (
            "{send: A003, by: owner}",
            "{by: owner}",
            "Expected send, await, close, cut, restore or wait, found none of them",
        ),
        ("owner: NO:NAVAT07", "owner: Norway", "Norway"),
        ("buc: LA_BUC_02", "buc: posting", "posting"),
        ("title: A small story", "", "title"),
    ],
)
def test_mistake_in_a_story_is_named(tmp_path: Path, old: str, new: str, sentence: str) -> None:
    """A wrong story says which file and what is wrong in it."""
    with pytest.raises(DefinitionError, match=sentence) as error:
        read(tmp_path, TEXT.replace(old, new, 1))
    assert "small.yaml" in str(error.value.context["file"])


@pytest.mark.parametrize("path", STORIES, ids=lambda path: path.stem)
async def test_every_story_is_played_to_its_end(path: Path) -> None:
    """Each story that ships with the program runs in the demo network, and every document is delivered."""
    async with InProcessNetwork(demo(), credentials=demo_credentials()) as network:
        played = await play(network, load_story(path))
        await network.quiet()
        case = await network.controls[played.story.owner].case(played.case.case_id)
    deliveries = [delivery.status for document in case.documents for delivery in document.deliveries]
    assert set(deliveries) == {"delivered"}
    assert case.status == "closed"


async def test_same_seed_gives_the_same_story() -> None:
    """Two runs with one seed exchange messages with the same ids at the same times; another seed does not."""

    async def run(seed: int) -> list[tuple[str, str]]:
        async with InProcessNetwork(demo(), seed=seed, credentials=demo_credentials()) as network:
            await play(network, story(SEND, AWAIT))
            return [(view.message_id, str(view.created_at)) for view in await network.readers[NAV].messages()]

    first, second, other = await run(7), await run(7), await run(8)
    assert first == second != other


async def test_story_needs_its_participants() -> None:
    """A story whose participant is not in the network is refused with its name."""
    small = replace(demo(), institutions=tuple(each for each in demo().institutions if each.id != ZUS))
    async with InProcessNetwork(small, credentials=demo_credentials()) as network:
        with pytest.raises(DefinitionError, match="Expected PL:ZUS01 in the network of story small"):
            StoryRunner(story(SEND), network.controls, network.clock, network.pause)


async def test_step_that_does_not_come_about_is_named() -> None:
    """What is awaited and does not come within ten minutes of the network's clock ends the story."""
    async with Lab.build() as lab:
        before = lab.clock.now()
        with pytest.raises(StoryStuck, match="await A012 from PL:ZUS01"):
            await play(lab.network, story(SEND, AWAIT))
        assert lab.clock.now() - before > timedelta(minutes=10)


async def test_document_that_cannot_be_delivered_ends_the_story() -> None:
    """A document that comes back with an error is not waited for any longer."""
    async with Lab.build() as lab:
        lab.take_down(ZUS)
        with pytest.raises(StoryStuck, match="Expected send A003 by owner to be delivered, found an error"):
            await play(lab.network, story(SEND))


async def test_step_that_is_refused_ends_the_story() -> None:
    """A step that the process does not allow raises what the node says."""
    async with Lab.build() as lab:
        with pytest.raises(EessiSimError, match=r"[Cc]lose"):
            await play(lab.network, story(SEND, CLOSE))


async def test_party_without_the_case_is_named() -> None:
    """A step by somebody who has not heard of the case yet ends the story with his name."""
    async with Lab.build() as lab:
        with pytest.raises(StoryStuck, match="Expected the case at PL:ZUS01, found none"):
            await play(lab.network, story(Step(Verb.SEND, A003, (ZUS,))))
