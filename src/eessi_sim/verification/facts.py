"""Everything about one signature that an explanation needs, gathered leniently from what was received.

A verification stops at the first fault. Here as much as can be read is read: what every reference digests, in which
place it stood, which certificates are at hand. Nothing found here is believed by anybody.
"""

from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from eessi_sim import xmlsafe
from eessi_sim.as4 import mime, vocabulary
from eessi_sim.as4.mime import content_id_of
from eessi_sim.as4.model import Payload
from eessi_sim.as4.msh import Unpacked
from eessi_sim.as4.soap import TOKEN
from eessi_sim.errors import KeyMaterialError, SignatureError, XmlError
from eessi_sim.security import xmldsig
from eessi_sim.security.keys import Certificate
from eessi_sim.security.policy import Transform
from eessi_sim.security.result import VerificationResult
from eessi_sim.security.xmldsig import DS, SIGNATURE, ParsedSignature, Reference
from eessi_sim.verification.accidents.forms import target_of
from eessi_sim.verification.accidents.model import Content, Scene
from eessi_sim.xmlsafe import Element

_X509: Final = f"{{{DS}}}X509Certificate"
_SIGNED_INFO: Final = f"{{{DS}}}SignedInfo"
_ID_NAMES: Final = (f"{{{vocabulary.WSU}}}Id", "Id", "id")
_MOST_CERTIFICATES: Final = 10
_ENVELOPED: Final = (Transform.ENVELOPED_SIGNATURE, Transform.EXCLUSIVE_C14N)


@dataclass(frozen=True, slots=True)
class SignedThing:
    """One ds:Reference, what it digests, and where that stood."""

    reference: Reference
    content: Content
    transforms: tuple[Transform, ...]
    """Transforms that it should have."""

    @property
    def name(self) -> str:
        """The URI, readable when it is empty."""
        return self.reference.uri or "the document (URI empty)"

    @property
    def digest(self) -> bytes:
        """Digest of what we found."""
        return self.reference.digest_of(self.content.octets)

    @property
    def is_intact(self) -> bool:
        """Whether the digest fits."""
        return self.digest == self.reference.digest_value

    @property
    def steps(self) -> tuple[Transform, ...]:
        """Transforms that it has."""
        return tuple(step.transform for step in self.reference.transforms)


@dataclass(frozen=True, slots=True)
class SignatureFacts:
    """One signature with everything around it."""

    parsed: ParsedSignature
    things: tuple[SignedThing, ...]
    """In the order of the references; those whose target is missing are left out."""
    info: Content
    """SignedInfo, as the signature value signs it."""
    certificates: tuple[Certificate, ...]
    """Those in the signature first, then others in the file."""

    @property
    def value(self) -> str:
        """The signature value in base64."""
        return b64encode(self.parsed.value).decode()


def facts_of_seal(sed: Element, result: VerificationResult, raw: bytes | None) -> SignatureFacts | None:
    """Return the facts about the seal of a SED, None when its structure is broken.

    Args:
        sed: the SED element, in its document.
        result: how far the verification came.
        raw: the document as received; without it comments and spellings are lost.
    """
    document = sed.getroottree().getroot()
    assert document is not None, "a tree with an element has a root"
    signature = sed.find(SIGNATURE)
    if signature is None:
        return None
    octets = xmlsafe.serialize(document) if raw is None else raw
    return _facts(signature, document, octets, _seal_things(sed, signature), result)


@dataclass(frozen=True, slots=True)
class _Target:
    """What a reference means."""

    place: Element | Payload
    transforms: tuple[Transform, ...]
    signature: Element | None = None
    """The enveloped one."""


def _seal_things(sed: Element, signature: Element) -> dict[str, _Target]:
    things = {
        f"#{element.get('Id')}": _Target(element, (Transform.EXCLUSIVE_C14N,))
        for element in signature.iter("*")
        if element.get("Id") and element is not signature
    }
    return {**things, "": _Target(sed, _ENVELOPED, signature)}


