"""Plays a walk on real nodes, and beside it on the pure engine: every copy must become what the engine says.

The same sentences that ``buc.walk`` plays from hand to hand become calls of ``NodeControl`` here, so that SEDs are
composed, sealed, sent, checked and receipted. After each step every institution's copy is compared with the one
that the engine has without any network: its status, its documents, and what it offers.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from eessi_sim.buc import engine
from eessi_sim.buc import walk as walking
from eessi_sim.buc.administration import CaseEffect
from eessi_sim.buc.case import Case, Direction, Document, ParticipantChange
from eessi_sim.buc.definition import BucDefinition
from eessi_sim.buc.stage import ROUTER, Sentence, Stage
from eessi_sim.buc.terms import Permission, Walk
from eessi_sim.clock import Clock
from eessi_sim.errors import CaseError, CaseNotFound, DefinitionError, DocumentNotFound, EessiSimError
from eessi_sim.identifiers import InstitutionId, SedType
from eessi_sim.institution.casework import Move
from eessi_sim.simulation.casting import OWNER, names_in
from eessi_sim.simulation.control import NodeControl
from eessi_sim.simulation.likeness import apart, latest, twins, unlike
from eessi_sim.simulation.story import Story
from eessi_sim.simulation.views import CaseView

FULL_RUN: Final = "full run"
"""Name of the walk that shows most of a process, where its file has one."""
_PATIENCE: Final = timedelta(minutes=1)
"""How long the copies may take, on the clock of the network, to become what they must be."""
_PERMISSIONS: Final = {
    "invalidate": Permission.INVALIDATE,
    "reject": Permission.REJECT,
    "clarify": Permission.CLARIFY,
}
_DRAFT: Final = "draft"
_MAKING: Final = ("send", "reply", "close", _DRAFT, *_PERMISSIONS)
"""Verbs that make a document, and all but one send it."""
_HANDLING: Final = ("post", "update", "delete")
"""Verbs about a document that there is already."""
_MOVES: Final = {
    "close-locally": Move.CLOSE,
    "reopen-locally": Move.REOPEN,
    "archive": Move.ARCHIVE,
    "restore": Move.RESTORE,
    "remove": Move.REMOVE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A walk with the table of its process, and who plays which party."""

    definition: BucDefinition
    walk: Walk
    cast: Mapping[str, InstitutionId]


