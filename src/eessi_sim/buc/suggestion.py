"""What a rule proposes to a clerk: a document to send, and what made the rule think of it.

It is part of the copy of the case, so that it is stored, exported and lost together with it.
"""

from dataclasses import dataclass
from datetime import datetime

from eessi_sim.identifiers import DocumentId, InstitutionId, SedType


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """One document that a rule would send, and leaves to a clerk (our choice, inferred)."""

    id: str
    rule: str
    """Id of the rule that proposes it."""
    sed: SedType
    """Type of the document to send."""
    about: DocumentId
    """The document that the rule looked at."""
    inputs: tuple[str, ...]
    """What the rule saw: documents, versions and dates, never persons."""
    at: datetime
    parent_id: DocumentId | None = None
    """The document that it would answer; None for one that is no reply."""
    receivers: tuple[InstitutionId, ...] = ()
    """Who would get it; those of the process table when empty."""

    @property
    def source(self) -> str:
        """The rule and its inputs in one sentence."""
        return f"rule {self.rule}, because of {'; '.join(self.inputs)}"
