"""Process tables for tests: the real ones, small ones written in the test, and shortcuts to a played case."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from functools import cache
from textwrap import dedent
from typing import Any

from eessi_sim.buc import engine
from eessi_sim.buc.actions import Operation
from eessi_sim.buc.case import Actor, ActorKind, Case, CaseAction, CaseRole, Document
from eessi_sim.buc.definition import BucDefinition
from eessi_sim.buc.engine import IncomingDocument
from eessi_sim.buc.loader import Definitions, read_definition
from eessi_sim.buc.terms import Walk
from eessi_sim.buc.walk import START, Played, play
from eessi_sim.definition_files import read_yaml
from eessi_sim.identifiers import CdmVersion, DocumentId, InstitutionId, InternationalId, SedType

NOW = START
CLERK = Actor(ActorKind.CLERK, "anna", "she decided so")
BY: dict[str, Any] = {"now": NOW, "actor": CLERK}
"""When and by whom, for calls of the engine."""
OWNER = InstitutionId("PL:WALK01")
FIRST = InstitutionId("NO:WALK01")
SECOND = InstitutionId("DE:WALK01")
STRANGER = InstitutionId("FR:WALK99")
CASE = InternationalId(f"{1:032x}")
PAIR = ("CO", "CP")
TRIO = ("CO", "CP1", "CP2")


def table(buc: str) -> BucDefinition:
    """Return a process table that comes with the program."""
    return Definitions.default().get(buc)


def document_id(number: int) -> DocumentId:
    """Return a document id; walks count theirs from 1."""
    return DocumentId(f"{number:032x}")


def run(definition: BucDefinition, parties: Sequence[str], *steps: str, start: datetime = NOW) -> Played:
    """Play sentences that must all work."""
    played = play(definition, Walk(name="test", parties=tuple(parties), steps=steps), start=start)
    assert played.refusal is None, (played.refused_at, played.refusal)
    return played


def case_of(buc: str, party: str, *steps: str) -> Case:
    """Return one party's copy of a case after some sentences."""
    definition = table(buc)
    parties = PAIR if definition.is_bilateral else TRIO
    return run(definition, parties, *steps).cases[party]


_ASIDE = (
    Operation.READ,
    Operation.READ_PARTICIPANTS,
    Operation.ADD_ATTACHMENT,
    Operation.REMOVE_ATTACHMENT,
)


def offered(case: Case, now: datetime = NOW, definition: BucDefinition | None = None) -> set[str]:
    """Return what can be done now, in words, without reading and without the files of documents."""
    definition = definition or table(case.buc)
    actions = engine.available_actions(case, definition, now)
    return {action.text for action in actions if action.operation not in _ASIDE}


def latest(case: Case, sed: str) -> Document:
    """Return the latest document of a type."""
    return [document for document in case.documents if document.type == sed][-1]


def incoming(sed: str, **changes: Any) -> IncomingDocument:
    """Return a document from the owner of the walk's case, with some fields changed."""
    plain = IncomingDocument(
        type=SedType(sed),
        document_id=document_id(900),
        version=1,
        international_id=CASE,
        cdm=CdmVersion("4.4"),
        sender=OWNER,
        sender_role=CaseRole.CASE_OWNER,
        case_action=CaseAction.NEW,
    )
    return replace(plain, **changes)


SMALL = """
    buc: T_BUC_01
    title: {text: Test, source: OWN, confidence: inferred}
    sector: T
    cdm: 4.4
    participation: bilateral
    starters: [T001]
    close:
      source: OWN
      confidence: inferred
      mode: local
      local: [CO, CP]
    steps:
      source: OWN
      confidence: inferred
      rows:
        - {sed: T001, from: CO, starter: true, sender_may: [update, invalidate], receiver_may: [reject, clarify]}
        - {sed: T002, from: CP, replies_to: T001, sender_may: [update, invalidate]}
        - {sed: T003, from: CO, after: [T001], repeatable: true, sender_may: [update, invalidate]}
"""
"""A process of three SEDs: a request, its reply, and further news."""


@cache
def small(*changes: tuple[str, str], more: str = "") -> BucDefinition:
    """Return the small process, with texts of its file replaced and more keys added.

    Args:
        changes: pairs of a text and what to write in its place.
        more: further keys of the file.
    """
    text = dedent(SMALL) + dedent(more)
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    return read_definition(read_yaml(text, "T_BUC_01.yaml"), Definitions.default().administrative)
