"""Each accident that breaks the signature of a message: parts that were compressed again, blocks that were formatted."""

import gzip
import zlib
from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace

import pytest
from tests.helpers.as4_forgery import usual
from tests.helpers.as4_messages import NOW, SED, attachment, packed_message, sed_payload
from tests.helpers.broken_seals import explained_check
from tests.helpers.vectors import needs_vectors, sample

from eessi_sim.as4 import compression, mime, msh
from eessi_sim.as4.model import Payload
from eessi_sim.security import xmldsig
from eessi_sim.security.xmldsig import Reference
from eessi_sim.verification.outcome import Difference

PART = "cid:sed-1@pl.example"
PLAIN = msh.plain_payload("sed-1@pl.example", SED, "application/octet-stream", "SED")
GENERIC = b"<a>\n<b>1</b></a>"


def explained_message(message: msh.Packed) -> tuple[Difference, ...]:
    """The explanations of the signature of a message."""
    return explained_check(msh.to_file(message), name="message-signature").differences


def with_part(content: bytes, signed: bytes | None = None, payload: Payload | None = None) -> msh.Packed:
    """A message whose first part travels as ``content`` while ``signed`` was digested (what it has by default)."""
    part = payload or sed_payload()
    forgery = usual(payloads=(part,))
    digested = part.content if signed is None else signed
    references = (
        *forgery.usual_references()[:2],
        Reference.over(digested, mime.href(part.content_id), xmldsig.SWA_CONTENT),
    )
    packed = replace(forgery, references=references).packed()
    body = packed.body.replace(part.content, content)
    return replace(packed, body=body)


def stream(level: int, system: int, time: int = 0) -> bytes:
    """A gzip stream of the SED as a program would make it."""
    made = gzip.compress(SED, compresslevel=level, mtime=time)
    return made[:8] + bytes([0, system]) + made[10:]


def memory_9() -> bytes:
    """A gzip stream as gzip(1) makes it."""
    made = zlib.compressobj(9, zlib.DEFLATED, 31, 9)
    return made.compress(SED) + made.flush()


@pytest.mark.parametrize(
    ("accident", "message"),
    [
        ("recompressed", with_part(stream(1, 3), stream(9, 0))),
        ("recompressed", with_part(stream(6, 3), stream(6, 10))),
        ("recompressed", with_part(stream(6, 3), memory_9())),
        ("recompressed", with_part(stream(6, 3), stream(6, 3, int(NOW.timestamp()) - 2))),
        ("decompressed", with_part(SED, stream(6, 255), sed_payload())),
        ("compressed-twice", with_part(gzip.compress(stream(6, 3)), stream(6, 3))),
        ("signed-before-compression", with_part(stream(6, 3), SED)),
        ("signed-before-compression", with_part(stream(6, 3), SED.replace(b"&amp;", b"&amp;"))),
        ("base64-signed", with_part(stream(6, 3), b64encode(stream(6, 3)))),
        ("base64-left", with_part(b64encode(stream(6, 3)), stream(6, 3))),
        ("end-added", with_part(SED + b"\r\n", SED, PLAIN)),
        ("end-removed", with_part(SED, SED + b"\r\n", PLAIN)),
        ("byte-order-mark-added", with_part(b"\xef\xbb\xbf" + SED, SED, PLAIN)),
        ("declaration-added", with_part(b'<?xml version="1.0"?>\n' + SED, SED, PLAIN)),
        ("declaration-removed", with_part(SED, b'<?xml version="1.0" encoding="utf-8"?>\r\n' + SED, PLAIN)),
        ("lf-to-crlf", with_part(b"1\r\n2", b"1\n2", replace(PLAIN, octets=b"1\n2"))),
        (
            "canonical-part-signed",
            with_part(b"<a b='1'/>", b'<a b="1"></a>', replace(PLAIN, octets=b"<a/>")),
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_accident_of_a_part_is_named(accident: str, message: msh.Packed) -> None:
    """The explanation of a damaged part names accident and reference, and shows both forms."""
    [found] = explained_message(message)
    assert (found.reference, found.accidents) == (PART, (accident,))
    assert found.comparison is not None


def test_a_recompressed_part_says_how_it_was_made() -> None:
    """Level, header and the program that writes such a header are told."""
    lines = b"".join(b"<line number='%d'>%d</line>" % (number, number * number) for number in range(300))
    arrived, signed = (gzip.compress(lines, level, mtime=0) for level in (1, 9))
    [found] = explained_message(with_part(arrived, signed[:9] + b"\x00" + signed[10:]))
    assert "zlib level 9; header: no time, XFL 2, OS 0 (Java before 16" in found.cause


def test_an_xml_part_that_was_signed_as_it_travelled_is_told() -> None:
    """XML media types are digested in canonical form; signers forget it."""
    content = b"<a b='1'/>"
    part = replace(PLAIN, octets=content, content_type="application/xml")
    [found] = explained_message(with_part(content, content, part))
    assert found.accidents == ("not-canonical",)


@pytest.mark.parametrize(
    ("accident", "edit", "path"),
    [
        (
            "pretty-printed",
            lambda body: body.replace(b"><eb:From>", b">\n<eb:From>"),
            "/UserMessage/PartyInfo",
        ),
        ("prefix-renamed", lambda body: _messaging_with_prefix(body, b"ns2"), "/Messaging"),
        (
            "attribute-added",
            lambda body: body.replace(b"<eb:Messaging ", b'<eb:Messaging S12:relay="true" '),
            "/Messaging",
        ),
    ],
)
def test_an_accident_of_the_header_is_named(accident: str, edit: Callable[[bytes], bytes], path: str) -> None:
    """The header of a message meets the same accidents as a SED."""
    packed = packed_message((attachment(),))
    [found] = explained_message(replace(packed, body=edit(packed.body)))
    assert found.accidents == (accident,)
    assert found.comparison is not None
    assert (found.comparison.path or "").endswith(path)


def _messaging_with_prefix(body: bytes, prefix: bytes) -> bytes:
    for place in (b"<eb:", b"</eb:", b"xmlns:eb="):
        body = body.replace(place, place.replace(b"eb", prefix, 1))
    return body


def test_a_flipped_octet_of_a_part_is_no_accident() -> None:
    """A changed part is told as that, after all ways to compress were tried; nothing is called neutral."""
    content = compression.compress(SED.replace(b"se", b"so"))
    [found] = explained_message(with_part(content))
    assert (found.accidents, found.comparison) == ((), None)
    assert "recompressed" in found.tried
    assert not any("canonical form is the same" in remark for remark in found.remarks)


def test_a_message_with_a_missing_reference_has_no_explanation() -> None:
    """A reference without target is left out; the check itself says what is missing."""
    message = usual(references=(Reference.over(b"", "#gone", xmldsig.EXCLUSIVE),)).packed()
    assert explained_message(message) == ()


@needs_vectors
def test_a_formatted_message_of_another_product_is_explained() -> None:
    """A pull request of EESSI's own product that an editor formatted: both the header and SignedInfo are found."""
    found = explained_check(sample("as4-pullrequest-warning.xml")).differences
    assert [each.accidents for each in found] == [("pretty-printed",), ("pretty-printed",)]
