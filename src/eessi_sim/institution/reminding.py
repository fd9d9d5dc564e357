"""Overdue answers: finds those that are late by the process table and that a rule of the institution wants to act on.

Which cases wait until when is derived from the store, at the start, after everything that is sent, and from the journal
when another process that plays the institution has written; nothing is stored beside the cases, so nothing can disagree
with them. Without an overdue rule nothing is looked at.
"""

from collections.abc import Awaitable, Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from eessi_sim.buc.case import Case, Direction, Document, EventKind
from eessi_sim.buc.deadlines import AwaitedAnswer, awaited_answers
from eessi_sim.clock import iso
from eessi_sim.identifiers import InstitutionId, SedType
from eessi_sim.institution.agenda import Agenda
from eessi_sim.institution.office import Office
from eessi_sim.ir.model import BehaviourRule, Occasion
from eessi_sim.storage.base import UnitOfWork

_PAGE = 200


@dataclass(frozen=True, slots=True)
class Reminder:
    """What a rule does about one document whose answers are late."""

    rule: BehaviourRule
    case_id: str
    late: tuple[AwaitedAnswer, ...]
    """At least one, all of the same document."""

    @property
    def document(self) -> Document:
        """The request."""
        return self.late[0].document

    @property
    def peers(self) -> tuple[InstitutionId, ...]:
        """Who owes an answer."""
        return tuple(each.peer for each in self.late)

    @property
    def due_at(self) -> datetime:
        """When to remind: after the limit, and the delay of the rule."""
        return max(each.due_at for each in self.late) + self.rule.after

    @property
    def key(self) -> tuple[str, str, str, datetime]:
        """One reminder for each request and each time its answer is due."""
        return (self.rule.id, self.case_id, self.document.id, self.due_at)

    def is_wanted(self, case: Case, sed: SedType) -> bool:
        """Whether one of the peers was not reminded by this SED yet; another process may have done it meanwhile."""
        return not all(_was_reminded(case, (sed,), each) for each in self.late)

    @property
    def inputs(self) -> tuple[str, ...]:
        """What the rule saw."""
        limit, document = self.late[0].limit, self.document
        to = ", ".join(self.peers)
        due, source = iso(self.late[0].due_at), limit.article or limit.source
        return (
            f"{document.type} version {document.exchanged_version} to {to}, document {document.id}",
            f"answer due {due} by {source} ({limit.confidence})",
        )


class Reminders:
    """The queue of reminders that are due, for a worker.

    Args:
        office: the institution; its overdue rules decide what is watched.
        remind: sends or suggests what the rule of a reminder says.
    """

    def __init__(self, office: Office, remind: Callable[[Reminder], Awaitable[None]]) -> None:
        self._office = office
        self._remind = remind
        self._rules = tuple(rule for rule in office.behaviours if rule.occasion is Occasion.OVERDUE)
        self._waiting: Agenda[Reminder] = Agenda()
        self._taken: set[object] = set()
        self._seen = 0
        """Up to where the journal was followed."""
        self._follows = False
        """Whether another process may have written since."""

    @property
    def is_needed(self) -> bool:
        """Whether any rule wants to know what is overdue."""
        return bool(self._rules)

    async def read_all(self) -> None:
        """Look at every case of the store once."""
        self._seen = await self._office.station.store.last_entry()
        after = None
        while self._rules and (page := await self._office.station.store.cases(limit=_PAGE, after=after)):
            for case in page:
                self.note(case)
            after = page[-1].id

    def note(self, case: Case) -> None:
        """Take up a case as it is now; what an answer has settled since is found when its time comes."""
        reminders = self._reminders(case) if self._rules else ()
        self._waiting.put(case.id, [each for each in reminders if each.key not in self._taken])

    def follow(self) -> None:
        """Another process may have changed cases: look at them with the next claim."""
        self._follows = True

    async def _follow(self) -> None:
        store = self._office.station.store
        while self._follows:
            self._follows = False  # before anything is awaited: news may come meanwhile
            entries = await store.journal(after=self._seen, limit=_PAGE)
            self._follows |= len(entries) == _PAGE
            for case_id in dict.fromkeys(each.case_id for each in entries if each.case_id is not None):
                case = await store.find_case(case_id)
                if case is not None:  # a refused document may name a case that nobody has
                    self.note(case)
            self._seen = entries[-1].seq if entries else self._seen

    async def next_due(self) -> datetime | None:
        """Return when the next reminder is due, None when nothing is waited for."""
        return self._waiting.next_due()

    async def claim(self, limit: int) -> Sequence[Reminder]:
        """Take reminders that are due and still needed; each is given once."""
        await self._follow()
        now = self._office.station.clock.now()
        for case_id in {each.case_id for each in self._waiting.due(now)}:
            case = await self._office.station.store.find_case(case_id)
            assert case is not None  # cases are never forgotten while the node works
            self.note(case)
        due = list(islice(self._waiting.take(now), limit))
        self._taken.update(each.key for each in due)
        return due

    async def process(self, item: Reminder) -> None:
        """Do what the rule says."""
        await self._remind(item)

    async def failed(self, item: Reminder, fault: Exception) -> None:
        """Note that a reminder could not be made; it is not tried again before the next start."""
        work, station = UnitOfWork(), self._office.station
        reason = f"internal: {type(fault).__name__}"
        work.journal(
            station.note("reminder", "failed", case_id=item.case_id, rule=item.rule.id, reason=reason)
        )
        await station.store.commit(work)

    def _reminders(self, case: Case) -> Iterator[Reminder]:
        definition = self._office.library.processes.find(case.buc)
        awaited = awaited_answers(case, definition) if definition else ()
        for document in dict.fromkeys(each.document for each in awaited):
            rule = next((each for each in self._rules if each.when == document.type), None)
            if rule is None:
                continue
            late = tuple(
                each
                for each in awaited
                if each.document == document and not _was_reminded(case, rule.send, each)
            )
            if late:
                yield Reminder(rule, case.id, late)


def _was_reminded(case: Case, seds: Collection[SedType], awaited: AwaitedAnswer) -> bool:
    """Whether the peer was reminded after the limit, by whomever, or a clerk was told that it should be."""
    sent = any(
        document.type in seds
        and document.direction is Direction.OUT
        and awaited.peer in document.receivers
        and document.exchanged_at is not None
        and document.exchanged_at >= awaited.due_at
        for document in case.exchanged()
    )
    return sent or any(
        event.kind is EventKind.SUGGESTED
        and event.document_id == awaited.document.id
        and event.sed in seds
        and event.at >= awaited.due_at
        for event in case.history
    )
