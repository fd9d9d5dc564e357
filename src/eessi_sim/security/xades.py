"""The business seal in a SED: one enveloped XAdES-BES signature, written and verified.

Form: the last child of the SED root, two references (the document, the signed properties), SHA-256, exclusive
canonical form, as a public U018 sample has it (observed). A SED is always treated as a document of its own, even
when it stands in an envelope. Signatures of messages are the work of ``as4.wss``.
"""

import re
from base64 import b64encode
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final, NamedTuple

from eessi_sim.errors import KeyMaterialError, SignatureError
from eessi_sim.security.indication import Indication, SubIndication
from eessi_sim.security.keys import Certificate, KeyPair, Purpose
from eessi_sim.security.policy import DEFAULT, DigestAlgorithm, SignaturePolicy, Transform
from eessi_sim.security.result import ReferenceResult, VerificationResult
from eessi_sim.security.trust import TrustStore, check_signer
from eessi_sim.security.xmldsig import (
    DS,
    ENVELOPED,
    EXCLUSIVE,
    SIGNATURE,
    ParsedSignature,
    Reference,
    canonical,
    digest,
    malformed,
    octets_of,
    parse_signature,
    render_signature,
    repeated_ids,
    signed_info,
    verify_value,
)
from eessi_sim.xmlsafe import Element, declared_prefixes, escape_text, path_of, text_of

XADES: Final = "http://uri.etsi.org/01903/v1.3.2#"
SIGNED_PROPERTIES: Final = "http://uri.etsi.org/01903#SignedProperties"
"""Type of the reference to the signed properties (ETSI EN 319 132-1 clause 4.4.2)."""

_TOKEN: Final = re.compile(r"[0-9a-f]{32}")
_DOCUMENT_ID: Final = "r-id-1"
_DS_DECLARATION: Final = f' xmlns:ds="{DS}"'
_XADES_DECLARATION: Final = f' xmlns:xades="{XADES}"'
_MAX_CERTIFICATES: Final = 10
_BROKEN: Final = (
    "Somebody changed it after signing. Common causes: pretty-printing, moved namespace declarations, "
    "another line end. Send the signed octets as they are."
)


# Signing


def sign(sed_root: Element, keys: KeyPair, *, signing_time: datetime, token: str) -> bytes:
    """Return the SED in exclusive canonical form with the seal as last child of its root.

    Args:
        sed_root: the SED element, alone or in an envelope; stays as it is.
        keys: the seal of the institution.
        signing_time: time the seal claims; written in UTC with whole seconds.
        token: 32 hexadecimal digits that make the ids of this seal unique.

    Raises:
        SignatureError: the SED has a signature already, has no canonical form, or the token is none.
    """
    if not _TOKEN.fullmatch(token):
        raise SignatureError(f'Expected a token of 32 hexadecimal digits, found "{token[:40]}"')
    if next(sed_root.iter(SIGNATURE), None) is not None:
        raise SignatureError(
            f"Expected an unsigned SED, found a ds:Signature in {path_of(sed_root)}",
            hint="Remove the old signature before you sign again.",
        )
    body = canonical(sed_root)
    certificate = keys.certificate
    properties = _properties(certificate, signing_time, token, is_apex=True).encode()
    info = signed_info(
        (
            Reference("", (ENVELOPED, EXCLUSIVE), digest(body), id=_DOCUMENT_ID, type=""),
            Reference(f"#xades-id-{token}", (EXCLUSIVE,), digest(properties), type=SIGNED_PROPERTIES),
        ),
        keys.signature_algorithm,
    )
    signature = render_signature(
        info,
        keys.sign(info),
        f"<ds:X509Data><ds:X509Certificate>{_texts(certificate).der}</ds:X509Certificate></ds:X509Data>",
        signature_id=f"id-{token}",
        value_id=f"value-id-{token}",
        objects=f'<ds:Object><xades:QualifyingProperties{_XADES_DECLARATION} Target="#id-{token}">'
        f"{_properties(certificate, signing_time, token)}</xades:QualifyingProperties></ds:Object>",
    )
    end = body.rindex(b"</")
    return body[:end] + signature.encode() + body[end:]


