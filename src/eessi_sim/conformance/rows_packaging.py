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

from eessi_sim.as4 import msh
from eessi_sim.as4.model import MessageProperty, Payload
from eessi_sim.as4.msh import Packed
from eessi_sim.conformance.bench import Bench
from eessi_sim.conformance.model import Result, expect
from eessi_sim.conformance.network import LIMITS, Range
from eessi_sim.conformance.plays import Play, Stimulus, Wire, edited, fired, replaced, sent, submitted
from eessi_sim.conformance.setting import FK, NAV, POINT, ZUS
from eessi_sim.conformance.wire import SOAP, Answer, Shot
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


def stream(make: Callable[[bytes], bytes], properties: tuple[MessageProperty, ...] = PROPERTIES) -> Play:
    """A signed message whose first part holds what the function makes of the document."""

    def parts(document: bytes) -> list[Payload]:
        return [Payload("sed-1@pl.example", make(document), "application/gzip", properties)]

    return submitted(lambda live: Shot.of(live.packed(parts=parts)))


def good(document: bytes) -> Payload:
    """The document as it should travel."""
    return msh.compressed_payload("sed-1@pl.example", document, "application/xml", "SED")


def attached(content: Callable[[], bytes], number: int = 1) -> Play:
    """A good document with attachments that hold these octets under the name of gzip."""

    def parts(document: bytes) -> list[Payload]:
        octets = content()
        bombs = (
            Payload(f"bomb-{n}@pl.example", octets, "application/gzip", (PROPERTIES[1], PROPERTIES[2]))
            for n in range(number)
        )
        return [good(document), *bombs]

    return submitted(lambda live: Shot.of(live.packed(parts=parts)))


def twice(octets: bytes) -> bytes:
    """Two members, one behind the other."""
    return gzip.compress(octets[:100]) + gzip.compress(octets[100:])


COMPRESSION: tuple[Stimulus | Wire, ...] = (
    Wire("GZ-1", "bomb as document", stream(lambda _: bomb())),
    Wire("GZ-1", "bomb as attachment", attached(bomb), target=ZUS),
    Wire("GZ-1", "ten bombs below the ratio", attached(lambda: gzip.compress(bytes(10_000_000), 9), 60), target=ZUS),
    Stimulus("GZ-2", "nested", stream(lambda octets: gzip.compress(gzip.compress(octets)))),
    Wire("GZ-3", "truncated", stream(lambda octets: gzip.compress(octets)[:-20])),
    Wire("GZ-3", "wrong CRC", stream(lambda octets: gzip.compress(octets)[:-8] + b"abcd" + gzip.compress(octets)[-4:])),
    Wire("GZ-3", "wrong size", stream(lambda octets: gzip.compress(octets)[:-4] + bytes(4))),
    Wire("GZ-4", "garbage behind", stream(lambda octets: gzip.compress(octets) + b"garbage")),
    Wire("GZ-4", "two members", stream(twice)),
    Wire("GZ-5", "no gzip", stream(lambda octets: octets)),
    Stimulus("GZ-6", "gzip that is not announced", stream(gzip.compress, PROPERTIES[:2])),
    Wire("GZ-7", "other compression", edited((GZIP, GZIP.replace("gzip", "zip")))),
)  # fmt: skip


# Size and time.


def raw(head: str, *pieces: bytes) -> Play:
    """Header lines and octets as they are."""
    start = "Host: localhost\r\n"
    end = "Connection: close\r\n\r\n"
    return sent(
        lambda _: Shot(
            octets=(start + head + end).encode("latin-1") + b"".join(pieces[:1]), pieces=pieces[1:]
        )
    )


def chunk(octets: bytes) -> bytes:
    """One chunk of a chunked body."""
    return f"{len(octets):x}\r\n".encode() + octets + b"\r\n"


TYPE = f"Content-Type: {SOAP}\r\n"
CHUNKED = TYPE + "Transfer-Encoding: chunked\r\n"


