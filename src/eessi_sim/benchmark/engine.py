"""What the process engine costs: per action, by the length of a case, and by the number of cases in the store.

No messages, no documents, no signatures: only cases, the tables, and finding and saving a case.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from statistics import median
from time import process_time
from typing import Final

from eessi_sim.benchmark.stopwatch import Reading, measure_in_turn
from eessi_sim.buc import engine
from eessi_sim.buc.actions import Operation
from eessi_sim.buc.case import Actor, ActorKind, Case, CaseAction
from eessi_sim.buc.definition import BucDefinition
from eessi_sim.buc.effects import Outcome, SendDocument
from eessi_sim.buc.engine import IncomingDocument
from eessi_sim.errors import DefinitionError
from eessi_sim.identifiers import CaseId, DocumentId, InstitutionId, InternationalId, SedType
from eessi_sim.storage.base import NodeStore, UnitOfWork
from eessi_sim.storage.registry import open_storage, url_of

ACTS: Final = ("offer", "create", "send", "receive")
LENGTHS: Final = (1, 10, 100, 1000)
STORES: Final = ("memory", "sqlite")
_OWNER: Final = InstitutionId("PL:BENCH01")
_OTHER: Final = InstitutionId("NO:BENCH01")
_CLERK: Final = Actor(ActorKind.RULE, "bench")
_NOW: Final = datetime(2026, 1, 5, 8, tzinfo=UTC)
_BATCH: Final = 2000
"""Cases in one commit while a store is filled."""
_STRIDE: Final = 7919
"""A prime, by which the cases are visited in an order that no cache can foresee."""
_MICRO: Final = 1e6


@dataclass(frozen=True, slots=True)
class ActCost:
    """What each act costs in a case with so many exchanged documents."""

    documents: int
    costs: dict[str, Reading]

    def as_dict(self) -> dict[str, object]:
        """Return plain values."""
        return {"documents": self.documents, **{f"{act}_us": round(self.costs[act].cpu, 1) for act in ACTS}}


@dataclass(frozen=True, slots=True)
class StoreCost:
    """What one action costs beside so many cases: find the case, act, save it; processor time in microseconds."""

    storage: str
    cases: int
    find: float
    act: float
    save: float

    @property
    def whole(self) -> float:
        """All three."""
        return self.find + self.act + self.save

    def as_dict(self) -> dict[str, object]:
        """Return plain values."""
        return {
            "storage": self.storage,
            "cases": self.cases,
            "find_us": round(self.find, 1),
            "act_us": round(self.act, 1),
            "save_us": round(self.save, 1),
            "actions_per_second": round(_MICRO / self.whole),
        }


class _Played:
    """A case of two parties that grows by one document at a time, which the owner sends and the other takes."""

    def __init__(self, definition: BucDefinition) -> None:
        self.definition = definition
        self.owner = engine.open_case(
            definition,
            case_id=CaseId("1"),
            international_id=InternationalId(f"{1:032x}"),
            cdm=definition.cdm,
            own=_OWNER,
            counterparties=(_OTHER,),
            now=_NOW,
            actor=_CLERK,
        )
        self.other: Case | None = None
        self._ids = (DocumentId(f"{number:032x}") for number in count(1))
        self.grow(definition.starters[0])
        self.sed = self._repeatable()

    @property
    def documents(self) -> int:
        """How many were exchanged."""
        return len(self.owner.documents)

    def grow(self, sed: SedType) -> None:
        """Exchange one more document."""
        drafted = self.draft(self.owner, sed)
        sent = self.send(drafted)
        self.owner = sent.case
        self.other = self.take(self.message(sent)).case

    def draft(self, case: Case, sed: SedType) -> Outcome:
        """Create a document."""
        new = next(self._ids)
        return engine.create(case, self.definition, sed, document_id=new, now=_NOW, actor=_CLERK)

    def send(self, drafted: Outcome) -> Outcome:
        """Send what was created."""
        assert drafted.document is not None  # creating makes one
        return engine.send(drafted.case, self.definition, drafted.document.id, now=_NOW, actor=_CLERK)

    def take(self, incoming: IncomingDocument) -> Outcome:
        """Let the other side take a document."""
        return engine.receive(
            self.other, self.definition, incoming, case_id=CaseId("2"), own=_OTHER, now=_NOW
        )

    def message(self, sent: Outcome) -> IncomingDocument:
        """Return what the other side gets."""
        effect = next(effect for effect in sent.effects if isinstance(effect, SendDocument))
        return IncomingDocument(
            type=effect.sed,
            document_id=effect.document_id,
            version=effect.version,
            international_id=sent.case.international_id,
            cdm=sent.case.cdm,
            sender=_OWNER,
            sender_role=sent.case.role,
            case_action=CaseAction(effect.case_action),
            receivers=effect.receivers,
        )

    def _repeatable(self) -> SedType:
        """A SED that the owner may send again and again; a case can be made as long as one likes with it."""
        table = self.definition.tables[self.owner.role]
        for action in engine.available_actions(self.owner, self.definition, _NOW):
            if action.operation is Operation.CREATE and action.sed and action.parent_id is None:
                step = table.step_for(action.sed)
                if step is not None and step.repeatable and action.sed not in self.definition.administrative:
                    return action.sed
        raise DefinitionError(
            f"Expected a process whose owner may send a SED several times, found {self.definition.buc}",
            hint="Measure another process.",
        )


def measure_acts(definition: BucDefinition, lengths: Sequence[int], seconds: float) -> Iterator[ActCost]:
    """Measure every act in a case that grows.

    Args:
        definition: the table of the process.
        lengths: numbers of exchanged documents, growing.
        seconds: how long to measure each act.

    Raises:
        DefinitionError: nothing in the process may be sent several times.
    """
    played = _Played(definition)
    for length in lengths:
        while played.documents < length:
            played.grow(played.sed)
        drafted = played.draft(played.owner, played.sed)
        incoming = played.message(played.send(drafted))
        acts: dict[str, Callable[[], object]] = {
            "offer": lambda: engine.available_actions(played.owner, definition, _NOW),
            "create": lambda: played.draft(played.owner, played.sed),
            "send": lambda drafted=drafted: played.send(drafted),  # type: ignore[misc]  # bound for this length
            "receive": lambda incoming=incoming: played.take(incoming),  # type: ignore[misc]
        }
        yield ActCost(length, measure_in_turn(acts, seconds))


async def measure_stores(
    definition: BucDefinition, storage: str, numbers: Sequence[int], folder: Path, actions: int
) -> list[StoreCost]:
    """Measure an action on a case that is one of many; stores of all sizes take turns.

    Args:
        definition: the table of the process.
        storage: ``memory`` or ``sqlite``.
        numbers: how many cases each store holds.
        folder: where files may lie.
        actions: how many actions in each store.

    Raises:
        DefinitionError: nothing in the process may be sent several times.
    """
    played = _Played(definition)
    opened = [
        await open_storage("memory:" if storage == "memory" else url_of(folder / f"{place}.db"))
        for place in range(len(numbers))
    ]
    try:
        desks = [
            _Desk(played, each.node(_OWNER), number) for each, number in zip(opened, numbers, strict=True)
        ]
        for desk in desks:
            await desk.fill()
        for turn in range(actions):
            for desk in desks:
                await desk.act(turn)
        return [desk.cost(storage) for desk in desks]
    finally:
        for each in opened:
            await each.close()


class _Desk:
    """A store full of cases, on which one action after the other is timed."""

    def __init__(self, played: _Played, store: NodeStore, cases: int) -> None:
        self._played = played
        self._store = store
        self._cases = cases
        self._times: list[tuple[float, float, float]] = []

    async def fill(self) -> None:
        """Save the cases."""
        for first in range(0, self._cases, _BATCH):
            work = UnitOfWork()
            for number in range(first, min(first + _BATCH, self._cases)):
                work.save_case(self._fresh(number), None)
            await self._store.commit(work)

    async def act(self, turn: int) -> None:
        """Find a case, create a document in it, save it; and, off the clock, make it as short as it was."""
        number = turn * _STRIDE % self._cases
        wanted = InternationalId(f"{number:032x}")
        start = process_time()
        case = await self._store.find_case_by_international(wanted)
        assert case is not None  # fill has saved it
        found = process_time()
        outcome = self._played.draft(case, self._played.sed)
        acted = process_time()
        await self._commit(outcome.case, case.revision)
        self._times.append((found - start, acted - found, process_time() - acted))
        again = replace(self._fresh(number), revision=outcome.case.revision + 1)
        await self._commit(again, outcome.case.revision)

    def cost(self, storage: str) -> StoreCost:
        """Return the medians."""
        find, act, save = (median(times) * _MICRO for times in zip(*self._times, strict=True))
        return StoreCost(storage, self._cases, find, act, save)

    async def _commit(self, case: Case, revision: int) -> None:
        work = UnitOfWork()
        work.save_case(case, revision)
        await self._store.commit(work)

    def _fresh(self, number: int) -> Case:
        return replace(
            self._played.owner,
            id=CaseId(str(number + 1)),
            international_id=InternationalId(f"{number:032x}"),
            created_at=_NOW + timedelta(seconds=number),
        )
