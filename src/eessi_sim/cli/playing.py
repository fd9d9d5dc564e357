"""Plays stories on a stage while a screen follows, waits until all is settled, and collects the report."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Final

import click
from rich.text import Text

from eessi_sim import resources
from eessi_sim.cli import failures
from eessi_sim.cli.live import Screen
from eessi_sim.cli.stage import Stage
from eessi_sim.errors import DefinitionError, EessiSimError
from eessi_sim.ir.loader import NetworkDefinition
from eessi_sim.report.collect import StoryResult
from eessi_sim.simulation.story import Event, Story, StoryRunner, load_story
from eessi_sim.simulation.views import CaseView
from eessi_sim.simulation.watch import Progress, Watch, unsettled

_STORY_WITHIN: Final = 120.0
"""Seconds that a story may take between processes; those of the demo take about ten."""
_SETTLE_WITHIN: Final = timedelta(minutes=2)
"""On the clock of the network."""
_LOOK_EVERY: Final = 0.3
"""Seconds between two looks at the journals of separate processes."""


def find_stories(
    definition: NetworkDefinition, file: Path | None, wanted: Sequence[str]
) -> tuple[Story, ...]:
    """Return the stories of a network, or those of them that are wanted.

    Args:
        definition: names its stories.
        file: the network file; stories beside it win over those that ship with the program.
        wanted: ids; all when empty.

    Raises:
        click.BadParameter: the network has no such story.
        DefinitionError: a story file is missing or wrong.
    """
    for name in wanted:
        if name not in definition.stories:
            known = failures.nearest(name, definition.stories)
            raise click.BadParameter(f'Expected a story of the network, found "{name}". {known}')
    chosen = [name for name in definition.stories if not wanted or name in wanted]
    return tuple(load_story(_story_file(name, file)) for name in chosen)


def _story_file(name: str, network: Path | None) -> Path:
    roots = [network.parent, network.parent.parent] if network else []
    places = [root / "stories" / f"{name}.yaml" for root in (*roots, resources.institutions())]
    for place in places:
        if place.is_file():
            return place
    raise DefinitionError(
        f'Expected a file for the story "{name}", found none',
        hint=f"Write {places[0]}, or take the story out of the network file.",
    )


class Follower:
    """Shows on a screen what happens on a stage, whenever somebody waits.

    Args:
        stage: the network.
        screen: where to show it.
    """

    def __init__(self, stage: Stage, screen: Screen) -> None:
        self.watch = Watch(stage.readers)
        self._stage = stage
        self._screen = screen
        self._every = _LOOK_EVERY if stage.mode == "processes" else 0.0
        self._next_look = 0.0

    async def pause(self) -> None:
        """Let the network work for a moment, and show what is new."""
        await self._stage.pause()
        now = asyncio.get_running_loop().time()
        if now >= self._next_look:
            self._next_look = now + self._every
            self._screen.show(await self.watch.look())

    def tell(self, event: Event) -> None:
        """Show what happens to the network."""
        self._screen.say(Text(f"{event.at:%d %b %H:%M:%S}  {event.text}", style="bold"))

    async def settle(self) -> None:
        """Wait until nothing is under way any more; give up after a while, the report says what is missing."""
        deadline = self._stage.clock.now() + _SETTLE_WITHIN
        while await unsettled(self._stage.readers) and self._stage.clock.now() < deadline:
            before = self._next_look
            while self._next_look == before:
                await self.pause()
        self._screen.show(await self.watch.look())
        self._screen.finish(self.watch.messages)

    async def until_settled(self, message_ids: Sequence[str]) -> tuple[Progress, ...]:
        """Wait until some messages have come to their end, and return what is known of them."""
        deadline = self._stage.clock.now() + _SETTLE_WITHIN
        while self._stage.clock.now() < deadline:
            found = tuple(item for item in self.watch.messages if item.message_id in message_ids)
            if len(found) == len(message_ids) and all(item.is_settled for item in found):
                break
            await self.pause()
        return tuple(item for item in self.watch.messages if item.message_id in message_ids)


async def play_all(stage: Stage, stories: Sequence[Story], follower: Follower) -> tuple[StoryResult, ...]:
    """Play stories: side by side between processes, one after the other on simulated time (it repeats itself then).

    Those that disturb the others come last, one by one.
    """
    together = [story for story in stories if stage.mode == "processes" and not story.disturbs_others]
    results = {
        story.id: result
        for story, result in zip(
            together,
            await asyncio.gather(*(_play(stage, story, follower) for story in together)),
            strict=True,
        )
    }
    for story in stories:
        if story.id not in results:
            results[story.id] = await _play(stage, story, follower)
    return tuple(results[story.id] for story in stories)


async def _play(stage: Stage, story: Story, follower: Follower) -> StoryResult:
    within = _STORY_WITHIN if stage.mode == "processes" else None
    events: list[Event] = []

    def tell(event: Event) -> None:
        events.append(event)
        follower.tell(event)

    try:
        runner = StoryRunner(
            story,
            stage.controls,
            stage.clock,
            follower.pause,
            lines=stage.lines,
            let_pass=stage.let_pass,
            tell=tell,
        )
        async with asyncio.timeout(within):
            case = (await runner.play()).case
            return StoryResult(story, case, events=tuple(events))
    except TimeoutError:
        reason = f"not at its end after {_STORY_WITHIN:.0f} s"
    except EessiSimError as error:
        reason = f"{error.code}: {error.message}"
    return StoryResult(story, await _case_of(stage, story), reason, tuple(events))


async def _case_of(stage: Stage, story: Story) -> CaseView | None:
    """Return the case of a story that stopped half-way, None when it was not even opened or its owner is gone."""
    if story.owner not in stage.controls:
        return None
    try:
        cases = await stage.controls[story.owner].cases()
    except EessiSimError:
        return None
    return next((case for case in cases if case.buc == story.buc and case.own == story.owner), None)
