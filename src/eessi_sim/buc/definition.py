"""The tables of a Business Use Case: who may send what after what, and what that changes.

No behaviour beyond looking things up. The files behind them lie in ``schemas/buc``; the words are
those of RINA's process definitions (documented), the form of the tables is ours.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import TypeVar

from eessi_sim.buc.case import CaseRole
from eessi_sim.identifiers import BucType, CdmVersion, SedType

_K = TypeVar("_K")
_V = TypeVar("_V")


class Confidence(StrEnum):
    """How sure a fact is: read in a source, seen in a real implementation, our judgement."""

    DOCUMENTED = "documented"
    OBSERVED = "observed"
    INFERRED = "inferred"


@dataclass(frozen=True, slots=True)
class Fact:
    """A text with its origin."""

    text: str
    source: str
    """Key of the source list in ``schemas/buc/README.md``."""
    confidence: Confidence


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a group of rows comes from."""

    source: str
    confidence: Confidence


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadline:
    """A time limit that people must keep; the engine never enforces one (bucs.md 9: documented by absence)."""

    text: str
    article: str | None = None
    """Where the law says it."""
    months: int = 0
    days: int = 0
    """How long after the request, or after what ``text`` says; both 0 where no length is given."""
    source: str
    confidence: Confidence


class Participation(StrEnum):
    """How many counterparties a case may have: exactly one, or one and more."""

    BILATERAL = "bilateral"
    MULTILATERAL = "multilateral"


class Addressing(StrEnum):
    """Whom a document goes to (the first three documented; the last is how an X008 is described)."""

    ALL = "all"
    SELECTED = "selected"
    PARENT_SENDER = "parent_sender"
    PARENT_RECEIVERS = "parent_receivers"


class Permission(StrEnum):
    """What sender or receiver may do with an exchanged document."""

    UPDATE = "update"
    INVALIDATE = "invalidate"
    ATTACH = "attach"
    REJECT = "reject"
    CLARIFY = "clarify"


class StepKind(StrEnum):
    """Kind of SED: of this process, usable inside any, or about the case itself."""

    BUSINESS = "business"
    HORIZONTAL = "horizontal"
    ADMINISTRATIVE = "administrative"


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
    condition: str | None = None
    """Name in ``buc.conditions``; the step is offered only while it holds."""
    kind: StepKind = StepKind.BUSINESS
    sub_process: str | None = None
    """For a horizontal or administrative SED: the sub-process it belongs to."""
    deadline: Deadline | None = None
    note: str | None = None

    @property
    def is_reply(self) -> bool:
        """Whether it answers a request."""
        return bool(self.replies_to)


class Trigger(StrEnum):
    """Event on a document, seen from the side of the role that the rule names."""

    CREATE = "create"
    DELETE = "delete"
    SEND = "send"
    RECEIVE = "receive"
    RECEIVE_UPDATE = "receive_update"
    INVALIDATE = "invalidate"
    RECEIVE_INVALIDATE = "receive_invalidate"


class EffectKind(StrEnum):
    """What an event does to actions that are offered, or were."""

    WITHDRAW = "withdraw"
    SUSPEND = "suspend"
    RESUME = "resume"
    OFFER_AGAIN = "offer_again"


class Affected(StrEnum):
    """Which actions an effect concerns."""

    CREATE = "create"
    UPDATE = "update"
    ANY = "any"


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


class Scope(StrEnum):
    """Within what alternatives exclude each other."""

    REQUEST = "request"
    CASE = "case"


@dataclass(frozen=True, slots=True)
class Alternative:
    """SEDs of which one sender sends only one, for the same request or in the same case."""

    seds: tuple[SedType, ...]
    per: Scope


class CloseMode(StrEnum):
    """How a case ends: for all by X001, each copy by itself, or the owner for all and others by themselves."""

    GLOBAL = "global"
    LOCAL = "local"
    MIXED = "mixed"


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseRule:
    """Who may close the case, how and when."""

    mode: CloseMode
    by: frozenset[CaseRole] = frozenset()
    """Roles that may send X001."""
    after: timedelta | None = None
    """X001 is offered so long after the latest ``since``; None means at once."""
    since: SedType | None = None
    at_once_if: str | None = None
    """Name in ``buc.conditions``: offers X001 before the delay is over."""
    local: frozenset[CaseRole] = frozenset()
    """Roles that may close their own copy."""
    reopen: frozenset[CaseRole] = frozenset()
    """Roles that may ask for reopening by X002."""


class Offered(StrEnum):
    """When an administrative SED is offered."""

    START = "start"
    SENT = "sent"
    RECEIVED = "received"
    REPLY = "reply"
    NEVER = "never"


