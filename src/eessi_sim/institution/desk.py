"""The clerk's desk of an institution: what rules suggest and leave to a person.

A suggestion lies in the copy of the case. It is written, declined and cleared away here; accepting one sends a
document and is therefore done by the node.
"""

from collections.abc import Callable
from dataclasses import replace

from eessi_sim.buc import engine
from eessi_sim.buc.case import Actor, Case
from eessi_sim.buc.suggestion import Suggestion
from eessi_sim.errors import ActionNotAvailable
from eessi_sim.institution.office import Office
from eessi_sim.institution.overtaken import again_when_overtaken
from eessi_sim.storage.base import UnitOfWork


@again_when_overtaken
async def suggest(
    office: Office,
    case_id: str,
    suggestion: Suggestion,
    actor: Actor,
    work: UnitOfWork,
    *,
    wanted: Callable[[Case], bool] | None = None,
) -> None:
    """Store a suggestion together with what is in ``work``; what is not possible is left out and noted.

    Args:
        office: the institution.
        case_id: its case.
        suggestion: what the rule would send.
        actor: the rule.
        work: further writes of the same transaction.
        wanted: whether the case, as it is now, still wants it; always when None.
    """
    station, work = office.station, work.copy()
    async with office.locks.of((await _case(office, case_id)).international_id):
        case = await _case(office, case_id)
        if wanted is not None and not wanted(case):
            return
        try:
            changed = engine.suggest(
                case,
                office.library.processes.get(case.buc),
                suggestion,
                now=station.clock.now(),
                actor=actor,
            )
            work.save_case(changed, case.revision)
            note_suggestion(office, work, case, suggestion, "made")
        except ActionNotAvailable as error:
            note_suggestion(office, work, case, suggestion, "left-out", reason=error.message)
        await station.store.commit(work)


@again_when_overtaken
async def decline(office: Office, case_id: str, suggestion_id: str, actor: Actor) -> Case:
    """Take a suggestion away for good; the actor says who does not want it, and why.

    Raises:
        SuggestionGone: there is none of this id, or no longer.
    """
    async with office.locks.of((await _case(office, case_id)).international_id):
        case = await _case(office, case_id)
        suggestion = engine.find_suggestion(case, suggestion_id)
        changed = engine.decline(case, suggestion_id, now=office.station.clock.now(), actor=actor)
        work = UnitOfWork()
        work.save_case(changed, case.revision)
        note_suggestion(office, work, case, suggestion, "declined")
        await office.station.store.commit(work)
        return changed


def still_possible(office: Office, case: Case) -> tuple[Suggestion, ...]:
    """Return the suggestions of a case whose action is possible now; time alone may end one."""
    definition = office.library.processes.find(case.buc)
    if definition is None:
        return ()
    return engine.without_stale(case, definition, office.station.clock.now()).suggestions


def cleared(office: Office, case: Case, work: UnitOfWork) -> Case:
    """Return the case without the suggestions that its last change has made impossible, and note each."""
    kept = still_possible(office, case) if case.suggestions else ()
    for suggestion in case.suggestions:
        if suggestion not in kept:
            note_suggestion(office, work, case, suggestion, "gone")
    return replace(case, suggestions=kept)


def note_suggestion(
    office: Office, work: UnitOfWork, case: Case, suggestion: Suggestion, outcome: str, **facts: str
) -> None:
    """Write into the journal what became of a suggestion: which rule, its inputs, and the document proposed.

    Which clerk decided, and in which words, stands in the history of the case alone: the journal names no persons.
    """
    work.journal(
        office.station.note(
            "suggestion",
            outcome,
            case_id=case.id,
            suggestion=suggestion.id,
            sed=suggestion.sed,
            rule=suggestion.rule,
            inputs="; ".join(suggestion.inputs),
            **facts,
        )
    )


async def _case(office: Office, case_id: str) -> Case:
    case = await office.station.store.find_case(case_id)
    assert case is not None  # whoever calls has looked it up
    return case
