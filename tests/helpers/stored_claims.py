"""The folder of a network that does not run, with a case of individual claims in the store of one node."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from tests.helpers import bulk_claims as bulk
from tests.helpers.process_networks import NORWAY, POLAND, small_network

from eessi_sim import xmlsafe
from eessi_sim.buc.case import (
    Actor,
    ActorKind,
    Case,
    CaseRole,
    Document,
    DocumentStatus,
    DocumentVersion,
    Participant,
)
from eessi_sim.buc.case import (
    Direction as Way,
)
from eessi_sim.identifiers import BucType, CaseId, CdmVersion, DocumentId, InternationalId, SedType
from eessi_sim.storage.base import Direction, StoredDocument, UnitOfWork
from eessi_sim.storage.sqlite import SqliteStorage
from eessi_sim.xmlsafe import Element

AT = datetime(2026, 3, 2, 8, tzinfo=UTC)
SHARED = InternationalId("b" * 32)
_CLERK = Actor(ActorKind.CLERK, "tests")


def folder_with(folder: Path, contents: Sequence[tuple[str, Element]]) -> Path:
    """The folder of a network whose Norwegian node holds a case with these documents, each sent once.

    The last document is followed by a draft of the same type, and the first by an invalidated one.
    """
    state = small_network(folder)
    case = _case(contents)
    asyncio.run(_store(state.database(NORWAY), case, contents))
    return state.path


def _case(contents: Sequence[tuple[str, Element]]) -> Case:
    sent = [_document(place, sed) for place, (sed, _) in enumerate(contents, start=1)]
    draft = _document(0, contents[-1][0], DocumentStatus.NEW)
    withdrawn = _document(90, contents[0][0], DocumentStatus.CANCELLED)
    return Case(
        id=CaseId("4711"),
        international_id=SHARED,
        buc=BucType("UB_BUC_04"),
        cdm=CdmVersion("4.4"),
        role=CaseRole.CASE_OWNER,
        own=NORWAY,
        participants=(
            Participant(NORWAY, CaseRole.CASE_OWNER),
            Participant(POLAND, CaseRole.COUNTERPARTY),
        ),
        created_at=AT,
        documents=(*sent, draft, withdrawn),
    )


def _document(order: int, sed: str, status: DocumentStatus = DocumentStatus.SENT) -> Document:
    sent_at = None if status is DocumentStatus.NEW else AT
    return Document(
        id=_id(order),
        type=SedType(sed),
        direction=Way.OUT,
        status=status,
        sender=NORWAY,
        versions=(DocumentVersion(number=1, actor=_CLERK, saved_at=AT, sent_at=sent_at),),
        order=order,
    )


def _id(order: int) -> DocumentId:
    return DocumentId(f"{order:032x}")


async def _store(database: Path, case: Case, contents: Sequence[tuple[str, Element]]) -> None:
    storage = SqliteStorage(database)
    work = UnitOfWork()
    work.save_case(case, None)
    for place, (sed, root) in enumerate(contents, start=1):
        work.save_document(
            StoredDocument(
                case_id=case.id,
                document_id=_id(place),
                version=1,
                sed=SedType(sed),
                direction=Direction.OUT,
                stored_at=AT,
                message_id=None,
                content=xmlsafe.serialize(root),
            )
        )
    await storage.node(NORWAY).commit(work)
    await storage.close()


def samples(*seds: str) -> list[tuple[str, Element]]:
    return [(sed, bulk.sample(sed)) for sed in seds]
