"""Small cases with documents between Norway and Poland, and what is measured of them."""

from datetime import datetime, timedelta
from typing import Any

from tests.helpers.stored import NODE, NOON, OTHER_NODE, a_case, message_id

from eessi_sim.buc.case import (
    Actor,
    ActorKind,
    Delivery,
    DeliveryStatus,
    Direction,
    Document,
    DocumentStatus,
    DocumentVersion,
)
from eessi_sim.buc.definition import BucDefinition
from eessi_sim.buc.loader import Definitions
from eessi_sim.casefile.indicators import Indicators, Times, indicators
from eessi_sim.identifiers import DocumentId, SedType

LA_BUC_02 = Definitions.default().get("LA_BUC_02")
CLERK = Actor(ActorKind.CLERK, "clerk")
LATER = NOON + timedelta(days=3)
MUCH_LATER = NOON + timedelta(days=100)


def sent(sed: str = "A003", number: int = 1, at: datetime = NOON, **fields: Any) -> Document:
    """A document that went to Poland."""
    delivery = Delivery(receiver=OTHER_NODE, status=DeliveryStatus.SENT, at=at, message_id=message_id(number))
    version = DocumentVersion(number=1, actor=CLERK, sent_at=at, deliveries=(delivery,))
    return a_document(sed, number, (version,), direction=Direction.OUT, receivers=(OTHER_NODE,), **fields)


def received(sed: str = "A012", number: int = 2, at: datetime = LATER, **fields: Any) -> Document:
    """A document that came from Poland, in answer to document 1."""
    version = DocumentVersion(number=1, actor=CLERK, received_at=at, message_id=message_id(number))
    fields = {"parent_id": DocumentId(f"{1:032x}"), "sender": OTHER_NODE, "receivers": (NODE,), **fields}
    return a_document(
        sed, number, (version,), direction=Direction.IN, status=DocumentStatus.RECEIVED, **fields
    )


def a_document(sed: str, number: int, versions: tuple[DocumentVersion, ...], **fields: Any) -> Document:
    """A document in any state."""
    return Document(
        **{
            "id": DocumentId(f"{number:032x}"),
            "type": SedType(sed),
            "status": DocumentStatus.SENT,
            "sender": NODE,
            "versions": versions,
            "order": number,
            **fields,
        }
    )


def measured(
    *documents: Document,
    now: datetime = LATER,
    process: BucDefinition | None = LA_BUC_02,
    times: dict[int, Times] | None = None,
    **fields: Any,
) -> Indicators:
    """The times of a case of Norway with these documents."""
    case = a_case(documents=documents, **fields)
    by_id = {message_id(number): each for number, each in (times or {}).items()}
    return indicators(case, by_id, process, now=now)
