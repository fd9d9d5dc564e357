"""Messages that lie elsewhere: taken apart, signed, verified and packed as those in memory."""

import gzip
import os
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.helpers.as4_messages import (
    NOW,
    SENDER,
    TOKEN,
    attachment,
    keys_of,
    packed_message,
    sed_payload,
    trust,
    user_message,
)
from tests.helpers.stretches import stretch_of

from eessi_sim import stretch
from eessi_sim.as4 import compression, mime, msh
from eessi_sim.as4.ebms_errors import EbmsFault
from eessi_sim.as4.limits import As4Limits
from eessi_sim.as4.model import Payload
from eessi_sim.errors import XmlError
from eessi_sim.security import xmldsig
from eessi_sim.stretch import Stretch

FRAME = 'multipart/related; type="application/soap+xml"; boundary="=-b"'
BLOCKS = st.sampled_from(
    [
        b"--=-b",
        b"--=-b--",
        b"\r\n",
        b"\n",
        b" ",
        b"Content-Type: application/soap+xml\r\n",
        b"Content-ID: <a@b>\r\n",
        b"Content-Transfer-Encoding: base64\r\n",
        b"x" * 20,
    ]
)
SOUND = (
    b"--=-b\r\nContent-Type: application/soap+xml\r\n\r\n<E/>\r\n"
    b"--=-b\r\nContent-ID: <a@b>\r\n\r\n%s\r\n--=-b--\r\n"
)


@pytest.fixture(autouse=True, scope="module")
def _small_pieces() -> object:
    """Make pieces so small that every message lies across several of them, and every part elsewhere."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stretch, "PIECE", 64)
        patch.setattr(stretch, "IN_MEMORY", 16)
        yield


def _parts(body: bytes | Stretch) -> object:
    try:
        package = mime.read(FRAME, body)
    except EbmsFault as fault:
        return fault.message
    return [(part.content_id, part.content_type, part.content) for part in (package.root, *package.parts)]


@given(st.lists(BLOCKS, max_size=12), st.binary(max_size=30))
def test_frame_is_cut_alike_wherever_it_lies(blocks: list[bytes], content: bytes) -> None:
    """Sound and broken bodies give the same parts, or the same refusal, from memory and from elsewhere."""
    for body in (b"".join(blocks), SOUND % content, SOUND % b"".join(blocks)):
        expected = _parts(body)
        if expected != "Expected base64 in the part, found an error: Incorrect padding":
            assert _parts(stretch_of(body, b"--=-b\r\n")) == expected


def test_large_message_is_packed_and_verified_like_a_small_one() -> None:
    """The same octets leave, the signature is verified over the stretches, and the parts stay where they are."""
    small = packed_message()
    parts = [replace(each, octets=stretch_of(each.content)) for each in (sed_payload(), attachment())]
    large = msh.pack_large_message(user_message(), parts, keys_of(SENDER.id), token=TOKEN)
    unsigned = b"".join(large.pieces()).partition(b"<ds:SignatureValue>")[0]
    assert unsigned == small.body.partition(b"<ds:SignatureValue>")[0]
    assert [each.digest_value for each in large.digests] == [each.digest_value for each in small.digests]
    unpacked = msh.unpack(small.content_type, stretch_of(small.body))
    assert all(isinstance(part.octets, Stretch) for part in unpacked.parts)
    verified = msh.verify(unpacked, candidates=[keys_of(SENDER.id).certificate], trust=trust(), at=NOW)
    assert verified.references == small.digests
    assert unpacked.body == small.body
    assert b"".join(msh.payload_pieces(unpacked.parts[1])) == b"%PDF-1.7 ..."


def test_base64_of_a_large_part_is_refused() -> None:
    """Decoding would hold the part as a whole; whoever sends large parts sends them as they are."""
    body = SOUND.replace(b"<a@b>\r\n", b"<a@b>\r\nContent-Transfer-Encoding: base64\r\n") % (b"AAAA" * 20)
    with pytest.raises(EbmsFault, match="Expected a large part as binary"):
        mime.read(FRAME, stretch_of(body))


@pytest.mark.parametrize("content", [b"", b"text " * 5000, os.urandom(4096)], ids=["none", "text", "noise"])
def test_stream_of_a_large_content_is_gzip(content: bytes) -> None:
    """Any gzip reader takes it; what does not shrink is stored as it is, what does is compressed."""
    pieces = [content[at : at + 1000] for at in range(0, len(content), 1000)]
    octets = b"".join(compression.compressed(pieces))
    assert gzip.decompress(octets) == content
    assert compression.decompress(octets) == content
    assert compression.decompress(stretch_of(octets)) == content
    assert len(octets) < max(100, 1.1 * len(content))


@pytest.mark.parametrize("media_type", ["application/xml", "text/plain"])
def test_what_must_be_canonical_has_a_limit(media_type: str) -> None:
    """An uncompressed XML or text part of more than a document is not signed: it would have to be held."""
    part = Payload("a@b", Stretch(stretch_of(b"").source, 0, 11 * 1024 * 1024), media_type)
    with pytest.raises(XmlError, match="uncompressed XML"):
        msh.pack_large_message(user_message(), [part], keys_of(SENDER.id), token=TOKEN)


def test_small_xml_elsewhere_is_signed_in_its_canonical_form() -> None:
    """Where a part lies changes nothing about what is signed of it."""
    small = Payload("a@b", stretch_of(b"<a  b='1'/>" + b" " * 20), "application/xml")
    packed = msh.pack_large_message(user_message(), [small], keys_of(SENDER.id), token=TOKEN)
    assert packed.digests[2] == xmldsig.Reference.over(b'<a b="1"></a>', "cid:a@b", xmldsig.SWA_CONTENT)


def test_sed_in_a_part_of_a_gigabyte_is_refused_unread() -> None:
    """What is larger than a document may be is not even fetched."""
    part = Payload("a@b", Stretch(stretch_of(b"").source, 0, 2**30), "application/octet-stream")
    with pytest.raises(EbmsFault, match="in the part of the SED"):
        msh.document_content(part, As4Limits())