def _properties(
    certificate: Certificate, signing_time: datetime, token: str, *, is_apex: bool = False
) -> str:
    """Return ``xades:SignedProperties`` as canonical text.

    Digested on its own (``is_apex``) it declares each prefix where it is first used; in the signature both
    prefixes are declared further up (xml-exc-c14n section 3).
    """
    ds, xades = (_DS_DECLARATION, _XADES_DECLARATION) if is_apex else ("", "")
    texts = _texts(certificate)
    at = signing_time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return (
        f'<xades:SignedProperties{xades} Id="xades-id-{token}"><xades:SignedSignatureProperties>'
        f"<xades:SigningTime>{at}</xades:SigningTime><xades:SigningCertificate><xades:Cert><xades:CertDigest>"
        f'<ds:DigestMethod{ds} Algorithm="{DigestAlgorithm.SHA256}"></ds:DigestMethod>'
        f"<ds:DigestValue{ds}>{texts.digest}</ds:DigestValue></xades:CertDigest><xades:IssuerSerial>"
        f"<ds:X509IssuerName{ds}>{texts.issuer}</ds:X509IssuerName>"
        f"<ds:X509SerialNumber{ds}>{certificate.serial}</ds:X509SerialNumber></xades:IssuerSerial></xades:Cert>"
        f"</xades:SigningCertificate></xades:SignedSignatureProperties><xades:SignedDataObjectProperties>"
        f'<xades:DataObjectFormat ObjectReference="#{_DOCUMENT_ID}">'
        f"<xades:MimeType>application/octet-stream</xades:MimeType></xades:DataObjectFormat>"
        f"</xades:SignedDataObjectProperties></xades:SignedProperties>"
    )


class _CertificateTexts(NamedTuple):
    der: str
    digest: str
    issuer: str


@lru_cache(maxsize=1024)
def _texts(certificate: Certificate) -> _CertificateTexts:
    """Return what every signature of this certificate repeats."""
    return _CertificateTexts(
        b64encode(certificate.der).decode(),
        b64encode(certificate.sha256).decode(),
        escape_text(certificate.issuer),
    )


# Verifying


@dataclass(slots=True)
class _Findings:
    """What the verification has learnt so far; a refusal shows it too."""

    certificate: Certificate | None = None
    references: tuple[ReferenceResult, ...] = ()
    signing_time: datetime | None = None

    def refused(self, reason: object, explanation: str) -> VerificationResult:
        assert isinstance(reason, SubIndication), "every error of this package names its verdict"
        return VerificationResult(
            reason.indication,
            reason,
            explanation,
            self.certificate,
            references=self.references,
            signing_time=self.signing_time,
        )


def verify(
    sed_root: Element,
    *,
    trust: TrustStore | None,
    expected: Collection[Certificate] | None,
    at: datetime,
    policy: SignaturePolicy = DEFAULT,
) -> VerificationResult:
    """Verify the seal of a SED and return the verdict; go on with its ``signed_bytes`` only.

    Order: structure and algorithms, digests, certificate named in the properties, signature value, then the
    signer: listed, valid, chain, not revoked, meant for sealing.

    Args:
        sed_root: the SED element, alone or in an envelope; unchanged afterwards.
        trust: authorities, or None to ask only whether the certificate is one of ``expected``.
        expected: seals that the Institution Repository lists for the sender, or None for any.
        at: time at which the certificate has to be valid.
        policy: algorithms and limits.
    """
    found = _Findings()
    try:
        octets, certificate = _verify_signature(sed_root, policy, found)
    except SignatureError as error:
        return found.refused(error.verdict, f"{error.message}. {error.hint or ''}".rstrip())
    verdict = check_signer(certificate, Purpose.SEAL, trust=trust, listed=expected, at=at)
    if verdict.sub_indication:
        return found.refused(verdict.sub_indication, verdict.explanation)
    return VerificationResult(
        Indication.TOTAL_PASSED,
        None,
        f'Signed by "{certificate.subject}". {verdict.explanation}',
        certificate,
        octets,
        found.references,
        found.signing_time,
    )


def _verify_signature(
    sed_root: Element, policy: SignaturePolicy, found: _Findings
) -> tuple[bytes, Certificate]:
    """Return the signed octets and the certificate whose key signed them."""
    signature = _only_signature(sed_root)
    parsed = parse_signature(signature, policy, max_objects=1)
    document, properties = _references(parsed)
    element = _signed_properties(parsed, properties)
    octets = _document_octets(sed_root, signature, document)
    found.references = (
        _compare(document, octets),
        _compare(properties, canonical(element, properties.transforms[0].prefixes)),
    )
    found.signing_time = _signing_time(element)
    _check_digests(found.references)
    found.certificate = certificate = _signing_certificate(parsed, element)
    if not verify_value(parsed, certificate):
        raise SignatureError(
            f'Expected a signature value made with the key of "{certificate.subject}", found another value',
            verdict=SubIndication.SIG_CRYPTO_FAILURE,
            hint="The SignedInfo was changed after signing, or the certificate belongs to another key.",
        )
    return octets, certificate


def _compare(reference: Reference, octets: bytes) -> ReferenceResult:
    return ReferenceResult(reference.uri, reference.digest_value, reference.digest_of(octets), octets)


