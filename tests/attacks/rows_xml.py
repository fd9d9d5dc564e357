"""Rows 7.3: attacks on the parser, in the SOAP envelope and in the document that a message carries."""

from collections.abc import Callable
from dataclasses import replace

from tests.attacks.live import Range, Shot
from tests.attacks.row import Play, Row, edited, fired, later, replaced
from tests.helpers.lab import NAV

from eessi_sim import sbdh
from eessi_sim.as4 import msh, vocabulary

START = "<S12:Envelope"
MESSAGING = "<eb:Messaging "
ACTION = "<eb:Action>Send</eb:Action>"
HTTP = "http://127.0.0.1:9/x"


def doctype(subset: str = "", use: str = "") -> Play:
    """A document type in front of the envelope, and a reference in a value."""
    return edited((START, f"<!DOCTYPE x{subset}>{START}"), (ACTION, f"<eb:Action>Send{use}</eb:Action>"))


def laughs(levels: int = 12) -> str:
    """Ten to the power of twelve laughs."""
    more = "".join(f'<!ENTITY l{n} "' + f"&l{n - 1};" * 10 + '">' for n in range(1, levels))
    return f' [<!ENTITY l0 "ha">{more}]'


def block(text: str) -> Play:
    """One more header block."""
    return edited((MESSAGING, text + MESSAGING))


def attributes(number: int, name: str = "a") -> str:
    """An element with so many attributes."""
    return "<a " + " ".join(f'{name}{n}="urn:{n}"' for n in range(number)) + "/>"


def soap(change: Callable[[bytes], bytes], content_type: str | None = None) -> Play:
    """A message without parts, so that its body is the envelope alone, changed as octets."""

    def make(live: Range) -> Shot:
        draft = live.draft()
        packed = msh.pack_user_message(draft.unit, [], None, token="ab" * 16)
        return Shot.of(
            replace(packed, body=change(packed.body), content_type=content_type or packed.content_type)
        )

    return fired(make)


def in_document(change: Callable[[bytes], bytes]) -> Play:
    """A signed message whose document is changed; found out behind the entrance."""

    def make(live: Range) -> Shot:
        draft = live.draft()
        wrapped = change(sbdh.wrap(draft.header, draft.sed))
        part = msh.compressed_payload("sed-1@pl.example", wrapped, "application/xml", "SED")
        return Shot.of(draft.packed(live.keys[NAV].ebms, payloads=(part,)))

    return later(make)


def behind_declaration(doctype: bytes, use: bytes = b"") -> Callable[[bytes], bytes]:
    """A document type in the document."""

    def change(octets: bytes) -> bytes:
        body = octets[octets.index(b"?>") + 2 :] if octets.startswith(b"<?xml") else octets
        return doctype + replaced(body, (b"<familyName>", b"<familyName>" + use))

    return change


def in_name(content: bytes) -> Callable[[bytes], bytes]:
    """More text in a name of the document."""
    return lambda octets: octets.replace(b"<familyName>", b"<familyName>" + content, 1)


def utf16(octets: bytes) -> bytes:
    """UTF-16 without its mark."""
    return octets.decode().encode("utf-16-le")


