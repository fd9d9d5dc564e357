"""Whether a received document is one that the table lets its sender send now."""

from collections.abc import Collection

from eessi_sim.buc.administration import CHANGES_PARTICIPANTS, AdministrativeRule, Offered
from eessi_sim.buc.case import Case, CaseRole
from eessi_sim.buc.definition import BucDefinition, Step
from eessi_sim.buc.engine.incoming import IncomingDocument
from eessi_sim.buc.engine.participation import fault_of, was_added_before
from eessi_sim.buc.offers import Key, Offers, offers_of
from eessi_sim.buc.refusal import ExceptionCause, refused
from eessi_sim.buc.terms import Addressing
from eessi_sim.errors import DocumentRefused
from eessi_sim.identifiers import DocumentId, SedType


def expected_parent(case: Case, definition: BucDefinition, incoming: IncomingDocument) -> DocumentId | None:
    """Return the parent under which an incoming document is expected.

    Raises:
        DocumentRefused: the table does not expect it from this sender now (cause 04), or what it must say
            is not told (cause 99).
    """
    rule = definition.administrative.get(incoming.type)
    if rule is not None:
        check_content(case, definition, rule, incoming)
        if rule.offered is Offered.NEVER:
            return incoming.parent_id
    offers = offers_of(case, definition, incoming.sender, incoming.sender_role)
    key = _key(case, offers, incoming)
    if key is not None:
        _check_addressed(case, offers.open[key].step, key[1])
        return key[1]
    if _is_bystander(case, definition, incoming):
        return incoming.parent_id
    raise _unexpected(case, definition, offers, incoming)


def check_content(
    case: Case, definition: BucDefinition, rule: AdministrativeRule, incoming: IncomingDocument
) -> None:
    """Some administrative SEDs do what their content says: it must be told, and possible in this case.

    Raises:
        DocumentRefused: it is not told (cause 99), or not possible, perhaps not yet (cause 04).
    """
    fault, cause = None, ExceptionCause.OTHER
    if rule.effect in CHANGES_PARTICIPANTS:
        if not was_added_before(case, rule, incoming.change):
            fault = fault_of(case, definition, rule, incoming.sender, incoming.change)
        if incoming.change is not None:
            cause = (
                ExceptionCause.NOT_EXPECTED
            )  # another change, which makes this one possible, may be on its way
    elif rule.facts and incoming.facts is None:
        fault = f"it is not told whether it says {' or '.join(rule.facts)}"
    if fault is not None:
        raise refused(
            cause,
            f"Expected a {rule.sed} that can be followed, found that {fault}",
            hint="Send what the SED is about with it.",
            sed=incoming.type,
        )


def _key(case: Case, offers: Offers, incoming: IncomingDocument) -> Key | None:
    """Find the offer that the document takes; the envelope may leave the parent out (observed)."""
    exact = (incoming.type, incoming.parent_id)
    if exact in offers.open:
        return exact
    if incoming.parent_id is not None:
        alone = (incoming.type, None)  # a parent says nothing where the table knows none
        return alone if alone in offers.open else None
    parents = [
        parent
        for sed, parent_id in offers.open
        if sed == incoming.type
        and (parent := case.find(parent_id)) is not None
        and incoming.target_sed in (None, parent.type)
    ]
    latest = max(parents, key=lambda parent: (parent.sender == case.own, parent.order), default=None)
    return (incoming.type, latest.id) if latest else None


def _check_addressed(case: Case, step: Step, parent_id: DocumentId | None) -> None:
    """The table sends some SEDs only to one role, or only to who asked."""
    parent = case.find(parent_id)
    only_asker = step.addressing is Addressing.PARENT_SENDER
    if case.role in step.to and not (
        only_asker and parent is not None and parent.sender not in case.places_of(case.own)
    ):
        return
    raise refused(
        ExceptionCause.NOT_EXPECTED,
        f"Expected {step.sed} only at its addressee, found it at {case.own} as {case.role}",
        hint="Send it to the case owner, or to the sender of the SED it answers.",
        sed=step.sed,
    )


def _is_bystander(case: Case, definition: BucDefinition, incoming: IncomingDocument) -> bool:
    """Whether this may rest on a document that we were not addressed with.

    In a multilateral case an answer may go to all although its request went to one, and a step to all
    although what it comes after went to one; who did not get the one cannot judge the other (inferred).
    """
    rows = definition.tables[incoming.sender_role].by_sed.get(incoming.type, ())
    if any(case.role in step.to and _asked_of_some(definition, step.after) for step in rows):
        return True
    parent = case.find(incoming.parent_id)
    if parent is not None and parent.sender == case.own:
        return False
    repeated = any(
        d.sender == incoming.sender and d.type == incoming.type and d.parent_id == incoming.parent_id
        for d in case.documents
        if incoming.parent_id is not None
    )
    return not repeated and any(
        case.role in step.to
        and step.addressing is not Addressing.PARENT_SENDER
        and _asked_of_some(definition, step.replies_to)
        for step in rows
    )


def _asked_of_some(definition: BucDefinition, requests: Collection[SedType]) -> bool:
    """Whether one of these requests may go to only some participants."""
    return not definition.is_bilateral and any(
        step.addressing is not Addressing.ALL
        for role in CaseRole
        for request in requests
        for step in definition.tables[role].by_sed.get(request, ())
    )


def _unexpected(
    case: Case, definition: BucDefinition, offers: Offers, incoming: IncomingDocument
) -> DocumentRefused:
    possible = sorted({sed for sed, _ in offers.open})
    rows = definition.tables[incoming.sender_role].by_sed.get(incoming.type, ())
    requests = sorted({request for step in rows for request in step.replies_to})
    if requests:
        hint = f"{incoming.type} answers {' or '.join(requests)}; none is open for {incoming.sender}."
    elif not rows:
        hint = f"The table of {case.buc} lets no {incoming.sender_role} send {incoming.type}."
    else:
        hint = "Wait until the table offers it, or send a new version of the SED sent before."
    return refused(
        ExceptionCause.NOT_EXPECTED,
        f"Expected from {incoming.sender} one of {', '.join(possible) or 'nothing'}, found {incoming.type}",
        hint=hint,
        sed=incoming.type,
    )
