"""Rows 7.3: attacks on the parser, in the SOAP envelope and in the document that a message carries."""

from collections.abc import Callable
from dataclasses import replace
from uuid import uuid4

from eessi_sim.as4 import msh, vocabulary
from eessi_sim.as4.model import Payload
from eessi_sim.conformance.network import Range
from eessi_sim.conformance.plays import NetworkPlay, Play, Stimulus, Wire, edited, fired, later, replaced
from eessi_sim.conformance.setting import setting
from eessi_sim.conformance.wire import Shot

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


def soap(change: Callable[[bytes], bytes], content_type: str | None = None) -> NetworkPlay:
    """A message without parts, so that its body is the envelope alone, changed as octets."""

    def make(live: Range) -> Shot:
        draft = live.draft()
        packed = msh.pack_user_message(draft.unit, [], None, token=uuid4().hex)
        return Shot.of(
            replace(packed, body=change(packed.body), content_type=content_type or packed.content_type)
        )

    return fired(make)


def in_document(change: Callable[[bytes], bytes]) -> NetworkPlay:
    """A signed message whose document is changed; found out behind the entrance."""

    def make(live: Range) -> Shot:
        return Shot.of(live.packed(parts=part))

    def part(octets: bytes) -> list[Payload]:
        return [msh.compressed_payload("sed-1@pl.example", change(octets), "application/xml", "SED")]

    return later(make)


def behind_declaration(doctype: bytes, use: bytes = b"") -> Callable[[bytes], bytes]:
    """A document type in the document."""

    def change(octets: bytes) -> bytes:
        body = octets[octets.index(b"?>") + 2 :] if octets.startswith(b"<?xml") else octets
        return doctype + replaced(body, (setting().open_tag, setting().open_tag + use))

    return change


def in_name(content: bytes) -> Callable[[bytes], bytes]:
    """More text in a name of the document."""
    return lambda octets: octets.replace(setting().open_tag, setting().open_tag + content, 1)


def utf16(octets: bytes) -> bytes:
    """UTF-16 without its mark."""
    return octets.decode().encode("utf-16-le")


ENVELOPE: tuple[Stimulus | Wire, ...] = (
    Wire("XML-1", "doctype", doctype()),
    Wire("XML-2", "file", doctype(' [<!ENTITY f SYSTEM "file:///etc/hostname">]', "&f;")),
    Wire("XML-2", "http", doctype(f' [<!ENTITY f SYSTEM "{HTTP}">]', "&f;")),
    Wire("XML-2", "entity without doctype", edited((ACTION, "<eb:Action>Send&f;</eb:Action>"))),
    Wire("XML-3", "parameter entity", doctype(f' [<!ENTITY % p SYSTEM "{HTTP}"> %p;]')),
    Wire("XML-4", "external subset", doctype(f' SYSTEM "{HTTP}"')),
    Wire("XML-4", "XInclude", block(f'<i:include xmlns:i="http://www.w3.org/2001/XInclude" href="{HTTP}"/>')),
    Stimulus("XML-4", "schema location", edited((START, f'{START} xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="x {HTTP}"'))),
    Stimulus("XML-4", "style sheet", soap(lambda octets: octets.replace(b"<eb:Messaging ", b'<?xml-stylesheet href="x"?><eb:Messaging ', 1))),
    Wire("XML-5", "billion laughs", doctype(laughs(), "&l11;")),
    Wire("XML-6", "quadratic", doctype(' [<!ENTITY a "' + "a" * 100_000 + '">]', "&a;" * 50_000)),
    Wire("XML-7", "depth", block("<a>" * 100_000 + "</a>" * 100_000)),
    Wire("XML-7", "depth of 300", block("<a>" * 300 + "</a>" * 300)),
    Wire("XML-8", "a million attributes", block(attributes(1_000_000))),
    Wire("XML-8", "ten thousand attributes", block(attributes(10_000))),
    Wire("XML-8", "attribute of 10 MB", block('<a a="' + "a" * 10_000_000 + '"/>')),
    Wire("XML-8", "text of 10 MB", block(f"<a>{'a' * 10_000_000}</a>")),
    Wire("XML-9", "many namespaces", block(attributes(30_000, "xmlns:n"))),
    Stimulus("XML-10", "UTF-7", soap(lambda octets: b'<?xml version="1.0" encoding="UTF-7"?>' + octets.split(b"?>", 1)[-1])),
    Stimulus("XML-10", "UTF-16 without mark", soap(utf16)),
    Stimulus("XML-10", "charset of the header", soap(lambda octets: octets, "application/soap+xml; charset=iso-8859-1")),
    Stimulus("XML-10", "UTF-16 in UTF-8", soap(lambda octets: octets.decode().encode("utf-16"), "application/soap+xml; charset=utf-8")),
    Stimulus("XML-10", "overlong", soap(lambda octets: octets.replace(b">Send<", b">Se\xc0\xafnd<"))),
    Wire("XML-11", "NUL", edited((ACTION, "<eb:Action>Se\0nd</eb:Action>"))),
    Wire("XML-11", "escape", edited((ACTION, "<eb:Action>Se\x1bnd</eb:Action>"))),
    Stimulus("XML-11", "lone surrogate", soap(lambda octets: octets.replace(b">Send<", b">Se\xed\xa0\x80nd<"))),
    Wire("XML-11", "character reference to NUL", edited((ACTION, "<eb:Action>Se&#0;nd</eb:Action>"))),
    Wire("XML-12", "SOAP 1.1", edited((vocabulary.S12, "http://schemas.xmlsoap.org/soap/envelope/"))),
    Stimulus("XML-12", "text/xml", soap(lambda octets: octets, "text/xml; charset=utf-8")),
    Wire("XML-13", "mustUnderstand", block('<o:X xmlns:o="urn:o" S12:mustUnderstand="1"/>')),
    Wire("XML-13", "mustUnderstand for the next MSH", block(f'<o:X xmlns:o="urn:o" S12:mustUnderstand="true" S12:role="{vocabulary.NEXT_MSH}"/>')),
    Wire("XML-14", "two headers", edited(("</S12:Header>", "</S12:Header><S12:Header/>"))),
    Wire("XML-14", "two bodies", edited(("</S12:Envelope>", "<S12:Body/></S12:Envelope>"))),
    Wire("XML-14", "content behind the root", edited(("</S12:Envelope>", "</S12:Envelope><x/>"))),
    Wire("XML-15", "two eb:Messaging", block(f'<eb:Messaging xmlns:eb="{vocabulary.EB}"/>')),
    Wire("XML-17", "XPath in an id", edited(("<eb:MessageId>", "<eb:MessageId>' or '1'='1 "))),
)  # fmt: skip

