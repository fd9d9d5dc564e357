"""Rows 7.4 and 7.5: compression, size, MIME and HTTP; and the TLS rows of 7.2."""

import asyncio
import base64
import gzip
import re
import ssl
import warnings
from collections.abc import Callable
from dataclasses import replace
from functools import cache

from tests.attacks.live import LIMITS, SOAP, Answer, Range, Shot
from tests.attacks.row import Play, Result, Row, edited, fired, later, replaced
from tests.helpers.lab import FK, NAV, POINT, ZUS

from eessi_sim import sbdh
from eessi_sim.as4 import msh
from eessi_sim.as4.model import MessageProperty, Payload
from eessi_sim.as4.msh import Packed
from eessi_sim.security.keys import Purpose
from eessi_sim.transport.tls import client_context

GZIP = '<eb:Property name="CompressionType">application/gzip</eb:Property>'
PROPERTIES = (
    MessageProperty("PartType", "SED"),
    MessageProperty("MimeType", "application/xml"),
    MessageProperty("CompressionType", "application/gzip"),
)


@cache
def bomb() -> bytes:
    """10 MB of gzip that unpack to 10 GB."""
    return gzip.compress(bytes(1 << 24), 9) * 640


def stream(
    make: Callable[[bytes], bytes], properties: tuple[MessageProperty, ...] = PROPERTIES
) -> Callable[[Range], Shot]:
    """A signed message whose first part holds what the function makes of the document."""

    def shot(live: Range) -> Shot:
        draft = live.draft()
        content = make(sbdh.wrap(draft.header, draft.sed))
        part = Payload("sed-1@pl.example", content, "application/gzip", properties)
        return Shot.of(draft.packed(live.keys[NAV].ebms, payloads=(part,)))

    return shot


def attached(content: bytes, number: int = 1) -> Callable[[Range], Shot]:
    """A good document with attachments that hold these octets under the name of gzip."""

    def shot(live: Range) -> Shot:
        draft = live.draft()
        parts = [
            Payload(f"bomb-{n}@pl.example", content, "application/gzip", (PROPERTIES[1], PROPERTIES[2]))
            for n in range(number)
        ]
        packed = draft.packed(live.keys[NAV].ebms, payloads=(live.payloads(draft)[0], *parts))
        return Shot.of(packed)

    return shot


def twice(octets: bytes) -> bytes:
    return gzip.compress(octets[:100]) + gzip.compress(octets[100:])


DAMAGED = "202 EBMS:0303"
COMPRESSION = [
    Row("GZ-1", "bomb as document", DAMAGED, later(stream(lambda _: bomb())), megabytes=100.0),
    Row("GZ-1", "bomb as attachment", DAMAGED, later(attached(bomb())), target=ZUS, megabytes=100.0),
    Row("GZ-1", "ten bombs below the ratio", DAMAGED, later(attached(gzip.compress(bytes(10_000_000), 9), 60)), target=ZUS),
    Row("GZ-2", "nested", "202 EBMS:0004", later(stream(lambda octets: gzip.compress(gzip.compress(octets))))),
    Row("GZ-3", "truncated", DAMAGED, later(stream(lambda octets: gzip.compress(octets)[:-20]))),
    Row("GZ-3", "wrong CRC", DAMAGED, later(stream(lambda octets: gzip.compress(octets)[:-8] + b"abcd" + gzip.compress(octets)[-4:]))),
    Row("GZ-3", "wrong size", DAMAGED, later(stream(lambda octets: gzip.compress(octets)[:-4] + bytes(4)))),
    Row("GZ-4", "garbage behind", DAMAGED, later(stream(lambda octets: gzip.compress(octets) + b"garbage"))),
    Row("GZ-4", "two members", "202 receipt", later(stream(twice))),
    Row("GZ-5", "no gzip", DAMAGED, later(stream(lambda octets: octets))),
    Row("GZ-6", "gzip that is not announced", "202 EBMS:0004", later(stream(gzip.compress, PROPERTIES[:2]))),
    Row("GZ-7", "other compression", "EBMS:0003", edited((GZIP, GZIP.replace("gzip", "zip")))),
]  # fmt: skip


# Size and time.


def raw(head: str, *pieces: bytes) -> Play:
    """Header lines and octets as they are."""
    start = "POST /x HTTP/1.1\r\nHost: localhost\r\n"
    end = "Connection: close\r\n\r\n"
    return fired(
        lambda _: Shot(
            octets=(start + head + end).encode("latin-1") + b"".join(pieces[:1]), pieces=pieces[1:]
        )
    )


