"""The words of the process tables: what a key of a file may say, each with its meaning.

Nothing here looks anything up; the tables made of these words are in ``definition`` and ``administration``.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from eessi_sim.identifiers import BucType, SedType


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
    from_month_end: bool = False
    """Whether it counts from the end of the month in which the request came, not from its day."""
    since: SedType | None = None
    """For a limit of the process as a whole: the SED from which it counts."""
    until: tuple[SedType, ...] = ()
    """The SEDs that end it."""
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


class Scope(StrEnum):
    """Within what alternatives exclude each other."""

    REQUEST = "request"
    CASE = "case"


class CloseMode(StrEnum):
    """How a case ends: for all by the closing SED, each copy by itself, both, or by nothing in the table."""

    GLOBAL = "global"
    LOCAL = "local"
    MIXED = "mixed"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class FactPlace:
    """Where a SED states a fact: an element, and the text with which it says yes."""

    fact: str
    of: SedType
    path: str
    """Names of elements from the root's child down, divided by slashes."""
    value: str


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
    within: BucType | None = None
    """For a sub-process: the process in whose case the walk is played."""
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Sector:
    """A branch of social security, as the file of sectors lists it."""

    id: str
    name: str
    code: str
    """Two letters (WEB, observed)."""
    in_scope: bool
    """Whether the data model of the program is meant to hold all its SEDs."""
