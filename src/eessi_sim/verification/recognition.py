"""Tells what a file is by its first octets: a SED, an envelope, a whole message, an archive, or none of them.

Only the kind is told; whether the content is any good is found by whoever reads it.
"""

import re
from enum import StrEnum
from typing import Final

from eessi_sim import sbdh, xmlsafe
from eessi_sim.as4 import vocabulary
from eessi_sim.errors import XmlError
from eessi_sim.xmlsafe import DEFAULT_LIMITS, XmlLimits
from eessi_sim.zipsafe import is_zip


class Kind(StrEnum):
    """What a file holds."""

    SED = "SED"
    """XML that is a SED, or at least no other kind that we know."""
    SED_JSON = "SED as JSON"
    ENVELOPE = "envelope"
    """Standard Business Document: header and SED."""
    MESSAGE = "AS4 message"
    ZIP = "zip archive"
    UNKNOWN = "unknown"


_BOM: Final = b"\xef\xbb\xbf"
_UTF16: Final = (b"\xff\xfe", b"\xfe\xff")
_MESSAGE_START: Final = re.compile(rb"--\S|[A-Za-z-]+:\s*\S")
_KINDS: Final = {
    (vocabulary.S12, "Envelope"): Kind.MESSAGE,
    (sbdh.NAMESPACE, "StandardBusinessDocument"): Kind.ENVELOPE,
}


def kind_of(data: bytes, limits: XmlLimits = DEFAULT_LIMITS) -> Kind:
    """Return what ``data`` probably is; XML that cannot be read counts as a SED, whose reader says why."""
    if is_zip(data):
        return Kind.ZIP
    start = data[:200].removeprefix(_BOM).lstrip()
    if start[:1] in (b"{", b"["):
        return Kind.SED_JSON
    if start.startswith(b"<") or data.startswith(_UTF16):
        return _kind_of_xml(data, limits)
    return Kind.MESSAGE if _MESSAGE_START.match(start) else Kind.UNKNOWN


def _kind_of_xml(data: bytes, limits: XmlLimits) -> Kind:
    try:
        root = xmlsafe.parse(data.lstrip() if data[:1].isspace() else data, limits)
    except XmlError:
        return Kind.SED
    return _KINDS.get((xmlsafe.namespace(root), xmlsafe.local_name(root)), Kind.SED)
