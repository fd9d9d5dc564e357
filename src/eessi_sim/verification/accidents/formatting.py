"""Accidents of editors and pretty-printers: white space between elements, around texts and beside the signature."""

import re
from collections.abc import Iterator
from functools import partial
from typing import Final

from lxml import etree

from eessi_sim.verification.accidents.model import Candidate, Content
from eessi_sim.verification.accidents.xml_edit import canonical, edited, tree_of
from eessi_sim.xmlsafe import Element

_MOST_BLANKS: Final = 40
"""White space beside a signature that is tried octet by octet; more is a formatted document."""
_INDENTS: Final = {
    "  ": "2 blanks",
    "    ": "4 blanks",
    "\t": "a tab",
    "   ": "3 blanks",
    " ": "1 blank",
    "        ": "8 blanks",
    "": "a line end alone",
}
_LEAF: Final = re.compile(rb">([^<>]*)</")
_MOST_LEAVES: Final = 400
"""Texts of a document that are tried one by one; SEDs have some 20 to 300."""
_MARGINS: Final = ((b"", b" "), (b" ", b""), (b"", b"\n"), (b" ", b" "), (b"\n", b"\n"))


def blanks_beside_signature(content: Content) -> Iterator[Candidate]:
    """Yield the document with less white space where the signature was taken out."""
    if not content.is_enveloped:
        return
    start, blanks, end = _ending(content.octets)
    if not blanks or len(blanks) > _MOST_BLANKS:
        return
    yield Candidate(start + end)
    for size in range(1, len(blanks)):
        yield Candidate(start + blanks[:size] + end)
        yield Candidate(start + blanks[size:] + end)


def blanks_lost_beside_signature(content: Content) -> Iterator[Candidate]:
    """Yield the document with a line end, and an indent, where the signature was taken out."""
    if not content.is_enveloped:
        return
    start, blanks, end = _ending(content.octets)
    for lost in (
        "\n",
        *(f"\n{indent}" for indent in _INDENTS if indent),
        *(f"\n{each}\n" for each in _INDENTS),
    ):
        yield Candidate(start + lost.encode() + blanks + end, repr(lost))


def _ending(octets: bytes) -> tuple[bytes, bytes, bytes]:
    """Return a document in three pieces: up to its last white space, that white space, the last end tag."""
    at = max(0, octets.rfind(b"</"))
    start = octets[:at].rstrip(b" \t\n")
    return start, octets[len(start) : at], octets[at:]


def blanks_between(content: Content) -> Iterator[Candidate]:
    """Yield the XML without white space between elements, as it was before an editor formatted it."""
    return edited(content, _strip_all_blanks)


def blanks_around_texts(content: Content) -> Iterator[Candidate]:
    """Yield the XML with the texts of its leaves stripped, with and without white space between elements."""
    yield from edited(content, _strip_margins)
    yield from edited(content, _strip_leaves)


def _strip_all_blanks(root: Element) -> None:
    for element in root.iter():
        if len(element) and _is_blank(element.text):
            element.text = None
        if _is_blank(element.tail):
            element.tail = None


def _strip_leaves(root: Element) -> None:
    for element in root.iter():
        if not len(element) and element.text:
            element.text = element.text.strip()


def _strip_margins(root: Element) -> None:
    _strip_all_blanks(root)
    for element in root.iter():
        if element.text:
            element.text = element.text.strip()


def _is_blank(text: str | None) -> bool:
    return not (text or "").strip()


def formatting_removed(content: Content) -> Iterator[Candidate]:
    """Yield a document without any white space between its elements as formatters write it."""
    if not _is_formatted(content.octets):
        yield from _formatted(content)


def formatted_again(content: Content) -> Iterator[Candidate]:
    """Yield a formatted document as other formatters write it."""
    if _is_formatted(content.octets):
        yield from _formatted(content)


def _is_formatted(octets: bytes) -> bool:
    return re.search(rb">\s+<[^/]", octets) is not None


def _formatted(content: Content) -> Iterator[Candidate]:
    for space, name in _INDENTS.items():
        for candidate in edited(content, partial(_indent, space=space)):
            yield Candidate(candidate.octets, f"indented by {name}")
            yield from _without_last_line(content, candidate, name)


def _indent(root: Element, space: str) -> None:
    etree.indent(root, space)


def _without_last_line(content: Content, candidate: Candidate, name: str) -> Iterator[Candidate]:
    """Yield the enveloped document whose signature stood behind the last element or its line end."""
    if content.is_enveloped:
        start, _, end = _ending(candidate.octets)
        yield Candidate(start + end, f"indented by {name}, the signature directly behind the last element")


def blank_lines(content: Content) -> Iterator[Candidate]:
    """Yield the XML without blank lines, and without blanks at line ends."""
    yield Candidate(re.sub(rb"\n[ \t]*(?=\n)", b"", content.octets), "blank lines")
    yield Candidate(re.sub(rb"(?<![ \t])[ \t]++(?=\n)", b"", content.octets), "blanks at line ends")
    yield Candidate(content.octets.replace(b"\t", b"  "), "tabs for two blanks")
    yield Candidate(content.octets.replace(b"\t", b"    "), "tabs for four blanks")
    yield Candidate(content.octets.replace(b"    ", b"\t"), "blanks for tabs")


def text_trimmed(content: Content) -> Iterator[Candidate]:
    """Yield the XML with a blank or line end before, behind or around one of its texts, each in turn."""
    if tree_of(content.octets) is None:
        return
    octets = content.octets
    for number, leaf in enumerate(_LEAF.finditer(octets)):
        if number >= _MOST_LEAVES:
            return
        for before, behind in _MARGINS:
            middle = before + leaf.group(1) + behind
            yield Candidate(
                octets[: leaf.start(1)] + middle + octets[leaf.end(1) :],
                f'of "{_short(leaf.group(1))}"' if leaf.group(1) else "of an empty element",
            )


def _short(octets: bytes) -> str:
    return octets[:40].decode("utf-8", "replace")


def blanks_collapsed(content: Content) -> Iterator[Candidate]:
    """Yield the XML with white space inside its texts collapsed to one blank: in all of them, then in each alone."""
    root = tree_of(content.octets)
    if root is None:
        return
    texts = {leaf: leaf.text for leaf in root.iter() if not len(leaf) and leaf.text}
    broken = {leaf: text for leaf, text in texts.items() if " ".join(text.split()) != text}
    for leaf, text in broken.items():
        leaf.text = " ".join(text.split())
    yield Candidate(canonical(root), "all texts")
    for leaf, text in broken.items():
        for other, before in broken.items():
            other.text = " ".join(text.split()) if other is leaf else before
        yield Candidate(canonical(root), f'the text "{_short((leaf.text or "").encode())}"')


def emptied(content: Content) -> Iterator[Candidate]:
    """Yield the XML without its empty elements, which some data bindings write for values that are not there."""
    root = tree_of(content.octets)
    if root is None:
        return
    while leaves := [leaf for leaf in root.iterdescendants() if _is_empty(leaf)]:
        for leaf in leaves:
            parent = leaf.getparent()
            assert parent is not None, "a descendant has a parent"
            parent.remove(leaf)
    yield Candidate(canonical(root))


def _is_empty(element: Element) -> bool:
    return not len(element) and not element.attrib and not (element.text or "").strip()
