"""Why a digest does not fit: known accidents are undone one after the other."""

import gzip
from hashlib import sha1, sha256, sha512

import pytest

from eessi_sim.security.result import ReferenceResult
from eessi_sim.verification.causes import difference_of, first_difference, likely_cause


def cause(before: bytes, after: bytes) -> str:
    """The likely cause when ``before`` was signed and ``after`` arrived."""
    return likely_cause(ReferenceResult("", sha256(before).digest(), sha256(after).digest(), after))


@pytest.mark.parametrize(
    ("before", "after", "word"),
    [
        (b"<a><b>1</b></a>", b"<a>\n  <b>1</b>\n</a>", "between the elements"),
        (b"<a><b>1</b></a>", b"<a>\n  <b>\n 1\n </b>\n</a>", "around the texts"),
        (b"one\ntwo", b"one\r\ntwo", "from LF to CR LF"),
        (b"<a>1\n</a>", b"<a>1&#xD;\n</a>", "from LF to CR LF"),
        (b"one\r\ntwo", b"one\ntwo", "from CR LF to LF"),
        ("<a>Åse</a>".encode(), "<a>Åse</a>".encode().decode("latin-1").encode(), "encoded twice"),
        (b"<a/>", gzip.compress(b"<a/>"), "before it was compressed"),
        (b"", b"<a></a>", "made over nothing"),
        (b"<a>1</a>", b"<a>2</a>", "not by one of the usual accidents"),
        (b"1", b"\x1f\x8bno gzip", "not by one of the usual accidents"),
        (b"<a>x<b>1</b>y</a>", b"<a>x<b>1</b>z</a>", "not by one of the usual accidents"),
        (b"1", b"\x80", "not by one of the usual accidents"),
    ],
)
def test_an_accident_is_recognised(before: bytes, after: bytes, word: str) -> None:
    """An accident that can be undone is named."""
    assert word in cause(before, after)


def test_longer_digests_are_tried_with_their_own_algorithm() -> None:
    """The length of the digest tells the algorithm."""
    result = ReferenceResult("", sha512(b"a\nb").digest(), b"", b"a\r\nb")
    assert "from LF to CR LF" in likely_cause(result)


def test_a_digest_of_an_odd_length_is_named() -> None:
    """A digest that no algorithm makes is a finding of its own."""
    result = ReferenceResult("", sha1(b"a", usedforsecurity=False).digest(), b"", b"a")
    assert "length of no algorithm" in likely_cause(result)


def test_a_difference_shows_both_digests_in_base64() -> None:
    """Digests are shown as the signature writes them."""
    difference = difference_of(ReferenceResult("#body", b"\x00" * 32, b"\xff" * 32, b""))
    assert (difference.reference, difference.expected[:4], difference.found[:4]) == ("#body", "AAAA", "////")


def test_the_document_itself_has_a_readable_name() -> None:
    """An empty URI means the document."""
    assert difference_of(ReferenceResult("", b"", b"", b"")).reference == "the document (URI empty)"


@pytest.mark.parametrize(
    ("expected", "found", "where", "why"),
    [
        (b"ab\ncd", b"ab\nce", "f, octet 5, line 2", "This one octet differs"),
        (b"abcd", b"xbcy", "f, octet 1, line 1", "2 of 4 octets differ"),
        (b"abcd", b"ab", "f, octet 3, line 1", "It ends there, 2 octets too early"),
        (b"ab", b"abcd", "f, octet 3, line 1", "2 octets follow that do not belong there"),
        (b"abc", b"axbc", "f, octet 2, line 1", "It has 4 octets instead of 3"),
    ],
)
def test_the_first_difference_has_a_place_and_a_reason(
    expected: bytes, found: bytes, where: str, why: str
) -> None:
    """Two files are compared octet by octet."""
    difference = first_difference("f", expected, found)
    assert (difference.reference, difference.cause) == (where, why)


def test_both_sides_of_a_difference_are_shown() -> None:
    """An excerpt shows what is round the difference, octets that are no text included."""
    difference = first_difference("f", b"Halina", b"H\xfflina")
    assert (difference.expected, difference.found) == ("'Halina'", r"'H\\xfflina'")
