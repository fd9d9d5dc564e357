"""Named conditions on the state of a case: a table names them, and says itself what each of them asks.

What can be asked is the small vocabulary of this module; which SEDs it is asked about stands in the table.
The engine does not see contents. What a SED says is told to it as facts, by name; where nobody told, the
condition holds, and people decide (inferred).
"""

from dataclasses import dataclass

from eessi_sim.buc.case import Case, Document
from eessi_sim.identifiers import SedType


@dataclass(frozen=True, slots=True)
class Answered:
    """Whether an ``answer`` to the latest ``request`` stands; from every counterparty, when all are needed."""

    answer: SedType
    request: SedType
    by_all: bool = False

    def holds(self, case: Case, _parent: Document | None) -> bool:
        """Return whether it is so in a case."""
        latest = latest_standing(case, self.request)
        if latest is None:
            return False
        senders = {
            d.sender
            for d in case.documents
            if d.type == self.answer and d.stands and d.parent_id == latest.id
        }
        if not self.by_all:
            return bool(senders)
        return bool(case.counterparties) and senders >= set(case.counterparties)


@dataclass(frozen=True, slots=True)
class Fewer:
    """Whether fewer documents of a type stand than of another type, or than a number."""

    sed: SedType
    than: SedType | int

    def holds(self, case: Case, _parent: Document | None) -> bool:
        """Return whether it is so in a case."""
        limit = self.than if isinstance(self.than, int) else _count(case, self.than)
        return _count(case, self.sed) < limit


@dataclass(frozen=True, slots=True)
class AtLeast:
    """Whether as many documents of a type stand as of another type, or as a number says."""

    sed: SedType
    as_many_as: SedType | int

    def holds(self, case: Case, _parent: Document | None) -> bool:
        """Return whether it is so in a case."""
        return not Fewer(self.sed, self.as_many_as).holds(case, None)


@dataclass(frozen=True, slots=True)
class Parties:
    """Whether the case has several counterparties, or one."""

    several: bool

    def holds(self, case: Case, _parent: Document | None) -> bool:
        """Return whether it is so in a case."""
        return (len(case.counterparties) > 1) is self.several


@dataclass(frozen=True, slots=True)
class Says:
    """Whether a SED says something: the request that would be answered, or else the latest of its type."""

    of: SedType
    fact: str

    def holds(self, case: Case, parent: Document | None) -> bool:
        """Return whether it is so in a case, or whether nobody knows."""
        asked = parent if parent is not None and parent.type == self.of else latest_standing(case, self.of)
        return asked is None or asked.facts is None or self.fact in asked.facts


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Whether at least one of several conditions holds."""

    conditions: "tuple[Test, ...]"

    def holds(self, case: Case, parent: Document | None) -> bool:
        """Return whether it is so in a case."""
        return any(condition.holds(case, parent) for condition in self.conditions)


Test = Answered | Fewer | AtLeast | Parties | Says | AnyOf


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """A condition as a table declares it."""

    name: str
    text: str
    """For people."""
    test: Test
    line: int = 0

    def holds(self, case: Case, parent: Document | None = None) -> bool:
        """Return whether the condition holds.

        Args:
            case: one copy of a case; nothing else is asked.
            parent: the request that would be answered, where there is one.
        """
        return self.test.holds(case, parent)

    def seds(self) -> tuple[SedType, ...]:
        """Return the SED types that it asks about."""
        return _seds(self.test)

    def facts(self) -> tuple[str, ...]:
        """Return the facts of contents that it asks for."""
        return _facts(self.test)


def latest_standing(case: Case, sed: SedType) -> Document | None:
    """Return the latest exchanged document of a type that was not invalidated."""
    return max((d for d in case.documents if d.type == sed and d.stands), key=lambda d: d.order, default=None)


def _count(case: Case, sed: SedType) -> int:
    return sum(1 for document in case.documents if document.type == sed and document.stands)


def _seds(test: Test) -> tuple[SedType, ...]:
    match test:
        case Answered(answer, request):
            return (answer, request)
        case Fewer(sed, than) | AtLeast(sed, than):
            return (sed,) if isinstance(than, int) else (sed, than)
        case Says(of):
            return (of,)
        case AnyOf(conditions):
            return tuple(sed for each in conditions for sed in _seds(each))
        case _:
            return ()


def _facts(test: Test) -> tuple[str, ...]:
    match test:
        case Says(_, fact):
            return (fact,)
        case AnyOf(conditions):
            return tuple(fact for each in conditions for fact in _facts(each))
        case _:
            return ()
