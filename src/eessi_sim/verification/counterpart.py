"""Compares what was received with a copy that the signer kept: of the signed octets, of the document, or the message."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from eessi_sim import sbdh, xmlsafe
from eessi_sim.as4 import compression, msh
from eessi_sim.errors import EessiSimError
from eessi_sim.security.indication import Indication
from eessi_sim.security.result import VerificationResult
from eessi_sim.security.xmldsig import SIGNATURE
from eessi_sim.verification.facts import (
    SignatureFacts,
    SignedThing,
    facts_of_message,
    facts_of_seal,
    octets_of,
)
from eessi_sim.verification.recognition import Kind, kind_of
from eessi_sim.xmlsafe import Element, local_name

_NOT_VERIFIED: Final = VerificationResult(Indication.INDETERMINATE, None, "not verified")
_GZIP: Final = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class Counterpart:
    """The signer's form of one signed thing."""

    octets: bytes = field(repr=False)
    found: bytes = field(repr=False)
    """What it is to be compared with."""
    is_signed: bool
    """Whether its digest is the one in the signature."""
    what: str
    """What of the copy it is."""

    @property
    def origin(self) -> str:
        """What is known about it, for the comparison."""
        fits = (
            "its digest is the one in the signature" if self.is_signed else "its digest does not fit either"
        )
        return f"from your copy, {self.what}; {fits}"


def counterpart_of(thing: SignedThing, copy: bytes) -> Counterpart | None:
    """Return the form of ``thing`` in a copy, None when the copy has nothing of the kind.

    Args:
        thing: what was signed and received.
        copy: a file of the signer. The form whose digest fits is preferred, then the most similar kind.
    """
    found = thing.content.octets
    first: Counterpart | None = None
    for what, octets in _forms(thing, copy):
        fits = thing.reference.digest_of(octets) == thing.reference.digest_value
        made = Counterpart(octets, found, fits, what)
        if fits:
            return made
        first = first or made
    return _decompressed(first) if first else None


def _decompressed(made: Counterpart) -> Counterpart:
    """Return a comparison of contents when one side is a gzip stream: its octets would say nothing."""
    try:
        octets, found = _content(made.octets), _content(made.found)
    except EessiSimError:
        return made
    if (octets, found) == (made.octets, made.found) or octets == found:
        return made
    return Counterpart(octets, found, made.is_signed, f"{made.what}, compared after decompression")


def _content(octets: bytes) -> bytes:
    return compression.decompress(octets) if octets.startswith(_GZIP) else octets


def _forms(thing: SignedThing, copy: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield what ``thing`` may be in the copy, the most similar first."""
    reader = _READERS.get(kind_of(copy))
    with suppress(EessiSimError):  # what cannot be read can still be what was digested
        yield from reader(thing, copy) if reader else ()
    yield "the octets of the file", copy


def _of_message(thing: SignedThing, copy: bytes) -> Iterator[tuple[str, bytes]]:
    message = msh.unpack_file(copy)
    facts = facts_of_message(message, _NOT_VERIFIED)
    yield from _matching(thing, facts, "the same reference of the message")
    if thing.reference.uri.startswith("cid:") and message.parts:
        yield "the first part of the message", message.parts[0].content
    if message.parts:
        yield from _of_envelope(thing, msh.payload_content(message.parts[0]))


def _of_envelope(thing: SignedThing, copy: bytes) -> Iterator[tuple[str, bytes]]:
    return _of_sed(thing, sbdh.read(copy).sed, copy)


def _of_xml(thing: SignedThing, copy: bytes) -> Iterator[tuple[str, bytes]]:
    return _of_sed(thing, xmlsafe.parse(copy), copy)


def _of_sed(thing: SignedThing, sed: Element, copy: bytes) -> Iterator[tuple[str, bytes]]:
    if thing.reference.uri.startswith("cid:"):
        return
    signature = sed.find(SIGNATURE)
    if signature is not None:
        yield from _matching(thing, facts_of_seal(sed, _NOT_VERIFIED, copy), f"the {local_name(sed)} in it")
    elif not thing.reference.uri:
        yield f"the {local_name(sed)} in it, which is not signed", octets_of(sed, thing.reference)


def _matching(thing: SignedThing, facts: SignatureFacts | None, what: str) -> Iterator[tuple[str, bytes]]:
    """Yield the thing of the copy that has the same URI, or else the same type of reference."""
    things = facts.things if facts else ()
    for same in things:
        if same.reference.uri == thing.reference.uri:
            yield what, same.content.octets
    for same in things:
        if same.reference.type and same.reference.type == thing.reference.type:
            yield what, same.content.octets


_READERS: Final = {
    Kind.MESSAGE: _of_message,
    Kind.ENVELOPE: _of_envelope,
    Kind.SED: _of_xml,
}
