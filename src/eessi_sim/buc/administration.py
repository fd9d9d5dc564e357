"""The administrative SEDs and the sub-processes they form, described once for all Business Use Cases."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from eessi_sim.buc.terms import Addressing, Fact, FactPlace, Origin, Permission, Walk
from eessi_sim.identifiers import BucType, SedType


class Offered(StrEnum):
    """When an administrative SED is offered."""

    START = "start"
    SENT = "sent"
    RECEIVED = "received"
    REPLY = "reply"
    CLOSED = "closed"
    """About the SED that closed the case for all, where the process lets the role ask for reopening."""
    ANSWERED = "answered"
    """To who asked, once every other participant has answered."""
    NEVER = "never"


class CaseEffect(StrEnum):
    """What an administrative SED does once it was sent or received."""

    NONE = "none"
    CLOSE_CASE = "close-case"
    CANCEL_DOCUMENT = "cancel-document"
    REFUSE_DOCUMENT = "refuse-document"
    MARK_DELIVERY = "mark-delivery"
    REOPEN_CASE = "reopen-case"
    ADD_PARTICIPANT = "add-participant"
    REMOVE_PARTICIPANT = "remove-participant"
    FORWARD_CASE = "forward-case"
    """The sender hands the case over and archives its copy."""
    REPLACE_PARTICIPANT = "replace-participant"
    """The same for another institution, told by a routing application."""


CHANGES_PARTICIPANTS = frozenset(
    {
        CaseEffect.ADD_PARTICIPANT,
        CaseEffect.REMOVE_PARTICIPANT,
        CaseEffect.FORWARD_CASE,
        CaseEffect.REPLACE_PARTICIPANT,
    }
)


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
    facts: tuple[str, ...] = ()
    """What its content may say that the engine must know."""
    places: tuple[FactPlace, ...] = ()
    """Where it says it."""
    joins_at: str | None = None
    """Path of the element that names the institution that joins."""
    leaves_at: str | None = None
    """Path of the element that names the institution that leaves."""
    text_at: str | None = None
    """Path of the sentence that is shown with the message it is about."""
    participants: int = 0
    """How many must take part at least, this institution included, before it is offered."""
    origin: Origin
    note: str | None = None
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SubProcess:
    """An administrative sub-process: X-SEDs that run inside the case of a Business Use Case."""

    buc: BucType
    title: Fact
    sector: str
    legal_basis: Fact | None
    purpose: Fact
    started_by: Fact | None
    rules: tuple[AdministrativeRule, ...]
    walks: tuple[Walk, ...] = ()
    origins: Mapping[str, Origin] = field(default_factory=dict)
    file: str = ""
