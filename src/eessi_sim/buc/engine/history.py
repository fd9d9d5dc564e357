"""Small steps that every change of a case is made of: note an event, add a version, count the revision."""

from dataclasses import replace
from datetime import datetime

from eessi_sim.buc.case import (
    Actor,
    ActorKind,
    Case,
    Document,
    DocumentVersion,
    Event,
    EventKind,
)
from eessi_sim.identifiers import InstitutionId

SYSTEM = "node"
"""Name of the actor for what a received message decides."""


def system(reason: str) -> Actor:
    """Return the actor of a change that no person and no rule decided."""
    return Actor(ActorKind.SYSTEM, SYSTEM, reason)


def noted(
    case: Case,
    kind: EventKind,
    *,
    now: datetime,
    actor: Actor,
    document: Document | None = None,
    institution: InstitutionId | None = None,
) -> Case:
    """Return the case with one more event in its history.

    Args:
        case: the case before.
        kind: what happened.
        now: when.
        actor: who decided it.
        document: the document it happened to, None for the case itself.
        institution: whose doing it is; our own when not given.
    """
    event = Event(
        at=now,
        kind=kind,
        actor=actor,
        institution=institution or case.own,
        sed=document.type if document else None,
        document_id=document.id if document else None,
        parent_id=document.parent_id if document else None,
        version=document.version if document else None,
        starter=document is not None and document.starter,
    )
    return replace(case, history=(*case.history, event))


def revised(case: Case) -> Case:
    """Return the case with the next revision; once per change that is stored."""
    return replace(case, revision=case.revision + 1)


def with_version(document: Document, version: DocumentVersion) -> Document:
    """Return the document with one more version."""
    return replace(document, versions=(*document.versions, version))


def with_latest(document: Document, version: DocumentVersion) -> Document:
    """Return the document with its latest version replaced."""
    return replace(document, versions=(*document.versions[:-1], version))


def next_order(case: Case) -> int:
    """Return the place of the next exchanged document."""
    return max((document.order for document in case.documents), default=0) + 1
