"""The safe parser: attacks are refused quickly, honest documents are read, canonical forms are exact."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from eessi_sim import xmlsafe
from eessi_sim.errors import XmlError, XmlForbidden, XmlTooLarge
from eessi_sim.xmlsafe import XmlLimits

LAUGHS = "".join(
    f'<!ENTITY {name} "{f"&{before};" * 10}">' for before, name in zip("abcdefghi", "bcdefghij", strict=True)
)
BILLION_LAUGHS = f'<!DOCTYPE x [<!ENTITY a "ha">{LAUGHS}]><x>&j;</x>'
QUADRATIC = f'<!DOCTYPE x [<!ENTITY a "{"x" * 50_000}">]><x>{"&a;" * 50_000}</x>'
EXTERNAL_DTD = '<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd"><x/>'
EXTERNAL_ENTITY = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x>&a;</x>'
PARAMETER_ENTITY = '<!DOCTYPE x [<!ENTITY % a SYSTEM "http://127.0.0.1:9/x"> %a;]><x/>'

ATTACKS: dict[str, tuple[bytes, type[XmlError]]] = {
    # Document types, at every place and in every encoding that could hide one.
    "plain document type": (b"<!DOCTYPE x><x/>", XmlForbidden),
    "document type behind declaration": (b'<?xml version="1.0"?>\n<!DOCTYPE x><x/>', XmlForbidden),
    "document type behind comment with element": (b"<!-- <x> --><!DOCTYPE x><x/>", XmlForbidden),
    "document type behind instruction": (b"<?a <x> ?> <!DOCTYPE x><x/>", XmlForbidden),
    "document type in UTF-16": ("<!DOCTYPE x><x/>".encode("utf-16"), XmlForbidden),
    "document type in big-endian UTF-16": (
        b"\xfe\xff" + "<!DOCTYPE x><x/>".encode("utf-16-be"),
        XmlForbidden,
    ),
    "document type behind byte order mark": (b"\xef\xbb\xbf<!DOCTYPE x><x/>", XmlForbidden),
    "document type in small letters": (b"<!doctype x><x/>", XmlError),
    "second root with document type": (b"<x/><!DOCTYPE x>", XmlError),
    "external general entity": (EXTERNAL_ENTITY.encode(), XmlForbidden),
    "external general entity in UTF-16": (EXTERNAL_ENTITY.encode("utf-16"), XmlForbidden),
    "parameter entity": (PARAMETER_ENTITY.encode(), XmlForbidden),
    "external DTD": (EXTERNAL_DTD.encode(), XmlForbidden),
    "external DTD behind comment": (b"<!-- <x --><!-- > -->" + EXTERNAL_DTD.encode(), XmlForbidden),
    "billion laughs": (BILLION_LAUGHS.encode(), XmlForbidden),
    "billion laughs in UTF-16": (BILLION_LAUGHS.encode("utf-16"), XmlForbidden),
    "billion laughs in an attribute": (BILLION_LAUGHS.replace(">&j;<", ' a="&j;"><').encode(), XmlForbidden),
    "quadratic blow-up": (QUADRATIC.encode(), XmlForbidden),
    "quadratic blow-up in UTF-16": (QUADRATIC.encode("utf-16"), XmlForbidden),
    "undeclared entity": (b"<x>&secret;</x>", XmlError),
    "undeclared entity in attribute": (b'<x a="&secret;"/>', XmlError),
    # Size and depth.
    "a hundred thousand levels": (b"<x>" * 100_000, XmlTooLarge),
    "one level too many": (b"<x>" * 257 + b"</x>" * 257, XmlTooLarge),
    "a million attributes": (
        b"<x " + b" ".join(b'a%d="1"' % n for n in range(1_000_000)) + b"/>",
        XmlTooLarge,
    ),
    "attributes that take a canonical form half a minute to sort": (
        b"<x " + b" ".join(b"a%d=''" % n for n in range(100_000)) + b"/>",
        XmlTooLarge,
    ),
    "attribute of 11 MB": (b'<x a="' + b"x" * 11_000_000 + b'"/>', XmlTooLarge),
    "text of 11 MB": (b"<x>" + b"x" * 11_000_000 + b"</x>", XmlTooLarge),
    "ten thousand prefixes": (
        b"<x " + b" ".join(b'xmlns:n%d="u:%d"' % (n, n) for n in range(10_000)) + b"/>",
        XmlTooLarge,
    ),
    # Encodings that lie.
    "UTF-7": (b'<?xml version="1.0" encoding="UTF-7"?>+ADw-x/+AD4-', XmlForbidden),
    "UTF-7 behind many blanks": (
        b'<?xml version="1.0" ' + b" " * 9_000 + b"encoding = 'UTF-7' ?><x/>",
        XmlForbidden,
    ),
    "Latin-1": (b'<?xml version="1.0" encoding="ISO-8859-1"?><x>\xe9</x>', XmlForbidden),
    "Latin-1 behind a UTF-8 mark": (
        b"\xef\xbb\xbf<?xml version='1.0' encoding='ISO-8859-1'?><x/>",
        XmlForbidden,
    ),
    "UTF-16 that says UTF-8": ('<?xml version="1.0" encoding="UTF-8"?><x/>'.encode("utf-16"), XmlForbidden),
    "UTF-8 that says UTF-16": (b'<?xml version="1.0" encoding="UTF-16"?><x/>', XmlForbidden),
    "UTF-16 without mark": ("<x/>".encode("utf-16-le"), XmlError),
    "UTF-32": ("<x/>".encode("utf-32"), XmlError),
    "EBCDIC": ('<?xml version="1.0" encoding="cp037"?><x/>'.encode("cp037"), XmlError),
    "half a UTF-16 character": (b"\xff\xfe<\x00x\x00/\x00>", XmlError),
    "lone surrogate in UTF-16": (b"\xff\xfe<\x00x\x00>\x00\x00\xd8<\x00/\x00x\x00>\x00", XmlError),
    "Latin-1 without declaration": (b"<x>\xe9</x>", XmlError),
    "overlong UTF-8": (b"<x>\xc0\xaf</x>", XmlError),
    "surrogate in UTF-8": (b"<x>\xed\xa0\x80</x>", XmlError),
    # Characters that XML does not have.
    "NUL": (b"<x>\x00</x>", XmlError),
    "control character": (b"<x>\x01</x>", XmlError),
    "reference to NUL": (b"<x>&#0;</x>", XmlError),
    "reference to control character": (b"<x>&#x1;</x>", XmlError),
    "reference to control character in XML 1.1": (b'<?xml version="1.1"?><x>&#x1;</x>', XmlError),
    "reference to surrogate": (b"<x>&#xD800;</x>", XmlError),
    # Structure.
    "nothing": (b"", XmlError),
    "blanks": (b" \n", XmlError),
    "text": (b"hello", XmlError),
    "two roots": (b"<x/><x/>", XmlError),
    "text behind root": (b"<x/>more", XmlError),
    "unclosed element": (b"<x><y></x>", XmlError),
    "attribute twice": (b'<x a="1" a="2"/>', XmlError),
    "attribute twice under two prefixes": (b'<x xmlns:p="u" xmlns:q="u" p:a="1" q:a="2"/>', XmlError),
    "unbound prefix": (b"<p:x/>", XmlError),
    "blank in front of declaration": (b' <?xml version="1.0"?><x/>', XmlError),
    "unfinished comment": (b"<!-- <x/>", XmlError),
    "instruction inside": (b"<x><?php x ?></x>", XmlForbidden),
    "instruction inside in UTF-16": ("<x><?php x ?></x>".encode("utf-16"), XmlForbidden),
}


@pytest.mark.parametrize(("data", "kind"), ATTACKS.values(), ids=ATTACKS.keys())
def test_attack_is_refused_with_its_kind_of_error(data: bytes, kind: type[XmlError]) -> None:
    """Every known attack ends in an error of the XML family, never in a document."""
    with pytest.raises(XmlError) as caught:
        xmlsafe.parse(data)
    assert type(caught.value) is kind


@pytest.mark.parametrize(
    "data",
    [
        b"<x/>",
        b'<?xml version="1.0"?><x/>',
        b'<?xml version="1.0" encoding="utf-8"?><x/>',
        b"<?xml version='1.0' encoding = 'US-ASCII'?><x/>",
        b"\xef\xbb\xbf<?xml version='1.0' encoding='UTF-8'?><x/>",
        "<x/>".encode("utf-16"),
        b"\xfe\xff" + '<?xml version="1.0" encoding="UTF-16"?><x/>'.encode("utf-16-be"),
        b"<?style x?><!-- <!DOCTYPE x> --><x/>",
    ],
)
def test_honest_document_is_read(data: bytes) -> None:
    """UTF-8 and UTF-16 are read, with and without mark and declaration, with comments in front."""
    assert xmlsafe.parse(data).tag == "x"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_letters_survive_every_accepted_encoding(encoding: str) -> None:
    """The same document gives the same text in every encoding."""
    assert xmlsafe.parse("<x>Åse Żółć 𝔛</x>".encode(encoding)).text == "Åse Żółć 𝔛"


def test_two_hundred_fifty_six_levels_are_read() -> None:
    """Documents may be as deep as the parser allows, and no deeper."""
    assert len(list(xmlsafe.parse(b"<x>" * 256 + b"</x>" * 256).iter())) == 256


def test_document_type_inside_text_is_text() -> None:
    """A CDATA section may talk about document types."""
    assert xmlsafe.parse(b"<x><![CDATA[<!DOCTYPE x>]]></x>").text == "<!DOCTYPE x>"


def test_instruction_mark_inside_text_is_text() -> None:
    """A CDATA section may talk about instructions."""
    assert xmlsafe.parse(b"<x><![CDATA[<?php ?>]]></x>").text == "<?php ?>"


def test_inclusions_are_not_followed() -> None:
    """XInclude is an element like any other."""
    data = b'<x xmlns:i="http://www.w3.org/2001/XInclude"><i:include href="/etc/passwd" parse="text"/></x>'
    assert [xmlsafe.local_name(child) for child in xmlsafe.parse(data)] == ["include"]


def test_text_split_by_a_comment_is_one_text() -> None:
    """A comment cannot hide half of a value: what is read is what canonical XML digests."""
    root = xmlsafe.parse(b"<x>admin<!-- hidden -->istrator</x>")
    assert (root.text, xmlsafe.exclusive_c14n(root)) == ("administrator", b"<x>administrator</x>")


def test_document_larger_than_the_limit_is_not_parsed() -> None:
    """The size is checked first; even rubbish is only too large."""
    with pytest.raises(XmlTooLarge, match="Expected at most 10 bytes of XML, found 11"):
        xmlsafe.parse(b"not xml....", XmlLimits(max_bytes=10))


def test_number_of_prefixes_is_limited() -> None:
    """One prefix more than allowed is one too many."""
    data = b'<x xmlns:a="urn:a"><y xmlns:b="urn:b"/></x>'
    assert xmlsafe.parse(data, XmlLimits(max_prefixes=2)).tag == "x"
    with pytest.raises(XmlTooLarge, match="Expected at most 1 namespace prefixes, found more"):
        xmlsafe.parse(data, XmlLimits(max_prefixes=1))


def test_number_of_attributes_of_one_element_is_limited() -> None:
    """One attribute more than allowed at one element is one too many; many elements may have some each."""
    data = b'<x><y a="1" b="2"/><y a="1" b="2"/></x>'
    assert xmlsafe.parse(data, XmlLimits(max_attributes=2)).tag == "x"
    with pytest.raises(XmlTooLarge, match="Expected at most 1 attributes at one element, found more"):
        xmlsafe.parse(data, XmlLimits(max_attributes=1))


def test_prefix_declared_again_and_again_counts_once() -> None:
    """Some products declare the same prefix at every element."""
    assert len(xmlsafe.parse(b"<x>" + b'<a:y xmlns:a="urn:a"/>' * 100 + b"</x>")) == 100


def test_document_of_exactly_the_limit_is_parsed() -> None:
    """The limit itself is allowed."""
    assert xmlsafe.parse(b"<x/>", XmlLimits(max_bytes=4)).tag == "x"


def test_syntax_error_names_line_and_column() -> None:
    """A mistake in a document has a place."""
    with pytest.raises(XmlError, match="found at line 2, column 8: ") as caught:
        xmlsafe.parse(b"<x>\n<y></x>")
    assert (caught.value.context["line"], caught.value.context["column"]) == (2, 8)


@given(st.binary(max_size=60) | st.text("<>!?-[]&;#/='\" axDOCTYPE\n", max_size=60).map(str.encode))
def test_no_input_leaves_the_family_of_xml_errors(data: bytes) -> None:
    """Whatever arrives, it is a document or an XmlError."""
    try:
        root = xmlsafe.parse(data)
    except XmlError:
        return
    assert not etree.tostring(root.getroottree()).startswith(b"<!DOCTYPE")


_CHARACTERS = st.text("aé<>&\"' \t\n\r\u2028𝔛", max_size=8)


@given(_CHARACTERS)
def test_escaped_text_is_the_canonical_form(text: str) -> None:
    """Text written with our escapes is what lxml canonicalises."""
    element = etree.Element("x")
    element.text = text
    assert xmlsafe.exclusive_c14n(element).decode() == f"<x>{xmlsafe.escape_text(text)}</x>"


@given(_CHARACTERS)
def test_escaped_attribute_is_the_canonical_form(text: str) -> None:
    """Attribute values written with our escapes are what lxml canonicalises."""
    element = etree.Element("x", a=text)
    assert xmlsafe.exclusive_c14n(element).decode() == f'<x a="{xmlsafe.escape_attribute(text)}"></x>'


@given(_CHARACTERS)
def test_escaped_text_reads_back_as_the_text(text: str) -> None:
    """Escapes lose nothing, not even line ends and tabs."""
    data = f'<x a="{xmlsafe.escape_attribute(text)}">{xmlsafe.escape_text(text)}</x>'.encode()
    root = xmlsafe.parse(data)
    assert (root.get("a"), root.text or "") == (text, text)


SURROUNDED = b'<o:x xmlns:o="urn:o" xmlns:u="urn:u"><i:y xmlns:i="urn:i" b="2" a="1"><z/></i:y>tail</o:x>'


def test_exclusive_form_leaves_out_the_namespaces_around() -> None:
    """Only namespaces that the element uses are part of the exclusive form."""
    inner = xmlsafe.parse(SURROUNDED)[0]
    assert xmlsafe.exclusive_c14n(inner) == b'<i:y xmlns:i="urn:i" a="1" b="2"><z></z></i:y>'


def test_document_of_its_own_keeps_what_it_declares_and_drops_what_stands_around_it() -> None:
    """A signature in the inclusive form covers declarations that no name uses; those of the envelope are foreign."""
    root = xmlsafe.parse(
        b'<e xmlns:o="urn:o"><s:x xmlns:s="urn:s" xmlns:t="urn:t"><y xmlns="urn:y"/></s:x></e>'
    )
    alone = b'<s:x xmlns:s="urn:s" xmlns:t="urn:t"><y xmlns="urn:y"></y></s:x>'
    assert xmlsafe.document_of(root[0]) == alone
    assert xmlsafe.document_of(xmlsafe.parse(alone)) == alone == xmlsafe.inclusive_c14n(xmlsafe.parse(alone))


def test_exclusive_form_keeps_the_prefixes_asked_for() -> None:
    """A prefix list brings namespaces back in, as WS-Security does."""
    inner = xmlsafe.parse(SURROUNDED)[0]
    assert b'xmlns:u="urn:u"' in xmlsafe.exclusive_c14n(inner, ["u"])


def test_inclusive_form_has_the_namespaces_around() -> None:
    """Inclusive canonical XML takes in what the ancestors declare."""
    inner = xmlsafe.parse(SURROUNDED)[0]
    assert xmlsafe.inclusive_c14n(inner).startswith(
        b'<i:y xmlns:i="urn:i" xmlns:o="urn:o" xmlns:u="urn:u" a="1"'
    )


def test_standalone_copy_forgets_what_surrounds_it() -> None:
    """A copy as a document of its own has the same inclusive and exclusive form."""
    copy = xmlsafe.standalone(xmlsafe.parse(SURROUNDED)[0])
    assert copy.getparent() is None
    assert xmlsafe.inclusive_c14n(copy) == xmlsafe.exclusive_c14n(copy)


@pytest.mark.parametrize("canonicalise", [xmlsafe.exclusive_c14n, xmlsafe.inclusive_c14n, xmlsafe.standalone])
def test_relative_namespace_name_has_no_canonical_form(
    canonicalise: Callable[[xmlsafe.Element], object],
) -> None:
    """Canonical XML refuses relative namespace names, and so do we, with our own error."""
    root = xmlsafe.parse(b'<x xmlns:r="relative"><r:y/></x>')
    with pytest.raises(XmlError, match="Expected a canonical form of /x, found a relative namespace name"):
        canonicalise(root)


def test_serialized_element_ends_with_its_end_tag() -> None:
    """The text behind an element does not belong to it."""
    inner = xmlsafe.parse(SURROUNDED)[0]
    assert xmlsafe.serialize(inner, declaration=False).endswith(b"</i:y>")


def test_serialized_element_has_a_declaration_unless_told_otherwise() -> None:
    """A file starts with its encoding, a part of a message does not."""
    root = xmlsafe.parse("<x>é</x>".encode())
    assert xmlsafe.serialize(root).splitlines() == [
        b"<?xml version='1.0' encoding='UTF-8'?>",
        "<x>é</x>".encode(),
    ]


@pytest.mark.parametrize(
    ("data", "name", "uri"),
    [(b"<x/>", "x", ""), (b'<p:x xmlns:p="urn:p"/>', "x", "urn:p"), (b'<x xmlns="urn:d"/>', "x", "urn:d")],
)
def test_name_and_namespace_are_told_apart(data: bytes, name: str, uri: str) -> None:
    """A qualified name is a local name and a namespace."""
    root = xmlsafe.parse(data)
    assert (xmlsafe.local_name(root), xmlsafe.namespace(root)) == (name, uri)


@pytest.mark.parametrize(("data", "text"), [(b"<x> a </x>", "a"), (b"<x/>", "")])
def test_text_of_a_leaf_is_stripped(data: bytes, text: str) -> None:
    """Blanks round a value do not count."""
    assert xmlsafe.text_of(xmlsafe.parse(data)) == text


def test_text_of_nothing_is_empty() -> None:
    """An absent element has no text."""
    assert xmlsafe.text_of(None) == ""


def test_path_has_positions_only_where_names_repeat() -> None:
    """A path is as short as it can be and still unique."""
    root = xmlsafe.parse(b'<x xmlns:p="urn:p"><y/><p:y/><z><w/></z><z><w/></z></x>')
    assert [xmlsafe.path_of(element) for element in root.iter("{*}y", "w")] == [
        "/x/y",
        "/x/y",
        "/x/z[1]/w",
        "/x/z[2]/w",
    ]


def test_comments_are_kept_on_request() -> None:
    """Who writes a document again needs its comments."""
    assert len(xmlsafe.parse(b"<a><!--x--></a>", comments=True)) == 1
    assert len(xmlsafe.parse(b"<a><!--x--></a>")) == 0
