"""A repair is done in a copy, and shown as a fragment before and after."""

from lxml import etree

from eessi_sim import xmlsafe
from eessi_sim.cdm.mend_edits import (
    Drop,
    Edit,
    Rename,
    Reorder,
    Repair,
    SetAttribute,
    SetText,
    Wrap,
    WrapText,
    fragment,
)
from eessi_sim.xmlsafe import Element


def parsed(text: str) -> Element:
    """A tree without comments."""
    return xmlsafe.parse(text.encode())


def done(text: str, *edits: Edit, root: Element) -> str:
    """The text, read with its comments, after edits that were planned on ``root``."""
    frame = etree.Element("frame")
    frame.append(xmlsafe.parse(text.encode(), comments=True))
    twins = dict(zip(root.iter(), frame[0].iter(etree.Element), strict=True))
    Repair("", root, edits).apply(twins)
    return xmlsafe.serialize(frame[0], declaration=False).decode()


def test_text_is_set_behind_comments() -> None:
    """A text that a comment splits is replaced whole."""
    text = "<a>N<!--x-->O</a>"
    root = parsed(text)
    assert done(text, SetText(root, "PL"), root=root) == "<a>PL<!--x--></a>"


def test_attribute_is_set() -> None:
    """An attribute gets its value."""
    root = parsed("<a b='1'/>")
    assert done("<a b='1'/>", SetAttribute(root, "b", "2"), root=root) == '<a b="2"/>'


def test_text_is_wrapped() -> None:
    """A new element takes the text, without blanks; a comment stays in front."""
    text = "<a> N<!--x-->O </a>"
    root = parsed(text)
    assert done(text, WrapText(root, "value"), root=root) == "<a><!--x--><value>NO</value></a>"


def test_children_are_reordered_with_their_comments() -> None:
    """A comment goes along with the element behind it, the white space stays."""
    text = "<r>\n <!--b--><b/>\n  <a/>\n<!--end--></r>"
    root = parsed(text)
    edit = Reorder(root, (root[1], root[0]))
    assert done(text, edit, root=root) == "<r>\n <a/>\n  <!--b--><b/>\n<!--end--></r>"


def test_run_is_wrapped() -> None:
    """Siblings move into a new element, with the comments between them."""
    text = "<r>\n <z/>\n <a/>\n <!--x--><b/>\n</r>"
    root = parsed(text)
    edit = Wrap((root[1], root[2]), "g")
    assert done(text, edit, root=root) == "<r>\n <z/>\n <g>\n <a/>\n <!--x--><b/>\n </g>\n</r>"


def test_first_children_are_wrapped() -> None:
    """The white space in front of the first child is that of its parent."""
    root = parsed("<r>\n <a/>\n</r>")
    assert done("<r>\n <a/>\n</r>", Wrap((root[0],), "g"), root=root) == "<r>\n <g>\n <a/>\n </g>\n</r>"


def test_element_is_dropped() -> None:
    """What stands behind moves up, and the end tag keeps its place."""
    text = "<r>\n  <a/>\n  <b/>\n</r>"
    root = parsed(text)
    assert done(text, Drop(root[1]), root=root) == "<r>\n  <a/>\n</r>"
    assert done(text, Drop(root[0]), root=root) == "<r>\n  <b/>\n</r>"


def test_default_namespace_goes_with_the_name() -> None:
    """A new name without namespace takes the declaration away; prefixes stay."""
    text = '<r><a xmlns="urn:x" xmlns:p="urn:p" p:q="1"><b/></a></r>'
    root = parsed(text)
    edits = (Rename(root[0], "a"), Rename(root[0][0], "b"))
    assert done(text, *edits, root=root) == '<r><a xmlns:p="urn:p" p:q="1"><b/></a></r>'


def test_name_gets_its_prefix() -> None:
    """A new name with a namespace declares it under the prefix."""
    root = parsed("<a><b/></a>")
    edit = Rename(root, "{urn:x}c", "x")
    assert done("<a><b/></a>", edit, root=root) == '<x:c xmlns:x="urn:x"><b/></x:c>'


def test_repair_is_shown_before_and_after() -> None:
    """The tree in which it was planned stays as it is."""
    root = parsed("<r><a>1</a></r>")
    mend = Repair("Write 2.", root[0], [SetText(root[0], "2")]).shown()
    assert (mend.sentence, mend.before, mend.after) == ("Write 2.", "<a>1</a>", "<a>2</a>")
    assert root[0].text == "1"


def test_fragment_is_on_one_line_without_white_space() -> None:
    """Indentation says nothing; texts are escaped, their line ends are blanks."""
    assert fragment(parsed("<a>\n  NO\n</a>")) == "<a> NO </a>"
    assert fragment(parsed("<r>\n <a>1 &lt; 2</a>\n <b/></r>")) == "<r><a>1 &lt; 2</a><b/></r>"


def test_fragment_declares_the_namespaces_that_it_uses() -> None:
    """Names with a prefix can be understood, of elements and attributes; what is not used is left out."""
    text = '<p:r xmlns:p="urn:p" xmlns:q="urn:q" xmlns:n="urn:n" q:a="1" xml:lang="en"><p:b/></p:r>'
    shown = '<p:r xmlns:p="urn:p" xmlns:q="urn:q" q:a="1" xml:lang="en"><p:b/></p:r>'
    assert fragment(parsed(text)) == shown


def test_fragment_shows_a_default_namespace() -> None:
    """The element that brings it says so."""
    assert fragment(parsed('<r xmlns="urn:x"><a/></r>')) == '<r xmlns="urn:x"><a/></r>'


def test_large_fragment_is_an_outline() -> None:
    """Of a large part only some levels are shown, and long texts are cut."""
    root = parsed(f"<r><a><b>{'x' * 200}</b></a>{'<c/>' * 20}<d>{'y' * 200}</d></r>")
    assert fragment(root, 0) == "<r>…</r>"
    assert fragment(root).startswith("<r><a>…</a><c/><c/>")
    assert fragment(root).endswith(f"<d>{'y' * 119}…</d></r>")