def facts_of_message(message: Unpacked, result: VerificationResult) -> SignatureFacts | None:
    """Return the facts about the signature of a message, None when its structure is broken."""
    security = message.envelope.security
    signature = None if security is None else security.find(SIGNATURE)
    if signature is None:
        return None
    document = signature.getroottree().getroot()
    assert document is not None, "a tree with an element has a root"
    things: dict[str, _Target] = {
        f"#{element.get(name)}": _Target(element, (Transform.EXCLUSIVE_C14N,))
        for element in document.iter("*")
        for name in _ID_NAMES
        if element.get(name)
    }
    parts = {part.content_id: _Target(part, (Transform.SWA_CONTENT,)) for part in message.parts}
    raw = mime.read(message.content_type, message.body, lenient=True).root.content
    return _facts(signature, document, raw, {**things, **_by_uri(signature, parts)}, result, message)


def _by_uri(signature: Element, parts: Mapping[str, _Target]) -> dict[str, _Target]:
    """Return parts by the URIs that references spell for them."""
    uris = [str(each.get("URI", "")) for each in signature.iter(f"{{{DS}}}Reference")]
    return {
        uri: parts[content_id_of(uri)]
        for uri in uris
        if uri.startswith("cid:") and content_id_of(uri) in parts
    }


def _facts(
    signature: Element,
    document: Element,
    raw: bytes,
    targets: Mapping[str, _Target],
    result: VerificationResult,
    message: Unpacked | None = None,
) -> SignatureFacts | None:
    try:
        parsed = xmldsig.parse_signature(signature, max_objects=1)
    except SignatureError:
        return None
    index = {element: number for number, element in enumerate(document.iter("*"))}
    reader = _Reader(raw, index, {each.uri: each.canonical for each in result.references}, message)
    info = signature.find(_SIGNED_INFO)
    assert info is not None, "a signature that was parsed has a SignedInfo"
    things = (reader.thing(each, targets.get(each.uri)) for each in parsed.references)
    return SignatureFacts(
        parsed,
        tuple(thing for thing in things if thing is not None),
        Content(parsed.signed_info, Scene(raw, index[info])),
        tuple(_certificates(signature, document)),
    )


@dataclass(frozen=True, slots=True)
class _Reader:
    """Makes the octets that a reference digests."""

    raw: bytes
    index: Mapping[Element, int]
    known: Mapping[str, bytes]
    """What the verification digested, by URI."""
    message: Unpacked | None

    def thing(self, reference: Reference, target: _Target | None) -> SignedThing | None:
        """Return the target of a reference with its octets, None when it has none."""
        if target is None:
            return None
        scene = self._scene(target)
        octets = self.known.get(reference.uri)
        if octets is None:
            octets = _octets(reference, scene)
        if octets is None:
            return None
        content = Content(octets, scene, is_enveloped=target.signature is not None)
        return SignedThing(reference, content, target.transforms)

    def _scene(self, target: _Target) -> Scene:
        sent_at = self.message.unit.info.timestamp if self.message else None
        if isinstance(target.place, Payload):
            part = target.place
            return Scene(part.content, was_compressed=part.is_compressed, sent_at=sent_at)
        signature = None if target.signature is None else self.index[target.signature]
        return Scene(self.raw, self.index[target.place], signature, sent_at=sent_at)


def _octets(reference: Reference, scene: Scene) -> bytes | None:
    element = target_of(scene)
    if element is None:
        return scene.raw
    try:
        return octets_of(element, reference)
    except XmlError:
        return None  # the verification says why there is no canonical form


def octets_of(element: Element, reference: Reference) -> bytes:
    """Return an element in the form that a reference asks for; without a form, inclusive on its own.

    Raises:
        XmlError: it has no canonical form.
    """
    for step in reference.transforms:
        if step.transform is Transform.EXCLUSIVE_C14N:
            return xmlsafe.exclusive_c14n(element, step.prefixes)
    return xmlsafe.document_of(element)


def _certificates(signature: Element, document: Element) -> Iterator[Certificate]:
    """Yield every certificate of a file once."""
    places = [*signature.iter(_X509), *document.iter(TOKEN), *document.iter(_X509)]
    seen: set[bytes] = set()
    for place in places[:_MOST_CERTIFICATES]:
        try:
            certificate = Certificate.from_der(xmldsig.octets_of(place))
        except (SignatureError, KeyMaterialError):
            continue
        if certificate.der not in seen:
            seen.add(certificate.der)
            yield certificate
