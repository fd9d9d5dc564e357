"""The one XML signature core, for the seal in a SED and for WS-Security: write, read strictly, verify a value.

Text is written in exclusive canonical form, so nothing we sign is canonicalised twice. A reference is never
followed: callers find the signed things themselves, by structure, and hand over their octets. What may be
referenced, and what a KeyInfo means, is decided by the profiles (``xades``, ``as4.wss``).
"""

import hashlib
import re
from base64 import b64encode
from binascii import a2b_base64, b2a_base64
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple, cast

from lxml import etree

from eessi_sim import xmlsafe
from eessi_sim.errors import SignatureError, XmlError
from eessi_sim.security.indication import SubIndication
from eessi_sim.security.keys import Certificate
from eessi_sim.security.policy import (
    DEFAULT,
    Canonicalization,
    DigestAlgorithm,
    SignatureAlgorithm,
    SignaturePolicy,
    Transform,
)
from eessi_sim.stretch import Extent, Stretch
from eessi_sim.xmlsafe import Element, escape_attribute, path_of

DS: Final = "http://www.w3.org/2000/09/xmldsig#"
EXC_C14N: Final = str(Canonicalization.EXCLUSIVE)
SIGNATURE: Final = f"{{{DS}}}Signature"
_DECLARATION: Final = f' xmlns:ds="{DS}"'
_PREFIX: Final = re.compile(r"#default|[A-Za-z_][A-Za-z0-9_.-]{0,63}")
_MAX_PREFIXES: Final = 64
_MAX_TRANSFORMS: Final = 8
_INCLUSIVE_NAMESPACES: Final = f"{{{EXC_C14N}}}InclusiveNamespaces"
_WSU: Final = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
_IDS: Final = etree.XPath(
    " | ".join(f"descendant-or-self::*/@{name}" for name in ("Id", "ID", "xml:id", "wsu:Id")),
    namespaces={"wsu": _WSU},
    smart_strings=False,
)
_VALUE: Final = rb'"([^"&]{0,256})"'
"""An attribute in canonical form without any escape, so that it means what is written."""
_PLAIN_HEAD: Final = re.compile(
    rb'<ds:SignedInfo xmlns:ds="%(ds)b"(?: Id=%(value)b)?>'
    rb"<ds:CanonicalizationMethod Algorithm=%(value)b></ds:CanonicalizationMethod>"
    rb"<ds:SignatureMethod Algorithm=%(value)b></ds:SignatureMethod>" % {b"ds": DS.encode(), b"value": _VALUE}
)
_PLAIN_STEP: Final = re.compile(
    rb"<ds:Transform Algorithm=%(value)b>"
    rb'(?:<ec:InclusiveNamespaces xmlns:ec="%(ec)b" PrefixList=%(value)b></ec:InclusiveNamespaces>)?'
    rb"</ds:Transform>" % {b"ec": EXC_C14N.encode(), b"value": _VALUE}
)
_PLAIN_REFERENCE: Final = re.compile(
    rb"<ds:Reference(?: Id=%(value)b)?(?: Type=%(value)b)? URI=%(value)b>"
    rb"<ds:Transforms>((?:%(step)b){1,%(most)d})</ds:Transforms>"
    rb"<ds:DigestMethod Algorithm=%(value)b></ds:DigestMethod>"
    rb"<ds:DigestValue>([A-Za-z0-9+/]{4,128}={0,2})</ds:DigestValue></ds:Reference>"
    % {
        b"value": _VALUE,
        b"step": _PLAIN_STEP.pattern.replace(b'"([', b'"(?:['),
        b"most": _MAX_TRANSFORMS,
    }
)
_PLAIN_END: Final = b"</ds:SignedInfo>"
_DIGESTS: Final = {
    DigestAlgorithm.SHA256: hashlib.sha256,
    DigestAlgorithm.SHA384: hashlib.sha384,
    DigestAlgorithm.SHA512: hashlib.sha512,
}


@dataclass(frozen=True, slots=True)
class TransformStep:
    """One ``ds:Transform`` of a reference."""

    transform: Transform
    prefixes: tuple[str, ...] = ()
    """PrefixList of InclusiveNamespaces; only with exclusive canonical form."""


ENVELOPED: Final = TransformStep(Transform.ENVELOPED_SIGNATURE)
EXCLUSIVE: Final = TransformStep(Transform.EXCLUSIVE_C14N)
SWA_CONTENT: Final = TransformStep(Transform.SWA_CONTENT)


