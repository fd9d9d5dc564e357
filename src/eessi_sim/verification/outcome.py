"""What a verification found: checks, differences in signed content, and their sum. Plain values."""

from base64 import b64encode
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Final

from eessi_sim.clock import iso
from eessi_sim.security.trust import TrustStore
from eessi_sim.verification.facts import SignatureFacts


@dataclass(frozen=True, slots=True)
class Belief:
    """Whom to believe, and at which time."""

    trust: TrustStore | None = None
    """Authorities; None asks for intact signatures only."""
    at: datetime | None = None
    """Time at which certificates have to be valid; None takes the time that the signature states."""


INTEGRITY_ONLY: Final = Belief()


@dataclass(frozen=True, slots=True)
class Excerpt:
    """What stands around a place, with every octet visible."""

    text: str
    marked_at: int
    """Character of ``text`` at which the difference begins."""
    marked: int
    """Characters that differ; 0 when something is missing here."""
    octets: str
    """The first octets that differ, in hexadecimal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The first difference of what was signed and what lies there."""

    origin: str
    """How the signed form became known."""
    octet: int
    """Counts from 1, in the form that lies there."""
    line: int
    path: str | None
    """Element in which they part; None when it is no XML."""
    expected: Excerpt
    found: Excerpt
    expected_size: int
    found_size: int
    extent: str
    """How much is different, in a sentence."""

    def as_dict(self) -> dict[str, object]:
        """Return the JSON form."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Forms:
    """The octets behind a difference, for those who want to compare them with their own."""

    found: bytes = field(repr=False)
    """What was digested here."""
    signed: bytes | None = field(default=None, repr=False)
    """What was signed, as far as it could be made again."""


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
    accidents: tuple[str, ...] = ()
    """Stable names of what happened; empty when nobody knows."""
    comparison: Comparison | None = None
    """Where both forms part; None when the signed form is not known."""
    tried: tuple[str, ...] = ()
    """Names of accidents that did not happen; empty when one was found."""
    remarks: tuple[str, ...] = ()
    """What else was found out, in sentences."""
    forms: Forms | None = field(default=None, compare=False, repr=False)

    def as_dict(self) -> dict[str, object]:
        """Return what is known, for JSON."""
        shape: dict[str, object] = {
            "reference": self.reference,
            "expected": self.expected,
            "found": self.found,
            "cause": self.cause,
            "accidents": list(self.accidents),
            "comparison": self.comparison.as_dict() if self.comparison else None,
            "tried": list(self.tried),
            "remarks": list(self.remarks),
        }
        return {key: value for key, value in shape.items() if value not in (None, [])}


@dataclass(frozen=True, slots=True)
class Written:
    """A form that was written to a file, for a comparison with another program's."""

    reference: str
    form: str
    """``received`` is what was digested here, ``signed`` what was signed as far as it is known."""
    octets: int
    path: str


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
    undecided: bool = False
    """Whether nothing can be said, because what it takes was hidden; such a check does not fail."""
    differences: tuple[Difference, ...] = ()
    written: tuple[Written, ...] = ()
    """Files that hold what was digested, when somebody asked for them."""
    facts: Callable[[], SignatureFacts | None] | None = field(default=None, compare=False, repr=False)
    """Gathers everything about the signature for an explanation; None for other checks."""

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
            "undecided": self.undecided or None,
            "differences": [each.as_dict() for each in self.differences],
            "canonical": [asdict(each) for each in self.written],
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
    def undecided(self) -> tuple[Check, ...]:
        """The checks that could not be done."""
        return tuple(check for check in self.checks if check.undecided)

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
