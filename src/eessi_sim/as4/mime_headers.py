"""Header lines of MIME: header blocks and the Content-Type (RFC 2045 5.1, RFC 5322 2.2). No bodies."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from eessi_sim.as4.ebms_errors import EbmsErrorCode, EbmsFault

_WORD: Final = r"[A-Za-z0-9!#$%&'*+.^_`{|}~-]+"
_MEDIA_TYPE: Final = re.compile(rf"\s*({_WORD}/{_WORD})\s*")
_PARAMETER: Final = re.compile(rf';\s*({_WORD})=(?:"((?:[^"\\]|\\.)*)"|([^\s;"]+))\s*')
_NAME: Final = re.compile(_WORD)


@dataclass(frozen=True, slots=True)
class ContentType:
    """A media type in lower case, and its parameters."""

    media_type: str
    parameters: Mapping[str, str]

    @classmethod
    @lru_cache(maxsize=64)  # parts have the same few again and again
    def find(cls, text: str) -> "ContentType | None":
        """Return what ``text`` says, None when it is no Content-Type or gives a parameter twice."""
        match = _MEDIA_TYPE.match(text)
        if match is None or not text.isprintable():
            return None
        media_type, position = match[1].lower(), match.end()
        parameters: dict[str, str] = {}
        while position < len(text):
            match = _PARAMETER.match(text, position)
            if match is None or match[1].lower() in parameters:
                return None
            parameters[match[1].lower()] = match[3] if match[2] is None else _unquoted(match[2])
            position = match.end()
        return cls(media_type, parameters)


def _unquoted(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text) if "\\" in text else text


def read_headers(block: bytes, newline: bytes) -> dict[str, str]:
    """Read a header block into a mapping with lower-case names; folded lines are joined (RFC 5322 2.2.3).

    Args:
        block: the lines without the blank line behind them.
        newline: the line end in use, so that a different one cannot hide a header.

    Raises:
        EbmsFault: 0007 for a line that is no header, a foreign octet, or a header given twice.
    """
    headers: dict[str, str] = {}
    text, end = block.decode("latin-1"), newline.decode()
    if end + " " in text or end + "\t" in text:
        text = text.replace(end + " ", " ").replace(end + "\t", "\t")
    for line in text.split(end):
        written, colon, value = line.partition(":")
        name = _name(written)
        if not colon or name is None or not _is_plain(value):
            raise EbmsFault(
                EbmsErrorCode.MIME_INCONSISTENCY, f"Expected a MIME header line, found {line[:80]!r}"
            )
        if name in headers:
            raise EbmsFault(
                EbmsErrorCode.MIME_INCONSISTENCY, f'Expected header "{name}" once, found it twice'
            )
        headers[name] = value.strip(" \t")
    return headers


@lru_cache(maxsize=64)  # parts have the same few again and again
def _name(text: str) -> str | None:
    return text.lower() if _NAME.fullmatch(text) else None


def _is_plain(value: str) -> bool:
    return value.isascii() and (value.isprintable() or value.replace("\t", "").isprintable())