def many_parts(live: Bench) -> Shot:
    """A thousand parts that no header names."""
    packed = live.plain()
    boundary = packed.body[: packed.body.index(b"\r\n")]
    return Shot.of(
        replace(
            packed,
            body=packed.body.replace(
                boundary + b"--", (boundary + b"\r\n\r\nx\r\n") * 1000 + boundary + b"--"
            ),
        )
    )


def long_header(live: Bench) -> Shot:
    """A part with a header line of 100 kB."""
    packed = live.plain()
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
            _, writer = await live.door(POINT).connect(live.context(FK))
            writer.write(b"POST /x HTTP/1.1\r\n" + Shot(body=b"x" * 10).headers() + b"x")
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
    head = Shot(
        content_type=f'multipart/related; type="application/soap+xml"; boundary="{boundary}"'
    ).headers(Content_Length=str(size))
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
    expect(taken > 1, f"Expected some messages to be taken, found {taken}")
    await live.until(lambda: len(box.messages) == known + taken)
    return Result(answer.outcome, answer.milliseconds)


SIZES: tuple[Stimulus | Wire, ...] = (
    Wire("SZ-1", "length over the limit", raw(TYPE + "Content-Length: 104857601\r\n")),
    Wire("SZ-1", "length beyond all numbers", raw(TYPE + "Content-Length: 99999999999999999999\r\n")),
    Wire("SZ-2", "chunks without end", raw(CHUNKED, *[chunk(b"x" * 1024 * 1024)] * 150)),
    Wire("SZ-3", "many parts", sent(many_parts)),
    Wire("SZ-3", "long header of a part", sent(long_header)),
    Wire("SZ-3", "long HTTP header", raw(TYPE + f"X-Long: {'a' * 100_000}\r\n")),
    Wire("SZ-3", "many HTTP headers", raw(TYPE + "".join(f"X-{n}: a\r\n" for n in range(20_000)))),
    Wire("SZ-4", "body that stops", raw(TYPE + "Content-Length: 10\r\n", b"123")),
    Wire("SZ-4", "header that stops", sent(lambda _: Shot(octets=b"Host: loc"))),
    Wire("SZ-4", "chunk that stops", raw(CHUNKED, b"5\r\nab")),
    Stimulus("SZ-5", "many requests of one client", crowd),
    Stimulus("SZ-5", "many large requests", large_at_once),
    Stimulus("SZ-6", "queue full", full_queue),
)  # fmt: skip


# MIME


def framed(
    content_type: Callable[[str], str] = lambda text: text,
    body: Callable[[bytes], bytes] = lambda octets: octets,
) -> Play:
    """A message with another Content-Type or another frame."""

    def make(live: Bench) -> Shot:
        packed = live.plain()
        return Shot.of(packed, content_type=content_type(packed.content_type), body=body(packed.body))

    return sent(make)


def signed_frame(
    content_type: Callable[[str], str] = lambda text: text,
    body: Callable[[bytes], bytes] = lambda octets: octets,
) -> Play:
    """The same for a message that is signed."""

    def make(live: Bench) -> Shot:
        packed = live.packed()
        return Shot.of(packed, content_type=content_type(packed.content_type), body=body(packed.body))

    return submitted(make)


def boundary(text: str) -> Play:
    """Another boundary in the header."""
    return framed(lambda found: re.sub(r'boundary="[^"]*"', f'boundary="{text}"', found))


def part_header(old: str, new: str) -> Play:
    """Another header line in a part."""
    return framed(body=lambda octets: replaced(octets, (old, new)))


SED_ID = "Content-ID: <sed-1@pl.example>"
ATT_ID = "Content-ID: <att-1@pl.example>"
HREF = 'href="cid:sed-1@pl.example"'
ATT_HREF = 'href="cid:att-1@pl.example"'


def in_base64(live: Bench) -> Shot:
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
    plain = msh.plain_payload("sed-1@pl.example", b"<a  b='1'/>", "application/xml", "SED")
    packed = live.packed(parts=lambda _: [plain])
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


