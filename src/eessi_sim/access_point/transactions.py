"""Does the process know this step? Asked at the access point, with what it has let pass in the case before.

The combination of process, roles, case action and SED type is what the names of EESSI's transaction schemas consist
of (observed); that the router also looks at the order of a case is our choice (inferred). Pure.
"""

from typing import Final

from eessi_sim.buc.administration import CaseEffect, Offered
from eessi_sim.buc.case import CaseRole
from eessi_sim.buc.definition import BucDefinition, Step
from eessi_sim.buc.terms import StepKind
from eessi_sim.errors import ActionNotAvailable
from eessi_sim.identifiers import SedType
from eessi_sim.sbdh import CaseAction

_ACTIONS: Final = (CaseAction.START, CaseAction.NEW, CaseAction.UPDATE)


class NotYet(ActionNotAvailable):
    """The step may become possible: a document that it depends on has not passed here yet."""

    code = "action-not-yet"


def require_transaction(
    definition: BucDefinition,
    sed: SedType,
    role: CaseRole,
    *,
    action: CaseAction,
    exchanged: frozenset[SedType],
    handed_over: bool = False,
) -> None:
    """Refuse a document that the process does not foresee.

    Args:
        definition: the process.
        sed: type of the document.
        role: role of its sender.
        action: what the message does to the case.
        exchanged: types that have passed in this case before.
        handed_over: whether the document is another one's, for a new participant.

    Raises:
        NotYet: a document that this one depends on has not passed.
        ActionNotAvailable: the process has no such step; says which it has.
    """
    if action not in _ACTIONS:
        raise ActionNotAvailable(
            f"Expected an action on a case, found {action}",
            available=_ACTIONS,
            hint="Other actions belong to system messages.",
        )
    if handed_over:
        _require_passed(sed, {sed}, exchanged, definition.starters)
        return
    steps = definition.tables[role].by_sed.get(sed, ())
    if not steps and not _is_made_by_nodes(definition, sed):
        raise ActionNotAvailable(
            f"Expected a SED that the {role} sends in {definition.buc}, found {sed}",
            available=tuple(sorted(definition.tables[role].by_sed)),
            hint="Check the role of the sender and the process.",
        )
    if action is CaseAction.START:
        _require_starter(definition, sed, role, steps)
        return
    needed = {sed} if action is CaseAction.UPDATE else _needed(definition, steps)
    _require_passed(
        sed, needed, exchanged, tuple(sorted(step.sed for step in definition.tables[role].starters))
    )


def _require_passed(
    sed: SedType, needed: set[SedType], exchanged: frozenset[SedType], available: tuple[SedType, ...]
) -> None:
    if not exchanged & needed:
        raise NotYet(
            f"Expected one of {', '.join(sorted(needed))} before {sed} in this case, found none",
            available=available,
            hint="Send the document that this one follows first.",
        )


def _is_made_by_nodes(definition: BucDefinition, sed: SedType) -> bool:
    """Whether no table offers this SED to anybody: an exception that nodes report, or what a routing application says."""
    rule = definition.administrative.get(sed)
    return rule is not None and rule.offered is Offered.NEVER


def _require_starter(
    definition: BucDefinition, sed: SedType, role: CaseRole, steps: tuple[Step, ...]
) -> None:
    if not any(step.starter for step in steps):
        raise ActionNotAvailable(
            f"Expected a starter of {definition.buc}, found {sed} from the {role}",
            available=definition.starters,
            hint="Only a starter carries the case action Start.",
        )


def _needed(definition: BucDefinition, steps: tuple[Step, ...]) -> set[SedType]:
    """Return the types of which one must have passed before a step of the kind ``steps``."""
    needed = {sed for step in steps for sed in (*step.after, *step.replies_to)}
    if any(_follows_any_starter(step) for step in steps):
        needed.update(definition.starters)
    if any(step.starter for step in steps):
        needed.update(_invalidations(definition))  # sent afresh, or another starter in its place
    return needed or set(definition.starters)


def _follows_any_starter(step: Step) -> bool:
    """Whether a step needs no more than a case that has begun."""
    if step.starter:
        return step.repeatable
    return step.kind is not StepKind.BUSINESS and not step.is_reply


def _invalidations(definition: BucDefinition) -> set[SedType]:
    rules = definition.administrative.values()
    return {rule.sed for rule in rules if rule.effect is CaseEffect.CANCEL_DOCUMENT}
