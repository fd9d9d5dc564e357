"""Static check of a process table: what a file may say in good form and still not mean.

Finds SEDs nobody sends, answers nobody asks for, steps never reached, cases nobody can close, and rows in
which owner and counterparty disagree. The walks of the file are played elsewhere.
"""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum

from eessi_sim.buc.case import CaseRole
from eessi_sim.buc.definition import (
    Addressing,
    BucDefinition,
    CloseMode,
    EffectRule,
    Scope,
    Step,
    Trigger,
)
from eessi_sim.identifiers import SedType


class FindingKind(StrEnum):
    """Whether a finding must be mended, or only known."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong with a table."""

    kind: FindingKind
    buc: str
    text: str
    """What was expected and what the table says."""
    hint: str


def check(definition: BucDefinition, known_seds: Collection[SedType] | None = None) -> tuple[Finding, ...]:
    """Return everything that is wrong with a table; nothing for a good one.

    Args:
        definition: the table.
        known_seds: SED types that have a schema; a type outside gives a warning. None skips this check.
    """
    errors = [
        Finding(FindingKind.ERROR, definition.buc, text, hint)
        for look in _LOOKS
        for text, hint in look(definition)
    ]
    warnings = [
        Finding(FindingKind.WARNING, definition.buc, text, hint)
        for text, hint in _without_schema(definition, known_seds)
    ]
    return (*errors, *warnings)


_Found = Iterator[tuple[str, str]]


def _starters(definition: BucDefinition) -> _Found:
    rows = {step.sed for step in definition.steps if step.starter}
    for sed in definition.starters:
        if sed not in rows:
            yield (
                f"Expected a row that starts the case for {sed}, found none",
                f"Mark a row of {sed} as starter.",
            )
    for step in definition.steps:
        if step.starter and step.sed not in definition.starters:
            yield f"Expected {step.sed} among the starters, found it only in a row", "Add it to starters."
        if step.starter and step.sender is not CaseRole.CASE_OWNER:
            yield f"Expected the starter {step.sed} from CO, found it from CP", "Only the owner opens a case."
    if not definition.starters:
        yield "Expected a starter, found none", "Name the SED that opens the case."


def _reachable(definition: BucDefinition) -> _Found:
    """A step is reached when one of the SEDs it comes after, or answers, can be exchanged."""
    reached = set(definition.starters)
    steps = [step for step in definition.steps if not step.starter]
    while new := {
        step.sed for step in steps if step.sed not in reached and reached & {*step.after, *step.replies_to}
    }:
        reached |= new
    for step in steps:
        if not reached & {*step.after, *step.replies_to}:
            grounds = ", ".join((*step.after, *step.replies_to)) or "nothing"
            yield (
                f"Expected {step.sed} from {step.sender.short} to be reached, found it only after {grounds}",
                "Name in after or replies_to a SED that can be exchanged before.",
            )


def _seen(definition: BucDefinition) -> _Found:
    """Who takes a step must have sent or received what it rests on."""
    for step in definition.steps:
        visible = {
            other.sed
            for other in definition.steps
            if step.sender in other.to or (other.sender is step.sender and not step.is_reply)
        }
        grounds = {*step.after, *step.replies_to}
        if grounds and not grounds & visible:
            wanted = ", ".join(sorted(grounds))
            yield (
                f"Expected {step.sender.short} to see {wanted} before {step.sed}, found it never sent there",
                "Check from and to of both rows.",
            )


def _bilateral(definition: BucDefinition) -> _Found:
    if not definition.is_bilateral:
        return
    for step in definition.steps:
        if step.sender in step.to:
            yield (
                f"Expected {step.sed} to go to the other side, found {step.sender.short} to itself",
                "A bilateral case has one counterparty.",
            )
        if step.addressing is Addressing.SELECTED:
            yield (
                f"Expected no choice of receivers for {step.sed}, found addressing: selected",
                "A bilateral case has one receiver; leave addressing out.",
            )
    for sed in definition.admin:
        if sed in _PARTICIPANT_SEDS:
            yield (
                f"Expected no {sed} in a bilateral process, found it under admin",
                "Remove it, or make the process multilateral.",
            )


def _close(definition: BucDefinition) -> _Found:
    rule = definition.close
    is_global = rule.mode is not CloseMode.LOCAL
    if bool(rule.by) is not is_global:
        yield f"Expected close mode {rule.mode} to agree with X001, found {len(rule.by)} roles", "See by."
    is_local = rule.mode is not CloseMode.GLOBAL
    if bool(rule.local) is not is_local:
        yield (
            f"Expected close mode {rule.mode} to agree with local, found {len(rule.local)} roles",
            "See local.",
        )
    if rule.since is not None and rule.since not in definition.seds():
        yield f"Expected a SED of the table in since, found {rule.since}", "Name a SED of the process."
    if rule.at_once_if is not None and rule.after is None:
        yield "Expected a delay beside at_once_if, found none", "Add after and since, or remove it."


def _alternatives(definition: BucDefinition) -> _Found:
    for group in definition.alternatives:
        for sed in group.seds:
            rows = [step for step in definition.steps if step.sed == sed]
            if not rows or (group.per is Scope.REQUEST and not any(step.is_reply for step in rows)):
                yield (
                    f"Expected {sed} to be an alternative that the table sends, found no such row",
                    "Alternatives per request are answers to the same SED.",
                )


def _effects(definition: BucDefinition) -> _Found:
    for rule in definition.effects:
        table = definition.tables[rule.by].by_sed
        for sed in rule.seds:
            if sed not in table:
                yield (
                    f"Expected {rule.by.short} to send {sed}, found it in an effect only",
                    "Check seds and by.",
                )
        events = _events(definition, rule)
        for sed in rule.of:
            if sed not in events:
                yield (
                    f"Expected {rule.by.short} to see {rule.on} of {sed}, found that it never does",
                    "Check by, on and of.",
                )


def _events(definition: BucDefinition, rule: EffectRule) -> set[SedType]:
    arrives = rule.on in _ARRIVALS
    return {
        step.sed
        for role in CaseRole
        for rows in definition.tables[role].by_sed.values()
        for step in rows
        if (rule.by in step.to if arrives else role is rule.by)
    }


def _rows_agree(definition: BucDefinition) -> _Found:
    first: dict[tuple[SedType, CaseRole], Step] = {}
    for step in definition.steps:
        other = first.setdefault((step.sed, step.sender), step)
        if step.permissions != other.permissions:
            yield (
                f"Expected the rows of {step.sed} from {step.sender.short} to allow the same, found two ways",
                "Make sender_may and receiver_may of both rows equal.",
            )


def _without_schema(definition: BucDefinition, known_seds: Collection[SedType] | None) -> _Found:
    if known_seds is None:
        return
    for sed in (*definition.seds(), *definition.administrative):
        if sed not in known_seds:
            yield f"Expected a schema for {sed}, found none", "It can be played, not written."


_PARTICIPANT_SEDS = frozenset({SedType("X005"), SedType("X006")})
_ARRIVALS = frozenset({Trigger.RECEIVE, Trigger.RECEIVE_UPDATE, Trigger.RECEIVE_INVALIDATE})
_LOOKS: tuple[Callable[[BucDefinition], _Found], ...] = (
    _starters,
    _reachable,
    _seen,
    _bilateral,
    _close,
    _alternatives,
    _effects,
    _rows_agree,
)