@dataclass(frozen=True, slots=True)
class Reference:
    """One ``ds:Reference``: what was signed, how its octets were made, and their digest."""

    uri: str
    transforms: tuple[TransformStep, ...]
    digest_value: bytes
    digest_algorithm: DigestAlgorithm = DigestAlgorithm.SHA256
    id: str | None = None
    type: str | None = None

    @classmethod
    def over(cls, octets: Extent, uri: str, *transforms: TransformStep) -> "Reference":
        """Make a SHA-256 reference over ``octets``, which are the result of ``transforms``."""
        return cls(uri, transforms, digest(octets))

    def digest_of(self, octets: Extent) -> bytes:
        """Return the digest of ``octets`` with the algorithm of this reference."""
        return digest(octets, self.digest_algorithm)


@dataclass(frozen=True, slots=True)
class ParsedSignature:
    """What a ``ds:Signature`` says; its structure and algorithms are checked, nothing is verified yet."""

    id: str | None
    references: tuple[Reference, ...]
    algorithm: SignatureAlgorithm
    signed_info: bytes
    """SignedInfo in its canonical form: the octets that the value signs."""
    value: bytes
    key_info: Element
    objects: tuple[Element, ...]
    policy: SignaturePolicy


def digest(octets: Extent, algorithm: DigestAlgorithm = DigestAlgorithm.SHA256) -> bytes:
    """Return the digest of ``octets``, wherever they lie."""
    if isinstance(octets, Stretch):
        if octets.sha256 is not None and algorithm is DigestAlgorithm.SHA256:
            return octets.sha256
        running = _DIGESTS[algorithm]()
        for piece in octets.pieces():
            running.update(piece)
        return running.digest()
    return _DIGESTS[algorithm](octets).digest()


# Writing


def render_reference(reference: Reference, *, declare: bool = False) -> str:
    """Return ``ds:Reference`` as text in exclusive canonical form.

    Args:
        reference: what to write; one that was read comes out with the same meaning.
        declare: True where no element around it uses the prefix ``ds`` yet, as in the receipts of
            ebMS (NonRepudiationInformation); False inside ``ds:SignedInfo``.
    """
    digest_method = reference.digest_algorithm
    return (
        f"<ds:Reference{_DECLARATION if declare else ''}{_attribute('Id', reference.id)}"
        f"{_attribute('Type', reference.type)}{_attribute('URI', reference.uri)}>"
        f"{_render_method(reference.transforms, digest_method)}"
        f"{b2a_base64(reference.digest_value, newline=False).decode()}</ds:DigestValue></ds:Reference>"
    )


@lru_cache(maxsize=64)  # few ways are in use
def _render_method(transforms: tuple[TransformStep, ...], algorithm: DigestAlgorithm) -> str:
    steps = "".join(map(_render_step, transforms))
    return (
        f"{f'<ds:Transforms>{steps}</ds:Transforms>' if steps else ''}"
        f'<ds:DigestMethod Algorithm="{algorithm}"></ds:DigestMethod><ds:DigestValue>'
    )


def _render_step(step: TransformStep) -> str:
    prefixes = ""
    if step.prefixes:
        prefixes = (
            f'<ec:InclusiveNamespaces xmlns:ec="{EXC_C14N}" PrefixList="{" ".join(step.prefixes)}">'
            "</ec:InclusiveNamespaces>"
        )
    return f'<ds:Transform Algorithm="{step.transform}">{prefixes}</ds:Transform>'


def signed_info(references: Iterable[Reference], algorithm: SignatureAlgorithm) -> bytes:
    """Return ``ds:SignedInfo`` in exclusive canonical form: exactly the octets to sign."""
    rendered = "".join(render_reference(reference) for reference in references)
    return (
        f"<ds:SignedInfo{_DECLARATION}>"
        f'<ds:CanonicalizationMethod Algorithm="{EXC_C14N}"></ds:CanonicalizationMethod>'
        f'<ds:SignatureMethod Algorithm="{algorithm}"></ds:SignatureMethod>'
        f"{rendered}</ds:SignedInfo>"
    ).encode()


