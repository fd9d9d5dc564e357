"""What a verification found: the verdict in ETSI's words, why, and the only octets to go on with."""

from dataclasses import dataclass
from datetime import datetime

from eessi_sim.security.indication import Indication, SubIndication
from eessi_sim.security.keys import Certificate

__all__ = ["Indication", "ReferenceResult", "SubIndication", "VerificationResult"]


@dataclass(frozen=True, slots=True)
class ReferenceResult:
    """One ``ds:Reference`` and what its digest is in truth."""

    uri: str
    digest_expected: bytes
    """Digest that the signature states."""
    digest_found: bytes
    """Digest of what we received."""
    canonical: bytes
    """Octets we digested, so that a difference can be shown; empty when they are too many to be held."""

    @property
    def ok(self) -> bool:
        """Whether both digests agree."""
        return self.digest_expected == self.digest_found


@dataclass(frozen=True, slots=True)
class VerificationResult:
    """Verdict on one signature (ETSI EN 319 102-1 clause 5.1; documented).

    After a valid verification go on with ``signed_bytes`` and nothing else: what was parsed before
    may hold more than what was signed.
    """

    indication: Indication
    sub_indication: SubIndication | None
    """None when passed."""
    explanation: str
    """What was checked last and what to do, in sentences for people."""
    certificate: Certificate | None = None
    """Certificate of the signer, as far as one was found."""
    signed_bytes: bytes | None = None
    """The signed document without its signature; None unless the verdict is passed."""
    references: tuple[ReferenceResult, ...] = ()
    signing_time: datetime | None = None
    """Time that the signer claims; nobody else has confirmed it."""

    @property
    def is_valid(self) -> bool:
        """Whether every check passed."""
        return self.indication is Indication.TOTAL_PASSED
