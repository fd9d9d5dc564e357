"""MIME frame of AS4 messages: write and read multipart/related, byte by byte; simple SOAP as well.

Sources: ebMS3 core 5.1, SOAP messages with attachments, RFC 2046, 2387, 2392 (documented). What the parts
mean is the business of ``msh``; compression is that of ``compression``.
"""

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote, unquote

from eessi_sim.as4 import vocabulary
from eessi_sim.as4.ebms_errors import EbmsErrorCode, EbmsFault, NotAs4
from eessi_sim.as4.limits import DEFAULT_LIMITS, As4Limits
from eessi_sim.as4.mime_headers import ContentType, read_headers
from eessi_sim.as4.model import Payload
from eessi_sim.stretch import Extent, Stretch, cut, whole

_BOUNDARY: Final = re.compile(r"[A-Za-z0-9'()+_,./:=? -]{0,69}[A-Za-z0-9'()+_,./:=?-]")
_CONTENT_ID: Final = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~:@\[\]()-]{1,255}")
_PADDING: Final = b" \t"
_BOM: Final = b"\xef\xbb\xbf"
_UTF16_BOMS: Final = (b"\xff\xfe", b"\xfe\xff")
_UNCHANGED: Final = frozenset({"binary", "8bit", "7bit"})


@dataclass(frozen=True, slots=True)
class Part:
    """One MIME part: its content after removal of the transfer encoding."""

    content_id: str | None
    content_type: str
    octets: Extent = field(repr=False)

    @property
    def content(self) -> bytes:
        """The octets as a whole."""
        return whole(self.octets)


@dataclass(frozen=True, slots=True)
class Package:
    """A message taken out of its frame: the SOAP part, and the payload parts in their order."""

    root: Part
    parts: tuple[Part, ...] = ()


def href(content_id: str) -> str:
    """Return the ``cid:`` URI of ``content_id`` (RFC 2392)."""
    return "cid:" + quote(content_id, safe="!$&'()*+,;=:@/-._~")


def content_id_of(uri: str) -> str:
    """Return the Content-ID that a ``cid:`` URI names: decoded once, so that variants compare as equal."""
    return unquote(uri.removeprefix("cid:"))


def write(boundary: str, root_id: str, envelope: bytes, payloads: Sequence[Payload]) -> tuple[str, bytes]:
    """Frame an envelope and its payloads as one piece; arguments and errors as ``frame``."""
    content_type, pieces = frame(boundary, root_id, envelope, payloads)
    return content_type, b"".join(map(whole, pieces))


def frame(
    boundary: str, root_id: str, envelope: bytes, payloads: Sequence[Payload]
) -> tuple[str, Sequence[Extent]]:
    """Frame an envelope and its payloads.

    Args:
        boundary: text that occurs in none of the parts.
        root_id: Content-ID of the SOAP part.
        envelope: the SOAP envelope, UTF-8.
        payloads: parts in the order of the header; none gives simple SOAP.

    Returns:
        The HTTP Content-Type, and the body piece by piece.

    Raises:
        EbmsFault: 0007 when a part cannot be framed as it is.
    """
    if not payloads:
        return vocabulary.SOAP_CONTENT_TYPE, [envelope]
    delimiter = f"--{boundary}".encode()
    if any(delimiter in content for content in (envelope, *(payload.octets for payload in payloads))):
        raise _inconsistent(
            "Expected a boundary that no part contains", "Send the message with another token."
        )
    chunks: list[Extent] = [delimiter, _header_block(root_id, vocabulary.SOAP_CONTENT_TYPE), envelope]
    for payload in payloads:
        header = _header_block(
            payload.content_id, payload.content_type, "Content-Disposition: attachment\r\n"
        )
        chunks += [b"\r\n" + delimiter, header, payload.octets]
    chunks.append(b"\r\n" + delimiter + b"--\r\n")
    content_type = (
        f'multipart/related; type="{vocabulary.SOAP_MEDIA_TYPE}"; start="<{root_id}>"; boundary="{boundary}"'
    )
    return content_type, chunks


def _header_block(content_id: str, content_type: str, more: str = "") -> bytes:
    """Return the header of a part; ids and types cannot smuggle further headers into it."""
    if not _CONTENT_ID.fullmatch(content_id):
        raise _inconsistent(
            f'Expected a Content-ID of at most 255 plain characters, found "{content_id[:80]}"'
        )
    if ContentType.find(content_type) is None or not content_type.isascii():
        raise _inconsistent(f"Expected a media type, found {content_type[:80]!r}")
    return (
        f"\r\nContent-ID: <{content_id}>\r\nContent-Type: {content_type}\r\n"
        f"Content-Transfer-Encoding: binary\r\n{more}\r\n"
    ).encode()


