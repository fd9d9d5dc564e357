"""Accidents that befall any octets, XML or not: line ends, encodings, marks and ends of files."""

import re
import unicodedata
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from typing import Final

from eessi_sim.verification.accidents.model import Candidate, Content

_BOM: Final = b"\xef\xbb\xbf"
_DECLARATION: Final = re.compile(rb"<\?xml\s[^>]{0,200}\?>(\r\n|\n|\r)?")
_DECLARATIONS: Final = tuple(
    f"<?xml version={quote}1.0{quote}{middle}?>{end}".encode()
    for quote in ('"', "'")
    for middle in (
        f" encoding={quote}UTF-8{quote}",
        f" encoding={quote}utf-8{quote}",
        "",
        f" encoding={quote}UTF-8{quote} standalone={quote}yes{quote}",
        f" encoding={quote}UTF-8{quote} standalone={quote}no{quote}",
    )
    for end in ("", "\n", "\r\n")
)
_BYTE_CHARSETS: Final = ("latin-1", "cp1252", "iso8859-2", "cp1250", "iso8859-15")
"""Encodings for which products of the participating countries take UTF-8 by mistake (our choice, inferred)."""
_WIDE_CHARSETS: Final = ("utf-16-le", "utf-16-be", "utf-16")
_ENDS: Final = (b"\r\n", b"\n", b"\r")
_ESCAPED: Final = re.compile(rb"&amp;(amp|lt|gt|quot|apos|#[0-9]{1,7}|#x[0-9A-Fa-f]{1,6});")
_NAMED: Final = {b"amp": b"&amp;", b"lt": b"&lt;", b"gt": b"&gt;", b"quot": b'"', b"apos": b"'"}


def nothing(_content: Content) -> Iterator[Candidate]:
    """Yield no octets at all."""
    yield Candidate(b"")


def lf_became_crlf(content: Content) -> Iterator[Candidate]:
    """Yield the content with LF instead of CR LF, or of the reference that canonical XML has for CR."""
    yield Candidate(content.octets.replace(b"\r\n", b"\n"))
    yield Candidate(content.octets.replace(b"&#xD;\n", b"\n"))


def crlf_became_lf(content: Content) -> Iterator[Candidate]:
    """Yield the content with CR LF instead of LF; in canonical XML a carriage return is a reference."""
    plain = content.octets.replace(b"\r\n", b"\n")
    yield Candidate(plain.replace(b"\n", b"\r\n"))
    yield Candidate(content.octets.replace(b"\n", b"&#xD;\n"))


def carriage_returns(content: Content) -> Iterator[Candidate]:
    """Yield the content with lone carriage returns in place of line feeds, and without any."""
    yield Candidate(content.octets.replace(b"\n", b"\r"), "with CR alone")
    yield Candidate(content.octets.replace(b"\r", b"\n"), "with LF alone")
    yield Candidate(content.octets.replace(b"&#xD;", b"\n"), "with LF alone")
    yield Candidate(content.octets.replace(b"&#xD;", b""), "without CR")
    yield Candidate(content.octets.replace(b"\r", b""), "without CR")


def encoded_twice(content: Content) -> Iterator[Candidate]:
    """Yield the text before somebody took its UTF-8 for another encoding and encoded it again."""
    for charset in _BYTE_CHARSETS:
        octets = _recoded(content.octets, "utf-8", charset)
        if octets is not None and _recoded(octets, "utf-8", "utf-8") is not None:
            yield Candidate(octets, f"UTF-8 was taken for {charset}")


def decoded_twice(content: Content) -> Iterator[Candidate]:
    """Yield the text that a signer digests who encodes twice."""
    for charset in _BYTE_CHARSETS:
        octets = _recoded(content.octets, charset, "utf-8")
        if octets is not None:
            yield Candidate(octets, f"UTF-8 was taken for {charset}")


def other_encoding(content: Content) -> Iterator[Candidate]:
    """Yield the text in the encodings that programs have by default."""
    for charset in (*_WIDE_CHARSETS, *_BYTE_CHARSETS):
        octets = _recoded(content.octets, "utf-8", charset)
        if octets is not None:
            yield Candidate(octets, charset)


def _recoded(octets: bytes, old: str, new: str) -> bytes | None:
    try:
        return octets.decode(old).encode(new)
    except UnicodeError:
        return None


