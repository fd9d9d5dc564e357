"""What a signed AS4 message costs, beside the bare operations that signing and verifying it cannot do without.

Packing and verifying are measured in turn with the operations, in the same run, on the same message. The floor is one
signature and its verification, the digest of the payload and the canonical form of what is signed once for either
side, and one parse of the SOAP envelope.
"""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from eessi_sim.as4 import msh
from eessi_sim.as4.model import CollaborationInfo, MessageInfo, Party, UserMessage
from eessi_sim.as4.msh import Packed
from eessi_sim.benchmark import floor
from eessi_sim.benchmark.stopwatch import Reading, measure_in_turn
from eessi_sim.identifiers import MessageId
from eessi_sim.security.keys import KeyPair, Purpose
from eessi_sim.security.pki import CertificateAuthority, KeyAlgorithm
from eessi_sim.security.trust import TrustStore

USUAL_OCTETS: Final = 12_000
"""Of the whole message, header and signature included."""
_AT: Final = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
_TOKEN: Final = "0123456789abcdef" * 2
_SENDER: Final = Party("PL:ZUS01")
_RECEIVER: Final = Party("NO:NAVAT07")
_PACK: Final = "pack and sign"
_VERIFY: Final = "unpack and verify"
_ONCE: Final = ("sign", "verify a signature", "parse the envelope")
_TWICE: Final = ("SHA-256 of the payload", "canonical form")


@dataclass(frozen=True, slots=True)
class MessagingCost:
    """What one message costs with one kind of keys."""

    keys: KeyAlgorithm
    octets: int
    pack: Reading
    verify: Reading
    floor: float
    """Microseconds of processor time of the bare operations."""

    @property
    def ratio(self) -> float:
        """How many times the floor both sides take together."""
        return (self.pack.cpu + self.verify.cpu) / self.floor

    def as_dict(self) -> dict[str, object]:
        """Return plain values."""
        return {
            "keys": self.keys,
            "bytes": self.octets,
            "pack_us": round(self.pack.cpu, 2),
            "verify_us": round(self.verify.cpu, 2),
            "floor_us": round(self.floor, 2),
            "ratio": round(self.ratio, 2),
        }


def measure_messaging(
    algorithms: Iterable[KeyAlgorithm], octets: int, seconds: float
) -> tuple[MessagingCost, ...]:
    """Measure packing and verifying one message with each kind of keys.

    Args:
        algorithms: kinds of keys.
        octets: size of the message as it travels; never less than an empty one.
        seconds: about how long each operation is measured.
    """
    return tuple(_measure(algorithm, octets, seconds) for algorithm in algorithms)


def _measure(algorithm: KeyAlgorithm, octets: int, seconds: float) -> MessagingCost:
    authority = CertificateAuthority.create("Bench CA", _AT - timedelta(days=9), algorithm)
    keys = authority.issue(_SENDER.id, Purpose.EBMS, country="PL", now=_AT - timedelta(days=1))
    trust = TrustStore.of([authority.certificate])
    content = bytes(max(1, octets - len(_pack(keys, b" ").body)))
    packed = _pack(keys, content)

    def verify() -> None:
        message = msh.unpack(packed.content_type, packed.body)
        msh.verify(message, candidates=[keys.certificate], trust=trust, at=_AT)

    readings = measure_in_turn(
        {_PACK: lambda: _pack(keys, content), _VERIFY: verify, **_bare(keys, packed, content)}, seconds
    )
    bare = sum(readings[name].cpu for name in _ONCE) + 2 * sum(readings[name].cpu for name in _TWICE)
    return MessagingCost(algorithm, len(packed.body), readings[_PACK], readings[_VERIFY], bare)


def _pack(keys: KeyPair, content: bytes) -> Packed:
    header = UserMessage(
        MessageInfo(MessageId("00000000-0000-4000-8000-000000000000@bench.example"), _AT),
        _SENDER,
        _RECEIVER,
        CollaborationInfo(conversation_id="00000000-0000-4000-8000-000000000001"),
    )
    payload = msh.plain_payload("sed@bench.example", content, "application/octet-stream", "SED")
    return msh.pack_user_message(header, [payload], keys, token=_TOKEN)


def _bare(keys: KeyPair, packed: Packed, content: bytes) -> dict[str, Callable[[], object]]:
    message = msh.unpack(packed.content_type, packed.body)
    sign, verify = floor.signature(keys)
    bare = (sign, verify, floor.parse(floor.envelope(message)))
    each = (lambda: hashlib.sha256(content).digest(), floor.canonical(*floor.signed(message)))
    return dict(zip((*_ONCE, *_TWICE), (*bare, *each), strict=True))
