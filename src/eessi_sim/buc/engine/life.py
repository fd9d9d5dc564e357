"""The life of a case as a whole: open, choose participants, close, reopen, archive, restore, remove."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from eessi_sim.buc.actions import Operation
from eessi_sim.buc.case import Actor, Case, CaseRole, CaseStatus, EventKind, Participant
from eessi_sim.buc.definition import BucDefinition
from eessi_sim.buc.effects import NoticeKind, Notify, Outcome
from eessi_sim.buc.engine.history import noted, revised
from eessi_sim.buc.engine.offering import available_actions, not_available
from eessi_sim.errors import CaseError
from eessi_sim.identifiers import CaseId, CdmVersion, InstitutionId, InternationalId


def open_case(
    definition: BucDefinition,
    *,
    case_id: CaseId,
    international_id: InternationalId,
    cdm: CdmVersion,
    own: InstitutionId,
    counterparties: Sequence[InstitutionId] = (),
    now: datetime,
    actor: Actor,
) -> Case:
    """Return a new case of which this institution is the owner.

    Args:
        definition: the table of the process.
        case_id: number of our own copy.
        international_id: id that all copies will share.
        cdm: version of the data model in which its documents are written.
        own: this institution.
        counterparties: whom to send the starter to; may be chosen later.
        now: the present time.
        actor: who decides it.

    Raises:
        CaseError: the counterparties do not fit the process.
    """
    case = Case(
        id=case_id,
        international_id=international_id,
        buc=definition.buc,
        cdm=cdm,
        role=CaseRole.CASE_OWNER,
        own=own,
        participants=_participants(definition, own, counterparties),
        created_at=now,
    )
    return noted(case, EventKind.OPENED, now=now, actor=actor)


def set_participants(
    case: Case,
    definition: BucDefinition,
    counterparties: Sequence[InstitutionId],
    *,
    now: datetime,
    actor: Actor,
) -> Outcome:
    """Choose other counterparties, which is possible until the starter is sent (RINA, documented).

    Raises:
        ActionNotAvailable: the starter was sent, or we are not the owner.
        CaseError: the counterparties do not fit the process.
    """
    choose = (Operation.SELECT_PARTICIPANTS, Operation.UPDATE_PARTICIPANTS)
    _require(case, definition, choose, now)
    chosen = replace(case, participants=_participants(definition, case.own, counterparties))
    return _outcome(chosen, EventKind.PARTICIPANTS_CHOSEN, now=now, actor=actor)


def local_close(case: Case, definition: BucDefinition, *, now: datetime, actor: Actor) -> Outcome:
    """Close our own copy; nobody is told.

    Raises:
        ActionNotAvailable: the process does not let our role close locally, or not now.
    """
    _require(case, definition, (Operation.LOCAL_CLOSE,), now)
    closed = replace(case, status=CaseStatus.CLOSED)
    outcome = _outcome(closed, EventKind.CLOSED_LOCALLY, now=now, actor=actor)
    return replace(outcome, effects=(Notify(NoticeKind.CASE_CLOSED),))


def local_reopen(case: Case, definition: BucDefinition, *, now: datetime, actor: Actor) -> Outcome:
    """Open our own copy again after a local close.

    Raises:
        ActionNotAvailable: the case is open, or was closed for everybody.
    """
    _require(case, definition, (Operation.LOCAL_REOPEN,), now)
    opened = replace(case, status=CaseStatus.OPEN)
    outcome = _outcome(opened, EventKind.REOPENED, now=now, actor=actor)
    return replace(outcome, effects=(Notify(NoticeKind.CASE_REOPENED),))


def archive(case: Case, definition: BucDefinition, *, now: datetime, actor: Actor) -> Outcome:
    """Move a closed case to the archive.

    Raises:
        ActionNotAvailable: the case is not closed.
    """
    _require(case, definition, (Operation.ARCHIVE_CASE,), now)
    archived = replace(case, status=CaseStatus.ARCHIVED)
    return _outcome(archived, EventKind.ARCHIVED, now=now, actor=actor)


def restore(case: Case, definition: BucDefinition, *, now: datetime, actor: Actor) -> Outcome:
    """Bring a case back from the archive; it is closed, as it was before (inferred).

    Raises:
        ActionNotAvailable: the case is not archived.
    """
    _require(case, definition, (Operation.RESTORE_CASE,), now)
    restored = replace(case, status=CaseStatus.CLOSED)
    return _outcome(restored, EventKind.RESTORED, now=now, actor=actor)


def remove_case(case: Case, definition: BucDefinition, *, now: datetime, actor: Actor) -> Outcome:
    """Delete a case whose starter was not sent yet; all later processing skips it (RINA, documented).

    Raises:
        ActionNotAvailable: the starter was sent, or we are not the owner.
    """
    _require(case, definition, (Operation.DELETE_CASE,), now)
    removed = replace(case, status=CaseStatus.REMOVED)
    return _outcome(removed, EventKind.REMOVED, now=now, actor=actor)


def _participants(
    definition: BucDefinition, own: InstitutionId, counterparties: Sequence[InstitutionId]
) -> tuple[Participant, ...]:
    if own in counterparties or len(set(counterparties)) != len(counterparties):
        raise CaseError(
            f"Expected every institution once, found {own} and {', '.join(counterparties)}",
            hint="Choose other institutions than the case owner, each once.",
        )
    if definition.is_bilateral and len(counterparties) > 1:
        raise CaseError(
            f"Expected one counterparty in {definition.buc}, found {len(counterparties)}",
            hint="Open one case for each counterparty.",
        )
    owner = Participant(own, CaseRole.CASE_OWNER)
    return (owner, *(Participant(institution, CaseRole.COUNTERPARTY) for institution in counterparties))


def _require(case: Case, definition: BucDefinition, operations: Sequence[Operation], now: datetime) -> None:
    if all(action.operation not in operations for action in available_actions(case, definition, now)):
        raise not_available(case, definition, operations[0], now)


def _outcome(case: Case, kind: EventKind, *, now: datetime, actor: Actor) -> Outcome:
    return Outcome(revised(noted(case, kind, now=now, actor=actor)))
