"""Walks on real nodes: what goes as the engine says, what is named when it does not."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from eessi_sim import resources
from eessi_sim.buc.loader import Definitions
from eessi_sim.buc.terms import Walk
from eessi_sim.errors import DefinitionError
from eessi_sim.identifiers import BucType
from eessi_sim.simulation.assembly import load_definition
from eessi_sim.simulation.casting import cast, silent
from eessi_sim.simulation.inprocess import InProcessNetwork
from eessi_sim.simulation.walking import (
    Part,
    Venue,
    WalkRunner,
    as_story,
    full_run,
    moves_time,
    obstacle,
)

DEFINITION = Definitions.default().get(BucType("LA_BUC_03"))


@pytest.fixture
async def network() -> AsyncIterator[InProcessNetwork]:
    """Five countries in this process; nobody acts by itself."""
    definition = silent(load_definition(resources.institutions() / "networks" / "five.yaml"))
    async with InProcessNetwork(definition) as running:
        yield running


def a_walk(*steps: str, refused_at: int | None = None, because: str | None = None) -> Walk:
    return Walk(name="a walk", parties=("CO", "CP1"), steps=steps, refused_at=refused_at, because=because)


def a_part(network: InProcessNetwork, walk: Walk) -> Part:
    who = cast(network.definition, DEFINITION, walk, at=network.clock.now())
    return Part(definition=DEFINITION, walk=walk, cast=who)


def a_runner(network: InProcessNetwork, walk: Walk) -> WalkRunner:
    venue = Venue(
        controls=network.controls, clock=network.clock, pause=network.pause, advance=network.advance
    )
    return WalkRunner(a_part(network, walk), venue)


async def fault_of(network: InProcessNetwork, walk: Walk) -> str | None:
    runner = a_runner(network, walk)
    return runner.fault([step async for step in runner.play()])


@pytest.mark.parametrize(
    "last",
    [
        "CO send A008",
        "CO close",
        "CP1 reply A012",
        "CP1 clarify A003",
        "CO draft A008 about A008",
        "CO post A003",
    ],
)
async def test_what_the_engine_refuses_the_node_refuses(network: InProcessNetwork, last: str) -> None:
    """The same step is refused with the same code, and nothing of it stays."""
    runner = a_runner(network, a_walk("CO send A008", last))
    steps = [step async for step in runner.play()]
    assert steps[-1].refusal
    assert steps[-1].differences == ()


async def test_who_has_no_copy_can_do_nothing(network: InProcessNetwork) -> None:
    """A counterparty that got nothing yet is refused as offline."""
    assert await fault_of(network, a_walk("CP1 send A008", refused_at=1, because="case-not-found")) is None


async def test_refusal_that_the_walk_does_not_foresee_is_a_fault(network: InProcessNetwork) -> None:
    """A walk that says nothing of a refusal must not be refused."""
    fault = await fault_of(network, a_walk("CO close"))
    assert fault == "expected no refusal, found action-not-available"


async def test_missing_refusal_is_a_fault(network: InProcessNetwork) -> None:
    """A walk whose last step must be refused fails when it is not."""
    fault = await fault_of(network, a_walk("CO send A008", refused_at=1, because="action-not-available"))
    assert fault == "expected action-not-available, found no refusal"


async def test_document_behind_our_back_is_a_difference(network: InProcessNetwork) -> None:
    """What a copy has beyond what the engine says is named, with who has it."""
    runner = a_runner(network, a_walk("CO send A008", "wait P1D"))
    steps = []
    async for step in runner.play():
        steps.append(step)
        owner = network.controls[a_part(network, a_walk()).cast["CO"]]
        await owner.update(step.copies["CO"].case_id, step.copies["CO"].documents[0].id)
        await network.quiet()
    assert "has document A008 sent version 2" in str(runner.fault(steps))


async def test_node_that_does_more_than_the_engine_is_a_difference(network: InProcessNetwork) -> None:
    """Where the engine refuses and the node does not, the step says so."""
    strict = replace(DEFINITION, steps=())
    part = replace(a_part(network, a_walk("CO send A008")), definition=strict)
    venue = Venue(
        controls=network.controls, clock=network.clock, pause=network.pause, advance=network.advance
    )
    runner = WalkRunner(part, venue)
    fault = runner.fault([step async for step in runner.play()])
    assert fault == 'step 1, "CO send A008": expected action-not-available, found no refusal'


@pytest.mark.parametrize(
    "sentence",
    ["CO force A008 to CP1", "router send X100 leaves CP1 joins CP2", "CP1 reply X003 saying nothing"],
)
def test_what_nodes_cannot_do_is_named(sentence: str) -> None:
    """A sentence that honest nodes cannot play is the obstacle of its walk."""
    assert obstacle(a_walk("CO send A008", "wait P1D", sentence)) == sentence


async def test_walk_with_an_obstacle_is_refused(network: InProcessNetwork) -> None:
    """It is told before anything is opened, with the command that plays it offline."""
    with pytest.raises(DefinitionError, match="CO repeat"):
        a_runner(network, a_walk("CO send A008", "CO repeat"))


async def test_party_outside_the_network_is_refused(network: InProcessNetwork) -> None:
    """A cast must come from the network that runs."""
    part = replace(a_part(network, a_walk()), cast={})
    venue = Venue(controls={}, clock=network.clock, pause=network.pause, advance=network.advance)
    with pytest.raises(DefinitionError, match="found none for CO, CP1"):
        WalkRunner(part, venue)


def test_full_run_is_the_longest_walk_where_none_has_that_name() -> None:
    """A file without a full run still has something to show; one without walks has not."""
    short, long = a_walk("CO send A008"), a_walk("CO send A008", "wait P1D")
    assert full_run(replace(DEFINITION, walks=(short, long))) is long
    assert full_run(replace(DEFINITION, walks=())) is None
    named = full_run(DEFINITION)
    assert named is not None
    assert (named.name, moves_time(named), moves_time(short)) == ("full run", True, False)


async def test_report_tells_a_walk_as_a_story(network: InProcessNetwork) -> None:
    """Who plays whom and every sentence are in its text."""
    story = as_story(a_part(network, a_walk("CO send A008", "wait P1D")))
    assert story.text.endswith("CO send A008; wait P1D.")
    assert story.participants[0] in story.text