@dataclass(frozen=True, slots=True, kw_only=True)
class Venue:
    """Where a walk is played: the nodes and their time.

    ``pause`` lets the network work for a moment, ``advance`` lets time pass on the clocks of all nodes.
    """

    controls: Mapping[InstitutionId, NodeControl]
    clock: Clock
    pause: Callable[[], Awaitable[None]]
    advance: Callable[[timedelta], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What became of one sentence."""

    number: int
    """From 1."""
    sentence: str
    at: datetime
    """When it was done, on the clock of the network."""
    copies: Mapping[str, CaseView]
    """The copies of the case, by party."""
    refusal: str | None = None
    """Code of the error with which the node refused it."""
    differences: tuple[str, ...] = ()
    """How nodes and engine differ afterwards; then it is the last step."""


def obstacle(walk: Walk) -> str | None:
    """Return the first sentence of a walk that cannot be played on nodes, None when all can."""
    return next((step for step in walk.steps if not _is_playable(step)), None)


def moves_time(walk: Walk) -> bool:
    """Return whether a walk lets time pass, for the whole network."""
    return any(walking.waiting(step) is not None for step in walk.steps)


def require_playable(definition: BucDefinition, walk: Walk) -> None:
    """Refuse a walk that nodes cannot play.

    Raises:
        DefinitionError: names the sentence.
    """
    impossible = obstacle(walk)
    if impossible is not None:
        raise DefinitionError(
            f'Expected steps that nodes can take, found "{impossible}"',
            hint=f"Play it offline: eessi-sim bucs walk {definition.buc}",
        )


def _is_playable(step: str) -> bool:
    """Whether nodes can do what a sentence says.

    What is composed says yes where a table asks for a fact; nobody types another answer here.
    """
    if walking.waiting(step) is not None:
        return True
    verb, sentence = walking.read(step)
    return verb in _HANDLERS and sentence.party != ROUTER and sentence.saying != ()


def full_run(definition: BucDefinition) -> Walk | None:
    """Return the walk that shows most of a process: the one with that name, else the longest that nodes can play."""
    fit = [walk for walk in definition.walks if walk.because is None and obstacle(walk) is None]
    named = (walk for walk in fit if walk.name == FULL_RUN)
    return next(named, max(fit, key=lambda walk: len(walk.steps), default=None))


def as_story(part: Part) -> Story:
    """Return what a report tells about a walk."""
    definition, cast = part.definition, part.cast
    who = ", ".join(f"{name} is {institution}" for name, institution in cast.items())
    return Story(
        id=str(definition.buc).lower(),
        title=f"{definition.title.text}: {part.walk.name}",
        text=f"{who}. {'; '.join(part.walk.steps)}.",
        buc=definition.buc,
        owner=cast[OWNER],
        counterparties=tuple(institution for name, institution in cast.items() if name != OWNER),
        steps=(),
    )


class WalkRunner:
    """Plays one walk.

    Args:
        part: what to play, and who plays it.
        venue: where.

    Raises:
        DefinitionError: a sentence cannot be played on nodes, or a party is not in the network.
    """

    def __init__(self, part: Part, venue: Venue) -> None:
        require_playable(part.definition, part.walk)
        absent = [name for name in names_in(part.walk) if part.cast.get(name) not in venue.controls]
        if absent:
            raise DefinitionError(
                f"Expected an institution of the network for each party, found none for {', '.join(absent)}",
                hint="Choose the cast from the network that runs.",
            )
        self._part = part
        self._venue = venue
        self._international_id = ""
        self._twins: dict[str, str] = {}
        """Ids of documents: at the engine, and on the nodes."""
        self._stage = Stage(part.definition, part.walk.parties, venue.clock.now(), cast=part.cast)

    @property
    def international_id(self) -> str:
        """Id that all copies of the case share; empty before the case was opened."""
        return self._international_id

    async def play(self) -> AsyncGenerator[Step]:
        """Play step by step, until the end, the first refusal or the first difference.

        Raises:
            EessiSimError: the case could not be opened.
        """
        part = self._part
        others = [part.cast[name] for name in part.walk.parties if name != OWNER]
        owner = self._control(OWNER)
        case_id = await owner.open_case(part.definition.buc, others)
        self._international_id = (await owner.case(case_id)).international_id
        for number, sentence in enumerate(part.walk.steps, start=1):
            step = await self._do(number, sentence)
            yield step
            if step.differences or step.refusal:
                return

    def fault(self, steps: Sequence[Step]) -> str | None:
        """Return how what was played differs from what the walk says; None when it went as it must."""
        walk = self._part.walk
        last = steps[-1] if steps else None
        if last is not None and last.differences:
            return f'step {last.number}, "{last.sentence}": {"; ".join(last.differences)}'
        refused_at = last.number if last is not None and last.refusal else None
        if (refused_at, last.refusal if last else None) != (walk.refused_at, walk.because):
            expected, found = walk.because or "no refusal", last.refusal if last else None
            return f"expected {expected}, found {found or 'no refusal'}"
        return None

    async def _do(self, number: int, sentence: str) -> Step:
        waited = walking.waiting(sentence)
        if waited is not None:
            await self._venue.advance(waited)
        at = self._stage.now = self._venue.clock.now()
        expected = found = None
        before = self._stage.cases()
        if waited is None:
            try:
                walking.perform(self._stage, sentence)
            except CaseError as error:
                expected = error.code
            found = await self._on_nodes(sentence, before)
        if expected == found:
            # A node that refuses keeps nothing of it; the engine plays a step in pieces and may keep a draft.
            copies, differences = await self._settle(before if expected else self._stage.cases())
        else:
            copies = await self._copies()
            differences = [f"expected {expected or 'no refusal'}, found {found or 'no refusal'}"]
        return Step(
            number=number,
            sentence=sentence,
            at=at,
            copies=copies,
            refusal=found,
            differences=tuple(differences),
        )

    async def _on_nodes(self, text: str, before: Mapping[str, Case]) -> str | None:
        """Do on the nodes what the engine has just done; return the code of the refusal."""
        verb, sentence = walking.read(text)
        try:
            await _HANDLERS[verb](self, verb, sentence, before)
        except EessiSimError as error:
            return str(error.as_dict()["code"])
        return None

    async def _make(self, verb: str, sentence: Sentence, before: Mapping[str, Case]) -> None:
        """Make the document that the engine has made, and send it."""
        known = {document.id for document in _documents(before.get(sentence.party))}
        after = _documents(self._stage.cases().get(sentence.party))
        made = next((d for d in after if d.id not in known and d.direction is Direction.OUT), None)
        case = await self._own(sentence.party)
        if made is None:  # the engine refused
            sed, parent_id = self._wanted(verb, sentence, case)
        else:
            sed, parent_id = made.type, self._twins[made.parent_id] if made.parent_id else None
        receivers = [self._part.cast[name] for name in sentence.to] if sentence.to else None
        joins = self._part.cast[sentence.joins] if sentence.joins else None
        leaves = self._part.cast[sentence.leaves] if sentence.leaves else None
        change = ParticipantChange(joins, leaves) if joins or leaves else None
        control = self._control(sentence.party)
        if verb == _DRAFT:
            await control.draft(case.case_id, sed, parent_id=parent_id, change=change)
        else:
            await control.send(case.case_id, sed, parent_id=parent_id, receivers=receivers, change=change)

    async def _handle(self, verb: str, sentence: Sentence, before: Mapping[str, Case]) -> None:
        """Do something with a document that there is already."""
        case = await self._own(sentence.party)
        control, own = self._control(sentence.party), _documents(before.get(sentence.party))
        alike = (d for d in reversed(own) if d.direction is Direction.OUT and d.type == sentence.sed)
        document = next(alike, None)
        if document is None:
            raise _no_document(sentence.sed, sentence.party)
        twin = self._twins[document.id]
        if verb == "post":
            receivers = [self._part.cast[name] for name in sentence.to] if sentence.to else None
            await control.send_draft(case.case_id, twin, receivers=receivers)
        elif verb == "update":
            await control.update(case.case_id, twin)
        else:
            await control.delete_draft(case.case_id, twin)

    async def _move(self, verb: str, sentence: Sentence, _before: Mapping[str, Case]) -> None:
        case = await self._own(sentence.party)
        await self._control(sentence.party).move(case.case_id, _MOVES[verb])

    def _wanted(self, verb: str, sentence: Sentence, case: CaseView) -> tuple[SedType, str | None]:
        """Return type and parent of the document that a sentence asks for in vain."""
        if verb == "close":
            closing = self._part.definition.rule_with(CaseEffect.CLOSE_CASE)
            assert closing is not None  # the sub-processes of the program name one
            return closing.sed, None
        assert sentence.sed is not None  # the engine has read the sentence
        is_about = sentence.sed if verb in _PERMISSIONS else sentence.about
        sed = self._administrative(_PERMISSIONS[verb]) if verb in _PERMISSIONS else sentence.sed
        if is_about is None:
            return sed, None
        target = latest(case.documents, is_about)
        if target is None:
            raise _no_document(is_about, sentence.party)
        return sed, target

    def _administrative(self, permission: Permission) -> SedType:
        rules = self._part.definition.administrative.values()
        return next(rule.sed for rule in rules if rule.permission is permission)

    async def _settle(self, wanted: Mapping[str, Case]) -> tuple[dict[str, CaseView], list[str]]:
        """Let the network work until all copies are what they must be; what still differs after a while, differs."""
        deadline = self._venue.clock.now() + _PATIENCE
        while True:
            copies = await self._copies()
            differences = await self._differences(wanted, copies)
            if not differences or self._venue.clock.now() > deadline:
                return copies, differences
            await self._venue.pause()

    async def _copies(self) -> dict[str, CaseView]:
        """Return the copies that exist on the nodes."""
        found = {name: await self._find(name) for name in self._part.cast}
        return {name: case for name, case in found.items() if case is not None}

    async def _differences(self, wanted: Mapping[str, Case], copies: Mapping[str, CaseView]) -> list[str]:
        for name in wanted.keys() & copies.keys():
            twins(wanted[name], copies[name], self._twins)
        found = [
            f"{name} ({institution}) {each}"
            for name, institution in self._part.cast.items()
            for each in unlike(wanted.get(name), copies.get(name))
        ]
        return found or [
            each for name in copies for each in await self._offered(name, wanted[name], copies[name])
        ]

    async def _offered(self, name: str, case: Case, copy: CaseView) -> list[str]:
        """Return how what a copy offers differs from what the engine offers."""
        now = self._venue.clock.now()
        wanted = engine.available_actions(case, self._part.definition, now)
        offered = await self._control(name).available_actions(copy.case_id)
        who = f"{name} ({self._part.cast[name]})"
        return [f"{who} {each}" for each in apart("action", (action.text for action in wanted), offered)]

    def _control(self, name: str) -> NodeControl:
        return self._venue.controls[self._part.cast[name]]

    async def _find(self, name: str) -> CaseView | None:
        return await self._control(name).find_case(self._international_id)

    async def _own(self, name: str) -> CaseView:
        case = await self._find(name)
        if case is None:
            raise CaseNotFound(f"Expected a case at {name}, found none yet")
        return case


def _no_document(sed: SedType | None, party: str) -> DocumentNotFound:
    return DocumentNotFound(f"Expected a document {sed} at {party}, found none")


def _documents(case: Case | None) -> Sequence[Document]:
    return case.documents if case is not None else ()


_Handler = Callable[[WalkRunner, str, Sentence, Mapping[str, Case]], Awaitable[None]]
_HANDLERS: Final[Mapping[str, _Handler]] = {
    **dict.fromkeys(_MAKING, WalkRunner._make),
    **dict.fromkeys(_HANDLING, WalkRunner._handle),  # noqa: SLF001 - the table of this module
    **dict.fromkeys(_MOVES, WalkRunner._move),  # noqa: SLF001 - the table of this module
}