def read(
    content_type: str, body: Extent, limits: As4Limits = DEFAULT_LIMITS, *, lenient: bool = False
) -> Package:
    """Take a message out of its frame.

    Args:
        content_type: HTTP header of the message.
        body: the octets as received; parts of what lies elsewhere are not fetched unless they are small.
        limits: how much we are willing to read.
        lenient: accept a multipart without ``type``.

    Raises:
        NotAs4: the frame is none of those that AS4 knows.
        EbmsFault: 0007 when the frame contradicts itself.
    """
    if len(body) > limits.body_bytes:
        raise _not_as4(f"Expected a message of at most {limits.body_bytes} bytes, found {len(body)}")
    frame = ContentType.find(content_type)
    if frame is None:
        raise _not_as4(f"Expected one Content-Type, found {content_type[:120]!r}")
    if frame.media_type == vocabulary.SOAP_MEDIA_TYPE:
        root = Part(None, content_type, body)
        _check_encoding(root, frame)
        return Package(root)
    if frame.media_type != "multipart/related":
        raise _not_as4(
            f"Expected multipart/related or {vocabulary.SOAP_MEDIA_TYPE}, found {frame.media_type[:80]}",
            "AS4 uses SOAP 1.2; text/xml announces SOAP 1.1.",
        )
    if not lenient and "type" not in frame.parameters:
        raise _inconsistent('Expected the parameter "type" in the Content-Type of a multipart/related')
    return _related(_split(body, frame, limits), frame)


def sniff(data: bytes) -> tuple[str, bytes]:
    """Find out how a stored message without its HTTP header is framed.

    Args:
        data: file content; a byte order mark and blank lines in front are dropped.

    Returns:
        A Content-Type and the body, for ``read`` in its lenient form.

    Raises:
        NotAs4: the data begins neither with a boundary nor with XML.
    """
    if data.startswith(_UTF16_BOMS):
        return vocabulary.SOAP_MEDIA_TYPE, data
    body = data.removeprefix(_BOM).lstrip(b"\r\n\t ")
    if body.startswith(b"<"):
        return vocabulary.SOAP_MEDIA_TYPE, body
    first = body[:200].partition(b"\n")[0].rstrip(b"\r\t ").decode("latin-1")
    if first.startswith("--") and _BOUNDARY.fullmatch(first, 2):
        return f'multipart/related; boundary="{first[2:]}"', body
    raise _not_as4("Expected a MIME boundary or XML at the start of the file")


def _related(parts: Sequence[Part], frame: ContentType) -> Package:
    """Tell the SOAP part from the payloads (RFC 2387 3.2)."""
    _check_unique_ids(parts)
    start = frame.parameters.get("start")
    wanted = _bare(start) if start is not None else parts[0].content_id
    root = next((part for part in parts if part.content_id == wanted), None)
    if root is None:
        raise _inconsistent(f"Expected a part with the Content-ID of start={start!r}, found none")
    root_type = _content_type(root.content_type)
    if root_type.media_type != vocabulary.SOAP_MEDIA_TYPE:
        raise _inconsistent(
            f'Expected "{vocabulary.SOAP_MEDIA_TYPE}" as root part, found "{root_type.media_type}"'
        )
    announced = frame.parameters.get("type", root_type.media_type)
    if announced.lower() != root_type.media_type:
        raise _inconsistent(f'Expected the type of the root part in "type", found "{announced[:80]}"')
    _check_encoding(root, root_type)
    return Package(root, tuple(part for part in parts if part is not root))


def _check_unique_ids(parts: Sequence[Part]) -> None:
    ids = [part.content_id for part in parts if part.content_id is not None]
    if len(set(ids)) < len(ids):
        doubles = {content_id for content_id in ids if ids.count(content_id) > 1}
        raise _inconsistent(f"Expected each Content-ID once, found twice: {min(doubles)[:80]!r}")


def _check_encoding(root: Part, root_type: ContentType) -> None:
    """Refuse a ``charset`` that contradicts the octets: two readers must never see two texts."""
    charset = root_type.parameters.get("charset", "").upper()
    is_utf16 = cut(root.octets, 0, 2) in _UTF16_BOMS
    allowed = ("", "UTF-16") if is_utf16 else ("", "UTF-8", "US-ASCII")
    if charset not in allowed:
        raise _not_as4(
            f'Expected charset "{allowed[1]}" as in the octets, found "{charset[:40]}"', "Send UTF-8."
        )


@dataclass(frozen=True, slots=True)
class Section:
    """Where one part of a multipart stands in the body."""

    start: int
    """Behind the delimiter, at the line end in front of the header."""
    content: int
    """Behind the blank line."""
    end: int


def sections(content_type: str, body: Extent, limits: As4Limits = DEFAULT_LIMITS) -> tuple[Section, ...]:
    """Return where the parts of a multipart stand, in the order of the body; none of simple SOAP.

    Args:
        content_type: HTTP header of the message.
        body: a message that ``read`` takes.
        limits: as for ``read``.
    """
    frame = ContentType.find(content_type)
    if frame is None or frame.media_type == vocabulary.SOAP_MEDIA_TYPE:
        return ()
    spans, newline = _cut(body, frame, limits)
    blank = newline * 2
    return tuple(Section(start, body.find(blank, start, end) + len(blank), end) for start, end in spans)


