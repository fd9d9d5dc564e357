"""Why two octet strings that should be equal are not: the usual accidents, tried one after the other.

A digest cannot be turned round; but a known accident can be undone, and if the digest then fits, that was it.
"""

import hashlib
from collections.abc import Callable, Iterator
from typing import Final

from eessi_sim import xmlsafe
from eessi_sim.as4 import compression
from eessi_sim.as4.ebms_errors import EbmsFault
from eessi_sim.errors import XmlError
from eessi_sim.security.result import ReferenceResult
from eessi_sim.verification.outcome import Difference, in_base64
from eessi_sim.xmlsafe import Element

_ALGORITHM_BY_SIZE: Final = {32: "sha256", 48: "sha384", 64: "sha512"}
_GZIP: Final = b"\x1f\x8b"
_UNKNOWN: Final = "The content was changed after signing, and not by one of the usual accidents"
_EXCERPT: Final = 24
"""Octets that are shown on either side of a difference."""


def difference_of(result: ReferenceResult) -> Difference:
    """Return what is wrong with a reference whose digest does not fit."""
    return Difference(
        result.uri or "the document (URI empty)",
        in_base64(result.digest_expected),
        in_base64(result.digest_found),
        likely_cause(result),
    )


def likely_cause(result: ReferenceResult) -> str:
    """Return a sentence about what probably happened to the signed content."""
    algorithm = _ALGORITHM_BY_SIZE.get(len(result.digest_expected))
    if algorithm is None:
        return "The digest in the signature has the length of no algorithm that is in use"
    for sentence, octets in _undone(result.canonical):
        if hashlib.new(algorithm, octets).digest() == result.digest_expected:
            return sentence
    return _UNKNOWN


def _undone(octets: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield accidents, each with the octets as they were before it."""
    yield "The signature was made over nothing: the signer found no content", b""
    for sentence, undo in _ACCIDENTS:
        before = undo(octets)
        if before is not None:
            yield sentence, before


def _without_blanks(octets: bytes) -> bytes | None:
    """Return the XML without white space between elements, as it was before an editor formatted it."""
    return _edited(octets, _strip_blanks)


def _without_margins(octets: bytes) -> bytes | None:
    """Return the XML with the texts of its leaves stripped."""
    return _edited(octets, _strip_margins)


def _edited(octets: bytes, edit: Callable[[Element], None]) -> bytes | None:
    try:
        root = xmlsafe.parse(octets)
    except XmlError:
        return None
    for element in root.iter():
        edit(element)
    return xmlsafe.exclusive_c14n(root)


def _strip_blanks(element: Element) -> None:
    if len(element) and not (element.text or "").strip():
        element.text = None
    if not (element.tail or "").strip():
        element.tail = None


def _strip_margins(element: Element) -> None:
    _strip_blanks(element)
    if element.text:
        element.text = element.text.strip()


def _decoded_once(octets: bytes) -> bytes | None:
    """Return the text before somebody took its UTF-8 for Latin-1 and encoded it again."""
    try:
        return octets.decode().encode("latin-1")
    except UnicodeError:
        return None


def _decompressed(octets: bytes) -> bytes | None:
    if not octets.startswith(_GZIP):
        return None
    try:
        return compression.decompress(octets)
    except EbmsFault:
        return None


def _unix_lines(octets: bytes) -> bytes:
    return octets.replace(b"\r\n", b"\n").replace(b"&#xD;\n", b"\n")


_ACCIDENTS: Final[tuple[tuple[str, Callable[[bytes], bytes | None]], ...]] = (
    (
        "White space was put between the elements after signing: an editor or tool pretty-printed it",
        _without_blanks,
    ),
    (
        "White space was put around the texts after signing: an editor or tool pretty-printed it",
        _without_margins,
    ),
    ("Line ends were changed after signing, from LF to CR LF", _unix_lines),
    ("Line ends were changed after signing, from CR LF to LF", lambda octets: octets.replace(b"\n", b"\r\n")),
    ("The text was encoded twice: UTF-8 was taken for Latin-1 on the way", _decoded_once),
    ("The part was signed before it was compressed; the compressed octets have to be signed", _decompressed),
)


def first_difference(name: str, expected: bytes, found: bytes) -> Difference:
    """Return where two octet strings part, as a difference with a line number and an excerpt of both."""
    at = next(
        (index for index, (one, other) in enumerate(zip(expected, found, strict=False)) if one != other),
        min(len(expected), len(found)),
    )
    line = found.count(b"\n", 0, at) + 1
    return Difference(
        f"{name}, octet {at + 1}, line {line}",
        _excerpt(expected, at),
        _excerpt(found, at),
        _how_long(expected, found, at),
    )


def _excerpt(octets: bytes, at: int) -> str:
    piece = octets[max(0, at - _EXCERPT) : at + _EXCERPT]
    return repr(piece.decode("utf-8", "backslashreplace"))


def _how_long(expected: bytes, found: bytes, at: int) -> str:
    if at == len(found):
        return f"It ends there, {len(expected) - at} octets too early"
    if at == len(expected):
        return f"{len(found) - at} octets follow that do not belong there"
    if len(expected) == len(found):
        wrong = sum(one != other for one, other in zip(expected, found, strict=True))
        return f"{wrong} of {len(found)} octets differ" if wrong > 1 else "This one octet differs"
    return f"It has {len(found)} octets instead of {len(expected)}"