def render_signature(
    info: bytes,
    value: bytes,
    key_info: str,
    *,
    signature_id: str | None = None,
    value_id: str | None = None,
    objects: str = "",
) -> str:
    """Return ``ds:Signature`` as text in exclusive canonical form.

    ``info`` stands for itself when it is signed, so it declares the prefix ``ds``; inside the signature
    the declaration is already there. Both texts have the same canonical form (xml-exc-c14n section 3).

    Args:
        info: result of ``signed_info``.
        value: signature over ``info``.
        key_info: content of ``ds:KeyInfo``, canonical; the prefix ``ds`` is declared.
        signature_id: Id of the signature.
        value_id: Id of its value.
        objects: ``ds:Object`` elements, canonical; the prefix ``ds`` is declared.
    """
    embedded = info.decode().replace(_DECLARATION, "", 1)
    return (
        f"<ds:Signature{_DECLARATION}{_attribute('Id', signature_id)}>{embedded}"
        f"<ds:SignatureValue{_attribute('Id', value_id)}>{b64encode(value).decode()}</ds:SignatureValue>"
        f"<ds:KeyInfo>{key_info}</ds:KeyInfo>{objects}</ds:Signature>"
    )


def _attribute(name: str, value: str | None) -> str:
    return "" if value is None else f' {name}="{escape_attribute(value)}"'


# Reading


def parse_signature(
    element: Element, policy: SignaturePolicy = DEFAULT, *, max_objects: int = 0
) -> ParsedSignature:
    """Read a ``ds:Signature`` strictly: order, number and names of all elements, algorithms, ids.

    Args:
        element: the signature, in its place in the document (prefix lists need it).
        policy: algorithms and limits.
        max_objects: how many ``ds:Object`` may stand in it; none in a message, one in a seal.

    Raises:
        SignatureError: with the verdict FORMAT_FAILURE for structure and CRYPTO_CONSTRAINTS_FAILURE
            for an algorithm that is not allowed.
    """
    _expect(element, "Signature", "Id")
    info, value, key_info, *objects = _children(
        element, "SignedInfo", "SignatureValue", "KeyInfo", more="Object", at_most=max_objects
    )
    _expect(value, "SignatureValue", "Id")
    said = _plain_info(info, policy) or _read_info(info, policy)
    return ParsedSignature(
        id=element.get("Id"),
        references=said.references,
        algorithm=said.algorithm,
        signed_info=said.octets,
        value=octets_of(value),
        key_info=key_info,
        objects=tuple(objects),
        policy=policy,
    )


class _SignedInfo(NamedTuple):
    octets: bytes
    """Its canonical form."""
    algorithm: SignatureAlgorithm
    references: tuple[Reference, ...]


def _plain_info(info: Element, policy: SignaturePolicy) -> _SignedInfo | None:
    """Read a SignedInfo of the usual shape out of its canonical form, the octets that are signed.

    Several times faster than going through the tree, and no second look at what means the same. None for any other
    shape and for whatever is to be refused: the tree says what is wrong, and where.
    """
    if len(info) > policy.max_references + 2:
        return None
    try:
        octets = xmlsafe.exclusive_c14n(info)
    except XmlError:
        return None
    head = _PLAIN_HEAD.match(octets)
    algorithm = head and _plain_algorithm(policy, head[2], head[3])
    if not head or not algorithm:
        return None
    references: list[Reference] = []
    position = head.end()
    while found := _PLAIN_REFERENCE.match(octets, position):
        reference = _plain_reference(policy, *found.groups())
        if reference is None:
            return None
        references.append(reference)
        position = found.end()
    if not references or octets[position:] != _PLAIN_END:
        return None
    return _SignedInfo(octets, algorithm, tuple(references))


def _plain_reference(  # the groups of the pattern
    policy: SignaturePolicy,
    identity: bytes | None,
    kind: bytes | None,
    uri: bytes,
    steps: bytes,
    method: bytes,
    value: bytes,
) -> Reference | None:
    made = _plain_method(policy, steps, method)
    octets = octets_in(value)
    if made is None or octets is None:
        return None
    return Reference(uri.decode(), made[0], octets, made[1], _text(identity), _text(kind))


def _text(octets: bytes | None) -> str | None:
    return None if octets is None else octets.decode()


@lru_cache(maxsize=64)
def _plain_algorithm(policy: SignaturePolicy, c14n: bytes, method: bytes) -> SignatureAlgorithm | None:
    try:
        policy.canonicalization(c14n.decode())
        return policy.signature(method.decode())
    except SignatureError:
        return None


@lru_cache(maxsize=64)
def _plain_method(
    policy: SignaturePolicy, steps: bytes, method: bytes
) -> tuple[tuple[TransformStep, ...], DigestAlgorithm] | None:
    """Return how the octets of a reference are made and digested; few ways are in use, so they are remembered."""
    try:
        made = tuple(_plain_step(policy, *found.groups()) for found in _PLAIN_STEP.finditer(steps))
        return made, policy.digest(method.decode())
    except SignatureError:
        return None


