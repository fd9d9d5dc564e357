"""How one message lies in a folder: the bytes as they travelled, and beside them what they carry.

Nothing is re-written except where a form says so; what cannot be taken apart is kept whole and only whole.
"""

from eessi_sim import sbdh, xmlsafe
from eessi_sim.as4 import mime, msh
from eessi_sim.as4.ebms_errors import EbmsFault
from eessi_sim.as4.limits import DEFAULT_LIMITS
from eessi_sim.as4.msh import Packed
from eessi_sim.errors import EnvelopeError, XmlError
from eessi_sim.verification.evidence import ENVELOPE, MESSAGE, SED


def message_files(packed: Packed) -> dict[str, bytes]:
    """Return the files of a message by name: all of it, its envelope, and the SED as a document of its own."""
    files = {MESSAGE: msh.to_file(packed)}
    try:
        unpacked = msh.unpack(packed.content_type, packed.body)
        envelope = msh.payload_content(unpacked.parts[0])
        files[ENVELOPE] = envelope
        files[SED] = xmlsafe.document_of(sbdh.read(envelope).sed)
    except (EbmsFault, XmlError, EnvelopeError, IndexError):
        pass  # the whole message is there; what is wrong with it says who verifies it
    return files


def soap_part(content_type: str, body: bytes) -> bytes:
    """Return the SOAP part of a message, whether it travelled alone or in a multipart."""
    try:
        return mime.read(content_type, body, DEFAULT_LIMITS).root.content
    except (EbmsFault, XmlError):
        return body
