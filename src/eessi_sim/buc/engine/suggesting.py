"""Suggestions of rules to a clerk: made, accepted, declined, and gone as soon as their action is.

A suggestion never changes what a case offers; only the action that a clerk takes does.
"""

from dataclasses import replace
from datetime import datetime

from eessi_sim.buc.actions import Operation
from eessi_sim.buc.case import Actor, Case, Event, EventKind
from eessi_sim.buc.definition import BucDefinition
from eessi_sim.buc.engine.history import revised
from eessi_sim.buc.engine.offering import available_actions, not_available
from eessi_sim.buc.suggestion import Suggestion
from eessi_sim.errors import SuggestionGone


def suggest(
    case: Case, definition: BucDefinition, suggestion: Suggestion, *, now: datetime, actor: Actor
) -> Case:
    """Return the case with one more suggestion.

    Raises:
        ActionNotAvailable: the process does not allow now what is suggested.
    """
    if not _is_possible(case, definition, suggestion, now):
        raise not_available(case, definition, f"{Operation.CREATE} {suggestion.sed}", now)
    noted = _noted(case, EventKind.SUGGESTED, suggestion, now=now, actor=actor)
    return revised(replace(noted, suggestions=(*noted.suggestions, suggestion)))


def find_suggestion(case: Case, suggestion_id: str) -> Suggestion:
    """Return a suggestion that nobody has decided.

    Raises:
        SuggestionGone: there is none of this id, or no longer.
    """
    found = next((each for each in case.suggestions if each.id == suggestion_id), None)
    if found is None:
        raise SuggestionGone(
            f'Expected a suggestion of case {case.id}, found "{suggestion_id}"',
            hint="It was accepted or declined, or its action is no longer possible. "
            "See eessi-sim case suggestions for those that are open.",
            case=case.id,
        )
    return found


def take(case: Case, suggestion_id: str) -> Case:
    """Return the case without a suggestion that is being accepted.

    Raises:
        SuggestionGone: there is none of this id, or no longer.
    """
    return _without(case, find_suggestion(case, suggestion_id))


def decline(case: Case, suggestion_id: str, *, now: datetime, actor: Actor) -> Case:
    """Return the case without a suggestion that a clerk does not want; the reason is the one of the actor.

    Raises:
        SuggestionGone: there is none of this id, or no longer.
    """
    suggestion = find_suggestion(case, suggestion_id)
    rest = _without(case, suggestion)
    return revised(_noted(rest, EventKind.DECLINED, suggestion, now=now, actor=actor))


def without_stale(case: Case, definition: BucDefinition, now: datetime) -> Case:
    """Return the case without the suggestions whose action is no longer possible; the revision stays."""
    if not case.suggestions:
        return case
    kept = tuple(each for each in case.suggestions if _is_possible(case, definition, each, now))
    return replace(case, suggestions=kept)


def _is_possible(case: Case, definition: BucDefinition, suggestion: Suggestion, now: datetime) -> bool:
    return any(
        action.operation is Operation.CREATE
        and action.sed == suggestion.sed
        and suggestion.parent_id in (None, action.parent_id)
        for action in available_actions(case, definition, now)
    )


def _without(case: Case, suggestion: Suggestion) -> Case:
    return replace(case, suggestions=tuple(each for each in case.suggestions if each != suggestion))


def _noted(case: Case, kind: EventKind, suggestion: Suggestion, *, now: datetime, actor: Actor) -> Case:
    event = Event(
        at=now,
        kind=kind,
        actor=actor,
        institution=case.own,
        sed=suggestion.sed,
        document_id=suggestion.about,
        parent_id=suggestion.parent_id,
    )
    return replace(case, history=(*case.history, event))
