"""Scripted cases: one life event, told as steps; a story is a file in ``institutions/stories``.

``StoryRunner`` plays a story through ``NodeControl``, so the same story runs in one process and over real sockets.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Final

from eessi_sim.clock import Clock, span
from eessi_sim.definition_files import Fields, Node, load_yaml
from eessi_sim.errors import CaseError, DefinitionError
from eessi_sim.identifiers import COUNTRIES, BucType, InstitutionId, SedType
from eessi_sim.simulation.control import NodeControl
from eessi_sim.simulation.lines import Lines
from eessi_sim.simulation.views import CaseView

_PATIENCE: Final = timedelta(minutes=10)
"""How long a step may wait on the clock of the network before the story counts as stuck."""


class Verb(StrEnum):
    """What a step does."""

    SEND = "send"
    AWAIT = "await"
    CLOSE = "close"
    CUT = "cut"
    """A country is out of reach from now on."""
    RESTORE = "restore"
    WAIT = "wait"
    """Time passes."""


_OF_A_COUNTRY: Final = (Verb.CUT, Verb.RESTORE)


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a story."""

    verb: Verb
    sed: SedType | None
    """The document to send or to wait for."""
    who: tuple[str, ...]
    """Ids, or ``owner``, or ``all``: who sends, from whom something is awaited, who closes; the country that is cut."""
    time: timedelta = timedelta(0)
    """How long to wait."""

    def __str__(self) -> str:
        names = ", ".join(self.who)
        if self.verb is Verb.WAIT:
            return f"wait {self.time}"
        if self.verb in _OF_A_COUNTRY:
            return f"{self.verb} {names}"
        if self.verb is Verb.AWAIT:
            return f"await {self.sed} from {names}"
        return f"{self.verb} {self.sed or ''} by {names}".replace("  ", " ")


@dataclass(frozen=True, slots=True)
class Story:
    """A life event, who takes part and what they do."""

    id: str
    title: str
    text: str
    buc: BucType
    owner: InstitutionId
    counterparties: tuple[InstitutionId, ...]
    steps: tuple[Step, ...]

    @property
    def participants(self) -> tuple[InstitutionId, ...]:
        """Owner first."""
        return (self.owner, *self.counterparties)

    @property
    def disturbs_others(self) -> bool:
        """Whether it cuts lines or moves the clock, so that no other story can be played beside it."""
        return any(step.verb in (*_OF_A_COUNTRY, Verb.WAIT) for step in self.steps)


def load_story(path: Path) -> Story:
    """Read a story file.

    Raises:
        DefinitionError: names file, line and key.
    """
    fields = load_yaml(path).mapping(
        required={"id", "title", "text", "buc", "owner", "counterparties", "steps"}, allowed=set()
    )
    return Story(
        id=fields.read("id", Node.text),
        title=fields.read("title", Node.text),
        text=fields.read("text", Node.text),
        buc=fields.read("buc", lambda node: node.parsed(BucType)),
        owner=fields.read("owner", _institution),
        counterparties=fields.each("counterparties", _institution),
        steps=fields.each("steps", _step),
    )


def _institution(node: Node) -> InstitutionId:
    return node.parsed(InstitutionId)


def _step(node: Node) -> Step:
    fields = node.mapping(required=set(), allowed={*map(str, Verb), "by", "from"})
    verb = next((verb for verb in Verb if verb in fields), None)
    if verb is None:
        raise node.error(
            "Expected send, await, close, cut, restore or wait, found none of them",
            hint="A step does one thing.",
        )
    if verb in _OF_A_COUNTRY:
        return Step(verb, None, (fields[verb].one_of(COUNTRIES),))
    if verb is Verb.WAIT:
        return Step(verb, None, (), fields[verb].duration())
    sed = None if verb is Verb.CLOSE else fields.read(verb, lambda item: item.parsed(SedType))
    return Step(verb, sed, _who(fields, "from" if verb is Verb.AWAIT else "by"))


def _who(fields: Fields, key: str) -> tuple[str, ...]:
    node = fields[key]
    return node.each(Node.text) if node.is_sequence else (node.text(),)


@dataclass(frozen=True, slots=True)
class Event:
    """What happened to the network while a story was played."""

    at: datetime
    text: str


@dataclass(frozen=True, slots=True)
class Played:
    """A story that was played to its end."""

    story: Story
    case: CaseView
    """The case at its owner."""


class StoryStuck(CaseError):  # noqa: N818 - says what happened
    """A step of a story did not come about in time."""

    code = "story-stuck"


