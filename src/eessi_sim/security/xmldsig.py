"""The one XML signature core, for the seal in a SED and for WS-Security: write, read strictly, verify a value.

Text is written in exclusive canonical form, so nothing we sign is canonicalised twice. A reference is never
followed: callers find the signed things themselves, by structure, and hand over their octets. What may be
referenced, and what a KeyInfo means, is decided by the profiles (``xades``, ``as4.wss``).
"""

from base64 import b64encode
from binascii import b2a_base64
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, cast

from lxml import etree

from eessi_sim import xmlsafe
from eessi_sim.errors import SignatureError, XmlError
from eessi_sim.security.indication import SubIndication
from eessi_sim.security.keys import Certificate
from eessi_sim.security.policy import (
    DEFAULT,
    DigestAlgorithm,
    SignatureAlgorithm,
    SignaturePolicy,
    Transform,
)
from eessi_sim.security.references import (
    DS,
    ENVELOPED,
    EXC_C14N,
    EXCLUSIVE,
    MAX_TRANSFORMS,
    SWA_CONTENT,
    Reference,
    TransformStep,
    are_prefixes,
    digest,
    malformed,
    octets_in,
)
from eessi_sim.security.signed_info import SignedInfo, read_plain
from eessi_sim.xmlsafe import Element, escape_attribute, path_of

__all__ = [
    "DS",
    "ENVELOPED",
    "EXCLUSIVE",
    "EXC_C14N",
    "SIGNATURE",
    "SWA_CONTENT",
    "ParsedSignature",
    "Reference",
    "TransformStep",
    "canonical",
    "digest",
    "malformed",
    "octets_in",
    "octets_of",
    "parse_reference",
    "parse_signature",
    "render_reference",
    "render_signature",
    "repeated_ids",
    "signed_info",
    "verify_value",
]

SIGNATURE: Final = f"{{{DS}}}Signature"
_DECLARATION: Final = f' xmlns:ds="{DS}"'
_INCLUSIVE_NAMESPACES: Final = f"{{{EXC_C14N}}}InclusiveNamespaces"
_WSU: Final = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
_IDS: Final = etree.XPath(
    " | ".join(f"descendant-or-self::*/@{name}" for name in ("Id", "ID", "xml:id", "wsu:Id")),
    namespaces={"wsu": _WSU},
    smart_strings=False,
)


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
    said = read_plain(info, policy) or _read_info(info, policy)
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


def _read_info(info: Element, policy: SignaturePolicy) -> SignedInfo:
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
    return SignedInfo(canonical(info, _prefixes(c14n)), algorithm, read)


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
    steps = _children(transforms, more="Transform", at_most=MAX_TRANSFORMS)
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
        or not are_prefixes(prefixes)
    ):
        raise malformed(
            f"Expected one InclusiveNamespaces with a list of prefixes in {path_of(element)}, found another thing",
            hint="Leave the element out unless you know why you need it.",
        )
    return prefixes


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