def _plain_step(policy: SignaturePolicy, algorithm: bytes, listed: bytes | None) -> TransformStep:
    transform = policy.transform(algorithm.decode())
    prefixes = tuple((listed or b"").decode().split())
    if (prefixes and transform is not Transform.EXCLUSIVE_C14N) or not _are_prefixes(prefixes):
        raise malformed("Expected a list of prefixes with exclusive canonical form, found another thing")
    return TransformStep(transform, prefixes)


def _read_info(info: Element, policy: SignaturePolicy) -> _SignedInfo:
    _expect(info, "SignedInfo", "Id")
    c14n, method, *references = _children(
        info, "CanonicalizationMethod", "SignatureMethod", more="Reference", at_most=policy.max_references
    )
    if not references:
        raise malformed(f"Expected at least one ds:Reference in {path_of(info)}, found none")
    policy.canonicalization(_algorithm(c14n))
    algorithm = policy.signature(_algorithm(method))
    _refuse_content(method)
    read = tuple(parse_reference(reference, policy) for reference in references)
    return _SignedInfo(canonical(info, _prefixes(c14n)), algorithm, read)


def parse_reference(element: Element, policy: SignaturePolicy = DEFAULT) -> Reference:
    """Read one ``ds:Reference``, in a signature or copied into a receipt.

    Raises:
        SignatureError: as ``parse_signature``.
    """
    _expect(element, "Reference", "Id", "Type", "URI")
    uri = element.get("URI")
    if uri is None:
        raise malformed(
            f"Expected an URI at {path_of(element)}, found none", hint="Say what the reference is about."
        )
    steps: tuple[TransformStep, ...] = ()
    if len(element) and element[0].tag == f"{{{DS}}}Transforms":
        transforms, method, value = _children(element, "Transforms", "DigestMethod", "DigestValue")
        _expect(transforms, "Transforms")
        steps = tuple(_parse_step(step, policy) for step in _steps(transforms))
    else:
        method, value = _children(element, "DigestMethod", "DigestValue")
    _expect(value, "DigestValue")
    algorithm = policy.digest(_algorithm(method))
    _refuse_content(method)
    return Reference(uri, steps, octets_of(value), algorithm, element.get("Id"), element.get("Type"))


def _steps(transforms: Element) -> list[Element]:
    steps = _children(transforms, more="Transform", at_most=_MAX_TRANSFORMS)
    if not steps:
        raise malformed(f"Expected a ds:Transform in {path_of(transforms)}, found none")
    return steps


def _parse_step(element: Element, policy: SignaturePolicy) -> TransformStep:
    transform = policy.transform(_algorithm(element))
    if transform is Transform.EXCLUSIVE_C14N:
        return TransformStep(transform, _prefixes(element))
    _refuse_content(element)
    return TransformStep(transform)


def _prefixes(element: Element) -> tuple[str, ...]:
    """Return the PrefixList of an exclusive canonicalization (xml-exc-c14n section 3), empty without one."""
    if not len(element):
        _refuse_content(element)
        return ()
    child = element[0]
    prefixes = tuple((child.get("PrefixList") or "").split())
    if (
        len(element) > 1
        or child.tag != _INCLUSIVE_NAMESPACES
        or set(child.attrib) != {"PrefixList"}
        or not _are_prefixes(prefixes)
    ):
        raise malformed(
            f"Expected one InclusiveNamespaces with a list of prefixes in {path_of(element)}, found another thing",
            hint="Leave the element out unless you know why you need it.",
        )
    return prefixes


def _are_prefixes(prefixes: Sequence[str]) -> bool:
    return len(prefixes) <= _MAX_PREFIXES and all(_PREFIX.fullmatch(prefix) for prefix in prefixes)


def _algorithm(element: Element) -> str:
    if element.keys() != ["Algorithm"]:
        _expect(element, xmlsafe.local_name(element), "Algorithm")
    return element.get("Algorithm", "")


def _expect(element: Element, name: str, *attributes: str) -> None:
    """Refuse an element of another name or with attributes that XMLDSig does not give it."""
    if element.tag != f"{{{DS}}}{name}":
        raise malformed(f"Expected ds:{name} at {path_of(element)}, found {str(element.tag)[:120]}")
    for found in element.keys():  # noqa: SIM118 - an element is a list of its children
        if found not in attributes:
            raise malformed(f"Expected no attribute {str(found)[:120]} at {path_of(element)}")