ENVELOPE = [
    Row("XML-1", "doctype", "400", doctype()),
    Row("XML-2", "file", "400", doctype(' [<!ENTITY f SYSTEM "file:///etc/hostname">]', "&f;")),
    Row("XML-2", "http", "400", doctype(f' [<!ENTITY f SYSTEM "{HTTP}">]', "&f;")),
    Row("XML-2", "entity without doctype", "400", edited((ACTION, "<eb:Action>Send&f;</eb:Action>"))),
    Row("XML-3", "parameter entity", "400", doctype(f' [<!ENTITY % p SYSTEM "{HTTP}"> %p;]')),
    Row("XML-4", "external subset", "400", doctype(f' SYSTEM "{HTTP}"')),
    Row("XML-4", "XInclude", "EBMS:0103", block(f'<i:include xmlns:i="http://www.w3.org/2001/XInclude" href="{HTTP}"/>'), note="an unknown block, not followed; the message is not signed"),
    Row("XML-4", "schema location", "EBMS:0103", edited((START, f'{START} xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="x {HTTP}"')), note="not followed; the message is not signed"),
    Row("XML-4", "style sheet", "400", soap(lambda octets: octets.replace(b"<eb:Messaging ", b'<?xml-stylesheet href="x"?><eb:Messaging ', 1))),
    Row("XML-5", "billion laughs", "400", doctype(laughs(), "&l11;")),
    Row("XML-6", "quadratic", "400", doctype(' [<!ENTITY a "' + "a" * 100_000 + '">]', "&a;" * 50_000)),
    Row("XML-7", "depth", "400", block("<a>" * 100_000 + "</a>" * 100_000)),
    Row("XML-7", "depth of 300", "400", block("<a>" * 300 + "</a>" * 300)),
    Row("XML-8", "a million attributes", "400", block(attributes(1_000_000))),
    Row("XML-8", "ten thousand attributes", "400", block(attributes(10_000))),
    Row("XML-8", "attribute of 10 MB", "400", block('<a a="' + "a" * 10_000_000 + '"/>')),
    Row("XML-8", "text of 10 MB", "400", block(f"<a>{'a' * 10_000_000}</a>")),
    Row("XML-9", "many namespaces", "400", block(attributes(30_000, "xmlns:n"))),
    Row("XML-10", "UTF-7", "400", soap(lambda octets: b'<?xml version="1.0" encoding="UTF-7"?>' + octets.split(b"?>", 1)[-1])),
    Row("XML-10", "UTF-16 without mark", "400", soap(utf16)),
    Row("XML-10", "charset of the header", "400", soap(lambda octets: octets, "application/soap+xml; charset=iso-8859-1")),
    Row("XML-10", "UTF-16 in UTF-8", "400", soap(lambda octets: octets.decode().encode("utf-16"), "application/soap+xml; charset=utf-8")),
    Row("XML-10", "overlong", "400", soap(lambda octets: octets.replace(b">Send<", b">Se\xc0\xafnd<"))),
    Row("XML-11", "NUL", "400", edited((ACTION, "<eb:Action>Se\0nd</eb:Action>"))),
    Row("XML-11", "escape", "400", edited((ACTION, "<eb:Action>Se\x1bnd</eb:Action>"))),
    Row("XML-11", "lone surrogate", "400", soap(lambda octets: octets.replace(b">Send<", b">Se\xed\xa0\x80nd<"))),
    Row("XML-11", "character reference to NUL", "400", edited((ACTION, "<eb:Action>Se&#0;nd</eb:Action>"))),
    Row("XML-12", "SOAP 1.1", "400", edited((vocabulary.S12, "http://schemas.xmlsoap.org/soap/envelope/"))),
    Row("XML-12", "text/xml", "400", soap(lambda octets: octets, "text/xml; charset=utf-8")),
    Row("XML-13", "mustUnderstand", "EBMS:0009", block('<o:X xmlns:o="urn:o" S12:mustUnderstand="1"/>')),
    Row("XML-13", "mustUnderstand for the next MSH", "EBMS:0009", block(f'<o:X xmlns:o="urn:o" S12:mustUnderstand="true" S12:role="{vocabulary.NEXT_MSH}"/>')),
    Row("XML-14", "two headers", "400", edited(("</S12:Header>", "</S12:Header><S12:Header/>"))),
    Row("XML-14", "two bodies", "400", edited(("</S12:Envelope>", "<S12:Body/></S12:Envelope>"))),
    Row("XML-14", "content behind the root", "400", edited(("</S12:Envelope>", "</S12:Envelope><x/>"))),
    Row("XML-15", "two eb:Messaging", "EBMS:0009", block(f'<eb:Messaging xmlns:eb="{vocabulary.EB}"/>')),
    Row("XML-17", "XPath in an id", "EBMS:0009", edited(("<eb:MessageId>", "<eb:MessageId>' or '1'='1 "))),
]  # fmt: skip

REFUSED = "202 EBMS:0004"
DOCUMENT = [
    Row("XML-1", "doctype in the document", REFUSED, in_document(behind_declaration(b"<!DOCTYPE x>"))),
    Row("XML-2", "file in the document", REFUSED, in_document(behind_declaration(b'<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/hostname">]>', b"&f;"))),
    Row("XML-3", "parameter entity in the document", REFUSED, in_document(behind_declaration(b'<!DOCTYPE x [<!ENTITY % p SYSTEM "http://127.0.0.1:9/"> %p;]>'))),
    Row("XML-4", "XInclude in the document", REFUSED, in_document(in_name(b'<i:include xmlns:i="http://www.w3.org/2001/XInclude" href="file:///etc/hostname"/>'))),
    Row("XML-5", "billion laughs in the document", REFUSED, in_document(behind_declaration(f"<!DOCTYPE x{laughs()}>".encode(), b"&l11;"))),
    Row("XML-6", "quadratic in the document", REFUSED, in_document(behind_declaration(b'<!DOCTYPE x [<!ENTITY a "%s">]>' % (b"a" * 100_000), b"&a;" * 50_000))),
    Row("XML-7", "depth in the document", REFUSED, in_document(in_name(b"<a>" * 100_000 + b"</a>" * 100_000))),
    Row("XML-8", "attributes in the document", "202 EBMS:0303", in_document(in_name(b"<a " + b" ".join(b'a%d=""' % n for n in range(1_000_000)) + b"/>")), note="over 10 MB no document is unpacked"),
    Row("XML-8", "9 MB of text in the document", REFUSED, in_document(in_name(b"a" * 9_000_000)), megabytes=200.0),
    Row("XML-9", "namespaces in the document", REFUSED, in_document(in_name(b"<a " + b" ".join(b'xmlns:n%d="urn:%d"' % (n, n) for n in range(100_000)) + b"/>"))),
    Row("XML-10", "overlong in the document", REFUSED, in_document(in_name(b"\xc0\xaf"))),
    Row("XML-10", "UTF-16 without mark in the document", REFUSED, in_document(utf16)),
    Row("XML-11", "NUL in the document", REFUSED, in_document(in_name(b"\0"))),
    Row("XML-14", "content behind the document", REFUSED, in_document(lambda octets: octets + b"<more/>")),
    Row("XML-16", "long list in the document", REFUSED, in_document(in_name(b"<value>01</value>" * 200_000)), megabytes=500.0),
    Row("XML-16", "backtracking in the document", REFUSED, in_document(lambda octets: octets.replace(b"NO:", b"+1" + b"1-1 " * 20_000 + b"x", 1))),
    Row("XML-17", "XPath in a name of the document", REFUSED, in_document(lambda octets: replaced(octets, (b"A003>", b"A003' or '1'='1>")))),
]  # fmt: skip

ROWS = [*ENVELOPE, *DOCUMENT]