def _only_signature(sed_root: Element) -> Element:
    """Return the one signature of the document, the last child of the SED root.

    A second one, or one elsewhere, is how a signed SED is wrapped in a forged one.
    """
    document = sed_root.getroottree().getroot()
    assert document is not None, "a tree with an element has a root"
    signatures = list(document.iter(SIGNATURE))
    if not signatures:
        raise malformed(
            f"Expected a ds:Signature as last child of {path_of(sed_root)}, found none",
            hint="Sign the SED before you send it.",
        )
    if (
        len(signatures) > 1
        or signatures[0].getparent() is not sed_root
        or signatures[0].getnext() is not None
    ):
        raise malformed(
            f"Expected exactly one ds:Signature, the last child of {path_of(sed_root)}, "
            f"found {len(signatures)} at {', '.join(path_of(each) for each in signatures[:3])}",
            hint="Sign the whole SED once; nothing may follow the signature.",
        )
    repeated = repeated_ids(document)
    if repeated:
        raise malformed(
            f'Expected every Id once, found "{repeated[0][:80]}" twice', hint="Use a new token per signature."
        )
    return signatures[0]


def _references(parsed: ParsedSignature) -> tuple[Reference, Reference]:
    """Return the reference to the document and the one to the signed properties."""
    document = [each for each in parsed.references if each.uri == ""]
    properties = [each for each in parsed.references if each.type == SIGNED_PROPERTIES]
    if len(parsed.references) != 2 or len(document) != 1 or len(properties) != 1 or document == properties:
        raise _unexpected(
            "Expected two references, the document (URI empty) and the signed properties, found "
            + ", ".join(f'"{each.uri[:80]}"' for each in parsed.references[:5]),
            "Sign the whole SED and the XAdES properties, nothing else.",
        )
    if document[0].transforms[:1] != (ENVELOPED,) or not _is_exclusive(document[0], 1, at_least=0):
        raise _unexpected(
            "Expected the transforms enveloped-signature and exclusive canonical form on the document, found "
            + _transforms(document[0]),
            "Use both, in this order.",
        )
    if not _is_exclusive(properties[0], 0, at_least=1):
        raise _unexpected(
            "Expected exclusive canonical form on the signed properties, found " + _transforms(properties[0]),
            "Use that transform alone.",
        )
    return document[0], properties[0]


def _is_exclusive(reference: Reference, start: int, *, at_least: int) -> bool:
    rest = [step.transform for step in reference.transforms[start:]]
    return at_least <= len(rest) <= 1 and all(each is Transform.EXCLUSIVE_C14N for each in rest)


def _transforms(reference: Reference) -> str:
    return ", ".join(step.transform for step in reference.transforms) or "none"


def _unexpected(message: str, hint: str) -> SignatureError:
    return SignatureError(message, verdict=SubIndication.SIG_CONSTRAINTS_FAILURE, hint=hint)


def _document_octets(sed_root: Element, signature: Element, reference: Reference) -> bytes:
    """Return the canonical SED without its signature.

    Without an explicit canonicalization the inclusive form applies (XMLDSig section 4.4.3.2), to the SED as a
    document of its own. That is the exclusive form with every prefix that the SED itself declares: what an
    envelope declares stays outside.
    """
    with _detached(signature):
        if len(reference.transforms) > 1:
            return canonical(sed_root, reference.transforms[1].prefixes)
        return canonical(sed_root, sorted(declared_prefixes(sed_root)))


@contextmanager
def _detached(signature: Element) -> Iterator[None]:
    """Take the signature out of its tree, keep the text after it in place, and put all back afterwards.

    Copying the tree instead would cost more than the whole verification.
    """
    parent, previous, tail = signature.getparent(), signature.getprevious(), signature.tail
    assert parent is not None, "the signature is a child of the SED root"
    before = parent.text if previous is None else previous.tail

    def set_text(text: str | None) -> None:
        if previous is None:
            parent.text = text
        else:
            previous.tail = text

    parent.remove(signature)
    set_text((before or "") + (tail or ""))
    try:
        yield
    finally:
        set_text(before)
        parent.append(signature)


def _signed_properties(parsed: ParsedSignature, reference: Reference) -> Element:
    """Return ``xades:SignedProperties``, found by its place, when the reference means just that element."""
    qualifying = _only_child(parsed.objects[0], "QualifyingProperties") if parsed.objects else None
    if qualifying is None:
        raise malformed("Expected xades:QualifyingProperties in a ds:Object, found no ds:Object")
    element = _child(qualifying, "SignedProperties")
    if parsed.id is None or qualifying.get("Target") != f"#{parsed.id}":
        raise malformed(
            f'Expected the Target of {path_of(qualifying)} to be the signature, found "{qualifying.get("Target")}"',
            hint="Target is # and the Id of the ds:Signature.",
        )
    if not element.get("Id") or reference.uri != f"#{element.get('Id')}":
        raise malformed(
            f'Expected a reference to the signed properties "{element.get("Id")}", found "{reference.uri[:80]}"'
        )
    _check_object_reference(element, parsed)
    return element