def chunk(octets: bytes) -> bytes:
    """One chunk of a chunked body."""
    return f"{len(octets):x}\r\n".encode() + octets + b"\r\n"


TYPE = f"Content-Type: {SOAP}\r\n"
CHUNKED = TYPE + "Transfer-Encoding: chunked\r\n"


def many_parts(live: Range) -> Shot:
    """A thousand parts that no header names."""
    packed = live.unsigned()
    boundary = packed.body[: packed.body.index(b"\r\n")]
    return Shot.of(
        replace(
            packed,
            body=packed.body.replace(
                boundary + b"--", (boundary + b"\r\n\r\nx\r\n") * 1000 + boundary + b"--"
            ),
        )
    )


def long_header(live: Range) -> Shot:
    packed = live.unsigned()
    return Shot.of(
        replace(
            packed,
            body=packed.body.replace(
                b"Content-ID: <sed", b"X-Long: " + b"a" * 100_000 + b"\r\nContent-ID: <sed", 1
            ),
        )
    )


async def crowd(live: Range) -> Result:
    """More requests with one certificate at the same time than are allowed."""
    opened = []
    try:
        for _ in range(LIMITS.requests_per_client):
            _, writer = await live.connect(POINT, live.context(FK))
            writer.write(Shot(body=b"x" * 10).head() + b"x")
            await writer.drain()
            opened.append(writer)
        await asyncio.sleep(0.3)
        answer = await live.fire(Shot(body=b"x", client=FK))
    finally:
        for writer in opened:
            writer.close()
    return Result(answer.outcome, answer.milliseconds)


async def large_at_once(live: Range) -> Result:
    """Several bodies of the largest size at the same time, each of which would be taken alone."""
    boundary = "b"
    size = 99 * 1024 * 1024
    head = Shot(content_type=f'multipart/related; type="application/soap+xml"; boundary="{boundary}"').head(
        Content_Length=str(size)
    )
    piece = b"x" * (1024 * 1024)

    async def one() -> int:
        answer = await live.fire(Shot(octets=head, pieces=[piece] * 99, client=NAV))
        return answer.status

    statuses = await asyncio.gather(*(one() for _ in range(7)))
    return Result(" ".join(sorted({str(status) for status in statuses})))


async def full_queue(live: Range) -> Result:
    """Messages to a receiver that cannot be reached, until the access point takes no more."""
    box = live.boxes[FK]
    box.away, known = True, len(box.messages)
    try:
        answer = Answer(status=202)
        taken = -1
        while answer.status == 202 and taken < LIMITS.queue:
            taken += 1
            answer = await live.fire(Shot.of(live.ping(FK)))
    finally:
        box.away = False
    assert taken > 1
    await live.until(lambda: len(box.messages) == known + taken)
    return Result(answer.outcome, answer.milliseconds)


SIZES = [
    Row("SZ-1", "length over the limit", "413", raw(TYPE + "Content-Length: 104857601\r\n")),
    Row("SZ-1", "length beyond all numbers", "400", raw(TYPE + "Content-Length: 99999999999999999999\r\n"), note="no number that HTTP counts with"),
    Row("SZ-2", "chunks without end", "413", raw(CHUNKED, *[chunk(b"x" * 1024 * 1024)] * 150), megabytes=350.0),
    Row("SZ-3", "many parts", "EBMS:0007", fired(many_parts)),
    Row("SZ-3", "long header of a part", "EBMS:0007", fired(long_header)),
    Row("SZ-3", "long HTTP header", "400", raw(TYPE + f"X-Long: {'a' * 100_000}\r\n")),
    Row("SZ-3", "many HTTP headers", "400", raw(TYPE + "".join(f"X-{n}: a\r\n" for n in range(20_000)))),
    Row("SZ-4", "body that stops", "408", raw(TYPE + "Content-Length: 10\r\n", b"123")),
    Row("SZ-4", "header that stops", "closed", fired(lambda _: Shot(octets=b"POST /x HTTP/1.1\r\nHost: loc"))),
    Row("SZ-4", "chunk that stops", "408", raw(CHUNKED, b"5\r\nab")),
    Row("SZ-5", "many requests of one client", "503", crowd),
    Row("SZ-5", "many large requests", "400 503", large_at_once, megabytes=1200.0, note="what fits is read and refused as no MIME, the rest is told to come again"),
    Row("SZ-6", "queue full", "EBMS:0021", full_queue),
]  # fmt: skip


