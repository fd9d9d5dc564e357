"""Takes a SOAP 1.2 envelope with an ebMS3 header apart. Writing one is the work of ``soap_writer``.

Checks structure only; nothing is verified here, so nothing read here may be trusted before ``wss`` agreed.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from eessi_sim.as4 import vocabulary
from eessi_sim.as4.ebms_errors import EbmsErrorCode, EbmsFault, NotAs4
from eessi_sim.as4.header_structure import invalid
from eessi_sim.as4.limits import DEFAULT_LIMITS, As4Limits
from eessi_sim.as4.message_units import read_messaging, read_routing
from eessi_sim.as4.model import ErrorSignal, MessageUnit, PullRequest, RoutingInput, UserMessage
from eessi_sim.identifiers import MessageId
from eessi_sim.security.xmldsig import repeated_ids
from eessi_sim.xmlsafe import Element, XmlLimits, parse, path_of, text_of

_S12: Final = f"{{{vocabulary.S12}}}"
_ROLE: Final = _S12 + "role"
_MUST_UNDERSTAND: Final = _S12 + "mustUnderstand"
_MESSAGING: Final = f"{{{vocabulary.EB}}}Messaging"
_SECURITY: Final = f"{{{vocabulary.WSSE}}}Security"
_ROUTING_INPUT: Final = f"{{{vocabulary.EBINT}}}RoutingInput"
_KNOWN: Final = frozenset({_MESSAGING, _SECURITY, _ROUTING_INPUT})
_ADDRESSING: Final = f"{{{vocabulary.WSA}}}"
_IN_ENVELOPE: Final = [_S12 + "Header", _S12 + "Body"]
_TO: Final = f"{{{vocabulary.WSA}}}To"
_MESSAGE_ID: Final = f"{{{vocabulary.EB}}}MessageInfo/{{{vocabulary.EB}}}MessageId"
_FINAL_ROLES: Final = frozenset({"", vocabulary.ULTIMATE_RECEIVER, vocabulary.NEXT})
_OUR_ROLES: Final = _FINAL_ROLES | {vocabulary.NEXT_MSH}
_SIGNED_IDS: Final = (f"{{{vocabulary.WSU}}}Id", "Id", "id")
"""Attributes by which a signature names a header block, the Body or the token (ebMS3 core 5.2, observed)."""
TOKEN: Final = f"{{{vocabulary.WSSE}}}BinarySecurityToken"
_MOST_IN_SECURITY: Final = 64
"""Tokens, keys and signatures; a message needs one of each (our limit, inferred)."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """An envelope and the elements of it that are processed; each exists once."""

    header: Element = field(repr=False)
    places: Mapping[str, Element] = field(repr=False)
    """What may be signed of the envelope, by the ids that a signature may use."""
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
    blocks = _Blocks(header, tuple(header), tuple(block.tag for block in header), body)
    messaging = blocks.only(_MESSAGING)
    if messaging is None:
        raise NotAs4(EbmsErrorCode.INVALID_HEADER, "Expected eb:Messaging in the SOAP header, found none")
    try:
        _check_ids(root, blocks)
        return _envelope(blocks, messaging, lenient=lenient)
    except EbmsFault as fault:
        fault.about(_message_id(messaging))
        raise


class _Blocks(NamedTuple):
    """What stands in an envelope: asked of the tree once, since each question to it costs."""

    header: Element
    all: tuple[Element, ...]
    """Blocks of the header in their order."""
    tags: tuple[str, ...]
    body: Element

    def only(self, tag: str) -> Element | None:
        """Return the block with this tag, None without one."""
        number = self.tags.count(tag)
        if number > 1:
            raise invalid(f"Expected at most one {tag} in the SOAP header, found {number}")
        return self.all[self.tags.index(tag)] if number else None


def _header_and_body(root: Element) -> tuple[Element, Element]:
    children = list(root)
    if root.tag != _S12 + "Envelope" or [child.tag for child in children] != _IN_ENVELOPE:
        raise NotAs4(
            EbmsErrorCode.INVALID_HEADER,
            f"Expected a SOAP 1.2 Envelope with one Header and one Body, found {root.tag}",
            hint="SOAP 1.1 has another namespace and is not part of AS4.",
        )
    return children[0], children[1]


def _envelope(blocks: _Blocks, messaging: Element, *, lenient: bool) -> Envelope:
    _check_understood(blocks)
    routing, security = blocks.only(_ROUTING_INPUT), _security(blocks)
    envelope = Envelope(
        header=blocks.header,
        places=_places(blocks, security),
        messaging=messaging,
        body=blocks.body,
        security=security,
        unit=read_messaging(messaging, lenient=lenient),
        routing=None if routing is None else read_routing(routing),
        is_multihop=messaging.get(_ROLE) == vocabulary.NEXT_MSH
        or text_of(blocks.only(_TO)) == vocabulary.ICLOUD,
    )
    _check_body(envelope)
    _check_routing(envelope)
    return envelope


def _check_ids(root: Element, blocks: _Blocks) -> None:
    """Refuse an id that names two elements; ``id`` is one only where a signature may look for it."""
    places = _ids(*blocks.all, blocks.body)
    repeated = list(repeated_ids(root))
    if len({identity for identity, _ in places}) < len(places):
        repeated += (value for value, times in Counter(value for value, _ in places).items() if times > 1)
    if repeated:
        raise invalid(f"Expected each id once in the envelope, found {repeated[0][:80]!r} twice")


def _ids(*elements: Element) -> list[tuple[str, Element]]:
    return [
        (identity, element) for element in elements for name in _SIGNED_IDS if (identity := element.get(name))
    ]


def _places(blocks: _Blocks, security: Element | None) -> dict[str, Element]:
    """Return the elements that may be signed: Messaging, Body, other header blocks, the token.

    Products sign routing headers or the token in addition; that does no harm (AS4 4.4, observed).
    """
    tokens = [] if security is None else [token for token in security if token.tag == TOKEN]
    body = blocks.body
    others = [block for block in blocks.all if block is not security and block.tag != body.tag]
    return dict(_ids(*tokens, *others, body))


def _security(blocks: _Blocks) -> Element | None:
    """Return the Security header for us; one with a foreign role counts as absent (SOAP 1.2 2.2)."""
    ours = [
        block
        for block, tag in zip(blocks.all, blocks.tags, strict=True)
        if tag == _SECURITY and block.get(_ROLE, "") in _FINAL_ROLES
    ]
    if len(ours) > 1:
        raise invalid(f"Expected one Security header for us, found {len(ours)}")
    if ours and len(ours[0]) > _MOST_IN_SECURITY:
        raise invalid(
            f"Expected at most {_MOST_IN_SECURITY} elements in the Security header, found {len(ours[0])}"
        )
    return ours[0] if ours else None


def _check_understood(blocks: _Blocks) -> None:
    """Refuse a header that must be understood and is not (SOAP 1.2 2.4)."""
    for block, tag in zip(blocks.all, blocks.tags, strict=True):
        if tag in _KNOWN or tag.startswith(_ADDRESSING):
            continue
        if block.get(_ROLE, "") in _OUR_ROLES and block.get(_MUST_UNDERSTAND) in ("true", "1"):
            raise invalid(f"Expected only headers of AS4 with mustUnderstand, found {tag}")


def _check_body(envelope: Envelope) -> None:
    """Refuse content in the Body: payloads are MIME parts; only an error may bring a SOAP Fault along."""
    body = envelope.body
    if not len(body) and not body.text:  # nearly always
        return
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
