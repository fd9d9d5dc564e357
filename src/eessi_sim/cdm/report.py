"""Findings about a document: Issue, and ValidationReport that collects them.

Every way to find fault with a document (parser, schema, business rule) ends in an Issue of this one form, and
every outside face shows it. How faults are found lives elsewhere.
"""

import dataclasses
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from eessi_sim.errors import EessiSimError
from eessi_sim.identifiers import CdmVersion, SedType
from eessi_sim.xmlsafe import Element

BUSINESS_RULE: Final = "business-rule"
"""Code of every finding of a rule file; ``Issue.rule`` says which rule."""


class Severity(StrEnum):
    """How much a finding matters; only an error forbids to send the document."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Mend:
    """How a mechanical fault is put right, as a fragment of the document before and after."""

    sentence: str
    """What is done, for example ``Write 2026-03-02.``"""
    before: str
    """The part of the document in question, on one line; what matters not is left out as ``…``."""
    after: str
    """The same part, corrected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """One finding that teaches: what is wrong, where, why, and what to change."""

    severity: Severity
    code: str
    """Kind of finding, kebab-case and stable, for example ``value-not-in-code-list``."""
    path: str
    """XPath with local names, for example ``/A003/Person/PersonIdentification/dateBirth``."""
    message: str
    """One sentence: expected, found, where; no full stop."""
    line: int | None = None
    """Line of the document, counted from 1; None when the document was not XML text."""
    column: int | None = None
    """Column, known for faults of the syntax only."""
    hint: str | None = None
    """What to change, as a sentence."""
    rule: str | None = None
    """Id of the business rule (``A003-R01``) or of the schema component (``XSD:A003/Address/town``)."""
    source: str | None = None
    """Where the requirement comes from: an article, a clause, or the sources of the schema component."""
    confidence: str | None = None
    """How sure the source is: documented, observed or inferred."""
    expected: str | None = None
    found: str | None = None
    mend: Mend | None = None
    """Correction of a mechanical fault; None when only a person can know what is right."""

    @classmethod
    def of_error(cls, error: EessiSimError, mend: Mend | None = None) -> "Issue":
        """Return a finding that says what ``error`` says; its context may give path, line and column."""
        line, column = (error.context.get(key) for key in ("line", "column"))
        return cls(
            severity=Severity.ERROR,
            code=error.code,
            path=str(error.context.get("path", "/")),
            message=error.message,
            line=line if isinstance(line, int) else None,
            column=column if isinstance(column, int) else None,
            hint=error.hint,
            mend=mend,
        )

    def as_dict(self) -> dict[str, object]:
        """Return what is known, for JSON."""
        return {key: value for key, value in dataclasses.asdict(self).items() if value is not None}


@dataclass(frozen=True, slots=True)
class ValidationReport:
    """All findings about one document."""

    issues: tuple[Issue, ...]
    sed: SedType | None
    """Type of the document; None when it could not even be told."""
    version: CdmVersion | None
    capped: int = 0
    """How many further findings of schema and rules were left out."""

    @property
    def is_valid(self) -> bool:
        """Whether nothing forbids to send the document."""
        return not self._errors(business=True) and not self._errors(business=False)

    @property
    def xsd_valid(self) -> bool:
        """Whether the document could be read and fits its schema."""
        return not self._errors(business=False)

    @property
    def rules_valid(self) -> bool:
        """Whether no business rule found an error; a document that could not be read breaks no rule."""
        return not self._errors(business=True)

    def _errors(self, *, business: bool) -> bool:
        return any(
            issue.severity is Severity.ERROR and (issue.code == BUSINESS_RULE) is business
            for issue in self.issues
        )

    def as_dict(self) -> dict[str, object]:
        """Return the report in the one JSON shape of all outside faces."""
        return {
            "valid": self.is_valid,
            "xsd_valid": self.xsd_valid,
            "rules_valid": self.rules_valid,
            "sed": self.sed,
            "version": self.version,
            "issues": [issue.as_dict() for issue in self.issues],
            "capped": self.capped,
        }


def line_of(element: Element) -> int | None:
    """Return the line of the start tag, None for an element that was not parsed from text."""
    line: Any = element.sourceline  # the stubs of lxml give it no type
    return line if isinstance(line, int) else None
