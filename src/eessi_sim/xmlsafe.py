"""The only module that parses XML: hardened parser, limits, canonical forms, names and places.

No document type, no entity, no network, no processing instruction inside a document; size is bounded, and
libxml2 bounds the depth to 256 as long as ``huge_tree`` is off. Comments are dropped while parsing, so that
text split by a comment reads as one text, which is also what canonical XML without comments digests.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from lxml import etree

from eessi_sim.errors import XmlError, XmlForbidden, XmlTooLarge

Element = etree._Element  # noqa: SLF001 - lxml publishes the type only under this name

_DOCTYPE = b"<!DOCTYPE"
_DECLARED_ENCODING = re.compile(rb"""^<\?xml[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")
_ACCEPTED_ENCODINGS: Final = frozenset(
    {"UTF-8", "UTF8", "UTF-16", "UTF-16LE", "UTF-16BE", "US-ASCII", "ASCII"}
)
_UTF16_BOMS: Final = (b"\xff\xfe", b"\xfe\xff")
_PARSER = etree.XMLParser(
    resolve_entities=False,
    no_network=True,
    load_dtd=False,
    dtd_validation=False,
    attribute_defaults=False,
    huge_tree=False,
    remove_comments=True,
    strip_cdata=True,
    collect_ids=False,
    recover=False,
)


@dataclass(frozen=True, slots=True)
class XmlLimits:
    """How much XML we are willing to read in one document."""

    max_bytes: int = 200 * 1024 * 1024
    """Size before parsing; the limit of one decompressed payload part by default."""


DEFAULT_LIMITS: Final = XmlLimits()
ENVELOPE_LIMITS: Final = XmlLimits(max_bytes=1024 * 1024)
"""For SOAP envelopes: headers never need more than 1 MB (our limit, inferred)."""


def parse(data: bytes, limits: XmlLimits = DEFAULT_LIMITS) -> Element:
    """Parse one XML document and return its root element.

    Args:
        data: the document as received; UTF-8 or UTF-16.
        limits: how much we are willing to read.

    Raises:
        XmlTooLarge: larger or deeper than allowed.
        XmlForbidden: has a document type, an entity, a foreign encoding or a processing instruction.
        XmlError: not well-formed.
    """
    if len(data) > limits.max_bytes:
        raise XmlTooLarge(
            f"Expected at most {limits.max_bytes} bytes of XML, found {len(data)}",
            hint="Send a smaller document, or raise the limit in the settings.",
        )
    _refuse_encoding(data)
    _refuse_doctype(data)
    try:
        root = etree.fromstring(data, _PARSER)
    except etree.XMLSyntaxError as error:
        raise _syntax_error(error) from error
    if root.getroottree().docinfo.doctype:  # type: ignore[union-attr] # docinfo is never an Any at runtime
        raise _doctype_error()
    _refuse_instructions(data, root)
    return root


def _refuse_encoding(data: bytes) -> None:
    if data[:2] in _UTF16_BOMS:
        return
    declared = _DECLARED_ENCODING.match(data)
    if declared and declared.group(1).decode().upper() not in _ACCEPTED_ENCODINGS:
        raise XmlForbidden(
            f'Expected encoding UTF-8, found "{declared.group(1).decode()}"', hint="Save the file as UTF-8."
        )


def _refuse_doctype(data: bytes) -> None:
    """Refuse a document type in the prolog before the parser sees it (entities could be many)."""
    at = data.find(_DOCTYPE)
    if at >= 0 and not re.search(rb"<[A-Za-z_:\x80-\xff]", data[:at]):
        raise _doctype_error()


def _doctype_error() -> XmlForbidden:
    return XmlForbidden(
        "Expected no document type, found <!DOCTYPE",
        hint="Remove the DOCTYPE; SEDs and messages never have one.",
    )


def _refuse_instructions(data: bytes, root: Element) -> None:
    if b"<?" in data[2:] and root.xpath("boolean(.//processing-instruction())"):
        raise XmlForbidden(
            "Expected no processing instruction inside the document",
            hint="Remove every <?…?> after the first element.",
        )


def _syntax_error(error: etree.XMLSyntaxError) -> XmlError:
    line, column = error.position
    text = (error.msg or "not well-formed").split(", line ")[0]
    kind = XmlTooLarge if "xcessive depth" in text or "huge" in text.lower() else XmlError
    return kind(
        f"Expected well-formed XML, found at line {line}, column {column}: {text}",
        hint="Open the file in an XML editor; it marks the place.",
        line=line,
        column=column,
    )


def exclusive_c14n(element: Element, inclusive_prefixes: Iterable[str] = ()) -> bytes:
    """Return ``element`` in exclusive canonical form without comments (W3C xml-exc-c14n 1.0).

    The result does not depend on what surrounds the element, except through ``inclusive_prefixes``.
    """
    prefixes = list(inclusive_prefixes)
    return etree.tostring(
        element, method="c14n", exclusive=True, with_comments=False, inclusive_ns_prefixes=prefixes or None
    )


def inclusive_c14n(element: Element) -> bytes:
    """Return ``element`` in canonical form 1.0 without comments (W3C xml-c14n-20010315).

    Namespace declarations of the ancestors are part of the result; pass the root of a document of its own
    when they must not be.
    """
    return etree.tostring(element, method="c14n", exclusive=False, with_comments=False)


def standalone(element: Element) -> Element:
    """Return a copy of ``element`` as root of a document of its own, with only the namespaces it uses."""
    return etree.fromstring(exclusive_c14n(element), _PARSER)


def serialize(element: Element, *, declaration: bool = True) -> bytes:
    """Return ``element`` as UTF-8 bytes, as it stands."""
    return etree.tostring(element, encoding="UTF-8", xml_declaration=declaration)


def local_name(element: Element) -> str:
    """Return the name of ``element`` without its namespace."""
    tag: str = element.tag
    return tag.rpartition("}")[2]


def namespace(element: Element) -> str:
    """Return the namespace of ``element``, empty when it has none."""
    tag: str = element.tag
    return tag[1:].partition("}")[0] if tag.startswith("{") else ""


def text_of(element: Element | None) -> str:
    """Return the stripped text of a leaf, empty when there is none."""
    return (element.text or "").strip() if element is not None else ""


def path_of(element: Element) -> str:
    """Return a readable XPath of ``element``: local names, with a position where siblings share the name."""
    steps: list[str] = []
    current: Element | None = element
    while current is not None:
        name = local_name(current)
        parent = current.getparent()
        if parent is not None:
            same = [child for child in parent if child.tag == current.tag]
            if len(same) > 1:
                name += f"[{same.index(current) + 1}]"
        steps.append(name)
        current = parent
    return "/" + "/".join(reversed(steps))


def escape_text(text: str) -> str:
    """Escape ``text`` as the content of an element in canonical form (c14n 1.0 section 2.3)."""
    if "&" in text or "<" in text or ">" in text or "\r" in text:
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\r", "&#xD;")
    return text


def escape_attribute(text: str) -> str:
    """Escape ``text`` as the value of an attribute in canonical form (c14n 1.0 section 2.3)."""
    for plain, escaped in _ATTRIBUTE_ESCAPES:
        if plain in text:
            text = text.replace(plain, escaped)
    return text


_ATTRIBUTE_ESCAPES: Final = (
    ("&", "&amp;"),
    ("<", "&lt;"),
    ('"', "&quot;"),
    ("\t", "&#x9;"),
    ("\n", "&#xA;"),
    ("\r", "&#xD;"),
)
