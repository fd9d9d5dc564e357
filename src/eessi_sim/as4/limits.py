"""How much of a message we are willing to read. Values only."""

from dataclasses import dataclass, replace

_MEGABYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class As4Limits:
    """Sizes and counts beyond which a message is refused (our choice, inferred)."""

    body_bytes: int = 100 * _MEGABYTE
    """One whole HTTP body, MIME frame included."""
    envelope_bytes: int = _MEGABYTE
    """The SOAP envelope; libxml2 bounds its depth to 256."""
    parts: int = 100
    """Payload parts of one message."""
    part_header_bytes: int = 16 * 1024
    """Header block of one MIME part."""
    part_bytes: int = 200 * _MEGABYTE
    """One payload part after decompression."""
    message_bytes: int = 400 * _MEGABYTE
    """All payload parts of one message after decompression; bounds the time that unpacking takes."""
    document_bytes: int = 10 * _MEGABYTE
    """The SED in its envelope after decompression; the part that a node holds as a whole."""
    gzip_ratio: int = 100
    """Decompressed size over compressed size; applies beyond ``gzip_floor_bytes``."""
    gzip_floor_bytes: int = 10 * _MEGABYTE
    """Up to this size any ratio is accepted, since small texts compress very well."""
    gzip_members: int = 10_000
    """Members of one gzip stream (RFC 1952 2.2 allows several)."""

    def allowing(self, files: int) -> "As4Limits":
        """Return the limits that also let files of so many octets pass, all of one message together."""
        return replace(
            self,
            body_bytes=max(self.body_bytes, files + files // 64 + self.document_bytes),
            part_bytes=max(self.part_bytes, files),
            message_bytes=max(self.message_bytes, files + self.document_bytes),
        )


DEFAULT_LIMITS = As4Limits()