DOCUMENT: tuple[Stimulus | Wire, ...] = (
    Stimulus("XML-1", "doctype in the document", in_document(behind_declaration(b"<!DOCTYPE x>"))),
    Stimulus("XML-2", "file in the document", in_document(behind_declaration(b'<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/hostname">]>', b"&f;"))),
    Stimulus("XML-3", "parameter entity in the document", in_document(behind_declaration(b'<!DOCTYPE x [<!ENTITY % p SYSTEM "http://127.0.0.1:9/"> %p;]>'))),
    Stimulus("XML-4", "XInclude in the document", in_document(in_name(b'<i:include xmlns:i="http://www.w3.org/2001/XInclude" href="file:///etc/hostname"/>'))),
    Stimulus("XML-5", "billion laughs in the document", in_document(behind_declaration(f"<!DOCTYPE x{laughs()}>".encode(), b"&l11;"))),
    Stimulus("XML-6", "quadratic in the document", in_document(behind_declaration(b'<!DOCTYPE x [<!ENTITY a "%s">]>' % (b"a" * 100_000), b"&a;" * 50_000))),
    Stimulus("XML-7", "depth in the document", in_document(in_name(b"<a>" * 100_000 + b"</a>" * 100_000))),
    Stimulus("XML-8", "attributes in the document", in_document(in_name(b"<a " + b" ".join(b'a%d=""' % n for n in range(1_000_000)) + b"/>"))),
    Stimulus("XML-8", "9 MB of text in the document", in_document(in_name(b"a" * 9_000_000))),
    Stimulus("XML-9", "namespaces in the document", in_document(in_name(b"<a " + b" ".join(b'xmlns:n%d="urn:%d"' % (n, n) for n in range(100_000)) + b"/>"))),
    Stimulus("XML-10", "overlong in the document", in_document(in_name(b"\xc0\xaf"))),
    Stimulus("XML-10", "UTF-16 without mark in the document", in_document(utf16)),
    Stimulus("XML-11", "NUL in the document", in_document(in_name(b"\0"))),
    Stimulus("XML-14", "content behind the document", in_document(lambda octets: octets + b"<more/>")),
    Stimulus("XML-16", "long list in the document", in_document(in_name(b"<value>01</value>" * 200_000))),
    Stimulus("XML-16", "backtracking in the document", in_document(lambda octets: octets.replace(b"NO:", b"+1" + b"1-1 " * 20_000 + b"x", 1))),
    Stimulus("XML-17", "XPath in a name of the document", in_document(lambda octets: replaced(octets, (f"{setting().document}>", f"{setting().document}' or '1'='1>")))),
)  # fmt: skip

STIMULI = (*ENVELOPE, *DOCUMENT)