def html(live: Bench) -> Shot:
    """An attachment that says it is a page."""
    page = msh.compressed_payload("att-1@pl.example", b"<script>alert(1)</script>", "text/html", "Attachment")
    return Shot.of(live.packed(parts=lambda document: [good(document), page]))


def without_info(live: Range) -> Shot:
    """The header does not name the attachment."""
    packed = live.unsigned()
    start, end = packed.body.index(b'<eb:PartInfo href="cid:att-1'), packed.body.index(b"</eb:PayloadInfo>")
    return Shot.of(replace(packed, body=packed.body[:start] + packed.body[end:]))


MIME: tuple[Stimulus | Wire, ...] = (
    Wire("MI-1", "no boundary", framed(lambda text: re.sub(r'; boundary="[^"]*"', "", text))),
    Wire("MI-1", "empty boundary", boundary("")),
    Wire("MI-1", "boundary of 71 characters", boundary("b" * 71)),
    Wire("MI-1", "boundary that is not there", boundary("other")),
    Wire("MI-1", "boundary in the content", framed(body=lambda octets: octets.replace(b"<eb:Action>", octets[: octets.index(b"\r\n")].join([b"\n", b"<eb:Action>"]), 1))),
    Wire("MI-2", "no closing boundary", framed(body=lambda octets: octets[:-6])),
    Wire("MI-2", "truncated", framed(body=lambda octets: octets[:-300])),
    Wire("MI-3", "Content-ID twice", part_header(ATT_ID, SED_ID)),
    Wire("MI-3", "two Content-IDs in one part", part_header(ATT_ID, f"{ATT_ID}\r\n{SED_ID}")),
    Wire("MI-4", "no Content-ID", part_header(f"{SED_ID}\r\n", "")),
    Wire("MI-5", "start names no part", framed(lambda text: re.sub(r'start="[^"]*"', 'start="<x@y>"', text))),
    Wire("MI-5", "start names the SED", framed(lambda text: re.sub(r'start="[^"]*"', 'start="<sed-1@pl.example>"', text))),
    Wire("MI-6", "no type", framed(lambda text: text.replace('type="application/soap+xml"; ', ""))),
    Wire("MI-6", "other type", framed(lambda text: text.replace('type="application/soap+xml"', 'type="text/xml"'))),
    Wire("MI-7", "two Content-Types", raw(TYPE + TYPE + "Content-Length: 0\r\n")),
    Wire("MI-7", "two boundaries", framed(lambda text: text + '; boundary="b"')),
    Wire("MI-8", "line end in Content-ID", part_header(SED_ID, "Content-ID: <sed-1\r\n@pl.example>")),
    Wire("MI-8", "line end in href", edited((HREF, 'href="cid:sed-1%0d%0aX:y@pl.example"'))),
    Wire("MI-8", "line end in a property", edited((">SED<", ">S&#13;&#10;X: y<"))),
    Wire("MI-9", "file name ../../x", named_file("../../x")),
    Wire("MI-9", "absolute file name", named_file("/etc/passwd")),
    Wire("MI-9", "device name", named_file("CON")),
    Wire("MI-9", "NUL in file name", named_file("a\0b")),
    Wire("MI-10", "multipart in multipart", part_header("Content-Type: application/gzip", 'Content-Type: multipart/mixed; boundary="x"')),
    Wire("MI-10", "message/rfc822", part_header("Content-Type: application/gzip", "Content-Type: message/rfc822")),
    Wire("MI-10", "message/external-body", part_header("Content-Type: application/gzip", "Content-Type: message/external-body; access-type=URL")),
    Wire("MI-11", "base64", submitted(in_base64)),
    Wire("MI-11", "quoted-printable", part_header("Content-Transfer-Encoding: binary", "Content-Transfer-Encoding: quoted-printable")),
    Wire("MI-11", "broken base64", part_header("Content-Transfer-Encoding: binary", "Content-Transfer-Encoding: base64")),
    Wire("MI-11", "unknown encoding", part_header("Content-Transfer-Encoding: binary", "Content-Transfer-Encoding: x-gzip")),
    Stimulus("MI-12", "part that is not listed", fired(without_info)),
    Wire("MI-13", "PartInfo without part", edited((HREF, 'href="cid:other@pl.example"'))),
    Wire("MI-14", "same href twice", edited((ATT_HREF, HREF))),
    Wire("MI-15", "http", edited((HREF, 'href="http://127.0.0.1:9/sed.xml"'))),
    Wire("MI-15", "file", edited((HREF, 'href="file:///etc/passwd"'))),
    Wire("MI-16", "encoded twins", edited((ATT_HREF, 'href="cid:%73ed-1@pl.example"'))),
    Wire("MI-16", "encoded twice", edited((HREF, 'href="cid:%2573ed-1@pl.example"'))),
    Stimulus("MI-17", "MimeType text/html", submitted(html)),
    Wire("MI-18", "body longer than its length", sent(lambda live: _with_length(live.plain(), -4))),
    Wire("MI-18", "body shorter than its length", sent(lambda live: _with_length(live.plain(), 1))),
    Wire("MI-18", "length and chunked", raw(CHUNKED + "Content-Length: 3\r\n", chunk(b"abc"), chunk(b""))),
    Wire("MI-18", "two lengths", raw(TYPE + "Content-Length: 3\r\nContent-Length: 4\r\n", b"abcd")),
    Wire("MI-18", "chunked twice", raw(TYPE + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", chunk(b"abc"), chunk(b""))),
    Wire("MI-18", "odd transfer encoding", raw(TYPE + "Transfer-Encoding: xchunked\r\n", chunk(b"abc"), chunk(b""))),
    Wire("MI-18", "signed length", raw(TYPE + "Content-Length: +3\r\n", b"abc")),
    Wire("MI-18", "broken chunk", raw(CHUNKED, b"zz\r\nabc\r\n")),
    Wire("MI-19", "folded header", raw(TYPE + "X-A: a\r\n b\r\nContent-Length: 0\r\n")),
    Wire("MI-19", "8-bit header", raw(TYPE + "X-A: \xe9\r\nContent-Length: 0\r\n")),
    Wire("MI-19", "blank before the colon", raw(TYPE + "Content-Length : 0\r\n")),
    Wire("MI-19", "comment in Content-Type", framed(lambda text: text + " (a comment)")),
    Stimulus("MI-20", "type changed on the way", fired(retyped)),
)  # fmt: skip


def _with_length(packed: Packed, more: int) -> Shot:
    """A message whose Content-Length is wrong by some octets."""
    shot = Shot.of(packed)
    length = str(len(packed.body) + more)
    return replace(shot, octets=shot.headers(Content_Length=length) + packed.body)


# TLS


def without_certificate(live: Range) -> Shot:
    """A client without certificate."""
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


TLS: tuple[Stimulus | Wire, ...] = (
    Stimulus("CRT-12", "certificate that is not listed", fired(unlisted)),
    Stimulus("CRT-13", "no certificate", fired(without_certificate)),
    Stimulus("CRT-14", "of another institution", fired(of_another_client)),
    Stimulus("CRT-14", "not of the access point", fired(past_the_access_point), target=ZUS),
    Stimulus("CRT-15", "TLS 1.0", fired(old_version(ssl.TLSVersion.TLSv1))),
    Stimulus("CRT-15", "TLS 1.1", fired(old_version(ssl.TLSVersion.TLSv1_1))),
    Stimulus("CRT-15", "NULL", fired(suites("eNULL:@SECLEVEL=0"))),
    Stimulus("CRT-15", "CBC", fired(suites("AES128-SHA:ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0"))),
    Stimulus("CRT-15", "no forward secrecy", fired(suites("AES128-GCM-SHA256"))),
)  # fmt: skip

STIMULI = (*COMPRESSION, *SIZES, *MIME, *TLS)
