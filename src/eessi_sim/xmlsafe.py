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

_DOCTYPE: Final = b"<!DOCTYPE"
# What may stand in front of the root: blanks, comments, instructions (XML 1.0 section 2.8). Possessive, so that
# no input makes it try twice.
_PROLOG: Final = re.compile(rb"(?:[ \t\r\n]++|<!--.*?-->|<\?.*?\?>)*+", re.DOTALL)
_DECLARED_ENCODING: Final = re.compile(rb"""<\?xml[ \t\r\n][^>]*?encoding[ \t\r\n]*=[ \t\r\n]*["']([^"']*)""")
_DECLARES: Final = b"xmlns:"
_PREFIX: Final = re.compile(rb"xmlns:([^ \t\r\n=]+)")
_IS_OVERFULL: Final = etree.XPath("boolean(descendant-or-self::*[count(@*) > $most])")
_UTF8_BOM: Final = b"\xef\xbb\xbf"
_UTF16_BOMS: Final = (b"\xff\xfe", b"\xfe\xff")
_UTF8_NAMES: Final = ("UTF-8", "UTF8", "US-ASCII", "ASCII")
_UTF16_NAMES: Final = ("UTF-16", "UTF-16LE", "UTF-16BE")


def _parser(*, comments: bool) -> etree.XMLParser:
    return etree.XMLParser(
        encoding="utf-8",  # the parser never guesses: everything was checked or made UTF-8 before
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        attribute_defaults=False,
        huge_tree=False,
        remove_comments=not comments,
        strip_cdata=True,
        collect_ids=False,
        recover=False,
    )


_PARSER: Final = _parser(comments=False)
_COMMENTS_PARSER: Final = _parser(comments=True)


@dataclass(frozen=True, slots=True)
class XmlLimits:
    """How much XML we are willing to read in one document."""

    max_bytes: int = 200 * 1024 * 1024
    """Size before parsing; the limit of one decompressed payload part by default."""
    max_prefixes: int = 64
    """Different namespace prefixes; canonical XML compares them with each other at every element, which takes
    minutes over some hundred of them (our limit, inferred)."""
    max_attributes: int = 256
    """Attributes of one element; canonical XML sorts them by insertion, which takes half a minute for those that
    fit into 1 MB (our limit, inferred)."""


DEFAULT_LIMITS: Final = XmlLimits()
ENVELOPE_LIMITS: Final = XmlLimits(max_bytes=1024 * 1024)
"""For SOAP envelopes: headers never need more than 1 MB (our limit, inferred)."""
DOCUMENT_LIMITS: Final = XmlLimits(max_bytes=10 * 1024 * 1024)
"""For SEDs and their envelope: real ones have 5 to 200 kB, attachments are parts of their own; a node reads,
checks and explains one at a time, and must not be busy with it for minutes (our limit, inferred)."""


def parse(data: bytes, limits: XmlLimits = DEFAULT_LIMITS, *, comments: bool = False) -> Element:
    """Parse one XML document and return its root element.

    Args:
        data: the document as received; UTF-8 or UTF-16.
        limits: how much we are willing to read.
        comments: keep them: to find out whether somebody digested them, or to write the document again.

    Raises:
        XmlTooLarge: larger, deeper or with more prefixes or attributes than allowed.
        XmlForbidden: has a document type, an entity, a foreign encoding or a processing instruction.
        XmlError: not well-formed.
    """
    if len(data) > limits.max_bytes:
        raise XmlTooLarge(
            f"Expected at most {limits.max_bytes} bytes of XML, found {len(data)}",
            hint="Send a smaller document, or raise the limit in the settings.",
        )
    text = _as_utf8(data)
    if text.startswith(_DOCTYPE, _PROLOG.match(text).end()):  # type: ignore[union-attr] # matches any bytes
        raise _doctype_error()
    equals = text.count(b"=")  # as many attributes and declarations as there are at most
    if equals > limits.max_prefixes:
        _refuse_prefixes(text, limits.max_prefixes)
    try:
        root = etree.fromstring(text, _COMMENTS_PARSER if comments else _PARSER)
    except etree.XMLSyntaxError as error:
        raise _syntax_error(error) from error
    _refuse_instructions(text, root)
    if equals > limits.max_attributes:
        _refuse_attributes(root, limits.max_attributes)
    return root


def _as_utf8(data: bytes) -> bytes:
    """Return the document in UTF-8 without byte order mark; nothing else reaches the checks and the parser.

    UTF-16 needs its mark (XML 1.0 section 4.3.3), and the declaration must not contradict the octets: two readers
    that disagree about the encoding would disagree about what was signed.
    """
    accepted: tuple[str, ...] = _UTF8_NAMES
    if data.startswith(_UTF8_BOM):
        data = data[len(_UTF8_BOM) :]
    elif data.startswith(_UTF16_BOMS):
        accepted = _UTF16_NAMES
        try:
            data = data.decode("utf-16").encode()
        except UnicodeDecodeError as error:
            raise XmlError(f"Expected UTF-16 as the byte order mark says, found {error.reason}") from error
    declared = _DECLARED_ENCODING.match(data)
    name = declared.group(1).decode("ascii", "replace") if declared else accepted[0]
    if name.upper() not in accepted:
        raise XmlForbidden(
            f'Expected encoding {accepted[0]}, found "{name[:40]}"', hint="Save the file as UTF-8."
        )
    return data


