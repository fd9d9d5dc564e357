"""Static check of a process table: what a file may say in good form and still not mean.

Finds SEDs nobody sends, answers nobody asks for, requests nobody answers, steps never reached, cases nobody
can close, and rows in which owner and counterparty disagree about one message. The walks of the file are
played elsewhere.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from eessi_sim.buc.administration import (
    AdministrativeRule,
    CaseEffect,
    Offered,
    SubProcess,
)
from eessi_sim.buc.case import CaseRole
from eessi_sim.buc.definition import BucDefinition, EffectRule, Step
from eessi_sim.buc.terms import Addressing, CloseMode, Scope, Sector, StepKind, Trigger
from eessi_sim.identifiers import SedType


class FindingKind(StrEnum):
    """Whether a finding must be mended, or only known."""

    ERROR = "error"
    INFO = "info"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong with a table."""

    kind: FindingKind
    code: str
    """What kind of fault it is, in a word or two; the same for the same fault in every table."""
    buc: str
    file: str
    line: int
    text: str
    """What was expected and what the table says."""
    hint: str


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a table is checked against besides itself."""

    known_seds: Collection[SedType] | None = None
    """SED types that the data model defines; None skips the check."""
    sectors: Mapping[str, Sector] | None = None
    """The branches that there are; None skips what depends on them."""
    processes: Collection[str] | None = None
    """Ids of all processes; None skips the check of names of other processes."""

    def is_in_scope(self, sector: str) -> bool:
        """Return whether the data model is meant to define all SEDs of a branch."""
        found = self.sectors.get(sector) if self.sectors else None
        return found is not None and found.in_scope


ALONE = Surroundings()
"""The table is checked by itself only."""
_Fault = tuple[str, int, str, str]
"""Code, line, sentence, hint."""
_Found = Iterator[_Fault]


def check(definition: BucDefinition, around: Surroundings = ALONE) -> tuple[Finding, ...]:
    """Return everything that is wrong with a table; nothing for a good one.

    Args:
        definition: the table.
        around: what else there is.
    """
    faults = [fault for look in _LOOKS for fault in look(definition)]
    faults += [fault for look in _LOOKS_AROUND for fault in look(definition, around)]
    in_scope = around.is_in_scope(definition.sector)
    unknown = FindingKind.ERROR if in_scope else FindingKind.INFO
    return (
        *_findings(FindingKind.ERROR, definition.buc, definition.file, faults),
        *_findings(unknown, definition.buc, definition.file, _unknown_seds(definition, around)),
    )


def check_sub_process(
    process: SubProcess, rules: Mapping[SedType, AdministrativeRule], around: Surroundings = ALONE
) -> tuple[Finding, ...]:
    """Return everything that is wrong with an administrative sub-process.

    Args:
        process: the sub-process.
        rules: the administrative SEDs of all of them.
        around: what else there is.
    """
    faults = [fault for rule in process.rules for fault in _administrative(rule, rules, around)]
    faults += [
        (
            "unknown-process",
            walk.line,
            f'Expected "{walk.name}" to say in which process it is played, found {walk.within or "none"}',
            "Name it with in: and a process that has a table.",
        )
        for walk in process.walks
        if walk.within is None or (around.processes is not None and walk.within not in around.processes)
    ]
    return tuple(_findings(FindingKind.ERROR, process.buc, process.file, faults))


def _findings(kind: FindingKind, buc: str, file: str, faults: Iterable[_Fault]) -> Iterator[Finding]:
    for code, line, text, hint in faults:
        yield Finding(kind=kind, code=code, buc=buc, file=file, line=line, text=text, hint=hint)


def _starters(definition: BucDefinition) -> _Found:
    rows = {step.sed for step in definition.steps if step.starter}
    for sed in definition.starters:
        if sed not in rows:
            yield (
                "starter-without-row",
                1,
                f"Expected a row that starts the case for {sed}, found none",
                f"Mark a row of {sed} as starter.",
            )
    for step in definition.steps:
        if step.starter and step.sed not in definition.starters:
            yield (
                "starter-not-listed",
                step.line,
                f"Expected {step.sed} among the starters, found it only in a row",
                "Add it to starters.",
            )
        if step.starter and step.sender is not CaseRole.CASE_OWNER:
            yield (
                "starter-from-counterparty",
                step.line,
                f"Expected the starter {step.sed} from CO, found it from CP",
                "Only the owner opens a case.",
            )
    if not definition.starters:
        yield "no-starter", 1, "Expected a starter, found none", "Name the SED that opens the case."


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
                "unreachable-step",
                step.line,
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
                "never-received",
                step.line,
                f"Expected {step.sender.short} to see {wanted} before {step.sed}, found it never sent there",
                "Check from and to of both rows.",
            )


def _answerable(definition: BucDefinition) -> _Found:
    """A SED that somebody answers must reach a role that may answer it."""
    answered = {sed: {s.sender for s in definition.steps if sed in s.replies_to} for sed in definition.seds()}
    for step in definition.steps:
        answering = answered[step.sed]
        if answering and not answering & step.to and not step.unanswered:
            yield (
                "request-without-answer",
                step.line,
                f"Expected a receiver of {step.sed} from {step.sender.short} to answer it, found none that may",
                "Let the other side answer, or send it elsewhere.",
            )


def _bilateral(definition: BucDefinition) -> _Found:
    if not definition.is_bilateral:
        return
    for step in definition.steps:
        if step.sender in step.to:
            yield (
                "to-itself",
                step.line,
                f"Expected {step.sed} to go to the other side, found {step.sender.short} to itself",
                "A bilateral case has one counterparty.",
            )
        if step.addressing is Addressing.SELECTED:
            yield (
                "choice-of-one",
                step.line,
                f"Expected no choice of receivers for {step.sed}, found addressing: selected",
                "A bilateral case has one receiver; leave addressing out.",
            )
    for sed in definition.admin:
        rule = definition.administrative.get(sed)
        if rule is not None and rule.effect in _NUMBER_OF_PARTICIPANTS:
            yield (
                "bilateral-participants",
                definition.close.line,
                f"Expected no {sed} in a bilateral process, found it under admin",
                "Remove it, or make the process multilateral.",
            )


def _close(definition: BucDefinition) -> _Found:
    rule = definition.close
    if bool(rule.by) is not (rule.mode in _FOR_ALL):
        yield (
            "close-mode",
            rule.line,
            f"Expected close mode {rule.mode} to agree with for_all, found {len(rule.by)} roles",
            "See by.",
        )
    if bool(rule.local) is not (rule.mode in _BY_ITSELF):
        yield (
            "close-mode",
            rule.line,
            f"Expected close mode {rule.mode} to agree with local, found {len(rule.local)} roles",
            "See local.",
        )
    if rule.mode is CloseMode.LOCAL and len(rule.local) < len(CaseRole):
        yield (
            "dead-end",
            rule.line,
            f"Expected every copy to have an end, found one only for {len(rule.local)} role",
            "Let both roles close locally, or one of them close for all; or say mode: none.",
        )
    if rule.reopen and not rule.by:
        yield (
            "reopen-without-close",
            rule.line,
            "Expected a case that is reopened to be closed for all, found no for_all",
            "Remove reopen.",
        )


def _timer(definition: BucDefinition) -> _Found:
    rule = definition.close
    if rule.since is not None and rule.since not in definition.seds():
        yield (
            "unknown-timer",
            rule.line,
            f"Expected a SED of the table in since, found {rule.since}",
            "Name a SED of the process.",
        )
    if rule.after is not None and not rule.after:
        yield "unknown-timer", rule.line, "Expected a delay, found none of length", "Remove after and since."
    if rule.at_once_if is not None and rule.after is None:
        yield (
            "unknown-timer",
            rule.line,
            "Expected a delay beside at_once_if, found none",
            "Add after and since, or remove it.",
        )


def _alternatives(definition: BucDefinition) -> _Found:
    for group in definition.alternatives:
        for sed in group.seds:
            rows = [step for step in definition.steps if step.sed == sed]
            if not rows or (group.per is Scope.REQUEST and not any(step.is_reply for step in rows)):
                yield (
                    "unknown-alternative",
                    group.line,
                    f"Expected {sed} to be an alternative that the table sends, found no such row",
                    "Alternatives per request are answers to the same SED.",
                )


def _conditions(definition: BucDefinition) -> _Found:
    used = {name for step in definition.steps for name in step.conditions} | {definition.close.at_once_if}
    for condition in definition.conditions.values():
        if condition.name not in used:
            yield (
                "unused-condition",
                condition.line,
                f"Expected a row that uses the condition {condition.name}, found none",
                "Name it in if or at_once_if, or remove it.",
            )
        for sed in condition.seds():
            if sed not in definition.seds():
                yield (
                    "unknown-condition",
                    condition.line,
                    f"Expected the condition {condition.name} to ask about SEDs of the table, found {sed}",
                    "Name a SED of the process.",
                )


def _fact_places(definition: BucDefinition) -> _Found:
    asked = {
        (sed, fact) for each in definition.conditions.values() for sed in each.seds() for fact in each.facts()
    }
    for place in definition.fact_places:
        if (place.of, place.fact) not in asked:
            yield (
                "unused-fact",
                1,
                f"Expected a condition that asks whether {place.of} says {place.fact}, found none",
                "Ask for it in conditions, or remove it from facts.",
            )


def _effects(definition: BucDefinition) -> _Found:
    for rule in definition.effects:
        table = definition.tables[rule.by].by_sed
        for sed in rule.seds:
            if sed not in table:
                yield (
                    "unknown-effect",
                    rule.line,
                    f"Expected {rule.by.short} to send {sed}, found it in an effect only",
                    "Check seds and by.",
                )
        events = _events(definition, rule)
        for sed in rule.of:
            if sed not in events:
                yield (
                    "unknown-effect",
                    rule.line,
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
    grounds: set[tuple[SedType, CaseRole, SedType]] = set()
    for step in definition.steps:
        other = first.setdefault((step.sed, step.sender), step)
        if step.permissions != other.permissions:
            yield (
                "rows-disagree",
                step.line,
                f"Expected the rows of {step.sed} from {step.sender.short} to allow the same, found two ways",
                "Make sender_may and receiver_may of both rows equal.",
            )
        for ground in {*step.after, *step.replies_to}:
            if (step.sed, step.sender, ground) in grounds:
                yield (
                    "row-twice",
                    step.line,
                    f"Expected one row of {step.sed} from {step.sender.short} after {ground}, found two",
                    "Remove one of them.",
                )
            grounds.add((step.sed, step.sender, ground))


def _walks(definition: BucDefinition, around: Surroundings) -> _Found:
    if definition.walks or not around.is_in_scope(definition.sector):
        return
    yield (
        "no-walks",
        1,
        f"Expected example runs of {definition.buc}, found none",
        "Add walks: some that must work, some that must be refused.",
    )


def _sector(definition: BucDefinition, around: Surroundings) -> _Found:
    if around.sectors is not None and definition.sector not in around.sectors:
        yield (
            "unknown-sector",
            1,
            f"Expected one of the sectors {', '.join(around.sectors)}, found {definition.sector}",
            "Name a sector of sectors.yaml, or add it there.",
        )


def _sub_processes(definition: BucDefinition, around: Surroundings) -> _Found:
    """A horizontal SED names its own process; several of one family share the beginning of the name."""
    if around.processes is None:
        return
    for step in definition.steps:
        for name in (step.sub_process or "").split(" or "):
            if step.kind is StepKind.HORIZONTAL and not any(
                p.startswith(name or "-") for p in around.processes
            ):
                yield (
                    "unknown-process",
                    step.line,
                    f"Expected the own process of {step.sed}, found {name or 'nothing'}",
                    "Name a process that has a table in sub_process.",
                )


def _unknown_seds(definition: BucDefinition, around: Surroundings) -> _Found:
    if around.known_seds is None:
        return
    lines: dict[SedType, int] = {}
    for step in definition.steps:
        lines.setdefault(step.sed, step.line)
    for sed, line in lines.items():
        if sed not in around.known_seds:
            yield (
                "unknown-sed",
                line,
                f"Expected {sed} in the data model, found no definition of it",
                "Without it the process is drawn and checked, not run.",
            )


def _administrative(
    rule: AdministrativeRule, rules: Mapping[SedType, AdministrativeRule], around: Surroundings
) -> _Found:
    if rule.replies_to is not None and rule.replies_to not in rules:
        yield (
            "never-received",
            rule.line,
            f"Expected {rule.sed} to answer an administrative SED, found {rule.replies_to}",
            "Check replies_to.",
        )
    if (rule.offered in _ABOUT_A_SED) is not (rule.permission is not None):
        yield (
            "permission",
            rule.line,
            f"Expected {rule.sed} to name the permission it needs just when it is about a SED",
            "See offered and permission.",
        )
    if (rule.offered in _ANSWERS) is not (rule.replies_to is not None):
        yield (
            "reply-without-request",
            rule.line,
            f"Expected {rule.sed} to name in replies_to what it answers just when it is offered as answer",
            "See offered and replies_to.",
        )
    if around.known_seds is not None and rule.sed not in around.known_seds:
        yield (
            "unknown-sed",
            rule.line,
            f"Expected {rule.sed} in the data model, found no definition of it",
            "Every process uses it.",
        )


_NUMBER_OF_PARTICIPANTS = frozenset({CaseEffect.ADD_PARTICIPANT, CaseEffect.REMOVE_PARTICIPANT})
_FOR_ALL = frozenset({CloseMode.GLOBAL, CloseMode.MIXED})
_BY_ITSELF = frozenset({CloseMode.LOCAL, CloseMode.MIXED})
_ABOUT_A_SED = frozenset({Offered.SENT, Offered.RECEIVED})
_ANSWERS = frozenset({Offered.REPLY, Offered.ANSWERED})
_ARRIVALS = frozenset({Trigger.RECEIVE, Trigger.RECEIVE_UPDATE, Trigger.RECEIVE_INVALIDATE})
_LOOKS: tuple[Callable[[BucDefinition], _Found], ...] = (
    _starters,
    _reachable,
    _seen,
    _answerable,
    _bilateral,
    _close,
    _timer,
    _alternatives,
    _conditions,
    _fact_places,
    _effects,
    _rows_agree,
)
_LOOKS_AROUND: tuple[Callable[[BucDefinition, Surroundings], _Found], ...] = (
    _walks,
    _sector,
    _sub_processes,
)