def composed(content: Content) -> Iterator[Candidate]:
    """Yield the text with composed letters."""
    yield from _normalised(content, "NFC")


def decomposed(content: Content) -> Iterator[Candidate]:
    """Yield the text with letters and marks apart, as some file systems and forms have it."""
    yield from _normalised(content, "NFD")


def compatible(content: Content) -> Iterator[Candidate]:
    """Yield the text in both compatibility forms."""
    yield from _normalised(content, "NFKC")
    yield from _normalised(content, "NFKD")


def _normalised(content: Content, form: str) -> Iterator[Candidate]:
    try:
        text = content.octets.decode()
    except UnicodeError:
        return
    if not text.isascii():
        yield Candidate(_NORMALISE[form](text).encode(), form)


_NORMALISE: Final[dict[str, Callable[[str], str]]] = {
    "NFC": lambda text: unicodedata.normalize("NFC", text),
    "NFD": lambda text: unicodedata.normalize("NFD", text),
    "NFKC": lambda text: unicodedata.normalize("NFKC", text),
    "NFKD": lambda text: unicodedata.normalize("NFKD", text),
}


def mark_added(content: Content) -> Iterator[Candidate]:
    """Yield the content without byte order mark."""
    if content.octets.startswith(_BOM):
        yield Candidate(content.octets[len(_BOM) :])


def mark_removed(content: Content) -> Iterator[Candidate]:
    """Yield the content with byte order mark."""
    yield Candidate(_BOM + content.octets)


def declaration_added(content: Content) -> Iterator[Candidate]:
    """Yield the content without XML declaration, and without the line end after it."""
    found = _DECLARATION.match(content.octets)
    if found:
        yield Candidate(content.octets[found.end() :])
        yield Candidate(content.octets[found.start(1) if found.group(1) else found.end() :])


def declaration_removed(content: Content) -> Iterator[Candidate]:
    """Yield the content with the XML declarations that serializers write, and with other spellings of its own."""
    found = _DECLARATION.match(content.octets)
    rest = content.octets[found.end() if found else 0 :]
    if rest.startswith(b"<"):
        for declaration in _DECLARATIONS:
            yield Candidate(declaration + rest, declaration.decode().strip())


def end_added(content: Content) -> Iterator[Candidate]:
    """Yield the content without a line end, or any white space, at its end."""
    for end in _ENDS:
        if content.octets.endswith(end):
            yield Candidate(content.octets.removesuffix(end))
    yield Candidate(content.octets.rstrip())
    yield Candidate(content.octets.strip())


def end_removed(content: Content) -> Iterator[Candidate]:
    """Yield the content with a line end, a blank or a zero octet at its end."""
    for end in (*_ENDS, b" ", b"\x00", b"\n\n", b"\r\n\r\n"):
        yield Candidate(content.octets + end, repr(end.decode()))


def base64_signed(content: Content) -> Iterator[Candidate]:
    """Yield the text that a content transfer encoding makes of the content."""
    text = b64encode(content.octets)
    yield Candidate(text, "in one line")
    for width, newline in ((76, b"\r\n"), (76, b"\n"), (64, b"\r\n"), (64, b"\n")):
        lines = [text[start : start + width] for start in range(0, len(text), width)]
        yield Candidate(newline.join(lines), f"in lines of {width}")
        yield Candidate(newline.join(lines) + newline, f"in lines of {width}")


def base64_left(content: Content) -> Iterator[Candidate]:
    """Yield the content of a base64 text that nobody decoded."""
    try:
        yield Candidate(b64decode(b"".join(content.octets.split()), validate=True))
    except ValueError:
        return


def escaped_twice(content: Content) -> Iterator[Candidate]:
    """Yield the text with references that were escaped once more: ``&amp;amp;`` for ``&amp;``."""
    yield Candidate(_ESCAPED.sub(_unescaped, content.octets))


def _unescaped(match: re.Match[bytes]) -> bytes:
    name = match.group(1)
    if not name.startswith(b"#"):
        return _NAMED[name]
    number = int(b"0" + name[1:], 0) if name[1:2] in b"xX" else int(name[1:])
    return chr(number).encode("utf-8", "replace") if number < 0x110000 else match.group()
