"""What a verification found: checks, differences in signed content, and their sum. Plain values."""

from base64 import b64encode
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from eessi_sim.clock import iso
from eessi_sim.security.trust import TrustStore


@dataclass(frozen=True, slots=True)
class Belief:
    """Whom to believe, and at which time."""

    trust: TrustStore | None = None
    """Authorities; None asks for intact signatures only."""
    at: datetime | None = None
    """Time at which certificates have to be valid; None takes the time that the signature states."""


INTEGRITY_ONLY: Final = Belief()


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that was signed or listed and is not what it was."""

    reference: str
    """``URI`` of the ds:Reference, or what was compared."""
    expected: str
    """Digest that the signature or list states, in base64 or as it is written there."""
    found: str
    """Digest of what lies there."""
    cause: str
    """What probably happened, as a sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that was looked at."""

    name: str
    """Stable name, for example ``seal`` or ``receipt-references``."""
    file: str
    passed: bool
    sentence: str
    code: str | None = None
    """Code of the reason when it failed: a sub-indication of ETSI, or the code of an error."""
    hint: str | None = None
    signer: str | None = None
    """Subject of the certificate that signed."""
    signed_at: datetime | None = None
    """Time that the signer claims."""
    trusted: bool | None = None
    """Whether an authority stands behind the signer; None when nobody said whom to believe, or nothing is signed."""
    differences: tuple[Difference, ...] = ()

    def as_dict(self) -> dict[str, object]:
        """Return what is known, for JSON."""
        shape: dict[str, object] = {
            "name": self.name,
            "file": self.file,
            "passed": self.passed,
            "sentence": self.sentence,
            "code": self.code,
            "hint": self.hint,
            "signer": self.signer,
            "signed_at": iso(self.signed_at) if self.signed_at else None,
            "trusted": self.trusted,
            "differences": [
                {
                    "reference": each.reference,
                    "expected": each.expected,
                    "found": each.found,
                    "cause": each.cause,
                }
                for each in self.differences
            ],
        }
        return {key: value for key, value in shape.items() if value not in (None, [])}


@dataclass(frozen=True, slots=True)
class Subject:
    """A file, or a message with everything that belongs to it."""

    name: str
    description: str
    """What it is, in a few words: ``A003 PL:ZUS001 → NO:NAVAT07``."""
    checks: tuple[Check, ...]

    @property
    def is_valid(self) -> bool:
        """Whether every check passed."""
        return all(check.passed for check in self.checks)

    @property
    def failed(self) -> tuple[Check, ...]:
        """The checks that did not pass."""
        return tuple(check for check in self.checks if not check.passed)

    def as_dict(self) -> dict[str, object]:
        """Return the JSON form."""
        return {
            "name": self.name,
            "description": self.description,
            "valid": self.is_valid,
            "checks": [check.as_dict() for check in self.checks],
        }


def in_base64(octets: bytes) -> str:
    """Return a digest as signatures write it."""
    return b64encode(octets).decode()
