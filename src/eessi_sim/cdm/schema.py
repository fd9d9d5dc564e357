"""CompiledSchema: whether a SED fits its schema, and if not, why.

The verdict is libxml2's, compiled once per process: it is on the path of every message. The explanation is made
only for documents that failed, in ``explanation``; where the two disagree, libxml2 wins.
"""

import functools
from dataclasses import dataclass
from typing import Any, Final

from eessi_sim import xmlsafe
from eessi_sim.cdm import schema_files
from eessi_sim.cdm.catalogue import SedDefinition
from eessi_sim.cdm.report import Issue, Severity
from eessi_sim.xmlsafe import Element

MAX_ISSUES: Final = 100
"""How many findings of the schema a report lists; more help nobody (our choice, inferred)."""


@dataclass(frozen=True, slots=True)
class SchemaFindings:
    """What the schema finds fault with."""

    issues: tuple[Issue, ...]
    capped: int = 0
    """How many further findings there are; counted up to 1000 in all."""


class CompiledSchema:
    """The schema of one SED definition.

    Args:
        definition: names the schema file and the folder it may read from.

    Raises:
        DefinitionError: the schema cannot be compiled, or wants a file outside its folder.
    """

    def __init__(self, definition: SedDefinition) -> None:
        self._definition = definition
        self._schema = schema_files.compiled(definition.xsd, definition.root)

    @classmethod
    def of(cls, definition: SedDefinition) -> "CompiledSchema":
        """Return the compiled schema of a definition; compiled once per process."""
        return _compiled(definition)

    def verdict(self, element: Element) -> bool:
        """Return whether ``element``, a SED, fits its schema (XML Schema 1.0, by libxml2)."""
        return self._schema.validate(element)

    def explain(self, element: Element) -> tuple[Issue, ...]:
        """Return at most 100 findings about a SED that does not fit, none about one that does."""
        return self.findings(element).issues

    def findings(self, element: Element, max_issues: int = MAX_ISSUES) -> SchemaFindings:
        """Return the findings about a SED, none when it fits.

        Args:
            element: the SED.
            max_issues: how many to list; the others are counted.
        """
        if self.verdict(element):
            return SchemaFindings(())
        issues = self._explained(element, max_issues)
        return issues if issues.issues else self._as_libxml2_says(element, max_issues)

    def _explained(self, element: Element, max_issues: int) -> SchemaFindings:
        # The schema library takes a fifth of the time a node needs to start, and most never explain anything.
        from eessi_sim.cdm.explanation import explain  # noqa: PLC0415

        return SchemaFindings(*explain(self._definition, element, max_issues))

    def _as_libxml2_says(self, element: Element, max_issues: int) -> SchemaFindings:
        self._schema.validate(element)
        log: Any = self._schema.error_log  # the stubs of lxml do not know that one can iterate over it
        entries = list(log)
        issues = tuple(self._plain_issue(entry, element) for entry in entries[:max_issues])
        return SchemaFindings(issues, len(entries) - len(issues))

    def _plain_issue(self, entry: Any, element: Element) -> Issue:  # the stubs of lxml give entries no type
        return Issue(
            severity=Severity.ERROR,
            code="schema",
            path=entry.path or xmlsafe.path_of(element),
            message=entry.message.strip().rstrip("."),
            line=entry.line,
            rule=f"XSD:{self._definition.type}",
        )


@functools.cache
def _compiled(definition: SedDefinition) -> CompiledSchema:
    return CompiledSchema(definition)