# MIME


def framed(
    content_type: Callable[[str], str] = lambda text: text,
    body: Callable[[bytes], bytes] = lambda octets: octets,
) -> Play:
    """A message with another Content-Type or another frame."""

    def make(live: Range) -> Shot:
        packed = live.unsigned()
        return Shot.of(packed, content_type=content_type(packed.content_type), body=body(packed.body))

    return fired(make)


def signed_frame(
    content_type: Callable[[str], str] = lambda text: text,
    body: Callable[[bytes], bytes] = lambda octets: octets,
) -> Play:
    """The same for a message that is signed."""

    def make(live: Range) -> Shot:
        packed = live.packed()
        return Shot.of(packed, content_type=content_type(packed.content_type), body=body(packed.body))

    return later(make)


def boundary(text: str) -> Play:
    return framed(lambda found: re.sub(r'boundary="[^"]*"', f'boundary="{text}"', found))


def part_header(old: str, new: str) -> Play:
    """Another header line in a part."""
    return framed(body=lambda octets: replaced(octets, (old, new)))


SED_ID = "Content-ID: <sed-1@pl.example>"
ATT_ID = "Content-ID: <att-1@pl.example>"
HREF = 'href="cid:sed-1@pl.example"'
ATT_HREF = 'href="cid:att-1@pl.example"'


def in_base64(live: Range) -> Shot:
    """The attachment in base64; digests are made over the decoded octets."""
    packed = live.packed()
    return Shot.of(replace(packed, body=_base64(packed.body)))


def _base64(body: bytes) -> bytes:
    """Encode the last part of a message in base64."""
    line = body[: body.index(b"\r\n")]
    *front, last, end = body.split(b"\r\n" + line)
    head, content = last.split(b"\r\n\r\n", 1)
    coded = head.replace(b": binary", b": base64") + b"\r\n\r\n" + base64.encodebytes(content)
    return (b"\r\n" + line).join([*front, coded, end])


def retyped(live: Range) -> Shot:
    """XML that is called something else on its way, so that its digest means something else."""
    draft = live.draft()
    plain = msh.plain_payload("sed-1@pl.example", b"<a  b='1'/>", "application/xml", "SED")
    packed = draft.packed(live.keys[NAV].ebms, payloads=(plain,))
    return Shot.of(
        replace(
            packed,
            body=packed.body.replace(b"Content-Type: application/xml", b"Content-Type: application/pdf"),
        )
    )


def named_file(name: str) -> Play:
    """A file name in an attachment of a message that is otherwise good: MIME headers are not signed."""
    return signed_frame(
        body=lambda octets: octets.replace(
            b"Content-Disposition: attachment",
            f'Content-Disposition: attachment; filename="{name}"'.encode(),
            1,
        )
    )


def html(live: Range) -> Shot:
    """An attachment that says it is a page."""
    draft = live.draft()
    page = msh.compressed_payload("att-1@pl.example", b"<script>alert(1)</script>", "text/html", "Attachment")
    return Shot.of(draft.packed(live.keys[NAV].ebms, payloads=(live.payloads(draft)[0], page)))


def without_info(live: Range) -> Shot:
    """The header does not name the attachment."""
    packed = live.unsigned()
    start, end = packed.body.index(b'<eb:PartInfo href="cid:att-1'), packed.body.index(b"</eb:PayloadInfo>")
    return Shot.of(replace(packed, body=packed.body[:start] + packed.body[end:]))


