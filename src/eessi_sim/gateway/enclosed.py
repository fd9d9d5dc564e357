"""The files that travel with a SED: made into parts of its message, and compared with the list in its envelope.

The envelope and the message do not know each other; here they are brought together. Part and list name an attachment
by the same id. What a file means for a case is not decided here.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import chain

from eessi_sim.as4 import compression, msh
from eessi_sim.as4.limits import DEFAULT_LIMITS, As4Limits
from eessi_sim.as4.model import MessageProperty, Payload
from eessi_sim.as4.vocabulary import ATTACHMENT_ID, ATTACHMENT_PART
from eessi_sim.attachments import HEAD_BYTES, AttachmentLimits, Content, Octets
from eessi_sim.errors import AttachmentMissing, AttachmentNotListed, AttachmentTypeRefused
from eessi_sim.sbdh import ListedAttachment
from eessi_sim.spool import Spool, SpoolFile
from eessi_sim.stretch import IN_MEMORY, Stretch


@dataclass(frozen=True, slots=True)
class Enclosed:
    """An attachment that is listed and there."""

    listed: ListedAttachment
    part: Payload

    @property
    def words(self) -> str:
        """The attachment by its id: its file name may name a person, and refusals are kept on the way."""
        return f"attachment {self.listed.id}"

    def content(self, limits: As4Limits = DEFAULT_LIMITS, spool: Spool | None = None) -> Content:
        """Return what is in the file; a large one is written to the spool and kept there, if there is one.

        Raises:
            EbmsFault: 0303 when it cannot be decompressed.
            Unavailable: the disk does not take it.
        """
        pieces, held = msh.payload_pieces(self.part, limits), bytearray()
        for piece in pieces:
            held += piece
            if spool is not None and len(held) > IN_MEMORY:
                return spool.write(chain((bytes(held),), pieces)).keep()
        return Octets.of(bytes(held))


def payload_of(
    listed: ListedAttachment, content: Content, domain: str, spool: Spool | None = None
) -> Payload:
    """Return the part that carries a file.

    Args:
        listed: as the envelope lists it.
        content: what is in it.
        domain: of the sender; completes the Content-ID.
        spool: where the part is written when the content is large; its file goes with ``discard``.
    """
    content_id = f"{listed.id}@{domain}"
    if spool is not None and content.size > IN_MEMORY:
        octets = spool.write(compression.compressed(content.pieces())).stretch
        part = msh.large_payload(content_id, octets, listed.media_type, ATTACHMENT_PART)
    else:
        part = msh.compressed_payload(content_id, content.read(), listed.media_type, ATTACHMENT_PART)
    return replace(part, properties=(*part.properties, MessageProperty(ATTACHMENT_ID, listed.id)))


def discard(parts: Sequence[Payload]) -> None:
    """Throw away the files of parts that were written into their messages."""
    for part in parts:
        if isinstance(part.octets, Stretch) and isinstance(part.octets.source, SpoolFile):
            part.octets.source.discard()


def enclosed(
    listed: Sequence[ListedAttachment],
    parts: Sequence[Payload],
    limits: AttachmentLimits,
    as4_limits: As4Limits = DEFAULT_LIMITS,
) -> tuple[Enclosed, ...]:
    """Return the attachments of a message, in the order of the list.

    Args:
        listed: by the envelope.
        parts: of the message, the SED first.
        limits: which attachments are taken.
        as4_limits: how much of a message we are willing to unpack.

    Raises:
        AttachmentMissing: a listed file is not there.
        AttachmentNotListed: a part is not listed, or there twice.
        AttachmentTypeRefused: part, list and content do not agree about its type, or the type is not allowed.
        AttachmentTooLarge: a file, or all of them, are too large.
        EbmsFault: 0303 when a part cannot be decompressed.
    """
    found = _matched(listed, parts[1:])
    if not found:
        return ()
    for each in found:
        _check_type(each, limits)
    weighing = _Weighing({each.part.content_id: each for each in found}, limits)
    msh.look_through([each.part for each in found], weighing.look, as4_limits)
    for each in found:
        head = weighing.heads.get(each.part.content_id, b"")
        limits.check_head(each.words, each.listed.media_type, head)
    return found


def _matched(listed: Sequence[ListedAttachment], parts: Sequence[Payload]) -> tuple[Enclosed, ...]:
    by_id: dict[str, Payload] = {}
    known = {str(each.id) for each in listed}
    for part in parts:
        name = part.attachment_id
        if name not in known or name in by_id:
            raise AttachmentNotListed(
                f"Expected only parts that the envelope lists, each once, found {part.content_id[:80]!r} besides",
                hint="List every file as an Attachment in the header of the SED, under the AttachmentId of its part.",
                part=part.content_id[:80],
            )
        by_id[name] = part
    missing = [each for each in listed if each.id not in by_id]
    if missing:
        raise AttachmentMissing(
            f"Expected a part with the AttachmentId {missing[0].id}, which the envelope lists, found none",
            hint="Send the file in the same message, or take it from the list.",
            attachment=missing[0].id,
        )
    return tuple(Enclosed(each, by_id[each.id]) for each in listed)


def _check_type(each: Enclosed, limits: AttachmentLimits) -> None:
    stated = each.listed.media_type
    if each.part.mime_type.lower() != stated:
        raise AttachmentTypeRefused(
            f"Expected the part of {each.words} to be {stated}, as the envelope says, found {each.part.mime_type[:80]}",
            hint="State the same type in the envelope and in the property MimeType of the part.",
        )
    limits.check_type(each.words, stated)


@dataclass(slots=True)
class _Weighing:
    """Sees every piece of every attachment once and keeps only its head."""

    files: dict[str, Enclosed]
    limits: AttachmentLimits
    heads: dict[str, bytes] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)

    def look(self, part: Payload, piece: bytes) -> None:
        key = part.content_id
        self.sizes[key] = self.sizes.get(key, 0) + len(piece)
        self.heads[key] = (self.heads.get(key, b"") + piece[:HEAD_BYTES])[:HEAD_BYTES]
        self.limits.check_size(self.files[key].words, self.sizes[key])
        self.limits.check_total(sum(self.sizes.values()))
