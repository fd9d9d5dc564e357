"""What a row is, what came of it, and what was said on the wire meanwhile."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from eessi_sim.as4.modes import ProfileName
from eessi_sim.errors import EessiSimError

_KEPT: Final = 64 * 1024
"""Octets of a message that are kept as evidence; an attack may send far more."""


class NotApplicable(EessiSimError):  # noqa: N818 - says what happened
    """A row cannot be played here."""

    code = "not-applicable"


class Unexpected(EessiSimError):  # noqa: N818 - says what happened
    """While a row was played, something else was found than must be."""

    code = "unexpected"


def expect(fact: bool, sentence: str) -> None:
    """Check something besides the outcome of a row.

    Raises:
        Unexpected: it is not so.
    """
    if not fact:
        raise Unexpected(sentence)


class Verdict(StrEnum):
    """How a row ended."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_APPLICABLE = "not applicable"


class Judged(StrEnum):
    """What is needed to judge a row."""

    ANSWER = "answer"
    """The HTTP response: any party can be judged."""
    INSIGHT = "insight"
    """The state of the nodes, their keys or what they send later: only our own network can be judged."""
    GATEWAY = "gateway"
    """A lone gateway of our own, whose keys we hold."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """A message and what came back on the same connection, as octets; long ones are cut."""

    sent: bytes = field(repr=False)
    received: bytes = field(repr=False)

    @classmethod
    def of(cls, sent: bytes, received: bytes) -> "Exchange":
        """Keep the beginning of both."""
        return cls(_cut(sent), _cut(received))


def _cut(octets: bytes) -> bytes:
    if len(octets) <= _KEPT:
        return octets
    return octets[:_KEPT] + f"\n… {len(octets) - _KEPT} more octets".encode()


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a stimulus."""

    outcome: str
    milliseconds: float = 0.0
    refused: str = ""
    """Id of the message that the receiver must not have; empty when there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One stimulus of a row and the outcome that it must have.

    The outcome is an error code in the answer, an HTTP status, or ``closed``; ``202 EBMS:0004`` is an error that comes
    back later.
    """

    row: str
    name: str
    expect: str
    judged: Judged = Judged.ANSWER
    profile: ProfileName | None = None
    """Of a lone gateway, when the case makes sense under one only."""
    note: str = ""
    """Why the outcome is another one than the list proposes."""
    megabytes: float = 64.0
    """Memory that the node may take in addition while it answers."""

    def __str__(self) -> str:
        return f"{self.row}-{self.name}".replace(" ", "-")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row of the list."""

    id: str
    list: str
    title: str
    clause: str
    confidence: str
    note: str = ""
    """Why it is adapted, or why it cannot be played."""
    also: tuple[str, ...] = ()
    """Other rows whose cases prove this one."""
    cases: tuple[Case, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What came of one case, or of a row without any."""

    row: Row
    case: Case | None
    verdict: Verdict
    outcome: str = ""
    remark: str = ""
    """Why it failed, why it is not applicable, or what is odd about it."""
    milliseconds: float = 0.0
    megabytes: float | None = None
    """Peak memory of the node, where it can be measured."""
    exchanges: tuple[Exchange, ...] = ()

    @property
    def name(self) -> str:
        """Of the case, else of the row."""
        return self.case.name if self.case else self.row.title