MIME = [
    Row("MI-1", "no boundary", "400", framed(lambda text: re.sub(r'; boundary="[^"]*"', "", text))),
    Row("MI-1", "empty boundary", "400", boundary("")),
    Row("MI-1", "boundary of 71 characters", "400", boundary("b" * 71)),
    Row("MI-1", "boundary that is not there", "400", boundary("other")),
    Row("MI-1", "boundary in the content", "400", framed(body=lambda octets: octets.replace(b"<eb:Action>", octets[: octets.index(b"\r\n")].join([b"\n", b"<eb:Action>"]), 1))),
    Row("MI-2", "no closing boundary", "EBMS:0007", framed(body=lambda octets: octets[:-6])),
    Row("MI-2", "truncated", "EBMS:0007", framed(body=lambda octets: octets[:-300])),
    Row("MI-3", "Content-ID twice", "EBMS:0007", part_header(ATT_ID, SED_ID)),
    Row("MI-3", "two Content-IDs in one part", "EBMS:0007", part_header(ATT_ID, f"{ATT_ID}\r\n{SED_ID}")),
    Row("MI-4", "no Content-ID", "EBMS:0009", part_header(f"{SED_ID}\r\n", ""), note="the PartInfo that names it has no part: MI-13"),
    Row("MI-5", "start names no part", "EBMS:0007", framed(lambda text: re.sub(r'start="[^"]*"', 'start="<x@y>"', text))),
    Row("MI-5", "start names the SED", "EBMS:0007", framed(lambda text: re.sub(r'start="[^"]*"', 'start="<sed-1@pl.example>"', text))),
    Row("MI-6", "no type", "EBMS:0007", framed(lambda text: text.replace('type="application/soap+xml"; ', ""))),
    Row("MI-6", "other type", "EBMS:0007", framed(lambda text: text.replace('type="application/soap+xml"', 'type="text/xml"'))),
    Row("MI-7", "two Content-Types", "400", raw(TYPE + TYPE + "Content-Length: 0\r\n")),
    Row("MI-7", "two boundaries", "400", framed(lambda text: text + '; boundary="b"')),
    Row("MI-8", "line end in Content-ID", "EBMS:0007", part_header(SED_ID, "Content-ID: <sed-1\r\n@pl.example>")),
    Row("MI-8", "line end in href", "EBMS:0009", edited((HREF, 'href="cid:sed-1%0d%0aX:y@pl.example"'))),
    Row("MI-8", "line end in a property", "EBMS:0103", edited((">SED<", ">S&#13;&#10;X: y<")), note="a text like others, never copied to a header; the message is not signed"),
    Row("MI-9", "file name ../../x", "202 receipt", named_file("../../x")),
    Row("MI-9", "absolute file name", "202 receipt", named_file("/etc/passwd")),
    Row("MI-9", "device name", "202 receipt", named_file("CON")),
    Row("MI-9", "NUL in file name", "EBMS:0007", named_file("a\0b")),
    Row("MI-10", "multipart in multipart", "EBMS:0007", part_header("Content-Type: application/gzip", 'Content-Type: multipart/mixed; boundary="x"')),
    Row("MI-10", "message/rfc822", "EBMS:0007", part_header("Content-Type: application/gzip", "Content-Type: message/rfc822")),
    Row("MI-10", "message/external-body", "EBMS:0007", part_header("Content-Type: application/gzip", "Content-Type: message/external-body; access-type=URL")),
    Row("MI-11", "base64", "202 receipt", later(in_base64)),
    Row("MI-11", "quoted-printable", "EBMS:0007", part_header("Content-Transfer-Encoding: binary", "Content-Transfer-Encoding: quoted-printable")),
    Row("MI-11", "broken base64", "EBMS:0007", part_header("Content-Transfer-Encoding: binary", "Content-Transfer-Encoding: base64")),
    Row("MI-11", "unknown encoding", "EBMS:0007", part_header("Content-Transfer-Encoding: binary", "Content-Transfer-Encoding: x-gzip")),
    Row("MI-12", "part that is not listed", "EBMS:0007", fired(without_info)),
    Row("MI-13", "PartInfo without part", "EBMS:0009", edited((HREF, 'href="cid:other@pl.example"'))),
    Row("MI-14", "same href twice", "EBMS:0009", edited((ATT_HREF, HREF))),
    Row("MI-15", "http", "EBMS:0011", edited((HREF, 'href="http://127.0.0.1:9/sed.xml"'))),
    Row("MI-15", "file", "EBMS:0011", edited((HREF, 'href="file:///etc/passwd"'))),
    Row("MI-16", "encoded twins", "EBMS:0009", edited((ATT_HREF, 'href="cid:%73ed-1@pl.example"'))),
    Row("MI-16", "encoded twice", "EBMS:0009", edited((HREF, 'href="cid:%2573ed-1@pl.example"'))),
    Row("MI-17", "MimeType text/html", "202 EBMS:0004", later(html), note="only allowed types of attachments pass"),
    Row("MI-18", "body longer than its length", "400", fired(lambda live: _with_length(live.unsigned(), -4)), note="a closing boundary that is cut in two is none"),
    Row("MI-18", "body shorter than its length", "408", fired(lambda live: _with_length(live.unsigned(), 1)), note="waited for until the time is over"),
    Row("MI-18", "length and chunked", "400", raw(CHUNKED + "Content-Length: 3\r\n", chunk(b"abc"), chunk(b""))),
    Row("MI-18", "two lengths", "400", raw(TYPE + "Content-Length: 3\r\nContent-Length: 4\r\n", b"abcd")),
    Row("MI-18", "chunked twice", "400", raw(TYPE + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", chunk(b"abc"), chunk(b""))),
    Row("MI-18", "odd transfer encoding", "400", raw(TYPE + "Transfer-Encoding: xchunked\r\n", chunk(b"abc"), chunk(b""))),
    Row("MI-18", "signed length", "400", raw(TYPE + "Content-Length: +3\r\n", b"abc")),
    Row("MI-18", "broken chunk", "400", raw(CHUNKED, b"zz\r\nabc\r\n")),
    Row("MI-19", "folded header", "400", raw(TYPE + "X-A: a\r\n b\r\nContent-Length: 0\r\n")),
    Row("MI-19", "8-bit header", "400", raw(TYPE + "X-A: \xe9\r\nContent-Length: 0\r\n")),
    Row("MI-19", "blank before the colon", "400", raw(TYPE + "Content-Length : 0\r\n")),
    Row("MI-19", "comment in Content-Type", "400", framed(lambda text: text + " (a comment)")),
    Row("MI-20", "type changed on the way", "EBMS:0101", fired(retyped)),
]  # fmt: skip


def _with_length(packed: Packed, more: int) -> Shot:
    """A message whose Content-Length is wrong by some octets."""
    shot = Shot.of(packed)
    length = str(len(packed.body) + more)
    return replace(shot, octets=shot.head(Content_Length=length) + packed.body)


# TLS


def without_certificate(live: Range) -> Shot:
    context = ssl.create_default_context(cafile=str(live.state.pki / "ca.pem"))
    return Shot(body=b"x", context=context)


def old_version(version: ssl.TLSVersion) -> Callable[[Range], Shot]:
    """A client that knows nothing newer."""

    def make(live: Range) -> Shot:
        context = client_context(live.state.tls_identity(NAV))
        context.set_ciphers("ALL:@SECLEVEL=0")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version = context.maximum_version = version
        return Shot(body=b"x", context=context)

    return make


def suites(names: str) -> Callable[[Range], Shot]:
    """A client that knows TLS 1.2 and only these cipher suites."""

    def make(live: Range) -> Shot:
        context = client_context(live.state.tls_identity(NAV))
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers(names)
        return Shot(body=b"x", context=context)

    return make


def unlisted(live: Range) -> Shot:
    """A TLS certificate of the right authority that the directory does not list."""
    identity = live.state.tls_identity(NAV)
    folder = live.state.path / "unlisted"
    folder.mkdir(exist_ok=True)
    keys = live.authority.issue(NAV, Purpose.TLS, country="NO", now=live.state.started_at)
    keys.save(folder / "tls.pem")
    return Shot(
        body=b"x",
        context=client_context(replace(identity, certificate=folder / "tls.pem", key=folder / "tls.key")),
    )


def of_another_client(live: Range) -> Shot:
    """A genuine message of NO:NAVAT07 handed in by SE:FKSE01."""
    return Shot.of(live.packed(), client=FK)


def past_the_access_point(live: Range) -> Shot:
    """A genuine message handed in at its receiver by its sender."""
    return Shot.of(live.packed(), client=NAV, to=ZUS)


TLS = [
    Row("CRT-12", "certificate that is not listed", "403", fired(unlisted)),
    Row("CRT-13", "no certificate", "closed", fired(without_certificate)),
    Row("CRT-14", "of another institution", "EBMS:0101", fired(of_another_client)),
    Row("CRT-14", "not of the access point", "EBMS:0101", fired(past_the_access_point), target=ZUS),
    Row("CRT-15", "TLS 1.0", "closed", fired(old_version(ssl.TLSVersion.TLSv1))),
    Row("CRT-15", "TLS 1.1", "closed", fired(old_version(ssl.TLSVersion.TLSv1_1))),
    Row("CRT-15", "NULL", "closed", fired(suites("eNULL:@SECLEVEL=0"))),
    Row("CRT-15", "CBC", "closed", fired(suites("AES128-SHA:ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0"))),
    Row("CRT-15", "no forward secrecy", "closed", fired(suites("AES128-GCM-SHA256"))),
]  # fmt: skip

ROWS = [*COMPRESSION, *SIZES, *MIME, *TLS]
