"""Small value types for the identifiers of EESSI: parse, print, make new ones.

Each type is a ``str`` that was checked once; so it can be a dictionary key, travel in JSON and be
compared as plain text. The forms are those of ``schemas/buc/README.md`` (RINA and the public
samples of the envelope; documented unless a class says otherwise).
"""

import re
import secrets
from collections.abc import Callable
from typing import ClassVar, Protocol, Self
from uuid import UUID

from eessi_sim.errors import IdentifierError

COUNTRIES = (
    "AT",
    "BE",
    "BG",
    "HR",
    "CY",
    "CZ",
    "DK",
    "EE",
    "FI",
    "FR",
    "DE",
    "EL",
    "HU",
    "IS",
    "IE",
    "IT",
    "LV",
    "LI",
    "LT",
    "LU",
    "MT",
    "NL",
    "NO",
    "PL",
    "PT",
    "RO",
    "SK",
    "SI",
    "ES",
    "SE",
    "CH",
    "UK",
)
"""The 32 countries that take part in EESSI, in EESSI's own codes: EL is Greece, UK the United Kingdom."""


class _Checked(str):
    """A text that matches the pattern of its class."""

    __slots__ = ()
    pattern: ClassVar[re.Pattern[str]]
    kind: ClassVar[str]
    example: ClassVar[str]

    def __new__(cls, text: str) -> Self:
        if type(text) is cls:
            return text
        if not cls.pattern.fullmatch(text):
            raise IdentifierError(
                f'Expected {cls.kind} such as "{cls.example}", found "{text[:80]}"',
                hint=f"Write it like {cls.example}.",
                found=text[:80],
            )
        return super().__new__(cls, text)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self)!r})"


class SedType(_Checked):
    """Type of a Structured Electronic Document, for example A003, U001CB, P3000_NO, SYN001."""

    __slots__ = ()
    pattern = re.compile(r"[A-Z]{1,3}[0-9]{3,5}[A-Z]{0,2}(_[A-Z]{2})?")
    kind = "a SED type"
    example = "A003"

    @property
    def prefix(self) -> str:
        """Letters in front of the number: A, P, U, H, X …; the folder of its definition."""
        return re.match(r"[A-Z]+", self).group()  # type: ignore[union-attr] # guaranteed by the pattern


class BucType(_Checked):
    """Type of a Business Use Case, for example LA_BUC_02 or UB_BUC_01."""

    __slots__ = ()
    pattern = re.compile(r"[A-Z]{1,4}_(BUC|SUC)_[0-9]{2}[a-z]?")
    kind = "a BUC type"
    example = "LA_BUC_02"

    @property
    def sector(self) -> str:
        """Letters in front of ``_BUC_``, for example LA, P, UB, H or AD."""
        return self.split("_", 1)[0]


class CdmVersion(_Checked):
    """Version of the Common Data Model, major and minor, for example 4.4."""

    __slots__ = ()
    pattern = re.compile(r"[0-9]{1,2}\.[0-9]{1,2}")
    kind = "a CDM version"
    example = "4.4"

    @property
    def major(self) -> str:
        """First number; travels as ``sedGVer``."""
        return self.split(".")[0]

    @property
    def minor(self) -> str:
        """Second number; travels as ``sedVer``."""
        return self.split(".")[1]


class InstitutionId(_Checked):
    """Id of an institution, access point or the central service node: ``<country>:<code>``.

    The Institution Repository and the public samples of the envelope use the same form for all three.
    """

    __slots__ = ()
    pattern = re.compile(r"(" + "|".join([*COUNTRIES, "EU"]) + r"):[A-Za-z0-9]{4,10}")
    kind = "an institution id"
    example = "NO:NAVAT07"

    @property
    def country(self) -> str:
        """Country code in front of the colon."""
        return self.split(":", 1)[0]

    @property
    def file_name(self) -> str:
        """The id in a form that is safe as a file name."""
        return self.replace(":", "_")

    @property
    def domain(self) -> str:
        """Right-hand side of the message ids that this party makes (our choice, inferred)."""
        country, code = self.lower().split(":", 1)
        return f"{code}.{country}.eessi-sim.example"


class CaseId(_Checked):
    """Id of one institution's own copy of a case: a decimal number as text."""

    __slots__ = ()
    pattern = re.compile(r"[0-9]{1,18}")
    kind = "a case id"
    example = "1443996"


class _Hex32(_Checked):
    __slots__ = ()
    pattern = re.compile(r"[0-9a-f]{32}")
    example = "8a1f0f0c5b0e4e7a9a536f0c9a110003"

    @classmethod
    def from_uuid(cls, text: str) -> Self:
        """Make the id from its spelling with dashes, as the envelope carries it."""
        try:
            return cls(UUID(text).hex)
        except ValueError as error:
            raise IdentifierError(f'Expected a UUID, found "{text[:80]}"', found=text[:80]) from error

    @property
    def uuid(self) -> str:
        """The id with dashes, as the envelope carries it."""
        return str(UUID(self))


class InternationalId(_Hex32):
    """Id of a case that is the same in all copies; set by the case owner."""

    __slots__ = ()
    kind = "an international case id"


class DocumentId(_Hex32):
    """Id of a document, the same at its sender and its receivers."""

    __slots__ = ()
    kind = "a document id"


class AttachmentId(_Hex32):
    """Id of an attachment; all its versions share it."""

    __slots__ = ()
    kind = "an attachment id"


class MessageId(_Checked):
    """Id of an ebMS message: RFC 2822 ``local@domain`` without angle brackets (ebMS3 core 5.2.2.1)."""

    __slots__ = ()
    pattern = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~:-]{1,128}@[A-Za-z0-9.:\[\]-]{1,120}")
    kind = "a message id"
    example = "3f0f7a52-6f3e-4b43-a7c5-000000000001@navat07.no.eessi-sim.example"

    @property
    def file_name(self) -> str:
        """The id in a form that is safe as a file name."""
        return re.sub(r"[^A-Za-z0-9@._-]", "_", self)


class IdFactory(Protocol):
    """Makes new identifiers; handed in, so that a seeded run repeats itself."""

    def uuid(self) -> str:
        """Return a new UUID in its spelling with dashes."""
        ...

    def hex32(self) -> str:
        """Return a new UUID as 32 hexadecimal digits."""
        ...

    def number(self) -> str:
        """Return a new decimal number for a local case id."""
        ...

    def message_id(self, party: InstitutionId) -> MessageId:
        """Return a new message id in the domain of ``party``."""
        ...


class RandomIdFactory:
    """Makes version 4 UUIDs from a source of random bits.

    Args:
        random_bits: returns an integer of so many random bits; ``secrets.randbits`` by default,
            ``random.Random(seed).getrandbits`` for a run that repeats itself.
    """

    def __init__(self, random_bits: Callable[[int], int] = secrets.randbits) -> None:
        self._bits = random_bits

    def uuid(self) -> str:
        """Return a new UUID in its spelling with dashes."""
        return str(UUID(int=self._bits(128), version=4))

    def hex32(self) -> str:
        """Return a new UUID as 32 hexadecimal digits."""
        return UUID(int=self._bits(128), version=4).hex

    def number(self) -> str:
        """Return seven to ten digits."""
        return str(1_000_000 + self._bits(32))

    def message_id(self, party: InstitutionId) -> MessageId:
        """Return a new message id in the domain of ``party``."""
        return MessageId(f"{self.uuid()}@{party.domain}")