class CaseEffect(StrEnum):
    """What an administrative SED does once it was sent or received."""

    NONE = "none"
    CLOSE_CASE = "close-case"
    CANCEL_DOCUMENT = "cancel-document"
    REFUSE_DOCUMENT = "refuse-document"
    MARK_DELIVERY = "mark-delivery"


@dataclass(frozen=True, slots=True, kw_only=True)
class AdministrativeRule:
    """One X-SED, described once for all Business Use Cases."""

    sed: SedType
    title: Fact
    sub_process: str
    offered: Offered
    effect: CaseEffect = CaseEffect.NONE
    permission: Permission | None = None
    """The step of the target must give this permission."""
    replies_to: SedType | None = None
    addressing: Addressing = Addressing.ALL
    repeatable: bool = False
    until_answered: bool = False
    """No longer offered once its target was answered."""
    receivable_when_closed: bool = False
    supported: bool = True
    """False: the table names it, this engine does not play it yet."""
    origin: Origin
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """An example run of the process that must work, or must be refused at a certain step."""

    name: str
    parties: tuple[str, ...]
    steps: tuple[str, ...]
    """One sentence each, in the small language of ``buc.walk``."""
    refused_at: int | None = None
    """Number of the step that must be refused, from 1."""
    because: str | None = None
    """Code of the error that refuses it."""


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
    until_answered: frozenset[SedType]
    """Administrative SEDs no longer offered about a document that was answered."""
    after: Mapping[SedType, tuple[Step, ...]]
    replies: Mapping[SedType, tuple[Step, ...]]
    by_sed: Mapping[SedType, tuple[Step, ...]]
    effects: Mapping[tuple[Trigger, SedType], tuple[EffectRule, ...]]

    def step_for(self, sed: SedType, *, starter: bool = False) -> Step | None:
        """Return the row of a SED type, by preference the one that opens the case, or the other one."""
        rows = self.by_sed.get(sed, ())
        return next((step for step in rows if step.starter is starter), rows[0] if rows else None)


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
    admin: Mapping[SedType, frozenset[CaseRole]] = field(default_factory=dict)
    """Roles that may send X005, X006, X007, X009."""
    administrative: Mapping[SedType, AdministrativeRule] = field(default_factory=dict)
    """The X-SEDs, from ``AD.yaml``."""
    cp_removes_only_itself: bool = False
    walks: tuple[Walk, ...] = ()
    origins: Mapping[str, Origin] = field(default_factory=dict)
    """Source and confidence of each group of the file."""
    file: str = ""
    tables: Mapping[CaseRole, RoleTable] = field(init=False, repr=False)
    """Indexes made from the rows above."""
    alternatives_to: Mapping[SedType, tuple[Alternative, ...]] = field(init=False, repr=False)
    """The groups of alternatives in which a SED stands; none for most."""

    def __post_init__(self) -> None:
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

    def roles_of(self, rule: AdministrativeRule) -> frozenset[CaseRole]:
        """Return who may send an administrative SED in this process."""
        if not rule.supported or rule.offered is Offered.NEVER:
            return frozenset()
        if rule.effect is CaseEffect.CLOSE_CASE:
            return self.close.by
        if rule.offered is Offered.START:
            return self.admin.get(rule.sed, frozenset())
        return frozenset(CaseRole)


def _index(definition: BucDefinition, role: CaseRole) -> RoleTable:
    rules = [rule for rule in definition.administrative.values() if role in definition.roles_of(rule)]
    extra = {rule.sed: _administrative_step(rule, role) for rule in rules}
    rows = [*(step for step in definition.steps if step.sender is role), *extra.values()]
    effects = [rule for rule in definition.effects if rule.by is role]
    return RoleTable(
        starters=tuple(step for step in rows if step.starter),
        on_start=tuple(extra[rule.sed] for rule in rules if rule.offered is Offered.START),
        on_sent=_with_permission(rules, extra, Offered.SENT),
        on_received=_with_permission(rules, extra, Offered.RECEIVED),
        until_answered=frozenset(rule.sed for rule in rules if rule.until_answered),
        after=_grouped((sed, step) for step in rows if not step.is_reply for sed in step.after),
        replies=_grouped((sed, step) for step in rows for sed in step.replies_to),
        by_sed=_grouped((step.sed, step) for step in rows),
        effects=_grouped(((rule.on, sed), rule) for rule in effects for sed in rule.of),
    )


def _administrative_step(rule: AdministrativeRule, role: CaseRole) -> Step:
    return Step(
        sed=rule.sed,
        sender=role,
        to=frozenset(CaseRole),
        replies_to=(rule.replies_to,) if rule.replies_to else (),
        repeatable=rule.repeatable,
        addressing=rule.addressing,
        kind=StepKind.ADMINISTRATIVE,
        sub_process=rule.sub_process,
    )


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
