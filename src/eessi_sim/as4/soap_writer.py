"""Writes message units as SOAP 1.2 text. Reading them back is the work of ``soap``.

What is signed, ``eb:Messaging`` and ``S12:Body``, comes out in exclusive canonical form (W3C xml-exc-c14n
1.0): namespace declarations where they are first used, attributes in canonical order, no empty-element tags,
no white space between elements. So the text is what to digest and needs no second canonicalisation.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Final

from eessi_sim.as4 import vocabulary
from eessi_sim.as4.ebms_errors import EbmsErrorCode, EbmsFault
from eessi_sim.as4.mime import href
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
    UserMessage,
)
from eessi_sim.clock import iso
from eessi_sim.security.xmldsig import render_reference
from eessi_sim.xmlsafe import escape_attribute, escape_text

_ILLEGAL: Final = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 cannot carry in any spelling (XML 1.0 section 2.2)."""
_XMLNS_S12: Final = f' xmlns:S12="{vocabulary.S12}"'
_XMLNS_EB: Final = f' xmlns:eb="{vocabulary.EB}"'
_XMLNS_WSU: Final = f' xmlns:wsu="{vocabulary.WSU}"'
_XMLNS_WSA: Final = f' xmlns:wsa="{vocabulary.WSA}"'
_NEXT_MSH: Final = f' S12:role="{vocabulary.NEXT_MSH}"'


def write_messaging(unit: MessageUnit, wsu_id: str | None, *, has_role: bool) -> str:
    """Write ``eb:Messaging`` in exclusive canonical form.

    Args:
        unit: the one message unit.
        wsu_id: id that the signature refers to; None for an unsigned message.
        has_role: whether intermediaries may act on it (ebMS3 part 2, 2.6).

    Raises:
        EbmsFault: 0009 when a value is empty or cannot be written in XML.
    """
    xmlns, identity = (_XMLNS_WSU, f' wsu:Id="{wsu_id}"') if wsu_id else ("", "")
    role = _NEXT_MSH if has_role else ""
    return _checked(
        f'<eb:Messaging{_XMLNS_S12}{_XMLNS_EB}{xmlns}{identity} S12:mustUnderstand="true"{role}>'
        f"{_unit(unit)}</eb:Messaging>"
    )


def write_body(wsu_id: str | None, fault: str | None = None) -> str:
    """Write ``S12:Body`` in exclusive canonical form.

    Args:
        wsu_id: id that the signature refers to; None for an unsigned message.
        fault: reason of a SOAP Fault along with an ebMS error (ebMS3 core 6.6); None leaves it empty.

    Raises:
        EbmsFault: 0009 when the reason cannot be written in XML.
    """
    xmlns, identity = (_XMLNS_WSU, f' wsu:Id="{wsu_id}"') if wsu_id else ("", "")
    content = "" if fault is None else _fault(fault)
    return _checked(f"<S12:Body{_XMLNS_S12}{xmlns}{identity}>{content}</S12:Body>")


def _checked(text: str) -> str:
    if text.isascii() and text.isprintable():  # nearly always, and ten times faster
        return text
    illegal = _ILLEGAL.search(text)
    if illegal:
        raise _invalid(f"Expected characters that XML can carry, found U+{ord(illegal.group()):04X}")
    return text


def _fault(reason: str) -> str:
    return (
        "<S12:Fault><S12:Code><S12:Value>S12:Sender</S12:Value></S12:Code>"
        f'<S12:Reason><S12:Text xml:lang="en">{escape_text(reason)}</S12:Text></S12:Reason></S12:Fault>'
    )


def write_routing(action: str, routing: RoutingInput) -> str:
    """Write the header blocks that bring a signal through the intermediaries (AS4 4.4).

    Args:
        action: ``oneWay.receipt`` or ``oneWay.error`` in full.
        routing: parties as the intermediaries shall read them, the receiver of the signal in ``To``.
    """
    return (
        f'<wsa:To{_XMLNS_WSA}{_NEXT_MSH} S12:mustUnderstand="true">{vocabulary.ICLOUD}</wsa:To>'
        f"<wsa:Action{_XMLNS_WSA}>{action}</wsa:Action>"
        f'<ebint:RoutingInput xmlns:ebint="{vocabulary.EBINT}"{_XMLNS_WSA}{_XMLNS_EB}{_NEXT_MSH}'
        f' S12:mustUnderstand="false" wsa:IsReferenceParameter="true">'
        f"<ebint:UserMessage{_attributes(mpc=routing.mpc)}>"
        f"{_parties(routing.sender, routing.receiver)}{_collaboration(routing.collaboration)}"
        "</ebint:UserMessage></ebint:RoutingInput>"
    )


def write_security(content: str) -> str:
    """Write the Security header with these elements."""
    return (
        f'<wsse:Security xmlns:wsse="{vocabulary.WSSE}" S12:mustUnderstand="true">{content}</wsse:Security>'
    )


def write_envelope(blocks: Sequence[str], body: str) -> bytes:
    """Join header blocks and body to a SOAP envelope without touching their text."""
    header = "".join(blocks)
    return (f"<S12:Envelope{_XMLNS_S12}><S12:Header>{header}</S12:Header>{body}</S12:Envelope>").encode()


def _unit(unit: MessageUnit) -> str:
    if isinstance(unit, UserMessage):
        return _user_message(unit)
    along = unit.receipts if isinstance(unit, PullRequest) else ()
    return "".join(map(_signal, (unit, *along)))