def _check_object_reference(properties: Element, parsed: ParsedSignature) -> None:
    known = {f"#{reference.id}" for reference in parsed.references if reference.id}
    for each in properties.iter(f"{{{XADES}}}DataObjectFormat"):
        if each.get("ObjectReference") not in known:
            raise malformed(
                f"Expected an ObjectReference to one of the references at {path_of(each)}, "
                f'found "{each.get("ObjectReference")}"'
            )


def _only_child(parent: Element, name: str) -> Element:
    child = _child(parent, name)
    if len(parent) != 1:
        raise malformed(
            f"Expected nothing but xades:{name} in {path_of(parent)}, found {len(parent)} elements"
        )
    return child


def _child(parent: Element, *names: str, namespace: str = XADES) -> Element:
    """Return the one child that has one of the names."""
    tags = [f"{{{namespace}}}{name}" for name in names]
    found = [child for child in parent if child.tag in tags]
    if len(found) != 1:
        raise malformed(
            f"Expected exactly one {' or '.join(names)} in {path_of(parent)}, found {len(found)}",
            hint="See ETSI EN 319 132-1 clause 5.2.",
        )
    return found[0]


def _signing_time(properties: Element) -> datetime:
    place = _child(_child(properties, "SignedSignatureProperties"), "SigningTime")
    try:
        time = datetime.fromisoformat(text_of(place))
    except ValueError as error:
        raise malformed(f'Expected a time at {path_of(place)}, found "{text_of(place)[:40]}"') from error
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _check_digests(references: tuple[ReferenceResult, ...]) -> None:
    for reference, name in zip(references, ("the document", "the signed properties"), strict=True):
        if not reference.ok:
            raise SignatureError(
                f"Expected digest {b64encode(reference.digest_expected).decode()} of {name}, "
                f"found {b64encode(reference.digest_found).decode()}",
                verdict=SubIndication.HASH_FAILURE,
                hint=_BROKEN,
            )


def _signing_certificate(parsed: ParsedSignature, properties: Element) -> Certificate:
    """Return the certificate in KeyInfo that the signed properties name (EN 319 102-1 clause 5.2.3.4).

    The digest decides. The issuer and serial number of the first version of the property have to agree;
    those of the second version are a hint only (EN 319 132-1 clause 5.2.2).
    """
    named = _child(
        _child(properties, "SignedSignatureProperties"), "SigningCertificate", "SigningCertificateV2"
    )
    cert = named.find(f"{{{XADES}}}Cert")
    if cert is None:
        raise malformed(f"Expected xades:Cert in {path_of(named)}, found none")
    place = _child(cert, "CertDigest")
    algorithm = parsed.policy.digest(_child(place, "DigestMethod", namespace=DS).get("Algorithm", ""))
    stated = octets_of(_child(place, "DigestValue", namespace=DS))
    for certificate in _key_info_certificates(parsed.key_info):
        if digest(certificate.der, algorithm) == stated:
            _check_issuer_serial(cert, certificate)
            return certificate
    raise _no_certificate(
        f"Expected the certificate that {path_of(named)} names in KeyInfo, found another one",
        "The certificate was exchanged after signing.",
    )


def _check_issuer_serial(cert: Element, certificate: Certificate) -> None:
    place = cert.find(f"{{{XADES}}}IssuerSerial")
    if place is None:
        return
    name = text_of(_child(place, "X509IssuerName", namespace=DS))
    serial = text_of(_child(place, "X509SerialNumber", namespace=DS))
    if not certificate.is_named(name, serial):
        raise _no_certificate(
            f'Expected issuer "{certificate.issuer}" and serial number {certificate.serial} at {path_of(place)}, '
            f'found "{name[:200]}" and "{serial[:60]}"',
            "Write the issuer and serial number of the certificate in KeyInfo.",
        )


def _key_info_certificates(key_info: Element) -> list[Certificate]:
    data = _child(key_info, "X509Data", namespace=DS)
    if len(key_info) != 1:
        raise malformed(
            f"Expected nothing but ds:X509Data in {path_of(key_info)}, found {len(key_info)} elements",
            hint="Give the certificate itself; names and addresses of keys are not followed.",
        )
    found = data.findall(f"{{{DS}}}X509Certificate")[:_MAX_CERTIFICATES]
    try:
        return [Certificate.from_der(octets_of(each)) for each in found]
    except KeyMaterialError as error:
        raise _no_certificate(error.message, error.hint) from error


def _no_certificate(message: str, hint: str | None) -> SignatureError:
    return SignatureError(message, verdict=SubIndication.NO_SIGNING_CERTIFICATE_FOUND, hint=hint)
