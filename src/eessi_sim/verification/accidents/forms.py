"""Other ways to make octets of the same document: what a signer digests who does not follow his own transforms.

Everything here reads the document again from its octets, because comments and declarations are lost in a tree that
was read for verification.
"""

import re
from collections.abc import Iterator
from copy import deepcopy
from itertools import chain
from typing import Final

from eessi_sim import xmlsafe
from eessi_sim.security.xmldsig import DS
from eessi_sim.verification.accidents.model import Candidate, Content, Scene
from eessi_sim.verification.accidents.xml_edit import tree_of
from eessi_sim.xmlsafe import Element

_EXCLUSIVE: Final = "exclusive canonical form"
_SIGNATURE: Final = re.compile(rb"<(?:[\w.-]+:)?Signature[\s>].*</(?:[\w.-]+:)?Signature\s*>", re.DOTALL)
_DS: Final = f"{{{DS}}}"
_REFERENCE: Final = f"{_DS}Signature/{_DS}SignedInfo/{_DS}Reference"
_TEMPLATES: Final = (
    (
        (f"{_DS}Signature/{_DS}SignatureValue", f"{_REFERENCE}[@URI='']/{_DS}DigestValue"),
        "value and this digest still empty",
    ),
    ((f"{_REFERENCE}/{_DS}DigestValue",), "value and all digests still empty"),
)
"""What a signer fills in last; each line empties something besides what those before it have emptied."""


def target_of(scene: Scene | None, *, comments: bool = False, with_signature: bool = False) -> Element | None:
    """Return the signed element in its document, read again; None when no element of a document is signed."""
    if scene is None or scene.target is None:
        return None
    root = xmlsafe.parse(scene.raw, comments=comments)
    elements = list(root.iter("*"))
    target = elements[scene.target]
    if scene.signature is not None and not with_signature:
        _remove(elements[scene.signature])
    return target


def _remove(element: Element) -> None:
    """Take an element out and leave the text behind it."""
    parent, previous = element.getparent(), element.getprevious()
    assert parent is not None, "an enveloped signature stands in something"
    if previous is None:
        parent.text = (parent.text or "") + (element.tail or "")
    else:
        previous.tail = (previous.tail or "") + (element.tail or "")
    parent.remove(element)


def other_canonical_form(content: Content) -> Iterator[Candidate]:
    """Yield the element in the canonical forms that its transforms do not name."""
    target = target_of(content.scene)
    if target is None:
        return
    yield Candidate(xmlsafe.exclusive_c14n(target), _EXCLUSIVE)
    yield Candidate(xmlsafe.document_of(target), "inclusive canonical form, as a document of its own")
    yield Candidate(xmlsafe.inclusive_c14n(target), "inclusive canonical form, in its place in the document")


def comments_signed(content: Content) -> Iterator[Candidate]:
    """Yield the element with its comments, which the canonical form leaves out."""
    target = target_of(content.scene, comments=True)
    if target is None:
        return
    prefixes = sorted(xmlsafe.declared_prefixes(target))
    yield Candidate(xmlsafe.exclusive_c14n(target, comments=True), _EXCLUSIVE)
    yield Candidate(xmlsafe.exclusive_c14n(target, prefixes, comments=True), "inclusive canonical form")
    yield Candidate(xmlsafe.inclusive_c14n(target, comments=True), "inclusive canonical form, in its place")


def signature_left(content: Content) -> Iterator[Candidate]:
    """Yield the document with its signature in it, still without values."""
    scene = content.scene
    target = target_of(scene, with_signature=True)
    if scene is None or scene.signature is None or target is None:
        return
    for paths, note in _TEMPLATES:
        for place in chain.from_iterable(map(target.iterfind, paths)):
            place.text = None
        yield Candidate(xmlsafe.exclusive_c14n(target), note)
        yield Candidate(xmlsafe.inclusive_c14n(target), note)


def not_canonical(content: Content) -> Iterator[Candidate]:
    """Yield the octets as they stand in the file."""
    scene = content.scene
    if scene is None:
        return
    if scene.target is None:
        yield Candidate(scene.raw, "the part as it travelled")
        return
    if scene.signature is not None:
        whole = _SIGNATURE.sub(b"", scene.raw, count=1)
        yield Candidate(whole, "the file without its signature")
        yield Candidate(whole.strip(), "the file without its signature and blanks at its ends")
    target = target_of(scene, comments=True)
    if target is not None:
        yield Candidate(xmlsafe.serialize(target, declaration=False), "the element as it stands")
        yield Candidate(xmlsafe.serialize(target), "the element as it stands, with XML declaration")


def content_alone(content: Content) -> Iterator[Candidate]:
    """Yield what stands in the element without its own tags."""
    target = target_of(content.scene)
    if target is None:
        return
    children = [xmlsafe.exclusive_c14n(child) for child in target]
    yield Candidate(b"".join(children), "all children")
    if children:
        yield Candidate(children[0], "the first child")


def canonical_part(content: Content) -> Iterator[Candidate]:
    """Yield the canonical form of a part that is to be signed as it is."""
    if content.scene is None or content.scene.target is not None:
        return
    root = tree_of(content.octets)
    if root is not None:
        yield Candidate(xmlsafe.exclusive_c14n(root), _EXCLUSIVE)
        yield Candidate(xmlsafe.inclusive_c14n(deepcopy(root)), "inclusive canonical form")
