"""One field in which a message is not what was agreed, and how to say so. No comparing is done here."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Difference:
    """One field in which a message is not what was agreed."""

    field: str
    """Name as in the header, for example ``To/PartyId``."""
    expected: str
    found: str
    weight: int = 1
    """How much it counts against the agreement being the one that was meant."""

    def __str__(self) -> str:
        remark = ""
        if self.expected.strip().casefold() == self.found.strip().casefold():
            remark = " (only capital letters or blanks differ)"
        return f'{self.field}: expected "{self.expected}", found "{self.found}"{remark}'
