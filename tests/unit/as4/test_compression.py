"""AS4 compression."""

import gzip
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eessi_sim.as4.compression import compress, decompress, pieces
from eessi_sim.as4.ebms_errors import EbmsFault
from eessi_sim.as4.limits import As4Limits

SMALL = replace(As4Limits(), part_bytes=1000, gzip_floor_bytes=100, gzip_ratio=3, gzip_members=4)


def _code(data: bytes, limits: As4Limits = SMALL) -> str:
    with pytest.raises(EbmsFault) as caught:
        decompress(data, limits)
    return caught.value.error_code.code


@given(st.binary(max_size=5000))
def test_content_survives_compression(content: bytes) -> None:
    """What was compressed comes out again, octet by octet."""
    assert decompress(compress(content)) == content


@given(st.binary(max_size=500))
def test_others_can_read_our_stream(content: bytes) -> None:
    """Our stream is gzip for everybody."""
    assert gzip.decompress(compress(content)) == content


def test_equal_content_gives_equal_octets() -> None:
    """The stream carries no time and no name, so that digests repeat."""
    assert compress(b"A003" * 100) == compress(b"A003" * 100)


def test_large_content_survives_chunk_by_chunk() -> None:
    """A stream longer than one chunk is read to its end."""
    content = bytes(range(256)) * 2000 + b"".join(number.to_bytes(4) for number in range(100_000))
    assert decompress(compress(content)) == content


def test_members_are_read_in_a_row() -> None:
    """GZ-4: several members are legal gzip and give the sum of their contents."""
    assert decompress(compress(b"ab") + compress(b"") + compress(b"cd")) == b"abcd"


def test_trailing_garbage_is_refused() -> None:
    """GZ-4: whatever follows the last member must be another member."""
    assert _code(compress(b"ab") + b"\0\0") == "EBMS:0303"


def test_truncated_stream_is_refused() -> None:
    """GZ-3: a stream without its end is refused."""
    assert _code(compress(b"A003")[:-4]) == "EBMS:0303"


def test_wrong_checksum_is_refused() -> None:
    """GZ-3: a stream whose checksum is wrong is refused."""
    stream = bytearray(compress(b"A003"))
    stream[-8] ^= 1
    assert _code(bytes(stream)) == "EBMS:0303"


def test_wrong_size_is_refused() -> None:
    """GZ-3: a stream whose size field is wrong is refused."""
    stream = bytearray(compress(b"A003"))
    stream[-4] ^= 1
    assert _code(bytes(stream)) == "EBMS:0303"


@pytest.mark.parametrize("data", [b"", b"<A003/>", b"PK\x03\x04"])
def test_other_formats_are_refused(data: bytes) -> None:
    """GZ-5: what says gzip and is not is refused."""
    assert _code(data) == "EBMS:0303"


def test_content_over_the_size_limit_is_refused() -> None:
    """GZ-1: reading stops at the size limit, however little was sent."""
    assert _code(compress(bytes(1001)), replace(SMALL, gzip_ratio=10**6)) == "EBMS:0303"


def test_content_over_the_ratio_is_refused() -> None:
    """GZ-1: beyond the floor the ratio counts."""
    assert _code(compress(bytes(200))) == "EBMS:0303"


def test_small_content_may_have_any_ratio() -> None:
    """Below the floor the ratio does not count."""
    assert decompress(compress(bytes(100)), SMALL) == bytes(100)


def test_limits_apply_to_the_sum_of_the_members() -> None:
    """GZ-4: members cannot be used to pass the size limit."""
    assert _code(compress(bytes(90)) * 2, SMALL) == "EBMS:0303"


def test_too_many_members_are_refused() -> None:
    """A stream of countless empty members is refused."""
    assert _code(compress(b"") * 5) == "EBMS:0303"


@pytest.mark.parametrize("size", [0, 1, 1024 * 1024, 1024 * 1024 + 1, 5 * 1024 * 1024])
def test_content_comes_in_small_pieces(size: int) -> None:
    """Whoever only looks at a content holds 1 MB of it, however well it was compressed."""
    found = list(pieces(compress(bytes(size))))
    assert max(map(len, found), default=0) <= 1024 * 1024
    assert b"".join(found) == bytes(size)
