"""Reads ``eb:Messaging`` and ``ebint:RoutingInput`` into the model (ebMS3 core 5.2, part 2 2.6).

Checks structure and form only: what the values mean is judged elsewhere.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from eessi_sim.as4 import vocabulary
from eessi_sim.as4.ebms_errors import EbmsErrorCode, EbmsFault
from eessi_sim.as4.header_structure import MANY, ContentModel, Slot, invalid, read_attribute, read_leaf
from eessi_sim.as4.mime import content_id_of
from eessi_sim.as4.model import (
    Agreement,
    CollaborationInfo,
    EbmsError,
    ErrorSignal,
    MessageInfo,
    MessageProperty,
    MessageUnit,
    PartInfo,
    Party,
    PullRequest,
    Receipt,
    RoutingInput,
    Severity,
    UserMessage,
)
from eessi_sim.errors import IdentifierError, SignatureError
from eessi_sim.identifiers import MessageId
from eessi_sim.security.xmldsig import Reference, parse_reference
from eessi_sim.xmlsafe import Element, path_of, text_of

_TIME: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})?"
)
_MAX_ID: Final = 255
_MAX_ERRORS: Final = 100
_KINDS: Final = ("PullRequest", "Receipt", "Error")
_PULL: Final = f"{{{vocabulary.EB}}}PullRequest"
_RECEIPT: Final = f"{{{vocabulary.EB}}}Receipt"
_OWN: Final = (f"{{{vocabulary.EB}}}", f"{{{vocabulary.EBBP}}}")
"""How the tags begin of what a receipt may say in ebMS and AS4."""
_MAX_BUNDLED: Final = 17
"""A pull request with sixteen receipts; AS4 speaks of one (our limit, inferred)."""
_CHARACTER_SETS: Final = frozenset({"UTF-8", "UTF-16", "UTF-16LE", "UTF-16BE", "US-ASCII", "ISO-8859-1"})

_MESSAGING: Final = ContentModel(Slot("SignalMessage", 0, MANY), Slot("UserMessage", 0, MANY), is_open=True)
_AFTER_INFO: Final = (
    Slot("PartyInfo"),
    Slot("CollaborationInfo"),
    Slot("MessageProperties", 0),
    Slot("PayloadInfo", 0),
)
_USER_MESSAGE: Final = ContentModel(Slot("MessageInfo"), *_AFTER_INFO)
_ROUTED_MESSAGE: Final = ContentModel(Slot("MessageInfo", 0), *_AFTER_INFO)
"""Of a routing header, where everything but parties and collaboration is optional (schema of ebMS3 part 2)."""
_SIGNAL: Final = ContentModel(
    Slot("MessageInfo"),
    Slot("PullRequest", 0),
    Slot("Receipt", 0),
    Slot("Error", 0, _MAX_ERRORS),
    is_open=True,
)
_INFO: Final = ContentModel(Slot("Timestamp"), Slot("MessageId"), Slot("RefToMessageId", 0))
_PARTIES: Final = ContentModel(Slot("From"), Slot("To"))
_PARTY: Final = ContentModel(Slot("PartyId", 1, 1, EbmsErrorCode.VALUE_INCONSISTENT), Slot("Role"))
_COLLABORATION: Final = ContentModel(
    Slot("AgreementRef", 0), Slot("Service"), Slot("Action"), Slot("ConversationId")
)
_PROPERTIES: Final = ContentModel(Slot("Property", 1, MANY))
_PAYLOAD: Final = ContentModel(Slot("PartInfo", 1, MANY))
# The schema also knows Schema and Description; nobody in EESSI sends them (observed).
_PART: Final = ContentModel(Slot("Schema", 0, MANY), Slot("Description", 0, MANY), Slot("PartProperties", 0))
_ERROR: Final = ContentModel(Slot("Description", 0), Slot("ErrorDetail", 0))


def read_messaging(messaging: Element, *, lenient: bool = False) -> MessageUnit:
    """Read the one message unit of ``eb:Messaging``.

    Args:
        messaging: the element.
        lenient: accept a pull request with a RefToMessageId, as one product sends it (observed).

    Raises:
        EbmsFault: 0009 for structure, 0003 for several units, 0008 and 0011 for payloads elsewhere.
    """
    signals, messages = _MESSAGING.read(messaging)
    number = len(signals) + len(messages)
    if number == 0:
        raise invalid(f"Expected a message unit in {path_of(messaging)}, found none")
    if number > 1 and not messages:
        bundle = _bundle(signals, lenient=lenient)
        if bundle is not None:
            return bundle
    if number > 1:
        raise EbmsFault(
            EbmsErrorCode.VALUE_INCONSISTENT,
            f"Expected one message unit in {path_of(messaging)}, found {number}",
            hint="Send each unit as a message of its own; only receipts may travel with a PullRequest.",
        )
    if messages:
        return _user_message(messages[0])
    return _signal(signals[0], lenient=lenient)


def _bundle(signals: Sequence[Element], *, lenient: bool) -> PullRequest | None:
    """Read a pull request that brings receipts along, None when the signals are anything else (AS4 5.1.2)."""
    pulls = [signal for signal in signals if signal.find(_PULL) is not None]
    receipts = [signal for signal in signals if signal.find(_RECEIPT) is not None]
    if len(pulls) != 1 or len(receipts) != len(signals) - 1 or len(signals) > _MAX_BUNDLED:
        return None
    units = [_signal(signal, lenient=lenient) for signal in (*pulls, *receipts)]
    pull, along = units[0], tuple(unit for unit in units[1:] if isinstance(unit, Receipt))
    assert isinstance(pull, PullRequest), "a signal has one kind of content"
    if len({unit.info.message_id for unit in units}) < len(units):
        raise invalid("Expected an id of its own for each signal of the bundle, found one twice")
    return replace(pull, receipts=along)


def read_routing(routing_input: Element) -> RoutingInput:
    """Read the routing header of a signal; copies of further headers in it do not matter (observed).

    Raises:
        EbmsFault: 0009 for structure.
    """
    message = routing_input.find(f"{{{vocabulary.EBINT}}}UserMessage")
    if message is None or len(routing_input) != 1:
        raise invalid(f"Expected one UserMessage in {path_of(routing_input)}, found none or several children")
    _, (parties,), (collaboration,), _, _ = _ROUTED_MESSAGE.read(message)
    sender, receiver = _parties(parties)
    return RoutingInput(
        sender,
        receiver,
        _collaboration(collaboration),
        message.get("mpc") or vocabulary.DEFAULT_MPC,
    )


def _user_message(element: Element) -> UserMessage:
    (info,), (parties,), (collaboration,), properties, payload = _USER_MESSAGE.read(element)
    sender, receiver = _parties(parties)
    return UserMessage(
        info=_info(info),
        sender=sender,
        receiver=receiver,
        collaboration=_collaboration(collaboration),
        properties=_properties(properties),
        parts=_parts(payload),
        mpc=element.get("mpc") or None,
    )


def _info(element: Element) -> MessageInfo:
    (time,), (identity,), refs = _INFO.read(element)
    message_id = _message_id(identity)
    ref = _message_id(refs[0]) if refs else None
    if ref == message_id:
        raise invalid(f'Expected RefToMessageId of another message, found its own "{message_id}"')
    return MessageInfo(message_id, _time(time), ref)


def _message_id(element: Element) -> MessageId:
    text = read_leaf(element)
    try:
        if len(text) <= _MAX_ID:
            return MessageId(text)
        reason: Exception | None = None
    except IdentifierError as error:
        reason = error
    raise invalid(
        f"Expected local@domain without angle brackets at {path_of(element)}, found {text[:80]!r}"
    ) from reason


def _time(element: Element) -> datetime:
    text = read_leaf(element)
    try:
        if _TIME.fullmatch(text):
            time = datetime.fromisoformat(text)
            return (time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone(UTC)
        reason: Exception | None = None
    except (ValueError, OverflowError) as error:
        reason = error
    raise invalid(
        f"Expected a time like 2026-03-02T08:15:01.000Z at {path_of(element)}, found {text[:40]!r}"
    ) from reason


def _parties(element: Element) -> tuple[Party, Party]:
    (sender,), (receiver,) = _PARTIES.read(element)
    return _party(sender), _party(receiver)


def _party(element: Element) -> Party:
    (identity,), (role,) = _PARTY.read(element)
    return Party(read_leaf(identity), identity.get("type"), read_leaf(role))


def _collaboration(element: Element) -> CollaborationInfo:
    agreements, (service,), (action,), (conversation,) = _COLLABORATION.read(element)
    return CollaborationInfo(
        conversation_id=read_leaf(conversation),
        service=read_leaf(service),
        service_type=service.get("type"),
        action=read_leaf(action),
        agreement=_agreement(agreements[0]) if agreements else None,
    )


def _agreement(element: Element) -> Agreement:
    return Agreement(read_leaf(element), element.get("type"), element.get("pmode"))


def _properties(wrappers: Sequence[Element]) -> tuple[MessageProperty, ...]:
    if not wrappers:
        return ()
    (entries,) = _PROPERTIES.read(wrappers[0])
    return tuple(
        MessageProperty(read_attribute(entry, "name"), read_leaf(entry), entry.get("type"))
        for entry in entries
    )


def _parts(wrappers: Sequence[Element]) -> tuple[PartInfo, ...]:
    if not wrappers:
        return ()
    (elements,) = _PAYLOAD.read(wrappers[0])
    parts = tuple(map(_part, elements))
    ids = {part.content_id for part in parts}
    if len(ids) < len(parts):
        raise invalid(f"Expected each part once in {path_of(wrappers[0])}, found the same href twice")
    return parts


def _part(element: Element) -> PartInfo:
    reference = element.get("href", "")
    if not reference or reference.startswith("#"):
        raise EbmsFault(
            EbmsErrorCode.FEATURE_NOT_SUPPORTED,
            f'Expected the href of a MIME part at {path_of(element)}, found "{reference[:80]}"',
            hint="Send the document as MIME part, with an empty SOAP Body.",
        )
    if not reference.startswith("cid:"):
        raise EbmsFault(
            EbmsErrorCode.EXTERNAL_PAYLOAD_ERROR,
            f'Expected a cid: reference at {path_of(element)}, found "{reference[:80]}"',
            hint="Payloads are never fetched; send them along.",
        )
    _, _, properties = _PART.read(element)
    part = PartInfo(content_id_of(reference), _properties(properties))
    _check_properties(part, element)
    return part


def _check_properties(part: PartInfo, element: Element) -> None:
    """Check what AS4 3.1 says about compressed parts, before anybody decompresses."""
    compression = part.find_property(vocabulary.COMPRESSION_TYPE)
    if compression not in (None, vocabulary.GZIP_MEDIA_TYPE):
        raise _inconsistent(element, "CompressionType", vocabulary.GZIP_MEDIA_TYPE, compression)
    if compression and not part.find_property(vocabulary.MIME_TYPE):
        raise EbmsFault(
            EbmsErrorCode.DECOMPRESSION_FAILURE,
            f"Expected the property MimeType beside CompressionType at {path_of(element)}, found none",
            hint="Say which type the content had before compression.",
        )
    character_set = part.find_property(vocabulary.CHARACTER_SET)
    if character_set is not None and character_set.upper() not in _CHARACTER_SETS:
        raise _inconsistent(element, "CharacterSet", "UTF-8", character_set)


def _inconsistent(element: Element, name: str, expected: str, found: str | None) -> EbmsFault:
    return EbmsFault(
        EbmsErrorCode.VALUE_INCONSISTENT,
        f'Expected {name} "{expected}" at {path_of(element)}, found {str(found)[:80]!r}',
    )


def _signal(element: Element, *, lenient: bool) -> Receipt | ErrorSignal | PullRequest:
    (identity,), pulls, receipts, errors = _SIGNAL.read(element)
    info = _info(identity)
    kinds = [name for name, found in zip(_KINDS, (pulls, receipts, errors), strict=True) if found]
    if len(kinds) != 1:
        raise invalid(
            f"Expected a PullRequest, a Receipt or Errors in {path_of(element)}, found {kinds or 'none'}"
        )
    if pulls:
        return _pull_request(info, pulls[0], lenient=lenient)
    if receipts:
        return _receipt(info, receipts[0])
    return ErrorSignal(info, tuple(map(_error, errors)))


def _pull_request(info: MessageInfo, element: Element, *, lenient: bool) -> PullRequest:
    if info.ref_to_message_id is not None and not lenient:
        raise invalid(f"Expected no RefToMessageId in {path_of(element)}, since it answers nothing")
    plain = MessageInfo(info.message_id, info.timestamp)
    return PullRequest(plain, element.get("mpc") or vocabulary.DEFAULT_MPC)


def _receipt(info: MessageInfo, element: Element) -> Receipt:
    if info.ref_to_message_id is None:
        raise invalid(f"Expected RefToMessageId with {path_of(element)}, found none")
    content = _proof(element)
    if content.tag == f"{{{vocabulary.EB}}}UserMessage":
        return Receipt(info, copied=_user_message(content))
    if content.tag != f"{{{vocabulary.EBBP}}}NonRepudiationInformation" or not len(content):
        raise invalid(f"Expected NonRepudiationInformation at {path_of(content)}, found {content.tag}")
    return Receipt(info, tuple(map(_receipt_reference, content)))


def _proof(element: Element) -> Element:
    """Return what a receipt says; the schema lets others add elements of their own, as phase4 does (observed)."""
    known = [child for child in element if child.tag.startswith(_OWN) or not child.tag.startswith("{")]
    if len(known) != 1:
        raise invalid(
            f"Expected NonRepudiationInformation or a UserMessage in {path_of(element)}, "
            f"found {', '.join(child.tag for child in element) or 'nothing'}"
        )
    return known[0]


def _receipt_reference(part: Element) -> Reference:
    if part.tag != f"{{{vocabulary.EBBP}}}MessagePartNRInformation" or len(part) != 1:
        raise invalid(f"Expected MessagePartNRInformation with one ds:Reference at {path_of(part)}")
    try:
        return parse_reference(part[0])
    except SignatureError as error:
        raise EbmsFault(EbmsErrorCode.INVALID_RECEIPT, error.message, hint=error.hint) from error


def _error(element: Element) -> EbmsError:
    severity = read_attribute(element, "severity").lower()
    if severity not in set(Severity):
        raise invalid(f'Expected severity "failure" or "warning" at {path_of(element)}, found {severity!r}')
    descriptions, details = _ERROR.read(element)
    return EbmsError(
        code=read_attribute(element, "errorCode"),
        severity=Severity(severity),
        short_description=element.get("shortDescription"),
        description=text_of(descriptions[0]) or None if descriptions else None,
        detail="".join(map(str, details[0].itertext())).strip() or None if details else None,
        ref=element.get("refToMessageInError"),
        category=element.get("category"),
        origin=element.get("origin"),
    )