def _children(element: Element, *names: str, more: str = "", at_most: int = 0) -> list[Element]:
    """Return the children when they are exactly these, in this order, then up to ``at_most`` of ``more``."""
    found = list(element)
    count = len(found) - len(names)
    if [child.tag for child in found] == _tags(names, more, count) and count <= at_most:
        _refuse_text(element, found)
        return found
    if not 0 <= count <= at_most:
        extra = f" and at most {at_most} ds:{more}" if more else ""
        raise malformed(
            f"Expected {len(names)} elements{extra} in {path_of(element)}, found {len(found)}",
            hint="A signature has each of its parts exactly once; see XMLDSig section 4.",
        )
    child, tag = next(
        each for each in zip(found, _tags(names, more, count), strict=True) if each[0].tag != each[1]
    )
    name = tag.rpartition("}")[2]
    raise malformed(f"Expected ds:{name} at {path_of(child)}, found {str(child.tag)[:120]}")


def _refuse_content(element: Element) -> None:
    if len(element) or element.text:
        _children(element)


@lru_cache(maxsize=256)
def _tags(names: tuple[str, ...], more: str, count: int) -> list[str]:
    return [f"{{{DS}}}{name}" for name in (*names, *[more] * count)]


def _refuse_text(element: Element, children: Sequence[Element]) -> None:
    text = "".join(text for text in (element.text, *(child.tail for child in children)) if text)
    if text and not text.isspace():
        raise malformed(f"Expected no text between the elements of {path_of(element)}")


def octets_of(element: Element) -> bytes:
    """Return the octets of a base64 leaf, in the one spelling that an encoder gives; white space does not count.

    Raises:
        SignatureError: another alphabet, padding or left-over bits; two spellings of one signature would be
            two messages.
    """
    compact = "".join((element.text or "").split())
    octets = octets_in(compact)
    if len(element) or not octets:
        raise malformed(f"Expected base64 at {path_of(element)}, found nothing or an irregular spelling")
    return octets


def octets_in(compact: str | bytes) -> bytes | None:
    """Return the octets of base64 without white space, None for any spelling that no encoder gives."""
    try:
        octets = a2b_base64(compact, strict_mode=True)
    except ValueError:
        return None
    written = b2a_base64(octets, newline=False)
    return octets if written == (compact.encode() if isinstance(compact, str) else compact) else None


def verify_value(parsed: ParsedSignature, certificate: Certificate) -> bool:
    """Return whether the key of ``certificate`` made the signature value.

    Says nothing about the references: compare their digests first, with ``Reference.digest_of``.

    Raises:
        SignatureError: the key is too short for the policy, verdict CRYPTO_CONSTRAINTS_FAILURE.
    """
    least = parsed.policy.min_rsa_bits if certificate.is_rsa else parsed.policy.min_ec_bits
    if certificate.key_bits < least:
        raise SignatureError(
            f'Expected a key of at least {least} bits from "{certificate.subject}", '
            f"found {certificate.key_bits}",
            verdict=SubIndication.CRYPTO_CONSTRAINTS_FAILURE,
            hint="Sign with a longer key.",
        )
    return certificate.has_signed(parsed.signed_info, parsed.value, parsed.algorithm)


def repeated_ids(root: Element) -> tuple[str, ...]:
    """Return the ids that more than one element of the tree claim (``Id``, ``ID``, ``xml:id``, ``wsu:Id``).

    A reference to such an id has no meaning; wrapping attacks live on it.
    """
    ids = cast("list[str]", _IDS(root))
    if len(set(ids)) == len(ids):  # nearly always
        return ()
    return tuple(value for value, times in Counter(ids).items() if times > 1)


def canonical(element: Element, prefixes: Sequence[str] = ()) -> bytes:
    """Return the exclusive canonical form of ``element``.

    Raises:
        SignatureError: it has none, because a namespace name in it is relative (xml-c14n section 1.3).
    """
    try:
        return xmlsafe.exclusive_c14n(element, prefixes)
    except XmlError as error:
        raise malformed(error.message, hint=error.hint) from error


def malformed(message: str, hint: str | None = None) -> SignatureError:
    """Return the error for a structure that is not ours, verdict FORMAT_FAILURE."""
    return SignatureError(message, verdict=SubIndication.FORMAT_FAILURE, hint=hint)
