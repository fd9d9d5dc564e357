"""Words of the synchronisation of the repository (observed in the public sample of SYN001, unless a line says otherwise)."""

from datetime import UTC, datetime
from typing import Final

from eessi_sim.identifiers import BucType, CdmVersion, SedType

VERSION: Final = CdmVersion("4.2")
"""The version in which the message is public; later ones are not."""
SYN001: Final = SedType("SYN001")
SYNC_SUC: Final = BucType("SYNC_SUC_01")
NAMESPACE: Final = "http://ec.europa.eu/eessi/ns/4_2/SYN001"
EXTENSION: Final = "urn:eessi-sim:ir"
"""Namespace of what we add when asked to (our choice, inferred)."""
SYSTEM_CHANNEL: Final = ":System"
"""End of the name of a queue for system messages."""
FIRST: Final = datetime(2015, 1, 1, tzinfo=UTC)
"""How the sample writes "since ever" for an entry as a whole."""
LAST: Final = datetime(2200, 1, 1, tzinfo=UTC)
"""How the sample writes "without end"."""
MODEL_SUC: Final = BucType("SYNC_SUC_02")
"""For SYN003 and SYN004 (inferred)."""
VERSIONS_SUC: Final = BucType("SYNC_SUC_03")
"""For SYN005 (inferred)."""
_BUSINESS: Final = "/BusinessMessaging/"
_SYSTEM: Final = "/SystemMessaging/"


def system_address(url: str) -> str:
    """Return where system messages go that belongs to an address for business messages; the same where it tells nothing."""
    return url.replace(_BUSINESS, _SYSTEM)
