"""WS-Security of AS4: sign envelope and attachments, and verify both in the order that leaves no gap.

One Security header, one signature; its references are exactly the processed Messaging, the processed Body
and every part (AS4 5.1.4 to 5.1.6, WSS SwA profile 5.4; documented). The signature itself is the work of
``security.xmldsig``.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from functools import lru_cache
from typing import Final, TypeAlias

from eessi_sim.as4 import vocabulary
from eessi_sim.as4.ebms_errors import EbmsErrorCode, EbmsFault
from eessi_sim.as4.key_references import KeyReference, write_reference
from eessi_sim.as4.limits import DEFAULT_LIMITS
from eessi_sim.as4.mime import content_id_of, href
from eessi_sim.as4.model import Payload
from eessi_sim.as4.refusal import NONCOMPLIANT, UNAUTHENTIC, refusal
from eessi_sim.as4.security_tokens import find_certificates
from eessi_sim.as4.soap import Envelope
from eessi_sim.errors import SignatureError, XmlError
from eessi_sim.security import xmldsig
from eessi_sim.security.keys import Certificate, KeyPair, Purpose
from eessi_sim.security.policy import ANY_PROFILE, DEFAULT, SignaturePolicy, Transform
from eessi_sim.security.result import Indication, ReferenceResult, SubIndication, VerificationResult
from eessi_sim.security.trust import TrustStore, check_signer
from eessi_sim.security.xmldsig import ParsedSignature, Reference
from eessi_sim.stretch import Extent, Stretch
from eessi_sim.xmlsafe import Element, parse, path_of

_DS: Final = f"{{{vocabulary.DS}}}"
_XENC: Final = f"{{{vocabulary.XENC}}}"
_XML_TYPE: Final = re.compile(r"(text|application)/xml|(application|image)/[^/;]+\+xml")
_LINE_END: Final = re.compile(rb"\r\n|\r|\n")
_FORMAT: Final = SubIndication.FORMAT_FAILURE
_CONSTRAINTS: Final = SubIndication.SIG_CONSTRAINTS_FAILURE
_Target: TypeAlias = Element | Payload


@dataclass(frozen=True, slots=True)
class Verified:
    """A message whose signature passed every check."""

    result: VerificationResult
    certificate: Certificate
    """Certificate of the signer."""
    references: tuple[Reference, ...]
    """What was signed, for the receipt."""


@dataclass(frozen=True, slots=True)
class SignedParts:
    """What a signature covers, as the octets that will travel."""

    messaging_id: str
    messaging: bytes
    """``eb:Messaging`` in exclusive canonical form."""
    body_id: str
    body: bytes
    """``S12:Body`` in exclusive canonical form."""
    payloads: Sequence[Payload] = ()


def sign(
    parts: SignedParts, keys: KeyPair, *, token_id: str, reference: KeyReference = KeyReference.TOKEN
) -> tuple[str, tuple[Reference, ...]]:
    """Sign a message.

    Args:
        parts: everything that is signed.
        keys: the ebMS key pair of the sender.
        token_id: id of the BinarySecurityToken.
        reference: how the message names the certificate.

    Returns:
        What belongs into the ``wsse:Security`` header as text, and the references that a receipt must repeat.

    Raises:
        KeyMaterialError: the certificate cannot be named in the wanted way.
    """
    references = (
        Reference.over(parts.messaging, "#" + parts.messaging_id, xmldsig.EXCLUSIVE),
        Reference.over(parts.body, "#" + parts.body_id, xmldsig.EXCLUSIVE),
        *(
            Reference.over(_signed_octets(payload), href(payload.content_id), xmldsig.SWA_CONTENT)
            for payload in parts.payloads
        ),
    )
    info = xmldsig.signed_info(references, keys.signature_algorithm)
    named = write_reference(keys.certificate, reference, token_id)
    signature = xmldsig.render_signature(info, keys.sign(info), named.content)
    return named.token + signature, references


def signed_references(envelope: Envelope, policy: SignaturePolicy = ANY_PROFILE) -> tuple[Reference, ...]:
    """Return what the signature of a message covers, empty when it is not signed; verifies nothing.

    Raises:
        EbmsFault: as ``verify`` for a signature that cannot be read.
    """
    if envelope.security is None:
        return ()
    return _parsed_signature(envelope.security, policy).references


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """What the receiver of a message expects of its signature."""

    candidates: Collection[Certificate] | None
    """Certificates listed for the sender; the signer must be one of them. None skips this check."""
    trust: TrustStore | None
    """Whom to believe; None leaves it to ``candidates``."""
    at: datetime
    """Time of the check."""
    policy: SignaturePolicy = DEFAULT
    purpose: Purpose = Purpose.EBMS
    """What the certificate must be made for."""
    withheld: Collection[str] = ()
    """Content ids of parts that were taken away to hide what they say: their digests are signed and cannot be
    compared. Nothing that receives messages may use this."""


def verify(envelope: Envelope, payloads: Sequence[Payload], expected: Expectation) -> Verified:
    """Verify the signature of a message.

    Args:
        envelope: as read, with the elements that will be processed.
        payloads: all MIME parts.
        expected: whom and what to accept.

    Raises:
        EbmsFault: 0101 when the signature or certificate is wrong, 0103 when it is not what the policy asks
            for, 0009 when there is too much of it; its ``verdict`` is a VerificationResult.
    """
    if envelope.security is None:
        raise refusal(NONCOMPLIANT, _FORMAT, "Expected a Security header for us, found none")
    parsed = _parsed_signature(envelope.security, expected.policy)
    found = find_certificates(parsed.key_info, envelope.security, expected.candidates or ())
    references = _without(parsed.references, expected.withheld)
    targets = _resolve(references, envelope, payloads)
    results = tuple(map(_digested, references, targets))
    _check_digests(results)
    signer = _signer(parsed, found, results)
    verdict = check_signer(
        signer, expected.purpose, trust=expected.trust, listed=expected.candidates, at=expected.at
    )
    if verdict.sub_indication:
        raise refusal(
            UNAUTHENTIC, verdict.sub_indication, verdict.explanation, signer=signer, results=results
        )
    passed = VerificationResult(
        Indication.TOTAL_PASSED, None, verdict.explanation, signer, references=results
    )
    return Verified(passed, signer, parsed.references)


def _parsed_signature(security: Element, policy: SignaturePolicy) -> ParsedSignature:
    """Read the one signature of the header; algorithms are judged before anything is computed."""
    tags = [child.tag for child in security]
    if any(tag.startswith(_XENC) for tag in tags):
        raise refusal(
            NONCOMPLIANT, _FORMAT, "Expected a message that is not encrypted for us, found encryption"
        )
    number = tags.count(xmldsig.SIGNATURE)
    if number != 1:
        raise refusal(
            NONCOMPLIANT, _FORMAT, f"Expected one ds:Signature in the Security header, found {number}"
        )
    signature = security[tags.index(xmldsig.SIGNATURE)]
    try:
        parsed = xmldsig.parse_signature(signature, policy)
    except SignatureError as error:
        _check_amount(signature, policy)
        is_algorithm = error.verdict is SubIndication.CRYPTO_CONSTRAINTS_FAILURE
        code, reason = (
            (NONCOMPLIANT, SubIndication.CRYPTO_CONSTRAINTS_FAILURE)
            if is_algorithm
            else (UNAUTHENTIC, _FORMAT)
        )
        raise refusal(code, reason, error.message, error.hint) from error
    if not all(reference.uri for reference in parsed.references):
        raise _without_target()
    return parsed


def _check_amount(signature: Element, policy: SignaturePolicy) -> None:
    """Say in the words of AS4 what is too much in a signature, or lacks a target."""
    if signature.find(_DS + "Object") is not None:
        raise refusal(UNAUTHENTIC, _FORMAT, "Expected no ds:Object in the signature of a message, found one")
    references = signature.findall(f"{_DS}SignedInfo/{_DS}Reference")
    if len(references) > policy.max_references:
        raise refusal(
            EbmsErrorCode.INVALID_HEADER,
            _FORMAT,
            f"Expected at most {policy.max_references} references in the signature, found {len(references)}",
        )
    if not all(reference.get("URI") for reference in references):
        raise _without_target()


def _without_target() -> EbmsFault:
    return refusal(NONCOMPLIANT, _FORMAT, "Expected references with a target, found an empty URI or none")


def _without(references: tuple[Reference, ...], withheld: Collection[str]) -> tuple[Reference, ...]:
    """Return the references whose target is there; each part that was taken away must be signed all the same."""
    if not withheld:
        return references
    gone = {href(content_id) for content_id in withheld}
    unsigned = gone - {reference.uri for reference in references}
    if unsigned:
        raise refusal(
            NONCOMPLIANT,
            _CONSTRAINTS,
            f"Expected part {min(unsigned)[:80]!r} to be signed, found no reference to it",
        )
    return tuple(reference for reference in references if reference.uri not in gone)


def _resolve(
    references: Sequence[Reference], envelope: Envelope, payloads: Sequence[Payload]
) -> tuple[_Target, ...]:
    """Find what each reference means among the things that will be processed, and nothing else.

    Whatever else carries the id of the signed element is no candidate: signature wrapping lives on looking
    further (WSS SwA profile 5.4.4, XMLDSig best practices).
    """
    places = envelope.places
    by_id = {payload.content_id: payload for payload in payloads}
    targets = tuple(_target(reference, places, by_id) for reference in references)
    if len({reference.uri for reference in references}) < len(references):
        raise refusal(NONCOMPLIANT, _CONSTRAINTS, "Expected one reference to each signed thing, found two")
    found = set(map(id, targets))
    wanted: tuple[_Target, ...] = (envelope.messaging, envelope.body, *payloads)
    for thing in wanted:
        if id(thing) not in found:
            name = f"part {thing.content_id[:80]!r}" if isinstance(thing, Payload) else path_of(thing)
            raise refusal(
                NONCOMPLIANT,
                _CONSTRAINTS,
                f"Expected {name} to be signed, found no reference to it",
                "Sign Messaging, Body and every part.",
            )
    return targets


def _target(reference: Reference, places: Mapping[str, Element], payloads: Mapping[str, Payload]) -> _Target:
    uri, steps = reference.uri, reference.transforms
    if uri.startswith("#"):
        wanted: Transform = Transform.EXCLUSIVE_C14N
        target: _Target | None = places.get(uri[1:])
    elif uri.startswith("cid:"):
        wanted = Transform.SWA_CONTENT
        target = payloads.get(content_id_of(uri))
    else:
        raise refusal(
            UNAUTHENTIC,
            _FORMAT,
            f"Expected a reference into the message, found {uri[:120]!r}; it is not fetched",
        )
    if len(steps) != 1 or steps[0].transform is not wanted:
        found = [step.transform for step in steps]
        raise refusal(
            NONCOMPLIANT, _CONSTRAINTS, f"Expected one transform {wanted} for {uri[:120]!r}, found {found}"
        )
    if target is None:
        raise refusal(
            UNAUTHENTIC,
            _CONSTRAINTS,
            f"Expected {uri[:120]!r} to be a part of the message that is processed, found none",
            "The signed element was moved, renamed or removed after signing.",
        )
    return target


def _digested(reference: Reference, target: _Target) -> ReferenceResult:
    octets = _octets(reference, target)
    shown = b"" if isinstance(octets, Stretch) else octets
    return ReferenceResult(reference.uri, reference.digest_value, reference.digest_of(octets), shown)


def _octets(reference: Reference, target: _Target) -> Extent:
    try:
        if not isinstance(target, Payload):
            return xmldsig.canonical(target, reference.transforms[0].prefixes)
        standard = _signed_octets(target)
    except (XmlError, SignatureError) as error:
        raise refusal(UNAUTHENTIC, SubIndication.HASH_FAILURE, error.message, error.hint) from error
    if _is_text(target) and reference.digest_of(standard) != reference.digest_value:
        return target.content  # as AS4.NET digests text (observed)
    return standard


def _signed_octets(payload: Payload) -> Extent:
    """Return what is digested of a part (WSS SwA profile 5.4.2): canonical XML, text with CRLF, others as they are."""
    form = _form(payload.content_type)
    if form is _Form.XML:
        _check_canonical_size(payload.octets)
        return xmldsig.canonical(parse(payload.content))
    if form is _Form.TEXT:
        _check_canonical_size(payload.octets)
        return _LINE_END.sub(b"\r\n", payload.content)
    return payload.octets


def _check_canonical_size(octets: Extent) -> None:
    """Refuse a text that would have to be held as a whole to be signed."""
    if isinstance(octets, Stretch) and octets.size > DEFAULT_LIMITS.document_bytes:
        raise XmlError(
            f"Expected at most {DEFAULT_LIMITS.document_bytes} bytes of uncompressed XML or text in a part, "
            f"found {octets.size}",
            hint="Compress the part: then its octets are signed as they are.",
        )


def _is_text(payload: Payload) -> bool:
    return _form(payload.content_type) is _Form.TEXT


class _Form(Enum):
    """What happens to the octets of a part before they are digested."""

    XML = "canonical form"
    TEXT = "line ends"
    OTHER = "nothing"


@lru_cache(maxsize=64)  # parts have the same few types again and again
def _form(content_type: str) -> _Form:
    media_type = content_type.partition(";")[0].strip().lower()
    if _XML_TYPE.fullmatch(media_type):
        return _Form.XML
    return _Form.TEXT if media_type.startswith("text/") else _Form.OTHER


def _check_digests(results: tuple[ReferenceResult, ...]) -> None:
    wrong = [result.uri for result in results if not result.ok]
    if wrong:
        raise refusal(
            UNAUTHENTIC,
            SubIndication.HASH_FAILURE,
            f"Expected the signed content at {', '.join(wrong)[:200]!r}, found changed content",
            "Send the bytes exactly as they were signed; even white space counts.",
            results=results,
        )


def _signer(
    parsed: ParsedSignature, found: Sequence[Certificate], results: tuple[ReferenceResult, ...]
) -> Certificate:
    try:
        for certificate in found:
            if xmldsig.verify_value(parsed, certificate):
                return certificate
    except SignatureError as error:
        reason = SubIndication.CRYPTO_CONSTRAINTS_FAILURE
        raise refusal(UNAUTHENTIC, reason, error.message, error.hint, results=results) from error
    raise refusal(
        UNAUTHENTIC,
        SubIndication.SIG_CRYPTO_FAILURE,
        f'Expected a signature by the key of "{found[0].subject}", found another value',
        "The SignedInfo was changed after signing, or another key signed it.",
        results=results,
    )
