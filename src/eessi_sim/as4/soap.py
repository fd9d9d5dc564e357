"""Takes a SOAP 1.2 envelope with an ebMS3 header apart. Writing one is the work of ``soap_writer``.

Checks structure only; nothing is verified here, so nothing read here may be trusted before ``wss`` agreed.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from eessi_sim.as4 import vocabulary
from eessi_sim.as4.ebms_errors import EbmsErrorCode, EbmsFault, NotAs4
from eessi_sim.as4.header_structure import invalid
from eessi_sim.as4.limits import DEFAULT_LIMITS, As4Limits
from eessi_sim.as4.message_units import read_messaging, read_routing
from eessi_sim.as4.model import ErrorSignal, MessageUnit, PullRequest, RoutingInput, UserMessage
from eessi_sim.identifiers import MessageId
from eessi_sim.security.xmldsig import repeated_ids
from eessi_sim.xmlsafe import Element, XmlLimits, namespace, parse, path_of, text_of

_S12: Final = f"{{{vocabulary.S12}}}"
_ROLE: Final = _S12 + "role"
_MUST_UNDERSTAND: Final = _S12 + "mustUnderstand"
_MESSAGING: Final = f"{{{vocabulary.EB}}}Messaging"
_SECURITY: Final = f"{{{vocabulary.WSSE}}}Security"
_ROUTING_INPUT: Final = f"{{{vocabulary.EBINT}}}RoutingInput"
_TO: Final = f"{{{vocabulary.WSA}}}To"
_MESSAGE_ID: Final = f"{{{vocabulary.EB}}}MessageInfo/{{{vocabulary.EB}}}MessageId"
_FINAL_ROLES: Final = frozenset({"", vocabulary.ULTIMATE_RECEIVER, vocabulary.NEXT})
_OUR_ROLES: Final = _FINAL_ROLES | {vocabulary.NEXT_MSH}
SIGNED_IDS: Final = (f"{{{vocabulary.WSU}}}Id", "Id", "id")
"""Attributes by which a signature names a header block, the Body or the token (ebMS3 core 5.2, observed)."""
_MOST_IN_SECURITY: Final = 64
"""Tokens, keys and signatures; a message needs one of each (our limit, inferred)."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """An envelope and the elements of it that are processed; each exists once."""

    header: Element = field(repr=False)
    messaging: Element = field(repr=False)
    body: Element = field(repr=False)
    security: Element | None = field(repr=False)
    """The ``wsse:Security`` header that is meant for us."""
    unit: MessageUnit
    routing: RoutingInput | None
    """Content of ``ebint:RoutingInput``; it is never signed."""
    is_multihop: bool
    """Whether intermediaries may forward the message (ebMS3 part 2, 2.4)."""


def read_envelope(octets: bytes, limits: As4Limits = DEFAULT_LIMITS, *, lenient: bool = False) -> Envelope:
    """Read a SOAP envelope.

    Args:
        octets: the SOAP part.
        limits: how large it may be.
        lenient: as for ``read_messaging``.

    Raises:
        XmlError: not XML that we are willing to read.
        NotAs4: not SOAP 1.2.
        EbmsFault: mostly 0009; knows the message id when it can be read.
    """
    root = parse(octets, XmlLimits(max_bytes=limits.envelope_bytes))
    header, body = _header_and_body(root)
    messaging = _only(header, _MESSAGING)
    if messaging is None:
        raise NotAs4(EbmsErrorCode.INVALID_HEADER, "Expected eb:Messaging in the SOAP header, found none")
    try:
        _check_ids(root)
        return _envelope(header, messaging, body, lenient=lenient)
    except EbmsFault as fault:
        fault.about(_message_id(messaging))
        raise


def _header_and_body(root: Element) -> tuple[Element, Element]:
    names = [child.tag for child in root]
    if root.tag != _S12 + "Envelope" or names != [_S12 + "Header", _S12 + "Body"]:
        raise NotAs4(
            EbmsErrorCode.INVALID_HEADER,
            f"Expected a SOAP 1.2 Envelope with one Header and one Body, found {root.tag}",
            hint="SOAP 1.1 has another namespace and is not part of AS4.",
        )
    return root[0], root[1]


def _envelope(header: Element, messaging: Element, body: Element, *, lenient: bool) -> Envelope:
    _check_understood(header)
    routing = _only(header, _ROUTING_INPUT)
    envelope = Envelope(
        header=header,
        messaging=messaging,
        body=body,
        security=_security(header),
        unit=read_messaging(messaging, lenient=lenient),
        routing=None if routing is None else read_routing(routing),
        is_multihop=messaging.get(_ROLE) == vocabulary.NEXT_MSH
        or text_of(_only(header, _TO)) == vocabulary.ICLOUD,
    )
    _check_body(envelope)
    _check_routing(envelope)
    return envelope


def _check_ids(root: Element) -> None:
    """Refuse an id that names two elements; ``id`` is one only where a signature may look for it."""
    header, body = root
    places = [found for block in (*header, body) for name in SIGNED_IDS if (found := block.get(name))]
    repeated = list(repeated_ids(root))
    if len(set(places)) < len(places):
        repeated += (value for value, times in Counter(places).items() if times > 1)
    if repeated:
        raise invalid(f"Expected each id once in the envelope, found {repeated[0][:80]!r} twice")


def _only(header: Element, tag: str) -> Element | None:
    found = [block for block in header if block.tag == tag]
    if len(found) > 1:
        raise invalid(f"Expected at most one {tag} in the SOAP header, found {len(found)}")
    return found[0] if found else None


def _security(header: Element) -> Element | None:
    """Return the Security header for us; one with a foreign role counts as absent (SOAP 1.2 2.2)."""
    ours = [block for block in header if block.tag == _SECURITY and block.get(_ROLE, "") in _FINAL_ROLES]
    if len(ours) > 1:
        raise invalid(f"Expected one Security header for us, found {len(ours)}")
    if ours and len(ours[0]) > _MOST_IN_SECURITY:
        raise invalid(
            f"Expected at most {_MOST_IN_SECURITY} elements in the Security header, found {len(ours[0])}"
        )
    return ours[0] if ours else None


def _check_understood(header: Element) -> None:
    """Refuse a header that must be understood and is not (SOAP 1.2 2.4)."""
    for block in header:
        is_known = block.tag in (_MESSAGING, _SECURITY, _ROUTING_INPUT) or namespace(block) == vocabulary.WSA
        is_ours = block.get(_ROLE, "") in _OUR_ROLES
        if not is_known and is_ours and block.get(_MUST_UNDERSTAND) in ("true", "1"):
            raise invalid(f"Expected only headers of AS4 with mustUnderstand, found {block.tag}")


def _check_body(envelope: Envelope) -> None:
    """Refuse content in the Body: payloads are MIME parts; only an error may bring a SOAP Fault along."""
    body = envelope.body
    is_fault = isinstance(envelope.unit, ErrorSignal) and [child.tag for child in body] == [_S12 + "Fault"]
    if text_of(body) or (len(body) and not is_fault):
        raise EbmsFault(
            EbmsErrorCode.FEATURE_NOT_SUPPORTED,
            f"Expected an empty SOAP Body, found content at {path_of(body)}",
            hint="Send the document as MIME part.",
        )


def _check_routing(envelope: Envelope) -> None:
    unit, routing = envelope.unit, envelope.routing
    if isinstance(unit, PullRequest) and (routing or envelope.is_multihop):
        raise invalid("Expected a PullRequest without multi-hop headers, found some")
    if isinstance(unit, UserMessage) and routing not in (None, RoutingInput.of(unit)):
        # Stricter than ebMS3 part 2, where the routing header wins: it is not signed (our choice, inferred).
        raise EbmsFault(
            EbmsErrorCode.VALUE_INCONSISTENT,
            "Expected a RoutingInput equal to the user message, found another",
        )


def _message_id(messaging: Element) -> MessageId | None:
    texts = (text_of(unit.find(_MESSAGE_ID)) for unit in messaging)
    return next((MessageId(text) for text in texts if MessageId.pattern.fullmatch(text)), None)