def _split(body: Extent, frame: ContentType, limits: As4Limits) -> list[Part]:
    spans, newline = _cut(body, frame, limits)
    return [_read_part(body, start, end, newline, limits) for start, end in spans]


def _cut(body: Extent, frame: ContentType, limits: As4Limits) -> tuple[list[tuple[int, int]], bytes]:
    """Cut the body at the boundary (RFC 2046 5.1.1); line ends are CRLF, or LF throughout."""
    boundary = frame.parameters.get("boundary", "")
    if not _BOUNDARY.fullmatch(boundary):
        raise _not_as4(f"Expected a boundary of 1 to 70 characters, found {boundary[:80]!r}")
    delimiter = b"--" + boundary.encode()
    begin = 0 if body.startswith(delimiter) else body.find(b"\n" + delimiter) + 1
    if not body.startswith(delimiter, begin):
        raise _not_as4("Expected the boundary of the Content-Type in the body, found none")
    newline = _line_end(body, begin + len(delimiter))
    if newline == b"\n" and begin and body[begin - 2 : begin - 1] == b"\r":
        raise _elsewhere()
    return _spans(body, begin + len(delimiter), newline, delimiter, limits), newline


def _line_end(body: Extent, position: int) -> bytes:
    """Return the line end behind the first boundary; every other one of the frame must be the same."""
    rest = body[position : position + 80].lstrip(_PADDING)
    for newline in (b"\r\n", b"\n"):
        if rest.startswith(newline):
            return newline
    raise _not_as4("Expected a line end behind the boundary, found something else")


def _spans(
    body: Extent, position: int, newline: bytes, delimiter: bytes, limits: As4Limits
) -> list[tuple[int, int]]:
    """Return where each part begins and ends, its header included.

    Whatever another reader could take for a boundary is refused: on all hops the parts must be the same.
    """
    spans: list[tuple[int, int]] = []
    wanted, before = b"\n" + delimiter, len(newline) - 1
    while not body.startswith(b"--", position):
        end = body.find(wanted, position)
        if end < 0:
            raise _inconsistent("Expected a closing boundary, found the end of the message")
        if (body[end - 1 : end] == b"\r") != (before == 1):
            raise _elsewhere()
        if len(spans) > limits.parts:
            raise _inconsistent(f"Expected at most {limits.parts} payload parts, found more")
        spans.append((position, end - before))
        position = end + len(wanted)
    if body[position + 2 : position + 80].lstrip(_PADDING)[:1] not in (b"", b"\r", b"\n"):
        raise _not_as4("Expected a line end behind the closing boundary, found something else")
    if body.find(wanted, position) >= 0:
        raise _elsewhere()
    return spans


def _elsewhere() -> NotAs4:
    return _not_as4("Expected the boundary only between the parts, found it elsewhere")


def _read_part(body: Extent, start: int, end: int, newline: bytes, limits: As4Limits) -> Part:
    blank = body.find(newline * 2, start, min(end, start + limits.part_header_bytes))
    first = body.find(newline, start, end)
    if blank < 0 or body[start:first].strip(_PADDING):
        raise _inconsistent(
            f"Expected a header of at most {limits.part_header_bytes} bytes and a blank line in each part"
        )
    block = body[first + len(newline) : blank]
    headers = read_headers(block, newline) if block else {}
    content = _decoded(cut(body, blank + 2 * len(newline), end), headers)
    content_type = headers.get("content-type", "application/octet-stream")
    if _content_type(content_type).media_type.startswith(("multipart/", "message/")):
        raise _inconsistent(
            f'Expected no message inside the message, found a part of type "{content_type[:80]}"'
        )
    content_id = headers.get("content-id")
    return Part(_bare(content_id) if content_id is not None else None, content_type, content)


def _content_type(text: str) -> ContentType:
    found = ContentType.find(text)
    if found is None:
        raise _inconsistent(f"Expected a Content-Type in each part, found {text[:80]!r}")
    return found


def _bare(content_id: str) -> str:
    return content_id.strip().removeprefix("<").removesuffix(">")


def _decoded(content: Extent, headers: Mapping[str, str]) -> Extent:
    """Remove the transfer encoding; digests are made over the result (WSS SwA 5.4.2)."""
    encoding = headers.get("content-transfer-encoding", "binary").lower()
    if encoding in _UNCHANGED:
        return content
    if encoding != "base64":
        raise _inconsistent(f'Expected transfer encoding "binary", found "{encoding[:40]}"')
    if isinstance(content, Stretch):
        raise _inconsistent("Expected a large part as binary, found base64", "Send it without any encoding.")
    try:
        return base64.b64decode(content.translate(None, b"\r\n \t"), validate=True)
    except binascii.Error as error:
        raise _inconsistent(f"Expected base64 in the part, found an error: {error}") from error


def _inconsistent(message: str, hint: str | None = None) -> EbmsFault:
    return EbmsFault(EbmsErrorCode.MIME_INCONSISTENCY, message, hint=hint)


def _not_as4(message: str, hint: str | None = None) -> NotAs4:
    return NotAs4(EbmsErrorCode.MIME_INCONSISTENCY, message, hint=hint)
