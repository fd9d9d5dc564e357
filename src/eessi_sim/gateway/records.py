"""How ebMS messages become records of the store: the bytes as they came, or as they will be sent."""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final

from eessi_sim.as4.exchange import InboundState, OutboundState
from eessi_sim.as4.model import ErrorSignal, PullRequest, Receipt, RoutingInput, UserMessage
from eessi_sim.as4.msh import LargePacked, Packed, Unpacked
from eessi_sim.gateway.inbox import Received
from eessi_sim.gateway.station import plain
from eessi_sim.spool import Spool, SpoolFile
from eessi_sim.storage.base import Direction, MessageKind, StoredMessage
from eessi_sim.transport.base import Response

_KINDS: Final = {
    UserMessage: MessageKind.USER,
    Receipt: MessageKind.RECEIPT,
    ErrorSignal: MessageKind.ERROR,
    PullRequest: MessageKind.PULL,
}


def incoming(received: Received, *, state: str, at: datetime) -> StoredMessage:
    """Return the record of a received message."""
    unit = received.unpacked.unit
    routing = RoutingInput.of(unit) if isinstance(unit, UserMessage) else received.unpacked.routing
    return StoredMessage(
        message_id=unit.info.message_id,
        direction=Direction.IN,
        kind=_KINDS[type(unit)],
        state=state,
        sender=routing.sender.id if routing else "",
        receiver=routing.receiver.id if routing else "",
        conversation=routing.collaboration.conversation_id if routing else "",
        content_type=received.request.headers.get("content-type", ""),
        body=received.request.body,
        digest=_digest(received.request.body, received.request.spooled),
        spooled=received.request.spooled,
        created_at=at,
        updated_at=at,
        ref_to=unit.info.ref_to_message_id,
    )


def answered(message: StoredMessage, answer: Unpacked, response: Response, at: datetime) -> StoredMessage:
    """Return the record of a receipt that came as the answer to ``message``."""
    return StoredMessage(
        message_id=answer.message_id,
        direction=Direction.IN,
        kind=MessageKind.RECEIPT,
        state=InboundState.DELIVERED,
        sender=message.receiver,
        receiver=message.sender,
        conversation=message.conversation,
        content_type=response.headers.get("content-type", ""),
        body=response.body,
        digest=_digest(response.body, None),
        created_at=at,
        updated_at=at,
        ref_to=message.message_id,
    )


def outgoing(
    packed: Packed | LargePacked,
    *,
    kind: MessageKind,
    way: RoutingInput,
    endpoint: str | None,
    at: datetime,
    ref_to: str | None = None,
    details: Mapping[str, str] | None = None,
    spooled: SpoolFile | None = None,
) -> StoredMessage:
    """Return the record of a message to be sent.

    Args:
        packed: the bytes; every attempt sends these.
        kind: which ebMS unit it carries.
        way: from whom to whom, and in which conversation.
        endpoint: URL of the next hop; None makes a dead letter that says so.
        at: time of submission.
        ref_to: for a signal, the message it answers.
        details: small facts for display and search.
        spooled: where the bytes of a large message were written to.
    """
    body = packed.body if isinstance(packed, Packed) else b""
    return StoredMessage(
        message_id=packed.message_id,
        direction=Direction.OUT,
        kind=kind,
        state=OutboundState.SUBMITTED,
        sender=way.sender.id,
        receiver=way.receiver.id,
        conversation=way.collaboration.conversation_id,
        content_type=packed.content_type,
        body=body,
        digest=_digest(body, spooled),
        created_at=at,
        updated_at=at,
        ref_to=ref_to,
        endpoint=endpoint,
        details=plain(details or {}),
        spooled=spooled,
    )


def with_octets(message: StoredMessage, packed: Packed, spool: Spool | None) -> StoredMessage:
    """Return the record with other octets; those of a large message go to the spool.

    Raises:
        Unavailable: the disk does not take them.
    """
    file = spool.write([packed.body]).keep() if message.spooled is not None and spool is not None else None
    body = b"" if file else packed.body
    return replace(
        message, content_type=packed.content_type, body=body, digest=_digest(body, file), spooled=file
    )


def _digest(body: bytes, spooled: SpoolFile | None) -> str:
    return hashlib.sha256(body).hexdigest() if spooled is None else spooled.digest
