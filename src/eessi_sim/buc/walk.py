"""Plays example runs of a process: several parties in memory, every message delivered at once.

A run is a list of sentences: ``CO send A003``, ``CP1 reply A012``, ``wait P60D``, ``CO close``. The words
are told in ``schemas/buc/README.md``. No content, no transport: only the process is played.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from eessi_sim.buc.case import Case
from eessi_sim.buc.definition import BucDefinition
from eessi_sim.buc.stage import Sentence, Stage
from eessi_sim.buc.terms import Walk
from eessi_sim.definition_files import Node, suggestion
from eessi_sim.errors import CaseError, DefinitionError
from eessi_sim.identifiers import SedType

START: Final = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
"""When every walk begins, unless told otherwise."""
_VERBS: Final[Mapping[str, Callable[[Stage, Sentence], None]]] = {
    "send": Stage.send,
    "reply": Stage.reply,
    "draft": Stage.draft,
    "post": Stage.post,
    "delete": Stage.delete,
    "update": Stage.update,
    "invalidate": Stage.invalidate,
    "reject": Stage.reject,
    "clarify": Stage.clarify,
    "report": Stage.report,
    "repeat": Stage.repeat,
    "force": Stage.force,
    "close": Stage.close,
    "close-locally": Stage.close_locally,
    "reopen-locally": Stage.reopen_locally,
    "archive": Stage.archive,
    "restore": Stage.restore,
    "remove": Stage.remove,
}
_LINKS: Final = ("to", "about", "saying", "joins", "leaves")
_NOTHING: Final = "nothing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """What a walk led to."""

    cases: Mapping[str, Case]
    """The copies of the case, by party; a party that never got anything has none."""
    now: datetime
    refused_at: int | None = None
    """Number of the step that was refused, from 1."""
    refusal: CaseError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """What a walk looks like after one of its steps."""

    number: int
    """Of the step, from 1."""
    step: str
    now: datetime
    cases: Mapping[str, Case]
    """The copies of the case, by party."""
    refusal: CaseError | None = None
    """Why the step was refused; then it is the last moment."""


def moments(definition: BucDefinition, walk: Walk, *, start: datetime = START) -> Iterator[Moment]:
    """Play a walk step by step, until its end or the first refusal.

    Args:
        definition: the table of the process.
        walk: the run.
        start: when it begins.

    Raises:
        DefinitionError: a sentence is not understood, or a party is unknown.
    """
    stage = Stage(definition, walk.parties, start)
    for number, step in enumerate(walk.steps, start=1):
        refusal: CaseError | None = None
        try:
            perform(stage, step)
        except CaseError as error:
            refusal = error
        yield Moment(number=number, step=step, now=stage.now, cases=stage.cases(), refusal=refusal)
        if refusal is not None:
            return


def play(definition: BucDefinition, walk: Walk, *, start: datetime = START) -> Played:
    """Play a walk until its end or the first refusal.

    Args:
        definition: the table of the process.
        walk: the run.
        start: when it begins.

    Raises:
        DefinitionError: a sentence is not understood, or a party is unknown.
    """
    stage = Stage(definition, walk.parties, start)
    played = Played(cases=stage.cases(), now=stage.now)
    for moment in moments(definition, walk, start=start):
        refused_at = moment.number if moment.refusal else None
        played = Played(cases=moment.cases, now=moment.now, refused_at=refused_at, refusal=moment.refusal)
    return played


def find_fault(definition: BucDefinition, walk: Walk) -> str | None:
    """Return how a walk goes otherwise than its file says; None when it goes as written.

    Raises:
        DefinitionError: a sentence is not understood, or a party is unknown.
    """
    played = play(definition, walk)
    found = _refusal(played.refused_at, played.refusal.code if played.refusal else None)
    expected = _refusal(walk.refused_at, walk.because)
    if found == expected:
        return None
    reason = f": {played.refusal}" if played.refusal else ""
    return f'{definition.buc}, walk "{walk.name}": expected {expected}, found {found}{reason}'


def _refusal(at: int | None, because: str | None) -> str:
    return f"step {at} refused as {because}" if at else "no refusal"


def perform(stage: Stage, step: str) -> None:
    """Do on a stage what one sentence says.

    Raises:
        DefinitionError: the sentence is not understood, or a party is unknown.
        CaseError: the process refuses it.
    """
    waited = waiting(step)
    if waited is not None:
        stage.now += waited
        return
    verb, sentence = read(step)
    _VERBS[verb](stage, sentence)


def waiting(step: str) -> timedelta | None:
    """Return how much time a sentence lets pass; None when it does something else."""
    words = step.split()
    if words[:1] == ["wait"] and len(words) == 2:
        return Node(step, "", 1, words[1]).duration()
    return None


def read(step: str) -> tuple[str, Sentence]:
    """Return the verb of a sentence, and what it says.

    Raises:
        DefinitionError: the sentence is not understood.
    """
    words = step.split()
    if len(words) < 2 or words[1] not in _VERBS:
        raise DefinitionError(
            f'Expected "<party> <verb> …" or "wait <duration>" in a walk, found "{step}"',
            hint=suggestion(words[1] if len(words) > 1 else step, _VERBS),
        )
    return words[1], _sentence(step, words)


def _sentence(step: str, words: list[str]) -> Sentence:
    party, _verb, *rest = words
    sed = rest.pop(0) if rest and rest[0] not in _LINKS else None
    links = dict(zip(rest[::2], rest[1::2], strict=False))
    if len(rest) % 2 or not set(links) <= set(_LINKS):
        raise DefinitionError(
            f'Expected {", ".join(_LINKS)} with one word each at the end, found "{step}"',
            hint="Write it like: CO send P8000 to CP1,CP2 saying urgent.",
        )
    return Sentence(
        text=step,
        party=party,
        sed=_sed(step, sed),
        to=tuple(links["to"].split(",")) if "to" in links else None,
        about=_sed(step, links.get("about")),
        saying=_facts(links.get("saying")),
        joins=links.get("joins"),
        leaves=links.get("leaves"),
    )


def _facts(words: str | None) -> tuple[str, ...] | None:
    if words is None:
        return None
    return () if words == _NOTHING else tuple(words.split(","))


def _sed(step: str, word: str | None) -> SedType | None:
    return Node(step, "", 1, word).parsed(SedType) if word else None