class StoryRunner:
    """Plays one story.

    Args:
        story: what to play.
        controls: one per participant.
        clock: the clock of the network.
        pause: lets the network work for a moment; in one process it moves the clock when nothing else is to do.
        lines: the lines between the countries; only a story that cuts one needs them.
        let_pass: lets time pass, and everything happen that is due meanwhile; only a story that waits needs it.
        tell: is told what happens to the network.
    """

    def __init__(
        self,
        story: Story,
        controls: Mapping[InstitutionId, NodeControl],
        clock: Clock,
        pause: Callable[[], Awaitable[None]],
        *,
        lines: Lines | None = None,
        let_pass: Callable[[timedelta], Awaitable[None]] | None = None,
        tell: Callable[[Event], None] = lambda _event: None,
    ) -> None:
        missing = [party for party in story.participants if party not in controls]
        if missing:
            raise DefinitionError(
                f"Expected {', '.join(missing)} in the network of story {story.id}",
                hint="Add the institution to the network file, or play another story.",
            )
        self._story = story
        self._controls = controls
        self._clock = clock
        self._pause = pause
        self._lines = lines
        self._let_pass = let_pass
        self._tell = tell
        self._out_of_reach: frozenset[InstitutionId] = frozenset()
        self._case_id = ""
        self._international_id = ""

    async def play(self) -> Played:
        """Play all steps.

        Raises:
            StoryStuck: something awaited did not come.
            EessiSimError: a step was refused.
        """
        owner = self._controls[self._story.owner]
        self._case_id = await owner.open_case(self._story.buc, self._story.counterparties)
        self._international_id = (await owner.case(self._case_id)).international_id
        for step in self._story.steps:
            await self._do(step)
        return Played(self._story, await owner.case(self._case_id))

    async def _do(self, step: Step) -> None:
        if step.verb is Verb.WAIT:
            await self._wait(step)
        elif step.verb in _OF_A_COUNTRY:
            await self._switch(step)
        elif step.verb is Verb.SEND:
            for party in self._parties(step):
                await self._send(step, party)
        elif step.verb is Verb.AWAIT:
            await self._until(step, self._has_arrived)
        else:
            for party in self._parties(step):
                control = self._controls[party]
                await control.close_case((await self._case_of(party)).case_id)

    async def _switch(self, step: Step) -> None:
        assert self._lines is not None  # whoever plays a story that cuts a line has lines
        (country,) = step.who
        if step.verb is Verb.CUT:
            self._out_of_reach |= await self._lines.cut(country)
            self._say(f"{country} is cut off from all others")
        else:
            self._out_of_reach -= await self._lines.restore(country)
            self._say(f"{country} is back")

    async def _wait(self, step: Step) -> None:
        assert self._let_pass is not None  # whoever plays a story that waits has a clock
        assert self._lines is not None
        await self._let_pass(step.time)
        waiting = await self._lines.waiting()
        places = ", ".join(f"{number} at {point}" for point, number in waiting.items())
        number = sum(waiting.values())
        words = f"{number} messages wait: {places}" if waiting else "no message waits any more"
        self._say(f"{span(step.time)} have passed; {words}")

    def _say(self, text: str) -> None:
        self._tell(Event(self._clock.now(), text))

    async def _send(self, step: Step, party: InstitutionId) -> None:
        assert step.sed is not None  # every send has one
        case = await self._case_of(party)
        await self._controls[party].send(case.case_id, step.sed)
        await self._until(step, self._is_delivered)

    async def _is_delivered(self, step: Step) -> bool:
        """Whether all receivers within reach acknowledged the documents sent by this step."""
        for party in self._parties(step):
            case = await self._case_of(party)
            sent = [d for d in case.documents if d.type == step.sed and d.sender == party]
            if any(delivery.status == "error" for document in sent for delivery in document.deliveries):
                raise StoryStuck(f"Expected {step} to be delivered, found an error", story=self._story.id)
            waiting = [
                delivery.receiver
                for document in sent
                for delivery in document.deliveries
                if delivery.status != "delivered"
            ]
            if not self._out_of_reach.issuperset(waiting):
                return False
        return True

    async def _has_arrived(self, step: Step) -> bool:
        """Whether the owner has the awaited document from everybody named."""
        case = await self._case_of(self._story.owner)
        senders = {document.sender for document in case.documents if document.type == step.sed}
        return senders.issuperset(self._parties(step))

    async def _case_of(self, party: InstitutionId) -> CaseView:
        case = await self._controls[party].find_case(self._international_id)
        if case is None:
            raise StoryStuck(f"Expected the case at {party}, found none", story=self._story.id)
        return case

    async def _until(self, step: Step, done: Callable[[Step], Awaitable[bool]]) -> None:
        deadline = self._clock.now() + _PATIENCE
        while not await done(step):
            if self._clock.now() > deadline:
                raise StoryStuck(
                    f"Expected in {_PATIENCE}: {step}",
                    hint="Look at the trace of the case; a dead letter says why it cannot go on.",
                    story=self._story.id,
                )
            await self._pause()

    def _parties(self, step: Step) -> tuple[InstitutionId, ...]:
        if step.who == ("all",):
            return self._story.participants
        return tuple(self._story.owner if who == "owner" else InstitutionId(who) for who in step.who)