def _signal(unit: Receipt | ErrorSignal | PullRequest) -> str:
    return f"<eb:SignalMessage>{_info(unit.info)}{_signal_content(unit)}</eb:SignalMessage>"


def _signal_content(unit: Receipt | ErrorSignal | PullRequest) -> str:
    if isinstance(unit, PullRequest):
        return f"<eb:PullRequest{_attributes(mpc=unit.mpc)}></eb:PullRequest>"
    if isinstance(unit, ErrorSignal):
        return "".join(map(_error, unit.errors))
    return f"<eb:Receipt>{_receipt_content(unit)}</eb:Receipt>"


def _user_message(message: UserMessage) -> str:
    properties = _wrapped("MessageProperties", map(_property, message.properties))
    return (
        f"<eb:UserMessage{_attributes(mpc=message.mpc)}>{_info(message.info)}"
        f"{_parties(message.sender, message.receiver)}{_collaboration(message.collaboration)}"
        f"{properties}{_wrapped('PayloadInfo', map(_part, message.parts))}</eb:UserMessage>"
    )


def _part(part: PartInfo) -> str:
    properties = _wrapped("PartProperties", map(_property, part.properties))
    return f'<eb:PartInfo href="{escape_attribute(href(part.content_id))}">{properties}</eb:PartInfo>'


def _info(info: MessageInfo) -> str:
    ref = "" if info.ref_to_message_id is None else _leaf("RefToMessageId", info.ref_to_message_id)
    return (
        f"<eb:MessageInfo><eb:Timestamp>{iso(info.timestamp)}</eb:Timestamp>"
        f"{_leaf('MessageId', info.message_id)}{ref}</eb:MessageInfo>"
    )


@lru_cache(maxsize=512)  # the same two exchange many messages
def _parties(sender: Party, receiver: Party) -> str:
    return (
        f"<eb:PartyInfo><eb:From>{_party(sender)}</eb:From><eb:To>{_party(receiver)}</eb:To></eb:PartyInfo>"
    )


def _party(party: Party) -> str:
    return _leaf("PartyId", party.id, type=party.type) + _leaf("Role", party.role)


def _collaboration(work: CollaborationInfo) -> str:
    purpose = _purpose(work.agreement, work.service, work.service_type, work.action)
    return (
        f"<eb:CollaborationInfo>{purpose}{_leaf('ConversationId', work.conversation_id)}"
        "</eb:CollaborationInfo>"
    )


@lru_cache(maxsize=64)
def _purpose(agreement: Agreement | None, service: str, service_type: str | None, action: str) -> str:
    named = ""
    if agreement is not None:
        named = _leaf("AgreementRef", agreement.value, pmode=agreement.pmode, type=agreement.type)
    return named + _leaf("Service", service, type=service_type) + _leaf("Action", action)


def _property(entry: MessageProperty) -> str:
    kind = "" if entry.type is None else f' type="{escape_attribute(entry.type)}"'
    if not entry.value.strip():
        raise _invalid("Expected a value for Property, found none")
    return (
        f'<eb:Property name="{escape_attribute(entry.name)}"{kind}>{escape_text(entry.value)}</eb:Property>'
    )


def _receipt_content(receipt: Receipt) -> str:
    if receipt.copied is not None:
        return _user_message(receipt.copied)
    # Ids of the original stay behind: here they could meet an equal id of the receipt's own signature.
    parts = (
        "<ebbp:MessagePartNRInformation>"
        f"{render_reference(replace(reference, id=None), declare=True)}</ebbp:MessagePartNRInformation>"
        for reference in receipt.references
    )
    return (
        f'<ebbp:NonRepudiationInformation xmlns:ebbp="{vocabulary.EBBP}">{"".join(parts)}'
        "</ebbp:NonRepudiationInformation>"
    )


def _error(error: EbmsError) -> str:
    attributes = _attributes(
        category=error.category,
        errorCode=error.code,
        origin=error.origin,
        refToMessageInError=error.ref,
        severity=error.severity,
        shortDescription=error.short_description,
    )
    description = detail = ""
    if error.description:
        text = escape_text(error.description)
        description = f'<eb:Description xml:lang="en">{text}</eb:Description>'
    if error.detail:
        detail = f"<eb:ErrorDetail>{escape_text(error.detail)}</eb:ErrorDetail>"
    return f"<eb:Error{attributes}>{description}{detail}</eb:Error>"


def _leaf(name: str, text: str, /, **attributes: str | None) -> str:
    if not text.strip():
        raise _invalid(f"Expected a value for {name}, found none")
    written = _attributes(**attributes) if attributes else ""
    return f"<eb:{name}{written}>{escape_text(text)}</eb:{name}>"


def _wrapped(name: str, children: Iterable[str]) -> str:
    content = "".join(children)
    return f"<eb:{name}>{content}</eb:{name}>" if content else ""


def _attributes(**values: str | None) -> str:
    """Write the attributes that have a value; callers name them in alphabetical, that is canonical, order."""
    return "".join(
        f' {name}="{escape_attribute(value)}"' for name, value in values.items() if value is not None
    )


def _invalid(message: str) -> EbmsFault:
    return EbmsFault(EbmsErrorCode.INVALID_HEADER, message, hint="Correct the value before sending.")
