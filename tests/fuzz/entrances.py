"""The entrances that read octets of strangers; each refuses with an error of ours, or reads."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from tests.helpers.as4_messages import NOW

from eessi_sim import sbdh
from eessi_sim.as4 import compression, msh
from eessi_sim.as4.ebms_errors import EbmsFault
from eessi_sim.as4.encryption_reader import is_encrypted, read_encryption
from eessi_sim.as4.limits import DEFAULT_LIMITS
from eessi_sim.as4.msh import Unpacked
from eessi_sim.errors import EessiSimError
from eessi_sim.security import ciphers

CORPUS = Path(__file__).parents[1] / "data" / "corpus"
SOAP = "application/soap+xml; charset=utf-8"


def _mime(data: bytes) -> None:
    """The Content-Type stands in the first line."""
    head, _, body = data.partition(b"\n")
    _whole(msh.unpack(head.decode("latin-1").strip(), body))


def _soap(data: bytes) -> None:
    _whole(msh.unpack(SOAP, data))


def _whole(message: Unpacked) -> None:
    """As a gateway goes on: encryption or signature, then the parts."""
    security = message.envelope.security
    if security is not None and is_encrypted(security):
        read_encryption(security, ciphers.ACCEPT, len(message.parts))
        return
    for part in message.parts:
        msh.payload_content(part)
    with suppress(EbmsFault):  # the keys of the corpus are nobody's: the signature is read, and not believed
        msh.verify(message, candidates=None, trust=None, at=NOW)


def _gzip(data: bytes) -> None:
    compression.decompress(data, DEFAULT_LIMITS)


def _envelope(data: bytes) -> None:
    sbdh.read(data)


ENTRANCES: Mapping[str, Callable[[bytes], None]] = {
    "mime": _mime,
    "soap": _soap,
    "gzip": _gzip,
    "envelope": _envelope,
}


def enter(name: str, data: bytes) -> bool:
    """Bring octets to an entrance, and return whether they were read; everything but our own errors goes through."""
    try:
        ENTRANCES[name](data)
    except EessiSimError:
        return False
    return True


def corpus(name: str) -> list[Path]:
    """Files that an entrance was given before: good ones, and those that once made it stumble."""
    return sorted((CORPUS / name).iterdir())
