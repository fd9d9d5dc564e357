"""What can be done to a network, what was done, and what is sent meanwhile: plain values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from eessi_sim.identifiers import BucType, InstitutionId, SedType


class Kind(StrEnum):
    """A way to disturb a node or the connections to it."""

    KILL = "kill"
    FREEZE = "freeze"
    FULL_DISK = "full-disk"
    DATABASE = "database"
    DROP = "drop"
    DELAY = "delay"
    CORRUPT = "corrupt"
    STALL = "stall"
    DUPLICATE = "duplicate"
    CLOCK = "clock"
    EXPIRED_TLS = "expired-tls"
    EXPIRED_EBMS = "expired-ebms"


class Target(StrEnum):
    """Which nodes a kind of disturbance may meet."""

    ANY = "any"
    POINT = "point"
    INSTITUTIONS = "institutions"


@dataclass(frozen=True, slots=True)
class Range:
    """Between two numbers, both included."""

    low: float = 0.0
    high: float = 0.0


@dataclass(frozen=True, slots=True)
class Spell:
    """How often one kind of disturbance comes, and how strong it is."""

    kind: Kind
    every: float
    """Seconds; on average one in so many."""
    lasts: Range = Range()
    """Seconds."""
    amount: Range = Range()
    """In the unit of the kind; the file of the plan says which."""
    at: Target = Target.ANY
    explains: tuple[str, ...] = ()
    """What stands in the reason of a dead letter that it may cause."""


@dataclass(frozen=True, slots=True)
class Load:
    """What the institutions send meanwhile."""

    buc: BucType
    seds: tuple[SedType, ...]
    """In each case, in this order."""
    lanes: int
    """Cases of one institution at the same time."""
    under_way: int
    """SEDs of one institution without receipt; with more it waits."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A whole experiment; together with a seed it says what happens when."""

    title: str
    institutions: tuple[InstitutionId, ...]
    load: Load
    spells: tuple[Spell, ...]

    def explains(self, reason: str) -> bool:
        """Return whether a disturbance of this plan accounts for a dead letter."""
        return any(word in reason for spell in self.spells for word in spell.explains)


@dataclass(frozen=True, slots=True, order=True)
class Disturbance:
    """One thing that is done to one node."""

    at: float
    """Seconds after the beginning."""
    kind: Kind
    party: InstitutionId
    seconds: float = 0.0
    amount: float = 0.0


@dataclass(frozen=True, slots=True)
class Done:
    """A disturbance as it came about."""

    disturbance: Disturbance
    began: float
    """Seconds after the beginning."""
    ended: float
    answers: Mapping[str, int] = field(default_factory=dict)
    """What was answered to messages that the harness itself posted, and how often."""
    skipped: str = ""
    """Why it was not done."""