def _doctype_error() -> XmlForbidden:
    return XmlForbidden(
        "Expected no document type, found <!DOCTYPE",
        hint="Remove the DOCTYPE; SEDs and messages never have one.",
    )


def _refuse_prefixes(text: bytes, most: int) -> None:
    if text.count(_DECLARES) <= most:  # nearly always, and much faster than telling them apart
        return
    prefixes: set[bytes] = set()
    for declaration in _PREFIX.finditer(text):
        prefixes.add(declaration.group(1))
        if len(prefixes) > most:
            raise XmlTooLarge(
                f"Expected at most {most} namespace prefixes, found more",
                hint="Use one prefix per namespace.",
            )


def _refuse_instructions(data: bytes, root: Element) -> None:
    # One octet is found ten times as fast as two, and most documents have no question mark.
    if (
        data.find(b"?", 2) >= 0
        and data.find(b"<?", 2) >= 0
        and root.xpath("boolean(.//processing-instruction())")
    ):
        raise XmlForbidden(
            "Expected no processing instruction inside the document",
            hint="Remove every <?…?> after the first element.",
        )


def _refuse_attributes(root: Element, most: int) -> None:
    if _IS_OVERFULL(root, most=most):
        raise XmlTooLarge(
            f"Expected at most {most} attributes at one element, found more",
            hint="Use child elements for long lists.",
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


def exclusive_c14n(
    element: Element, inclusive_prefixes: Iterable[str] = (), *, comments: bool = False
) -> bytes:
    """Return ``element`` in exclusive canonical form, without comments unless asked for (W3C xml-exc-c14n 1.0).

    The result does not depend on what surrounds the element, except through ``inclusive_prefixes``.

    Raises:
        XmlError: it has no canonical form.
    """
    prefixes = list(inclusive_prefixes) or None
    try:
        return etree.tostring(
            element, method="c14n", exclusive=True, with_comments=comments, inclusive_ns_prefixes=prefixes
        )
    except etree.C14NError as error:
        raise _no_canonical_form(element) from error


def document_of(element: Element) -> bytes:
    """Return ``element`` as a document of its own, in canonical form, with every namespace that it declares itself.

    The exclusive form alone drops declarations that no name uses; a signature in the inclusive form covers them, and
    values such as ``xsi:type`` need them.

    Raises:
        XmlError: it has no canonical form.
    """
    return exclusive_c14n(element, sorted(declared_prefixes(element)))


def declared_prefixes(element: Element) -> set[str]:
    """Return the prefixes that ``element`` or something in it declares; ``#default`` for the default namespace."""
    return {prefix or "#default" for _, (prefix, _) in etree.iterwalk(element, events=("start-ns",))}


def inclusive_c14n(element: Element, *, comments: bool = False) -> bytes:
    """Return ``element`` in canonical form 1.0, without comments unless asked for (W3C xml-c14n-20010315).

    Namespace declarations of the ancestors are part of the result; pass the root of a document of its own
    when they must not be.

    Raises:
        XmlError: it has no canonical form.
    """
    try:
        return etree.tostring(element, method="c14n", exclusive=False, with_comments=comments)
    except etree.C14NError as error:
        raise _no_canonical_form(element) from error


def _no_canonical_form(element: Element) -> XmlError:
    """Relative namespace names have no canonical form (xml-c14n section 1.3)."""
    return XmlError(
        f"Expected a canonical form of {path_of(element)}, found a relative namespace name",
        hint="Use absolute namespace names.",
    )


def standalone(element: Element) -> Element:
    """Return a copy of ``element`` as root of a document of its own, with only the namespaces it uses.

    Raises:
        XmlError: it has no canonical form.
    """
    return etree.fromstring(exclusive_c14n(element), _PARSER)


def serialize(element: Element, *, declaration: bool = True) -> bytes:
    """Return ``element`` as UTF-8 bytes, as it stands, without the text behind it."""
    return etree.tostring(element, encoding="UTF-8", xml_declaration=declaration, with_tail=False)


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
    return text.translate(_IN_TEXT) if _ESCAPED_IN_TEXT.search(text) else text


def escape_attribute(text: str) -> str:
    """Escape ``text`` as the value of an attribute in canonical form (c14n 1.0 section 2.3)."""
    return text.translate(_IN_ATTRIBUTE) if _ESCAPED_IN_ATTRIBUTE.search(text) else text


_IN_TEXT: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#xD;"})
_IN_ATTRIBUTE: Final = str.maketrans(
    {"&": "&amp;", "<": "&lt;", '"': "&quot;", "\t": "&#x9;", "\n": "&#xA;", "\r": "&#xD;"}
)
_ESCAPED_IN_TEXT: Final = re.compile("[&<>\r]")
_ESCAPED_IN_ATTRIBUTE: Final = re.compile('[&<"\t\n\r]')
