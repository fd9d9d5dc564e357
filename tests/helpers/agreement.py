"""What may not be said by two copies of one case once every message has arrived, was refused by name, or was lost.

A copy may lack what its sender knows it lacks: the delivery that failed, or that an X050 reported. Nothing else.
"""

from collections.abc import Iterator

from tests.helpers.crossings import Crossings, Letter, failed_for, sent_versions

from eessi_sim.buc.administration import CHANGES_PARTICIPANTS, CaseEffect
from eessi_sim.buc.case import Case, CaseStatus, Document, DocumentStatus, EventKind
from eessi_sim.identifiers import InstitutionId


def contradictions(line: Crossings) -> list[str]:
    """Return every contradiction between two copies, in a sentence each."""
    found: list[str] = []
    for case in line.copies.values():
        for document in case.documents:
            if document.sender == case.own and document.is_exchanged:
                found += _about(line, case, document)
    found += _closing(line)
    found += _participants(line)
    return found


def needless_refusals(line: Crossings) -> list[str]:
    """Return the refusals in a case that nobody closed, joined, left or lost a message of: there must be none."""
    rules = line.definition.administrative
    ends = {*CHANGES_PARTICIPANTS, CaseEffect.CLOSE_CASE}
    disturbed = line.failed or any(
        case.status is not CaseStatus.OPEN
        or any(event.kind is EventKind.ARCHIVED for event in case.history)
        or any(d.is_exchanged and d.type in rules and rules[d.type].effect in ends for d in case.documents)
        for case in line.copies.values()
    )
    return (
        []
        if disturbed
        else [
            f"refused: {dead.letter.text}, {dead.sentence}"
            for dead in line.dead
            if not _is_void(line, dead.letter)
        ]
    )


def _is_void(line: Crossings, letter: Letter) -> bool:
    """Whether its sender had invalidated it; where a fresh one came first there is no room for it any more."""
    sender = line.copies[letter.document.sender]
    documents = (sender.find(letter.document.document_id), sender.find(letter.document.parent_id))
    return any(d is not None and d.status is DocumentStatus.CANCELLED for d in documents)


def _about(line: Crossings, sender: Case, document: Document) -> Iterator[str]:
    """What a sender's copy says about a document, against the copy of each that it was sent to."""
    got: dict[InstitutionId, int] = {}
    failed: set[InstitutionId] = set()
    for number, receivers in sent_versions(document):
        for receiver in receivers:
            got.setdefault(receiver, 0)
            if failed_for(document, number, receiver):
                failed.add(receiver)
            else:
                got[receiver] = number
    active = {p.institution for p in sender.participants if p.active}
    for receiver, version in got.items():
        if not {receiver, sender.own} <= active:
            continue  # who left hears no more
        copy = line.copies.get(receiver)
        theirs = copy.find(document.id) if copy else None
        name = f"{document.type} {document.id[-3:]} of {sender.own} at {receiver}"
        if theirs is None:
            if version:
                yield f"lost: {name}, version {version} never came and nobody was told"
            continue
        if version != theirs.exchanged_version and receiver not in failed:
            yield f"version: {name} is {theirs.exchanged_version}, was sent as {version}"
        if (theirs.type, theirs.sender) != (document.type, document.sender):
            yield f"identity: {name} is {theirs.type} of {theirs.sender}"
        if theirs.parent_id != document.parent_id:
            yield f"parent: {name} answers {theirs.parent_id}, was sent about {document.parent_id}"
        yield from _states(line, sender, document, theirs, receiver, name)


def _states(
    line: Crossings, sender: Case, document: Document, theirs: Document, receiver: InstitutionId, name: str
) -> Iterator[str]:
    cancelled = document.status is DocumentStatus.CANCELLED
    if cancelled is not (theirs.status is DocumentStatus.CANCELLED):
        told = [d for d in sender.documents if _is(line, d, CaseEffect.CANCEL_DOCUMENT, document)]
        if not any(failed_for(d, d.version, receiver) for d in told):
            yield f"state: {name} is {theirs.status}, for its sender {document.status}"
    copy = line.copies[receiver]
    if (receiver in document.refused_by) is not (receiver in theirs.refused_by):
        told = [d for d in copy.documents if _is(line, d, CaseEffect.REFUSE_DOCUMENT, document)]
        unsure = any(failed_for(d, d.version, sender.own) for d in told)
        newer = any(failed_for(document, number, receiver) for number, _ in sent_versions(document))
        if not unsure and not newer:
            yield f"refused: {name} refused by {theirs.refused_by}, for its sender by {document.refused_by}"


def _closing(line: Crossings) -> Iterator[str]:
    """Who got the closing SED is closed; who got the decision to reopen as well is not judged here."""
    for sender in line.copies.values():
        for document in sender.documents:
            rule = line.definition.administrative.get(document.type)
            if rule is None or rule.effect is not CaseEffect.CLOSE_CASE or document.sender != sender.own:
                continue
            for _, receivers in sent_versions(document):
                for receiver in receivers:
                    copy = line.copies.get(receiver)
                    if failed_for(document, document.version, receiver) or copy is None:
                        continue
                    if copy.status is CaseStatus.OPEN and not _reopened(line, copy):
                        yield f"closing: {document.id[-3:]} closed {sender.own} and not {receiver}"


def _reopened(line: Crossings, case: Case) -> bool:
    rules = line.definition.administrative
    return any(
        d.type in rules and rules[d.type].effect is CaseEffect.REOPEN_CASE and d.is_exchanged
        for d in case.documents
    )


def _participants(line: Crossings) -> Iterator[str]:
    """Copies of those who still take part name the same participants, unless a change of them was refused or lost."""
    rules = line.definition.administrative
    letters = [*(dead.letter for dead in line.dead), *line.failed]
    changing = [
        letter
        for letter in letters
        if (rule := rules.get(letter.document.type)) is not None and rule.effect in CHANGES_PARTICIPANTS
    ]
    if changing:
        return
    views = {
        case.own: frozenset((p.institution, p.role, p.active) for p in case.participants)
        for case in line.copies.values()
        if case.is_started
        and case.status is not CaseStatus.REMOVED
        and (own := case.find_participant(case.own)) is not None
        and own.active
    }
    if len(set(views.values())) > 1:
        yield f"participants: {views}"


def _is(line: Crossings, document: Document, effect: CaseEffect, target: Document) -> bool:
    rule = line.definition.administrative.get(document.type)
    return (
        rule is not None
        and rule.effect is effect
        and document.parent_id == target.id
        and document.is_exchanged
    )
