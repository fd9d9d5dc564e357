"""The tables of a Business Use Case: who may send what after what, and what that changes.

No behaviour beyond looking things up. The files behind them lie in ``schemas/buc``; the words are
those of RINA's process definitions (documented), the form of the tables is ours.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TypeVar

from eessi_sim.buc.administration import AdministrativeRule, CaseEffect, Offered
from eessi_sim.buc.case import Case, CaseRole, Document
from eessi_sim.buc.conditions import Condition
from eessi_sim.buc.terms import (
    Addressing,
    Affected,
    CloseMode,
    Deadline,
    EffectKind,
    Fact,
    FactPlace,
    Origin,
    Participation,
    Permission,
    Scope,
    StepKind,
    Trigger,
    Walk,
)
from eessi_sim.identifiers import BucType, CdmVersion, SedType

_K = TypeVar("_K")
_V = TypeVar("_V")


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One row: this role may send this SED."""

    sed: SedType
    sender: CaseRole
    to: frozenset[CaseRole]
    """Roles that may receive it."""
    after: tuple[SedType, ...] = ()
    """Any one of these offers the step when it was exchanged; nothing for a starter or a reply."""
    replies_to: tuple[SedType, ...] = ()
    """Types of request that a document of this step answers; the request becomes its parent."""
    starter: bool = False
    again: bool = False
    """A later, further document of a type that is also a starter."""
    optional: bool = True
    repeatable: bool = False
    """Several documents may be sent; otherwise one for each event that offers the step."""
    addressing: Addressing = Addressing.ALL
    permissions: frozenset[Permission] = frozenset()
    """update, invalidate, attach: for the sender; reject, clarify: for the receiver."""
    recreate_after_invalidate: bool = False
    conditions: tuple[str, ...] = ()
    """Names of ``conditions`` of the process; the step is offered only while all of them hold."""
    unanswered: bool = False
    """Whether the table lets nobody answer it, although it does where the other role sends it."""
    country: str | None = None
    """For a SED of one country: it is offered while an institution of that country takes part (inferred)."""
    bulk: bool = False
    """Whether the document is a master with individual claims as subdocuments."""
    kind: StepKind = StepKind.BUSINESS
    sub_process: str | None = None
    """For a horizontal or administrative SED: the sub-process it belongs to."""
    deadline: Deadline | None = None
    note: str | None = None
    line: int = field(default=0, compare=False)
    """Where the row stands in its file; 0 for rows made from ``AD``."""

    @property
    def is_reply(self) -> bool:
        """Whether it answers a request."""
        return bool(self.replies_to)


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectRule:
    """When ``by`` sees ``on`` happen to a document of a type in ``of``, the actions on ``seds`` change."""

    by: CaseRole
    on: Trigger
    of: tuple[SedType, ...]
    effect: EffectKind
    seds: tuple[SedType, ...]
    """Never includes the type that the event is about, even when it is listed."""
    action: Affected = Affected.CREATE
    parent: SedType | None = None
    """Only actions that are children of a document of this type."""
    only_as_starter: bool = False
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Alternative:
    """SEDs of which one sender sends only one, for the same request or in the same case."""

    seds: tuple[SedType, ...]
    per: Scope
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseRule:
    """Who may close the case, how and when."""

    mode: CloseMode
    by: frozenset[CaseRole] = frozenset()
    """Roles that may send the closing SED."""
    after: timedelta | None = None
    """It is offered so long after the latest ``since``; None means at once."""
    since: SedType | None = None
    at_once_if: str | None = None
    """Name of a condition that offers the closing SED before the delay is over."""
    local: frozenset[CaseRole] = frozenset()
    """Roles that may close their own copy."""
    reopen: frozenset[CaseRole] = frozenset()
    """Roles that may ask for reopening of a case closed for all."""
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class RoleTable:
    """The rows of one role, indexed by what they react to."""

    starters: tuple[Step, ...]
    on_start: tuple[Step, ...]
    """Administrative SEDs offered once the case is started."""
    on_sent: tuple[tuple[Permission, Step], ...]
    """Administrative SEDs about a document that this role sent, with the permission they need."""
    on_received: tuple[tuple[Permission, Step], ...]
    """The same about a document that this role received."""
    on_closed: tuple[Step, ...]
    """Administrative SEDs about the SED that closed the case."""
    on_answered: Mapping[SedType, tuple[Step, ...]]
    """Administrative SEDs by which who asked decides, by the type of the answers."""
    until_answered: frozenset[SedType]
    """Administrative SEDs no longer offered about a document that was answered."""
    after: Mapping[SedType, tuple[Step, ...]]
    replies: Mapping[SedType, tuple[Step, ...]]
    by_sed: Mapping[SedType, tuple[Step, ...]]
    effects: Mapping[tuple[Trigger, SedType], tuple[EffectRule, ...]]
    picks: Mapping[tuple[SedType, bool, bool], Step]
    """For ``step_for``: the row of a SED type that is, or is not, a starter, and a reply."""

    def step_for(self, sed: SedType, *, starter: bool = False, reply: bool = False) -> Step | None:
        """Return the row of a SED type: by preference the one that opens the case, or answers, or neither."""
        return self.picks.get((sed, starter, reply))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BucDefinition:
    """One Business Use Case: its table for both roles."""

    buc: BucType
    title: Fact
    sector: str
    cdm: CdmVersion
    """Version of the Common Data Model whose process table this is."""
    participation: Participation
    legal_basis: Fact | None
    starters: tuple[SedType, ...]
    steps: tuple[Step, ...]
    """Rows of the process and of the horizontal SEDs usable in it."""
    close: CloseRule
    alternatives: tuple[Alternative, ...] = ()
    effects: tuple[EffectRule, ...] = ()
    conditions: Mapping[str, Condition] = field(default_factory=dict)
    """What the names mean that steps and the close rule use."""
    fact_places: tuple[FactPlace, ...] = ()
    """Where SEDs state the facts that conditions ask for, as far as the data model says it."""
    limits: tuple[Deadline, ...] = ()
    """Time limits of the process as a whole, for people."""
    admin: Mapping[SedType, frozenset[CaseRole]] = field(default_factory=dict)
    """Roles that may send X005, X006, X007, X009."""
    administrative: Mapping[SedType, AdministrativeRule] = field(default_factory=dict)
    """The X-SEDs, from the files of the sub-processes."""
    cp_removes_only_itself: bool = False
    walks: tuple[Walk, ...] = ()
    origins: Mapping[str, Origin] = field(default_factory=dict)
    """Source and confidence of each group of the file."""
    file: str = ""
    tables: Mapping[CaseRole, RoleTable] = field(init=False, repr=False)
    """Indexes made from the rows above."""
    alternatives_to: Mapping[SedType, tuple[Alternative, ...]] = field(init=False, repr=False)
    """The groups of alternatives in which a SED stands; none for most."""
    reopening: frozenset[SedType] = field(init=False, repr=False)
    """The administrative SEDs by which a case closed for all is opened again."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "reopening", _reopening(self.administrative.values()))
        object.__setattr__(self, "tables", {role: _index(self, role) for role in CaseRole})
        groups = _grouped((sed, group) for group in self.alternatives for sed in group.seds)
        object.__setattr__(self, "alternatives_to", groups)

    @property
    def is_bilateral(self) -> bool:
        """Whether a case has exactly one counterparty."""
        return self.participation is Participation.BILATERAL

    def seds(self) -> tuple[SedType, ...]:
        """Return every SED type that the table of the process names, in its order."""
        return tuple(dict.fromkeys(step.sed for step in self.steps))

    def missing(self, known: Collection[SedType]) -> tuple[SedType, ...]:
        """Return the SED types of the process itself that a data model does not define."""
        own = dict.fromkeys(step.sed for step in self.steps if step.kind is StepKind.BUSINESS)
        return tuple(sed for sed in own if sed not in known)

    def places_in(self, sed: SedType) -> tuple[FactPlace, ...]:
        """Return where a SED states facts that this process asks for."""
        rule = self.administrative.get(sed)
        own = tuple(place for place in self.fact_places if place.of == sed)
        return (*own, *(rule.places if rule else ()))

    def says_something(self, sed: SedType) -> bool:
        """Return whether the content of a SED says something that this process must know."""
        rule = self.administrative.get(sed)
        names_somebody = rule is not None and (rule.joins_at is not None or rule.leaves_at is not None)
        return bool(self.places_in(sed)) or names_somebody

    def rule_with(self, effect: CaseEffect) -> AdministrativeRule | None:
        """Return the administrative SED that has this effect, None when the tables know none."""
        return next((rule for rule in self.administrative.values() if rule.effect is effect), None)

    def all_hold(self, names: Iterable[str], case: Case, parent: Document | None = None) -> bool:
        """Return whether every one of these conditions holds in a case."""
        return all(self.conditions[name].holds(case, parent) for name in names)

    def roles_of(self, rule: AdministrativeRule) -> frozenset[CaseRole]:
        """Return who may send an administrative SED in this process."""
        if rule.offered is Offered.NEVER:
            return frozenset()
        if rule.effect is CaseEffect.CLOSE_CASE:
            return self.close.by
        if rule.offered is Offered.START:
            return self.admin.get(rule.sed, frozenset())
        if rule.offered is Offered.CLOSED:
            return self.close.reopen
        if rule.sed in self.reopening:
            return frozenset(CaseRole) if self.close.reopen else frozenset()
        return frozenset(CaseRole)


def _index(definition: BucDefinition, role: CaseRole) -> RoleTable:
    rules = [rule for rule in definition.administrative.values() if role in definition.roles_of(rule)]
    extra = {rule.sed: _administrative_step(rule, role) for rule in rules}
    rows = [*(step for step in definition.steps if step.sender is role), *extra.values()]
    effects = [rule for rule in definition.effects if rule.by is role]
    by_sed = _grouped((step.sed, step) for step in rows)
    return RoleTable(
        starters=tuple(step for step in rows if step.starter),
        on_start=tuple(extra[rule.sed] for rule in rules if rule.offered is Offered.START),
        on_sent=_with_permission(rules, extra, Offered.SENT),
        on_received=_with_permission(rules, extra, Offered.RECEIVED),
        on_closed=tuple(extra[rule.sed] for rule in rules if rule.offered is Offered.CLOSED),
        on_answered=_grouped(
            (rule.replies_to, extra[rule.sed])
            for rule in rules
            if rule.offered is Offered.ANSWERED and rule.replies_to
        ),
        until_answered=frozenset(rule.sed for rule in rules if rule.until_answered),
        after=_grouped((sed, step) for step in rows if not step.is_reply for sed in step.after),
        replies=_grouped((sed, step) for step in rows for sed in step.replies_to),
        by_sed=by_sed,
        effects=_grouped(((rule.on, sed), rule) for rule in effects for sed in rule.of),
        picks={
            (sed, starter, reply): _picked(steps, starter=starter, reply=reply)
            for sed, steps in by_sed.items()
            for starter in (True, False)
            for reply in (True, False)
        },
    )


def _picked(rows: tuple[Step, ...], *, starter: bool, reply: bool) -> Step:
    return min(rows, key=lambda step: (step.starter is not starter, step.is_reply is not reply))


def _administrative_step(rule: AdministrativeRule, role: CaseRole) -> Step:
    return Step(
        sed=rule.sed,
        sender=role,
        to=frozenset(CaseRole),
        replies_to=(rule.replies_to,) if rule.replies_to and rule.offered is Offered.REPLY else (),
        repeatable=rule.repeatable,
        addressing=rule.addressing,
        kind=StepKind.ADMINISTRATIVE,
        sub_process=rule.sub_process,
    )


def _reopening(rules: Iterable[AdministrativeRule]) -> frozenset[SedType]:
    """The SEDs that follow on a request to reopen; without such a request nobody sends them."""
    rows = tuple(rules)
    found = {rule.sed for rule in rows if rule.offered is Offered.CLOSED}
    while new := {rule.sed for rule in rows if rule.replies_to in found} - found:
        found |= new
    return frozenset(found)


def _with_permission(
    rules: Iterable[AdministrativeRule], steps: Mapping[SedType, Step], offered: Offered
) -> tuple[tuple[Permission, Step], ...]:
    return tuple(
        (rule.permission, steps[rule.sed]) for rule in rules if rule.permission and rule.offered is offered
    )


def _grouped(pairs: Iterable[tuple[_K, _V]]) -> Mapping[_K, tuple[_V, ...]]:
    groups: defaultdict[_K, list[_V]] = defaultdict(list)
    for key, value in pairs:
        groups[key].append(value)
    return {key: tuple(values) for key, values in groups.items()}
