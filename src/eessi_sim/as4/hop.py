"""Encryption for one hop: put on by an access point, taken off by the next one, octet by octet the message as before.

What the parties made is cut and pasted, never written anew: the frame, the header lines, the SOAP part. Encryption
stands in front in the Security header (EESSI, observed), the content of the parts is replaced, and so is the value of
their Content-Type. A message whose form does not allow that is written anew by ``layer``: its signature holds as well.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from eessi_sim.as4 import encryption, layer, mime
from eessi_sim.as4.decryption import Decryption
from eessi_sim.as4.ebms_errors import EbmsFault
from eessi_sim.as4.encryption import Encryption
from eessi_sim.as4.encryption_reader import is_encrypted, noncompliant
from eessi_sim.as4.mime_headers import read_headers
from eessi_sim.as4.model import Payload
from eessi_sim.as4.msh import Packed, Unpacked, unpack
from eessi_sim.as4.soap import read_envelope
from eessi_sim.errors import XmlError
from eessi_sim.stretch import whole
from eessi_sim.xmlsafe import inclusive_c14n

_SECURITY: Final = re.compile(rb"""<(?:[\w.-]+:)?Security(?=[\s>])(?:[^<>"']|"[^"<]*"|'[^'<]*')*(?<!/)>""")
_BLOCKS: Final = re.compile(
    rb"(?:<wsse:BinarySecurityToken[^<>]*>[^<>]*</wsse:BinarySecurityToken>)?"
    rb"(?:<xenc:EncryptedKey[ >].*?</xenc:EncryptedKey>)"
    rb"(?:<xenc:EncryptedData[ >].*?</xenc:EncryptedData>)+",
    re.DOTALL,
)
"""Encryption as ``encryption`` writes it; what somebody else writes is taken off by ``layer``."""
_TYPE_LINE: Final = re.compile(rb"(?i)(\ncontent-type:[ \t]*)([^\r\n]*?)(?=[ \t]*\r?\n(?![ \t]))")


def encrypt(message: Unpacked, how: Encryption, token: str) -> Packed:
    """Encrypt the parts of a message that somebody else signed, for the next access point.

    Args:
        message: as received; nothing of it may be encrypted yet.
        how: for whom and how.
        token: 32 hexadecimal digits that occur nowhere else.

    Returns:
        The message to send on, the same when it has no parts; its digests are left to its sender.

    Raises:
        EbmsFault: 0103 when it is encrypted already.
        EncryptionError, KeyMaterialError: as ``encryption.encrypt``.
    """
    if is_encrypted(message.envelope.security):
        raise noncompliant("Expected a message that is not encrypted yet, found encryption")
    body = whole(message.octets)
    if not message.parts:
        return Packed(message.message_id, message.content_type, body)
    encrypted = encryption.encrypt(message.parts, how, token)
    blocks = encrypted.blocks.encode()
    swap = _Swap(message.content_type, message.parts, encrypted.payloads)
    sealed = swap.applied(body, lambda root: _with_blocks(root, blocks))
    if sealed is not None and swap.reverse.applied(sealed, _without_blocks) == body:
        return Packed(message.message_id, message.content_type, sealed)
    return layer.encrypt(message, how, token)


def decrypt(message: Unpacked, how: Decryption) -> Unpacked:
    """Return a message as it was before ``encrypt``; one that is not encrypted is returned as it is.

    Args:
        message: as received, not verified yet.
        how: with which keys, and what is accepted.

    Raises:
        EbmsFault: as ``layer.decrypt``.
    """
    bare = layer.decrypt(message, how)
    if bare is message:
        return message
    swap = _Swap(message.content_type, message.parts, bare.parts)
    octets = swap.applied(whole(message.octets), _without_blocks)
    if octets is None:
        return bare
    # Two ways to take the encryption off must come to the same envelope; else the careful one counts.
    cut = unpack(message.content_type, octets)
    if _canonical(cut) != _canonical(bare):
        return bare
    return replace(bare, envelope=cut.envelope, content_type=message.content_type, octets=octets)


@dataclass(frozen=True, slots=True)
class _Swap:
    """Puts other parts in the place of those of a message."""

    content_type: str
    old: Sequence[Payload]
    new: Sequence[Payload]

    @property
    def reverse(self) -> "_Swap":
        """The way back."""
        return _Swap(self.content_type, self.new, self.old)

    def applied(self, body: bytes, change: Callable[[bytes], bytes | None]) -> bytes | None:
        """Return the message with other parts; None when they cannot be put where the old ones stand.

        Args:
            body: the message.
            change: what becomes of its SOAP part.
        """
        pairs = {old.content_id: (old, new) for old, new in zip(self.old, self.new, strict=True)}
        try:
            found = mime.sections(self.content_type, body)
        except EbmsFault:  # the boundary came to stand in a part
            return None
        pieces: list[bytes] = []
        position = 0
        for section in found:
            header, content = body[section.start : section.content], body[section.content : section.end]
            pair = pairs.get(_content_id(header))
            other = (header, change(content)) if pair is None else _swapped(header, content, *pair)
            if other is None or other[1] is None:
                return None
            pieces += (body[position : section.start], other[0], other[1])
            position = section.end
        return b"".join((*pieces, body[position:]))


def _content_id(header: bytes) -> str:
    newline = b"\r\n" if b"\r\n" in header else b"\n"
    block = header.partition(newline)[2].removesuffix(newline * 2)
    fields = read_headers(block, newline) if block else {}
    return fields.get("content-id", "").strip().removeprefix("<").removesuffix(">")


def _swapped(header: bytes, content: bytes, old: Payload, new: Payload) -> tuple[bytes, bytes] | None:
    """Return header and content of another part; None when more than its content and its type would differ."""
    match = _TYPE_LINE.search(header)
    if match is None or match[2].decode("latin-1") != old.content_type or content != old.content:
        return None
    start, end = match.span(2)
    return header[:start] + new.content_type.encode("latin-1") + header[end:], new.content


def _with_blocks(root: bytes, blocks: bytes) -> bytes | None:
    """Return the SOAP part with encryption in front in its Security header; None when that is not found."""
    for match in _SECURITY.finditer(root):
        changed = root[: match.end()] + blocks + root[match.end() :]
        if _is_sealed(changed):
            return changed
    return None


def _is_sealed(root: bytes) -> bool:
    """Whether the encryption stands where it belongs, and not in a comment or a text that looks like it."""
    try:
        return is_encrypted(read_envelope(root).security)
    except (EbmsFault, XmlError):
        return False


def _without_blocks(root: bytes) -> bytes | None:
    for match in _SECURITY.finditer(root):
        blocks = _BLOCKS.match(root, match.end())
        if blocks is not None:
            return root[: match.end()] + root[blocks.end() :]
    return None


def _canonical(message: Unpacked) -> bytes:
    envelope = message.envelope.header.getparent()
    assert envelope is not None  # a header stands in an envelope
    return inclusive_c14n(envelope)
